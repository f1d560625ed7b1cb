"""The cells of a table of people: what each column of the export says of somebody, and what a
changed one means (contacts.bulk.table)."""

import re
from collections.abc import Callable
from itertools import chain
from typing import Any

from import_export.fields import Field

from contacts.exporting import COLUMNS, LINES, Told, harmless
from contacts.files import tables
from contacts.files.cards import Card
from contacts.imports.fitting import LONGEST, LONGEST_TAG, fit
from contacts.models import LONGEST_RHYTHM, RHYTHMS, Contact
from netcrm.models import User
from netcrm.wording import one_line

Row = dict[str, str]
Lines = list[tuple[str, str]]

# Told, and only to be read; told, and changed by the list's actions, with all that follows.
SHOWN, BY_ACTION = "Last contact", ("Put away", "Do not contact")
KINDS = {"E-mail": "emails", "Phone": "phones", "Website": "links"}

NOT_THAT = {
    "emails": "“{}” is no whole address. Write one such as name@example.org.",
    "phones": "“{}” is no whole number. Start it with + and the country code: +43 660 1234567.",
    "links": "“{}” is no web address. Write one such as https://example.org.",
}
LONGEST_TOPIC = 100
NO_DAY = "Write a day as 2026-11-23."
NO_RHYTHM = f"Write a number of days from 1 to {LONGEST_RHYTHM}, or empty the cell."
TOO_LONG = "“{}” is too long: {} letters are the most."
BY_AN_ACTION = "This cannot be changed here. Choose the person in the list, and the action there."


class Person:
    """Somebody of a table: the id of the contact, None for somebody new; their cells as export
    writes them (`was`) and as the file has them; what the changed ones mean (contacts.bulk.table).

    The contact itself is not kept: thousands of them, with what hangs on each, weigh much."""

    def __init__(self, contact: Contact | None = None) -> None:
        self.pk = contact.pk if contact else None
        told = Told(contact) if contact else None
        self.was = {each.heading: tables.tidy(each.cell(told)) if told else "" for each in COLUMNS}
        self.cells = dict(self.was)
        self.lines = {name: _slots(getattr(told, name, [])) for name in KINDS.values()}
        self.says: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.cells["Name"]


def _slots(lines: Lines) -> list[Lines]:
    """Return the lines of each pair of columns; the last pair takes all others too."""
    return [*(lines[nth : nth + 1] for nth in range(LINES - 1)), lines[LINES - 1 :]]


# Cells


class Cell(Field):
    """One column. `name` is what contacts.bulk.table calls it; `read` makes its value of a text,
    or raises ValueError with a sentence."""

    def __init__(self, heading: str, name: str, read: Callable[[str], Any]) -> None:
        super().__init__(heading, heading)
        self.name, self.read = name, read

    def get_value(self, person: Person) -> str:
        return person.cells[self.column_name]

    def save(self, person: Person, row: Row, *args: Any, **kwargs: Any) -> None:
        was = person.was[self.column_name]
        text = said(row[self.column_name], was)
        if text != was:
            person.cells[self.column_name] = text
            person.says[self.name] = self.read(text)


def said(cell: str, was: str = "") -> str:
    """Return what a cell says, without the apostrophe that export puts before a formula. `was` is
    what it said when it was exported: a text may begin with that apostrophe itself."""
    if cell == was:
        return was  # Most cells of a large table.
    text = tables.tidy(cell)
    if text in (was, tables.tidy(harmless(was))):
        return was
    bare = text.removeprefix("'")
    return bare if harmless(bare) == text else text


class LineCell(Cell):
    """One of a pair of columns: a value, and the label that stands beside it."""

    def __init__(self, pair: str, nth: int, column: str, owner: User) -> None:
        self.pair, self.nth, self.owner = f"{pair} {nth + 1}", nth, owner
        super().__init__(f"{self.pair} - {column}", KINDS[pair], str)

    def save(self, person: Person, row: Row, *args: Any, **kwargs: Any) -> None:
        label, value = f"{self.pair} - Label", f"{self.pair} - Value"
        if self.column_name == label and value in row:
            return  # The column beside it looks at both.
        was = {heading: person.was[heading] for heading in (label, value)}
        now = {heading: said(row.get(heading, old), old) for heading, old in was.items()}
        if now != was:
            person.cells |= now
            slots = person.lines[self.name]
            slots[self.nth] = self._lines(now[value], now[label])
            lines: dict[str, list[str]] = {}
            for text, kind in chain.from_iterable(slots):
                lines.setdefault(text.lower(), [text, kind])
            person.says[self.name] = list(lines.values())

    def _lines(self, text: str, label: str) -> Lines:
        card = Card()
        tables.put(card, self.name.removesuffix("s"), text, label)
        fit(card, self.owner.country, self.owner.today())
        if card.details:
            raise ValueError(NOT_THAT[self.name].format(card.details[0][0]))
        return getattr(card, self.name)


class ShownCell(Cell):
    """A column that is told and not changed: where it matters, a different cell is refused."""

    def __init__(self, heading: str) -> None:
        super().__init__(heading, "", self.refuse)

    def save(self, person: Person, row: Row, *args: Any, **kwargs: Any) -> None:
        if self.column_name in BY_ACTION:
            super().save(person, row)

    def refuse(self, text: str) -> None:
        raise ValueError(BY_AN_ACTION)


def read_day(text: str) -> str | None:
    day = tables.as_date(text)
    if text and day is None:
        raise ValueError(NO_DAY)
    return day.isoformat() if day else None


_EVERY = re.compile(r"(?:every )?(\d{1,4})(?: days?)?")


def read_rhythm(text: str) -> int | None:
    """Return the days of a rhythm, as export writes it or as a number."""
    words = one_line(text).lower()
    offered = {say: days for days, say in RHYTHMS} | {"": None, "every day": 1}
    if words in offered:
        return offered[words]
    found = _EVERY.fullmatch(words)
    if not found or not 1 <= int(found[1]) <= LONGEST_RHYTHM:
        raise ValueError(NO_RHYTHM)
    return int(found[1])


def read_tags(text: str) -> list[str]:
    card = Card()
    tables.put(card, "tags", text)
    _check_length(card.tags, LONGEST_TAG)
    return card.tags


def read_topics(text: str) -> list[str]:
    topics = list(filter(None, map(one_line, re.split(r":::|[,;\n]", text))))
    _check_length(topics, LONGEST_TOPIC)
    return topics


def read_organisation(text: str) -> list[str]:
    names = [one_line(text)] if text else []
    _check_length(names, LONGEST["organisation"])
    return names


def _check_length(names: list[str], most: int) -> None:
    if too_long := next((name for name in names if len(name) > most), None):
        raise ValueError(TOO_LONG.format(too_long, most))


def read_details(text: str) -> list[list[str]]:
    """Return the [value, label] pairs of lines, as export writes them."""
    return [[value, label] for value, label in tables.read_details(text)]
