"""One try of a fault: days begin, something breaks, and another day must go as if nothing had."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from django.db import connection

from tests.faults.machine import Machine
from tests.faults.notebooks import Notebooks, Tally, wait_for_ticks
from tests.faults.visitor import Visitor

PAGES = 8  # Enough to use every connection that the web processes keep.


@dataclass
class Trial:
    """What a fault has at hand. `broken` takes promises that it saw broken, as sentences."""

    machine: Machine
    notebooks: Notebooks
    chance: Random
    kills: int
    broken: list[str] = field(default_factory=list)

    def early(self) -> None:
        """Let the day of half of the people begin."""
        self.notebooks.morning(*self.notebooks.people[::2])

    def late(self) -> None:
        """Let the day of the others begin."""
        self.notebooks.morning(*self.notebooks.people[1::2])

    def everybody(self) -> None:
        self.notebooks.morning(*self.notebooks.people)

    def moment(self, longest: float = 1.0) -> None:
        """Let a random while go by, in seconds."""
        time.sleep(self.chance.uniform(0, longest))


def attempt(
    machine: Machine, fault: Callable[[Trial], None], seed: str, people: int, kills: int = 0
) -> Tally:
    """Try a fault, then let another day begin; return what came of it all.

    Each try has people of its own. What it broke is mended for the next.
    """
    machine.cut_off = 0
    trial = Trial(machine, Notebooks(machine.office, people), Random(seed), kills)
    anybody = trial.notebooks.people[:people]
    try:
        fault(trial)
        trial.notebooks.settle()
        trial.notebooks.morning(*anybody, follow_ups=1)
        trial.notebooks.settle()
        wait_for_ticks()  # For what may come too often.
    except AssertionError as error:
        said = str(error).rstrip(".")
        trial.broken.append(f"It could not be tried to its end: {said}")
    trial.broken += [f"The {name} process ended by itself" for name in machine.ended()]
    visitor = Visitor(machine.env["SITE_URL"], anybody[0])
    if failed := sum(not visitor.reads("/") for _ in range(PAGES)):
        trial.broken.append(f"{failed} of {PAGES} pages did not come afterwards")
    tally = trial.notebooks.tally(machine.cut_off)
    tally.tried, tally.broken = kills or 1, trial.broken + tally.broken
    if tally.broken:
        connection.close()
        machine.mend()
    return tally
