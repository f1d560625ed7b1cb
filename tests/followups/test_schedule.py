"""Properties and examples of the date arithmetic. No database, no clock."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import holidays
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from followups import schedule
from followups.schedule import (
    BUSINESS_DAYS,
    CALENDAR_DAYS,
    MONTHS,
    Step,
    WorkCalendar,
    begin,
    plan,
    read_steps,
    say_day,
)
from netcrm.localtime import local_day

BUILT_IN = {
    row["slug"]: read_steps(row["steps"])
    for row in json.loads(Path(schedule.__file__).with_name("playbooks.json").read_text())
}
MONDAY_TO_FRIDAY = frozenset(range(5))
SUNDAY_TO_THURSDAY = frozenset({6, 0, 1, 2, 3})
PLAIN = WorkCalendar(MONDAY_TO_FRIDAY)


def country(code, **options):
    return WorkCalendar(MONDAY_TO_FRIDAY, holidays.country_holidays(code, **options))


class EveryDay(dict):
    """Holidays that cover all of time."""

    def __contains__(self, day):
        return True

    def get(self, day, default=None):
        return "Rest"


days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
waits = st.integers(0, schedule.LONGEST_WAIT)
short_waits = st.integers(0, 30)
work_weeks = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def attempts_and_calendars(draw):
    """An attempt's day, and a calendar with holidays around it: few, dense, long or everlasting."""
    day, week = draw(days), draw(work_weeks)
    offsets = st.one_of(
        st.sets(st.integers(-30, 120), max_size=12),
        st.sets(st.integers(0, 60), min_size=30),
        st.integers(1, 1100).map(range),
    )
    everlasting = draw(st.integers(0, 9)) == 0
    named = draw(st.sampled_from(["Feast", "Feast; Feast (observed)", ""]))
    rest = EveryDay() if everlasting else {day + timedelta(days=n): named for n in draw(offsets)}
    return day, WorkCalendar(week, rest)


steps = st.builds(
    Step,
    wait=short_waits,
    channel=st.sampled_from(schedule.CHANNELS),
    hint=st.text(max_size=20),
    unit=st.sampled_from(schedule.UNITS),
)


def has_a_work_day_soon(calendar, day):
    return any(calendar.is_work_day(day + timedelta(days=n)) for n in range(366))


@given(steps, attempts_and_calendars())
def test_the_next_date_is_a_work_day_strictly_later_than_the_attempt(step, given_calendar):
    attempt, calendar = given_calendar
    planned = plan(step, attempt, calendar, "your call")
    assert planned.on > attempt
    assert planned.on.weekday() in calendar.work_days
    if has_a_work_day_soon(calendar, planned.on):
        assert calendar.is_work_day(planned.on)


@given(days, work_weeks, st.sampled_from(schedule.UNITS), waits)
def test_a_date_is_never_missing_even_when_every_day_is_a_holiday(attempt, week, unit, wait):
    calendar = WorkCalendar(week, EveryDay())
    planned = plan(Step(wait, "call", "", unit), attempt, calendar, "your call")
    assert planned.on > attempt
    assert planned.on.weekday() in week


@given(st.sampled_from(schedule.UNITS), short_waits, short_waits, attempts_and_calendars())
def test_a_longer_wait_never_comes_sooner(unit, one, other, given_calendar):
    attempt, calendar = given_calendar
    sooner, later = sorted([one, other])
    first = plan(Step(sooner, "call", "", unit), attempt, calendar, "your call").on
    second = plan(Step(later, "call", "", unit), attempt, calendar, "your call").on
    assert first <= second
    if unit == BUSINESS_DAYS and max(sooner, 1) < later:
        assert first < second


@given(steps, attempts_and_calendars(), st.integers(0, 40))
def test_a_later_attempt_never_comes_back_sooner(step, given_calendar, days_later):
    attempt, calendar = given_calendar
    later = attempt + timedelta(days=days_later)
    first, second = (plan(step, day, calendar, "your call").on for day in (attempt, later))
    assert first <= second


@given(st.lists(steps, min_size=2, max_size=6), attempts_and_calendars())
def test_along_a_playbook_the_dates_only_increase(playbook, given_calendar):
    day, calendar = given_calendar
    dates = [begin(playbook[0], day, calendar).on]
    for step in playbook[1:]:
        dates.append(plan(step, dates[-1], calendar, "your call").on)
    assert dates[0] >= day
    assert all(earlier < later for earlier, later in pairwise(dates))


@given(steps, attempts_and_calendars())
def test_a_business_day_wait_passes_exactly_that_many_work_days(step, given_calendar):
    attempt, calendar = given_calendar
    assume(step.unit == BUSINESS_DAYS)
    assume(has_a_work_day_soon(calendar, attempt + timedelta(days=1)))
    planned = plan(step, attempt, calendar, "your call")
    after = (attempt + timedelta(days=n + 1) for n in range((planned.on - attempt).days))
    assert sum(map(calendar.is_work_day, after)) == max(step.wait, 1)


def clock_changes(zone, year):
    """Return the local days of a year on which the zone's clock is changed."""
    noon = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in noon]
    pairs = zip(noon, offsets, offsets[1:], strict=False)
    return [local_day(moment, zone) for moment, before, after in pairs if before != after]


@st.composite
def two_instants_of_a_day(draw):
    """A zone, a local day, and two instants of it; often a day on which the clock changes."""
    zone = draw(st.sampled_from(sorted(available_timezones())))
    day = draw(days)
    changes = clock_changes(zone, day.year) if draw(st.booleans()) else []
    if changes:
        day = draw(st.sampled_from(changes)) + timedelta(days=draw(st.integers(0, 1)))
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    minutes = st.integers(0, 26 * 60)
    one, other = (midnight + timedelta(minutes=draw(minutes)) for _ in range(2))
    assume(local_day(one, zone) == day == local_day(other, zone))
    return zone, one, other


@given(two_instants_of_a_day(), steps, work_weeks)
def test_the_hour_of_an_attempt_and_a_change_of_the_clock_move_nothing(instants, step, week):
    zone, one, other = instants
    calendar = WorkCalendar(week)
    first, second = (
        plan(step, local_day(moment, zone), calendar, "your call") for moment in (one, other)
    )
    assert first == second


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe"])
def test_each_night_of_a_clock_change_counts_as_one_day(zone):
    for change in clock_changes(zone, 2026):
        friday = change - timedelta(days=(change.weekday() - 4) % 7)
        late = datetime.combine(friday, time(23, 59), tzinfo=ZoneInfo(zone)).astimezone(UTC)
        planned = plan(Step(1, "call", ""), local_day(late, zone), PLAIN, "your call")
        assert planned.on == friday + timedelta(days=3)


@given(steps, attempts_and_calendars())
def test_the_reason_names_the_wait_and_the_day_and_fits_its_column(step, given_calendar):
    attempt, calendar = given_calendar
    reason = plan(step, attempt, calendar, "your call").reason
    waited = str(step.wait) if step.wait else "next work day"
    assert reason.startswith((waited, f"the {waited}"))
    assert f"after your call on {say_day(attempt)}" in reason
    assert len(reason) <= 300


@pytest.mark.parametrize("code", ["AT", "TH", "KR", "IR", "GB", "US"])
def test_a_wait_of_a_whole_year_names_some_holidays_and_still_fits(code):
    calendar = country(code, language="en_US")
    reason = plan(Step(260, "call", ""), date(2026, 1, 5), calendar, "your voicemail").reason
    assert "more holidays" in reason
    assert len(reason) <= 300


MONDAY = date(2026, 11, 9)


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        # Business days 0, 3, 7, 10 and 15.
        ("cold-request", [(11, 9), (11, 12), (11, 18), (11, 23), (11, 30)]),
        # Within 1, then 2, 5, 8, 12 and 18.
        ("introduced", [(11, 10), (11, 11), (11, 16), (11, 19), (11, 25), (12, 3)]),
        # Three calls three days apart, an e-mail the day after, then the question.
        ("unanswered-call", [(11, 9), (11, 12), (11, 17), (11, 18), (11, 25)]),
        ("they-promised", [(11, 16), (11, 23), (11, 30)]),
        # Same evening, within a day, 14 calendar days later, then the question.
        ("after-a-meeting", [(11, 9), (11, 10), (11, 24), (12, 1)]),
        # Monthly three times (9 January is a Saturday), then each quarter.
        ("new-relationship", [(12, 9), (1, 11), (2, 11), (5, 11)]),
    ],
)
def test_the_built_in_playbooks_from_a_monday(slug, expected):
    first, *others = BUILT_IN[slug]
    dates = [begin(first, MONDAY, PLAIN).on]
    for step in others:
        dates.append(plan(step, dates[-1], PLAIN, "your try").on)
    assert [(day.month, day.day) for day in dates] == expected


def test_there_are_nine_built_in_playbooks_and_each_can_be_read_back():
    assert len(BUILT_IN) == 9
    for playbook in BUILT_IN.values():
        assert read_steps([asdict(step) for step in playbook]) == playbook


@pytest.mark.parametrize(
    ("calendar", "attempt", "wait", "expected", "named"),
    [
        # Austria rests on 25 and 26 December (a Saturday in 2026) and on 1 and 6 January.
        (country("AT", language="en_US"), date(2026, 12, 23), 3, date(2026, 12, 29), "Christmas"),
        (country("AT", language="en_US"), date(2026, 12, 30), 4, date(2027, 1, 7), "Epiphany"),
        # England has a substitute for Boxing Day on Monday the 28th; Scotland rests on 2 January.
        (country("GB", subdiv="ENG"), date(2026, 12, 24), 1, date(2026, 12, 29), "Boxing Day"),
        (country("GB", subdiv="SCT"), date(2026, 12, 31), 1, date(2027, 1, 5), "New Year"),
        (country("US"), date(2026, 11, 25), 1, date(2026, 11, 27), "Thanksgiving"),
        (country("US"), date(2026, 7, 2), 1, date(2026, 7, 6), "Independence Day (observed)"),
    ],
)
def test_public_holidays_are_left_out_and_named(calendar, attempt, wait, expected, named):
    planned = plan(Step(wait, "call", ""), attempt, calendar, "your call")
    assert planned.on == expected
    assert named in planned.reason


@pytest.mark.parametrize(
    ("attempt", "wait", "expected"),
    [
        (date(2026, 11, 12), 1, date(2026, 11, 15)),  # Thursday, then Sunday
        (date(2026, 11, 15), 4, date(2026, 11, 19)),  # Sunday to Thursday
        (date(2026, 11, 13), 1, date(2026, 11, 15)),  # on the Friday off
    ],
)
def test_a_work_week_from_sunday_to_thursday(attempt, wait, expected):
    planned = plan(Step(wait, "call", ""), attempt, WorkCalendar(SUNDAY_TO_THURSDAY), "your call")
    assert planned.on == expected


@pytest.mark.parametrize(
    ("unit", "wait", "attempt", "expected"),
    [
        (BUSINESS_DAYS, 1, date(2028, 2, 28), date(2028, 2, 29)),
        (BUSINESS_DAYS, 1, date(2028, 2, 29), date(2028, 3, 1)),
        (BUSINESS_DAYS, 1, date(2027, 2, 26), date(2027, 3, 1)),
        (CALENDAR_DAYS, 14, date(2028, 2, 15), date(2028, 2, 29)),
        (MONTHS, 1, date(2028, 1, 31), date(2028, 2, 29)),
        (MONTHS, 1, date(2027, 1, 29), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (MONTHS, 12, date(2028, 2, 29), date(2029, 2, 28)),
        (MONTHS, 3, date(2026, 11, 30), date(2027, 3, 1)),
        (CALENDAR_DAYS, 0, date(2026, 11, 13), date(2026, 11, 16)),
    ],
)
def test_leap_days_and_ends_of_months(unit, wait, attempt, expected):
    assert plan(Step(wait, "email", "", unit), attempt, PLAIN, "your e-mail").on == expected


def test_a_first_step_that_waits_for_nothing_asks_today_or_on_the_next_work_day():
    step = BUILT_IN["cold-request"][0]
    assert begin(step, MONDAY, PLAIN).on == MONDAY
    assert begin(step, date(2026, 11, 14), PLAIN).on == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step(7, "email", ""), "7 business days after your e-mail on Mon 9 Nov"),
        (Step(1, "email", ""), "1 business day after your e-mail on Mon 9 Nov"),
        (Step(1, "email", "", MONTHS), "1 month after your e-mail on Mon 9 Nov"),
        (Step(0, "email", ""), "the next work day after your e-mail on Mon 9 Nov"),
    ],
)
def test_reasons_in_words(step, reason):
    assert plan(step, MONDAY, PLAIN, "your e-mail").reason == reason


ASKS = {"wait": 5, "channel": "decide", "hint": "What next?"}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "A playbook needs at least one step."),
        (None, "Each step needs a wait, a channel and a hint."),
        ([{"wait": 1}], "Each step needs a wait, a channel and a hint."),
        (["call"], "Each step needs a wait, a channel and a hint."),
        ([{**ASKS, "colour": "red"}], "Each step needs a wait, a channel and a hint."),
        (
            [{**ASKS, "channel": "pigeon"}],
            "A step's channel is one of call, email, message, decide.",
        ),
        ([{**ASKS, "unit": "moons"}], "A step waits in business days, days, months."),
        ([{**ASKS, "wait": -1}], "A step waits between 0 and 400 business days."),
        ([{**ASKS, "wait": 401}], "A step waits between 0 and 400 business days."),
        ([{**ASKS, "wait": "soon"}], "A step's wait is a whole number."),
        ([{**ASKS, "wait": 2.5}], "A step's wait is a whole number."),
        ([{**ASKS, "wait": True}], "A step's wait is a whole number."),
        ([{**ASKS, "channel": "call"}], "The last step must ask to decide, or repeat."),
        ([ASKS, ASKS], "Only the last step may ask to decide, or repeat."),
        (
            [{**ASKS, "channel": "call", "repeat": True}, ASKS],
            "Only the last step may ask to decide, or repeat.",
        ),
    ],
)
def test_steps_that_cannot_be_are_refused_with_a_sentence(rows, sentence):
    with pytest.raises(ValueError) as refused:
        read_steps(rows)
    assert str(refused.value) == sentence
