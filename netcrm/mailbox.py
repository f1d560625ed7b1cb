"""The Mailbox page of a personal `make run`: mails that became files instead of leaving."""

import email.policy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.csp import CSP
from django.utils.functional import cached_property
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from netcrm.htmx import render_page
from netcrm.models import User

# How Django's file backend parts the mails of one connection.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"
NEWEST_FILES = 200
# A mail brings its own styles and nothing else; the sandbox makes it no page of ours.
MAIL_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "frame-ancestors": [CSP.NONE],
    "sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"],
}


@dataclass
class Letter:
    """One mail in the folder. Its id comes from its content: no path is ever made from a URL."""

    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @cached_property
    def id(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()[:24]

    @property
    def subject(self) -> str:
        return self.message["Subject"] or "No subject"

    @property
    def to(self) -> set[str]:
        header = self.message["To"]
        return {address.addr_spec.lower() for address in header.addresses} if header else set()

    @property
    def at(self) -> datetime:
        header = self.message["Date"]
        at = header.datetime if header else None
        return at if at and at.tzinfo else datetime.min.replace(tzinfo=UTC)

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        return body.get_content() if body else ""


def letters_to(user: User) -> list[Letter]:
    """Return the mails to this user's own address, newest first."""
    mine = [letter for letter in _letters() if user.email.lower() in letter.to]
    return sorted(mine, key=lambda letter: letter.at, reverse=True)


def _letters() -> Iterator[Letter]:
    files = sorted(settings.MAIL_DIR.glob("*.log"), reverse=True)
    for file in files[:NEWEST_FILES]:
        for raw in file.read_bytes().split(SEPARATOR):
            if raw.strip():
                yield Letter(raw)


def _letters_or_404(user: User) -> list[Letter]:
    if not settings.PERSONAL or settings.MAIL_URL:
        raise Http404
    return letters_to(user)


def _letter_or_404(user: User, mail_id: str) -> Letter:
    for letter in _letters_or_404(user):
        if letter.id == mail_id:
            return letter
    raise Http404


@require_safe
def mailbox(request):
    """List the mails that this copy of netcrm wrote to the user."""
    letters = _letters_or_404(request.user)
    return render_page(request, "netcrm/mailbox.html", {"letters": letters})


@require_safe
def mailbox_mail(request, mail_id):
    letter = _letter_or_404(request.user, mail_id)
    return render_page(request, "netcrm/mailbox_mail.html", {"letter": letter})


@require_safe
@csp_override(MAIL_CSP)
def mailbox_html(request, mail_id):
    """Show the HTML part as a mail program would."""
    letter = _letter_or_404(request.user, mail_id)
    if not letter.html:
        raise Http404
    return HttpResponse(letter.html)
