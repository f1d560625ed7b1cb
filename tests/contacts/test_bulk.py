"""Changes of many people at one stroke: begun, worked off, undone."""

import uuid

import pytest
from django.db import DataError

from contacts import bulk
from contacts.bulk.edits import Edit
from contacts.models import BulkChange, BulkRow, Contact, Organisation, Tag
from followups import merging
from tests.factories import make_contact
from tests.followups.doing import at_once

State = BulkChange.State


def tag_names(contact):
    return sorted(contact.tags.values_list("name", flat=True))


@pytest.fixture
def by_celery(monkeypatch):
    """Nobody is changed at once: everything waits for the tick."""
    monkeypatch.setattr(bulk.Verb, "at_once", 0)


def test_tags_many_people_and_finds_them_by_the_tag(alice, ann, ben):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    assert (change.state, change.changed, change.said) == (State.DONE, 2, "Tagged alumni")
    assert bulk.say(change) == "2 people tagged alumni."
    assert tag_names(ann) == tag_names(ben) == ["alumni"]
    assert Contact.objects.search("alumni").count() == 2


def test_undo_takes_the_tag_only_from_those_who_got_it(alice, ann, ben):
    ann.owner = alice
    ann.tag("alumni")
    change = bulk.start(alice, "edit", {"tags": ["Alumni"]}, [ann.pk, ben.pk])
    assert change.changed == 1
    assert bulk.undo(change)
    assert (change.state, change.changed) == (State.UNDONE, 0)
    assert tag_names(ann) == ["alumni"]
    assert tag_names(ben) == []
    assert Contact.objects.search("alumni").get() == ann


def test_a_tag_and_an_organisation_that_were_made_for_it_go_again(alice, ann, ben):
    asked = {"fields": {"organisation": "Aster"}, "tags": ["alumni"]}
    change = bulk.start(alice, "edit", asked, [ann.pk, ben.pk])
    assert Contact.objects.search("aster").count() == 2
    bulk.undo(change)
    assert not Tag.objects.exists()
    assert not Organisation.objects.exists()


def test_sets_fields_and_puts_each_back_as_it_was(alice, ann, ben):
    Contact.objects.filter(pk=ann.pk).update(role="Nurse", notes="Likes tea")
    asked = {
        "fields": {"role": "Designer", "rhythm_days": 42, "known_since": "2020-02-29"},
        "add": {"notes": "Met in Graz"},
    }
    before = list(Contact.objects.order_by("pk").values())
    change = bulk.start(alice, "edit", asked, [ann.pk, ben.pk])
    ann.refresh_from_db()
    ben.refresh_from_db()
    assert (ann.role, ann.rhythm_days, ann.notes) == ("Designer", 42, "Likes tea\n\nMet in Graz")
    assert (ben.notes, str(ben.known_since)) == ("Met in Graz", "2020-02-29")
    bulk.undo(change)
    after = list(Contact.objects.order_by("pk").values())
    for row in (*before, *after):
        del row["updated_at"], row["search_text"]
    assert after == before


def test_bulk_is_worked_off_by_celery(alice, ann, ben, by_celery):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    assert change.state == State.QUEUED
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.done, change.chosen) == (State.DONE, 2, [])
    assert tag_names(ann) == ["alumni"]
    assert bulk.undo(change)
    assert change.is_going_back
    bulk.run_changes()
    change.refresh_from_db()
    assert change.state == State.UNDONE
    assert tag_names(ann) == []


def test_the_same_key_twice_is_one_change(alice, ann):
    key = uuid.uuid4()
    first = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk], key=key)
    assert bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk], key=key) == first
    assert BulkChange.objects.count() == 1


# Whom it is for


def test_nobody_and_people_of_others_are_no_change(alice, bob):
    theirs = make_contact(bob)
    for ids in ([], [theirs.pk], [0]):
        with pytest.raises(bulk.CannotChange, match="Tick the people first"):
            bulk.start(alice, "edit", {"tags": ["alumni"]}, ids)
    with pytest.raises(bulk.CannotChange):
        bulk.start(alice, "edit", {"tags": ["alumni"]}, Contact.objects.filter(owner=bob))
    assert not BulkChange.objects.exists()
    assert not Tag.objects.exists()


def test_whom_it_is_for_is_fixed_at_the_start(alice, ann, ben, by_celery):
    change = bulk.start(alice, "edit", {"tags": ["lee"]}, Contact.objects.search("ann"))
    make_contact(alice, "Ann Other")
    Contact.objects.filter(pk=ann.pk).update(name="Anna", search_text="anna")
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.total, change.changed) == (1, 1)
    assert tag_names(ann) == ["lee"]


def test_who_goes_meanwhile_is_passed_over(alice, ann, ben, by_celery):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    ann.delete()
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.done, change.changed) == (State.DONE, 2, 1)
    ben.delete()
    bulk.undo(change)
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.changed) == (State.UNDONE, 0)


# What it is told


def test_fields_are_called_by_their_names(alice, ann):
    asked = {"fields": {"how_met": "At the fair"}, "add": {"notes": "Likes tea"}}
    change = bulk.start(alice, "edit", asked, [ann.pk])
    assert change.said == "Given another “how you met” and “worth remembering”"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "Say what is to be changed."),
        ({"tags": [10**9]}, "That tag is not in your notebook any more."),
        ({"untags": ["unknown"]}, "That tag is not in your notebook any more."),
        ({"fields": {"organisation": 10**9}}, "That organisation is not in your notebook"),
        ({"fields": {"introduced_by": 10**9}}, "Whoever introduced them is not in your notebook"),
        ({"fields": {"role": "x" * 201}}, "Role: Ensure this value has at most 200"),
        ({"fields": {"rhythm_days": 4000}}, "Rhythm: "),
        ({"fields": {"time_zone": "Mars/Base"}}, "Time zone: "),
        ({"fields": {"known_since": "yesterday"}}, "Known since: "),
        ({"tags": ["x" * 61]}, "Name: "),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_done(alice, ann, asked, sentence):
    with pytest.raises(bulk.CannotChange, match=sentence):
        bulk.start(alice, "edit", {"tags": [], **asked}, [ann.pk])
    assert not BulkChange.objects.exists()
    assert not Tag.objects.exists()


def test_a_tag_of_somebody_else_is_refused(alice, bob, ann):
    theirs = Tag.objects.create(owner=bob, name="alumni")
    with pytest.raises(bulk.CannotChange):
        bulk.start(alice, "edit", {"tags": [theirs.pk]}, [ann.pk])


def test_nobody_is_introduced_by_themselves(alice, ann, ben):
    change = bulk.start(alice, "edit", {"fields": {"introduced_by": ann.pk}}, [ann.pk, ben.pk])
    assert change.changed == 1
    ann.refresh_from_db()
    ben.refresh_from_db()
    assert (ann.introduced_by, ben.introduced_by) == (None, ann)


def test_topics_are_given_and_taken_back(alice, ann, ben):
    asked = {"topics": {"seeks": ["grid planning"], "offers": ["data stories"]}}
    change = bulk.start(alice, "edit", asked, [ann.pk, ben.pk])
    assert change.said == "Noted to look for grid planning and noted to know about data stories"
    assert Contact.objects.search("grid planning").count() == 2
    bulk.undo(change)
    assert Contact.objects.search("grid").count() == 0
    assert not ann.contact_topics.exists()


def test_a_tag_that_goes_meanwhile_is_not_given(alice, ann, by_celery):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk])
    Tag.objects.get().remove()
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.changed) == (State.DONE, 0)
    assert bulk.say(change) == "Nobody needed that: nothing is changed."


# Undoing


def test_undo_keeps_what_was_edited_since_and_says_so(alice, ann, ben):
    asked = {"fields": {"role": "Designer", "how_met": "Graz"}}
    change = bulk.start(alice, "edit", asked, [ann.pk, ben.pk])
    Contact.objects.filter(pk=ann.pk).update(role="Director")
    bulk.undo(change)
    assert (change.state, change.changed) == (State.UNDONE, 1)
    ann.refresh_from_db()
    assert (ann.role, ann.how_met) == ("Director", "")
    assert change.rows.get().why == "Keeps what you changed since: role."
    assert bulk.say(change) == "1 person kept something of it, the others are as they were."


def test_undo_gives_a_tag_back_unless_it_is_gone(alice, ann, ben):
    for contact in (ann, ben):
        contact.owner = alice
        contact.tag("alumni")
        contact.tag("mentors")
    alumni, mentors = Tag.objects.order_by("name")
    change = bulk.start(alice, "edit", {"untags": [alumni.pk, mentors.pk]}, [ann.pk, ben.pk])
    assert tag_names(ann) == []
    mentors.remove()
    bulk.undo(change)
    assert tag_names(ann) == tag_names(ben) == ["alumni"]
    assert Contact.objects.search("alumni").count() == 2


def test_undo_does_not_point_to_what_is_gone(alice, ann):
    aster = Organisation.objects.create(owner=alice, name="Aster")
    Contact.objects.filter(pk=ann.pk).update(organisation=aster)
    change = bulk.start(alice, "edit", {"fields": {"organisation": "Birch"}}, [ann.pk])
    aster.delete()
    bulk.undo(change)
    ann.refresh_from_db()
    assert ann.organisation is None
    assert not Organisation.objects.exists()


def test_what_was_made_for_it_stays_if_somebody_needs_it(alice, ann, ben):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk])
    ben.owner = alice
    ben.tag("alumni")
    bulk.undo(change)
    assert tag_names(ben) == ["alumni"]
    assert tag_names(ann) == []


def test_undo_twice_is_harmless(alice, ann):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk])
    assert bulk.undo(change)
    ann.owner = alice
    ann.tag("alumni")
    assert bulk.undo(change)
    assert tag_names(ann) == ["alumni"]


def test_put_away_and_brought_back_since(alice, ann, ben):
    change = bulk.start(alice, "archive", {}, [ann.pk, ben.pk])
    ann.refresh_from_db()
    ann.restore()
    bulk.undo(change)
    assert (change.state, change.changed) == (State.UNDONE, 0)
    assert Contact.objects.current().count() == 2


def test_an_entry_that_was_merged_since_keeps_it(alice, ann, ben):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    ann.owner = ben.owner = alice
    merging.merge(ann, ben)
    bulk.undo(change)
    assert (change.state, change.changed) == (State.UNDONE, 1)
    assert [row.why for row in change.rows.all()] == ["Is one with another entry now."]


def test_entries_can_be_parted_after_the_rows_of_a_change_are_forgotten(alice, ann, ben):
    bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    ann.owner = ben.owner = alice
    merging.merge(ann, ben)
    BulkRow.objects.all().delete()
    merging.part(ann.merges.get())
    assert Contact.objects.count() == 2


# Working


def test_a_killed_worker_neither_loses_nor_doubles(alice, ann, ben, by_celery, monkeypatch):
    monkeypatch.setattr(bulk.Verb, "chunk", 1)
    asked = {"add": {"notes": "Met in Graz"}}
    change = bulk.start(alice, "edit", asked, [ann.pk, ben.pk])
    assert bulk.work(change.pk)
    with monkeypatch.context() as dying:
        dying.setattr(bulk, "keep", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bulk.work(change.pk)
    change.refresh_from_db()
    assert (change.state, change.done) == (State.RUNNING, 1)
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.changed) == (State.DONE, 2)
    assert set(Contact.objects.values_list("notes", flat=True)) == {"Met in Graz"}
    assert change.rows.count() == 2


def test_what_the_database_refuses_stops_it_and_can_be_undone(
    alice, ann, ben, by_celery, monkeypatch
):
    monkeypatch.setattr(bulk.Verb, "chunk", 1)
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    bulk.work(change.pk)

    def refuse(*args):
        raise DataError

    with monkeypatch.context() as broken:
        broken.setattr(Edit, "do", refuse)
        bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.error) == (State.FAILED, bulk.FAILED)
    assert bulk.undo(change)
    bulk.run_changes()
    assert not Contact.objects.search("alumni").exists()


def test_changes_of_one_owner_take_turns(alice, ann, ben, by_celery, monkeypatch):
    """Untagging waits until the tagging before it is done, whichever the worker looks at first."""
    monkeypatch.setattr(bulk.Verb, "chunk", 1)
    tagging = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    tag = Tag.objects.get()
    untagging = bulk.start(alice, "edit", {"untags": [tag.pk]}, [ann.pk, ben.pk])
    bulk.work(tagging.pk)
    assert not bulk.work(untagging.pk)
    bulk.run_changes()
    untagging.refresh_from_db()
    assert (untagging.state, untagging.changed) == (State.DONE, 2)
    assert tag_names(ann) == tag_names(ben) == []


def test_several_that_go_back_do_so_the_newest_first(alice, ann, by_celery):
    changes = []
    for role in ("Nurse", "Planner"):
        changes.append(bulk.start(alice, "edit", {"fields": {"role": role}}, [ann.pk]))
        bulk.run_changes()
    for change in changes:
        bulk.undo(change)
    bulk.run_changes()
    bulk.run_changes()
    ann.refresh_from_db()
    assert ann.role == ""
    assert [change.changed for change in BulkChange.objects.all()] == [0, 0]


def test_a_change_that_cannot_be_worked_off_stops_no_other(alice, bob, ann, by_celery, monkeypatch):
    broken = bulk.start(alice, "archive", {}, [ann.pk])
    theirs = bulk.start(bob, "edit", {"tags": ["alumni"]}, [make_contact(bob).pk])
    monkeypatch.setattr(type(bulk.VERBS["archive"]), "do", lambda *_: {}["nothing"])
    bulk.run_changes()
    for change in (broken, theirs):
        change.refresh_from_db()
    assert (broken.state, theirs.state) == (State.FAILED, State.DONE)
    assert (broken.error, bulk.say(broken)) == (bulk.FAILED, "")


def test_a_small_change_waits_for_a_large_one_before_it(alice, ann, ben, monkeypatch):
    with monkeypatch.context() as large:
        large.setattr(bulk.Verb, "at_once", 0)
        bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk, ben.pk])
    small = bulk.start(alice, "edit", {"untags": ["alumni"]}, [ann.pk])
    assert small.state == State.QUEUED
    bulk.run_changes()
    assert (tag_names(ann), tag_names(ben)) == ([], ["alumni"])


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_is_one_change(alice, ann):
    key = uuid.uuid4()

    def start():
        asked = {"add": {"notes": "Met in Graz"}}
        return bulk.start(alice, "edit", asked, [ann.pk], key=key).pk

    assert len(set(at_once(start, start))) == 1
    ann.refresh_from_db()
    assert ann.notes == "Met in Graz"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_moment_do_it_once(alice, ann, ben, by_celery, monkeypatch):
    monkeypatch.setattr(bulk.Verb, "chunk", 1)
    change = bulk.start(alice, "edit", {"add": {"notes": "Graz"}}, [ann.pk, ben.pk])
    at_once(bulk.run_changes, bulk.run_changes)
    bulk.run_changes()
    change.refresh_from_db()
    assert (change.state, change.done, change.changed) == (State.DONE, 2, 2)
    assert change.rows.count() == 2
