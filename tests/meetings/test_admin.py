"""Meetings, many at once: what moves them goes through the verbs of the room."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from followups.models import Action, Via
from meetings import arranging
from meetings.models import Meeting, Question, State
from tests.admin.doing import change_url, edit_list, formset, list_url, run_action, said
from tests.factories import make_contact, make_meeting

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


@pytest.fixture
def coffee(alice, aiko):
    return arranging.arrange(alice, [aiko], "coffee", NOW + DAY)


def shown(client, query=""):
    return list(client.get(list_url(Meeting, query)).context["cl"].result_list)


def test_the_list_is_filtered_and_searched(alice_client, aiko, coffee):
    held = make_meeting(aiko, starts_at=NOW - DAY, state="held", place="Café Zoë")
    assert set(shown(alice_client)) == {coffee, held}
    assert shown(alice_client, "?when=ahead") == [coffee]
    assert shown(alice_client, "?when=told") == [held]
    assert shown(alice_client, "?when=past") == [held]
    assert shown(alice_client, "?q=zoe") == [held]
    assert set(shown(alice_client, "?q=tanabe")) == {coffee, held}


def test_moving_by_days_keeps_the_hour_on_the_clock(alice_client, aiko, coffee):
    spring = make_meeting(aiko, starts_at=datetime(2027, 3, 24, 9, tzinfo=UTC))
    held = make_meeting(aiko, starts_at=NOW - DAY, state="held")
    answer = run_action(alice_client, Meeting, "move", [coffee, spring, held], days=7)
    assert said(alice_client, answer) == (
        "Moved: 2 meetings. 1 meeting left as before: Only a coffee that is fixed can be moved."
    )
    coffee.refresh_from_db()
    spring.refresh_from_db()
    assert coffee.starts_at == NOW + 8 * DAY
    assert spring.starts_at == datetime(2027, 3, 31, 8, tzinfo=UTC)
    assert Action.objects.filter(via=Via.ADMIN, verb="meeting_moved").count() == 2


def test_nothing_moves_into_a_gap_of_the_clock_or_into_the_past(alice_client, aiko, coffee):
    night = make_meeting(aiko, starts_at=datetime(2027, 3, 27, 1, 30, tzinfo=UTC))
    answer = run_action(alice_client, Meeting, "move", [night], days=1)
    assert "02:30 does not exist. Is it 03:30?" in said(alice_client, answer)
    answer = run_action(alice_client, Meeting, "move", [coffee], days=-3)
    assert "That time has passed. Choose one to come." in said(alice_client, answer)


def test_cancelling_many(alice_client, aiko, coffee):
    answer = run_action(alice_client, Meeting, "cancel", [coffee], reason="Snow", again="on")
    assert said(alice_client, answer) == "Cancelled: 1 meeting."
    coffee.refresh_from_db()
    assert coffee.state == State.CANCELLED
    assert aiko.follow_ups.open().get().playbook.slug == "meeting-proposed"


def test_words_are_edited_and_times_are_not(alice, alice_client, coffee):
    edit_list(alice_client, Meeting, coffee, place="Platform 4", purpose="", starts_at=NOW)
    coffee.refresh_from_db()
    assert (coffee.place, coffee.starts_at, coffee.sequence) == ("Platform 4", NOW + DAY, 1)
    data = {"kind": "walk", "minutes": 30, "time_zone": "Europe/Vienna", "state": "held"}
    lines = formset("proposed_times") | formset("questions", {"text": "Why?"}, initial=0)
    response = alice_client.post(change_url(coffee), data | lines | formset("attendees", initial=0))
    assert response.status_code == 302
    coffee.refresh_from_db()
    assert (coffee.kind, coffee.state) == ("walk", State.CONFIRMED)
    assert Question.objects.get().owner == alice


def test_deleting_asks_first_and_the_story_stays(alice_client, aiko, coffee):
    run_action(alice_client, Meeting, "delete_rows", [coffee])
    assert not Meeting.objects.exists()
    assert aiko.interactions.count() == 1


def test_other_peoples_meetings_stay(bob_client, coffee):
    before = Meeting.objects.filter(pk=coffee.pk).values().get()
    run_action(bob_client, Meeting, "cancel", [coffee])
    run_action(bob_client, Meeting, "move", [coffee], days=7)
    edit_list(bob_client, Meeting, coffee, place="x", purpose="x")
    assert Meeting.objects.filter(pk=coffee.pk).values().get() == before
    assert bob_client.get(change_url(coffee)).status_code == 404
