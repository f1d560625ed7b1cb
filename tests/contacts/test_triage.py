"""Going through the people of an import, one card at a time."""

import pytest

from contacts.models import Contact, ImportRow
from followups.models import FollowUp
from tests.conftest import client_of
from tests.contacts.test_importing import linkedin, many, person, worked_off
from tests.factories import make_follow_up

HTMX = {"HX-Request": "true", "HX-Target": "card"}


@pytest.fixture
def job(alice):
    people = [person("Aiko", "Tanabe"), person("Ben", "Osei"), person("Chloé", "Roy")]
    return worked_off(alice, linkedin(*people))


@pytest.fixture
def say(alice_client, job):
    def say(said, who="Aiko Tanabe", row=None, **data):
        row = row or ImportRow.objects.get(contact__name=who)
        address = f"/people/import/answer/{row.pk}/"
        answer = alice_client.post(address, {"said": said, **data}, headers=HTMX)
        return answer.content.decode()

    return say


def aiko():
    return Contact.objects.get(name="Aiko Tanabe")


@pytest.mark.parametrize(("said", "days"), [("close", 42), ("light", 182)])
def test_keeping_somebody_close_or_light_gives_them_a_rhythm(say, said, days):
    page = say(said)
    assert aiko().rhythm_days == days
    assert "Ben Osei" in page
    assert "2 of 3" in page


def test_putting_somebody_away(say):
    say("archive")
    assert aiko().archived_at


def test_nobody_who_is_pursued_is_put_away(alice, say):
    contact = aiko()
    contact.owner = alice
    make_follow_up(contact)
    page = say("archive")
    assert "still has a follow-up" in page
    assert "1 of 3" in page
    assert not aiko().archived_at


def test_whoever_was_deleted_meanwhile_is_passed_over(say):
    row = ImportRow.objects.get(contact=aiko())
    aiko().delete()
    page = say("close", row=row)
    assert "Ben Osei" in page


def test_a_tag_stays_on_the_card(say):
    page = say("tag", name="alumni")
    assert "1 of 3" in page
    assert [str(tag) for tag in aiko().tags.all()] == ["alumni"]
    say("undo")
    assert not aiko().tags.exists()


def test_a_tag_needs_a_name(say):
    assert "Write a word or two for the tag." in say("tag", name=" ")


def test_a_follow_up_begins(say):
    say("begin")
    assert FollowUp.objects.get().contact == aiko()


@pytest.mark.parametrize("said", ["close", "light", "archive", "begin"])
def test_every_answer_can_be_undone_from_the_next_card(say, said):
    assert "data-undo" in say(said)
    page = say("undo")
    assert "1 of 3" in page
    assert "data-undo" not in page
    contact = aiko()
    assert (contact.rhythm_days, contact.archived_at) == (None, None)
    assert not FollowUp.objects.exists()
    assert "triage" not in ImportRow.objects.get(contact=contact).after


def test_undoing_twice_is_harmless(say):
    say("close")
    say("undo")
    say("undo")
    assert aiko().rhythm_days is None


def test_a_second_answer_is_undone_back_to_the_first(say):
    say("close")
    say("light")
    say("undo")
    assert aiko().rhythm_days == 42


def test_whoever_comes_back_goes_on_where_they_were(alice_client, job, say):
    say("close")
    page = alice_client.get(f"/people/import/{job.pk}/triage/").content.decode()
    assert "2 of 3" in page
    assert "Ben Osei" in page


def test_back_and_forward(alice_client, job):
    rows = list(job.rows.all())
    page = alice_client.get(f"/people/import/{job.pk}/triage/?row={rows[1].pk}").content.decode()
    assert f'data-back href="/people/import/{job.pk}/triage/?row={rows[0].pk}"' in page
    assert f'data-forward href="/people/import/{job.pk}/triage/?row={rows[2].pk}"' in page


def test_the_last_answer_ends_it(say):
    for name in ("Aiko Tanabe", "Ben Osei", "Chloé Roy"):
        page = say("close", name)
    assert "That was the last card" in page


def test_it_works_without_scripts(alice_client, job):
    row = job.rows.first()
    answer = alice_client.post(f"/people/import/answer/{row.pk}/", {"said": "close"}, follow=True)
    page = answer.content.decode()
    assert "<html" in page
    assert "Ben Osei" in page


def test_people_who_were_known_or_are_gone_are_not_shown(alice, alice_client, job):
    Contact.objects.filter(name="Aiko Tanabe").delete()
    page = alice_client.get(f"/people/import/{job.pk}/triage/").content.decode()
    assert "1 of 2" in page
    assert "Ben Osei" in page


def test_an_answer_that_is_none_changes_nothing(say):
    say("nonsense")
    assert aiko().rhythm_days is None


@pytest.mark.parametrize("rows", [3, 30])
def test_a_card_takes_as_many_queries_whatever_the_import(
    alice, alice_client, rows, django_assert_num_queries
):
    job = worked_off(alice, many(rows))
    with django_assert_num_queries(13):
        alice_client.get(f"/people/import/{job.pk}/triage/")


def test_nobody_answers_for_somebody_else(alice, bob, job):
    row = job.rows.first()
    client = client_of(bob)
    assert client.get(f"/people/import/{job.pk}/triage/").status_code == 404
    answer = client.post(f"/people/import/answer/{row.pk}/", {"said": "archive"})
    assert answer.status_code == 404
    assert not Contact.objects.exclude(archived_at=None).exists()
