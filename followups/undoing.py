"""Putting everything back as it was before an action, for an hour."""

from django.apps import apps
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts.models import Contact, ContactEmail
from followups.colleagues import COMPANIONS
from followups.models import UNDO_FOR, Action, Break, FollowUp, Reminder
from followups.planning import BESIDE, DATES, KEPT, CannotDo, day_in

# How many rows one statement restores.
AT_ONCE = 200


@transaction.atomic
def undo(action, late=False):
    """Put everything back as it was before an action, within an hour (or `late`, by something that
    keeps the action in mind for longer) and only the newest one of the contact first. What it did
    to other people is put back too, unless something newer happened with them. Undoing twice is
    harmless. Returns the contact.

    What was done beside something else goes back together with it.

    Raises CannotDo with the reason.
    """
    action = _leader(action)
    beside = Action.objects.none()
    if action.batch and action.verb not in COMPANIONS:
        beside = Action.objects.filter(
            owner=action.owner_id, batch=action.batch, verb__in=COMPANIONS, undone_at=None
        )
    contacts = _lock([action.contact_id, *beside.values_list("contact", flat=True)])
    action = Action.objects.select_for_update(no_key=True).get(pk=action.pk)
    contact = contacts[action.contact_id]
    if action.undone_at:
        return contact
    if action.verb in Action.FINAL:
        raise CannotDo("That stays: what it was before cannot be brought back.")
    if not (late or action.can_undo):
        raise CannotDo("That was more than an hour ago, so it stays.")
    if _newer(action).exclude(verb__in=COMPANIONS).exists():
        raise CannotDo(f"Something newer happened with {contact.given_name}. Undo that first.")
    for companion in _newer(action):
        _put_back(companion, contact)
    _put_back(action, contact)
    for companion in beside:
        if not _newer(companion).exists():
            _put_back(companion, contacts[companion.contact_id])
    return contact


def _leader(action):
    """Return what an action was done beside, or itself if that is gone or undone."""
    if action.verb != BESIDE:
        return action
    leaders = Action.objects.filter(owner=action.owner_id, batch=action.batch, undone_at=None)
    return leaders.exclude(verb__in=COMPANIONS).first() or action


@transaction.atomic
def undo_batch(user, batch):
    """Undo within an hour what was done to many people at one stroke, except where something newer
    happened; a break that it was for is taken back too. Undoing twice is harmless.
    Returns (how many contacts are as before, how many stay).

    Raises CannotDo when the hour is over.
    """
    strokes = Action.objects.for_user(user).strokes().filter(batch=batch, undone_at=None)
    breaks = Break.objects.for_user(user).filter(key=batch)
    _lock(strokes.values_list("contact", flat=True))
    newer = Action.objects.filter(
        contact=OuterRef("contact"), undone_at=None, pk__gt=OuterRef("pk")
    ).exclude(batch=batch)
    actions = strokes.annotate(stays=Exists(newer)).order_by("pk")
    actions = list(actions.select_for_update(no_key=True, of=("self",)))
    hour_ago = timezone.now() - UNDO_FOR
    if any(action.at <= hour_ago for action in actions) or breaks.filter(created_at__lte=hour_ago):
        raise CannotDo("That was more than an hour ago, so it stays.")
    undone = [action for action in actions if not action.stays]
    _restore([was for action in undone for was in action.before["follow_ups"]])
    Action.objects.filter(pk__in=[action.pk for action in undone]).update(undone_at=timezone.now())
    breaks.delete()
    people = {action.contact_id for action in undone}
    return len(people), len({action.contact_id for action in actions} - people)


def memory(row, *fields):
    """Return how fields of a row of a room above are before a verb changes them (remember())."""
    was = {name: row._meta.get_field(name).value_to_string(row) for name in fields}
    known = {name: was[name] for name in fields if getattr(row, name) is not None}
    return {"model": row._meta.label, "id": row.pk, "was": dict.fromkeys(fields) | known}


def made(row):
    """Return the memory of a row that a verb has made: undo deletes it."""
    return {"model": row._meta.label, "id": row.pk, "created": True}


def remember(action, *memories):
    """Let the undo of an action put back rows of the rooms above too. Later memories are put back
    first."""
    if not memories:
        return
    action.before["rows"] = [*action.before.get("rows", []), *memories]
    action.save(update_fields=["before"])


def _lock(ids):
    rows = Contact.objects.filter(pk__in=set(ids)).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(no_key=True)}


def _newer(action):
    newer = Action.objects.filter(contact=action.contact_id, undone_at=None, pk__gt=action.pk)
    return newer.order_by("-pk")


def _put_back(action, contact):
    """Restore what an action remembers, and take back the interaction that it logged."""
    for was in reversed(action.before.get("rows", [])):
        _put_back_row(action.owner_id, was)
    _restore(action.before["follow_ups"])
    if kept := action.before.get("contact"):
        contact.do_not_contact = kept["do_not_contact"]
        contact.last_interaction_on = day_in(kept["last_interaction_on"])
        contact.save(update_fields=["do_not_contact", "last_interaction_on"])
    if bounced := action.before.get("bounced"):
        ContactEmail.objects.filter(pk=bounced, contact=contact).update(bounced_on=None)
    interaction, action.interaction = action.interaction, None
    action.undone_at = timezone.now()
    action.save(update_fields=["undone_at", "interaction"])
    if interaction:
        interaction.delete()


def _put_back_row(owner_id, was):
    model = apps.get_model(was["model"])
    rows = model._base_manager.filter(owner=owner_id, pk=was["id"])
    if was.get("created"):
        rows.delete()
        return
    fields = {name: model._meta.get_field(name) for name in was["was"]}
    rows.update(
        **{
            name: None if (text := was["was"][name]) is None else fields[name].to_python(text)
            for name in fields
        }
    )


def _restore(memories):
    """Put follow-ups back as they are remembered, with their reminders; what did not exist then is
    deleted. As many queries for one as for a thousand."""
    FollowUp.objects.filter(pk__in=[was["id"] for was in memories if was.get("created")]).delete()
    known = {was["id"]: was for was in memories if not was.get("created")}
    rows = FollowUp.objects.filter(pk__in=known).order_by("pk").select_for_update(no_key=True)
    rows, reminders = list(rows), []
    for row in rows:
        kept, asked = known[row.pk]["was"], known[row.pk]["reminder"]
        vars(row).update(kept | {name: day_in(kept[name]) for name in DATES})
        if asked:
            reminders.append(Reminder(pk=asked["id"], due_on=day_in(asked["due_on"])))
    FollowUp.objects.bulk_update(rows, KEPT, batch_size=AT_ONCE)
    theirs, turns = Reminder.objects.filter(follow_up__in=rows), {row.pk: row.turn for row in rows}
    since = [each.pk for each in theirs if each.turn > turns[each.follow_up_id]]
    Reminder.objects.filter(pk__in=since).delete()
    theirs.open().update(closed_at=timezone.now())
    Reminder.objects.bulk_update(reminders, ["due_on", "closed_at"], batch_size=AT_ONCE)
