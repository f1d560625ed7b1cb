"""Looking through everything that one wrote: rooms, words, marks."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Organisation
from followups import pursuing
from followups.models import Channel, FollowUp, Outcome
from giveback.models import GiveBack, ShelfItem
from introductions.models import Introduction, Offer
from meetings.models import Advice, Debrief, Meeting
from tests.factories import make_contact, make_follow_up, make_opening
from today.search import EXCERPT, asked, excerpt, find, mark

pytestmark = pytest.mark.django_db
EVERYWHERE = [
    "People",
    "Coffees",
    "Introductions",
    "Giving back",
    "Openings",
    "Conversations",
    "Lessons",
    "Advice",
]


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel("2026-11-23T07:00:00+00:00", tick=False):
        yield


def shown(client, q, **headers):
    response = client.get("/search/", {"q": q}, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def write(owner, word, name="Ruth Abernathy"):
    """Write a word once into every room."""
    person, other = make_contact(owner, name), make_contact(owner, f"Other {word}")
    mine = {"owner": owner}
    meeting = Meeting.objects.create(
        **mine, purpose=f"Ask about {word}", starts_at="2026-11-20T09:00Z", time_zone="UTC"
    )
    meeting.attendees.create(**mine, contact=person)
    debrief = Debrief.objects.create(**mine, meeting=meeting, lesson=f"First the {word}")
    Advice.objects.create(**mine, debrief=debrief, contact=person, text=f"Read about {word}")
    Introduction.objects.create(
        **mine, introducer=person, wanted=f"Somebody in {word}", asked_on="2026-11-20"
    )
    Offer.objects.create(**mine, one=person, other=other, why=f"Both do {word}")
    GiveBack.objects.create(**mine, contact=person, what=f"An article on {word}")
    ShelfItem.objects.create(**mine, title=f"Notes on {word}")
    make_opening(owner, f"A role in {word}", [person])
    entry = pursuing.Entry(Channel.CALL, Outcome.TALKED, owner.today(), note=f"Loves {word}.")
    pursuing.log(person, entry)
    follow_up = make_follow_up(person)
    FollowUp.objects.filter(pk=follow_up.pk).update(lesson=f"Begin with {word}")
    return person


def test_every_room_is_looked_through(alice, alice_client):
    write(alice, "pottery")
    assert [group.name for group in find(alice, "pottery")] == EVERYWHERE
    page = shown(alice_client, "pottery")
    for sentence in ("An article on", "A role in", "Loves", "Begin with", "Both do", "First the"):
        assert f"{sentence} <mark>pottery</mark>" in page, sentence


def test_only_ones_own(alice, bob, bob_client):
    write(alice, "pottery")
    assert find(bob, "pottery") == []
    assert "Abernathy" not in shown(bob_client, "pottery")


def test_words_in_any_order_accents_and_case_ignored(alice):
    make_opening(alice, "Gärtnerin in Łódź")
    for q in ("lodz", "lodz GÄRT", "gart", "in łódź"):
        assert [group.name for group in find(alice, q)] == ["Openings"], q
    assert find(alice, "lodz elsewhere") == []


def test_a_name_alone_finds_the_person_and_not_every_word_with_them(alice):
    write(alice, "pottery")
    names = [group.name for group in find(alice, "abernathy")]
    assert "People" in names
    assert not {"Conversations", "Lessons", "Advice"} & set(names)
    assert "Conversations" in [group.name for group in find(alice, "abernathy pottery")]


def test_at_most_five_and_then_the_way_to_the_list(alice, alice_client):
    for number in range(6):
        make_opening(alice, f"Planner {number}")
    [group] = find(alice, "planner")
    assert len(group.lines) == 5
    assert (group.has_more, group.url) == (True, "/openings/?q=planner")
    assert "/openings/?q=planner" in shown(alice_client, "planner")
    person = make_contact(alice, "Ruth")
    for day in range(6):
        note = pursuing.Entry(Channel.NOTE, Outcome.NOTED, alice.today(), note=f"Pots {day}")
        pursuing.log(person, note)
    assert "There are more. Another word narrows them." in shown(alice_client, "pots")


def test_as_many_queries_for_much_as_for_little(alice, alice_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(alice_client, "pottery")
        return len(captured)

    write(alice, "pottery")
    few = queries()
    for number in range(4):
        person = write(alice, "pottery", f"P {number}")
        person.organisation = Organisation.find_or_create(alice, [f"O {number}"])[f"o {number}"]
        person.save()
    assert queries() == few


@pytest.mark.parametrize(
    ("q", "sentence"),
    [
        ("", "What do you remember of it?"),
        ("  \0 ", "What do you remember of it?"),
        ("a", "One letter more"),
        ("zzz", "Nothing with “zzz”"),
        ("<b>", "Nothing with “&lt;b&gt;”"),
        ("x" * 300, "Nothing with “" + "x" * 200 + "”"),
        ("a b c d e f g h i j k l", "Nothing with"),
        ("%_\\", "Nothing with"),
    ],
)
def test_whatever_is_typed_gets_a_sentence(alice, alice_client, q, sentence):
    make_contact(alice)
    assert sentence in shown(alice_client, q)


def test_one_letter_of_another_script_is_a_word(alice):
    assert asked(" 李 ") == "李"
    make_contact(alice, "李 小龙")
    assert [group.name for group in find(alice, "李")] == ["People"]


def test_it_answers_in_place(alice, alice_client):
    make_opening(alice, "Planner")
    headers = {"HX-Request": "true", "HX-Target": "found"}
    part = shown(alice_client, "plan", **headers)
    assert part.lstrip().startswith('<div id="found">')
    assert "<mark>Plan</mark>ner" in part


# Marks


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Łukasz met Zoë", ["lukasz", "ZOE"], "<mark>Łukasz</mark> met <mark>Zoë</mark>"),
        ("Zoe\u0308 said", ["zoë"], "<mark>Zoe\u0308</mark> said"),
        ("Straße 1", ["strasse"], "<mark>Straße</mark> 1"),
        ("banana", ["ana"], "b<mark>anana</mark>"),
        ("a <b> & c", ["b"], "a &lt;<mark>b</mark>&gt; &amp; c"),
        ("<script>", ["script"], "&lt;<mark>script</mark>&gt;"),
        ("amp & more", ["amp"], "<mark>amp</mark> &amp; more"),
        ("nothing", ["xyz"], "nothing"),
        ("", ["xyz"], ""),
    ],
)
def test_the_words_are_marked_and_the_rest_is_escaped(text, words, marked):
    assert mark(text, words) == marked


def test_an_excerpt_stands_around_the_first_word():
    text = "before " * 40 + "the needle " + "after " * 40
    found = excerpt(["hay", text], ["NEEDLE"])
    assert found.startswith("… ")
    assert found.endswith(" …")
    assert "the needle after" in found
    assert len(found) <= EXCERPT + 4
    assert excerpt(["a short needle"], ["needle"]) == "a short needle"
    assert excerpt(["hay"], ["needle"]) == ""
