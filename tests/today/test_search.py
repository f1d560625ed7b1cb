"""Looking through everything that one wrote: rooms, words, marks."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, Organisation
from followups import pursuing
from followups.models import Channel, FollowUp, Interaction, Outcome
from giveback.models import GiveBack, ShelfItem
from introductions.models import Introduction, Offer
from meetings.models import Advice, Debrief, Meeting
from tests.factories import make_contact, make_follow_up, make_opening
from today.marking import EXCERPT, excerpt, mark, mark_near, unseen
from today.search import asked, find

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
    assert queries() <= few


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
        ("word " * 2000, "Nothing with"),
        ("0" * 20, "Nothing with"),
        ("' OR 1=1 --", "Nothing with"),
        (":* & | ! <->", "Nothing with"),
        ("👍", "Nothing with"),
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


def test_while_one_types_people_come_first_and_ask_for_the_rest(alice, alice_client):
    write(alice, "planner")
    headers = {"HX-Request": "true", "HX-Target": "found"}
    part = shown(alice_client, "plan", **headers)
    assert part.lstrip().startswith('<div id="found">')
    assert "Other <mark>plan</mark>ner" in part
    assert "A role in" not in part
    address = re.search(r'hx-get="([^"]+)"', part)[1].replace("&amp;", "&")
    assert address == "/search/?q=plan&people=1"
    response = alice_client.get(address, headers={"HX-Request": "true", "HX-Target": "rest"})
    rest = response.content.decode()
    assert rest.lstrip().startswith('<div id="rest">')
    assert "A role in <mark>plan</mark>ner" in rest
    assert "in-people" not in rest


def test_nothing_is_said_only_when_every_room_was_looked_through(alice, alice_client):
    headers = {"HX-Request": "true", "HX-Target": "found"}
    assert "Nothing with" not in shown(alice_client, "zzz", **headers)
    for people, said in (("0", True), ("1", False), ("-1", True), ("x", True), ("", True)):
        address = f"/search/?q=zzz&people={people}"
        response = alice_client.get(address, headers={"HX-Request": "true", "HX-Target": "rest"})
        assert ("Nothing with" in response.content.decode()) == said, people


def test_who_is_called_nearly_that_comes_below(alice, alice_client):
    make_contact(alice, "Priya Raman")
    make_contact(alice, "Daniel Mbeki")
    page = shown(alice_client, "pirya")
    assert "Nearly the same" in page
    assert "<mark>Priya</mark> Raman" in page
    assert "Mbeki" not in page
    # Who was found as typed is not shown again.
    assert [group.name for group in find(alice, "priya")] == ["People"]


def test_nearly_is_not_asked_for_when_enough_are_found(alice):
    make_contact(alice, "Priay Raman")
    for number in range(5):
        make_contact(alice, f"Priya {number}")
    assert [group.name for group in find(alice, "priya")] == ["People"]
    Contact.objects.filter(name="Priya 4").delete()
    assert [group.name for group in find(alice, "priya")] == ["People", "Nearly the same"]


def test_what_was_found_is_shown_wherever_it_stands(alice):
    priya = make_contact(alice, "Priya Raman", details=[["Flute", "Hobby"]])
    priya.emails.create(owner=alice, address="p.raman@example.org")
    priya.phones.create(owner=alice, number="+442079460127")
    priya.links.create(owner=alice, url="https://example.net/%C3%A9lan/priya-r")
    priya.tag("alumni")
    for q, excerpt_ in {
        "p.raman@": "<mark>p.raman@</mark>example.org",
        "(020) 7946": "+44 <mark>20 7946</mark> 0127",
        "elan/priya-r": "example.net/<mark>élan/priya-r</mark>",
        "priya alum": "<mark>alum</mark>ni",
        "flute": "Hobby: <mark>Flute</mark>",
    }.items():
        [group] = find(alice, q)
        assert [line.excerpt for line in group.lines] == [excerpt_], q


def test_three_hundred_conversations_with_the_same_word(alice):
    priya = make_contact(alice, "Priya Raman")
    Interaction.objects.bulk_create(
        Interaction(owner=alice, contact=priya, outcome=Outcome.TALKED, on=day, note="About pots.")
        for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(300))
    )
    [group] = find(alice, "pots")
    assert (group.name, len(group.lines), group.has_more) == ("Conversations", 5, True)
    assert group.lines[0].on == date(2026, 10, 27)


@pytest.mark.parametrize(
    ("note", "found", "not_found"),
    [
        ("Write to jo@aster-labs.example", ["jo@aster", "aster-labs", "labs", "jo"], ["bo@aster"]),
        ("He knows C++ and C", ["c++", "C"], ["c#"]),
        ("Ça va à Łódź, straße 5", ["ca lodz", "STRASSE", "strass 5"], ["odz"]),
        ("O’Brien's idea", ["o'brien", "o’brien", "brien"], ["obrient"]),
        ("A plan—“quick”, she said…then", ["plan", "quick", "said", "then"], ["hen"]),
        ("東京で会った", ["会っ", "東京"], ["大阪"]),
        ("مرحبا بكم", ["بك"], ["كم"]),
        ("Fine 👍🏽 day", ["👍🏽", "fine 👍🏽"], ["👎"]),
        ("5 % of it_all \\ or less", ["%", "it_all", "\\", "5 %"], ["_%", "6 %"]),
        (
            "A 'quoted' (word) & <b>more</b>",
            ["'quoted'", "(word)", "more", "quoted word"],
            ["!x"],
        ),
    ],
)
def test_words_of_notes(alice, note, found, not_found):
    person = make_contact(alice, "Zed")
    entry = pursuing.Entry(Channel.NOTE, Outcome.NOTED, alice.today(), note=note)
    pursuing.log(person, entry)
    for q in found:
        assert [group.name for group in find(alice, q)] == ["Conversations"], q
    for q in not_found:
        assert find(alice, q) == [], q


def test_a_phrase_leads_to_the_list_that_it_asks_for(alice, alice_client):
    make_contact(alice, "Ruth", notes="We had not spoken for 6 months then")
    page = shown(alice_client, "not spoken for 6 months")
    [address] = re.findall(r'class="chip" href="(/people/\?[^"]+)"', page)
    assert "Ruth" in page
    assert alice_client.get(address.replace("&amp;", "&")).status_code == 200
    for no_phrase in ("six months", "#nobody", "word " * 2000):
        assert "of whom this is true" not in shown(alice_client, no_phrase)


def test_a_phrase_that_finds_no_words_is_still_understood(alice_client):
    rest = {"HX-Request": "true", "HX-Target": "rest"}
    for headers in ({}, rest):
        assert "Nothing with" not in shown(alice_client, "never contacted", **headers)


def test_the_search_is_on_every_page(alice_client):
    for address in ("/", "/people/", "/settings/"):
        page = alice_client.get(address).content.decode()
        assert '<dialog id="find"' in page
        assert page.count('href="/search/" data-dialog="find"') == 2
    assert '<dialog id="find"' not in shown(alice_client, "x")


# Marks


@pytest.mark.parametrize(
    ("text", "q", "marked"),
    [
        ("Łukasz met Zoë", "lukasz ZOE", "<mark>Łukasz</mark> met <mark>Zoë</mark>"),
        ("Zoe\u0308 said", "zoë", "<mark>Zoe\u0308</mark> said"),
        ("Straße 1", "strasse", "<mark>Straße</mark> 1"),
        ("İstanbul", "istanbul", "<mark>İstanbul</mark>"),
        ("banana", "ana", "b<mark>anana</mark>"),
        ("Maeve O’Brien", "obrien", "Maeve <mark>O’Brien</mark>"),
        ("Maeve OBrien", "o'brien", "Maeve <mark>OBrien</mark>"),
        ("Anne-Marie", "anne", "<mark>Anne</mark>-Marie"),
        ("Anne-Marie", "annemarie", "<mark>Anne-Marie</mark>"),
        ("+44 20 7946 0127", "(020) 79460127", "+44 <mark>20 7946 0127</mark>"),
        ("+44–20 7946 0127", "020 7946–0127", "+44–<mark>20 7946 0127</mark>"),
        ("Call 2026-11-23", "2026-11-23", "Call <mark>2026-11-23</mark>"),
        ("C++ and C", "c++", "<mark>C++</mark> and C"),
        ("東京タワー", "京タ", "東<mark>京タ</mark>ワー"),
        ("a <b> & c", "b", "a &lt;<mark>b</mark>&gt; &amp; c"),
        ("<script>", "script", "&lt;<mark>script</mark>&gt;"),
        ("amp & more", "amp", "<mark>amp</mark> &amp; more"),
        ("nothing", "xyz", "nothing"),
        ("", "xyz", ""),
        ("something", "", "something"),
    ],
)
def test_the_words_are_marked_and_the_rest_is_escaped(text, q, marked):
    assert mark(text, q) == marked


@pytest.mark.parametrize(
    ("text", "q", "marked"),
    [
        ("Priya Raman", "pirya", "<mark>Priya</mark> Raman"),
        ("Zoë O’Brien", "obrein", "Zoë <mark>O’Brien</mark>"),
        ("Priya <Raman>", "pirya raman", "<mark>Priya</mark> &lt;<mark>Raman</mark>&gt;"),
        ("Aster Labs", "pirya", "Aster Labs"),
    ],
)
def test_the_word_that_is_most_like_it_is_marked(text, q, marked):
    assert mark_near(text, q) == marked


def test_what_is_not_seen_in_the_texts():
    assert unseen(["Priya Raman", "Aster"], "priya aster") == ""
    assert unseen(["Priya Raman"], "alumni priya 0660 123") == "0660 123 alumni"


def test_an_excerpt_stands_around_the_first_word():
    text = "before " * 40 + "the needle " + "after " * 40
    found = excerpt(["hay", text], "NEEDLE")
    assert found.startswith("… ")
    assert found.endswith(" …")
    assert "the needle after" in found
    assert len(found) <= EXCERPT + 4
    assert excerpt(["a short needle"], "needle") == "a short needle"
    assert excerpt(["hay"], "needle") == ""
