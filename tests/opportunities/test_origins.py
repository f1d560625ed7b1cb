"""What led to an opening, told backwards from the person's own notes."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from followups import pursuing
from followups.models import Channel, Outcome
from introductions.models import Introduction
from meetings.models import Kind, Meeting
from opportunities import origins
from opportunities.models import Opportunity
from tests.factories import make_contact, make_opening

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel("2026-11-23T07:00:00+00:00", tick=False):
        yield


def october(day):
    return date(2026, 10, day)


def met(contact, on, outcome=Outcome.MET, channel=Channel.MEETING, note=""):
    return pursuing.log(contact, pursuing.Entry(channel, outcome, on, note=note)).interaction


def introduce(introducer, target, on):
    target.introduced_by = introducer
    target.save(update_fields=["introduced_by"])
    return Introduction.objects.create(
        owner=introducer.owner,
        introducer=introducer,
        target=target,
        wanted=target.name,
        stage="made",
        asked_on=on,
        made_on=on,
    )


def meeting_with(*people, kind=Kind.COFFEE, hour=22):
    """Make a meeting on 21 October by UTC; at ten in the evening it is the 22nd in Vienna."""
    owner = people[0].owner
    at = datetime(2026, 10, 21, hour, 30, tzinfo=UTC)
    meeting = Meeting.objects.create(
        owner=owner, kind=kind, starts_at=at, time_zone="Europe/Vienna"
    )
    for person in people:
        meeting.attendees.create(owner=owner, contact=person)
    return meeting


def told(opening):
    opening = Opportunity.objects.with_origin().with_people().get(pk=opening.pk)
    return origins.tell(origins.way_to(opening))


@pytest.fixture
def ruth(alice):
    return make_contact(alice, "Ruth Abernathy")


@pytest.fixture
def ingrid(alice):
    return make_contact(alice, "Ingrid Solberg")


def test_an_introduction_and_the_coffee_before_it(alice, ruth, ingrid):
    met(ruth, october(14))
    met(ruth, october(30))  # after it, so it led to nothing here
    introduction = introduce(ruth, ingrid, october(23))
    assert told(make_opening(alice, introduction=introduction)) == (
        "Through an introduction to Ingrid Solberg by Ruth Abernathy on 23 October, after a coffee"
        " with Ruth Abernathy on 14 October."
    )


def test_the_whole_way_back(alice, ruth, ingrid):
    hannah = make_contact(alice, "Hannah Weiss")
    met(hannah, october(1))
    introduce(hannah, ruth, october(5))
    met(ruth, october(14))
    introduce(ruth, ingrid, october(23))
    opening = make_opening(alice, interaction=met(ingrid, october(28)))
    assert told(opening) == (
        "Through a coffee with Ingrid Solberg on 28 October,"
        " after an introduction to Ingrid Solberg by Ruth Abernathy on 23 October,"
        " after a coffee with Ruth Abernathy on 14 October,"
        " after an introduction to Ruth Abernathy by Hannah Weiss on 5 October,"
        " after a coffee with Hannah Weiss on 1 October."
    )


def test_an_introduction_that_only_the_contact_tells_of(alice, ruth, ingrid):
    ingrid.introduced_by = ruth
    ingrid.save()
    talk = met(ingrid, october(28), Outcome.TALKED, Channel.CALL)
    assert told(make_opening(alice, interaction=talk)) == (
        "Through a talk with Ingrid Solberg on 28 October, after an introduction to Ingrid Solberg"
        " by Ruth Abernathy."
    )


def test_people_who_introduced_each_other_are_told_once(alice, ruth, ingrid):
    introduce(ingrid, ruth, october(2))
    introduce(ruth, ingrid, october(3))
    opening = make_opening(alice, interaction=met(ingrid, october(4)))
    assert told(opening).count("an introduction to") == 1


def test_it_ends_after_some_people_in_as_many_queries(alice):
    def chain(length):
        people = [make_contact(alice, f"P{number}") for number in range(length)]
        for introducer, one in zip(people[1:], people, strict=False):
            one.introduced_by = introducer
            one.save()
        talk = met(people[0], october(1))
        opening = make_opening(alice, interaction=talk)
        with CaptureQueriesContext(connection) as captured:
            sentence = told(opening)
        return len(captured), sentence.count("an introduction to")

    queries, _ = chain(2)
    assert chain(10) == (queries, origins.FURTHEST)


def test_a_meeting_is_told_by_its_kind_its_people_and_its_own_zone(alice, ruth, ingrid):
    walk = meeting_with(ruth, ingrid, kind=Kind.WALK)
    assert told(make_opening(alice, meeting=walk)) == (
        "Through a walk with Ingrid Solberg and Ruth Abernathy on 22 October."
    )
    event = meeting_with(ruth, kind=Kind.EVENT)
    assert "an event with Ruth" in told(make_opening(alice, meeting=event))
    held = met(ruth, october(21))
    event.attendees.update(interaction=held)
    assert "an event with Ruth" in told(make_opening(alice, interaction=held))


def test_without_an_origin_the_first_person_tells_who_led_there(alice, ruth, ingrid):
    assert told(make_opening(alice)) == ""
    assert told(make_opening(alice, people=[ingrid])) == ""
    introduce(ruth, ingrid, october(23))
    aiko = make_contact(alice, "Aiko")
    assert "Ruth Abernathy on 23 October" in told(make_opening(alice, people=[aiko, ingrid]))


def test_last_years_moments_name_their_year(alice, ruth):
    talk = met(ruth, date(2025, 10, 21))
    assert told(make_opening(alice, interaction=talk)).endswith("on 21 October 2025.")


# What a form offers


def test_moments_with_the_people_in_groups(alice, ruth, ingrid):
    coffee, note = met(ruth, october(1)), met(ruth, october(2), Outcome.NOTED, Channel.NOTE, "Hm")
    met(ruth, october(3), Outcome.NO_ANSWER, Channel.CALL)
    met(ingrid, october(4))
    meeting, introduction = meeting_with(ruth), introduce(ruth, ingrid, october(23))
    meeting_with(ingrid)
    meeting.attendees.update(interaction=met(ruth, october(21)))
    offered = dict(origins.offered(alice, [ruth]))
    assert [value for value, _ in offered["Coffees and meetings"]] == [f"meeting-{meeting.pk}"]
    assert [value for value, _ in offered["Introductions"]] == [f"introduction-{introduction.pk}"]
    assert offered["Conversations"] == [
        (f"interaction-{note.pk}", "A note about Ruth Abernathy on 2 October: Hm"),
        (f"interaction-{coffee.pk}", "A coffee with Ruth Abernathy on 1 October"),
    ]


def test_without_people_the_latest_of_anybody(alice, ruth, ingrid):
    met(ruth, october(1))
    meeting = meeting_with(ruth)
    offered = dict(origins.offered(alice, []))
    assert list(offered) == ["Coffees and meetings"]
    assert offered["Coffees and meetings"][0][0] == f"meeting-{meeting.pk}"


def test_what_was_chosen_stays_to_be_chosen(alice, ruth, ingrid):
    chosen = met(ingrid, october(1))
    offered = dict(origins.offered(alice, [ruth], chosen))
    assert offered == {"Chosen before": [(f"interaction-{chosen.pk}", origins.words_of(chosen))]}


@pytest.mark.parametrize("value", ["", "meeting", "meeting-", "meeting-x", "meeting-²", "user-1"])
def test_a_name_that_is_none_finds_nothing(alice, value):
    assert origins.find(alice, value) is None


def test_nobody_finds_somebody_elses_moment(alice, bob, ruth):
    talk = met(ruth, october(1))
    assert origins.find(alice, f"interaction-{talk.pk}") == talk
    assert origins.find(bob, f"interaction-{talk.pk}") is None
    assert origins.find(alice, "interaction-" + "9" * 40) is None
