"""Importing the same people from a file of each format, next to two floors: parsing the file with
the plainest thing there is (csv.reader, json.loads, lines split at their colon), and a COPY of the
rows that were stored into tables of the same columns, without any index.

Each file is read in one process and imported in another, after a small one. The memory is the most
that a process has held, beyond what it held when it had the file and was ready to begin.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import Popen
from threading import Event, Thread
from time import perf_counter

import psutil
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from benchmarks.address_books import FORMATS, Format
from benchmarks.digests import process
from contacts.models import ImportJob, ImportRow
from netcrm.owned import Owned

ROUNDS = 3
SAMPLE_SECONDS = 0.002
PLANNED: set[type[Model]] = {ImportJob, ImportRow}


@dataclass(frozen=True)
class Step:
    """What a step took: seconds, the seconds of its floor, and bytes of memory at most."""

    seconds: float
    floor: float
    memory: int

    @property
    def ratio(self) -> float:
        return self.seconds / self.floor


@dataclass(frozen=True)
class Result:
    name: str
    read: Step
    preview: Step
    whole: Step


class Importer:
    """A process of benchmarks.importer that has one file."""

    def __init__(self, running: Popen) -> None:
        self.running = running
        ready, owner = running.stdout.readline().split()
        assert ready == "ready"
        self.owner = int(owner)
        self.memory = psutil.Process(running.pid).memory_info
        self.before = self.memory().rss

    def do(self, step: str) -> float:
        """Let it take a step; return the seconds that it took."""
        print(step, file=self.running.stdin, flush=True)
        return float(self.running.stdout.readline())

    @contextmanager
    def watched(self) -> Iterator[Callable[[], int]]:
        """Give what tells how much more memory than in the beginning was held at most so far."""
        most, over = self.before, Event()

        def watch() -> None:
            nonlocal most
            while not over.wait(SAMPLE_SECONDS):
                most = max(most, self.memory().rss)

        watching = Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield lambda: most - self.before
        finally:
            over.set()
            watching.join()


def bench(rows: int, formats: str = "") -> int:
    """Import a file of so many people in each format whose name has something in it, and print
    what it took."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        print(f"\n{rows:,} people from a file of each format, each in a process of its own\n")
        print_head()
        for each in (each for each in FORMATS if formats in each.name):
            path.write_bytes(each.file(rows))
            print_row(measure(each, rows, path), rows)
    return 0


def measure(which: Format, rows: int, path: Path) -> Result:
    with importer(which, rows, path) as reading, reading.watched() as memory:
        reading.do("read")
        held = memory()
        pairs = [(reading.do("parse"), reading.do("read")) for _ in range(ROUNDS)]
    floor, seconds = (median(times) for times in zip(*pairs, strict=True))
    read = Step(seconds, floor, held)
    filled = set(filled_by(reading.owner))
    with importer(which, rows, path) as importing, importing.watched() as memory:
        seconds = importing.do("preview")
        preview = Step(seconds, copied(importing.owner, [ImportRow]), memory())
        seconds += importing.do("store")
        stored = set(filled_by(importing.owner)) - filled - PLANNED
        whole = Step(seconds, copied(importing.owner, stored), memory())
    return Result(which.name, read, preview, whole)


@contextmanager
def importer(which: Format, rows: int, path: Path) -> Iterator[Importer]:
    with process("benchmarks.importer", which.name, str(rows), str(path)) as running:
        yield Importer(running)


def filled_by(owner: int) -> Iterator[type[Model]]:
    """Yield the models of which somebody has rows."""
    for model in apps.get_models():
        if issubclass(model, Owned) and model._base_manager.filter(owner=owner).exists():
            yield model


def copied(owner: int, models: Iterable[type[Model]]) -> float:
    """Return the seconds that it takes to COPY somebody's rows into new tables, at best."""
    rows = {}
    with connection.cursor() as cursor:
        for table in (model._meta.db_table for model in models):
            chosen = f"SELECT * FROM {table} WHERE owner_id = {owner}"  # noqa: S608
            with cursor.copy(f"COPY ({chosen}) TO STDOUT") as copy:
                rows[table] = b"".join(copy)
        return min(_copy_in(cursor, rows) for _ in range(ROUNDS))


def _copy_in(cursor, rows: dict[str, bytes]) -> float:
    for table in rows:
        cursor.execute(f"CREATE TABLE floor_of_{table} (LIKE {table})")
    start = perf_counter()
    with transaction.atomic():
        for table, data in rows.items():
            with cursor.copy(f"COPY floor_of_{table} FROM STDIN") as copy:
                copy.write(data)
    seconds = perf_counter() - start
    for table in rows:
        cursor.execute(f"DROP TABLE floor_of_{table}")
    return seconds


def print_head() -> None:
    print(f"{'':<14}{'reading alone':^28}{'until the preview':^28}{'until all are in':^28}")
    part = f"{'rows/s':>10}{{:>11}}{'MiB':>7}"
    print(f"{'':<14}{part.format('x parsing')}{part.format('x COPY')}{part.format('x COPY')}")


def print_row(result: Result, rows: int) -> None:
    steps = (result.read, result.preview, result.whole)
    parts = [f"{rows / e.seconds:>10,.0f}{e.ratio:>11.1f}{e.memory / 2**20:>7.1f}" for e in steps]
    print(f"{result.name:<14}{''.join(parts)}", flush=True)
