"""What happens to an introduction that I offer: two of my contacts are both asked first, and only
when both say yes is the joint mail written (double opt-in).

Every verb is one transaction that locks both people first and then the offer, and what moves a
follow-up leaves an Action by which it is undone.
"""

import uuid

from django.db import transaction

from followups import pursuing, undoing
from followups.models import Action, Channel, Direction, Ending, Outcome, Via
from followups.planning import CannotDo, Pursuit, lock
from followups.pursuing import Entry
from giveback import giving, matching
from giveback.models import Kind
from introductions import carrying
from introductions.models import SIDES, Answer, Offer

OFFERED = "introduction-offered"
OVER = "That offer is over already."


@transaction.atomic
def offer(one, other, why="", key=None):
    """Begin to connect two contacts; nobody is asked yet. Returns the Offer. The same `key` again
    returns the offer that it made.

    Raises CannotDo when both are the same person.
    """
    owner, key = one.owner, key or uuid.uuid4()
    lock(one, other)
    if known := Offer.objects.for_user(owner).filter(key=key).first():
        return known
    if one.pk == other.pk:
        raise CannotDo("Choose two different people.")
    row = Offer.objects.create(owner=owner, one=one, other=other, why=why, key=key)
    # Whom I connect, nobody needs to propose to me again.
    matching.dismiss_pair(owner, one, other)
    return row


@transaction.atomic
def ask_side(offer, side, via=Via.APP, spoken=False):
    """Ask one of the two ("one", "other") whether they would like to meet the other one.
    Returns the Action. `spoken`: they were asked already, so what comes next is to ask again.

    Raises CannotDo when they answered already, or the offer is over.
    """
    row = _locked(offer)
    _must_be_open(row)
    person, partner = _people(row, side)
    if getattr(row, f"{side}_answer") not in {Answer.NOT_ASKED, Answer.ASKED}:
        raise CannotDo(f"{person.given_name} has answered already.")
    if row.declined:
        raise CannotDo("It does not fit at the moment, so nobody else needs to be asked.")
    was = undoing.memory(row, *_fields(side))
    words = {"other": partner.name, "why": row.why}
    dates = {"done": 1} if spoken else {}
    action = carrying.begin(row, person, OFFERED, _purpose(partner), words, via, **dates)
    _put(row, **dict(zip(_fields(side), (Answer.ASKED, row.owner.today()), strict=True)))
    undoing.remember(action, was)
    return action


@transaction.atomic
def answer(offer, side, yes, via=Via.APP, key=None):
    """One of the two said yes or no, which ends asking them. Returns the Action.

    A no ends the offer quietly, and asking the other one too: they are never told why. Whoever was
    asked and waits is to be told that it does not fit (told()); if nobody waits it is over at once.

    Raises CannotDo when the offer is over.
    """
    row = _locked(offer)
    if done := _done(row, key):
        return done
    person, partner = _people(row, side)
    was = undoing.memory(row, f"{side}_answer", "ended_on")
    entry = Entry(
        channel=Channel.EMAIL,
        outcome=Outcome.REPLIED,
        on=row.owner.today(),
        direction=Direction.IN,
        note=f"{'Yes' if yes else 'No'} to meeting {partner.name}.",
        key=key or uuid.uuid4(),
    )
    action = pursuing.log(person, entry, via)
    _put(row, **{f"{side}_answer": Answer.YES if yes else Answer.NO})
    if not yes:
        _stop_asking(row, partner, person, action, via)
        _end_if_nobody_waits(row)
    undoing.remember(action, was)
    return action


@transaction.atomic
def told(offer, side, via=Via.APP, key=None):
    """Whoever waited knows that it does not fit at the moment; with that the offer is over.
    Returns the Action. Raises CannotDo when nobody declined, or it is over."""
    row = _locked(offer)
    if done := _done(row, key):
        return done
    if not row.declined:
        raise CannotDo("Nobody has declined, so there is nothing to tell.")
    person, partner = _people(row, side)
    was = undoing.memory(row, "ended_on")
    note = f"You told {person.given_name} that meeting {partner.name} does not fit at the moment."
    entry = Entry(
        Channel.EMAIL, Outcome.NOTED, row.owner.today(), note=note, key=key or uuid.uuid4()
    )
    action = pursuing.log(person, entry, via)
    _put(row, ended_on=row.owner.today())
    undoing.remember(action, was)
    return action


@transaction.atomic
def made(offer, via=Via.APP):
    """The joint mail is on its way, which is something given to both. Returns the Action.

    Raises CannotDo until both said yes, and when it is over.
    """
    row = _locked(offer)
    _must_be_open(row)
    if not row.agreed:
        raise CannotDo("Both need to say yes first.")
    today, was = row.owner.today(), undoing.memory(row, "made_on")
    first = _give(row, row.one, row.other, today, via)
    _give(row, row.other, row.one, today, via, beside=first)
    _put(row, made_on=today)
    undoing.remember(first, was)
    return first


@transaction.atomic
def let_go(offer, via=Via.APP):
    """Connect them no more; whoever is being asked is asked no more. Returns the Action.

    Raises CannotDo when the offer is over already.
    """
    row = _locked(offer)
    _must_be_open(row)
    was = undoing.memory(row, "ended_on")
    pursuit = Pursuit(row.one)
    action = pursuit.act("offer_let_go", f"Let go: connecting {row}.", via)
    carrying.release(row, row.one, Ending.LET_GO, pursuit.today)
    _stop_asking(row, row.other, row.one, action, via)
    _put(row, ended_on=pursuit.today)
    undoing.remember(action, was)
    return action


@transaction.atomic
def reword(offer, why):
    """Give another reason why they should meet; what still asks one of them says it too."""
    row = _locked(offer)
    _put(row, why=why)
    for side in SIDES:
        person, partner = _people(row, side)
        carrying.reword(row, person, _purpose(partner), {"other": partner.name, "why": why})


def _locked(offer):
    """Lock both people and then the offer; return it as it is now. Raises CannotDo when it is
    gone."""
    owner = offer.one.owner
    lock(offer.one, offer.other)
    row = Offer.objects.select_for_update(no_key=True).filter(pk=offer.pk).first()
    if row is None:
        raise CannotDo("That offer is no longer in your notebook.")
    row.owner, row.one, row.other = owner, offer.one, offer.other
    row.one.owner = row.other.owner = owner
    return row


def _done(row, key):
    """Return the Action of a form that was sent before. Raises CannotDo when the offer is over."""
    done = Action.objects.for_user(row.owner).filter(interaction__key=key).first() if key else None
    if done is None:
        _must_be_open(row)
    return done


def _must_be_open(row):
    if not row.is_open:
        raise CannotDo(OVER)


def _people(row, side):
    """Return who is on a side, and the other one. Raises CannotDo when there is no such side."""
    if side not in SIDES:
        raise CannotDo("Choose one of the two.")
    return (row.one, row.other) if side == "one" else (row.other, row.one)


def _fields(side):
    return f"{side}_answer", f"{side}_asked_on"


def _put(row, **changes):
    vars(row).update(changes)
    row.save(update_fields=list(changes))


def _purpose(partner):
    return f"whether to meet {partner.name}"


def _stop_asking(row, person, partner, beside, via):
    """Ask somebody no more, as a companion of what was done with the other one."""
    pursuit = Pursuit(person)
    pursuit.beside(beside)
    pursuit.act("offer_let_go", f"No introduction to {partner.name} for now.", via)
    carrying.release(row, person, Ending.LET_GO, pursuit.today)


def _end_if_nobody_waits(row):
    waits = {row.one_answer, row.other_answer} & {Answer.ASKED, Answer.YES}
    if not waits:
        _put(row, ended_on=row.owner.today())


def _give(row, person, partner, on, via, beside=None):
    """Note the introduction among what was given to somebody; return the Action."""
    what = f"an introduction to {partner.name}"
    gift = giving.give(person, Kind.CONNECTION, what, on, via=via, beside=beside)
    return gift.interaction.actions.latest("pk")
