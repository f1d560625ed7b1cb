"""`make bench`: how fast netcrm answers one user with a full notebook."""

import argparse
import os
import sys

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, help="contacts in the notebook")
    parser.add_argument("--rounds", type=int, default=60, help="requests of each kind")
    options = parser.parse_args()
    # Measured as it runs for others: the settings read these when Django is set up.
    os.environ |= {"DEBUG": "false", "LOG_LEVEL": "WARNING"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netcrm.settings")
    django.setup()
    from benchmarks import measuring

    with measuring.own_database():
        return measuring.bench(options.people, options.rounds)


if __name__ == "__main__":
    sys.exit(main())
