"""Deleting many people at one stroke, who can be brought back for 30 days.

The row of each person keeps what went with them, as if they had been deleted one after the other:
what two of them shared is with the one who went first, and comes back last, when both are there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import CASCADE, ForeignKey

from contacts.bulk import Verb, note, whose
from contacts.models import BulkChange, BulkRow, Contact
from contacts.twins import snapshots
from netcrm.models import User

# What a change leaves of somebody.
GONE = {"gone": True}
STAYS_AWAY = "{} stays away: something that belonged to them was given anew since."


class Delete(Verb):
    """Deletes people with everything that hangs on them."""

    takes_away = True
    chunk = 50

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        return {}, "deleted"

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        ids = [contact.pk for contact in contacts]
        before = snapshots.take(contacts)
        Contact.objects.filter(pk__in=ids).delete()
        went_with = Parted(snapshots.changes(before), ids).each()
        rows = [note(change, each, before=went_with[each.pk], after=GONE) for each in contacts]
        for row in rows:
            row.contact = None
        return rows

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        """Bring people back with all that went with them, but for what is gone itself, a tag, say;
        what was edited since is left as it is. Whose place was taken stays away."""
        for row in rows:
            noted = snapshots.unedited(row.before)
            if not (_came_back(noted) or _came_back(_without_the_missing(noted))):
                row.why = STAYS_AWAY.format(_name(row))[:300]
        # A tag or an organisation may be called something else now.
        Contact.objects.filter(pk__in=[whose(row) for row in rows if not row.why]).reindex()


def _came_back(noted: dict[str, Any]) -> bool:
    try:
        with transaction.atomic():
            snapshots.put_back(noted)
    except IntegrityError:
        return False
    return True


def _without_the_missing(noted: dict[str, Any]) -> dict[str, Any]:
    """Return what went with a contact as if what is not there any more had been deleted later: rows
    that need it are left out, pointers to it emptied."""
    gone = noted["gone"]
    return {**noted, "gone": {label: _kept(label, rows, gone) for label, rows in gone.items()}}


def _kept(
    label: str, rows: list[dict[str, Any]], gone: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    for field in _pointers(label):
        column, model = field.column, field.remote_field.model
        found = model._base_manager.filter(pk__in={row[column] for row in rows} - {None})
        there = {None, *found.values_list("pk", flat=True)}
        there |= {row["id"] for row in gone.get(model._meta.label, ())}
        if field.remote_field.on_delete is CASCADE:
            rows = [row for row in rows if row[column] in there]
        else:
            rows = [row if row[column] in there else {**row, column: None} for row in rows]
    return rows


def _pointers(label: str) -> list[ForeignKey[Any, Any]]:
    fields = apps.get_model(label)._meta.concrete_fields
    return [field for field in fields if isinstance(field, ForeignKey)]


def _name(row: BulkRow) -> str:
    people: list[dict[str, Any]] = row.before["gone"][Contact._meta.label]
    return people[0]["name"]


class Place(NamedTuple):
    """Where a row is, or was: its model's label and its id."""

    label: str
    id: int


class Parted:
    """What snapshots.changes() noted of people who went together, parted among them as if they had
    gone in the order of their ids."""

    def __init__(self, noted: Mapping[str, Any], ids: Sequence[int]) -> None:
        self.noted = noted
        self.rows = {
            Place(label, row["id"]): row for label, rows in noted["gone"].items() for row in rows
        }
        self.order = {pk: number for number, pk in enumerate(ids)}
        # With whom a row went: the first of those without whom it cannot be.
        self.first = cache(self._first)

    def each(self) -> dict[int, dict[str, Any]]:
        """Return {contact id: what changes() would have noted of that one alone}."""
        parts: dict[int, Any] = {
            pk: {"gone": defaultdict(list), "changed": defaultdict(list)} for pk in self.order
        }
        for place, row in self.rows.items():
            first, left = self.first(place), dict(row)
            for field, target in self._pointers(place.label, row):
                if self.order[self.first(target)] < self.order[first]:
                    left[field.column] = None
                    self._emptied(parts, place, field, target)
            parts[first]["gone"][place.label].append(left)
        for label, rows in self.noted["changed"].items():
            for row in rows:
                for field, target in self._pointers(label, row["was"]):
                    self._emptied(parts, Place(label, row["id"]), field, target)
        return parts

    def _first(self, place: Place) -> int:
        if place.label == Contact._meta.label:
            return place.id
        people = [
            self.first(target)
            for field, target in self._pointers(place.label, self.rows[place])
            if field.remote_field.on_delete is CASCADE
        ]
        return min(people, key=self.order.__getitem__)

    def _pointers(
        self, label: str, row: Mapping[str, Any]
    ) -> Iterator[tuple[ForeignKey[Any, Any], Place]]:
        """Yield the foreign keys of a row that point to something which went, and where to."""
        for field in _pointers(label):
            target = Place(field.remote_field.model._meta.label, row.get(field.column, 0))
            if target in self.rows:
                yield field, target

    def _emptied(
        self, parts: dict[int, Any], place: Place, field: ForeignKey[Any, Any], target: Place
    ) -> None:
        column = field.column
        what = {"id": place.id, "was": {column: target.id}, "is": {column: None}}
        parts[self.first(target)]["changed"][place.label].append(what)
