"""The work calendar of a user: weekdays and the public holidays of country and region."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest

from followups import calendars
from followups.calendars import calendar_for, usual_calendar
from followups.models import Break
from netcrm.models import User

CHRISTMAS = date(2026, 12, 25)


def calendar_of(**fields):
    return usual_calendar(User(email="alice@example.org", **fields))


def test_without_a_country_only_weekdays_count():
    calendar = calendar_of(work_days=[0, 1, 2, 3, 4])
    assert calendar.is_work_day(CHRISTMAS)
    assert not calendar.is_work_day(date(2026, 12, 26))


def test_a_country_rests_on_its_holidays_and_names_them_in_english():
    calendar = calendar_of(country="AT")
    assert not calendar.is_work_day(CHRISTMAS)
    assert calendar.holidays.get(date(2026, 10, 26)) == "National Day"


def test_a_region_adds_its_own():
    assert calendar_of(country="DE").is_work_day(date(2026, 1, 6))
    assert not calendar_of(country="DE", region="BY").is_work_day(date(2026, 1, 6))


def test_own_work_days_count_also_on_the_weekend():
    calendar = calendar_of(work_days=[6])
    assert calendar.on_or_after(date(2026, 11, 9)) == date(2026, 11, 15)


def test_new_years_day_observed_in_the_old_year():
    # 1 January 2028 is a Saturday; the United States rest on Friday, 31 December 2027.
    assert not calendar_of(country="US").is_work_day(date(2027, 12, 31))


def test_a_break_is_days_off_with_a_name(alice, bob):
    Break.objects.create(owner=alice, first_on=CHRISTMAS, last_on=date(2026, 12, 28))
    calendar = calendar_for(alice)
    assert not calendar.is_work_day(date(2026, 12, 28))
    assert calendar.holidays.get(date(2026, 12, 28)) == "your time off"
    assert calendar.is_work_day(date(2026, 12, 29))
    assert calendar_for(bob).is_work_day(date(2026, 12, 28))


@pytest.mark.parametrize(("country", "region"), [("XX", ""), ("AT", "nowhere")])
def test_a_country_that_the_library_no_longer_knows_never_stops_the_planning(country, region):
    calendar = calendar_of(country=country, region=region)
    assert calendar.add(date(2026, 11, 9), 3) > date(2026, 11, 9)


def test_threads_that_ask_at_the_same_moment_all_see_the_holidays():
    calendar = calendar_of(country="AT")
    together = Barrier(8)

    def ask(_):
        together.wait()
        return calendar.is_work_day(CHRISTMAS)

    often = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(10):
                calendars._in_year.cache_clear()
                assert not any(threads.map(ask, range(8)))
    finally:
        sys.setswitchinterval(often)
