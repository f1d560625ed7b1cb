"""When the digest is due: local hours in every zone of the world, and people who travel."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netcrm.localtime import instant, local_day, next_digest

ZONES = sorted(available_timezones())
EVERY_DAY = list(range(7))

zones = st.sampled_from(ZONES)
hours = st.integers(0, 23)
weekdays = st.lists(st.sampled_from(EVERY_DAY), unique=True, min_size=1)
# From 2015 to 2036, in seconds since 1970.
moments = st.integers(1_420_070_400, 2_114_380_800).map(lambda at: datetime.fromtimestamp(at, UTC))


def plan(after, zone, hour=7, days=EVERY_DAY, last=None):
    return next_digest(after, zone, hour, days, last)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "hour", "expected"),
    [
        ("Europe/Vienna", "2026-11-23", 7, "2026-11-23 06:00"),
        ("Asia/Kathmandu", "2026-11-23", 7, "2026-11-23 01:15"),
        ("Asia/Kolkata", "2026-11-23", 7, "2026-11-23 01:30"),
        ("Australia/Lord_Howe", "2026-11-23", 7, "2026-11-22 20:00"),
        ("Pacific/Kiritimati", "2026-11-23", 7, "2026-11-22 17:00"),
        # The clock skips 2:00 to 3:00: 2:00 is taken just after the gap.
        ("Europe/Vienna", "2026-03-29", 2, "2026-03-29 01:00"),
        # 2:00 comes twice: the first one counts.
        ("Europe/Vienna", "2026-10-25", 2, "2026-10-25 00:00"),
        # A gap at midnight, and one of half an hour.
        ("Asia/Beirut", "2026-03-29", 0, "2026-03-28 22:00"),
        ("Australia/Lord_Howe", "2026-10-04", 2, "2026-10-03 15:30"),
    ],
)
def test_instant(zone, day, hour, expected):
    assert instant(date.fromisoformat(day), hour, zone) == utc(expected)


def test_no_days_no_digest():
    assert plan(utc("2026-11-23 12:00"), "UTC", days=[]) is None


def test_only_on_the_chosen_days():
    friday_noon = utc("2026-11-20 12:00")
    on, at = plan(friday_noon, "Europe/Vienna", days=[0, 1, 2, 3, 4])
    assert (on, at) == (date(2026, 11, 23), utc("2026-11-23 06:00"))


def test_strictly_after_the_given_instant():
    at_seven = utc("2026-11-23 06:00")
    assert plan(at_seven, "Europe/Vienna")[0] == date(2026, 11, 24)
    assert plan(at_seven - timedelta(seconds=1), "Europe/Vienna")[0] == date(2026, 11, 23)


def test_moving_west_at_noon_gives_no_second_digest_for_the_same_date():
    """Somebody had Monday's digest in Vienna and flies to Los Angeles, where it is Monday 3:00."""
    noon = utc("2026-11-23 11:00")
    on, at = plan(noon, "America/Los_Angeles", last=date(2026, 11, 23))
    assert (on, at) == (date(2026, 11, 24), utc("2026-11-24 15:00"))


def test_moving_east_skips_no_more_than_the_night():
    noon = utc("2026-11-23 11:00")
    on, at = plan(noon, "Pacific/Auckland", last=date(2026, 11, 23))
    assert (on, at) == (date(2026, 11, 24), utc("2026-11-23 18:00"))


@given(zones, hours, weekdays, moments)
@example("Pacific/Apia", 7, EVERY_DAY, utc("2011-12-28 12:00"))  # had no 30 December 2011
@example("Asia/Beirut", 0, EVERY_DAY, utc("2026-03-27 12:00"))
@example("America/Nuuk", 23, [5], utc("2026-03-20 12:00"))
def test_dates_and_instants_increase_and_no_hour_is_missed(zone, hour, days, start):
    planned = plan(start, zone, hour, days)
    for _ in range(20):
        on, at = planned
        assert on.weekday() in days
        planned = plan(at, zone, hour, days, last=on)
        assert planned[0] > on
        assert planned[1] > at
        assert planned[1] - at <= timedelta(days=8)
        between = [on + timedelta(days=n) for n in range(1, (planned[0] - on).days)]
        skipped = [day for day in between if day.weekday() in days]
        assert all(instant(day, hour, zone) <= at for day in skipped)


@given(moments, st.lists(st.tuples(zones, hours, weekdays, st.integers(0, 60)), max_size=12))
def test_whoever_travels_gets_no_date_twice_and_never_waits_long(start, legs):
    """Zone, hour and days change at any moment: between two digests, or while one is due."""
    seen, last, now = [], None, start
    for zone, hour, days, hours_later in legs:
        on, at = plan(now, zone, hour, days, last)
        assert at > now
        assert at - now <= timedelta(days=9)
        moved_at = now + timedelta(hours=hours_later)
        if at <= moved_at:
            seen.append((on, at))
            last = on
        now = moved_at
    dates, instants = [on for on, _ in seen], [at for _, at in seen]
    assert dates == sorted(set(dates))
    assert instants == sorted(set(instants))


@given(zones, moments)
def test_local_day_is_the_date_on_the_wall(zone, moment):
    offset = local_day(moment, zone) - moment.date()
    assert abs(offset) <= timedelta(days=1)
