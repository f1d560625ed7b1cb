"""Two entries for one person become one, without a pursuit lost or doubled; and two again."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import capfirst

from contacts.models import Contact, Merge
from contacts.twins import snapshots
from contacts.twins.merging import absorb
from followups.models import Action, Ending, FollowUp, Via
from followups.planning import CannotDo, Pursuit, end_row, lock


@transaction.atomic
def merge(kept, other, choices=None, via=Via.APP):
    """Move everything of `other` to `kept` and delete `other`; `choices` as absorb() has them. Of
    two open follow-ups of one playbook the one that asks first goes on (at most one is open).
    Returns the Action. What was done before with either of them can no longer be undone, but for
    30 days the two can be parted: part().

    Raises CannotDo when they are one entry already, or belong to two notebooks.
    """
    if kept.pk == other.pk or kept.owner_id != other.owner_id:
        raise CannotDo("Choose two entries of your own notebook.")
    other.owner = kept.owner
    lock(kept, other, *Contact.objects.filter(introduced_by__in=[kept.pk, other.pk]))
    pursuit, theirs = Pursuit(kept), Pursuit(other)
    before = snapshots.take([pursuit.contact, theirs.contact])
    for row in _twice(pursuit, theirs):
        end_row(row, Ending.LET_GO, pursuit.today)
    name = theirs.contact.name
    said = f"{name} and {pursuit.contact.name} are one person now."
    absorb(pursuit.contact, theirs.contact, choices)
    if pursuit.contact.do_not_contact:
        for row in FollowUp.objects.filter(contact=kept).open():
            end_row(row, Ending.LET_GO, pursuit.today)
    noted = snapshots.changes(before)
    action = pursuit.act(Action.MERGED, said, via)
    noted |= {"other": other.pk, "action": action.pk}
    Merge.objects.create(owner=kept.owner, kept=pursuit.contact, name=name, before=noted)
    return action


@transaction.atomic
def part(merged, via=Via.APP):
    """Put both entries of a Merge back exactly as they were, rows that went included; what came to
    `kept` since and is no verb of the engine stays there. Parting twice is harmless. Returns the
    contact that was kept.

    Raises CannotDo after 30 days, and when something of it was changed since.
    """
    pursuit = Pursuit(merged.kept)
    kept = pursuit.contact
    merged = Merge.objects.select_for_update(no_key=True, of=("self",)).get(pk=merged.pk)
    if merged.undone_at:
        return kept
    if not merged.can_undo:
        raise CannotDo("Two entries can be parted for 30 days. That is over, so they stay one.")
    if reason := _changed_since(merged, kept):
        raise CannotDo(f"{reason} So the two stay one.")
    try:
        with transaction.atomic():
            snapshots.put_back(merged.before)
    except IntegrityError as error:
        reason = f"Something that belonged to {merged.name} is gone or was given anew since."
        raise CannotDo(f"{reason} So the two stay one.") from error
    merged.undone_at = timezone.now()
    merged.save(update_fields=["undone_at"])
    record = Action.objects.filter(pk=merged.before["action"])
    record.update(undone_at=merged.undone_at)
    kept.refresh_from_db()
    other = Contact.objects.get(pk=merged.before["other"])
    said = f"{other.name} and {kept.name} are two people again."
    for contact in (kept, other):
        pursuit.tell(contact, {"follow_ups": []}, Action.PARTED, said, via)
    return kept


def _changed_since(merged, kept):
    """Return a sentence about what stands in the way of parting, or nothing."""
    newer = Action.objects.filter(contact=kept, pk__gt=merged.before["action"], undone_at=None)
    if newer.exclude(verb=Action.PARTED).exists():
        return f"Something newer happened with {kept.given_name}."
    for model, column in snapshots.edited(merged.before):
        if model is Contact:
            field = next(each for each in Contact._meta.fields if each.column == column)
            return f"“{capfirst(field.verbose_name)}” of {kept.given_name} was changed since."
        return f"Something of {kept.given_name} was changed since: {model._meta.verbose_name}."
    return ""


def _twice(pursuit, theirs):
    """Return, of each playbook that is open with both, the follow-up that asks later."""
    mine = {row.playbook_id: row for row in pursuit.follow_ups if row.playbook_id}
    for row in theirs.follow_ups:
        if same := mine.get(row.playbook_id):
            yield max(same, row, key=lambda each: _asks(pursuit, theirs, each))


def _asks(pursuit, theirs, row):
    side = pursuit if row.contact_id == pursuit.contact.pk else theirs
    on = side.due_on(row)
    return (on is None, on, row.pk) if on else (True, side.today, row.pk)
