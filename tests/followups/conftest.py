"""A Monday in November, days that pass, and the people of an organisation."""

import pytest

from contacts.models import Organisation
from followups.raising import raise_reminders
from tests.factories import make_contact
from tests.followups.doing import MONDAY_MORNING


@pytest.fixture
def monday(time_machine):
    time_machine.move_to(MONDAY_MORNING, tick=False)


@pytest.fixture
def go_to(time_machine):
    """Move to noon UTC of a day and look for due reminders, as the tick does."""

    def go(day):
        time_machine.move_to(f"{day}T12:00:00+00:00", tick=False)
        return raise_reminders()

    return go


@pytest.fixture
def priya(alice):
    return make_contact(alice)


@pytest.fixture
def aster(alice):
    return Organisation.objects.create(owner=alice, name="Aster")


@pytest.fixture
def jonas(alice, aster):
    """Jonas works at Aster, and so does Lena."""
    return make_contact(alice, "Jonas Weber", organisation=aster)


@pytest.fixture
def lena(alice, aster):
    return make_contact(alice, "Lena Fischer", organisation=aster)
