"""What to say in a step: the playbook's words with the contact's details filled in, and the links
that open them in the person's own mail program, phone or messenger. Nothing is sent from here.
"""

import re
from dataclasses import dataclass
from datetime import date
from string import Template
from urllib.parse import quote

from contacts.models import Contact, ContactLink
from followups.models import FollowUp, Interaction, Outcome
from followups.schedule import CALL, DECIDE, EMAIL, MESSAGE
from netcrm.models import User

# Every placeholder, and what stands there while nothing is known: words that read on by
# themselves, or brackets where only the person can fill the gap.
PLACEHOLDERS = {
    "name": "[their name]",
    "given name": "[their name]",
    "organisation": "your organisation",
    "role": "your work",
    "my name": "[my name]",
    "purpose": "[what I would like to ask]",
    "introducer": "[who introduced us]",
    "last spoke": "recently",
    "last tried": "recently",
    # What the rooms above know of a follow-up: FollowUp.facts.
    "wanted": "[whom I would like to meet]",
    "blurb": "[a few lines about me that can be forwarded]",
    "other": "[the other person]",
    "why": "[why the two of you should meet]",
    "times": "[two or three times that suit me]",
    "takeaway": "[what they said]",
    "advice": "[what they advised]",
}
GAP = re.compile(r"\[[^\]]+\]")
CONVERSATIONS = (Outcome.TALKED, Outcome.MET, Outcome.REPLIED)

LETTER = """\
Hello {given name},

{purpose}

A line or two would help me a lot. If it is not the right time, a short no is completely fine.

Kind regards
{my name}"""
HELLO = "Hello {given name}, I thought of you today. {purpose} No need to answer quickly. {my name}"
SCRIPT = """\
Hello {given name}, this is {my name}. I have one question about your work at {organisation}, \
and it takes five minutes. Is now a good moment, or may I call you another day? If you would \
rather not, that is fine too."""
LAST_NOTE = """\
Hello {given name},

I have written a few times and will not fill your inbox any further. If it ever suits you, I would \
still be glad to hear from you. If not, that is completely all right.

Kind regards
{my name}"""
# The subject and the words of a step that brings none of its own.
FALLBACKS = {
    EMAIL: ("A question about your work", LETTER),
    MESSAGE: ("", HELLO),
    CALL: ("", SCRIPT),
    DECIDE: ("Thank you anyway", LAST_NOTE),
}

# The ways to a contact in a step, the step's own first.
WAYS = {
    CALL: ("call",),
    EMAIL: ("email", "profile"),
    MESSAGE: ("profile", "sms", "email"),
    DECIDE: ("email", "profile"),
}
PROFILES = 2


class Words(Template):
    """A template with placeholders in braces: {given name}. Braces around anything else stay."""

    flags = re.VERBOSE
    # The stubs know the pattern only as the base class leaves it: compiled.
    pattern = r"""
        \{ (?P<braced> [a-z]+ (?: [ ] [a-z]+ )* ) \}
        | (?P<named>(?!)) | (?P<escaped>(?!)) | (?P<invalid>(?!))
    """  # type: ignore[assignment]


@dataclass(frozen=True)
class Link:
    """Something that opens the draft elsewhere. `carries` names the parts of the draft that are
    in the address, so that a page can keep it up with what is typed."""

    kind: str
    words: str
    href: str
    carries: str = ""


@dataclass(frozen=True)
class Draft:
    """What to say, and the ways to open it. `missing` says in a sentence what is still needed."""

    channel: str
    subject: str
    body: str
    links: list[Link]
    missing: str

    @property
    def spoken(self) -> bool:
        return self.channel == CALL

    @property
    def gaps(self) -> bool:
        """Tell whether there are brackets that only the person can fill."""
        return bool(GAP.search(f"{self.subject}\n{self.body}"))


def draft_for(follow_up: FollowUp, me: User) -> Draft:
    """Return the draft of the present step, in the words of its playbook or else in ours."""
    step, contact = follow_up.present, follow_up.contact
    subject, body = FALLBACKS[step.channel]
    known = facts(follow_up, me)
    subject = " ".join(fill(step.subject or subject, known).split())
    body = fill(step.template or body, known)
    links = links_to(contact, step.channel, subject, body)
    return Draft(step.channel, subject, body, links, _missing(contact, step.channel, links))


def fill(text: str, known: dict[str, str]) -> str:
    """Return the text with what is known in its placeholders; unknown ones stay as they are."""
    return Words(text).safe_substitute(
        {name: known.get(name) or stand_in for name, stand_in in PLACEHOLDERS.items()}
    )


def facts(follow_up: FollowUp, me: User) -> dict[str, str]:
    """Return what is known for each placeholder; empty where nothing is."""
    contact, today = follow_up.contact, me.today()
    return {
        "name": contact.name,
        "given name": contact.given_name,
        "organisation": contact.organisation.name if contact.organisation else "",
        "role": contact.role,
        "my name": me.name,
        "purpose": follow_up.purpose,
        "introducer": contact.introduced_by.given_name if contact.introduced_by else "",
        "last spoke": _on(_last_conversation(contact), today),
        "last tried": _on(follow_up.last_attempt_on, today),
        **follow_up.facts,
    }


def _last_conversation(contact: Contact) -> date | None:
    spoken = Interaction.objects.filter(contact=contact, outcome__in=CONVERSATIONS)
    return spoken.order_by("-on").values_list("on", flat=True).first()


def _on(day: date | None, today: date) -> str:
    """Return a day as one says it to somebody: on 12 November."""
    if day is None:
        return ""
    return f"on {day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def links_to(contact: Contact, channel: str, subject: str, body: str) -> list[Link]:
    """Return the ways to the contact in a step. An address whose last mail came back is none."""
    numbers = [phone.number for phone in contact.phones.all() if phone.number.is_valid()][:1]
    addresses = [row.address for row in contact.emails.all() if row.bounced_on is None][:1]
    profiles = list(contact.links.all())[:PROFILES]
    ways = {
        "call": [Link("call", f"Call {number}", number.as_rfc3966) for number in numbers],
        "sms": [
            Link("sms", "Open as a text message", sms(number.as_e164, body), "body")
            for number in numbers
        ],
        "email": [
            Link("email", "Open in your mail program", mailto(to, subject, body), "subject body")
            for to in addresses
        ],
        "profile": [Link("profile", f"Open {_place(link)}", link.url) for link in profiles],
    }
    return [link for kind in WAYS[channel] for link in ways[kind]]


def _place(link: ContactLink) -> str:
    return "LinkedIn" if "linkedin.com/" in link.url else str(link)


def _missing(contact: Contact, channel: str, links: list[Link]) -> str:
    """Return in a sentence what is needed to reach the contact in this way, if anything is."""
    name, kinds = contact.given_name, {link.kind for link in links}
    if channel == MESSAGE:
        needed = "" if kinds else "link, number or e-mail address"
    else:
        own = WAYS[channel][0]
        needed = "" if own in kinds else {"call": "phone number", "email": "e-mail address"}[own]
    if not needed:
        return ""
    if channel != CALL and (bounced := [row.address for row in contact.emails.all()]):
        return f"The last e-mail to {bounced[-1]} came back. Is there another address?"
    return f"There is no {needed} of {name} in your notebook yet."


def mailto(address: str, subject: str, body: str) -> str:
    """Return the address of a new mail (RFC 6068): UTF-8, percent-encoded, lines end in CRLF."""
    headers = {"subject": subject, "body": "\r\n".join(body.splitlines())}
    query = "&".join(f"{name}={_encoded(value)}" for name, value in headers.items() if value)
    return f"mailto:{quote(address, safe='@')}?{query}"


def sms(number: str, body: str) -> str:
    """Return the address of a new text message to an E.164 number (RFC 5724)."""
    return f"sms:{number}?body={_encoded(body)}"


def _encoded(text: str) -> str:
    return quote(text, safe="")
