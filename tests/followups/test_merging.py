"""Two entries for one person become one: nothing is lost, no pursuit is doubled."""

import pytest
from django.utils import timezone

from contacts.models import Contact, ContactEmail
from followups import pursuing, undoing
from followups.checking import check_followups
from followups.merging import merge
from followups.models import FollowUp, Interaction, State
from followups.pursuing import CannotDo
from giveback.models import GiveBack
from introductions.models import Introduction
from meetings.models import Attendee, Meeting
from tests.factories import make_contact
from tests.followups.doing import MONDAY, attempt, playbook_of

pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
def double(alice):
    return make_contact(alice, "P. Raman", role="Head of data")


def test_everything_moves_to_the_one_that_is_kept(alice, priya, double):
    ContactEmail.objects.create(owner=alice, contact=double, address="priya@example.org")
    attempt(double)
    action = merge(priya, double)
    assert action.said == "P. Raman and Priya Raman are one person now."
    assert list(Contact.objects.for_user(alice)) == [priya]
    priya.refresh_from_db()
    assert (priya.role, priya.last_interaction_on) == ("Head of data", MONDAY)
    assert priya.emails.get().address == "priya@example.org"
    assert Interaction.objects.get().contact == priya
    assert FollowUp.objects.get(state=State.ACTIVE).contact == priya


def test_of_two_pursuits_of_one_playbook_the_one_that_asks_first_goes_on(priya, double):
    attempt(priya)
    pursuing.promise(FollowUp.objects.get(contact=priya), MONDAY.replace(month=12))
    attempt(double)
    merge(priya, double)
    going_on = FollowUp.objects.get(state=State.ACTIVE)
    assert going_on.next_on.month == 11
    assert FollowUp.objects.filter(contact=priya).count() == 2
    assert check_followups() == []


def test_what_the_rooms_above_know_moves_too_and_stands_there_once(alice, priya, double):
    zoe, start = make_contact(alice, "Zoe"), timezone.now()
    together, alone = (
        Meeting.objects.create(owner=alice, starts_at=start, time_zone="UTC") for _ in range(2)
    )
    for meeting, people in ((together, [priya, double]), (alone, [double])):
        for contact in people:
            Attendee.objects.create(owner=alice, meeting=meeting, contact=contact)
    gift = GiveBack.objects.create(owner=alice, contact=double, what="An article")
    asked = {"owner": alice, "wanted": "Somebody", "asked_on": MONDAY}
    by_her = Introduction.objects.create(introducer=double, target=zoe, **asked)
    to_herself = Introduction.objects.create(introducer=priya, target=double, **asked)
    merge(priya, double)
    assert [row.contact for row in Attendee.objects.order_by("meeting")] == [priya, priya]
    for row, field in ((gift, "contact"), (by_her, "introducer"), (to_herself, "introducer")):
        row.refresh_from_db()
        assert getattr(row, field) == priya
    assert to_herself.target is None


def test_a_wish_to_be_left_alone_holds_for_both(alice, priya, double):
    pursuing.begin(priya, playbook_of(alice, "cold-request"))
    pursuing.set_do_not_contact(double)
    merge(priya, double)
    priya.refresh_from_db()
    assert priya.do_not_contact
    assert not FollowUp.objects.open().exists()


def test_what_was_done_before_is_not_undone(priya, double):
    before = attempt(priya)
    merged = merge(priya, double)
    for action in (before, merged):
        with pytest.raises(CannotDo):
            undoing.undo(action)


def test_two_notebooks_are_never_merged(bob, priya):
    other = make_contact(bob)
    for double in (other, priya):
        with pytest.raises(CannotDo, match="your own notebook"):
            merge(priya, double)
