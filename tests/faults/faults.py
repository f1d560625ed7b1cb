"""The faults. Each lets days begin, breaks the machine in the middle, and mends what a supervisor
or an operator would: it starts again what is down, and nothing else."""

import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from contacts.models import Contact
from netcrm.localtime import instant
from netcrm.models import Mail
from tests import processes
from tests.factories import make_contact
from tests.faults.machine import PROCESSES
from tests.faults.notebooks import wait_for_ticks
from tests.faults.trial import Trial
from tests.faults.visitor import Visitor
from tests.smtp import OK, wait_until
from today.models import Digest

FORMS = 12
AHEAD = timedelta(hours=26)
# A worker and the web process take seconds to start: so that there is something to kill, what is
# back at once is killed more often.
VICTIMS = {"child of a worker": 6, "Valkey": 3, "beat": 3, "worker": 3, "web": 2}


# ---- processes ----


def worker_killed(trial: Trial) -> None:
    """One mail is in the server's hands but not accepted, another is accepted and the answer never
    arrives."""
    with _two_mails_half_sent(trial):
        trial.machine.kill("worker")
    trial.machine.start("worker")


def children_killed(trial: Trial) -> None:
    """As above; the worker itself lives and replaces them."""
    with _two_mails_half_sent(trial):
        trial.machine.kill_children()


@contextmanager
def _two_mails_half_sent(trial: Trial) -> Iterator[None]:
    """Stop in the middle of two mails; afterwards let the leases of their dead senders run out."""
    office = trial.machine.office
    office.stalled = 0
    office.to_data += ["stall", "keep and stall"]
    trial.everybody()
    wait_until(lambda: office.stalled == 2)
    leases = list(Mail.objects.filter(state=Mail.SENDING).values_list("lease", flat=True))
    yield
    Mail.objects.filter(lease__in=leases).update(lease_until=timezone.now())


def beat_killed(trial: Trial) -> None:
    trial.early()
    trial.moment()
    trial.machine.kill("beat")
    trial.late()
    trial.machine.start("beat")


def two_beats(trial: Trial) -> None:
    """And ticks at the very same moment, more than two beats would send."""
    machine = trial.machine
    machine.start("second beat")
    wait_until((machine.directory / "second-beat" / "beat" / "schedule").exists)
    for begin in (trial.early, trial.late):
        begin()
        machine.say_look_now()
        trial.moment()
    trial.notebooks.settle()
    machine.kill("second beat")


def web_killed(trial: Trial) -> None:
    """Forms are on their way, one of them held in the middle of its transaction. Without an answer
    each is sent again, as is what was answered: a person may press twice."""
    machine, notebooks = trial.machine, trial.notebooks
    user = notebooks.people[0]
    visitor = Visitor(machine.env["SITE_URL"], user)
    for number in range(FORMS):
        notebooks.forms[uuid.uuid4()] = make_contact(user, f"Call {number}")
    with ThreadPoolExecutor(FORMS) as pool:
        with transaction.atomic():
            held = next(iter(notebooks.forms.values())).pk
            Contact.objects.select_for_update().get(pk=held)
            sent = [pool.submit(visitor.logs_a_call, c, k) for k, c in notebooks.forms.items()]
            trial.moment()
            machine.kill("web")
        if all(form.result() for form in sent):
            trial.broken.append("No form was on its way")
    machine.start("web")
    processes.await_web(machine.env)
    for key, contact in notebooks.forms.items():
        if not visitor.logs_a_call(contact, key):
            trial.broken.append("A form sent again was not taken")
    for contact in notebooks.forms.values():
        notebooks.date_comes(contact.follow_ups.get(), user.today())
    trial.everybody()


# ---- servers ----


def valkey_stopped(trial: Trial) -> None:
    trial.early()
    trial.moment()
    trial.machine.valkey.signal(signal.SIGKILL)
    trial.late()
    trial.moment(2)
    trial.machine.valkey.start()


def valkey_emptied(trial: Trial) -> None:
    """First while it runs, then its files."""
    valkey = trial.machine.valkey
    trial.early()
    for _ in range(4):
        trial.moment(0.5)
        trial.machine.empty_broker()
    trial.late()
    trial.moment()
    valkey.signal(signal.SIGKILL)
    shutil.rmtree(valkey.home / "appendonlydir")
    valkey.start()


def postgres_restarted(trial: Trial) -> None:
    """Cleanly, and once more by a crash."""
    postgres = trial.machine.postgres
    for begin, stop in [(trial.early, signal.SIGINT), (trial.late, signal.SIGQUIT)]:
        begin()
        trial.moment()
        connection.close()
        trial.machine.cut_off += len(trial.machine.senders())  # None can mark what it sent.
        postgres.signal(stop)
        postgres.start()


# ---- the mail server ----


def smtp_refusing(trial: Trial) -> None:
    """Nobody listens at its port."""
    trial.machine.office.close()
    try:
        trial.everybody()
        _wait_for_failed(trial, len(trial.notebooks.people))
    finally:
        trial.machine.office.open()


def smtp_hanging(trial: Trial) -> None:
    trial.machine.office.usually = "stall"
    trial.everybody()
    _wait_for_failed(trial, 1)
    trial.machine.office.behave()


def smtp_greylisting(trial: Trial) -> None:
    """Each address is refused the first time."""
    known = set()

    def greylist(address: str) -> str:
        answer = OK if address in known else "451 Greylisted, please try again later"
        known.add(address)
        return answer

    trial.machine.office.policy = greylist
    trial.everybody()
    _wait_for_failed(trial, len(trial.notebooks.people))
    trial.notebooks.settle()
    trial.machine.office.behave()


def smtp_rejecting(trial: Trial) -> None:
    """One address does not exist; the others get their mail, and that one its next."""
    rejected = trial.notebooks.people[1].email
    answer = "550 No such mailbox here"
    trial.machine.office.policy = lambda address: answer if address == rejected else OK
    trial.everybody()
    wait_until(Mail.objects.filter(to=rejected, state=Mail.FAILED, error__contains=answer).exists)
    trial.notebooks.mails[rejected] -= 1
    trial.machine.office.behave()


def _wait_for_failed(trial: Trial, mails: int) -> None:
    """Wait until so many mails could not be sent."""
    failed = Mail.objects.filter(owner__in=trial.notebooks.people).exclude(error="")
    wait_until(lambda: failed.count() >= mails)


# ---- time ----


def week_of_downtime(trial: Trial) -> None:
    """On each of seven days something was due, and a digest."""
    machine, notebooks = trial.machine, trial.notebooks
    machine.kill(*PROCESSES)
    now, newest = timezone.now(), {}
    for user in notebooks.people:
        days = [user.today() - timedelta(days=ago) for ago in range(8)]
        for day in days[:-1]:
            notebooks.date_comes(notebooks.plan(user), day)
        past = [day for day in days if instant(day, user.digest_hour, user.time_zone) <= now]
        newest[user] = next(day for day in past if day.weekday() in user.digest_days)
        first = past[-1]
        notebooks.hour_comes(user, first, instant(first, user.digest_hour, user.time_zone))
    machine.start(*PROCESSES)
    processes.await_web(machine.env)
    notebooks.settle()
    for user, day in newest.items():
        if list(Digest.objects.for_user(user).values_list("on", flat=True)) != [day]:
            trial.broken.append("After a week there was not one digest, of the newest day")


def clock_set_back(trial: Trial) -> None:
    """The clock was a day ahead and what is due tomorrow has come. Then it is put right, days go
    on, and tomorrow comes again."""
    machine, notebooks = trial.machine, trial.notebooks
    shown = machine.directory / "clock"
    shown.write_text(str(AHEAD.total_seconds()))
    machine.kill("worker", "beat")
    machine.start("worker", "beat", shown=shown)
    for user in notebooks.people:
        tomorrow = user.today() + timedelta(days=1)
        for _ in range(2):
            notebooks.date_comes(notebooks.plan(user), tomorrow)
        notebooks.hour_comes(user, tomorrow, timezone.now() + timedelta(hours=25))
    notebooks.settle()
    shown.write_text("0")
    trial.early()
    notebooks.settle()
    shown.write_text(str(AHEAD.total_seconds()))
    wait_for_ticks()
    shown.write_text("0")


# ---- all at random ----


def random_kills(trial: Trial) -> None:
    """While days begin and calls are logged, one process after the other is killed and started
    again at once."""
    machine, chance = trial.machine, trial.chance
    machine.start("second worker")
    machine.office.seconds = 0.1
    with _work_goes_on(trial):
        for _ in range(trial.kills):
            time.sleep(chance.uniform(0.2, 1.5))
            [victim] = chance.choices(list(VICTIMS), VICTIMS.values())
            machine.supervise()
            _kill_and_start(trial, victim)
    machine.supervise()
    machine.office.behave()
    processes.await_web(machine.env)
    trial.notebooks.settle()
    machine.kill("second worker")


def _kill_and_start(trial: Trial, victim: str) -> None:
    machine, chance = trial.machine, trial.chance
    machine.killed[victim] += 1
    if victim == "Valkey":
        machine.valkey.signal(signal.SIGKILL)
        machine.valkey.start()
    elif victim == "child of a worker":
        machine.kill_one_child(chance)
    else:
        name = chance.choice(["worker", "second worker"]) if victim == "worker" else victim
        machine.kill(name)
        machine.start(name)


@contextmanager
def _work_goes_on(trial: Trial) -> Iterator[None]:
    over = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        going_on = [pool.submit(work, trial, over) for work in (_days_begin, _calls_are_logged)]
        try:
            yield
        finally:
            over.set()
        for work in going_on:
            work.result()


def _days_begin(trial: Trial, over: threading.Event) -> None:
    try:
        while not over.wait(0.4):
            trial.notebooks.morning(trial.notebooks.join())
    finally:
        connection.close()


def _calls_are_logged(trial: Trial, over: threading.Event) -> None:
    """Send the form of each call until netcrm has answered."""
    try:
        user = trial.notebooks.join()
        visitor = Visitor(trial.machine.env["SITE_URL"], user)
        while not over.wait(0.3):
            key, contact = uuid.uuid4(), make_contact(user, f"Call {len(trial.notebooks.forms)}")
            trial.notebooks.forms[key] = contact
            wait_until(partial(visitor.logs_a_call, contact, key), seconds=120)
            trial.notebooks.date_comes(contact.follow_ups.get(), user.today())
    finally:
        connection.close()


FAULTS = {
    "worker killed while it sends": worker_killed,
    "its children killed": children_killed,
    "beat killed": beat_killed,
    "two beats": two_beats,
    "web killed during a post": web_killed,
    "Valkey stopped": valkey_stopped,
    "Valkey emptied": valkey_emptied,
    "PostgreSQL restarted": postgres_restarted,
    "SMTP refusing": smtp_refusing,
    "SMTP hanging": smtp_hanging,
    "SMTP greylisting (4xx)": smtp_greylisting,
    "SMTP rejecting one (5xx)": smtp_rejecting,
    "a week of downtime": week_of_downtime,
    "clock set back": clock_set_back,
    "random kills": random_kills,
}
