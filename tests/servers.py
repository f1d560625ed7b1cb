"""Starts one PostgreSQL and one Valkey for a test run, before the settings are read.

Loaded by `-p tests.servers`. The workers of pytest-xdist share both servers: each has a database
of its own (pytest-django names it) and a Valkey database of its own. `DATABASE_URL` and
`REDIS_URL` in the environment name servers to use instead.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from netcrm import servers

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        number = int(worker.removeprefix("gw")) + 1
        url = urlsplit(os.environ["REDIS_URL"])
        os.environ["REDIS_URL"] = url._replace(path=f"/{number}").geturl()
    else:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        os.environ.update(stack.enter_context(environment()))
    return (yield)


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Give the settings' environment for tests, with servers in a directory that goes with them."""
    with ExitStack() as stack:
        directory = stack.enter_context(_directory())
        env = {
            "SECRET_KEY": "a key for tests only, as long as a real one needs to be",
            "DATABASE_URL": os.environ.get("DATABASE_URL")
            or stack.enter_context(servers.postgres(directory / "postgres", durable=False)),
            "REDIS_URL": os.environ.get("REDIS_URL")
            or stack.enter_context(servers.valkey(directory / "valkey", durable=False)),
            "MAIL_DIR": str(directory / "mail"),
        }
        yield env


@contextmanager
def _directory() -> Iterator[Path]:
    """Give a fresh directory, and remove those whose test run was killed."""
    runs = ROOT / "var" / "test"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.iterdir():
        with suppress(servers.HeldError), servers.hold(old):
            shutil.rmtree(old, ignore_errors=True)  # Another run may be at it too.
    directory = Path(tempfile.mkdtemp(dir=runs))
    with servers.hold(directory):
        yield directory
    shutil.rmtree(directory)
