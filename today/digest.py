"""Sending the daily digest: the work behind the tick and behind `manage.py send_digests`."""

import logging
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from followups.models import Reminder
from giveback.models import GiveBack
from netcrm.localtime import next_digest
from netcrm.models import Heartbeat, Mail, User
from netcrm.outbox import on_hold, queue_mail
from today import links
from today.agenda import Agenda, Week, build_agenda, this_week, with_idea
from today.letter import Letter, write_letter
from today.models import Digest

logger = logging.getLogger(__name__)

RUN_SECONDS = 40  # Celery stops a task softly after 60.
TRY_AGAIN_AFTER = timedelta(minutes=15)
FRIDAY = 4


def due(now: datetime) -> QuerySet[User]:
    """Return the users whose digest hour has come at the instant `now`."""
    users = User.objects.filter(is_active=True, digest_on=True, digest_next_at__lte=now)
    return _reachable(users).order_by("digest_next_at", "id")


def late(by: datetime) -> int:
    """Return how many digests should have been written by then. One that cannot be made is due
    again and again (TRY_AGAIN_AFTER): its date tells."""
    soon = User.objects.filter(
        is_active=True, digest_on=True, digest_next_at__lte=by + 2 * TRY_AGAIN_AFTER
    )
    overdue = Q(digest_next_at__lte=by) | Q(digest_next_on__lt=(by - timedelta(days=1)).date())
    return _reachable(soon.filter(overdue)).count()


def _reachable(users: QuerySet[User]) -> QuerySet[User]:
    """Return those to whom mail may go: where it leaves the machine, only those whose address is
    known to be theirs."""
    if not settings.MAIL_URL:
        return users
    known = EmailAddress.objects.filter(
        user=OuterRef("pk"), email__iexact=OuterRef("email"), verified=True
    )
    return users.filter(Exists(known))


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
    """Make the one digest of the newest scheduled date and plan the next one. While mail to the
    address is on hold there is none for that date, as on a day with nothing due."""
    on = newest_scheduled(user, now)
    digest, is_new = Digest.objects.get_or_create(owner=user, on=on)
    mailed = is_new and not on_hold(user) and _write(user, digest, now)
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
    """Write the digest and queue it, unless nothing is due. An older one that has not left yet
    stays behind: after days without mail only the newest arrives."""
    agenda = agenda_for(user, now)
    if agenda.empty:
        return False
    _count_mailed(agenda.cut(user.digest_cap))
    letter = write_letter(user, _fresh(agenda, user, digest.on), now, _week(user, digest.on))
    key = f"digest:{user.pk}:"
    digest.items = agenda.total
    digest.mail = _queue(user, letter, f"{key}{digest.on}", replaces=key)
    digest.save(update_fields=["items", "mail"])
    return True


def agenda_for(user: User, now: datetime) -> Agenda:
    """Return what the user's digest tells of at the instant `now`. Follow-ups are always in it
    (rule 3), the rest as the user chose."""
    agenda = build_agenda(user, user.today(now), at_most=user.digest_cap, now=now)
    wanted = user.digest_sections
    agenda = replace(
        agenda,
        rhythms=agenda.rhythms if "hellos" in wanted else [],
        coming=agenda.coming if "coming" in wanted else [],
        evidence=agenda.evidence if "evidence" in wanted else None,
    )
    has_room = 0 < agenda.total < user.digest_cap
    return with_idea(agenda, user) if "idea" in wanted and has_room else agenda


def _count_mailed(agenda: Agenda) -> None:
    """Number the digests of each reminder and promise that is shown, which ends the links of those
    before.

    A row that somebody is answering right now is left alone: whoever waits here for one row while
    holding others could wait for ever.
    """
    for reminder in agenda.reminders:
        reminder.mailed += 1
    for promise in agenda.promises:
        promise.mailed += 1
    _add_one(Reminder.objects.filter(pk__in=[reminder.pk for reminder in agenda.reminders]))
    _add_one(GiveBack.objects.filter(pk__in=[promise.pk for promise in agenda.promises]))


def _add_one(shown: QuerySet[Any]) -> None:
    free = shown.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    shown.model._base_manager.filter(pk__in=free).update(mailed=F("mailed") + 1)


def _fresh(agenda: Agenda, user: User, on: date) -> Agenda:
    """Return the agenda without the evidence if a digest of that week has shown it already."""
    monday = on - timedelta(days=on.weekday())
    earlier = Digest.objects.for_user(user).filter(on__gte=monday, on__lt=on, mail__isnull=False)
    if agenda.evidence and earlier.exists():
        return replace(agenda, evidence=None)
    return agenda


def _week(user: User, on: date) -> Week | None:
    """Return the week in numbers if the digest of `on` is the one that closes it: Friday's, or
    the last of the week for somebody who wants none on Fridays."""
    closing = FRIDAY if FRIDAY in user.digest_days else max(user.digest_days, default=FRIDAY)
    if "week" in user.digest_sections and on.weekday() == closing:
        return this_week(user, on)
    return None


@transaction.atomic
def send_test(user: User, now: datetime) -> Mail | None:
    """Queue the digest as it would be now, at most once a minute, and return it; None when the
    address is not known to be the user's.

    It is no digest of a day: it plans nothing, takes nothing's place and ends no links.
    """
    if not _reachable(User.objects.filter(pk=user.pk)).exists():
        return None
    letter = write_letter(user, agenda_for(user, now), now, _week(user, user.today(now)), test=True)
    key = f"test:{user.pk}:"
    return _queue(user, letter, f"{key}{now:%Y-%m-%d %H:%M}", replaces=key)


def _queue(user: User, letter: Letter, key: str, replaces: str) -> Mail:
    unsubscribe = settings.SITE_URL + links.unsubscribe_path(user)
    return queue_mail(
        owner=user,
        dedupe_key=key,
        to=user.email,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        replaces=replaces,
    )
