"""Plain functions that make rows."""

from contacts.models import Contact
from followups import pursuing
from followups.models import FollowUp, Playbook
from giveback.models import ShelfItem
from meetings.models import Attendee, Meeting
from netcrm.models import User
from opportunities import tracking
from opportunities.models import Opportunity, Stage


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


def make_item(owner, title="Data stories that stick", topics=(), **fields):
    item = ShelfItem.objects.create(owner=owner, title=title, **fields)
    item.set_topics(topics)
    return item


def make_opening(owner, title="Service designer", people=(), stage=Stage.HEARD_OF, **fields):
    opening = Opportunity(owner=owner, title=title, **({"heard_on": owner.today()} | fields))
    return tracking.open_(opening, people, stage)


def make_meeting(*contacts, **fields):
    """Make a meeting with contacts of one owner; nothing is logged and nothing ends."""
    owner = contacts[0].owner
    meeting = Meeting.objects.create(owner=owner, **({"time_zone": owner.time_zone} | fields))
    for contact in contacts:
        Attendee.objects.create(owner=owner, meeting=meeting, contact=contact)
    return meeting
