"""What happens to an introduction that somebody is asked for: asked, promised, made, thanked for;
declined or let go.

Every verb is one transaction that locks the people first and then the introduction, as all verbs
of the engine do, and leaves an Action by which it is undone.
"""

import uuid

from django.db import transaction

from followups import pursuing, undoing
from followups.calendars import calendar_for
from followups.models import Action, Channel, Direction, Ending, Outcome, Via
from followups.planning import CannotDo, Pursuit, lock
from followups.pursuing import Entry
from giveback import giving
from giveback.models import Kind
from introductions import carrying
from introductions.blurbs import forwardable
from introductions.models import Introduction, Stage

ASKING, WAITING, INTRODUCED = "introduction-asked", "they-promised", "introduced"


@transaction.atomic
def ask(
    introducer,
    wanted,
    on,
    target=None,
    why="",
    ask="",
    blurb="",
    spoken=False,
    agreed=False,
    until=None,
    key=None,
    via=Via.APP,
    beside=None,
):
    """Ask a contact for an introduction, on the local date `on`. Returns the Introduction.

    `spoken`: they were asked already, so what comes next is to ask again. `agreed`: they promised
    it already, by the local date `until` if they named one, which alone says so too. Undoing the
    Action `beside` undoes this too. The same `key` again returns the introduction that it made.

    Raises CannotDo when both are the same person, or the introducer must not be contacted.
    """
    owner, key = introducer.owner, key or uuid.uuid4()
    lock(introducer)
    if known := Introduction.objects.for_user(owner).filter(key=key).first():
        return known
    _must_differ(introducer, target)
    agreed = agreed or until is not None
    introduction = Introduction.objects.create(
        owner=owner,
        introducer=introducer,
        target=target,
        wanted=wanted,
        why=why,
        ask=ask,
        stage=Stage.PROMISED if agreed else Stage.ASKED,
        asked_on=on,
        promised_on=on if agreed else None,
        key=key,
    )
    if agreed:
        action = _wait(introduction, until, via, beside)
    else:
        action = _begin_asking(introduction, blurb, on if spoken else None, via, beside)
    undoing.remember(action, undoing.made(introduction))
    return introduction


@transaction.atomic
def promised(introduction, until=None, on=None, via=Via.APP, key=None):
    """The introducer promised it, by the local date `until` if they named one: what was asked of
    them is answered, and what they promised is waited for. Returns the Action.

    Raises CannotDo when it was made already, or is over.
    """
    row, done = _locked(introduction, key)
    if done:
        return done
    _must_be_unmade(row)
    on = on or row.owner.today()
    was = undoing.memory(row, "stage", "promised_on")
    action = pursuing.log(row.introducer, _replied(on, key=key), via)
    row.stage, row.promised_on = Stage.PROMISED, on
    row.save(update_fields=["stage", "promised_on"])
    undoing.remember(action, was)
    _wait(row, until, via, beside=action)
    return action


@transaction.atomic
def made(introduction, target, on, via=Via.APP, note="", key=None):
    """The introducer connected us with `target`, a contact by now. Returns the Action.

    What was asked of the introducer is answered, and stands among what they gave. "Introduced to
    you" begins with the target. Undoing it puts all of this back; a person who was added for it
    stays in the notebook, like anybody who is added.

    Raises CannotDo when it was made already or is over, when target and introducer are the same
    person, or when the target must not be contacted.
    """
    row, done = _locked(introduction, key, target)
    if done:
        return done
    _must_be_unmade(row)
    _must_differ(row.introducer, target)
    was = undoing.memory(row, "stage", "target", "wanted", "why", "made_on", "interaction")
    action = pursuing.log(row.introducer, _replied(on, note, key), via)
    _set_made(row, target, on, action.interaction)
    met_through = _met_through(target, row.introducer)
    gift = giving.receive(
        row.introducer, Kind.CONNECTION, row.purpose, on, interaction=action.interaction
    )
    undoing.remember(action, was, met_through, undoing.made(gift))
    _begin_with_target(row, on, via, action)
    return action


@transaction.atomic
def declined(introduction, on=None, via=Via.APP, key=None):
    """The introducer would rather not: what is asked of them ends, and nothing else does.
    Returns the Action. Raises CannotDo when it was made already, or is over."""
    row, done = _locked(introduction, key)
    if done:
        return done
    _must_be_unmade(row)
    on = on or row.owner.today()
    note = f"No introduction to {row.wanted}, and that is fine."
    entry = Entry(Channel.EMAIL, Outcome.NOTED, on, Direction.IN, note, key or uuid.uuid4())
    action = pursuing.log(row.introducer, entry, via)
    _end(row, Stage.DECLINED, Ending.DECLINED, on, action)
    return action


@transaction.atomic
def let_go(introduction, via=Via.APP):
    """Ask for it no more; once it was made: say no more about it. Returns the Action.

    Raises CannotDo when it is over already.
    """
    row, _ = _locked(introduction)
    if not row.is_open:
        raise CannotDo("That introduction is over already.")
    pursuit = Pursuit(row.introducer)
    action = pursuit.act("introduction_let_go", f"Let go: {row.purpose}.", via)
    _end(row, Stage.LET_GO, Ending.LET_GO, pursuit.today, action)
    return action


@transaction.atomic
def thanked(introduction, on=None, via=Via.APP, key=None):
    """The introducer knows how it went, and is thanked. Returns the Action.

    Raises CannotDo when it was not made yet, or is over.
    """
    row, done = _locked(introduction, key)
    if done:
        return done
    if row.stage != Stage.MADE:
        raise CannotDo("There is nothing to tell yet: that introduction is not made, or is over.")
    on = on or row.owner.today()
    note = f"You told {row.introducer.given_name} how it went with {row.wanted}, with thanks."
    entry = Entry(Channel.EMAIL, Outcome.NOTED, on, note=note, key=key or uuid.uuid4())
    was = undoing.memory(row, "stage", "thanked_on")
    action = pursuing.log(row.introducer, entry, via)
    row.stage, row.thanked_on = Stage.THANKED, on
    row.save(update_fields=["stage", "thanked_on"])
    undoing.remember(action, was)
    return action


@transaction.atomic
def reword(introduction, words):
    """Let the drafts that ask for an introduction say other words."""
    lock(introduction.introducer)
    carrying.reword(introduction, introduction.introducer, introduction.purpose, words)


def _locked(introduction, key=None, *others):
    """Lock the people and then the introduction; return it as it is now, and the Action of `key`
    if the same form was sent before. Raises CannotDo when it is gone."""
    owner = introduction.introducer.owner
    lock(introduction.introducer, *others)
    row = Introduction.objects.select_for_update(no_key=True).filter(pk=introduction.pk).first()
    if row is None:
        raise CannotDo("That introduction is no longer in your notebook.")
    row.owner, row.introducer = owner, introduction.introducer
    done = Action.objects.for_user(owner).filter(interaction__key=key).first() if key else None
    return row, done


def _must_be_unmade(row):
    if not row.is_unmade:
        raise CannotDo("That introduction was made already, or is over.")


def _must_differ(introducer, target):
    if target is not None and target.pk == introducer.pk:
        raise CannotDo(f"{introducer.given_name} cannot be introduced by themselves.")


def _replied(on, note="", key=None):
    return Entry(Channel.EMAIL, Outcome.REPLIED, on, Direction.IN, note, key or uuid.uuid4())


def _begin_asking(row, blurb, asked_on, via, beside):
    """Begin to ask; with the local date on which they were asked already, to ask again."""
    words = {"wanted": row.wanted, "blurb": blurb or forwardable(row, row.owner)}
    dates = {"done": 1, "since": asked_on} if asked_on else {}
    return carrying.begin(
        row, row.introducer, ASKING, row.purpose, words, via, beside=beside, **dates
    )


def _wait(row, until, via, beside):
    """Wait for what was promised: a kind word the work day after their date, else after as long
    as the playbook says."""
    on = calendar_for(row.owner).add(until, 1) if until else None
    because = f"what {row.introducer.given_name} promised"
    return carrying.begin(
        row, row.introducer, WAITING, row.purpose, {}, via, on=on, because=because, beside=beside
    )


def _set_made(row, target, on, interaction):
    if row.target_id != target.pk and not row.why:
        # Whom one looked for tells why, once there is a name.
        row.why = row.wanted if row.wanted != target.name else ""
    row.stage, row.target, row.wanted = Stage.MADE, target, target.name
    row.made_on, row.interaction = on, interaction
    row.save(update_fields=["stage", "target", "wanted", "why", "made_on", "interaction"])


def _met_through(target, introducer):
    """Note through whom one met somebody, unless that is known; return how it was before."""
    was = undoing.memory(target, "introduced_by", "how_met", "search_text")
    target.introduced_by = target.introduced_by or introducer
    target.how_met = target.how_met or f"Introduced by {introducer.name}"
    target.save(update_fields=["introduced_by", "how_met"])
    target.reindex()
    return was


def _begin_with_target(row, on, via, action):
    note = f"Through {row.introducer.name}. {row.why}".strip()
    introduced = Entry(Channel.EMAIL, Outcome.INTRODUCED, on, note=note)
    row.target.owner = row.owner
    pursuing.log(row.target, introduced, via, beside=action)
    purpose = (row.ask or row.why)[: carrying.LONGEST_PURPOSE]
    carrying.begin(row, row.target, INTRODUCED, purpose, {}, via, beside=action)


def _end(row, stage, ending, on, action):
    was = undoing.memory(row, "stage", "ended_on")
    carrying.release(row, row.introducer, ending, row.owner.today())
    row.stage, row.ended_on = stage, on
    row.save(update_fields=["stage", "ended_on"])
    undoing.remember(action, was)
