"""The columns of the people list, and what they cost."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.lists import listing
from contacts.models import ContactEmail, ContactPhone, ListColumns, Organisation
from tests.factories import make_contact, make_follow_up

LIST, CHOOSE = "/people/", "/people/columns/"


def heads(response):
    return [head.label for head in response.context["page"].heads]


def test_the_usual_columns(alice, alice_client):
    make_contact(alice)
    assert heads(alice_client.get(LIST)) == [
        "Person",
        "Where it stands",
        "Next step",
        "Last spoken",
    ]


def test_chosen_columns_are_remembered_for_every_list(alice, alice_client, bob_client):
    response = alice_client.post(f"{CHOOSE}?q=priya", {"columns": ["tags", "role", "nonsense"]})
    assert response["Location"] == "/people/?q=priya"
    assert not ListColumns.objects.exists()
    alice_client.post(CHOOSE, {"columns": ["tags", "role"]})
    alice_client.post(CHOOSE, {"columns": ["last", "role"]})
    assert heads(alice_client.get(LIST, {"show": "new"})) == ["Person", "Last spoken", "Role"]
    assert heads(bob_client.get(LIST))[1:] == ["Where it stands", "Next step", "Last spoken"]


def test_no_column_at_all_is_the_usual_ones_again(alice_client):
    alice_client.post(CHOOSE, {"columns": ["role"]})
    alice_client.post(CHOOSE, {})
    assert heads(alice_client.get(LIST))[1:] == ["Where it stands", "Next step", "Last spoken"]


def test_columns_of_the_address_count_for_that_list_only(alice, alice_client):
    assert heads(alice_client.get(LIST, {"columns": "role,nonsense,email"}))[1:] == [
        "Role",
        "E-mail",
    ]
    response = alice_client.post(f"{CHOOSE}?columns=role", {"columns": ["tags", "number"]})
    assert response["Location"] == "/people/?columns=tags%2Cnumber"
    assert not ListColumns.objects.exists()


def test_columns_are_for_posting(alice_client):
    assert alice_client.get(CHOOSE).status_code == 405


def test_what_the_columns_show(alice, alice_client):
    ruth = make_contact(alice, "Ruth Abernathy")
    contact = make_contact(
        alice,
        "Priya Raman",
        organisation=Organisation.objects.create(owner=alice, name="Tide & Co"),
        role="Research Ops",
        introduced_by=ruth,
        known_since=date(2019, 5, 3),
        rhythm_days=42,
    )
    contact.tag("Alumni")
    ContactEmail.objects.create(owner=alice, contact=contact, address="priya@example.org")
    ContactPhone.objects.create(owner=alice, contact=contact, number="+436601234567")
    html = alice_client.get(LIST, {"columns": ",".join(listing.COLUMNS)}).content.decode()
    for words in (
        'href="/people/?at=Tide%20%26%20Co"',
        "Research Ops",
        'href="/people/?tagged=Alumni"',
        "Every six weeks",
        'href="mailto:priya@example.org"',
        'href="tel:+43-660-1234567"',
        f'href="{ruth.get_absolute_url()}"',
        "Fri 3 May 2019",
    ):
        assert words in html


def test_as_many_queries_for_3_rows_as_for_50_with_all_columns(alice, alice_client):
    alice_client.post(CHOOSE, {"columns": list(listing.COLUMNS)})
    # On every page: somebody for whom it may be time for a hello.
    ruth = make_contact(alice, "A. Ruth Abernathy")

    def queries_of(count):
        for n in range(count):
            contact = make_contact(alice, f"Person {n}", introduced_by=ruth)
            contact.tag(f"tag {n % 3}")
            ContactEmail.objects.create(owner=alice, contact=contact, address=f"{n}@example.org")
            make_follow_up(contact)
        with CaptureQueriesContext(connection) as queries:
            assert len(alice_client.get(LIST).context["page"].rows) == min(count + 1, 50)
        return len(queries)

    few = queries_of(3)
    assert queries_of(50) == few


def test_a_column_that_is_not_shown_asks_nothing(alice, alice_client):
    make_follow_up(make_contact(alice))
    make_contact(alice)
    with CaptureQueriesContext(connection) as all_columns:
        alice_client.get(LIST, {"columns": ",".join(listing.COLUMNS)})
    with CaptureQueriesContext(connection) as one:
        alice_client.get(LIST, {"columns": "role"})
    # Open follow-ups and their reminders, who is due a hello, tags, addresses, numbers.
    assert len(all_columns) - len(one) == 6


# Heads


def test_a_head_sorts_and_sorts_the_other_way(alice, alice_client):
    for name in ("Aiko", "Bea"):
        make_contact(alice, name)
    page = alice_client.get(LIST).context["page"]
    person = page.heads[0]
    assert (person.sorted, person.address) == ("ascending", "?sort=name-down")
    response = alice_client.get(LIST + person.address)
    assert [contact.name for contact in response.context["page"].rows] == ["Bea", "Aiko"]
    assert 'aria-sort="descending"><a href="/people/?">Person</a>' in response.content.decode()


@pytest.mark.parametrize(
    ("column", "first", "other"),
    [
        ("last", "recent", "quiet"),
        ("organisation", "organisation", "organisation-down"),
        ("added", "added", "added-up"),
    ],
)
def test_the_heads_of_columns(alice, alice_client, column, first, other):
    for sort, then in (("", first), (first, other), (other, first)):
        page = alice_client.get(LIST, {"columns": column, "sort": sort}).context["page"]
        _, head = page.heads
        assert head.address == f"?sort={then}&columns={column}"
        assert bool(head.sorted) == bool(sort)


def test_what_has_no_order_has_no_link(alice_client):
    page = alice_client.get(LIST, {"columns": "tags"}).context["page"]
    assert page.heads[1].address == ""
