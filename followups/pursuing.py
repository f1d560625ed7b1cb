"""What happens to follow-ups: attempts, answers, snoozes, rests, endings, and undoing them.

Every verb is one transaction that first locks the contact and then the contact's open
follow-ups, the lock that raising reminders takes too: an answer and a tick can never cross.
Every verb leaves an Action that tells what happened and how it was before.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from contacts.models import Contact
from followups import schedule
from followups.calendars import calendar_for
from followups.models import (
    ANSWERS,
    UNANSWERED,
    Action,
    Channel,
    Direction,
    Ending,
    FollowUp,
    Interaction,
    Outcome,
    Playbook,
    Reminder,
    State,
    Via,
)

KEPT = (
    "state",
    "ending",
    "step",
    "turn",
    "attempts",
    "last_attempt_on",
    "next_on",
    "reason",
    "lesson",
    "ended_on",
)
DATES = ("last_attempt_on", "next_on", "ended_on")
DEFAULT_PLAYBOOK = {
    Channel.CALL: "unanswered-call",
    Channel.EMAIL: "cold-request",
    Channel.MESSAGE: "cold-request",
}
DONE_AS = {
    (Channel.CALL, Outcome.VOICEMAIL): "your voicemail",
    (Channel.CALL, Outcome.BUSY): "the busy line",
    (Channel.CALL, Outcome.NO_ANSWER): "your call",
    (Channel.EMAIL, Outcome.SENT): "your e-mail",
    (Channel.MESSAGE, Outcome.SENT): "your message",
}


class CannotDo(Exception):
    """The follow-up is not in a state for that; the text is a sentence for the user."""


@dataclass(frozen=True)
class Entry:
    """One interaction to be logged. `on` is a local date; `key` makes a repeated form harmless."""

    channel: str
    outcome: str
    on: date
    direction: str = Direction.OUT
    note: str = ""
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    playbook: Playbook | None = None


class Pursuit:
    """The locked contact and open follow-ups of one verb, and how they were before."""

    def __init__(self, contact):
        self.contact = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        self.owner = contact.owner
        self.today = self.owner.today()
        self.calendar = calendar_for(self.owner)
        open_ones = FollowUp.objects.filter(contact=self.contact).open().order_by("id")
        self.follow_ups = list(open_ones.select_for_update(no_key=True))
        self.before = {
            "contact": {
                "do_not_contact": self.contact.do_not_contact,
                "last_interaction_on": _day_out(self.contact.last_interaction_on),
            },
            "follow_ups": [self._remember(follow_up) for follow_up in self.follow_ups],
        }

    def _remember(self, follow_up):
        kept = {name: getattr(follow_up, name) for name in KEPT}
        kept.update({name: _day_out(kept[name]) for name in DATES})
        open_one = follow_up.reminders.open().first()
        return {"id": follow_up.pk, "reminder": open_one.pk if open_one else None, "was": kept}

    def find(self, follow_up):
        """Return the locked row of a follow-up. Raises CannotDo when it has ended."""
        for row in self.follow_ups:
            if row.pk == follow_up.pk:
                return row
        raise CannotDo("That follow-up has already ended.")

    def open(self, playbook, purpose=""):
        """Return a new follow-up, or the open one of the same playbook."""
        for row in self.follow_ups:
            if row.playbook_id == playbook.pk:
                return row
        follow_up = FollowUp.objects.create(
            owner=self.owner,
            contact=self.contact,
            playbook=playbook,
            name=playbook.name,
            purpose=purpose,
            steps=playbook.steps,
            ends_on_answer=playbook.ends_on_answer,
            rest_days=playbook.rest_days,
            opened_on=self.today,
        )
        self.follow_ups.append(follow_up)
        self.before["follow_ups"].append({"id": follow_up.pk, "created": True})
        return follow_up

    def act(self, verb, said, via, follow_up=None, interaction=None):
        """Write down what was done; return the Action."""
        return Action.objects.create(
            owner=self.owner,
            contact=self.contact,
            follow_up=follow_up,
            interaction=interaction,
            verb=verb,
            said=said[:500],
            via=via,
            before=self.before,
        )


def _day_out(day):
    return day.isoformat() if day else None


def _day_in(text):
    return date.fromisoformat(text) if text else None


def _put(follow_up, **changes):
    for name, value in changes.items():
        setattr(follow_up, name, value)
    follow_up.save(update_fields=list(changes))


def close_reminder(follow_up):
    """Close the open reminder, if there is one: somebody acted."""
    follow_up.reminders.open().update(closed_at=timezone.now())


def raise_reminder(follow_up, now=None):
    """Turn the date of a follow-up into its open reminder, exactly one for each planned step.

    A paused or resting one becomes active again. The caller holds the row's lock.
    """
    changes = {"next_on": None, "state": State.ACTIVE}
    if follow_up.state == State.RESTING:
        changes.update(ending="", step=0, attempts=0, reason="It has rested; a fresh hello")
    elif follow_up.state == State.PAUSED:
        changes.update(reason="The pause is over")
    due_on = follow_up.next_on
    _put(follow_up, **changes)
    now = now or timezone.now()
    Reminder.objects.update_or_create(
        follow_up=follow_up,
        turn=follow_up.turn,
        defaults={"due_on": due_on, "closed_at": None},
        create_defaults={"owner_id": follow_up.owner_id, "due_on": due_on, "raised_at": now},
    )


def _schedule(pursuit, follow_up, on, reason, **changes):
    """Give an active follow-up its next date; a date that has come asks at once."""
    close_reminder(follow_up)
    _put(follow_up, next_on=on, reason=reason, state=State.ACTIVE, ending="", **changes)
    if on <= pursuit.today:
        raise_reminder(follow_up)


def _advance(pursuit, follow_up, on, what, attempted, not_before=date.min):
    """Move to the step after the present one (rules 1 and 4); the question stays the question."""
    plan = follow_up.plan
    fresh = _fresh(follow_up)
    step = min(fresh.get("step", follow_up.step) + 1, len(plan) - 1)
    planned = schedule.plan(plan[step], on, pursuit.calendar, what)
    if planned.on < not_before:
        planned = schedule.Planned(not_before, follow_up.reason)
    changes = {**fresh, "step": step, "turn": follow_up.turn + 1}
    if attempted:
        changes["attempts"] = fresh.get("attempts", follow_up.attempts) + 1
        changes["last_attempt_on"] = on
    _schedule(pursuit, follow_up, planned.on, planned.reason, **changes)


def _fresh(follow_up):
    """Return the changes with which a follow-up leaves its rest, whoever wakes it."""
    return {"step": 0, "attempts": 0} if follow_up.state == State.RESTING else {}


def _end(follow_up, ending, today, lesson=""):
    close_reminder(follow_up)
    _put(
        follow_up,
        state=State.ENDED,
        ending=ending,
        ended_on=today,
        next_on=None,
        reason="",
        lesson=lesson or follow_up.lesson,
    )


def default_playbook(owner, channel):
    """Return the playbook that a first unanswered attempt opens, or None for a mere note.

    Whoever deleted the usual one still gets a next date (rule 1), by another pursuit of theirs.
    """
    slug = DEFAULT_PLAYBOOK.get(channel)
    mine = Playbook.objects.for_user(owner).filter(ends_on_answer=True)
    return slug and (mine.filter(slug=slug).first() or mine.first())


@transaction.atomic
def log(contact, entry, via=Via.APP, follow_up=None):
    """Log an interaction and let it do what it does to the contact's follow-ups.

    An unanswered attempt plans the next step of its follow-up, or opens one (rule 1). An answer
    ends every pursuit of the contact (rule 5). Anything else is only written down. The same
    `entry.key` again returns what was logged the first time. Returns the Action.
    """
    pursuit = Pursuit(contact)
    known = Action.objects.filter(owner=pursuit.owner, interaction__key=entry.key).first()
    if known:
        return known
    addressed = pursuit.find(follow_up) if follow_up else None
    answered = entry.outcome in ANSWERS or (
        entry.direction == Direction.IN and entry.outcome != Outcome.NOTED
    )
    if answered:
        said, target = _answered(pursuit, entry, addressed)
    elif entry.outcome in UNANSWERED and entry.direction == Direction.OUT:
        said, target = _attempted(pursuit, entry, addressed)
    else:
        said, target = "Noted.", None
    interaction = Interaction.objects.create(
        owner=pursuit.owner,
        contact=pursuit.contact,
        follow_up=target,
        channel=entry.channel,
        direction=entry.direction,
        outcome=entry.outcome,
        on=entry.on,
        note=entry.note,
        key=entry.key,
        via=via,
    )
    pursuit.contact.touch(entry.on)
    return pursuit.act("logged", said, via, target, interaction)


def _answered(pursuit, entry, addressed):
    name = pursuit.contact.given_name
    ending = (
        Ending.MEETING_SET if entry.outcome in {Outcome.ARRANGED, Outcome.MET} else Ending.REPLIED
    )
    ended = [row for row in pursuit.follow_ups if row.ends_on_answer]
    for row in ended:
        _end(row, ending, pursuit.today)
    if addressed and not addressed.ends_on_answer:
        _advance(pursuit, addressed, max(entry.on, _since(addressed)), "you talked", True)
        return _comes_back(pursuit, addressed), addressed
    verb = {
        Outcome.TALKED: f"You talked with {name}.",
        Outcome.ARRANGED: f"A meeting with {name} is set.",
        Outcome.MET: f"You met {name}.",
    }.get(entry.outcome, f"{name} replied.")
    target = addressed or (ended[0] if ended else None)
    if target and target.attempts:
        days = max((entry.on - target.opened_on).days, 0)
        verb += f" {_tries(target.attempts)}, {_days(days)}."
    return verb, target


def _attempted(pursuit, entry, addressed):
    target = addressed
    if target is None:
        if pursuit.contact.do_not_contact:
            return "Noted.", None
        playbook = entry.playbook
        if playbook is None and pursuit.follow_ups:
            target = min(pursuit.follow_ups, key=_soonest)
        else:
            playbook = playbook or default_playbook(pursuit.owner, entry.channel)
            if playbook is None:
                return "Noted.", None
            target = pursuit.open(playbook)
    what = DONE_AS.get((entry.channel, entry.outcome), "your try")
    # A back-dated attempt never moves the next date backwards.
    since = _since(target)
    not_before = _due_on(target) if entry.on < since else date.min
    _advance(pursuit, target, max(entry.on, since), what, True, not_before)
    return _comes_back(pursuit, target), target


def _since(follow_up):
    return follow_up.last_attempt_on or date.min


def _due_on(follow_up):
    open_one = follow_up.reminders.open().first()
    return open_one.due_on if open_one else follow_up.next_on or date.min


def _soonest(follow_up):
    # One with an open reminder has no date and asks first; a resting one asks last.
    return (follow_up.state == State.RESTING, follow_up.next_on or date.min, follow_up.pk)


def _comes_back(pursuit, follow_up):
    name = pursuit.contact.given_name
    if follow_up.next_on is None:
        return f"Noted. {name} is due now: {follow_up.reason}."
    day = schedule.say_day(follow_up.next_on)
    return f"Noted. I will bring {name} back on {day}: {follow_up.reason}."


def _tries(count):
    return "One try" if count == 1 else f"{count} tries"


def _days(count):
    return {0: "the same day", 1: "one day"}.get(count, f"{count} days")


@transaction.atomic
def begin(contact, playbook, via=Via.APP, purpose="", on=None):
    """Open a follow-up without an attempt; its first step asks on its day. `on` is a promised
    date, which outranks the rule (rule 6). Returns the Action."""
    pursuit = Pursuit(contact)
    if pursuit.contact.do_not_contact:
        raise CannotDo(f"{pursuit.contact.given_name} is marked as do not contact.")
    known = {row.pk for row in pursuit.follow_ups}
    follow_up = pursuit.open(playbook, purpose)
    if follow_up.pk in known:
        return pursuit.act("opened", f"{playbook.name} is already under way.", via, follow_up)
    planned = schedule.begin(follow_up.present, pursuit.today, pursuit.calendar)
    if on is not None:
        planned = schedule.Planned(on, "the date you chose")
    _schedule(pursuit, follow_up, planned.on, planned.reason)
    day = schedule.say_day(planned.on)
    return pursuit.act("opened", f"{playbook.name} begins on {day}.", via, follow_up)


@transaction.atomic
def skip(follow_up, via=Via.APP):
    """Leave the present step out; the next one counts from today. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.asks_to_decide:
        raise CannotDo("This was the last step. Try another way in, let it rest, or let go.")
    _advance(pursuit, row, pursuit.today, "you skipped a step", False)
    return pursuit.act("skipped", _comes_back(pursuit, row), via, row)


@transaction.atomic
def snooze(follow_up, until, via=Via.APP, reason="you snoozed it"):
    """Bring the present step back on exactly that local date (rule 6). Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if until <= pursuit.today:
        raise CannotDo("Choose a day after today.")
    _schedule(pursuit, row, until, reason, **_fresh(row))
    return pursuit.act("snoozed", _comes_back(pursuit, row), via, row)


@transaction.atomic
def pause(follow_up, until=None, via=Via.APP):
    """Pause until a local date, or until resumed. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if until is not None and until <= pursuit.today:
        raise CannotDo("Choose a day after today.")
    close_reminder(row)
    _put(row, state=State.PAUSED, ending="", next_on=until, reason="paused", **_fresh(row))
    when = f"until {schedule.say_day(until)}" if until else "until you resume it"
    return pursuit.act("paused", f"Paused {when}.", via, row)


@transaction.atomic
def resume(follow_up, via=Via.APP):
    """Take a paused or resting follow-up up again on the next work day. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.state == State.ACTIVE:
        raise CannotDo("That follow-up is already under way.")
    on = pursuit.calendar.on_or_after(pursuit.today)
    _schedule(pursuit, row, on, "you resumed it", turn=row.turn + 1, **_fresh(row))
    return pursuit.act("resumed", _comes_back(pursuit, row), via, row)


@transaction.atomic
def rest(follow_up, wake_on=None, lesson="", via=Via.APP):
    """Let it rest until `wake_on`, else as many days as the playbook says. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    wake_on = wake_on or pursuit.today + timedelta(days=row.rest_days)
    if wake_on <= pursuit.today:
        raise CannotDo("Choose a day after today.")
    close_reminder(row)
    _put(
        row,
        state=State.RESTING,
        ending=Ending.NO_REPLY,
        next_on=wake_on,
        reason="resting",
        lesson=lesson or row.lesson,
        turn=row.turn + 1,
    )
    day = schedule.say_day(wake_on)
    name = pursuit.contact.given_name
    said = f"{name} rests until {day} {wake_on.year}. You did your part."
    return pursuit.act("rested", said, via, row)


@transaction.atomic
def end(follow_up, ending, lesson="", via=Via.APP):
    """End a follow-up for good, with its own word and maybe a lesson. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    _end(row, ending, pursuit.today, lesson)
    said = f"Ended: {Ending(ending).label.lower()}."
    return pursuit.act("ended", said, via, row)


@transaction.atomic
def try_another_way(follow_up, playbook, via=Via.APP):
    """Answer the closing question (rule 7) with another playbook. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.playbook_id == playbook.pk:
        on = schedule.begin(row.plan[0], pursuit.today, pursuit.calendar)
        _schedule(pursuit, row, on.on, on.reason, step=0, attempts=0, turn=row.turn + 1)
        return pursuit.act("restarted", _comes_back(pursuit, row), via, row)
    _end(row, Ending.NO_REPLY, pursuit.today)
    fresh = pursuit.open(playbook, row.purpose)
    planned = schedule.begin(fresh.plan[0], pursuit.today, pursuit.calendar)
    _schedule(pursuit, fresh, planned.on, planned.reason, step=0, attempts=0, turn=fresh.turn + 1)
    day = schedule.say_day(planned.on)
    return pursuit.act("restarted", f"{playbook.name} begins on {day}.", via, fresh)


@transaction.atomic
def set_do_not_contact(contact, via=Via.APP):
    """Mark a contact as do not contact; that ends everything (rule 5). Returns the Action."""
    pursuit = Pursuit(contact)
    for row in pursuit.follow_ups:
        _end(row, Ending.LET_GO, pursuit.today)
    pursuit.contact.do_not_contact = True
    pursuit.contact.save(update_fields=["do_not_contact"])
    said = f"{pursuit.contact.given_name} will not be asked for again."
    return pursuit.act("do_not_contact", said, via)


@transaction.atomic
def undo(action):
    """Put everything back as it was before an action, within an hour and only the newest one of
    the contact first. Undoing twice is harmless. Returns the contact.

    Raises CannotDo with the reason.
    """
    contact = Contact.objects.select_for_update(no_key=True).get(pk=action.contact_id)
    action = Action.objects.select_for_update(no_key=True).get(pk=action.pk)
    if action.undone_at:
        return contact
    if not action.can_undo:
        raise CannotDo("That was more than an hour ago, so it stays.")
    if Action.objects.filter(contact=contact, undone_at=None, pk__gt=action.pk).exists():
        raise CannotDo(f"Something newer happened with {contact.given_name}. Undo that first.")
    for was in action.before["follow_ups"]:
        _restore(was)
    kept = action.before["contact"]
    contact.do_not_contact = kept["do_not_contact"]
    contact.last_interaction_on = _day_in(kept["last_interaction_on"])
    contact.save(update_fields=["do_not_contact", "last_interaction_on"])
    interaction, action.interaction = action.interaction, None
    action.undone_at = timezone.now()
    action.save(update_fields=["undone_at", "interaction"])
    if interaction:
        interaction.delete()
    return contact


def _restore(was):
    follow_up = FollowUp.objects.select_for_update(no_key=True).filter(pk=was["id"]).first()
    if follow_up is None:
        return
    if was.get("created"):
        follow_up.delete()
        return
    follow_up.reminders.filter(turn__gt=was["was"]["turn"]).delete()
    close_reminder(follow_up)
    fields = {**was["was"], **{name: _day_in(was["was"][name]) for name in DATES}}
    _put(follow_up, **fields)
    if was["reminder"]:
        follow_up.reminders.filter(pk=was["reminder"]).update(closed_at=None)
