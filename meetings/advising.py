"""Telling somebody what became of their advice."""

from django.db import transaction

from followups import pursuing, undoing
from followups.drafts import PLACEHOLDERS, Draft, links_to
from followups.models import Channel, Outcome, Via
from followups.planning import lock
from followups.pursuing import Entry
from followups.schedule import EMAIL
from meetings.debriefing import day_of
from meetings.models import Advice

SUBJECT = "What became of your advice"
UNTOLD = "[What I did with it, and what came of it, good or not]"


def draft_for(advice, me):
    """Return the followups.drafts.Draft that reports back to whoever gave the advice."""
    contact = advice.contact
    body = (
        f"Hello {contact.given_name},\n\n"
        f"when we met on {_said_when(advice, me)}, you advised me: {advice.text}\n\n"
        f"{advice.what_i_did or UNTOLD}\n\n"
        "No answer needed. I only wanted you to know that your time was well spent.\n\n"
        f"Kind regards\n{me.name or PLACEHOLDERS['my name']}"
    )
    links = links_to(contact, EMAIL, SUBJECT, body)
    missing = "" if links else f"There is no e-mail address of {contact.given_name} yet."
    return Draft(EMAIL, SUBJECT, body, links, missing)


def _said_when(advice, me):
    met = day_of(advice.debrief.meeting)
    return f"{met.day} {met:%B}" + (f" {met.year}" if met.year != me.today().year else "")


@transaction.atomic
def tell(advice, via=Via.APP):
    """They were told today. If the follow-up after the meeting is about to ask for just that, this
    was it; else it is a note in their story. Returns the Action, or None when they know already."""
    lock(advice.contact)
    row = Advice.objects.select_for_update(no_key=True).get(pk=advice.pk)
    if row.told_on:
        return None
    was = undoing.memory(row, "told_on")
    today = advice.contact.owner.today()
    row.told_on = today
    row.save(update_fields=["told_on"])
    due = _reporting_back(row)
    outcome = Outcome.SENT if due else Outcome.NOTED
    entry = Entry(Channel.EMAIL, outcome, today, note=f"Told what became of: {row.text}")
    action = pursuing.log(advice.contact, entry, via, follow_up=due)
    undoing.remember(action, was)
    return action


def _reporting_back(advice):
    """Return the follow-up whose present step reports back on the advice, once no other piece of
    advice from the contact waits to be told; else None."""
    if Advice.objects.to_tell().filter(contact=advice.contact_id).exists():
        return None
    follow_ups = advice.contact.follow_ups.open()
    return next((row for row in follow_ups if _reports_back(row.present)), None)


def _reports_back(step):
    return "{advice}" in step.template


def hear_of(follow_up, step, on):
    """Where a step was sent on the local date `on` that reports back, note that they were told: the
    advice of the debrief that the follow-up came from. Returns what undo must remember."""
    if not _reports_back(step):
        return []
    waiting = Advice.objects.to_tell().filter(contact=follow_up.contact_id)
    told = [
        advice
        for advice in waiting.exclude(debrief__saved_at=None).select_related("debrief")
        if follow_up.owner.today(advice.debrief.saved_at) == follow_up.opened_on
    ]
    Advice.objects.filter(pk__in=[advice.pk for advice in told]).update(told_on=on)
    return [undoing.memory(advice, "told_on") for advice in told]
