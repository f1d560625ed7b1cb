"""Somebody at the web pages, who may meet a server that dies."""

import http.client
import uuid
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.test import Client

from contacts.models import Contact
from netcrm.models import User

TOKEN = "t" * 32
SECONDS = 20


class Visitor:
    """A browser in which `user` is logged in."""

    def __init__(self, address: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.host = urlsplit(address).netloc
        self.headers = {
            "Host": self.host,
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={TOKEN}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def reads(self, path: str) -> bool:
        """Return whether the page came."""
        return self._ask("GET", path) == http.HTTPStatus.OK

    def logs_a_call(self, contact: Contact, key: uuid.UUID) -> bool:
        """Send the form of a call that nobody answered; return whether netcrm said it was noted."""
        form = {"happened": "voicemail", "key": key, "csrfmiddlewaretoken": TOKEN}
        return self._ask("POST", f"/follow-ups/log/{contact.pk}/", form) == http.HTTPStatus.FOUND

    def _ask(self, method: str, path: str, form: dict[str, object] | None = None) -> int:
        """Return the status of the answer, or 0 without one."""
        connection = http.client.HTTPConnection(self.host, timeout=SECONDS)
        try:
            connection.request(method, path, form and urlencode(form), self.headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
