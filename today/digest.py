"""Sending the daily digest: the work behind the tick and behind `manage.py send_digests`."""

import logging
import time
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from netcrm.localtime import next_digest
from netcrm.models import Heartbeat, User
from netcrm.outbox import queue_mail
from today import links
from today.agenda import build_agenda
from today.letter import write_letter
from today.models import Digest

logger = logging.getLogger(__name__)

RUN_SECONDS = 40  # Celery stops a task softly after 60.
TRY_AGAIN_AFTER = timedelta(minutes=15)


def due(now: datetime) -> QuerySet[User]:
    """Return the users whose digest hour has come at the instant `now`.

    Where mail leaves the machine, only those whose address is known to be theirs.
    """
    users = User.objects.filter(is_active=True, digest_on=True, digest_next_at__lte=now)
    if settings.MAIL_URL:
        known = EmailAddress.objects.filter(
            user=OuterRef("pk"), email__iexact=OuterRef("email"), verified=True
        )
        users = users.filter(Exists(known))
    return users.order_by("digest_next_at", "id")


def send_digests(now: datetime | None = None, seconds: float = RUN_SECONDS) -> int:
    """Put the digest of each user whose hour has come into the outbox; return how many mails.

    Each user is a transaction of their own under SKIP LOCKED: several workers share the work, a
    killed one loses nothing, and one user whose digest cannot be made holds up nobody else.
    Takes up no new user after `seconds`: the next tick goes on.
    """
    now = now or timezone.now()
    started = time.monotonic()
    sent = 0
    while time.monotonic() - started < seconds:
        user = None
        try:
            with transaction.atomic():
                user = due(now).select_for_update(skip_locked=True, no_key=True).first()
                if user is None:
                    break
                sent += _send(user, now)
        except Exception:
            if user is None:
                raise
            logger.exception("The digest of user %s could not be made.", user.pk)
            User.objects.filter(pk=user.pk).update(digest_next_at=now + TRY_AGAIN_AFTER)
    Heartbeat.beat("digests")
    return sent


def _send(user: User, now: datetime) -> bool:
    """Make the one digest of the newest scheduled date and plan the next one."""
    on = newest_scheduled(user, now)
    digest, is_new = Digest.objects.get_or_create(owner=user, on=on)
    mailed = is_new and _write(user, digest, now)
    user.digest_last_on = on
    user.plan_digest(now)
    user.save(update_fields=["digest_last_on", "digest_next_on", "digest_next_at"])
    return mailed


def newest_scheduled(user, now):
    """Return the newest local date whose digest was scheduled until `now`: after days of downtime
    the older ones are past."""
    on, at = user.digest_next_on, user.digest_next_at
    while later := next_digest(at, user.time_zone, user.digest_hour, user.digest_days, on):
        if later[1] > now:
            break
        on, at = later
    return on


def _write(user: User, digest: Digest, now: datetime) -> bool:
    """Write the digest and queue it, unless nothing is due."""
    agenda = build_agenda(user, user.today(now))
    if agenda.empty:
        return False
    letter = write_letter(user, agenda, now)
    unsubscribe = settings.SITE_URL + links.unsubscribe_path(user)
    digest.items = agenda.due_count + len(agenda.rhythms)
    digest.mail = queue_mail(
        owner=user,
        dedupe_key=f"digest:{user.pk}:{digest.on}",
        to=user.email,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    digest.save(update_fields=["items", "mail"])
    return True
