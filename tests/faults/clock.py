"""A clock that can be set while a process runs: `python -m tests.faults.clock FILE MODULE ...` runs
the module (as `python -m` does) with as many seconds added to the time of day as the file says.

The machine's own clock belongs to everybody. Time limits and pauses go on as before, as they do
when a real clock is set: they use another one, which only goes forward.
"""

import os
import runpy
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import time_machine

LOOK_SECONDS = 0.1


def set_by(shown: Path) -> list[str]:
    """Return what stands between `python -m` and the module."""
    return [__name__, str(shown)]


def run(shown: Path, module: str) -> None:
    traveller = time_machine.travel(datetime.now(UTC)).start()

    def follow() -> None:
        while True:
            now = time_machine.escape_hatch.time.time() + float(shown.read_text())
            traveller.move_to(now)
            time.sleep(LOOK_SECONDS)

    def watch() -> None:
        threading.Thread(target=follow, daemon=True).start()

    watch()
    os.register_at_fork(after_in_child=watch)  # Threads do not follow into a child.
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _, file, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    run(Path(file), module)
