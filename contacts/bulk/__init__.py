"""Changes of many people at one stroke, each of them one record that can be undone for 30 days.

    change = start(owner, "edit", {"tags": ["alumni"]}, people)
    undo(change)

What can be done is in VERBS: rooms above add theirs when they are ready (contacts.bulk.edits,
followups.bulk). A few people are changed at once; for more, Celery works the change off in chunks.
Each chunk is one transaction that moves `BulkChange.done` on, so a killed worker neither loses nor
doubles. Whom it is for is fixed at the start. The changes of one owner take turns: each sees what
the one before it has left. Undoing goes the same way back, row by row, and leaves alone what was
edited since.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from contacts.models import UNDO_BULK_FOR, BulkChange, BulkRow, Contact, ContactQuerySet
from netcrm.models import User

logger = logging.getLogger(__name__)

CHUNK = 500
# So many people are changed while somebody waits for the page.
AT_ONCE = 200

NOBODY = "Tick the people first."
STILL_UNDER_WAY = "That is still under way. Undo it once it is done."
TOO_LATE = "That can be undone for 30 days, once. It stays as it is."
FAILED = "It stopped at somebody who could not be changed. Everybody before them is done."
MERGED_SINCE = "Is one with another entry now."

State = BulkChange.State
UNFINISHED = BulkChange.UNFINISHED


class CannotChange(Exception):
    """The text is a sentence for the user."""


class Verb:
    """One thing that can be done to many people. Instances keep nothing of a change."""

    # At most so many people, if there is a limit.
    most: ClassVar[int | None] = None
    at_once: ClassVar[int] = AT_ONCE
    chunk: ClassVar[int] = CHUNK
    # Whether its rows are about people who are gone, so that undoing needs nobody.
    takes_away: ClassVar[bool] = False

    def check(self, owner: User, asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Return what is asked as JSON that do() reads, and what is done in words that follow a
        count: “tagged alumni”. May make rows that do() needs. Raises CannotChange."""
        raise NotImplementedError

    def hold(self, owner: User, ids: Sequence[int]) -> list[Contact]:
        """Return those of the contacts that are still there, locked, in the order of `ids`."""
        contacts = Contact.objects.for_user(owner).filter(pk__in=ids).order_by("pk")
        return in_order(ids, contacts.select_for_update(no_key=True))

    def do(self, change: BulkChange, contacts: Sequence[Contact]) -> list[BulkRow]:
        """Do it to a chunk of contacts. Return a row (note()) for each who was changed, and for
        each who stays for a reason; none for those who need nothing. Raises CannotChange, which
        stops the whole change."""
        raise NotImplementedError

    def undo(self, change: BulkChange, rows: Sequence[BulkRow]) -> None:
        """Put contacts back as the rows say, the last first; their `contact` is locked, and there
        unless the verb takes people away. Whoever keeps something of the change gets a sentence
        about it as the row's `why`."""
        raise NotImplementedError

    def undone(self, change: BulkChange) -> None:
        """Take away what check() has made, once nobody needs it any more."""


VERBS: dict[str, Verb] = {}


def note(
    change: BulkChange,
    contact: Contact,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> BulkRow:
    """Return an unsaved row about a contact: with `after` what the change left, or with `why` the
    reason for which it left them alone."""
    return BulkRow(
        owner_id=change.owner_id,
        change=change,
        contact=contact,
        # Merging moves rows to another contact; an undo must know whose they were.
        before={"contact": contact.pk, **(before or {})},
        after=dict(after or {}),
        why=why[:300],
    )


def whose(row: BulkRow) -> int:
    """Return the id of the contact that a row was about when it was noted."""
    return row.before["contact"]


def in_order(ids: Sequence[int], contacts: Iterable[Contact]) -> list[Contact]:
    """Return the contacts in the order of their ids; who is not among them is left out."""
    held = {contact.pk: contact for contact in contacts}
    return [held[pk] for pk in ids if pk in held]


# Starting


@transaction.atomic
def start(
    owner: User,
    verb: str,
    asked: Mapping[str, Any],
    people: ContactQuerySet | Iterable[int],
    *,
    via: str = BulkChange.Via.APP,
    key: uuid.UUID | None = None,
) -> BulkChange:
    """Do something to people of an owner: to a few at once, to more as soon as Celery gets to it
    (`state` tells). `people` are contacts, or ids of some; others' are left out. The same key
    twice returns the first change. Raises CannotChange with a sentence, and nothing is done."""
    _lock(owner)
    if key and (known := BulkChange.objects.for_user(owner).filter(key=key).first()):
        return known
    does = VERBS[verb]
    ids = _ids(owner, people, does)
    if not ids:
        raise CannotChange(NOBODY)
    if does.most and len(ids) > does.most:
        raise CannotChange(f"That is for {does.most:,} people at most. Choose fewer.")
    told, said = does.check(owner, asked)
    change = BulkChange.objects.create(
        owner=owner,
        verb=verb,
        asked=told,
        said=_sentence(said),
        via=via,
        key=key,
        chosen=ids,
        total=len(ids),
    )
    _work_at_once(change, len(ids))
    return change


def record(
    owner: User,
    verb: str,
    asked: Mapping[str, Any],
    said: str,
    via: str = BulkChange.Via.APP,
) -> BulkChange:
    """Return a new change that is done already, by the caller, who adds its rows with keep() in
    the same transaction. Its verb needs to know only how to undo them."""
    return BulkChange.objects.create(
        owner=owner,
        verb=verb,
        asked=dict(asked),
        said=_sentence(said),
        via=via,
        state=State.DONE,
        finished_at=timezone.now(),
    )


def keep(change: BulkChange, rows: Sequence[BulkRow]) -> None:
    """Store rows of a change and count them; whoever calls it saves the counts."""
    BulkRow.objects.bulk_create(rows)
    changed = [row.contact_id for row in rows if row.after]
    # Whoever was changed in one thing has not stayed, even with a reason to keep another.
    stayed = {row.contact_id for row in rows if not row.after}.difference(changed)
    change.changed += len(changed)
    change.stayed += len(stayed)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}"[:300]


def _lock(owner: User) -> None:
    """Let the changes of one owner take turns, with each other and with imports."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)


def _ids(owner: User, people: ContactQuerySet | Iterable[int], does: Verb) -> list[int]:
    """Return the ids of people of an owner. Where there is a limit the order may matter; everybody
    else is worked off as they lie in the table."""
    if isinstance(people, ContactQuerySet):
        found = people.filter(owner=owner).values_list("pk", flat=True)
        some = found[: does.most + 1] if does.most else found.order_by("pk")
        return list(dict.fromkeys(some))
    ids = list(dict.fromkeys(people))
    mine = set(Contact.objects.for_user(owner).filter(pk__in=ids).values_list("pk", flat=True))
    return [pk for pk in ids if pk in mine]


def _work_at_once(change: BulkChange, people: int) -> None:
    """Work a change off if it is small and its turn has come, else leave it to Celery."""
    if people <= VERBS[change.verb].at_once and _whose_turn(change.owner) == change:
        while _step(change):
            pass


# Working


def run_changes(seconds: float = 20.0) -> None:
    """Work off what waits, oldest first, for about so many seconds.

    What is left, the next tick goes on with. Several workers may do it at once.
    """
    deadline = monotonic() + seconds
    waiting = BulkChange.objects.filter(state__in=UNFINISHED).order_by("created_at")
    for change_id in list(waiting.values_list("pk", flat=True)[:100]):
        if monotonic() < deadline:
            _work_off(change_id, deadline)


def _work_off(change_id: int, deadline: float) -> None:
    try:
        while work(change_id) and monotonic() < deadline:
            pass
    except CannotChange as problem:
        _fail(change_id, str(problem))
    except SoftTimeLimitExceeded:
        logger.warning("Change %s: the time of this tick is over, to be continued", change_id)
    except OperationalError:
        logger.warning("Change %s: the database is in trouble, to be continued", change_id)
    except Exception:  # One change must not stop everybody else's.
        logger.exception("Change %s failed", change_id)
        _fail(change_id, FAILED)


def _fail(change_id: int, error: str) -> None:
    BulkChange.objects.filter(pk=change_id, state__in=UNFINISHED).update(
        state=State.FAILED, error=error[:500], finished_at=timezone.now(), chosen=[]
    )


@transaction.atomic
def work(change_id: int) -> bool:
    """Do the next chunk of a change, or take one back, if its turn has come. Return whether there
    is more. Raises CannotChange."""
    owners = User.objects.select_for_update(no_key=True, skip_locked=True)
    owner = owners.filter(pk__in=BulkChange.objects.filter(pk=change_id).values("owner")).first()
    change = _whose_turn(owner) if owner else None
    return _step(change) if change and change.pk == change_id else False


def _whose_turn(owner: User) -> BulkChange | None:
    """Return the change of an owner that is to be worked on. The caller holds the owner's lock."""
    waiting = BulkChange.objects.for_user(owner).filter(state__in=UNFINISHED).defer("chosen")
    # One that is running; then what goes back, the newest first; then what is queued.
    newest = F("finished_at").desc(nulls_last=True)
    change = waiting.order_by("-state", newest, "created_at", "pk").first()
    if change:
        change.owner = owner
    return change


def _step(change: BulkChange) -> bool:
    return _take_back(change) if change.is_going_back else _do(change)


def _do(change: BulkChange) -> bool:
    verb = VERBS[change.verb]
    ids = _chosen(change, verb.chunk)
    keep(change, verb.do(change, _hold(change, ids)))
    change.done += len(ids)
    more = change.done < change.total
    change.state = State.RUNNING if more else State.DONE
    saved = ["done", "changed", "stayed", "state"]
    if not more:
        change.finished_at, change.chosen = timezone.now(), []
        saved += ["finished_at", "chosen"]
    change.save(update_fields=saved)
    return more


def _chosen(change: BulkChange, count: int) -> list[int]:
    part = F("chosen")[change.done : change.done + count]
    return BulkChange.objects.filter(pk=change.pk).values_list(part, flat=True).get()


def _hold(change: BulkChange, ids: Sequence[int]) -> list[Contact]:
    contacts = VERBS[change.verb].hold(change.owner, ids)
    for contact in contacts:
        contact.owner = change.owner
    return contacts


# Undoing


@transaction.atomic
def undo(change: BulkChange) -> bool:
    """Put everybody back as they were, what was edited since left alone: at once if they are few.
    Return whether that could be begun; doing it twice is harmless."""
    owner = change.owner
    _lock(owner)
    change.refresh_from_db()
    change.owner = owner
    if change.state == State.UNDONE or change.is_going_back:
        return True
    if not change.can_undo:
        return False
    change.state, change.error, change.done = State.QUEUED, "", change.changed
    change.save(update_fields=["state", "error", "done"])
    _work_at_once(change, change.changed)
    return True


def _left(change: BulkChange) -> QuerySet[BulkRow]:
    """Return the rows that are still to be undone, the last first."""
    return change.rows.filter(owner=change.owner_id, why="").exclude(after={}).order_by("-pk")


def _take_back(change: BulkChange) -> bool:
    verb = VERBS[change.verb]
    rows = list(_left(change)[: verb.chunk])
    held = {
        each.pk: each for each in _hold(change, [row.contact_id for row in rows if row.contact_id])
    }
    for row in rows:
        row.contact = held.get(row.contact_id) if row.contact_id else None
        if row.contact and row.contact.pk != whose(row):
            row.why = MERGED_SINCE
    standing = [row for row in rows if row.contact or verb.takes_away]
    verb.undo(change, [row for row in standing if not row.why])
    staying = [row for row in rows if row.why]
    BulkRow.objects.bulk_update(staying, ["why"])
    change.rows.filter(pk__in=[row.pk for row in rows if not row.why]).delete()
    change.changed -= len(rows) - len(staying)
    change.done = max(change.done - len(rows), 0)
    more = _left(change).exists()
    change.state = State.RUNNING if more else State.UNDONE
    if not more:
        change.finished_at = timezone.now()
        verb.undone(change)
    change.save(update_fields=["changed", "done", "state", "finished_at"])
    return more


# Telling


def why_not_undone(change: BulkChange) -> str:
    """Return the sentence about a change that undo() has refused."""
    return STILL_UNDER_WAY if change.state in UNFINISHED else TOO_LATE


def people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def say(change: BulkChange) -> str:
    """Return what came of a change that is over, in words: “12 people tagged alumni.”"""
    if change.state == State.UNDONE:
        if not change.changed:
            return "Everybody is as they were before."
        return f"{people(change.changed)} kept something of it, the others are as they were."
    said = f"{change.said[:1].lower()}{change.said[1:]}"
    if change.changed:
        told = f"{people(change.changed)} {said}."
    elif change.stayed or change.state == State.FAILED:
        told = ""
    else:
        told = "Nobody needed that: nothing is changed."
    if change.stayed:
        stay = "stays as they are" if change.stayed == 1 else "stay as they are"
        told = f"{told} {people(change.stayed)} {stay}."
    return told.strip()


def forget() -> None:
    """Delete the rows of changes that can no longer be undone; what was done is still told."""
    over = BulkChange.objects.filter(finished_at__lte=timezone.now() - UNDO_BULK_FOR)
    BulkRow.objects.filter(change__in=over.exclude(state__in=UNFINISHED)).delete()
