"""Short words for what the tests of follow-ups do, and a picture of everything they changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from django.db import connections

from contacts.models import Contact
from followups import pursuing
from followups.models import Channel, FollowUp, Interaction, Outcome, Playbook, Reminder
from followups.pursuing import Entry

MONDAY = date(2026, 11, 9)
MONDAY_MORNING = "2026-11-09T09:00:00+00:00"


def attempt(contact, on=None, outcome=Outcome.VOICEMAIL, channel=Channel.CALL, to=None, **more):
    """Log an interaction, a voicemail of today unless said otherwise. `to` is its follow-up."""
    entry = Entry(channel, outcome, on or contact.owner.today(), **more)
    return pursuing.log(contact, entry, follow_up=to)


def answer(contact, outcome=Outcome.TALKED, **more):
    return attempt(contact, outcome=outcome, **more)


def playbook_of(user, slug):
    return Playbook.objects.for_user(user).get(slug=slug)


def only_follow_up(contact):
    return FollowUp.objects.get(contact=contact)


def open_reminders(contact):
    return list(Reminder.objects.open().filter(follow_up__contact=contact))


def picture(contact):
    """Return every row of the contact that a verb may touch, except the record of the verbs."""
    mine = {"contact": contact.pk}
    return {
        "contact": list(Contact.objects.filter(pk=contact.pk).values()),
        "follow_ups": list(FollowUp.objects.filter(**mine).order_by("pk").values()),
        "reminders": list(
            Reminder.objects.filter(follow_up__contact=contact).order_by("pk").values()
        ),
        "interactions": list(Interaction.objects.filter(**mine).order_by("pk").values()),
    }


def at_once(*jobs):
    """Run the jobs at the same moment, each in a thread with its own connection."""
    together = Barrier(len(jobs))

    def run(job):
        try:
            together.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))
