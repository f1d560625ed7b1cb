"""What happens to gifts: given, promised, thought of, received; kept, moved, let go.

What is done stands in the story of its contact as an interaction. Every verb is one transaction
that locks the contact first and then the gift, in the order of all verbs.
"""

import uuid
from datetime import date

from django.db import transaction

from followups import pursuing, undoing
from followups.models import Action, Channel, Outcome, Via
from followups.models import Direction as Way
from followups.planning import CannotDo, Pursuit, lock
from followups.pursuing import Entry
from followups.schedule import say_day
from giveback.models import Direction, GiveBack, State

WHEN_DONE = ("state", "done_on", "interaction")
WHEN_PROMISED = ("state", "due_on")


@transaction.atomic
def give(
    contact, kind, what, on, url="", note="", item=None, key=None, via=Via.APP, beside=None
) -> GiveBack:
    """Note that something was given on the local date `on`. Undoing the Action `beside` undoes
    this too. The same `key` again returns what was noted the first time."""
    gift = _gift(contact, key, kind=kind, what=what, url=url, note=note, item=item)
    if gift.pk is None:
        _done(gift, on, via, beside)
    return gift


@transaction.atomic
def receive(contact, kind, what, on, note="", key=None, interaction=None, via=Via.APP) -> GiveBack:
    """Note that the contact gave something on the local date `on`: an answer like any other.

    `interaction` is where it happened, if that is in the story already. One moment of the story
    shows one gift; what else was received at that moment is remembered all the same.
    """
    gift = _gift(contact, key, kind=kind, what=what, note=note, direction=Direction.RECEIVED)
    if gift.pk is None and interaction is None:
        _done(gift, on, via)
    elif gift.pk is None:
        gift.state, gift.done_on = State.DONE, on
        if not GiveBack.objects.filter(interaction=interaction).exists():
            gift.interaction = interaction
        gift.save()
    return gift


@transaction.atomic
def promise(contact, kind, what, due_on, url="", note="", item=None, key=None) -> GiveBack:
    """Note a promise: it asks from the local date `due_on` on until it is kept."""
    gift = _gift(contact, key, kind=kind, what=what, url=url, note=note, item=item)
    if gift.pk is None:
        gift.state, gift.due_on = State.PROMISED, due_on
        gift.save()
    return gift


@transaction.atomic
def have_idea(contact, kind, what, url="", note="", item=None, key=None) -> GiveBack:
    """Note what could be given one day; nothing asks for it."""
    gift = _gift(contact, key, kind=kind, what=what, url=url, note=note, item=item)
    if gift.pk is None:
        gift.save()
    return gift


@transaction.atomic
def keep(give_back: GiveBack, on: date, via=Via.APP) -> Action:
    """Note that an idea or a promise was given on the local date `on`; twice is harmless.

    Raises CannotDo when it is no longer in the notebook.
    """
    gift = _locked(give_back)
    if gift.state == State.DONE and gift.interaction:
        return gift.interaction.actions.latest("pk")
    return _done(gift, on, via)


@transaction.atomic
def move(give_back: GiveBack, due_on: date, via=Via.APP) -> Action:
    """Promise it for another local date: so an idea becomes a promise, and what was let go too.
    Doing it twice is harmless.

    Raises CannotDo when it was given already, or the day is past.
    """
    pursuit, gift = _not_given(give_back)
    if due_on < pursuit.today:
        raise CannotDo("Choose today or a day to come.")
    if (gift.state, gift.due_on) == (State.PROMISED, due_on) and (known := last_action(gift)):
        return known
    said = f"Promised by {say_day(due_on, pursuit.today)}: {gift.what}"
    was = undoing.memory(gift, *WHEN_PROMISED)
    gift.state, gift.due_on = State.PROMISED, due_on
    gift.save(update_fields=WHEN_PROMISED)
    return _told(pursuit.act("gift_moved", said, via), was)


@transaction.atomic
def let_go(give_back: GiveBack, via=Via.APP) -> Action:
    """Let an idea or a promise go; twice is harmless.

    Raises CannotDo when it was given already.
    """
    pursuit, gift = _not_given(give_back)
    if gift.state == State.LET_GO and (known := last_action(gift)):
        return known
    was = undoing.memory(gift, "state")
    gift.state = State.LET_GO
    gift.save(update_fields=["state"])
    return _told(pursuit.act("gift_let_go", f"Let go: {gift.what}", via), was)


def last_action(give_back: GiveBack) -> Action | None:
    """Return the newest action that changed the gift and was not undone."""
    it = [{"model": GiveBack._meta.label, "id": give_back.pk}]
    actions = Action.objects.filter(contact=give_back.contact_id, undone_at=None)
    return actions.filter(before__rows__contains=it).first()


def _gift(contact, key, **fields):
    """Return the gift of that key, or a new one that is not saved yet."""
    lock(contact)
    known = GiveBack.objects.for_user(contact.owner).filter(key=key).first() if key else None
    key = key or uuid.uuid4()
    return known or GiveBack(owner=contact.owner, contact=contact, key=key, **fields)


def _locked(give_back):
    """Return the gift as it is now. Raises CannotDo when it is gone."""
    lock(give_back.contact)
    rows = GiveBack.objects.select_for_update(no_key=True).filter(pk=give_back.pk)
    gift = rows.first()
    if gift is None:
        raise CannotDo("That is no longer in your notebook.")
    gift.contact = give_back.contact
    return gift


def _not_given(give_back):
    """Return the pursuit of its contact and the gift, locked. Raises CannotDo when it was given."""
    gift = _locked(give_back)
    if gift.state == State.DONE:
        raise CannotDo("That is given already, and stays in your story.")
    return Pursuit(gift.contact), gift


def _done(gift, on, via, beside=None):
    """Write a gift into the story of its contact; return the Action, which remembers how it was."""
    was = undoing.memory(gift, *WHEN_DONE) if gift.pk else None
    given = gift.direction == Direction.GIVEN
    entry = Entry(
        channel=Channel.MESSAGE,
        outcome=Outcome.GAVE,
        on=on,
        direction=Way.OUT if given else Way.IN,
        note=gift.note,
        # Of its own: the form's key may be that of the moment in which it was given.
        key=uuid.uuid5(gift.key, "given"),
    )
    action = pursuing.log(gift.contact, entry, via, beside=beside)
    gift.state, gift.done_on, gift.interaction = State.DONE, on, action.interaction
    gift.save(update_fields=WHEN_DONE if was else None)
    name = gift.contact.given_name
    if given:
        action.said = f"You gave {name}: {gift.what}"
    else:
        action.said = f"{name} gave you: {gift.what}. {action.said}"
    action.save(update_fields=["said"])
    return _told(action, was or undoing.made(gift))


def _told(action, was):
    undoing.remember(action, was)
    return action
