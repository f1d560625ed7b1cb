"""Asks a web process how it is; `python -m netcrm.probe` is the health check of containers."""

import http.client
import os
import sys
from urllib.parse import urlsplit


def healthy(site: str, port: int) -> bool:
    """Return whether the process on this machine's port answers /healthz for the site with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        headers = {"Host": urlsplit(site).netloc, "Accept": "application/json"}
        connection.request("GET", "/healthz", headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not healthy(os.environ["SITE_URL"], int(os.environ["PORT"])))
