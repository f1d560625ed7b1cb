"""Signing up: the first account of a personal machine, the zone, and confirmed addresses."""

import json
import os
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse

from followups.models import Playbook
from netcrm.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "seven cups of coffee"


def sign_up(email, **data):
    client = Client()
    data = {"email": email, "password1": PASSWORD, "name": "Ada"} | data
    return client, client.post(reverse("account_signup"), data)


def test_signing_up_opens_todays_page_in_the_browsers_zone():
    client, answer = sign_up("ada@example.org", time_zone="Asia/Kathmandu")
    assert answer.url == reverse("today:today")
    user = User.objects.get(email="ada@example.org")
    assert (user.name, user.time_zone) == ("Ada", "Asia/Kathmandu")
    assert user.digest_next_at.astimezone(user.zone).hour == 7
    assert Playbook.objects.for_user(user).count() == 9
    assert "Asia/Kathmandu" in client.get(reverse("netcrm:settings")).content.decode()


def test_a_zone_that_nobody_knows_becomes_utc():
    sign_up("ada@example.org", time_zone="Mars/Olympus")
    assert User.objects.get().time_zone == "UTC"


def test_an_address_signs_up_once_whatever_its_case():
    sign_up("ada@example.org")
    sign_up("ADA@example.org")
    assert User.objects.count() == 1


@pytest.mark.parametrize("personal", [True, False])
def test_only_the_first_account_of_a_personal_machine_is_superuser(settings, personal):
    settings.PERSONAL = personal
    sign_up("first@example.org")
    sign_up("second@example.org")
    superusers = list(User.objects.filter(is_superuser=True).values_list("email", flat=True))
    assert superusers == (["first@example.org"] if personal else [])


def test_with_real_mail_the_address_is_confirmed_first(settings, mailoutbox):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client, answer = sign_up("ada@example.org")
    assert answer.url == reverse("account_email_verification_sent")
    assert client.get(reverse("today:today")).status_code == 302
    [mail] = mailoutbox
    assert mail.to == ["ada@example.org"]
    link = next(word for word in mail.body.split() if "confirm-email" in word)
    client.post(link.removeprefix("http://testserver"))
    login = {"login": "ada@example.org", "password": PASSWORD}
    assert client.post(reverse("account_login"), login).url == reverse("today:today")


@pytest.mark.parametrize(
    ("url", "expected"), [("", "none"), ("smtp+tls://u:p@mail.example:587", "mandatory")]
)
def test_mail_url_decides_whether_addresses_are_confirmed(url, expected):
    code = (
        "import json; from netcrm import settings as s;"
        "print(json.dumps([s.ACCOUNT_EMAIL_VERIFICATION, s.MAILERS['default']['BACKEND']]))"
    )
    command = [sys.executable, "-c", code]
    said = subprocess.run(
        command, env=os.environ | {"MAIL_URL": url}, capture_output=True, text=True, check=True
    )
    verification, backend = json.loads(said.stdout)
    assert verification == expected
    assert ("smtp" in backend) == bool(url)


def test_the_login_is_limited():
    sign_up("ada@example.org")
    client = Client()
    login = {"login": "ada@example.org", "password": "wrong"}
    answers = [client.post(reverse("account_login"), login) for _ in range(8)]
    assert any("Too many" in answer.content.decode() for answer in answers)
    # The right password does not get through either, until the limit is over.
    client.post(reverse("account_login"), login | {"password": PASSWORD})
    assert client.get(reverse("today:today")).status_code == 302
