"""Two entries for one person become one: nothing is lost, no pursuit is doubled."""

from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactPhoto,
    ImportJob,
    ImportRow,
    Merge,
    Organisation,
    Tag,
    twins,
)
from contacts.tasks import forget_merges
from contacts.twins.duplicates import tell_apart
from followups import pursuing, undoing
from followups.checking import check_followups
from followups.merging import merge, part
from followups.models import Action, FollowUp, Interaction, State
from followups.pursuing import CannotDo
from giveback import giving
from giveback.models import Dismissed, GiveBack
from introductions import asking
from introductions.models import Introduction, Offer
from meetings import arranging
from meetings.models import Advice, Attendee, Debrief, Meeting
from tests.factories import make_contact, make_opening, make_user
from tests.followups.doing import (
    MONDAY,
    MONDAY_MORNING,
    at_once,
    attempt,
    open_reminders,
    picture,
    playbook_of,
)
from tests.test_scoping import notebook_models

pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
def double(alice):
    return make_contact(alice, "P. Raman", role="Head of data")


def test_everything_moves_to_the_one_that_is_kept(alice, priya, double):
    ContactEmail.objects.create(owner=alice, contact=double, address="priya@example.org")
    attempt(double)
    action = merge(priya, double)
    assert action.said == "P. Raman and Priya Raman are one person now."
    assert list(Contact.objects.for_user(alice)) == [priya]
    priya.refresh_from_db()
    assert (priya.role, priya.last_interaction_on) == ("Head of data", MONDAY)
    assert priya.emails.get().address == "priya@example.org"
    assert Interaction.objects.get().contact == priya
    assert FollowUp.objects.get(state=State.ACTIVE).contact == priya


def test_of_two_pursuits_of_one_playbook_the_one_that_asks_first_goes_on(priya, double):
    attempt(priya)
    pursuing.promise(FollowUp.objects.get(contact=priya), MONDAY.replace(month=12))
    attempt(double)
    merge(priya, double)
    going_on = FollowUp.objects.get(state=State.ACTIVE)
    assert going_on.next_on.month == 11
    assert FollowUp.objects.filter(contact=priya).count() == 2
    assert check_followups() == []


def test_what_the_rooms_above_know_moves_too_and_stands_there_once(alice, priya, double):
    zoe, start = make_contact(alice, "Zoe"), timezone.now()
    together, alone = (
        Meeting.objects.create(owner=alice, starts_at=start, time_zone="UTC") for _ in range(2)
    )
    for meeting, people in ((together, [priya, double]), (alone, [double])):
        for contact in people:
            Attendee.objects.create(owner=alice, meeting=meeting, contact=contact)
    gift = GiveBack.objects.create(owner=alice, contact=double, what="An article")
    asked = {"owner": alice, "wanted": "Somebody", "asked_on": MONDAY}
    by_her = Introduction.objects.create(introducer=double, target=zoe, **asked)
    to_herself = Introduction.objects.create(introducer=priya, target=double, **asked)
    Dismissed.objects.create(owner=alice, contact=priya, other=double)
    merge(priya, double)
    assert not Dismissed.objects.exists()
    assert [row.contact for row in Attendee.objects.order_by("meeting")] == [priya, priya]
    for row, field in ((gift, "contact"), (by_her, "introducer"), (to_herself, "introducer")):
        row.refresh_from_db()
        assert getattr(row, field) == priya
    assert to_herself.target is None


def test_a_wish_to_be_left_alone_holds_for_both(alice, priya, double):
    pursuing.begin(priya, playbook_of(alice, "cold-request"))
    pursuing.set_do_not_contact(double)
    merge(priya, double)
    priya.refresh_from_db()
    assert priya.do_not_contact
    assert not FollowUp.objects.open().exists()


def test_what_was_done_before_is_not_undone(priya, double):
    before = attempt(priya)
    merged = merge(priya, double)
    for action in (before, merged):
        with pytest.raises(CannotDo):
            undoing.undo(action)


def test_two_notebooks_are_never_merged(bob, priya):
    other = make_contact(bob)
    for double in (other, priya):
        with pytest.raises(CannotDo, match="your own notebook"):
            merge(priya, double)


def test_who_introduced_oneself_is_only_the_one_who_was_asked(alice, priya, double):
    asked = {"owner": alice, "wanted": "Somebody", "asked_on": MONDAY}
    row = Introduction.objects.create(introducer=double, target=priya, **asked)
    merge(priya, double)
    row.refresh_from_db()
    assert (row.introducer, row.target) == (priya, None)


# Parted again.


def merged(kept, other, **choices):
    merge(kept, other, choices)
    row = Merge.objects.first()
    row.kept.owner = kept.owner
    return row


def test_parting_puts_back_what_was_ended_moved_and_gone(alice, priya, double):
    attempt(priya)
    attempt(double)
    for contact in (priya, double):
        contact.tag("alumni")
    before = [picture(priya), picture(double)]
    part(merged(priya, double, name="other"))
    assert [picture(priya), picture(double)] == before
    assert double.tags.get().name == "alumni"
    assert FollowUp.objects.open().count() == 2
    assert check_followups() == []


def test_both_histories_tell_of_it(priya, double):
    row = merged(priya, double)
    part(row)
    for contact in (priya, double):
        newest = contact.actions.first()
        assert newest.said == "P. Raman and Priya Raman are two people again."
        assert not newest.can_undo
    assert priya.actions.get(verb="merged").undone_at


def test_parting_twice_is_harmless(priya, double):
    row = merged(priya, double)
    part(row)
    Contact.objects.filter(pk=double.pk).update(role="Something newer")
    assert part(row) == priya
    double.refresh_from_db()
    assert double.role == "Something newer"


def test_not_after_thirty_days(priya, double, go_to):
    row = merged(priya, double)
    go_to("2026-12-08")
    assert row.can_undo
    go_to("2026-12-10")
    with pytest.raises(CannotDo, match="30 days"):
        part(row)


def test_who_went_is_forgotten_after_thirty_days(alice, priya, double, go_to, monkeypatch):
    monkeypatch.setattr(twins, "FORGOTTEN_AT_ONCE", 1)
    merge(priya, double)
    merge(priya, make_contact(alice, "Prija Raman"))
    go_to("2026-12-08")
    forget_merges()
    assert all(merged.can_undo for merged in Merge.objects.all())
    go_to("2026-12-10")
    forget_merges()
    assert [merged.before for merged in Merge.objects.all()] == [{}, {}]


def test_who_came_back_is_not_kept_twice(priya, double):
    merge(priya, double)
    part(Merge.objects.get())
    forget_merges()
    assert Merge.objects.get().before == {}


def test_a_reminder_that_was_raised_since_is_no_hindrance(priya, double, go_to):
    attempt(double)
    row = merged(priya, double)
    assert go_to("2026-11-13")
    part(row)
    assert open_reminders(double)
    assert not open_reminders(priya)


def test_something_newer_stands_in_the_way_until_it_is_undone(priya, double):
    row = merged(priya, double)
    newer = attempt(Contact.objects.get(pk=priya.pk))
    with pytest.raises(CannotDo, match="Something newer happened with Priya"):
        part(row)
    undoing.undo(newer)
    part(row)
    assert Contact.objects.filter(pk=double.pk).exists()


def test_what_was_edited_since_is_named(priya, double):
    row = merged(priya, double)
    Contact.objects.filter(pk=priya.pk).update(role="Somewhere else")
    with pytest.raises(CannotDo, match="“Role” of Priya was changed since"):
        part(row)
    assert not Contact.objects.filter(pk=double.pk).exists()


def test_a_line_that_went_since_is_named(alice, priya, double):
    ContactEmail.objects.create(owner=alice, contact=double, address="priya@example.org")
    row = merged(priya, double)
    priya.emails.all().delete()
    with pytest.raises(CannotDo, match="changed since"):
        part(row)


def test_what_it_pointed_to_is_gone(priya, double):
    for contact in (priya, double):
        contact.tag("alumni")
    row = merged(priya, double)
    Tag.objects.get().delete()
    with pytest.raises(CannotDo, match="is gone"):
        part(row)
    assert not Contact.objects.filter(pk=double.pk).exists()


def test_what_came_since_stays_with_the_one_that_was_kept(alice, priya, double):
    row = merged(priya, double)
    gift = GiveBack.objects.create(owner=alice, contact=priya, what="An article")
    part(row)
    gift.refresh_from_db()
    assert gift.contact == priya


def test_three_that_became_one_are_parted_from_the_newest(alice, priya, double):
    third = make_contact(alice, "Pri")
    attempt(third)
    first = merged(priya, double)
    second = merged(priya, third)
    with pytest.raises(CannotDo, match="newer"):
        part(first)
    part(second)
    part(first)
    assert Contact.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_merges_of_one_pair_at_once_leave_one_person(priya, double):
    def one_way(kept, other):
        with suppress(CannotDo):
            merge(kept, other)

    at_once(lambda: one_way(priya, double), lambda: one_way(double, priya))
    assert Contact.objects.count() == 1
    row = Merge.objects.select_related("kept__owner").get()
    at_once(lambda: part(row), lambda: part(row))
    assert set(Contact.objects.values_list("name", flat=True)) == {"Priya Raman", "P. Raman"}
    assert Action.objects.filter(verb=Action.PARTED).count() == 2


# The pages.


def url_of(name, *ids):
    return reverse(f"followups:{name}", args=ids)


def test_the_page_shows_both_and_what_moves(alice_client, priya, double):
    attempt(double)
    page = alice_client.get(url_of("merge", priya.pk, double.pk)).text
    assert "From the second entry: 1 moment, 1 follow-up." in page
    assert 'value="kept"' in page
    assert "Priya Raman" in page


def test_choosing_and_undoing_on_the_pages(alice_client, priya, double):
    data = {"name": "other"}
    answer = alice_client.post(url_of("merge", priya.pk, double.pk), data, follow=True)
    assert "Merged with P. Raman" in answer.text
    assert list(Contact.objects.values_list("name", flat=True)) == ["P. Raman"]
    row = Merge.objects.get()
    [message] = answer.context["messages"]
    assert message.message == "P. Raman and Priya Raman are one person now."
    assert message.extra_tags == url_of("merge_undo", row.pk)
    for _ in range(2):
        page = alice_client.post(url_of("merge_undo", row.pk), follow=True).text
        assert "are two people again" in page
    assert Contact.objects.count() == 2
    assert "Merged with" not in page


def test_the_same_form_twice_is_one_merge(alice_client, priya, double):
    for _ in range(2):
        answer = alice_client.post(url_of("merge", priya.pk, double.pk), {"name": "kept"})
        assert answer.url == priya.get_absolute_url()
    assert Merge.objects.count() == 1


def test_a_wrong_choice_is_asked_again(alice_client, priya, double):
    answer = alice_client.post(url_of("merge", priya.pk, double.pk), {"name": "both"})
    assert answer.status_code == 422
    assert "Choose one of the two." in answer.text


def test_why_they_stay_one_is_said(alice_client, priya, double):
    row = merged(priya, double)
    attempt(Contact.objects.get(pk=priya.pk))
    page = alice_client.post(url_of("merge_undo", row.pk), follow=True).text
    assert "Something newer happened with Priya." in page


def test_bob_merges_and_parts_nobody_of_hers(alice, bob, bob_client, priya, double):
    his = make_contact(bob)
    for pair in ((priya, double), (his, priya), (priya, his), (his, his)):
        ids = [contact.pk for contact in pair]
        assert bob_client.get(url_of("merge", *ids)).status_code == 404
        assert bob_client.post(url_of("merge", *ids)).status_code == 404
    row = merged(priya, double)
    assert bob_client.post(url_of("merge_undo", row.pk)).status_code == 404
    assert bob_client.post(url_of("merge", his.pk, double.pk)).status_code == 404
    assert Contact.objects.for_user(alice).count() == 1


def test_as_many_queries_for_one_row_as_for_many(alice, alice_client, priya, double):
    counts = []
    for _ in range(3):
        attempt(double)
        GiveBack.objects.create(owner=alice, contact=double, what="An article")
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(url_of("merge", priya.pk, double.pk))
        counts.append(len(queries))
    assert len(set(counts)) == 1


# Whatever is in the notebook.


def everything(owner):
    """Return every row of a notebook but the record of what was done."""
    return {
        model.__name__: list(model._base_manager.filter(owner=owner).order_by("pk").values())
        for model in notebook_models()
        if model not in (Merge, Action)
    }


def actions(owner):
    rows = Action.objects.filter(owner=owner).exclude(verb__in=[Action.MERGED, Action.PARTED])
    return list(rows.order_by("pk").values())


SOMEBODY = st.integers(0, 3)
PLAYBOOKS = ("cold-request", "unanswered-call", "introduction-asked")


class Deeds:
    """What may stand in a notebook; each method adds something with one or two of its people."""

    def __init__(self, owner):
        self.owner = owner
        self.aster = Organisation.objects.create(owner=owner, name="Aster")

    def try_again(self, one, other):
        attempt(one)

    def answered(self, one, other):
        pursuing.log(one, pursuing.Entry("call", "talked", one.owner.today()))

    def pursued(self, one, other):
        with suppress(CannotDo):
            pursuing.begin(one, playbook_of(self.owner, PLAYBOOKS[other.pk % 3]))

    def promised_a_day(self, one, other):
        if row := one.follow_ups.open().first():
            row.contact = one
            pursuing.promise(row, MONDAY + timedelta(days=9))

    def left_alone(self, one, other):
        pursuing.set_do_not_contact(one)

    def tagged(self, one, other):
        one.tag(f"tag {other.pk % 2}")

    def seeks(self, one, other):
        one.set_topics("seeks", [f"topic {other.pk % 2}"])
        one.reindex()

    def has_lines(self, one, other):
        ContactEmail.objects.create(owner=self.owner, contact=one, address=f"{other.pk}@b.example")
        ContactPhone.objects.create(owner=self.owner, contact=one, number="+436601234567")
        ContactLink.objects.create(owner=self.owner, contact=one, url="https://example.org/")
        one.reindex()

    def has_words(self, one, other):
        Contact.objects.filter(pk=one.pk).update(
            role=f"Role {other.pk}", notes="A note", organisation=self.aster, details=[["a", "b"]]
        )
        Contact.objects.get(pk=one.pk).reindex()

    def has_a_photo(self, one, other):
        ContactPhoto.objects.get_or_create(
            contact=one, defaults={"owner": self.owner, "image": bytes([0, 255, other.pk % 256])}
        )

    def was_introduced_by(self, one, other):
        if one != other:
            Contact.objects.filter(pk=one.pk).update(introduced_by=other)

    def was_told_apart(self, one, other):
        if one != other:
            tell_apart(self.owner, one, other)

    def was_no_match(self, one, other):
        if one != other:
            low, high = sorted([one, other], key=lambda each: each.pk)
            Dismissed.objects.get_or_create(contact=low, other=high, defaults={"owner": self.owner})

    def got_something(self, one, other):
        giving.give(one, "article", "An article", MONDAY)
        giving.promise(other, "article", "Another", MONDAY + timedelta(days=3))

    def was_asked_to_introduce(self, one, other):
        with suppress(CannotDo):
            asking.ask(one, "Somebody", MONDAY, target=other if other != one else None)

    def was_offered(self, one, other):
        if one != other:
            Offer.objects.create(owner=self.owner, one=one, other=other)

    def met(self, one, other):
        people = [one] if one == other else [one, other]
        meeting = arranging.arrange(self.owner, people, "coffee", timezone.now() - timedelta(1))
        debrief = Debrief.objects.create(owner=self.owner, meeting=meeting)
        Advice.objects.create(owner=self.owner, debrief=debrief, contact=one, text="Ask Lena")

    def has_to_do_with_an_opening(self, one, other):
        make_opening(self.owner, people=[one] if one == other else [one, other])

    def was_imported(self, one, other):
        job = ImportJob.objects.create(owner=self.owner, file_name="cards.vcf")
        ImportRow.objects.create(owner=self.owner, job=job, number=1, contact=one, made=True)


DEEDS = sorted(name for name in vars(Deeds) if not name.startswith("_"))


class TestAnyNotebook(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(DEEDS), SOMEBODY, SOMEBODY), max_size=25))
    @example([(name, one, other) for name in DEEDS for one, other in ((0, 1), (1, 0), (1, 2))])
    @example([(name, one, other) for name in DEEDS for one, other in ((1, 1), (0, 0), (3, 1))])
    def test_parted_it_is_as_it_was(self, deeds):
        with time_machine.travel(MONDAY_MORNING, tick=False):
            owner = make_user("a@example.org")
            names = ("Priya Raman", "P. Raman", "Jonas Weber", "Lena Fischer")
            people = [make_contact(owner, name) for name in names]
            notebook = Deeds(owner)
            for name, *two in deeds:
                one, other = (Contact.objects.get(pk=people[each].pk) for each in two)
                one.owner = other.owner = owner
                getattr(notebook, name)(one, other)
            before, done = everything(owner), actions(owner)
            kept, other = (Contact.objects.get(pk=person.pk) for person in people[:2])
            kept.owner = owner
            merge(kept, other)
            connection.check_constraints()
            assert check_followups(repair=False) == []
            row = Merge.objects.get(owner=owner)
            row.kept.owner = owner
            part(row)
            assert everything(owner) == before
            assert actions(owner) == done
            owner.delete()
