"""The signed pages behind the links of a digest: a GET changes nothing, a POST acts once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.db import connections
from django.test import Client
from django.utils import timezone

from followups import planning, pursuing
from followups.models import Action, Interaction, Reminder
from followups.pursuing import Entry
from netcrm.models import Mail, User
from tests.today.digests import content_hash, links_in, make_due
from today import digest, links

pytestmark = pytest.mark.django_db


@pytest.fixture
def reminder(alice):
    return make_due(alice, role="Head of Research Ops")


@pytest.fixture
def stranger():
    """A browser that is logged in nowhere, and that checks forms as a real one is checked."""
    return Client(enforce_csrf_checks=True)


def press(client, path, **data):
    """Open the page and press its button, as a browser does."""
    client.get(path)
    token = client.cookies["csrftoken"].value
    return client.post(path, data | {"csrfmiddlewaretoken": token}, follow=True)


def path_of(reminder, verb):
    return links.action_path(reminder.owner, reminder, verb)


def text(response):
    return " ".join(response.content.decode().split())


VERBS = [
    ("no_answer", "You called Priya, and there was no answer.", "I will bring Priya back"),
    ("voicemail", "You called Priya and left a voicemail.", "I will bring Priya back"),
    ("sent", "You wrote to Priya.", "I will bring Priya back"),
    ("replied", "Priya replied.", "Priya replied."),
    ("talked", "You talked with Priya.", "You talked with Priya."),
    ("rest", "Let Priya rest for 90 days.", "Priya rests until"),
    ("let_go", "Let go of Priya for good.", "Ended: let go."),
    ("snooze", "When shall I bring Priya back?", "I will bring Priya back"),
]


@pytest.mark.parametrize(("verb", "question", "answer"), VERBS)
class TestEachVerb:
    def test_get_and_head_change_nothing(self, reminder, stranger, verb, question, answer):
        path, before = path_of(reminder, verb), content_hash()
        for _ in range(2):
            page = stranger.get(path)
            assert page.status_code == 200
            assert question in text(page)
            assert "Priya Raman" in text(page)
            assert stranger.head(path).status_code == 200
        assert content_hash() == before

    def test_post_acts_once(self, reminder, stranger, verb, question, answer):
        path = path_of(reminder, verb)
        for _ in range(3):
            page = press(stranger, path, until="week")
            assert page.status_code == 200
            assert answer in text(page)
        [action] = Action.objects.filter(via="mail")
        assert action.owner == reminder.owner
        assert Interaction.objects.count() <= 1
        reminder.refresh_from_db()
        assert reminder.closed_at is not None

    def test_undo_puts_it_back(self, reminder, stranger, verb, question, answer):
        path = path_of(reminder, verb)
        press(stranger, path, until="week")
        page = press(stranger, path, undo="")
        assert question in text(page)
        reminder.refresh_from_db()
        assert reminder.closed_at is None
        assert not Interaction.objects.exists()
        assert answer in text(press(stranger, path, until="week"))


class TestKeeping:
    def test_headers(self, reminder, stranger):
        page = stranger.get(path_of(reminder, "talked"))
        assert page["Referrer-Policy"] == "same-origin"
        assert page["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in page["Cache-Control"]

    def test_nobody_is_logged_in(self, reminder, stranger):
        press(stranger, path_of(reminder, "talked"))
        assert "sessionid" not in stranger.cookies
        assert stranger.get("/").status_code == 302

    def test_no_other_item_shows(self, alice, reminder, stranger):
        make_due(alice, "Somebody Else")
        assert "Somebody" not in text(stranger.get(path_of(reminder, "talked")))

    def test_post_without_the_page_is_refused(self, reminder, stranger):
        before = content_hash()
        assert stranger.post(path_of(reminder, "talked")).status_code == 403
        assert content_hash() == before

    @pytest.mark.parametrize("method", ["put", "delete", "patch"])
    def test_other_methods(self, reminder, method):
        assert getattr(Client(), method)(path_of(reminder, "talked")).status_code == 405

    def test_bob_s_login_changes_nothing_about_whose_link_it_is(self, reminder, bob_client):
        bob_client.post(path_of(reminder, "talked"))
        assert Interaction.objects.get().owner == reminder.owner


class TestNoLonger:
    def refused(self, client, path, status):
        before = content_hash()
        for page in (client.get(path), client.post(path)):
            assert page.status_code == status
            assert "Open Today" in text(page)
            assert "Priya" not in text(page)
        assert content_hash() == before

    @pytest.mark.parametrize("place", [0, 10, -2])
    def test_tampered(self, reminder, place):
        path = path_of(reminder, "talked")
        token = list(path.split("/")[2])
        token[place] = "A" if token[place] != "A" else "B"
        self.refused(Client(), f"/mail/{''.join(token)}/", 404)

    @pytest.mark.parametrize("token", ["x", "a:b:c", "é:1:2", "%00", "WzFd:1:1"])
    def test_never_good(self, db, token):
        assert Client().get(f"/mail/{token}/").status_code == 404

    def test_signed_for_something_else(self, alice, reminder):
        token = signing.dumps([alice.pk, reminder.pk, "talked", "x"], salt="other")
        self.refused(Client(), f"/mail/{token}/", 404)

    def test_after_two_weeks(self, reminder):
        path = path_of(reminder, "talked")
        with time_machine.travel(timezone.now() + timedelta(days=13, hours=23)):
            assert Client().get(path).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
            self.refused(Client(), path, 410)

    def test_a_new_password_revokes_all(self, alice, reminder):
        path = path_of(reminder, "talked")
        alice.set_password("another long pass phrase")
        alice.save(update_fields=["password"])
        self.refused(Client(), path, 410)

    def test_a_newer_digest_replaces_those_before(self, alice, reminder):
        older, mails = path_of(reminder, "talked"), []
        for day in (1, 2):
            with time_machine.travel(alice.digest_next_at + timedelta(days=day)):
                assert digest.send_digests() == 1
                mails.append(links_in(Mail.objects.last().html)["Talked"])
                alice.refresh_from_db()
        with time_machine.travel(alice.digest_next_at):
            for path in (older, mails[0]):
                self.refused(Client(), path, 410)
                assert "A newer digest has replaced this one." in text(Client().get(path))
            assert "You talked with Priya." in text(Client().post(mails[1], follow=True))

    def test_a_digest_without_the_person_leaves_the_link_alone(self, alice, reminder):
        path = path_of(reminder, "talked")
        make_due(alice, "Samir Haddad", waited=5)
        User.objects.update(digest_cap=1)
        with time_machine.travel(alice.digest_next_at):
            assert digest.send_digests() == 1
            assert Client().get(path).status_code == 200

    def test_a_closed_account(self, alice, reminder):
        User.objects.filter(pk=alice.pk).update(is_active=False)
        self.refused(Client(), path_of(reminder, "talked"), 404)

    def test_a_deleted_person(self, reminder):
        path = path_of(reminder, "talked")
        reminder.follow_up.contact.delete()
        self.refused(Client(), path, 404)

    def test_somebody_else_s_reminder(self, bob, reminder):
        self.refused(Client(), links.action_path(bob, reminder, "talked"), 404)


class TestAlreadyDone:
    def in_the_app(self, reminder, outcome="talked"):
        contact = reminder.follow_up.contact
        pursuing.log(contact, Entry("call", outcome, reminder.owner.today()))

    @pytest.mark.parametrize("outcome", ["talked", "voicemail"])
    def test_in_the_app(self, reminder, stranger, outcome):
        self.in_the_app(reminder, outcome)
        path, before = path_of(reminder, "no_answer"), content_hash()
        page = stranger.get(path)
        assert "Already done." in text(page)
        assert "Undo" not in text(page)
        assert "Already done." in text(Client().post(path, follow=True))
        assert content_hash() == before

    def test_a_mail_undoes_only_what_a_mail_did(self, reminder):
        self.in_the_app(reminder)
        before = content_hash()
        Client().post(path_of(reminder, "talked"), {"undo": ""})
        assert content_hash() == before

    def test_undo_ends_after_an_hour(self, reminder):
        path = path_of(reminder, "talked")
        Client().post(path)
        with time_machine.travel(timezone.now() + timedelta(minutes=61)):
            before = content_hash()
            assert "Undo" not in text(Client().get(path))
            Client().post(path, {"undo": ""})
            assert content_hash() == before

    def test_something_newer_must_be_undone_first(self, reminder):
        path = path_of(reminder, "talked")
        Client().post(path)
        contact = reminder.follow_up.contact
        pursuing.log(contact, Entry("note", "noted", reminder.owner.today()))
        page = Client().post(path, {"undo": ""}, follow=True)
        assert "Something newer happened with Priya. Undo that first." in text(page)

    def test_an_old_link_works_while_the_same_step_asks_again(self, reminder):
        path = path_of(reminder, "talked")
        pursuing.snooze(reminder.follow_up, reminder.owner.today() + timedelta(days=1))
        assert "Already done." in text(Client().get(path))
        planning.raise_reminder(Reminder.objects.get().follow_up)
        assert "You talked with Priya." in text(Client().post(path, follow=True))

    @pytest.mark.django_db(transaction=True)
    def test_eight_taps_at_once(self, reminder):
        paths = [path_of(reminder, verb) for verb in ("voicemail", "no_answer")] * 4

        def tap(path):
            try:
                return Client().post(path).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(tap, paths)) == {302}
        assert Interaction.objects.count() == 1
        assert Action.objects.filter(via="mail").count() == 1


class TestChoosing:
    def test_snooze_wants_a_day(self, reminder):
        path, before = path_of(reminder, "snooze"), content_hash()
        page = Client().post(path, {"until": "never"})
        assert page.status_code == 422
        assert "Choose one of these days." in text(page)
        assert content_hash() == before

    def test_snooze_offers_each_day_once(self, reminder, stranger):
        with time_machine.travel("2026-11-23T09:00+01:00"):  # a Monday
            page = text(stranger.get(path_of(reminder, "snooze")))
        assert page.count("Monday, 30 November") == 1

    def test_snooze_until_that_day(self, alice, reminder, stranger):
        press(stranger, path_of(reminder, "snooze"), until="tomorrow")
        reminder.follow_up.refresh_from_db()
        assert reminder.follow_up.next_on == alice.today() + timedelta(days=1)

    def test_the_text_part_s_link_offers_every_outcome(self, reminder, stranger):
        path, before = path_of(reminder, "choose"), content_hash()
        page = stranger.get(path)
        for words in ("No answer", "Left voicemail", "Replied", "Talked", "Let it rest", "Snooze"):
            assert words in text(page)
        assert Client().post(path).status_code == 200
        assert content_hash() == before

    def test_a_call_that_brought_an_e_mail_is_noted_as_one(self, reminder):
        Client().post(path_of(reminder, "replied"))
        logged = Interaction.objects.get()
        assert (logged.channel, logged.direction, logged.via) == ("email", "in", "mail")
        assert logged.on == reminder.owner.today()

    def test_the_closing_question(self, alice, stranger):
        reminder = make_due(alice, attempts=4)
        assert "Let go" in text(stranger.get(path_of(reminder, "choose")))
        page = press(stranger, path_of(reminder, "rest"))
        assert "You did your part." in text(page)


class TestUnsubscribe:
    def test_get_asks_first(self, alice, stranger):
        before = content_hash()
        page = stranger.get(links.unsubscribe_path(alice))
        assert "Stop the daily digest?" in text(page)
        assert content_hash() == before

    def test_one_click_without_cookies(self, alice, stranger):
        path = links.unsubscribe_path(alice)
        for _ in range(2):
            page = stranger.post(
                path,
                "List-Unsubscribe=One-Click",
                content_type="application/x-www-form-urlencoded",
            )
            assert page.status_code == 200
            assert "The digest is off." in text(page)
            assert "Settings" in text(page)
        alice.refresh_from_db()
        assert (alice.digest_on, alice.digest_next_at, alice.digest_next_on) == (False, None, None)

    def test_outlives_a_new_password_and_two_weeks(self, alice):
        path = links.unsubscribe_path(alice)
        alice.set_password("another long pass phrase")
        alice.save(update_fields=["password"])
        with time_machine.travel(timezone.now() + timedelta(days=300)):
            assert Client().post(path).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=366)):
            assert Client().post(path).status_code == 410

    def test_a_link_to_act_does_not_unsubscribe(self, alice, reminder):
        token = path_of(reminder, "talked").split("/")[2]
        assert Client().post(f"/mail/stop/{token}/").status_code == 404
        token = links.unsubscribe_path(alice).split("/")[3]
        assert Client().post(f"/mail/{token}/").status_code == 404
