"""Raising reminders: one sweep over follow-ups of which few are due, next to a floor in plain SQL.

The same number is due among first none, then ten times, then a hundred times as many others: what
a sweep takes longer then, it takes for those that are not due.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.copies import STRIDE, copy_notebook
from benchmarks.notebook import make_patient_notebook
from followups import raising

EACH = 100  # Follow-ups of one user.
STAGES = (1, 10, 100)  # So many follow-ups for each one that is due.
ROUNDS = 3
IDLE_ROUNDS = 20
MOST_GROWTH = 1.5
DUE_INDEX = "followup_due"

# Those of a user that are due have the lowest ids, so that they are spread over all users.
PLAN = """
    WITH planned AS (
        UPDATE followups_followup SET next_on = current_date + %s
        WHERE id IN (
            SELECT number + n * %s
            FROM generate_series(0, %s) AS n, generate_series(1, %s) AS number
        )
        RETURNING id
    )
    DELETE FROM followups_reminder USING planned WHERE follow_up_id = planned.id
"""
# What a sweep does to active follow-ups, in one statement.
FLOOR = """
    WITH due AS (
        SELECT id, next_on FROM followups_followup WHERE next_on <= current_date
        FOR NO KEY UPDATE SKIP LOCKED
    ), asking AS (
        UPDATE followups_followup SET next_on = NULL, state = 'active', promised = FALSE FROM due
        WHERE followups_followup.id = due.id
        RETURNING followups_followup.*, due.next_on AS due_on
    )
    INSERT INTO followups_reminder (owner_id, follow_up_id, turn, due_on, raised_at, mailed)
    SELECT owner_id, id, turn, due_on, now(), 0 FROM asking
    ON CONFLICT (follow_up_id, turn) DO UPDATE SET due_on = EXCLUDED.due_on, closed_at = NULL
"""


@dataclass(frozen=True)
class Result:
    """What it took among so many follow-ups, in seconds: the best sweep that raised all that were
    due, the best one with nothing due, and the best floor. `ratio` is the median of pairs."""

    follow_ups: int
    due: int
    seconds: float
    floor: float
    ratio: float
    idle: float


def bench(follow_ups: int) -> int:
    """Measure and print everything; return 1 if the time grows with what is not due, else 0."""
    original = make_patient_notebook("maya@example.org", EACH)
    due = follow_ups // EACH
    results, made = [], 1
    for stage in STAGES:
        users = due * stage // EACH
        copy_notebook(original, made, users - 1)
        made = users
        results.append(measure(users, due))
    print_table(results)
    return print_verdict(results, by_index())


def measure(users: int, due: int) -> Result:
    """Sweep when nothing is due, and then when so many are, each time after the floor did."""
    idle = min(timed(sweep_all, 0) for _ in range(IDLE_ROUNDS))
    pairs = []
    for _ in range(ROUNDS):
        plan(users, due)
        floor = timed(raise_in_sql, due)
        plan(users, due)
        pairs.append((floor, timed(sweep_all, due)))
    plan(users, due, days=30)
    return Result(
        follow_ups=users * EACH,
        due=due,
        seconds=min(seconds for _, seconds in pairs),
        floor=min(floor for floor, _ in pairs),
        ratio=median(seconds / floor for floor, seconds in pairs),
        idle=idle,
    )


def plan(users: int, due: int, days: int = 0) -> None:
    """Let those that are to be due come back in so many days, and the disk be at rest."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(PLAN, [days, STRIDE, users - 1, due // users])
        cursor.execute("VACUUM ANALYZE followups_followup, followups_reminder")
        cursor.execute("CHECKPOINT")


def raise_in_sql() -> int:
    with connection.cursor() as cursor:
        cursor.execute(FLOOR)
        return cursor.rowcount


def sweep_all() -> int:
    """Raise all that is due at once, however many ticks it would be."""
    return raising.raise_reminders(seconds=math.inf)


def timed(sweep: Callable[[], int], due: int) -> float:
    start = perf_counter()
    raised = sweep()
    seconds = perf_counter() - start
    assert raised == due, f"{raised} of {due} were raised"
    return seconds


def by_index() -> bool:
    """Tell whether PostgreSQL finds what is due without looking at the rest."""
    with transaction.atomic():
        return DUE_INDEX in raising.waiting(timezone.now())[: raising.BATCH].explain()


def print_table(results: list[Result]) -> None:
    print("\nOne sweep that raises what is due, and one when nothing is\n")
    print(f"{'Follow-ups':<12}{'due':>10}{'s':>10}{'x floor':>10}{'rows/s':>10}{'none, ms':>12}")
    for row in results:
        print(
            f"{row.follow_ups:<12,}{row.due:>10,}{row.seconds:>10.2f}{row.ratio:>10.1f}"
            f"{row.due / row.seconds:>10,.0f}{row.idle * 1000:>12.1f}"
        )


def print_verdict(results: list[Result], indexed: bool) -> int:
    """Compare the last two stages. The floor tells what larger tables cost in any case: the rows
    that are due lie further apart on the disk."""
    _, few, many = results
    growth, of_floor = many.seconds / few.seconds, many.floor / few.floor
    of_idle = many.idle / few.idle
    print("\nTen times as many that are not due, so many times as long:")
    print(f"the floor {of_floor:.1f}, a sweep {growth:.1f}, a sweep with nothing due {of_idle:.1f}")
    if not indexed:
        print(f"PostgreSQL does not find what is due by the index {DUE_INDEX}.")
    grows = growth > MOST_GROWTH * of_floor or of_idle > MOST_GROWTH
    return 1 if grows or not indexed else 0
