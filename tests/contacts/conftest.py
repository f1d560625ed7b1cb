import pytest

from tests.factories import make_contact


@pytest.fixture
def ann(alice):
    return make_contact(alice, "Ann Lee")


@pytest.fixture
def ben(alice):
    return make_contact(alice, "Ben Okafor")
