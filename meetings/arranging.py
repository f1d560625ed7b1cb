"""What happens to meetings: proposed, confirmed, moved, held, cancelled.

Every verb is one transaction that first locks the contacts, as the verbs of followups.pursuing do,
and then the meeting. What it does to the follow-ups of several contacts is undone with what it does
to the first.
"""

from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from followups import pursuing, undoing
from followups.models import Action, Channel, Ending, Outcome, Via
from followups.planning import CannotDo, Pursuit, end_row, lock, put
from followups.pursuing import Entry
from followups.schedule import say_day
from meetings.localtimes import offer, say_time
from meetings.models import Attendee, Meeting, ProposedTime, State

PLAYBOOK = "meeting-proposed"


@transaction.atomic
def propose(owner, contacts, kind, times, **details):
    """Put two or three aware instants on offer; nothing is sent yet. Returns the Meeting.

    `details` are the other fields of a Meeting. The same `key` again returns the same meeting.
    """
    meeting, is_new = _make(owner, contacts, State.PROPOSED, kind=kind, **details)
    if is_new:
        _put_on_offer(meeting, times)
    return meeting


@transaction.atomic
def arrange(owner, contacts, kind, starts_at, via=Via.APP, known=None, **details):
    """Fix a meeting at an aware instant, which ends what was pursued with each contact (rule 5);
    one whose time has passed was held. Returns the Meeting.

    `known` is an Interaction that tells of it already: nothing is logged twice. `details` are the
    other fields of a Meeting. The same `key` again returns the same meeting.
    """
    state = State.HELD if starts_at <= timezone.now() else State.CONFIRMED
    meeting, is_new = _make(owner, contacts, state, kind=kind, starts_at=starts_at, **details)
    if is_new:
        outcome = Outcome.MET if state == State.HELD else Outcome.ARRANGED
        action = _tell_each(meeting, outcome, via, known)
        if action:
            undoing.remember(action, undoing.made(meeting))
    return meeting


@transaction.atomic
def sent(meeting, channel=Channel.EMAIL, via=Via.APP):
    """The proposed times are on their way: a try, after which the engine asks for the answer.
    Returns the Action. Raises CannotDo when no times are on offer."""
    _locked(meeting)
    _must_be(meeting, State.PROPOSED, "There are no times on offer any more.")
    playbook = pursuing.playbook_for(meeting.owner, PLAYBOOK)

    def send(row, beside):
        today = meeting.owner.today()
        entry = Entry(channel, Outcome.SENT, today, note=meeting.purpose, playbook=playbook)
        action = pursuing.log(row.contact, entry, via, beside=beside)
        if follow_up := action.follow_up:
            put(follow_up, facts={**follow_up.facts, **facts(meeting, row.contact)})
        return action

    action = _each(meeting, send)
    # Nothing of the meeting changed, but its page offers to undo what was done with it.
    undoing.remember(action, undoing.memory(meeting, "state"))
    return action


def facts(meeting, contact):
    """Return what the words of the playbook say about the times on offer: {placeholder: words}."""
    mine, theirs = meeting.time_zone, contact.time_zone
    lines = [f"- {offer(row.starts_at, mine, theirs)}" for row in meeting.proposed_times.all()]
    return {"times": "\n".join(lines)}


@transaction.atomic
def propose_again(meeting, times):
    """Put other times on offer, also for a meeting that was fixed or did not come about.

    Raises CannotDo when it was held.
    """
    _locked(meeting)
    if meeting.state == State.HELD:
        raise CannotDo("That one has happened already. Arrange a new one.")
    change(meeting, state=State.PROPOSED, starts_at=None)
    meeting.proposed_times.all().delete()
    _put_on_offer(meeting, times)


@transaction.atomic
def confirm(meeting, starts_at, via=Via.APP):
    """Fix one of the proposed times, or another aware instant, and end what was pursued with each
    contact. Returns the Action.

    Raises CannotDo when the meeting is not on offer any more, or the time has passed.
    """
    _locked(meeting)
    _must_be(meeting, State.PROPOSED, "There are no times on offer any more.")
    _must_come(starts_at)
    was = undoing.memory(meeting, "state", "starts_at")
    change(meeting, state=State.CONFIRMED, starts_at=starts_at)
    action = _tell_each(meeting, Outcome.ARRANGED, via)
    undoing.remember(action, was)
    return action


@transaction.atomic
def move(meeting, starts_at, via=Via.APP):
    """Give a confirmed meeting another aware instant. Returns the Action, which says the new time.

    Raises CannotDo when it is not confirmed, or the time has passed.
    """
    _locked(meeting)
    _must_be(meeting, State.CONFIRMED, "Only a coffee that is fixed can be moved.")
    _must_come(starts_at)
    was = undoing.memory(meeting, "state", "starts_at")
    change(meeting, starts_at=starts_at)
    said = f"{meeting.heading} is now on {say_time(starts_at, meeting.owner.time_zone)}."

    def tell(row, beside):
        pursuit = Pursuit(row.contact)
        if beside:
            pursuit.beside(beside)
        return pursuit.act("meeting_moved", said, via)

    action = _each(meeting, tell)
    undoing.remember(action, was)
    return action


@transaction.atomic
def hold(meeting, via=Via.APP):
    """It took place: each contact was met on the local date on which it began, never later than
    today. Returns the Action; when it was held before, the one of then.

    Raises CannotDo when it was not confirmed, or its day is still to come.
    """
    _locked(meeting)
    if meeting.state == State.HELD:
        told = Action.objects.filter(interaction__attended__meeting=meeting)
        return told.order_by("id").first()
    _must_be(meeting, State.CONFIRMED, "It was not fixed, so there is nothing to log yet.")
    if (on := _day(meeting)) > meeting.owner.today():
        raise CannotDo(f"That one is still to come, on {say_day(on)}. Move it if it was earlier.")
    was = undoing.memory(meeting, "state", "starts_at")
    change(meeting, state=State.HELD)
    action = _tell_each(meeting, Outcome.MET, via)
    undoing.remember(action, was)
    return action


@transaction.atomic
def cancel(meeting, reason="", again=False, via=Via.APP):
    """Cancel a meeting, or withdraw the times on offer; with `again` the engine asks to offer other
    times, so that nobody is dropped. Returns the Action.

    Raises CannotDo when it was held, or did not come about anyway.
    """
    _locked(meeting)
    if meeting.state not in {State.PROPOSED, State.CONFIRMED}:
        raise CannotDo("That one is over, so there is nothing to cancel.")
    what = "The times on offer were withdrawn."
    if meeting.state == State.CONFIRMED:
        what = f"{meeting.heading} on {say_day(_day(meeting))} was cancelled."
    return _call_off(meeting, State.CANCELLED, f"{what} {reason}", again, via)


@transaction.atomic
def no_show(meeting, via=Via.APP):
    """They did not come: the engine asks to offer other times. Returns the Action.

    Raises CannotDo when it was not confirmed, or its time is still to come.
    """
    _locked(meeting)
    _must_be(meeting, State.CONFIRMED, "It was not fixed, so nobody could come.")
    if meeting.starts_at > timezone.now():
        raise CannotDo(
            "That one is still to come. Cancel it if you know that nobody will be there."
        )
    what = f"{meeting.heading} on {say_day(_day(meeting))}: they did not come."
    return _call_off(meeting, State.NO_SHOW, what, True, via)


def _call_off(meeting, state, note, again, via):
    """Say in the story of each contact what became of it, and let the engine ask to offer other
    times, or end what waited for an answer about the ones on offer."""
    was = undoing.memory(meeting, "state", "starts_at")
    withdrawn = meeting.state == State.PROPOSED
    change(meeting, state=state)
    playbook = pursuing.playbook_for(meeting.owner, PLAYBOOK)

    def tell(row, beside):
        entry = Entry(Channel.NOTE, Outcome.NOTED, meeting.owner.today(), note=note.strip())
        action = pursuing.log(row.contact, entry, via, beside=beside)
        if again and not row.contact.do_not_contact:
            purpose = meeting.purpose[:300]
            begun = pursuing.begin(row.contact, playbook, via, action, purpose=purpose)
            put(action, said=f"{action.said} {begun.said}")
        elif withdrawn:
            _stop_asking(row.contact, playbook, via, action)
        return action

    action = _each(meeting, tell)
    undoing.remember(action, was)
    return action


def _stop_asking(contact, playbook, via, beside):
    pursuit = Pursuit(contact)
    pursuit.beside(beside)
    for row in pursuit.follow_ups:
        if row.playbook_id == playbook.pk:
            end_row(row, Ending.LET_GO, pursuit.today)
            pursuit.act("ended", pursuing.say_end(Ending.LET_GO), via, row)


def _make(owner, contacts, state, *, zone="", key=None, **fields):
    """Return a meeting with its contacts and whether it is new, or the known one of that key."""
    locked = lock(*contacts)
    if key:
        known = Meeting.objects.filter(owner=owner, key=key).first()
        if known:
            return known, False
        fields["key"] = key
    meeting = Meeting(owner=owner, state=state, time_zone=zone or owner.time_zone, **fields)
    meeting.save(force_insert=True)
    Attendee.objects.bulk_create(
        Attendee(owner=owner, meeting=meeting, contact=locked[contact.pk]) for contact in contacts
    )
    _fetch_people(meeting)
    return meeting, True


def _put_on_offer(meeting, times):
    for starts_at in times:
        _must_come(starts_at)
    ProposedTime.objects.bulk_create(
        ProposedTime(owner=meeting.owner, meeting=meeting, starts_at=starts_at)
        for starts_at in sorted(set(times))
    )


def _locked(meeting):
    """Lock the contacts and the meeting, and bring it up to date."""
    owner, people = meeting.owner, list(meeting.contacts.all())
    if not people:
        raise CannotDo("Nobody of that meeting is in your notebook any more.")
    lock(*people)
    meeting.refresh_from_db(from_queryset=Meeting.objects.select_for_update(no_key=True))
    meeting.owner = owner
    _fetch_people(meeting)


def _fetch_people(meeting):
    """Fetch the attendees as the engine needs them: each contact knows its owner's days."""
    people = Attendee.objects.select_related("contact__organisation", "interaction")
    prefetch_related_objects([meeting], Prefetch("attendees", people))
    for row in meeting.attendees.all():
        row.contact.owner = meeting.owner


def _must_be(meeting, state, sentence):
    if meeting.state != state:
        raise CannotDo(sentence)


def _must_come(starts_at):
    if starts_at <= timezone.now():
        raise CannotDo("That time has passed. Choose one to come.")


def change(meeting, **changes):
    """Set and save fields of a meeting by name; calendar programs are told of a new version."""
    changes |= {"sequence": meeting.sequence + 1, "changed_at": timezone.now()}
    put(meeting, **changes)


def _day(meeting):
    """Return the local date in the notebook on which it begins: by the owner's clock."""
    return meeting.owner.today(meeting.starts_at)


def _each(meeting, verb):
    """Do a verb with every contact, so that undoing the first undoes all. Returns the Action with
    the first, or None if there was nothing to do."""
    first = None
    for row in meeting.attendees.all():
        action = verb(row, first)
        first = first or action
    return first


def _tell_each(meeting, outcome, via, known=None):
    """Write into the story of each contact that the meeting is arranged, or that it was held;
    `known` is the interaction that tells of it already. Returns the Action with the first."""
    today = meeting.owner.today()
    on = min(_day(meeting), today) if outcome == Outcome.MET else today

    def tell(row, beside):
        if known and known.contact_id == row.contact_id:
            put(row, interaction=known)
            return None
        was = undoing.memory(row, "interaction")
        entry = Entry(Channel.MEETING, outcome, on)
        action = pursuing.log(row.contact, entry, via, beside=beside)
        put(row, interaction=action.interaction)
        undoing.remember(action, was)
        return action

    return _each(meeting, tell)
