"""The letters that belong to introductions, as drafts to change: lines that can be forwarded, a
word of thanks, the joint mail. Nothing is sent from here; brackets are for the person to fill."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from django.utils.text import capfirst

from contacts.models import Contact
from followups.drafts import GAP, mailto
from introductions.models import Introduction, Offer, Side
from netcrm.models import User

FORWARDABLE = """\
My name is {me}. I am [what you do now, in one sentence] and moving into [your new field]. {why}

What I would like to ask: {ask} Fifteen minutes are plenty, by phone or over a coffee. If it does \
not suit, a short no is completely fine."""
NO_REASON = "[Why this person: what they do that you would like to understand.]"
NO_ASK = "[your one question.]"

THANKS = """\
Hello {introducer},

thank you for introducing me to {target} on {made_on}. {how_it_went}

It means a lot to me that you thought of it. If there is something I can do for you in return, \
tell me.

Kind regards
{me}"""
MET = "We met on {day}, and what I take with me is [one thing you learned]."
IN_TOUCH = "We have been in touch since {day}, and [what comes next]."
QUIET = (
    "I have tried a few times and we have not found each other yet, which happens. I am glad to"
    " have the name, and it changes nothing about my thanks."
)

JOINT = """\
Hello {one}, hello {other},

you both said that you would like to meet, so here you are.

{one}, {other} is {about_other}.
{other}, {one} is {about_one}.

{why}

I leave the rest to the two of you. No need to keep me in the loop.

Kind regards
{me}"""
NOT_NOW = """\
Hello {name},

I asked you whether you would like to meet {partner}. It does not fit at the moment, so I will \
not connect the two of you now. Thank you for being open to it.

I will keep thinking of you when I meet somebody.

Kind regards
{me}"""


@dataclass(frozen=True)
class Letter:
    """A mail to one or several people; `missing` names those without an address."""

    subject: str
    body: str
    to: tuple[str, ...]
    missing: tuple[Contact, ...] = ()

    @property
    def href(self) -> str:
        """Return the address of a new mail to all of them (RFC 6068), empty without anybody."""
        if not self.to:
            return ""
        everybody = ",".join(quote(address, safe="@") for address in self.to)
        return mailto("", self.subject, self.body).replace("mailto:", f"mailto:{everybody}", 1)

    @property
    def gaps(self) -> bool:
        """Tell whether there are brackets that only the person can fill."""
        return bool(GAP.search(f"{self.subject}\n{self.body}"))


def forwardable(introduction: Introduction, me: User) -> str:
    """Return lines about me that the introducer can forward: who I am, why this person, what I
    ask, an easy no."""
    return FORWARDABLE.format(
        me=me.name or "[my name]",
        why=capfirst(_sentence(introduction.why)) or NO_REASON,
        ask=_sentence(introduction.ask) or NO_ASK,
    )


def thanks(introduction: Introduction, me: User) -> Letter:
    """Return the word of thanks to the introducer, which tells how it went; for an introduction
    with its standing."""
    today, introducer = me.today(), introduction.introducer
    if introduction.met_on:
        how_it_went = MET.format(day=_day(introduction.met_on, today))
    elif introduction.in_touch_on:
        how_it_went = IN_TOUCH.format(day=_day(introduction.in_touch_on, today))
    else:
        how_it_went = QUIET
    body = THANKS.format(
        introducer=introducer.given_name,
        target=introduction.wanted,
        made_on=_day(introduction.made_on, today),
        how_it_went=how_it_went,
        me=me.name or "[my name]",
    )
    return _letter(f"Thank you for the introduction to {introduction.wanted}", body, introducer)


def joint(offer: Offer, me: User) -> Letter:
    """Return the mail that connects two people who both said yes."""
    one, other = offer.one, offer.other
    body = JOINT.format(
        one=one.given_name,
        other=other.given_name,
        about_one=one.position or "[who they are, in a few words]",
        about_other=other.position or "[who they are, in a few words]",
        why=offer.why or "[Why the two of you should meet.]",
        me=me.name or "[my name]",
    )
    return _letter(f"Intro: {one.name} <> {other.name}", body, one, other)


def not_now(side: Side, me: User) -> Letter:
    """Return the mail to somebody who waits, when the other one declined: it gives no reason."""
    body = NOT_NOW.format(
        name=side.contact.given_name, partner=side.partner.name, me=me.name or "[my name]"
    )
    return _letter(f"About {side.partner.name}", body, side.contact)


def _letter(subject, body, *people):
    """Return a letter to the addresses in use. One whose last mail came back is none."""
    found = {
        person: [row.address for row in person.emails.all() if row.bounced_on is None][:1]
        for person in people
    }
    to = tuple(address for addresses in found.values() for address in addresses)
    missing = tuple(person for person, addresses in found.items() if not addresses)
    return Letter(subject, body, to, missing)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _day(day: date | None, today: date) -> str:
    if day is None:
        return ""
    return f"{day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")
