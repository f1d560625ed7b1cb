"""netcrm as its users meet it: web, worker and beat as processes of their own, on the servers of
the test run but with a database and a broker of their own."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ
import psutil
import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier

from netcrm import run, servers
from netcrm.probe import healthy

ROOT = Path(__file__).resolve().parent.parent
OLDER = SQL("UPDATE {0} SET {1} = {1} - make_interval(days => %s)")
ROOMS = "^(contacts|followups|giveback|introductions|meetings|opportunities|today)_"
READY_SECONDS = 90
ADDRESS = ("HOST", "PORT", "NAME", "USER", "PASSWORD")


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
            " WHERE table_schema = 'public' AND table_name ~ %s"
            " AND data_type IN ('date', 'timestamp with time zone')",
            ROOMS,
        )
        with psycopg.connect(self.env["DATABASE_URL"]) as db:
            for names in columns:
                table, column = map(Identifier, names)
                db.execute(OLDER.format(table, column), [days])


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[Stack]:
    """Run netcrm with what it keeps in `directory`; `settings` are environment variables."""
    with _database() as database_url:
        servers_of_its_own = {"DATABASE_URL": database_url, "REDIS_URL": _broker_of_its_own()}
        env = environment(directory, **{**servers_of_its_own, **settings})
        (directory / "log").mkdir(parents=True)
        run.prepare(directory, env)
        processes = []
        try:
            for name in ("web", "worker", "beat"):
                processes.append(start(name, directory, env))
            await_web(env)
            yield Stack(env["SITE_URL"], env)
        finally:
            servers.end_processes(processes)


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a netcrm that keeps what it keeps in `directory`."""
    return os.environ | {
        "DEBUG": "false",
        "PERSONAL": "true",
        "SITE_URL": f"http://localhost:{free_port()}",
        "MAIL_DIR": str(directory / "mail"),
        "STATIC_ROOT": str(directory / "static"),
        "TICK_SECONDS": "1",
        "LOG_LEVEL": "WARNING",
        **settings,
    }


def start(
    name: str, directory: Path, env: dict[str, str], wrapper: Sequence[str] = ()
) -> psutil.Popen:
    """Start the "web", "worker" or "beat" of a netcrm, with its log in `directory`.

    `wrapper` is a module, with its arguments, that runs the process's own.
    """
    (directory / "log").mkdir(parents=True, exist_ok=True)
    command = run.processes(directory, urlsplit(env["SITE_URL"]).port)[name]
    own = command.index("-m") + 1
    command[own:own] = wrapper
    with (directory / "log" / f"{name}.log").open("ab") as log:
        return psutil.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)


def kill(process: psutil.Process) -> None:
    """End a process and all below it as a power failure would, if it has not ended by itself."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        process.suspend()  # Else it could replace a child that was killed before it.
        family = [*process.children(recursive=True), process]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family)


def await_web(env: dict[str, str]) -> None:
    """Wait until the web process answers."""
    deadline = time.monotonic() + READY_SECONDS
    while not healthy(env["SITE_URL"], urlsplit(env["SITE_URL"]).port):
        assert time.monotonic() < deadline, "netcrm did not start"
        time.sleep(0.2)


@contextmanager
def rows(database_url: str) -> Iterator[None]:
    """Let the models of this process speak to the database of a running netcrm."""
    before = dict(connection.settings_dict)
    there = environ.Env.db_url_config(database_url)
    connection.close()
    connection.settings_dict |= {name: there[name] for name in ADDRESS}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= {name: before[name] for name in ADDRESS}


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


def free_port() -> int:
    """Return a port of this machine on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
