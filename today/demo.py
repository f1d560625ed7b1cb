"""Demo data: seven months in the notebook of Maya Lindqvist, who runs quality in a hospital lab
and wants to move into research operations. All people and organisations are invented.

Only what Maya would have written is in demo.json, in work days before today; what follows from
it (dates, reasons, reminders, endings) comes from the engine itself, which lives through the
story day by day. So the demo always obeys the same rules as a real notebook.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactTag,
    ContactTopic,
    Organisation,
    SavedView,
    Tag,
)
from followups import planning, pursuing
from followups.calendars import calendar_for
from followups.models import (
    Action,
    Channel,
    Direction,
    FollowUp,
    Interaction,
    Outcome,
    Playbook,
    Reminder,
)
from followups.schedule import WorkCalendar
from introductions import asking
from netcrm.localtime import instant
from netcrm.models import User
from today import demo_rooms

DEMO_EMAIL = "maya@example.org"
STORY = Path(__file__).with_name("demo.json")
LONGEST_AGO = 160  # In work days; the story may begin earlier.
WRITES_AT = 18  # The hour of the evening in which all entries of a day are written.

Json = dict[str, Any]


class CannotFill(Exception):
    """Demo data does not go into that notebook; the text is a sentence for the user."""


@transaction.atomic
def create_demo_user(time_zone: str = "Europe/London") -> User:
    """Create the demo account with its filled notebook: its address counts as verified, and it
    has no password yet."""
    user = User.objects.create_user(
        DEMO_EMAIL,
        name="Maya Lindqvist",
        time_zone=time_zone,
        country="GB",
        region="ENG",
        # The address is invented, so nothing may leave for it over real mail.
        digest_on=not settings.MAIL_URL,
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    fill_demo(user)
    return user


@transaction.atomic
def fill_demo(user: User, now: datetime | None = None) -> None:
    """Write the whole story into the empty notebook of a user, so that it ends at `now`.

    Raises CannotFill with the reason.
    """
    # An own copy of the row: locked, so that two clicks cannot fill it twice, and free to be
    # told which day it is (see Story).
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if any(model.objects.for_user(user).exists() for model in (Contact, Organisation, Tag)):
        raise CannotFill("That notebook is not empty. Demo data only goes into an empty one.")
    today = user.today(now or timezone.now())
    data = json.loads(STORY.read_text(encoding="utf-8"))
    contacts = _write_people(user, data, today)
    demo_rooms.fill_shelf(user, data.get("shelf", []), contacts)
    SavedView.objects.bulk_create(SavedView(owner=user, **row) for row in data.get("lists", []))
    story = Story(user, today, contacts)
    for row in data["people"]:
        story.tell(contacts[row["name"]], row.get("story", []))
    story.live()
    story.day = story.on(1)
    demo_rooms.open_openings(user, data.get("openings", []), contacts, story.on, today)
    story.date_back()


def _write_people(user: User, data: Json, today: date) -> dict[str, Contact]:
    """Write organisations, tags and contacts with all their details; return contacts by name."""
    organisations = {row["name"]: Organisation(owner=user, **row) for row in data["organisations"]}
    Organisation.objects.bulk_create(organisations.values())
    contacts = {row["name"]: _contact(user, row, organisations, today) for row in data["people"]}
    Contact.objects.bulk_create(contacts.values())
    for row in data["people"]:
        contacts[row["name"]].introduced_by = contacts.get(row.get("introduced_by", ""))
    Contact.objects.bulk_update(contacts.values(), ["introduced_by"])
    _write_details(user, data["people"], contacts)
    for row in data["people"]:
        for side in ContactTopic.Side.values:
            contacts[row["name"]].set_topics(side, row.get(f"{side}_topics", []))
    Contact.objects.for_user(user).reindex()
    return contacts


def _contact(user: User, row: Json, organisations: dict[str, Organisation], today: date) -> Contact:
    known_for = row.get("known_for")
    written = ("role", "how_met", "seeks", "offers", "notes", "time_zone")
    return Contact(
        owner=user,
        name=row["name"],
        organisation=organisations.get(row.get("organisation", "")),
        known_since=today - timedelta(days=known_for) if known_for else None,
        rhythm_days=row.get("rhythm_days"),
        archived_at=timezone.now() if row.get("archived") else None,
        **{name: row.get(name, "") for name in written},
    )


def _write_details(user: User, rows: list[Json], contacts: dict[str, Contact]) -> None:
    tags = {name: Tag(owner=user, name=name) for row in rows for name in row.get("tags", [])}
    Tag.objects.bulk_create(tags.values())
    ContactTag.objects.bulk_create(
        ContactTag(owner=user, contact=contacts[row["name"]], tag=tags[name])
        for row in rows
        for name in row.get("tags", [])
    )
    details: dict[str, tuple[Any, str]] = {
        "emails": (ContactEmail, "address"),
        "phones": (ContactPhone, "number"),
        "links": (ContactLink, "url"),
    }
    for key, (model, field) in details.items():
        model.objects.bulk_create(
            model(owner=user, contact=contacts[row["name"]], label=label, **{field: value})
            for row in rows
            for value, label in row.get(key, [])
        )


class Story:
    """Plays entries through the engine on the days on which they were written.

    The engine asks its user what day it is, so during the story this one user answers with the
    day that is being told.
    """

    def __init__(self, user: User, today: date, contacts: dict[str, Contact]):
        self.user = user
        self.contacts = contacts
        self.today = self.day = today
        self.calendar = calendar_for(user)
        self.playbooks = {row.slug: row for row in Playbook.objects.for_user(user)}
        self.entries: dict[int, list[tuple[Contact, Json]]] = defaultdict(list)
        user.today = lambda now=None: self.day  # type: ignore[method-assign]

    def tell(self, contact: Contact, entries: list[Json]) -> None:
        """Add the entries about one contact."""
        for entry in entries:
            self.entries[entry["ago"]].append((contact, entry))

    def live(self) -> None:
        """Live through all days up to today, raising reminders in the morning of each."""
        for ago in sorted(self.entries, reverse=True):
            self.day = self.on(ago)
            self._raise_reminders()
            for contact, entry in self.entries[ago]:
                self._write(contact, entry)
            self.date_back()
        self.day = self.today
        self._raise_reminders()

    def on(self, ago: int) -> date:
        """Return the work day so many work days ago."""
        return self.days[ago]

    @cached_property
    def days(self) -> list[date]:
        longest = max([LONGEST_AGO, *self.entries])
        return list(islice(work_days_back(self.calendar, self.today), longest + 1))

    def _raise_reminders(self) -> None:
        due = FollowUp.objects.for_user(self.user).scheduled().filter(next_on__lte=self.day)
        for follow_up in due:
            planning.raise_reminder(follow_up, instant(follow_up.next_on, 0, self.user.time_zone))

    def date_back(self) -> None:
        """Give what the engine has stamped with the real clock its time in the story."""
        at = instant(self.day, WRITES_AT, self.user.time_zone)
        stamps = [
            (Action, "at"),
            (Interaction, "created_at"),
            (Reminder, "raised_at"),
            (Reminder, "closed_at"),
        ]
        for model, name in stamps:
            rows = model.objects.for_user(self.user).filter(**{f"{name}__gt": at})
            rows.update(**{name: at})

    def _write(self, contact: Contact, entry: Json) -> None:
        """Do what one entry says: in its room, or else with the follow-ups of the contact."""
        match entry:
            case {"coffee": told}:
                demo_rooms.coffee(contact, self.day, told, self._log(contact, entry))
            case {"arrange": told}:
                day = self.calendar.add(self.today, told["in"])
                demo_rooms.arrange(contact, day, told)
            case {"propose": told}:
                days = [self.calendar.add(self.today, ahead) for ahead, _ in told["times"]]
                demo_rooms.propose(contact, days, told)
            case {"ask": told}:
                demo_rooms.ask(contact, self.day, told, self.contacts.get(told["for"]))
            case {"made": wanted}:
                row = demo_rooms.asked(contact, wanted)
                asking.made(row, self.contacts[wanted], self.day)
            case {"thanked": wanted}:
                asking.thanked(demo_rooms.asked(contact, wanted), self.day)
            case {"declined": wanted}:
                asking.declined(demo_rooms.asked(contact, wanted), self.day)
            case {"offer": told}:
                demo_rooms.offer(contact, self.contacts[told["to"]], told)
            case {"gave": _} | {"promise": _} | {"idea": _}:
                demo_rooms.give(contact, self.day, self.today, entry)
            case _:
                self._pursue(contact, entry)

    def _pursue(self, contact: Contact, entry: Json) -> Action:
        """Do with the follow-ups of the contact what one entry says; return the engine's Action."""
        lesson = entry.get("lesson", "")
        match entry:
            case {"begin": slug}:
                return pursuing.begin(contact, self.playbooks[slug], purpose=entry["purpose"])
            case {"skip": True}:
                return pursuing.skip(_open_one(contact))
            case {"snooze": "today"}:
                return pursuing.snooze(_open_one(contact), self.today)
            case {"pause": days}:
                until = self.day + timedelta(days=days) if days else None
                return pursuing.pause(_open_one(contact), until)
            case {"resume": True}:
                return pursuing.resume(_open_one(contact))
            case {"rest": days}:
                wake_on = self.day + timedelta(days=days)
                return pursuing.rest(_open_one(contact), wake_on, lesson)
            case {"end": ending}:
                return pursuing.end(_open_one(contact), ending, lesson)
            case {"another_way": slug}:
                return pursuing.try_another_way(_open_one(contact), self.playbooks[slug])
            case {"do_not_contact": True}:
                return pursuing.set_do_not_contact(contact)
        return self._log(contact, entry)

    def _log(self, contact: Contact, entry: Json) -> Action:
        # Every entry may have a note; one that has nothing else is a note.
        channel = next(name for name in Channel.values if name in entry)
        outcome = Outcome.NOTED if channel == Channel.NOTE else entry[channel]
        from_them = entry.get("from_them") or outcome == Outcome.REPLIED
        slug = entry.get("of")
        return pursuing.log(
            contact,
            pursuing.Entry(
                channel=channel,
                outcome=outcome,
                on=self.day,
                direction=Direction.IN if from_them else Direction.OUT,
                note=entry.get("note", ""),
                playbook=self.playbooks.get(entry.get("playbook")),
                until=self.day + timedelta(days=entry["until_in"]) if "until_in" in entry else None,
            ),
            follow_up=contact.follow_ups.open().get(playbook__slug=slug) if slug else None,
        )


def work_days_back(calendar: WorkCalendar, today: date) -> Iterator[date]:
    """Yield the work days up to today, newest first: today itself only if it is one."""
    day = today
    while True:
        if calendar.is_work_day(day):
            yield day
        day -= timedelta(days=1)


def _open_one(contact: Contact) -> FollowUp:
    return contact.follow_ups.open().get()
