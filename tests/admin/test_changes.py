"""What is done to many people at once, and undone: the actions of the list, and the changes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts import bulk
from contacts.models import BulkChange, Contact, ContactTag, Organisation, Tag
from followups.models import Action, FollowUp, Via
from giveback.models import GiveBack
from tests.admin.doing import change_url, edit_list, list_url, run_action, said, told
from tests.factories import make_contact, make_follow_up

pytestmark = pytest.mark.django_db


def undo(client):
    """Undo the newest change on its page; return what is said then."""
    change = BulkChange.objects.first()
    return told(client, client.post(reverse("admin:contacts_bulkchange_undo", args=[change.pk])))


def shown(client, query=""):
    page = client.get(list_url(Contact, query))
    return [row.name for row in page.context["cl"].result_list]


# The actions of the app


def test_add_and_remove_a_tag(alice, alice_client, bob):
    priya, daniel = make_contact(alice, "Priya"), make_contact(alice, "Daniel")
    rows = [priya, daniel, make_contact(bob)]
    priya.tag("climate")
    answer = run_action(alice_client, Contact, "add_tag", rows, name="Climate")
    assert told(alice_client, answer) == "1 person tagged climate."
    tag = Tag.objects.get()
    assert tag.contacts.count() == 2
    assert shown(alice_client, "?q=daniel+climate") == ["Daniel"]
    answer = run_action(alice_client, Contact, "remove_tag", rows, tag=tag.pk)
    assert told(alice_client, answer) == "2 people no longer tagged climate."
    assert not ContactTag.objects.exists()
    assert undo(alice_client) == "Everybody is as they were before."
    assert tag.contacts.count() == 2
    assert set(BulkChange.objects.values_list("via", flat=True)) == {"admin"}


def test_what_is_left_empty_is_asked_again(alice, alice_client, bob):
    priya, theirs = make_contact(alice), Tag.objects.create(owner=bob, name="CANARY")
    page = run_action(alice_client, Contact, "remove_tag", [priya], tag=theirs.pk)
    assert page.status_code == 422
    assert "CANARY" not in page.content.decode()
    assert run_action(alice_client, Contact, "add_tag", [priya], name=" ").status_code == 422
    assert run_action(alice_client, Contact, "edit", [priya]).status_code == 422


def test_an_action_on_all_pages_keeps_to_the_filters(alice, alice_client):
    climate = make_contact(alice, "Priya", role="climate")
    make_contact(alice, "Daniel")
    answer = run_action(
        alice_client, Contact, "set_rhythm", [climate], True, "?q=climate", rhythm=42
    )
    assert told(alice_client, answer) == "1 person given the rhythm every six weeks."
    assert Contact.objects.get(rhythm_days=42) == climate
    run_action(alice_client, Contact, "set_rhythm", [climate], rhythm="")
    assert not Contact.objects.filter(rhythm_days=42).exists()


def test_more_than_a_few_are_left_to_the_background(alice, alice_client):
    rows = Contact.objects.bulk_create(Contact(owner=alice, name=f"P {n}") for n in range(1200))
    with CaptureQueriesContext(connection) as captured:
        answer = run_action(alice_client, Contact, "add_tag", rows[:1], True, name="climate")
    assert len(captured) < 40
    assert told(alice_client, answer) == "Under way for 1,200 people."
    change = BulkChange.objects.get()
    assert "0 of 1,200 people so far" in alice_client.get(change_url(change)).content.decode()
    bulk.run_changes()
    assert Tag.objects.get().contacts.count() == 1200
    assert "1,200 people tagged climate." in alice_client.get(change_url(change)).content.decode()


def test_the_page_that_asks_says_how_many_and_carries_few_ids(alice, alice_client):
    rows = Contact.objects.bulk_create(Contact(owner=alice, name=f"P {n}") for n in range(300))
    asked = {"action": "add_tag", "select_across": 1, "_selected_action": [rows[0].pk], "index": 0}
    page = alice_client.post(list_url(Contact), asked).content.decode()
    assert "For 300 contacts." in page
    assert page.count('name="_selected_action"') == 1


def test_the_same_form_sent_twice_is_one_change(alice, alice_client):
    priya = make_contact(alice)
    key = "5f1c0a44-7c1f-4a55-9d0e-6f0a9d9e2f11"
    for name in ("climate", "climate", "alumni"):
        run_action(alice_client, Contact, "add_tag", [priya], name=name, key=key)
    assert BulkChange.objects.count() == 2
    assert priya.tags.count() == 2


def test_put_away_and_bring_back(alice, alice_client):
    priya, pursued = make_contact(alice), make_follow_up(make_contact(alice, "Daniel")).contact
    answer = run_action(alice_client, Contact, "put_away", [priya, pursued])
    assert told(alice_client, answer) == "1 person put away. 1 person stays as they are."
    page = alice_client.get(change_url(BulkChange.objects.get())).content.decode()
    assert "Daniel: Still has a follow-up." in page
    assert shown(alice_client) == ["Daniel"]
    assert shown(alice_client, "?put_away=yes") == ["Priya Raman"]
    run_action(alice_client, Contact, "bring_back", [priya], query="?put_away=yes")
    assert shown(alice_client) == ["Daniel", "Priya Raman"]


def test_delete_and_have_them_back(alice, alice_client, bob):
    priya, theirs = make_contact(alice), make_contact(bob)
    priya.tag("climate")
    asked = {"action": "delete_rows", "_selected_action": [priya.pk], "index": 0}
    page = alice_client.post(list_url(Contact), asked).content.decode()
    assert "They can be brought back for 30 days." in page
    answer = run_action(alice_client, Contact, "delete_rows", [priya, theirs])
    assert told(alice_client, answer) == "1 person deleted."
    assert Contact.objects.get() == theirs
    assert BulkChange.objects.get().via == "admin"
    assert undo(alice_client) == "Everybody is as they were before."
    assert shown(alice_client, "?q=climate") == ["Priya Raman"]


def test_who_stays_away_is_told_by_name(alice, alice_client):
    priya, other = make_contact(alice), make_contact(alice, "Ann Lee")
    gift = GiveBack.objects.create(owner=alice, contact=priya, what="A book")
    run_action(alice_client, Contact, "delete_rows", [priya])
    GiveBack.objects.create(owner=alice, contact=other, what="A book", key=gift.key)
    undo(alice_client)
    page = alice_client.get(change_url(BulkChange.objects.get())).content.decode()
    assert "Priya Raman stays away" in page


def test_start_a_playbook_with_many(alice, alice_client):
    fresh = make_contact(alice, "Maria")
    under_way = make_follow_up(make_contact(alice, "Daniel"))
    closed = make_contact(alice, "Omar", do_not_contact=True)
    rows = [fresh, under_way.contact, closed]
    answers = {"playbook": under_way.playbook_id, "each_day": 5}
    answer = run_action(alice_client, Contact, "start_playbook", rows, **answers)
    assert told(alice_client, answer) == (
        "1 person started on Unanswered call. 2 people stay as they are."
    )
    page = alice_client.get(change_url(BulkChange.objects.get())).content.decode()
    assert "Daniel: Unanswered call is under way already." in page
    assert "Omar: Omar is marked as do not contact." in page
    assert Action.objects.get(contact=fresh).via == Via.ADMIN
    assert not FollowUp.objects.silent().exists()
    undo(alice_client)
    assert not FollowUp.objects.filter(contact=fresh).open().exists()


def test_too_many_for_a_playbook_are_refused_in_a_sentence(alice, alice_client):
    rows = Contact.objects.bulk_create(Contact(owner=alice, name=f"P {n}") for n in range(201))
    playbook = make_follow_up(make_contact(alice)).playbook_id
    answers = {"playbook": playbook, "each_day": 5}
    answer = run_action(alice_client, Contact, "start_playbook", rows[:1], True, **answers)
    assert "That is for 200 people at most." in told(alice_client, answer)
    assert FollowUp.objects.count() == 1


def test_other_peoples_playbooks_are_no_choices(alice, alice_client, bob):
    theirs = make_follow_up(make_contact(bob)).playbook
    answers = {"playbook": theirs.pk, "each_day": 5}
    page = run_action(alice_client, Contact, "start_playbook", [make_contact(alice)], **answers)
    assert page.status_code == 422


def test_entries_for_one_person_go_to_the_page_of_the_app(alice, alice_client, bob):
    one, two, three = (make_contact(alice, f"Priya {n}") for n in range(3))
    theirs = make_contact(bob)
    answer = run_action(alice_client, Contact, "merge", [one, two, theirs])
    assert answer.url == reverse("followups:merge", args=[one.pk, two.pk])
    answer = run_action(alice_client, Contact, "merge", [one, two, three])
    assert answer.url.startswith(reverse("contacts:bulk_merge"))
    assert "Tick the entries" in told(
        alice_client, run_action(alice_client, Contact, "merge", [one])
    )


@pytest.mark.parametrize(("action", "begins"), [("export_csv", "Name,"), ("export_vcard", "BEGIN")])
def test_those_who_are_chosen_are_exported(alice, alice_client, bob, action, begins):
    priya, theirs = make_contact(alice), make_contact(bob, "CANARY")
    make_contact(alice, "Somebody Else")
    asked = {"action": action, "_selected_action": [priya.pk, theirs.pk], "index": 0}
    file = alice_client.post(list_url(Contact), asked | {"select_across": 0})
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert text.startswith(begins)
    assert "Priya Raman" in text
    assert "CANARY" not in text
    assert "Somebody Else" not in text


# Any set of fields


def ticked(**fields):
    return dict.fromkeys((f"set_{name}" for name in fields), "on") | fields


def test_any_set_of_fields_is_edited_and_undone(alice, alice_client):
    ben = make_contact(alice, "Ben")
    priya = make_contact(alice, "Priya", role="CTO", notes="Likes tea", how_met="At a fair")
    daniel = make_contact(alice, "Daniel")
    priya.tag("old")
    old = Tag.objects.get()
    before = list(Contact.objects.order_by("pk").values_list("role", "notes", "search_text"))
    answers = ticked(
        organisation="Umwelt AG",
        rhythm_days=42,
        role="",
        introduced_by="Ben",
        known_since="2026-01-02",
        notes="Met in May",
        time_zone="Europe/Vienna",
    )
    answers |= {"add_notes": "on", "tags": "climate, new", "untags": [old.pk]}
    answers |= {"offers_topics": "grids, data"}
    answer = run_action(alice_client, Contact, "edit", [priya, daniel], **answers)
    assert told(alice_client, answer).startswith("2 people tagged climate and new, no longer")
    priya.refresh_from_db()
    assert (priya.role, priya.organisation.name, priya.introduced_by) == ("", "Umwelt AG", ben)
    assert (priya.notes, priya.how_met) == ("Likes tea\n\nMet in May", "At a fair")
    assert (priya.rhythm_days, priya.time_zone) == (42, "Europe/Vienna")
    assert {tag.name for tag in priya.tags.all()} == {"climate", "new"}
    assert {topic.name for topic in daniel.topics["offers"]} == {"grids", "data"}
    assert shown(alice_client, "?q=umwelt+grids") == ["Daniel", "Priya"]
    assert undo(alice_client) == "Everybody is as they were before."
    now = list(Contact.objects.order_by("pk").values_list("role", "notes", "search_text"))
    assert now == before
    assert not Organisation.objects.exists()
    assert Tag.objects.get() == old


def test_fields_that_are_not_ticked_stay_and_what_is_typed_there_is_asked_about(
    alice, alice_client
):
    priya = make_contact(alice, role="CTO", notes="Likes tea")
    page = run_action(alice_client, Contact, "edit", [priya], set_notes="on", role="CEO")
    assert "Tick this one too, or leave it empty." in page.content.decode()
    run_action(alice_client, Contact, "edit", [priya], set_notes="on")
    priya.refresh_from_db()
    assert (priya.role, priya.notes) == ("CTO", "")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "Tick what is to be changed, or say which tags or topics."),
        (ticked(introduced_by="CANARY"), "CANARY"),
        (ticked(role="x" * 201), "at most 200 characters"),
        ({"tags": f"alumni, {'x' * 61}"}, "Keep a tag to 60 letters"),
        (ticked(time_zone="Mars/Base"), "Select a valid choice"),
        (ticked(rhythm_days="another", rhythm_days_days=0), "Write a number of days from 1"),
    ],
)
def test_what_cannot_be_set_is_asked_again(alice, alice_client, bob, answers, sentence):
    make_contact(bob, "CANARY")
    priya = make_contact(alice)
    page = run_action(alice_client, Contact, "edit", [priya], **answers)
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not BulkChange.objects.exists()


def test_what_was_edited_in_the_rows_of_the_list_is_a_change_too(alice, alice_client):
    priya = make_contact(alice, role="CTO")
    edit_list(alice_client, Contact, priya, role="CEO", rhythm_days="")
    change = BulkChange.objects.get()
    assert (change.said, change.changed) == ("Edited in the list", 1)
    undo(alice_client)
    priya.refresh_from_db()
    assert priya.role == "CTO"
    assert shown(alice_client, "?q=cto") == ["Priya Raman"]


# The list of changes


def test_changes_of_the_app_are_in_the_list_too(alice, alice_client, bob_client):
    priya = make_contact(alice)
    change = bulk.start(alice, "edit", {"tags": ["climate"]}, [priya.pk])
    page = alice_client.get(list_url(BulkChange)).content.decode()
    assert "1 person tagged climate." in page
    assert "The app" in page
    assert "climate" not in bob_client.get(list_url(BulkChange)).content.decode()
    for url in (change_url(change), reverse("admin:contacts_bulkchange_undo", args=[change.pk])):
        assert bob_client.get(url).status_code in (404, 405)
    undone = bob_client.post(reverse("admin:contacts_bulkchange_undo", args=[change.pk]))
    assert undone.status_code == 404
    assert priya.tags.exists()


def test_changes_are_looked_at_and_neither_made_edited_nor_deleted(alice, alice_client):
    change = bulk.start(alice, "edit", {"tags": ["climate"]}, [make_contact(alice).pk])
    assert alice_client.get(list_url(BulkChange) + "add/").status_code == 403
    assert alice_client.post(change_url(change), {"said": "x"}).status_code == 403
    assert alice_client.post(change_url(change, "delete"), {"post": "yes"}).status_code == 403
    assert (
        alice_client.get(reverse("admin:contacts_bulkchange_undo", args=[change.pk])).status_code
        == 405
    )


def test_several_are_undone_the_newest_first(alice, alice_client):
    priya = make_contact(alice, role="CTO")
    changes = [
        bulk.start(alice, "edit", {"fields": {"role": role}}, [priya.pk]) for role in ("CEO", "COO")
    ]
    answer = run_action(alice_client, BulkChange, "undo_changes", changes)
    assert "Everybody is as they were before." in said(alice_client, answer)
    priya.refresh_from_db()
    assert priya.role == "CTO"


def test_what_cannot_be_undone_any_more_says_so(alice, alice_client):
    change = bulk.start(alice, "edit", {"tags": ["climate"]}, [make_contact(alice).pk])
    BulkChange.objects.update(finished_at="2025-01-01T00:00Z")
    assert "for 30 days, once" in undo(alice_client)
    page = alice_client.get(change_url(change)).content.decode()
    assert ">Undo</button>" not in page


def test_the_list_takes_as_many_queries_for_many(alice, alice_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            alice_client.get(list_url(BulkChange))
        return len(captured)

    ids = [make_contact(alice).pk]
    bulk.start(alice, "edit", {"tags": ["a"]}, ids)
    few = queries()
    for number in range(20):
        bulk.start(alice, "edit", {"tags": [f"tag {number}"]}, ids)
    assert queries() == few
