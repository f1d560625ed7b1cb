"""What waits for a step of mine in the introductions: nothing that is open is ever silent.

An introduction that somebody is asked for moves by its follow-up. What no follow-up asks for waits
here: to say what an answer was, to tell the introducer how it went, to ask the second of two
people, to write the joint mail.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html

from introductions.models import Answer, Introduction, Offer, Stage

GET, POST = "get", "post"


@dataclass(frozen=True)
class Choice:
    """A button: a link to a page, or a form that does it; `fields` are its hidden fields."""

    label: str
    url: str
    method: str = GET
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Waiting:
    """One step that waits. `words` is a sentence with {} for each of `names`, which pages set in
    bold; the first choice is the one that is proposed."""

    icon: str
    words: str
    names: tuple[str, ...]
    choices: tuple[Choice, ...]
    colour: str = ""
    introduction: Introduction | None = None
    offer: Offer | None = None

    @property
    def sentence(self):
        """Return the sentence as plain text."""
        return self.words.format(*self.names)

    @property
    def html(self):
        return format_html(self.words.replace("{}", "<strong>{}</strong>"), *self.names)

    @property
    def label(self):
        return self.choices[0].label

    @property
    def url(self):
        return self.choices[0].url

    @property
    def method(self):
        return self.choices[0].method


def waiting(user):
    """Return the Waiting steps of a user, the joint mails first, then what has waited longest:
    a constant number of queries."""
    offers = Offer.objects.for_user(user).open().with_people().with_standing().order_by("pk")
    of_offers = [step for offer in offers for step in steps_of_offer(offer)]
    introductions = Introduction.objects.for_user(user).open().order_by("asked_on", "pk")
    of_introductions = filter(None, map(step_of, introductions.standing()))
    return [*of_offers, *of_introductions]


def step_of(introduction):
    """Return what waits for an introduction with its standing; None while a follow-up moves it, and
    when it is over."""
    if not introduction.is_open or introduction.is_pursued:
        return None
    if introduction.stage == Stage.MADE:
        return _to_tell(introduction)
    return _to_say(introduction)


def steps_of_offer(offer):
    """Return what waits for an offer with its standing: nothing while both are asked or over."""
    if not offer.is_open:
        return []
    if offer.agreed:
        return [_to_connect(offer)]
    if offer.declined:
        return [_to_tell_no(offer, side) for side in offer.to_tell]
    return [_to_ask(offer, side) for side in offer.sides if not (side.has_spoken or side.pursued)]


def _verb(name, row, label, **fields):
    url = reverse(f"introductions:{name}", args=[row.pk])
    return Choice(label, url, POST, tuple(fields.items()))


def _page(row, label):
    return Choice(label, f"{row.get_absolute_url()}#step")


def _to_say(introduction):
    """The introducer is asked no more: what came of it?"""
    name, wanted = introduction.introducer.given_name, introduction.wanted
    made = Choice("It was made", reverse("introductions:introduction_made", args=[introduction.pk]))
    declined = _verb("introduction_declined", introduction, "They said no")
    if introduction.stage == Stage.PROMISED:
        words = "{} promised to introduce you to {}. What came of it?"
        choices = (made, _verb("introduction_promised", introduction, "Still promised"), declined)
    elif introduction.was_answered:
        words = "{} answered. Did they promise to introduce you to {}?"
        choices = (_verb("introduction_promised", introduction, "Yes, promised"), made, declined)
    else:
        words = "Nobody asks {} any more to introduce you to {}. What came of it?"
        choices = (_page(introduction, "Decide"), made, declined)
    return Waiting("hourglass", words, (name, wanted), choices, "honey", introduction=introduction)


def _to_tell(introduction):
    """The introducer would like to know how it went."""
    name, wanted = introduction.introducer.given_name, introduction.wanted
    if introduction.met_on:
        words, names = "You met {}, through {}.", (wanted, name)
    elif introduction.in_touch_on:
        words, names = "You are in touch with {}, through {}.", (wanted, name)
    else:
        words, names = "{} introduced you to {}, and that is at rest now.", (name, wanted)
    choices = (_page(introduction, f"Tell {name} how it went"),)
    return Waiting("heart", words, names, choices, "brand", introduction=introduction)


def _to_connect(offer):
    names = (offer.one.given_name, offer.other.given_name)
    choices = (_page(offer, "Write the introduction"),)
    return Waiting("writing", "Both said yes: {} and {}.", names, choices, "brand", offer=offer)


def _to_ask(offer, side):
    names = (side.contact.given_name, side.partner.given_name)
    if side.answer == Answer.NOT_ASKED:
        words = "You would like to connect {} and {}."
        choices = (_verb("offer_ask", offer, f"Ask {names[0]}", side=side.name),)
        return Waiting("affiliate", words, names, choices, offer=offer)
    words = "What did {} say about meeting {}?"
    choices = (
        _verb("offer_answer", offer, "Yes", side=side.name, answer="yes"),
        _verb("offer_answer", offer, "No", side=side.name, answer="no"),
    )
    return Waiting("hourglass", words, names, choices, "honey", offer=offer)


def _to_tell_no(offer, side):
    names = (side.contact.given_name, side.partner.given_name)
    words = "{} waits to hear about {}. It does not fit at the moment."
    choices = (_page(offer, f"Tell {names[0]}"),)
    return Waiting("feather", words, names, choices, offer=offer)
