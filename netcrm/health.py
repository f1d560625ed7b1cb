"""What /healthz asks beside the database."""

import dataclasses

from django.conf import settings
from health_check.contrib.redis import Redis
from redis import asyncio


def broker() -> asyncio.Redis:
    """Return a client of the broker that gives up after two seconds."""
    return asyncio.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2
    )


@dataclasses.dataclass(repr=False)
class Broker(Redis):
    """Asks whether the broker answers. The page is public: it does not say where the broker is."""

    def __repr__(self) -> str:
        return "Broker"

    @property
    def labels(self) -> dict[str, str]:
        return {"check": "Broker"}
