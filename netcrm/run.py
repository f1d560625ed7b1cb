"""`make run`: all of netcrm on one machine, with nothing but Python, until Ctrl-C.

    python -m netcrm.run                        servers, web, worker and beat
    python -m netcrm.run python manage.py ...   a command with the same servers and settings

What is kept lies in `var/` (`NETCRM_VAR` names another place).
"""

import hashlib
import json
import multiprocessing
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import environ
import kombu
import psycopg
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

from netcrm import servers
from netcrm.probe import healthy
from netcrm.servers import ServerError

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 120
STOPPED_BY_SIGNAL = {130, 143}  # honcho's return codes after SIGINT and SIGTERM.


def main(command: list[str]) -> int:
    """Return the exit code; every failure that a person can mend is told in one sentence."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    # A closed terminal ends netcrm as `kill` does, whoever handles SIGTERM at that moment.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    var = Path(os.environ.get("NETCRM_VAR") or ROOT / "var").absolute()
    try:
        return run_command(var, command) if command else serve(var)
    except ServerError as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"netcrm cannot use {error.filename or var}: {error.strerror}."
    except KeyboardInterrupt:
        return 0
    print(sentence, file=sys.stderr)
    return 1


def _interrupt(signum, frame) -> None:
    # A second Ctrl-C must not cut short the stopping of the servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def serve(var: Path) -> int:
    """Run web, worker and beat until a signal or until one of them stops."""
    port = _port()
    with started(var, port) as env:
        _require_free(port)
        print("Starting netcrm ...", flush=True)
        prepare(var, env)
        multiprocessing.Process(target=_announce, args=(env, port, var), daemon=True).start()
        log = Log(var)
        manager = Manager(printer=log)
        for name, command in processes(var, port).items():
            line = f"exec {shlex.join(command)}"
            manager.add_process(name, line, env=env, cwd=ROOT)
        try:
            manager.loop()
        except BaseException:
            manager.kill()
            raise
    if manager.returncode in STOPPED_BY_SIGNAL:
        print("netcrm has stopped.")
        return 0
    name = log.first_stopped
    raise ServerError(f"netcrm stopped because its {name} process did (see {_log(var, name)}).")


def run_command(var: Path, command: list[str]) -> int:
    """Run the command with the servers of the netcrm that runs, or with freshly started ones."""
    try:
        with started(var, _port()) as env:
            prepare(var, env)
            return subprocess.call(command, env=env, cwd=ROOT)
    except servers.HeldError:
        env = os.environ | json.loads(_environment_file(var).read_text())
        return subprocess.call(command, env=env, cwd=ROOT)


@contextmanager
def started(var: Path, port: int) -> Iterator[dict[str, str]]:
    """Start the servers that the environment does not name; give the environment of settings.py.

    What the person set in the environment wins.
    """
    with ExitStack() as stack:
        stack.enter_context(servers.hold(var))
        (var / "log").mkdir(exist_ok=True)
        settings = {
            "PERSONAL": "true",
            "LOG_LEVEL": "WARNING",
            "SITE_URL": f"http://localhost:{port}",
            "MAIL_DIR": str(var / "mail"),
            "STATIC_ROOT": str(var / "static"),
        }
        settings |= {name: os.environ[name] for name in settings if os.environ.get(name)}
        settings["SECRET_KEY"] = os.environ.get("SECRET_KEY") or servers.secret(var / "secret_key")
        settings["DATABASE_URL"] = _given_database() or stack.enter_context(
            servers.postgres(var / "postgres")
        )
        settings["REDIS_URL"] = _given_broker() or stack.enter_context(
            servers.valkey(var / "valkey")
        )
        stack.enter_context(_published(settings, _environment_file(var)))
        yield os.environ | settings


def prepare(var: Path, env: dict[str, str]) -> None:
    """Bring the database and the static files up to date, both at the same time."""
    collected, sources = Path(env["STATIC_ROOT"]) / ".sources", _static_sources()
    tasks = ["migrate"]
    # Hashing and compressing takes seconds, so it waits until something has changed.
    if not collected.exists() or collected.read_text() != sources:
        collected.unlink(missing_ok=True)
        tasks.append("collectstatic")
    running = {task: _manage(task, var, env) for task in tasks}
    try:
        for task, process in running.items():
            if process.wait():
                log = _log(var, task)
                reason = (log.read_text().strip().splitlines() or ["no reason given"])[-1]
                raise ServerError(f"netcrm could not {task}: {reason} (more in {log})")
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    collected.write_text(sources)


def _manage(task: str, var: Path, env: dict[str, str]) -> subprocess.Popen:
    command = [sys.executable, "manage.py", task, "--noinput", "--skip-checks", "--verbosity=0"]
    with _log(var, task).open("wb") as output:
        return subprocess.Popen(command, env=env, cwd=ROOT, stdout=output, stderr=output)


def _log(var: Path, name: str) -> Path:
    return var / "log" / f"{name}.log"


def _static_sources() -> str:
    """Return a digest that changes with our own static files and with the packages' versions."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        about = path.stat()
        digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def processes(var: Path, port: int) -> dict[str, list[str]]:
    """Return the command line of each process."""
    (var / "beat").mkdir(exist_ok=True)
    # Whoever runs this as root was asked for no other user, so Celery's warning says nothing new.
    python = [sys.executable, "-W", "ignore:You're running the worker", "-m"]
    web = "gunicorn netcrm.wsgi --worker-class gthread --workers 2 --threads 4 --preload"
    web += f" --bind 127.0.0.1:{port} --graceful-timeout 4 --no-control-socket --log-level warning"
    worker = "celery -q -A netcrm worker --queues tick,mail,import --concurrency 2"
    worker += " --loglevel WARNING --without-gossip --without-mingle"
    beat = "celery -q -A netcrm beat --loglevel WARNING --pidfile= --schedule"
    return {
        # Only web has threads that can share connections.
        "web": ["env", "DATABASE_POOL=true", *python, *web.split()],
        # SIGTERM gives running tasks time to end instead of waiting for them for ever. Both make
        # way for web, so that the first page is there sooner.
        "worker": ["env", "REMAP_SIGTERM=SIGQUIT", "nice", *python, *worker.split()],
        "beat": ["nice", *python, *beat.split(), str(var / "beat" / "schedule")],
    }


class Log(Printer):
    """Shows what the processes say and keeps it in var/log; notes which one stopped first.

    What they say once netcrm was told to stop is kept only.
    """

    first_stopped = ""
    stopping = False

    def __init__(self, var: Path):
        super().__init__(sys.stdout)
        self.var = var

    def write(self, message) -> None:
        if message.name == SYSTEM_PRINTER_NAME:
            stopped = re.match(r"(\w+) stopped", message.data)
            self.first_stopped = self.first_stopped or (stopped[1] if stopped else "")
            self.stopping = self.stopping or message.data.endswith("received\n")
            return
        if not self.stopping:
            super().write(message)
        with suppress(OSError), _log(self.var, message.name).open("ab") as log:  # A full disk.
            log.write(message.data)


def _announce(env: dict[str, str], port: int, var: Path) -> None:
    """Print the address as soon as the site is healthy. A process, as honcho forks its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if not healthy(env["SITE_URL"], port):
            time.sleep(0.2)
            continue
        print(f"netcrm is ready: {env['SITE_URL']}  (Ctrl-C stops it)", flush=True)
        return
    print(f"netcrm does not answer yet; {var / 'log'} may tell why.", file=sys.stderr)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise ServerError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"netcrm cannot listen on port {port}: {error.strerror}."
                f" Choose another one: make run PORT={port + 1}"
            ) from None


def _given_database() -> str:
    """Return DATABASE_URL, if it is set and its server answers."""
    url = os.environ.get("DATABASE_URL", "")
    if url:
        try:
            parts = environ.Env.db_url_config(url)
            names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
            access: dict[str, Any] = {name: parts[key] or None for name, key in names.items()}
            psycopg.connect(dbname=parts["NAME"], connect_timeout=5, **access).close()
        except (ValueError, KeyError, environ.ImproperlyConfigured, psycopg.Error) as error:
            raise _unreachable("DATABASE_URL", error) from None
    return url


def _given_broker() -> str:
    """Return REDIS_URL, if it is set and its server answers."""
    url = os.environ.get("REDIS_URL", "")
    if url:
        try:
            with kombu.Connection(url, connect_timeout=5) as connection:
                connection.ensure_connection(max_retries=1)
        except (ValueError, KeyError, OSError, kombu.exceptions.KombuError) as error:
            raise _unreachable("REDIS_URL", error) from None
    return url


def _unreachable(name: str, error: Exception) -> ServerError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return ServerError(f"The server that {name} names cannot be used: {reason}")


def _environment_file(var: Path) -> Path:
    return var / "environment.json"


@contextmanager
def _published(settings: dict[str, str], path: Path) -> Iterator[None]:
    """Tell `run_command` where the servers are; it has passwords, so only its owner reads it."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(settings, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
