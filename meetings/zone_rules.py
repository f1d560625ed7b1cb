"""The rules of a time zone, written for calendar programs (RFC 5545, 3.6.5). Pure.

The library icalendar can write them too, but looks too seldom and misses Morocco's month of
Ramadan, and tells the spring change by the new clock where the standard asks for the old one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@lru_cache(maxsize=256)
def rules_of(zone: str, first_year: int, last_year: int) -> Timezone:
    """Return the VTIMEZONE of an IANA zone, valid in UTC from the first year to the last."""
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    rules = Timezone()
    rules.add("TZID", zone)
    for at, before in [(start, _offset(start, zone)), *_changes(zone, start, end)]:
        local = at.astimezone(ZoneInfo(zone))
        part = TimezoneDaylight() if local.dst() else TimezoneStandard()
        part.DTSTART = (at + before).replace(tzinfo=None)
        part.TZOFFSETFROM, part.TZOFFSETTO = before, local.utcoffset()
        part.add("TZNAME", local.tzname())
        rules.add_component(part)
    return rules


def _changes(zone, start, end) -> Iterator[tuple[datetime, timedelta]]:
    """Give each instant at which the clock changes, and its offset from UTC until then."""
    while start < end:
        before = _offset(start, zone)
        if before != _offset(start + DAY, zone):
            yield _first_after(start, before, zone), before
        start += DAY


def _first_after(same, offset, zone):
    """Return the first second of the day after `same` that has another offset."""
    other = same + DAY
    while other - same > SECOND:
        middle = (same + (other - same) / 2).replace(microsecond=0)
        if _offset(middle, zone) == offset:
            same = middle
        else:
            other = middle
    return other


def _offset(at, zone):
    return at.astimezone(ZoneInfo(zone)).utcoffset()
