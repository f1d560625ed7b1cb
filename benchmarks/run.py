"""`make bench`: how fast netcrm answers one user with a full notebook, imports people from each
format, sends the digests of many users, and raises the reminders of many follow-ups.

    make bench ARGS="--users 100000 --follow-ups 10000000"

A part whose size is 0 is left out.
"""

import argparse
import os
import sys

import django


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=10_000, help="contacts in the notebook")
    parser.add_argument("--listed", type=int, default=20_000, help="people in the longest list")
    parser.add_argument("--searched", type=int, default=50_000, help="people of many owners")
    parser.add_argument("--rounds", type=int, default=60, help="requests of each kind")
    parser.add_argument("--imports", type=int, default=2_000, help="people in each imported file")
    parser.add_argument("--formats", default="", help="imports whose name has this in it")
    parser.add_argument("--users", type=int, default=1_000, help="digests due in the same hour")
    parser.add_argument("--minutes", type=float, default=60, help="at most, for the digests")
    parser.add_argument("--follow-ups", type=int, default=1_000_000, help="one in 100 is due")
    options = parser.parse_args()
    # Measured as it runs for others: the settings read these when Django is set up.
    os.environ |= {"DEBUG": "false", "LOG_LEVEL": "WARNING"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netcrm.settings")
    django.setup()
    from benchmarks import digests, importing, listing, measuring, searching, sweep

    parts = [
        (options.people, lambda: measuring.bench(options.people, options.rounds)),
        (options.listed, lambda: listing.bench(options.listed)),
        (options.searched, lambda: searching.bench(options.searched)),
        (options.imports, lambda: importing.bench(options.imports, options.formats)),
        (options.users, lambda: digests.bench(options.users, options.minutes)),
        (options.follow_ups, lambda: sweep.bench(options.follow_ups)),
    ]
    failed = 0
    for size, bench in parts:
        if size:
            with measuring.own_database():
                failed |= bench()
    return failed


if __name__ == "__main__":
    sys.exit(main())
