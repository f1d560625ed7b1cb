"""Whose words hold when two entries become one, and what the form asks."""

from datetime import date

import pytest
from django.utils import timezone

from contacts.forms.twins import MergeForm
from contacts.models import (
    Contact,
    ContactEmail,
    ContactPhone,
    ContactPhoto,
    ImportJob,
    ImportRow,
    NotSame,
    Organisation,
    Tag,
)
from contacts.twins.merging import absorb, differing, propose
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def priya(alice):
    return make_contact(
        alice,
        role="Analyst",
        how_met="At the meetup",
        notes="Likes tea.",
        known_since=date(2024, 5, 1),
    )


@pytest.fixture
def double(alice, priya):
    return make_contact(
        alice, "P. Raman", role="Head of data", how_met="Meetup", notes="Has a dog."
    )


def test_the_longer_the_newer_the_filled_and_both(priya, double):
    absorb(priya, double)
    priya.refresh_from_db()
    assert priya.name == "Priya Raman"
    assert priya.role == "Head of data"
    assert priya.how_met == "At the meetup"
    assert priya.known_since == date(2024, 5, 1)
    assert priya.notes == "Likes tea.\n\nHas a dog."
    assert list(Contact.objects.search("head dog")) == [priya]


def test_known_since_the_earlier_day(alice):
    kept = make_contact(alice, known_since=date(2025, 1, 1))
    other = make_contact(alice, known_since=date(2024, 1, 1))
    assert propose(kept, other)["known_since"] == "other"


def test_the_newer_entry_knows_the_role(priya, double):
    priya.save()
    assert propose(priya, double)["role"] == "kept"


def test_every_choice_holds(priya, double):
    absorb(priya, double, {"name": "other", "role": "kept", "notes": "other"})
    assert (priya.name, priya.role, priya.notes) == ("P. Raman", "Analyst", "Has a dog.")


def test_every_line_stays_and_stands_once(alice, priya, double):
    for contact, address in (
        (priya, "p@example.org"),
        (double, "P@example.org"),
        (double, "priya@example.org"),
    ):
        ContactEmail.objects.create(owner=alice, contact=contact, address=address)
    for contact in (priya, double):
        ContactPhone.objects.create(owner=alice, contact=contact, number="+436601234567")
    absorb(priya, double)
    assert [row.address for row in priya.emails.all()] == ["p@example.org", "priya@example.org"]
    assert priya.phones.count() == 1


def test_tags_details_photo_and_import_come_along(alice, priya, double):
    for contact, name in ((priya, "alumni"), (double, "alumni"), (double, "data")):
        contact.tag(name)
    for contact, details in ((priya, [["1", "a"]]), (double, [["1", "a"], ["2", "b"]])):
        contact.details = details
        contact.save()
    ContactPhoto.objects.create(owner=alice, contact=double, image=b"picture")
    job = ImportJob.objects.create(owner=alice, file_name="cards.vcf")
    row = ImportRow.objects.create(owner=alice, job=job, number=1, contact=double)
    absorb(priya, double)
    row.refresh_from_db()
    assert {tag.name for tag in priya.tags.all()} == {"alumni", "data"}
    assert Tag.objects.count() == 2
    assert priya.details == [["1", "a"], ["2", "b"]]
    assert bytes(priya.photo.image) == b"picture"
    assert row.contact == priya


def test_who_was_told_apart_from_one_is_told_apart_from_both(alice, priya, double):
    early = Contact.objects.create(pk=priya.pk - 1, owner=alice, name="Early")
    late = make_contact(alice, "Late")
    NotSame.objects.create(owner=alice, contact=double, other=late)
    NotSame.objects.create(owner=alice, contact=early, other=double)
    NotSame.objects.create(owner=alice, contact=priya, other=double)
    absorb(priya, double)
    told = set(NotSame.objects.values_list("contact__name", "other__name"))
    assert told == {("Early", "Priya Raman"), ("Priya Raman", "Late")}


def test_a_pair_in_order_changes_places(alice):
    first, second, third = (make_contact(alice, name) for name in ("A", "B", "C"))
    NotSame.objects.create(owner=alice, contact=second, other=third)
    absorb(first, third)
    assert (NotSame.objects.get().contact, NotSame.objects.get().other) == (first, second)
    fourth = make_contact(alice, "D")
    absorb(fourth, first)
    assert (NotSame.objects.get().contact, NotSame.objects.get().other) == (second, fourth)


def test_nobody_is_introduced_by_themselves(alice, priya, double):
    Contact.objects.filter(pk=priya.pk).update(introduced_by=double)
    zoe = make_contact(alice, "Zoe", introduced_by=double)
    priya.refresh_from_db()
    absorb(priya, double)
    priya.refresh_from_db()
    zoe.refresh_from_db()
    assert (priya.introduced_by, zoe.introduced_by) == (None, priya)


def test_who_is_put_away_once_only_is_not_put_away(priya, double):
    priya.archived_at = timezone.now()
    absorb(priya, double)
    priya.refresh_from_db()
    assert priya.archived_at is None


def test_the_form_asks_only_where_both_say_something_else(alice, priya, double):
    aster = Organisation.objects.create(owner=alice, name="Aster")
    priya.organisation = double.organisation = aster
    assert differing(priya, double) == ["name", "role", "how_met", "notes"]
    form = MergeForm(priya, double)
    assert form["role"].initial == "other"
    assert dict(form.agreed) == {"Organisation": "Aster", "Known since": "1 May 2024"}


def test_a_choice_that_is_not_on_offer(priya, double):
    form = MergeForm(priya, double, {"role": "both", "name": "kept"})
    assert form.errors == {"role": ["Choose one of the two."]}
