"""Plain functions that make rows."""

from contacts.models import Contact
from followups import pursuing
from followups.models import FollowUp, Playbook
from netcrm.models import User


def make_user(email, **fields):
    defaults = {"time_zone": "Europe/Vienna", "password": "a long enough pass phrase"}
    return User.objects.create_user(email, **(defaults | fields))


def make_contact(owner, name="Priya Raman", **fields):
    contact = Contact.objects.create(owner=owner, name=name, **fields)
    contact.reindex()
    return contact


def make_follow_up(contact, slug="unanswered-call", **fields):
    """Open a follow-up through the engine, then set fields of the row directly."""
    playbook = Playbook.objects.for_user(contact.owner).get(slug=slug)
    pursuing.begin(contact, playbook)
    follow_up = FollowUp.objects.get(contact=contact, playbook=playbook)
    if fields:
        FollowUp.objects.filter(pk=follow_up.pk).update(**fields)
        follow_up.refresh_from_db()
    return follow_up
