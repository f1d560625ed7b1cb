"""A machine of its own for netcrm, every part of which can fail and be started again."""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

import psutil
import redis
from celery import Celery

from netcrm import run, servers
from tests import processes
from tests.faults import clock
from tests.smtp import PostOffice, running_post_office, wait_until

PROCESSES = ("web", "worker", "beat")
TICKS = ["followups.tasks.raise_reminders", "today.tasks.send_digests", "netcrm.tasks.send_mail"]
# The lease outlasts the mail server's time limit, as by default, but nobody waits for long.
LEASE_SECONDS, MAIL_TIMEOUT_SECONDS, TICK_SECONDS = 6, 3, 0.5


class Server:
    """PostgreSQL or Valkey, which comes back at the same address with the same data."""

    def __init__(self, home: Path, serve: Callable[..., AbstractContextManager[str]]) -> None:
        self.home, self.serve, self.port = home, serve, processes.free_port()
        self.running = ExitStack()

    def start(self) -> None:
        self.url = self.running.enter_context(self.serve(self.home, port=self.port))

    def stop(self) -> None:
        self.running.close()

    def signal(self, number: int) -> None:
        """Send the signal to the server's main process and wait until it has ended."""
        home = self.home.resolve()
        for process in psutil.Process().children():
            with suppress(psutil.Error):
                if Path(process.cwd()).is_relative_to(home):
                    process.send_signal(number)
        self.stop()


class Machine:
    """netcrm's processes by name ("second worker" is a worker too), its servers and a post office.

    It starts again what was killed only when it is told to, as a supervisor is.
    """

    def __init__(self, directory: Path, office: PostOffice) -> None:
        self.directory, self.office = directory, office
        self.postgres = Server(directory / "postgres", servers.postgres)
        self.valkey = Server(directory / "valkey", servers.valkey)
        self.processes: dict[str, psutil.Popen] = {}
        self.killed: Counter[str] = Counter()
        self.cut_off = 0  # How many senders may have been stopped between the OK and the mark.

    def boot(self) -> None:
        """Start the servers and bring the database up to date."""
        self.postgres.start()
        self.valkey.start()
        self.env = processes.environment(
            self.directory,
            # The same as this process's, which logs people in.
            SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
            DATABASE_URL=self.postgres.url,
            REDIS_URL=self.valkey.url,
            MAIL_URL=f"smtp://{self.office.host}:{self.office.port}",
            DEBUG="true",  # Static files need not be compressed, which takes longest.
            PERSONAL="false",
            TICK_SECONDS=str(TICK_SECONDS),
            OUTBOX_LEASE_SECONDS=str(LEASE_SECONDS),
            MAIL_TIMEOUT_SECONDS=str(MAIL_TIMEOUT_SECONDS),
        )
        (self.directory / "log").mkdir(exist_ok=True)
        run.prepare(self.directory, self.env)

    def start(self, *names: str, shown: Path | None = None) -> None:
        """Start processes; their clock is what the file `shown` says, if there is one."""
        for name in names:
            kind = name.split()[-1]
            directory = self.directory / name.replace(" ", "-")
            wrapped = clock.set_by(shown) if shown else ()
            self.processes[name] = processes.start(kind, directory, self.env, wrapped)

    def kill(self, *names: str) -> None:
        """kill -9 the processes with all their children."""
        for name in names:
            self.cut_off += len(self._senders(name))
            processes.kill(self.processes.pop(name))

    def supervise(self) -> None:
        """Start again what has ended by itself: a worker whose child is killed before it is up
        gives up, and whoever runs netcrm has a supervisor for that."""
        for name in [name for name, each in self.processes.items() if each.poll() is not None]:
            self.start(name)

    def kill_children(self) -> None:
        """kill -9 the children of all workers, which the workers themselves replace."""
        for sender in self.senders():
            self.kill_sender(sender)

    def kill_one_child(self, chance: Random) -> None:
        wait_until(self.senders, seconds=60)
        self.kill_sender(chance.choice(self.senders()))

    def kill_sender(self, sender: psutil.Process) -> None:
        self.cut_off += 1
        processes.kill(sender)

    def senders(self) -> list[psutil.Process]:
        """Return the processes that run tasks: the workers' children."""
        return [each for name in self.processes for each in self._senders(name)]

    def _senders(self, name: str) -> list[psutil.Process]:
        runs_tasks = name.endswith("worker") and self.processes[name].poll() is None
        return self.processes[name].children() if runs_tasks else []

    def say_look_now(self) -> None:
        """Send each tick as often as many beats would in the same moment."""
        with Celery(broker=self.valkey.url, set_as_current=False) as app:
            for tick in TICKS * 8:
                app.send_task(tick, queue="mail" if tick.endswith("mail") else "tick")

    def empty_broker(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as broker:
            broker.flushall()

    def ended(self) -> list[str]:
        """Return the processes that ended though nobody killed them."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def mend(self) -> None:
        """Start everything anew, in whatever state a try has left it."""
        self.shut_down()
        self.processes.clear()
        self.office.behave()
        self.valkey.start()
        self.postgres.start()
        self.run_netcrm()

    def run_netcrm(self) -> None:
        self.start(*PROCESSES)
        processes.await_web(self.env)

    def shut_down(self) -> None:
        servers.end_processes(list(self.processes.values()))
        self.valkey.stop()
        self.postgres.stop()


@contextmanager
def booted(directory: Path) -> Iterator[Machine]:
    """Give a machine on which netcrm runs."""
    with running_post_office() as office:
        machine = Machine(directory, office)
        try:
            machine.boot()
            machine.run_netcrm()
            yield machine
        finally:
            machine.shut_down()
