"""Digests that are due in the same hour: made and sent by one worker process, next to a floor.

The worker is a process of its own. It puts digests into the outbox and sends them over SMTP, a few
seconds at a time; after each of its turns the floor writes and sends the same mail, with no
database. So whatever else the machine does slows both, and the ratio is the median over the turns.
"""

import json
import os
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

import psutil
from allauth.account.models import EmailAddress
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.utils import timezone

from benchmarks.copies import copy_notebook
from benchmarks.notebook import make_small_notebook
from netcrm.models import Mail, User
from netcrm.outbox import compose
from today.digest import agenda_for
from today.letter import write_letter

TURN_SECONDS = 3.0
FLOOR_MAILS = 50
# Templates, time zones and connections are made once; what still grows after that is a leak.
WARM_UP = 0.1
MOST_GROWTH = 0.05
ENOUGH_TURNS = 8


@dataclass(frozen=True)
class Turn:
    """One turn of the worker: mails and seconds, its memory afterwards in bytes, and the seconds
    that the floor needed for one mail right after."""

    mails: int
    seconds: float
    memory: int
    floor: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.mails / self.floor


def bench(users: int, minutes: float) -> int:
    """Let digests be made and sent until all users have theirs or the time is over, and print
    what it took. Returns 1 if the worker's memory grows, else 0."""
    original = make_small_notebook("maya@example.org")
    make_due(original)
    copy_notebook(original, 1, users - 1)
    with process("benchmarks.sink") as sink:
        port = int(sink.stdout.readline())
        with process("benchmarks.worker", MAIL_URL=f"smtp://127.0.0.1:{port}") as worker:
            start = perf_counter()
            turns = list(take_turns(worker, port, minutes))
            passed = perf_counter() - start
        busy = sum(psutil.Process(sink.pid).cpu_times()[:2]) / passed
    sent = Mail.objects.filter(state=Mail.SENT).count()
    waiting = User.objects.filter(digest_last_on=None).count()
    assert sent == users - waiting, f"{sent} mails for {users - waiting} digests"
    print(f"\n{sent:,} of {users:,} digests due in the same hour, by one worker process\n")
    print_speed(turns)
    print(f"\nThe mail server was busy for {busy:.0%} of the time.")
    return print_memory([turn.memory for turn in turns])


def make_due(user: User) -> None:
    """Let the digest of a user be due since the last full hour, and the address be theirs. On
    every weekday it is the same digest."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    User.objects.filter(pk=user.pk).update(
        digest_hour=hour.hour,
        digest_days=list(range(7)),
        digest_sections=["evidence", "hellos", "coming"],
        digest_next_at=hour,
        digest_next_on=hour.date(),
    )


@contextmanager
def process(module: str, *arguments: str, **settings: str) -> Iterator[subprocess.Popen]:
    """Run a module in a process of its own, on the database of this one."""
    database = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    env = os.environ | {"DATABASE_URL": database._replace(path=f"/{name}").geturl()} | settings
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


def take_turns(worker: subprocess.Popen, port: int, minutes: float) -> Iterator[Turn]:
    """Let the worker work and the floor follow, until no digest is due or the time is over."""
    memory = psutil.Process(worker.pid).memory_info
    over = perf_counter() + 60 * minutes
    floor = None
    while perf_counter() < over:
        print(TURN_SECONDS, file=worker.stdin, flush=True)
        done = json.loads(worker.stdout.readline())
        if not done["mails"]:
            return
        floor = floor or make_floor(Mail.objects.earliest("id"))
        yield Turn(**done, memory=memory().rss, floor=timed_floor(floor, port))


def make_floor(mail: Mail) -> Callable[[], EmailMultiAlternatives]:
    """Return what writes the same mail again, from objects that are fetched already."""
    now = timezone.now()
    agenda = agenda_for(mail.owner, now)
    # Only the time in the links differs.
    assert len(write_letter(mail.owner, agenda, now).html) == len(mail.html)

    def write() -> EmailMultiAlternatives:
        letter = write_letter(mail.owner, agenda, now)
        mail.text, mail.html = letter.text, letter.html
        return compose(mail)

    return write


def timed_floor(write: Callable[[], EmailMultiAlternatives], port: int) -> float:
    """Return the seconds for one mail that is written and sent over one connection."""
    with connection.execute_wrapper(no_queries), smtplib.SMTP("127.0.0.1", port) as smtp:
        start = perf_counter()
        for _ in range(FLOOR_MAILS):
            smtp.send_message(write().message())
        return (perf_counter() - start) / FLOOR_MAILS


def no_queries(execute, sql, *arguments):
    raise AssertionError(f"The floor asked the database: {sql}")


def print_speed(turns: list[Turn]) -> None:
    """Print the speed in the beginning, in the end and over all."""
    floor = median(turn.floor for turn in turns)
    first, last = quarters(turns)
    print(f"{'':<20}{'ms each':>10}{'digests/s':>12}{'x floor':>10}")
    print(f"{'Floor':<20}{floor * 1000:>10.1f}{1 / floor:>12.0f}{1:>10.1f}")
    for name, some in [("First quarter", first), ("Last quarter", last), ("All", turns)]:
        each = sum(turn.seconds for turn in some) / sum(turn.mails for turn in some)
        ratio = median(turn.ratio for turn in some)
        print(f"{name:<20}{each * 1000:>10.1f}{1 / each:>12.0f}{ratio:>10.1f}")


def print_memory(memory: list[int]) -> int:
    """Print how the worker's memory changed after the warm-up; return 1 if it grew, else 0."""
    if len(memory) < ENOUGH_TURNS:
        print(f"A worker held {mega(memory[-1])}; the run was too short to say more.")
        return 0
    first, last = map(median, quarters(memory[round(len(memory) * WARM_UP) :]))
    growth = last / first - 1
    print(f"A worker held {mega(first)} in the first quarter, {mega(last)} in the last.")
    print("Memory grows." if growth > MOST_GROWTH else "Memory stays flat.")
    return 1 if growth > MOST_GROWTH else 0


def quarters[T](values: list[T]) -> tuple[list[T], list[T]]:
    """Return the first and the last quarter, of at least one value each."""
    length = max(len(values) // 4, 1)
    return values[:length], values[-length:]


def mega(size: float) -> str:
    return f"{size / 2**20:.1f} MiB"
