"""A person's page, adding and editing, tags, putting away."""

import threading
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from contacts.forms.people import ContactForm
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    Organisation,
    Tag,
    plain,
    tidy_link,
)
from followups.models import Interaction
from netcrm.wording import one_line
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up, make_user

NEW = "/people/new/"


def filled(name="Priya Raman", emails=(), phones=(), links=(), **fields):
    """Return what the browser posts; each line is a dict."""
    data = {"name": name} | fields
    for prefix, lines in {"emails": emails, "phones": phones, "links": links}.items():
        data |= {f"{prefix}-TOTAL_FORMS": len(lines), f"{prefix}-INITIAL_FORMS": 0}
        data[f"{prefix}-INITIAL_FORMS"] = sum("id" in line for line in lines)
        for n, line in enumerate(lines):
            data |= {f"{prefix}-{n}-{key}": value for key, value in line.items()}
    return data


def errors(response):
    assert response.status_code == 422
    return response.content.decode()


# Words


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Łukasz", "lukasz"),
        ("ÉMILE", "emile"),
        ("Søren", "soren"),
        ("Straße", "strasse"),
        ("  a \t b ", "a b"),
        ("Zoe\u0308", "zoë"),
    ],
)
def test_plain(text, same):
    assert plain(text) == plain(same)


def test_one_line():
    assert one_line(" Pri\u2028ya\n\u202eRa\x00man ") == "Pri ya Raman"


@pytest.mark.parametrize(
    ("url", "tidy"),
    [
        ("http://at.linkedin.com/in/Priya/?x=1", "https://www.linkedin.com/in/priya"),
        ("https://linkedin.com/in/priya", "https://www.linkedin.com/in/priya"),
        ("https://www.linkedin.com/company/Aster/", "https://www.linkedin.com/company/Aster/"),
        ("https://notlinkedin.com/in/Priya/", "https://notlinkedin.com/in/Priya/"),
    ],
)
def test_tidy_link(url, tidy):
    assert tidy_link(url) == tidy


# The page


def test_the_page_shows_the_person_and_how_to_reach_them(alice, alice_client):
    ruth = make_contact(alice, "Ruth Abernathy")
    organisation = Organisation.objects.create(owner=alice, name="Lumen Studio")
    aiko = make_contact(
        alice,
        "Aiko Tanabe",
        role="Researcher",
        organisation=organisation,
        introduced_by=ruth,
        notes="Biscuit & tea",
    )
    ContactEmail.objects.create(owner=alice, contact=aiko, address="aiko+x@example.org")
    ContactPhone.objects.create(owner=alice, contact=aiko, number="+436601234567")
    ContactLink.objects.create(owner=alice, contact=aiko, url="https://example.org/aiko")
    content = alice_client.get(aiko.get_absolute_url()).content.decode()
    for words in (
        "Researcher, Lumen Studio",
        "Biscuit &amp; tea",
        "mailto:aiko%2Bx@example.org",
        "tel:+43-660-1234567",
        'href="https://example.org/aiko"',
        "Ruth Abernathy",
    ):
        assert words in content
    assert "Ruth led you to them" in alice_client.get(ruth.get_absolute_url()).content.decode()


def test_the_story_comes_in_parts(alice, alice_client):
    contact = make_contact(alice)
    Interaction.objects.bulk_create(
        Interaction(
            owner=alice,
            contact=contact,
            channel="note",
            outcome="noted",
            note=f"moment {n}!",
            on=alice.today() - timedelta(days=n),
        )
        for n in range(60)
    )
    page = alice_client.get(contact.get_absolute_url()).content.decode()
    assert "moment 49!" in page
    assert "moment 50!" not in page
    assert "?page=2#story" in page
    page = alice_client.get(contact.get_absolute_url(), {"page": 2}).content.decode()
    assert "moment 59!" in page
    assert "Show earlier" not in page


def test_as_many_queries_for_3_moments_as_for_50(alice, alice_client):
    counts = []
    for size in (3, 50):
        contact = make_contact(alice, f"Person {size}")
        for _ in range(3):
            make_contact(alice, introduced_by=contact)
        for n in range(size):
            ContactEmail.objects.create(owner=alice, contact=contact, address=f"{n}@example.org")
        Interaction.objects.bulk_create(
            Interaction(
                owner=alice, contact=contact, channel="call", outcome="talked", on=alice.today()
            )
            for _ in range(size)
        )
        with CaptureQueriesContext(connection) as queries:
            assert alice_client.get(contact.get_absolute_url()).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Adding


def test_a_name_is_enough(alice, alice_client):
    response = alice_client.post(NEW, filled())
    contact = Contact.objects.get()
    assert response.status_code == 302
    assert response["Location"] == contact.get_absolute_url()
    assert (contact.owner, contact.name) == (alice, "Priya Raman")
    assert Contact.objects.for_user(alice).search("priya").exists()


def test_everything_at_once(alice, alice_client):
    ruth = make_contact(alice, "Ruth Abernathy")
    alice_client.post(
        NEW,
        filled(
            role="Research Ops",
            organisation_name=" tidewater  health ",
            introduced_by_name="ruth abernathy",
            known_since="2026-03-11",
            notes="Prefers mornings",
            rhythm_days="42",
            time_zone="Europe/London",
            emails=[{"address": "a@example.org", "label": "work"}, {"address": "b@example.org"}],
            phones=[{"number": "+43 660 1234567"}, {"number": "+44 20 7946 0958", "label": "desk"}],
            links=[{"url": "linkedin.com/in/Priya/"}, {"url": "https://example.org"}],
        ),
    )
    contact = Contact.objects.get(name="Priya Raman")
    assert contact.organisation.name == "tidewater health"
    assert contact.introduced_by == ruth
    assert (contact.rhythm_days, contact.time_zone) == (42, "Europe/London")
    assert [str(row) for row in contact.emails.all()] == ["a@example.org", "b@example.org"]
    assert [row.number.as_e164 for row in contact.phones.all()] == [
        "+436601234567",
        "+442079460958",
    ]
    assert [row.url for row in contact.links.all()] == [
        "https://www.linkedin.com/in/priya",
        "https://example.org",
    ]
    assert Contact.objects.for_user(alice).search("b@example tidewater mornings").get() == contact


def test_an_organisation_is_found_whatever_its_case(alice, alice_client, bob):
    Organisation.objects.create(owner=bob, name="Tidewater Health")
    mine = Organisation.objects.create(owner=alice, name="TIDEWATER Health")
    alice_client.post(NEW, filled(organisation_name="tidewater health"))
    assert Contact.objects.get().organisation == mine
    assert Organisation.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Write a name. Everything else can wait."),
        ({"name": "\u202e"}, "Write a name. Everything else can wait."),
        ({"phones": [{"number": "12"}]}, "That number does not look complete."),
        ({"emails": [{"address": "priya"}]}, "Write the whole address, such as name@example.org"),
        ({"links": [{"url": "javascript:alert(1)"}]}, "Write a web address, such as"),
        ({"links": [{"url": "javascript://example.org/%0aalert(1)"}]}, "Write a web address"),
        ({"links": [{"url": "ftp://example.org"}]}, "Write a web address, such as"),
        ({"links": [{"url": "http://[x"}]}, "Write a web address, such as"),
        ({"introduced_by_name": "Nobody Known"}, "Nobody of that name is in your notebook."),
        ({"emails": [{"address": "p@example.org"}] * 21}, "at most 20"),
    ],
)
def test_a_wrong_form_says_so_in_a_sentence_and_saves_nothing(
    alice, alice_client, fields, sentence
):
    assert sentence in errors(alice_client.post(NEW, filled(**fields)))
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_a_number_without_country_code_belongs_to_the_owners_country():
    carla = make_user("carla@example.org", country="AT")
    client_of(carla).post(NEW, filled(phones=[{"number": "0660 1234567"}]))
    assert ContactPhone.objects.get().number.as_e164 == "+436601234567"


def test_introducers_are_the_owners_and_one_of_two_is_named_with_the_organisation(
    alice, alice_client, bob
):
    make_contact(bob, "Ruth Abernathy")
    data = filled(introduced_by_name="Ruth Abernathy")
    assert "Nobody of that name" in errors(alice_client.post(NEW, data))
    aster = Organisation.objects.create(owner=alice, name="Aster Health")
    make_contact(alice, "Ruth Abernathy")
    second = make_contact(alice, "Ruth Abernathy", organisation=aster)
    assert "You know 2 people of that name." in errors(alice_client.post(NEW, data))
    alice_client.post(NEW, filled(introduced_by_name="ruth abernathy, aster health"))
    assert Contact.objects.get(name="Priya Raman").introduced_by == second


def test_somebody_of_the_same_name_is_added_only_on_purpose(alice, alice_client, bob):
    make_contact(bob, "Priya Raman")
    alice_client.post(NEW, filled())
    assert Contact.objects.for_user(alice).count() == 1
    known = Contact.objects.for_user(alice).get()
    page = errors(alice_client.post(NEW, filled("priya raman")))
    assert "You already have a" in page
    assert known.get_absolute_url() in page
    alice_client.post(NEW, filled("priya raman", anyway="yes"))
    assert Contact.objects.for_user(alice).count() == 2


def test_the_same_form_twice_is_one_person(alice, alice_client):
    data = filled(key=str(uuid.uuid4()), anyway="yes", emails=[{"address": "p@example.org"}])
    first, second = (alice_client.post(NEW, data) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Contact.objects.count() == ContactEmail.objects.count() == 1


def test_the_second_of_two_submissions_is_not_asked_about_the_first(alice, alice_client):
    data = filled(key=str(uuid.uuid4()))
    assert alice_client.post(NEW, data)["Location"] == alice_client.post(NEW, data)["Location"]


@pytest.mark.django_db(transaction=True)
def test_the_same_form_twice_at_once_is_one_person():
    owner = make_user("alice@example.org")
    data = filled(key=str(uuid.uuid4()), anyway="yes")
    answers = []

    def send():
        answers.append(client_of(owner).post(NEW, data))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer["Location"] for answer in answers} == {Contact.objects.get().get_absolute_url()}


def test_another_line_keeps_what_was_typed_and_judges_nothing(alice, alice_client):
    data = filled("", emails=[{"address": "half"}], phones=[{"number": "12"}], add="emails")
    response = alice_client.post(NEW, data)
    content = response.content.decode()
    assert response.status_code == 200
    assert 'name="emails-1-address"' in content
    assert 'name="phones-1-number"' not in content
    assert 'value="half"' in content
    assert 'aria-invalid="true"' not in content
    assert not Contact.objects.exists()


def test_another_line_with_htmx_answers_with_the_form_alone(alice, alice_client):
    headers = {"HX-Request": "true", "HX-Target": "contact-form"}
    for address in (NEW, f"/people/{make_contact(alice).pk}/edit/"):
        content = alice_client.post(address, filled(add="links"), headers=headers).content
        assert content.strip().startswith(b'<form id="contact-form"')
        assert b'name="links-0-url"' in content


@pytest.mark.parametrize("count", ["", "x", "-1", "9" * 20, "٣"])
def test_another_line_of_a_bent_form_does_not_crash(alice_client, count):
    data = filled(add="emails") | {"emails-TOTAL_FORMS": count}
    assert alice_client.post(NEW, data).status_code == 200
    saved = alice_client.post(NEW, filled() | {"emails-TOTAL_FORMS": count})
    assert saved.status_code in (302, 422)


# Editing


def test_editing_changes_lines_and_a_cleared_line_is_removed(alice, alice_client):
    contact = make_contact(alice)
    kept = ContactEmail.objects.create(owner=alice, contact=contact, address="old@example.org")
    gone = ContactEmail.objects.create(owner=alice, contact=contact, address="gone@example.org")
    lines = [
        {"id": kept.pk, "contact": contact.pk, "address": "new@example.org", "label": "home"},
        {"id": gone.pk, "contact": contact.pk, "address": " ", "label": "work"},
        {"address": "third@example.org"},
        {"address": "", "label": "just a label"},
    ]
    edit = f"/people/{contact.pk}/edit/"
    assert alice_client.post(edit, filled("Priya R.", emails=lines)).status_code == 302
    contact.refresh_from_db()
    assert contact.name == "Priya R."
    assert [(row.pk == kept.pk, row.address) for row in contact.emails.all()] == [
        (True, "new@example.org"),
        (False, "third@example.org"),
    ]
    people = Contact.objects.for_user(alice)
    assert people.search("third@").exists()
    assert not people.search("gone@").exists()


def test_editing_leaves_alone_what_the_form_does_not_show(alice):
    contact = make_contact(alice)
    form = ContactForm(QueryDict(urlencode(filled("Priya R."))), instance=contact)
    assert form.is_valid()
    # Meanwhile, in another window, a call was logged.
    Contact.objects.filter(pk=contact.pk).update(last_interaction_on="2026-01-02")
    before = contact.updated_at
    form.save()
    contact.refresh_from_db()
    assert (contact.name, str(contact.last_interaction_on)) == ("Priya R.", "2026-01-02")
    assert contact.updated_at > before


def test_an_introducer_stays_when_there_are_two_of_the_name(alice, alice_client):
    make_contact(alice, "Ruth Abernathy")
    ruth = make_contact(alice, "Ruth Abernathy")
    contact = make_contact(alice, introduced_by=ruth)
    edit = f"/people/{contact.pk}/edit/"
    assert alice_client.post(edit, filled(introduced_by_name="Ruth Abernathy")).status_code == 302
    contact.refresh_from_db()
    assert contact.introduced_by == ruth
    alice_client.post(edit, filled(introduced_by_name=""))
    contact.refresh_from_db()
    assert contact.introduced_by is None


def test_nobody_introduces_themselves(alice, alice_client):
    contact = make_contact(alice)
    data = filled(introduced_by_name="Priya Raman")
    assert "Nobody of that name" in errors(alice_client.post(f"/people/{contact.pk}/edit/", data))


def test_somebody_elses_lines_cannot_be_edited(alice, alice_client, bob):
    mine, theirs = make_contact(alice), make_contact(bob)
    line = ContactEmail.objects.create(owner=bob, contact=theirs, address="bob@example.org")
    lines = [{"id": line.pk, "contact": theirs.pk, "address": "alice@example.org"}]
    assert alice_client.post(f"/people/{mine.pk}/edit/", filled(emails=lines)).status_code == 422
    line.refresh_from_db()
    assert (line.address, line.owner) == ("bob@example.org", bob)


# Tags


def test_a_tag_is_added_once_and_taken_off(alice, alice_client, bob):
    Tag.objects.create(owner=bob, name="alumni")
    contact = make_contact(alice)
    for name in ("Alumni", " alumni "):
        response = alice_client.post(f"/people/{contact.pk}/tags/", {"name": name})
        assert response["Location"] == contact.get_absolute_url()
    tag = contact.tags.get()
    assert (tag.name, tag.owner) == ("Alumni", alice)
    assert Contact.objects.for_user(alice).search("alumni").exists()
    alice_client.post(f"/people/{contact.pk}/tags/{tag.pk}/remove/")
    assert not contact.tags.exists()
    assert not Contact.objects.for_user(alice).search("alumni").exists()


def test_an_empty_tag_is_asked_for(alice, alice_client):
    contact = make_contact(alice)
    page = errors(alice_client.post(f"/people/{contact.pk}/tags/", {"name": " "}))
    assert "Write a word or two for the tag." in page


def test_tagging_with_htmx_answers_with_the_tags_alone(alice, alice_client):
    contact = make_contact(alice)
    headers = {"HX-Request": "true", "HX-Target": "tags"}
    response = alice_client.post(f"/people/{contact.pk}/tags/", {"name": "alumni"}, headers=headers)
    assert response.status_code == 200
    assert b'id="tags"' in response.content
    assert b"alumni" in response.content
    assert b"<html" not in response.content


# Putting away


def test_putting_away_and_bringing_back(alice, alice_client):
    contact = make_contact(alice)
    alice_client.post(f"/people/{contact.pk}/archive/")
    assert not Contact.objects.current().exists()
    page = alice_client.get(contact.get_absolute_url()).content.decode()
    assert "Bring back" in page
    assert "data-undo" in page
    alice_client.post(f"/people/{contact.pk}/restore/")
    assert Contact.objects.current().exists()


def test_who_is_being_pursued_is_not_put_away(alice, alice_client):
    contact = make_contact(alice)
    make_follow_up(contact)
    response = alice_client.post(f"/people/{contact.pk}/archive/", follow=True)
    assert "Priya still has a follow-up." in response.content.decode()
    assert Contact.objects.current().exists()


# Names to choose from


def test_options(alice, alice_client, bob):
    aster = Organisation.objects.create(owner=alice, name="Aster & Co")
    make_contact(alice, "Priya Raman", role="Lead", organisation=aster)
    make_contact(bob, "Priya Other")
    for parameter in ("q", "who", "introduced_by_name"):
        content = alice_client.get("/people/options/", {parameter: "pri"}).content.decode()
        assert content.strip() == '<option value="Priya Raman">Lead, Aster &amp; Co</option>'
    content = alice_client.get("/people/organisations/", {"q": "ast"}).content.decode()
    assert content.strip() == '<option value="Aster &amp; Co"></option>'
    for address in ("/people/options/", "/people/organisations/"):
        assert alice_client.get(address).content.strip() == b""


# Doors

ADDRESSES = ["", "edit/", "archive/", "restore/", "tags/", "tags/1/remove/"]


@pytest.mark.parametrize("tail", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_person_is_not_found(alice, bob_client, tail, method):
    contact = make_contact(alice)
    contact.tag("alumni")
    response = getattr(bob_client, method)(f"/people/{contact.pk}/{tail}", {"name": "x"})
    posts_only = tail not in ("", "edit/")
    wrong_method = (method == "get") == posts_only and tail != "edit/"
    assert response.status_code == (405 if wrong_method else 404)
    contact.refresh_from_db()
    assert (contact.name, contact.archived_at) == ("Priya Raman", None)
    assert contact.tags.count() == 1


@pytest.mark.parametrize("tail", ADDRESSES)
def test_nobody_of_that_number_is_not_found(alice_client, tail):
    assert alice_client.post(f"/people/999999999999/{tail}", {"name": "x"}).status_code in (
        404,
        405,
    )


def test_somebody_elses_tag_cannot_be_taken_off(alice, alice_client, bob):
    contact = make_contact(alice)
    tag = Tag.objects.create(owner=bob, name="alumni")
    assert alice_client.post(f"/people/{contact.pk}/tags/{tag.pk}/remove/").status_code == 404


@pytest.mark.parametrize("address", ["", "new/", "import/", "options/", "organisations/", "1/"])
def test_strangers_are_sent_to_the_login(client, db, address):
    response = client.get(f"/people/{address}")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
