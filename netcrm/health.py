"""What /healthz asks beside the database."""

from django.conf import settings
from redis.asyncio import Redis


def broker():
    """Return a client of the broker that gives up after two seconds."""
    return Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2)
