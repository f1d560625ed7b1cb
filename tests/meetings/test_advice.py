"""Advice that was given: what I did with it, and telling them."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts.models import ContactEmail
from followups import pursuing, undoing
from followups.models import Action, Channel, FollowUp, Interaction, Outcome
from followups.pursuing import Entry
from meetings import debriefing
from meetings.debriefing import Line, Said
from meetings.models import Advice, Debrief
from tests.factories import make_contact, make_meeting

pytestmark = pytest.mark.django_db
EVENING = "2026-11-20T18:00:00+00:00"
FRIDAY, AT_TEN = date(2026, 11, 20), datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LIST = "/coffees/advice/"


@pytest.fixture(autouse=True)
def evening():
    with time_machine.travel(EVENING, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def advise(contact, *texts, thanks=False):
    meeting = make_meeting(contact, starts_at=AT_TEN)
    lines = [Line(contact, text) for text in texts]
    debriefing.save(meeting, Said("helpful", advice=lines, thanks=thanks))
    return list(Advice.objects.filter(contact=contact, debrief__meeting=meeting).order_by("pk"))


def url_of(advice, name="advice"):
    return reverse(f"meetings:{name}", args=[advice.pk])


def test_the_list_shows_what_waits_to_be_told_first(alice_client, bob_client, aiko):
    assert "No advice yet" in alice_client.get(LIST).content.decode()
    told, _ = advise(aiko, "Rest more", "Talk to teachers")
    Advice.objects.filter(pk=told.pk).update(told_on=FRIDAY)
    page = alice_client.get(LIST).content.decode()
    assert page.index("Talk to teachers") < page.index("Rest more")
    assert "Told on Fri 20 Nov" in page
    assert "Talk to teachers" not in bob_client.get(LIST).content.decode()


def test_the_list_costs_the_same_for_many(alice_client, alice):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            alice_client.get(LIST)
        return len(captured)

    advise(make_contact(alice, "One"), "a")
    few = queries()
    for number in range(5):
        advise(make_contact(alice, f"P {number}"), "a", "b", "c")
    assert queries() == few


def test_the_draft_quotes_the_advice_and_what_came_of_it(alice_client, alice, aiko):
    ContactEmail.objects.create(owner=alice, contact=aiko, address="aiko@example.org")
    [advice] = advise(aiko, "Talk to teachers")
    page = alice_client.get(url_of(advice)).content.decode()
    assert "when we met on 20 November, you advised me: Talk to teachers" in page
    assert "[What I did with it" in page
    saved = {"text": "Talk to two teachers", "what_i_did": "I met\nthree of them."}
    assert alice_client.post(url_of(advice), saved)["Location"] == url_of(advice)
    page = alice_client.get(url_of(advice)).content.decode()
    assert "you advised me: Talk to two teachers\n\nI met\nthree of them." in page
    assert "mailto:aiko@example.org?subject=What%20became%20of%20your%20advice" in page


def test_empty_advice_is_refused_in_a_sentence(alice_client, aiko):
    [advice] = advise(aiko, "Talk to teachers")
    response = alice_client.post(url_of(advice), {"text": "\u202e", "what_i_did": ""})
    assert response.status_code == 422
    assert "Write what the advice was." in response.content.decode()


def test_telling_them_stands_in_the_story_once_and_can_be_undone(alice_client, aiko):
    [advice] = advise(aiko, "Talk to teachers")
    for _ in range(2):
        assert alice_client.post(url_of(advice, "advice_told"))["Location"] == LIST
    advice.refresh_from_db()
    assert advice.told_on == FRIDAY
    told = Interaction.objects.get(note="Told what became of: Talk to teachers")
    assert (told.outcome, told.direction, told.on) == (Outcome.NOTED, "out", FRIDAY)
    action = Action.objects.get(interaction=told)
    alice_client.post(reverse("followups:undo", args=[action.pk]))
    advice.refresh_from_db()
    assert advice.told_on is None


def test_telling_the_last_of_it_is_the_report_that_the_follow_up_waits_for(alice_client, aiko):
    first, second = advise(aiko, "Talk to teachers", "Rest more", thanks=True)
    follow_up = FollowUp.objects.get(playbook__slug="after-a-meeting")
    FollowUp.objects.filter(pk=follow_up.pk).update(step=2)
    alice_client.post(url_of(first, "advice_told"))
    follow_up.refresh_from_db()
    assert follow_up.step == 2
    alice_client.post(url_of(second, "advice_told"))
    follow_up.refresh_from_db()
    assert follow_up.step == 3
    assert follow_up.next_on > FRIDAY + timedelta(days=1)
    assert not FollowUp.objects.silent().exists()


@pytest.fixture
def report(aiko):
    """The follow-up after a meeting with two pieces of advice, about to report back on them."""
    advise(aiko, "Talk to teachers", "Rest more", thanks=True)
    follow_up = FollowUp.objects.get(playbook__slug="after-a-meeting")
    FollowUp.objects.filter(pk=follow_up.pk).update(step=2)
    return FollowUp.objects.get()


def send(follow_up, outcome=Outcome.SENT, channel=Channel.EMAIL):
    entry = Entry(channel, outcome, FRIDAY)
    return pursuing.log(follow_up.contact, entry, follow_up=follow_up)


def told():
    return [advice.told_on for advice in Advice.objects.order_by("pk")]


def test_sending_the_report_tells_them_and_undo_takes_that_back(report):
    action = send(report)
    assert told() == [FRIDAY, FRIDAY]
    undoing.undo(action)
    assert told() == [None, None]
    report.refresh_from_db()
    assert report.step == 2


def test_the_report_is_about_the_advice_of_its_own_meeting(report, aiko):
    earlier = Advice.objects.earliest("pk")
    long_ago = make_meeting(aiko, starts_at=AT_TEN - timedelta(days=90), state="held")
    saved = timezone.now() - timedelta(days=90)
    debrief = Debrief.objects.create(owner=aiko.owner, meeting=long_ago, saved_at=saved)
    Advice.objects.filter(pk=earlier.pk).update(debrief=debrief)
    send(report)
    assert told() == [None, FRIDAY]


def test_what_was_told_before_keeps_its_day(report):
    before = FRIDAY - timedelta(days=2)
    Advice.objects.filter(text="Rest more").update(told_on=before)
    undoing.undo(send(report))
    send(report)
    assert told() == [FRIDAY, before]


def test_the_thanks_report_nothing_back(report):
    FollowUp.objects.update(step=1)
    send(FollowUp.objects.get())
    assert told() == [None, None]


def test_a_call_without_an_answer_tells_them_nothing(report):
    send(report, Outcome.NO_ANSWER, Channel.CALL)
    assert told() == [None, None]


def test_it_stands_on_the_page_of_its_meeting(alice_client, aiko):
    [advice] = advise(aiko, "Talk to teachers")
    page = alice_client.get(advice.debrief.meeting.get_absolute_url()).content.decode()
    assert url_of(advice) in page


def test_bob_gets_404(bob_client, aiko):
    [advice] = advise(aiko, "Talk to teachers")
    assert bob_client.get(url_of(advice)).status_code == 404
    assert bob_client.post(url_of(advice), {"text": "x"}).status_code == 404
    assert bob_client.post(url_of(advice, "advice_told")).status_code == 404
