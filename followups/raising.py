"""Raising reminders when their date comes: the work behind the tick and behind
`manage.py raise_reminders`."""

from collections import defaultdict
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from followups.models import FollowUp
from followups.pursuing import raise_reminder
from netcrm.localtime import local_day
from netcrm.models import Heartbeat

BATCH = 200


def due(now):
    """Return the follow-ups whose local date has come at the instant `now`, whatever the zone of
    their owner. The world has two or three dates at a time: one condition for each."""
    zones_by_day = defaultdict(list)
    for zone in sorted(available_timezones()):
        zones_by_day[local_day(now, zone)].append(zone)
    come = Q()
    for day, zones in zones_by_day.items():
        come |= Q(next_on__lte=day, owner__time_zone__in=zones)
    return FollowUp.objects.scheduled().filter(come, next_on__lte=max(zones_by_day))


def raise_reminders(now=None):
    """Raise a reminder for each follow-up that is due and return how many.

    Each batch is one transaction under SKIP LOCKED: several workers share the work, a row that
    the user is answering right now is left for the next tick, a killed one loses nothing.
    """
    now = now or timezone.now()
    raised = 0
    while batch := _raise_batch(now):
        raised += batch
    Heartbeat.beat("reminders")
    return raised


@transaction.atomic
def _raise_batch(now):
    rows = (
        due(now)
        .order_by("next_on", "id")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH]
    )
    for follow_up in rows:
        raise_reminder(follow_up, now)
    return len(rows)
