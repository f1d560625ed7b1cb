"""Raising reminders: by the owner's local date, whatever the zone, in batches, on every tick."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from followups import planning, raising
from followups.models import FollowUp, Reminder, State
from followups.raising import due, raise_reminders
from netcrm.models import Heartbeat
from tests.factories import make_contact, make_follow_up, make_user

DAY = date(2026, 11, 10)


def due_in(zone, day=DAY):
    """Return a follow-up of somebody in the zone that comes back on the local day."""
    owner = make_user(f"{zone.replace('/', '.')}@example.org", time_zone=zone)
    follow_up = make_follow_up(make_contact(owner), next_on=day)
    Reminder.objects.filter(follow_up=follow_up).delete()
    return follow_up


def midnight(zone, day=DAY):
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Kiritimati", DAY),
        ("Pacific/Pago_Pago", DAY),
        ("Europe/Vienna", DAY),
        ("Asia/Kathmandu", DAY),
        ("UTC", DAY),
        ("Europe/Vienna", date(2026, 10, 25)),  # clocks go back
        ("America/New_York", date(2026, 3, 8)),  # clocks go forward
        ("Africa/Cairo", date(2026, 4, 24)),  # a day that begins at one o'clock
        ("America/Havana", date(2026, 11, 1)),  # midnight comes twice
    ],
)
def test_not_a_minute_before_local_midnight(zone, day):
    follow_up = due_in(zone, day)
    assert raise_reminders(midnight(zone, day) - timedelta(minutes=1)) == 0
    assert raise_reminders(midnight(zone, day)) == 1
    follow_up.refresh_from_db()
    assert follow_up.next_on is None
    assert follow_up.reminders.get().due_on == day


@pytest.mark.django_db
def test_with_three_dates_in_the_world_at_once_each_owner_has_their_own():
    moment = datetime(2026, 11, 10, 10, 30, tzinfo=UTC)
    zones = ["Pacific/Kiritimati", "Europe/Vienna", "Pacific/Pago_Pago"]  # the 11th, 10th and 9th
    for zone in zones:
        for days in (-1, 0, 1):
            make = due_in if days == -1 else another_of
            make(zone, DAY + timedelta(days=days))
    expected = {
        ("Pacific/Kiritimati", 9), ("Pacific/Kiritimati", 10), ("Pacific/Kiritimati", 11),
        ("Europe/Vienna", 9), ("Europe/Vienna", 10),
        ("Pacific/Pago_Pago", 9),
    }  # fmt: skip
    found = due(moment).values_list("owner__time_zone", "next_on__day")
    assert set(found) == expected
    assert raise_reminders(moment) == len(expected)


def another_of(zone, day):
    follow_up = FollowUp.objects.filter(owner__time_zone=zone).first()
    other = make_follow_up(make_contact(follow_up.owner, name="Tom"), next_on=day)
    Reminder.objects.filter(follow_up=other).delete()


@pytest.mark.django_db
def test_more_than_one_batch_is_worked_off_at_once(alice, monkeypatch):
    monkeypatch.setattr(raising, "BATCH", 3)
    for n in range(10):
        make_follow_up(make_contact(alice, name=f"Person {n}"), next_on=date(2026, 1, 1))
    Reminder.objects.all().delete()
    assert raise_reminders() == 10
    assert raise_reminders() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED, State.RESTING])
@pytest.mark.parametrize("asked_before", [True, False])
def test_a_batch_does_to_each_what_is_done_to_one(alice, state, asked_before):
    rows = []
    for name in ("Priya", "Tom"):
        rows.append(make_follow_up(make_contact(alice, name=name), next_on=DAY))
        if not asked_before:
            rows[-1].reminders.all().delete()
    FollowUp.objects.update(state=state, step=2, attempts=2, emails=1, promised=True)
    answered = midnight("UTC")
    Reminder.objects.update(closed_at=answered, raised_at=answered, due_on=date(2026, 11, 7))
    FollowUp.objects.filter(state=State.RESTING).update(ending="no_reply")
    now = midnight("UTC", DAY + timedelta(days=1))
    one, other = FollowUp.objects.order_by("id")
    planning.raise_reminder(one, now)
    assert raise_reminders(now) == 1
    assert told(other) == told(one)


def told(follow_up):
    """Return all fields of a follow-up and its reminders that may be the same in another one."""
    own = FollowUp.objects.filter(pk=follow_up.pk).values().get()
    reminders = [{**row, "id": None, "follow_up_id": None} for row in follow_up.reminders.values()]
    return {**own, "id": None, "contact_id": None}, reminders


@pytest.mark.django_db
def test_one_that_asks_already_holds_up_nobody(alice):
    broken = make_follow_up(make_contact(alice), next_on=DAY, turn=3)
    assert broken.reminders.open().count() == 1
    make_follow_up(make_contact(alice, name="Tom"), next_on=DAY).reminders.all().delete()
    assert raise_reminders(midnight("UTC", DAY + timedelta(days=1))) == 1
    assert Reminder.objects.open().count() == 2


@pytest.mark.django_db
def test_a_sweep_leaves_a_heartbeat_also_when_nothing_is_due():
    before = timezone.now()
    assert raise_reminders() == 0
    assert Heartbeat.objects.get(name="reminders").at >= before


@pytest.mark.django_db
def test_a_sweep_asks_as_much_of_the_database_for_any_number_of_accounts():
    def queries():
        with CaptureQueriesContext(connection) as captured:
            raise_reminders()
        return len(captured)

    queries()
    for_nobody = queries()
    for n in range(5):
        make_user(f"person{n}@example.org", time_zone=["UTC", "Asia/Tokyo"][n % 2])
    assert queries() == for_nobody


@pytest.mark.django_db
def test_without_time_left_the_next_tick_goes_on():
    follow_up = due_in("Europe/Vienna")
    assert raise_reminders(midnight("Europe/Vienna"), seconds=0) == 0
    assert raise_reminders(midnight("Europe/Vienna")) == 1
    assert follow_up.reminders.open().count() == 1
