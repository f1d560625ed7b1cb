"""The first page of the people list and one far behind it, in each order, next to the plain query
that reads the same rows from the index of that order.

The page is what htmx asks for: the filters, fifty rows with where each stands, the links. Going by
the edge of the page before, page 2,000 must take the time of page 1.
"""

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.searching import without_indexes
from contacts.lists.listing import PAGE, Asked, PeoplePage
from contacts.lists.ordering import SORTS, Edge, Sort
from contacts.models import Contact
from netcrm.models import User

AIM = 3.0
ROUNDS = 15
FAR = 2000  # pages, or as far as a smaller notebook goes
PEOPLE = """
INSERT INTO contacts_organisation (owner_id, name, website, is_target, notes)
SELECT %(owner)s, 'Organisation ' || n, '', false, ''
FROM generate_series(1, greatest(%(people)s / 20, 1)) AS n;

INSERT INTO contacts_contact (owner_id, name, organisation_id, role, how_met, seeks, offers, notes,
    time_zone, do_not_contact, last_interaction_on, search_text, details, created_at, updated_at)
SELECT %(owner)s, md5(n::text), CASE WHEN n %% 3 > 0 THEN organisation.id END, 'Analyst', '', '',
    '', '', '', false, CASE WHEN n %% 3 > 0 THEN current_date - n %% 900 END,
    md5(n::text) || E'\\t' || lower(organisation.name) || E'\\nanalyst', '[]', now(), now()
FROM generate_series(1, %(people)s) AS n
JOIN contacts_organisation AS organisation ON organisation.owner_id = %(owner)s
    AND organisation.name = 'Organisation ' || 1 + n %% greatest(%(people)s / 20, 1)
ORDER BY n;
"""
# The keys of each order, as its index has them; the other way round it is read backwards.
KEYS = {
    "": """left(search_text, 60) COLLATE "C", contact.id""",
    "organisation": """lower(organisation.name), left(search_text, 60) COLLATE "C", contact.id""",
    "quiet": "last_interaction_on, contact.id",
    "added-up": "contact.id",
}
PLAIN = """
SELECT contact.id, contact.name, organisation.name FROM contacts_contact AS contact
{join} contacts_organisation AS organisation
    ON organisation.id = contact.organisation_id AND organisation.owner_id = {owner}
WHERE contact.owner_id = {owner} AND contact.archived_at IS NULL AND ({keys}) > ({edge})
    {leading}
ORDER BY {keys} LIMIT 51
"""


def bench(people: int) -> int:
    """Measure and print everything; return 1 if a page far behind takes longer than the first."""
    user = User.objects.create_user("list@example.org", name="Maya Lindqvist")
    with without_indexes(Contact), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(PEOPLE, {"owner": user.pk, "people": people})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client(headers={"host": "localhost", "HX-Request": "true", "HX-Target": "people"})
    client.force_login(user)
    print(f"People list of {people:,}, {PAGE} on a page, in ms: page 1 and one far behind\n")
    print(f"{'':<16}{'page 1':>8}{'far':>8}{'query 1':>9}{'far':>8}{'plain':>8}{'x plain':>9}")
    slow = []
    for sort in KEYS:
        said, far = SORTS[sort], _far_page(user, SORTS[sort], people)
        asked = [Asked(sort=sort), Asked(sort=sort, after=Edge.write(far))]
        page = [_timed(_visit, client, each) for each in asked]
        rows = [_timed(_ask, _query(user, each)) for each in asked]
        plain = _timed(_plain, user, sort, far)
        print(
            f"{said.label:<16}{page[0]:>8.1f}{page[1]:>8.1f}{rows[0]:>9.1f}{rows[1]:>8.1f}"
            f"{plain:>8.1f}{rows[1] / plain:>9.1f}"
        )
        if page[1] > AIM * page[0]:
            slow.append(said.label)
    print(
        f"\nSlower far behind: {', '.join(slow)}" if slow else "\nEvery page takes the same time."
    )
    return int(bool(slow))


def _far_page(user: User, sort: Sort, people: int) -> Contact:
    """Return the row at the end of page 2,000."""
    first = sort.ranges(Contact.objects.for_user(user).current())[0].beyond(None, ahead=True)
    # A third of them has nothing that some orders go by.
    ordered = people * 2 // 3 if sort.given else people
    contact = first[max(min(FAR * PAGE, ordered) - 2 * PAGE, 0)]
    contact.edge = [getattr(contact, f"edge_{n}") for n in range(len(sort.keys))]
    return contact


def _visit(client: Client, asked: Asked) -> None:
    address = reverse("contacts:contact_list") + asked.address(after=asked.after)
    response = client.get(address)
    assert response.status_code == 200


def _query(user: User, asked: Asked) -> str:
    """Return the query for the rows of a page, as PostgreSQL gets it."""
    page = PeoplePage(user, replace(asked, columns=("role",)), user.today())
    with CaptureQueriesContext(connection) as queries:
        assert len(page.rows) == PAGE
    return queries[0]["sql"]


def _ask(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert len(cursor.fetchall()) == PAGE + 1


def _plain(user: User, sort: str, far: Contact) -> None:
    join = "JOIN" if sort == "organisation" else "LEFT JOIN"
    edge = ", ".join(["%s"] * (len(far.edge) + 1))
    leading = "AND lower(organisation.name) >= %s" if sort == "organisation" else ""
    sql = PLAIN.format(join=join, owner=user.pk, keys=KEYS[sort], edge=edge, leading=leading)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*far.edge, far.pk, *far.edge[: bool(leading)]])
        assert len(cursor.fetchall()) == PAGE + 1


def _timed(run: Callable[..., None], *args: object) -> float:
    """Return the median milliseconds of some runs, the first left out."""
    run(*args)
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        run(*args)
        times.append(perf_counter() - start)
    return 1000 * median(times)
