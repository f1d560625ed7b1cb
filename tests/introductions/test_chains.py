"""Who led to whom, as a tree, from the first coffee to the opening."""

from datetime import timedelta

import pytest
from django.urls import reverse

from contacts.models import Contact
from followups.models import Interaction
from introductions import chains
from introductions.chains import chain_of
from tests.factories import make_contact, make_opening
from tests.followups.doing import MONDAY

pytestmark = pytest.mark.django_db


def drawn(link):
    """Return a tree as nested names: {"Ruth": {"Aiko": {}}}."""
    return {link.contact.name: {k: v for each in link.led_to for k, v in drawn(each).items()}}


def led(user, *names):
    """Make people of whom each led to the next; return them."""
    people = []
    for name in names:
        via = people[-1] if people else None
        people.append(make_contact(user, name, introduced_by=via))
    return people


def test_the_chain_goes_up_to_the_first_person_and_down_to_the_newest(alice):
    ruth, aiko, noor, _ = led(alice, "Ruth", "Aiko", "Noor", "Kenji")
    make_contact(alice, "Marek", introduced_by=ruth)  # beside the way
    make_contact(alice, "Lena", introduced_by=noor)
    chain = chain_of(noor)
    assert drawn(chain.first) == {"Ruth": {"Aiko": {"Noor": {"Kenji": {}, "Lena": {}}}}}
    assert (chain.people, chain.cut) == (4, False)
    assert drawn(chain_of(aiko).first)["Ruth"]["Aiko"]["Noor"].keys() == {"Kenji", "Lena"}


def test_somebody_alone_is_a_chain_of_one(alice):
    assert drawn(chain_of(make_contact(alice, "Ruth")).first) == {"Ruth": {}}


def test_a_circle_ends_where_it_began(alice):
    ruth, aiko, noor = led(alice, "Ruth", "Aiko", "Noor")
    Contact.objects.filter(pk=ruth.pk).update(introduced_by=noor)
    assert drawn(chain_of(aiko).first) == {"Noor": {"Ruth": {"Aiko": {}}}}
    Contact.objects.filter(pk=ruth.pk).update(introduced_by=ruth)
    assert drawn(chain_of(ruth).first) == {"Ruth": {"Aiko": {"Noor": {}}}}


def test_a_long_chain_and_a_large_one_are_cut(alice, monkeypatch):
    monkeypatch.setattr(chains, "DEEPEST", 2)
    people = led(alice, *"ABCDEFG")
    chain = chain_of(people[3])
    assert drawn(chain.first) == {"B": {"C": {"D": {"E": {"F": {}}}}}}
    assert chain.cut
    monkeypatch.setattr(chains, "MOST_PEOPLE", 3)
    chain = chain_of(people[3])
    assert drawn(chain.first) == {"B": {"C": {"D": {}}}}
    assert chain.cut


def test_the_page_shows_the_way_from_the_first_coffee_to_the_opening(alice, alice_client):
    ruth, aiko = led(alice, "Ruth Abernathy", "Aiko Tanabe")
    for days in (30, 2):
        Interaction.objects.create(
            owner=alice, contact=ruth, outcome="met", on=MONDAY - timedelta(days=days)
        )
    make_opening(alice, "Service designer", [aiko])
    address = reverse("introductions:chain", args=[aiko.pk])
    page = alice_client.get(address).content.decode()
    assert "2 coffees, first Sat 10 Oct" in page
    assert "Service designer, heard of" in page
    assert 'aria-current="true"' in page


def test_as_many_queries_for_3_people_as_for_30(alice, django_assert_num_queries):
    ruth, *_ = led(alice, "Ruth", "Aiko", "Noor")
    with django_assert_num_queries(3):
        chain_of(ruth)
    for n in range(27):
        make_contact(alice, f"Person {n}", introduced_by=ruth)
    with django_assert_num_queries(3):
        assert chain_of(ruth).people == 29
