"""What Maya's story tells of coffees, introductions, gifts and openings: each entry is done by the
verb of its room, on the day on which she wrote it."""

from datetime import date, datetime, time, timedelta
from typing import Any

from contacts.models import Contact, Organisation
from followups.models import Action
from giveback import giving
from giveback.models import ShelfItem
from introductions import asking, offering
from introductions.models import Introduction
from meetings import arranging, debriefing
from meetings.models import Kind, Meeting, Question
from opportunities import tracking
from opportunities.models import Opportunity

Json = dict[str, Any]


def coffee(contact: Contact, day: date, told: Json, action: Action) -> None:
    """Write down a meeting that the story of the contact has just told of."""
    meeting = _arrange(contact, _at(contact, day, told["at"]), told, known=action.interaction)
    if "went" not in told:
        return
    advice = [debriefing.Line(contact, what) for what in told.get("advice", [])]
    kept = ("went", "before", "after", "takeaways", "ideas", "lesson")
    said = {name: told[name] for name in kept if name in told}
    asked = frozenset(meeting.questions.values_list("pk", flat=True))
    debriefing.save(meeting, debriefing.Said(**said, advice=advice, asked=asked))


def arrange(contact: Contact, day: date, told: Json) -> None:
    """Arrange a meeting on a day to come."""
    _arrange(contact, _at(contact, day, told["at"]), told)


def propose(contact: Contact, days: list[date], told: Json) -> None:
    """Put times on offer."""
    times = [_at(contact, day, at) for day, (_, at) in zip(days, told["times"], strict=True)]
    arranging.propose(contact.owner, [contact], Kind.COFFEE, times, **_details(told))


def _arrange(contact, starts_at, told, known=None):
    kind = told.get("kind", Kind.COFFEE)
    meeting = arranging.arrange(
        contact.owner, [contact], kind, starts_at, known=known, **_details(told)
    )
    Question.objects.bulk_create(
        Question(owner=contact.owner, meeting=meeting, text=text)
        for text in told.get("questions", [])
    )
    return meeting


def _details(told: Json) -> Json:
    return {name: told[name] for name in ("place", "purpose", "ready") if name in told}


def _at(contact: Contact, day: date, at: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(at), tzinfo=contact.owner.zone)


def ask(contact: Contact, day: date, told: Json, target: Contact | None) -> None:
    words = {name: told[name] for name in ("why", "ask", "spoken", "agreed") if name in told}
    asking.ask(contact, told["for"], day, target=target, **words)


def asked(contact: Contact, wanted: str) -> Introduction:
    """Return the introduction that the contact was asked for."""
    found = Introduction.objects.get(introducer=contact, wanted=wanted)
    found.owner, found.introducer = contact.owner, contact
    return found


def offer(contact: Contact, other: Contact, told: Json) -> None:
    row = offering.offer(contact, other, told["why"])
    for side, answer in zip(("one", "other"), told["answers"], strict=True):
        offering.answer(row, side, answer == "yes")
    if told.get("made"):
        offering.made(row)


def give(contact: Contact, day: date, today: date, told: Json) -> None:
    """Note a gift: given, promised for a day from today on, or only thought of."""
    match told:
        case {"gave": [kind, what]}:
            giving.give(contact, kind, what, day)
        case {"promise": [kind, what, days]}:
            giving.promise(contact, kind, what, today + timedelta(days=days))
        case {"idea": [kind, what]}:
            giving.have_idea(contact, kind, what)


def fill_shelf(owner: Any, rows: list[Json], contacts: dict[str, Contact]) -> None:
    for row in rows:
        about = {name: row[name] for name in ("kind", "title", "url", "text") if name in row}
        item = ShelfItem.objects.create(
            owner=owner, contact=contacts.get(row.get("contact", "")), **about
        )
        item.set_topics(row["topics"])


def open_openings(
    owner: Any, rows: list[Json], contacts: dict[str, Contact], on: Any, today: date
) -> None:
    """Keep the openings with their stages; `on` tells the date of so many work days ago."""
    organisations = {row.name: row for row in Organisation.objects.for_user(owner)}
    for row in rows:
        opening = Opportunity(
            owner=owner,
            title=row["title"],
            organisation=organisations[row["organisation"]],
            heard_on=on(row["heard"]),
            notes=row.get("notes", ""),
            next_step=row.get("next_step", ""),
            next_on=today + timedelta(days=row["next_in"]) if "next_in" in row else None,
            **_led_by(owner, row),
        )
        tracking.open_(opening, [contacts[name] for name in row["people"]])
        for stage, ago in row["stages"]:
            tracking.move_to(opening, stage, on(ago))


def _led_by(owner: Any, row: Json) -> Json:
    if name := row.get("led_by_meeting_with"):
        met = Meeting.objects.for_user(owner).filter(contacts__name=name)
        return {"meeting": met.earliest("starts_at")}
    if name := row.get("led_by_introduction_to"):
        return {"introduction": Introduction.objects.for_user(owner).get(target__name=name)}
    return {}
