"""The rules of the follow-up engine, each by its number in the product's description."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from time_machine import travel

from followups import pursuing, undoing
from followups.checking import check_followups
from followups.models import (
    ANSWERS,
    Channel,
    Direction,
    Ending,
    FollowUp,
    Interaction,
    Outcome,
    Playbook,
    Reminder,
    State,
)
from followups.pursuing import CannotDo, Entry
from followups.raising import raise_reminders
from tests.factories import make_contact, make_follow_up, make_user
from tests.followups.doing import (
    MONDAY,
    MONDAY_MORNING,
    answer,
    at_once,
    attempt,
    only_follow_up,
    open_reminders,
    picture,
    playbook_of,
)

pytestmark = pytest.mark.usefixtures("monday")


def at_the_question(contact):
    """Return a follow-up of the contact that asks what to do after its last try."""
    follow_up = make_follow_up(contact)
    while not follow_up.asks_to_decide:
        pursuing.skip(follow_up)
        follow_up.refresh_from_db()
    FollowUp.objects.filter(pk=follow_up.pk).update(next_on=contact.owner.today())
    raise_reminders()
    follow_up.refresh_from_db()
    return follow_up


# 1. An unanswered attempt always schedules the next one.


@pytest.mark.parametrize(
    ("channel", "outcome", "playbook", "next_on", "reason"),
    [
        ("call", "no_answer", "Unanswered call", (11, 12), "3 business days after your call"),
        ("call", "busy", "Unanswered call", (11, 12), "3 business days after the busy line"),
        ("call", "voicemail", "Unanswered call", (11, 12), "3 business days after your voicemail"),
        ("email", "sent", "Cold request (3B7)", (11, 12), "3 business days after your e-mail"),
        ("message", "sent", "Cold request (3B7)", (11, 12), "3 business days after your message"),
    ],
)
def test_rule_1_an_unanswered_attempt_schedules_the_next_one(
    priya, channel, outcome, playbook, next_on, reason
):
    action = attempt(priya, outcome=outcome, channel=channel)
    follow_up = only_follow_up(priya)
    assert (follow_up.name, follow_up.state) == (playbook, State.ACTIVE)
    assert (follow_up.next_on.month, follow_up.next_on.day) == next_on
    assert follow_up.reason == f"{reason} on Mon 9 Nov"
    hour = ", after four this time" if channel == "call" else ""
    assert action.said == f"Noted. I will bring Priya back on Thu 12 Nov{hour}: {follow_up.reason}."
    assert follow_up.attempts == 1
    assert follow_up.last_attempt_on == MONDAY


def test_rule_1_each_unanswered_attempt_takes_the_next_step(priya, go_to):
    attempt(priya)
    # The e-mail a day after the third call waits for two: no contact gets a try every day.
    for next_on in [date(2026, 11, 12), date(2026, 11, 17), date(2026, 11, 19), date(2026, 11, 26)]:
        assert only_follow_up(priya).next_on == next_on
        go_to(next_on)
        attempt(priya, to=only_follow_up(priya))
    assert only_follow_up(priya).attempts == 5


@pytest.mark.parametrize(
    ("channel", "outcome", "direction"),
    [("note", "noted", "out"), ("note", "noted", "in"), ("meeting", "noted", "out")],
)
def test_rule_1_a_note_schedules_nothing(priya, channel, outcome, direction):
    action = attempt(priya, outcome=outcome, channel=channel, direction=direction)
    assert action.said == "Noted."
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize("late_by", [1, 4, 30])
def test_rule_1_the_wait_starts_on_the_day_of_the_attempt(priya, late_by):
    day = MONDAY - timedelta(days=late_by)
    attempt(priya, on=day)
    follow_up = only_follow_up(priya)
    assert follow_up.last_attempt_on == day
    assert f"{day.day} {day:%b}" in follow_up.reason


def test_rule_1_a_back_dated_attempt_never_moves_the_next_date_backwards(priya):
    attempt(priya)
    for days in range(1, 8):
        before = only_follow_up(priya)
        attempt(priya, on=MONDAY - timedelta(days=days))
        after = only_follow_up(priya)
        assert after.next_on >= before.next_on
        assert after.last_attempt_on == MONDAY


def test_rule_1_a_back_dated_attempt_never_makes_a_reminder_wait_longer(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 12))
    attempt(priya)
    go_to(date(2026, 11, 17))
    attempt(priya, on=date(2026, 11, 10))
    follow_up = only_follow_up(priya)
    due_on = follow_up.next_on or open_reminders(priya)[0].due_on
    assert due_on >= date(2026, 11, 17)


# 2. Business days are the user's own, in the user's zone.


def test_rule_2_holidays_of_the_users_country_do_not_count(alice):
    alice.country = "AT"
    alice.save()
    priya = make_contact(alice)
    attempt(priya, on=date(2026, 12, 23))
    follow_up = only_follow_up(priya)
    assert follow_up.next_on == date(2026, 12, 29)
    assert follow_up.reason.endswith("without Christmas Day")


@pytest.mark.django_db
def test_rule_2_the_day_of_an_attempt_is_the_users_local_day(time_machine):
    time_machine.move_to("2026-11-09T11:00:00+00:00", tick=False)
    for zone, day in [("Pacific/Kiritimati", 10), ("Europe/Vienna", 9), ("Pacific/Pago_Pago", 9)]:
        someone = make_user(f"{day}.{zone[-4:]}@example.org", time_zone=zone)
        attempt(make_contact(someone))
        assert FollowUp.objects.get(owner=someone).last_attempt_on == date(2026, 11, day)


def test_rule_2_a_move_to_another_zone_moves_nothing(alice, priya):
    attempt(priya)
    before = picture(priya)
    alice.time_zone = "Pacific/Kiritimati"
    alice.save()
    assert picture(priya) == before


# 3. Reminders persist.


def test_rule_3_a_reminder_is_raised_when_its_day_comes(priya, go_to):
    attempt(priya)
    assert go_to(date(2026, 11, 11)) == 0
    assert go_to(date(2026, 11, 12)) == 1
    (reminder,) = open_reminders(priya)
    assert reminder.due_on == date(2026, 11, 12)
    assert only_follow_up(priya).next_on is None


def test_rule_3_it_stays_until_acted_on_and_counts_the_days(priya, go_to):
    attempt(priya)
    for waited in range(10):
        today = date(2026, 11, 12) + timedelta(days=waited)
        go_to(today)
        (reminder,) = open_reminders(priya)
        assert reminder.waited(today) == waited


def test_rule_3_a_week_of_downtime_raises_each_once_and_late(alice, go_to):
    people = [make_contact(alice, name=f"Person {n}") for n in range(5)]
    for days, person in enumerate(people):
        attempt(person, on=MONDAY + timedelta(days=days))
    late = date(2026, 11, 26)
    assert go_to(late) == 5
    assert go_to(late) == 0
    assert [open_reminders(person)[0].due_on.day for person in people] == [12, 13, 16, 17, 18]


@pytest.mark.parametrize(
    "act",
    [
        lambda row: attempt(row.contact, to=row),
        lambda row: answer(row.contact),
        pursuing.skip,
        lambda row: pursuing.snooze(row, date(2026, 11, 20)),
        pursuing.pause,
        pursuing.rest,
        lambda row: pursuing.end(row, Ending.DECLINED),
    ],
    ids=["attempt", "answer", "skip", "snooze", "pause", "rest", "end"],
)
def test_rule_3_every_act_closes_the_reminder(priya, go_to, act):
    attempt(priya)
    go_to(date(2026, 11, 12))
    act(only_follow_up(priya))
    assert open_reminders(priya) == []


def test_rule_3_a_snoozed_step_comes_back_as_the_same_reminder(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 12))
    pursuing.snooze(only_follow_up(priya), date(2026, 11, 20))
    go_to(date(2026, 11, 20))
    reminder = Reminder.objects.get()
    assert (reminder.due_on, reminder.closed_at) == (date(2026, 11, 20), None)


@pytest.mark.django_db(transaction=True)
def test_rule_3_four_sweeps_at_once_raise_each_reminder_once(alice):
    people = [make_contact(alice, name=f"Person {n}") for n in range(12)]
    for person in people:
        attempt(person, on=date(2026, 10, 1))  # due at once
        pursuing.snooze(only_follow_up(person), MONDAY + timedelta(days=1))
    with travel("2026-11-10T12:00:00+00:00", tick=False):
        assert sum(at_once(*[raise_reminders] * 4)) == 12
    assert all(len(open_reminders(person)) == 1 for person in people)
    assert Reminder.objects.count() == 12


# One open follow-up per contact and playbook.


def test_one_open_follow_up_for_a_contact_and_playbook(alice, priya):
    book = playbook_of(alice, "cold-request")
    pursuing.begin(priya, book)
    before = only_follow_up(priya)
    again = pursuing.begin(priya, book)
    assert again.said == "Cold request (3B7) is already under way."
    assert only_follow_up(priya).turn == before.turn
    attempt(priya, outcome=Outcome.SENT, channel=Channel.EMAIL, playbook=book)
    assert only_follow_up(priya).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_one_open_follow_up_also_when_two_begin_at_once(alice):
    for n in range(10):
        person = make_contact(alice, name=f"Person {n}")
        book = playbook_of(alice, "unanswered-call")
        at_once(lambda: pursuing.begin(person, book), lambda: attempt(person))  # noqa: B023
        assert only_follow_up(person).attempts == 1


# 4. Never stacked.


def test_rule_4_the_next_wait_starts_when_the_present_step_is_done(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 30))  # 18 days late
    attempt(priya, to=only_follow_up(priya))
    assert only_follow_up(priya).next_on == date(2026, 12, 3)
    assert open_reminders(priya) == []


def test_rule_4_the_next_wait_starts_when_the_present_step_is_skipped(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 30))
    action = pursuing.skip(only_follow_up(priya))
    follow_up = only_follow_up(priya)
    assert follow_up.next_on == date(2026, 12, 3)
    assert follow_up.attempts == 1
    assert action.said.endswith("3 business days after you skipped a step on Mon 30 Nov.")


# 5. One stop.


@pytest.mark.parametrize(
    ("outcome", "direction", "ending", "said"),
    [
        ("talked", "out", Ending.REPLIED, "You talked with Priya."),
        ("replied", "in", Ending.REPLIED, "Priya replied."),
        (
            "arranged",
            "out",
            Ending.MEETING_SET,
            "A meeting with Priya is set.",
        ),
        ("met", "out", Ending.MEETING_SET, "You met Priya."),
        ("voicemail", "in", Ending.REPLIED, "Priya replied."),
    ],
)
def test_rule_5_an_answer_ends_every_pursuit_and_says_why(
    alice, priya, outcome, direction, ending, said
):
    attempt(priya)
    pursuing.begin(priya, playbook_of(alice, "introduced"))
    action = answer(priya, outcome, direction=direction)
    assert action.said == f"{said} One try, the same day."
    for follow_up in FollowUp.objects.all():
        assert (follow_up.state, follow_up.ending) == (State.ENDED, ending)
        assert (follow_up.next_on, follow_up.ended_on) == (None, MONDAY)


def test_rule_5_a_meeting_in_the_past_counts_too(priya):
    attempt(priya)
    answer(priya, Outcome.MET, on=MONDAY - timedelta(days=20), channel=Channel.MEETING)
    assert only_follow_up(priya).ending == Ending.MEETING_SET


def test_rule_5_keeping_in_touch_goes_on_after_an_answer(alice, priya):
    attempt(priya)
    pursuing.begin(priya, playbook_of(alice, "new-relationship"))
    answer(priya)
    assert [row.state for row in FollowUp.objects.order_by("id")] == [State.ENDED, State.ACTIVE]


def test_rule_5_do_not_contact_ends_everything(alice, priya):
    attempt(priya)
    pursuing.begin(priya, playbook_of(alice, "new-relationship"))
    pursuing.set_do_not_contact(priya)
    assert set(FollowUp.objects.values_list("state", "ending")) == {(State.ENDED, Ending.LET_GO)}
    with pytest.raises(CannotDo, match="Priya is marked as do not contact"):
        pursuing.begin(priya, playbook_of(alice, "cold-request"))


def test_rule_5_an_attempt_with_somebody_not_to_be_contacted_is_only_noted(priya):
    pursuing.set_do_not_contact(priya)
    assert attempt(priya).said == "Noted."
    assert not FollowUp.objects.exists()
    assert Interaction.objects.count() == 1


def test_rule_5_the_same_form_sent_again_changes_nothing(priya):
    attempt(priya)
    entry = Entry(Channel.CALL, Outcome.TALKED, MONDAY)
    first = pursuing.log(priya, entry)
    before = picture(priya)
    assert pursuing.log(priya, entry) == first
    assert picture(priya) == before


@pytest.mark.django_db(transaction=True)
def test_rule_5_the_same_form_sent_twice_at_once_is_one_interaction(alice):
    priya = make_contact(alice)
    entry = Entry(Channel.CALL, Outcome.VOICEMAIL, MONDAY)
    one, other = at_once(*[lambda: pursuing.log(priya, entry)] * 2)
    assert one == other
    assert Interaction.objects.count() == 1
    assert only_follow_up(priya).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_rule_5_an_answer_and_a_sweep_at_once_leave_no_reminder(alice):
    for n in range(30):
        person = make_contact(alice, name=f"Person {n}")
        row = make_follow_up(person, next_on=MONDAY)
        Reminder.objects.all().delete()
        at_once(lambda: answer(person), raise_reminders)  # noqa: B023
        row.refresh_from_db()
        assert (row.state, row.next_on) == (State.ENDED, None)
        assert open_reminders(person) == []
        assert raise_reminders() == 0


@pytest.mark.django_db(transaction=True)
def test_rule_5_two_people_answer_at_once_and_nobody_waits_for_ever(alice):
    people = [make_contact(alice, name=f"Person {n}") for n in range(4)]
    for person in people:
        attempt(person)
    at_once(*[lambda who=who: answer(who) for who in people], raise_reminders)
    assert not FollowUp.objects.open().exists()


# 6. A promise outranks the rule.


@pytest.mark.parametrize("promised", [date(2026, 11, 15), date(2027, 5, 1), date(2028, 2, 29)])
def test_rule_6_a_promise_sets_exactly_that_date_also_a_sunday(alice, priya, promised, go_to):
    attempt(priya)
    action = pursuing.snooze(only_follow_up(priya), promised)
    assert only_follow_up(priya).next_on == promised
    assert str(promised.day) in action.said
    assert go_to(promised - timedelta(days=1)) == 0
    assert go_to(promised) == 1
    other = make_contact(alice, name="Tom")
    pursuing.begin(other, playbook_of(alice, "they-promised"), on=promised)
    follow_up = only_follow_up(other)
    assert (follow_up.next_on or open_reminders(other)[0].due_on) == promised
    assert follow_up.reason == "the date you chose"


def test_rule_6_a_promise_keeps_the_step(priya):
    attempt(priya)
    before = only_follow_up(priya)
    pursuing.snooze(before, date(2027, 5, 3))
    after = only_follow_up(priya)
    assert (after.step, after.turn, after.attempts) == (before.step, before.turn, before.attempts)


# 7. The end of a playbook is a question.


def test_rule_7_after_the_last_try_it_asks_until_answered(priya, go_to):
    follow_up = at_the_question(priya)
    for days in (1, 10, 100, 1000):
        go_to(MONDAY + timedelta(days=days))
        assert len(open_reminders(priya)) == 1
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.asks_to_decide) == (State.ACTIVE, True)


def test_rule_7_the_question_cannot_be_skipped(priya):
    with pytest.raises(CannotDo, match="This was the last step"):
        pursuing.skip(at_the_question(priya))


def test_rule_7_one_more_attempt_asks_again_later(priya, go_to):
    follow_up = at_the_question(priya)
    attempt(priya, to=follow_up)
    follow_up.refresh_from_db()
    assert follow_up.asks_to_decide
    assert follow_up.next_on == date(2026, 11, 16)
    assert go_to(date(2026, 11, 16)) == 1


def test_rule_7_it_rests_and_wakes_with_a_fresh_start(priya, go_to):
    follow_up = at_the_question(priya)
    action = pursuing.rest(follow_up, lesson="Ask about the work, not about jobs.")
    wakes = MONDAY + timedelta(days=90)
    assert action.said == "Priya rests until Sun 7 Feb 2027. You did your part."
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.ending, follow_up.next_on) == (
        State.RESTING,
        Ending.NO_REPLY,
        wakes,
    )
    assert follow_up.lesson == "Ask about the work, not about jobs."
    assert go_to(wakes - timedelta(days=1)) == 0
    assert go_to(wakes) == 1
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.ending, follow_up.step, follow_up.attempts) == (
        State.ACTIVE,
        "",
        0,
        0,
    )


@pytest.mark.parametrize(
    ("act", "step", "attempts"),
    [
        (lambda row: attempt(row.contact, to=row), 1, 1),
        (pursuing.resume, 0, 0),
        (lambda row: pursuing.snooze(row, date(2026, 12, 1)), 0, 0),
        (lambda row: pursuing.resume(paused(row)), 0, 0),
    ],
    ids=["attempt", "resume", "snooze", "pause and resume"],
)
def test_rule_7_whatever_ends_the_rest_makes_a_fresh_start(priya, act, step, attempts):
    follow_up = at_the_question(priya)
    pursuing.rest(follow_up)
    act(follow_up)
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.step, follow_up.attempts) == (State.ACTIVE, step, attempts)


def paused(follow_up):
    pursuing.pause(follow_up)
    return follow_up


def test_rule_7_another_way_in_ends_this_one_and_begins_the_other(alice, priya):
    follow_up = at_the_question(priya)
    action = pursuing.try_another_way(follow_up, playbook_of(alice, "cold-request"))
    assert action.said == "Cold request (3B7) begins today."
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.ending) == (State.ENDED, Ending.NO_REPLY)
    fresh = FollowUp.objects.open().get()
    assert (fresh.name, fresh.step) == ("Cold request (3B7)", 0)
    assert len(open_reminders(priya)) == 1


def test_rule_7_the_same_way_again_starts_over(alice, priya):
    follow_up = at_the_question(priya)
    pursuing.try_another_way(follow_up, playbook_of(alice, "unanswered-call"))
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.step, follow_up.attempts) == (State.ACTIVE, 0, 0)
    assert len(open_reminders(priya)) == 1


def test_rule_7_let_go_with_a_lesson(priya):
    follow_up = at_the_question(priya)
    pursuing.end(follow_up, Ending.LET_GO, "Three tries are plenty.")
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.lesson) == (State.ENDED, "Three tries are plenty.")
    with pytest.raises(CannotDo, match="already ended"):
        pursuing.snooze(follow_up, date(2026, 12, 1))


def test_a_repeating_step_comes_back_for_ever(alice, priya, go_to):
    pursuing.begin(priya, playbook_of(alice, "new-relationship"))
    for _ in range(6):
        go_to(only_follow_up(priya).next_on)
        attempt(priya, outcome=Outcome.SENT, channel=Channel.MESSAGE, to=only_follow_up(priya))
    follow_up = only_follow_up(priya)
    assert follow_up.step == 3
    assert "3 months after your message" in follow_up.reason


# Pausing.


def test_a_pause_until_a_day_ends_on_that_day(priya, go_to):
    attempt(priya)
    action = pursuing.pause(only_follow_up(priya), date(2026, 12, 1))
    assert action.said == "Paused until Tue 1 Dec."
    assert only_follow_up(priya).state == State.PAUSED
    assert go_to(date(2026, 11, 30)) == 0
    assert go_to(date(2026, 12, 1)) == 1
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.reason) == (State.ACTIVE, "the pause is over")


def test_a_pause_without_a_day_lasts_until_resumed(priya, go_to):
    attempt(priya)
    pursuing.pause(only_follow_up(priya))
    assert go_to(date(2030, 1, 2)) == 0
    pursuing.resume(only_follow_up(priya))
    assert len(open_reminders(priya)) == 1


def test_what_is_resumed_on_a_day_off_asks_on_the_next_work_day(priya, go_to):
    attempt(priya)
    pursuing.pause(only_follow_up(priya))
    go_to(date(2026, 11, 14))
    pursuing.resume(only_follow_up(priya))
    assert only_follow_up(priya).next_on == date(2026, 11, 16)


# 10. Versioned.


def test_rule_10_editing_a_playbook_changes_new_follow_ups_only(alice, priya):
    attempt(priya)
    book = playbook_of(alice, "unanswered-call")
    book.steps = [
        {"wait": 0, "channel": "call", "hint": "Once."},
        {"wait": 9, "channel": "decide", "hint": "Enough?"},
    ]
    book.save()
    attempt(priya)
    assert only_follow_up(priya).next_on == date(2026, 11, 12)
    assert only_follow_up(priya).tries == 4
    other = make_contact(alice, name="Tom")
    attempt(other)
    assert only_follow_up(other).next_on == date(2026, 11, 20)


def test_rule_10_a_deleted_playbook_leaves_its_follow_ups_running(alice, priya, go_to):
    attempt(priya)
    playbook_of(alice, "unanswered-call").delete()
    assert go_to(date(2026, 11, 12)) == 1
    attempt(priya, to=only_follow_up(priya))
    assert only_follow_up(priya).next_on == date(2026, 11, 17)


# What cannot be done is said, and changes nothing.


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda row: pursuing.snooze(row, MONDAY), "Choose a day after today."),
        (lambda row: pursuing.pause(row, MONDAY), "Choose a day after today."),
        (lambda row: pursuing.rest(row, MONDAY), "Choose a day after today."),
        (pursuing.resume, "That follow-up is already under way."),
    ],
    ids=["snooze", "pause", "rest", "resume"],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(priya, act, sentence):
    attempt(priya)
    before = picture(priya)
    with pytest.raises(CannotDo) as refused:
        act(only_follow_up(priya))
    assert str(refused.value) == sentence
    assert picture(priya) == before


def test_an_ended_follow_up_takes_nothing_more(priya, alice):
    attempt(priya)
    ended = only_follow_up(priya)
    answer(priya)
    before = picture(priya)
    other = playbook_of(alice, "cold-request")
    for act in (
        lambda: attempt(priya, to=ended),
        lambda: pursuing.skip(ended),
        lambda: pursuing.snooze(ended, date(2026, 12, 1)),
        lambda: pursuing.pause(ended),
        lambda: pursuing.resume(ended),
        lambda: pursuing.rest(ended),
        lambda: pursuing.end(ended, Ending.DECLINED),
        lambda: pursuing.try_another_way(ended, other),
    ):
        with pytest.raises(CannotDo, match="already ended"):
            act()
    assert picture(priya) == before


# 11. Never silent, whatever happens.


@pytest.mark.parametrize(
    ("harm", "wrong"),
    [
        ({"next_on": None}, "It had neither a date nor a reminder."),
        ({"step": 99}, "It stood at a step that its playbook does not have."),
    ],
    ids=["no date", "no step"],
)
def test_rule_11_the_nightly_check_finds_and_repairs(priya, caplog, harm, wrong):
    attempt(priya)
    assert check_followups() == []
    FollowUp.objects.update(**harm)
    assert [each.wrong for each in check_followups(repair=False)] == [wrong]
    [found] = check_followups()
    assert (found.follow_up, found.wrong) == (only_follow_up(priya), wrong)
    assert f"Follow-up {only_follow_up(priya).pk}" in caplog.text
    assert priya.actions.first().said == f"Repaired. {wrong}"
    assert check_followups() == []


def test_rule_11_who_was_forgotten_asks_again(priya):
    attempt(priya)
    FollowUp.objects.update(next_on=None)
    check_followups()
    assert [reminder.due_on for reminder in open_reminders(priya)] == [MONDAY]


def test_rule_11_a_repair_is_not_undone(priya):
    attempt(priya)
    FollowUp.objects.update(next_on=None)
    check_followups()
    repair = priya.actions.first()
    assert not repair.can_undo
    with pytest.raises(CannotDo, match="That stays"):
        undoing.undo(repair)
    assert check_followups() == []


def test_rule_11_a_reminder_wins_over_a_date_beside_it(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 12))
    FollowUp.objects.update(next_on=date(2027, 1, 4))
    [found] = check_followups()
    assert found.wrong == "It had a date beside its open reminder."
    assert only_follow_up(priya).next_on is None
    assert len(open_reminders(priya)) == 1


def test_rule_11_what_is_not_under_way_does_not_ask(priya, go_to):
    attempt(priya)
    go_to(date(2026, 11, 12))
    FollowUp.objects.update(state=State.ENDED, ending=Ending.REPLIED)
    [found] = check_followups()
    assert found.wrong == "It asked although it is not under way."
    assert open_reminders(priya) == []


UNANSWERED_KINDS = st.sampled_from(
    [
        (Channel.CALL, Outcome.NO_ANSWER),
        (Channel.CALL, Outcome.VOICEMAIL),
        (Channel.EMAIL, Outcome.SENT),
        (Channel.MESSAGE, Outcome.SENT),
    ]
)
SLUGS = st.sampled_from(["cold-request", "unanswered-call", "after-a-meeting", "new-relationship"])


class Notebook(RuleBasedStateMachine):
    """One contact, and everything a user and the clock can do, in any order."""

    user = None

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.clock = travel(MONDAY_MORNING, tick=False)
        self.now = self.clock.start()
        self.done = []  # newest last: (action, picture before); a sweep forgets the pictures

    def teardown(self):
        connection.check_constraints()
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        self.clock.stop()

    @initialize()
    def meet(self):
        self.contact = make_contact(self.user)

    def try_to(self, verb, *args, **kwargs):
        before = picture(self.contact)
        try:
            self.done.append((verb(*args, **kwargs), before))
        except CannotDo:
            assert picture(self.contact) == before

    def one(self, number):
        rows = list(FollowUp.objects.filter(contact=self.contact).order_by("id"))
        return rows[number % len(rows)]

    def has_follow_ups(self):
        return FollowUp.objects.filter(contact=self.contact).exists()

    def day(self, ahead):
        return self.user.today() + timedelta(days=ahead)

    @rule(hours=st.sampled_from([0.5, 2, 13, 24, 72, 24 * 40, 24 * 120]))
    def time_passes(self, hours):
        self.now.shift(timedelta(hours=hours))

    @rule()
    def sweep(self):
        raise_reminders()
        self.done = [(action, None) for action, _ in self.done]

    @rule(kind=UNANSWERED_KINDS, days_ago=st.integers(0, 40))
    def an_attempt(self, kind, days_ago):
        channel, outcome = kind
        self.try_to(attempt, self.contact, self.day(-days_ago), outcome, channel)

    @precondition(has_follow_ups)
    @rule(kind=UNANSWERED_KINDS, days_ago=st.integers(0, 3), number=st.integers(0, 9))
    def an_attempt_of_a_follow_up(self, kind, days_ago, number):
        channel, outcome = kind
        on = self.day(-days_ago)
        self.try_to(attempt, self.contact, on, outcome, channel, to=self.one(number))

    @rule(outcome=st.sampled_from(sorted(ANSWERS)), days_ago=st.integers(0, 9))
    def an_answer(self, outcome, days_ago):
        self.try_to(answer, self.contact, outcome, on=self.day(-days_ago), direction=Direction.IN)

    @rule(slug=SLUGS)
    def a_beginning(self, slug):
        self.try_to(pursuing.begin, self.contact, playbook_of(self.user, slug))

    @precondition(has_follow_ups)
    @rule(
        verb=st.sampled_from([pursuing.snooze, pursuing.pause, pursuing.rest]),
        ahead=st.integers(-1, 60),
        number=st.integers(0, 9),
    )
    def something_until_a_day(self, verb, ahead, number):
        self.try_to(verb, self.one(number), self.day(ahead))

    @precondition(has_follow_ups)
    @rule(
        verb=st.sampled_from([pursuing.skip, pursuing.pause, pursuing.resume, pursuing.rest]),
        number=st.integers(0, 9),
    )
    def something(self, verb, number):
        self.try_to(verb, self.one(number))

    @precondition(has_follow_ups)
    @rule(ending=st.sampled_from(Ending), number=st.integers(0, 9))
    def an_ending(self, ending, number):
        self.try_to(pursuing.end, self.one(number), ending)

    @precondition(has_follow_ups)
    @rule(slug=SLUGS, number=st.integers(0, 9))
    def another_way(self, slug, number):
        book = playbook_of(self.user, slug)
        self.try_to(pursuing.try_another_way, self.one(number), book)

    @precondition(lambda self: self.done)
    @rule()
    def undo(self):
        action, before = self.done.pop()
        try:
            undoing.undo(action)
        except CannotDo:
            self.done.clear()
        else:
            assert before is None or picture(self.contact) == before

    @invariant()
    def never_silent(self):
        assert not FollowUp.objects.silent().exists()

    @invariant()
    def each_state_keeps_its_word(self):
        for row in FollowUp.objects.filter(owner=self.user):
            asks = row.reminders.open().count()
            assert asks <= 1
            assert bool(row.ending) == (row.state in {State.ENDED, State.RESTING})
            assert 0 <= row.step < len(row.steps)
            if row.state != State.ACTIVE:
                assert asks == 0
            if row.state == State.ENDED:
                assert (row.next_on, bool(row.ended_on)) == (None, True)
            if row.state == State.RESTING:
                assert row.next_on is not None


def test_rule_11_never_silent_whatever_happens(alice, time_machine):
    Notebook.user = alice
    run_machine(
        Notebook,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_rule_1_holds_without_the_usual_playbook(alice):
    contact = make_contact(alice)
    Playbook.objects.for_user(alice).filter(slug="unanswered-call").delete()
    pursuing.log(contact, pursuing.Entry("call", "voicemail", alice.today()))
    follow_up = FollowUp.objects.get(contact=contact)
    assert follow_up.next_on > alice.today()
