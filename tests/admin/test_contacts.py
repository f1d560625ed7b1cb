"""Contacts, organisations and tags, many at once."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import BulkChange, Contact, ContactEmail, Organisation, Tag
from followups.models import Ending, FollowUp, State
from tests.admin.doing import (
    NO_LINES,
    change_url,
    edit_list,
    formset,
    list_url,
    run_action,
    said,
)
from tests.factories import make_contact, make_follow_up

pytestmark = pytest.mark.django_db


def shown(client, query=""):
    page = client.get(list_url(Contact, query))
    assert page.status_code == 200
    return [row.name for row in page.context["cl"].result_list]


def test_the_list_shows_own_people_in_as_many_queries_for_many(alice, alice_client, bob):
    make_contact(bob, "Theirs")

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            shown(alice_client)
        return len(captured)

    make_contact(alice, "A").tag("climate")
    few = queries()
    for number in range(30):
        make_contact(alice, f"P {number}").tag(f"tag {number}")
    assert queries() == few
    assert "Theirs" not in shown(alice_client)


def test_search_and_filters(alice, alice_client, bob):
    target = Organisation.objects.create(owner=alice, name="Umwelt AG", is_target=True)
    make_contact(alice, "Łukasz", organisation=target, rhythm_days=21)
    make_contact(alice, "Maria", last_interaction_on="2026-01-01").tag("climate")
    make_follow_up(make_contact(alice, "Priya"), state=State.ACTIVE)
    Tag.objects.update(rhythm_days=30)
    tag, theirs = Tag.objects.get(), Tag.objects.create(owner=bob, name="CANARY")
    assert shown(alice_client, "?q=lukasz+umwelt") == ["Łukasz"]
    assert shown(alice_client, f"?tag={tag.pk}") == ["Maria"]
    assert shown(alice_client, f"?tag={theirs.pk}") == []
    for asked, found in {
        "own": ["Łukasz"],
        "tag": ["Maria"],
        "none": ["Priya"],
        "due": ["Maria", "Łukasz"],
    }.items():
        assert shown(alice_client, f"?rhythm={asked}") == found
    assert shown(alice_client, "?contacted=no") == ["Maria"]
    assert shown(alice_client, "?target=yes") == ["Łukasz"]
    assert shown(alice_client, "?follow_up=none") == ["Maria", "Łukasz"]
    assert "CANARY" not in alice_client.get(list_url(Contact)).content.decode()
    assert alice_client.get(list_url(Contact, "?tag=x")).status_code == 302


def test_columns_are_edited_and_found_again(alice, alice_client):
    priya = make_contact(alice, rhythm_days=30)
    Contact.objects.filter(pk=priya.pk).update(notes="written meanwhile")
    odd = {"rhythm_days": "another", "rhythm_days_days": 30}
    edit_list(alice_client, Contact, priya, role="Head of Data", **odd)
    priya.refresh_from_db()
    assert (priya.role, priya.rhythm_days, priya.notes) == (
        "Head of Data",
        30,
        "written meanwhile",
    )
    assert "head of data" in priya.search_text
    assert LogEntry.objects.get().object_repr == "Priya Raman"
    edit_list(alice_client, Contact, priya, role="Head of Data", rhythm_days="")
    priya.refresh_from_db()
    assert priya.rhythm_days is None


def test_any_number_of_days_in_the_list_and_for_many(alice, alice_client):
    priya, daniel = make_contact(alice, "Priya"), make_contact(alice, "Daniel")
    edit_list(alice_client, Contact, priya, rhythm_days="another", rhythm_days_days=45)
    priya.refresh_from_db()
    assert priya.rhythm_days == 45
    page = edit_list(alice_client, Contact, priya, rhythm_days="another", rhythm_days_days=0)
    assert "Write a number of days from 1 to 3650" in page.content.decode()
    many = {"rhythm": "another", "rhythm_days": 10}
    answer = run_action(alice_client, Contact, "set_rhythm", [priya, daniel], **many)
    assert said(alice_client, answer).startswith("2 people given the rhythm every 10 days.")
    assert Contact.objects.filter(rhythm_days=10).count() == 2


def test_the_rhythm_of_a_tag(alice, alice_client):
    tag = Tag.objects.create(owner=alice, name="climate")
    edit_list(alice_client, Tag, tag, rhythm_days=42)
    tag.refresh_from_db()
    assert tag.rhythm_days == 42
    odd = {"name": "climate", "rhythm_days": "another", "rhythm_days_days": 30}
    alice_client.post(change_url(tag), odd)
    tag.refresh_from_db()
    assert tag.rhythm_days == 30


def test_columns_of_other_peoples_rows_stay(bob_client, alice):
    priya = make_contact(alice)
    edit_list(bob_client, Contact, priya, role="Changed", rhythm_days="")
    priya.refresh_from_db()
    assert priya.role == ""


def test_a_person_with_lines_and_tags(alice, alice_client):
    tag = Tag.objects.create(owner=alice, name="Climate")
    lines = {
        **NO_LINES,
        **formset("emails", {"address": "priya@example.org"}),
        **formset("contacttag_set", {"tag": tag.pk}),
    }
    added = alice_client.post(list_url(Contact) + "add/", {"name": "Priya"} | lines)
    assert added.status_code == 302, added.context["errors"]
    priya = Contact.objects.get()
    assert (priya.emails.get().owner, priya.tags.get()) == (alice, tag)
    assert "priya@example.org climate" in priya.search_text


def test_other_peoples_rows_are_no_choices(alice, alice_client, bob):
    theirs = Organisation.objects.create(owner=bob, name="CANARY")
    tag = Tag.objects.create(owner=bob, name="CANARY")
    introducer = make_contact(bob, "CANARY")
    for fields in (
        {"organisation": theirs.pk},
        {"introduced_by": introducer.pk},
        formset("contacttag_set", {"tag": tag.pk}),
    ):
        page = alice_client.post(list_url(Contact) + "add/", {"name": "Priya"} | NO_LINES | fields)
        assert "Select a valid choice" in page.content.decode()
        assert "CANARY" not in page.content.decode()
    assert not Contact.objects.for_user(alice).exists()


def test_lines_of_other_people_stay(alice, alice_client, bob):
    theirs = make_contact(bob)
    address = ContactEmail.objects.create(owner=bob, contact=theirs, address="a@example.org")
    priya = make_contact(alice)
    stolen = {"id": address.pk, "contact": priya.pk, "address": "b@example.org"}
    lines = NO_LINES | formset("emails", stolen, initial=1)
    alice_client.post(change_url(priya), {"name": "Priya"} | lines)
    address.refresh_from_db()
    assert (address.address, address.contact) == ("a@example.org", theirs)


@pytest.mark.parametrize("field", ["organisation", "introduced_by"])
def test_autocomplete_offers_own_rows(alice, alice_client, bob, field):
    for owner, name in ((alice, "Climate mine"), (bob, "Climate CANARY")):
        make_contact(owner, name)
        Organisation.objects.create(owner=owner, name=name)
    asked = {"app_label": "contacts", "model_name": "contact", "field_name": field}
    found = alice_client.get(reverse("admin:autocomplete"), asked | {"term": "climate"}).json()
    assert [row["text"] for row in found["results"]] == ["Climate mine"]


def test_autocomplete_offers_no_accounts(alice_client):
    asked = {"app_label": "contacts", "model_name": "contact", "field_name": "owner"}
    assert alice_client.get(reverse("admin:autocomplete"), asked).status_code == 403


def test_do_not_contact_ends_what_is_under_way(alice, alice_client):
    by_action, by_form = make_follow_up(make_contact(alice)), make_follow_up(make_contact(alice))
    run_action(alice_client, Contact, "do_not_contact", [by_action.contact])
    fields = {"name": "Priya", "do_not_contact": "on"} | NO_LINES
    alice_client.post(change_url(by_form.contact), fields)
    for follow_up in (by_action, by_form):
        follow_up.refresh_from_db()
        assert (follow_up.state, follow_up.ending) == (State.ENDED, Ending.LET_GO)
        assert follow_up.contact.do_not_contact


def test_one_person_is_deleted_as_many_are_and_comes_back(alice, alice_client):
    priya = make_contact(alice)
    make_follow_up(priya)
    before = Contact.objects.values().get()
    page = alice_client.get(change_url(priya, "delete")).content.decode()
    assert "Whoever is deleted can be brought back for 30 days" in page
    filtered = "?_changelist_filters=q%3Dpriya"
    answer = alice_client.post(change_url(priya, "delete") + filtered, {"post": "yes"})
    assert answer["Location"] == list_url(Contact, "?q=priya")
    change = BulkChange.objects.get()
    address = reverse("admin:contacts_bulkchange_change", args=[change.pk])
    assert said(alice_client, answer) == (
        f'1 person deleted. <a href="{address}">Look at it, or undo it</a>'
    )
    assert not Contact.objects.exists()
    answer = alice_client.post(reverse("admin:contacts_bulkchange_undo", args=[change.pk]))
    assert said(alice_client, answer).endswith('">Look at it</a>')
    assert Contact.objects.values().get() == before
    assert FollowUp.objects.get().contact == priya


def test_who_is_deleted_in_a_popup_leaves_the_field_behind_it(alice, alice_client):
    priya = make_contact(alice)
    data = {"post": "yes", "_popup": "1"}
    page = alice_client.post(change_url(priya, "delete"), data).content.decode()
    assert f"&quot;value&quot;: &quot;{priya.pk}&quot;" in page


def test_nobody_elses_people_are_deleted(alice, bob_client):
    priya = make_contact(alice)
    assert bob_client.post(change_url(priya, "delete"), {"post": "yes"}).status_code == 404
    assert Contact.objects.exists()


@pytest.mark.parametrize("model", [Organisation, Tag])
def test_names_are_told_to_the_search(alice, alice_client, model):
    row = model.objects.create(owner=alice, name="Umwelt")
    priya = make_contact(alice)
    if model is Tag:
        priya.tag("Umwelt")
    else:
        Contact.objects.filter(pk=priya.pk).update(organisation=row)
    alice_client.post(change_url(row), {"name": "Klima"})
    assert shown(alice_client, "?q=klima") == ["Priya Raman"]
    page = alice_client.get(list_url(model))
    assert page.context["cl"].result_list[0].people == 1
    alice_client.post(change_url(row, "delete"), {"post": "yes"})
    assert shown(alice_client, "?q=klima") == []
    assert shown(alice_client) == ["Priya Raman"]


def test_the_same_name_twice_is_refused_in_a_sentence(alice, alice_client, bob):
    Tag.objects.create(owner=bob, name="climate")
    assert alice_client.post(list_url(Tag) + "add/", {"name": "climate"}).status_code == 302
    page = alice_client.post(list_url(Tag) + "add/", {"name": "Climate"})
    assert page.status_code == 200
    assert page.context["errors"]
