"""Debriefs and advice, many at once."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from followups.models import Action, Interaction, Via
from meetings import debriefing
from meetings.debriefing import Line, Said
from meetings.models import Advice, Debrief
from tests.admin.doing import change_url, edit_list, list_url, run_action, said
from tests.factories import make_contact, make_meeting

pytestmark = pytest.mark.django_db
AT_TEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def evening():
    with time_machine.travel("2026-11-20T18:00:00+00:00", tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def remember(contact, *advice, **words):
    meeting = make_meeting(contact, starts_at=AT_TEN)
    lines = [Line(contact, text) for text in advice]
    debriefing.save(meeting, Said("helpful", advice=lines, **words))
    return Debrief.objects.get(meeting=meeting)


def shown(client, model, query=""):
    page = client.get(list_url(model, query))
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def test_debriefs_are_found_by_their_words_and_people(alice_client, bob_client, aiko):
    debrief = remember(aiko, takeaways="A trial dáy", lesson="Be early")
    for words in ("trial day", "early", "aiko"):
        assert shown(alice_client, Debrief, f"?q={words}") == [debrief]
    assert shown(alice_client, Debrief, "?q=grid") == []
    assert shown(alice_client, Debrief, "?went__exact=somewhat") == []
    assert shown(bob_client, Debrief) == []


@pytest.mark.parametrize("words", ["O'Brien", "o’brien", "OBrien", "lukasz+brien"])
def test_a_name_is_found_however_it_is_written(alice, alice_client, words):
    debrief = remember(make_contact(alice, "Łukasz O’Brien"), "Rest more")
    remember(make_contact(alice, "Priya Raman"), "Talk to teachers")
    for row in (debrief, debrief.advice.get()):
        assert shown(alice_client, type(row), f"?q={words}") == [row]


def test_the_words_are_put_right_and_nothing_else_moves(alice_client, aiko):
    debrief = remember(aiko, takeaways="Kept")
    actions = Action.objects.count()
    edit_list(alice_client, Debrief, debrief, went="somewhat", lesson="Be early")
    debrief.refresh_from_db()
    assert (debrief.went, debrief.lesson, debrief.takeaways) == ("somewhat", "Be early", "Kept")
    assert Action.objects.count() == actions


def test_both_are_written_elsewhere(alice_client, aiko):
    remember(aiko, "Rest more")
    for model in (Debrief, Advice):
        assert alice_client.get(list_url(model) + "add/").status_code == 403
        assert alice_client.get(change_url(model.objects.get())).status_code == 200


def test_telling_many_at_once_tells_it_in_each_story(alice_client, aiko):
    remember(aiko, "Rest more", "Talk to teachers")
    response = run_action(alice_client, Advice, "tell", Advice.objects.all())
    assert "Told: 2 advice." in said(alice_client, response)
    assert not Advice.objects.to_tell().exists()
    told = Interaction.objects.filter(note__startswith="Told what became of")
    assert list(told.values_list("via", flat=True)) == [Via.ADMIN] * 2
    assert LogEntry.objects.filter(change_message="Told").count() == 2
    again = run_action(alice_client, Advice, "tell", Advice.objects.all())
    assert "Told: 0 advice." in said(alice_client, again)


def test_advice_is_filtered_deleted_and_costs_the_same_for_many(alice_client, alice, aiko):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(alice_client, Advice)
        return len(captured)

    remember(aiko, "Rest more")
    few = queries()
    for number in range(10):
        remember(make_contact(alice, f"P {number}"), "a", "b")
    assert queries() == few
    assert len(shown(alice_client, Advice, "?told_on__isempty=1")) == 21
    assert [row.text for row in shown(alice_client, Advice, "?q=aiko")] == ["Rest more"]
    run_action(alice_client, Advice, "delete_rows", Advice.objects.filter(text="a"))
    assert Advice.objects.count() == 11
