"""What is promised of every file, whatever is in it: people, or a sentence; and nothing is left
behind. Each takes the bytes of a file and returns how many people or rows came of it, or None if
there was a sentence instead."""

import io
import json
import zlib
from collections import Counter
from datetime import date
from random import Random

from django.apps import apps
from django.db import transaction

from contacts.files.cards import Card, CardProblem
from contacts.files.tables import FIELDS
from contacts.imports import importing
from contacts.imports.fitting import LONGEST, MOST_LINES, MOST_TAGS, fit
from contacts.imports.storing import LINES as MODELS_OF_LINES
from contacts.models import ColumnMapping, Contact, ImportJob, ImportRow, plain
from contacts.twins.known import stored
from netcrm.models import User
from netcrm.owned import Owned
from today import archive
from today.archive import CannotRestore

TODAY = date(2026, 3, 4)
# What a file is called says little about it, and nobody has to believe it.
NAMES = ["file"] * 12 + ["people.vcf", "Connections.csv", "monica.json", "a.zip", "\0\n" * 200, ""]
IMPORTS = {ImportJob, ImportRow, ColumnMapping}
Notebook = dict[str, list[str]]
LINES = {name: value for name, _, value in MODELS_OF_LINES}


def chosen(data: bytes) -> Random:
    """Return what makes the choices of the person who imports: the same for the same file."""
    return Random(zlib.crc32(data))


# Reading


def people_or_a_sentence(data: bytes) -> int | None:
    """A file is read into cards that can be stored, or refused with a sentence."""
    chance = chosen(data)
    try:
        opened = importing.open_file(data, chance.choice(NAMES), TODAY)
        mapping = _mapping(chance, opened.table.header) if opened.table else None
        count = 0
        for card in opened.read(mapping):
            count += 1
            _storable(card)
            _fits(fit(card, chance.choice(["AT", "GB", "", "ZZ"]), TODAY))
    except CardProblem as problem:
        _is_sentence(problem)
        return None
    return count


def _is_sentence(problem: Exception) -> None:
    text = str(problem)
    assert text[:1].isupper()
    assert text.endswith(".")
    assert len(text) < 300


def _mapping(chance: Random, header: list[str]) -> dict[int, str] | None:
    """Return what somebody takes the columns for; None if they leave it at the guess."""
    keys = [key for key, _ in FIELDS]
    return {n: chance.choice(keys) for n in range(len(header))} if chance.random() < 0.3 else None


def _storable(card: Card) -> None:
    assert card.trouble or card.name
    told = card.to_json()
    text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    text.encode()  # Lone surrogates cannot be.
    assert "\\u0000" not in text.replace("\\\\", "")
    assert Card.from_json(json.loads(text)) == card


def _fits(card: Card) -> None:
    _storable(card)
    assert all(len(getattr(card, name)) <= most for name, most in LONGEST.items())
    assert max(len(card.emails), len(card.phones), len(card.links)) <= MOST_LINES
    assert len(card.tags) <= MOST_TAGS
    assert len(card.tasks) <= 1


# Into the notebook and out again


def in_and_out_again(owner: User, before: Notebook, data: bytes) -> int | None:
    """A file comes into the notebook as it says, and undoing leaves the notebook as it was."""
    chance = chosen(data)
    with transaction.atomic():
        try:
            job = _previewed(owner, data, chance)
        except CardProblem as problem:
            _is_sentence(problem)
            assert notebook_of(owner) == before
            transaction.set_rollback(True)
            return None
        job.confirm(complete_known=chance.random() < 0.5, tag=chance.choice(["", "İzmir", "é"]))
        _work_off(job, job.State.DONE)
        assert job.created + job.duplicates + job.skipped == job.total == job.rows.count()
        made = job.rows.filter(made=True).select_related("contact__organisation")
        for row in made.prefetch_related(*(f"contact__{name}" for name in ("tags", *LINES))):
            _came_in(row)
        assert job.undo()
        _work_off(job, job.State.UNDONE)
        assert notebook_of(owner) == before
        transaction.set_rollback(True)
    return job.total


def _previewed(owner: User, data: bytes, chance: Random) -> ImportJob:
    job = importing.receive(owner, chance.choice(NAMES), data)
    if job.state == job.State.MAPPING:
        mapping = _mapping(chance, job.header)
        importing.map_columns(
            job, {str(at): key for at, key in mapping.items()} if mapping else job.mapping
        )
    _work_off(job, job.State.PREVIEW)
    assert sum(group.count for group in importing.preview(job, most=3)) == job.total
    return job


def _work_off(job: ImportJob, until: str) -> None:
    while importing.work(job.pk):
        pass
    job.refresh_from_db()
    assert job.state == until


def _came_in(row: ImportRow) -> None:
    """Somebody is in the notebook as their card says."""
    card, contact = row.told, row.contact
    organisation = contact.organisation.name if contact.organisation else ""
    assert contact.name == card.name
    assert (contact.role, contact.how_met, contact.notes) == (card.role, card.how_met, card.notes)
    assert plain(organisation) == plain(card.organisation)
    assert bool(organisation) == bool(card.organisation)
    assert contact.details == [list(line) for line in card.details]
    for name, value in LINES.items():
        rows = getattr(contact, name).all()
        held = Counter((stored(getattr(row, value)), row.label) for row in rows)
        told = {text.lower(): (text, label) for text, label in reversed(getattr(card, name))}
        assert held == Counter(told.values())
    assert {plain(tag) for tag in card.tags} <= {plain(tag.name) for tag in contact.tags.all()}


def notebook_of(owner: User) -> Notebook:
    """Return every row of somebody's notebook, as it is kept."""
    return {
        model._meta.label: sorted(map(repr, _rows(model, owner)))
        for model in apps.get_models()
        if issubclass(model, Owned) and model not in IMPORTS
    }


def _rows(model, owner: User):
    names = [field.attname for field in model._meta.concrete_fields if field.name != "updated_at"]
    return model._base_manager.filter(owner=owner).values_list(*names)


# Archives


def all_or_nothing(user: User, before: Notebook, data: bytes) -> int | None:
    """An archive comes back into an empty notebook whole, or not at all and with a sentence."""
    with transaction.atomic():
        try:
            archive.restore(user, io.BytesIO(data), len(data))
        except CannotRestore as problem:
            _is_sentence(problem)
            assert notebook_of(user) == before
            return None
        # What came back can be told again.
        b"".join(archive.write(User.objects.get(pk=user.pk)))
        count = Contact.objects.for_user(user).count()
        transaction.set_rollback(True)
    return count
