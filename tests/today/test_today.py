"""The Today page: the agenda of one person and one day."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from followups import planning, pursuing
from followups.models import Break, Channel, Outcome, Reminder
from followups.spreading import take_break
from netcrm.models import Heartbeat, Mail, User
from netcrm.outbox import queue_mail, send_waiting
from tests.factories import make_contact, make_follow_up
from today.agenda import SINGLE, build_agenda, just_now, last_beats
from today.models import Digest

pytestmark = pytest.mark.django_db


def make_due(owner, name, days_ago):
    """Make a follow-up whose reminder was due some days ago."""
    follow_up = make_follow_up(make_contact(owner, name))
    if not follow_up.reminders.open().exists():
        planning.raise_reminder(follow_up)
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


class TestBehindTheScenes:
    """When reminders last ran, and when the digest did and will (rule 11)."""

    def says(self, client):
        card = page(client).split('id="clock"')[1].split("</section>")[0]
        return " ".join(card.split())

    def test_when_reminders_last_ran(self, alice_client):
        Heartbeat.beat("reminders", timezone.now() - timedelta(minutes=59))
        assert "Reminders last ran <time" in self.says(alice_client)
        assert "They should run every minute" not in self.says(alice_client)

    @pytest.mark.parametrize("personal", [True, False])
    def test_an_hour_of_silence(self, alice_client, settings, personal):
        settings.PERSONAL = personal
        Heartbeat.beat("reminders", timezone.now() - timedelta(minutes=61))
        says = self.says(alice_client)
        assert "They should run every minute. Until they do, nothing new comes up here" in says
        assert ("Start netcrm again" in says) is personal
        assert ('href="/health/"' in says) is not personal

    def test_never_in_a_new_notebook_and_in_an_old_one(self, alice, alice_client):
        assert "Reminders have not run yet." in self.says(alice_client)
        assert "They should run every minute" not in self.says(alice_client)
        User.objects.update(date_joined=timezone.now() - timedelta(hours=2))
        assert "They should run every minute" in self.says(alice_client)

    def test_the_digest(self, alice, alice_client):
        with time_machine.travel("2026-11-19T12:00+01:00", tick=False):
            alice.save()
            says = self.says(alice_client)
            assert "No digest sent yet. Next Fri 20 Nov, 07:00, if anything is due." in says
            mail = queue_mail(alice, "digest:1", alice.email, "Hello", "Hello")
            Digest.objects.create(owner=alice, on=alice.today(), mail=mail)
            send_waiting()
            assert "Last digest Thu 19 Nov, 12:00." in self.says(alice_client)

    def test_a_test_is_no_digest(self, alice_client):
        alice_client.post(reverse("today:try_digest"))
        send_waiting()
        assert "No digest sent yet." in self.says(alice_client)

    def test_a_digest_that_is_late(self, alice, alice_client):
        with time_machine.travel("2026-11-19T07:05+01:00", tick=False) as clock:
            User.objects.update(digest_next_at=timezone.now() - timedelta(minutes=5))
            assert "Next Thu 19 Nov, 07:00, if anything is due." in self.says(alice_client)
            clock.shift(timedelta(minutes=6))
            assert "The next was due Thu 19 Nov, 07:00, and will" in self.says(alice_client)

    @pytest.mark.parametrize("off", [{"digest_on": False}, {"digest_days": []}])
    def test_the_digest_is_off(self, alice, alice_client, off):
        for name, value in off.items():
            setattr(alice, name, value)
        alice.save()
        assert "The daily digest is off." in self.says(alice_client)

    def test_on_hold(self, alice, alice_client):
        for number in range(3):
            assert "refused" not in self.says(alice_client)
            queue_mail(alice, f"digest:{number}", alice.email, "Hello", "Hello")
            Mail.objects.update(state=Mail.FAILED)
        assert "The next ones wait, since the mail server refused three" in self.says(alice_client)

    def test_in_one_query(self, alice, django_assert_num_queries):
        with django_assert_num_queries(1):
            last_beats(alice)


def test_two_hellos_are_enough_for_a_day(alice):
    people = [make_contact(alice, f"Quiet {n}", rhythm_days=21) for n in range(4)]
    people[0].not_this_week(alice.today())
    hello = pursuing.Entry(Channel.MESSAGE, Outcome.NOTED, alice.today())
    assert len(build_agenda(alice, alice.today()).rhythms) == 1
    pursuing.log(people[1], hello)
    assert build_agenda(alice, alice.today()).rhythms == []
    assert len(build_agenda(alice, alice.today() + timedelta(days=1)).rhythms) == 2


def test_on_a_break_nobody_waits_for_a_hello(alice):
    make_contact(alice, "Quiet Quinn", rhythm_days=21)
    today = alice.today()
    days = {"first_on": today + timedelta(days=1), "last_on": today + timedelta(days=2)}
    on_break = Break.objects.create(owner=alice, **days)
    seen = [build_agenda(alice, today + timedelta(days=n)) for n in range(4)]
    assert [len(agenda.rhythms) for agenda in seen] == [1, 0, 0, 1]
    assert [agenda.on_break for agenda in seen] == [None, on_break, on_break, None]


def test_somebody_else_s_break(alice, bob):
    make_contact(alice, "Quiet Quinn", rhythm_days=21)
    Break.objects.create(owner=bob, first_on=alice.today(), last_on=alice.today())
    assert len(build_agenda(alice, alice.today()).rhythms) == 1


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


def test_rooms_that_have_nothing_are_asked_in_one_query(alice, django_assert_num_queries):
    """A break, coffees, promises, openings, introductions: on most days there is none of them."""
    asked_anyway = ["the follow-ups", "what comes", "who waits for a hello", "the own numbers"]
    with django_assert_num_queries(1 + len(asked_anyway)):
        assert build_agenda(alice, alice.today()).empty


class TestJustNow:
    def answer(self, owner, name):
        follow_up = make_due(owner, name, 0)
        pursuing.log(follow_up.contact, pursuing.Entry("call", "voicemail", owner.today()))

    def test_the_newest_come_first_and_there_are_never_too_many(self, alice):
        for number in range(SINGLE + 2):
            self.answer(alice, f"Person {number}")
        names = [action.contact.name for action in just_now(alice).actions]
        assert names == [f"Person {number}" for number in reversed(range(2, SINGLE + 2))]

    def test_what_was_done_before_is_covered_by_what_was_done_after(self, alice):
        self.answer(alice, "Priya Raman")
        take_break(alice, Break.Kind.HOLIDAY, alice.today(), alice.today())
        done = just_now(alice)
        assert [stroke.people["moved"] for stroke in done.strokes] == [1]
        assert done.actions == []
        self.answer(alice, "Tom Adler")
        assert [action.contact.name for action in just_now(alice).actions] == ["Tom Adler"]

    def test_nothing_takes_one_query(self, alice, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert just_now(alice).actions == []

    def test_as_many_queries_for_three_as_for_twelve(self, alice, alice_client):
        counts = []
        for number in range(12):
            self.answer(alice, f"Person {number}")
            if number in {2, 11}:
                with CaptureQueriesContext(connection) as queries:
                    assert page(alice_client).count("data-undo") == number + 1
                counts.append(len(queries))
        assert counts[0] == counts[1]
