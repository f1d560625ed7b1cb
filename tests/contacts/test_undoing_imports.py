"""Undoing an import: what it made goes, what was touched since stays."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.imports import importing, taking_back
from contacts.models import Contact, ImportJob, Organisation, Tag
from followups.models import Channel, Outcome
from followups.pursuing import Entry, log
from tests.conftest import client_of
from tests.contacts.test_importing import SAMPLE, linkedin, many, person, worked_off
from tests.factories import make_contact


def undone(job):
    job.undo()
    importing.run_imports()
    job.refresh_from_db()
    return job


def names(owner):
    return sorted(Contact.objects.for_user(owner).values_list("name", flat=True))


def kept(job):
    return sorted(row.contact.name for row in taking_back.kept_by_undo(job))


def test_undoing_takes_everybody_and_everything_back(alice):
    make_contact(alice, "Priya Raman")
    job = undone(worked_off(alice, SAMPLE.read_bytes(), tag="Connected"))
    assert (job.state, job.done, kept(job)) == ("undone", 0, [])
    assert names(alice) == ["Priya Raman"]
    assert not Organisation.objects.exists()
    assert not Tag.objects.exists()


def test_undoing_twice_is_harmless(alice):
    job = undone(undone(worked_off(alice, SAMPLE.read_bytes())))
    assert (job.state, names(alice)) == ("undone", [])


def test_the_same_file_may_come_again_after_that(alice):
    undone(worked_off(alice, SAMPLE.read_bytes()))
    assert worked_off(alice, SAMPLE.read_bytes()).created == 4


def rename(contact):
    Contact.objects.filter(pk=contact.pk).update(name="Priya R.")


@pytest.mark.parametrize(
    "touch",
    [
        rename,
        lambda contact: contact.tag("alumni"),
        lambda contact: contact.archive(),
        lambda contact: Contact.objects.filter(pk=contact.pk).update(rhythm_days=42),
        lambda contact: Contact.objects.filter(pk=contact.pk).update(notes="Likes trams"),
        lambda contact: contact.emails.update(address="new@example.net"),
        lambda contact: contact.emails.all().delete(),
        lambda contact: contact.phones.create(owner=contact.owner, number="+436601234567"),
        lambda contact: contact.set_topics("seeks", ["data stories"]),
        lambda contact: make_contact(contact.owner, "Someone", introduced_by=contact),
        lambda contact: log(contact, Entry(Channel.CALL, Outcome.TALKED, contact.owner.today())),
        lambda contact: log(contact, Entry(Channel.EMAIL, Outcome.SENT, contact.owner.today())),
    ],
)
def test_whoever_was_edited_or_used_since_stays_and_is_named(alice, touch):
    priya = person(email="p@example.net", company="Aster")
    job = worked_off(alice, linkedin(priya, person("Amara", "Okafor", company="Aster")))
    contact = Contact.objects.get(name="Priya Raman")
    contact.owner = alice
    touch(contact)
    undone(job)
    assert Contact.objects.filter(pk=contact.pk).exists()
    assert not Contact.objects.filter(name="Amara Okafor").exists()
    assert [row.contact_id for row in taking_back.kept_by_undo(job)] == [contact.pk]
    assert [str(each) for each in Organisation.objects.all()] == ["Aster"]


def test_organisations_and_tags_that_were_there_before_stay(alice):
    Organisation.objects.create(owner=alice, name="Aster")
    Tag.objects.create(owner=alice, name="Connected")
    undone(worked_off(alice, linkedin(person(company="Aster")), tag="Connected"))
    assert (Organisation.objects.count(), Tag.objects.count()) == (1, 1)


def test_an_organisation_that_somebody_wrote_about_stays(alice):
    job = worked_off(alice, linkedin(person(company="Aster")))
    Organisation.objects.update(is_target=True)
    undone(job)
    assert Organisation.objects.count() == 1


def snapshot(contact):
    contact = Contact.objects.get(pk=contact.pk)
    fields = {field.attname: getattr(contact, field.attname) for field in contact._meta.fields}
    del fields["updated_at"]
    lines = [
        sorted(map(str, getattr(contact, name).all()))
        for name in ("emails", "phones", "links", "tags")
    ]
    return fields, lines


CARD = b"""BEGIN:VCARD
VERSION:3.0
FN:Priya Raman
EMAIL:p@example.net
EMAIL:second@example.net
TEL:+43 660 1234567
URL:https://example.org/priya
ORG:Aster
TITLE:Planner
NOTE:Likes trams
BDAY:1980-02-01
CATEGORIES:data,Graz
END:VCARD
"""


@pytest.fixture
def priya(alice):
    contact = make_contact(alice, "Priya R.", notes="Met at the fair")
    contact.emails.create(owner=alice, address="p@example.net")
    contact.reindex()
    return contact


def test_what_was_added_to_somebody_known_is_taken_back_exactly(alice, priya):
    before = snapshot(priya)
    job = worked_off(alice, CARD, complete_known=True, tag="From my phone")
    assert snapshot(priya) != before
    assert job.completed == 1
    undone(job)
    assert snapshot(priya) == before
    assert kept(job) == []
    assert not Organisation.objects.exists()


def test_what_was_edited_since_in_somebody_known_stays_and_is_named(alice, priya):
    job = worked_off(alice, CARD, complete_known=True)
    Contact.objects.filter(pk=priya.pk).update(role="Head planner")
    undone(job)
    priya.refresh_from_db()
    assert (priya.role, priya.notes, priya.organisation) == (
        "Head planner",
        "Met at the fair",
        None,
    )
    row = taking_back.kept_by_undo(job).get()
    assert row.after == {"kept": ["role"]}


def test_what_a_file_says_otherwise_of_somebody_known_is_kept_beside_it(alice, priya):
    beta = Organisation.objects.create(owner=alice, name="Beta")
    Contact.objects.filter(pk=priya.pk).update(role="Head planner", organisation=beta)
    Contact.objects.filter(pk=priya.pk).reindex()
    before = snapshot(priya)
    job = worked_off(alice, CARD, complete_known=True)
    assert worked_off(alice, CARD, complete_known=True).completed == 0
    priya.refresh_from_db()
    assert (priya.role, priya.organisation) == ("Head planner", beta)
    assert priya.details[1:] == [
        ["Priya Raman", "name"],
        ["Aster", "organisation"],
        ["Planner", "role"],
    ]
    assert Organisation.objects.get() == beta
    undone(job)
    assert snapshot(priya) == before


def test_it_goes_chunk_by_chunk_and_a_worker_that_dies_loses_nothing(alice):
    job = worked_off(alice, many(1200))
    job.undo()
    assert importing.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Contact.objects.count()) == ("running", 700, 700)
    importing.run_imports()
    job.refresh_from_db()
    assert (job.state, job.done, Contact.objects.count()) == ("undone", 0, 0)


def test_a_chunk_takes_about_as_many_queries_for_3_people_as_for_300(alice):
    counts = []
    for rows in (3, 300):
        job = worked_off(alice, many(rows).replace(b"erson", b"erson-%d" % rows))
        job.undo()
        with CaptureQueriesContext(connection) as queries:
            importing.work(job.pk)
        counts.append(len(queries))
    # Django deletes by the hundred.
    assert counts[1] - counts[0] <= 4


def test_what_stopped_on_the_way_can_be_undone_too(alice):
    job = worked_off(alice, many(700))
    ImportJob.objects.filter(pk=job.pk).update(state="failed", done=500)
    job.refresh_from_db()
    Contact.objects.filter(import_rows__number__gt=500).delete()
    undone(job)
    assert (job.state, Contact.objects.count()) == ("undone", 0)


def test_after_thirty_days_it_stays(alice, alice_client):
    job = worked_off(alice, SAMPLE.read_bytes())
    ImportJob.objects.update(finished_at=timezone.now() - timedelta(days=31))
    page = alice_client.post(f"/people/import/{job.pk}/undo/", follow=True).content.decode()
    assert "can be undone for 30 days" in page
    importing.run_imports()
    assert Contact.objects.count() == 4


def test_the_pages_of_undo(alice, alice_client):
    job = worked_off(alice, SAMPLE.read_bytes())
    page = f"/people/import/{job.pk}/"
    assert "Undo this import" in alice_client.get(page).content.decode()
    Contact.objects.get(name="Amara Okafor").tag("alumni")
    alice_client.post(f"{page}undo/")
    assert "Taking it back" in alice_client.get(page).content.decode()
    alice_client.post(f"{page}undo/")
    importing.run_imports()
    told = alice_client.get(page).content.decode()
    assert "As it was before" in told
    assert "1 person stayed" in told
    assert "Amara Okafor" in told
    assert "Undo this import" not in told
    assert names(alice) == ["Amara Okafor"]


def test_nobody_undoes_somebody_elses_import(alice, bob):
    job = worked_off(alice, SAMPLE.read_bytes())
    assert client_of(bob).post(f"/people/import/{job.pk}/undo/").status_code == 404
    importing.run_imports()
    assert Contact.objects.count() == 4
