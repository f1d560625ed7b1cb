"""Going through the people of an import, one card at a time: what each of them is to be.

Each answer is remembered in `ImportRow.after["triage"]`, newest last, with what undo needs. So
whoever leaves goes on where they were.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from contacts.imports.storing import TAKERS, CannotAnswer
from contacts.models import Contact, ContactTag, ImportJob, ImportRow, ImportRowQuerySet, Tag

CLOSE, LIGHT, ARCHIVE, TAG, BEGIN = "close", "light", "archive", "tag", "begin"
RHYTHMS = {CLOSE: 42, LIGHT: 182}
SAID = {
    CLOSE: "{name} stays close: every six weeks.",
    LIGHT: "{name} stays in touch: every six months.",
    ARCHIVE: "{name} is put away.",
    TAG: "{name} has the tag now.",
    BEGIN: "A follow-up with {name} has begun.",
}
BUSY = "{name} still has a follow-up. Let it go first, or let it rest."


@dataclass(frozen=True)
class Place:
    """Where somebody is in an import: the card, its number among how many, and its neighbours."""

    row: ImportRow
    nth: int
    count: int
    before: ImportRow | None
    after: ImportRow | None


def people(job: ImportJob) -> ImportRowQuerySet:
    """Return the rows that the import made into people who are still there."""
    return job.rows.for_user(job.owner_id).filter(made=True).exclude(contact=None)


def unanswered(job: ImportJob) -> ImportRow | None:
    """Return the first row about which nothing was said."""
    return people(job).exclude(after__has_key="triage").order_by("number").first()


def place(job: ImportJob, row: ImportRow) -> Place:
    everybody = people(job)
    before = everybody.filter(number__lt=row.number)
    after = everybody.filter(number__gt=row.number)
    return Place(
        row,
        before.count() + 1,
        everybody.count(),
        before.order_by("-number").first(),
        after.order_by("number").first(),
    )


@transaction.atomic
def answer(row: ImportRow, said: str, name: str = "") -> str:
    """Do what was said about the person of a row (`name` is that of a tag), and remember it.
    Return it as a sentence. Raises CannotAnswer."""
    row, contact = _locked(row)
    if said in RHYTHMS:
        step: dict[str, Any] = {"rhythm_days": contact.rhythm_days}
        contact.rhythm_days = RHYTHMS[said]
        contact.save(update_fields=["rhythm_days"])
    elif said == ARCHIVE:
        if contact.follow_ups.open().exists():
            raise CannotAnswer(BUSY.format(name=contact.given_name))
        step = {"archived": contact.archived_at is None}
        contact.archive()
    elif said == TAG:
        tag = Tag.find_or_create(contact.owner, name)
        had = ContactTag.objects.filter(contact=contact, tag=tag).exists()
        step = {"tag": None if had else tag.pk}
        contact.tag(name)
    else:
        step = {"begun": [taker.begin(contact) for taker in TAKERS]}
    steps = [*row.after.get("triage", []), {"said": said, **step}]
    row.after = row.after | {"triage": steps}
    row.save(update_fields=["after"])
    return SAID[said].format(name=contact.given_name)


@transaction.atomic
def undo(row: ImportRow) -> None:
    """Take the last thing back that was said about the person of a row; nothing left to take back
    is harmless. Raises CannotAnswer."""
    row, contact = _locked(row)
    *steps, last = row.after.get("triage") or [{}]
    if last.get("said") in RHYTHMS:
        contact.rhythm_days = last["rhythm_days"]
        contact.save(update_fields=["rhythm_days"])
    elif last.get("archived"):
        contact.restore()
    elif tag := last.get("tag"):
        contact.untag(tag)
    for taker, begun in zip(TAKERS, last.get("begun", []), strict=False):
        if why := taker.end(begun):
            raise CannotAnswer(why)
    row.after = {name: value for name, value in row.after.items() if name != "triage"}
    row.after |= {"triage": steps} if steps else {}
    row.save(update_fields=["after"])


def _locked(row: ImportRow) -> tuple[ImportRow, Contact]:
    """Return the row and its contact, locked. Raises CannotAnswer if the person is gone."""
    owner = row.owner
    row = ImportRow.objects.select_for_update(no_key=True).get(pk=row.pk)
    contacts = Contact.objects.select_for_update(no_key=True)
    contact = contacts.filter(pk=row.contact_id).first() if row.contact_id else None
    if contact is None:
        raise CannotAnswer("This person is not in your notebook any more.")
    row.owner = contact.owner = owner
    return row, contact


def latest(row: ImportRow) -> str:
    """Return as a sentence what was said about the person of a row last; maybe nothing."""
    steps = row.after.get("triage") or []
    if not steps or row.contact is None:
        return ""
    return SAID[steps[-1]["said"]].format(name=row.contact.given_name)
