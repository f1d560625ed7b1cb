"""Raising reminders when their date comes: the work behind the tick and behind
`manage.py raise_reminders`."""

import time
from collections import defaultdict

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from followups.models import FollowUp, Reminder
from followups.planning import awake
from followups.spreading import begin_breaks
from netcrm.localtime import local_day, time_zones
from netcrm.models import Heartbeat

BATCH = 500
RUN_SECONDS = 40  # Celery stops a task softly after 60.


def due(now):
    """Return the follow-ups whose local date has come at the instant `now`, whatever the zone of
    their owner. The world has two or three dates at a time: one condition for each."""
    zones_by_day = defaultdict(list)
    for zone in sorted(time_zones()):
        zones_by_day[local_day(now, zone)].append(zone)
    come = Q()
    for day, zones in zones_by_day.items():
        come |= Q(next_on__lte=day, owner__time_zone__in=zones)
    return FollowUp.objects.scheduled().filter(come, next_on__lte=max(zones_by_day))


def waiting(now):
    """Return what is due and may be raised now, in the order of the index: another order would be
    made anew for every batch, from all that is due.

    Whatever asks already stays out until check_followups has repaired it: the database would
    refuse it a second reminder, and with that the whole batch.
    """
    asking = Reminder.objects.open().filter(follow_up=OuterRef("pk"))
    return (
        due(now)
        .exclude(Exists(asking))
        .order_by("next_on")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
    )


def raise_reminders(now=None, seconds=RUN_SECONDS):
    """Raise a reminder for each follow-up that is due and return how many. Breaks that begin move
    what waits out of the way first.

    Each batch is one transaction under SKIP LOCKED: several workers share the work, a row that
    the user is answering right now is left for the next tick, a killed one loses nothing. Takes
    up no new batch after `seconds`: the next tick goes on.
    """
    now = now or timezone.now()
    until = time.monotonic() + seconds
    begin_breaks(now)
    rows = waiting(now).only("owner_id", "state", "turn", "next_on")
    raised = 0
    while time.monotonic() < until and (batch := _raise_batch(rows, now)):
        raised += batch
    Heartbeat.beat("reminders")
    return raised


@transaction.atomic
def _raise_batch(rows, now):
    """Do to the first of the rows what planning.raise_reminder does to one."""
    batch = list(rows[:BATCH])
    by_state = defaultdict(list)
    for follow_up in batch:
        by_state[follow_up.state].append(follow_up.pk)
    for state, keys in by_state.items():
        FollowUp.objects.filter(pk__in=keys).update(**awake(state))
    Reminder.objects.bulk_create(
        [_reminder(follow_up, now) for follow_up in batch],
        update_conflicts=True,
        unique_fields=["follow_up", "turn"],
        update_fields=["due_on", "closed_at"],
    )
    return len(batch)


def _reminder(follow_up, now):
    return Reminder(
        owner_id=follow_up.owner_id,
        follow_up=follow_up,
        turn=follow_up.turn,
        due_on=follow_up.next_on,
        raised_at=now,
    )
