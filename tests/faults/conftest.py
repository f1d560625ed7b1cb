"""A machine whose parts the tests break, and models that speak to its database."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import processes
from tests.faults.machine import booted


@pytest.fixture(scope="module")
def machine(django_db_blocker):
    # Not pytest's own directory: PostgreSQL may run as another user, who must be let in.
    with (
        TemporaryDirectory() as directory,
        booted(Path(directory)) as machine,
        django_db_blocker.unblock(),
        processes.rows(machine.postgres.url),
    ):
        yield machine
