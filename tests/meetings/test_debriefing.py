"""After a meeting: what is said, what it makes, and how all of it is taken back."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from followups import undoing
from followups.models import Action, FollowUp, Interaction, Outcome, State
from followups.schedule import WorkCalendar
from giveback.models import Direction, GiveBack
from giveback.models import State as Given
from introductions.models import Introduction, Stage
from meetings import debriefing
from meetings.debriefing import Line, Said
from meetings.models import Advice, Debrief, Meeting, Question
from meetings.models import State as Arranged
from tests.factories import make_contact, make_follow_up, make_meeting
from tests.followups.doing import picture

pytestmark = pytest.mark.django_db
# A Friday; the evening after a coffee at ten.
EVENING = "2026-11-20T18:00:00+00:00"
FRIDAY, AT_TEN = date(2026, 11, 20), datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SATURDAY, MONDAY = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=3)
NEXT_FRIDAY = FRIDAY + timedelta(days=7)


@pytest.fixture(autouse=True)
def evening():
    with time_machine.travel(EVENING, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


@pytest.fixture
def coffee(aiko):
    return make_meeting(aiko, starts_at=AT_TEN, place="The Larder")


def url_of(name, meeting):
    return reverse(f"meetings:{name}", args=[meeting.pk])


def filled(went="helpful", advice=(), others=(), mine=(), theirs=(), **fields):
    """Return what the browser posts; each line is a dict."""
    data = {"went": went, "thanks": "on", "next": ""} | fields
    kinds = {"advice": advice, "others": others, "mine": mine, "theirs": theirs}
    for prefix, lines in kinds.items():
        data |= {f"{prefix}-TOTAL_FORMS": len(lines) + 1, f"{prefix}-INITIAL_FORMS": 0}
        for n, line in enumerate(lines):
            data |= {f"{prefix}-{n}-{key}": value for key, value in line.items()}
    return {name: value for name, value in data.items() if value is not None}


FULL = filled(
    before="2",
    after="4",
    takeaways="Lumen opens two roles in February.\nThey read case studies.",
    ideas="A trial day",
    lesson="Ask what surprised them earlier.",
    advice=[{"what": "talk to teachers first"}],
    others=[
        {"what": "Noor Saleh", "why": "Data stories", "how": "offered"},
        {"what": "Somebody in grid planning", "how": "ask"},
    ],
    mine=[{"what": "Two teachers for the pilot"}, {"what": "The book", "by": "2026-12-01"}],
    theirs=[{"what": "The job description", "by": "2026-11-25"}, {"what": "A tour"}],
    next="again",
    weeks="6",
)


def save(client, meeting, data, htmx=False):
    headers = {"HX-Request": "true", "HX-Target": "debrief-form"} if htmx else {}
    return client.post(url_of("debrief", meeting), data, headers=headers)


def follow_up_of(contact, slug):
    return FollowUp.objects.open().get(contact=contact, playbook__slug=slug)


def asks_on(follow_up):
    reminder = follow_up.reminders.open().first()
    return reminder.due_on if reminder else follow_up.next_on


# What it makes


def test_plan_says_what_each_line_makes():
    calendar = WorkCalendar(frozenset(range(5)))
    aiko, ruth = Contact(pk=1, name="Aiko Tanabe"), Contact(pk=2, name="Ruth Bell")
    said = Said(
        thanks=True,
        takeaways="\n They read case studies. \nMore",
        mine=[Line(ruth, "The book")],
        theirs=[Line(aiko, "A tour"), Line(aiko, "The text", by=date(2026, 11, 25))],
        others=[Line(aiko, "Noor", offered=True), Line(aiko, "Somebody")],
        advice=[Line(ruth, "Talk to teachers.")],
        again=6,
    )
    made = debriefing.plan(said, [aiko, ruth], FRIDAY, FRIDAY, calendar)
    assert [each.sentence for each in made] == [
        "Your promise to Ruth for Mon 23 Nov: The book",
        "I bring Aiko back on Thu 26 Nov, for what Aiko promised: A tour; The text",
        "An introduction to Noor that Aiko offered. I ask how it stands after Thu 26 Nov",
        "An introduction to Somebody, to ask Aiko for: the request is drafted",
        "Advice received from Ruth, to come back to: Talk to teachers.",
        "Thanks to Aiko today, drafted from your notes; in two weeks, to report back",
        "Thanks to Ruth today, drafted from your notes; in two weeks, to report back",
        "I bring Aiko back on Fri 1 Jan 2027, to meet again",
        "I bring Ruth back on Fri 1 Jan 2027, to meet again",
    ]
    thanks = [each for each in made if isinstance(each, debriefing.Thanks)]
    assert [(each.takeaway, each.advice) for each in thanks] == [
        ("They read case studies", ""),
        ("They read case studies", "Talk to teachers"),
    ]
    assert debriefing.plan(Said(), [aiko], FRIDAY, FRIDAY, calendar) == []


def test_saving_makes_exactly_what_was_shown(alice_client, aiko, coffee):
    shown = alice_client.post(url_of("debrief_draft", coffee), FULL).content.decode()
    assert shown.count("<li>") == 9  # it was held, and eight things come of it
    assert "Your promise to Aiko for Mon 23 Nov: Two teachers for the pilot." in shown
    assert not Interaction.objects.exists()
    assert save(alice_client, coffee, FULL)["Location"] == coffee.get_absolute_url()

    coffee.refresh_from_db()
    debrief = coffee.debrief
    assert coffee.state == Arranged.HELD
    assert (debrief.went, debrief.before, debrief.after) == ("helpful", 2, 4)
    assert debrief.lesson == "Ask what surprised them earlier."
    assert (debrief.next_step, debrief.draft) == ("Meet again in 6 weeks", {})
    mine = GiveBack.objects.filter(state=Given.PROMISED).order_by("due_on")
    assert [(row.what, row.due_on) for row in mine] == [
        ("Two teachers for the pilot", MONDAY),
        ("The book", date(2026, 12, 1)),
    ]
    theirs = follow_up_of(aiko, "they-promised")
    assert "The job description; A tour" in theirs.purpose
    # One work day after the day they named.
    assert asks_on(theirs) == date(2026, 11, 26)
    stages = dict(Introduction.objects.values_list("wanted", "stage"))
    assert stages == {"Noor Saleh": Stage.PROMISED, "Somebody in grid planning": Stage.ASKED}
    assert follow_up_of(aiko, "introduction-asked")
    assert asks_on(follow_up_of(aiko, "new-relationship")) == date(2027, 1, 1)
    advice = Advice.objects.get()
    assert (advice.text, advice.contact, advice.told_on) == ("talk to teachers first", aiko, None)
    received = GiveBack.objects.get(direction=Direction.RECEIVED)
    assert (received.what, received.done_on) == ("talk to teachers first", FRIDAY)
    assert not FollowUp.objects.silent().exists()


def test_a_meeting_ends_the_pursuit_and_resets_the_rhythm(alice_client, aiko, coffee):
    pursuit = make_follow_up(aiko, "cold-request")
    save(alice_client, coffee, filled())
    pursuit.refresh_from_db()
    aiko.refresh_from_db()
    assert (pursuit.state, pursuit.ending) == (State.ENDED, "meeting_set")
    assert aiko.last_interaction_on == FRIDAY
    assert Interaction.objects.get(outcome=Outcome.MET).on == FRIDAY


def test_thanks_ask_at_once_also_on_a_weekend_and_the_report_after_14_days(
    alice_client, alice, aiko, coffee
):
    with time_machine.travel("2026-11-21T09:00:00+00:00", tick=False):
        save(alice_client, coffee, FULL)
        thanks = follow_up_of(aiko, "after-a-meeting")
        assert asks_on(thanks) == SATURDAY
        assert "Say thanks" in thanks.present.hint
        page = alice_client.get(reverse("followups:draft", args=[thanks.pk])).content.decode()
        assert "stayed with me: Lumen opens two roles in February. Next" in page
        row = {
            "outcome": "sent",
            "turn": thanks.turn,
            "key": "6a2cf1c4-4c6e-4c50-8b0a-3d4ad5b1a001",
        }
        alice_client.post(reverse("followups:outcome", args=[thanks.pk]), row)
    thanks.refresh_from_db()
    # 14 calendar days after Saturday is a Saturday: the next work day.
    assert thanks.next_on == date(2026, 12, 7)
    page = alice_client.get(reverse("followups:draft", args=[thanks.pk])).content.decode()
    assert "you advised me to talk to teachers first." in page


def test_thanks_do_not_wait_for_the_report_about_the_meeting_before(alice_client, aiko, coffee):
    save(alice_client, coffee, filled())
    first = follow_up_of(aiko, "after-a-meeting")
    FollowUp.objects.filter(pk=first.pk).update(step=2)
    second = make_meeting(aiko, starts_at=AT_TEN)
    save(alice_client, second, filled())
    first.refresh_from_db()
    assert first.state == State.ENDED
    assert asks_on(follow_up_of(aiko, "after-a-meeting")) == FRIDAY
    undoing.undo(Action.objects.filter(contact=aiko).exclude(verb="beside").first())
    first.refresh_from_db()
    assert (first.state, first.step) == (State.ACTIVE, 2)
    assert not FollowUp.objects.silent().exists()


def test_a_rhythm_instead(alice_client, aiko, coffee):
    save(alice_client, coffee, filled(next="hello", rhythm="91", thanks=None))
    aiko.refresh_from_db()
    assert aiko.rhythm_days == 91
    assert Debrief.objects.get().next_step == "Say hello every three months"
    assert not FollowUp.objects.exists()


def test_thanks_are_off_when_it_did_not_help_unless_asked_for(alice_client, aiko, coffee):
    save(alice_client, coffee, filled("not_this_time"))
    assert not FollowUp.objects.exists()
    other = make_meeting(aiko, starts_at=AT_TEN)
    save(alice_client, other, filled("not_this_time", thanks=None, thanks_anyway="on"))
    assert follow_up_of(aiko, "after-a-meeting")


def test_somebody_else_to_meet_who_is_known_already(alice, alice_client, bob, coffee):
    noor = make_contact(alice, "Noor Saleh")
    make_contact(bob, "Samir Haddad")
    for _ in range(2):
        make_contact(alice, "Ruth Bell")
    others = [{"what": name, "how": "ask"} for name in ("noor saleh", "Ruth Bell", "Samir Haddad")]
    save(alice_client, coffee, filled(others=others))
    targets = dict(Introduction.objects.values_list("wanted", "target"))
    assert targets == {"noor saleh": noor.pk, "Ruth Bell": None, "Samir Haddad": None}


def test_with_several_people_each_line_says_whom_it_is_about(alice, alice_client, aiko):
    ruth = make_contact(alice, "Ruth Bell")
    lunch = make_meeting(aiko, ruth, starts_at=AT_TEN, kind="lunch")
    mine = [{"what": "The book", "whose": ruth.pk}, {"what": "A name", "whose": aiko.pk}]
    advice = [{"what": "Rest more", "whose": ruth.pk}]
    save(alice_client, lunch, filled(mine=mine, advice=advice))
    promised = dict(GiveBack.objects.filter(state=Given.PROMISED).values_list("what", "contact"))
    assert promised == {"The book": ruth.pk, "A name": aiko.pk}
    assert follow_up_of(ruth, "after-a-meeting").facts["advice"] == "Rest more"
    assert "advice" not in follow_up_of(aiko, "after-a-meeting").facts


# Taking it back, and doing it twice


@pytest.mark.parametrize("state", [Arranged.CONFIRMED, Arranged.HELD])
def test_one_undo_takes_everything_back_and_the_words_are_still_there(
    alice, alice_client, aiko, state
):
    ruth = make_contact(alice, "Ruth Bell")
    make_follow_up(ruth, "cold-request")
    lunch = make_meeting(aiko, ruth, starts_at=AT_TEN, state=state)
    question = Question.objects.create(owner=alice, meeting=lunch, text="What next?")
    alice_client.post(url_of("debrief_draft", lunch), FULL)
    before = [picture(aiko), picture(ruth)]
    save(alice_client, lunch, FULL | {"asked": [question.pk]})
    page = alice_client.get(lunch.get_absolute_url()).content.decode()
    [action] = Action.objects.exclude(verb="beside").filter(undone_at=None, contact=aiko)
    assert reverse("followups:undo", args=[action.pk]) in page
    alice_client.post(reverse("followups:undo", args=[action.pk]))
    assert [picture(aiko), picture(ruth)] == before
    assert not GiveBack.objects.exists()
    assert not Introduction.objects.exists()
    assert not Advice.objects.exists()
    lunch.refresh_from_db()
    question.refresh_from_db()
    assert (lunch.state, question.asked) == (state, False)
    assert Debrief.objects.get().saved_at is None
    assert "A trial day" in alice_client.get(url_of("debrief", lunch)).content.decode()


def test_saving_twice_makes_everything_once(alice_client, coffee):
    save(alice_client, coffee, FULL)
    counts = [model.objects.count() for model in (Action, GiveBack, Introduction, Advice)]
    save(alice_client, coffee, FULL)
    assert [m.objects.count() for m in (Action, GiveBack, Introduction, Advice)] == counts


def test_changing_it_later_changes_words_only(alice, alice_client, coffee):
    question = Question.objects.create(owner=alice, meeting=coffee, text="What next?")
    save(alice_client, coffee, FULL)
    actions = Action.objects.count()
    page = alice_client.get(url_of("debrief", coffee)).content.decode()
    assert "What came of them stays as it is." in page
    assert 'name="mine-0-what"' not in page
    save(alice_client, coffee, {"went": "somewhat", "lesson": "Another", "asked": [question.pk]})
    debrief = Debrief.objects.get()
    assert (debrief.went, debrief.lesson, debrief.before) == ("somewhat", "Another", None)
    assert debrief.next_step == "Meet again in 6 weeks"
    assert Question.objects.get().asked
    assert Action.objects.count() == actions


# As typed


def test_it_is_saved_as_typed_and_found_again(alice_client, coffee):
    typed = filled(None, lesson="Ask ear\0lier", mine=[{"what": "The book", "by": "x"}])
    answer = alice_client.post(url_of("debrief_draft", coffee), typed).content.decode()
    assert "Saved as you type, 19:00." in answer
    page = alice_client.get(url_of("debrief", coffee)).content.decode()
    assert "Ask earlier" in page
    assert "The book" in page
    assert 'class="error"' not in page
    assert Debrief.objects.get().saved_at is None


@pytest.mark.parametrize(("button", "shown"), [("add", 'name="mine-2-what"'), ("show", "Ruth")])
def test_another_line_and_the_preview_without_scripts(alice_client, coffee, button, shown):
    data = filled(None, mine=[{"what": "Call Ruth"}]) | {button: "mine"}
    page = alice_client.post(url_of("debrief", coffee), data)
    assert page.status_code == 200
    assert shown in page.content.decode()
    assert "Your promise to Aiko for Mon 23 Nov: Call Ruth." in page.content.decode()
    assert 'class="error"' not in page.content.decode()


def test_finish_later(alice_client, coffee):
    response = save(alice_client, coffee, filled(None, ideas="A trial day") | {"later": "1"})
    assert response["Location"] == "/"
    assert "A trial day" in alice_client.get(url_of("debrief", coffee)).content.decode()


def test_a_draft_that_comes_late_changes_nothing(alice_client, coffee):
    save(alice_client, coffee, filled(lesson="Kept"))
    alice_client.post(url_of("debrief_draft", coffee), filled(lesson="Late"))
    assert Debrief.objects.get().draft == {}


# What is refused


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (filled(None), "How did it go? One tap is enough."),
        (filled(mine=[{"by": "2026-12-01"}]), "Add a few words, or clear this line."),
        (filled(theirs=[{"what": "A", "by": "2026-11-19"}]), "Choose today or a later day"),
        (filled(theirs=[{"what": "A", "by": "soon"}]), "Write the day as a date"),
        (filled(next="again", weeks=""), "Write in how many weeks, such as 6."),
        (filled(next="again", weeks="500"), "Write a number of weeks from 1 to 104."),
        (filled(lesson="x" * 301), "One lesson is enough"),
        (filled(advice=[{"what": "x" * 301}]), "Keep this to 300 letters."),
        (filled(advice=[{"what": "\u202e"}]), "Add a few words, or clear this line."),
    ],
)
def test_errors_are_sentences_and_nothing_is_made(alice_client, coffee, data, sentence):
    response = save(alice_client, coffee, data, htmx=True)
    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert "<html" not in page
    assert not Action.objects.exists()


def test_somebody_who_must_be_left_alone(alice_client, aiko, coffee):
    Contact.objects.filter(pk=aiko.pk).update(do_not_contact=True)
    response = save(alice_client, coffee, filled(mine=[{"what": "The book"}]))
    assert response.status_code == 422
    assert "marked as do not contact" in response.content.decode()
    assert not GiveBack.objects.exists()
    assert not Action.objects.exists()
    assert save(alice_client, coffee, filled(thanks=None)).status_code == 302


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"starts_at": AT_TEN + timedelta(days=1)}, "still to come"),
        ({"state": "cancelled"}, "did not take place"),
        ({"state": "proposed", "starts_at": None}, "did not take place"),
    ],
)
def test_only_what_took_place_is_written_down(alice_client, coffee, fields, sentence):
    Meeting.objects.filter(pk=coffee.pk).update(**fields)
    response = alice_client.get(url_of("debrief", coffee), follow=True)
    assert sentence in response.content.decode()
    assert alice_client.post(url_of("debrief_draft", coffee), filled()).status_code == 200


def test_bob_gets_404(bob_client, coffee):
    for name in ("debrief", "debrief_draft", "debrief_short"):
        assert bob_client.post(url_of(name, coffee), filled()).status_code == 404


# Ten seconds


def test_not_this_time_takes_one_lesson_and_goes_on(alice_client, coffee):
    response = alice_client.post(url_of("debrief_short", coffee), {"lesson": " Shorter  mails "})
    assert response["Location"] == "/"
    debrief = Debrief.objects.get()
    assert (debrief.went, debrief.lesson) == ("not_this_time", "Shorter mails")
    coffee.refresh_from_db()
    assert coffee.state == Arranged.HELD
    assert not FollowUp.objects.exists()


def test_not_this_time_answers_in_the_row_with_undo(alice_client, coffee):
    htmx = {"HX-Request": "true"}
    url = url_of("debrief_short", coffee)
    refused = alice_client.post(url, {"lesson": "x" * 301}, headers=htmx)
    assert refused.status_code == 422
    assert "One lesson is enough" in refused.content.decode()
    done = alice_client.post(url, {"lesson": "", "next": "/"}, headers=htmx).content.decode()
    assert "On to the next." in done
    assert reverse("followups:undo", args=[Action.objects.get().pk]) in done
    again = alice_client.post(url, {"lesson": ""}, headers=htmx)
    assert again.status_code == 200


def test_today_asks_how_it_was(alice_client, aiko, coffee):
    page = alice_client.get("/").content.decode()
    assert "How was coffee with Aiko?" in page
    assert url_of("debrief_short", coffee) in page
    save(alice_client, coffee, filled())
    assert "How was coffee with Aiko?" not in alice_client.get("/").content.decode()


# How much it asks of the database


def test_the_page_and_the_preview_cost_the_same_for_many_lines(alice, alice_client, aiko, coffee):
    def queries(data):
        with CaptureQueriesContext(connection) as captured:
            alice_client.get(url_of("debrief", coffee))
            alice_client.post(url_of("debrief_draft", coffee), data)
        return len(captured)

    line = {"what": "x"}
    few = queries(filled(mine=[line], theirs=[line], others=[line], advice=[line]))
    for _ in range(10):
        Question.objects.create(owner=alice, meeting=coffee, text="?")
    many = [line] * 10
    assert queries(filled(mine=many, theirs=many, others=many, advice=many)) <= few + 1
