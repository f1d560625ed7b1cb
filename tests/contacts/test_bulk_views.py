"""The bar below the list of people, the page of a change, undo."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts import bulk
from contacts.models import BulkChange, Contact, ContactTag, Tag
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import playbook_of

LIST, BULK = "/people/", "/people/bulk/"
State = BulkChange.State


def people(owner, count):
    return [make_contact(owner, f"Person {nth:02}") for nth in range(count)]


def ids(contacts):
    return [contact.pk for contact in contacts]


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def by_celery(monkeypatch):
    monkeypatch.setattr(bulk.Verb, "at_once", 0)


def test_bulk_tags_those_who_were_ticked_and_goes_back(alice, alice_client):
    first, second, third = people(alice, 3)
    data = {"ids": ids([first, second]), "do": "tag", "name": " alumni "}
    response = alice_client.post(f"{BULK}?q=person&show=new", data)
    assert response["Location"] == "/people/?q=person&show=new"
    page = alice_client.get(response["Location"])
    change = BulkChange.objects.get()
    assert said(page) == ["2 people tagged alumni."]
    assert f'action="/people/bulk/{change.pk}/undo/"' in page.content.decode()
    assert not third.tags.exists()


def test_undo_from_the_message_goes_back_to_the_list(alice, alice_client):
    one, two = people(alice, 2)
    alice_client.post(BULK, {"ids": ids([one, two]), "do": "tag", "name": "alumni"})
    change = BulkChange.objects.get()
    undo = f"/people/bulk/{change.pk}/undo/"
    response = alice_client.post(undo, {"next": "/people/?q=person"}, follow=True)
    assert response.redirect_chain == [("/people/?q=person", 302)]
    assert said(response)[-1] == "Everybody is as they were before."
    assert not ContactTag.objects.exists()
    # Twice is harmless.
    assert alice_client.post(undo).status_code == 302


def test_everyone_in_the_list_is_on_all_its_pages(alice, alice_client):
    people(alice, 60)
    away = make_contact(alice, "Away")
    away.archive()
    page = alice_client.get(LIST)
    assert "Everyone in this list, on all pages" in page.content.decode()
    alice_client.post(BULK, {"everyone": "on", "do": "tag", "name": "alumni"})
    assert ContactTag.objects.count() == 60


def test_who_asks_hears_how_many_everyone_is(alice, alice_client, bob):
    people(alice, 60)
    make_contact(alice, "Away").archive()
    make_contact(bob, "Person of Bob")
    offer = alice_client.get(f"{LIST}everyone/?q=person").text
    assert 'data-people="60 people"' in offer
    assert "All 60 people in this list" in offer
    alice_client.post(f"{BULK}?q=person", {"everyone": "on", "do": "tag", "name": "alumni"})
    assert BulkChange.objects.get().total == 60


def test_only_who_asks_has_them_counted(alice, alice_client):
    people(alice, 60)
    page = alice_client.get(f"{LIST}?q=person").text
    assert 'hx-get="/people/everyone/?q=person"' in page
    assert "60 people" not in page.split('id="people"')[1]


def test_everyone_is_everyone_whom_the_search_finds(alice, alice_client):
    people(alice, 3)
    make_contact(alice, "Somebody else")
    alice_client.post(f"{BULK}?q=person", {"everyone": "on", "do": "tag", "name": "alumni"})
    assert ContactTag.objects.count() == 3


def test_untag_rhythm_put_away_and_bring_back(alice, alice_client):
    one, two = people(alice, 2)
    one.tag("alumni")
    tag, ticked = Tag.objects.get(), ids([one, two])
    alice_client.post(BULK, {"ids": ticked, "do": "untag", "untag": tag.pk})
    assert not ContactTag.objects.exists()
    alice_client.post(BULK, {"ids": ticked, "do": "rhythm", "rhythm": "42"})
    assert set(Contact.objects.values_list("rhythm_days", flat=True)) == {42}
    alice_client.post(BULK, {"ids": ticked, "do": "archive"})
    assert not Contact.objects.current().exists()
    alice_client.post(f"{BULK}?show=archived", {"ids": ticked, "do": "restore"})
    assert Contact.objects.current().count() == 2


def test_begins_a_playbook_with_them(alice, alice_client):
    contacts = people(alice, 3)
    call = playbook_of(alice, "unanswered-call")
    data = {"ids": ids(contacts), "do": "begin", "playbook": call.pk, "each_day": "2"}
    alice_client.post(BULK, data)
    assert BulkChange.objects.get().changed == 3


def test_who_is_still_pursued_stays_and_the_page_says_so(alice, alice_client):
    one, two = people(alice, 2)
    make_follow_up(one)
    page = alice_client.post(BULK, {"ids": ids([one, two]), "do": "archive"}, follow=True)
    assert said(page) == ["1 person put away. 1 person stays as they are."]
    content = alice_client.get(f"/people/bulk/{BulkChange.objects.get().pk}/").content.decode()
    assert one.name in content
    assert "Still has a follow-up. Let it go first, or let it rest." in content


def test_many_people_are_worked_off_while_the_page_looks_again(alice, alice_client, by_celery):
    contacts = people(alice, 3)
    data = {"ids": ids(contacts), "do": "tag", "name": "alumni"}
    response = alice_client.post(BULK, data)
    change = BulkChange.objects.get()
    assert response["Location"] == f"/people/bulk/{change.pk}/"
    assert "Waiting for its turn." in alice_client.get(response["Location"]).content.decode()
    progress = f"/people/bulk/{change.pk}/progress/"
    assert alice_client.get(progress).status_code == 200
    bulk.run_changes()
    assert alice_client.get(progress)["Location"] == response["Location"]
    assert "3 people tagged alumni." in alice_client.get(response["Location"]).content.decode()


def test_the_same_form_twice_is_one_change(alice, alice_client):
    contacts = people(alice, 2)
    data = {"ids": ids(contacts), "do": "tag", "name": "alumni", "key": str(uuid.uuid4())}
    alice_client.post(BULK, data)
    alice_client.post(BULK, data)
    assert BulkChange.objects.count() == 1
    # The same page once more, for something else, is another one.
    alice_client.post(BULK, {**data, "name": "mentors"})
    assert BulkChange.objects.count() == 2


def test_somebody_elses_people_are_left_out(alice, alice_client, bob):
    mine, theirs = make_contact(alice), make_contact(bob)
    alice_client.post(BULK, {"ids": ids([mine, theirs]), "do": "tag", "name": "alumni"})
    assert ContactTag.objects.get().contact == mine
    response = alice_client.post(BULK, {"ids": [theirs.pk], "do": "tag", "name": "alumni"})
    assert response.status_code == 422
    assert "Tick the people first." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"do": "tag"}, "Write a word or two for the tag."),
        ({"do": "tag", "name": " \u2028 "}, "Write a word or two for the tag."),
        ({"do": "tag", "name": "x" * 61}, "Keep a tag to 60 letters."),
        ({"do": "tag", "name": "alumni", "ids": []}, "Tick the people first."),
        ({"do": "tag", "name": "alumni", "ids": "x"}, "Tick the people first."),
        ({"do": "tag", "name": "alumni", "ids": "9" * 30}, "Tick the people first."),
        ({"do": "untag"}, "Choose the tag first."),
        ({"do": "untag", "untag": "7"}, "Choose the tag first."),
        ({"do": "rhythm", "rhythm": "another", "rhythm_days": "soon"}, "a number of days"),
        ({"do": "begin"}, "Choose the playbook first."),
        ({"do": "merge"}, "Tick the entries that are one person"),
        ({"do": "nonsense"}, "nonsense"),
    ],
)
def test_bulk_says_what_is_missing_and_keeps_the_ticks(alice, alice_client, data, sentence):
    contact = make_contact(alice)
    response = alice_client.post(BULK, {"ids": contact.pk} | data)
    assert response.status_code == 422
    content = response.content.decode()
    assert sentence in content
    if "ids" not in data:
        assert f'id="tick-{contact.pk}" aria-label="Select {contact.name}" checked' in content
    assert not BulkChange.objects.exists()


def test_bulk_is_for_posting(alice_client):
    assert alice_client.get(BULK).status_code == 405


def test_bulk_takes_as_many_queries_for_2_people_as_for_40(alice, alice_client):
    contacts = people(alice, 42)
    counts = []
    for some in (contacts[:2], contacts[2:]):
        with CaptureQueriesContext(connection) as queries:
            alice_client.post(BULK, {"ids": ids(some), "do": "tag", "name": "alumni"})
        counts.append(len(queries))
    assert counts[1] <= counts[0]
    assert Contact.objects.search("alumni").count() == 42


def test_exports_the_ticked_people(alice, alice_client):
    one, two, _ = people(alice, 3)
    for kind, start in (("csv", "\ufeffName"), ("vcard", "BEGIN:VCARD")):
        response = alice_client.post(BULK, {"ids": ids([one, two]), "do": kind})
        text = b"".join(response.streaming_content).decode()
        assert text.startswith(start)
        assert "Person 00" in text
        assert "Person 02" not in text
    assert not BulkChange.objects.exists()


# Merging


def test_two_entries_are_merged_field_by_field(alice, alice_client):
    one, two = people(alice, 2)
    response = alice_client.post(BULK, {"ids": ids([one, two]), "do": "merge"})
    assert response["Location"] == f"/follow-ups/merge/{one.pk}/{two.pk}/"


def test_of_three_entries_one_is_chosen_to_stay(alice, alice_client):
    one, two, three = people(alice, 3)
    response = alice_client.post(BULK, {"ids": ids([one, two, three]), "do": "merge"})
    where = response["Location"]
    page = alice_client.get(where).content.decode()
    assert "Which entry stays?" in page
    data = {"keep": two.pk, "key": str(uuid.uuid4())}
    response = alice_client.post(where, data, follow=True)
    assert response.redirect_chain == [(f"/people/{two.pk}/", 302)]
    assert said(response) == ["2 people merged into Person 01."]
    # The same form twice.
    assert alice_client.post(where, data)["Location"] == f"/people/{two.pk}/"
    assert Contact.objects.get() == two
    bulk.undo(BulkChange.objects.get())
    assert Contact.objects.count() == 3


def test_merging_is_for_entries_of_ones_own(alice, alice_client, bob):
    mine, theirs = people(alice, 3), make_contact(bob)
    address = "/people/bulk/merge/?ids=" + "&ids=".join(map(str, ids(mine)))
    assert alice_client.post(address, {"keep": theirs.pk}).status_code == 422
    assert (
        alice_client.get(f"/people/bulk/merge/?ids={mine[0].pk}&ids={theirs.pk}").status_code == 404
    )
    assert alice_client.get("/people/bulk/merge/?ids=x").status_code == 404


# Pages


def test_the_last_changes_are_listed_with_undo(alice, alice_client, bob_client):
    page = alice_client.get("/people/bulk/changes/").content.decode()
    assert "Nothing yet" in page
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, ids(people(alice, 2)))
    page = alice_client.get("/people/bulk/changes/").content.decode()
    assert "Tagged alumni" in page
    assert f"/people/bulk/{change.pk}/undo/" in page
    assert "Tagged alumni" not in bob_client.get("/people/bulk/changes/").content.decode()


def test_a_change_of_somebody_else_is_not_there(alice, bob_client):
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, ids(people(alice, 2)))
    for page in ("", "progress/"):
        assert bob_client.get(f"/people/bulk/{change.pk}/{page}").status_code == 404
    assert bob_client.post(f"/people/bulk/{change.pk}/undo/").status_code == 404


def test_after_30_days_a_change_stays(alice, alice_client, time_machine):
    time_machine.move_to("2026-10-01T09:00:00+00:00", tick=False)
    change = bulk.start(alice, "edit", {"tags": ["alumni"]}, ids(people(alice, 2)))
    time_machine.move_to("2026-11-02T09:00:00+00:00", tick=False)
    response = alice_client.post(f"/people/bulk/{change.pk}/undo/", follow=True)
    assert said(response) == ["That can be undone for 30 days, once. It stays as it is."]
    assert ContactTag.objects.count() == 2
    bulk.forget()
    assert not change.rows.exists()
    assert BulkChange.objects.get().said == "Tagged alumni"
