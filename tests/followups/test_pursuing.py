"""The verbs: each can be undone exactly, for an hour, newest first; every account has playbooks."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command

from followups import pursuing, undoing
from followups.models import Action, Ending, FollowUp, Outcome, Playbook, PlaybookPreset, State, Via
from followups.presets import provide_presets
from followups.pursuing import CannotDo
from followups.raising import raise_reminders
from netcrm.models import User
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import (
    MONDAY,
    MONDAY_MORNING,
    answer,
    attempt,
    only_follow_up,
    open_reminders,
    picture,
    playbook_of,
)


@pytest.fixture(autouse=True)
def _monday(time_machine):
    time_machine.move_to(MONDAY_MORNING, tick=False)


@pytest.fixture
def priya(alice):
    return make_contact(alice)


def planned(priya):
    attempt(priya)


def due(priya):
    attempt(priya, on=MONDAY - timedelta(days=10))


def asking(priya):
    follow_up = make_follow_up(priya, step=4, attempts=4)
    assert follow_up.asks_to_decide


def on_pause(priya):
    attempt(priya)
    pursuing.pause(only_follow_up(priya), MONDAY + timedelta(days=30))


def at_rest(priya):
    attempt(priya)
    pursuing.rest(only_follow_up(priya))


SITUATIONS = [planned, due, asking, on_pause, at_rest]
LATER = MONDAY + timedelta(days=20)
VERBS = {
    "attempt": lambda row: attempt(row.contact, to=row),
    "back-dated attempt": lambda row: attempt(row.contact, on=date(2026, 10, 1), to=row),
    "answer": lambda row: answer(row.contact),
    "note": lambda row: attempt(row.contact, outcome=Outcome.NOTED, channel="note"),
    "begin": lambda row: pursuing.begin(row.contact, playbook_of(row.owner, "introduced")),
    "skip": pursuing.skip,
    "snooze": lambda row: pursuing.snooze(row, LATER),
    "pause": pursuing.pause,
    "resume": pursuing.resume,
    "rest": lambda row: pursuing.rest(row, lesson="One step at a time."),
    "end": lambda row: pursuing.end(row, Ending.LET_GO, "One step at a time."),
    "the same again": lambda row: pursuing.try_another_way(row, row.playbook),
    "another way": lambda row: pursuing.try_another_way(
        row, playbook_of(row.owner, "cold-request")
    ),
    "do not contact": lambda row: pursuing.set_do_not_contact(row.contact),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_undo_puts_every_row_back_as_it_was(priya, situation, verb):
    situation(priya)
    before = picture(priya)
    try:
        action = VERBS[verb](only_follow_up(priya))
    except CannotDo:
        assert picture(priya) == before
        return
    undoing.undo(action)
    assert picture(priya) == before
    undoing.undo(Action.objects.get(pk=action.pk))  # twice is harmless
    assert picture(priya) == before
    assert not FollowUp.objects.silent().exists()


def test_undo_of_a_first_attempt_leaves_no_trace_but_the_record(priya):
    before = picture(priya)
    action = attempt(priya)
    undoing.undo(action)
    assert picture(priya) == before
    action.refresh_from_db()
    assert (action.undone_at is not None, action.interaction) == (True, None)


def test_what_was_undone_can_be_done_again(priya, time_machine):
    due(priya)
    undoing.undo(attempt(priya, on=MONDAY - timedelta(days=9)))
    attempt(priya, on=MONDAY - timedelta(days=9))
    assert only_follow_up(priya).attempts == 2
    assert len(open_reminders(priya)) == 1


def test_undo_after_the_tick_came_in_between_still_asks(priya, time_machine):
    """A snooze over midnight, raised and then undone: the earlier day, and never silent."""
    time_machine.move_to("2026-11-09T22:45:00+00:00", tick=False)  # 23:45 in Vienna
    attempt(priya)
    action = pursuing.snooze(only_follow_up(priya), MONDAY + timedelta(days=1))
    time_machine.move_to("2026-11-09T23:15:00+00:00", tick=False)
    assert raise_reminders() == 1
    undoing.undo(action)
    assert only_follow_up(priya).next_on == date(2026, 11, 12)
    assert not FollowUp.objects.silent().exists()
    time_machine.move_to("2026-11-12T09:00:00+00:00", tick=False)
    assert raise_reminders() == 1
    assert open_reminders(priya)[0].due_on == date(2026, 11, 12)


@pytest.mark.parametrize(("minutes", "possible"), [(59, True), (60, False), (61, False)])
def test_undo_is_possible_for_an_hour(priya, time_machine, minutes, possible):
    action = attempt(priya)
    time_machine.shift(timedelta(minutes=minutes))
    assert action.can_undo is possible
    assert Action.objects.undoable().exists() is possible
    if possible:
        undoing.undo(action)
    else:
        with pytest.raises(CannotDo, match="That was more than an hour ago"):
            undoing.undo(action)
    assert FollowUp.objects.exists() is not possible


def test_undo_goes_newest_first(priya):
    empty = picture(priya)
    first, second = attempt(priya), answer(priya)
    with pytest.raises(CannotDo, match="Something newer happened with Priya"):
        undoing.undo(first)
    undoing.undo(second)
    undoing.undo(first)
    assert picture(priya) == empty


def test_undo_of_one_contact_does_not_wait_for_another(alice, priya):
    action = attempt(priya)
    attempt(make_contact(alice, name="Tom"))
    undoing.undo(action)
    assert not FollowUp.objects.filter(contact=priya).exists()


def test_every_act_says_who_did_it_and_by_which_way(priya):
    action = attempt(priya)
    assert (action.verb, action.via, action.interaction.via) == ("logged", Via.APP, Via.APP)
    by_mail = pursuing.snooze(only_follow_up(priya), LATER, via=Via.MAIL)
    assert (by_mail.verb, by_mail.via, by_mail.follow_up) == (
        "snoozed",
        Via.MAIL,
        only_follow_up(priya),
    )


def test_the_last_interaction_never_moves_backwards(priya):
    attempt(priya)
    attempt(priya, on=MONDAY - timedelta(days=90))
    priya.refresh_from_db()
    assert priya.last_interaction_on == MONDAY


def test_an_attempt_without_a_follow_up_named_goes_to_the_one_that_asks_first(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "introduced"))  # tomorrow
    pursuing.begin(priya, playbook_of(alice, "cold-request"), on=MONDAY)  # asks today
    attempt(priya)
    tried = FollowUp.objects.get(attempts=1)
    assert tried.name == "Cold request (3B7)"


def test_a_talk_moves_on_what_goes_on_after_an_answer(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "new-relationship"))
    action = answer(priya, to=only_follow_up(priya))
    follow_up = only_follow_up(priya)
    assert (follow_up.state, follow_up.step) == (State.ACTIVE, 1)
    assert action.said == (
        "Noted. I will bring Priya back on Wed 9 Dec: 1 month after you talked on Mon 9 Nov."
    )


def test_the_longest_reason_fits(alice, priya):
    alice.country = "TH"
    alice.save()
    book = playbook_of(alice, "unanswered-call")
    book.steps[1]["wait"] = 260
    book.save()
    attempt(priya)
    assert "more holidays" in only_follow_up(priya).reason


# Playbooks of new accounts.


def all_playbooks_of(user):
    slugs = list(Playbook.objects.for_user(user).values_list("slug", flat=True))
    return slugs == [preset.slug for preset in PlaybookPreset.objects.all()] and len(slugs) == 9


def test_each_new_account_has_its_own_nine_playbooks(alice, bob):
    assert all_playbooks_of(alice)
    assert all_playbooks_of(bob)
    assert Playbook.objects.count() == 18


def test_createsuperuser_has_them_too(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough pass phrase")
    call_command("createsuperuser", "--no-input", "--email=root@example.org", verbosity=0)
    assert all_playbooks_of(User.objects.get(email="root@example.org"))


def test_saving_an_account_again_gives_no_second_set(alice):
    playbook_of(alice, "introduced").delete()
    alice.save()
    assert Playbook.objects.for_user(alice).count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_flush_keeps_the_presets():
    call_command("flush", "--no-input", verbosity=0)
    assert PlaybookPreset.objects.count() == 9


def test_a_preset_that_a_superuser_changed_stays_changed(db):
    PlaybookPreset.objects.filter(slug="introduced").update(name="Warm start")
    PlaybookPreset.objects.filter(slug="cold-request").delete()
    provide_presets()
    assert PlaybookPreset.objects.get(slug="introduced").name == "Warm start"
    assert PlaybookPreset.objects.count() == 9
