"""What a person sees and does on one follow-up: when to call, what they heard, whom to ask next,
one lesson, and everything that was done."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, ContactEmail, Organisation
from followups import pursuing
from followups.models import Action, FollowUp, Interaction, State, Via
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import MONDAY, attempt, playbook_of

pytestmark = pytest.mark.django_db
EIGHT_IN_VIENNA = "2026-11-09T07:00:00+00:00"
IN_A_WEEK = MONDAY + timedelta(days=7)


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(EIGHT_IN_VIENNA, tick=False):
        yield


@pytest.fixture
def aster(alice):
    return Organisation.objects.create(owner=alice, name="Aster")


@pytest.fixture
def priya(alice, aster):
    return make_contact(alice, "Priya Raman", organisation=aster)


@pytest.fixture
def due(priya):
    """A call that is due today."""
    return make_follow_up(priya)


@pytest.fixture
def to_colleague(priya):
    """A follow-up whose present step, due today, is to write to the next person there."""
    wednesday, cold = MONDAY - timedelta(days=5), playbook_of(priya.owner, "cold-request")
    attempt(priya, on=wednesday, channel="email", outcome="sent", playbook=cold)
    follow_up = FollowUp.objects.get(contact=priya)
    assert follow_up.present.colleague
    return follow_up


def url_of(name, pk):
    return reverse(f"followups:{name}", args=[pk])


def post(client, name, follow_up, /, htmx=True, **data):
    follow_up.refresh_from_db()
    data = {"turn": follow_up.turn, "key": uuid.uuid4()} | data
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(url_of(name, follow_up.pk), data, headers=headers)


def get(client, name, pk, htmx=False):
    headers = {"HX-Request": "true"} if htmx else {}
    return client.get(url_of(name, pk), headers=headers).content.decode()


def today(client):
    return client.get("/").content.decode()


def test_two_of_one_person_are_told_apart_by_every_name(alice_client, due, priya, go_to):
    make_follow_up(priya, "cold-request")
    go_to(MONDAY + timedelta(days=2))
    html = today(alice_client)
    labels = re.findall(r'aria-label="([^"]*Priya[^"]*)"', html)
    hidden = re.findall(r'<span class="sr">([^<]*Priya[^<]*)</span>', html)
    for names in (labels, hidden):
        assert len(set(names)) == len(names)
    for name in ("Unanswered call", "Cold request (3B7)"):
        assert f"{name}: what happened with Priya Raman?" in labels
        assert f"Snooze Priya, {name}" in hidden


# When to call


def test_the_row_says_which_attempt_and_when(alice_client, due):
    assert "Attempt 1 of 4. Try today before ten." in today(alice_client)
    FollowUp.objects.filter(pk=due.pk).update(window="afternoon", attempts=2)
    assert "Attempt 3 of 4. Try today after four." in today(alice_client)


def test_it_is_told_by_both_clocks_for_somebody_far_away(alice_client, due, priya):
    Contact.objects.filter(pk=priya.pk).update(time_zone="America/New_York")
    assert "Try today between 8:30 and 10:00 for Priya, 14:30 and 16:00 for you." in today(
        alice_client
    )


def test_only_calls_have_an_hour(alice_client, priya):
    make_follow_up(priya, "cold-request")
    assert "Try today" not in today(alice_client)


def test_the_page_of_the_contact_says_the_day_to_come(alice, alice_client, priya, due):
    pursuing.snooze(due, MONDAY + timedelta(days=3))
    html = alice_client.get(priya.get_absolute_url()).content.decode()
    assert "Try Thursday before ten." in html


# What they let know


def test_out_of_office_pauses_until_the_day_after(alice_client, due):
    answer = post(alice_client, "outcome", due, outcome="out_of_office", on=IN_A_WEEK)
    due.refresh_from_db()
    assert (due.state, due.next_on) == (State.PAUSED, IN_A_WEEK + timedelta(days=1))
    assert "Undo" in answer.content.decode()


def test_out_of_office_needs_a_day(alice_client, due):
    answer = post(alice_client, "outcome", due, outcome="out_of_office")
    assert answer.status_code == 422
    assert "Choose the last day away" in answer.content.decode()
    answer = post(alice_client, "outcome", due, outcome="out_of_office", on="soon")
    assert "Write the day as a date." in answer.content.decode()
    assert not Interaction.objects.exists()


def test_a_mail_that_came_back_asks_again_once(alice, alice_client, priya):
    email = ContactEmail.objects.create(owner=alice, contact=priya, address="old@example.org")
    follow_up = make_follow_up(priya, "cold-request")
    post(alice_client, "outcome", follow_up, outcome="sent")
    key = uuid.uuid4()
    post(alice_client, "outcome", follow_up, outcome="bounced", key=key)
    follow_up.refresh_from_db()
    post(alice_client, "outcome", follow_up, outcome="bounced", key=key, turn=follow_up.turn - 1)
    follow_up.refresh_from_db()
    email.refresh_from_db()
    assert (follow_up.step, follow_up.attempts, follow_up.emails) == (0, 0, 0)
    assert email.bounced_on == MONDAY
    assert Interaction.objects.filter(outcome="bounced").count() == 1
    assert "came back. Is there another address?" in get(alice_client, "draft", follow_up.pk)


def test_only_who_was_written_to_can_have_a_mail_come_back(alice_client, due):
    assert "The e-mail came back" not in today(alice_client)
    FollowUp.objects.filter(pk=due.pk).update(emails=1)
    assert "The e-mail came back" in today(alice_client)


def test_a_day_they_named_is_exactly_that_day(alice_client, due):
    saturday = MONDAY + timedelta(days=5)
    post(alice_client, "promise", due, on=saturday)
    due.refresh_from_db()
    assert (due.state, due.next_on, due.promised) == (State.ACTIVE, saturday, True)


def test_not_now_rests_until_that_day(alice_client, due):
    answer = post(alice_client, "not_now", due, on=IN_A_WEEK)
    due.refresh_from_db()
    assert (due.state, due.ending, due.next_on) == (State.RESTING, "not_now", IN_A_WEEK)
    assert "One lesson for next time?" in answer.content.decode()


@pytest.mark.parametrize("name", ["promise", "not_now"])
@pytest.mark.parametrize("on", ["", "2026-11-09", "someday"])
def test_a_day_must_be_one_to_come(alice_client, due, name, on):
    answer = post(alice_client, name, due, on=on)
    assert answer.status_code == 422
    assert due.reminders.open().exists()


def test_do_not_contact_answers_in_the_row_and_can_be_undone(alice_client, due, priya):
    answer = post(alice_client, "leave_alone", due).content.decode()
    priya.refresh_from_db()
    assert priya.do_not_contact
    assert "Priya will not be asked for again." in answer
    action = Action.objects.get(verb="do_not_contact")
    row = alice_client.post(url_of("undo", action.pk), headers={"HX-Request": "true"})
    priya.refresh_from_db()
    assert not priya.do_not_contact
    assert f'id="fu-{due.pk}"' in row.content.decode()


@pytest.mark.parametrize("name", ["promise", "not_now", "leave_alone", "lesson", "colleague"])
def test_each_belongs_to_the_owner(alice_client, bob_client, due, name):
    assert bob_client.post(url_of(name, due.pk)).status_code == 404
    assert alice_client.post(url_of(name, due.pk + 999)).status_code == 404
    if name != "colleague":
        assert alice_client.get(url_of(name, due.pk)).status_code == 405


# One lesson


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("outcome", {"outcome": "replied"}),
        ("end", {"ending": "wrong_person"}),
        ("rest", {}),
        ("leave_alone", {}),
    ],
)
def test_every_ending_asks_for_one_lesson(alice_client, due, name, data):
    assert "One lesson for next time?" in post(alice_client, name, due, **data).content.decode()
    answer = post(alice_client, "lesson", due, lesson="  Ask sooner. ").content.decode()
    due.refresh_from_db()
    assert due.lesson == "Ask sooner."
    assert "Ask sooner." in answer
    assert "<form" not in answer


def test_what_goes_on_asks_for_no_lesson(alice_client, due):
    answer = post(alice_client, "outcome", due, outcome="voicemail").content.decode()
    assert "One lesson" not in answer


def test_without_scripts_the_lesson_is_asked_on_the_page_that_follows(alice_client, due, priya):
    post(alice_client, "end", due, htmx=False)
    assert "One lesson for next time?" in today(alice_client)
    assert (
        "One lesson for next time?" in alice_client.get(priya.get_absolute_url()).content.decode()
    )
    answer = post(alice_client, "lesson", due, htmx=False, lesson="Ask sooner.", next="/")
    assert answer.url == "/"
    assert "Ask sooner." in today(alice_client)


def test_a_lesson_has_an_end(alice_client, due):
    post(alice_client, "end", due)
    answer = post(alice_client, "lesson", due, lesson="x" * 2001)
    assert answer.status_code == 422
    assert "2000 letters at most" in answer.content.decode()


def test_undoing_the_end_takes_its_lesson_back(alice_client, due):
    post(alice_client, "end", due)
    post(alice_client, "lesson", due, lesson="Ask sooner.")
    alice_client.post(url_of("undo", Action.objects.get(verb="ended").pk))
    due.refresh_from_db()
    assert (due.state, due.lesson) == (State.ACTIVE, "")


# The next person at that organisation


def begun(contact):
    return FollowUp.objects.get(contact=contact, name="Cold request (3B7)")


def test_it_proposes_who_is_there_by_name(alice, alice_client, aster, to_colleague):
    jonas = make_contact(alice, "Jonas Weber", organisation=aster)
    for number in range(8):
        make_contact(alice, f"Other {number}", organisation=aster)
    make_contact(alice, "Elsewhere Elsa")
    html = get(alice_client, "colleague", to_colleague.pk, htmx=True)
    assert "Write to Jonas Weber, also at Aster" in html
    assert html.count('class="chip"') == 5
    assert "Elsewhere Elsa" not in html
    answer = post(alice_client, "colleague", to_colleague, contact=jonas.pk).content.decode()
    assert f'id="fu-{to_colleague.pk}"' in answer
    assert "Jonas" in answer
    assert f'id="fu-{begun(jonas).pk}"' in answer  # it is their turn at once
    assert begun(jonas).state == State.ACTIVE
    to_colleague.refresh_from_db()
    assert not to_colleague.present.colleague


def test_today_offers_the_way_to_it_also_without_scripts(alice_client, to_colleague):
    html = today(alice_client)
    assert "Who is next at Aster?" in html
    assert url_of("colleague", to_colleague.pk) in html


def test_it_asks_for_a_name_and_adds_the_person_there(alice_client, aster, to_colleague):
    assert "Who else is at Aster?" in get(alice_client, "colleague", to_colleague.pk)
    answer = post(
        alice_client, "colleague", to_colleague, htmx=False, name=" Jonas  Weber ", next="/"
    )
    assert answer.url == "/"
    jonas = Contact.objects.get(name="Jonas Weber")
    assert jonas.organisation == aster
    assert "aster" in jonas.search_text
    assert begun(jonas)


def test_a_name_that_is_known_there_is_that_person(alice, alice_client, aster, to_colleague):
    jonas = make_contact(alice, "Jonas Weber", organisation=aster)
    post(alice_client, "colleague", to_colleague, name="jonas weber")
    assert begun(jonas)
    assert Contact.objects.filter(name__iexact="jonas weber").count() == 1


def test_the_same_form_twice_is_one_person_and_one_step(alice_client, to_colleague):
    data = {"name": "Jonas Weber", "turn": to_colleague.turn, "key": uuid.uuid4()}
    post(alice_client, "colleague", to_colleague, **data)
    to_colleague.refresh_from_db()
    step = to_colleague.step
    post(alice_client, "colleague", to_colleague, **data)
    to_colleague.refresh_from_db()
    assert to_colleague.step == step
    assert Contact.objects.filter(name="Jonas Weber").count() == 1


def test_undoing_it_brings_the_whole_page_back(alice, alice_client, aster, to_colleague):
    jonas = make_contact(alice, "Jonas Weber", organisation=aster)
    post(alice_client, "colleague", to_colleague, contact=jonas.pk)
    action = Action.objects.get(verb="colleague")
    answer = alice_client.post(
        url_of("undo", action.pk), {"next": "/"}, headers={"HX-Request": "true"}
    )
    assert answer["HX-Redirect"].endswith("/")
    assert not FollowUp.objects.filter(contact=jonas).exists()
    to_colleague.refresh_from_db()
    assert to_colleague.present.colleague


def test_nobody_is_made_when_the_step_is_refused(alice_client, to_colleague):
    pursuing.end(to_colleague, "let_go")
    answer = post(alice_client, "colleague", to_colleague, htmx=False, name="Jonas Weber")
    assert answer.status_code == 302
    assert not Contact.objects.filter(name="Jonas Weber").exists()


def test_without_an_organisation_it_asks_for_that_first(alice, alice_client, aster, to_colleague):
    Contact.objects.filter(name="Priya Raman").update(organisation=None)
    jonas = make_contact(alice, "Jonas Weber", organisation=aster)
    assert "Where does Priya work?" in get(alice_client, "colleague", to_colleague.pk)
    answer = post(alice_client, "colleague", to_colleague, organisation="aster").content.decode()
    assert f"Write to {jonas.name}, also at Aster" in answer
    priya = Contact.objects.get(name="Priya Raman")
    assert priya.organisation == aster
    assert "aster" in priya.search_text


def test_it_refuses_nobody_in_a_sentence_that_stays_in_the_row(alice_client, to_colleague):
    answer = post(alice_client, "colleague", to_colleague, name=" ")
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == f"#colleague-{to_colleague.pk}"
    assert "Write a name" in answer.content.decode()


def test_it_takes_nobody_from_elsewhere(alice, bob, alice_client, to_colleague):
    for stranger in (make_contact(bob, "Bobs Bea"), make_contact(alice, "Elsewhere Elsa")):
        answer = post(alice_client, "colleague", to_colleague, contact=stranger.pk)
        assert answer.status_code == 422
    assert FollowUp.objects.count() == 1


# Everything that was done


def test_the_history_says_what_when_by_whom_and_why(alice_client, due, priya):
    attempt(priya, outcome="no_answer", to=due)
    Action.objects.update(via=Via.MAIL)
    due.refresh_from_db()
    html = get(alice_client, "history", priya.pk)
    assert "You, from the digest" in html
    assert "No answer" in html
    assert due.reason in html
    assert "08:00" in html  # in Vienna
    assert (
        url_of("history", priya.pk) in alice_client.get(priya.get_absolute_url()).content.decode()
    )


def test_only_the_newest_can_be_undone_and_what_was_says_so(alice_client, due, priya):
    attempt(priya, outcome="no_answer", to=due)
    newest = Action.objects.first()
    html = get(alice_client, "history", priya.pk)
    assert html.count("data-undo") == 1
    assert url_of("undo", newest.pk) in html
    answer = alice_client.post(url_of("undo", newest.pk), {"next": url_of("history", priya.pk)})
    assert answer.url == url_of("history", priya.pk)
    html = get(alice_client, "history", priya.pk)
    assert "Undone" in html
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert "data-undo" not in get(alice_client, "history", priya.pk)


def test_the_history_has_pages_and_a_constant_number_of_queries(alice_client, due, priya):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            get(alice_client, "history", priya.pk)
        return len(seen)

    few = queries()
    before = {"contact": None, "follow_ups": []}
    for number in range(60):
        Action.objects.create(
            owner=priya.owner, contact=priya, verb="logged", said=f"No {number}.", before=before
        )
    assert queries() == few
    html = get(alice_client, "history", priya.pk)
    assert html.count('class="did"') == 50
    assert "Page 1 of 2" in html


def test_the_history_is_the_owners(bob_client, priya):
    assert bob_client.get(url_of("history", priya.pk)).status_code == 404


def test_today_needs_as_many_queries_for_ten_rows_as_for_one(alice, alice_client, to_colleague):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            today(alice_client)
        return len(seen)

    few = queries()
    for number in range(5):
        make_follow_up(make_contact(alice, f"Person {number}"))
    assert queries() == few
