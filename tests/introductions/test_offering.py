"""I connect two of my contacts: both are asked first, and nobody learns why the other declined."""

import uuid
from datetime import timedelta

import pytest

from followups import pursuing, undoing
from followups.drafts import draft_for
from followups.models import Action, Ending, FollowUp, Interaction, State
from followups.planning import CannotDo
from giveback.models import Dismissed, GiveBack
from introductions import offering
from introductions.blurbs import joint, not_now
from introductions.models import Answer, Offer
from introductions.steps import waiting
from tests.factories import make_contact
from tests.followups.doing import MONDAY, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer(daniel, beatriz):
    return offering.offer(daniel, beatriz, "Beatriz needs a learning designer.")


def fresh(offer):
    return Offer.objects.with_people().with_standing().get(pk=offer.pk)


def asking(contact):
    return FollowUp.objects.get(contact=contact, playbook__slug="introduction-offered")


def steps_of(user):
    return [step.sentence for step in waiting(user)]


def undo(action):
    return undoing.undo(Action.objects.get(pk=action.pk))


def test_an_offer_asks_nobody_by_itself(alice, offer):
    assert not FollowUp.objects.exists()
    assert steps_of(alice) == [
        "You would like to connect Daniel and Beatriz.",
        "You would like to connect Beatriz and Daniel.",
    ]


def test_whom_i_connect_is_not_proposed_to_me_again(offer, daniel, beatriz):
    dismissed = Dismissed.objects.get()
    assert {dismissed.contact, dismissed.other} == {daniel, beatriz}


def test_the_same_form_twice_is_one_offer(daniel, beatriz):
    key = uuid.uuid4()
    first, second = (offering.offer(daniel, beatriz, key=key) for _ in range(2))
    assert first == second


def test_nobody_is_connected_with_themselves(daniel):
    with pytest.raises(CannotDo, match="two different people"):
        offering.offer(daniel, daniel)


def test_each_is_asked_in_words_about_the_other(alice, offer, daniel, beatriz):
    action = offering.ask_side(offer, "one")
    assert (fresh(offer).one_answer, fresh(offer).one_asked_on) == (Answer.ASKED, MONDAY)
    draft = draft_for(asking(daniel), alice)
    assert draft.subject == "Would you like to meet Beatriz Duarte?"
    assert "Beatriz needs a learning designer." in draft.body
    assert steps_of(alice) == ["You would like to connect Beatriz and Daniel."]
    undo(action)
    assert fresh(offer).one_answer == Answer.NOT_ASKED
    assert not FollowUp.objects.exists()


def test_who_was_asked_face_to_face_is_asked_again_only_later(offer, daniel):
    offering.ask_side(offer, "one", spoken=True)
    assert asking(daniel).next_on == MONDAY + timedelta(days=7)


def test_a_yes_ends_the_asking_and_is_remembered(alice, offer, daniel):
    offering.ask_side(offer, "one")
    action = offering.answer(offer, "one", yes=True)
    assert asking(daniel).ending == Ending.REPLIED
    assert fresh(offer).one_answer == Answer.YES
    assert Interaction.objects.get().note == "Yes to meeting Beatriz Duarte."
    undo(action)
    assert asking(daniel).state == State.ACTIVE
    assert fresh(offer).one_answer == Answer.ASKED


def test_an_answer_elsewhere_asks_here_what_it_was(alice, offer, daniel):
    offering.ask_side(offer, "one")
    answer(daniel)
    assert steps_of(alice)[0] == "What did Daniel say about meeting Beatriz?"


def test_a_no_before_the_other_was_asked_ends_it_quietly(alice, offer, beatriz):
    offering.ask_side(offer, "one")
    offering.answer(offer, "one", yes=False)
    assert fresh(offer).ended_on == MONDAY
    assert steps_of(alice) == []
    assert not Interaction.objects.filter(contact=beatriz).exists()


def test_whoever_waits_is_told_without_a_reason(alice, offer, daniel, beatriz):
    offering.ask_side(offer, "one")
    offering.ask_side(offer, "other")
    action = offering.answer(offer, "one", yes=False)
    # Beatriz is asked no more, and nothing says why.
    assert asking(beatriz).ending == Ending.LET_GO
    [step] = waiting(alice)
    assert step.sentence == "Beatriz waits to hear about Daniel. It does not fit at the moment."
    [side] = fresh(offer).to_tell
    letter = not_now(side, alice)
    assert "It does not fit at the moment" in letter.body
    assert "said no" not in letter.body
    undo(action)
    assert asking(beatriz).state == State.ACTIVE
    offering.answer(offer, "one", yes=False)
    offering.told(offer, "other")
    assert fresh(offer).ended_on == MONDAY
    assert steps_of(alice) == []


def test_two_noes_need_no_word(alice, offer):
    offering.ask_side(offer, "one")
    offering.ask_side(offer, "other")
    offering.answer(offer, "one", yes=False)
    offering.answer(offer, "other", yes=False)
    assert fresh(offer).ended_on == MONDAY


def test_after_a_no_nobody_else_is_asked(offer):
    offering.ask_side(offer, "one")
    offering.ask_side(offer, "other")
    offering.answer(offer, "one", yes=False)
    with pytest.raises(CannotDo, match="does not fit"):
        offering.ask_side(offer, "other")


@pytest.fixture
def agreed(offer):
    for side in ("one", "other"):
        offering.answer(offer, side, yes=True)
    return fresh(offer)


def test_when_both_say_yes_the_joint_mail_is_drafted(alice, agreed, daniel, beatriz):
    daniel.emails.create(owner=alice, address="daniel@example.org")
    beatriz.emails.create(owner=alice, address="b+1@example.org")
    assert steps_of(alice) == ["Both said yes: Daniel and Beatriz."]
    letter = joint(agreed, alice)
    assert letter.subject == "Intro: Daniel Mbeki <> Beatriz Duarte"
    assert letter.href.startswith("mailto:daniel@example.org,b%2B1@example.org?subject=Intro%3A%20")
    assert "Beatriz needs a learning designer." in letter.body


def test_who_has_no_address_is_named(alice, agreed, daniel):
    letter = joint(agreed, alice)
    assert [person.given_name for person in letter.missing] == ["Daniel", "Beatriz"]
    assert letter.href == ""


def test_connecting_them_is_a_give_back_to_both(alice, agreed, daniel, beatriz):
    action = offering.made(agreed)
    assert fresh(agreed).made_on == MONDAY
    gifts = {(gift.contact, gift.kind, gift.what) for gift in GiveBack.objects.all()}
    assert gifts == {
        (daniel, "connection", "an introduction to Beatriz Duarte"),
        (beatriz, "connection", "an introduction to Daniel Mbeki"),
    }
    assert steps_of(alice) == []
    with pytest.raises(CannotDo, match="over already"):
        offering.made(agreed)
    undo(action)
    assert not GiveBack.objects.exists()
    assert fresh(agreed).made_on is None


def test_nobody_is_connected_before_both_said_yes(offer):
    offering.answer(offer, "one", yes=True)
    with pytest.raises(CannotDo, match="Both need to say yes"):
        offering.made(offer)


def test_letting_go_stops_asking_both(alice, offer, daniel, beatriz):
    offering.ask_side(offer, "one")
    offering.ask_side(offer, "other")
    action = offering.let_go(offer)
    assert {asking(daniel).ending, asking(beatriz).ending} == {Ending.LET_GO}
    assert steps_of(alice) == []
    undo(action)
    assert {asking(daniel).state, asking(beatriz).state} == {State.ACTIVE}
    assert fresh(offer).is_open


def test_two_offers_to_one_person_are_asked_in_one_mail(alice, offer, daniel):
    offering.ask_side(offer, "one")
    second = offering.offer(daniel, make_contact(alice, "Farah Karimi"))
    offering.ask_side(second, "one")
    subject = draft_for(asking(daniel), alice).subject
    assert subject == "Would you like to meet Beatriz Duarte and Farah Karimi?"
    offering.let_go(offer)
    assert draft_for(asking(daniel), alice).subject == "Would you like to meet Farah Karimi?"


def test_who_wants_no_contact_is_not_asked(offer, daniel):
    pursuing.set_do_not_contact(daniel)
    with pytest.raises(CannotDo, match="do not contact"):
        offering.ask_side(offer, "one")
    assert fresh(offer).one_answer == Answer.NOT_ASKED


def test_another_reason_is_said_by_what_is_drafted_next(alice, offer, daniel):
    offering.ask_side(offer, "one")
    offering.reword(offer, "Both teach.")
    body = draft_for(asking(daniel), alice).body
    assert "Both teach." in body
    assert "learning designer" not in body
