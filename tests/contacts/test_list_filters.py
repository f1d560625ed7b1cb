"""Narrowing the people list: filters that go together, phrases, and who is nearly meant."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from contacts.models import Contact, Organisation
from followups.models import Channel, Interaction, Outcome
from netcrm.localtime import instant
from tests.factories import make_contact

LIST = "/people/"


def names(response):
    return [contact.name for contact in response.context["page"].rows]


def chosen(response):
    return [each.label for each in response.context["page"].chosen]


@pytest.fixture
def notebook(alice):
    """Alumni and data people, at Aster and elsewhere."""
    aster = Organisation.objects.create(owner=alice, name="Aster Labs")
    for name, tags, organisation, days in (
        ("Aiko", ["Alumni", "data"], aster, 400),
        ("Bea", ["Alumni"], aster, 10),
        ("Cora", ["data"], None, None),
        ("Dan", ["Alumni", "data"], None, 100),
    ):
        contact = make_contact(alice, name, organisation=organisation)
        for tag in tags:
            contact.tag(tag)
        if days:
            contact.touch(alice.today() - timedelta(days=days))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"tagged": "alumni"}, ["Aiko", "Bea", "Dan"]),
        ({"tagged": ["ALUMNI", "data"]}, ["Aiko", "Dan"]),
        ({"tagged": "nothing"}, []),
        ({"at": "aster labs"}, ["Aiko", "Bea"]),
        ({"at": "Aster"}, []),
        ({"spoken": "over-1-year"}, ["Aiko"]),
        ({"spoken": "over-3-month"}, ["Aiko", "Dan"]),
        ({"spoken": "within-1-month"}, ["Bea"]),
        ({"spoken": "nonsense"}, ["Aiko", "Bea", "Cora", "Dan"]),
        ({"at": "Aster Labs", "tagged": "data", "spoken": "over-6-month"}, ["Aiko"]),
        ({"tagged": "data", "show": "new"}, ["Cora"]),
        ({"q": "dan", "tagged": "alumni"}, ["Dan"]),
    ],
)
def test_filters_go_together(notebook, alice_client, asked, shown):
    assert names(alice_client.get(LIST, asked)) == shown


def test_somebody_elses_tags_and_organisations_find_nobody(notebook, bob, bob_client):
    make_contact(bob, "Ruth")
    for asked in ({"tagged": "Alumni"}, {"at": "Aster Labs"}):
        assert names(bob_client.get(LIST, asked)) == []
    assert names(bob_client.get(LIST, {"q": "at Aster Labs"})) == []


def test_every_filter_can_be_taken_off_alone_or_with_all_others(notebook, alice_client):
    asked = {"tagged": ["Alumni", "data"], "at": "Aster Labs", "spoken": "over-1-year"}
    response = alice_client.get(LIST, asked | {"sort": "quiet"})
    page = response.context["page"]
    assert chosen(response) == ["Alumni", "data", "Aster Labs", "Last spoken over a year ago"]
    for each in page.chosen:
        left = chosen(alice_client.get(LIST + each.without))
        assert left == [label for label in chosen(response) if label != each.label]
    assert page.cleared == "?sort=quiet"


def test_the_form_of_the_filters_shows_what_is_chosen(notebook, alice_client):
    html = alice_client.get(
        LIST, {"tagged": "Alumni", "at": "Aster Labs", "spoken": "in-2020", "known": "in-2019"}
    ).content.decode()
    assert 'name="tagged" value="Alumni" checked' in html
    assert 'name="at" value="Aster Labs"' in html
    assert '<option value="in-2020" selected>In 2020</option>' in html
    # It has no field of its own for it, so it carries it along.
    assert 'type="hidden" name="known" value="in-2019"' in html


# By days


def test_met_means_a_meeting_and_no_other_talk(alice, alice_client):
    today = alice.today()
    for name, outcome, day in (
        ("Met", Outcome.MET, today),
        ("Called", Outcome.TALKED, today),
        ("Long ago", Outcome.MET, today - timedelta(days=60)),
    ):
        Interaction.objects.create(
            owner=alice,
            contact=make_contact(alice, name),
            channel=Channel.MEETING,
            outcome=outcome,
            on=day,
        )
    assert names(alice_client.get(LIST, {"q": "met today"})) == ["Met"]
    assert names(alice_client.get(LIST, {"met": "within-3-month"})) == ["Long ago", "Met"]


def test_the_day_of_adding_is_the_owners(alice, alice_client):
    alice.time_zone = "Pacific/Auckland"
    alice.save(update_fields=["time_zone"])
    today = alice.today()
    for name, at in (
        ("First", instant(today, 0, alice.time_zone)),
        ("Before", instant(today, 0, alice.time_zone) - timedelta(seconds=1)),
        ("Last", instant(today + timedelta(days=1), 0, alice.time_zone) - timedelta(seconds=1)),
    ):
        contact = make_contact(alice, name)
        Contact.objects.filter(pk=contact.pk).update(created_at=at)
    assert names(alice_client.get(LIST, {"q": "added today"})) == ["First", "Last"]
    assert names(alice_client.get(LIST, {"q": "added yesterday"})) == ["Before"]


def test_known_since_is_the_year_on_the_page(alice, alice_client):
    for year in (2018, 2019, 2020):
        make_contact(alice, f"Of {year}", known_since=date(year, 12, 31))
    make_contact(alice, "Of old")
    assert names(alice_client.get(LIST, {"q": "known since 2019"})) == ["Of 2019"]
    assert names(alice_client.get(LIST, {"q": "known before 2019"})) == ["Of 2018"]


# Phrases


def test_a_phrase_becomes_a_filter_to_take_off_and_the_rest_is_searched(notebook, alice_client):
    response = alice_client.get(LIST, {"q": "last spoke over a year ago at aster labs aiko"})
    assert names(response) == ["Aiko"]
    assert chosen(response) == ["Aster Labs", "Last spoken over a year ago"]
    page = response.context["page"]
    assert page.asked.address() == "?q=aiko&at=Aster+Labs&spoken=over-1-year"
    assert 'value="aiko"' in response.content.decode()


def test_a_typed_tag_joins_those_that_are_chosen(notebook, alice_client):
    response = alice_client.get(LIST, {"q": "#data", "tagged": "alumni"})
    assert names(response) == ["Aiko", "Dan"]


def test_a_word_that_may_be_a_name_hides_nobody_who_has_it(alice, alice_client):
    make_contact(alice, "Lena Due")
    make_contact(alice, "Priya Raman")
    response = alice_client.get(LIST, {"q": "due"})
    assert names(response) == ["Lena Due"]
    assert response.context["page"].may_mean == ("?show=due", "Due now")
    assert "Or everyone under “Due now”" in response.content.decode()


def test_a_word_that_nobody_has_is_the_filter_that_it_says(alice, alice_client):
    make_contact(alice, "Priya Raman", last_interaction_on=timezone.now())
    response = alice_client.get(LIST, {"q": "Resting"})
    assert response.context["page"].asked.show == "resting"
    assert "Nobody is resting." in response.content.decode()


# Nobody


def test_who_is_nearly_called_that_is_offered(alice, bob, alice_client):
    priya = make_contact(alice, "Priya Ramanathan")
    make_contact(bob, "Priya Ramanathen")
    html = alice_client.get(LIST, {"q": "priya ramanatan"}).content.decode()
    assert "Did you mean one of these?" in html
    assert priya.get_absolute_url() in html
    assert "Ramanathen" not in html


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"tagged": "gone"}, "Nobody has this tag any more."),
        ({"at": "Nowhere & Co"}, "You know nobody at Nowhere &amp; Co yet."),
        ({"spoken": "in-1999"}, "Nobody fits these days."),
        ({"show": "due", "tagged": "gone"}, "Nobody is all of this at once."),
        ({"q": "zzz", "show": "due"}, "Take a filter off, or try fewer letters."),
    ],
)
def test_an_empty_list_says_why(alice, alice_client, asked, sentence):
    make_contact(alice)
    assert sentence in alice_client.get(LIST, asked).content.decode()
