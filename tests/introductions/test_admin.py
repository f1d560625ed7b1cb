"""Introductions, many at once, through their verbs."""

import pytest

from followups.models import Action, FollowUp, Via
from introductions import asking, offering
from introductions.models import Introduction, Offer, Stage
from tests.admin.doing import change_url, edit_list, list_url, run_action, said
from tests.factories import make_contact
from tests.followups.doing import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(ruth):
    return asking.ask(ruth, "Noor Saleh", MONDAY)


@pytest.fixture
def made(ruth, ingrid):
    introduction = asking.ask(ruth, "Ingrid Solberg", MONDAY)
    asking.made(introduction, ingrid, MONDAY)
    return introduction


def do(client, model, action, *rows):
    return said(client, run_action(client, model, action, rows))


def test_those_that_were_made_are_thanked_and_the_others_say_why_not(alice_client, made, asked):
    sentence = do(alice_client, Introduction, "thank", made, asked)
    assert sentence == (
        "Thanked: 1 introduction. 1 introduction left as before: There is nothing to tell yet:"
        " that introduction is not made, or is over."
    )
    made.refresh_from_db()
    assert made.stage == Stage.THANKED
    assert Action.objects.latest("pk").via == Via.ADMIN


def test_letting_go_ends_what_is_asked(alice_client, asked, daniel, beatriz):
    assert do(alice_client, Introduction, "let_go", asked) == "Let go: 1 introduction."
    assert not FollowUp.objects.open().exists()
    offer = offering.offer(daniel, beatriz)
    assert do(alice_client, Offer, "let_go", offer) == "Let go: 1 offered introduction."
    offer.refresh_from_db()
    assert offer.ended_on == MONDAY


def test_rows_are_deleted(alice_client, asked):
    assert do(alice_client, Introduction, "delete_rows", asked) == "Deleted 1 introduction."
    assert not Introduction.objects.exists()


def test_words_are_edited_and_the_stage_is_not(alice_client, asked):
    edit_list(alice_client, Introduction, asked, why="She plans", ask="how", stage="thanked")
    asked.refresh_from_db()
    assert (asked.why, asked.ask, asked.stage) == ("She plans", "how", Stage.ASKED)
    assert alice_client.get(change_url(asked)).status_code == 200


@pytest.mark.parametrize("model", [Introduction, Offer])
def test_they_begin_on_their_pages(alice_client, model):
    assert alice_client.get(list_url(model) + "add/").status_code == 403


def test_the_list_is_searched_by_everybody_who_has_to_do_with_it(alice_client, made, asked):
    for words, count in (("ruth", 2), ("ingrid", 1), ("noor", 1), ("nobody", 0)):
        page = alice_client.get(list_url(Introduction, f"?q={words}"))
        assert page.context["cl"].result_count == count


@pytest.mark.parametrize("words", ["O'Brien", "o’brien", "OBrien", "lukasz+brien"])
def test_a_name_is_found_however_it_is_written(alice, alice_client, ingrid, words):
    lukasz = make_contact(alice, "Łukasz O’Brien")
    introduction = asking.ask(lukasz, "Noor Saleh", MONDAY)
    offer = offering.offer(lukasz, ingrid)
    for row in (introduction, offer):
        page = alice_client.get(list_url(type(row), f"?q={words}"))
        assert list(page.context["cl"].result_list) == [row]


def test_other_peoples_rows_stay(bob_client, asked):
    run_action(bob_client, Introduction, "let_go", [asked])
    asked.refresh_from_db()
    assert asked.stage == Stage.ASKED
