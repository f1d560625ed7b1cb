"""The table of people, for django-import-export: read row by row, compared with the notebook, and
stored as one change that can be undone.

It has the columns of the app's own export (contacts.exporting), so a file from there that was
edited in a spreadsheet comes back. A cell that says what the notebook says changes nothing; a
column that is not in the file changes nothing either; an empty cell empties. Nobody is known by a
number of ours: a row is about whom its first e-mail address tells, else its profile link, else its
name and organisation.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from diff_match_patch import diff_match_patch
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import Error, Result, RowResult
from tablib import Dataset

from contacts.admin.cells import (
    BY_ACTION,
    KINDS,
    SHOWN,
    Cell,
    LineCell,
    Person,
    Row,
    ShownCell,
    read_day,
    read_details,
    read_organisation,
    read_rhythm,
    read_tags,
    read_topics,
    said,
)
from contacts.bulk.table import Edit, store
from contacts.exporting import BETWEEN, COLUMNS, HELD, LINES, harmless
from contacts.files import tables
from contacts.files.cards import Card
from contacts.models import BulkChange, Contact, ContactEmail, ContactLink, plain, tidy_link
from contacts.twins.known import PROFILE
from netcrm.models import User
from netcrm.wording import one_line

logger = logging.getLogger(__name__)

# What somebody is known by: (what it is, how it is spelled, ...).
Sign = tuple[str, ...]
EMAIL, LINK, NAME = "e-mail address", "profile link", "name"
# Where a row stands in the file.
ROW = "Row"
# The rules of these fields of a contact are asked.
CHECKED: dict[str, Any] = {
    name: Contact._meta.get_field(name)
    for name in ("name", "role", "how_met", "known_since", "notes", "time_zone", "seeks", "offers")
}
# Of a longer text only the differences are shown, if they are found within so many seconds: for
# two long texts with little in common that would take minutes.
LONG, COMPARE_SECONDS = 80, 0.01

NAMELESS = "A person needs a name."
THEMSELVES = "Nobody is introduced by themselves."
NOBODY = "Nobody in your notebook is called “{}”."
SEVERAL = "{} people in your notebook are called “{}”, so it is not clear who is meant."
UNCLEAR = "{} people in your notebook have this {}, so it is not clear who is meant."
TWICE = "Row {} is about the same person."


# Who is meant


class Finder(BaseInstanceLoader):
    """Whom the rows are about. Everybody who could be one is fetched first, in a constant number of
    queries, with what hangs on them."""

    def __init__(self, resource: "PeopleResource", dataset: Dataset) -> None:
        super().__init__(resource, dataset)
        self.owner = resource.owner
        self.taken: dict[Sign | Person, str] = {}
        self.signs = {row[ROW]: _signs(row) for row in dataset.dict}
        self.people: dict[Sign, list[Person]] = defaultdict(list)
        for person in map(Person, self._fetch(self.signs.values())):
            for sign in set(_signs_of(person)):
                self.people[sign].append(person)

    def _fetch(self, rows: Iterable[list[Sign]]) -> Iterator[Contact]:
        told: dict[str, set[str]] = defaultdict(set)
        for what, value, *_ in chain.from_iterable(rows):
            told[what].add(value)
        emails = ContactEmail.objects.for_user(self.owner).annotate(lowered=Lower("address"))
        links = ContactLink.objects.for_user(self.owner)
        names = Contact.objects.for_user(self.owner).annotate(plain=Lower("name"))
        spelled = told[NAME].union(map(harmless, told[NAME]))
        ids = {
            *emails.filter(lowered__in=told[EMAIL]).values_list("contact_id", flat=True),
            *links.filter(url__in=told[LINK]).values_list("contact_id", flat=True),
            *names.filter(plain__in=spelled).values_list("pk", flat=True),
        }
        people = Contact.objects.for_user(self.owner).filter(pk__in=ids)
        people = people.select_related("organisation", "introduced_by")
        people = people.defer("search_text", "introduced_by__search_text")
        return people.prefetch_related(*HELD).iterator(chunk_size=1000)

    def get_instance(self, row: Row) -> Person | None:
        """Return whom a row is about, None for somebody new. Raises ValidationError when that is
        not clear, or when another row is about the same person."""
        signs = self.signs[row[ROW]]
        person = next(filter(None, (self._one(sign, row) for sign in signs)), None)
        if (other := self.taken.setdefault(person or signs[0], row[ROW])) != row[ROW]:
            raise ValidationError(TWICE.format(other))
        return person

    def _one(self, sign: Sign, row: Row) -> Person | None:
        found = self.people.get(sign, [])
        if len(found) > 1:
            name = plain(said(row["Name"]))
            found = [each for each in found if plain(each.was["Name"]) == name] or found
        if len(found) > 1:
            raise ValidationError(UNCLEAR.format(len(found), sign[0]))
        return found[0] if found else None


def _signs(row: Row) -> list[Sign]:
    """Return what a row tells somebody by, the surest first."""
    signs = [(EMAIL, email.lower()) for email in _values(row, "E-mail")[:1]]
    card = Card()
    for link in _values(row, "Website"):
        tables.put(card, "link", link)
    links = (tidy_link(link) for link, _ in card.links)
    signs += [(LINK, link) for link in links if PROFILE in link][:1]
    named = (NAME, one_line(said(row["Name"])).lower())
    organisation = (plain(said(row["Organisation"])),) if "Organisation" in row else ()
    return [*signs, (*named, *organisation)]


def _values(row: Row, what: str) -> list[str]:
    cells = (row.get(f"{what} {nth + 1} - Value") or "" for nth in range(LINES))
    return [value for cell in cells for value in map(str.strip, cell.split(BETWEEN)) if value]


def _signs_of(person: Person) -> Iterator[Sign]:
    named = (NAME, said(person.was["Name"]).lower())
    yield named
    yield (*named, plain(person.was["Organisation"]))
    for email, _ in chain.from_iterable(person.lines["emails"]):
        yield EMAIL, email.lower()
    for link, _ in chain.from_iterable(person.lines["links"]):
        yield LINK, link


# The table


class PersonResult(RowResult):
    """What a row makes of a person, its `instance`."""

    def changes(self) -> list[tuple[str, SafeString]]:
        """Return (heading, what was and what will be) of each cell that differs. Only a page asks,
        for the rows that it shows: nothing takes as long as comparing long texts."""
        now = self.instance.cells
        differ = ((name, was) for name, was in self.instance.was.items() if was != now[name])
        return [(name, _compared(was, now[name])) for name, was in differ]


def _compared(was: str, now: str) -> SafeString:
    """Return how a text changes; of a long one only what differs, with a little around it."""
    if was and now and max(len(was), len(now)) > LONG:
        compare = diff_match_patch()
        compare.Diff_Timeout = COMPARE_SECONDS
        parts = compare.diff_main(was, now)
        compare.diff_cleanupSemantic(parts)
    else:
        parts = [(-1, was), (0, " " if was and now else ""), (1, now)]
    marks = {-1: "<del>{}</del>", 0: "{}", 1: "<ins>{}</ins>"}
    shown = [(format_html(marks[kind], _short(kind, text)),) for kind, text in parts if text]
    return format_html_join("", "{}", shown)


def _short(kind: int, text: str) -> str:
    return text if kind or len(text) <= LONG else f"{text[: LONG // 2]} … {text[-LONG // 2 :]}"


class TableResult(Result):
    """What came of a table, its rows counted as the spreadsheet does, empty ones too: `left_out`
    are the columns that nobody knows, `change` is what was stored."""

    left_out: tuple[str, ...] = ()
    change: BulkChange | None = None

    def append_invalid_row(self, number: int, row: Row, validation_error: ValidationError) -> None:
        super().append_invalid_row(int(row[ROW]), row, validation_error)

    def append_error_row(self, number: int, row: Row, errors: list[Error]) -> None:
        super().append_error_row(int(row[ROW]), row, errors)


class LoggedError(Error):
    """Something that nobody foresaw: for whoever runs the site to read."""

    def __init__(self, error: Exception, row: Row | None = None, number: int | None = None) -> None:
        super().__init__(error, row, number)
        logger.error("A table of people could not be read", exc_info=error)


class PeopleResource(Resource):
    """Reads the table of one owner (contacts.admin.table.Table). A dry run tells what would
    change; otherwise it is stored, if every row is sound: all of it, or nothing."""

    class Meta:
        model = Contact
        instance_loader_class = Finder
        report_skipped = False
        # Rows keep their people, who can tell what changes (PersonResult).
        skip_diff = store_instance = True
        # Nothing is saved row by row: no savepoints, no bulk_create of the library's either.
        use_bulk = True
        # Storing is a transaction of its own (contacts.bulk.table), which is idle for no reading.
        use_transactions = False

    def __init__(self, owner: User, key: uuid.UUID | None = None) -> None:
        super().__init__()
        self.owner, self.key = owner, key
        self.changed: list[Person] = []
        self.introducers: dict[str, list[int]] = {}
        self.fields = {cell.column_name: cell for cell in self._cells()}

    def _cells(self) -> Iterator[Cell]:
        """Yield a cell for each column of the export, in its order."""
        plain_cells = {
            "Name": Cell("Name", "name", one_line),
            "Organisation": Cell("Organisation", "organisation", read_organisation),
            "Role": Cell("Role", "role", one_line),
            "Tags": Cell("Tags", "tags", read_tags),
            "How we met": Cell("How we met", "how_met", one_line),
            "Known since": Cell("Known since", "known_since", read_day),
            "Notes": Cell("Notes", "notes", str),
            "Time zone": Cell("Time zone", "time_zone", one_line),
            "Seeks": Cell("Seeks", "seeks", str),
            "Seeks topics": Cell("Seeks topics", "seeks_topics", read_topics),
            "Offers": Cell("Offers", "offers", str),
            "Offers topics": Cell("Offers topics", "offers_topics", read_topics),
            "Introduced by": Cell("Introduced by", "introduced_by_id", self.read_introducer),
            "Rhythm": Cell("Rhythm", "rhythm_days", read_rhythm),
            tables.OTHER_DETAILS: Cell(tables.OTHER_DETAILS, "details", read_details),
            **{heading: ShownCell(heading) for heading in (SHOWN, *BY_ACTION)},
        }
        lines = (
            LineCell(pair, nth, column, self.owner)
            for pair in KINDS
            for nth in range(LINES)
            for column in ("Label", "Value")
        )
        cells = plain_cells | {cell.column_name: cell for cell in lines}
        return (cells[column.heading] for column in COLUMNS)

    @classmethod
    def get_row_result_class(cls) -> type[RowResult]:
        return PersonResult

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return TableResult

    @classmethod
    def get_error_result_class(cls) -> type[Error]:
        return LoggedError

    @classmethod
    def get_display_name(cls) -> str:
        return "People"

    def get_import_id_fields(self) -> list[str]:
        return []

    def get_import_fields(self) -> list[Cell]:
        return list(self.fields.values())  # The library would sort them anew for each row.

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        names = {row.get("Introduced by", "").strip().lower() for row in dataset.dict} - {""}
        mine = Contact.objects.for_user(self.owner).annotate(plain=Lower("name"))
        for name, pk in mine.filter(plain__in=names).values_list("plain", "pk"):
            self.introducers.setdefault(name, []).append(pk)

    def read_introducer(self, text: str) -> int | None:
        if not text:
            return None
        found = self.introducers.get(text.lower(), [])
        if len(found) != 1:
            raise ValueError(SEVERAL.format(len(found), text) if found else NOBODY.format(text))
        return found[0]

    def init_instance(self, row: Row | None = None) -> Person:
        return Person()

    def skip_row(self, person: Person, original: Person, row: Row, errors: Any = None) -> bool:
        return not person.says and not errors

    def validate_instance(self, person: Person, errors: Any = None, **kwargs: Any) -> None:
        """Hold what a row says against the rules of the fields. Raises ValidationError with the
        errors by heading."""
        errors = dict(errors or {})
        if not person.cells["Name"]:
            errors["Name"] = ValidationError(NAMELESS)
        if person.pk and person.says.get("introduced_by_id") == person.pk:
            errors["Introduced by"] = ValidationError(THEMSELVES)
        for cell in self.fields.values():
            if cell.name in CHECKED and cell.name in person.says:
                try:
                    CHECKED[cell.name].clean(person.says[cell.name], None)
                except ValidationError as error:
                    errors[cell.column_name] = error
        if errors:
            raise ValidationError(errors)

    def save_instance(self, person: Person, is_create: bool, row: Row, **kwargs: Any) -> None:
        self.changed.append(person)

    def after_import_row(self, row: Row, row_result: RowResult, **kwargs: Any) -> None:
        row_result.number = row[ROW]

    def after_import(self, dataset: Dataset, result: TableResult, **kwargs: Any) -> None:
        result.left_out = getattr(dataset, "left_out", ())
        sound = not result.has_errors() and not result.has_validation_errors()
        if self.changed and sound and not kwargs["dry_run"]:
            edits = [Edit(person.pk, person.says) for person in self.changed]
            result.change = store(self.owner, edits, kwargs["file_name"], self.key)
