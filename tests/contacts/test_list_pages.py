"""Pages of the people list: each begins behind the row at the edge of the one before."""

import json
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.lists import listing
from contacts.lists.ordering import SORTS, Edge
from contacts.models import Contact, Organisation
from tests.factories import make_contact

LIST = "/people/"
SIZE = 3


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(listing, "PAGE", SIZE)


@pytest.fixture
def crowd(alice):
    """Seventeen people: several of one name, some never spoken to, some without organisation."""
    chance = random.Random(7)
    firms = [Organisation.objects.create(owner=alice, name=name) for name in ("Ärzte", "base", "C")]
    for n in range(17):
        name = chance.choice(["Émile", "emil", "Zoë", 'O"Neil\\', "李明"])
        contact = make_contact(alice, name, organisation=chance.choice([*firms, None]))
        if n % 3:
            contact.touch(alice.today() - timedelta(days=chance.randrange(4)))
    Contact.objects.reindex()


def joined(pages):
    return [pk for page in pages for pk in page]


def walk(client, sort, way="next_page", start=""):
    """Return the ids of the list, page by page, and the last page."""
    pages, address = [], start or f"?sort={sort}"
    while address:
        page = client.get(LIST + address).context["page"]
        pages.append([contact.pk for contact in page.rows])
        address = getattr(page, way)
        assert len(pages) < 10
    return pages, page


@pytest.mark.parametrize("sort", SORTS)
def test_the_pages_are_the_whole_list_once_there_and_back(crowd, alice, alice_client, sort):
    asked = listing.Asked(sort=sort)
    whole = [c.pk for c in listing.PeoplePage(alice, asked, alice.today()).in_order]
    there, last = walk(alice_client, sort)
    assert joined(there) == whole
    assert [len(page) for page in there] == [3, 3, 3, 3, 3, 2]
    back, _ = walk(alice_client, sort, "previous_page", last.previous_page)
    assert joined(back[::-1]) == whole[:15]


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_stays_where_it_is_when_the_row_at_its_edge_goes(crowd, alice, alice_client, sort):
    (first, second, *_), _ = walk(alice_client, sort)
    address = alice_client.get(f"{LIST}?sort={sort}").context["page"].next_page
    Contact.objects.filter(pk=first[-1]).delete()
    page = alice_client.get(LIST + address).context["page"]
    assert [contact.pk for contact in page.rows] == second
    back = alice_client.get(LIST + page.previous_page).context["page"]
    # The first page is full again, and there is nothing before it.
    assert [contact.pk for contact in back.rows] == [*first[:-1], second[0]]
    assert not back.previous_page


def test_those_of_whom_nothing_is_known_come_last_whichever_way_one_looks(crowd, alice_client):
    for sort, name in (("recent", "last_interaction_on"), ("organisation-down", "organisation")):
        pages, _ = walk(alice_client, sort)
        people = Contact.objects.in_bulk(joined(pages))
        known = [getattr(people[pk], name) is not None for pk in joined(pages)]
        assert known == sorted(known, reverse=True)
        assert len(set(known)) == 2


def test_filters_and_words_go_along(alice, alice_client):
    for n in range(5):
        make_contact(alice, f"Person {n}").tag("Graz & Wien")
    make_contact(alice, "Person of nowhere")
    page = alice_client.get(LIST, {"q": "person", "tagged": "graz & wien"}).context["page"]
    assert page.next_page.startswith("?q=person&tagged=graz+%26+wien&after=")
    rest = alice_client.get(LIST + page.next_page).context["page"]
    assert [contact.name for contact in rest.rows] == ["Person 3", "Person 4"]


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize(
    "edge",
    [
        *("x", "[]", "[1]", '["a"]', '["a",0]', '["a",-1]', '["a",true]', '["a","1"]', '["a",1.5]'),
        *("[1,1]", "[null,1]", '["a","b",1]', '{"a":1}', '["\\u0000",1]', '["a",1', "[" * 5000),
        *(f'["a",{2**63}]', f'["{"a" * 2000}",1]', "null", "NaN", "[NaN,1]"),
        '["\\ud800",1]',
    ],
)
def test_an_edge_that_cannot_be_is_the_first_page(crowd, alice_client, name, edge):
    page = alice_client.get(LIST, {name: edge}).context["page"]
    assert len(page.rows) == SIZE
    assert not page.previous_page


@pytest.mark.parametrize("edge", ['["2026-13-01",1]', '["soon",1]', "[20260101,1]", '["",1]'])
def test_a_day_that_is_none_is_the_first_page(crowd, alice_client, edge):
    assert (
        not alice_client.get(LIST, {"sort": "recent", "after": edge}).context["page"].previous_page
    )


def test_the_edge_of_one_order_says_nothing_in_another(crowd, alice_client):
    page = alice_client.get(LIST, {"sort": "organisation"}).context["page"]
    edge = Edge.write(page.rows[-1])
    assert len(json.loads(edge)) == 3
    assert (
        not alice_client.get(LIST, {"sort": "quiet", "after": edge}).context["page"].previous_page
    )


def test_an_old_address_of_a_page_leads_to_the_first_one(crowd, alice_client):
    first = alice_client.get(LIST).context["page"]
    old = alice_client.get(LIST, {"page": "3"}).context["page"]
    assert old.rows == first.rows
    assert old.next_page == first.next_page


def test_a_page_that_has_emptied_leads_back(alice, alice_client):
    make_contact(alice, "Aiko Tanabe")
    response = alice_client.get(LIST, {"after": '["zzz",1]'})
    assert response.context["page"].rows == []
    assert "This page is empty now." in response.content.decode()


def test_somebody_elses_row_at_the_edge_shows_nothing_of_theirs(alice, bob, alice_client):
    theirs = make_contact(bob, "Bea")
    for name in ("Aiko", "Cora"):
        make_contact(alice, name)
    page = alice_client.get(LIST, {"after": json.dumps(["bea\t\n", theirs.pk])}).context["page"]
    assert [contact.name for contact in page.rows] == ["Cora"]


def plan_of(client, sort, after=""):
    """Return the plan of the query for the rows. The table is so small that any plan would do: it
    is made to take an index, and to sort only what no index has in order."""
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST, {"sort": sort, "after": after, "columns": "role"})
    rows = next(query["sql"] for query in queries if "edge_0" in query["sql"])
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("EXPLAIN (COSTS OFF) " + rows)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(
    ("sort", "edge", "index"),
    [
        ("", '["m",5]', "contact_alphabetical"),
        ("name-down", '["m",5]', "contact_alphabetical"),
        ("recent", '["2026-01-01",5]', "contact_by_last_interaction"),
        ("quiet", '["2026-01-01",5]', "contact_by_last_interaction"),
    ],
)
def test_a_page_begins_at_its_place_in_the_index(alice, alice_client, sort, edge, index):
    make_contact(alice).touch(alice.today())
    plan = plan_of(alice_client, sort, edge)
    assert index in plan, plan
    scan = plan[plan.index(index) :]
    condition = scan[scan.index("Index Cond") :].splitlines()[0]
    assert "ROW(" in condition
    assert "Sort" not in plan[: plan.index(index)]
