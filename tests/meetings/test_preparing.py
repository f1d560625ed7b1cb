"""Before a meeting: what to know, to ask and to take along."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactTopic, Topic
from followups import pursuing
from followups.models import Channel, Outcome
from followups.pursuing import Entry
from giveback.models import GiveBack
from meetings import preparing
from meetings.models import Advice, Debrief, Question
from tests.factories import make_contact, make_follow_up, make_meeting

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HTMX = {"HX-Request": "true"}
PROMPTS = [text for _, texts in preparing.TIARA for text in texts]


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


@pytest.fixture
def coffee(aiko):
    return make_meeting(aiko, starts_at=NOW + DAY)


def url(name, row):
    return reverse(f"meetings:{name}", args=[row.pk])


def page_of(client, meeting):
    return client.get(meeting.get_absolute_url()).content.decode()


def know_much_about(person):
    """Fill in everything that the page shows of somebody."""
    owner = person.owner
    note = Entry(Channel.CALL, Outcome.TALKED, owner.today() - DAY, note="She likes the lido")
    pursuing.log(person, note)
    for side in ("seeks", "offers"):
        topic, _ = Topic.objects.get_or_create(owner=owner, name=f"{side} & more")
        ContactTopic.objects.create(owner=owner, contact=person, topic=topic, side=side)
    common = {"owner": owner, "contact": person}
    GiveBack.objects.create(**common, what="The template", state="promised", due_on=owner.today())
    GiveBack.objects.create(**common, what="A link", state="idea")
    make_follow_up(person, "they-promised", purpose="Her slides")
    talk = make_meeting(person, starts_at=NOW - 60 * DAY, state="held")
    debrief = Debrief.objects.create(owner=owner, meeting=talk, saved_at=NOW)
    Advice.objects.create(**common, debrief=debrief, text="Draw the waiting")


# What to know


def test_the_page_brings_together_what_is_known(alice_client, aiko, coffee):
    know_much_about(aiko)
    page = page_of(alice_client, coffee)
    for words in (
        "She likes the lido",
        "seeks &amp; more",
        "offers &amp; more",
        "The template",
        "A link",
        "Her slides",
        "Draw the waiting",
    ):
        assert words in page, words


def test_what_is_settled_is_left_out(alice, alice_client, aiko, coffee):
    know_much_about(aiko)
    GiveBack.objects.update(state="done", done_on=alice.today())
    Advice.objects.update(told_on=alice.today())
    pursuing.end(aiko.follow_ups.get(), "replied")
    page = page_of(alice_client, coffee)
    assert not [w for w in ("The template", "A link", "Her slides", "Draw the") if w in page]


def test_only_the_last_conversations_with_a_note(aiko, coffee):
    for number in range(5):
        entry = Entry(Channel.NOTE, Outcome.NOTED, NOW.date() - number * DAY, note=f"No {number}")
        pursuing.log(aiko, entry)
    pursuing.log(aiko, Entry(Channel.CALL, Outcome.TALKED, NOW.date()))
    [person] = preparing.people(coffee)
    assert [row.note for row in person.conversations] == ["No 0", "No 1", "No 2"]


def test_somebody_new_is_no_empty_card(alice_client, coffee):
    assert "How did you come across Aiko?" in page_of(alice_client, coffee)


def test_as_many_queries_for_2_people_as_for_10(alice, alice_client):
    counts = []
    for size in (2, 10):
        people = [make_contact(alice, f"Person {size} {number}") for number in range(size)]
        meeting = make_meeting(*people, starts_at=NOW + DAY)
        for person in people:
            know_much_about(person)
            Question.objects.create(owner=alice, meeting=meeting, text=person.name)
        with CaptureQueriesContext(connection) as queries:
            page_of(alice_client, meeting)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# What to ask


def test_every_letter_of_tiara_has_its_questions():
    assert "".join(topic[0] for topic, _ in preparing.TIARA) == "TIARA"
    assert len(PROMPTS) == len(set(PROMPTS))
    assert all(len(text) <= 300 for text in PROMPTS)


def test_a_prompt_becomes_a_question_with_one_tap_and_is_offered_no_more(alice_client, coffee):
    headers = HTMX | {"HX-Target": "questions"}
    data = {"text": PROMPTS[0]}
    page = alice_client.post(url("question_new", coffee), data, headers=headers).content.decode()
    assert page.strip().startswith("<section")
    assert f'value="{PROMPTS[0]}"' not in page
    assert f'value="{PROMPTS[1]}"' in page
    alice_client.post(url("question_new", coffee), data)
    assert [question.text for question in coffee.questions.all()] == [PROMPTS[0]]


def test_questions_of_my_own_are_ticked_and_removed(alice_client, coffee):
    response = alice_client.post(url("question_new", coffee), {"text": " Why\nthen? "})
    assert response["Location"] == coffee.get_absolute_url()
    question = coffee.questions.get()
    assert (question.text, question.asked) == ("Why then?", False)
    for asked in (True, False):
        data = {"asked": "on"} if asked else {}
        alice_client.post(url("question_asked", question), data)
        question.refresh_from_db()
        assert question.asked is asked
    alice_client.post(url("question_delete", question))
    assert not coffee.questions.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "Write a question, or take one of those below."),
        ("x" * 301, "Keep a question to 300 letters."),
    ],
)
def test_a_question_that_is_none_is_said_so(alice_client, coffee, words, sentence):
    response = alice_client.post(url("question_new", coffee), {"text": words})
    assert response.status_code == 422
    assert sentence in response.content.decode()


@pytest.mark.parametrize("name", ["question_asked", "question_delete"])
def test_somebody_elses_question_is_not_there(alice, alice_client, bob_client, coffee, name):
    question = Question.objects.create(owner=alice, meeting=coffee, text="Why?")
    assert bob_client.post(url(name, question)).status_code == 404
    assert alice_client.get(url(name, question)).status_code == 405
    assert Question.objects.filter(pk=question.pk, asked=False).exists()


# What to take along


def test_the_checklist_is_ticked_in_place(alice_client, coffee):
    headers = HTMX | {"HX-Target": "checklist"}
    ticked = {"point": "wallet", "ready": "on"}
    for _ in range(2):
        page = alice_client.post(url("ready", coffee), ticked, headers=headers).content.decode()
    assert page.strip().startswith("<section")
    assert "1 of 5 points are ready" in page
    alice_client.post(url("ready", coffee), {"point": "route", "ready": "on"})
    alice_client.post(url("ready", coffee), {"point": "wallet"})
    alice_client.post(url("ready", coffee), {"point": "horse", "ready": "on"})
    coffee.refresh_from_db()
    assert coffee.ready == ["route"]


def test_points_count_the_checklist_and_the_purpose(aiko):
    meeting = make_meeting(
        aiko, state="proposed", purpose="Advice", ready=["wallet", "route", "of another version"]
    )
    assert (meeting.points_ready, meeting.points) == (3, 5)


# On paper and on the phone


def test_the_page_asks_to_be_kept_on_the_device(alice_client, coffee):
    page = page_of(alice_client, coffee)
    assert f'data-keep="{reverse("meetings:service_worker")}"' in page
    # What the script looks for, to say that the page is an old one.
    worker = alice_client.get(reverse("meetings:service_worker"))
    assert worker["Content-Type"].startswith("text/javascript")
    script = worker.content.decode()
    for mark in ('id="kept" hidden', '<span id="kept-at"></span>'):
        assert mark in page
        assert mark in script


def test_names_in_words(alice):
    names = ["Aiko Tanabe", "Ruth Abernathy", "Noor Saleh", "Daniel Mbeki"]
    people = [make_contact(alice, name) for name in names]
    said = [make_meeting(*people[:count], state="proposed").names for count in (1, 2, 3, 4)]
    assert said == [
        "Aiko Tanabe",
        "Aiko Tanabe and Ruth Abernathy",
        "Aiko Tanabe, Ruth Abernathy and Noor Saleh",
        "Aiko Tanabe, Ruth Abernathy and 2 others",
    ]
