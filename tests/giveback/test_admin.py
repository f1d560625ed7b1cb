"""Gifts, the shelf and topics, many at once."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, ContactTopic, Topic
from followups.models import Interaction, Via
from giveback import giving
from giveback.models import GiveBack, Kind, ShelfItem, State
from tests.admin.doing import (
    NO_LINES,
    change_url,
    edit_list,
    formset,
    list_url,
    run_action,
    said,
)
from tests.factories import make_contact, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def promise(contact, what="On grids", days=0):
    return giving.promise(contact, Kind.ARTICLE, what, contact.owner.today() + timedelta(days=days))


def shown(client, model, query=""):
    page = client.get(list_url(model, query))
    assert page.status_code == 200
    return [str(row) for row in page.context["cl"].result_list]


@pytest.mark.parametrize("model", [GiveBack, ShelfItem, Topic])
def test_own_rows_in_as_many_queries_for_many(alice, alice_client, bob, model):
    counts = []
    for number in range(20):
        promise(make_contact(alice, f"P {number}"))
        make_item(alice, f"Thing {number}", topics=["a", f"b {number}"])
        if number in {2, 19}:
            with CaptureQueriesContext(connection) as queries:
                shown(alice_client, model)
            counts.append(len(queries))
    assert counts[0] == counts[1]
    promise(make_contact(bob), "CANARY")
    make_item(bob, "CANARY", topics=["CANARY"])
    assert "CANARY" not in shown(alice_client, model)


def test_filters_and_search(alice, alice_client, aiko):
    promise(aiko, "Due")
    promise(aiko, "Later", days=3)
    giving.let_go(promise(aiko, "Gone"))
    giving.give(aiko, Kind.TIME, "Énergie", alice.today())
    for query, found in {
        "": {"Due", "Later", "Énergie"},
        "?standing=due": {"Due"},
        "?standing=let_go": {"Gone"},
        "?standing=all": {"Due", "Later", "Gone", "Énergie"},
        "?q=energie+aiko": {"Énergie"},
    }.items():
        assert set(shown(alice_client, GiveBack, query)) == found, query


def test_many_are_kept_moved_and_let_go_through_the_verbs(alice, alice_client, aiko):
    first, second = promise(aiko, "A"), promise(aiko, "B")
    until = alice.today() + timedelta(days=9)
    answer = run_action(alice_client, GiveBack, "move", [first, second], until=until)
    assert said(alice_client, answer) == "Promised anew: 2 give-backs."
    run_action(alice_client, GiveBack, "keep", [first])
    answer = run_action(alice_client, GiveBack, "let_go", [first, second])
    assert said(alice_client, answer).startswith("Let go: 1 give-back. 1 give-back left as before:")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.interaction.via) == (State.DONE, Via.ADMIN)
    assert (second.state, second.due_on) == (State.LET_GO, until)
    assert LogEntry.objects.count() == 4


def test_a_gift_is_edited_and_its_story_too(alice, alice_client, aiko):
    gift = giving.give(aiko, Kind.TIME, "An huor", alice.today(), note="Before")
    edit_list(alice_client, GiveBack, gift, what="An hour", kind="time")
    form = {"kind": "time", "what": "An hour", "note": "After", "contact": aiko.pk}
    assert alice_client.post(change_url(gift), form).status_code == 302
    gift.refresh_from_db()
    assert (gift.what, gift.note, gift.interaction.note) == ("An hour", "After", "After")


def test_a_deleted_gift_leaves_the_story(alice, alice_client, aiko):
    gift = giving.give(aiko, Kind.TIME, "An hour", alice.today())
    kept = giving.give(aiko, Kind.TIME, "A word", alice.today())
    run_action(alice_client, GiveBack, "delete_rows", [gift])
    assert list(GiveBack.objects.all()) == [kept]
    assert Interaction.objects.get() == kept.interaction


def test_the_shelf_is_cleared_and_filled(alice, alice_client):
    first, second = make_item(alice, "A", topics=["Grüne Netze"]), make_item(alice, "B")
    assert shown(alice_client, ShelfItem, "?q=grune") == ["A"]
    answer = run_action(alice_client, ShelfItem, "take_off", [first, second])
    assert said(alice_client, answer) == "Off the shelf: 2 shelf items."
    assert shown(alice_client, ShelfItem) == []
    answer = run_action(alice_client, ShelfItem, "put_back", [first], query="?put_away=yes")
    assert shown(alice_client, ShelfItem) == ["A"]


def test_topics_on_the_page_of_a_contact(alice, alice_client, aiko):
    topic = Topic.objects.create(owner=alice, name="grids")
    lines = formset("contact_topics", {"topic": topic.pk, "side": "seeks"})
    data = {"name": "Aiko Tanabe"} | NO_LINES | lines
    assert alice_client.post(change_url(aiko), data).status_code == 302
    assert aiko.topics["seeks"] == [topic]
    assert Contact.objects.search("grids").get() == aiko


def test_many_seek_or_offer_a_topic(alice, alice_client, aiko):
    ben = make_contact(alice, "Ben")
    answers = {"side": "offers", "name": "Grids"}
    answer = run_action(alice_client, Contact, "add_topic", [aiko, ben], **answers)
    assert said(alice_client, answer).startswith("2 people noted to know about Grids.")
    answer = run_action(alice_client, Contact, "add_topic", [aiko, ben], **answers)
    assert said(alice_client, answer).startswith("Nobody needed that: nothing is changed.")
    assert ContactTopic.objects.filter(side="offers").count() == 2
    assert Contact.objects.search("grids").count() == 2
    page = run_action(alice_client, Contact, "add_topic", [ben], side="seeks", name="a, b")
    assert "Leave the comma out" in page.content.decode()


def test_a_renamed_topic_is_found_by_its_new_name(alice, alice_client, aiko):
    aiko.set_topics("seeks", ["grids"])
    topic = Topic.objects.get()
    edit_list(alice_client, Topic, topic, name="networks")
    assert Contact.objects.search("networks").get() == aiko
    assert not Contact.objects.search("grids").exists()


def test_topics_that_mean_the_same_become_one(alice, alice_client, aiko):
    ben = make_contact(alice, "Ben")
    aiko.set_topics("seeks", ["grids", "grid"])
    ben.set_topics("offers", ["grid"])
    item = make_item(alice, topics=["grid", "power grids"])
    rows = Topic.objects.for_user(alice)
    answer = run_action(alice_client, Topic, "merge", rows, name="grids")
    assert said(alice_client, answer) == "Made one of 3 topics: grids."
    [kept] = rows.all()
    assert (aiko.topics["seeks"], ben.topics["offers"]) == ([kept], [kept])
    assert list(item.topics.all()) == [kept]
    assert Contact.objects.search("grids").count() == 2


def test_a_deleted_topic_leaves_its_people(alice, alice_client, aiko):
    aiko.set_topics("seeks", ["grids"])
    aiko.reindex()
    run_action(alice_client, Topic, "delete_rows", Topic.objects.all())
    assert Contact.objects.get() == aiko
    assert not Contact.objects.search("grids").exists()


def test_people_of_a_topic_are_counted_once(alice, alice_client, aiko):
    aiko.set_topics("seeks", ["grids"])
    aiko.set_topics("offers", ["grids"])
    page = alice_client.get(list_url(Topic))
    assert [row.people for row in page.context["cl"].result_list] == [1]
