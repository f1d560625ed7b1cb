"""People on their way out: as a table that any spreadsheet opens, and as vCards. Both read back in.

Everything is yielded piece by piece, from so many people at a time: a notebook of 100,000 takes
no more memory than one of 1,000.
"""

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import batched
from typing import NamedTuple

from contacts.files import tables, vcards
from contacts.files.cards import Card, Line
from contacts.models import Contact, ContactQuerySet, ContactTopic, say_rhythm

CHUNK = 500
# Lines of one kind that have columns of their own; the last column takes all others too.
LINES = 3
BETWEEN = " ::: "  # as Google writes several values into one cell
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the alphabet of its country
UID = "UID"
SEEKS, OFFERS = ContactTopic.Side.SEEKS, ContactTopic.Side.OFFERS
HELD = ("tags", "emails", "phones", "links", "contact_topics__topic")

# What makes a spreadsheet compute a cell instead of showing it (owasp.org/www-community/attacks/
# CSV_Injection), the wide signs of East Asian keyboards too.
_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n\0]")


def csv_file(people: ContactQuerySet) -> Iterator[str]:
    """Yield the people as a CSV table with the columns of COLUMNS, piece by piece."""
    line = csv.writer(_Echo()).writerow
    yield BYTE_ORDER_MARK + line([column.heading for column in COLUMNS])
    told = (Told(contact) for contact in _all(people))
    rows = (line([harmless(column.cell(each)) for column in COLUMNS]) for each in told)
    for some in batched(rows, CHUNK):
        yield "".join(some)


def vcard_file(people: ContactQuerySet, version: str) -> Iterator[str]:
    """Yield the people as vCards of version 3.0 or 4.0, piece by piece."""
    cards = (card(contact) for contact in _all(people, "photo"))
    for some in batched(vcards.write(cards, version), CHUNK):
        yield "".join(some)


def _all(people: ContactQuerySet, *also: str) -> Iterator[Contact]:
    """Yield the people with what hangs on them: as many queries for a CHUNK as for one."""
    people = people.select_related("organisation", "introduced_by")
    people = people.defer("search_text", "introduced_by__search_text")
    return people.prefetch_related(*HELD, *also).iterator(chunk_size=CHUNK)


class _Echo:
    """Hands back what the csv module writes."""

    def write(self, line: str) -> str:
        return line


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before it makes it
    text. Our own import takes the apostrophe off again."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


class Told:
    """A contact and the (value, label) pairs that hang on it, read once for all columns."""

    def __init__(self, contact: Contact) -> None:
        self.contact = contact
        self.emails = [(email.address, email.label) for email in contact.emails.all()]
        self.phones = [(str(phone.number), phone.label) for phone in contact.phones.all()]
        self.links = [(link.url, link.label) for link in contact.links.all()]


# vCards


def card(contact: Contact) -> Card:
    """Return everything that is written about a contact as a card. What a card has no field for
    becomes one of its details, so it comes in again as such."""
    told = Told(contact)
    details = [(value, label) for value, label in contact.details]
    uid = next((value for value, label in details if label == UID), "")
    photo = getattr(contact, "photo", None)
    return Card(
        name=contact.name,
        organisation=contact.organisation.name if contact.organisation else "",
        role=contact.role,
        how_met=contact.how_met,
        known_since=contact.known_since,
        notes=contact.notes,
        time_zone=contact.time_zone,
        tags=[tag.name for tag in contact.tags.all()],
        emails=told.emails,
        phones=told.phones,
        links=told.links,
        details=[line for line in details if line != (uid, UID)] + _more(told),
        photo=bytes(photo.image) if photo else b"",
        uid=uid,
    )


def _more(told: Told) -> list[Line]:
    lines = ((column.cell(told), column.heading) for column in COLUMNS if column.is_detail)
    return [(value, label) for value, label in lines if value]


# The table


class Column(NamedTuple):
    """A column of the table: its heading, what it holds in words, how a cell is made. What only
    the table has a place for `is_detail` in a vCard."""

    heading: str
    holds: str
    cell: Callable[[Told], str]
    is_detail: bool = False


def _numbered(what: str, holds: str, name: str) -> Iterator[Column]:
    """Yield the pairs of columns that Google and Outlook know: E-mail 1 - Label, - Value."""
    for nth in range(LINES):
        is_last = nth + 1 == LINES
        at = slice(nth, None if is_last else nth + 1)
        more = f", and all others, with {BETWEEN.strip()} between them" if is_last else ""
        label, value = partial(_label, name, at), partial(_value, name, at)
        yield Column(f"{what} {nth + 1} - Label", f"Of the {holds} beside it: work, home", label)
        yield Column(f"{what} {nth + 1} - Value", f"{holds.capitalize()}{more}", value)


def _label(name: str, at: slice, told: Told) -> str:
    labels = {label for _, label in getattr(told, name)[at]}
    return labels.pop() if len(labels) == 1 else ""


def _value(name: str, at: slice, told: Told) -> str:
    return BETWEEN.join(value for value, _ in getattr(told, name)[at])


def _tags(told: Told) -> str:
    names = [tag.name for tag in told.contact.tags.all()]
    # A comma would be read as the end of a tag, unless the cell is a list as Google writes it.
    is_torn = len(names) == 1 and re.search("[,;]", names[0])
    return f"* {names[0]}" if is_torn else BETWEEN.join(names)


def _topics(side: str, told: Told) -> str:
    rows = told.contact.contact_topics.all()
    return BETWEEN.join(sorted(row.topic.name for row in rows if row.side == side))


def _details(told: Told) -> str:
    lines = told.contact.details
    return "\n".join(f"{label}: {value}" if label else value for value, label in lines)


def _text(name: str, told: Told) -> str:
    return getattr(told.contact, name)


def _name_of(name: str, told: Told) -> str:
    row = getattr(told.contact, name)
    return row.name if row else ""


def _date(name: str, told: Told) -> str:
    day = getattr(told.contact, name)
    return day.isoformat() if day else ""


def _yes(name: str, told: Told) -> str:
    return "yes" if getattr(told.contact, name) else ""


def _rhythm(told: Told) -> str:
    days = told.contact.rhythm_days
    return say_rhythm(days) if days else ""


COLUMNS = [
    Column("Name", "The whole name", partial(_text, "name")),
    Column("Organisation", "Where they work", partial(_name_of, "organisation")),
    Column("Role", "What they do there", partial(_text, "role")),
    *_numbered("E-mail", "address", "emails"),
    *_numbered("Phone", "number", "phones"),
    *_numbered("Website", "link", "links"),
    Column("Tags", f"All tags, with {BETWEEN.strip()} between them", _tags),
    Column("How we met", "As you wrote it", partial(_text, "how_met")),
    Column("Known since", "A date: 2026-11-23", partial(_date, "known_since")),
    Column("Notes", "Worth remembering", partial(_text, "notes")),
    Column("Time zone", "Such as Europe/Vienna", partial(_text, "time_zone")),
    Column("Seeks", "In your words", partial(_text, "seeks"), is_detail=True),
    Column("Seeks topics", "What they look for", partial(_topics, SEEKS), is_detail=True),
    Column("Offers", "In your words", partial(_text, "offers"), is_detail=True),
    Column("Offers topics", "What they can give", partial(_topics, OFFERS), is_detail=True),
    Column(
        "Introduced by",
        "Through whom you met",
        partial(_name_of, "introduced_by"),
        is_detail=True,
    ),
    Column("Rhythm", "Their own, not one of a tag", _rhythm, is_detail=True),
    Column("Last contact", "A date, empty if never", partial(_date, "last_interaction_on")),
    Column("Put away", "yes, or empty", partial(_yes, "archived_at")),
    Column("Do not contact", "yes, or empty", partial(_yes, "do_not_contact")),
    Column(tables.OTHER_DETAILS, "What came with an import, a line each", _details),
]
