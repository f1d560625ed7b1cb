"""Follow-ups, interactions and playbooks, many at once, through the engine."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts import bulk
from contacts.models import BulkChange, Contact
from followups import pursuing
from followups.models import Action, Ending, FollowUp, Interaction, Playbook, State, Via
from tests.admin.doing import change_url, edit_list, list_url, run_action, said, told
from tests.factories import make_contact, make_follow_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def follow_up(alice):
    return make_follow_up(make_contact(alice))


@pytest.fixture
def later(alice):
    return alice.today() + timedelta(days=30)


def shown(client, query=""):
    return list(client.get(list_url(FollowUp, query)).context["cl"].result_list)


def do(client, action, follow_up, **answers):
    answer = run_action(client, FollowUp, action, [follow_up], query="?standing=all", **answers)
    follow_up.refresh_from_db()
    assert not FollowUp.objects.silent().exists()
    return told(client, answer)


def test_every_verb_goes_through_the_engine(alice_client, follow_up, later):
    message = do(alice_client, "pause", follow_up, until="")
    assert message == "1 person paused until you resume them."
    assert (follow_up.state, follow_up.next_on) == (State.PAUSED, None)
    assert do(alice_client, "resume", follow_up) == "1 person taken up again."
    assert follow_up.state == State.ACTIVE
    do(alice_client, "snooze", follow_up, until=later)
    assert follow_up.next_on == later
    do(alice_client, "rest", follow_up, until=later, lesson="Too early")
    assert (follow_up.state, follow_up.lesson) == (State.RESTING, "Too early")
    do(alice_client, "end", follow_up, ending=Ending.DECLINED)
    assert (follow_up.state, follow_up.ending) == (State.ENDED, Ending.DECLINED)
    assert do(alice_client, "pause", follow_up, until="") == "1 person stays as they are."
    page = alice_client.get(change_url(BulkChange.objects.first())).content.decode()
    assert "Priya Raman: That follow-up has already ended." in page
    assert set(Action.objects.exclude(verb="opened").values_list("via", flat=True)) == {Via.ADMIN}


def test_many_are_moved_in_the_background_and_put_back_from_the_page_of_the_change(
    alice, alice_client, later
):
    rows = [make_follow_up(make_contact(alice, f"Person {nth:02}")) for nth in range(30)]
    days = set(FollowUp.objects.values_list("pk", "next_on"))
    answer = run_action(alice_client, FollowUp, "snooze", rows[:1], across=True, until=later)
    assert told(alice_client, answer) == "Under way for 30 people."
    bulk.run_changes()
    assert set(FollowUp.objects.values_list("next_on", flat=True)) == {later}
    change = BulkChange.objects.get()
    page = alice_client.get(change_url(change)).content.decode()
    assert "30 people snoozed until" in page
    assert ">Undo</button>" in page
    alice_client.post(reverse("admin:contacts_bulkchange_undo", args=[change.pk]))
    bulk.run_changes()
    assert set(FollowUp.objects.values_list("pk", "next_on")) == days


def test_what_is_chosen_across_pages_keeps_to_the_filters(alice, alice_client, follow_up, later):
    pursuing.pause(follow_up)
    other = make_follow_up(make_contact(alice, "Daniel"))
    answers = {"until": later}
    answer = run_action(
        alice_client, FollowUp, "snooze", [other], True, "?standing=paused", **answers
    )
    assert told(alice_client, answer).startswith("1 person snoozed")
    assert FollowUp.objects.get(next_on=later) == follow_up


def test_the_same_form_sent_twice_is_done_once(alice, alice_client, follow_up, later):
    other = make_follow_up(make_contact(alice, "Daniel"))
    key = "5f1c0a44-7c1f-4a55-9d0e-6f0a9d9e2f11"
    for row in (follow_up, follow_up, other):
        run_action(alice_client, FollowUp, "snooze", [row], until=later, key=key)
    assert Action.objects.filter(verb="snoozed").count() == 2
    assert BulkChange.objects.count() == 2


def test_a_day_that_has_passed_is_asked_again(alice, alice_client, follow_up):
    for action in ("snooze", "pause", "rest"):
        page = run_action(alice_client, FollowUp, action, [follow_up], until=alice.today())
        assert page.status_code == 422
        assert "Choose a day after today." in page.content.decode()


def test_other_peoples_follow_ups_stay(bob_client, follow_up):
    before = FollowUp.objects.filter(pk=follow_up.pk).values().get()
    run_action(bob_client, FollowUp, "end", [follow_up], ending=Ending.DECLINED)
    assert not BulkChange.objects.exists()
    edit_list(bob_client, FollowUp, follow_up, purpose="x", lesson="x")
    assert FollowUp.objects.filter(pk=follow_up.pk).values().get() == before


def test_purpose_and_lesson_are_edited_and_dates_are_not(alice_client, follow_up, later):
    before = follow_up.next_on
    edit_list(alice_client, FollowUp, follow_up, purpose="Advice", lesson="Ask", next_on=later)
    alice_client.post(
        change_url(follow_up),
        {"purpose": "Advice", "lesson": "", "next_on": later, "state": "ended"},
    )
    follow_up.refresh_from_db()
    assert (follow_up.purpose, follow_up.lesson, follow_up.next_on) == ("Advice", "", before)
    assert follow_up.state == State.ACTIVE


def test_the_list_shows_what_is_under_way_unless_asked(alice, alice_client, follow_up, later):
    ended = make_follow_up(make_contact(alice, "Daniel"))
    pursuing.end(ended, Ending.DECLINED)
    coming = make_follow_up(make_contact(alice, "Maria"))
    pursuing.snooze(coming, later)
    paused = make_follow_up(make_contact(alice, "Aiko"))
    pursuing.pause(paused)
    assert set(shown(alice_client)) == {follow_up, coming, paused}
    assert shown(alice_client, "?standing=ended") == [ended]
    assert shown(alice_client, "?standing=paused") == [paused]
    assert coming in shown(alice_client, "?standing=coming")
    assert shown(alice_client, "?q=maria") == [coming]
    assert shown(alice_client, "?playbook=cold-request") == []
    assert len(shown(alice_client, "?standing=all")) == 4


def test_follow_ups_are_begun_with_people_not_here(alice_client):
    assert alice_client.get(list_url(FollowUp) + "add/").status_code == 403


def test_notes_are_improved_and_the_rest_stays(alice, alice_client):
    entry = pursuing.Entry(channel="call", outcome="voicemail", on=alice.today())
    pursuing.log(make_contact(alice), entry)
    interaction = Interaction.objects.get()
    edit_list(alice_client, Interaction, interaction, note="About the meetup", outcome="talked")
    interaction.refresh_from_db()
    assert (interaction.note, interaction.outcome) == ("About the meetup", "voicemail")
    assert alice_client.get(list_url(Interaction, "?q=priya")).context["cl"].result_count == 1
    assert alice_client.get(list_url(Interaction) + "add/").status_code == 403
    assert alice_client.get(change_url(interaction, "delete")).status_code == 403


def test_a_playbook_of_ones_own(alice, alice_client, follow_up):
    steps = [
        {"wait": 2, "channel": "call", "hint": "Call"},
        {"wait": 5, "channel": "decide", "hint": "Decide"},
    ]
    fields = {"name": "Unanswered call", "steps": json.dumps(steps), "rest_days": 30}
    added = alice_client.post(list_url(Playbook) + "add/", fields)
    assert added.status_code == 302, added.context["errors"]
    assert Playbook.objects.for_user(alice).filter(name="Unanswered call").count() == 2
    steps_before = follow_up.steps
    alice_client.post(change_url(follow_up.playbook), fields)
    follow_up.refresh_from_db()
    assert follow_up.steps == steps_before
    assert len(follow_up.playbook.steps) == 2


def test_a_playbook_for_those_who_do_not_answer_stays(alice, alice_client):
    everything = Playbook.objects.for_user(alice)
    refused = run_action(alice_client, Playbook, "delete_rows", everything)
    assert "This is your last playbook" in said(alice_client, refused)
    assert everything.count() == 9
    *others, last = everything.filter(ends_on_answer=True)
    deleted = run_action(alice_client, Playbook, "delete_rows", others)
    assert said(alice_client, deleted) == "Deleted 6 playbooks."
    assert alice_client.post(change_url(last, "delete"), {"post": "yes"}).status_code == 403


def test_not_now_has_a_date(alice_client, follow_up, later):
    message = do(alice_client, "not_now", follow_up, until=later)
    assert message.startswith("1 person said not now, to be asked again on ")
    assert (follow_up.state, follow_up.ending, follow_up.next_on) == (
        State.RESTING,
        Ending.NOT_NOW,
        later,
    )


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("not json", "That is not a list of steps."),
        ("[]", "This field is required."),
        ("7", "Each step needs a wait, a channel and a hint."),
        ('[{"wait": 1, "channel": "fax", "hint": "x"}]', "A step&#x27;s channel is one of"),
    ],
)
def test_a_broken_playbook_is_refused_in_a_sentence(alice, alice_client, steps, sentence):
    playbook = Playbook.objects.for_user(alice).first()
    fields = {"name": playbook.name, "steps": steps, "rest_days": 90}
    page = alice_client.post(change_url(playbook), fields)
    assert sentence in page.content.decode()


def test_deleting_contacts_takes_their_follow_ups_along(alice_client, follow_up):
    page = alice_client.get(change_url(follow_up.contact, "delete"))
    assert "Follow-ups: 1" in page.content.decode()
    alice_client.post(change_url(follow_up.contact, "delete"), {"post": "yes"})
    assert not Contact.objects.exists()
