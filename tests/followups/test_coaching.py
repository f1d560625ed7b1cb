"""When to call: the window, whose clock it is told by, and what is next when it has passed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.coaching import call_time, next_call, other, say, window_of
from followups.models import Window
from followups.schedule import WorkCalendar

MORNING, AFTERNOON = Window.MORNING, Window.AFTERNOON
VIENNA, AUCKLAND = "Europe/Vienna", "Pacific/Auckland"
MONDAY_TO_FRIDAY = WorkCalendar(frozenset(range(5)))
THURSDAY = date(2026, 11, 12)
ZONES = sorted(available_timezones())


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "window"),
    [
        ("2026-11-12 07:40", VIENNA, MORNING),
        ("2026-11-12 10:59", VIENNA, MORNING),
        ("2026-11-12 11:00", VIENNA, AFTERNOON),
        ("2026-07-12 10:00", VIENNA, AFTERNOON),  # summer: noon comes an hour sooner
        ("2026-11-12 06:29", "Asia/Kolkata", MORNING),
        ("2026-11-12 06:30", "Asia/Kolkata", AFTERNOON),
        ("2026-11-12 06:14", "Asia/Kathmandu", MORNING),
        ("2026-11-12 06:15", "Asia/Kathmandu", AFTERNOON),
        ("2026-11-11 20:00", AUCKLAND, MORNING),
    ],
)
def test_a_call_falls_into_a_part_of_the_day_of_the_contact(instant, zone, window):
    assert window_of(at(instant), zone) == window


def test_the_windows_alternate_and_have_words():
    assert (other(MORNING), other(AFTERNOON)) == (AFTERNOON, MORNING)
    assert (say(MORNING), say(AFTERNOON)) == ("before ten", "after four")


@pytest.mark.parametrize(
    ("day", "window", "zone", "start", "end"),
    [
        ("2026-11-12", MORNING, VIENNA, "2026-11-12 07:30", "2026-11-12 09:00"),
        ("2026-11-12", AFTERNOON, VIENNA, "2026-11-12 15:00", "2026-11-12 16:30"),
        ("2026-11-12", MORNING, "Asia/Kolkata", "2026-11-12 03:00", "2026-11-12 04:30"),
        ("2026-11-12", AFTERNOON, "Asia/Kathmandu", "2026-11-12 10:15", "2026-11-12 11:45"),
        # Lord Howe moves its clock by half an hour.
        ("2026-04-03", MORNING, "Australia/Lord_Howe", "2026-04-02 21:30", "2026-04-02 23:00"),
        ("2026-04-06", MORNING, "Australia/Lord_Howe", "2026-04-05 22:00", "2026-04-05 23:30"),
        # The days on which the clock in Vienna changes.
        ("2026-03-29", MORNING, VIENNA, "2026-03-29 06:30", "2026-03-29 08:00"),
        ("2026-10-25", MORNING, VIENNA, "2026-10-25 07:30", "2026-10-25 09:00"),
        # A day that Samoa left out: the hour after the gap.
        ("2011-12-30", MORNING, "Pacific/Apia", "2011-12-30 18:30", "2011-12-30 20:00"),
    ],
)
def test_a_window_is_told_by_the_clock_of_the_contact(day, window, zone, start, end):
    found = call_time(date.fromisoformat(day), window, zone, VIENNA)
    assert (found.start, found.end) == (at(start), at(end))


@given(
    st.dates(date(2000, 1, 1), date(2036, 12, 31)),
    st.sampled_from(Window),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
)
def test_a_window_is_the_same_hour_and_a_half_on_both_clocks(day, window, theirs, mine):
    found = call_time(day, window, theirs, mine)
    assert (found.my_start, found.my_end) == (found.start, found.end)
    assert timedelta(0) < found.end - found.start <= timedelta(hours=3)
    assert window_of(found.start, theirs) == window


@pytest.mark.parametrize(
    ("day", "window", "zone", "mine", "words"),
    [
        ("2026-11-12", MORNING, VIENNA, VIENNA, "Thursday before ten"),
        ("2026-11-12", AFTERNOON, "Europe/Berlin", VIENNA, "Thursday after four"),
        ("2026-11-09", MORNING, VIENNA, VIENNA, "today before ten"),
        ("2026-11-10", AFTERNOON, VIENNA, VIENNA, "tomorrow after four"),
        ("2026-11-16", MORNING, VIENNA, VIENNA, "Mon 16 Nov before ten"),
        (
            "2026-11-12",
            MORNING,
            "America/New_York",
            VIENNA,
            "Thursday between 8:30 and 10:00 for Priya, 14:30 and 16:00 for you",
        ),
        (
            "2026-11-09",
            AFTERNOON,
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "today between 16:00 and 17:30 for Priya, 16:15 and 17:45 for you",
        ),
        (
            "2026-11-12",
            MORNING,
            AUCKLAND,
            VIENNA,
            "Thursday between 8:30 and 10:00 for Priya, Wednesday between 20:30 and 22:00 for you",
        ),
        (
            "2026-11-12",
            AFTERNOON,
            VIENNA,
            AUCKLAND,
            "Thursday between 16:00 and 17:30 for Priya, Friday between 4:00 and 5:30 for you",
        ),
        (
            "2026-11-12",
            MORNING,
            "Asia/Tokyo",
            "Europe/London",
            "Thursday between 8:30 and 10:00 for Priya, Wednesday 23:30 to Thursday 1:00 for you",
        ),
    ],
)
def test_the_words_name_both_clocks_only_where_they_differ(day, window, zone, mine, words):
    monday = date(2026, 11, 9)
    found = call_time(date.fromisoformat(day), window, zone, mine)
    assert found.words("Priya", monday) == words


@pytest.mark.parametrize(
    ("now", "window", "day", "part"),
    [
        ("2026-11-10 12:00", MORNING, "2026-11-12", MORNING),  # it is not yet the day
        ("2026-11-12 06:00", MORNING, "2026-11-12", MORNING),
        ("2026-11-12 08:59", MORNING, "2026-11-12", MORNING),  # still within it
        ("2026-11-12 09:00", MORNING, "2026-11-12", AFTERNOON),
        ("2026-11-12 06:00", AFTERNOON, "2026-11-12", AFTERNOON),
        ("2026-11-12 16:30", AFTERNOON, "2026-11-13", MORNING),
        ("2026-11-12 16:30", MORNING, "2026-11-13", MORNING),
        ("2026-11-13 17:00", MORNING, "2026-11-16", MORNING),  # a weekend lies between
        ("2026-11-14 09:30", AFTERNOON, "2026-11-16", AFTERNOON),  # carried over, on a Saturday
    ],
)
def test_when_the_window_has_passed_the_next_one_that_fits(now, window, day, part):
    found = next_call(at(now), THURSDAY, window, VIENNA, VIENNA, MONDAY_TO_FRIDAY)
    assert (found.start.date(), found.window) == (date.fromisoformat(day), part)


def test_their_day_may_be_over_while_mine_begins():
    found = next_call(at("2026-11-12 07:00"), THURSDAY, MORNING, AUCKLAND, VIENNA, MONDAY_TO_FRIDAY)
    assert found.words("Aroha", THURSDAY) == (
        "Friday between 8:30 and 10:00 for Aroha, Thursday between 20:30 and 22:00 for you"
    )


@given(
    st.integers(0, 36 * 365 * 24).map(
        lambda hours: at("2000-01-01 00:17") + timedelta(hours=hours)
    ),
    st.integers(-10, 10),
    st.sampled_from(Window),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
)
def test_the_next_window_has_never_passed(now, ahead, window, theirs, mine):
    due = now.date() + timedelta(days=ahead)
    found = next_call(now, due, window, theirs, mine, MONDAY_TO_FRIDAY)
    assert found.end > now
    assert found.start.date() >= due
