"""Times of meetings: typed as a local date and hour, kept as instants, told by two clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class SkippedTime(ValueError):
    """The clock skips that time; the text is a sentence for the user."""


def instant_of(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant of a local date and time in the IANA zone.

    A time that comes twice is taken the first time (fold=0, PEP 495), as in netcrm.localtime.
    Raises SkippedTime for one that the clock skips: nobody would mean it.
    """
    local = datetime.combine(day, at, tzinfo=ZoneInfo(zone))
    instant = local.astimezone(UTC)
    after = instant.astimezone(local.tzinfo)
    if after.time() != at:
        raise SkippedTime(
            f"The clocks in {city(zone)} go forward that night, and {at:%H:%M} does not exist."
            f" Is it {after:%H:%M}?"
        )
    return instant


def city(zone: str) -> str:
    """Return how a time zone is named beside a time: Buenos Aires."""
    return zone.rpartition("/")[2].replace("_", " ")


def say_time(instant: datetime, zone: str) -> str:
    """Return an instant by the clock of a zone, in short words: Fri 27 Nov, 10:00."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def tells_another(instant: datetime, zone: str, other: str) -> bool:
    """Tell whether the clocks of two zones differ at an instant. An unknown zone differs from
    none."""
    offsets = {instant.astimezone(ZoneInfo(name)).utcoffset() for name in (zone, other) if name}
    return len(offsets) > 1


def offer(instant: datetime, zone: str, theirs: str) -> str:
    """Return an instant as one offers it to somebody: by their clock, and by ours where it differs:
    Friday, 27 November, 09:00 your time (10:00 in Vienna)."""
    if not tells_another(instant, zone, theirs):
        return _in_full(instant.astimezone(ZoneInfo(zone)))
    there, here = instant.astimezone(ZoneInfo(theirs)), instant.astimezone(ZoneInfo(zone))
    ours = f"{here:%H:%M}" if here.date() == there.date() else _in_full(here)
    return f"{_in_full(there)} your time ({ours} in {city(zone)})"


def _in_full(local: datetime) -> str:
    return f"{local:%A}, {local.day} {local:%B}, {local:%H:%M}"


def next_full_hour(now: datetime, zone: str) -> datetime:
    """Return the next full hour on the clock of a zone, as a local time to begin with."""
    local = now.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)
    return local + timedelta(hours=1)
