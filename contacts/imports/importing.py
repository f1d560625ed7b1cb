"""Importing people from files of other programs.

A file is recognised by what is in it and read into rows, each with its card, a verdict and a
reason: the preview. Once that is confirmed, Celery works the rows off in chunks. Each chunk is one
transaction that looks for duplicates again and moves `ImportJob.done` on, so a killed worker
neither loses nor doubles. Undoing goes the same way back (contacts.imports.taking_back).
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import batched
from time import monotonic
from typing import Any, NamedTuple

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from contacts.files import monica, tables, vcards
from contacts.files.cards import Card, CardProblem
from contacts.imports import storing, taking_back
from contacts.imports.fitting import fit, join
from contacts.models import ColumnMapping, Contact, ImportJob, ImportRow, Organisation
from contacts.twins import snapshots
from contacts.twins.known import Known, Signs, in_notebook
from netcrm.models import User
from netcrm.wording import one_line

logger = logging.getLogger(__name__)

LARGEST_FILE = tables.LARGEST_FILE
# A larger file is read by Celery, so that nobody waits for a page.
READ_AT_ONCE = 512 * 1024
READ_WITHIN = 300.0
CHUNK = 500
# Drawing one can take a second.
PHOTOS = 25
SAMPLES = 3
# Nobody comes back to a preview after so long.
KEEP_UNCONFIRMED = timedelta(days=7)

TOO_LARGE = tables.TOO_LARGE
TOO_SLOW = "That file takes too long to read. Please split it and import one part at a time."
FAILED = "The import stopped at a row that could not be stored. Everything before it is in."
TWICE = "Appears twice in this file (row {row}). What only this one has goes there."
UNREADABLE = "Something in that file could not be stored. Nothing was added."

CREATE, KNOWN, SKIP = ImportRow.Verdict.CREATE, ImportRow.Verdict.KNOWN, ImportRow.Verdict.SKIP
Source = ImportJob.Source


# Recognising


@dataclass(frozen=True)
class Opened:
    """A file that was recognised. `read` gives its cards, taking its columns for what a mapping
    says; a table that we do not know has a `table` and needs one."""

    source: str
    read: Callable[[dict[int, str] | None], Iterator[Card]]
    table: tables.Table | None = None


def open_file(data: bytes, file_name: str, today: date) -> Opened:
    """Return what is in a file, whatever it is called; the name decides only when nothing else
    does. Raises CardProblem."""
    if len(data) > LARGEST_FILE:
        raise CardProblem(TOO_LARGE)
    if _is_vcards(data, file_name):
        return Opened(Source.VCARD, lambda mapping: vcards.read(data))
    if monica.is_monica(data):
        return Opened(Source.MONICA, lambda mapping: monica.cards(data, today))
    table = tables.open_table(data)
    source = Source.CSV if table.kind == tables.OTHER else Source(table.kind)
    return Opened(
        source,
        lambda mapping: tables.cards(table, mapping),
        table if source == Source.CSV else None,
    )


def _is_vcards(data: bytes, file_name: str) -> bool:
    if data.startswith(b"PK\x03\x04"):
        # In a ZIP file that packs nothing, vCards are in sight.
        return False
    # UTF-16 has a zero in every letter.
    begins = b"BEGIN:VCARD" in data[:4096].replace(b"\0", b"").upper()
    return begins or file_name.lower().endswith((".vcf", ".vcard"))


def receive(owner: User, file_name: str, data: bytes) -> ImportJob:
    """Take a file in: a small one is read at once, a large one by Celery, and of a table that we
    do not know its person says first what the columns are. Raises CardProblem."""
    opened = open_file(data, file_name, owner.today())
    job = ImportJob(owner=owner, file_name=one_line(file_name)[:255], source=opened.source)
    if opened.table:
        job.header, job.upload, job.state = opened.table.header, data, ImportJob.State.MAPPING
        job.mapping = remembered_mapping(owner, opened.table)
        job.save()
    else:
        _read_soon(job, data)
    return job


def _read_soon(job: ImportJob, data: bytes) -> None:
    if len(data) > READ_AT_ONCE:
        job.upload, job.state = data, ImportJob.State.QUEUED
        job.save()
        return
    with transaction.atomic():
        job.upload, job.state = b"", ImportJob.State.PREVIEW
        job.save()
        _read(job, data)


# Columns


def remembered_mapping(owner: User, table: tables.Table) -> dict[str, str]:
    """Return what the columns were taken for the last time, or else a guess: {index: field}."""
    same = ColumnMapping.objects.for_user(owner).filter(header=table.header)
    if found := same.order_by("-pk").first():
        return found.mapping
    rows = [row for row, _ in zip(table.rows(), range(50), strict=False)]
    return {str(at): key for at, key in tables.guess(table.header, rows).items()}


def samples(job: ImportJob) -> list[list[str]]:
    """Return, for each column of a table, what stands in its first rows."""
    table = tables.open_table(bytes(job.upload))
    rows = [row.cells for row, _ in zip(table.rows(), range(SAMPLES), strict=False)]
    return [
        [cells[at].strip() for cells in rows if at < len(cells) and cells[at].strip()]
        for at in range(len(table.header))
    ]


@transaction.atomic
def map_columns(job: ImportJob, mapping: dict[str, str]) -> None:
    """Read a table whose columns are known now, and remember them for the next one like it; doing
    it twice is harmless. Raises CardProblem."""
    unread = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.MAPPING)
    if not unread.select_for_update(no_key=True).exists():
        return
    ColumnMapping.objects.update_or_create(
        owner=job.owner, header=job.header, defaults={"mapping": mapping}
    )
    job.mapping = mapping
    _read_soon(job, bytes(job.upload))


# Reading


def _read(job: ImportJob, data: bytes) -> None:
    """Store a row for each card of a file, with a verdict and a reason. Raises CardProblem."""
    until = monotonic() + READ_WITHIN
    today = job.owner.today()
    mapping = {int(at): key for at, key in job.mapping.items()} if job.mapping else None
    cards = open_file(data, job.file_name, today).read(mapping)
    fitted = (fit(card, job.owner.country, today) for card in cards)
    in_file: Known[_Place] = Known()
    total = 0
    for batch in batched(fitted, CHUNK):
        if monotonic() > until:
            raise CardProblem(TOO_SLOW)
        notebook = in_notebook(job.owner, [card for card in batch if not card.trouble])
        rows = [
            ImportRow(owner=job.owner, job=job, number=number, card=card.to_json())
            for number, card in enumerate(batch, start=total + 1)
        ]
        twins: dict[int, list[Card]] = defaultdict(list)
        for row, card in zip(rows, batch, strict=True):
            if first := _judge(row, card, notebook, in_file):
                twins[first].append(card)
        ImportRow.objects.bulk_create(rows)
        _join(job, twins, today)
        total += len(rows)
    job.total, job.upload, job.state = total, b"", ImportJob.State.PREVIEW
    job.save(update_fields=["total", "upload", "state"])


class _Place(NamedTuple):
    """Where a card stands: the number of its row with us, and in the file."""

    number: int
    row: int


def _judge(
    row: ImportRow, card: Card, notebook: Known[Contact], in_file: Known[_Place]
) -> int | None:
    """Say what is to become of a row, and why; return the number of an earlier one that tells of
    the same person."""
    if card.trouble:
        row.verdict, row.why = SKIP, card.trouble
        return None
    signs = Signs.of(card)
    _, first = in_file.find(signs) or ("", None)
    in_file.add(first or _Place(row.number, card.row), signs)
    if first:
        row.verdict, row.why = SKIP, TWICE.format(row=first.row)
        return first.number
    _recognise(row, signs, notebook)
    return None


def _recognise(row: ImportRow, signs: Signs, notebook: Known[Contact]) -> None:
    """Say whom of the notebook a row is about, if somebody, and by what."""
    if found := notebook.find(signs):
        what, row.contact = found
        row.verdict, row.why = KNOWN, f"Same {what} as {row.contact.name}."[:300]


def _join(job: ImportJob, twins: dict[int, list[Card]], today: date) -> None:
    """Give rows what later ones tell of the same person: only the first of them comes in. The
    notebook may know them by that."""
    firsts = list(job.rows.filter(number__in=twins))
    cards = [join(row.told, twins[row.number], job.owner.country, today) for row in firsts]
    notebook = in_notebook(job.owner, cards)
    for row, card in zip(firsts, cards, strict=True):
        row.card = card.to_json()
        if row.verdict == CREATE:
            _recognise(row, Signs.of(card), notebook)
    snapshots.write(ImportRow, [{"id": row.pk, **_judged(row)} for row in firsts])


def _judged(row: ImportRow) -> dict[str, Any]:
    names = ("card", "verdict", "contact_id", "why")
    return {name: getattr(row, name) for name in names}


# Looking at it


@dataclass(frozen=True)
class Group:
    """The rows of one verdict: how many there are, and some of them."""

    verdict: ImportRow.Verdict
    count: int
    rows: list[ImportRow] = field(default_factory=list)


def preview(job: ImportJob, most: int) -> list[Group]:
    """Return the rows by verdict, at most so many of each; empty groups are left out."""
    groups = []
    for verdict in ImportRow.Verdict:
        rows = job.rows.for_user(job.owner_id).of(verdict)
        if count := rows.count():
            groups.append(Group(verdict, count, list(rows[:most])))
    return groups


# Working


def run_imports(seconds: float = 20.0) -> None:
    """Work off what waits, oldest first, for about so many seconds.

    What is left, the next tick goes on with. Several workers may do it at once.
    """
    deadline = monotonic() + seconds
    waiting = ImportJob.objects.filter(state__in=ImportJob.UNFINISHED).order_by("created_at")
    for job_id in list(waiting.values_list("pk", flat=True)[:100]):
        if monotonic() < deadline:
            _work_off(job_id, deadline)


def _work_off(job_id: int, deadline: float) -> None:
    try:
        if work(job_id):
            _count_again()
            while monotonic() < deadline and work(job_id):
                pass
    except CardProblem as problem:
        _fail(job_id, str(problem))
    except SoftTimeLimitExceeded:
        logger.warning("Import %s: the time of this tick is over, to be continued", job_id)
    except OperationalError:
        logger.warning("Import %s: the database is in trouble, to be continued", job_id)
    except Exception:  # One import must not stop everybody else's.
        logger.exception("Import %s failed", job_id)
        read = ImportJob.objects.filter(pk=job_id, total__gt=0).exists()
        _fail(job_id, FAILED if read else UNREADABLE)


def _fail(job_id: int, error: str) -> None:
    ImportJob.objects.filter(pk=job_id, state__in=ImportJob.UNFINISHED).update(
        state=ImportJob.State.FAILED, error=error, finished_at=timezone.now(), upload=b""
    )


def _count_again() -> None:
    # PostgreSQL plans each check of a foreign key by what it last counted. After a first import
    # into an empty notebook it would read all contacts of the owner for each row of the next.
    with connection.cursor() as cursor:
        cursor.execute(
            f"ANALYZE (SKIP_LOCKED) {Contact._meta.db_table}, {Organisation._meta.db_table},"
            f" {ImportRow._meta.db_table}"
        )


@transaction.atomic
def work(job_id: int) -> bool:
    """Do the next piece of an import: read its file, store a chunk of its rows, or take a chunk
    back. Return whether there is more. Raises CardProblem.

    To write, the owner's row is locked too: two imports of one person take turns, chunk by chunk,
    so that each sees what the other has added.
    """
    unfinished = ImportJob.objects.filter(pk=job_id, state__in=ImportJob.UNFINISHED)
    job = unfinished.select_for_update(no_key=True, skip_locked=True).defer("upload").first()
    if job is None:
        return False
    if not job.is_read:
        _read(job, bytes(job.upload))
        return False
    owners = User.objects.select_for_update(no_key=True, skip_locked=True)
    owner = owners.filter(pk=job.owner_id).first()
    if owner is None:
        return False
    job.owner = owner
    return taking_back.take_back(job, CHUNK) if job.is_going_back else _store(job)


def _store(job: ImportJob) -> bool:
    rows = list(_with_few_photos(job.rows.filter(number__gt=job.done)[:CHUNK]))
    fresh = [row for row in rows if row.verdict == CREATE]
    notebook = in_notebook(job.owner, [row.told for row in fresh])
    for row in fresh:
        # Somebody may have added them since the preview.
        _recognise(row, Signs.of(row.told), notebook)
    fresh = [row for row in fresh if row.verdict == CREATE]
    known = [row for row in rows if row.verdict == KNOWN]
    storing.create(job, fresh)
    completed = storing.complete(job, known) if job.complete_known and known else []
    ImportRow.objects.note([*fresh, *known])
    job.done += len(rows)
    job.created += len(fresh)
    job.completed += len(completed)
    job.duplicates += len(known)
    job.skipped += len(rows) - len(fresh) - len(known)
    more = job.done < job.total
    job.state = ImportJob.State.RUNNING if more else ImportJob.State.DONE
    job.finished_at = None if more else timezone.now()
    counted = ["done", "created", "completed", "duplicates", "skipped"]
    job.save(update_fields=[*counted, "state", "finished_at"])
    return more


def _with_few_photos(rows: Iterable[ImportRow]) -> Iterator[ImportRow]:
    """Yield rows until so many of them had a photo."""
    photos = 0
    for row in rows:
        photos += "photo" in row.card
        if photos > PHOTOS:
            return
        yield row


def forget_unconfirmed() -> None:
    """Delete the previews that nobody came back to."""
    unconfirmed = ImportJob.objects.filter(state__in=ImportJob.UNCONFIRMED)
    unconfirmed.filter(created_at__lt=timezone.now() - KEEP_UNCONFIRMED).delete()
