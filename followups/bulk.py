"""What can be done to many people through the engine (contacts.bulk): a playbook begun, people left
alone, entries merged. It happens to each of them as if it had been done alone, so the story of
each tells it, and undoing goes through the engine too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contacts.bulk import CannotChange, Verb, in_order, note
from contacts.models import BulkChange, BulkRow, Contact, Merge
from followups import merging, pursuing, undoing
from followups.calendars import calendar_for
from followups.models import Action, FollowUp, Playbook
from followups.planning import CannotDo, day_in, lock
from netcrm.models import User

EACH_DAY = 5
MOST_EACH_DAY = 50

PLAYBOOK_GONE = "That playbook is not there any more. Choose another one."
PUT_AWAY = "Is put away. Bring them back first."
TOO_FEW = "Tick two entries or more that are one person."
WHICH = "Choose the entry that stays."

Act = Callable[[Contact], Action | None]


class EngineVerb(Verb):
    """Something that the engine does with one person after the other."""

    at_once = 20
    chunk = 20

    def hold(self, owner: User, ids: Sequence[int]) -> list[Contact]:
        # Colleagues too, all in one order: a verb of the engine would lock them one by one.
        contacts = list(Contact.objects.for_user(owner).filter(pk__in=ids))
        return in_order(ids, lock(*contacts).values()) if contacts else []

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        actions = Action.objects.in_bulk([row.after["action"] for row in rows])
        for row in rows:
            try:
                action = actions.get(row.after["action"])
                if action and row.contact:
                    _undo(action, row.contact)
            except CannotDo as problem:
                row.why = str(problem)


def _each(change: BulkChange, contacts: Sequence[Contact], act: Act) -> list[BulkRow]:
    """Do something with one contact after the other. What cannot be done with somebody is the
    reason why they stay; where nothing is needed there is no Action."""
    rows = []
    for contact in contacts:
        try:
            if action := act(contact):
                rows.append(note(change, contact, after={"action": action.pk}))
        except CannotDo as problem:
            rows.append(note(change, contact, why=str(problem)))
    return rows


def _undo(action: Action, contact: Contact) -> None:
    """Undo what may have been done days ago. Raises CannotDo where that would lose something."""
    spoken = day_in(action.before["contact"]["last_interaction_on"])
    learned = FollowUp.objects.filter(actions=action).exclude(lesson="")
    if action.undone_at is None and (spoken != contact.last_interaction_on or learned.exists()):
        raise CannotDo(f"Something newer happened with {contact.given_name}.")
    undoing.undo(action, late=True)


class Begin(EngineVerb):
    """Begins a playbook with everybody. The first tries are spread over the coming work days, so
    many people `each_day`; each still respects every limit of the engine."""

    most = 200

    def options(self, owner: User) -> list[tuple[int, str]]:
        """Return what can be begun, as (id, name)."""
        return list(Playbook.objects.for_user(owner).values_list("pk", "name"))

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        playbook = Playbook.objects.for_user(owner).filter(pk=asked["playbook"]).first()
        if playbook is None:
            raise CannotChange(PLAYBOOK_GONE)
        each_day = asked.get("each_day", EACH_DAY)
        if not 1 <= each_day <= MOST_EACH_DAY:
            raise CannotChange(f"Write a number of people a day from 1 to {MOST_EACH_DAY}.")
        return {"playbook": playbook.pk, "each_day": each_day}, f"started on {playbook.name}"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        playbook = Playbook.objects.filter(pk=change.asked["playbook"]).first()
        if playbook is None:
            raise CannotChange(PLAYBOOK_GONE)
        under_way = FollowUp.objects.open().filter(contact__in=contacts, playbook=playbook)
        busy = set(under_way.values_list("contact", flat=True))
        calendar = calendar_for(change.owner)
        first = calendar.on_or_after(change.owner.today())
        begun = change.changed

        def begin(contact: Contact) -> Action:
            nonlocal begun
            if contact.archived_at:
                raise CannotDo(PUT_AWAY)
            if contact.pk in busy:
                raise CannotDo(f"{playbook.name} is under way already.")
            earliest = calendar.add(first, begun // change.asked["each_day"])
            action = pursuing.begin(contact, playbook, change.via, earliest=earliest)
            begun += 1
            return action

        return _each(change, contacts, begin)


class LeaveAlone(EngineVerb):
    """Marks everybody as do not contact, which ends what was pursued with them."""

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        return {}, "marked as do not contact"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        reachable = [contact for contact in contacts if not contact.do_not_contact]
        return _each(
            change, reachable, lambda contact: pursuing.set_do_not_contact(contact, change.via)
        )


class MergeInto(EngineVerb):
    """Merges up to ten entries for one person into the one to `keep`, one after the other: of each
    field, what contacts.twins.merging proposes."""

    most = 10

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        kept = Contact.objects.for_user(owner).filter(pk=asked["keep"]).first()
        if kept is None:
            raise CannotChange(WHICH)
        return {"keep": kept.pk}, f"merged into {kept.name}"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        kept = next((each for each in contacts if each.pk == change.asked["keep"]), None)
        if kept is None:
            raise CannotChange(WHICH)
        others = [contact for contact in contacts if contact.pk != kept.pk]
        if not others:
            raise CannotChange(TOO_FEW)
        rows = []
        for other in others:
            merging.merge(kept, other, via=change.via)
            merged = Merge.objects.filter(kept=kept).latest("pk")
            rows.append(note(change, kept, after={"merge": merged.pk}))
        return rows

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        for row in rows:
            merged = Merge.objects.filter(pk=row.after["merge"]).select_related("kept").first()
            try:
                if merged and merged.kept:
                    merged.kept.owner = change.owner
                    merging.part(merged, change.via)
            except CannotDo as problem:
                row.why = str(problem)


VERBS = {"begin": Begin(), "leave_alone": LeaveAlone(), "merge": MergeInto()}
