"""The signed addresses in mails. A token names one user, one reminder, what to do with it and in
which of the reminder's digests it stands. It never logs anyone in and ends after two weeks, with
the reminder's next digest, or when the password changes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from followups import schedule
from followups.models import FollowUp, Outcome, Reminder
from giveback.models import GiveBack
from netcrm.models import User
from netcrm.owned import OwnedQuerySet

SNOOZE, REST, LET_GO, CHOOSE = "snooze", "rest", "let_go", "choose"
KEPT = "kept"
ACTION_SALT, UNSUBSCRIBE_SALT = "today.mail_link", "today.mail_unsubscribe"
PROMISE_SALT = "today.mail_promise"
ACTION_AGE = timedelta(days=14)
UNSUBSCRIBE_AGE = timedelta(days=365)
EPOCH_LENGTH = 12


class ExpiredError(Exception):
    """The address was once good: it is too old, or the password has changed since."""


class ReplacedError(ExpiredError):
    """A newer digest asks about the same reminder: only its addresses are good."""


@dataclass(frozen=True)
class Verb:
    """What a link does: the word on the button in the mail, then the sentence and the button of
    the page that it opens."""

    label: str
    sentence: str
    button: str = "Yes, note it"
    good: bool = False


VERBS = {
    Outcome.NO_ANSWER: Verb("No answer", "You called {name}, and there was no answer."),
    Outcome.VOICEMAIL: Verb("Left voicemail", "You called {name} and left a voicemail."),
    Outcome.SENT: Verb("Sent", "You wrote to {name}."),
    Outcome.REPLIED: Verb("Replied", "{name} replied.", good=True),
    Outcome.TALKED: Verb("Talked", "You talked with {name}.", good=True),
    SNOOZE: Verb("Snooze", "When shall I bring {name} back?"),
    REST: Verb(
        "Let it rest",
        "Let {name} rest for {rest_days} days. Silence is usually about timing.",
        "Let it rest",
    ),
    LET_GO: Verb("Let go", "Let go of {name} for good. You did your part.", "Let go"),
    CHOOSE: Verb("Say what happened", "What happened with {name}?"),
}
PROMISE_VERBS = {
    KEPT: Verb("Done", "You kept your promise to {name}.", good=True),
    SNOOZE: VERBS[SNOOZE],
    LET_GO: Verb("Let go", "Let go of your promise to {name}. It happens.", "Let go"),
}


@dataclass(frozen=True)
class Link:
    """What a token stands for."""

    user: User
    reminder: Reminder
    verb: str


@dataclass(frozen=True)
class PromiseLink:
    """What the token of a promise stands for."""

    user: User
    promise: GiveBack
    verb: str


def verbs_for(follow_up: FollowUp) -> list[str]:
    """Return the verbs that the present step offers, most likely first. Who is next at the
    organisation is chosen in the notebook, not by a link."""
    if follow_up.asks_to_decide:
        return [REST, LET_GO]
    if follow_up.present.colleague:
        return [Outcome.REPLIED, Outcome.TALKED]
    called = follow_up.present.channel == schedule.CALL
    tried = [Outcome.NO_ANSWER, Outcome.VOICEMAIL] if called else [Outcome.SENT]
    return [*tried, Outcome.REPLIED, Outcome.TALKED]


def action_path(user: User, reminder: Reminder, verb: str) -> str:
    """Return the path of the page that does `verb` for this user's reminder, until the next digest
    with it."""
    names = [user.pk, reminder.pk, reminder.mailed, verb, _epoch(user)]
    token = signing.dumps(names, salt=ACTION_SALT)
    return reverse("today:mail_link", args=[token])


def read_action(token: str) -> Link:
    """Return what a token stands for, if the user still owns such a reminder.

    Raises ExpiredError for an old one, ReplacedError for one of an older digest; BadSignature,
    User.DoesNotExist or Reminder.DoesNotExist for one that was never good or whose person is gone.
    """
    rows = Reminder.objects.select_related("follow_up__contact__organisation")
    return Link(*_read_row(token, ACTION_SALT, rows))


def promise_path(user: User, promise: GiveBack, verb: str) -> str:
    """Return the path of the page that does `verb` for this user's promise, until the next digest
    with it."""
    names = [user.pk, promise.pk, promise.mailed, verb, _epoch(user)]
    return reverse("today:mail_promise", args=[signing.dumps(names, salt=PROMISE_SALT)])


def read_promise(token: str) -> PromiseLink:
    """Return what the token of a promise stands for. Raises like read_action()."""
    rows = GiveBack.objects.select_related("contact__organisation")
    return PromiseLink(*_read_row(token, PROMISE_SALT, rows))


def _read_row(token: str, salt: str, rows: OwnedQuerySet) -> tuple[User, Any, str]:
    user_id, pk, mailed, verb, epoch = _read(token, salt, ACTION_AGE)
    user = User.objects.get(pk=user_id, is_active=True)
    if not constant_time_compare(epoch, _epoch(user)):
        raise ExpiredError
    row = rows.for_user(user).get(pk=pk)
    if mailed < row.mailed:
        raise ReplacedError
    return user, row, verb


def unsubscribe_path(user: User) -> str:
    """Return the path that stops the digest; it outlives a change of password."""
    token = signing.dumps(user.pk, salt=UNSUBSCRIBE_SALT)
    return reverse("today:mail_unsubscribe", args=[token])


def read_unsubscribe(token: str) -> User:
    """Return the user of a token. Raises like read_action()."""
    return User.objects.get(pk=_read(token, UNSUBSCRIBE_SALT, UNSUBSCRIBE_AGE))


def _epoch(user: User) -> str:
    return user.get_session_auth_hash()[:EPOCH_LENGTH]


def _read(token: str, salt: str, age: timedelta) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=age)
    except signing.SignatureExpired as error:
        raise ExpiredError from error
