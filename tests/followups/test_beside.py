"""What the rooms above build on: companions of an action, drafts that know more, a start further
on, and an undo that puts their rows back too."""

from datetime import timedelta

import pytest

from contacts.models import Contact
from followups import pursuing, undoing
from followups.drafts import draft_for
from followups.models import Channel, Direction, FollowUp, Interaction, Outcome, State
from followups.pursuing import Entry
from giveback.models import GiveBack
from tests.factories import make_contact
from tests.followups.doing import MONDAY, only_follow_up, picture, playbook_of

pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
def zoe(alice):
    return make_contact(alice, "Zoe Laurent")


def met(contact, **more):
    return pursuing.log(contact, Entry(Channel.MEETING, Outcome.MET, MONDAY), **more)


def test_undoing_the_first_undoes_what_was_done_beside_it(alice, priya, zoe):
    before = picture(priya), picture(zoe)
    first = met(priya)
    met(zoe, beside=first)
    pursuing.begin(priya, playbook_of(alice, "after-a-meeting"), beside=first)
    undoing.undo(first)
    assert (picture(priya), picture(zoe)) == before


def test_undoing_what_was_done_beside_it_undoes_the_first_too(alice, priya, zoe):
    before = picture(priya), picture(zoe)
    first = met(priya)
    thanks = pursuing.begin(priya, playbook_of(alice, "after-a-meeting"), beside=first)
    beside = met(zoe, beside=first)
    for action in (thanks, beside):
        undoing.undo(action)
    assert (picture(priya), picture(zoe)) == before


def test_what_is_newer_with_the_other_stays(alice, priya, zoe):
    first = met(priya)
    met(zoe, beside=first)
    met(zoe)
    undoing.undo(first)
    assert Interaction.objects.filter(contact=zoe).count() == 2


def test_undo_puts_rows_of_other_rooms_back_and_deletes_those_it_made(alice, priya):
    gift = GiveBack.objects.create(
        owner=alice, contact=priya, what="An article", state="promised", due_on=MONDAY
    )
    was = undoing.memory(gift, "state", "due_on", "done_on", "mailed", "interaction", "key")
    action = met(priya)
    extra = GiveBack.objects.create(owner=alice, contact=priya, what="A thought")
    before = GiveBack.objects.filter(pk=gift.pk).values()[0]
    GiveBack.objects.filter(pk=gift.pk).update(
        state="done", due_on=None, done_on=MONDAY, mailed=3, interaction=action.interaction
    )
    undoing.remember(action, was, undoing.made(extra))
    undoing.undo(action)
    assert list(GiveBack.objects.values()) == [before]


def test_undo_touches_no_row_of_somebody_else(alice, bob, priya):
    theirs = GiveBack.objects.create(owner=bob, contact=make_contact(bob), what="His")
    action = met(priya)
    undoing.remember(action, undoing.made(theirs))
    undoing.undo(action)
    assert GiveBack.objects.get() == theirs


def test_a_follow_up_may_begin_further_on(alice, priya):
    """Thanks are due a work day after the coffee, though it is logged two days later."""
    friday = MONDAY - timedelta(days=3)
    pursuing.begin(priya, playbook_of(alice, "after-a-meeting"), done=1, since=friday)
    follow_up = only_follow_up(priya)
    assert (follow_up.step, follow_up.open_reminder.due_on) == (1, MONDAY)


def test_a_draft_says_what_the_room_above_knows(alice, priya):
    pursuing.begin(
        priya,
        playbook_of(alice, "after-a-meeting"),
        done=1,
        facts={"takeaway": "write to Zoe first"},
    )
    assert "write to Zoe first" in draft_for(only_follow_up(priya), alice).body


def test_a_second_purpose_joins_the_follow_up_and_the_earlier_date_counts(alice, priya):
    book = playbook_of(alice, "they-promised")
    late, early = MONDAY + timedelta(days=30), MONDAY + timedelta(days=10)
    pursuing.begin(priya, book, purpose="the slides", on=late)
    before = picture(priya)
    action = pursuing.begin(priya, book, purpose="a name", on=early, facts={"why": "x"})
    pursuing.begin(priya, book, purpose="a name", on=late)
    follow_up = only_follow_up(priya)
    assert (follow_up.purpose, follow_up.next_on) == ("the slides; a name", early)
    assert follow_up.facts == {"why": "x"}
    undoing.undo(FollowUp.objects.get().actions.first())
    undoing.undo(action)
    assert picture(priya) == before


def test_something_given_resets_the_rhythm_and_ends_no_pursuit(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"))
    pursuing.log(priya, Entry(Channel.MESSAGE, Outcome.GAVE, MONDAY))
    assert only_follow_up(priya).state == State.ACTIVE
    assert Contact.objects.get(pk=priya.pk).last_interaction_on == MONDAY


def test_something_they_gave_is_an_answer(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"))
    pursuing.log(priya, Entry(Channel.EMAIL, Outcome.GAVE, MONDAY, Direction.IN))
    assert only_follow_up(priya).state == State.ENDED


def test_being_introduced_is_no_contact_yet(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "introduced"))
    pursuing.log(priya, Entry(Channel.EMAIL, Outcome.INTRODUCED, MONDAY))
    assert only_follow_up(priya).state == State.ACTIVE
    assert Contact.objects.get(pk=priya.pk).last_interaction_on is None


def test_a_deleted_playbook_gives_way_to_another_pursuit(alice):
    playbook_of(alice, "introduced").delete()
    found = pursuing.playbook_for(alice, "introduced")
    assert found.owner == alice
    assert found.ends_on_answer
