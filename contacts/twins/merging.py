"""Two entries for one person become one: what this room knows of them, and how the rows of all
rooms find their new owner."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import SET_NULL, ForeignKey, Model

from contacts.models import Contact
from contacts.twins.known import stored
from contacts.twins.snapshots import relations

KEPT, OTHER, BOTH = "kept", "other", "both"
LINES = {"emails": "address", "phones": "number", "links": "url"}
# Of two that differ: the longer, the earlier, both after one another, or else the newer.
LONGER = ("name", "how_met")
EARLIER = ("known_since",)
JOINED = ("seeks", "offers", "notes")
NEWER = ("role", "organisation", "introduced_by", "time_zone", "rhythm_days")
FIELDS = (
    *("name", "role", "organisation", "how_met", "introduced_by", "known_since"),
    *("rhythm_days", "time_zone", *JOINED),
)


def differing(kept: Contact, other: Contact) -> list[str]:
    """Return the fields in which both say something, and not the same."""
    return [
        name
        for name in FIELDS
        if _say(kept, other, name)
        and _say(other, kept, name)
        and _say(kept, other, name) != _say(other, kept, name)
    ]


def propose(kept: Contact, other: Contact) -> dict[str, str]:
    """Return of every field whose words are the better ones: KEPT, OTHER or BOTH."""
    return {name: _better(name, kept, other) for name in FIELDS}


def _better(name: str, kept: Contact, other: Contact) -> str:
    mine, theirs = _say(kept, other, name), _say(other, kept, name)
    if not theirs or mine == theirs:
        return KEPT
    if not mine:
        return OTHER
    if name in JOINED:
        return BOTH
    if name in LONGER:
        return OTHER if len(theirs) > len(mine) else KEPT
    if name in EARLIER:
        return OTHER if theirs < mine else KEPT
    return OTHER if other.updated_at > kept.updated_at else KEPT


def _say(contact: Contact, other: Contact, name: str) -> Any:
    """Return the value of a field. That one was introduced by the other says nothing any more."""
    value = getattr(contact, name)
    return None if value == other else value


def absorb(kept: Contact, other: Contact, choices: Mapping[str, str] | None = None) -> None:
    """Give `kept` everything of `other`, and delete `other`. `choices` says of a field whose words
    hold (KEPT, OTHER or BOTH); of any other field propose() does. A wish to be left alone holds for
    both; who is put away once only is not put away. The caller holds the locks of both."""
    chosen = propose(kept, other) | dict(choices or {})
    values = {name: _chosen(name, side, kept, other) for name, side in chosen.items()}
    for name, value in values.items():
        setattr(kept, name, value)
    kept.do_not_contact |= other.do_not_contact
    kept.archived_at = kept.archived_at and other.archived_at
    kept.last_interaction_on = _latest(kept.last_interaction_on, other.last_interaction_on)
    kept.hello_not_before = _latest(kept.hello_not_before, other.hello_not_before)
    kept.details += [line for line in other.details if line not in kept.details]
    kept.save()
    _drop_same_lines(kept, other)
    other.led_to.exclude(pk=kept.pk).update(introduced_by=kept)
    for field in relations(Contact):
        if field.model is not Contact:
            _move(field, kept, other)
    other.delete()
    kept.reindex()


def _chosen(name: str, side: str, kept: Contact, other: Contact) -> Any:
    mine, theirs = _say(kept, other, name), _say(other, kept, name)
    if side == BOTH:
        return "\n\n".join(filter(None, [mine, theirs]))
    return mine if side == KEPT else theirs


def _latest(*days: Any) -> Any:
    return max(filter(None, days), default=None)


def _drop_same_lines(kept: Contact, other: Contact) -> None:
    """Delete the addresses, numbers and links of `other` that `kept` has too."""
    for name, value in LINES.items():
        known = {_spelled(line, value) for line in getattr(kept, name).all()}
        for line in getattr(other, name).all():
            if _spelled(line, value) in known:
                line.delete()


def _spelled(line: Model, value: str) -> str:
    return stored(getattr(line, value)).lower()


def _move(field: ForeignKey, kept: Contact, other: Contact) -> None:
    """Point the rows that point to `other` to `kept`, whatever room they are of."""
    rows = field.model._base_manager.filter(**{field.name: other})
    try:
        with transaction.atomic():
            rows.update(**{field.name: kept})
    except IntegrityError:
        for row in rows:
            _move_row(row, kept, other)


def _move_row(row: Model, kept: Contact, other: Contact) -> None:
    """Point one row to `kept`. Of a pair in order the two change places if they must. Where a row
    would stand twice, or join somebody with themselves, a pointer is taken away if the row outlives
    whom it points to; else the row goes."""
    fields = [field for field in relations(Contact) if field.model is type(row)]
    before = {field.attname: getattr(row, field.attname) for field in fields}
    moved = {name: kept.pk if pk == other.pk else pk for name, pk in before.items()}
    swapped = dict(zip(moved, reversed(moved.values()), strict=True))
    emptied = [
        moved | {field.attname: None}
        for field in fields
        if field.remote_field.on_delete is SET_NULL and moved[field.attname] == kept.pk
    ]
    if not any(_try(row, values) for values in chain([moved, swapped], emptied)):
        row.delete()


def _try(row: Model, values: dict[str, int | None]) -> bool:
    try:
        with transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(**values)
    except IntegrityError:
        return False
    return True
