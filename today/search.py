"""Looking through everything that a user wrote, room by room.

Each room knows how to search its own rows (`search(words)`); what has no list of its own is
searched here. A constant number of queries, however much is found.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from contacts.models import Contact, plain
from followups.models import FollowUp, Interaction
from followups.templatetags.followups import moment_words
from giveback.models import Direction, GiveBack, ShelfItem
from introductions.models import Introduction, Offer
from meetings.models import Advice, Debrief, Meeting
from netcrm.localtime import local_day
from netcrm.models import User
from netcrm.owned import MOST_WORDS
from opportunities.models import Opportunity

LONGEST = 200
SHOWN = 5
# An excerpt has so many letters, so many of them before the first word that was found.
EXCERPT, BEFORE = 160, 40


@dataclass(frozen=True)
class Found:
    """A row that was found: what it is, whom it is about, when it was, and the texts in which the
    words may stand."""

    title: str
    url: str
    about: str = ""
    on: date | None = None
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """A row that was found, as the page shows it: the words are marked."""

    title: SafeString
    url: str
    about: SafeString
    on: date | None
    excerpt: SafeString


@dataclass(frozen=True)
class Room:
    """What of one room is searched, how a row is told, and the list that takes the same words."""

    name: str
    icon: str
    rows: Sequence[QuerySet]
    tell: Callable[[Any], Found]
    list_name: str = ""


@dataclass(frozen=True)
class Group:
    """What was found in one room; `url` is its list with the same words, or empty."""

    name: str
    icon: str
    lines: list[Line]
    has_more: bool
    url: str


def asked(text: str) -> str:
    """Return what was typed, fit to be searched for."""
    return " ".join(text.replace("\0", "").split())[:LONGEST]


def find(user: User, q: str) -> list[Group]:
    """Return what has every word of `q`, in any order, accents and case ignored, by room. Rooms
    without anything are left out."""
    words = q.split()[:MOST_WORDS]
    groups = (_group(room, q, words) for room in _rooms(user, q))
    return [group for group in groups if group.lines]


def _group(room, q, words):
    rows = list(chain.from_iterable(rows[: SHOWN + 1] for rows in room.rows))
    return Group(
        name=room.name,
        icon=room.icon,
        lines=[_line(room.tell(row), words) for row in rows[:SHOWN]],
        has_more=len(rows) > SHOWN,
        url=f"{reverse(room.list_name)}?{urlencode({'q': q})}" if room.list_name and rows else "",
    )


def _line(found, words):
    return Line(
        title=mark(found.title, words),
        url=found.url,
        about=mark(found.about, words),
        on=found.on,
        excerpt=mark(excerpt(found.texts, words), words),
    )


# What each room searches


def _rooms(user, q):
    def mine(model):
        return model.objects.for_user(user)

    people = mine(Contact).current().select_related("organisation")
    meetings = mine(Meeting).search(q).select_related("debrief").prefetch_related("contacts")
    return [
        Room("People", "users", [people.search(q)], _person, "contacts:contact_list"),
        Room("Coffees", "coffee", [meetings], _meeting, "meetings:meeting_list"),
        Room(
            "Introductions",
            "affiliate",
            [
                mine(Introduction).search(q).select_related("introducer", "target"),
                mine(Offer).search(q).select_related("one", "other"),
            ],
            _introduction,
            "introductions:introduction_list",
        ),
        Room(
            "Giving back",
            "gift",
            [mine(GiveBack).search(q).select_related("contact"), mine(ShelfItem).search(q)],
            _gift,
            "giveback:giving",
        ),
        Room(
            "Openings",
            "briefcase",
            [mine(Opportunity).search(q).select_related("organisation")],
            _opening,
            "opportunities:opportunity_list",
        ),
        Room("Conversations", "messages", [_conversations(mine(Interaction), q)], _talk),
        Room("Lessons", "bulb", _lessons(mine, q), _lesson),
        Room("Advice", "book-2", [_advice(mine(Advice), q)], _told),
    ]


def _any(q: str, *fields: str) -> Q:
    """Return the condition that at least one word stands in one of the fields."""
    condition = Q()
    for word in q.split()[:MOST_WORDS]:
        for name in fields:
            condition |= Q(**{f"{name}__unaccent__icontains": word})
    return condition


def _conversations(rows, q):
    # The name alone is no find: the person's own page tells everything about them.
    found = rows.with_words(q, "note", "contact__name").filter(_any(q, "note"))
    return found.select_related("contact")


def _lessons(mine, q):
    pursuits = mine(FollowUp).exclude(lesson="").with_words(q, "lesson", "contact__name")
    debriefs = mine(Debrief).exclude(lesson="").with_words(q, "lesson", "meeting__title")
    return [
        pursuits.filter(_any(q, "lesson")).select_related("contact").order_by("-id"),
        debriefs.filter(_any(q, "lesson"))
        .select_related("meeting")
        .prefetch_related("meeting__contacts"),
    ]


def _advice(rows, q):
    found = rows.with_words(q, "text", "what_i_did", "contact__name")
    return found.filter(_any(q, "text", "what_i_did")).select_related("contact", "debrief")


# How a row is told


def _person(row):
    texts = [row.notes, row.how_met, row.seeks, row.offers]
    return Found(row.name, row.get_absolute_url(), row.position, texts=texts)


def _meeting(row):
    debrief = getattr(row, "debrief", None)
    remembered = [debrief.takeaways, debrief.lesson, debrief.ideas] if debrief else []
    return Found(
        _with_people(row),
        reverse("meetings:meeting", args=[row.pk]),
        row.place,
        _day_of(row),
        [row.purpose, *remembered],
    )


def _with_people(meeting):
    names = ", ".join(person.name for person in meeting.contacts.all())
    return f"{meeting} with {names}" if names else str(meeting)


def _day_of(meeting):
    return local_day(meeting.starts_at, meeting.time_zone) if meeting.starts_at else None


def _introduction(row):
    if isinstance(row, Offer):
        url = reverse("introductions:offer", args=[row.pk])
        return Found(f"{row.one} and {row.other}", url, "offered by you", row.made_on, [row.why])
    url = reverse("introductions:introduction", args=[row.pk])
    whom = row.target or row.wanted
    return Found(f"{whom}, through {row.introducer}", url, "", row.asked_on, [row.why, row.ask])


def _gift(row):
    if isinstance(row, ShelfItem):
        url = f"{reverse('giveback:giving')}?{urlencode({'q': row.title})}"
        return Found(row.title, url, "on your shelf", texts=[row.text])
    about = f"{'from' if row.direction == Direction.RECEIVED else 'for'} {row.contact}"
    return Found(row.what, row.contact.get_absolute_url(), about, row.done_on, [row.note])


def _opening(row):
    where = f"{row.organisation}, " if row.organisation else ""
    about = where + row.get_stage_display().lower()
    return Found(row.title, row.get_absolute_url(), about, row.heard_on, [row.notes, row.next_step])


def _talk(row):
    url = f"{row.contact.get_absolute_url()}#story"
    return Found(row.contact.name, url, moment_words(row), row.on, [row.note])


def _lesson(row):
    if isinstance(row, Debrief):
        url, meeting = reverse("meetings:meeting", args=[row.meeting_id]), row.meeting
        return Found(_with_people(meeting), url, "", _day_of(meeting), [row.lesson])
    return Found(str(row), row.contact.get_absolute_url(), "", row.ended_on, [row.lesson])


def _told(row):
    url = reverse("meetings:meeting", args=[row.debrief.meeting_id])
    return Found(row.text, url, f"from {row.contact}", row.told_on, [row.what_i_did])


# Marking the words


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    return " " if letter.isspace() else plain(letter)


def _places(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where words stand in a text, accents and case ignored, as (start, end) of its own
    letters, in order and not overlapping."""
    folded = [_folded(letter) for letter in text]
    origin = [at for at, letters in enumerate(folded) for _ in letters]
    smooth, marked = "".join(folded), set()
    for word in filter(None, map(plain, words)):
        at = smooth.find(word)
        while at >= 0:
            marked.update(origin[at : at + len(word)])
            at = smooth.find(word, at + 1)
    # An accent that is a letter of its own belongs to the one before it.
    accents = {at for at, letters in enumerate(folded) if not letters and at - 1 in marked}
    return _runs(sorted(marked | accents))


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as runs of neighbours: 1 2 3 7 is (1, 4) (7, 8)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs


def mark(text: str, words: Sequence[str]) -> SafeString:
    """Return a text as HTML, with the words in it marked."""
    parts, end = [], 0
    for start, stop in _places(text, words):
        parts += [escape(text[end:start]), "<mark>", escape(text[start:stop]), "</mark>"]
        end = stop
    # Every piece of the text was escaped.
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308


def excerpt(texts: Sequence[str], words: Sequence[str]) -> str:
    """Return the part of the first text with one of the words that stands around it."""
    for text in texts:
        text = " ".join(text.split())
        if places := _places(text, words):
            first = places[0][0]
            # It begins with a whole word.
            start = text.rfind(" ", 0, first - BEFORE) + 1 if first > BEFORE else 0
            part = text[start : start + EXCERPT]
            return f"{'… ' if start else ''}{part}{' …' if start + EXCERPT < len(text) else ''}"
    return ""
