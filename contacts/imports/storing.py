"""Rows of an import become people, or give people who are known what they lack: one chunk of rows
at a time, in a constant number of queries."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.db.models import Max, Model
from django.db.models.functions import Lower

from contacts.files.cards import Card, Line
from contacts.files.photos import thumbnail
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactPhoto,
    ContactTag,
    ImportJob,
    ImportRow,
    Organisation,
    Tag,
    plain,
)
from contacts.twins.known import lowered, stored
from netcrm.models import User

Pair = tuple[ImportRow, Contact]
# Where the lines of a card go: its field, the model, what the model calls the value.
LINES: list[tuple[str, Any, str]] = [
    ("emails", ContactEmail, "address"),
    ("phones", ContactPhone, "number"),
    ("links", ContactLink, "url"),
]
# What an import may write, and what somebody may do with a person since.
WRITTEN = ("organisation_id", "role", "how_met", "known_since", "notes", "time_zone", "details")
EDITED = (
    "name",
    *WRITTEN,
    "introduced_by_id",
    "seeks",
    "offers",
    "rhythm_days",
    "hello_not_before",
    "do_not_contact",
    "archived_at",
)


class CannotAnswer(Exception):
    """The text is a sentence for the user."""


class Taker(Protocol):
    """A room above that takes something of a card too, such as moments and tasks. `models` are
    those of its rows that take() may write."""

    models: set[type[Model]]

    def take(self, pairs: Sequence[Pair]) -> set[int]:
        """Store what the cards of rows tell of their contacts, once for a row. Return the ids of
        the contacts that got something."""

    def used(self, pairs: Sequence[Pair]) -> set[int]:
        """Return the ids of the contacts of which this room knows more than take() has stored."""

    def give_back(self, pairs: Sequence[Pair]) -> None:
        """Delete what take() has stored for rows whose contacts stay."""

    def begin(self, contact: Contact) -> int | None:
        """Start to pursue a contact; return what end() needs. Raises CannotAnswer."""

    def end(self, begun: int | None) -> str:
        """Take back what begin() did; return why not, if it cannot be."""


TAKERS: list[Taker] = []


def create(job: ImportJob, rows: Sequence[ImportRow]) -> None:
    """Make a person of each row."""
    organisations = _organisations(job, rows)
    contacts = [_contact(job, row.told, organisations) for row in rows]
    Contact.objects.bulk_create(contacts)
    pairs = list(zip(rows, contacts, strict=True))
    for row, contact in pairs:
        row.contact, row.made = contact, True
    lines = {name: _add_lines(name, pairs) for name, _, _ in LINES}
    tags = _add_tags(job, pairs)
    _add_photos(pairs)
    for row, contact in pairs:
        held = {name: lines[name].get(contact.pk, []) for name, _, _ in LINES}
        row.after = {"picture": picture(contact, held, tags.get(contact.pk, []))}
    _hand_on(pairs)


def _contact(job: ImportJob, card: Card, organisations: dict[str, Organisation]) -> Contact:
    contact = Contact(
        owner=job.owner,
        name=card.name,
        role=card.role,
        organisation=_organisation(card, organisations),
        how_met=card.how_met,
        known_since=card.known_since,
        notes=card.notes,
        time_zone=card.time_zone,
        details=[list(line) for line in card.details],
    )
    contact.search_text = contact.searchable(
        [address for address, _ in card.emails],
        _tags_of(job, card),
        numbers=[number for number, _ in card.phones],
        links=[url for url, _ in card.links],
    )
    return contact


def _organisations(job: ImportJob, rows: Sequence[ImportRow]) -> dict[str, Organisation]:
    """Return {plain name: organisation} for the cards; rows remember which are new."""
    names = [row.told.organisation for row in rows if row.told.organisation]
    newest = Organisation.objects.aggregate(pk=Max("pk"))["pk"] or 0
    found = Organisation.find_or_create(job.owner, names)
    for row in rows:
        organisation = found.get(plain(row.told.organisation))
        if organisation and organisation.pk > newest:
            row.before["organisation"] = [organisation.pk]
    return found


def _organisation(card: Card, organisations: dict[str, Organisation]) -> Organisation | None:
    # A name of accents alone is plainly nothing, and so is none.
    return organisations.get(plain(card.organisation)) if card.organisation else None


def _tags_of(job: ImportJob, card: Card) -> list[str]:
    names = {plain(tag): tag for tag in filter(None, [job.tag, *card.tags])}
    return list(names.values())


Held = dict[int, list[tuple[str, str]]]


def _add_lines(name: str, pairs: Sequence[Pair], held: Held | None = None) -> Held:
    """Give contacts the lines of their cards, without those they have; return what was added."""
    model, value = next((model, value) for each, model, value in LINES if each == name)
    added: Held = defaultdict(list)
    for row, contact in pairs:
        known = {text.lower() for text, _ in (held or {}).get(contact.pk, [])}
        known |= {text.lower() for text, _ in added[contact.pk]}
        added[contact.pk] += [
            line for line in getattr(row.told, name) if line[0].lower() not in known
        ]
    model.objects.bulk_create(
        model(owner_id=contact.owner_id, contact_id=contact.pk, label=label, **{value: text})
        for contact in {contact.pk: contact for _, contact in pairs}.values()
        for text, label in added[contact.pk]
    )
    return added


def _add_tags(job: ImportJob, pairs: Sequence[Pair]) -> dict[int, list[int]]:
    """Give contacts the tags of their cards and of the import; return the ids of the new ones by
    contact."""
    wanted = {row.pk: _tags_of(job, row.told) for row, _ in pairs}
    names = {plain(name): name for names in wanted.values() for name in names}
    tags = _tags_named(job.owner, names)
    missing = names.keys() - tags.keys()
    Tag.objects.bulk_create(
        [Tag(owner=job.owner, name=names[key]) for key in sorted(missing)], ignore_conflicts=True
    )
    tags |= _tags_named(job.owner, names) if missing else {}
    for row, _ in pairs:
        if made := [tags[key].pk for key in missing & {plain(tag) for tag in wanted[row.pk]}]:
            row.before["tag"] = made
    rows = {
        (contact.pk, tags[plain(name)].pk): contact
        for row, contact in pairs
        for name in wanted[row.pk]
        if plain(name) in tags
    }
    contacts = [contact.pk for _, contact in pairs]
    known = ContactTag.objects.filter(contact__in=contacts, tag__in=[tag for _, tag in rows])
    new = rows.keys() - set(known.values_list("contact_id", "tag_id"))
    ContactTag.objects.bulk_create(
        [
            ContactTag(owner=job.owner, contact_id=contact, tag_id=tag)
            for contact, tag in sorted(new)
        ]
    )
    added: dict[int, list[int]] = defaultdict(list)
    for contact_id, tag_id in sorted(new):
        added[contact_id].append(tag_id)
    return added


def _tags_named(owner: User, names: dict[str, str]) -> dict[str, Tag]:
    mine = Tag.objects.for_user(owner).annotate(lowered=Lower("name"))
    found = mine.filter(lowered__in=lowered(names.values()))
    return {plain(tag.name): tag for tag in found}


def _add_photos(pairs: Sequence[Pair]) -> list[int]:
    """Draw the photos of cards; return the ids of the contacts that got one."""
    drawn = {
        contact.pk: ContactPhoto(owner_id=contact.owner_id, contact=contact, image=image)
        for row, contact in pairs
        if (photo := row.told.photo) and (image := thumbnail(photo))
    }
    if not drawn:
        return []
    known = set(ContactPhoto.objects.filter(contact__in=drawn).values_list("contact_id", flat=True))
    new = {pk: photo for pk, photo in drawn.items() if pk not in known}
    ContactPhoto.objects.bulk_create(new.values())
    return list(new)


def _hand_on(pairs: Sequence[Pair]) -> set[int]:
    return {contact_id for taker in TAKERS for contact_id in taker.take(pairs)}


def picture(contact: Contact, lines: dict[str, list[tuple[str, str]]], tags: Iterable[int]) -> str:
    """Return a digest of everything that somebody can write about a person: it changes with every
    edit."""
    told = [getattr(contact, name) for name in EDITED]
    held = [sorted([text, label] for text, label in lines[name]) for name, _, _ in LINES]
    text = json.dumps([told, held, sorted(tags)], default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def complete(job: ImportJob, rows: Sequence[ImportRow]) -> list[ImportRow]:
    """Give people who are known what they lack, and never overwrite what they have. Return the
    rows that had something to give."""
    known = Contact.objects.for_user(job.owner).filter(pk__in=[row.contact_id for row in rows])
    known = known.select_related("organisation").select_for_update(of=("self",), no_key=True)
    contacts = {contact.pk: contact for contact in known}
    pairs = [(row, contacts[row.contact_id]) for row in rows if row.contact_id in contacts]
    idle = [row for row, contact in pairs if contact.organisation_id is None]
    organisations = _organisations(job, idle)
    for row, contact in pairs:
        contact.owner = job.owner
        _fill(row, contact, organisations)
    Contact.objects.bulk_update(contacts.values(), WRITTEN)
    _add_what_is_new(job, pairs)
    taken = _hand_on(pairs)
    for row, contact in pairs:
        row.after |= {"taken": True} if contact.pk in taken else {}
    Contact.objects.filter(pk__in=contacts).reindex()
    return [row for row, _ in pairs if row.after]


def _fill(row: ImportRow, contact: Contact, organisations: dict[str, Organisation]) -> None:
    """Fill the empty fields of a contact from a card; what it says otherwise becomes a detail.
    Remember how the fields were and became."""
    card = row.told
    was = {name: getattr(contact, name) for name in WRITTEN}
    told = [*card.details, *_told_otherwise(contact, card)]
    for name in ("role", "how_met", "known_since", "time_zone"):
        setattr(contact, name, getattr(contact, name) or getattr(card, name))
    if contact.organisation_id is None:
        contact.organisation = _organisation(card, organisations)
    if card.notes and card.notes not in contact.notes:
        contact.notes = "\n\n".join(filter(None, [contact.notes, card.notes]))
    new = [list(line) for line in told if list(line) not in contact.details]
    contact.details = [*contact.details, *new]
    changed = [name for name in WRITTEN if getattr(contact, name) != was[name]]
    if changed:
        row.before["fields"] = {name: as_json(was[name]) for name in changed}
        row.after = {"fields": {name: as_json(getattr(contact, name)) for name in changed}}


def _told_otherwise(contact: Contact, card: Card) -> list[Line]:
    """Return what a card says of what a contact has one of, where that is something else."""
    return [
        (str(theirs), name.replace("_", " "))
        for name in ("name", "organisation", "role", "how_met", "known_since", "time_zone")
        if (ours := getattr(contact, name)) and (theirs := getattr(card, name))
        if plain(str(ours)) != plain(str(theirs))
    ]


def as_json(value: Any) -> Any:
    """Return the value of a field of WRITTEN as JSON can store it: only dates are none of it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _add_what_is_new(job: ImportJob, pairs: Sequence[Pair]) -> None:
    """Add lines, tags and photos that the contacts do not have, and remember which."""
    ids = [contact.pk for _, contact in pairs]
    given: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, model, value in LINES:
        held: Held = defaultdict(list)
        for contact_id, text, label in model.objects.filter(contact__in=ids).values_list(
            "contact_id", value, "label"
        ):
            held[contact_id].append((stored(text), label))
        for contact_id, lines in _add_lines(name, pairs, held).items():
            if lines:
                given[contact_id][name] = lines
    for contact_id, tags in _add_tags(job, pairs).items():
        given[contact_id]["tags"] = tags
    for contact_id in _add_photos(pairs):
        given[contact_id]["photo"] = True
    for row, contact in pairs:
        # Of two rows for one person the first is said to have given it all.
        row.after |= given.pop(contact.pk, {})
