"""A card made fit for the notebook: every value in the shape that its field takes. What does not
fit is kept in the other details."""

from collections.abc import Callable, Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from phonenumber_field.phonenumber import PhoneNumber
from phonenumbers import SUPPORTED_REGIONS, NumberParseException

from contacts.files.cards import Card, Line
from contacts.files.photos import is_photo
from contacts.models import plain, tidy_link
from netcrm.localtime import time_zones
from netcrm.wording import one_line

LONGEST = {"name": 200, "organisation": 200, "role": 200, "how_met": 300}
LONGEST_LABEL = 40
LONGEST_TAG = 60
# As many as the form of a person shows.
MOST_LINES = 20
MOST_TAGS = 50
# Google's own group, in which everybody is.
EVERYBODY = {"mycontacts", "my contacts"}
MOST_DETAILS = 500
FIRST_YEAR = 1900
# Of several cards of one person together.
LONGEST_NOTES = 100_000
SEVERAL = ("tags", "emails", "phones", "links", "details", "moments", "tasks", "without")

_is_web_address = URLValidator(schemes=["http", "https"])


def fit(card: Card, country: str, today: date) -> Card:
    """Return the card with values that can be stored. Numbers without a country code belong to
    `country`; of its tasks the soonest after `today` stays one, the others become details."""
    region = country if country in SUPPORTED_REGIONS else None
    for name, most in LONGEST.items():
        _shorten(card, name, most)
    card.emails = _lines(card, card.emails, _email, "e-mail")
    card.phones = _lines(card, card.phones, lambda text: _phone(text, region), "phone")
    card.links = _lines(card, card.links, _link, "link")
    card.tags = _tags(card)
    if card.time_zone and card.time_zone not in time_zones():
        card.details.append((card.time_zone, "time zone"))
        card.time_zone = ""
    if card.known_since and card.known_since.year < FIRST_YEAR:
        card.details.append((card.known_since.isoformat(), "known since"))
        card.known_since = None
    if card.photo and not is_photo(card.photo):
        card.photo = b""
        card.without.append("photo")
    _keep_the_rest(card, today)
    return card


def join(card: Card, twins: Iterable[Card], country: str, today: date) -> Card:
    """Return a card with what others of the same person have besides; all of them are fit. Where
    there is room for one only, the first stays, and another becomes a detail."""
    for twin in twins:
        for name in (*LONGEST, "known_since", "time_zone"):
            ours, theirs = getattr(card, name), getattr(twin, name)
            if not ours:
                setattr(card, name, theirs)
            elif theirs and plain(str(theirs)) != plain(str(ours)):
                card.details.append((str(theirs), name.replace("_", " ")))
        if twin.notes not in card.notes:
            notes = f"{card.notes}\n\n{twin.notes}".strip()
            if len(notes) <= LONGEST_NOTES:
                card.notes = notes
            else:
                card.without.append("a note")
        if card.photo and twin.photo and card.photo != twin.photo:
            card.without.append("a second photo")
        card.photo = card.photo or twin.photo
        for name in SEVERAL:
            setattr(card, name, list(dict.fromkeys([*getattr(card, name), *getattr(twin, name)])))
    return fit(card, country, today)


def _shorten(card: Card, name: str, most: int) -> None:
    text = getattr(card, name)
    if len(text) > most:
        card.details.append((text, name.replace("_", " ")))
        setattr(card, name, text[:most].strip())


def _lines(card: Card, lines: list[Line], read: Callable[[str], str], what: str) -> list[Line]:
    """Return the lines that can be read, each value once; the others become details."""
    kept: dict[str, str] = {}
    for text, label in lines:
        value = read(text)
        if value and (value in kept or len(kept) < MOST_LINES):
            kept.setdefault(value, label[:LONGEST_LABEL].strip())
        else:
            card.details.append((text, label or what))
    return list(kept.items())


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text if len(text) <= 254 else ""


def _phone(text: str, region: str | None) -> str:
    """Return a number as E.164. An extension has no place there."""
    try:
        number = PhoneNumber.from_string(text[:100], region)
    except NumberParseException:
        return ""
    return number.as_e164 if number.is_valid() and not number.extension else ""


def _link(text: str) -> str:
    """Return a web address, also of one that is written without its scheme: www.example.org."""
    is_bare = "." in text and not {":", "@"} & set(text)
    url = f"https://{text}" if is_bare else text
    try:
        _is_web_address(url)
        return tidy_link(url) if len(url) <= 500 else ""
    except (ValidationError, ValueError):
        return ""


def _tags(card: Card) -> list[str]:
    tags: dict[str, str] = {}
    for tag in map(one_line, card.tags):
        if len(tag) > LONGEST_TAG or len(tags) == MOST_TAGS:
            card.details.append((tag, "tag"))
        elif tag and plain(tag) not in EVERYBODY:
            tags.setdefault(plain(tag), tag)
    return list(tags.values())


def _keep_the_rest(card: Card, today: date) -> None:
    """Write what has no field into the details, so that it is seen and exported again."""
    tasks = sorted(card.tasks, key=lambda task: task.on)
    coming = [task for task in tasks if task.on > today]
    card.tasks = coming[:1]
    card.details += [
        (f"{task.on:%-d %B %Y}: {task.title}", "reminder")
        for task in tasks
        if task not in card.tasks
    ]
    card.details += [(name, how or "knows") for name, how in card.related]
    card.related = []
    if card.uid and (card.uid, "UID") not in card.details:
        card.details.append((card.uid, "UID"))
    if len(card.details) > MOST_DETAILS:
        card.without.append(f"{len(card.details) - MOST_DETAILS} of its other details")
        del card.details[MOST_DETAILS:]
