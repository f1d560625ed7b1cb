"""Much at once: a backlog that is settled on one screen, and breaks that shift what was planned
(rule 9). Nothing fires all at once afterwards: what has to move goes to lighter days.

Each stroke is one transaction, and one batch of Actions that can be undone together.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.contrib.humanize.templatetags.humanize import apnumber
from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from contacts.models import Contact
from followups import pursuing, schedule
from followups.calendars import calendar_for, usual_calendar
from followups.models import (
    STROKES,
    Action,
    Break,
    Ending,
    FollowUp,
    Reminder,
    State,
    Via,
)
from followups.planning import CannotDo, asleep, ended, remember
from followups.schedule import Limits, Planned, WorkCalendar
from netcrm.models import User

# Rule 9: what has waited longer than so many business days, or more open items than these.
WAITED_LONG, MANY = 10, 15
# How many of a backlog fit on one screen; the next ones come up when these are settled.
AT_ONCE = 1000
SAID = {
    "moved": ("comes back on another day", "come back on other days"),
    "kept": ("stays on today’s list", "stay on today’s list"),
    "rested": ("rests", "rest"),
    "ended": ("is let go", "are let go"),
}
LONGEST_BREAK = timedelta(days=180)
KEEP, SPREAD, REST, LET_GO = "keep", "spread", "rest", "let_go"
CHOICES = (KEEP, SPREAD, REST, LET_GO)
# A stroke may fill more than the usual two weeks before it takes full days.
LOOK_AHEAD = 60
# The fields of a follow-up that a stroke may change.
CHANGED = ("state", "ending", "turn", "next_on", "promised", "reason", "ended_on")


@dataclass(frozen=True)
class Backlog:
    """What waits on a local date: how many items, and those to make room among, oldest first.

    `needed` when rule 9 calls for it: then these are all of them if there are many, else those
    that have waited long. While it does not, they are all that is due.
    """

    needed: bool
    waiting: int
    reminders: list[Reminder]


def backlog(user, day: date) -> Backlog:
    """Return the backlog of a user on a local date, at most AT_ONCE of it."""
    asking = Reminder.objects.for_user(user).open().filter(due_on__lte=day)
    counted = asking.aggregate(waiting=Count("pk"), oldest=Min("due_on"))
    needed = is_backlog(user, day, **counted)
    shown = asking
    if needed and counted["waiting"] <= MANY:
        shown = asking.filter(due_on__lt=_long_ago(user, day))
    reminders = list(shown.to_show().order_by("due_on", "id")[:AT_ONCE])
    return Backlog(needed, counted["waiting"], reminders)


def is_backlog(user, day: date, waiting: int, oldest: date | None) -> bool:
    """Tell whether so many items that wait, the oldest of them due on `oldest`, call for making
    room. No query, so that Today can ask."""
    return waiting > MANY or (oldest is not None and oldest < _long_ago(user, day))


def _long_ago(user, day):
    """Return the day before which something was due that has waited too long: more business days
    have passed since, `day` among them if it is one."""
    return usual_calendar(user).shift(day + timedelta(days=1), -(WAITED_LONG + 1))


@dataclass(frozen=True)
class Stroke:
    """What was done to many people at once: how many for each verb of it, at least one."""

    batch: uuid.UUID
    people: Mapping[str, int]

    @property
    def said(self) -> str:
        """Return it in words: 12 people come back on other days and one rests."""
        done = [(self.people[verb], *SAID[verb]) for verb in STROKES if self.people[verb]]
        parts = [f"{apnumber(n)} {one if n == 1 else many}" for n, one, many in done]
        first, one, many = done[0]
        parts[0] = f"{say_people(first)} {one if first == 1 else many}".capitalize()
        return f"{', '.join(parts[:-1])} and {parts[-1]}." if parts[1:] else f"{parts[0]}."


def say_people(count: int) -> str:
    """Return how many people in words: nine people."""
    return f"{apnumber(count)} {'person' if count == 1 else 'people'}"


def strokes(user) -> list[Stroke]:
    """Return what was done to many people at once within the hour and stands, newest first."""
    counted = {verb: Count("contact", distinct=True, filter=Q(verb=verb)) for verb in STROKES}
    rows = Action.objects.for_user(user).undoable().strokes().values("batch")
    rows = rows.annotate(at=Max("at"), **counted).order_by("-at")
    return [Stroke(row["batch"], row) for row in rows]


@transaction.atomic
def settle(user, choices: Mapping[int, str], via: str = Via.APP) -> uuid.UUID:
    """Do with each open reminder of a user what was chosen, by follow-up id: KEEP it for today,
    SPREAD it over the coming days, let it REST, or LET_GO. Returns the batch for undo.

    What was answered in the meantime is left alone.
    """
    batch = uuid.uuid4()
    desk = Desk(user, batch, via)
    rows = [row for row in desk.take(Q(pk__in=list(choices))) if row.pk in desk.asking]

    def chosen(choice):
        return [row for row in rows if choices[row.pk] == choice]

    desk.place(chosen(SPREAD), desk.calendar.add(desk.today, 1), "spread from your backlog")
    desk.keep(chosen(KEEP))
    desk.rest(chosen(REST))
    desk.let_go(chosen(LET_GO))
    desk.write()
    return batch


@transaction.atomic
def take_break(user, kind: str, first_on: date, last_on: date, via: str = Via.APP) -> Break:
    """Take a break from one local date to another, both included, and shift what was planned.

    What falls on its days or later keeps its order and its distance in work days, after the break;
    what has waited already goes to the first light days after it; a promised date moves only out
    of the break. The same break taken twice is one. Raises CannotDo with a sentence when the days
    are no break.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    same = {"kind": kind, "first_on": first_on, "last_on": last_on}
    if known := Break.objects.for_user(user).filter(**same).first():
        return known
    today = user.today()
    if first_on < today:
        raise CannotDo("A break begins today or later.")
    if last_on < first_on:
        raise CannotDo("A break ends on its first day or later.")
    if last_on - first_on >= LONGEST_BREAK:
        raise CannotDo(f"A break is {LONGEST_BREAK.days} days at most. Take another one after it.")
    before = calendar_for(user)
    row = Break.objects.create(owner=user, **same)
    desk = Desk(user, row.key, via)
    moving = Q(next_on__gte=first_on)
    if first_on <= today:
        moving |= Q(reminders__closed_at=None, reminders__isnull=False)
    rows = desk.take(moving)
    reason = f"after {row.in_words}"
    asking = [each for each in rows if each.pk in desk.asking]
    dated = [each for each in rows if each.pk not in desk.asking]
    shift = Shift(before, desk.calendar, first_on, last_on)
    desk.shift([each for each in dated if not _stays(each)], shift, reason)
    inside = [each for each in dated if _stays(each) and desk.since(each) <= last_on]
    desk.place([*inside, *asking], desk.calendar.on_or_after(last_on + timedelta(days=1)), reason)
    desk.write()
    if first_on <= today:
        _mark_begun(row)
    return row


def begin_breaks(now: datetime) -> int:
    """Move what still waits behind each break whose first day has come at the instant `now`;
    return how many began. A break may be planned long before: what is answered until then need
    not move.
    """
    soon = Break.objects.filter(begun=False, first_on__lte=now.date() + timedelta(days=1))
    come = [row for row in soon.select_related("owner") if row.first_on <= row.owner.today(now)]
    return sum(_begin(row, now) for row in come)


@transaction.atomic
def _begin(row: Break, now: datetime) -> bool:
    """Begin one break, unless another process does or it is over."""
    mine = Break.objects.filter(pk=row.pk, begun=False)
    if not mine.select_for_update(skip_locked=True, no_key=True).exists():
        return False
    desk = Desk(row.owner, uuid.uuid4(), Via.SYSTEM)
    if row.owner.today(now) <= row.last_on:
        rows = desk.take(Q(reminders__closed_at=None, reminders__isnull=False))
        first = desk.calendar.on_or_after(row.last_on + timedelta(days=1))
        desk.place(rows, first, f"after {row.in_words}")
        desk.write()
    _mark_begun(row)
    return True


def _mark_begun(row: Break) -> None:
    row.begun = True
    row.save(update_fields=["begun"])


def _stays(follow_up: FollowUp) -> bool:
    """Tell whether a date was chosen or agreed: only the break itself can move it."""
    return follow_up.promised or follow_up.state != State.ACTIVE


@transaction.atomic
def end_break(row: Break) -> None:
    """End a break today, or take it back if it has not begun. The dates stay where they are."""
    yesterday = row.owner.today() - timedelta(days=1)
    if row.first_on > yesterday:
        row.delete()
    elif row.last_on > yesterday:
        row.last_on = yesterday
        row.save(update_fields=["last_on"])


class Shift:
    """Moves dates from `first_on` on behind a break: the n-th work day from its beginning becomes
    the n-th work day after its end."""

    def __init__(self, before: WorkCalendar, after: WorkCalendar, first_on: date, last_on: date):
        self.before, self.after, self.first_on = before, after, first_on
        self.known: dict[date, date] = {}
        self.back_on = after.on_or_after(last_on + timedelta(days=1))

    def __call__(self, day: date) -> date:
        """Return where a date on or after the beginning of the break moves."""
        if day not in self.known:
            self.known[day] = self.after.add(self.back_on, self._work_days_before(day))
        return self.known[day]

    def _work_days_before(self, day: date) -> int:
        between = (self.first_on + timedelta(days=n) for n in range((day - self.first_on).days))
        return sum(self.before.is_work_day(each) for each in between)


class Desk:
    """Follow-ups of one user that move at one stroke: locked, remembered, moved, written in a
    constant number of queries."""

    def __init__(self, user, batch: uuid.UUID, via: str):
        self.user, self.batch, self.via = user, batch, via
        self.today = user.today()
        self.calendar = calendar_for(user)
        self.asking: dict[int, Reminder] = {}
        self.memories: dict[int, dict] = {}
        self.done: list[tuple[str, FollowUp]] = []

    def take(self, wanted: Q) -> list[FollowUp]:
        """Lock the open follow-ups that are wanted, contacts first and in order as every verb
        does; return them, the longest waiting first."""
        mine = FollowUp.objects.for_user(self.user).open().filter(wanted)
        ids = list(mine.order_by().values_list("pk", "contact_id").distinct())
        contacts = Contact.objects.filter(pk__in={contact for _, contact in ids}).order_by("pk")
        locked = {row.pk: row for row in contacts.select_for_update(no_key=True)}
        rows = FollowUp.objects.open().filter(pk__in=[pk for pk, _ in ids]).order_by("pk")
        taken = [row for row in rows.select_for_update(no_key=True) if row.contact_id in locked]
        reminders = Reminder.objects.open().filter(follow_up__in=taken)
        self.asking = {reminder.follow_up_id: reminder for reminder in reminders}
        for row in taken:
            row.contact = locked[row.contact_id]
            self.memories[row.pk] = remember(row, self.asking.get(row.pk))
        # What is paused until resumed, or was answered before the lock, has nothing to move.
        taken = [row for row in taken if row.next_on or row.pk in self.asking]
        return sorted(taken, key=lambda row: (self.since(row), row.pk))

    def since(self, row: FollowUp) -> date:
        """Return since when a row asks, or when it will."""
        reminder = self.asking.get(row.pk)
        return reminder.due_on if reminder else row.next_on or self.today

    def place(self, rows: list[FollowUp], first: date, reason: str) -> None:
        """Give each row the first day from `first` on that is not full, in their order."""
        load = self._load(first) if rows else Counter()
        limits = Limits(load=load, cap=self.user.daily_cap)
        for row in rows:
            on = schedule.within(Planned(first, reason), limits, self.calendar, LOOK_AHEAD).on
            load[on] += 1
            self._move(row, on, reason if row.state == State.ACTIVE else row.reason)

    def shift(self, rows: list[FollowUp], shift: Shift, reason: str) -> None:
        """Move the date of each row, unless it is free already."""
        for row in rows:
            if (on := shift(self.since(row))) != row.next_on:
                self._move(row, on, f"{reason}; {row.reason}")

    def keep(self, rows: list[FollowUp]) -> None:
        """Let each row ask today, as if it had come up today."""
        self.done += [("kept", row) for row in rows]

    def rest(self, rows: list[FollowUp]) -> None:
        """Let each row rest as long as its playbook says, as pursuing.rest() does."""
        for row in rows:
            wake_on = self.today + timedelta(days=row.rest_days)
            self._put(row, "rested", asleep(row, wake_on, Ending.NO_REPLY, pursuing.RESTED))

    def let_go(self, rows: list[FollowUp]) -> None:
        """End each row, as pursuing.end() does."""
        for row in rows:
            self._put(row, "ended", ended(Ending.LET_GO, self.today))

    def _move(self, row: FollowUp, on: date, reason: str) -> None:
        self._put(row, "moved", {"next_on": on, "reason": reason[: schedule.LONGEST_REASON]})

    def _put(self, row: FollowUp, verb: str, changes: dict) -> None:
        vars(row).update(changes)
        self.done.append((verb, row))

    def _load(self, first: date) -> Counter:
        moved = {row.pk: row.next_on for verb, row in self.done if verb == "moved"}
        ahead = FollowUp.objects.for_user(self.user).filter(
            state=State.ACTIVE, next_on__range=(first, first + timedelta(days=2 * LOOK_AHEAD))
        )
        load = Counter(on for pk, on in ahead.values_list("pk", "next_on") if pk not in moved)
        load.update(moved.values())
        return load

    def write(self) -> None:
        """Save what was done, with one Action for each contact and verb."""
        kept = [row for verb, row in self.done if verb == "kept"]
        changed = [row for verb, row in self.done if verb != "kept"]
        Reminder.objects.open().filter(follow_up__in=changed).update(closed_at=timezone.now())
        Reminder.objects.open().filter(follow_up__in=kept).update(due_on=self.today)
        FollowUp.objects.bulk_update(changed, CHANGED, batch_size=AT_ONCE)
        by_contact = groupby(
            sorted(self.done, key=lambda done: (done[1].contact_id, done[0], done[1].pk)),
            key=lambda done: (done[1].contact_id, done[0]),
        )
        actions = [self._action(verb, [row for _, row in done]) for (_, verb), done in by_contact]
        Action.objects.bulk_create(actions, batch_size=AT_ONCE)

    def _action(self, verb: str, rows: list[FollowUp]) -> Action:
        return Action(
            owner=self.user,
            contact=rows[0].contact,
            follow_up=rows[0],
            verb=verb,
            said=_say(verb, rows[0])[:500],
            via=self.via,
            before={"follow_ups": [self.memories[row.pk] for row in rows]},
            batch=self.batch,
        )


def _say(verb, row):
    """Return what was done with a follow-up, in words, as its history tells it."""
    name = row.contact.given_name
    match verb:
        case "kept":
            return f"{name} stays on today’s list."
        case "rested":
            return pursuing.say_rest(row.contact, row.next_on)
        case "ended":
            return pursuing.say_end(row.ending)
    return f"{name} comes back on {schedule.say_day(row.next_on)}: {row.reason}."
