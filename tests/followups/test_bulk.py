"""What is done to many people through the engine, and how it is undone."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contacts import bulk
from contacts.models import BulkChange, Contact
from followups import merging, pursuing, undoing
from followups.models import Action, Ending, FollowUp, Reminder
from tests.factories import make_contact, make_follow_up, make_user
from tests.followups.doing import attempt, only_follow_up, picture, playbook_of

State = BulkChange.State
LATER = date(2026, 12, 3)


@pytest.fixture
def call(alice):
    return playbook_of(alice, "unanswered-call")


def people(owner, count):
    return [make_contact(owner, f"Person {nth:02}") for nth in range(count)]


def pursued(owner, count):
    return [make_follow_up(each) for each in people(owner, count)]


def move(owner, verb, follow_ups, **how):
    """Move follow-ups at one stroke, as the admin site does."""
    asked = how | {"follow_ups": [row.pk for row in follow_ups]}
    return bulk.start(owner, verb, asked, [row.contact_id for row in follow_ups])


def whys(change):
    return {row.contact.name: row.why for row in change.rows.exclude(why="")}


def test_begins_a_playbook_so_many_people_a_day(alice, monday, call):
    everyone = people(alice, 12)
    asked = {"playbook": call.pk, "each_day": 5}
    change = bulk.start(alice, "begin", asked, [each.pk for each in everyone])
    assert bulk.say(change) == f"12 people started on {call.name}."
    begun = [each.next_on or date(2026, 11, 9) for each in FollowUp.objects.order_by("contact")]
    days = {date(2026, 11, 9): 5, date(2026, 11, 10): 5, date(2026, 11, 11): 2}
    assert Counter(begun) == days
    assert begun == sorted(begun)


def test_who_is_busy_away_or_left_alone_stays_with_the_reason(alice, monday, call):
    busy, away, alone, free = people(alice, 4)
    make_follow_up(busy)
    away.archive()
    pursuing.set_do_not_contact(alone)
    ids = [busy.pk, away.pk, alone.pk, free.pk]
    change = bulk.start(alice, "begin", {"playbook": call.pk}, ids)
    assert (change.changed, change.stayed) == (1, 3)
    assert whys(change) == {
        "Person 00": f"{call.name} is under way already.",
        "Person 01": "Is put away. Bring them back first.",
        "Person 02": "Person is marked as do not contact.",
    }
    assert only_follow_up(free)


def test_undo_ends_what_it_began_even_after_days(alice, monday, go_to, call):
    everyone = people(alice, 3)
    before = [picture(each) for each in everyone]
    change = bulk.start(alice, "begin", {"playbook": call.pk}, [each.pk for each in everyone])
    go_to("2026-11-20")
    assert Reminder.objects.open().count() == 3
    assert bulk.undo(change)
    assert [picture(each) for each in everyone] == before


def test_undo_leaves_alone_whom_something_newer_happened_with(alice, monday, go_to, call):
    tried, free = people(alice, 2)
    change = bulk.start(alice, "begin", {"playbook": call.pk}, [tried.pk, free.pk])
    go_to("2026-11-20")
    attempt(tried, to=only_follow_up(tried))
    assert bulk.undo(change)
    assert (change.state, change.changed) == (State.UNDONE, 1)
    assert whys(change) == {"Person 00": "Something newer happened with Person."}
    assert only_follow_up(tried).attempts == 1
    assert not FollowUp.objects.filter(contact=free)


def test_a_playbook_deleted_meanwhile_stops_it(alice, monday, call, monkeypatch):
    monkeypatch.setattr("followups.bulk.EngineVerb.at_once", 0)
    (one,) = people(alice, 1)
    change = bulk.start(alice, "begin", {"playbook": call.pk}, [one.pk])
    call.delete()
    bulk.run_changes()
    change.refresh_from_db()
    assert change.state == State.FAILED
    assert change.error == "That playbook is not there any more. Choose another one."


def test_a_playbook_of_somebody_else_is_refused(alice, bob):
    (one,) = people(alice, 1)
    with pytest.raises(bulk.CannotChange):
        bulk.start(alice, "begin", {"playbook": playbook_of(bob, "unanswered-call").pk}, [one.pk])
    assert not BulkChange.objects.exists()


def test_leaves_people_alone_and_takes_it_up_again(alice, monday, go_to):
    pursued, free = people(alice, 2)
    make_follow_up(pursued)
    before = [picture(each) for each in (pursued, free)]
    change = bulk.start(alice, "leave_alone", {}, [pursued.pk, free.pk])
    assert Contact.objects.filter(do_not_contact=True).count() == 2
    assert not FollowUp.objects.open().exists()
    go_to("2026-11-10")
    assert bulk.undo(change)
    assert [picture(each) for each in (pursued, free)] == before


def test_merges_entries_into_one_and_parts_them_again(alice, monday):
    kept, second, third = people(alice, 3)
    Contact.objects.filter(pk=third.pk).update(role="Designer")
    make_follow_up(second)
    attempt(third)
    before = [picture(each) for each in (kept, second, third)]
    change = bulk.start(alice, "merge", {"keep": kept.pk}, [kept.pk, second.pk, third.pk])
    assert bulk.say(change) == "2 people merged into Person 00."
    only = Contact.objects.get()
    assert (only.pk, only.role) == (kept.pk, "Designer")
    assert FollowUp.objects.open().count() == 1
    assert bulk.undo(change)
    after = [picture(each) for each in (kept, second, third)]
    assert [row["follow_ups"] for row in after] == [row["follow_ups"] for row in before]
    assert [row["interactions"] for row in after] == [row["interactions"] for row in before]
    assert change.changed == 0


def test_entries_stay_one_when_something_newer_happened(alice, monday):
    kept, second, third = people(alice, 3)
    change = bulk.start(alice, "merge", {"keep": kept.pk}, [kept.pk, second.pk, third.pk])
    attempt(kept)
    assert bulk.undo(change)
    assert (change.changed, Contact.objects.count()) == (2, 1)
    assert set(whys(change).values()) == {
        "Something newer happened with Person. So the two stay one."
    }


def test_merging_needs_two_entries_and_at_most_ten(alice):
    everyone = people(alice, 11)
    ids = [each.pk for each in everyone]
    with pytest.raises(bulk.CannotChange, match="Tick two entries"):
        bulk.start(alice, "merge", {"keep": ids[0]}, ids[:1])
    with pytest.raises(bulk.CannotChange, match="10 people at most"):
        bulk.start(alice, "merge", {"keep": ids[0]}, ids)
    with pytest.raises(bulk.CannotChange, match="Choose the entry"):
        bulk.start(alice, "merge", {"keep": ids[5]}, ids[:3])


# Chosen follow-ups


@pytest.mark.parametrize(
    ("verb", "how", "said", "state", "next_on"),
    [
        ("pause", {"until": LATER}, "paused until 3 December 2026", "paused", LATER),
        ("pause", {"until": None}, "paused until you resume them", "paused", None),
        ("snooze", {"until": LATER}, "snoozed until 3 December 2026", "active", LATER),
        (
            "not_now",
            {"until": LATER, "lesson": "Too early"},
            "said not now, to be asked again on 3 December 2026",
            "resting",
            LATER,
        ),
        (
            "rest",
            {"until": LATER, "lesson": ""},
            "left to rest until 3 December 2026",
            "resting",
            LATER,
        ),
        (
            "rest",
            {"until": None, "lesson": "Too early"},
            "left to rest",
            "resting",
            date(2027, 2, 7),
        ),
        (
            "end",
            {"ending": Ending.DECLINED, "lesson": "Too early"},
            "no longer pursued: declined",
            "ended",
            None,
        ),
    ],
)
def test_moves_follow_ups_and_puts_them_back_weeks_after(
    alice, monday, go_to, verb, how, said, state, next_on
):
    rows = pursued(alice, 3)
    chosen, other = rows[:2], rows[2]
    before = [picture(row.contact) for row in rows]
    change = move(alice, verb, chosen, **how)
    assert bulk.say(change) == f"2 people {said}."
    for row in FollowUp.objects.filter(pk__in=[row.pk for row in chosen]):
        assert (row.state, row.next_on, row.lesson) == (state, next_on, how.get("lesson", ""))
    assert picture(other.contact) == before[2]
    go_to("2026-12-04")  # what was put off is due by now
    assert bulk.undo(change)
    assert bulk.say(change) == "Everybody is as they were before."
    assert [picture(row.contact) for row in chosen] == before[:2]


def test_takes_up_again_what_was_paused(alice, monday):
    paused, under_way = pursued(alice, 2)
    pursuing.pause(paused)
    before = picture(paused.contact)
    change = move(alice, "resume", [paused, under_way])
    assert bulk.say(change) == "1 person taken up again. 1 person stays as they are."
    assert whys(change) == {"Person 01": "That follow-up is already under way."}
    assert bulk.undo(change)
    assert picture(paused.contact) == before


def test_several_follow_ups_of_one_person_are_one_change_of_one_person(alice, monday):
    first = make_follow_up(make_contact(alice))
    contact = first.contact
    second, third = (make_follow_up(contact, slug) for slug in ("cold-request", "introduced"))
    before = picture(contact)
    change = move(alice, "end", [first, second], ending=Ending.DECLINED, lesson="Too early")
    assert bulk.say(change) == "1 person no longer pursued: declined."
    assert FollowUp.objects.get(lesson="") == third
    row = change.rows.get()
    done = Action.objects.filter(verb="ended").order_by("pk").values_list("pk", flat=True)
    assert row.after == {"actions": list(done)}
    assert bulk.undo(change)
    assert picture(contact) == before


def test_what_the_engine_refuses_of_a_person_is_told_beside_what_it_did(alice, monday):
    ended = make_follow_up(make_contact(alice))
    pursuing.end(ended, Ending.DECLINED)
    open_one = make_follow_up(ended.contact, "cold-request")
    change = move(alice, "snooze", [ended, open_one], until=LATER)
    assert (change.changed, change.stayed) == (1, 0)
    assert whys(change) == {"Priya Raman": "That follow-up has already ended."}


def test_follow_ups_of_somebody_else_are_never_moved(alice, bob, monday):
    mine, theirs = make_follow_up(make_contact(alice)), make_follow_up(make_contact(bob))
    before = picture(theirs.contact)
    change = move(alice, "end", [mine, theirs], ending=Ending.DECLINED, lesson="")
    assert (change.total, change.changed, change.stayed) == (1, 1, 0)
    assert picture(theirs.contact) == before


def test_only_what_was_chosen_is_moved_when_celery_gets_to_it(alice, monday, monkeypatch):
    monkeypatch.setattr("followups.bulk.EngineVerb.at_once", 0)
    monkeypatch.setattr("followups.bulk.EngineVerb.chunk", 2)
    chosen = pursued(alice, 5)
    change = move(alice, "snooze", chosen, until=LATER)
    since = make_follow_up(chosen[0].contact, "cold-request")
    assert not FollowUp.objects.filter(next_on=LATER).exists()
    bulk.run_changes()
    assert set(FollowUp.objects.filter(next_on=LATER)) == set(chosen)
    change.refresh_from_db()
    assert (change.state, change.changed) == (State.DONE, 5)
    assert bulk.undo(change)
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.changed) == (State.UNDONE, 0)
    assert not FollowUp.objects.filter(next_on=LATER).exists()
    assert FollowUp.objects.open().filter(pk=since.pk).exists()


@pytest.mark.parametrize("words", [{"lesson": "Ask earlier"}, {"purpose": "Advice"}])
def test_words_that_were_written_since_are_not_lost_by_undoing(alice, monday, words):
    edited, beside, free = pursued(alice, 3)
    other = make_follow_up(beside.contact, "cold-request")
    asked = {"ending": Ending.DECLINED, "lesson": "Too early"}
    change = move(alice, "end", [edited, beside, free], **asked)
    FollowUp.objects.filter(pk__in=[edited.pk, other.pk]).update(**words)
    assert bulk.undo(change)
    assert bulk.say(change) == "2 people kept something of it, the others are as they were."
    reason = "You have edited a follow-up with Person since."
    assert whys(change) == {"Person 00": reason, "Person 01": reason}
    assert FollowUp.objects.filter(**words).count() == 2
    assert not only_follow_up(free.contact).ending


def test_whom_something_newer_happened_with_stays_where_they_are(alice, monday):
    tried, merged, free = pursued(alice, 3)
    kept = make_contact(alice, "Somebody")
    change = move(alice, "snooze", [tried, merged, free], until=LATER)
    attempt(tried.contact)
    merging.merge(kept, merged.contact)
    assert bulk.undo(change)
    assert change.changed == 2
    assert whys(change) == {
        "Person 00": "Something newer happened with Person.",
        Contact.objects.get(pk=kept.pk).name: bulk.MERGED_SINCE,
    }
    free.refresh_from_db()
    assert free.next_on != LATER


def test_who_was_undone_one_by_one_is_left_alone_by_the_undo_of_all(alice, monday):
    one, other = pursued(alice, 2)
    before = [picture(row.contact) for row in (one, other)]
    change = move(alice, "snooze", [one, other], until=LATER)
    undoing.undo(Action.objects.filter(contact=one.contact).first())
    assert bulk.undo(change)
    assert bulk.say(change) == "Everybody is as they were before."
    assert [picture(row.contact) for row in (one, other)] == before


days = st.dates(date(2100, 1, 1), date(2100, 12, 31))
lessons = st.sampled_from(["", "Too early", "Ask for less"])
moves = st.one_of(
    st.tuples(st.just("resume"), st.just({})),
    st.tuples(st.just("snooze"), st.fixed_dictionaries({"until": days})),
    st.tuples(st.just("pause"), st.fixed_dictionaries({"until": st.none() | days})),
    st.tuples(st.just("not_now"), st.fixed_dictionaries({"until": days, "lesson": lessons})),
    st.tuples(
        st.just("rest"), st.fixed_dictionaries({"until": st.none() | days, "lesson": lessons})
    ),
    st.tuples(
        st.just("end"),
        st.fixed_dictionaries({"ending": st.just(Ending.DECLINED), "lesson": lessons}),
    ),
)
strokes = st.tuples(moves, st.sets(st.integers(0, 3), min_size=1))


class Moved(TestCase):
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(strokes, max_size=5))
    def test_undone_in_reverse_order_everything_is_as_before(self, history):
        owner = make_user("alice@example.org")
        priya, daniel = make_contact(owner), make_contact(owner, "Daniel")
        rows = [
            make_follow_up(contact, slug)
            for contact in (priya, daniel)
            for slug in ("unanswered-call", "cold-request")
        ]
        before = [picture(priya), picture(daniel)]
        done = [
            move(owner, verb, [rows[nth] for nth in sorted(chosen)], **how)
            for (verb, how), chosen in history
        ]
        assert not FollowUp.objects.silent().exists()
        for change in reversed(done):
            assert bulk.undo(change) or not change.changed
            assert change.changed == 0
        assert [picture(priya), picture(daniel)] == before
