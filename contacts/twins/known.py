"""Who of a file is known already, and by what. A duplicate is never a guess: it has a reason that
can be said in words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import TextField, Value
from django.db.models.functions import Cast, Lower

from contacts.files.cards import Card
from contacts.models import Contact, ContactEmail, ContactLink, ContactPhone, plain
from netcrm.models import User

PROFILE = "linkedin.com/in/"


@dataclass(frozen=True)
class Signs:
    """What somebody is known by: numbers as E.164, links as tidy_link() has them."""

    name: str
    organisation: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, card: Card) -> "Signs":
        lines = ([value for value, _ in each] for each in (card.emails, card.phones, card.links))
        return cls(card.name, card.organisation, *lines)

    @property
    def has_profile(self) -> bool:
        return any(PROFILE in link for link in self.links)

    @property
    def has_lines(self) -> bool:
        return bool(self.emails or self.phones or self.links)

    @property
    def is_first_name(self) -> bool:
        return not self.organisation and len(self._plain[0].split()) == 1

    def shared(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (what it is, key) of everything that one person has alone, strongest first.

        A number is shared by families and offices: it tells a person together with a word of the
        name.
        """
        for link in self.links:
            yield "profile link" if PROFILE in link else "link", ("link", link)
        for email in self.emails:
            yield "e-mail address", ("email", email.lower())
        for phone in self.phones:
            for word in self._plain[0].split():
                yield "phone number", ("phone", phone, word)

    def named(self, which: str) -> tuple[str, ...]:
        return ("name", *self._plain, which)

    @cached_property
    def _plain(self) -> tuple[str, str]:
        return plain(self.name), plain(self.organisation)


def stored(value: Any) -> str:
    """Return an address, number or link as cards have it: a number as E.164."""
    return str(getattr(value, "as_e164", value))


def lowered(texts: Iterable[str]) -> list[str | Lower]:
    """Return texts as PostgreSQL has them in small letters, to compare with those that are kept:
    for Python İ becomes two characters, and the last sigma of a word another than the others.
    ASCII is the same for both, and an expression for each text takes long."""
    return [text.lower() if text.isascii() else Lower(Value(text)) for text in texts]


@dataclass
class Known[Who]:
    """People to compare with. Keys are kept as hashes: a large file has a million of them."""

    by_key: dict[int, Who] = field(default_factory=dict)

    def add(self, who: Who, signs: Signs) -> None:
        keys = [key for _, key in signs.shared()]
        keys.append(signs.named("any"))
        keys += [] if signs.has_profile else [signs.named("no profile")]
        keys += [] if signs.has_lines else [signs.named("no lines")]
        for key in keys:
            self.by_key.setdefault(hash(key), who)

    def find(self, signs: Signs) -> tuple[str, Who] | None:
        """Return what somebody has in common with one of them, and with whom.

        Two people of one name and organisation with different LinkedIn profiles are two people; so
        are two called Maria, of whom nothing else is the same.
        """
        for what, key in signs.shared():
            if (who := self.by_key.get(hash(key))) is not None:
                return what, who
        if (who := self.by_key.get(hash(self._namesake(signs)))) is not None:
            return "name and organisation" if signs.organisation else "name", who
        return None

    def _namesake(self, signs: Signs) -> tuple[str, ...]:
        if signs.is_first_name and signs.has_lines:
            return signs.named("no lines")
        return signs.named("no profile" if signs.has_profile else "any")


def in_notebook(owner: User, cards: Iterable[Card]) -> Known[Contact]:
    """Return the owner's contacts that could be one of the cards; constant queries."""
    signs = [Signs.of(card) for card in cards]
    ids = _possible(owner, signs)
    lines: dict[str, dict[int, list[str]]] = {}
    for name, model, value in (
        ("emails", ContactEmail, "address"),
        ("phones", ContactPhone, "number"),
        ("links", ContactLink, "url"),
    ):
        lines[name] = defaultdict(list)
        rows = model._default_manager.filter(owner=owner, contact__in=ids)
        for contact_id, text in rows.values_list("contact_id", value):
            lines[name][contact_id].append(stored(text))
    known: Known[Contact] = Known()
    for contact in (
        Contact.objects.for_user(owner).filter(pk__in=ids).select_related("organisation")
    ):
        organisation = contact.organisation.name if contact.organisation else ""
        theirs = {name: each[contact.pk] for name, each in lines.items()}
        known.add(contact, Signs(contact.name, organisation, **theirs))
    return known


def _possible(owner: User, signs: list[Signs]) -> set[int]:
    emails = {email for each in signs for email in each.emails}
    phones = {phone for each in signs for phone in each.phones}
    links = {link for each in signs for link in each.links}
    names = {each.name for each in signs}
    by_email = ContactEmail.objects.for_user(owner).annotate(lowered=Lower("address"))
    # As text: a field of numbers would parse each of them once more.
    by_phone = ContactPhone.objects.for_user(owner).annotate(e164=Cast("number", TextField()))
    by_link = ContactLink.objects.for_user(owner)
    by_name = Contact.objects.for_user(owner).annotate(lowered=Lower("name"))
    return {
        *by_email.filter(lowered__in=lowered(emails)).values_list("contact_id", flat=True),
        *by_phone.filter(e164__in=phones).values_list("contact_id", flat=True),
        *by_link.filter(url__in=links).values_list("contact_id", flat=True),
        *by_name.filter(lowered__in=lowered(names)).values_list("pk", flat=True),
    }
