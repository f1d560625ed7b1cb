"""What comes: the next two weeks of one user, day by day, with the days off named."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.db.models import Q

from followups.calendars import calendar_for
from followups.models import Action, FollowUp, Reminder
from followups.schedule import WorkCalendar
from followups.spreading import MANY, say_people

DAYS = 14


@dataclass(frozen=True)
class Row:
    """A follow-up on its day, how many days it has waited, and what Undo would take back."""

    follow_up: FollowUp
    waited: int
    moved: Action | None


@dataclass(frozen=True)
class Stretch:
    """One day, or several days off in a row on which nothing falls. `off` says why it is no work
    day, `hidden` how many more people wait than the rows show."""

    first_on: date
    last_on: date
    off: str
    rows: list[Row]
    hidden: int
    cap: int

    @property
    def fullness(self) -> str:
        """Return how full the day is against the user's cap, in words."""
        people = len({row.follow_up.contact_id for row in self.rows}) + self.hidden
        if not people:
            return "nothing yet"
        if people < self.cap:
            return say_people(people)
        full = "a full day" if people == self.cap else "more than a full day"
        return f"{say_people(people)}, {full}"


def coming_days(user, today: date) -> list[Stretch]:
    """Return today and the DAYS after it with the follow-ups that fall on them; what waits already
    is today's, the longest waiting first. Whoever was just moved out of these days is shown too, so
    that it can be undone. A fixed number of queries."""
    asking = Reminder.objects.for_user(user).open().filter(due_on__lte=today)
    waiting = asking.select_related("follow_up__contact__organisation").order_by("due_on", "id")
    moved = _moved_just_now(user)
    by_day = defaultdict(list)
    for reminder in waiting[:MANY]:
        row = reminder.follow_up
        by_day[today].append(Row(row, reminder.waited(today), moved.get(row.pk)))
    until = today + timedelta(days=DAYS)
    shown = Q(next_on__lte=until) | Q(pk__in=moved, next_on__isnull=False)
    dated = FollowUp.objects.for_user(user).open().filter(shown)
    for row in dated.select_related("contact__organisation").order_by("next_on", "id"):
        by_day[max(row.next_on, today)].append(Row(row, 0, moved.get(row.pk)))
    hidden = max(asking.count() - MANY, 0)
    calendar = calendar_for(user)
    days = [today + timedelta(days=n) for n in range(DAYS + 1)]
    days += sorted(on for on in by_day if on > until)
    off = {on: _why_off(on, calendar) for on in days}
    together = groupby(days, key=lambda on: on if on == today or by_day[on] else off[on] or on)
    stretches = [list(group) for _, group in together]
    return [
        Stretch(
            first_on=group[0],
            last_on=group[-1],
            off=off[group[0]],
            rows=by_day[group[0]],
            hidden=hidden if group[0] == today else 0,
            cap=user.daily_cap,
        )
        for group in stretches
    ]


def _moved_just_now(user):
    """Return the moves that Undo would take back, by follow-up: nothing newer happened with those
    people."""
    recent = Action.objects.for_user(user).undoable()
    newest = recent.order_by("contact_id", "-id").distinct("contact_id").values("pk")
    moves = Action.objects.filter(pk__in=newest, verb="moved", batch=None)
    return {action.follow_up_id: action for action in moves.defer("before")}


def _why_off(day: date, calendar: WorkCalendar) -> str:
    """Return why a day is no work day, in words; nothing when it is one."""
    if calendar.is_work_day(day):
        return ""
    return calendar.holidays.get(day) or ("the weekend" if day.weekday() > 4 else "a day off")
