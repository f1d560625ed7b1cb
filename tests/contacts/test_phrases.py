"""Phrases among the words of a search, and the days that they mean."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.lists import phrases
from contacts.lists.periods import UNITS, Period

TODAY = date(2026, 3, 31)  # A Tuesday; February has no such day.
KNOWN = {"at": ["Aster Labs", "Aster"], "tagged": ["Alumni", "data people"]}


def known(kind, names):
    spelled = {name.casefold(): name for name in KNOWN[kind]}
    return next((spelled[name.casefold()] for name in names if name.casefold() in spelled), None)


def read(text):
    said = phrases.read(text, known)
    return said.filters, said.words


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("last spoke over a year ago", {"spoken": "over-1-year"}),
        ("Last  Spoke More Than 2 Years Ago", {"spoken": "over-2-year"}),
        ("not spoken for 6 months", {"spoken": "over-6-month"}),
        ("haven’t talked to in half a year", {"spoken": "over-6-month"}),
        ("not spoken since 2024", {"spoken": "before-2024"}),
        ("quiet for three weeks", {"spoken": "over-3-week"}),
        ("spoke last month", {"spoken": "last-month"}),
        ("spoke today", {"spoken": "this-day"}),
        ("talked to yesterday", {"spoken": "last-day"}),
        ("spoken in the last 3 weeks", {"spoken": "within-3-week"}),
        ("spoke in March 2024", {"spoken": "in-2024-03"}),
        ("met this week", {"met": "this-week"}),
        ("added last week", {"added": "last-week"}),
        ("added since 2025", {"added": "since-2025"}),
        ("known since 2019", {"known": "in-2019"}),
        ("known before 2019", {"known": "before-2019"}),
        ("known for over 5 years", {"known": "over-5-year"}),
        ("never contacted", {"show": "new"}),
        ("due now", {"show": "due"}),
        ("waiting on them", {"show": "waiting"}),
        ("at Aster", {"at": "Aster"}),
        ("at aster labs", {"at": "Aster Labs"}),
        ("tag alumni", {"tagged": ("Alumni",)}),
        ("#alumni", {"tagged": ("Alumni",)}),
        ("#alumni tagged data people", {"tagged": ("Alumni", "data people")}),
        (
            "met this year at Aster added last week #alumni",
            {"met": "this-year", "added": "last-week", "at": "Aster", "tagged": ("Alumni",)},
        ),
    ],
)
def test_a_phrase_is_a_filter_and_the_other_words_stay(text, filters):
    assert read(text) == (filters, "")
    assert read(f"priya {text} raman") == (filters, "priya raman")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Priya Raman",
        "May Sun",
        "April Second",
        "Marc Augustin",
        "Yesterday Ltd",
        "due",
        "resting",
        "spoke",
        "met Priya",
        "unmet this week",
        "over a year ago",
        "at Nowhere",
        "tag nothing",
        "known since the war",
        "spoken over 0 years ago",
        "spoken over 100 years ago",
        "spoke in 1066",
        "C#",
    ],
)
def test_what_is_no_phrase_is_searched_as_it_is(text):
    assert read(text) == ({}, text)


def test_a_tag_that_nobody_has_is_searched_by_its_word():
    assert read("#alu priya") == ({}, "alu priya")


def test_a_second_phrase_of_a_kind_stays_among_the_words():
    assert read("spoke last month spoke last year") == (
        {"spoken": "last-month"},
        "spoke last year",
    )


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    filters, words = read(text)
    assert len(words) <= len(text) or filters
    assert all(Period.read(filters[name]) for name in ("spoken", "met", "added") if name in filters)


@pytest.mark.parametrize(
    ("code", "words", "first", "last"),
    [
        ("over-1-year", "over a year ago", None, date(2025, 3, 30)),
        ("over-1-month", "over a month ago", None, date(2026, 2, 27)),
        ("over-2-week", "over 2 weeks ago", None, date(2026, 3, 16)),
        ("within-1-month", "in the last month", date(2026, 2, 28), None),
        ("within-10-day", "in the last 10 days", date(2026, 3, 21), None),
        ("this-day", "today", TODAY, TODAY),
        ("last-day", "yesterday", date(2026, 3, 30), date(2026, 3, 30)),
        ("this-week", "this week", date(2026, 3, 30), date(2026, 4, 5)),
        ("last-week", "last week", date(2026, 3, 23), date(2026, 3, 29)),
        ("last-month", "last month", date(2026, 2, 1), date(2026, 2, 28)),
        ("this-year", "this year", date(2026, 1, 1), date(2026, 12, 31)),
        ("in-2024", "in 2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("in-2024-02", "in February 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("since-2024-12", "since December 2024", date(2024, 12, 1), None),
        ("before-2024", "before 2024", None, date(2023, 12, 31)),
    ],
)
def test_the_days_of_a_period_are_those_of_the_calendar(code, words, first, last):
    period = Period.read(code)
    assert (str(period), period.code) == (words, code)
    assert period.days(TODAY) == (first, last)


@pytest.mark.parametrize(
    "code",
    [
        *("", "over", "over-0-day", "over-100-day", "over-1-decade", "in-24", "in-2024-13"),
        *("since-x", "over-１-day", "this-week ", "within--1-day"),
    ],
)
def test_anything_else_is_no_period(code):
    assert Period.read(code) is None


@given(
    st.sampled_from(["over", "within"]),
    st.integers(1, 99),
    st.sampled_from(list(UNITS)),
    st.dates(),
)
def test_every_period_has_days_on_every_day(way, count, unit, today):
    if today.year > 100:
        first, last = Period(way, count, unit).days(today)
        assert (first or last) <= today
