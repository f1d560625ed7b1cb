"""How an opening goes on: it is opened, moves from stage to stage, and has a next step.

That one came up, and that it was accepted, is a note in the story of everybody involved. It is no
contact with them: no rhythm or follow-up is touched.
"""

import uuid

from django.db import IntegrityError, transaction

from followups.models import Channel, Interaction, Outcome
from followups.planning import CannotDo
from opportunities.models import OVER, Involved, Opportunity, Stage, StageChange


@transaction.atomic
def open_(opportunity, people=(), stage=Stage.HEARD_OF):
    """Keep a new opening with the people involved; return it. `stage` is where it stands today,
    if it has gone on since it was heard of. The same `key` again returns what was kept first."""
    opportunity.stage = Stage.HEARD_OF
    opportunity.key = opportunity.key or uuid.uuid4()
    try:
        with transaction.atomic():
            opportunity.save(force_insert=True)
    except IntegrityError:
        return Opportunity.objects.get(owner=opportunity.owner_id, key=opportunity.key)
    involve(opportunity, people)
    _tell(opportunity, opportunity.heard_on, f"An opening came up: {opportunity.title}")
    return move_to(opportunity, stage, opportunity.owner.today())


def involve(opportunity, people):
    """Let exactly these contacts be involved; who was involved before keeps their place."""
    opportunity.involved.exclude(contact__in=people).delete()
    Involved.objects.bulk_create(
        [
            Involved(owner_id=opportunity.owner_id, opportunity=opportunity, contact=person)
            for person in people
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def move_to(opportunity, stage, on, lesson=""):
    """Let an opening come to a stage on the local date `on`, with one lesson if there is one;
    return it. Coming to the stage where it stands is harmless. Going back on the same day takes
    the slip out of the story. Raises CannotDo when it came to its present stage later than `on`.
    """
    row = _locked(opportunity)
    changes = list(row.changes.all())
    if stage != row.stage:
        if on < since(row, changes):
            raise CannotDo(f"It came to “{row.get_stage_display()}” later than that.")
        _change(row, changes, stage, on)
        if stage == Stage.ACCEPTED:
            _tell(row, on, f"Accepted: {row.title}")
    row.closed_on = since(row, changes) if row.stage in OVER else None
    if lesson and lesson not in row.notes.splitlines():
        row.notes = "\n".join(filter(None, [row.notes, lesson]))
        _save(opportunity, row, "notes")
    return _save(opportunity, row, "stage", "closed_on")


def _tell(opportunity, on, note):
    """Write a note into the story of everybody involved."""
    Interaction.objects.bulk_create(
        Interaction(
            owner_id=opportunity.owner_id,
            contact_id=contact_id,
            channel=Channel.NOTE,
            outcome=Outcome.NOTED,
            on=on,
            note=note,
        )
        for contact_id in opportunity.involved.values_list("contact", flat=True)
    )


def _change(row, changes, stage, on):
    """Write the change, or take back the one of the same day that it undoes."""
    before = changes[-2].stage if len(changes) > 1 else Stage.HEARD_OF
    if changes and changes[-1].on == on and stage == before:
        changes.pop().delete()
    else:
        changes.append(
            StageChange.objects.create(owner_id=row.owner_id, opportunity=row, stage=stage, on=on)
        )
    row.stage = stage


def since(opportunity, changes):
    """Return the local date since when an opening is where it is."""
    return changes[-1].on if changes else opportunity.heard_on


@transaction.atomic
def plan_step(opportunity, next_step, next_on=None):
    """Set what comes next and from which local date on it asks, if on any."""
    row = _locked(opportunity)
    row.next_step, row.next_on = next_step, next_on
    return _save(opportunity, row, "next_step", "next_on")


@transaction.atomic
def step_done(opportunity, next_step, next_on):
    """Take a next step away that is done, named as it was shown; return whether it was still the
    next one. Doing so twice is harmless, also when another has been set meanwhile."""
    row = _locked(opportunity)
    if (row.next_step, row.next_on) != (next_step, next_on):
        return False
    row.next_step, row.next_on = "", None
    _save(opportunity, row, "next_step", "next_on")
    return True


@transaction.atomic
def another_day(opportunity, on):
    """Let the next step ask from the local date `on`."""
    row = _locked(opportunity)
    row.next_on = on
    return _save(opportunity, row, "next_on")


def _locked(opportunity):
    rows = Opportunity.objects.select_for_update(no_key=True)
    return rows.get(pk=opportunity.pk, owner=opportunity.owner_id)


def _save(opportunity, row, *fields):
    """Save fields of the locked row and bring the one at hand up to date."""
    row.save(update_fields=fields)
    for name in fields:
        setattr(opportunity, name, getattr(row, name))
    return opportunity
