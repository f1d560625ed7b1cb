"""Nothing is lost and nothing doubled, whatever fails. `make faults` tries all this for longer."""

import pytest

from tests.faults.faults import FAULTS
from tests.faults.trial import attempt

SEED = "short"
PEOPLE = 3
KILLS = 5


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled(machine, name):
    kills = KILLS if name == "random kills" else 0
    tally = attempt(machine, FAULTS[name], f"{SEED} {name}", PEOPLE, kills)
    assert tally.expected
    assert not tally.broken
