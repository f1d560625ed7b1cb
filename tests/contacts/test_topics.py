"""What people look for and know about, as topics: the form, the page, search, merging."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.forms.people import TopicsField
from contacts.models import Contact, ContactTopic, Topic
from contacts.twins.merging import absorb
from tests.contacts.test_contact import NEW, errors, filled
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
SEEKS, OFFERS = ContactTopic.Side.SEEKS, ContactTopic.Side.OFFERS


def topics(contact):
    """Return {side: [names]}."""
    return {side: [topic.name for topic in found] for side, found in contact.topics.items()}


def test_topics_are_written_with_commas(alice, alice_client):
    data = filled(seeks_topics=" Data  stories, grids ,", offers_topics="audits")
    alice_client.post(NEW, data)
    contact = Contact.objects.get()
    assert topics(contact) == {"seeks": ["Data stories", "grids"], "offers": ["audits"]}
    page = alice_client.get(contact.get_absolute_url()).content.decode()
    assert "?q=Data%20stories" in page


def test_the_form_takes_them_off_again(alice, alice_client):
    contact = make_contact(alice)
    contact.set_topics(SEEKS, ["grids", "data"])
    url = f"/people/{contact.pk}/edit/"
    assert 'value="data, grids"' in alice_client.get(url).content.decode()
    alice_client.post(url, filled(seeks_topics="data"))
    assert topics(contact) == {"seeks": ["data"], "offers": []}
    assert not Contact.objects.search("grids").exists()


def test_one_topic_whatever_its_case(alice, bob):
    for owner, name in ((alice, "Data Stories"), (alice, "data stories"), (bob, "DATA STORIES")):
        make_contact(owner, name).set_topics(SEEKS, [name])
    assert sorted(Topic.objects.for_user(alice).values_list("name", flat=True)) == ["Data Stories"]
    assert Topic.objects.count() == 2


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("", []),
        (" , ,", []),
        ("a, b", ["a", "b"]),
        ("Énergie, energie, ENERGIE", ["Énergie"]),
        ("two  words\u200b", ["two words"]),
    ],
)
def test_what_is_written_is_cleaned(written, names):
    assert TopicsField().clean(written) == names


def test_too_long_and_too_many_are_refused_with_a_sentence(alice_client):
    page = errors(alice_client.post(NEW, filled(seeks_topics="x" * 101)))
    assert "put a comma between two" in page
    many = ", ".join(map(str, range(21)))
    assert "Keep to 20 topics" in errors(alice_client.post(NEW, filled(offers_topics=many)))
    assert not Topic.objects.exists()


def test_people_are_found_by_topic(alice):
    contact = make_contact(alice)
    contact.set_topics(OFFERS, ["Énergie verte"])
    contact.reindex()
    assert Contact.objects.search("energie VERTE").get() == contact


def test_known_topics_are_offered_after_what_was_written(alice, alice_client, bob):
    for owner, name in ((alice, "Énergie"), (alice, "grids"), (bob, "energy of Bob")):
        Topic.objects.create(owner=owner, name=name)
    page = alice_client.get("/people/topics/", {"seeks_topics": "grids, energ"})
    assert page.content.decode().strip() == '<option value="grids, Énergie"></option>'
    assert not alice_client.get("/people/topics/", {"topics": "grids,"}).content.strip()


def test_as_many_queries_for_3_topics_as_for_20(alice):
    contact, counts = make_contact(alice), []
    for many in (3, 20):
        with CaptureQueriesContext(connection) as queries:
            contact.set_topics(SEEKS, [f"{many}-{number}" for number in range(many)])
            contact.reindex()
            assert len(contact.topics["seeks"]) == many
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_two_entries_become_one_with_the_topics_of_both(alice):
    kept, other = make_contact(alice, "A"), make_contact(alice, "B")
    kept.set_topics(SEEKS, ["both", "first"])
    other.set_topics(SEEKS, ["both", "second"])
    other.set_topics(OFFERS, ["both"])
    absorb(kept, other)
    assert topics(kept) == {"seeks": ["both", "first", "second"], "offers": ["both"]}
    assert Contact.objects.search("second").get() == kept
