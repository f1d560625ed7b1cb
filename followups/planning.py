"""What every verb of the engine stands on: the locks, what was before, and the next date.

A verb is one transaction that first locks the contact, together with the people at the same
organisation who are written to cold, in the order of their ids, and then the open follow-ups, the
lock that raising reminders takes too: an answer and a tick can never cross.
"""

import uuid
from collections import Counter
from datetime import date, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from contacts.models import Contact
from followups import schedule
from followups.calendars import calendar_for
from followups.models import (
    UNANSWERED,
    Action,
    Direction,
    FollowUp,
    Interaction,
    Reminder,
    State,
)

KEPT = (
    "state",
    "ending",
    "step",
    "turn",
    "attempts",
    "emails",
    "last_attempt_on",
    "next_on",
    "promised",
    "window",
    "reason",
    "lesson",
    "purpose",
    "facts",
    "ended_on",
)
DATES = ("last_attempt_on", "next_on", "ended_on")
# The verb of what was done to somebody because of something that was done with somebody else.
BESIDE = "beside"
# Whoever wakes from a rest begins anew.
FRESH = {"step": 0, "attempts": 0, "emails": 0}
# How far ahead the other dates of a person are counted: beyond the longest search for a free day.
LOAD_AHEAD = timedelta(days=60)


class CannotDo(Exception):
    """The follow-up is not in a state for that; the text is a sentence for the user."""


def lock(*contacts):
    """Lock contacts and everybody written to cold at their organisations, in one order for all, so
    that two verbs never wait for each other. Returns {id: Contact} as they are now."""
    ids = [contact.pk for contact in contacts]
    organisations = [row.organisation_id for row in contacts if row.organisation_id]
    wanted = Q(pk__in=ids)
    if organisations:
        cold = FollowUp.objects.open().filter(
            cold=True, owner=contacts[0].owner_id, contact__organisation__in=organisations
        )
        wanted |= Q(pk__in=cold.values("contact"))
    rows = Contact.objects.filter(wanted, owner=contacts[0].owner_id)
    rows = rows.select_related("organisation").order_by("pk")
    return {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",))}


class Pursuit:
    """The locked contact and open follow-ups of one verb, and how they were before.

    `elsewhere` are the open cold follow-ups of other people at the same organisation.
    """

    def __init__(self, contact, batch=None):
        locked = lock(contact)
        if contact.pk not in locked:
            raise CannotDo("That person is no longer in your notebook.")
        self.contact = locked[contact.pk]
        self.owner = self.contact.owner = contact.owner
        self.today = self.owner.today()
        self.calendar = calendar_for(self.owner)
        self.batch, self.is_beside = batch, False
        mine = Q(contact=self.contact)
        rows = FollowUp.objects.filter(mine | Q(contact__in=list(locked), cold=True)).open()
        rows = list(rows.order_by("id").select_for_update(no_key=True))
        reminders = Reminder.objects.open().filter(follow_up__in=rows)
        self.asking = {reminder.follow_up_id: reminder for reminder in reminders}
        self.follow_ups, self.elsewhere = [], []
        for row in rows:
            row.contact = locked[row.contact_id]
            (self.follow_ups if row.contact_id == contact.pk else self.elsewhere).append(row)
        self.before = self.memory(self.contact, self.follow_ups)

    def memory(self, contact, follow_ups):
        """Return how a contact and follow-ups of theirs are, as undo needs it."""
        return {
            "contact": {
                "do_not_contact": contact.do_not_contact,
                "last_interaction_on": day_out(contact.last_interaction_on),
            },
            "follow_ups": [remember(row, self.asking.get(row.pk)) for row in follow_ups],
        }

    def find(self, follow_up):
        """Return the locked row of a follow-up. Raises CannotDo when it has ended."""
        for row in self.follow_ups:
            if row.pk == follow_up.pk:
                return row
        raise CannotDo("That follow-up has already ended.")

    def open(self, playbook, purpose=""):
        """Return a new follow-up, or the open one of the same playbook."""
        for row in self.follow_ups:
            if row.playbook_id == playbook.pk:
                return row
        follow_up = FollowUp.objects.create(
            owner=self.owner,
            contact=self.contact,
            playbook=playbook,
            name=playbook.name,
            purpose=purpose,
            steps=playbook.steps,
            ends_on_answer=playbook.ends_on_answer,
            cold=playbook.cold,
            rest_days=playbook.rest_days,
            opened_on=self.today,
        )
        self.follow_ups.append(follow_up)
        self.before["follow_ups"].append({"id": follow_up.pk, "created": True})
        return follow_up

    def beside(self, action):
        """Make this verb a companion of an action: undoing that one undoes this one too."""
        if action.batch is None:
            action.batch = uuid.uuid4()
            action.save(update_fields=["batch"])
        self.batch, self.is_beside = action.batch, True

    def act(self, verb, said, via, follow_up=None, interaction=None):
        """Write down what was done; return the Action."""
        verb = BESIDE if self.is_beside else verb
        return self.tell(self.contact, self.before, verb, said, via, follow_up, interaction)

    def tell(self, contact, before, verb, said, via, follow_up=None, interaction=None):
        """Write an Action into the history of any contact that this verb has locked."""
        return Action.objects.create(
            owner=self.owner,
            contact=contact,
            follow_up=follow_up,
            interaction=interaction,
            verb=verb,
            said=said[:500],
            via=via,
            before=before,
            batch=self.batch,
        )

    def companion(self):
        """Give this verb a batch, since it does something to other people too."""
        self.batch = self.batch or uuid.uuid4()

    def due_on(self, follow_up):
        """Return the local date on which an active follow-up asks: today if it asks already."""
        return self.today if follow_up.pk in self.asking else follow_up.next_on

    def limits(self, follow_up, since=None):
        """Return the schedule.Limits of a follow-up; `since` is the local day of a try that is
        being logged."""
        if not reaches_out(follow_up):
            return schedule.Limits(load=self._load(follow_up), cap=self.owner.daily_cap)
        others = [row for row in self.follow_ups if row.pk != follow_up.pk and is_try(row)]
        tries = [day for row in others if (day := self.due_on(row))]
        if newest := max(filter(None, [self._newest_attempt(), since]), default=None):
            tries.append(newest)
        colleagues = self._colleague_days() if follow_up.cold else []
        return schedule.Limits(tries, colleagues, self._load(follow_up), self.owner.daily_cap)

    def _newest_attempt(self):
        tried = Interaction.objects.filter(
            contact=self.contact, direction=Direction.OUT, outcome__in=UNANSWERED
        )
        return tried.aggregate(day=Max("on"))["day"]

    def _colleague_days(self):
        """Return when other people at the organisation were last written to cold, or will be."""
        if not self.contact.organisation_id:
            return []
        tried = FollowUp.objects.filter(
            owner=self.owner, cold=True, contact__organisation=self.contact.organisation_id
        ).exclude(contact=self.contact)
        days = [self.due_on(row) for row in self.elsewhere if is_try(row)]
        return list(filter(None, [*days, tried.aggregate(day=Max("last_attempt_on"))["day"]]))

    def _load(self, follow_up):
        """Return how many other people each day from today on already has."""
        ahead = (
            FollowUp.objects.for_user(self.owner)
            .filter(state=State.ACTIVE, next_on__range=(self.today, self.today + LOAD_AHEAD))
            .exclude(pk=follow_up.pk)
        )
        load = Counter(dict(ahead.values_list("next_on").annotate(count=Count("pk"))))
        asking = Reminder.objects.for_user(self.owner).open().filter(due_on=self.today)
        load[self.today] += asking.exclude(follow_up=follow_up).count()
        return load


def reaches_out(follow_up):
    """Tell whether the present step is a try to get an answer from the contact. Writing to a
    colleague is one with somebody else, and thanks within a day are no persistence."""
    step = follow_up.present
    return follow_up.ends_on_answer and step.channel != schedule.DECIDE and not step.colleague


def is_try(follow_up):
    return follow_up.state == State.ACTIVE and reaches_out(follow_up)


def remember(follow_up, reminder):
    """Return a follow-up and its open reminder, if any, as undo needs them."""
    kept = {name: getattr(follow_up, name) for name in KEPT}
    kept.update({name: day_out(kept[name]) for name in DATES})
    asked = reminder and {"id": reminder.pk, "due_on": day_out(reminder.due_on)}
    return {"id": follow_up.pk, "reminder": asked, "was": kept}


def day_out(day):
    return day.isoformat() if day else None


def day_in(text):
    return date.fromisoformat(text) if text else None


def put(follow_up, **changes):
    """Set and save fields of a follow-up by name."""
    for name, value in changes.items():
        setattr(follow_up, name, value)
    follow_up.save(update_fields=list(changes))


def fresh(follow_up):
    """Return the changes with which a follow-up leaves its rest, whoever wakes it."""
    return FRESH if follow_up.state == State.RESTING else {}


def close_reminder(follow_up):
    """Close the open reminder, if there is one: somebody acted."""
    follow_up.reminders.open().update(closed_at=timezone.now())


def awake(state):
    """Return what changes in a follow-up of that state when its date has come."""
    changes = {"next_on": None, "state": State.ACTIVE, "promised": False}
    return changes | FRESH | {"ending": ""} if state == State.RESTING else changes


def raise_reminder(follow_up, now=None):
    """Turn the date of a follow-up into its open reminder, exactly one for each planned step.

    A paused or resting one becomes active again. The caller holds the row's lock.
    """
    due_on = follow_up.next_on
    put(follow_up, **awake(follow_up.state))
    Reminder.objects.update_or_create(
        follow_up=follow_up,
        turn=follow_up.turn,
        defaults={"due_on": due_on, "closed_at": None},
        create_defaults={
            "owner_id": follow_up.owner_id,
            "due_on": due_on,
            "raised_at": now or timezone.now(),
        },
    )


def give_date(pursuit, follow_up, on, reason, **changes):
    """Give an active follow-up its next date; a date that has come asks at once."""
    close_reminder(follow_up)
    pursuit.asking.pop(follow_up.pk, None)
    changes = {"state": State.ACTIVE, "ending": "", "promised": False, **changes}
    put(follow_up, next_on=on, reason=reason, **changes)
    if on <= pursuit.today:
        raise_reminder(follow_up)


def give_planned(pursuit, follow_up, planned, since=None, **changes):
    """Give a follow-up the first day from the planned one on that respects every limit; `since` is
    the local day of a try that is being logged."""
    vars(follow_up).update(changes)
    planned = schedule.within(planned, pursuit.limits(follow_up, since), pursuit.calendar)
    give_date(pursuit, follow_up, planned.on, planned.reason, **changes)


def end_row(follow_up, ending, today, lesson=""):
    close_reminder(follow_up)
    put(follow_up, **ended(ending, today), lesson=lesson or follow_up.lesson)


def ended(ending, today):
    """Return the changes with which a follow-up ends."""
    return {
        "state": State.ENDED,
        "ending": ending,
        "ended_on": today,
        "next_on": None,
        "promised": False,
        "reason": "",
    }


def asleep(follow_up, until, ending, reason):
    """Return the changes with which a follow-up rests until a local date."""
    return {
        "state": State.RESTING,
        "ending": ending,
        "next_on": until,
        "promised": True,
        "reason": reason,
        "turn": follow_up.turn + 1,
    }
