"""The notebooks of several people: what came due in them, and what netcrm made of it."""

import secrets
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, cycle
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from contacts.models import Contact
from followups import pursuing
from followups.models import FollowUp, Interaction, Playbook, Reminder
from netcrm.models import Heartbeat, Mail, User
from tests.factories import make_contact, make_user
from tests.smtp import PostOffice, wait_until

ZONES = (
    "Europe/Vienna",
    "Pacific/Auckland",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Honolulu",
    "UTC",
)
SETTLE_SECONDS = 60


@dataclass
class Tally:
    """What came of one or more tries of a fault; `broken` are promises, as sentences."""

    tried: int = 0
    expected: int = 0
    raised: int = 0
    lost: int = 0
    doubled: int = 0
    mails_doubled: int = 0
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Tally(*(mine + theirs for mine, theirs in pairs))


class Notebooks:
    """People of several zones and the things that come due in their notebooks.

    Remembers on its own what must come of that: each date one reminder, each scheduled day one
    mail, each form sent one interaction.
    """

    def __init__(self, office: PostOffice, people: int = 0) -> None:
        self.office, self.read = office, len(office.mails)
        self.letters: defaultdict[str, list[str]] = defaultdict(list)  # Message-IDs by address
        self.zones, self.numbers = cycle(ZONES), count(1)
        self.people: list[User] = []
        self.due: dict[tuple[int, int], date] = {}  # by follow-up and turn
        self.mails: Counter[str] = Counter()  # by address
        self.forms: dict[uuid.UUID, Contact] = {}
        for _ in range(people):
            self.join()

    # ---- what happens in them ----

    def join(self) -> User:
        """Return a new person, whose digest always has something to say."""
        zone = next(self.zones)
        user = make_user(
            f"person-{secrets.token_hex(4)}@example.org",
            name="Ada",
            password=None,  # Hashing takes long, and nobody logs in with it.
            time_zone=zone,
            # Far from now: no day begins by itself while the fault is tried.
            digest_hour=(timezone.now().astimezone(ZoneInfo(zone)).hour + 12) % 24,
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        pursuing.begin(make_contact(user, "Priya Raman"), _playbook(user), on=user.today())
        self.people.append(user)
        return user

    @transaction.atomic  # All in one moment.
    def morning(self, *people: User, follow_ups: int = 2) -> None:
        """Let the day of these people begin: dates and the digest's hour have come."""
        for user in people:
            for _ in range(follow_ups):
                self.date_comes(self.plan(user), user.today())
            self.hour_comes(user)

    def plan(self, user: User) -> FollowUp:
        """Return a follow-up with a date to come, opened by the engine."""
        contact = make_contact(user, f"Contact {next(self.numbers)}")
        pursuing.begin(contact, _playbook(user), on=user.today() + timedelta(days=30))
        return contact.follow_ups.get()

    def date_comes(self, follow_up: FollowUp, on: date) -> None:
        """Let the next date of a follow-up be `on`."""
        self.due[follow_up.pk, follow_up.turn] = on
        FollowUp.objects.filter(pk=follow_up.pk).update(next_on=on)

    def hour_comes(self, user: User, on: date | None = None, at: datetime | None = None) -> None:
        """Let the next digest be that of the scheduled date `on` at the instant `at`: without them
        that of the day after the last one, now."""
        now = timezone.now()
        last = User.objects.get(pk=user.pk).digest_last_on or user.today() - timedelta(days=60)
        self.mails[user.email] += 1
        User.objects.filter(pk=user.pk).update(
            digest_next_on=on or last + timedelta(days=1), digest_next_at=at or now
        )

    # ---- what came of it ----

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until nothing is missing."""
        with suppress(AssertionError):  # What is missing still is told by `tally`.
            wait_until(self._complete, seconds, every=0.2)

    def _complete(self) -> bool:
        self._read_letters()
        self.minutes_pass()
        came = all(len(set(self.letters[to])) >= mails for to, mails in self.mails.items())
        return came and not self._missing() and not self._waiting().exists()

    def minutes_pass(self) -> None:
        """Let the pauses before the next try of the mails end; they are a minute and longer."""
        now = timezone.now()
        self._outbox().filter(state=Mail.QUEUED, next_try_at__gt=now).update(next_try_at=now)

    def tally(self, may_double: int) -> Tally:
        """Hold what came against what should have. At most `may_double` mails may be there twice:
        as many as senders were killed."""
        self._read_letters()
        raised = self._raised()
        tally = Tally(
            tried=1,
            expected=len(self.due),
            raised=sum(raised.values()),
            lost=len(self._missing()),
            doubled=sum(raised.values()) - len(raised.keys() & self.due.keys()),
            mails_doubled=sum(len(ids) - len(set(ids)) for ids in self.letters.values()),
        )
        tally.broken += self._broken()
        if tally.lost or tally.doubled:
            tally.broken.append(f"{tally.lost} reminders lost, {tally.doubled} doubled")
        if tally.mails_doubled > may_double:
            said = f"{tally.mails_doubled} mails doubled, though {may_double} senders were killed"
            tally.broken.append(said)
        return tally

    def _broken(self) -> list[str]:
        """Return what else is wrong, as sentences."""
        broken = []
        for address, expected in self.mails.items():
            came = len(set(self.letters[address]))
            if came != expected:
                broken.append(f"{address} got {came} digests and not {expected}")
        if silent := FollowUp.objects.filter(owner__in=self.people).silent().count():
            broken.append(f"{silent} follow-ups have not exactly one date or reminder")
        if waiting := self._waiting().count():
            broken.append(f"{waiting} mails still wait")
        for key, contact in self.forms.items():
            logged = list(Interaction.objects.filter(contact=contact).values_list("key", flat=True))
            attempts = list(contact.follow_ups.values_list("attempts", flat=True))
            if logged != [key] or attempts != [1]:
                broken.append(f"one form made {len(logged)} interactions, attempts {attempts}")
        return broken

    def _raised(self) -> Counter[tuple[int, int]]:
        follow_ups = {follow_up for follow_up, _ in self.due}
        rows = Reminder.objects.filter(follow_up__in=follow_ups)
        return Counter(rows.values_list("follow_up", "turn"))

    def _missing(self) -> set[tuple[int, int]]:
        return self.due.keys() - self._raised().keys()

    def _read_letters(self) -> None:
        """Take in the copies that the post office has accepted since the last time."""
        new = self.office.mails[self.read :]
        self.read += len(new)
        addresses = {user.email for user in self.people}
        for mail in new:
            if mail["To"] in addresses:
                self.letters[mail["To"]].append(mail["Message-ID"])

    def _waiting(self) -> QuerySet[Mail]:
        return self._outbox().filter(state__in=[Mail.QUEUED, Mail.SENDING])

    def _outbox(self) -> QuerySet[Mail]:
        return Mail.objects.filter(owner__in=self.people)


def wait_for_ticks() -> None:
    """Wait until reminders and digests were looked for from beginning to end."""
    for _ in range(2):
        before = _ticks()
        wait_until(lambda before=before: not _ticks() & before)


def _ticks() -> set[tuple[str, datetime]]:
    ticks = Heartbeat.objects.filter(name__in=["reminders", "digests"])
    return set(ticks.values_list("name", "at"))


def _playbook(user: User) -> Playbook:
    return Playbook.objects.for_user(user).get(slug="unanswered-call")
