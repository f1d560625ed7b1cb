"""The digest at the right local hour, all over the world, through changes of clock and of zone.

Every table names a zone, an hour and the UTC instants at which the digest of each local date is
due, worked out by hand from the zone's rules. The real job then runs every few minutes.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from netcrm.models import Mail, User
from tests.factories import make_user
from tests.today.digests import make_due
from today import digest
from today.models import Digest

pytestmark = pytest.mark.django_db

EVERY_DAY = list(range(7))
TICK = timedelta(minutes=15)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_reader(zone, hour, at, **fields):
    """Make somebody who signs up at an instant, and has somebody to call ever after."""
    with time_machine.travel(at, tick=False):
        user = make_user(
            "alice@example.org",
            time_zone=zone,
            digest_hour=hour,
            digest_days=EVERY_DAY,
            digest_cap=1,
            **fields,
        )
        make_due(user, waited=9)
    return user


def arrivals(start, end):
    """Let beat tick from one instant to the other; return (scheduled local date, UTC) of each
    digest that was mailed, as text."""
    at, written = start, []
    while at <= end:
        with time_machine.travel(at, tick=False):
            if digest.send_digests():
                on = Digest.objects.latest("id").on
                written.append((on.isoformat(), f"{at:%Y-%m-%d %H:%M}"))
        at += TICK
    return written


HOURS = [
    # Half an hour and three quarters beside the full hour.
    ("Asia/Kolkata", 7, [("2026-11-23", "2026-11-23 01:30"), ("2026-11-24", "2026-11-24 01:30")]),
    ("Asia/Kathmandu", 7, [("2026-11-23", "2026-11-23 01:15"), ("2026-11-24", "2026-11-24 01:15")]),
    ("Asia/Kathmandu", 0, [("2026-11-23", "2026-11-22 18:15"), ("2026-11-24", "2026-11-23 18:15")]),
    # +12:45, and +13:45 in summer: on 27 September 2026 2:45 becomes 3:45.
    ("Pacific/Chatham", 7, [
        ("2026-09-26", "2026-09-25 18:15"),
        ("2026-09-27", "2026-09-26 17:15"),
        ("2026-09-28", "2026-09-27 17:15"),
    ]),
    # The same night at 3:00, which does not come: taken just after the gap, at 4:00.
    ("Pacific/Chatham", 3, [
        ("2026-09-26", "2026-09-25 14:15"),
        ("2026-09-27", "2026-09-26 14:15"),
        ("2026-09-28", "2026-09-27 13:15"),
    ]),
    # -3:30, and -2:30 in summer, which ends on 1 November 2026.
    ("America/St_Johns", 7, [
        ("2026-10-31", "2026-10-31 09:30"),
        ("2026-11-01", "2026-11-01 10:30"),
        ("2026-11-02", "2026-11-02 10:30"),
    ]),
    # A summer time of half an hour: on 4 October 2026 2:00 becomes 2:30, +10:30 becomes +11.
    ("Australia/Lord_Howe", 2, [
        ("2026-10-03", "2026-10-02 15:30"),
        ("2026-10-04", "2026-10-03 15:30"),
        ("2026-10-05", "2026-10-04 15:00"),
    ]),
    # On 5 April 2026 2:00 becomes 1:30: 1:00 comes once, and the day is 24 and a half hours long.
    ("Australia/Lord_Howe", 1, [
        ("2026-04-04", "2026-04-03 14:00"),
        ("2026-04-05", "2026-04-04 14:00"),
        ("2026-04-06", "2026-04-05 14:30"),
    ]),
    # Vienna, the night of the gap: 2:00 does not come on 29 March and is taken at 3:00.
    ("Europe/Vienna", 2, [
        ("2026-03-28", "2026-03-28 01:00"),
        ("2026-03-29", "2026-03-29 01:00"),
        ("2026-03-30", "2026-03-30 00:00"),
    ]),
    # The night of the overlap: 2:00 comes twice on 25 October, the first one counts.
    ("Europe/Vienna", 2, [
        ("2026-10-24", "2026-10-24 00:00"),
        ("2026-10-25", "2026-10-25 00:00"),
        ("2026-10-26", "2026-10-26 01:00"),
    ]),
    ("Europe/Vienna", 7, [
        ("2026-10-24", "2026-10-24 05:00"),
        ("2026-10-25", "2026-10-25 06:00"),
        ("2026-10-26", "2026-10-26 06:00"),
    ]),
    # 4 November 2018 had no midnight in São Paulo: 0:00 is taken at 1:00, -3 becomes -2.
    ("America/Sao_Paulo", 0, [
        ("2018-11-03", "2018-11-03 03:00"),
        ("2018-11-04", "2018-11-04 03:00"),
        ("2018-11-05", "2018-11-05 02:00"),
    ]),
    # 17 February 2018 ended twice there: 23:00 comes at -2 and again at -3.
    ("America/Sao_Paulo", 23, [
        ("2018-02-16", "2018-02-17 01:00"),
        ("2018-02-17", "2018-02-18 01:00"),
        ("2018-02-18", "2018-02-19 02:00"),
    ]),
    # Casablanca stands at +1 and turns back to +0 for Ramadan, 15 February to 22 March 2026.
    ("Africa/Casablanca", 2, [
        ("2026-02-14", "2026-02-14 01:00"),
        ("2026-02-15", "2026-02-15 01:00"),
        ("2026-02-16", "2026-02-16 02:00"),
    ]),
    ("Africa/Casablanca", 2, [
        ("2026-03-21", "2026-03-21 02:00"),
        ("2026-03-22", "2026-03-22 02:00"),
        ("2026-03-23", "2026-03-23 01:00"),
    ]),
    # Samoa went over the date line: after 29 December 2011 (-10) came the 31st (+14). The hour of
    # the day that was skipped is taken just after the gap, when it is seven on the 31st.
    ("Pacific/Apia", 7, [
        ("2011-12-29", "2011-12-29 17:00"),
        ("2011-12-30", "2011-12-30 17:00"),
        ("2012-01-01", "2011-12-31 17:00"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    HOURS,
    ids=lambda value: value[0][0] if isinstance(value, list) else str(value),
)
def test_one_digest_for_each_local_date_at_its_hour(zone, hour, expected):
    first, last = utc(expected[0][1]), utc(expected[-1][1])
    user = a_reader(zone, hour, first - timedelta(hours=2))
    assert arrivals(first - timedelta(hours=1), last + timedelta(hours=1)) == expected
    assert Mail.objects.filter(owner=user).count() == len(expected)


def test_not_a_second_too_early():
    user = a_reader("Asia/Kathmandu", 7, utc("2026-11-22 20:00"))
    for at, sent in [("2026-11-23 01:14:59", 0), ("2026-11-23 01:15:00", 1)]:
        with time_machine.travel(utc(at), tick=False):
            assert digest.send_digests() == sent
    assert Digest.objects.get(owner=user).on == date(2026, 11, 23)


def change(user, at, **settings):
    """Save Settings at an instant, as the person does."""
    person = User.objects.get(pk=user.pk)
    form = {
        "time_zone": person.time_zone,
        "work_days": person.work_days,
        "daily_cap": 7,
        "digest_on": "on",
        "digest_hour": person.digest_hour,
        "digest_days": person.digest_days,
        "digest_cap": 1,
    }
    with time_machine.travel(at, tick=False):
        client = Client()
        client.force_login(user)
        assert client.post("/settings/", form | settings).status_code == 302


CHANGES = [
    # Monday's digest has come in Vienna (6:00 UTC). At noon the person flies west, where it is
    # still before seven on Monday: no second one for Monday.
    ("Europe/Vienna", 7, "2026-11-23 11:00", {"time_zone": "America/Los_Angeles"}, [
        ("2026-11-23", "2026-11-23 06:00"),
        ("2026-11-24", "2026-11-24 15:00"),
        ("2026-11-25", "2026-11-25 15:00"),
    ]),
    # East: in Auckland it is Tuesday 0:00, and Tuesday's digest comes seven hours later.
    ("Europe/Vienna", 7, "2026-11-23 11:00", {"time_zone": "Pacific/Auckland"}, [
        ("2026-11-23", "2026-11-23 06:00"),
        ("2026-11-24", "2026-11-23 18:00"),
        ("2026-11-25", "2026-11-24 18:00"),
    ]),
    # Over the date line at noon of Monday (22:00 UTC on Sunday): back to Sunday 11:00 in Pago Pago.
    ("Pacific/Kiritimati", 7, "2026-11-22 22:00", {"time_zone": "Pacific/Pago_Pago"}, [
        ("2026-11-23", "2026-11-22 17:00"),
        ("2026-11-24", "2026-11-24 18:00"),
    ]),
    # And the other way: from Monday noon in Pago Pago into Tuesday 13:00, whose hour is past.
    ("Pacific/Pago_Pago", 7, "2026-11-23 23:00", {"time_zone": "Pacific/Kiritimati"}, [
        ("2026-11-23", "2026-11-23 18:00"),
        ("2026-11-25", "2026-11-24 17:00"),
    ]),
    # By three quarters of an hour, between the old hour and the new one.
    ("Asia/Kathmandu", 12, "2026-11-23 06:30", {"time_zone": "Asia/Karachi"}, [
        ("2026-11-23", "2026-11-23 06:15"),
        ("2026-11-24", "2026-11-24 07:00"),
    ]),
    # A later hour, after today's digest: from tomorrow on.
    ("Europe/Vienna", 7, "2026-11-23 11:00", {"digest_hour": 18}, [
        ("2026-11-23", "2026-11-23 06:00"),
        ("2026-11-24", "2026-11-24 17:00"),
    ]),
    # A later hour, before today's digest: today already.
    ("Europe/Vienna", 7, "2026-11-23 05:30", {"digest_hour": 18}, [
        ("2026-11-23", "2026-11-23 17:00"),
        ("2026-11-24", "2026-11-24 17:00"),
    ]),
    # An earlier hour that has passed today: the next one is tomorrow's.
    ("Europe/Vienna", 18, "2026-11-23 11:00", {"digest_hour": 7}, [
        ("2026-11-24", "2026-11-24 06:00"),
        ("2026-11-25", "2026-11-25 06:00"),
    ]),
    # Fewer days: Tuesday is left out.
    ("Europe/Vienna", 7, "2026-11-23 11:00", {"digest_days": ["0", "2"]}, [
        ("2026-11-23", "2026-11-23 06:00"),
        ("2026-11-25", "2026-11-25 06:00"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "hour", "at", "changed", "expected"), CHANGES)
def test_whoever_changes_zone_or_hour_gets_no_date_twice(zone, hour, at, changed, expected):
    moved_at = utc(at)
    first = min(utc(expected[0][1]), moved_at) - timedelta(hours=1)
    user = a_reader(zone, hour, first)
    written = arrivals(first, moved_at - timedelta(seconds=1))
    change(user, moved_at, **changed)
    written += arrivals(moved_at, utc(expected[-1][1]) + timedelta(hours=1))
    assert written == expected
    assert [at for _, at in written] == sorted({at for _, at in written})


@pytest.mark.parametrize("away", ["America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu"])
def test_back_and_forth_within_a_day(away):
    """There and back again before the next digest: it comes as if nobody had moved."""
    user = a_reader("Europe/Vienna", 7, utc("2026-11-23 05:00"))
    written = arrivals(utc("2026-11-23 05:00"), utc("2026-11-23 11:00"))
    change(user, utc("2026-11-23 11:00"), time_zone=away)
    change(user, utc("2026-11-23 11:30"), time_zone="Europe/Vienna")
    written += arrivals(utc("2026-11-23 11:30"), utc("2026-11-24 09:00"))
    assert written == [("2026-11-23", "2026-11-23 06:00"), ("2026-11-24", "2026-11-24 06:00")]


def test_moving_while_a_digest_is_due_loses_nothing():
    """Its hour has come, beat has not: the date that was planned is kept and sent at once."""
    user = a_reader("Europe/Vienna", 7, utc("2026-11-23 05:00"))
    change(user, utc("2026-11-23 06:00"), time_zone="America/Los_Angeles")
    written = arrivals(utc("2026-11-23 06:15"), utc("2026-11-24 16:00"))
    assert written == [("2026-11-23", "2026-11-23 06:15"), ("2026-11-24", "2026-11-24 15:00")]
