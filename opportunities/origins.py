"""What led to an opening: which moments may be named, and the way there told backwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.text import Truncator, capfirst, get_text_list

from contacts.models import Contact
from followups.models import Interaction, Outcome
from introductions.models import Introduction
from meetings.models import Meeting
from netcrm.localtime import local_day
from netcrm.models import User
from opportunities.models import Opportunity

OFFERED = 10
# So many introductions are followed back; each is one join more.
FURTHEST = 4
BACK = "__".join(["introduced_by"] * FURTHEST)
KINDS = ("meeting", "introduction", "interaction")
# Attempts without an answer lead to nothing yet.
TALKS = (Outcome.MET, Outcome.TALKED, Outcome.REPLIED, Outcome.NOTED)


def value_of(row):
    """Return how a form names a moment: meeting-12."""
    return f"{row._meta.model_name}-{row.pk}" if row else ""


def find(owner: User, value: str):
    """Return the owner's moment of that name, or None."""
    kind, _, pk = value.partition("-")
    if kind not in KINDS or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return _moments(owner)[kind].filter(pk=pk).first()


def _moments(owner):
    """Return every moment of the owner, by kind, newest first."""
    return {
        "meeting": Meeting.objects.for_user(owner).prefetch_related("contacts"),
        "introduction": Introduction.objects.for_user(owner).select_related("introducer", "target"),
        "interaction": Interaction.objects.for_user(owner).select_related(
            "contact", "attended__meeting"
        ),
    }


def offered(owner: User, people, chosen=None):
    """Return the choices of a form, in groups: the latest moments with these people and the one
    that is chosen. Without people: the latest meetings and introductions with anybody."""
    moments = _moments(owner)
    # What came of a meeting or an introduction is named as such.
    talks = moments["interaction"].filter(outcome__in=TALKS, attended=None, introduction=None)
    if people:
        together = Meeting.objects.for_user(owner).filter(contacts__in=people)
        moments["meeting"] = moments["meeting"].filter(pk__in=together.order_by().values("pk"))
        moments["introduction"] = moments["introduction"].filter(
            Q(introducer__in=people) | Q(target__in=people)
        )
        talks = talks.filter(contact__in=people)
    groups = {
        "Coffees and meetings": list(moments["meeting"][:OFFERED]),
        "Introductions": list(moments["introduction"][:OFFERED]),
        "Conversations": list(talks[:OFFERED]) if people else [],
    }
    if chosen and not any(chosen in rows for rows in groups.values()):
        groups["Chosen before"] = [chosen]
    return [
        (group, [(value_of(row), words_of(row)) for row in rows])
        for group, rows in groups.items()
        if rows
    ]


def words_of(moment) -> str:
    """Return a moment in words: Coffee with Ruth Abernathy on 21 October."""
    said = capfirst(str(link_to(moment)))
    note = moment.note if isinstance(moment, Interaction) else ""
    return f"{said}: {Truncator(note).chars(40)}" if note else said


def people_of(moment) -> list[Contact]:
    """Return the contacts who had to do with a moment."""
    if isinstance(moment, Meeting):
        return list(moment.contacts.all())
    if isinstance(moment, Introduction):
        return [person for person in (moment.introducer, moment.target) if person]
    return [moment.contact]


@dataclass(frozen=True)
class Link:
    """A moment on the way to an opening: in words, on which local date if it is known, its page."""

    icon: str
    words: str
    on: date | None
    url: str

    def __str__(self):
        return f"{self.words} on {_say(self.on)}" if self.on else self.words


def _say(day: date) -> str:
    return date_format(day, "j F" if day.year == timezone.localdate().year else "j F Y")


def _with(noun, names):
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} with {names}"


def link_to(moment) -> Link:
    """Return a moment as a link. A meeting was fetched with its contacts, an introduction with its
    people, an interaction with its contact and its meeting."""
    if isinstance(moment, Meeting):
        return _link_to_meeting(moment)
    if isinstance(moment, Introduction):
        return _link_to_introduction(moment)
    return _link_to_interaction(moment)


def _link_to_meeting(meeting):
    names = get_text_list([person.name for person in meeting.contacts.all()], "and")
    on = meeting.starts_at and local_day(meeting.starts_at, meeting.time_zone)
    words = _with(meeting.get_kind_display().lower(), names or "nobody")
    return Link("coffee", words, on, reverse("meetings:meeting", args=[meeting.pk]))


def _link_to_introduction(introduction):
    whom = introduction.target.name if introduction.target else introduction.wanted
    return Link(
        "affiliate",
        f"an introduction to {whom} by {introduction.introducer.name}",
        introduction.made_on or introduction.asked_on,
        reverse("introductions:introduction", args=[introduction.pk]),
    )


def _link_to_interaction(interaction):
    contact, meeting = interaction.contact, _meeting_of(interaction)
    words = {
        Outcome.MET: _with(meeting.get_kind_display().lower() if meeting else "coffee", contact),
        Outcome.TALKED: f"a talk with {contact}",
        Outcome.REPLIED: f"an answer from {contact}",
        Outcome.NOTED: f"a note about {contact}",
    }.get(interaction.outcome, f"a moment with {contact}")
    icon = "coffee" if interaction.outcome == Outcome.MET else "messages"
    page = reverse("meetings:meeting", args=[meeting.pk]) if meeting else contact.get_absolute_url()
    return Link(icon, words, interaction.on, page)


def _meeting_of(interaction):
    attended = getattr(interaction, "attended", None)
    return attended and attended.meeting


def way_to(opportunity: Opportunity) -> list[Link]:
    """Return how an opening came about, told backwards: what led to it, who introduced whom to
    that, and the last coffee before they did. A constant number of queries; it ends after FURTHEST
    introductions. `opportunity` was fetched with_origin() and with_people()."""
    origin = opportunity.origin
    involved = people_of(origin) if origin else list(opportunity.contacts.all())
    links = [link_to(origin)] if origin else []
    if not involved:
        return links
    # Who was introduced by somebody has more to tell; an introducer comes before all others.
    introduced = [] if isinstance(origin, Introduction) else involved
    first = next((one for one in introduced if one.introduced_by_id), involved[0])
    line = _line_of(Contact.objects.select_related(BACK).get(pk=first.pk))
    return links + list(_behind(line, origin, links[0].on if links else None))


def _line_of(person):
    """Return a person, who introduced them, who introduced that one, and so on; each once."""
    line = [person]
    while len(line) <= FURTHEST and (person := person.introduced_by) and person not in line:
        line.append(person)
    return line


def _behind(line, origin, day) -> Iterator[Link]:
    introduced = {(row.introducer_id, row.target_id): row for row in _introductions(line)}
    coffees = list(_coffees(line))
    for introducer, one in zip(line, [None, *line], strict=False):
        if one:
            made = introduced.get((introducer.pk, one.pk))
            yield (link := link_to(made) if made else _unwritten(introducer, one))
            day = link.on or day
        elif not isinstance(origin, Introduction):
            continue  # the origin was with them
        before = (row for row in coffees if row.contact == introducer and row.on <= (day or row.on))
        if coffee := next(before, None):
            yield link_to(coffee)
            day = coffee.on


def _introductions(line):
    rows = Introduction.objects.filter(target__in=line, made_on__isnull=False)
    return rows.select_related("introducer", "target").order_by("-made_on")


def _coffees(line):
    rows = Interaction.objects.filter(contact__in=line, outcome=Outcome.MET)
    return rows.select_related("contact", "attended__meeting")


def _unwritten(introducer, one):
    """Return an introduction that only the contact tells of."""
    words = f"an introduction to {one.name} by {introducer.name}"
    return Link("affiliate", words, None, introducer.get_absolute_url())


def tell(links: list[Link]) -> str:
    """Return the way in one sentence: Through a coffee with Priya Raman on 21 October, after ..."""
    return f"Through {', after '.join(map(str, links))}." if links else ""
