"""Local dates and hours. Pure: no database, no clock."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones. Python looks them up on the disk, which takes long."""
    return frozenset(available_timezones())


def local_day(instant: datetime, zone: str) -> date:
    """Return the local date of an aware instant in the IANA zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def instant(day: date, hour: int, zone: str) -> datetime:
    """Return the UTC instant of `hour` o'clock on the local `day`.

    An hour that the clock skips is taken just after the gap, an hour that comes twice is taken
    the first time (fold=0, PEP 495): over all zones these instants always increase with the day.
    """
    return datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def next_digest(
    after: datetime, zone: str, hour: int, days: list[int], last: date | None
) -> tuple[date, datetime] | None:
    """Return the next scheduled local date and its UTC instant, strictly after `after`.

    `days` are weekdays (Monday is 0); `last` is the newest local date that already had its
    digest: a date is never scheduled twice, whatever zone the user moves to. None without days.
    """
    if not days:
        return None
    day = local_day(after, zone) - timedelta(days=1)
    if last is not None:
        day = max(day, last + timedelta(days=1))
    for _ in range(16):
        if day.weekday() in days and (at := instant(day, hour, zone)) > after:
            return day, at
        day += timedelta(days=1)
    raise AssertionError("sixteen days hold every weekday twice")
