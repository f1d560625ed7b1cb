"""What can be done to many people in this room: their fields, tags and topics, putting them away,
bringing them back.

An edit is asked for as JSON: {"fields": {name: value}, "add": {name: text}, "tags": [...],
"untags": [...], "topics": {side: [...]}}. Fields are set to a value, an empty one empties them; to
those of ADDED text may be added instead. Tags, topics and the organisation are ids, or names, which
are made if new; `introduced_by` is an id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import get_text_list

from contacts.bulk import CannotChange, Verb, note, whose
from contacts.imports.storing import as_json
from contacts.imports.taking_back import drop_unused
from contacts.models import (
    BulkChange,
    BulkRow,
    Contact,
    ContactTag,
    ContactTopic,
    Organisation,
    Tag,
    Topic,
    say_rhythm,
)
from contacts.twins.snapshots import write
from netcrm.models import User
from netcrm.wording import one_line

TEXTS = ("role", "how_met", "seeks", "offers", "notes", "time_zone")
ADDED = ("seeks", "offers", "notes")
POINTERS = {"organisation_id": Organisation, "introduced_by_id": Contact}
# The column of each field that can be set.
COLUMNS = {name: name for name in (*TEXTS, "known_since", "rhythm_days")} | {
    "organisation": "organisation_id",
    "introduced_by": "introduced_by_id",
}
# What search looks through: see Contact.searchable().
SEARCHED = {"role", "organisation_id", "how_met", "seeks", "offers", "notes"}

NOTHING = "Say what is to be changed."
PURSUED = "Still has a follow-up. Let it go first, or let it rest."

Rows = Sequence[BulkRow]


class Edit(Verb):
    """Sets fields, gives and takes tags, gives topics."""

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        labels = Labels(owner)
        fields = {
            COLUMNS[name]: _checked(owner, labels, name, value)
            for name, value in asked.get("fields", {}).items()
        }
        added = {name: text.strip() for name, text in asked.get("add", {}).items()}
        told: dict[str, Any] = {
            "fields": fields,
            "add": {name: text for name, text in added.items() if name in ADDED and text},
            "tags": labels.ids(Tag, asked.get("tags", [])),
            "untags": labels.ids(Tag, asked.get("untags", []), make=False),
            "topics": {
                side: labels.ids(Topic, names)
                for side, names in asked.get("topics", {}).items()
                if side in ContactTopic.Side.values
            },
        }
        if not any([fields, told["add"], told["tags"], told["untags"], *told["topics"].values()]):
            raise CannotChange(NOTHING)
        return told | {"made": labels.made}, _said(told, labels)

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        edit = change.asked
        before: dict[int, dict[str, Any]] = defaultdict(dict)
        after: dict[int, dict[str, Any]] = defaultdict(dict)
        for pk, was, became in _set(contacts, _standing(edit["fields"]), edit["add"]):
            before[pk]["fields"], after[pk]["fields"] = was, became
        for pk, tags in _take_tags(contacts, edit["untags"]).items():
            after[pk]["untags"] = tags
        for pk, tags in _give_tags(contacts, edit["tags"]).items():
            after[pk]["tags"] = tags
        for pk, topics in _give_topics(contacts, edit["topics"]).items():
            after[pk]["topics"] = topics
        _search_again(after)
        return [
            note(change, contact, before=before[contact.pk], after=after[contact.pk])
            for contact in contacts
            if contact.pk in after
        ]

    def undo(self, change: BulkChange, rows: Rows) -> None:
        restore(rows)
        _delete_tags({(whose(row), tag) for row in rows for tag in row.after.get("tags", [])})
        _delete_topics({(whose(row), *it) for row in rows for it in row.after.get("topics", [])})
        taken = {(whose(row), tag) for row in rows for tag in row.after.get("untags", [])}
        _insert_tags(change.owner_id, taken)
        _search_again({whose(row): row.after for row in rows})

    def undone(self, change: BulkChange) -> None:
        for model in (Organisation, Tag, Topic):
            drop_unused(model, change.asked["made"].get(model._meta.model_name, []))


class Archive(Verb):
    """Puts people away, but for those who are still pursued."""

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        return {}, "put away"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        here = [contact for contact in contacts if contact.archived_at is None]
        pursued = set(
            Contact.objects.filter(pk__in=[contact.pk for contact in here])
            .pursued()
            .values_list("pk", flat=True)
        )
        rows = [note(change, each, why=PURSUED) for each in here if each.pk in pursued]
        free = [contact for contact in here if contact.pk not in pursued]
        return [*rows, *_noted(change, free, {"archived_at": as_json(timezone.now())})]

    def undo(self, change: BulkChange, rows: Rows) -> None:
        restore(rows)


class Restore(Archive):
    """Brings back people who were put away."""

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        return {}, "brought back"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        return list(_noted(change, contacts, {"archived_at": None}))


# What is asked


class Labels:
    """Finds organisations, tags and topics of an owner by id or name, and makes those that are
    new. `made` are the ids of these, {model name: ids}; `names` what all are called."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.made: dict[str, list[int]] = defaultdict(list)
        self.names: dict[tuple[Any, int], str] = {}

    def ids(self, model: Any, wanted: Iterable[int | str], make: bool = True) -> list[int]:
        """Return the ids of what is wanted, each once. Raises CannotChange."""
        return list(dict.fromkeys(self._id(model, each, make) for each in wanted))

    def _id(self, model: Any, wanted: int | str, make: bool) -> int:
        mine = model.objects.for_user(self.owner)
        if isinstance(wanted, int):
            found = mine.filter(pk=wanted).first()
        else:
            wanted = one_line(wanted)
            found = mine.filter(name__iexact=wanted).first()
            if found is None and wanted and make:
                found = model(owner=self.owner, name=wanted)
                _clean(found, "name", wanted)
                found.save()
                self.made[model._meta.model_name].append(found.pk)
        if found is None:
            raise CannotChange(f"That {model._meta.verbose_name} is not in your notebook any more.")
        self.names[model, found.pk] = found.name
        return found.pk

    def named(self, model: Any, ids: Iterable[int]) -> str:
        return get_text_list([self.names[model, pk] for pk in ids], "and")


def _checked(owner: User, labels: Labels, name: str, value: Any) -> Any:
    """Return the value of a field as it is stored in JSON. Raises CannotChange."""
    if value in (None, ""):
        return "" if name in TEXTS else None
    if name == "organisation":
        return labels.ids(Organisation, [value])[0]
    if name == "introduced_by":
        if not Contact.objects.for_user(owner).filter(pk=value).exists():
            raise CannotChange("Whoever introduced them is not in your notebook any more.")
        return value
    if name in TEXTS:
        value = value.strip()
    return as_json(_clean(Contact, name, value))


def _clean(model: Any, name: str, value: Any) -> Any:
    try:
        return model._meta.get_field(name).clean(value, None)
    except ValidationError as error:
        label = str(model._meta.get_field(name).verbose_name)
        raise CannotChange(f"{label[:1].upper()}{label[1:]}: {' '.join(error.messages)}") from error


def _said(told: dict[str, Any], labels: Labels) -> str:
    """Return what an edit does in words that follow a count."""
    said, fields = [], dict(told["fields"])
    if told["tags"]:
        said.append(f"tagged {labels.named(Tag, told['tags'])}")
    if told["untags"]:
        said.append(f"no longer tagged {labels.named(Tag, told['untags'])}")
    if list(fields) == ["rhythm_days"]:
        days = fields.pop("rhythm_days")
        said.append(f"given the rhythm {say_rhythm(days)}" if days else "freed of their rhythm")
    if changed := [f"“{say_column(name)}”" for name in [*fields, *told["add"]]]:
        said.append(f"given another {get_text_list(changed, 'and')}")
    for side, topics in told["topics"].items():
        if topics:
            verb = "look for" if side == ContactTopic.Side.SEEKS else "know about"
            said.append(f"noted to {verb} {labels.named(Topic, topics)}")
    return get_text_list(said, "and")


def say_column(column: str) -> str:
    """Return what a column of a contact is called: organisation, how you met."""
    field: Any = Contact._meta.get_field(column.removesuffix("_id"))
    return str(field.verbose_name)


# Fields


def _standing(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of fields, without the organisation or introducer who is gone since."""
    return {
        name: value
        for name, value in fields.items()
        if value is None
        or name not in POINTERS
        or POINTERS[name]._base_manager.filter(pk=value).exists()
    }


def _set(
    contacts: Sequence[Contact], fields: Mapping[str, Any], added: Mapping[str, str]
) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """Set fields of contacts and add text to some. Return (id, before, after) of those whom that
    changed; one statement for all of them."""
    changed, written = [], []
    stamp = {"updated_at": timezone.now().isoformat()}
    for contact in contacts:
        now = {name: as_json(getattr(contact, name)) for name in (*fields, *added)}
        new = dict(fields) | {name: _joined(now[name], text) for name, text in added.items()}
        if new.get("introduced_by_id") == contact.pk:
            # Nobody is introduced by themselves.
            del new["introduced_by_id"]
        differ = [name for name in new if new[name] != now[name]]
        if differ:
            was = {name: now[name] for name in differ}
            changed.append((contact.pk, was, {name: new[name] for name in differ}))
            written.append({"id": contact.pk, **new, **stamp})
    write(Contact, written)
    return changed


def _joined(text: str, added: str) -> str:
    return text if added in text else "\n\n".join(filter(None, [text, added]))


def restore(rows: Rows) -> None:
    """Put back the fields that rows tell of in `before` and `after`, but for those that were edited
    since: their row says so. What was pointed to and is gone since stays away."""
    there = {
        name: _existing(model, [row.before.get("fields", {}).get(name) for row in rows])
        for name, model in POINTERS.items()
    }
    stamp, written = {"updated_at": timezone.now().isoformat()}, []
    for row in rows:
        was, became = row.before.get("fields", {}), row.after.get("fields", {})
        now = {name: as_json(getattr(row.contact, name)) for name in became}
        if edited := [name for name in became if now[name] not in (became[name], was[name])]:
            row.why = _kept(edited)
        old = {
            name: None if name in there and was[name] not in there[name] else was[name]
            for name in became
            if now[name] == became[name]
        }
        if old:
            written.append({"id": whose(row), **old, **stamp})
    write(Contact, written)


def _existing(model: Any, ids: Iterable[int | None]) -> set[int]:
    wanted = set(filter(None, ids))
    if not wanted:
        return set()
    return set(model._base_manager.filter(pk__in=wanted).values_list("pk", flat=True))


def _kept(columns: Iterable[str]) -> str:
    names = [say_column(name) for name in columns]
    return f"Keeps what you changed since: {get_text_list(names, 'and')}."[:300]


# Tags and topics


def _give_tags(contacts: Sequence[Contact], tags: Sequence[int]) -> dict[int, list[int]]:
    """Give contacts the tags that are still there; return the ids of those that each lacked."""
    ids = [contact.pk for contact in contacts]
    has = set(_tags_of(ids, tags).values_list("contact_id", "tag_id"))
    there = _existing(Tag, tags)
    new = [(pk, tag) for pk in ids for tag in tags if tag in there and (pk, tag) not in has]
    if new:
        _insert_tags(contacts[0].owner_id, new)
    return _by_contact(new)


def _take_tags(contacts: Sequence[Contact], tags: Sequence[int]) -> dict[int, list[int]]:
    """Take tags from contacts; return the ids of those that each of them had."""
    taken = _tags_of([contact.pk for contact in contacts], tags)
    had = list(taken.values_list("contact_id", "tag_id"))
    taken.delete()
    return _by_contact(had)


def _tags_of(contacts: Iterable[int], tags: Iterable[int]) -> QuerySet[ContactTag]:
    return ContactTag.objects.filter(contact__in=contacts, tag__in=tags)


def _insert_tags(owner_id: int, pairs: Iterable[tuple[int, int]]) -> None:
    there = _existing(Tag, [tag for _, tag in pairs])
    ContactTag.objects.bulk_create(
        [
            ContactTag(owner_id=owner_id, contact_id=pk, tag_id=tag)
            for pk, tag in pairs
            if tag in there
        ],
        ignore_conflicts=True,
    )


def _give_topics(
    contacts: Sequence[Contact], topics: Mapping[str, Sequence[int]]
) -> dict[int, list[tuple[str, int]]]:
    """Let contacts seek or offer the topics that are still there; return (side, id) of those that
    were new to each."""
    wanted = [(side, topic) for side, ids in topics.items() for topic in ids]
    there = _existing(Topic, [topic for _, topic in wanted])
    known = ContactTopic.objects.filter(contact__in=contacts, topic__in=there)
    has = set(known.values_list("contact_id", "side", "topic_id"))
    new = [
        (contact.pk, (side, topic))
        for contact in contacts
        for side, topic in wanted
        if topic in there and (contact.pk, side, topic) not in has
    ]
    ContactTopic.objects.bulk_create(
        [
            ContactTopic(owner_id=contacts[0].owner_id, contact_id=pk, side=side, topic_id=topic)
            for pk, (side, topic) in new
        ],
        ignore_conflicts=True,
    )
    return _by_contact(new)


def _by_contact(pairs: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for pk, each in pairs:
        found[pk].append(each)
    return found


def _delete_tags(pairs: set[tuple[int, int]]) -> None:
    held = _tags_of({pk for pk, _ in pairs}, {tag for _, tag in pairs})
    same = [each.pk for each in held if (each.contact_id, each.tag_id) in pairs]
    ContactTag.objects.filter(pk__in=same).delete()


def _delete_topics(given: set[tuple[int, str, int]]) -> None:
    contacts, _, topics = zip(*given, strict=True) if given else ((), (), ())
    held = ContactTopic.objects.filter(contact__in=contacts, topic__in=topics)
    same = [each.pk for each in held if (each.contact_id, each.side, each.topic_id) in given]
    ContactTopic.objects.filter(pk__in=same).delete()


def _search_again(changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Bring the search up to date for contacts with what was changed of them."""
    ids = [
        pk
        for pk, what in changed.items()
        if what.keys() - {"fields"} or SEARCHED & what.get("fields", {}).keys()
    ]
    if ids:
        Contact.objects.filter(pk__in=ids).reindex()


# Putting away


def _noted(
    change: BulkChange, contacts: Sequence[Contact], fields: Mapping[str, Any]
) -> Iterator[BulkRow]:
    """Set fields of contacts; yield the rows of those whom that changed."""
    held = {contact.pk: contact for contact in contacts}
    for pk, was, became in _set(contacts, fields, {}):
        yield note(change, held[pk], before={"fields": was}, after={"fields": became})
