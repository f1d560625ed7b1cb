"""What one sees and does on the pages of introductions."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact, Organisation
from followups.models import Action, FollowUp, Interaction
from introductions import asking, offering
from introductions.models import Introduction, Offer, Stage
from tests.factories import make_contact
from tests.followups.doing import MONDAY, answer

pytestmark = pytest.mark.django_db
LIST = "/introductions/"
NEW = "/introductions/new/"


def filled(introducer="Ruth Abernathy", wanted="Ingrid Solberg", **more):
    return {"introducer": introducer, "wanted": wanted, "key": uuid.uuid4()} | more


def url_of(name, row):
    return reverse(f"introductions:{name}", args=[row.pk])


def text(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def page_of(client, row):
    return text(client.get(row.get_absolute_url()))


@pytest.fixture
def asked(ruth):
    return asking.ask(ruth, "Ingrid Solberg", MONDAY, why="She plans grids")


@pytest.fixture
def offer(daniel, beatriz):
    return offering.offer(daniel, beatriz, "Both teach.")


# The list


def test_the_first_visit_says_how_to_begin(alice_client):
    page = text(alice_client.get(LIST))
    assert "Who knows somebody you would like to meet?" in page
    assert 'id="q"' not in page


def test_the_list_shows_what_waits_what_is_under_way_offered_and_done(
    alice, alice_client, ruth, asked, offer
):
    let_go = asking.ask(ruth, "Noor Saleh", MONDAY)
    asking.let_go(let_go)
    page = text(alice_client.get(LIST))
    for words in ("Waiting for you", "Asked of others", "Offered by you", "Done", "Noor Saleh"):
        assert words in page
    assert "asked today, comes back today" in page
    assert "Ask Daniel" in page


@pytest.mark.parametrize(
    ("words", "found"),
    [("solberg", True), ("RUTH", True), ("plans", True), ("ruth grids", True), ("ziegler", False)],
)
def test_search_finds_every_word_in_who_through_whom_and_why(alice_client, asked, words, found):
    page = text(alice_client.get(LIST, {"q": words}))
    assert (asked.get_absolute_url() in page) == found
    assert ("Nothing with" in page) != found


def test_search_ignores_accents(alice_client, ruth):
    asking.ask(ruth, "Zoë Müller", MONDAY)
    assert "Zoë Müller" in text(alice_client.get(LIST, {"q": "zoe muller"}))


def test_the_list_has_pages(alice, alice_client, ruth):
    Introduction.objects.bulk_create(
        Introduction(owner=alice, introducer=ruth, wanted=f"Person {n}!", asked_on=MONDAY)
        for n in range(31)
    )
    first = text(alice_client.get(LIST, {"q": "person"}))
    assert "?q=person&amp;page=2" in first
    assert "Person 0!" not in first
    assert "Person 0!" in text(alice_client.get(LIST, {"q": "person", "page": 2}))


def test_as_many_queries_for_3_as_for_30(alice, alice_client):
    counts = []
    for size in (3, 27):
        for n in range(size):
            one, other = (make_contact(alice, f"{name} {size} {n}") for name in ("A", "B"))
            asking.ask(one, "Somebody", MONDAY)
            offering.offer(one, other)
        with CaptureQueriesContext(connection) as queries:
            text(alice_client.get(LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Asking


def test_asking_takes_two_names(alice, alice_client, ruth):
    response = alice_client.post(NEW, filled("ruth abernathy", "somebody in grid planning"))
    introduction = Introduction.objects.get()
    assert response["Location"] == introduction.get_absolute_url()
    assert (introduction.owner, introduction.introducer) == (alice, ruth)
    assert (introduction.wanted, introduction.target) == ("somebody in grid planning", None)
    assert "Could you introduce me to somebody in grid planning?" in page_of(
        alice_client, introduction
    )


def test_a_name_of_the_notebook_is_that_person(alice_client, ruth, ingrid):
    alice_client.post(NEW, filled(wanted="ingrid solberg"))
    introduction = Introduction.objects.get()
    assert (introduction.target, introduction.wanted) == (ingrid, "Ingrid Solberg")


def test_the_page_knows_whom_it_was_opened_for_among_namesakes(alice, alice_client, ruth):
    make_contact(alice, "Ruth Abernathy")
    address = f"{NEW}?introducer={ruth.pk}"
    assert 'value="Ruth Abernathy"' in text(alice_client.get(address))
    alice_client.post(address, filled())
    assert Introduction.objects.get().introducer == ruth
    page = text(alice_client.post(NEW, filled()), 422)
    assert "You know 2 people of that name." in page


@pytest.mark.parametrize("wanted", ["x", "", "9" * 30, "-1", "0"])
def test_a_bent_address_asks_for_nobody(alice_client, wanted):
    assert alice_client.get(NEW, {"introducer": wanted}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"introducer": ""}, "Write the name of somebody in your notebook."),
        ({"introducer": "Nobody Known"}, "Nobody of that name is in your notebook yet."),
        ({"wanted": ""}, "Write a name, or a few words about whom you look for."),
        ({"wanted": "\u202e"}, "Write a name, or a few words about whom you look for."),
        ({"wanted": "Ruth Abernathy"}, "Choose two different people."),
        ({"how": "asked", "on": "2999-01-01"}, "That day has not come yet."),
        ({"how": "asked", "on": "soon"}, "Write a date."),
        ({"how": "asked", "on": "1826-01-01"}, "more than a hundred years ago"),
    ],
)
def test_a_wrong_form_says_so_in_a_sentence_and_asks_nobody(alice_client, ruth, fields, sentence):
    assert sentence in text(alice_client.post(NEW, filled(**fields)), 422)
    assert not Introduction.objects.exists()
    assert not FollowUp.objects.exists()


def test_how_far_it_is_decides_what_comes_next(alice_client, ruth):
    asked_on = MONDAY - timedelta(days=3)
    alice_client.post(NEW, filled(wanted="One", how="asked", on=asked_on))
    until = MONDAY + timedelta(days=2)
    alice_client.post(NEW, filled(wanted="Two", how="promised", until=until))
    alice_client.post(NEW, filled(wanted="Three", how="promised"))
    one, two, three = (Introduction.objects.get(wanted=name) for name in ("One", "Two", "Three"))
    assert (one.stage, one.asked_on) == (Stage.ASKED, asked_on)
    assert FollowUp.objects.get(playbook__slug="introduction-asked").step == 1
    assert two.stage == three.stage == Stage.PROMISED
    waits = FollowUp.objects.get(playbook__slug="they-promised")
    assert waits.next_on == until + timedelta(days=1)


def test_the_lines_to_forward_are_drafted_before_anything_is_judged(alice_client, ruth):
    data = filled(introducer="", why="she plans grids", ask="how", draft="yes")
    for headers in ({}, {"HX-Request": "true", "HX-Target": "introduction-form"}):
        page = text(alice_client.post(NEW, data, headers=headers))
        assert "My name is Alice." in page
        assert "She plans grids." in page
        assert "What I would like to ask: how." in page
        assert 'aria-invalid="true"' not in page
    assert page.strip().startswith("<form")
    assert not Introduction.objects.exists()


def test_the_same_form_twice_is_one_introduction(alice_client, ruth):
    data = filled()
    assert len({alice_client.post(NEW, data)["Location"] for _ in range(2)}) == 1
    assert Introduction.objects.count() == FollowUp.objects.count() == 1


def test_who_wants_no_contact_is_said_in_the_form(alice_client, ruth):
    Contact.objects.filter(pk=ruth.pk).update(do_not_contact=True)
    assert "marked as do not contact" in text(alice_client.post(NEW, filled()), 422)


# One introduction


def test_the_page_drafts_the_mail_that_asks_and_takes_what_came_of_it(alice_client, ruth, asked):
    page = page_of(alice_client, asked)
    assert "Could you introduce me to Ingrid Solberg?" in page
    assert "She plans grids." in page
    assert f'action="/follow-ups/{FollowUp.objects.get().pk}/outcome/"' in page
    for name in ("promised", "made", "declined"):
        assert url_of(f"introduction_{name}", asked) in page


def test_promised_says_when_it_comes_back(alice_client, asked):
    until = MONDAY + timedelta(days=4)
    data = {"until": until, "key": uuid.uuid4()}
    for _ in range(2):
        response = alice_client.post(url_of("introduction_promised", asked), data, follow=True)
    page = text(response)
    assert "Ruth promised to introduce you to Ingrid Solberg." in page
    assert "Ruth comes back on Mon 16 Nov" in page
    assert Interaction.objects.count() == 1


def test_a_bent_date_of_a_promise_is_refused_in_a_sentence(alice_client, asked):
    address = url_of("introduction_promised", asked)
    assert "Write a date." in text(alice_client.post(address, {"until": "soon"}, follow=True))
    asked.refresh_from_db()
    assert asked.stage == Stage.ASKED


def test_what_cannot_be_is_said_and_changes_nothing(alice_client, asked):
    response = alice_client.post(url_of("introduction_thanked", asked), follow=True)
    assert "There is nothing to tell yet" in text(response)


def test_made_with_somebody_new_makes_the_person(alice, alice_client, asked):
    data = {
        "person": " Ingrid  Solberg ",
        "email": "ingrid@example.org",
        "organisation_name": "Aster",
        "note": "You two should talk.",
        "key": uuid.uuid4(),
    }
    for _ in range(2):
        alice_client.post(url_of("introduction_made", asked), data)
    ingrid = Contact.objects.get(name="Ingrid Solberg")
    assert (ingrid.owner, ingrid.organisation) == (alice, Organisation.objects.get(name="Aster"))
    assert ingrid.emails.get().address == "ingrid@example.org"
    assert Contact.objects.for_user(alice).search("ingrid aster").get() == ingrid
    asked.refresh_from_db()
    assert (asked.stage, asked.target) == (Stage.MADE, ingrid)
    page = page_of(alice_client, asked)
    assert "Ingrid comes next" in page
    assert "You two should talk." in text(alice_client.get(asked.introducer.get_absolute_url()))


def test_made_with_somebody_known_adds_nobody(alice_client, asked, ingrid):
    data = {"person": "ingrid solberg", "email": "ingrid@example.org"}
    alice_client.post(url_of("introduction_made", asked), data)
    assert Contact.objects.filter(name__iexact="ingrid solberg").get() == ingrid
    assert ingrid.emails.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"person": ""}, "Write a name. Everything else can wait."),
        ({"person": "Ruth Abernathy"}, "Choose two different people."),
        ({"email": "ingrid"}, "Write the whole address"),
        ({"on": "2999-01-01"}, "That day has not come yet."),
    ],
)
def test_a_wrong_form_makes_nobody(alice_client, asked, fields, sentence):
    data = {"person": "Ingrid Solberg"} | fields
    response = alice_client.post(url_of("introduction_made", asked), data)
    assert sentence in text(response, 422)
    assert Contact.objects.count() == 1


def test_undo_stands_on_the_page_until_something_newer_happened(alice_client, ruth, asked):
    undo = "/follow-ups/undo/"
    assert undo in page_of(alice_client, asked)
    alice_client.post(url_of("introduction_declined", asked), {"key": uuid.uuid4()})
    action = Action.objects.latest("pk")
    assert f"{undo}{action.pk}/" in page_of(alice_client, asked)
    answer(ruth)
    assert undo not in page_of(alice_client, asked)


def test_undoing_the_asking_leads_to_the_list(alice_client, asked):
    page = page_of(alice_client, asked)
    assert f'name="next" value="{LIST}"' in page
    action = Action.objects.get()
    response = alice_client.post(f"/follow-ups/undo/{action.pk}/", {"next": LIST}, follow=True)
    assert "Undone." in text(response)
    assert not Introduction.objects.exists()


def test_the_thanks_tell_how_it_went(alice_client, ruth, asked, ingrid):
    asking.made(asked, ingrid, MONDAY)
    answer(ingrid)
    page = page_of(alice_client, asked)
    assert "Tell Ruth how it went" in page
    assert "thank you for introducing me to Ingrid Solberg on 9 November." in page
    assert "We have been in touch since 9 November" in page
    assert "There is no e-mail address of Ruth Abernathy" in page
    response = alice_client.post(url_of("introduction_thanked", asked), follow=True)
    assert "Ruth knows how it went." in text(response)
    answer(ingrid, outcome="met", channel="meeting")
    asked.refresh_from_db()
    assert asked.stage == Stage.THANKED


def test_a_button_comes_back_to_where_it_was_pressed(alice_client, asked):
    address = url_of("introduction_let_go", asked)
    assert alice_client.post(address, {"next": "/"})["Location"] == "/"


def test_no_button_leads_elsewhere(alice_client, asked):
    address = url_of("introduction_let_go", asked)
    for evil in ("https://example.org/", "//example.org/"):
        assert alice_client.post(address, {"next": evil})["Location"] == asked.get_absolute_url()


@pytest.mark.parametrize("name", ["promised", "declined", "thanked", "let_go"])
def test_reading_an_address_moves_nothing(alice_client, asked, name):
    assert alice_client.get(url_of(f"introduction_{name}", asked)).status_code == 405


def test_bob_finds_nothing(bob_client, asked, offer, ruth):
    for name in ("introduction", "introduction_edit", "introduction_made"):
        assert bob_client.get(url_of(name, asked)).status_code == 404
    for name in ("promised", "declined", "thanked", "let_go"):
        assert bob_client.post(url_of(f"introduction_{name}", asked)).status_code == 404
    for name in ("offer", "offer_edit"):
        assert bob_client.get(url_of(name, offer)).status_code == 404
    for name in ("ask", "answer", "told", "made", "let_go"):
        data = {"side": "one", "answer": "yes"}
        assert bob_client.post(url_of(f"offer_{name}", offer), data).status_code == 404
    assert bob_client.get(url_of("chain", ruth)).status_code == 404
    page = text(bob_client.post(f"{NEW}?introducer={ruth.pk}", filled()), 422)
    assert "Nobody of that name" in page


# Editing


def test_words_and_days_are_edited_and_the_draft_follows(alice_client, asked):
    edit = url_of("introduction_edit", asked)
    page = text(alice_client.get(edit))
    assert "My name is Alice." in page
    assert 'name="made_on"' not in page
    asked_on = MONDAY - timedelta(days=2)
    data = {"wanted": "Ingrid S.", "ask": "how", "asked_on": asked_on, "blurb": "My own lines."}
    assert alice_client.post(edit, data).status_code == 302
    asked.refresh_from_db()
    assert (asked.wanted, asked.why, asked.ask) == ("Ingrid S.", "", "how")
    assert asked.asked_on == asked_on
    follow_up = FollowUp.objects.get()
    assert follow_up.purpose == "an introduction to Ingrid S."
    assert (follow_up.facts["wanted"], follow_up.facts["blurb"]) == ("Ingrid S.", "My own lines.")
    asking.declined(asked)
    follow_up.refresh_from_db()
    assert follow_up.ending == "declined"


def test_the_days_stay_in_order(alice_client, asked, ingrid):
    asking.made(asked, ingrid, MONDAY)
    data = {"asked_on": MONDAY, "made_on": MONDAY - timedelta(days=1)}
    page = text(alice_client.post(url_of("introduction_edit", asked), data), 422)
    assert "That is before the step before it." in page


def test_the_one_who_is_asked_cannot_become_the_one_who_is_wanted(alice_client, asked):
    data = {"wanted": "Ruth Abernathy", "asked_on": MONDAY}
    page = text(alice_client.post(url_of("introduction_edit", asked), data), 422)
    assert "Choose two different people." in page


# Offers


def test_an_offer_takes_two_names(alice_client, daniel, beatriz):
    data = {"one": "Daniel Mbeki", "other": "beatriz duarte", "key": uuid.uuid4()}
    for _ in range(2):
        alice_client.post("/introductions/offers/new/", data)
    offer = Offer.objects.get()
    assert (offer.one, offer.other) == (daniel, beatriz)
    page = page_of(alice_client, offer)
    assert "Ask Daniel" in page
    assert "Ask Beatriz" in page


def test_two_people_are_two(alice_client, daniel):
    data = {"one": "Daniel Mbeki", "other": "Daniel Mbeki"}
    page = text(alice_client.post("/introductions/offers/new/", data), 422)
    assert "Choose two different people." in page


def test_both_are_asked_answer_and_are_connected(alice_client, offer):
    for side in ("one", "other"):
        alice_client.post(url_of("offer_ask", offer), {"side": side})
        data = {"side": side, "answer": "yes", "key": uuid.uuid4()}
        for _ in range(2):
            alice_client.post(url_of("offer_answer", offer), data)
    assert Interaction.objects.count() == 2
    page = page_of(alice_client, offer)
    assert "Intro: Daniel Mbeki &lt;&gt; Beatriz Duarte" in page
    response = alice_client.post(url_of("offer_made", offer), follow=True)
    assert "That counts as given to both." in text(response)
    assert "It stands among what you gave to both." in page_of(alice_client, offer)


def test_a_no_is_told_to_who_waits_without_a_reason(alice_client, offer):
    alice_client.post(url_of("offer_ask", offer), {"side": "other", "spoken": "yes"})
    alice_client.post(url_of("offer_answer", offer), {"side": "one", "answer": "no"})
    page = page_of(alice_client, offer)
    assert "Tell Beatriz that it does not fit at the moment" in page
    alice_client.post(url_of("offer_told", offer), {"side": "other"})
    offer.refresh_from_db()
    assert offer.ended_on == MONDAY
    assert "It did not fit" in page_of(alice_client, offer)


@pytest.mark.parametrize("side", ["", "both", "1"])
def test_a_side_that_is_none_is_refused(alice_client, offer, side):
    for name in ("ask", "answer", "told"):
        response = alice_client.post(url_of(f"offer_{name}", offer), {"side": side})
        assert response.status_code == 302
    assert not Interaction.objects.exists()
    assert not FollowUp.objects.exists()


def test_an_answer_that_is_none_is_no_no(alice_client, offer):
    alice_client.post(url_of("offer_answer", offer), {"side": "one"})
    offer.refresh_from_db()
    assert (offer.one_answer, offer.ended_on) == ("not_asked", None)


def test_the_reason_is_edited(alice_client, offer):
    alice_client.post(url_of("offer_edit", offer), {"why": "Both garden."})
    assert "Both garden." in page_of(alice_client, offer)


# On a person's page


def test_a_person_shows_how_one_is_connected(alice, alice_client, ruth, asked, offer, daniel):
    page = text(alice_client.get(ruth.get_absolute_url()))
    assert "you asked Ruth, Mon 9 Nov" in page
    assert f"{NEW}?introducer={ruth.pk}" in page
    assert "you would like to connect them" in text(alice_client.get(daniel.get_absolute_url()))
