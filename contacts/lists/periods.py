"""Spans of days as people say them: over a year ago, in the last six months, last month, in 2024.

A period is kept as it was meant, not as dates, so that a list that is kept under a name still says
"over a year ago" next spring. Months and years are those of the calendar, a week begins on Monday.
"""

import re
from calendar import month_name
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from dateutil.relativedelta import relativedelta

UNITS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}
# More of them would lead out of the calendar.
MOST_UNITS = 99
# What stands in an address; everything else is no period.
CODE = re.compile(
    rf"(?P<way>over|within)-(?P<count>[1-9]\d?)-(?P<unit>{'|'.join(UNITS)})"
    rf"|(?P<which>this|last)-(?P<span>{'|'.join(UNITS)})"
    r"|(?P<side>in|since|before)-(?P<year>(?:19|20)\d\d)(?:-(?P<month>0[1-9]|1[0-2]))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Period:
    """`way` is over or within (so many units before today), this or last (unit of the calendar),
    or in, since or before (a year, or a month of it)."""

    way: str
    count: int = 1
    unit: str = ""
    year: int = 0
    month: int = 0

    @classmethod
    def read(cls, code: str) -> Self | None:
        """Return the period that a code of an address means, or None."""
        if not (match := CODE.fullmatch(code)):
            return None
        said = match.groupdict()
        if said["way"]:
            return cls(said["way"], int(said["count"]), said["unit"])
        if said["which"]:
            return cls(said["which"], unit=said["span"])
        return cls(said["side"], year=int(said["year"]), month=int(said["month"] or 0))

    @property
    def code(self) -> str:
        if self.year:
            month = f"-{self.month:02}" if self.month else ""
            return f"{self.way}-{self.year}{month}"
        count = f"-{self.count}" if self.way in ("over", "within") else ""
        return f"{self.way}{count}-{self.unit}"

    def days(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and the last local day of the period; None where it is open."""
        match self.way:
            case "over":
                return None, today - self.count * UNITS[self.unit] - timedelta(days=1)
            case "within":
                return today - self.count * UNITS[self.unit], None
            case "this" | "last":
                first = _first_of(self.unit, today)
                if self.way == "last":
                    first -= UNITS[self.unit]
                return first, first + UNITS[self.unit] - timedelta(days=1)
        first = date(self.year, self.month or 1, 1)
        after = first + UNITS["month" if self.month else "year"]
        return {
            "in": (first, after - timedelta(days=1)),
            "since": (first, None),
            "before": (None, first - timedelta(days=1)),
        }[self.way]

    def __str__(self):
        """Say the period so that it follows a verb: last spoken over a year ago."""
        if self.year:
            return f"{self.way} {month_name[self.month]} {self.year}".replace("  ", " ")
        if self.unit == "day" and self.way in ("this", "last"):
            return "today" if self.way == "this" else "yesterday"
        if self.way in ("this", "last"):
            return f"{self.way} {self.unit}"
        if self.way == "within":
            return f"in the last {self._how_long('')}"
        return f"over {self._how_long('a ')} ago"

    def _how_long(self, one: str) -> str:
        return f"{one}{self.unit}" if self.count == 1 else f"{self.count} {self.unit}s"


def _first_of(unit: str, day: date) -> date:
    match unit:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day
