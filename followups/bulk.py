"""What can be done to many people through the engine (contacts.bulk): a playbook begun, people left
alone, entries merged, chosen follow-ups moved. It happens to each of them as if it had been done
alone, so the story of each tells it, and undoing goes through the engine too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.dateformat import format as date_format

from contacts.bulk import CannotChange, Verb, in_order, note
from contacts.imports.storing import as_json
from contacts.models import BulkChange, BulkRow, Contact, Merge
from followups import merging, pursuing, undoing
from followups.calendars import calendar_for
from followups.models import Action, Ending, FollowUp, Playbook
from followups.planning import CannotDo, day_in, lock
from netcrm.models import User

EACH_DAY = 5
MOST_EACH_DAY = 50

PLAYBOOK_GONE = "That playbook is not there any more. Choose another one."
PUT_AWAY = "Is put away. Bring them back first."
TOO_FEW = "Tick two entries or more that are one person."
WHICH = "Choose the entry that stays."

# What a follow-up says when it has just begun.
WORDS: dict[str, Any] = {"purpose": "", "lesson": "", "facts": {}}

Act = Callable[[Contact], Action | None]


class EngineVerb(Verb):
    """Something that the engine does with one person after the other."""

    at_once = 20
    chunk = 20

    def hold(self, owner: User, ids: Sequence[int]) -> list[Contact]:
        # Colleagues too, all in one order: a verb of the engine would lock them one by one.
        contacts = list(Contact.objects.for_user(owner).filter(pk__in=ids))
        return in_order(ids, lock(*contacts).values()) if contacts else []

    def actions(self, row: BulkRow) -> list[int]:
        """Return the ids of the Actions that a row notes, in the order in which they were done."""
        return [row.after["action"]]

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        noted = Action.objects.in_bulk([pk for row in rows for pk in self.actions(row)])
        lesson = change.asked.get("lesson", "")
        for row in rows:
            try:
                with transaction.atomic():
                    for pk in reversed(self.actions(row)):
                        if row.contact and pk in noted:
                            _undo(noted[pk], row.contact, lesson)
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


def _undo(action: Action, contact: Contact, lesson: str) -> None:
    """Undo what may have been done days ago; `lesson` is the one that it left, if any. Raises
    CannotDo where that would lose something."""
    if action.undone_at is None:
        spoken = day_in(action.before["contact"]["last_interaction_on"])
        if spoken != contact.last_interaction_on:
            raise CannotDo(f"Something newer happened with {contact.given_name}.")
        if _is_reworded(action, lesson):
            raise CannotDo(f"You have edited a follow-up with {contact.given_name} since.")
    undoing.undo(action, late=True)


def _is_reworded(action: Action, lesson: str) -> bool:
    """Tell whether follow-ups say something else than an action left them with. Their words are
    edited without an Action, and undoing puts back what they were."""
    was = {memory["id"]: memory.get("was", {}) for memory in action.before["follow_ups"]}
    for row in FollowUp.objects.filter(pk__in=was):
        left = {name: was[row.pk].get(name, new) for name, new in WORDS.items()}
        if lesson and row.pk == action.follow_up_id:
            left["lesson"] = lesson
        if any(getattr(row, name) != words for name, words in left.items()):
            return True
    return False


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


class FollowUpVerb(EngineVerb):
    """Does a verb of followups.pursuing with the follow-ups that were chosen: `follow_ups`, their
    ids; what else is asked are the arguments of that verb by name, `until` a date.

    Several may be with one person. Their row notes all that was done with them, `after` is
    {"actions": [ids]}, so that they go back together or not at all. Why others of that person stay
    is a row of its own.
    """

    def __init__(self, act: Callable[..., Action], say: Callable[..., str]) -> None:
        self.act = act
        self.say = say

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        told = {name: as_json(value) for name, value in asked.items()}
        return told, self.say(**_arguments(told))

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        chosen = set(change.asked["follow_ups"])
        theirs = defaultdict(list)
        for follow_up in FollowUp.objects.filter(contact__in=contacts).order_by("pk"):
            if follow_up.pk in chosen:
                theirs[follow_up.contact_id].append(follow_up)
        return [row for each in contacts for row in self._rows(change, each, theirs[each.pk])]

    def _rows(
        self, change: BulkChange, contact: Contact, follow_ups: Sequence[FollowUp]
    ) -> Iterator[BulkRow]:
        done, refused = [], []
        for follow_up in follow_ups:
            follow_up.contact = contact
            try:
                action = self.act(follow_up, **_arguments(change.asked), via=change.via)
                done.append(action.pk)
            except CannotDo as problem:
                refused.append(str(problem))
        if done:
            yield note(change, contact, after={"actions": done})
        if refused:
            yield note(change, contact, why=" ".join(dict.fromkeys(refused)))

    def actions(self, row: BulkRow) -> list[int]:
        return row.after["actions"]


def _arguments(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is asked as the verb of the engine takes it."""
    told = {name: value for name, value in asked.items() if name != "follow_ups"}
    return told | {"until": day_in(told["until"])} if "until" in told else told


def _pause(until: date | None) -> str:
    return f"paused until {_day(until) if until else 'you resume them'}"


def _not_now(until: date, lesson: str) -> str:
    return f"said not now, to be asked again on {_day(until)}"


def _rest(until: date | None, lesson: str) -> str:
    return f"left to rest until {_day(until)}" if until else "left to rest"


def _end(ending: str, lesson: str) -> str:
    return f"no longer pursued: {Ending(ending).label.lower()}"


def _day(day: date) -> str:
    return date_format(day, "j F Y")


VERBS = {
    "begin": Begin(),
    "leave_alone": LeaveAlone(),
    "merge": MergeInto(),
    "pause": FollowUpVerb(pursuing.pause, _pause),
    "resume": FollowUpVerb(pursuing.resume, lambda: "taken up again"),
    "snooze": FollowUpVerb(pursuing.snooze, lambda until: f"snoozed until {_day(until)}"),
    "not_now": FollowUpVerb(pursuing.not_now, _not_now),
    "rest": FollowUpVerb(pursuing.rest, _rest),
    "end": FollowUpVerb(pursuing.end, _end),
}
