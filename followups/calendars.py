"""The work calendar of a user: their weekdays and the public holidays of their country."""

import logging
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays

from followups.schedule import WorkCalendar

logger = logging.getLogger(__name__)


def calendar_for(user):
    """Return the WorkCalendar of a user."""
    return WorkCalendar(frozenset(user.work_days), PublicHolidays(user.country, user.region))


@dataclass(frozen=True)
class PublicHolidays:
    """The names of a country's holidays by date, for a WorkCalendar.

    The library's own mapping grows while it is asked: it calls a year known before it has filled
    it in, so a second thread would find no holidays. Here a year is only seen as a whole.
    """

    country: str
    region: str

    def __contains__(self, day: date) -> bool:
        return day in _in_year(self.country, self.region, day.year)

    def get(self, day: date, default: str | None = None) -> str | None:
        return _in_year(self.country, self.region, day.year).get(day, default)


@lru_cache(maxsize=1024)
def _in_year(country: str, region: str, year: int) -> dict[date, str]:
    if not country:
        return {}
    subdivision = region or None
    try:
        known = holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError as error:
        # A newer release may drop a region; the next date matters more than its holidays.
        logger.warning("No public holidays: %s", error)
        return {}
    spoken = (name for name in ("en_GB", "en_US") if name in known.supported_languages)
    language = next(spoken, None)
    return dict(
        holidays.country_holidays(country, subdiv=subdivision, years=year, language=language)
    )
