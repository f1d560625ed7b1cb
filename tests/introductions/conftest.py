"""A Monday in November; Ruth, who knows people, and Daniel and Beatriz, who should meet."""

import pytest

from followups.raising import raise_reminders
from tests.factories import make_contact
from tests.followups.doing import MONDAY_MORNING


@pytest.fixture(autouse=True)
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
def ruth(alice):
    return make_contact(alice, "Ruth Abernathy")


@pytest.fixture
def ingrid(alice):
    return make_contact(alice, "Ingrid Solberg")


@pytest.fixture
def daniel(alice):
    return make_contact(alice, "Daniel Mbeki")


@pytest.fixture
def beatriz(alice):
    return make_contact(alice, "Beatriz Duarte")
