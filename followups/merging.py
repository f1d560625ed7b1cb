"""Two entries for one person become one, without a pursuit lost or doubled."""

from django.db import IntegrityError, transaction

from contacts.merging import absorb
from contacts.models import Contact
from followups.models import Action, Ending, FollowUp, Interaction, Via
from followups.planning import CannotDo, Pursuit, end_row, lock


@transaction.atomic
def merge(kept, other, via=Via.APP):
    """Move everything of `other` to `kept` and delete `other`. Of two open follow-ups of one
    playbook the one that asks first goes on (at most one is open). Returns the Action; what was
    done before with either of them can no longer be undone.

    Raises CannotDo when they are one entry already, or belong to two notebooks.
    """
    if kept.pk == other.pk or kept.owner_id != other.owner_id:
        raise CannotDo("Choose two entries of your own notebook.")
    other.owner = kept.owner
    lock(kept, other)
    pursuit, theirs = Pursuit(kept), Pursuit(other)
    for row in _twice(pursuit, theirs):
        end_row(row, Ending.LET_GO, pursuit.today)
    for model in (FollowUp, Interaction, Action):
        model.objects.filter(contact=other).update(contact=kept)
    _move_rest(kept, other)
    said = f"{theirs.contact.name} and {pursuit.contact.name} are one person now."
    absorb(pursuit.contact, theirs.contact)
    if pursuit.contact.do_not_contact:
        for row in FollowUp.objects.filter(contact=kept).open():
            end_row(row, Ending.LET_GO, pursuit.today)
    return pursuit.act(Action.MERGED, said, via)


def _move_rest(kept, other):
    """Move what the rooms above know of `other`; they point here, so nobody need name them."""
    for relation in Contact._meta.related_objects:
        field = relation.field
        if field.many_to_many or field.model._meta.app_label in {"contacts", "followups"}:
            continue
        for row in field.model._base_manager.filter(**{field.name: other}):
            _move_row(row, field, kept)


def _move_row(row, field, kept):
    """Point a row to `kept`. Where it would then stand twice, or join somebody with themselves, the
    pointer is taken away, or the row if it means nothing without."""
    rows = field.model._base_manager.filter(pk=row.pk)
    try:
        with transaction.atomic():
            rows.update(**{field.name: kept})
    except IntegrityError:
        if field.null:
            rows.update(**{field.name: None})
        else:
            row.delete()


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
