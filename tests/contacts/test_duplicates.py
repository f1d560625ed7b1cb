"""Who stands in the notebook twice: found with a reason, the surest first, and never said again
once two were told apart."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactEmail, ContactLink, ContactPhone, NotSame, Organisation
from contacts.twins.duplicates import PAGE, SHARED_AT_MOST, TwinsPage
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
TWINS = reverse("contacts:twins")


@pytest.fixture
def aster(alice):
    return Organisation.objects.create(owner=alice, name="Aster")


def email(contact, address="priya@example.org"):
    ContactEmail.objects.create(owner=contact.owner, contact=contact, address=address)


def phone(contact, number="+436601234567"):
    ContactPhone.objects.create(owner=contact.owner, contact=contact, number=number)


def link(contact, url="https://www.linkedin.com/in/priya"):
    ContactLink.objects.create(owner=contact.owner, contact=contact, url=url)


def found(owner, after=""):
    """Return [(names, reason)] of the first page."""
    return [
        (f"{pair.contact} = {pair.other}", pair.reason) for pair in TwinsPage(owner, after).pairs
    ]


@pytest.mark.parametrize(
    ("line", "first", "second", "reason"),
    [
        (email, "Priya@Example.org", "priya@example.org", "the same e-mail address"),
        (link, *["https://www.linkedin.com/in/priya"] * 2, "the same profile link"),
    ],
)
def test_what_one_person_has_alone_makes_a_pair(alice, line, first, second, reason):
    line(make_contact(alice, "Priya Raman"), first)
    line(make_contact(alice, "P. R."), second)
    assert found(alice) == [("Priya Raman = P. R.", reason)]


@pytest.mark.parametrize("line", [phone, lambda who: link(who, "https://example.org/team")])
def test_a_number_or_a_page_counts_together_with_a_word_of_the_name(alice, line):
    for name in ("Priya Raman", "P. Raman", "Jonas Weber"):
        line(make_contact(alice, name))
    assert [names for names, _ in found(alice)] == ["Priya Raman = P. Raman"]


@pytest.mark.parametrize("url", ["http://example.org/team", "https://www.example.org/team/"])
def test_a_page_is_one_however_it_is_addressed(alice, url):
    link(make_contact(alice, "Priya Raman"), "https://example.org/team")
    link(make_contact(alice, "P. Raman"), url)
    assert found(alice) == [("Priya Raman = P. Raman", "the same link")]


def test_what_an_office_shares_makes_no_pair(alice):
    for number in range(SHARED_AT_MOST + 1):
        email(make_contact(alice, f"Somebody{number}"), "office@example.org")
    assert found(alice) == []


def test_nearly_the_same_name_at_one_organisation(alice, aster):
    make_contact(alice, "Émilie Böhm", organisation=aster)
    make_contact(alice, "E. Bohm", organisation=aster)
    make_contact(alice, "Jonas Weber", organisation=aster)
    make_contact(alice, "E. Bohm-Keller")
    assert found(alice) == [
        ("Émilie Böhm = E. Bohm", "nearly the same name, both at Aster"),
    ]


def test_the_same_name_unless_they_work_elsewhere(alice, aster):
    other = Organisation.objects.create(owner=alice, name="Birch")
    make_contact(alice, "Ana Núñez", organisation=aster)
    make_contact(alice, "Ana Nunez", organisation=other)
    assert found(alice) == []
    make_contact(alice, "ana nunez")
    assert [reason for _, reason in found(alice)] == ["the same name"] * 2


@pytest.mark.parametrize(
    ("first", "second"), [("Anna M. Weber", "Anna M Weber"), ("Anne-Marie Beck", "Anne Marie Beck")]
)
def test_points_and_hyphens_make_no_other_name(alice, first, second):
    make_contact(alice, first)
    make_contact(alice, second)
    assert found(alice) == [(f"{first} = {second}", "the same name")]


def test_two_profiles_are_two_people_whatever_they_are_called(alice, aster):
    for path in ("a", "b"):
        link(
            make_contact(alice, "Ana Nunez", organisation=aster),
            f"https://www.linkedin.com/in/{path}",
        )
    assert found(alice) == []


def test_the_surest_come_first_and_say_everything(alice, aster):
    for name in ("Jonas Weber", "J. Weber"):
        make_contact(alice, name, organisation=aster)
    for name in ("Priya Raman", "Priya Raman"):
        email(who := make_contact(alice, name, organisation=aster))
        link(who)
    assert [reason for _, reason in found(alice)] == [
        "the same profile link, the same e-mail address, the same name, both at Aster",
        "nearly the same name, both at Aster",
    ]


def test_whoever_is_put_away_is_left_in_peace(alice):
    for _ in range(2):
        email(who := make_contact(alice))
    who.archive()
    assert found(alice) == []


def test_another_notebook_is_another_world(alice, bob):
    for owner in (alice, bob):
        email(make_contact(owner))
    assert found(alice) == found(bob) == []


def test_every_pair_is_on_one_page_exactly(alice):
    for number in range(PAGE + 5):
        for _ in range(2):
            make_contact(alice, f"Somebody Number{number}")
    first = TwinsPage(alice)
    second = TwinsPage(alice, first.next)
    assert (len(first.pairs), len(second.pairs), second.next) == (PAGE, 5, "")
    assert len({pair.contact.pk for page in (first, second) for pair in page.pairs}) == PAGE + 5


@pytest.mark.parametrize("after", ["x", "1:2", "-1:2:x", "9" * 40 + ":1:1", "\0"])
def test_an_address_that_cannot_be_read_is_the_first_page(alice, after):
    assert TwinsPage(alice, after).is_first


def test_two_people_are_remembered_until_undone(alice, alice_client):
    one, other = make_contact(alice), make_contact(alice)
    assert "The same person" in alice_client.get(TWINS).text
    for _ in range(2):
        page = alice_client.post(
            reverse("contacts:twins_differ", args=[other.pk, one.pk]), follow=True
        )
    assert "Nobody stands here twice" in page.text
    assert page.text.count('method="post"') == page.text.count("csrfmiddlewaretoken")
    assert NotSame.objects.get().contact == one
    page = alice_client.post(
        reverse("contacts:twins_differ_undo", args=[one.pk, other.pk]), follow=True
    )
    assert "The same person" in page.text


def test_the_answer_stands_in_place_of_the_pair(alice, alice_client):
    one, other = make_contact(alice), make_contact(alice)
    url = reverse("contacts:twins_differ", args=[one.pk, other.pk])
    answer = alice_client.post(url, headers={"HX-Request": "true"})
    assert f'id="twins-{one.pk}-{other.pk}"' in answer.text
    assert "Undo" in answer.text


@pytest.mark.parametrize("name", ["contacts:twins_differ", "contacts:twins_differ_undo"])
def test_bob_says_nothing_about_her_people(alice, bob, bob_client, name):
    hers, his = make_contact(alice), make_contact(bob)
    for pair in ([hers.pk, his.pk], [his.pk, hers.pk], [his.pk, his.pk]):
        assert bob_client.post(reverse(name, args=pair)).status_code == 404
    assert not NotSame.objects.exists()


def test_as_many_queries_for_one_pair_as_for_many(alice, alice_client):
    counts = []
    for name in ("Ana Nunez", "Priya Raman", "Jonas Weber", "Zoe Lang"):
        for _ in range(2):
            email(make_contact(alice, name), f"{name[0]}@example.org")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            alice_client.get(TWINS)
        counts.append(len(queries))
    assert len(set(counts)) == 1
