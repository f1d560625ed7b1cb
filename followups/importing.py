"""What an imported card tells of the past and of the future: its moments become interactions, its
next reminder a follow-up on the promised date.

Moments of another program open nothing and answer nothing: they are written down.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date

from django.db.models import Max

from contacts.files.cards import Moment, Task
from contacts.imports.storing import CannotAnswer, Pair
from contacts.models import Contact, ImportRow
from followups import pursuing, undoing
from followups.models import (
    Action,
    Channel,
    FollowUp,
    Interaction,
    Outcome,
    Via,
)
from followups.planning import CannotDo

OUTCOMES = {Channel.CALL: Outcome.TALKED, Channel.MEETING: Outcome.MET}
REMINDED_BY = "new-relationship"
LONGEST_PURPOSE = 300


class Taker:
    """Takes moments and tasks of cards (contacts.imports.storing.Taker)."""

    models = {Interaction, FollowUp, Action}

    def take(self, pairs: Sequence[Pair]) -> set[int]:
        """Write down the moments, and open a follow-up for the task of each card that has one.
        What a contact has already is not written down twice. Returns the ids of the contacts that
        got something."""
        known = _known([contact for _, contact in pairs])
        moments = [
            (contact, moment, key)
            for row, contact in pairs
            for moment, key in _keyed(row)
            if (contact.pk, moment.on, _channel(moment), moment.note) not in known
        ]
        Interaction.objects.bulk_create(_interaction(*each) for each in moments)
        _move_last_interactions(moments)
        tasks = [(contact, task) for row, contact in pairs for task in row.told.tasks]
        return {contact.pk for contact, *_ in moments} | {
            contact.pk for contact, task in tasks if _remind(contact, task)
        }

    def used(self, pairs: Sequence[Pair]) -> set[int]:
        """Return the ids of contacts who were called, written to, met or pursued since."""
        contacts = [contact for _, contact in pairs]
        ours = {
            (contact.pk, key, moment.on, moment.note)
            for row, contact in pairs
            for moment, key in _keyed(row)
        }
        logged = Interaction.objects.filter(contact__in=contacts)
        all_of_them = set(logged.values_list("contact_id", "key", "on", "note"))
        acted = Action.objects.filter(contact__in=contacts).exclude(via=Via.IMPORT)
        return {contact_id for contact_id, *_ in all_of_them - ours} | set(
            acted.values_list("contact_id", flat=True)
        )

    def give_back(self, pairs: Sequence[Pair]) -> None:
        """Delete the moments that were written down for people who stay, and the follow-ups that
        this import began and nobody has touched since."""
        if not pairs:
            return
        keys = [key for row, _ in pairs for _, key in _keyed(row)]
        contacts = {contact.pk: contact for _, contact in pairs}
        Interaction.objects.filter(contact__in=contacts, key__in=keys).delete()
        _move_back(contacts, [moment.on for row, _ in pairs for moment in row.told.moments])
        promised = {
            (contact.pk, task.title[:LONGEST_PURPOSE])
            for row, contact in pairs
            for task in row.told.tasks
        }
        begun = FollowUp.objects.filter(contact__in=contacts, actions__via=Via.IMPORT)
        begun = begun.exclude(actions__at__lt=pairs[0][0].job.created_at)
        begun = begun.exclude(actions__in=Action.objects.exclude(via=Via.IMPORT)).distinct()
        rows = [row.pk for row in begun if (row.contact_id, row.purpose) in promised]
        Action.objects.filter(follow_up__in=rows).delete()
        FollowUp.objects.filter(pk__in=rows).delete()

    def begin(self, contact: Contact) -> int:
        """Start to keep in touch with somebody new; return the id of the Action."""
        playbook = pursuing.playbook_for(contact.owner, REMINDED_BY)
        try:
            return pursuing.begin(contact, playbook).pk
        except CannotDo as problem:
            raise CannotAnswer(str(problem)) from problem

    def end(self, begun: int) -> str:
        """Undo that; return why not, if an hour or something newer stands in the way."""
        try:
            undoing.undo(Action.objects.get(pk=begun))
        except CannotDo as problem:
            return str(problem)
        return ""


def _known(contacts: Sequence[Contact]) -> set[tuple]:
    logged = Interaction.objects.filter(contact__in=contacts)
    return set(logged.values_list("contact_id", "on", "channel", "note"))


def _keyed(row: ImportRow) -> Iterator[tuple[Moment, uuid.UUID]]:
    """Yield the moments of a row, each with the key that tells its interaction from all others."""
    for number, moment in enumerate(row.told.moments):
        yield moment, uuid.uuid5(uuid.NAMESPACE_OID, f"import row {row.pk}, moment {number}")


def _channel(moment: Moment) -> str:
    return moment.kind if moment.kind in Channel.values else Channel.NOTE


def _interaction(contact: Contact, moment: Moment, key: uuid.UUID) -> Interaction:
    channel = _channel(moment)
    return Interaction(
        owner_id=contact.owner_id,
        contact=contact,
        channel=channel,
        outcome=OUTCOMES.get(Channel(channel), Outcome.NOTED),
        on=moment.on,
        note=moment.note,
        via=Via.IMPORT,
        key=key,
    )


def _move_last_interactions(moments: Sequence[tuple[Contact, Moment, uuid.UUID]]) -> None:
    """Note the newest moment of each contact; a note is none, and nothing moves backwards."""
    moved = {}
    for contact, moment, _ in moments:
        last = contact.last_interaction_on
        if _channel(moment) != Channel.NOTE and (last is None or moment.on > last):
            contact.last_interaction_on = moment.on
            moved[contact.pk] = contact
    Contact.objects.bulk_update(moved.values(), ["last_interaction_on"])


def _move_back(contacts: dict[int, Contact], days: Sequence[date]) -> None:
    """Where one of these days was the last interaction, let the newest that is left be it."""
    moved = [contact for contact in contacts.values() if contact.last_interaction_on in days]
    spoken = Interaction.objects.filter(contact__in=moved).exclude(channel=Channel.NOTE)
    spoken = spoken.exclude(outcome__in=pursuing.NO_CONTACT).order_by()
    last = dict(spoken.values_list("contact_id").annotate(Max("on")))
    for contact in moved:
        contact.last_interaction_on = last.get(contact.pk)
    Contact.objects.bulk_update(moved, ["last_interaction_on"])


def _remind(contact: Contact, task: Task) -> bool:
    """Open a follow-up on the date of a task; return whether it could be: nobody is asked for who
    must not be contacted, and what an import has begun and is under way is not begun again."""
    playbook = pursuing.playbook_for(contact.owner, REMINDED_BY)
    purpose = task.title[:LONGEST_PURPOSE]
    known = FollowUp.objects.open().filter(contact=contact, playbook=playbook, purpose=purpose)
    if known.filter(actions__via=Via.IMPORT).exists():
        return False
    try:
        pursuing.begin(contact, playbook, Via.IMPORT, purpose=purpose, on=task.on)
    except CannotDo:
        return False
    return True
