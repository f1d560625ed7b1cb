"""The people list: search, chips, order, and what a row says."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.lists import listing
from contacts.models import ContactEmail, Organisation
from followups import pursuing
from followups.models import FollowUp, Reminder
from tests.factories import make_contact, make_follow_up

LIST = "/people/"
HTMX = {"HX-Request": "true", "HX-Target": "people"}


def names(response):
    return [contact.name for contact in response.context["page"].rows]


def people(owner, count, prefix="Person"):
    return [make_contact(owner, f"{prefix} {n:03}") for n in range(count)]


# Search


@pytest.mark.parametrize(
    "words",
    [
        "lukasz",
        "ŁUKASZ",
        "kowalczyk łukasz",
        "  nordvind   luk ",
        "k@example",
        "data lead",
        "alumni",
    ],
)
def test_search_ignores_accents_case_and_order(alice, alice_client, words):
    organisation = Organisation.objects.create(owner=alice, name="NordVind")
    lukasz = make_contact(alice, "Łukasz Kowalczyk", role="Data Lead", organisation=organisation)
    ContactEmail.objects.create(owner=alice, contact=lukasz, address="K@example.org")
    lukasz.tag("Alumni")
    make_contact(alice, "Priya Raman")
    assert names(alice_client.get(LIST, {"q": words})) == ["Łukasz Kowalczyk"]


def test_search_looks_through_what_was_written_down(alice, alice_client):
    make_contact(alice, "Aiko Tanabe", notes="Wild swimming", seeks="a pilot", offers="research")
    for words in ("swimming", "pilot", "research"):
        assert names(alice_client.get(LIST, {"q": words})) == ["Aiko Tanabe"]


def test_every_word_must_be_there(alice, alice_client):
    make_contact(alice, "Priya Raman")
    assert names(alice_client.get(LIST, {"q": "priya tanabe"})) == []


@pytest.mark.parametrize("words", ["%", "_", "\\", "'", '"', "\0", "<script>", "x" * 5000])
def test_signs_are_searched_for_as_they_are(alice, alice_client, words):
    make_contact(alice, "Priya Raman")
    response = alice_client.get(LIST, {"q": words})
    assert response.status_code == 200
    assert names(response) == (["Priya Raman"] if words == "\0" else [])
    assert b"<script>" not in response.content.replace(b"<script src", b"")


def test_searching_with_htmx_answers_with_the_list_alone(alice, alice_client):
    make_contact(alice, "Priya Raman")
    response = alice_client.get(LIST, {"q": "priya"}, headers=HTMX)
    assert response.content.strip().startswith(b'<div id="people">')
    assert b"<html" not in response.content


# What is shown


def test_somebody_elses_people_are_not_listed(alice_client, bob):
    make_contact(bob, "Priya Raman")
    assert names(alice_client.get(LIST)) == []


@pytest.fixture
def notebook(alice):
    """One person for each chip, named after it."""
    due = make_contact(alice, "Due")
    make_follow_up(due)
    second = make_follow_up(due, "cold-request", next_on=None)
    # Two reminders: still one row.
    Reminder.objects.create(owner=alice, follow_up=second, turn=second.turn, due_on=alice.today())
    waiting = make_follow_up(make_contact(alice, "Waiting"))
    pursuing.snooze(waiting, alice.today() + timedelta(days=3))
    pursuing.rest(make_follow_up(make_contact(alice, "Resting")))
    make_contact(alice, "Spoken").touch(alice.today())
    make_contact(alice, "Hello", rhythm_days=1).touch(alice.today() - timedelta(days=1))
    make_contact(alice, "Away").archive()


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        ("", ["Due", "Hello", "Resting", "Spoken", "Waiting"]),
        ("due", ["Due"]),
        ("waiting", ["Waiting"]),
        ("hello", ["Hello"]),
        ("resting", ["Resting"]),
        ("new", ["Due", "Resting", "Waiting"]),
        ("late", []),
        ("archived", ["Away"]),
        ("nonsense", ["Due", "Hello", "Resting", "Spoken", "Waiting"]),
    ],
)
def test_chips(notebook, alice_client, show, shown):
    assert names(alice_client.get(LIST, {"show": show})) == shown


def test_who_is_due_is_not_waited_on(alice, alice_client):
    make_follow_up(make_contact(alice))
    assert names(alice_client.get(LIST, {"show": "waiting"})) == []


def test_names_stand_in_alphabetical_order_whatever_their_accents_and_case(alice, alice_client):
    for name in ("Zed", "Łukasz", "emilia", "Émile", "Lea", "Emil"):
        make_contact(alice, name)
    assert names(alice_client.get(LIST)) == ["Emil", "Émile", "emilia", "Lea", "Łukasz", "Zed"]


def test_order_by_the_last_interaction(alice, alice_client):
    today = alice.today()
    for name, days in (("Old", 90), ("New", 1), ("Never", None), ("Middle", 30)):
        contact = make_contact(alice, name)
        if days:
            contact.touch(today - timedelta(days=days))
    assert names(alice_client.get(LIST, {"sort": "recent"})) == ["New", "Middle", "Old", "Never"]
    assert names(alice_client.get(LIST, {"sort": "quiet"})) == ["Old", "Middle", "New", "Never"]


# Where it stands


@pytest.mark.parametrize(
    ("days", "words"), [(0, "1st try today"), (-4, "1st try due"), (5, "First try planned")]
)
def test_a_row_says_where_it_stands(alice, alice_client, days, words):
    on = alice.today() + timedelta(days=days)
    follow_up = make_follow_up(make_contact(alice))
    follow_up.reminders.update(due_on=on)
    if days > 0:
        pursuing.snooze(follow_up, on)
    page = alice_client.get(LIST).content.decode()
    assert words in page
    assert ("carried over" in page) == (days < 0)


def test_what_asks_now_is_shown_before_what_rests(alice, alice_client):
    contact = make_contact(alice)
    pursuing.rest(make_follow_up(contact, "cold-request"))
    make_follow_up(contact, "unanswered-call")
    content = alice_client.get(LIST).content.decode()
    assert "1st try today" in content
    assert "Resting until" not in content


def test_of_two_pursuits_the_one_that_asks_now_is_shown(alice, alice_client):
    contact = make_contact(alice)
    later = make_follow_up(contact, "cold-request")
    pursuing.snooze(later, alice.today() + timedelta(days=3))
    make_follow_up(contact, "unanswered-call")
    page = alice_client.get(LIST).content.decode()
    assert "1st try today" in page
    assert "First try planned" not in page


def test_what_has_ended_is_not_shown(alice, alice_client):
    contact = make_contact(alice)
    pursuing.end(make_follow_up(contact, "cold-request"), "declined")
    pursuing.rest(make_follow_up(contact, "unanswered-call"))
    assert "Resting until" in alice_client.get(LIST).content.decode()


# Costs


def test_the_count_stops_at_a_thousand(alice, alice_client, monkeypatch):
    monkeypatch.setattr(listing, "COUNT_AT_MOST", 3)
    people(alice, 3)
    assert "3 people in your notebook" in alice_client.get(LIST).content.decode()
    make_contact(alice)
    assert "More than 3 people in your notebook" in alice_client.get(LIST).content.decode()


def test_what_was_found_is_counted_while_it_fits_on_a_page(alice, alice_client, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    people(alice, 4)
    assert alice_client.get(LIST, {"q": "person"}).context["page"].found == "more than 3 people"
    assert alice_client.get(LIST, {"q": "person 001"}).context["page"].found == "1 person"


def queries_of_the_list(client):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(LIST).status_code == 200
    return len(queries)


def test_as_many_queries_for_3_rows_as_for_300(alice, alice_client, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 400)
    for contact in people(alice, 3):
        make_follow_up(contact)
        contact.tag("alumni")
    few = queries_of_the_list(alice_client)
    contacts = people(alice, 297, "Another")
    steps = FollowUp.objects.first().steps
    FollowUp.objects.bulk_create(
        FollowUp(
            owner=alice,
            contact=contact,
            name="x",
            steps=steps,
            opened_on=alice.today(),
            next_on=alice.today() + timedelta(days=4),
        )
        for contact in contacts
    )
    assert queries_of_the_list(alice_client) == few


# Empty


def test_an_empty_notebook_says_how_to_begin(alice_client):
    content = alice_client.get(LIST).content.decode()
    assert "Who helped you last month? Start with that name." in content
    assert "/people/import/" in content


def test_nobody_found_offers_to_add_the_name(alice, alice_client):
    make_contact(alice)
    content = alice_client.get(LIST, {"q": "Aiko & Co"}).content.decode()
    assert "/people/new/?name=Aiko%20%26%20Co" in content
