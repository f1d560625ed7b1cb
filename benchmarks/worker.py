"""A worker process for the digests: it does what Celery's tasks do, as long as it is told to.

It reads seconds, line by line, and answers each line with what it did: `{"made": 80, "sent": 80,
"seconds": 2.1}`.
"""

import json
import sys
from time import perf_counter

import django


def main() -> None:
    django.setup()
    from netcrm import outbox
    from today import digest

    for line in sys.stdin:
        start = perf_counter()
        digest.send_digests(seconds=float(line))
        sent = outbox.send_waiting()
        done = {"mails": sent, "seconds": perf_counter() - start}
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
