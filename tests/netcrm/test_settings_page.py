"""Settings: how one's days run."""

import pytest
from django.urls import reverse

from netcrm.models import User

pytestmark = pytest.mark.django_db
URL = "/settings/"
GOOD = {
    "name": "Alice",
    "time_zone": "Asia/Kathmandu",
    "country": "AT",
    "region": "",
    "work_days": ["6", "0", "1"],
    "digest_on": "on",
    "digest_hour": "6",
    "digest_days": ["0"],
    "shortcuts": "on",
}


def test_saving_plans_the_next_digest(alice, alice_client):
    assert alice_client.post(URL, GOOD).status_code == 302
    alice.refresh_from_db()
    assert (alice.time_zone, alice.country) == ("Asia/Kathmandu", "AT")
    assert alice.work_days == [6, 0, 1] or alice.work_days == [0, 1, 6]
    assert alice.digest_next_on.weekday() == 0
    assert alice.digest_next_at.astimezone(alice.zone).hour == 6


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
