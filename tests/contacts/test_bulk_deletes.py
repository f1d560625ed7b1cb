"""Many people deleted at one stroke, and brought back."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contacts import bulk
from contacts.models import BulkChange, BulkRow, Contact, Organisation, Tag
from followups.checking import check_followups
from giveback.models import GiveBack, ShelfItem
from introductions.models import Introduction, Offer
from meetings.models import Advice, Attendee, Debrief, Meeting
from tests.factories import make_contact, make_user
from tests.followups.doing import MONDAY, MONDAY_MORNING
from tests.followups.test_merging import DEEDS, SOMEBODY, Deeds
from tests.test_scoping import notebook_models

State = BulkChange.State


@pytest.fixture
def one_by_one(monkeypatch):
    """Everybody is a chunk of their own, worked off by Celery."""
    monkeypatch.setattr(bulk.VERBS["delete"], "at_once", 0, raising=False)
    monkeypatch.setattr(bulk.VERBS["delete"], "chunk", 1, raising=False)


def delete(owner, *people):
    return bulk.start(owner, "delete", {}, [person.pk for person in people])


def reasons():
    return list(BulkRow.objects.exclude(why="").order_by("pk").values_list("why", flat=True))


def everything(owner):
    """Return every row of a notebook but the record of this change."""
    return {
        model.__name__: list(model._base_manager.filter(owner=owner).order_by("pk").values())
        for model in notebook_models()
        if model not in (BulkChange, BulkRow)
    }


def test_they_are_gone_and_come_back_as_they_were(alice, ann, ben):
    ann.tag("alumni")
    before = everything(alice)
    change = delete(alice, ann, ben)
    assert bulk.say(change) == "2 people deleted."
    assert not Contact.objects.exists()
    assert bulk.undo(change)
    assert bulk.say(change) == "Everybody is as they were before."
    assert everything(alice) == before
    assert not BulkRow.objects.exists()


def test_what_two_of_them_share_comes_back_once_and_with_both(alice, ann, ben):
    meeting = Meeting.objects.create(owner=alice, starts_at=timezone.now(), time_zone="UTC")
    for person in (ann, ben):
        Attendee.objects.create(owner=alice, meeting=meeting, contact=person)
    Offer.objects.create(owner=alice, one=ben, other=ann)
    for one, other in ((ann, ben), (ben, ann)):
        asked = {"owner": alice, "wanted": "Somebody", "asked_on": MONDAY}
        Introduction.objects.create(introducer=one, target=other, **asked)
        Contact.objects.filter(pk=one.pk).update(introduced_by=other)
    Contact.objects.reindex()
    before = everything(alice)
    change = delete(alice, ann, ben)
    assert not Introduction.objects.exists()
    bulk.undo(change)
    assert everything(alice) == before


def test_what_one_got_from_the_shelf_of_another_comes_back(alice, ann, ben):
    item = ShelfItem.objects.create(owner=alice, contact=ann, title="A book")
    gift = GiveBack.objects.create(owner=alice, contact=ben, what="A book", item=item)
    for first, second in ((ann, ben), (ben, ann)):
        bulk.undo(delete(alice, first, second))
        gift.refresh_from_db()
        assert gift.item == item


def test_whom_they_introduced_is_told_so_again(alice, ann, ben):
    zoe = make_contact(alice, "Zoe", introduced_by=ann)
    change = delete(alice, ann, ben)
    zoe.refresh_from_db()
    assert zoe.introduced_by is None
    bulk.undo(change)
    zoe.refresh_from_db()
    assert zoe.introduced_by == ann


def test_what_was_edited_since_is_left_as_it_is(alice, ann, ben):
    zoe = make_contact(alice, "Zoe", introduced_by=ann)
    yan = make_contact(alice, "Yan", introduced_by=ann)
    change = delete(alice, ann)
    Contact.objects.filter(pk=zoe.pk).update(introduced_by=ben, role="Nurse")
    yan.delete()
    bulk.undo(change)
    zoe.refresh_from_db()
    assert (zoe.introduced_by, zoe.role) == (ben, "Nurse")
    assert set(Contact.objects.all()) == {ann, ben, zoe}


def test_who_had_something_that_is_gone_comes_back_without_it(alice, ann):
    aster = Organisation.objects.create(owner=alice, name="Aster")
    Contact.objects.filter(pk=ann.pk).update(organisation=aster)
    ann.emails.create(owner=alice, address="ann@example.org")
    for name in ("alumni", "mentors"):
        ann.tag(name)
    change = delete(alice, ann)
    aster.delete()
    Tag.objects.get(name="alumni").delete()
    bulk.undo(change)
    ann.refresh_from_db()
    assert ann.organisation is None
    assert [tag.name for tag in ann.tags.all()] == ["mentors"]
    assert ann.emails.exists()
    assert not Contact.objects.search("alumni").exists()
    assert (change.state, change.changed, reasons()) == (State.UNDONE, 0, [])


def test_what_needs_something_that_is_gone_stays_away(alice, ann, ben):
    met = Meeting.objects.create(owner=alice, kind="coffee", starts_at=timezone.now())
    met.contacts.add(ann, through_defaults={"owner": alice})
    debrief = Debrief.objects.create(owner=alice, meeting=met)
    Advice.objects.create(owner=alice, debrief=debrief, contact=ann, text="Write to Ben")
    change = delete(alice, ann)
    met.delete()
    bulk.undo(change)
    assert set(Contact.objects.all()) == {ann, ben}
    assert not Advice.objects.exists()


def take_the_place_of(gift, contact):
    GiveBack.objects.create(owner=gift.owner, contact=contact, what="A book", key=gift.key)


def test_whose_place_was_taken_stays_away(alice, ann, ben):
    gift = GiveBack.objects.create(owner=alice, contact=ann, what="A book")
    change = delete(alice, ann)
    take_the_place_of(gift, ben)
    bulk.undo(change)
    assert Contact.objects.get() == ben
    [why] = reasons()
    assert why.startswith("Ann Lee stays away")


def test_who_stays_away_keeps_nobody_else_away(alice, ann, ben):
    gift = GiveBack.objects.create(owner=alice, contact=ben, what="A book")
    Offer.objects.create(owner=alice, one=ann, other=ben)
    zoe = make_contact(alice, "Zoe", introduced_by=ben)
    asked = {"owner": alice, "wanted": "Somebody", "asked_on": MONDAY}
    Introduction.objects.create(introducer=ann, target=ben, **asked)
    change = delete(alice, zoe, ann, ben)
    yan = make_contact(alice, "Yan")
    take_the_place_of(gift, yan)
    bulk.undo(change)
    zoe.refresh_from_db()
    assert set(Contact.objects.all()) == {ann, yan, zoe}
    assert zoe.introduced_by is None
    assert Introduction.objects.get().target is None
    assert not Offer.objects.exists()
    assert len(reasons()) == 1


def test_a_name_that_was_given_to_their_organisation_since_finds_them(alice):
    aster = Organisation.objects.create(owner=alice, name="Aster")
    change = delete(alice, make_contact(alice, "Ann Lee", organisation=aster))
    Organisation.objects.update(name="Birch")
    bulk.undo(change)
    assert Contact.objects.search("birch").exists()
    assert not Contact.objects.search("aster").exists()


def test_an_older_change_can_be_undone_once_they_are_back(alice, ann):
    tagged = bulk.start(alice, "edit", {"tags": ["alumni"]}, [ann.pk])
    bulk.undo(delete(alice, ann))
    bulk.undo(tagged)
    assert Contact.objects.get() == ann
    assert not ann.tags.exists()


def test_undoing_twice_is_harmless(alice, ann):
    change = delete(alice, ann)
    assert bulk.undo(change)
    ann.delete()
    assert bulk.undo(change)
    assert not Contact.objects.exists()


def test_people_of_others_are_left_out(alice, bob, ann):
    theirs = make_contact(bob)
    change = delete(alice, ann, theirs)
    assert (change.total, list(Contact.objects.all())) == (1, [theirs])
    with pytest.raises(bulk.CannotChange):
        delete(alice, theirs)
    bulk.undo(change)
    assert set(Contact.objects.all()) == {ann, theirs}


def test_killed_between_two_chunks_it_goes_on(alice, ann, ben, one_by_one, monkeypatch):
    Offer.objects.create(owner=alice, one=ann, other=ben)
    before = everything(alice)
    change = delete(alice, ann, ben)
    for begin in (lambda: None, lambda: bulk.undo(change)):
        begin()
        assert bulk.work(change.pk)
        with monkeypatch.context() as dying:
            dying.setattr(BulkChange, "save", lambda *args, **kwargs: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                bulk.work(change.pk)
        assert Contact.objects.count() == 1
        bulk.run_changes()
        change.refresh_from_db()
    assert change.state == State.UNDONE
    assert everything(alice) == before


def test_after_thirty_days_nothing_is_kept_of_them(alice, ann):
    with time_machine.travel(timezone.now() - timedelta(days=31)):
        change = delete(alice, ann)
    bulk.forget()
    assert not bulk.undo(change)
    assert not BulkRow.objects.exists()
    assert "Ann" not in str(BulkChange.objects.values())


def test_as_many_queries_for_many_as_for_one(alice):
    def queries(count):
        people = [make_contact(alice, f"P {number}") for number in range(count)]
        with CaptureQueriesContext(connection) as captured:
            delete(alice, *people)
        return len(captured)

    assert queries(1) == queries(10)


@contextmanager
def chunks_of(count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk.VERBS["delete"], "chunk", count, raising=False)
        yield


class TestAnyNotebook(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.sampled_from(DEEDS), SOMEBODY, SOMEBODY), max_size=25),
        st.lists(SOMEBODY, min_size=1, unique=True),
        st.integers(1, 4),
    )
    @example([(deed, *two) for deed in DEEDS for two in ((0, 1), (1, 0), (1, 2))], [0, 1], 4)
    @example([(deed, *two) for deed in DEEDS for two in ((0, 1), (1, 0), (3, 1))], [3, 1, 0], 1)
    def test_brought_back_it_is_as_it_was(self, deeds, whom, chunk):
        with time_machine.travel(MONDAY_MORNING, tick=False), chunks_of(chunk):
            owner = make_user("a@example.org")
            people = [make_contact(owner, name) for name in ("Ann", "Ben", "Zoe", "Yan")]
            notebook = Deeds(owner)
            for name, *two in deeds:
                one, other = (Contact.objects.get(pk=people[each].pk) for each in two)
                one.owner = other.owner = owner
                getattr(notebook, name)(one, other)
            Contact.objects.reindex()
            before = everything(owner)
            change = delete(owner, *(people[each] for each in whom))
            connection.check_constraints()
            assert Contact.objects.count() == len(people) - len(whom)
            assert check_followups(repair=False) == []
            bulk.undo(change)
            assert everything(owner) == before
            assert not BulkRow.objects.exists()
            owner.delete()
