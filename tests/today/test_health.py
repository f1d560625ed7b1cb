"""The health page: times and counts for everybody, 503 when something that is due waits."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from followups.models import Action, FollowUp
from netcrm.models import Heartbeat, Mail, User
from netcrm.outbox import queue_mail
from tests.factories import make_contact, make_follow_up, make_user
from today.models import Digest

pytestmark = pytest.mark.django_db


def ago(**passed):
    return timezone.now() - timedelta(**passed)


def ask(status=200):
    """Return what a monitor reads: a sentence for each check."""
    response = Client().get("/health/", headers={"Accept": "application/json"})
    assert response.status_code == status, response.content
    return {name: said.replace("\xa0", " ") for name, said in response.json().items()}


def page():
    return " ".join(Client().get("/health/").content.decode().replace("\xa0", " ").split())


def queue(owner, key="digest:1", **changes):
    mail = queue_mail(owner, key, owner.email, "Hello", "Hello")
    Mail.objects.filter(pk=mail.pk).update(**changes)
    return mail


def test_a_new_netcrm_is_well():
    assert ask() == {
        "Reminders": "Reminders have not run yet.",
        "FollowUps": "Every follow-up that is due was raised.",
        "Digests": "No digest has gone out yet. None is planned.",
        "Outbox": "Mails that wait: 0. Given up within a day: 0.",
    }
    assert "All is well." in page()


def test_an_answer_of_yesterday_is_never_kept():
    assert "no-cache" in Client().get("/health/")["Cache-Control"]


def test_when_reminders_last_ran():
    Heartbeat.beat("reminders", ago(minutes=59))
    assert ask()["Reminders"] == "Reminders last ran 59 minutes ago."
    Heartbeat.beat("reminders", ago(hours=1, minutes=1))
    assert ask(503)["Reminders"].startswith("Reminders last ran an hour ago.")
    assert "Something needs a look." in page()


def test_when_the_last_digest_went_out_and_the_next_will(alice, bob):
    User.objects.filter(pk=alice.pk).update(digest_next_at=ago(hours=-3, minutes=-1))
    User.objects.filter(pk=bob.pk).update(digest_next_at=ago(hours=-9))
    mail = queue(alice, state=Mail.SENT, sent_at=ago(hours=2, minutes=1))
    Digest.objects.create(owner=alice, on=alice.today(), mail=mail)
    queue(alice, "test:1", state=Mail.SENT, sent_at=ago(minutes=5))
    said = "The last digest went out 2 hours ago. The next is due 3 hours from now."
    assert ask()["Digests"] == said


class TestFollowUps:
    @pytest.fixture
    def due(self, alice):
        """Make a follow-up due at the midnight that began this day in UTC."""
        User.objects.update(time_zone="UTC")
        alice.refresh_from_db()
        follow_up = make_follow_up(make_contact(alice))
        Action.objects.update(at=ago(days=2))

        def make(**passed):
            on = ago(**passed).date()
            FollowUp.objects.filter(pk=follow_up.pk).update(next_on=on)
            return follow_up

        return make

    def test_one_that_nobody_was_told_of(self, due):
        due(days=1)
        assert ask(503)["FollowUps"].startswith("The oldest follow-up that is due waits 1 day")

    def test_one_that_was_given_a_past_day_just_now(self, due):
        Action.objects.update(follow_up=due(days=9), at=timezone.now())
        assert ask()["FollowUps"].startswith("The oldest follow-up that is due waits 0 minutes")

    def test_one_to_come(self, due):
        due(days=-1)
        assert ask()["FollowUps"] == "Every follow-up that is due was raised."


class TestDigests:
    def late(self, user, status, **fields):
        User.objects.filter(pk=user.pk).update(**fields)
        return ask(status)["Digests"]

    def test_one_that_should_have_been_written(self, alice):
        said = self.late(alice, 503, digest_next_at=ago(minutes=16))
        assert said == "1 digest should have been written by now."

    def test_the_next_tick_may_take_its_time(self, alice):
        assert "No digest has" in self.late(alice, 200, digest_next_at=ago(minutes=14))

    def test_one_that_cannot_be_made_though_it_is_tried_again_and_again(self, alice):
        dates = {"digest_next_on": ago(days=3).date(), "digest_next_at": ago(minutes=-10)}
        assert "should have been written" in self.late(alice, 503, **dates)

    @pytest.mark.parametrize("off", [{"digest_on": False}, {"is_active": False}])
    def test_whoever_wants_none(self, alice, off):
        self.late(alice, 200, digest_next_at=ago(days=1), **off)


class TestOutbox:
    def test_one_that_nobody_sends(self, alice):
        queue(alice, next_try_at=ago(minutes=14))
        assert ask()["Outbox"] == "Mails that wait: 1. Given up within a day: 0."
        queue(alice, "digest:2", next_try_at=ago(minutes=16))
        assert ask(503)["Outbox"].startswith("The oldest mail that is due waits 16 minutes.")

    def test_a_server_that_takes_none(self, alice):
        later = timezone.now() + timedelta(minutes=30)
        queue(alice, created_at=ago(hours=3), next_try_at=later, error="451 Later")
        assert ask(503)["Outbox"].startswith("The mail server takes none. Mails that wait: 1.")
        queue(alice, "digest:2", state=Mail.SENT, sent_at=ago(minutes=50))
        assert ask()["Outbox"].startswith("Mails that wait: 1.")

    def test_those_that_were_given_up(self, alice):
        queue(alice, state=Mail.FAILED, next_try_at=ago(hours=1))
        queue(alice, "digest:2", state=Mail.EXPIRED, next_try_at=ago(hours=23))
        queue(alice, "digest:3", state=Mail.FAILED, next_try_at=ago(hours=25))
        assert ask()["Outbox"] == "Mails that wait: 0. Given up within a day: 2."


def test_it_says_nothing_about_anybody():
    user = make_user("canary@canary.example", name="Canary")
    make_follow_up(make_contact(user, "Canary Person"))
    FollowUp.objects.update(next_on=ago(days=3).date())
    User.objects.update(digest_next_at=ago(days=1))
    queue(user, error="550 canary@canary.example", next_try_at=ago(days=1))
    Mail.objects.update(subject="Canary")
    for kind in ("text/html", "text/plain", "application/json", "application/openmetrics-text"):
        answer = Client().get("/health/", headers={"Accept": kind}).content.decode()
        assert "canary" not in answer.lower(), kind


def test_reading_only(client):
    assert client.post("/health/").status_code == 405


def test_the_probe_of_containers_does_not_ask_for_reminders():
    """A web process that answers is healthy, also before beat has run for the first time."""
    response = Client().get("/healthz?format=json")
    assert response.status_code == 200
    assert response.json() == {"Database(alias='default')": "OK", "Broker": "OK"}


def test_the_probe_does_not_say_where_the_broker_is(settings):
    settings.CELERY_BROKER_URL = "redis://inner.example:1/0"
    for kind in ("json", "text", "openmetrics"):
        response = Client().get(f"/healthz?format={kind}")
        assert response.status_code == (200 if kind == "openmetrics" else 500)
        assert "inner.example" not in response.content.decode()
