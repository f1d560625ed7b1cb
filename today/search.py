"""Looking through everything that a user wrote, room by room.

Each room knows how to search its own rows (`search(words)`); what has no list of its own is
searched here. People come first, since they are what is looked for most. The number of queries
does not grow with what is found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet, prefetch_related_objects
from django.urls import reverse
from django.utils.safestring import SafeString

from contacts.models import Contact, handle_of, named
from followups.models import FollowUp, Interaction
from followups.templatetags.followups import moment_words
from giveback.models import Direction, GiveBack, ShelfItem
from introductions.models import Introduction, Offer
from meetings.models import Advice, Debrief, Meeting
from netcrm.localtime import local_day
from netcrm.models import User
from netcrm.owned import MOST_WORDS
from netcrm.texts import in_text
from opportunities.models import Opportunity
from today.marking import excerpt, mark, mark_near, unseen

LONGEST = 200
SHOWN = 5
# Among other words, a name has so many.
LONGEST_NAME = 3
# What belongs to a contact and is fetched only to show that it was found there.
LINES = ("emails", "phones", "links", "tags", "contact_topics__topic")


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
    """What was found in one room, how a row is told, and the list that takes the same words."""

    name: str
    icon: str
    rows: Sequence[QuerySet | list[Contact]]
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
    people = find_people(user, q)
    return [*people, *find_the_rest(user, q, people=shown(people))]


def find_people(user: User, q: str) -> list[Group]:
    """Return the group of the people who were found, or nothing: the first results."""
    return _groups(q, [_people(user, q)])


def find_the_rest(user: User, q: str, people: int) -> list[Group]:
    """Return the groups of all other rooms; before them, when fewer people are shown than fit,
    those who are called nearly what was typed."""
    near = _nearly(user, q) if people < SHOWN else []
    return [*near, *_groups(q, _rooms(user, q))]


def shown(groups: list[Group]) -> int:
    """Return how many rows the groups show."""
    return sum(len(group.lines) for group in groups)


def _groups(q, rooms):
    groups = (_group(room, q) for room in rooms)
    return [group for group in groups if group.lines]


def _group(room, q):
    rows = list(chain.from_iterable(rows[: SHOWN + 1] for rows in room.rows))
    return Group(
        name=room.name,
        icon=room.icon,
        lines=[_line(room.tell(row), q) for row in rows[:SHOWN]],
        has_more=len(rows) > SHOWN,
        url=f"{reverse(room.list_name)}?{urlencode({'q': q})}" if room.list_name and rows else "",
    )


def _line(found, q):
    return Line(
        title=mark(found.title, q),
        url=found.url,
        about=mark(found.about, q),
        on=found.on,
        excerpt=mark(excerpt(found.texts, unseen([found.title, found.about], q) or q), q),
    )


# People


def _people(user, q):
    everyone = Contact.objects.for_user(user).current().select_related("organisation")
    people = everyone.best(q, SHOWN + 1)
    hidden = [person for person in people if unseen(_written_of(person), q)]
    prefetch_related_objects(hidden, *LINES)
    tell = partial(_person, hidden=hidden)
    return Room("People", "users", [people], tell, "contacts:contact_list")


def _person(row, hidden):
    name, position, *texts = _written_of(row)
    if row in hidden:
        texts += _lines_of(row)
    return Found(name, row.get_absolute_url(), position, texts=texts)


def _written_of(person):
    written = [person.notes, person.how_met, person.seeks, person.offers]
    return [person.name, person.position, *written]


def _lines_of(person):
    return [
        *(email.address for email in person.emails.all()),
        *(phone.number.as_international for phone in person.phones.all()),
        *(tag.name for tag in person.tags.all()),
        *(row.topic.name for row in person.contact_topics.all()),
        *(handle_of(link.url) for link in person.links.all()),
        *(f"{label}: {value}" for value, label in person.details),
    ]


def _nearly(user, q):
    everyone = Contact.objects.for_user(user).current().select_related("organisation")
    people = everyone.exclude(pk__in=everyone.search(q).values("pk")).like(q, SHOWN)
    lines = [
        Line(
            title=mark_near(person.name, q),
            url=person.get_absolute_url(),
            about=mark_near(person.position, q),
            on=None,
            excerpt=SafeString(""),
        )
        for person in people
    ]
    return [Group("Nearly the same", "users", lines, has_more=False, url="")] if lines else []


# What each room searches


def _rooms(user, q):
    def mine(model):
        return model.objects.for_user(user)

    meetings = mine(Meeting).search(q).select_related("debrief").prefetch_related("contacts")
    return [
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


def _told_of(rows, q, fields, person):
    """Return the rows that have all words in their text, or all but the name of the person: who
    has the name alone is found as a person, whose own page tells everything."""
    said, is_named = in_text(*fields), named(person)
    return rows.among(
        *[
            rows.filter(*map(said, words), *map(is_named, name))
            for words, name in _with_a_name(q.split()[:MOST_WORDS])
        ]
    )


def _with_a_name(words):
    """Return the words as (words, name), without a name and with each that they may have in them:
    some words that stand together, never all."""
    names = [
        (start, start + length)
        for length in range(1, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
        if length < len(words)
    ]
    return [(words, []), *((words[:a] + words[b:], words[a:b]) for a, b in names)]


def _conversations(rows, q):
    return _told_of(rows.exclude(note=""), q, ["note"], "contact").select_related("contact")


def _lessons(mine, q):
    pursuits = mine(FollowUp).exclude(lesson="").order_by("-id").select_related("contact")
    debriefs = mine(Debrief).exclude(lesson="").select_related("meeting")
    return [
        _told_of(pursuits, q, ["lesson"], "contact"),
        _told_of(debriefs, q, ["lesson"], "meeting__contacts").prefetch_related(
            "meeting__contacts"
        ),
    ]


def _advice(rows, q):
    found = _told_of(rows, q, ["text", "what_i_did"], "contact")
    return found.select_related("contact", "debrief")


# How a row is told


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
