"""The work calendar of a user: their weekdays and the public holidays of their country."""

import logging
from collections import ChainMap
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays

from followups.models import Break
from followups.schedule import WorkCalendar

logger = logging.getLogger(__name__)


def usual_calendar(user):
    """Return the WorkCalendar of a user without their breaks. No query."""
    return WorkCalendar(frozenset(user.work_days), PublicHolidays(user.country, user.region))


def calendar_for(user):
    """Return the WorkCalendar of a user: their breaks are days off like any holiday. One query."""
    usual = usual_calendar(user)
    ahead = Break.objects.for_user(user).filter(last_on__gte=user.today())
    days_off = {
        each.first_on + timedelta(days=n): each.in_words
        for each in ahead
        for n in range((each.last_on - each.first_on).days + 1)
    }
    return WorkCalendar(usual.work_days, ChainMap(days_off, usual.holidays))


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

    def __getitem__(self, day: date) -> str:
        return _in_year(self.country, self.region, day.year)[day]

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
