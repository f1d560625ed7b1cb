"""People of the tests: Alice, who owns things, and Bob, who must never see them."""

import pytest
from django.test import Client

from tests.factories import make_user


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    # The manifest of hashed names is made by collectstatic, which most tests do not need.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    # A slow hash protects real people; here it would only make every account cost a second.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db):
    return make_user("alice@example.org", name="Alice")


@pytest.fixture
def bob(db):
    return make_user("bob@example.org", name="Bob")


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice_client(alice):
    return client_of(alice)


@pytest.fixture
def bob_client(bob):
    return client_of(bob)
