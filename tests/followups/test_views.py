"""The buttons: each works, answers in place, is harmless twice, and refuses in a sentence."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts.models import Contact
from followups import planning
from followups.models import Action, FollowUp, Interaction, Reminder, State
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def priya(alice):
    return make_contact(alice, "Priya Raman")


@pytest.fixture
def due(priya):
    """A call that is due today."""
    follow_up = make_follow_up(priya)
    if not follow_up.reminders.open().exists():  # today is no work day
        planning.raise_reminder(follow_up)
    return follow_up


def post(client, name, pk, htmx=False, **data):
    headers = {"HX-Request": "true", "HX-Target": f"fu-{pk}"} if htmx else {}
    return client.post(reverse(f"followups:{name}", args=[pk]), data, headers=headers)


def press(client, follow_up, outcome, key=None, turn=None, **more):
    follow_up.refresh_from_db()
    turn = follow_up.turn if turn is None else turn
    data = {"outcome": outcome, "key": key or uuid.uuid4(), "turn": turn}
    return post(client, "outcome", follow_up.pk, **data, **more)


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "sent"])
def test_unanswered_outcome_says_the_next_date_and_why(alice_client, due, outcome):
    answer = press(alice_client, due, outcome, htmx=True).content.decode()
    due.refresh_from_db()
    assert due.attempts == 1
    assert due.next_on > due.owner.today()
    assert "I will bring Priya back on" in answer
    assert due.reason in answer
    assert "Undo" in answer


@pytest.mark.parametrize("outcome", ["replied", "talked"])
def test_an_answer_ends_it(alice_client, due, outcome):
    press(alice_client, due, outcome, htmx=True)
    due.refresh_from_db()
    assert (due.state, due.ending) == (State.ENDED, "replied")
    assert not Reminder.objects.open().exists()


def test_without_scripts_it_redirects_back_with_the_sentence(alice_client, due):
    answer = alice_client.post(
        reverse("followups:outcome", args=[due.pk]),
        {"outcome": "sent", "key": uuid.uuid4(), "turn": due.turn, "next": "/"},
        follow=True,
    )
    assert answer.redirect_chain == [("/", 302)]
    assert "I will bring Priya back" in answer.content.decode()


def test_it_redirects_nowhere_else(alice_client, due):
    answer = press(alice_client, due, "sent", next="//evil.example/")
    assert answer.url == reverse("contacts:contact", args=[due.contact_id])


def test_the_same_button_twice_counts_once(alice_client, due):
    key = uuid.uuid4()
    press(alice_client, due, "sent", key=key, turn=due.turn)
    press(alice_client, due, "sent", key=key, turn=due.turn)
    assert Interaction.objects.count() == 1


def test_a_stale_page_does_not_log_a_second_try(alice_client, due):
    shown = due.turn
    press(alice_client, due, "sent", turn=shown)
    press(alice_client, due, "sent", turn=shown)
    assert Interaction.objects.count() == 1


def test_undo_brings_the_row_back(alice_client, due):
    press(alice_client, due, "voicemail", htmx=True)
    action = Action.objects.get(verb="logged")
    answer = post(alice_client, "undo", action.pk, htmx=True).content.decode()
    due.refresh_from_db()
    assert due.attempts == 0
    assert due.reminders.open().count() == 1
    assert not Interaction.objects.exists()
    assert f'id="fu-{due.pk}"' in answer
    assert "Left voicemail" in answer


def test_an_unknown_outcome_is_refused_in_a_sentence(alice_client, due):
    answer = press(alice_client, due, "shouted", htmx=True)
    assert answer.status_code == 422
    assert "Choose one of the buttons" in answer.content.decode()
    assert f'id="fu-{due.pk}"' in answer.content.decode()


def test_snooze_offers_days_and_takes_a_date(alice_client, due):
    today = due.owner.today()
    post(alice_client, "snooze", due.pk, until="week")
    due.refresh_from_db()
    assert due.next_on == today + timedelta(days=7)
    post(alice_client, "snooze", due.pk, on=today + timedelta(days=3))
    due.refresh_from_db()
    assert due.next_on == today + timedelta(days=3)


@pytest.mark.parametrize("data", [{}, {"on": "yesterday"}, {"on": "2020-01-01"}, {"until": "x"}])
def test_snooze_refuses_what_is_no_coming_day(alice_client, due, data):
    answer = post(alice_client, "snooze", due.pk, htmx=True, **data)
    assert answer.status_code == 422
    due.refresh_from_db()
    assert due.next_on is None


def test_skip_rest_pause_resume_end(alice_client, due):
    post(alice_client, "skip", due.pk)
    due.refresh_from_db()
    assert (due.step, due.attempts) == (1, 0)
    post(alice_client, "pause", due.pk)
    due.refresh_from_db()
    assert (due.state, due.next_on) == (State.PAUSED, None)
    post(alice_client, "resume", due.pk)
    due.refresh_from_db()
    assert due.state == State.ACTIVE
    post(alice_client, "rest", due.pk)
    due.refresh_from_db()
    assert due.state == State.RESTING
    assert due.next_on == due.owner.today() + timedelta(days=90)
    post(alice_client, "end", due.pk, ending="declined")
    due.refresh_from_db()
    assert (due.state, due.ending) == (State.ENDED, "declined")


def test_another_way_answers_the_closing_question(alice_client, alice, due):
    last = len(due.steps) - 1
    FollowUp.objects.filter(pk=due.pk).update(step=last)
    playbook = due.playbook.__class__.objects.for_user(alice).get(slug="cold-request")
    post(alice_client, "another_way", due.pk, playbook=playbook.pk)
    due.refresh_from_db()
    assert due.state == State.ENDED
    assert FollowUp.objects.open().get().playbook == playbook


@pytest.mark.parametrize(
    "name", ["outcome", "snooze", "skip", "rest", "pause", "resume", "end", "another_way"]
)
def test_only_post_and_only_the_owner(alice_client, bob_client, due, name):
    url = reverse(f"followups:{name}", args=[due.pk])
    assert alice_client.get(url).status_code == 405
    assert bob_client.post(url).status_code == 404
    assert alice_client.post(reverse(f"followups:{name}", args=[due.pk + 999])).status_code == 404


def log(client, **data):
    data = {"happened": "voicemail", "on": "2026-11-02", "note": "", "key": uuid.uuid4()} | data
    return client.post(reverse("followups:log"), data)


def test_log_finds_the_person_by_the_start_of_a_name(alice_client, priya):
    answer = log(alice_client, who="priya")
    assert answer.url == priya.get_absolute_url()
    follow_up = FollowUp.objects.get(contact=priya)
    assert follow_up.name == "Unanswered call"


def test_log_asks_which_person_was_meant(alice_client, alice, priya):
    other = make_contact(alice, "Priya Shah")
    answer = log(alice_client, who="priya")
    assert answer.status_code == 422
    assert "Which one was it?" in answer.content.decode()
    assert log(alice_client, who="priya", contact=other.pk).url == other.get_absolute_url()


def test_log_adds_a_new_person_only_when_told_to(alice_client, alice):
    answer = log(alice_client, who="Nora Unknown")
    assert answer.status_code == 422
    assert not Contact.objects.exists()
    key = uuid.uuid4()
    log(alice_client, who="Nora Unknown", contact="new", key=key)
    log(alice_client, who="Nora Unknown", contact="new", key=key)
    assert Contact.objects.get().name == "Nora Unknown"


def test_log_never_finds_other_peoples_contacts(bob_client, priya):
    assert log(bob_client, who="priya").status_code == 422
    assert log(bob_client, who="priya", contact=priya.pk).status_code == 422
    assert not Interaction.objects.exists()


def test_log_refuses_a_day_that_has_not_come(alice_client, priya):
    tomorrow = priya.owner.today() + timedelta(days=1)
    answer = log(alice_client, who="priya", on=tomorrow)
    assert answer.status_code == 422
    assert "has not come yet" in answer.content.decode()


def test_log_form_offers_only_own_playbooks(alice, bob, priya):
    foreign = make_follow_up(make_contact(bob)).playbook
    answer = log(client_of(alice), who="priya", playbook=foreign.pk)
    assert answer.status_code == 422


def test_quick_log_on_the_contact_page(alice_client, bob_client, priya):
    url = reverse("followups:log_contact", args=[priya.pk])
    data = {"happened": "email", "key": uuid.uuid4()}
    assert bob_client.post(url, data).status_code == 404
    assert alice_client.post(url, data).url == priya.get_absolute_url()
    assert FollowUp.objects.get().name == "Cold request (3B7)"
    assert alice_client.post(url, {"happened": "?"}).status_code == 422


def test_begin_and_do_not_contact(alice_client, bob_client, alice, priya):
    playbook = make_follow_up(make_contact(alice, "Ann")).playbook
    url = reverse("followups:begin", args=[priya.pk])
    assert bob_client.post(url, {"playbook": playbook.pk}).status_code == 404
    alice_client.post(url, {"playbook": playbook.pk, "purpose": "Ask about the lab"})
    follow_up = FollowUp.objects.get(contact=priya)
    assert follow_up.purpose == "Ask about the lab"
    alice_client.post(reverse("followups:do_not_contact", args=[priya.pk]))
    follow_up.refresh_from_db()
    priya.refresh_from_db()
    assert priya.do_not_contact
    assert follow_up.state == State.ENDED
    refused = alice_client.post(url, {"playbook": playbook.pk}, follow=True)
    assert "marked as do not contact" in refused.content.decode()


def test_out_of_office_asks_for_the_last_day_away(alice_client, alice, due):
    log = reverse("followups:log_contact", args=[due.contact_id])
    asked = alice_client.post(log, {"happened": "out_of_office"})
    assert asked.status_code == 422
    assert "Write the last day away, today or later." in asked.content.decode()
    assert 'name="until"' in asked.content.decode()
    away = alice.today() + timedelta(days=30)
    alice_client.post(log, {"happened": "out_of_office", "until": away.isoformat()})
    due.refresh_from_db()
    assert due.state == State.PAUSED
    assert due.next_on > away
