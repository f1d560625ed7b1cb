"""A process that imports one file, as `python -m benchmarks.importer FORMAT ROWS PATH`.

It reads the names of steps, line by line, and answers each with the seconds that it took. Before
the first it says "ready": what is made once in a process is made by then, and the file is there.
"""

import csv
import io
import json
import os
import sys
from datetime import date
from pathlib import Path
from time import perf_counter

import django

WARM_UP = 20  # people
TODAY = date(2026, 1, 7)


class Importer:
    """One file on its way into the notebook of a new user."""

    def __init__(self, which: str, rows: int, data: bytes) -> None:
        from benchmarks.address_books import FORMATS
        from netcrm.models import User

        self.format = next(each for each in FORMATS if each.name == which)
        self.rows, self.data = rows, data
        self.owner = User.objects.create_user(f"{os.getpid()}-{rows}@example.org", country="AT")

    def parse(self) -> None:
        """Do the least that any reader of the format has to."""
        text = self.data.decode(self.format.encoding)
        match self.format.file_name.rpartition(".")[2]:
            case "csv":
                list(csv.reader(io.StringIO(text, newline="")))
            case "sql":  # Its rows are tables of their own kind.
                list(csv.reader(io.StringIO(text), quotechar="'", escapechar="\\"))
            case "json":
                json.loads(text)
            case "vcf":
                [line.partition(":") for line in text.splitlines()]

    def read(self) -> None:
        """Make cards of it, and keep none."""
        from contacts.imports.importing import open_file

        opened = open_file(self.data, self.format.file_name, TODAY)
        assert sum(1 for _ in opened.read(None)) == self.rows

    def preview(self) -> None:
        """Judge every row, up to the question whether they shall come in."""
        from contacts.imports import importing

        self.job = importing.receive(self.owner, self.format.file_name, self.data)
        if self.job.state == self.job.State.MAPPING:
            importing.map_columns(self.job, self.job.mapping)
        self._work_off(self.job.State.PREVIEW)

    def store(self) -> None:
        """Add everybody to the notebook."""
        self.job.confirm()
        self._work_off(self.job.State.DONE)
        assert self.job.created == self.rows, f"{self.job.created} of {self.rows} came in"

    def _work_off(self, until: str) -> None:
        from contacts.imports import importing

        importing.run_imports(seconds=3600)
        self.job.refresh_from_db(fields=["state", "created", "error"])
        assert self.job.state == until, self.job.error


STEPS = {
    "parse": Importer.parse,
    "read": Importer.read,
    "preview": Importer.preview,
    "store": Importer.store,
}


def main(which: str, rows: str, path: str) -> None:
    django.setup()
    from benchmarks.address_books import FORMATS

    small = next(each for each in FORMATS if each.name == which).file(WARM_UP)
    warm_up = Importer(which, WARM_UP, small)
    for step in STEPS.values():
        step(warm_up)
    importer = Importer(which, int(rows), Path(path).read_bytes())
    print("ready", importer.owner.pk, flush=True)
    for line in sys.stdin:
        start = perf_counter()
        STEPS[line.strip()](importer)
        print(perf_counter() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
