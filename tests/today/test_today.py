"""The Today page: the agenda of one person and one day."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from followups import pursuing
from followups.models import Reminder
from netcrm.models import Heartbeat
from tests.factories import make_contact, make_follow_up
from today.agenda import build_agenda

pytestmark = pytest.mark.django_db


def make_due(owner, name, days_ago):
    """Make a follow-up whose reminder was due some days ago."""
    follow_up = make_follow_up(make_contact(owner, name))
    if not follow_up.reminders.open().exists():
        pursuing.raise_reminder(follow_up)
    due_on = owner.today() - timedelta(days=days_ago)
    Reminder.objects.filter(follow_up=follow_up).update(due_on=due_on)
    return follow_up


def page(client):
    return client.get(reverse("today:today")).content.decode()


def test_overdue_first_with_the_days_it_waited(alice, alice_client):
    make_due(alice, "Today Tom", 0)
    make_due(alice, "Carried Clara", 3)
    html = page(alice_client)
    assert html.index("Carried Clara") < html.index("Today Tom")
    assert "3 days past" in html
    assert "Carried over" in html


def test_what_waits_is_there_the_next_day_too(alice):
    make_due(alice, "Patient Pia", 0)
    tomorrow = build_agenda(alice, alice.today() + timedelta(days=1))
    assert [row.waited(tomorrow.day) for row in tomorrow.carried_over] == [1]


def test_first_visit_and_nothing_due(alice, alice_client):
    assert "Who helped you last month?" in page(alice_client)
    make_contact(alice)
    assert "Nothing is due." in page(alice_client)


def test_rhythms_at_most_two_and_silent_during_a_follow_up(alice):
    for number in range(3):
        make_contact(alice, f"Quiet {number}", rhythm_days=21)
    pursued = make_contact(alice, "Pursued", rhythm_days=21)
    make_follow_up(pursued)
    fresh = alice.today() - timedelta(days=3)
    make_contact(alice, "Fresh", rhythm_days=21, last_interaction_on=fresh)
    names = [contact.name for contact in build_agenda(alice, alice.today()).rhythms]
    assert names == ["Quiet 0", "Quiet 1"]


def test_the_newest_note_is_shown(alice, alice_client):
    follow_up = make_due(alice, "Priya Raman", 0)
    entry = pursuing.Entry("note", "noted", alice.today(), note="Ask about the hiring plan")
    pursuing.log(follow_up.contact, entry)
    assert "Ask about the hiring plan" in page(alice_client)


def test_says_when_reminders_last_ran(alice_client):
    assert "Reminders have not run yet" in page(alice_client)
    Heartbeat.beat("reminders")
    assert "Reminders last ran <time" in page(alice_client)
    assert "They should run every minute" not in page(alice_client)
    Heartbeat.beat("reminders", timezone.now() - timedelta(hours=2))
    assert "They should run every minute" in page(alice_client)


def test_nothing_of_other_people(alice, bob_client):
    make_due(alice, "Secret Sam", 0)
    assert "Secret Sam" not in page(bob_client)


def test_as_many_queries_for_three_as_for_thirty(alice, alice_client):
    for number in range(3):
        make_due(alice, f"Person {number}", number)
    page(alice_client)
    with CaptureQueriesContext(connection) as few:
        page(alice_client)
    for number in range(27):
        make_due(alice, f"More {number}", number)
    with CaptureQueriesContext(connection) as many:
        page(alice_client)
    assert len(many) == len(few)
