"""Requests and queries of one user with a full notebook, next to a floor.

Every request goes through the whole stack in this process: all middleware, URLs and templates, a
real PostgreSQL. Each has one of the floor right before it, so that whatever else the machine does
slows both; the ratio is the median over these pairs.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.notebook import make_notebook
from contacts.models import Contact
from netcrm.models import User

AIM = 3.0
FEW = 10  # So few that every list shows fewer rows than it does with many.
# A full page may ask once more, for a total or for what its rows have in common; a query for each
# row would be dozens.
ONCE_MORE = 3


class Visitor:
    """A signed-in browser; every answer must be the expected one."""

    def __init__(self, user: User):
        self.user = user
        self.people = list(
            Contact.objects.for_user(user).order_by("pk").values_list("pk", flat=True)
        )
        self.client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
        self.client.force_login(user)
        self.get("today:today")
        self.csrf_token = self.client.cookies["csrftoken"].value
        # People whom nobody pursues yet.
        self.strangers = iter(self.people[2::5])

    def get(self, name: str, *args: Any, query: str = "", target: str = "") -> None:
        """Open a page, or the part of it that htmx asks for."""
        htmx = {"HX-Request": "true", "HX-Target": target} if target else {}
        response = self.client.get(reverse(name, args=args) + query, headers=htmx)
        assert response.status_code == 200, response

    def log_attempt(self) -> None:
        """Log a voicemail with the next stranger."""
        entry = {
            "happened": "voicemail",
            "on": self.user.today().isoformat(),
            "note": "Will try again.",
            "key": uuid.uuid4(),
            "csrfmiddlewaretoken": self.csrf_token,
        }
        address = reverse("followups:log_contact", args=[next(self.strangers)])
        response = self.client.post(address, entry)
        assert response.status_code == 302, response


def visit_floor(visitor: Visitor) -> None:
    visitor.get("floor")


PAGES: dict[str, Callable[[Visitor], None]] = {
    "Today": lambda visitor: visitor.get("today:today"),
    "Contact list": lambda visitor: visitor.get("contacts:contact_list"),
    "Search": lambda visitor: visitor.get(
        "contacts:contact_list", query="?q=priya+ram", target="people"
    ),
    "Contact": lambda visitor: visitor.get("contacts:contact", visitor.people[0]),
    "Log an attempt": Visitor.log_attempt,
    "Bulk edit (admin)": lambda visitor: visitor.get("admin:contacts_contact_changelist"),
}


@dataclass(frozen=True)
class Result:
    """What one kind of request took: median seconds, the median ratio to the floor, and queries
    in the full notebook and in one of few people."""

    name: str
    seconds: float
    ratio: float
    queries: int
    queries_of_few: int

    @property
    def grows(self) -> bool:
        return self.queries > self.queries_of_few + ONCE_MORE


@contextmanager
def own_database() -> Iterator[None]:
    """Work in a fresh database on the same server; nobody's notebook is touched."""
    real_name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "netcrm_bench"
    with redirect_stdout(StringIO()):  # It says that the cache table is there already.
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(real_name, verbosity=0)


@override_settings(ROOT_URLCONF="benchmarks.urls")
def bench(people: int, rounds: int) -> int:
    """Measure and print everything; return 1 if queries grow with rows, else 0."""
    visitor = Visitor(make_notebook("many@example.org", people))
    few = Visitor(make_notebook("few@example.org", FEW))
    results = [measure("Floor", visit_floor, visitor, few, rounds)]
    results += [measure(name, visit, visitor, few, rounds) for name, visit in PAGES.items()]
    print(f"{people:,} contacts, {5 * people:,} interactions, {rounds} requests of each kind\n")
    print_table(results)
    return print_verdict(results[1:])


def measure(
    name: str, visit: Callable[[Visitor], None], visitor: Visitor, few: Visitor, rounds: int
) -> Result:
    """Time one kind of request against the floor, and count its queries."""
    queries, queries_of_few = count_queries(visit, visitor), count_queries(visit, few)
    pairs = [(timed(visit_floor, visitor), timed(visit, visitor)) for _ in range(rounds)]
    return Result(
        name=name,
        seconds=median(seconds for _, seconds in pairs),
        ratio=median(seconds / floor for floor, seconds in pairs),
        queries=queries,
        queries_of_few=queries_of_few,
    )


def timed(visit: Callable[[Visitor], None], visitor: Visitor) -> float:
    start = perf_counter()
    visit(visitor)
    return perf_counter() - start


def count_queries(visit: Callable[[Visitor], None], visitor: Visitor) -> int:
    # What is made once in a process, such as a compiled template, is made by the first visit.
    visit(visitor)
    queries = []

    def note(execute, sql, params, many, context):
        queries.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        visit(visitor)
    return len(queries)


def print_table(results: list[Result]) -> None:
    print(f"{'':<20}{'ms':>8}{'x floor':>10}{'requests/s':>13}{'queries':>10}{'of few':>9}")
    for result in results:
        print(
            f"{result.name:<20}{result.seconds * 1000:>8.1f}{result.ratio:>10.1f}"
            f"{1 / result.seconds:>13.0f}{result.queries:>10}{result.queries_of_few:>9}"
        )


def print_verdict(results: list[Result]) -> int:
    slow = [result.name for result in results if result.ratio > AIM]
    growing = [result.name for result in results if result.grows]
    aim = f"within {AIM:.0f} times the floor"
    print(f"\nNot {aim}: {', '.join(slow)}" if slow else f"\nAll {aim}.")
    print(f"Queries grow with rows: {', '.join(growing)}" if growing else "No query count grows.")
    return 1 if growing else 0
