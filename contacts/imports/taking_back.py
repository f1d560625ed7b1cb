"""Undoing an import: it is worked off backwards, chunk by chunk, from its last row to its first.

Whoever it made goes, unless somebody has written about them or done something with them since;
what it added to people who were known goes, unless that was edited since. Each chunk is one
transaction that moves `ImportJob.done` back, so it can be killed and goes on.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from contacts.imports.storing import LINES, TAKERS, WRITTEN, Pair, as_json, picture
from contacts.models import (
    Contact,
    ContactPhoto,
    ContactTag,
    ImportJob,
    ImportRow,
    Organisation,
    Tag,
)
from contacts.twins.known import stored

# What an import writes itself: whether that is still the same, the picture of a person tells.
OWN = {"emails", "phones", "links", "tags", "contacttag", "photo", "import_rows", "bulk_rows"}
# How a row looks about which nobody has written anything.
UNTOUCHED: dict[Any, dict[str, Any]] = {
    Organisation: {"website": "", "notes": "", "is_target": False},
    Tag: {"rhythm_days": None},
}


def take_back(job: ImportJob, chunk: int) -> bool:
    """Undo the last rows that were worked off and not undone; return whether there are more. The
    caller holds the lock of the job and of its owner."""
    first = max(job.done - chunk, 0)
    worked_off = job.rows.filter(number__gt=first, number__lte=job.done).exclude(contact=None)
    rows = list(worked_off.order_by("-number"))
    pairs = _locked(rows)
    _delete_made([(row, contact) for row, contact in pairs if row.made])
    _give_back([(row, contact) for row, contact in pairs if row.after and not row.made])
    for model in (Organisation, Tag):
        name = str(model._meta.model_name)
        drop_unused(model, [pk for row in rows for pk in row.before.get(name, [])])
    job.done = first
    job.state = ImportJob.State.RUNNING if first else ImportJob.State.UNDONE
    job.finished_at = timezone.now()
    job.save(update_fields=["done", "state", "finished_at"])
    return bool(first)


def _locked(rows: Sequence[ImportRow]) -> list[Pair]:
    """Return the rows with their contacts, locked so that nobody edits them meanwhile."""
    ids = {row.contact_id for row in rows if row.contact_id}
    contacts = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    held = {contact.pk: contact for contact in contacts}
    return [(row, held[row.contact_id]) for row in rows if row.contact_id in held]


def kept_by_undo(job: ImportJob) -> QuerySet[ImportRow]:
    """Return the rows of which an undone import has left something, since it was edited or used."""
    kept = Q(made=True) | Q(after__has_key="kept")
    return job.rows.for_user(job.owner_id).filter(kept).exclude(contact=None)


# People whom the import made


def _delete_made(pairs: Sequence[Pair]) -> None:
    used = _used(pairs)
    gone = [(row, contact) for row, contact in pairs if contact.pk not in used]
    ImportRow.objects.filter(pk__in=[row.pk for row, _ in gone]).update(made=False)
    Contact.objects.filter(pk__in=[contact.pk for _, contact in gone]).delete()


def _used(pairs: Sequence[Pair]) -> set[int]:
    """Return the ids of the contacts that are not as the import made them, or that anything else
    in the notebook points to."""
    ids = [contact.pk for _, contact in pairs]
    used = set().union(*(taker.used(pairs) for taker in TAKERS))
    taken = {model for taker in TAKERS for model in taker.models}
    pictures = _pictures(pairs)
    edited = {
        contact.pk for row, contact in pairs if row.after.get("picture") != pictures[contact.pk]
    }
    return used | edited | pointed_at(ids, OWN, taken)


def pointed_at(
    ids: Collection[int], but: Collection[str], taken: Collection[type[Model]] = ()
) -> set[int]:
    """Return which of the contacts anything in the notebook points to, but for relations of these
    names and rows of the models `taken`."""
    used: set[int] = set()
    for relation in Contact._meta.related_objects:
        name, model = relation.field.name, relation.related_model
        if relation.name not in but and model not in taken:
            pointing = model._base_manager.filter(**{f"{name}__in": ids})
            used |= set(pointing.values_list(relation.field.attname, flat=True))
    return used


def _pictures(pairs: Sequence[Pair]) -> dict[int, str]:
    contacts = {contact.pk: contact for _, contact in pairs}
    lines: dict[int, dict[str, list[tuple[str, str]]]] = {
        pk: {name: [] for name, _, _ in LINES} for pk in contacts
    }
    for name, model, value in LINES:
        rows = model.objects.filter(contact__in=contacts)
        for contact_id, text, label in rows.values_list("contact_id", value, "label"):
            lines[contact_id][name].append((stored(text), label))
    tags: dict[int, list[int]] = defaultdict(list)
    for contact_id, tag_id in ContactTag.objects.filter(contact__in=contacts).values_list(
        "contact_id", "tag_id"
    ):
        tags[contact_id].append(tag_id)
    return {pk: picture(each, lines[pk], tags[pk]) for pk, each in contacts.items()}


# People who were known


def _give_back(pairs: Sequence[Pair]) -> None:
    """Take what the import gave to people who were known, unless it was edited since."""
    kept = {row.pk: _restore(row, contact) for row, contact in pairs}
    contacts = {contact.pk: contact for _, contact in pairs}
    Contact.objects.bulk_update(contacts.values(), WRITTEN)
    for name, model, value in LINES:
        _delete_given(model, value, name, pairs)
    given = {(row.contact_id, tag) for row, _ in pairs for tag in row.after.get("tags", [])}
    tagged = ContactTag.objects.filter(contact__in=contacts)
    same = [each.pk for each in tagged if (each.contact_id, each.tag_id) in given]
    ContactTag.objects.filter(pk__in=same).delete()
    photos = [row.contact_id for row, _ in pairs if row.after.get("photo")]
    ContactPhoto.objects.filter(contact__in=photos).delete()
    for taker in TAKERS:
        taker.give_back(pairs)
    Contact.objects.filter(pk__in=contacts).reindex()
    for row, _ in pairs:
        row.after = {"kept": kept[row.pk]} if kept[row.pk] else {}
    ImportRow.objects.note([row for row, _ in pairs])


def _restore(row: ImportRow, contact: Contact) -> list[str]:
    """Put the fields of a contact back; return the names of those that were edited since."""
    edited = []
    for name, became in row.after.get("fields", {}).items():
        if as_json(getattr(contact, name)) == became:
            setattr(contact, name, row.before["fields"][name])
        else:
            edited.append(name.removesuffix("_id").replace("_", " "))
    return edited


def _delete_given(model: Any, value: str, name: str, pairs: Sequence[Pair]) -> None:
    """Delete the addresses, numbers or links that rows gave; one that was edited is another."""
    given = {
        (row.contact_id, text, label) for row, _ in pairs for text, label in row.after.get(name, [])
    }
    held = model.objects.filter(contact__in=[contact for _, contact in pairs])
    held = held.values_list("contact_id", value, "label", "pk")
    same = [
        pk for contact_id, text, label, pk in held if (contact_id, stored(text), label) in given
    ]
    model.objects.filter(pk__in=same).delete()


# What was made for them


def drop_unused(model: Any, made: Sequence[int]) -> None:
    """Delete those of the organisations, tags or topics that were made for something which is
    undone, if nothing else needs them now and nobody has written about them."""
    if made:
        unused = model.objects.filter(pk__in=made, **UNTOUCHED.get(model, {}))
        for relation in model._meta.related_objects:
            unused = unused.filter(**{relation.name: None})
        model.objects.filter(pk__in=list(unused.values_list("pk", flat=True))).delete()
