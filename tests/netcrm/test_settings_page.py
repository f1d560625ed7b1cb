"""Settings: how one's days run, and how mail to the person fares."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from netcrm.models import Mail, User
from netcrm.outbox import queue_mail

pytestmark = pytest.mark.django_db
URL = "/settings/"
GOOD = {
    "name": "Alice",
    "time_zone": "Asia/Kathmandu",
    "country": "AT",
    "region": "",
    "work_days": ["6", "0", "1"],
    "daily_cap": "5",
    "digest_on": "on",
    "digest_hour": "6",
    "digest_days": ["0"],
    "digest_cap": "3",
    "digest_sections": ["hellos", "week"],
    "shortcuts": "on",
}


def test_saving_plans_the_next_digest(alice, alice_client):
    assert alice_client.post(URL, GOOD).status_code == 302
    alice.refresh_from_db()
    assert (alice.time_zone, alice.country) == ("Asia/Kathmandu", "AT")
    assert alice.work_days == [6, 0, 1] or alice.work_days == [0, 1, 6]
    assert alice.digest_next_on.weekday() == 0
    assert alice.digest_next_at.astimezone(alice.zone).hour == 6


def test_caps_and_sections_are_remembered(alice, alice_client):
    alice_client.post(URL, GOOD)
    alice.refresh_from_db()
    assert (alice.daily_cap, alice.digest_cap) == (5, 3)
    assert alice.digest_sections == ["hellos", "week"]
    page = alice_client.get(URL).content.decode()
    assert "move to a lighter day" in page
    alice_client.post(URL, {**GOOD, "digest_sections": []})
    alice.refresh_from_db()
    assert alice.digest_sections == []


def test_digest_off_plans_none(alice, alice_client):
    alice_client.post(URL, {**GOOD, "digest_on": ""})
    alice.refresh_from_db()
    assert alice.digest_next_at is None


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("work_days", [], "This field is required"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("region", "Bavaria", "The regions known for that country are"),
        ("digest_hour", "24", "Select a valid choice"),
        ("digest_cap", "31", "less than or equal to 30"),
        ("digest_cap", "0", "greater than or equal to 1"),
        ("digest_sections", ["followups"], "Select a valid choice"),
        ("daily_cap", "0", "greater than or equal to 1"),
    ],
)
def test_wrong_values_are_refused(alice_client, field, value, sentence):
    answer = alice_client.post(URL, {**GOOD, field: value})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_theme_is_remembered(alice, alice_client):
    alice_client.post(reverse("netcrm:theme"), {"theme": "dark"})
    alice.refresh_from_db()
    assert alice.theme == "dark"
    assert 'data-theme="dark"' in alice_client.get(URL).content.decode()
    alice_client.post(reverse("netcrm:theme"), {"theme": "purple"})
    assert User.objects.get(pk=alice.pk).theme == ""


class TestTrouble:
    """A mail that did not arrive is told of until a later one did."""

    @pytest.fixture
    def mail(self, alice):
        """Make a mail to Alice that fared so, some hours ago."""

        def make(hours, state, error="", to=alice.email):
            mail = queue_mail(alice, f"digest:{hours}", to, f"Subject {hours}", "Hello.")
            at = timezone.now() - timedelta(hours=hours)
            changes = {"state": state, "error": error, "created_at": at}
            Mail.objects.filter(pk=mail.pk).update(**changes)

        return make

    def page(self, client):
        return " ".join(client.get(URL).content.decode().split())

    def test_none(self, alice_client):
        assert 'class="error"' not in self.page(alice_client)

    def test_a_refusal_and_what_to_do(self, mail, alice_client):
        mail(1, Mail.FAILED, "The mail server refused it: 550 No such mailbox")
        page = self.page(alice_client)
        assert "“Subject 1” did not reach alice@example.org. The mail server refused it" in page
        assert "Correct the address" in page
        assert "send a test" in page

    def test_gone_once_a_later_one_arrived(self, mail, alice_client):
        mail(2, Mail.FAILED, "550 No")
        mail(1, Mail.SENT)
        assert "550 No" not in self.page(alice_client)

    def test_the_newest_counts(self, mail, alice_client):
        mail(3, Mail.FAILED, "550 old news")
        mail(2, Mail.SENT)
        mail(1, Mail.QUEUED, "The mail server did not take it yet: 451 Later")
        page = self.page(alice_client)
        assert "“Subject 1” has not left. The mail server did not take it yet: 451 Later" in page
        assert "It is tried again by itself." in page
        assert "old news" not in page

    def test_one_that_just_waits_is_no_trouble_and_hides_none(self, mail, alice_client):
        mail(2, Mail.FAILED, "550 No")
        mail(1, Mail.QUEUED)
        page = self.page(alice_client)
        assert "550 No" in page
        assert "Subject 1" not in page

    def test_three_in_a_row_wait_for_the_person(self, mail, alice_client):
        for hours in (3, 2, 1):
            assert "no more go there for now" not in self.page(alice_client)
            mail(hours, Mail.FAILED, "550 No")
        page = self.page(alice_client)
        assert "Three in a row were refused, so no more go there for now." in page
        assert "Nothing is lost" in page
        assert 'button form="try-digest"' in page

    def test_nothing_of_other_people(self, mail, bob_client):
        mail(1, Mail.FAILED, "550 No")
        assert "550" not in self.page(bob_client)
