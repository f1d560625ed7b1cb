"""Mail leaves through the outbox, the table of netcrm.models.Mail: lease, send, mark.

A mail is queued in the transaction of whatever it tells about. It is never marked before it is
sent: a process killed in between leaves a lease that runs out, and the mail goes again with the
same Message-ID, by which mail programs know a second copy. At least once, never lost.
"""

import logging
import smtplib
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import format_datetime, make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.utils import timezone
from django.utils.encoding import punycode

from netcrm.models import Mail, MailQuerySet, User
from netcrm.wording import one_line

logger = logging.getLogger(__name__)

# Shorter than Celery's soft limit by more than most servers need for one mail.
RUN_SECONDS = 40
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
GIVE_UP_AFTER = timedelta(days=3)
REFUSED_THRICE = [Mail.FAILED] * 3
SUBJECT_LENGTH = 250


def queue_mail(
    owner: User,
    dedupe_key: str,
    to: str,
    subject: str,
    text: str,
    html: str = "",
    headers: dict[str, str] | None = None,
    replaces: str = "",
) -> Mail:
    """Put a mail into the outbox, within the caller's transaction, and return it.

    The same `dedupe_key` again returns the mail of the first time, unchanged. A new one goes
    instead of the owner's unsent mails whose keys begin with `replaces`.
    """
    mail, is_new = Mail.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "owner": owner,
            "to": to,
            "message_id": make_msgid(domain=_own_domain()),
            "subject": one_line(subject)[:SUBJECT_LENGTH],
            "text": text,
            "html": html,
            "headers": {name: one_line(value) for name, value in (headers or {}).items()},
        },
    )
    if is_new and replaces:
        _expire(Mail.objects.filter(owner=owner, dedupe_key__startswith=replaces), mail)
    return mail


def _expire(older: MailQuerySet, newest: Mail) -> None:
    """Take back what has not left yet. A mail that is being sent right now, or that a sender is
    just taking up, goes its way."""
    left_behind = older.unsent(timezone.now()).exclude(pk=newest.pk)
    rows = left_behind.select_for_update(skip_locked=True, no_key=True).values("pk")
    Mail.objects.filter(pk__in=rows).update(state=Mail.EXPIRED, lease=None, lease_until=None)


def newest_states(owner: User | OuterRef, to: str | OuterRef) -> QuerySet:
    """Return how the newest mails to an address of the owner fared, newest first."""
    mails = Mail.objects.filter(owner=owner, to=to).order_by("-created_at", "-id")
    return mails.values_list("state", flat=True)[: len(REFUSED_THRICE)]


def on_hold(owner: User) -> bool:
    """Tell whether mail to the owner's address must wait: the last three were refused for good,
    and a sender that goes on regardless ends on block lists. A new address, or any mail that is
    queued all the same (a test), ends it."""
    return list(newest_states(owner, owner.email)) == REFUSED_THRICE


def _own_domain() -> str:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return punycode(address.rpartition("@")[2])


def send_waiting(seconds: float = RUN_SECONDS) -> int:
    """Send what waits, one mail after the other over one connection; return how many were sent.

    Takes up no new mail after `seconds`: the next tick goes on. Several processes share the work.
    """
    sent = 0
    connection = mailers.default
    started = time.monotonic()
    try:
        while time.monotonic() - started < seconds and (mail := _lease()):
            sent += _deliver(mail, connection)
    finally:
        _close(connection)
    return sent


def _lease() -> Mail | None:
    """Claim one waiting mail, if there is one, for as long as the lease lasts."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        waiting = Mail.objects.waiting(now).select_for_update(skip_locked=True, no_key=True)
        mail = waiting.order_by("next_try_at", "id").first()
        if mail:
            mail.state = Mail.SENDING
            mail.attempts += 1
            mail.lease = uuid.uuid4()
            mail.lease_until = now + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
            mail.save(update_fields=["state", "attempts", "lease", "lease_until"])
    return mail


def _deliver(mail: Mail, connection: BaseEmailBackend) -> bool:
    try:
        connection.open()  # Else the backend makes a connection for this mail alone.
        connection.send_messages([compose(mail)])
    except Exception as error:
        # Whatever it was, it must stop neither the mails behind this one nor the next try.
        logger.warning("Mail %s was not sent: %s", mail.pk, error, exc_info=error)
        _close(connection)
        _mark(mail, **_after(error, mail, timezone.now()))
        return False
    _mark(mail, state=Mail.SENT, sent_at=timezone.now(), error="")
    return True


def compose(mail: Mail) -> EmailMultiAlternatives:
    """Return the message of a mail: the same Message-ID and date at every try."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        headers={
            **mail.headers,
            "Message-ID": mail.message_id,
            "Date": format_datetime(mail.created_at),
        },
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _mark(mail: Mail, **changes: object) -> None:
    """Write down how it went, unless the lease ran out and somebody else has the mail now."""
    ours = Mail.objects.filter(pk=mail.pk, lease=mail.lease)
    ours.update(lease=None, lease_until=None, **changes)


def _close(connection: BaseEmailBackend) -> None:
    with suppress(smtplib.SMTPException, OSError):
        connection.close()


def _after(error: Exception, mail: Mail, now: datetime) -> dict[str, object]:
    """Return what a failed try changes: no more tries, with the reason, or the time of the next."""
    if refusal := _refusal(error, mail):
        return {"state": Mail.FAILED, "error": refusal}
    if now - mail.created_at > GIVE_UP_AFTER:
        tried = f"This mail could not be sent for {GIVE_UP_AFTER.days} days, so it was given up."
        return {"state": Mail.EXPIRED, "error": f"{tried} The last answer was: {_reply(error)}"}
    wait = BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]
    return {
        "state": Mail.QUEUED,
        "next_try_at": now + wait,
        "error": f"The mail server did not take it yet: {_reply(error)}",
    }


def _refusal(error: Exception, mail: Mail) -> str:
    """Return why no other try can help, as a sentence; nothing if one can.

    Only what the server says about this address or this content is final. A refused login or
    sender is about our settings, which somebody will put right.
    """
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            codes = [code for code, _ in refused.values()]
        case smtplib.SMTPDataError(smtp_code=code):
            codes = [code]
        case OSError():  # Before ValueError: a certificate that fails to verify is both.
            return ""
        case ValueError():
            return f"This mail to {mail.to} cannot be written as an e-mail: {_reply(error)}"
        case _:
            return ""
    if all(500 <= code < 600 for code in codes):
        return f"The mail server refused the mail to {mail.to}: {_reply(error)}"
    return ""


def _reply(error: Exception) -> str:
    """Return what the server said, in one line: "550 No such mailbox"."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            answers = [f"{code} {_text(said)}" for code, said in refused.values()]
            return one_line(", ".join(answers))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return one_line(f"{code} {_text(said)}")
        case _:
            return one_line(str(error)) or type(error).__name__


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
