"""Out of office, mails that come back, not now, and dates that were agreed."""

from datetime import date, timedelta

import pytest

from contacts.models import ContactEmail
from followups import pursuing, undoing
from followups.models import Channel, Direction, Ending, FollowUp, Outcome, State
from followups.pursuing import CannotDo
from tests.followups.doing import (
    MONDAY,
    attempt,
    only_follow_up,
    open_reminders,
    picture,
    playbook_of,
)

pytestmark = pytest.mark.usefixtures("monday")
THURSDAY, FRIDAY = MONDAY + timedelta(days=3), MONDAY + timedelta(days=4)


def from_them(contact, outcome, **more):
    more = {"channel": Channel.EMAIL, "direction": Direction.IN} | more
    return attempt(contact, outcome=outcome, **more)


def e_mail(contact, **more):
    return attempt(contact, outcome=Outcome.SENT, channel=Channel.EMAIL, **more)


# 8. Out of office is not an answer.


def test_rule_8_out_of_office_pauses_until_the_work_day_after(priya, go_to):
    e_mail(priya)
    action = from_them(priya, Outcome.OUT_OF_OFFICE, until=date(2026, 11, 20))  # a Friday
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.next_on) == (State.PAUSED, date(2026, 11, 23))
    assert "out of office until Fri 20 Nov, plus one business day" in action.said
    priya.refresh_from_db()
    assert priya.last_interaction_on == MONDAY
    assert go_to(date(2026, 11, 22)) == 0
    assert go_to(date(2026, 11, 23)) == 1
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.step, follow_up.attempts) == (State.ACTIVE, 1, 1)


def test_rule_8_it_closes_what_asks_and_undo_asks_again(priya, go_to):
    e_mail(priya)
    go_to(THURSDAY)
    before = picture(priya)
    action = from_them(priya, Outcome.OUT_OF_OFFICE, until=FRIDAY)
    assert open_reminders(priya) == []
    undoing.undo(action)
    assert picture(priya) == before


def test_rule_8_a_later_date_stays(priya):
    e_mail(priya)
    pursuing.promise(only_follow_up(priya), date(2026, 12, 24))
    from_them(priya, Outcome.OUT_OF_OFFICE, until=FRIDAY)
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.next_on) == (State.ACTIVE, date(2026, 12, 24))


def test_rule_8_the_last_day_away_must_be_known(priya):
    e_mail(priya)
    before = picture(priya)
    for until in (None, MONDAY - timedelta(days=1)):
        with pytest.raises(CannotDo, match="the last day away"):
            from_them(priya, Outcome.OUT_OF_OFFICE, until=until)
    assert picture(priya) == before


# A mail that came back.


def test_a_bounce_takes_the_e_mail_back_and_asks_again(alice, priya):
    old = ContactEmail.objects.create(owner=alice, contact=priya, address="old@example.org")
    e_mail(priya)
    action = from_them(priya, Outcome.BOUNCED)
    follow_up = only_follow_up(priya)
    assert (follow_up.step, follow_up.attempts, follow_up.emails) == (0, 0, 0)
    assert follow_up.last_attempt_on is None
    assert [reminder.due_on for reminder in open_reminders(priya)] == [MONDAY]
    old.refresh_from_db()
    assert old.bounced_on == MONDAY
    undoing.undo(action)
    old.refresh_from_db()
    assert old.bounced_on is None
    assert only_follow_up(priya).attempts == 1


def test_a_bounce_is_no_answer(priya):
    e_mail(priya)
    from_them(priya, Outcome.BOUNCED)
    assert only_follow_up(priya).state == State.ACTIVE


def test_a_bounce_without_a_pursuit_is_only_noted(priya):
    action = from_them(priya, Outcome.BOUNCED)
    assert action.said == "Noted. That address of Priya does not work."
    assert not FollowUp.objects.exists()


# Not now, and promises.


def test_not_now_comes_back_on_exactly_that_day(priya, go_to):
    attempt(priya)
    until = date(2027, 5, 1)  # a Saturday and a holiday: it was agreed, so it stays
    action = pursuing.not_now(only_follow_up(priya), until, "Spring is their budget time.")
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.ending, follow_up.next_on) == (
        State.RESTING,
        Ending.NOT_NOW,
        until,
    )
    assert follow_up.lesson == "Spring is their budget time."
    assert action.said == "Not now. I will bring Priya back on Sat 1 May 2027."
    assert go_to(until - timedelta(days=1)) == 0
    assert go_to(until) == 1
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.ending) == (State.ACTIVE, "")
    assert follow_up.reason == "they asked you to come back now"


def test_call_me_in_may_keeps_the_step(priya, go_to):
    attempt(priya)
    until = date(2027, 5, 3)
    pursuing.promise(only_follow_up(priya), until)
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.next_on, follow_up.step) == (State.ACTIVE, until, 1)
    assert follow_up.promised
    go_to(until)
    assert len(open_reminders(priya)) == 1


@pytest.mark.parametrize("verb", [pursuing.not_now, pursuing.promise, pursuing.snooze])
def test_an_agreed_day_is_a_day_to_come(priya, verb):
    attempt(priya)
    with pytest.raises(CannotDo, match="after today"):
        verb(only_follow_up(priya), MONDAY)


def test_moving_a_date_by_a_work_day(priya):
    attempt(priya)  # Thursday
    for days, on in [(1, FRIDAY), (1, date(2026, 11, 16)), (-1, FRIDAY), (-1, THURSDAY)]:
        pursuing.move(only_follow_up(priya), days)
        assert only_follow_up(priya).next_on == on
    for _ in range(5):
        pursuing.move(only_follow_up(priya), -1)
    assert [reminder.due_on for reminder in open_reminders(priya)] == [MONDAY]


def test_a_resting_one_is_moved_without_waking(priya):
    attempt(priya)
    pursuing.rest(only_follow_up(priya), THURSDAY)
    pursuing.move(only_follow_up(priya), 1)
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.next_on) == (State.RESTING, FRIDAY)


def test_what_is_paused_until_resumed_has_no_date_to_move(priya):
    attempt(priya)
    pursuing.pause(only_follow_up(priya))
    with pytest.raises(CannotDo, match="no date to move"):
        pursuing.move(only_follow_up(priya), 1)


# Calls alternate between the two windows of the contact's day.


def test_the_next_call_is_tried_in_the_other_window(alice, priya, time_machine):
    priya.time_zone = "Asia/Kolkata"
    priya.save()
    time_machine.move_to("2026-11-09T05:00:00+00:00", tick=False)  # half past ten there
    assert "after four this time" in attempt(priya).said
    time_machine.move_to("2026-11-12T12:00:00+00:00", tick=False)  # half past five there
    assert "before ten this time" in attempt(priya, to=only_follow_up(priya)).said


def test_a_lesson_is_kept_once_it_has_ended(alice, priya):
    attempt(priya)
    pursuing.end(only_follow_up(priya), Ending.WRONG_PERSON)
    pursuing.keep_lesson(only_follow_up(priya), " Ask who decides. ")
    assert only_follow_up(priya).lesson == "Ask who decides."


def test_a_hello_pursues_nothing_and_resets_the_rhythm(alice, priya):
    attempt(priya, channel=Channel.MESSAGE, outcome=Outcome.NOTED)
    priya.refresh_from_db()
    assert priya.last_interaction_on == MONDAY
    assert not FollowUp.objects.exists()


def test_a_mere_note_is_no_contact(alice, priya):
    attempt(priya, channel=Channel.NOTE, outcome=Outcome.NOTED)
    priya.refresh_from_db()
    assert priya.last_interaction_on is None
    assert playbook_of(alice, "cold-request").cold
