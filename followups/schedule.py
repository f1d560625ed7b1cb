"""Date arithmetic of playbooks. Pure: dates in, date and reason out; no database, no clock.

Everything counts in local dates, so a change of zone or of the clock moves nothing.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from textwrap import shorten
from typing import Any

from dateutil.relativedelta import relativedelta

BUSINESS_DAYS, CALENDAR_DAYS, MONTHS = "business days", "days", "months"
UNITS = (BUSINESS_DAYS, CALENDAR_DAYS, MONTHS)
CALL, EMAIL, MESSAGE, DECIDE = "call", "email", "message", "decide"
CHANNELS = (CALL, EMAIL, MESSAGE, DECIDE)
LONGEST_WAIT = 400
LONGEST_REASON = 300
# Work days between two tries to one contact, whatever asks for them, and between two people of
# one organisation (Dalton, The 2-Hour Job Search). No pursuit proposes a fourth e-mail.
CONTACT_GAP, ORGANISATION_GAP = 2, 3
EMAILS_AT_MOST = 3
# How many work days a date may move to find a lighter day: persistence comes first.
LOOK_AHEAD = 10


@dataclass(frozen=True)
class Step:
    """One step of a playbook: wait `wait` `unit`s after the step before, then use `channel`.

    `decide` is the question at the end (try another way in, rest, or let go). `repeat` comes
    back to the same step for ever. `colleague` is not a try with this contact: it asks to write
    to the next person at the same organisation. `subject` and `template` draft the message.
    """

    wait: int
    channel: str
    hint: str
    unit: str = BUSINESS_DAYS
    repeat: bool = False
    colleague: bool = False
    subject: str = ""
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

    def shift(self, day: date, count: int) -> date:
        """Return the work day `count` work days after `day`, or before it for a negative count."""
        if count >= 0:
            return self.add(day, count)
        for _ in range(-count):
            day -= timedelta(days=1)
            for offset in range(366):
                if self.is_work_day(earlier := day - timedelta(days=offset)):
                    day = earlier
                    break
        return day

    def apart(self, one: date, other: date, gap: int) -> bool:
        """Tell whether two days are at least `gap` work days from each other."""
        return self.add(min(one, other), gap) <= max(one, other)

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


def say_day(day: date, today: date | None = None) -> str:
    """Return a date in words: Thu 12 Nov; with its year where that is not the year of `today`."""
    year = f" {day.year}" if today and day.year != today.year else ""
    return f"{day:%a} {day.day} {day:%b}{year}"


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


@dataclass(frozen=True)
class Limits:
    """What else a date has to respect: the other tries to the same contact, those to others at
    the same organisation, and how many people each day already has (`load`, up to `cap`)."""

    tries: Sequence[date] = ()
    colleagues: Sequence[date] = ()
    load: Mapping[date, int] = field(default_factory=dict)
    cap: int = 0

    def obstacle(self, day: date, calendar: WorkCalendar) -> str:
        """Return why a day is not free, in words; nothing when it is."""
        if any(not calendar.apart(day, other, CONTACT_GAP) for other in self.tries):
            return f"moved to leave {CONTACT_GAP} business days between two tries"
        if any(not calendar.apart(day, other, ORGANISATION_GAP) for other in self.colleagues):
            return f"moved to leave {ORGANISATION_GAP} business days between two people there"
        if self.cap and self.load.get(day, 0) >= self.cap:
            return f"moved from {say_day(day)}, which is full"
        return ""


def within(
    planned: Planned, limits: Limits, calendar: WorkCalendar, look_ahead: int = LOOK_AHEAD
) -> Planned:
    """Return the first work day from the planned one on that respects the limits, and say so.

    The gaps always hold. The cap gives way after `look_ahead` work days: then the lightest of
    the days that were looked at is taken, the first of several.
    """
    why = limits.obstacle(planned.on, calendar)
    if not why:
        return planned
    day, apart = planned.on, replace(limits, cap=0)
    full: list[date] = []
    while len(full) <= look_ahead:
        if not limits.obstacle(day, calendar):
            return _moved(planned, day, why)
        if not apart.obstacle(day, calendar):
            full.append(day)
        day = calendar.add(day, 1)
    return _moved(planned, min(full, key=lambda each: limits.load.get(each, 0)), why)


def _moved(planned: Planned, on: date, why: str) -> Planned:
    if on == planned.on:
        return planned
    return Planned(on, shorten(f"{planned.reason}, {why}", LONGEST_REASON, placeholder=" …"))


def begin(step: Step, today: date, calendar: WorkCalendar) -> Planned:
    """Return the day of the first step of a follow-up that opens today without an attempt."""
    if step.wait == 0:
        return Planned(calendar.on_or_after(today), "the first step")
    return plan(step, today, calendar, "you started")


def follow(
    steps: Sequence[Step], done: int, emails: int, on: date, calendar: WorkCalendar, what: str
) -> tuple[int, Planned]:
    """Return the number of the step that follows step `done`, done on `on`, and its day.

    The last step follows itself. Once `emails` went unanswered, further e-mails are left out: no
    pursuit proposes a fourth. Keeping in touch has no such limit: there `emails` is 0.
    """
    last = len(steps) - 1
    first = number = min(done + 1, last)
    while number < last and emails >= EMAILS_AT_MOST and is_email(steps[number]):
        number += 1
    planned = plan(steps[number], on, calendar, what)
    if number > first:
        enough = f"{planned.reason}, since {EMAILS_AT_MOST} e-mails are enough"
        planned = replace(planned, reason=shorten(enough, LONGEST_REASON, placeholder=" …"))
    return number, planned


def is_email(step: Step) -> bool:
    """Tell whether a step writes an e-mail to the contact."""
    return step.channel == EMAIL and not step.colleague


# What the preview calls a step that was done.
DONE = {CALL: "your call", EMAIL: "your e-mail", MESSAGE: "your message"}
REPEATS_SHOWN = 3


@dataclass(frozen=True)
class DaysOff:
    """Days in a row on which a user would work, had they no holiday or break of that name."""

    name: str
    first_on: date
    last_on: date


@dataclass(frozen=True)
class Foreseen:
    """A step, its day with the reason, and the days off that fall before it."""

    step: Step
    planned: Planned
    days_off: list[DaysOff]


def preview(
    steps: Sequence[Step], start: date, calendar: WorkCalendar, ends_on_answer: bool = True
) -> list[Foreseen]:
    """Return what follows if it begins on `start`, each try is made on its day and nobody answers.

    These are the engine's own dates, with the gap between two tries to one contact and the limit
    of e-mails that a pursuit has; only other people's dates are unknown here. A step that comes
    back is shown three times.
    """
    seen: list[Foreseen] = []
    tries: list[date] = []
    number, emails, since, planned = 0, 0, start, begin(steps[0], start, calendar)
    for _ in range(len(steps) + (REPEATS_SHOWN - 1) * steps[-1].repeat):
        step = steps[number]
        if ends_on_answer and step.channel != DECIDE and not step.colleague:
            planned = within(planned, Limits(tries), calendar)
        seen.append(Foreseen(step, planned, _days_off(since, planned.on, calendar)))
        if step.channel == DECIDE:
            break
        since, what = planned.on, "you turned to somebody else"
        if not step.colleague:
            tries, what = [since], DONE[step.channel]
        emails += ends_on_answer and is_email(step)
        number, planned = follow(steps, number, emails, since, calendar, what)
    return seen


def _days_off(start: date, end: date, calendar: WorkCalendar) -> list[DaysOff]:
    """Return the named days off from `start` up to the day before `end`, at most a year of them,
    those in a row as one."""
    days = (start + timedelta(days=n) for n in range(min((end - start).days, 366)))
    work_days = [day for day in days if day.weekday() in calendar.work_days]
    named = groupby(work_days, lambda day: calendar.holidays.get(day) or "")
    runs = [(name, list(run)) for name, run in named if name]
    return [DaysOff(name, run[0], run[-1]) for name, run in runs]


SAID = {CALL: "call", EMAIL: "e-mail", MESSAGE: "message", DECIDE: "what now?"}


def say_steps(steps: Sequence[Step]) -> str:
    """Return a playbook in words: call, 3 days, call, 5 days, what now?"""
    words = []
    for number, step in enumerate(steps):
        if number or step.wait:
            unit = step.unit.removeprefix("business ")
            if step.unit == CALENDAR_DAYS:
                unit = f"calendar {unit}"
            wait = max(step.wait, 1)
            words.append(f"{wait}\N{NO-BREAK SPACE}{unit if wait > 1 else unit.removesuffix('s')}")
        words.append("the next person there" if step.colleague else SAID[step.channel])
    if steps[-1].repeat:
        words.append("and so on")
    return ", ".join(words)
