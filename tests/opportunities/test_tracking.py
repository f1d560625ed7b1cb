"""How an opening goes on: stages with their dates, and one next step."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from followups.models import Action, Interaction
from followups.planning import CannotDo
from opportunities import tracking
from opportunities.models import Involved, Opportunity, Stage, StageChange
from tests.factories import make_contact, make_opening

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = date(2026, 10, 1), date(2026, 10, 5), date(2026, 10, 9)


@pytest.fixture
def opening(alice):
    return make_opening(alice, heard_on=FIRST)


def path(opening):
    return [(label, on) for label, on in Opportunity.objects.get(pk=opening.pk).path if on]


def test_that_it_came_up_and_was_accepted_stands_in_the_story_and_touches_nothing(alice):
    ruth = make_contact(alice, "Ruth", rhythm_days=21)
    opening = make_opening(alice, people=[ruth], title="Coordinator", heard_on=FIRST)
    for stage, on in ((Stage.APPLIED, SECOND), (Stage.ACCEPTED, THIRD), (Stage.ACCEPTED, THIRD)):
        tracking.move_to(opening, stage, on)
    story = Interaction.objects.order_by("on").values_list("contact", "on", "note")
    assert list(story) == [
        (ruth.pk, FIRST, "An opening came up: Coordinator"),
        (ruth.pk, THIRD, "Accepted: Coordinator"),
    ]
    ruth.refresh_from_db()
    assert ruth.last_interaction_on is None
    assert not Action.objects.exists()


def test_it_begins_as_heard_of_and_the_way_ahead_is_shown(opening):
    assert opening.path == [
        ("Heard of", FIRST),
        ("Exploring", None),
        ("Applied", None),
        ("Interviewing", None),
        ("Offer", None),
        ("Accepted", None),
    ]
    assert not StageChange.objects.exists()


def test_each_stage_gets_its_date(opening):
    tracking.move_to(opening, Stage.APPLIED, SECOND)
    tracking.move_to(opening, Stage.INTERVIEWING, THIRD)
    assert path(opening) == [("Heard of", FIRST), ("Applied", SECOND), ("Interviewing", THIRD)]
    assert opening.stage == Stage.INTERVIEWING


def test_the_same_stage_again_is_harmless(opening):
    tracking.move_to(opening, Stage.APPLIED, SECOND)
    tracking.move_to(opening, Stage.APPLIED, THIRD)
    assert path(opening) == [("Heard of", FIRST), ("Applied", SECOND)]


def test_one_that_is_further_already_came_there_today(alice):
    opening = make_opening(alice, heard_on=FIRST, stage=Stage.APPLIED)
    assert path(opening) == [("Heard of", FIRST), ("Applied", alice.today())]


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.CLOSED])
def test_it_is_over_since_that_day_until_it_is_reopened(opening, stage):
    tracking.move_to(opening, stage, SECOND)
    assert (opening.is_over, opening.closed_on) == (True, SECOND)
    assert opening.path[-1] == (stage.label, SECOND)
    tracking.move_to(opening, Stage.EXPLORING, THIRD)
    opening.refresh_from_db()
    assert (opening.is_over, opening.closed_on) == (False, None)


def test_going_back_on_the_same_day_takes_the_slip_out_of_the_story(opening):
    tracking.move_to(opening, Stage.CLOSED, SECOND)
    tracking.move_to(opening, Stage.APPLIED, THIRD)
    tracking.move_to(opening, Stage.CLOSED, THIRD)
    assert path(opening) == [("Heard of", FIRST), ("Closed", SECOND)]
    assert opening.closed_on == SECOND
    tracking.move_to(opening, Stage.HEARD_OF, SECOND)
    assert path(opening) == [("Heard of", FIRST)]


def test_going_back_on_a_later_day_is_part_of_the_story(opening):
    tracking.move_to(opening, Stage.OFFER, SECOND)
    tracking.move_to(opening, Stage.HEARD_OF, THIRD)
    assert path(opening) == [("Heard of", FIRST), ("Offer", SECOND), ("Heard of", THIRD)]


def test_time_runs_one_way(opening):
    tracking.move_to(opening, Stage.APPLIED, SECOND)
    with pytest.raises(CannotDo, match=r"It came to “Applied” later than that\."):
        tracking.move_to(opening, Stage.OFFER, FIRST)
    with pytest.raises(CannotDo):
        tracking.move_to(make_opening(opening.owner), Stage.APPLIED, FIRST)
    assert path(opening)[-1] == ("Applied", SECOND)


def test_one_lesson_is_kept_with_the_notes_once(opening):
    Opportunity.objects.filter(pk=opening.pk).update(notes="Small team.")
    for _ in range(2):
        tracking.move_to(opening, Stage.CLOSED, SECOND, "Ask about the budget first.")
    opening.refresh_from_db()
    assert opening.notes == "Small team.\nAsk about the budget first."


def test_what_was_written_meanwhile_stays(opening):
    Opportunity.objects.filter(pk=opening.pk).update(notes="written meanwhile", next_step="Call")
    tracking.move_to(opening, Stage.APPLIED, SECOND)
    tracking.another_day(opening, THIRD)
    opening.refresh_from_db()
    assert (opening.notes, opening.next_step) == ("written meanwhile", "Call")


def test_the_same_key_is_one_opening(alice):
    ruth, key = make_contact(alice, "Ruth"), uuid.uuid4()
    one = make_opening(alice, people=[ruth], key=key)
    assert make_opening(alice, people=[ruth], key=key) == one
    assert Opportunity.objects.count() == Involved.objects.count() == 1


def test_who_stays_involved_keeps_their_place(alice):
    ruth, priya, aiko = (make_contact(alice, name) for name in ("Ruth", "Priya", "Aiko"))
    opening = make_opening(alice, people=[ruth, priya])
    kept = Involved.objects.get(contact=priya).pk
    tracking.involve(opening, [aiko, priya])
    assert {row.contact for row in opening.involved.all()} == {priya, aiko}
    assert Involved.objects.get(contact=priya).pk == kept


# The next step


def test_a_next_step_asks_from_its_day_on_while_it_is_open(alice, opening):
    tracking.plan_step(opening, "Send the portfolio", SECOND)
    due = Opportunity.objects.for_user(alice).due
    assert list(due(FIRST)) == []
    assert list(due(SECOND)) == list(due(THIRD)) == [opening]
    assert (opening.waited(SECOND), opening.waited(THIRD)) == (0, 4)
    tracking.move_to(opening, Stage.CLOSED, SECOND)
    assert list(due(THIRD)) == []


def test_a_step_is_done_once_and_never_another_one(opening):
    tracking.plan_step(opening, "Send the portfolio", SECOND)
    assert tracking.step_done(opening, "Send the portfolio", SECOND)
    assert (opening.next_step, opening.next_on) == ("", None)
    tracking.plan_step(opening, "Call Ruth", THIRD)
    assert not tracking.step_done(opening, "Send the portfolio", SECOND)
    opening.refresh_from_db()
    assert (opening.next_step, opening.next_on) == ("Call Ruth", THIRD)


# Finding


def test_search_finds_every_word_anywhere_in_any_order(alice, bob):
    zoe = make_contact(alice, "Zoë Łukasik")
    opening = make_opening(alice, "Grid planner", [zoe], notes="The team in Málaga grows.")
    make_opening(alice, "Something else")
    make_opening(bob, "Grid planner")
    mine = Opportunity.objects.for_user(alice)
    for words in ("grid", "PLANNER grid", "malaga", "lukasik zoe malaga planner"):
        assert list(mine.search(words)) == [opening], words
    assert list(mine.search("grid elsewhere")) == []
    assert mine.search("").count() == 2


def test_a_person_shows_the_open_ones_first(alice):
    ruth = make_contact(alice, "Ruth")
    over = make_opening(alice, "Over", [ruth], stage=Stage.CLOSED)
    old = make_opening(alice, "Old", [ruth], heard_on=alice.today() - timedelta(days=90))
    assert list(ruth.opportunities.lately()) == [old, over]
    with CaptureQueriesContext(connection) as captured:
        assert [row.organisation for row in ruth.opportunities.lately()] == [None, None]
    assert len(captured) == 1
