"""Date arithmetic of playbooks. Pure: dates in, date and reason out; no database, no clock.

Everything counts in local dates, so a change of zone or of the clock moves nothing.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from textwrap import shorten
from typing import Any

from dateutil.relativedelta import relativedelta

BUSINESS_DAYS, CALENDAR_DAYS, MONTHS = "business days", "days", "months"
UNITS = (BUSINESS_DAYS, CALENDAR_DAYS, MONTHS)
CALL, EMAIL, MESSAGE, DECIDE = "call", "email", "message", "decide"
CHANNELS = (CALL, EMAIL, MESSAGE, DECIDE)
LONGEST_WAIT = 400
LONGEST_REASON = 300


@dataclass(frozen=True)
class Step:
    """One step of a playbook: wait `wait` `unit`s after the step before, then use `channel`.

    `decide` is the question at the end (try another way in, rest, or let go). `repeat` comes
    back to the same step for ever. `window` says when a call is best tried.
    """

    wait: int
    channel: str
    hint: str
    unit: str = BUSINESS_DAYS
    repeat: bool = False
    template: str = ""

    def __post_init__(self):
        if self.channel not in CHANNELS:
            raise ValueError(f"A step's channel is one of {', '.join(CHANNELS)}.")
        if self.unit not in UNITS:
            raise ValueError(f"A step waits in {', '.join(UNITS)}.")
        if type(self.wait) is not int:
            raise ValueError("A step's wait is a whole number.")
        if not 0 <= self.wait <= LONGEST_WAIT:
            raise ValueError(f"A step waits between 0 and {LONGEST_WAIT} {self.unit}.")


def read_steps(rows: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return the steps of a stored playbook.

    Raises ValueError with a sentence when a row is no step, when there are none, or when the
    last step neither repeats nor asks to decide: then a follow-up could fall silent.
    """
    try:
        steps = [Step(**row) for row in rows]
    except TypeError as error:
        raise ValueError("Each step needs a wait, a channel and a hint.") from error
    if not steps:
        raise ValueError("A playbook needs at least one step.")
    if steps[-1].channel != DECIDE and not steps[-1].repeat:
        raise ValueError("The last step must ask to decide, or repeat.")
    if any(step.channel == DECIDE or step.repeat for step in steps[:-1]):
        raise ValueError("Only the last step may ask to decide, or repeat.")
    return steps


@dataclass(frozen=True)
class WorkCalendar:
    """The days on which one user works: weekdays (Monday is 0) less named public holidays.

    `holidays` maps a date to its name and may be lazy: it is only asked `in` and `get`.
    """

    work_days: Container[int]
    holidays: Mapping[date, str] = field(default_factory=dict)

    def is_work_day(self, day: date) -> bool:
        return day.weekday() in self.work_days and day not in self.holidays

    def on_or_after(self, day: date) -> date:
        """Return the first work day from `day` on.

        Bounded by a year: with no work day at all in it, the first weekday of `work_days`
        wins over the holidays, since a date must never be missing.
        """
        for offset in range(366):
            if self.is_work_day(candidate := day + timedelta(days=offset)):
                return candidate
        for offset in range(7):
            if (candidate := day + timedelta(days=offset)).weekday() in self.work_days:
                return candidate
        return day

    def add(self, day: date, count: int) -> date:
        """Return the work day `count` work days after `day`; for 0 the first one from it on."""
        if count == 0:
            return self.on_or_after(day)
        for _ in range(count):
            day = self.on_or_after(day + timedelta(days=1))
        return day

    def named_between(self, start: date, end: date) -> list[str]:
        """Return the names of holidays on the user's weekdays after `start`, before `end`."""
        days = (start + timedelta(days=n) for n in range(1, min((end - start).days, 366)))
        names = [
            self.holidays.get(day) or ""
            for day in days
            if day.weekday() in self.work_days and day in self.holidays
        ]
        return [name for name in names if name]


@dataclass(frozen=True)
class Planned:
    """A local date and the reason for it, in words."""

    on: date
    reason: str


def say_day(day: date) -> str:
    """Return a date in words: Thu 12 Nov."""
    return f"{day:%a} {day.day} {day:%b}"


def say_wait(step: Step) -> str:
    """Return a wait in words: 3 business days, 1 month."""
    unit = step.unit if step.wait != 1 else step.unit.removesuffix("s")
    return f"{step.wait} {unit}"


def plan(step: Step, after: date, calendar: WorkCalendar, what: str) -> Planned:
    """Return the day of a step that follows something done on `after`, and why.

    The day is a work day of the user, strictly later than `after`. `what` names what was done,
    such as "your voicemail".
    """
    if step.unit == BUSINESS_DAYS:
        day = calendar.add(after, max(step.wait, 1))
    elif step.unit == CALENDAR_DAYS:
        day = calendar.on_or_after(after + timedelta(days=max(step.wait, 1)))
    else:
        day = calendar.on_or_after(after + relativedelta(months=max(step.wait, 1)))
    wait = say_wait(step) if step.wait else "the next work day"
    reason = f"{wait} after {what} on {say_day(after)}"
    if step.unit == BUSINESS_DAYS and (names := calendar.named_between(after, day)):
        reason += f", without {_list_names(names)}"
    return Planned(day, shorten(reason, LONGEST_REASON, placeholder=" …"))


def _list_names(names: Sequence[str]) -> str:
    """Return the first three different names in words, and how many more there are."""
    first, more = list(dict.fromkeys(names))[:3], len(set(names)) - 3
    if more > 0:
        first.append(f"{more} more holiday{'s' if more > 1 else ''}")
    return " and ".join(first)


def begin(step: Step, today: date, calendar: WorkCalendar) -> Planned:
    """Return the day of the first step of a follow-up that opens today without an attempt."""
    if step.wait == 0:
        return Planned(calendar.on_or_after(today), "the first step")
    return plan(step, today, calendar, "you started")
