"""The orders of the people list, and its pages.

A page is found by the row at its edge, not by its number: the address names the sort keys and the
id of that row. So page 2,000 is as near as page 1, and stays where it is when the row goes.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from contacts.models import ALPHABETICAL, Contact, ContactQuerySet

LONGEST_EDGE = 1000
LARGEST_ID = 2**63 - 1
ID = F("id")


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # PostgreSQL knows no half of a letter.
    return value


@dataclass(frozen=True)
class Key:
    """What people are ordered by, and how its value is read back from an address."""

    expression: Any
    read: Any = _text


@dataclass(frozen=True)
class Sort:
    """An order of the list: by its keys and then by id, all in one direction. Where the first key
    may be missing, `given` and `missing` are the conditions for both; those without come last."""

    label: str
    keys: tuple[Key, ...] = ()
    down: bool = False
    given: Q | None = None
    missing: Q | None = None

    @property
    def order(self) -> list[Any]:
        """Return what order_by() takes for everybody at once."""
        expressions = [*(key.expression for key in self.keys), ID]
        if self.down:
            return [expression.desc(nulls_last=True) for expression in expressions]
        return [expression.asc(nulls_last=True) for expression in expressions]

    def ranges(self, people: ContactQuerySet) -> list["Range"]:
        """Return the parts that follow each other, two if a key may be missing: each can be read
        from an index, which "this or missing" could not."""
        if self.given is None:
            return [Range(people, self.keys, self.down)]
        return [
            Range(people.filter(self.given), self.keys, self.down),
            Range(people.filter(self.missing), self.keys[1:], self.down),
        ]


@dataclass(frozen=True)
class Range:
    """Some people in an order in which no key is missing."""

    people: ContactQuerySet
    keys: tuple[Key, ...]
    down: bool

    def beyond(self, values: tuple[Any, ...] | None, ahead: bool) -> ContactQuerySet:
        """Return those after the row with these keys and id, or those before it, nearest first;
        without values, all of them from the one end or the other."""
        falling = self.down == ahead
        keys = [*(key.expression for key in self.keys), ID]
        edges = {f"edge_{n}": key for n, key in enumerate(keys[:-1])}
        people = self.people.annotate(**edges).order_by(
            *(key.desc() if falling else key.asc() for key in keys)
        )
        if values is None:
            return people
        # The comparison of rows is answered by the index of all keys; that of the first key alone
        # helps where this key stands in another table.
        past, not_short_of = (
            (LessThan, LessThanOrEqual) if falling else (GreaterThan, GreaterThanOrEqual)
        )
        people = people.filter(past(_row(*keys), _row(*map(Value, values))))
        return people.filter(not_short_of(keys[0], values[0]))


def _row(*expressions: Any) -> Func:
    # Nothing asks for the type of a whole row.
    return Func(*expressions, function="ROW", output_field=BooleanField())


@dataclass(frozen=True)
class Edge:
    """The row at the edge of a page: in which range of its order it stands, its keys and its id."""

    range: int
    values: tuple[Any, ...]

    @classmethod
    def read(cls, text: str, sort: Sort) -> Self | None:
        """Return the edge that an address names; None if it cannot be one of this order."""
        if not text or len(text) > LONGEST_EDGE:
            return None
        try:
            *values, pk = json.loads(text)
            is_without = sort.given is not None and len(values) < len(sort.keys)
            keys = sort.keys[1:] if is_without else sort.keys
            read = [key.read(value) for key, value in zip(keys, values, strict=True)]
        except (ValueError, TypeError, RecursionError):
            return None
        if type(pk) is not int or not 0 < pk <= LARGEST_ID:
            return None
        return cls(int(is_without), (*read, pk))

    @staticmethod
    def write(contact: Contact) -> str:
        """Return what an address calls the row of a contact of page_of()."""
        return json.dumps(
            [*contact.edge, contact.pk], separators=(",", ":"), default=str, ensure_ascii=False
        )


def page_of(
    people: ContactQuerySet, sort: Sort, size: int, edge: Edge | None = None, ahead: bool = True
) -> tuple[list[Contact], bool]:
    """Return at most so many people after the edge, or before it, in the order of the list; and
    whether there are more of them in that direction. One query for each range that is looked at."""
    ranges = sort.ranges(people)
    start = edge.range if edge else 0
    found: list[Contact] = []
    for n in range(start, len(ranges)) if ahead else range(start, -1, -1):
        values = edge.values if edge and edge.range == n else None
        rows = list(ranges[n].beyond(values, ahead)[: size + 1 - len(found)])
        for contact in rows:
            contact.edge = [getattr(contact, f"edge_{k}") for k in range(len(ranges[n].keys))]
        found += rows
        if len(found) > size:
            break
    page = found[:size]
    return (page if ahead else page[::-1]), len(found) > size


_NAME = Key(ALPHABETICAL)
_ORGANISATION = Key(Lower("organisation__name"))
_LAST = Key(F("last_interaction_on"), date.fromisoformat)
_BY_ORGANISATION: dict[str, Any] = {
    "keys": (_ORGANISATION, _NAME),
    # The same owner, which every row has, lets the table of organisations lead.
    "given": Q(organisation__owner=F("owner")),
    "missing": Q(organisation=None),
}
_BY_LAST: dict[str, Any] = {
    "keys": (_LAST,),
    "given": Q(last_interaction_on__isnull=False),
    "missing": Q(last_interaction_on=None),
}

SORTS = {
    "": Sort("Name", (_NAME,)),
    "name-down": Sort("Name, Z to A", (_NAME,), down=True),
    "organisation": Sort("Organisation", **_BY_ORGANISATION),
    "organisation-down": Sort("Organisation, Z to A", **_BY_ORGANISATION, down=True),
    "recent": Sort("Spoken to last", **_BY_LAST, down=True),
    "quiet": Sort("Longest quiet", **_BY_LAST),
    # Ids are given in the order in which people were written down.
    "added": Sort("Added last", down=True),
    "added-up": Sort("Added first"),
}
# What a click on the head of a column sorts by, and the next one.
HEADS = {
    "person": ("", "name-down"),
    "last": ("recent", "quiet"),
    "organisation": ("organisation", "organisation-down"),
    "added": ("added", "added-up"),
}
