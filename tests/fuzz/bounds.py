"""How long a file may take and how much memory."""

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

import psutil

MEGABYTE = 1024 * 1024
# Of this process's own time: what else the machine does counts for nothing.
# As many rows as a file may have, and nothing in them, take a few seconds and much memory.
SECONDS, SECONDS_FOR_MEGABYTE = 15, 3
MEGABYTES, MEGABYTES_FOR_MEGABYTE = 300, 40


class TookTooMuch(Exception):
    """A file took more time or memory than it may."""


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Let nothing take longer, or more memory, than a file of so many bytes may. Raises
    TookTooMuch; from inside, if it would take for ever."""
    seconds = SECONDS + SECONDS_FOR_MEGABYTE * size / MEGABYTE
    megabytes = MEGABYTES + MEGABYTES_FOR_MEGABYTE * size / MEGABYTE

    def give_up(number, frame):
        raise TookTooMuch(f"{size:,} bytes took more than {seconds:.1f} s.")

    # pytest and hypothesis leave this signal alone.
    before = signal.signal(signal.SIGPROF, give_up)
    held, highest = psutil.Process().memory_info().rss, peak()
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    grown = (peak() - held) / MEGABYTE
    # A peak that is no new one belongs to a file before.
    if peak() > highest and grown > megabytes:
        raise TookTooMuch(f"{size:,} bytes took {grown:.0f} MB of memory.")


def peak() -> int:
    """Return how many bytes of memory this process has held at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def timed(work, *args) -> tuple[object, float]:
    """Return what work returns, and the seconds of this process's own time that it took."""
    start = process_time()
    done = work(*args)
    return done, process_time() - start
