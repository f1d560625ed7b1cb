"""Arranging: what each verb does to the meeting, the follow-ups and the story, and its undo."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from followups import pursuing, undoing
from followups.models import Action, Channel, Ending, FollowUp, Interaction, Outcome, State
from followups.planning import CannotDo
from followups.pursuing import Entry
from meetings import arranging
from meetings.localtimes import SkippedTime, instant_of, offer
from meetings.models import Kind, Meeting
from meetings.models import State as Standing
from tests.factories import make_contact, make_follow_up, make_meeting

pytestmark = pytest.mark.django_db
# A Monday, ten in the morning in Vienna.
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROPOSED = "meeting-proposed"


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


@pytest.fixture
def ruth(alice):
    return make_contact(alice, "Ruth Abernathy")


def arrange(contact, *others, starts_at=NOW + DAY, **details):
    people = [contact, *others]
    return arranging.arrange(contact.owner, people, Kind.COFFEE, starts_at, **details)


def propose(contact, *others, times=(NOW + DAY, NOW + 2 * DAY), **details):
    return arranging.propose(contact.owner, [contact, *others], Kind.COFFEE, times, **details)


def outcomes(contact):
    return list(contact.interactions.order_by("id").values_list("outcome", flat=True))


def open_slugs(contact):
    return list(contact.follow_ups.open().values_list("playbook__slug", flat=True))


def undo_newest(contact):
    verbs = Action.objects.filter(contact=contact).exclude(verb="beside").order_by("-id")
    undoing.undo(verbs.first())
    assert not FollowUp.objects.silent().exists()


# Arranging


def test_arranging_ends_what_was_pursued(aiko, ruth):
    calls, letters = make_follow_up(aiko), make_follow_up(ruth, "cold-request")
    meeting = arrange(aiko, ruth, place="The Larder", purpose="Advice")
    for follow_up in (calls, letters):
        follow_up.refresh_from_db()
        assert (follow_up.state, follow_up.ending) == (State.ENDED, Ending.MEETING_SET)
    assert meeting.state == Standing.CONFIRMED
    assert (meeting.time_zone, meeting.minutes) == ("Europe/Vienna", 45)
    for attendee in meeting.attendees.all():
        assert attendee.interaction.outcome == Outcome.ARRANGED
        assert attendee.interaction.on == date(2026, 11, 23)


def test_arranging_is_undone_with_everybody(aiko, ruth):
    follow_up = make_follow_up(ruth)
    arrange(aiko, ruth)
    undo_newest(aiko)
    follow_up.refresh_from_db()
    assert follow_up.state == State.ACTIVE
    assert not Meeting.objects.exists()
    assert not Interaction.objects.exists()


def test_the_same_form_twice_is_one_meeting(aiko):
    key = Meeting().key
    assert arrange(aiko, key=key) == arrange(aiko, key=key)
    assert outcomes(aiko) == [Outcome.ARRANGED]


def test_a_meeting_in_the_past_was_held_on_its_local_day(aiko):
    follow_up = make_follow_up(aiko)
    late = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # the 19th in Vienna
    meeting = arrange(aiko, starts_at=late)
    follow_up.refresh_from_db()
    aiko.refresh_from_db()
    assert meeting.state == Standing.HELD
    assert follow_up.ending == Ending.MEETING_SET
    assert aiko.last_interaction_on == aiko.interactions.get().on == date(2026, 11, 19)


def test_a_meeting_in_the_past_never_moves_the_last_contact_backwards(aiko):
    pursuing.log(aiko, Entry(Channel.CALL, Outcome.TALKED, date(2026, 11, 22)))
    arrange(aiko, starts_at=NOW - 30 * DAY)
    aiko.refresh_from_db()
    assert aiko.last_interaction_on == date(2026, 11, 22)


def test_a_meeting_that_the_story_tells_of_is_not_told_twice(aiko, ruth):
    told = pursuing.log(aiko, Entry(Channel.MEETING, Outcome.MET, date(2026, 11, 20))).interaction
    meeting = arrange(aiko, ruth, starts_at=NOW - 3 * DAY, known=told)
    assert meeting.attendees.get(contact=aiko).interaction == told
    assert outcomes(aiko) == outcomes(ruth) == [Outcome.MET]


# Proposing


def test_proposed_times_tell_nobody_until_they_are_sent(aiko):
    meeting = propose(aiko, times=[NOW + 2 * DAY, NOW + DAY, NOW + DAY])
    offered = [row.starts_at for row in meeting.proposed_times.all()]
    assert offered == [NOW + DAY, NOW + 2 * DAY]
    assert not aiko.interactions.exists()
    assert not aiko.follow_ups.exists()


def test_sending_them_is_a_try_and_the_engine_asks_for_the_answer(aiko):
    aiko.time_zone = "Europe/London"
    aiko.save(update_fields=["time_zone"])
    meeting = propose(aiko)
    arranging.sent(meeting)
    follow_up = aiko.follow_ups.get()
    assert follow_up.playbook.slug == PROPOSED
    assert (follow_up.attempts, follow_up.next_on) == (1, date(2026, 11, 26))
    assert "Tuesday, 24 November, 09:00 your time (10:00 in Vienna)" in follow_up.facts["times"]


def test_confirming_a_time_is_the_answer(aiko, ruth):
    meeting = propose(aiko, ruth)
    arranging.sent(meeting)
    arranging.confirm(meeting, NOW + DAY)
    assert (meeting.state, meeting.starts_at) == (Standing.CONFIRMED, NOW + DAY)
    endings = FollowUp.objects.values_list("ending", flat=True)
    assert list(endings) == [Ending.MEETING_SET] * 2
    undo_newest(aiko)
    meeting.refresh_from_db()
    assert (meeting.state, meeting.starts_at) == (Standing.PROPOSED, None)
    assert meeting.proposed_times.count() == 2
    assert open_slugs(aiko) == open_slugs(ruth) == [PROPOSED]


def test_withdrawing_the_times_stops_asking_about_them(aiko):
    calls = make_follow_up(aiko)
    meeting = propose(aiko)
    arranging.sent(meeting)
    arranging.cancel(meeting)
    assert open_slugs(aiko) == [calls.playbook.slug]
    undo_newest(aiko)
    assert set(open_slugs(aiko)) == {calls.playbook.slug, PROPOSED}


def test_other_times_may_be_offered_for_what_was_fixed(aiko):
    meeting = arrange(aiko)
    arranging.propose_again(meeting, [NOW + 5 * DAY, NOW + 6 * DAY])
    assert (meeting.state, meeting.starts_at) == (Standing.PROPOSED, None)
    arranging.propose_again(meeting, [NOW + 7 * DAY, NOW + 8 * DAY])
    assert [row.starts_at for row in meeting.proposed_times.all()] == [NOW + 7 * DAY, NOW + 8 * DAY]


# Moving, holding, calling off


def test_moving_tells_the_new_time_and_a_new_version(aiko):
    meeting = arrange(aiko)
    before = meeting.sequence
    action = arranging.move(meeting, NOW + 3 * DAY)
    assert action.said == "Coffee with Aiko Tanabe is now on Thu 26 Nov, 10:00."
    assert (meeting.starts_at, meeting.sequence) == (NOW + 3 * DAY, before + 1)
    undo_newest(aiko)
    meeting.refresh_from_db()
    assert meeting.starts_at == NOW + DAY


def test_holding_is_meeting_each_on_its_day_and_happens_once(aiko, ruth):
    meeting = arrange(aiko, ruth)
    with time_machine.travel(NOW + 3 * DAY, tick=False):
        action = arranging.hold(meeting)
        assert arranging.hold(meeting) is not None
        assert outcomes(aiko) == outcomes(ruth) == [Outcome.ARRANGED, Outcome.MET]
        met = aiko.interactions.get(outcome=Outcome.MET)
        assert (met.on, meeting.attendees.get(contact=aiko).interaction) == (NOW.date() + DAY, met)
        undoing.undo(action)
        meeting.refresh_from_db()
        assert meeting.state == Standing.CONFIRMED
        for contact in (aiko, ruth):
            arranged = contact.interactions.get()
            assert meeting.attendees.get(contact=contact).interaction == arranged


def test_holding_earlier_on_its_day_is_today(aiko):
    meeting = arrange(aiko, starts_at=NOW + HOUR)
    arranging.hold(meeting)
    assert aiko.interactions.get(outcome=Outcome.MET).on == date(2026, 11, 23)


def test_holding_before_its_day_is_a_slip(aiko):
    meeting = arrange(aiko)
    with pytest.raises(CannotDo, match="still to come, on Tue 24 Nov"):
        arranging.hold(meeting)


def test_cancelling_may_ask_to_offer_other_times(aiko, ruth):
    meeting = arrange(aiko, ruth, purpose="Advice")
    action = arranging.cancel(meeting, "She has a cold.", again=True)
    assert meeting.state == Standing.CANCELLED
    note = aiko.interactions.get(outcome=Outcome.NOTED)
    assert note.note == (
        "Coffee with Aiko Tanabe and Ruth Abernathy on Tue 24 Nov was cancelled. She has a cold."
    )
    assert open_slugs(aiko) == open_slugs(ruth) == [PROPOSED]
    undoing.undo(action)
    meeting.refresh_from_db()
    assert meeting.state == Standing.CONFIRMED
    assert open_slugs(aiko) == open_slugs(ruth) == []
    assert outcomes(aiko) == outcomes(ruth) == [Outcome.ARRANGED]


def test_cancelling_is_also_an_end(aiko):
    arranging.cancel(arrange(aiko))
    assert open_slugs(aiko) == []


def test_whoever_did_not_come_is_offered_other_times(aiko):
    meeting = arrange(aiko, starts_at=NOW + HOUR)
    with time_machine.travel(NOW + DAY, tick=False):
        action = arranging.no_show(meeting)
        follow_up = aiko.follow_ups.get()
        assert (follow_up.playbook.slug, follow_up.attempts) == (PROPOSED, 0)
        assert meeting.state == Standing.NO_SHOW
        assert aiko.interactions.filter(outcome=Outcome.MET).count() == 0
        undoing.undo(action)
        meeting.refresh_from_db()
        assert (meeting.state, open_slugs(aiko)) == (Standing.CONFIRMED, [])


def test_whoever_is_left_alone_stays_alone(aiko):
    meeting = arrange(aiko, starts_at=NOW + HOUR)
    pursuing.set_do_not_contact(aiko)
    with time_machine.travel(NOW + DAY, tick=False):
        arranging.no_show(meeting)
    assert open_slugs(aiko) == []


@pytest.mark.parametrize(
    ("state", "verb", "sentence"),
    [
        ("held", lambda m: arranging.move(m, NOW + DAY), "Only a coffee that is fixed"),
        ("held", lambda m: arranging.cancel(m), "nothing to cancel"),
        ("held", lambda m: arranging.propose_again(m, [NOW + DAY]), "happened already"),
        ("cancelled", lambda m: arranging.hold(m), "was not fixed"),
        ("confirmed", lambda m: arranging.confirm(m, NOW + DAY), "no times on offer"),
        ("confirmed", lambda m: arranging.sent(m), "no times on offer"),
        ("confirmed", lambda m: arranging.move(m, NOW - DAY), "That time has passed."),
        ("confirmed", lambda m: arranging.no_show(m), "still to come"),
        ("proposed", lambda m: arranging.no_show(m), "was not fixed"),
        ("proposed", lambda m: arranging.confirm(m, NOW - DAY), "That time has passed."),
        ("proposed", lambda m: arranging.propose_again(m, [NOW]), "That time has passed."),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(aiko, state, verb, sentence):
    meeting = make_meeting(aiko, starts_at=NOW + DAY, state=state)
    with pytest.raises(CannotDo, match=sentence):
        verb(meeting)
    meeting.refresh_from_db()
    assert (meeting.state, meeting.sequence) == (state, 0)
    assert not aiko.interactions.exists()


def test_a_meeting_without_anybody_cannot_be_moved(aiko):
    meeting = arrange(aiko)
    aiko.delete()
    with pytest.raises(CannotDo, match="Nobody of that meeting"):
        arranging.move(meeting, NOW + 2 * DAY)


# Clocks


def test_a_local_time_is_an_instant_whatever_the_clock_does():
    assert instant_of(date(2026, 11, 24), time(10), "Europe/Vienna") == NOW + DAY
    twice = instant_of(date(2026, 10, 25), time(2, 30), "Europe/Vienna")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with pytest.raises(SkippedTime, match=r"02:30 does not exist. Is it 03:30\?"):
        instant_of(date(2026, 3, 29), time(2, 30), "Europe/Vienna")


def test_times_are_offered_by_both_clocks_where_they_differ():
    ten = datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert offer(ten, "Europe/Vienna", "") == "Friday, 27 November, 10:00"
    assert offer(ten, "Europe/Vienna", "Europe/Berlin") == "Friday, 27 November, 10:00"
    assert offer(ten, "Europe/Vienna", "America/New_York") == (
        "Friday, 27 November, 04:00 your time (10:00 in Vienna)"
    )
    assert offer(ten + 12 * HOUR, "Europe/Vienna", "Asia/Tokyo") == (
        "Saturday, 28 November, 06:00 your time (Friday, 27 November, 22:00 in Vienna)"
    )
