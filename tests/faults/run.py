"""`make faults`: break everything that can break, and count what was lost or doubled."""

import argparse
import os
import shutil
import sys
from pathlib import Path
from random import SystemRandom

import django

from netcrm import servers
from tests.faults.machine import Machine, booted

COLUMNS = "times tried", "reminders expected", "raised", "lost", "doubled", "mails doubled"
KEPT = "Every promise was kept: a mail came twice only where its sender was cut off."
WIDTH = 28
PEOPLE = 6  # one of each zone


def main() -> int:
    given = os.environ
    any_seed = SystemRandom().randrange(10**6)
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", default=given.get("SEED") or any_seed)
    parser.add_argument("--kills", type=int, default=int(given.get("KILLS") or 100))
    parser.add_argument("--tries", type=int, default=2, help="of every other fault")
    parser.add_argument("--only", default="", help="faults whose name has this in it")
    options = parser.parse_args()
    var = Path(given.get("NETCRM_VAR") or "var/faults").absolute()
    with servers.hold(var):
        directory = var / "machine"
        shutil.rmtree(directory, ignore_errors=True)
        with booted(directory) as machine:
            os.environ |= machine.env | {"DJANGO_SETTINGS_MODULE": "netcrm.settings"}
            django.setup()
            return try_all(machine, options)


def try_all(machine: Machine, options: argparse.Namespace) -> int:
    """Print a row for each fault; return the exit code."""
    from tests.faults.faults import FAULTS
    from tests.faults.notebooks import Tally
    from tests.faults.trial import attempt

    print(f"Seed {options.seed} (the same again: make faults SEED={options.seed})\n")
    print(f"{'fault':{WIDTH}}", *COLUMNS, sep=" | ")
    broken = []
    for name, fault in FAULTS.items():
        if options.only not in name:
            continue
        tally = Tally()
        is_random = name == "random kills"
        for number in range(1 if is_random else options.tries):
            kills = options.kills if is_random else 0
            tally += attempt(machine, fault, f"{options.seed} {name} {number}", PEOPLE, kills)
        print(row(name, tally), flush=True)
        broken += [f"{name}: {sentence}." for sentence in tally.broken]
    print()
    print("Killed at random:", ", ".join(f"{n} {count}" for n, count in machine.killed.items()))
    print("\n".join(broken) or KEPT)
    return bool(broken)


def row(name: str, tally) -> str:
    counts = tally.tried, tally.expected, tally.raised, tally.lost, tally.doubled
    cells = zip((*counts, tally.mails_doubled), COLUMNS, strict=True)
    return " | ".join([f"{name:{WIDTH}}", *(f"{n:>{len(column)}}" for n, column in cells)])


if __name__ == "__main__":
    sys.exit(main())
