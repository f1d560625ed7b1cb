"""The whole notebook in one ZIP file, and back into an empty one.

    netcrm.json                 what this is, in which version of the format, and when it was made
    settings.json               how the person's days run
    contacts/contact.jsonl      a file for each model: one row a line, by the names of its fields
    photos/17.jpg               the files that rows name

Ids and references count inside the archive only: whoever brings it back gets new ones. Rows come
after those that they refer to, so both ways need no more memory than a chunk of rows and, coming
back, the new id of each row.
"""

import io
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from graphlib import TopologicalSorter
from itertools import batched
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from contacts.files.photos import is_photo
from contacts.models import Contact
from followups.models import FollowUp, Playbook
from introductions.models import Introduction, Offer
from netcrm.forms import SettingsForm
from netcrm.models import User
from netcrm.owned import Owned

FORMAT, VERSION = "netcrm archive", 1
ABOUT, SETTINGS, PHOTO = "netcrm.json", "settings.json", "photos/{}.jpg"
CHUNK = 500
MEGABYTE = 1024 * 1024
LARGEST_FILE = 200 * MEGABYTE
LARGEST_UNPACKED = 1024 * MEGABYTE
# Rows in JSON shrink to a tenth; files made to do harm, to a thousandth.
HIGHEST_RATIO = 200
SMALL = 10 * MEGABYTE  # unpacked: whatever the ratio, it does no harm
LARGEST_LIST = 10 * MEGABYTE  # of the files in the archive: some 150,000
LONGEST_LINE = 10 * MEGABYTE
LARGEST_PHOTO = MEGABYTE

# What came by mail or by an import and went again, secrets, and what it takes to undo: this names
# rows by ids that no other notebook has.
NOT_ARCHIVED = {
    "contacts.BulkChange",
    "contacts.BulkRow",
    "contacts.ImportJob",
    "contacts.ImportRow",
    "contacts.Merge",
    "meetings.CalendarFeed",
    "today.Digest",
    "today.Restore",
    "today.RestorePiece",
}
# Fields that are made anew: whose row it is, keys of forms, identities that exist only once,
# what follows from other fields, and once more what it takes to undo.
MADE_ANEW = {
    *("id", "owner", "key", "uid", "search_text", "updated_at", "batch"),
    "followups.Action.before",
}

NOT_A_ZIP = "That is not a ZIP file. Choose the archive as you downloaded it, without unpacking it."
FOREIGN = "That ZIP file is not an archive of netcrm."
NEWER = "That archive comes from a newer netcrm. Update this one first, then try again."
TOO_LARGE = "That file is larger than 200 MB, which is more than an archive may have."
TOO_MUCH = "That archive unpacks to more than it should. Nothing was brought back."
NOT_EMPTY = (
    "Your notebook is not empty. An archive comes back into an empty one only, so that nothing"
    " gets mixed up."
)
DAMAGED = (
    "That archive is damaged{where}, so nothing was brought back. If you have another copy, try"
    " that one."
)
NO_PLAYBOOK = "That archive has no playbook for people who have not answered."


class CannotRestore(Exception):
    """The text is a sentence for the user."""


def damaged(where: str = "") -> CannotRestore:
    return CannotRestore(DAMAGED.format(where=f" ({where})" if where else ""))


# What is in it


@cache
def archived_models() -> list[type[models.Model]]:
    """Return the models of the notebook, each after those that it refers to."""
    mine = [model for model in apps.get_models() if issubclass(model, Owned)]
    kept = sorted(
        (model for model in mine if model._meta.label not in NOT_ARCHIVED),
        key=lambda model: model._meta.label,
    )
    return list(TopologicalSorter({model: _referred(model) for model in kept}).static_order())


def _referred(model: type[models.Model]) -> list[type[models.Model]]:
    targets = (field.related_model for field in archived_fields(model) if field.is_relation)
    return [target for target in targets if target and target is not model]


@cache
def archived_fields(model: type[models.Model]) -> list[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if not {field.name, f"{model._meta.label}.{field.name}"} & MADE_ANEW
    ]


def _file_of(model: type[models.Model]) -> str:
    return f"{model._meta.label_lower.replace('.', '/')}.jsonl"


def _binary(model: type[models.Model]) -> list[str]:
    return [each.name for each in archived_fields(model) if isinstance(each, models.BinaryField)]


# Out


class _Outlet:
    """A file that cannot go back: what the ZIP file writes is taken away at once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    close = flush

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def write(user: User) -> Iterator[bytes]:
    """Yield the archive of a user's notebook piece by piece, as it was at one moment."""
    outlet = _Outlet()
    with _one_moment(), ZipFile(outlet, "w", ZIP_DEFLATED) as archive:
        about = {"format": FORMAT, "version": VERSION, "made_at": timezone.now().isoformat()}
        archive.writestr(ABOUT, _json(about))
        archive.writestr(SETTINGS, _json(settings_of(user)))
        for model in archived_models():
            yield from _write_rows(archive, outlet, user, model)
            yield from _write_files(archive, outlet, user, model)
    yield outlet.take()


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let everything that is read inside be of one moment: else a row that is made while the file
    is under way would refer to one that is not in it."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # The far end of a slow line may take a while to fetch the next piece.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '5min'")
        yield


def settings_of(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in SettingsForm.Meta.fields}


def _write_rows(
    archive: ZipFile, outlet: _Outlet, user: User, model: type[models.Model]
) -> Iterator[bytes]:
    rows = model._base_manager.filter(owner=user).order_by("pk").defer(*_binary(model))
    with archive.open(_file_of(model), "w") as file:
        for some in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
            file.write("".join(f"{_json(_told(row))}\n" for row in some).encode())
            yield outlet.take()


def _write_files(
    archive: ZipFile, outlet: _Outlet, user: User, model: type[models.Model]
) -> Iterator[bytes]:
    for name in _binary(model):
        files = model._base_manager.filter(owner=user).order_by("pk").values_list("pk", name)
        for pk, data in files.iterator(chunk_size=CHUNK):
            archive.writestr(PHOTO.format(pk), bytes(data), ZIP_STORED)
            yield outlet.take()


def _told(row: models.Model) -> dict[str, Any]:
    """Return a row as JSON can store it."""
    told = {"id": row.pk}
    for field in archived_fields(type(row)):
        told[field.name] = _value(field, row)
    return told


def _value(field: models.Field, row: models.Model) -> Any:
    if isinstance(field, models.BinaryField):
        return PHOTO.format(row.pk)
    value = field.value_from_object(row)
    if isinstance(value, dict) and (leave_out := FORGOTTEN.get(f"{row._meta.label}.{field.name}")):
        return {name: each for name, each in value.items() if not leave_out(name)}
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return field.value_to_string(row)


# Whom a line of an unfinished debrief means is asked once more: the form names them by id.
FORGOTTEN: dict[str, Callable[[str], bool]] = {
    "meetings.Debrief.draft": lambda name: name.split("-")[-1] == "contact"
}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# Back

Ids = dict[type[models.Model], dict[int, int]]


def is_empty(user: User) -> bool:
    """Return whether an archive may come back into the notebook. Every account has playbooks."""
    return not any(
        model._base_manager.filter(owner=user).exists()
        for model in archived_models()
        if model is not Playbook
    )


@transaction.atomic
def restore(user: User, file: IO[bytes], size: int) -> None:
    """Bring an archive back into the empty notebook of a user: all of it, or nothing. The
    playbooks and the settings become those of the archive. today.restoring sees to it that there
    are not two at once.

    Raises CannotRestore with the reason.
    """
    if not is_empty(user):
        raise CannotRestore(NOT_EMPTY)
    with _opened(file, size) as archive:
        _Restoring(user, archive).run()


def unpacked_size(file: IO[bytes], size: int) -> int:
    """Return how many bytes an archive unpacks to. Raises CannotRestore if it is none of ours."""
    with _opened(file, size) as archive:
        return _unpacked(archive)


@contextmanager
def _opened(file: IO[bytes], size: int) -> Iterator[ZipFile]:
    """Open an archive for reading. Raises CannotRestore with the reason, also for what is found
    inside."""
    if size > LARGEST_FILE:
        raise CannotRestore(TOO_LARGE)
    try:
        with ZipFile(_Bounded(file)) as archive:
            _check(archive, size)
            yield archive
    except BadZipFile as error:
        raise CannotRestore(NOT_A_ZIP) from error
    # RuntimeError: it asks for a password. NotImplementedError: packed in a way we do not know.
    except (zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise damaged() from error


class _Bounded:
    """A file of which nobody takes much at once: zipfile reads the list of all files in one go,
    and keeps ten times as much in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_LIST:
            raise CannotRestore(TOO_MUCH)
        return self._file.read(LARGEST_LIST if size < 0 else size)


def _check(archive: ZipFile, size: int) -> None:
    """Refuse what is no archive of ours, or unpacks to too much. zipfile never unpacks more of a
    file than its head declares."""
    known = {ABOUT, SETTINGS, *map(_file_of, archived_models())}
    names = {info.filename for info in archive.infolist()}
    if _unpacked(archive) > min(LARGEST_UNPACKED, max(size * HIGHEST_RATIO, SMALL)):
        raise CannotRestore(TOO_MUCH)
    if any(info.header_offset < 0 for info in archive.infolist()):
        # Its beginning is missing. zipfile would look for it before the beginning of the file.
        raise damaged()
    if ABOUT not in names:
        raise CannotRestore(FOREIGN)
    about = _read_object(archive, ABOUT)
    if about.get("format") != FORMAT or not isinstance(about.get("version"), int):
        raise CannotRestore(FOREIGN)
    if about["version"] > VERSION:
        raise CannotRestore(NEWER)
    if stray := next((name for name in names - known if not name.startswith("photos/")), ""):
        raise damaged(f"it has a file {stray[:60]}")


def _unpacked(archive: ZipFile) -> int:
    return sum(info.file_size for info in archive.infolist())


def _read_object(archive: ZipFile, name: str) -> dict[str, Any]:
    """Return the JSON object in a file of the archive."""
    if name not in archive.namelist() or archive.getinfo(name).file_size > MEGABYTE:
        raise damaged(name)
    return _parsed(archive.read(name), name)


def _parsed(text: bytes, where: str) -> dict[str, Any]:
    try:
        told = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise damaged(where) from error
    if not isinstance(told, dict):
        raise damaged(where)
    return told


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON.")


def _fits(field: models.JSONField, told: Any) -> bool:
    """Return whether a JSON value is of the kind that the field begins with; one that begins
    without any may not be empty."""
    return type(told) is type(field.get_default()) if field.has_default() else bool(told)


class _Restoring:
    """One archive on its way into one notebook."""

    def __init__(self, user: User, archive: ZipFile) -> None:
        self.user, self.archive = user, archive
        # The new id of each row, by its model and its id in the archive.
        self.ids: Ids = defaultdict(dict)

    def run(self) -> None:
        Playbook.objects.for_user(self.user).delete()
        for model in archived_models():
            if _file_of(model) in self.archive.namelist():
                self._restore_rows(model)
        if not Playbook.objects.for_user(self.user).filter(ends_on_answer=True).exists():
            raise CannotRestore(NO_PLAYBOOK)
        self._restore_references_in_json()
        for some in batched(self.ids[Contact].values(), CHUNK):
            Contact.objects.filter(pk__in=some).reindex()
        self._restore_settings()

    def _restore_settings(self) -> None:
        """Give the user the settings of the archive. This comes last: it locks their row, without
        which nobody can sign in."""
        owner = User.objects.select_for_update(no_key=True).get(pk=self.user.pk)
        form = SettingsForm(_read_object(self.archive, SETTINGS), instance=owner)
        if not form.is_valid():
            raise damaged(SETTINGS)
        form.save()

    def _restore_rows(self, model: type[models.Model]) -> None:
        loops = [each for each in archived_fields(model) if each.related_model is model]
        pointers: dict[int, dict[str, Any]] = {}
        numbered = enumerate(self._lines(_file_of(model)), start=1)
        for some in batched(numbered, CHUNK):
            told = [_parsed(line, self._where(model, number)) for number, line in some]
            where = self._where(model, some[0][0])
            for each in told:
                pointing = {field.name: each.pop(field.name, None) for field in loops}
                if any(pointing.values()):
                    pointers[each.get("id", 0)] = pointing
            try:
                self._insert(model, told)
            except (ValidationError, DatabaseError, ValueError, TypeError, OverflowError) as error:
                raise damaged(where) from error
        self._point(model, loops, pointers)

    @staticmethod
    def _where(model: type[models.Model], number: int) -> str:
        return f"{_file_of(model)}, from line {number}"

    def _lines(self, name: str) -> Iterator[bytes]:
        with self.archive.open(name) as file:
            reader = io.BufferedReader(file)  # type: ignore[type-var]
            while line := reader.readline(LONGEST_LINE):
                if not line.endswith(b"\n"):
                    raise damaged(name)
                yield line

    def _insert(self, model: type[models.Model], told: list[dict[str, Any]]) -> None:
        """Make rows. Raises ValidationError, ValueError, TypeError, OverflowError or DatabaseError
        if they cannot be."""
        rows = [self._row(model, each) for each in told]
        stamps = [field for field in archived_fields(model) if getattr(field, "auto_now_add", 0)]
        kept = [[getattr(row, stamp.name) for stamp in stamps] for row in rows]
        model._base_manager.bulk_create(rows)
        if stamps:
            # Django has stamped them with the present.
            for row, values in zip(rows, kept, strict=True):
                vars(row).update(zip((stamp.name for stamp in stamps), values, strict=True))
            model._base_manager.bulk_update(rows, [stamp.name for stamp in stamps])
        # Now, chunk by chunk: all of them at the end would take longer than a statement may.
        connection.check_constraints()
        known = self.ids[model]
        for each, row in zip(told, rows, strict=True):
            if type(each["id"]) is not int or each["id"] in known:
                raise ValueError(f"{each['id']!r} is no id, or one twice.")
            known[each["id"]] = row.pk

    def _row(self, model: type[models.Model], told: dict[str, Any]) -> models.Model:
        fields = {field.name: field for field in archived_fields(model)}
        if "id" not in told or told.keys() - fields.keys() - {"id"}:
            raise ValueError("The row has other fields.")
        row = model(owner=self.user)
        for name in fields.keys() & told.keys():
            setattr(row, fields[name].attname, self._value(fields[name], told[name]))
        return row

    def _value(self, field: models.Field, told: Any) -> Any:
        if field.is_relation:
            return self._new_id(field.related_model, told)
        if isinstance(field, models.BinaryField):
            return self._photo(told)
        if isinstance(field, models.JSONField) and not _fits(field, told):
            raise ValueError(f"{field.name} holds something else.")
        value = field.to_python(told)
        if value not in field.empty_values:
            field.run_validators(value)
            if field.choices and value not in dict(field.flatchoices):
                raise ValueError(f"{field.name} knows no {value!r}.")
        return value

    def _new_id(self, model: Any, told: Any) -> int | None:
        if told is None:
            return None
        if type(told) is not int or told not in self.ids[model]:
            raise ValueError(f"Nothing in the archive is {model.__name__} {told!r}.")
        return self.ids[model][told]

    def _photo(self, name: Any) -> bytes:
        try:
            info = self.archive.getinfo(name)
        except KeyError as error:
            raise ValueError("There is no such photo.") from error
        photo = self.archive.read(info) if info.file_size <= LARGEST_PHOTO else b""
        if not is_photo(photo):
            raise ValueError("That is no photo.")
        return photo

    def _point(
        self, model: Any, loops: list[models.Field], pointers: dict[int, dict[str, Any]]
    ) -> None:
        """Let rows refer to rows of the same model, which may come after them."""
        for some in batched(pointers.items(), CHUNK):
            try:
                rows = [
                    model(
                        pk=self.ids[model][old],
                        **{
                            field.attname: self._new_id(model, pointing[field.name])
                            for field in loops
                        },
                    )
                    for old, pointing in some
                ]
            except ValueError as error:
                raise damaged(_file_of(model)) from error
            model._base_manager.bulk_update(rows, [field.name for field in loops])

    def _restore_references_in_json(self) -> None:
        """Name the new ids where a row names others in JSON. What was gone already is not named
        any more."""
        knowing = FollowUp.objects.for_user(self.user).exclude(facts={}).only("facts")
        for some in batched(knowing.iterator(CHUNK), CHUNK):
            for follow_up in some:
                follow_up.facts = dict(self._facts(follow_up.facts))
            FollowUp.objects.bulk_update(some, ["facts"])

    def _facts(self, facts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield what a follow-up knows: {"introduction 12": words} (introductions.carrying)."""
        for name, words in facts.items():
            kind, _, number = name.partition(" ")
            model = {"introduction": Introduction, "offer": Offer}.get(kind)
            if model is None or not number.isdecimal():
                yield name, words
            elif new := self.ids[model].get(int(number)):
                yield f"{kind} {new}", words
