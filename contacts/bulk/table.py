"""Everything that a table says of people, read and written for many at once, as one change that can
be undone (contacts.bulk).

How a person is, is a dict of JSON: plain fields by the names of FIELDS, {lines: [[value, label]]},
{tags and topics: [ids]}. A change keeps of each person what it replaced (`before`) and what it put
there (`after`); undoing it writes `before` again wherever `after` still holds.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import get_text_list

from contacts import bulk
from contacts.imports import taking_back
from contacts.imports.storing import LINES, as_json
from contacts.models import (
    BulkChange,
    BulkRow,
    Contact,
    ContactTag,
    ContactTopic,
    Organisation,
    Tag,
    Topic,
    plain,
)
from contacts.twins import snapshots
from contacts.twins.known import lowered, stored
from netcrm.models import User
from netcrm.wording import one_line

Told = dict[str, Any]

FIELDS = (
    *("name", "organisation_id", "role", "how_met", "introduced_by_id", "known_since"),
    *("notes", "time_zone", "seeks", "offers", "rhythm_days", "details"),
)
# What no table says, but somebody may do with a person whom one has made.
DONE_SINCE = ("hello_not_before", "do_not_contact", "archived_at")
TOPICS = {f"{side}_topics": side for side in ContactTopic.Side.values}
HELD = ("emails", "phones", "links", "tags", "contact_topics")
POINTERS: dict[str, type[Model]] = {"organisation_id": Organisation, "introduced_by_id": Contact}
NAMED: list[tuple[type[Model], tuple[str, ...]]] = [
    (Organisation, ("organisation",)),
    (Tag, ("tags",)),
    (Topic, tuple(TOPICS)),
]
# Relations of a contact that a table writes, or that are notes about changes.
OWN = {*HELD, "contacttag", "import_rows", "bulk_rows"}

KEPT = "Keeps what you changed since: {}."
USED = "Is used or was edited since."


def how_it_is(contact: Contact) -> Told:
    """Return how a contact is; what hangs on it (HELD) was fetched before."""
    told: Told = {name: as_json(getattr(contact, name)) for name in (*FIELDS, *DONE_SINCE)}
    for name, _, value in LINES:
        told[name] = [
            [stored(getattr(line, value)), line.label] for line in getattr(contact, name).all()
        ]
    told["tags"] = sorted(tag.pk for tag in contact.tags.all())
    topics = contact.contact_topics.all()
    for name, side in TOPICS.items():
        told[name] = sorted(row.topic_id for row in topics if row.side == side)
    return told


# Storing


class Edit(NamedTuple):
    """What a table says of the contact with an id (None: somebody new): `says` has values as
    how_it_is(), but lists of names for the tags, the topics and the `organisation`."""

    pk: int | None
    says: Told


@transaction.atomic
def store(
    owner: User, edits: Sequence[Edit], file_name: str, key: uuid.UUID | None = None
) -> BulkChange:
    """Make the people who are new, change the others; return the change, which is done. The same
    key twice returns the first change."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if key and (known := BulkChange.objects.for_user(owner).filter(key=key).first()):
        return known
    said = f"added or changed from {one_line(file_name)}"
    change = bulk.record(owner, "table", {}, said, via=BulkChange.Via.ADMIN)
    change.key = key
    made = _name_to_ids(owner, edits)
    new = [Contact(owner=owner, name=edit.says["name"]) for edit in edits if edit.pk is None]
    news = [contact.pk for contact in Contact.objects.bulk_create(new)]
    ids = iter(news)
    told = {edit.pk or next(ids): edit.says for edit in edits}
    contacts = _fetched(told)
    before = {pk: how_it_is(contact) for pk, contact in contacts.items()}
    wanted = {pk: says for pk, says in told.items() if pk in contacts}
    write(owner, contacts, wanted)
    after = {pk: how_it_is(contact) for pk, contact in _fetched(news).items()}
    rows = [
        bulk.note(
            change,
            contacts[pk],
            before={"made": True} if pk in after else {name: before[pk][name] for name in says},
            after=after.get(pk, says),
        )
        for pk, says in wanted.items()
    ]
    bulk.keep(change, rows)
    change.asked, change.total, change.done = {"made": made}, len(rows), len(rows)
    change.save(update_fields=["key", "asked", "total", "done", "changed", "stayed"])
    return change


@transaction.atomic
def note_edits(owner: User, edits: Iterable[tuple[Contact, Told, Told]]) -> BulkChange:
    """Return the change that tells of edits which are saved already: (contact, fields as they were,
    as they are)."""
    change = bulk.record(owner, "table", {"made": {}}, "edited in the list", BulkChange.Via.ADMIN)
    rows = [
        bulk.note(change, contact, before=before, after=after) for contact, before, after in edits
    ]
    bulk.keep(change, rows)
    change.total = change.done = len(rows)
    change.save(update_fields=["total", "done", "changed", "stayed"])
    return change


def _name_to_ids(owner: User, edits: Sequence[Edit]) -> dict[str, list[int]]:
    """Put ids where the edits have names of organisations, tags and topics; return the ids of
    those that had to be made, by model."""
    made = {}
    for model, names in NAMED:
        says = [(edit.says, name) for edit in edits for name in names if name in edit.says]
        wanted = [each for told, name in says for each in told[name]]
        known = _named(model, owner, wanted)
        new = {plain(name): name for name in wanted if plain(name) not in known}
        rows = [model(owner=owner, name=name) for name in new.values()]
        model._default_manager.bulk_create(rows, ignore_conflicts=True)
        found = known | _named(model, owner, new.values())
        made[str(model._meta.model_name)] = sorted(found[key] for key in new)
        for told, name in says:
            told[name] = sorted({found[plain(each)] for each in told[name]})
    for edit in edits:
        if "organisation" in edit.says:
            [edit.says["organisation_id"]] = edit.says.pop("organisation") or [None]
    return made


def _named(model: type[Model], owner: User, names: Iterable[str]) -> dict[str, int]:
    """Return {plain name: id} of the rows of an owner that have one of the names."""
    rows = model._default_manager.filter(owner=owner).annotate(lowered=Lower("name"))
    rows = rows.filter(lowered__in=lowered({*names}))
    return {plain(name): pk for name, pk in rows.values_list("name", "pk")}


def _fetched(ids: Iterable[int]) -> dict[int, Contact]:
    """Return the contacts, locked, with all that how_it_is() tells."""
    contacts = Contact.objects.filter(pk__in=list(ids)).order_by("pk")
    return contacts.select_for_update(no_key=True).prefetch_related(*HELD).in_bulk()


# Writing


def write(owner: User, contacts: Mapping[int, Contact], wanted: Mapping[int, Told]) -> None:
    """Let contacts (_fetched) be as told, in what is told of each; a constant number of queries
    for a batch. What is pointed to and gone meanwhile is left out."""
    _write_fields(owner, wanted)
    for name, model, value in LINES:
        _write_lines(name, model, value, contacts, wanted)
    for model, names in NAMED[1:]:
        for name in names:
            ids = (pk for told in wanted.values() for pk in told.get(name, []))
            _write_labels(name, contacts, wanted, _there(model, owner, ids))
    Contact.objects.filter(pk__in=list(wanted)).reindex()


def _write_fields(owner: User, wanted: Mapping[int, Told]) -> None:
    there = {
        name: _there(model, owner, (told.get(name) for told in wanted.values()))
        for name, model in POINTERS.items()
    }
    stamp, rows = {"updated_at": timezone.now().isoformat()}, []
    for pk, told in wanted.items():
        fields = {name: told[name] for name in FIELDS if name in told}
        gone = [name for name in POINTERS if name in told and told[name] not in there[name]]
        rows.append({"id": pk, **fields, **dict.fromkeys(gone), **stamp})
    snapshots.write(Contact, rows)


def _there(model: type[Model], owner: User, ids: Iterable[int | None]) -> set[int]:
    """Return which of the ids are rows of the owner, still."""
    rows = model._default_manager.filter(owner=owner, pk__in=set(ids) - {None})
    return set(rows.values_list("pk", flat=True))


def _write_lines(
    name: str,
    model: Any,
    value: str,
    contacts: Mapping[int, Contact],
    wanted: Mapping[int, Told],
) -> None:
    """Keep the first lines that are as told; write those after them anew, in their order. An
    address that mails came back from is still known as such."""
    gone, new = [], []
    for pk, told in wanted.items():
        if name not in told:
            continue
        lines = list(getattr(contacts[pk], name).all())
        says = [[stored(getattr(line, value)), line.label] for line in lines]
        same = sum(
            1
            for _ in takewhile(lambda pair: pair[0] == pair[1], zip(says, told[name], strict=False))
        )
        gone += [line.pk for line in lines[same:]]
        back = {stored(getattr(line, value)): getattr(line, "bounced_on", None) for line in lines}
        for text, label in told[name][same:]:
            line = model(owner_id=contacts[pk].owner_id, contact=contacts[pk], label=label)
            setattr(line, value, text)
            if back.get(text):
                line.bounced_on = back[text]
            new.append(line)
    model._default_manager.filter(pk__in=gone).delete()
    model._default_manager.bulk_create(new)


def _write_labels(
    name: str, contacts: Mapping[int, Contact], wanted: Mapping[int, Told], there: set[int]
) -> None:
    """Give contacts the tags or topics that are told and take all others."""
    told = {pk: set(each[name]) & there for pk, each in wanted.items() if name in each}
    side = {"side": TOPICS[name]} if name in TOPICS else {}
    through: Any = ContactTopic if side else ContactTag
    column = "topic_id" if side else "tag_id"
    rows = through.objects.filter(contact__in=told, **side).values_list("pk", "contact_id", column)
    held = {(contact, label): pk for pk, contact, label in rows}
    pairs = {(pk, label) for pk, labels in told.items() for label in labels}
    through.objects.filter(pk__in=[held[pair] for pair in held.keys() - pairs]).delete()
    through.objects.bulk_create(
        through(owner_id=contacts[pk].owner_id, contact_id=pk, **{column: label}, **side)
        for pk, label in sorted(pairs - held.keys())
    )


# Undoing


class Table(bulk.Verb):
    """A table that was brought in: it is stored by store(), and only taken back here."""

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        ids = {row.before["contact"]: row for row in rows}
        held = _fetched(ids)
        now = {pk: how_it_is(contact) for pk, contact in held.items()}
        made = [pk for pk, row in ids.items() if row.before.get("made")]
        used = taking_back.pointed_at(made, OWN)
        gone: list[int] = []
        wanted: dict[int, Told] = {}
        for pk, row in ids.items():
            if not row.before.get("made"):
                wanted[pk] = self._before(row, now[pk])
            elif pk in used or now[pk] != row.after:
                row.why = USED
            else:
                gone.append(pk)
        write(change.owner, held, wanted)
        Contact.objects.filter(pk__in=gone).delete()

    def _before(self, row: BulkRow, now: Told) -> Told:
        """Return what is to be put back; what was edited since stays, and the row says so."""
        edited = [name for name, value in row.after.items() if now[name] != value]
        if edited:
            names = [name.removesuffix("_id").replace("_", " ") for name in edited]
            row.why = KEPT.format(get_text_list(names, "and"))
        return {name: row.before[name] for name in row.after if name not in edited}

    def undone(self, change: BulkChange) -> None:
        for model, _ in NAMED:
            made = change.asked["made"].get(str(model._meta.model_name), [])
            taking_back.drop_unused(model, made)
