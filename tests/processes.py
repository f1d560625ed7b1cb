"""netcrm as its users meet it: web, worker and beat as processes of their own, on the servers of
the test run but with a database and a broker of their own."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg.sql import SQL, Identifier

from netcrm import run, servers
from netcrm.probe import healthy

ROOT = Path(__file__).resolve().parent.parent
OLDER = SQL("UPDATE {0} SET {1} = {1} - make_interval(days => %s)")
READY_SECONDS = 90


@dataclass(frozen=True)
class Stack:
    """A running netcrm: its address, and the environment for commands against it."""

    address: str
    env: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, query: str, *values) -> list[tuple]:
        """Return the rows of a query."""
        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as db:
            return db.execute(query, values).fetchall()

    def days_pass(self, days: int) -> None:
        """Let days pass: everything in the notebooks becomes that much older. The clock of the
        machine cannot be moved for processes, and to the rows it is the same."""
        columns = self.ask(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name ~ '^(contacts|followups|today)_'"
            " AND data_type IN ('date', 'timestamp with time zone')"
        )
        with psycopg.connect(self.env["DATABASE_URL"]) as db:
            for names in columns:
                table, column = map(Identifier, names)
                db.execute(OLDER.format(table, column), [days])


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[Stack]:
    """Run netcrm with what it keeps in `directory`; `settings` are environment variables."""
    port = _free_port()
    with _database() as database_url:
        env = os.environ | {
            "DEBUG": "false",
            "PERSONAL": "true",
            "SITE_URL": f"http://localhost:{port}",
            "DATABASE_URL": database_url,
            "REDIS_URL": _broker_of_its_own(),
            "MAIL_DIR": str(directory / "mail"),
            "STATIC_ROOT": str(directory / "static"),
            "TICK_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        (directory / "log").mkdir(parents=True)
        run.prepare(directory, env)
        processes = []
        try:
            for name, command in run.processes(directory, port).items():
                with (directory / "log" / f"{name}.log").open("wb") as log:
                    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
                processes.append(psutil.Process(process.pid))
            _await(lambda: healthy(env["SITE_URL"], port))
            yield Stack(env["SITE_URL"], env)
        finally:
            servers.end_processes(processes)


@contextmanager
def _database() -> Iterator[str]:
    url = urlsplit(os.environ["DATABASE_URL"])
    name = f"netcrm_{secrets.token_hex(4)}"
    with psycopg.connect(url.geturl(), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
        try:
            yield url._replace(path=f"/{name}").geturl()
        finally:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _broker_of_its_own() -> str:
    """Return the URL of a Valkey database that no process of pytest-xdist uses for its tests."""
    url = urlsplit(os.environ["REDIS_URL"])
    return url._replace(path=f"/{int(url.path.strip('/') or 0) + 8}").geturl()


def _await(condition) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "netcrm did not start"
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
