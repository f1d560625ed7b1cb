"""Importing people from LinkedIn's Connections.csv.

An upload is read and planned at once: one entry a row, with a verdict and a reason. Once it is
confirmed, Celery works the plan off in chunks. Each chunk is one transaction that looks for
duplicates again and moves `ImportJob.done` on, so a killed worker neither loses nor doubles.
"""

import csv
import io
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import batched, islice
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ImportJob,
    Organisation,
    plain,
    tidy_link,
)
from netcrm.models import User
from netcrm.wording import one_line

logger = logging.getLogger(__name__)
_is_web_address = URLValidator(schemes=["http", "https"])

LARGEST_FILE = 10 * 1024 * 1024
MOST_ROWS = 50_000
CHUNK = 500
# LinkedIn writes a few lines of notes before the header.
HEADER_WITHIN = 20
COLUMNS = ("first name", "last name", "url", "email address", "company", "position", "connected on")
NEEDED = {"first name", "last name", "connected on"}
CREATE, DUPLICATE, SKIP = "create", "duplicate", "skip"

TOO_LARGE = "That file is larger than 10 MB. Connections.csv is much smaller: is it the right one?"
TOO_MANY = (
    f"That file has more than {MOST_ROWS:,} rows. Please split it and import one part at a time."
)
EMPTY = "That file is empty. Please download it again from LinkedIn."
ZIPPED = "That is a ZIP file. Unzip it first and choose Connections.csv."
WORKBOOK = "That is a spreadsheet. Save it as CSV UTF-8 and choose that file."
NOT_TEXT = "That is not a text file. Choose the file that is called Connections.csv."
BAD_BYTES = "Some letters of that file cannot be read. Save it as CSV UTF-8 and try again."
NO_HEADER = (
    "That does not look like LinkedIn's Connections.csv:"
    " no row has the columns First Name, Last Name and Connected On."
)
NO_PEOPLE = "That file has the right columns, and nobody below them."
TORN = "Row {row} cannot be read: a quotation mark in it does not end. Please correct that row."
FAILED = "The import stopped at a row that could not be stored. Everything before it is in."

Entry = dict[str, Any]


class ImportProblem(Exception):
    """The file cannot be imported; the text is a sentence for the user."""


# Reading


def read(data: bytes) -> list[Entry]:
    """Return one entry for each row below the header, empty ones included.

    An entry has `row` (the row's number in a spreadsheet, from 1) and, unless empty, `name`,
    `role`, `organisation`, `email`, `link`, `on` (ISO date); `without` names what was left out
    since it could not be read. Raises ImportProblem.
    """
    if len(data) > LARGEST_FILE:
        raise ImportProblem(TOO_LARGE)
    text = _decode(data)
    for delimiter in ",;\t":
        rows = _rows(text, delimiter)
        if columns := _find_header(rows):
            break
    else:
        raise ImportProblem(NO_HEADER)
    entries: list[Entry] = []
    for number, cells in rows:
        if len(entries) == MOST_ROWS:
            raise ImportProblem(TOO_MANY)
        entries.append(_entry(number, {name: _cell(cells, at) for name, at in columns.items()}))
    if not any("name" in entry for entry in entries):
        raise ImportProblem(NO_PEOPLE)
    return entries


def _decode(data: bytes) -> str:
    if not data.strip():
        raise ImportProblem(EMPTY)
    if data.startswith(b"PK\x03\x04"):
        raise ImportProblem(WORKBOOK if b"[Content_Types].xml" in data else ZIPPED)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data and not wide:
        raise ImportProblem(NOT_TEXT)
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportProblem(BAD_BYTES) from error
    if "\0" in text:
        raise ImportProblem(NOT_TEXT)
    if not text.strip():
        raise ImportProblem(EMPTY)
    return text


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, cells
    except csv.Error as error:
        raise ImportProblem(TORN.format(row=number + 1)) from error


def _find_header(rows: Iterator[tuple[int, list[str]]]) -> dict[str, int]:
    """Read on to the header and return {column: index}; nothing if it is not there."""
    try:
        for _, cells in islice(rows, HEADER_WITHIN):
            names = [one_line(cell).lower() for cell in cells]
            columns = {name: names.index(name) for name in COLUMNS if name in names}
            if columns.keys() >= NEEDED:
                return columns
    except ImportProblem:
        pass  # Torn apart by the wrong delimiter.
    return {}


def _cell(cells: list[str], at: int) -> str:
    return one_line(cells[at]) if at < len(cells) else ""


def _entry(row: int, cells: dict[str, str]) -> Entry:
    name = one_line(f"{cells['first name']} {cells['last name']}")
    entry: Entry = {
        "row": row,
        "name": name[:200].strip(),
        "organisation": cells.get("company", "")[:200].strip(),
        "role": cells.get("position", "")[:200].strip(),
    }
    for key, column, parse, called in READABLE:
        if text := cells.get(column):
            if value := parse(text):
                entry[key] = value
            else:
                entry.setdefault("without", []).append(called)
    # Empty fields are left out: a plan of many rows stays small.
    return {key: value for key, value in entry.items() if value}


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text if len(text) <= 254 else ""


def _link(text: str) -> str:
    try:
        _is_web_address(text)
        return tidy_link(text) if len(text) <= 500 else ""
    except (ValidationError, ValueError):
        return ""


def _day(text: str) -> str:
    for pattern in ("%d %b %Y", "%d %B %Y", "%Y-%m-%d"):
        with suppress(ValueError):
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007
            return day.isoformat() if day.year >= 1900 else ""
    return ""


READABLE = [
    ("email", "email address", _email, "e-mail address"),
    ("link", "url", _link, "link"),
    ("on", "connected on", _day, "date"),
]


# Planning


@dataclass
class Known:
    """People to compare with. Each is remembered under a word for the reason: a name, a row."""

    by_link: dict[str, str] = field(default_factory=dict)
    by_email: dict[str, str] = field(default_factory=dict)
    by_name: dict[tuple[str, str], list[tuple[str, set[str]]]] = field(default_factory=dict)

    def add(
        self, who: str, name: str, organisation: str, emails: Iterable[str], links: Iterable[str]
    ) -> None:
        profiles = {link for link in links if "linkedin.com/in/" in link}
        self.by_link |= dict.fromkeys(links, who)
        self.by_email |= dict.fromkeys((email.lower() for email in emails), who)
        self.by_name.setdefault((plain(name), plain(organisation)), []).append((who, profiles))

    def find(self, entry: Entry) -> tuple[str, str] | None:
        """Return what an entry has in common with somebody, and with whom.

        Two people of one name and organisation with different LinkedIn profiles are two people.
        """
        link, email = entry.get("link", ""), entry.get("email", "").lower()
        if link in self.by_link:
            return "profile link", self.by_link[link]
        if email in self.by_email:
            return "e-mail address", self.by_email[email]
        organisation = entry.get("organisation", "")
        for who, profiles in self.by_name.get((plain(entry["name"]), plain(organisation)), []):
            if not link or not profiles or link in profiles:
                return "name and organisation" if organisation else "name", who
        return None


def known_in_notebook(owner: User, entries: Iterable[Entry]) -> Known:
    """Return the owner's contacts that could be one of the entries; constant queries."""
    entries = list(entries)
    contacts = Contact.objects.for_user(owner)
    emails = ContactEmail.objects.for_user(owner)
    links = ContactLink.objects.for_user(owner)
    lowered = [entry["email"].lower() for entry in entries if "email" in entry]
    by_email = emails.annotate(lowered=Lower("address")).filter(lowered__in=lowered)
    by_link = links.filter(url__in=[entry["link"] for entry in entries if "link" in entry])
    lowered = [entry["name"].lower() for entry in entries if "name" in entry]
    by_name = contacts.annotate(lowered=Lower("name")).filter(lowered__in=lowered)
    ids = {
        *by_email.values_list("contact_id", flat=True),
        *by_link.values_list("contact_id", flat=True),
        *by_name.values_list("pk", flat=True),
    }
    emails_of, links_of = defaultdict(list), defaultdict(list)
    for contact_id, address in emails.filter(contact__in=ids).values_list("contact_id", "address"):
        emails_of[contact_id].append(address)
    for contact_id, url in links.filter(contact__in=ids).values_list("contact_id", "url"):
        links_of[contact_id].append(url)
    known = Known()
    found = contacts.filter(pk__in=ids).values_list("pk", "name", "organisation__name")
    for pk, name, organisation in found:
        known.add(name, name, organisation or "", emails_of[pk], links_of[pk])
    return known


def plan(owner: User, entries: list[Entry]) -> list[Entry]:
    """Return the entries, each with its `verdict` and, unless it will be created, `why` not."""
    seen_in_file = Known()
    planned = []
    for batch in batched(entries, CHUNK):
        notebook = known_in_notebook(owner, batch)
        for entry in batch:
            verdict, why = _judge(entry, notebook, seen_in_file)
            planned.append(entry | {"verdict": verdict} | ({"why": why} if why else {}))
    return planned


def _judge(entry: Entry, notebook: Known, seen_in_file: Known) -> tuple[str, str]:
    if "name" not in entry:
        return SKIP, "no name" if len(entry) > 1 else "empty row"
    if hit := seen_in_file.find(entry):
        return SKIP, f"appears twice in this file (row {hit[1]})"
    seen_in_file.add(
        str(entry["row"]),
        entry["name"],
        entry.get("organisation", ""),
        [entry["email"]] if "email" in entry else [],
        [entry["link"]] if "link" in entry else [],
    )
    if hit := notebook.find(entry):
        return DUPLICATE, f"same {hit[0]} as {hit[1]}"
    return CREATE, ""


def prepare(owner: User, file_name: str, entries: list[Entry]) -> ImportJob:
    """Store the plan of an upload, to be looked at and confirmed."""
    planned = plan(owner, entries)
    return ImportJob.objects.create(
        owner=owner, file_name=one_line(file_name)[:255], plan=planned, total=len(planned)
    )


@dataclass(frozen=True)
class Group:
    """The entries of one verdict: how many, and the first of them."""

    verdict: str
    count: int
    entries: list[Entry]


def preview(planned: list[Entry], most: int) -> list[Group]:
    """Return the plan by verdict, at most so many entries of each; empty groups are left out."""
    groups = []
    for verdict in (CREATE, DUPLICATE, SKIP):
        entries = [entry for entry in planned if entry["verdict"] == verdict]
        shown = [entry | {"known_since": _date(entry)} for entry in entries[:most]]
        groups.append(Group(verdict, len(entries), shown))
    return [group for group in groups if group.count]


def _date(entry: Entry) -> date | None:
    return date.fromisoformat(entry["on"]) if "on" in entry else None


# Working


def run_imports(seconds: float = 20.0) -> None:
    """Work off confirmed imports, oldest first, for about so many seconds.

    What is left, the next tick goes on with. Several workers may do it at once.
    """
    deadline = monotonic() + seconds
    waiting = ImportJob.objects.filter(state__in=ImportJob.UNFINISHED).order_by("created_at")
    for job_id in list(waiting.values_list("pk", flat=True)[:100]):
        if monotonic() < deadline:
            _work_off(job_id, deadline)


def _work_off(job_id: int, deadline: float) -> None:
    planned = ImportJob.objects.filter(pk=job_id).values_list("plan", flat=True).first()
    try:
        if planned and work_chunk(job_id, planned):
            _count_again()
            while monotonic() < deadline and work_chunk(job_id, planned):
                pass
    except OperationalError:
        logger.warning("Import %s: the database is in trouble, to be continued", job_id)
    except DatabaseError:
        logger.exception("Import %s failed", job_id)
        ImportJob.objects.filter(pk=job_id, state__in=ImportJob.UNFINISHED).update(
            state=ImportJob.FAILED, error=FAILED, finished_at=timezone.now()
        )


def _count_again() -> None:
    # PostgreSQL plans each check of a foreign key by what it last counted. After a first import
    # into an empty notebook it would read all contacts of the owner for each row of the next.
    with connection.cursor() as cursor:
        cursor.execute(
            f"ANALYZE (SKIP_LOCKED) {Contact._meta.db_table}, {Organisation._meta.db_table}"
        )


@transaction.atomic
def work_chunk(job_id: int, planned: list[Entry]) -> bool:
    """Store the next rows of a plan; return whether there are more.

    The owner's row is locked too: two imports of one person take turns, chunk by chunk, so that
    each sees what the other has added.
    """
    unfinished = ImportJob.objects.filter(pk=job_id, state__in=ImportJob.UNFINISHED)
    locked = unfinished.select_related("owner").select_for_update(no_key=True, skip_locked=True)
    job = locked.defer("plan").first()
    if job is None:
        return False
    chunk = planned[job.done : job.done + CHUNK]
    wanted = [entry for entry in chunk if entry["verdict"] == CREATE]
    known = known_in_notebook(job.owner, wanted)
    fresh = [entry for entry in wanted if not known.find(entry)]
    _insert(job.owner, fresh)
    skipped = sum(entry["verdict"] == SKIP for entry in chunk)
    job.done += len(chunk)
    job.created += len(fresh)
    job.skipped += skipped
    job.duplicates += len(chunk) - len(fresh) - skipped
    more = job.done < job.total
    job.state = ImportJob.RUNNING if more else ImportJob.DONE
    job.finished_at = None if more else timezone.now()
    job.save(update_fields=["done", "created", "skipped", "duplicates", "state", "finished_at"])
    return more


def _insert(owner: User, entries: list[Entry]) -> None:
    names = [entry["organisation"] for entry in entries if "organisation" in entry]
    organisations = Organisation.find_or_create(owner, names)
    contacts = [_contact(owner, entry, organisations) for entry in entries]
    Contact.objects.bulk_create(contacts)
    pairs = list(zip(contacts, entries, strict=True))
    ContactEmail.objects.bulk_create(
        ContactEmail(owner=owner, contact=contact, address=entry["email"])
        for contact, entry in pairs
        if "email" in entry
    )
    ContactLink.objects.bulk_create(
        ContactLink(owner=owner, contact=contact, url=entry["link"], label="LinkedIn")
        for contact, entry in pairs
        if "link" in entry
    )


def _contact(owner: User, entry: Entry, organisations: dict[str, Organisation]) -> Contact:
    contact = Contact(
        owner=owner,
        name=entry["name"],
        role=entry.get("role", ""),
        organisation=organisations.get(plain(entry.get("organisation", ""))),
        how_met="Connected on LinkedIn",
        known_since=_date(entry),
    )
    contact.search_text = contact.searchable([entry["email"]] if "email" in entry else [])
    return contact
