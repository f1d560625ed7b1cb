"""What happens to follow-ups: attempts, answers, snoozes, rests, endings.

Every verb is one transaction under the locks of planning.Pursuit, and leaves an Action that tells
what happened and how it was before.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from followups import coaching, colleagues, schedule, undoing
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
    State,
    Via,
    Window,
)
from followups.planning import (
    FRESH,
    CannotDo,
    Pursuit,
    asleep,
    close_reminder,
    end_row,
    fresh,
    give_date,
    give_planned,
    is_try,
    lock,
    put,
)

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
RESTED = "it has rested; a fresh hello"
# These tell something about a contact without having spoken to them.
NO_CONTACT = frozenset({Outcome.OUT_OF_OFFICE, Outcome.BOUNCED, Outcome.INTRODUCED})

# Rooms above that keep account of what a step was about: each gets the follow-up, the step whose
# words were sent and the local day, and returns what undo must remember of what it changed.
ON_SENT: list[Callable[[FollowUp, schedule.Step, date], list[dict[str, Any]]]] = []


@dataclass(frozen=True)
class Entry:
    """One interaction to be logged. `on` is a local date; `key` makes a repeated form harmless;
    `until` is the last day away of somebody who is out of office."""

    channel: str
    outcome: str
    on: date
    direction: str = Direction.OUT
    note: str = ""
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    playbook: Playbook | None = None
    until: date | None = None

    @property
    def answers(self):
        """Whether it ends what was waiting for an answer (rule 5)."""
        if self.outcome in NO_CONTACT:
            return False
        from_them = self.direction == Direction.IN and self.outcome != Outcome.NOTED
        return self.outcome in ANSWERS or from_them

    @property
    def is_attempt(self):
        """Whether it counts as unanswered until something answers it (rule 1)."""
        return self.outcome in UNANSWERED and self.direction == Direction.OUT

    @property
    def is_sent(self):
        """Whether words of mine have left."""
        return self.outcome == Outcome.SENT and self.direction == Direction.OUT


@dataclass(frozen=True)
class Start:
    """How a follow-up begins that has no attempt yet. `on` is a promised local date, which outranks
    the rule (rule 6), and `because` its reason in words. The first `done` steps count as done on
    the local day `since`, today unless said otherwise. `earliest` is the local day from which the
    rule counts, today unless said otherwise. `facts` are words for its drafts,
    {placeholder: words}."""

    purpose: str = ""
    on: date | None = None
    because: str = "the date you chose"
    done: int = 0
    since: date | None = None
    earliest: date | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def log(contact, entry, via=Via.APP, follow_up=None, beside=None):
    """Log an interaction and let it do what it does to the contact's follow-ups.

    An unanswered attempt plans the next step of its follow-up, or opens one (rule 1). An answer
    ends every pursuit of the contact (rule 5). Out of office is no answer: it pauses (rule 8). A
    mail that came back asks again. Anything else is only written down. The same `entry.key` again
    returns what was logged the first time. Undoing the Action `beside` undoes this one too.
    Returns the Action.
    """
    pursuit = Pursuit(contact)
    if beside:
        pursuit.beside(beside)
    known = Action.objects.filter(owner=pursuit.owner, interaction__key=entry.key).first()
    if known:
        return known
    addressed = pursuit.find(follow_up) if follow_up else None
    present = {row.pk: row.present for row in pursuit.follow_ups}
    said, target = _effect(entry)(pursuit, entry, addressed)
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
    if entry.channel != Channel.NOTE and entry.outcome not in NO_CONTACT:
        pursuit.contact.touch(entry.on)
    action = pursuit.act("logged", said, via, target, interaction)
    if entry.is_sent and target and target.pk in present:
        for hear in ON_SENT:
            undoing.remember(action, *hear(target, present[target.pk], entry.on))
    return action


def _effect(entry):
    """Return what an entry does: a function of the pursuit, the entry and the follow-up that it
    was logged for, if any, which returns what to say and the follow-up that it belongs to."""
    if entry.answers:
        return _answered
    if entry.is_attempt:
        return _attempted
    return {Outcome.OUT_OF_OFFICE: _away, Outcome.BOUNCED: _came_back}.get(entry.outcome, _noted)


def _noted(pursuit, entry, addressed):
    return "Noted.", addressed


def _answered(pursuit, entry, addressed):
    name = pursuit.contact.given_name
    ending = (
        Ending.MEETING_SET if entry.outcome in {Outcome.ARRANGED, Outcome.MET} else Ending.REPLIED
    )
    ended = [row for row in pursuit.follow_ups if row.ends_on_answer]
    for row in ended:
        end_row(row, ending, pursuit.today)
    quieted = colleagues.quiet(pursuit, entry.on)
    if addressed and not addressed.ends_on_answer:
        _advance(pursuit, addressed, max(entry.on, _since(addressed)), "you talked", entry)
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
    return f"{verb} {quieted}".strip(), target


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
    not_before = _asks_on(pursuit, target) if entry.on < since else date.min
    _advance(pursuit, target, max(entry.on, since), what, entry, not_before)
    _keep_apart(pursuit, target)
    if target.cold:
        colleagues.hold_back(pursuit, target.last_attempt_on)
    return _comes_back(pursuit, target), target


def _keep_apart(pursuit, tried):
    """Move the contact's other pursuits away from a try that was just made, whatever asks for
    them; what was promised stays."""
    for row in pursuit.follow_ups:
        if row.pk == tried.pk or row.promised or not is_try(row):
            continue
        planned = schedule.Planned(pursuit.due_on(row), row.reason)
        limits = schedule.Limits(tries=[tried.last_attempt_on])
        moved = schedule.within(planned, limits, pursuit.calendar)
        if moved != planned:
            give_date(pursuit, row, moved.on, moved.reason)


def _away(pursuit, entry, addressed):
    """Pause every pursuit until the work day after the last day away (rule 8); a later date that
    is known already stays."""
    if entry.until is None or entry.until < pursuit.today:
        raise CannotDo("Choose the last day away, today or later.")
    name, back = pursuit.contact.given_name, pursuit.calendar.add(entry.until, 1)
    reason = (
        f"out of office until {schedule.say_day(entry.until, pursuit.today)}, plus one business day"
    )
    waiting = [row for row in pursuit.follow_ups if row.ends_on_answer]
    for row in waiting:
        if pursuit.due_on(row) is not None and pursuit.due_on(row) < back:
            close_reminder(row)
            state = row.state if row.state == State.RESTING else State.PAUSED
            put(row, state=state, next_on=back, reason=reason, promised=False)
    target = addressed or (waiting[0] if waiting else None)
    if target is None or target.next_on is None:
        return (
            f"Noted. {name} is away until {schedule.say_day(entry.until, pursuit.today)}.",
            target,
        )
    return _comes_back(pursuit, target), target


def _came_back(pursuit, entry, addressed):
    """Take the last e-mail of a pursuit back: it reached nobody. Its step asks again, with another
    address or another way."""
    name, address = pursuit.contact.given_name, pursuit.contact.mark_bounced(entry.on)
    if address:
        pursuit.before["bounced"] = address.pk
    mailed = [row for row in pursuit.follow_ups if row.emails and row.state == State.ACTIVE]
    target = addressed or next(iter(mailed), None)
    if target is None or not target.emails:
        return f"Noted. That address of {name} does not work.", target
    give_date(
        pursuit,
        target,
        pursuit.calendar.on_or_after(pursuit.today),
        "your e-mail came back",
        turn=target.turn + 1,
        step=max(target.step - 1, 0),
        attempts=max(target.attempts - 1, 0),
        emails=target.emails - 1,
        last_attempt_on=_attempt_before_last(target),
    )
    return f"{_comes_back(pursuit, target)} Another address, or another way.", target


def _attempt_before_last(follow_up):
    attempts = follow_up.interactions.filter(direction=Direction.OUT, outcome__in=UNANSWERED)
    sent = attempts.filter(channel=Channel.EMAIL).order_by("-on", "-id").first()
    rest = attempts.exclude(pk=sent.pk) if sent else attempts
    return rest.aggregate(day=Max("on"))["day"]


def _since(follow_up):
    return follow_up.last_attempt_on or date.min


def _asks_on(pursuit, follow_up):
    reminder = pursuit.asking.get(follow_up.pk)
    return reminder.due_on if reminder else follow_up.next_on or date.min


def _soonest(follow_up):
    # One with an open reminder has no date and asks first; a resting one asks last.
    return (follow_up.state == State.RESTING, follow_up.next_on or date.min, follow_up.pk)


def _comes_back(pursuit, follow_up):
    name, reason = pursuit.contact.given_name, follow_up.reason
    if follow_up.next_on is None:
        return f"Noted. {name} is due now: {reason}."
    day = schedule.say_day(follow_up.next_on, pursuit.today)
    if follow_up.window and follow_up.present.channel == schedule.CALL:
        day += f", {coaching.say(follow_up.window)} this time"
    return f"Noted. I will bring {name} back on {day}: {reason}."


def _tries(count):
    return "One try" if count == 1 else f"{count} tries"


def _days(count):
    return {0: "the same day", 1: "one day"}.get(count, f"{count} days")


def default_playbook(owner, channel):
    """Return the playbook that a first unanswered attempt opens, or None for a mere note.

    Whoever deleted the usual one still gets a next date (rule 1), by another pursuit of theirs.
    """
    slug = DEFAULT_PLAYBOOK.get(channel)
    return slug and playbook_for(owner, slug)


def playbook_for(owner, slug):
    """Return the owner's playbook of that slug, or another pursuit of theirs if they deleted it:
    at least one is always left."""
    mine = Playbook.objects.for_user(owner)
    return mine.filter(slug=slug).first() or mine.filter(ends_on_answer=True).first()


def _advance(pursuit, follow_up, on, what, entry=None, not_before=date.min):
    """Move to the step after the present one (rules 1 and 4); the question stays the question.
    With an entry, this was a try."""
    changes = {**fresh(follow_up), "turn": follow_up.turn + 1}
    if entry:
        is_email = (entry.channel, entry.outcome) == (Channel.EMAIL, Outcome.SENT)
        changes |= {
            "attempts": changes.get("attempts", follow_up.attempts) + 1,
            "emails": changes.get("emails", follow_up.emails) + is_email,
            "last_attempt_on": on,
            "window": _next_window(pursuit, follow_up, entry),
        }
    emails = changes.get("emails", follow_up.emails) if follow_up.ends_on_answer else 0
    changes["step"], planned = schedule.follow(
        follow_up.plan, changes.get("step", follow_up.step), emails, on, pursuit.calendar, what
    )
    if planned.on < not_before:
        give_date(pursuit, follow_up, not_before, follow_up.reason, **changes)
    else:
        give_planned(pursuit, follow_up, planned, entry and on, **changes)


def _next_window(pursuit, follow_up, entry):
    """Return the part of the contact's day for the next call: the other one than this call's.
    A call of an earlier day tells no hour, so it counts as made when it was proposed."""
    if entry.channel != Channel.CALL:
        return follow_up.window
    zone = pursuit.contact.time_zone or pursuit.owner.time_zone
    if entry.on == pursuit.today:
        return coaching.other(coaching.window_of(timezone.now(), zone))
    return coaching.other(follow_up.window or Window.MORNING)


@transaction.atomic
def begin(contact, playbook, via=Via.APP, beside=None, **how):
    """Open a follow-up without an attempt; its first step asks on its day. `how` are the fields of
    a Start. Undoing the Action `beside` undoes this one too. A follow-up that is under way goes
    on, with the new purpose and facts added, on the earlier date. Returns the Action."""
    pursuit = Pursuit(contact)
    if beside:
        pursuit.beside(beside)
    return _begin(pursuit, playbook, via, Start(**how))


def _begin(pursuit, playbook, via, start, verb="opened"):
    if pursuit.contact.do_not_contact:
        raise CannotDo(f"{pursuit.contact.given_name} is marked as do not contact.")
    known = {row.pk for row in pursuit.follow_ups}
    follow_up = pursuit.open(playbook, start.purpose)
    if follow_up.pk in known:
        _join(pursuit, follow_up, start)
        said = f"{playbook.name} is already under way."
        return pursuit.act(verb, said, via, follow_up)
    put(follow_up, facts=start.facts)
    done = min(start.done, len(follow_up.plan) - 1)
    if start.on is not None:
        give_date(pursuit, follow_up, start.on, start.because, promised=True, step=done)
    elif done:
        since = start.since or pursuit.today
        step = follow_up.plan[done]
        planned = schedule.plan(step, since, pursuit.calendar, "the step before")
        give_planned(pursuit, follow_up, planned, step=done)
    else:
        _start_over(pursuit, follow_up, start.earliest)
    return pursuit.act(verb, _begins(follow_up), via, follow_up)


def _join(pursuit, follow_up, start):
    """Add one more purpose to a follow-up that is under way; the earlier date counts."""
    purposes = [follow_up.purpose] if follow_up.purpose else []
    if start.purpose and start.purpose not in follow_up.purpose:
        purposes.append(start.purpose)
    facts = {**follow_up.facts, **start.facts}
    put(follow_up, purpose="; ".join(purposes)[:300], facts=facts)
    if start.on is None or follow_up.pk in pursuit.asking:
        return
    if follow_up.state == State.ACTIVE and start.on < follow_up.next_on:
        give_date(pursuit, follow_up, start.on, start.because, promised=True)


def _start_over(pursuit, follow_up, earliest=None, **changes):
    """Give a follow-up the date of its first step, counted from a local day, else from today."""
    planned = schedule.begin(follow_up.plan[0], earliest or pursuit.today, pursuit.calendar)
    give_planned(pursuit, follow_up, planned, **changes)


def _begins(follow_up):
    if follow_up.next_on is None:
        return f"{follow_up.name} begins today."
    return f"{follow_up.name} begins on {schedule.say_day(follow_up.next_on)}: {follow_up.reason}."


@transaction.atomic
def colleague(follow_up, other, via=Via.APP):
    """Write to the next person at the organisation: the same playbook begins with `other`, and the
    present step counts as done. Returns the Action of the first contact.

    Raises CannotDo when `other` is the same person or must not be contacted.
    """
    if other.pk == follow_up.contact_id:
        raise CannotDo("Choose another person at that organisation.")
    lock(follow_up.contact, other)
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    playbook = row.playbook or default_playbook(pursuit.owner, Channel.EMAIL)
    if playbook is None:
        raise CannotDo("Make a playbook for first e-mails before you write to somebody new.")
    pursuit.companion()
    _advance(pursuit, row, pursuit.today, f"you turned to {other.given_name}")
    other.owner = pursuit.owner
    theirs = Pursuit(other, pursuit.batch)
    begun = _begin(theirs, playbook, via, Start(row.purpose), verb=colleagues.BEGUN)
    said = f"{other.given_name}: {begun.said} {_comes_back(pursuit, row)}"
    return pursuit.act("colleague", said, via, row)


@transaction.atomic
def skip(follow_up, via=Via.APP):
    """Leave the present step out; the next one counts from today. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.asks_to_decide:
        raise CannotDo("This was the last step. Try another way in, let it rest, or let go.")
    _advance(pursuit, row, pursuit.today, "you skipped a step")
    return pursuit.act("skipped", _comes_back(pursuit, row), via, row)


def snooze(follow_up, until, via=Via.APP):
    """Bring the present step back on exactly that local date. Returns the Action."""
    return _fix(follow_up, until, "you snoozed it", "snoozed", via)


def promise(follow_up, until, via=Via.APP):
    """Bring it back on exactly the local date that was agreed, such as "call me in May": a promise
    outranks the rule (rule 6). Returns the Action."""
    return _fix(follow_up, until, "you agreed on that day", "promised", via)


@transaction.atomic
def _fix(follow_up, until, reason, verb, via):
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    _must_come(pursuit, until)
    give_date(pursuit, row, until, reason, promised=True, **fresh(row))
    return pursuit.act(verb, _comes_back(pursuit, row), via, row)


@transaction.atomic
def move(follow_up, days, via=Via.APP):
    """Move the date of a follow-up by so many work days, forwards or, with a negative number,
    backwards but not before today. What the person chose is a promise. Returns the Action.

    Raises CannotDo when it has no date: paused until resumed.
    """
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    on = pursuit.due_on(row)
    if on is None:
        raise CannotDo("It is paused until you resume it, so there is no date to move.")
    on = max(pursuit.calendar.shift(on, days), pursuit.today)
    if row.state == State.ACTIVE:
        give_date(pursuit, row, on, "you moved it", promised=True)
    else:
        on = max(on, pursuit.today + timedelta(days=1))
        put(row, next_on=on, promised=True)
    return pursuit.act("moved", _comes_back(pursuit, row), via, row)


@transaction.atomic
def pause(follow_up, until=None, via=Via.APP):
    """Pause until a local date, or until resumed. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if until is not None:
        _must_come(pursuit, until)
    close_reminder(row)
    changes = {"state": State.PAUSED, "ending": "", "next_on": until, "promised": False}
    put(row, **changes, reason="the pause is over", **fresh(row))
    when = f"until {schedule.say_day(until, pursuit.today)}" if until else "until you resume it"
    return pursuit.act("paused", f"Paused {when}.", via, row)


@transaction.atomic
def resume(follow_up, via=Via.APP):
    """Take a paused or resting follow-up up again on the next work day. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.state == State.ACTIVE:
        raise CannotDo("That follow-up is already under way.")
    on = pursuit.calendar.on_or_after(pursuit.today)
    give_date(pursuit, row, on, "you resumed it", turn=row.turn + 1, **fresh(row))
    return pursuit.act("resumed", _comes_back(pursuit, row), via, row)


@transaction.atomic
def rest(follow_up, until=None, lesson="", via=Via.APP):
    """Let it rest until a local date, else as many days as the playbook says. Returns the
    Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    until = until or pursuit.today + timedelta(days=row.rest_days)
    _sleep(pursuit, row, until, Ending.NO_REPLY, RESTED, lesson)
    return pursuit.act("rested", say_rest(pursuit.contact, until), via, row)


@transaction.atomic
def not_now(follow_up, until, lesson="", via=Via.APP):
    """They said not now: ask again on exactly that local date. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    _sleep(pursuit, row, until, Ending.NOT_NOW, "they asked you to come back now", lesson)
    said = f"Not now. I will bring {pursuit.contact.given_name} back on {_date(until)}."
    return pursuit.act("not_now", said, via, row)


def _sleep(pursuit, row, until, ending, reason, lesson):
    _must_come(pursuit, until)
    close_reminder(row)
    put(row, **asleep(row, until, ending, reason), lesson=lesson or row.lesson)


def _must_come(pursuit, day):
    if day <= pursuit.today:
        raise CannotDo("Choose a day after today.")


def say_rest(contact, wake_on):
    return f"{contact.given_name} rests until {_date(wake_on)}. You did your part."


def say_end(ending):
    return f"Ended: {Ending(ending).label.lower()}."


def _date(day):
    return f"{schedule.say_day(day)} {day.year}"


@transaction.atomic
def end(follow_up, ending, lesson="", via=Via.APP):
    """End a follow-up for good, with its own word and maybe a lesson. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    end_row(row, ending, pursuit.today, lesson)
    return pursuit.act("ended", say_end(ending), via, row)


@transaction.atomic
def keep_lesson(follow_up, lesson):
    """Keep the one lesson of a follow-up; an empty one takes it away."""
    lock(follow_up.contact)
    put(follow_up, lesson=lesson.strip())


@transaction.atomic
def try_another_way(follow_up, playbook, via=Via.APP):
    """Answer the closing question (rule 7) with another playbook. Returns the Action."""
    pursuit = Pursuit(follow_up.contact)
    row = pursuit.find(follow_up)
    if row.playbook_id == playbook.pk:
        _start_over(pursuit, row, turn=row.turn + 1, **FRESH)
        return pursuit.act("restarted", _comes_back(pursuit, row), via, row)
    end_row(row, Ending.NO_REPLY, pursuit.today)
    new = pursuit.open(playbook, row.purpose)
    _start_over(pursuit, new, turn=new.turn + 1, **FRESH)
    return pursuit.act("restarted", _begins(new), via, new)


@transaction.atomic
def set_do_not_contact(contact, via=Via.APP):
    """Mark a contact as do not contact; that ends everything (rule 5). Returns the Action."""
    pursuit = Pursuit(contact)
    for row in pursuit.follow_ups:
        end_row(row, Ending.LET_GO, pursuit.today)
    pursuit.contact.do_not_contact = True
    pursuit.contact.save(update_fields=["do_not_contact"])
    said = f"{pursuit.contact.given_name} will not be asked for again."
    return pursuit.act("do_not_contact", said, via)
