"""Openings, many at once: stages keep their dates."""

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opportunities.models import Opportunity, Stage, StageChange
from tests.admin.doing import change_url, edit_list, formset, list_url, run_action, said
from tests.factories import make_contact, make_opening

pytestmark = pytest.mark.django_db
LONG_AGO = date(2026, 1, 5)
COLUMNS = {"stage": "heard_of", "next_step": "", "next_on": ""}


@pytest.fixture
def opening(alice):
    return make_opening(alice, heard_on=LONG_AGO)


def shown(client, query=""):
    page = client.get(list_url(Opportunity, query))
    assert page.status_code == 200
    return [row.title for row in page.context["cl"].result_list]


def test_the_list_shows_own_openings_in_as_many_queries_for_many(alice, alice_client, bob):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert "Theirs" not in shown(alice_client)
        return len(captured)

    make_opening(bob, "Theirs")
    make_opening(alice, "A")
    few = queries()
    for number in range(20):
        make_opening(alice, f"O {number}", [make_contact(alice, f"P {number}")])
    assert queries() == few


def test_filters_and_search(alice, alice_client):
    make_opening(alice, "Grid planner", [make_contact(alice, "Zoë")])
    make_opening(alice, "Teacher", stage=Stage.CLOSED)
    assert shown(alice_client) == ["Grid planner"]
    assert shown(alice_client, "?standing=over") == ["Teacher"]
    assert len(shown(alice_client, "?standing=all")) == 2
    assert shown(alice_client, "?q=zoe+planner") == ["Grid planner"]


def test_a_stage_set_in_the_list_is_a_change_of_today(alice, alice_client, opening):
    columns = {"stage": "applied", "next_step": "Call", "next_on": "2026-12-01"}
    edit_list(alice_client, Opportunity, opening, **columns)
    opening.refresh_from_db()
    assert (opening.stage, opening.next_step) == ("applied", "Call")
    change = StageChange.objects.get()
    assert (change.stage, change.on, change.owner) == ("applied", alice.today(), alice)
    edit_list(alice_client, Opportunity, opening, **columns | {"stage": "closed"})
    opening.refresh_from_db()
    assert opening.closed_on == alice.today()


def test_a_step_set_in_the_list_is_no_change_of_stage(alice_client, opening):
    edit_list(alice_client, Opportunity, opening, **COLUMNS | {"next_step": "Call"})
    assert not StageChange.objects.exists()


def test_the_page_shows_the_way_and_edits_words_and_people(alice, alice_client, opening):
    ruth = make_contact(alice, "Ruth")
    page = alice_client.get(change_url(opening)).content.decode()
    assert "The way so far" in page or "the way so far" in page.lower()
    data = {"title": "New title", "stage": "offer", "notes": "Words", **COLUMNS}
    data |= {"stage": "offer", **formset("changes"), **formset("involved", {"contact": ruth.pk})}
    assert alice_client.post(change_url(opening), data).status_code == 302
    opening.refresh_from_db()
    assert (opening.title, opening.notes, opening.stage) == ("New title", "Words", "offer")
    assert list(opening.contacts.all()) == [ruth]
    assert opening.path[1] == ("Offer", alice.today())


def test_other_peoples_openings_stay(bob_client, opening):
    edit_list(bob_client, Opportunity, opening, **COLUMNS | {"stage": "closed"})
    opening.refresh_from_db()
    assert opening.stage == "heard_of"


def test_many_are_moved_at_one_stroke(alice, alice_client, opening):
    other = make_opening(alice, "Other", stage=Stage.APPLIED)
    answer = run_action(alice_client, Opportunity, "move", [opening, other], stage="applied")
    assert said(alice_client, answer) == "Applied: 1 opening."
    assert opening.changes.get().on == alice.today()
    assert other.changes.count() == 1
    assert LogEntry.objects.get().get_change_message() == "Moved to “Applied”."


def test_the_next_date_of_many(alice, alice_client, opening):
    other = make_opening(alice, "Other")
    answer = run_action(
        alice_client, Opportunity, "set_next_date", [opening, other], next_on="2026-12-01"
    )
    assert said(alice_client, answer) == "Set the date of 2 openings."
    assert Opportunity.objects.filter(next_on="2026-12-01").count() == 2
    run_action(alice_client, Opportunity, "set_next_date", [opening], next_on="")
    assert Opportunity.objects.get(next_on=None) == opening


def test_many_are_deleted_and_the_people_stay(alice, alice_client):
    ruth = make_contact(alice, "Ruth")
    opening = make_opening(alice, people=[ruth], stage=Stage.APPLIED)
    run_action(alice_client, Opportunity, "delete_rows", [opening])
    assert not Opportunity.objects.exists()
    ruth.refresh_from_db()
