"""`make fuzz`: nasty files through every reader, and into the notebook and out again, for as long
as it is told. What breaks a promise is kept as a file, made as small as it can be."""

import argparse
import hashlib
import math
import os
import sys
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from time import monotonic

import django
import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import HypothesisWarning

from tests.servers import ROOT, environment

# Each turn is short and has a seed of its own, so that nothing has to be remembered of it.
TURN = settings(
    deadline=None,  # tests.fuzz.bounds has one that counts this process's own time only
    database=None,
    phases=[Phase.generate, Phase.target, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
    report_multiple_bugs=False,  # the next turn finds the next one
)

SMALL = 100_000  # bytes, of which nobody notices how long they take
FOR_ONE = 1000  # bytes of an ordinary person


@dataclass
class Tally:
    """What came of the files of one target."""

    files: int = 0
    refused: int = 0
    people: int = 0
    slowest: float = 0.0
    broken: Counter[str] = field(default_factory=Counter)
    kept: dict[str, Path] = field(default_factory=dict)


def main() -> int:
    given_seed = os.environ.get("SEED") or SystemRandom().randrange(10**6)
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SECONDS") or 60))
    parser.add_argument("--seed", type=int, default=int(given_seed))
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    parser.add_argument("--replay", type=Path, help="a file that was kept")
    options = parser.parse_args()
    # That a file is too long to be shown.
    warnings.simplefilter("ignore", HypothesisWarning)
    with environment() as env:
        os.environ |= env | {"DEBUG": "false", "LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "netcrm.settings"
        django.setup()
        from benchmarks.measuring import own_database
        from tests.fuzz.targets import targets

        with own_database():
            tried = [target for target in targets() if options.only in target.name]
            if options.replay:
                return replay(tried, options.replay)
            kept = Path(os.environ.get("NETCRM_VAR") or ROOT / "var" / "fuzz")
            print(f"Seed {options.seed} (the same again: make fuzz SEED={options.seed})\n")
            tallies = fuzz(tried, options.seconds, options.seed, kept)
    return print_tallies(tallies)


def fuzz(targets, seconds: float, seed: int, kept: Path) -> dict[str, Tally]:
    """Give each target its turn, again and again, until the time is over."""
    tallies = {target.name: Tally() for target in targets}
    until = monotonic() + seconds
    while monotonic() < until:
        for target in targets:
            take_turn(target, seed, tallies[target.name], kept, until=until)
        seed += 1
    return tallies


def take_turn(
    target, seed: int, tally: Tally, kept: Path, most: int = 0, until: float = math.inf
) -> None:
    """Try some files; keep the smallest that breaks the promise in a way not seen before. Once
    the time is over, nothing is tried any more."""
    from tests.fuzz.bounds import bounded, timed

    failing: dict[str, bytes] = {}

    @hypothesis.seed(seed)
    @settings(TURN, max_examples=most or target.turn)
    @given(target.files)
    def keeps_its_promise(data: bytes) -> None:
        # What has failed is still made smaller.
        if not failing and monotonic() > until:
            return
        tally.files += 1
        try:
            with bounded(len(data)):
                count, seconds = timed(target.promise, data)
        except Exception as error:
            if (origin := origin_of(error)) in tally.kept:
                tally.broken[origin] += 1
                return
            failing[origin] = data
            raise
        tally.refused += count is None
        tally.people += count or 0
        tally.slowest = max(tally.slowest, seconds)
        # Towards what takes long for its size and for what comes of it.
        size = SMALL + len(data) + FOR_ONE * (count or 0)
        hypothesis.target(seconds / size, label="seconds a byte")

    try:
        keeps_its_promise()
    except Exception as error:
        origin = origin_of(error)
        tally.broken[origin] += 1
        # hypothesis ends with the smallest one. One that breaks no promise a second time is kept
        # too: it is the last of all.
        smallest = failing[origin] if origin in failing else [*failing.values()][-1]
        tally.kept[origin] = keep(kept / target.name, smallest)
        print(f"{target.name}: {origin}\n  {error}\n  {tally.kept[origin]}", flush=True)


def origin_of(error: BaseException) -> str:
    """Return what happened and where in our own code."""
    from tests.fuzz.bounds import TookTooMuch

    kind = type(error).__name__
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(ROOT) and ".venv" not in frame.filename
    ]
    # Where something that takes too long is stopped is chance.
    if isinstance(error, TookTooMuch) or not ours:
        return kind
    return f"{kind} at {Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}"


def keep(directory: Path, data: bytes) -> Path:
    path = directory / hashlib.sha256(data).hexdigest()[:12]
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def replay(targets, path: Path) -> int:
    """Try a file that was kept once more; its directory is called after the target."""
    from tests.fuzz.bounds import bounded

    target = next(each for each in targets if each.name == path.parent.name)
    data = path.read_bytes()
    try:
        with bounded(len(data)):
            print(f"Now it keeps its promise: {target.promise(data)} came of it.")
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def print_tallies(tallies: dict[str, Tally]) -> int:
    print(f"{'':<14}{'files':>10}{'refused':>10}{'people':>12}{'slowest, s':>12}{'broken':>8}")
    for name, tally in tallies.items():
        print(
            f"{name:<14}{tally.files:>10,}{tally.refused:>10,}{tally.people:>12,}"
            f"{tally.slowest:>12.2f}{sum(tally.broken.values()):>8}"
        )
    kept = [path for tally in tallies.values() for path in tally.kept.values()]
    for path in kept:
        print(f'make fuzz ARGS="--replay {path}"')
    if not kept:
        print(f"Every promise was kept by {sum(t.files for t in tallies.values()):,} files.")
    return bool(kept)


if __name__ == "__main__":
    sys.exit(main())
