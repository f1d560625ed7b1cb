"""What is done to many people through the engine, and how it is undone."""

from collections import Counter
from datetime import date

import pytest

from contacts import bulk
from contacts.models import BulkChange, Contact
from followups import pursuing
from followups.models import FollowUp, Reminder
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import attempt, only_follow_up, picture, playbook_of

State = BulkChange.State


@pytest.fixture
def call(alice):
    return playbook_of(alice, "unanswered-call")


def people(owner, count):
    return [make_contact(owner, f"Person {nth:02}") for nth in range(count)]


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
