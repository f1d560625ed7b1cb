"""Taking people along: who is in the file, what is in it, and that it reads back in."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from contacts.exporting import CHUNK, COLUMNS, csv_file, harmless, vcard_file
from contacts.files import tables, vcards
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactPhoto,
    Organisation,
    Tag,
)
from tests.factories import make_contact

PAGE, CSV, VCARD = "/people/export/", "/people/export/people.csv", "/people/export/people.vcf"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(60))


def text_of(response):
    assert response.status_code == 200
    return b"".join(response).decode()


def rows_of(response):
    return list(csv.DictReader(io.StringIO(text_of(response).removeprefix("\ufeff"))))


def names_of(response):
    return [row["Name"] for row in rows_of(response)]


def cards_of(response):
    return list(vcards.read(text_of(response).encode()))


def make_priya(owner):
    """Make somebody about whom everything is known."""
    aster = Organisation.objects.create(owner=owner, name="Aster, Grid & Co")
    priya = make_contact(
        owner,
        organisation=aster,
        role="Head of planning",
        how_met="A panel in Graz",
        introduced_by=make_contact(owner, "Aiko Tanabe"),
        known_since=date(2024, 2, 29),
        notes="Two lines;\nwith “quotes”, and a comma",
        time_zone="Europe/Vienna",
        seeks="A pilot",
        offers="Numbers",
        rhythm_days=42,
        last_interaction_on=date(2026, 11, 2),
        details=[["1 May", "Birthday"], ["urn:uuid:17", "UID"]],
    )
    for nth, label in enumerate(["work", "home", "work", "work"]):
        address = f"priya{nth}@example.org"
        ContactEmail.objects.create(owner=owner, contact=priya, address=address, label=label)
    ContactPhone.objects.create(
        owner=owner, contact=priya, number="+43 664 1234567", label="mobile"
    )
    ContactLink.objects.create(
        owner=owner, contact=priya, url="https://example.org/p", label="blog"
    )
    ContactPhoto.objects.create(owner=owner, contact=priya, image=JPEG)
    for tag in ("Graz, 2026", "Energy"):
        priya.tag(tag)
    priya.set_topics("seeks", ["Storage", "Grid planning"])
    return priya


# Who is in it


def test_without_a_question_everybody_is_in_it_who_is_put_away_too(alice, alice_client):
    make_contact(alice, "Zora Bell")
    make_contact(alice, "Émile Roy").archive()
    assert names_of(alice_client.get(CSV)) == ["Émile Roy", "Zora Bell"]


def test_the_query_of_the_list_exports_whom_the_list_shows(alice, alice_client):
    make_contact(alice, "Priya Raman").tag("Alumni")
    make_contact(alice, "Priya Tanabe")
    make_contact(alice, "Priya Stone").archive()
    tag = Tag.objects.get()
    assert names_of(alice_client.get(CSV, {"q": "priya"})) == ["Priya Raman", "Priya Tanabe"]
    assert names_of(alice_client.get(CSV, {"q": "priya", "tagged": tag.name})) == ["Priya Raman"]
    assert names_of(alice_client.get(CSV, {"show": "archived"})) == ["Priya Stone"]
    assert [card.name for card in cards_of(alice_client.get(VCARD, {"q": "tanabe"}))] == [
        "Priya Tanabe"
    ]


def test_the_list_and_the_page_lead_to_the_same_people(alice, alice_client):
    make_contact(alice)
    listed = alice_client.get("/people/", {"q": "priya"}).content.decode()
    assert f"{PAGE}?q=priya" in listed
    page = alice_client.get(PAGE, {"q": "priya"})
    assert page.context["count"] == 1
    assert f"{CSV}?q=priya" in page.content.decode()
    assert f"{VCARD}?q=priya&amp;version=3.0" in page.content.decode()


def test_an_empty_notebook_says_so(alice_client):
    assert "Nobody is in your notebook yet" in alice_client.get(PAGE).content.decode()
    assert rows_of(alice_client.get(CSV)) == []
    assert text_of(alice_client.get(VCARD)) == ""


@pytest.mark.parametrize("address", [CSV, VCARD, f"{VCARD}?version=3.0"])
def test_bob_finds_nobody_of_alice(alice, bob_client, address):
    make_priya(alice)
    assert "priya" not in text_of(bob_client.get(address)).lower()
    assert bob_client.get(PAGE).context["count"] == 0


@pytest.mark.parametrize("address", [PAGE, CSV, VCARD])
def test_only_who_is_signed_in_may_ask_and_only_to_read(alice_client, client, address):
    assert client.get(address).status_code == 302
    assert alice_client.post(address).status_code == 405


# What is in it


def test_the_table_has_everything_and_says_which_column_is_what(alice, alice_client):
    make_priya(alice)
    row = rows_of(alice_client.get(CSV))[1]
    assert {heading: cell for heading, cell in row.items() if cell} == {
        "Name": "Priya Raman",
        "Organisation": "Aster, Grid & Co",
        "Role": "Head of planning",
        "E-mail 1 - Label": "work",
        "E-mail 1 - Value": "priya0@example.org",
        "E-mail 2 - Label": "home",
        "E-mail 2 - Value": "priya1@example.org",
        "E-mail 3 - Label": "work",
        "E-mail 3 - Value": "priya2@example.org ::: priya3@example.org",
        "Phone 1 - Label": "mobile",
        "Phone 1 - Value": "'+43 664 1234567",
        "Website 1 - Label": "blog",
        "Website 1 - Value": "https://example.org/p",
        "Tags": "Energy ::: Graz, 2026",
        "How we met": "A panel in Graz",
        "Known since": "2024-02-29",
        "Notes": "Two lines;\nwith “quotes”, and a comma",
        "Time zone": "Europe/Vienna",
        "Seeks": "A pilot",
        "Seeks topics": "Grid planning ::: Storage",
        "Offers": "Numbers",
        "Introduced by": "Aiko Tanabe",
        "Rhythm": "every six weeks",
        "Last contact": "2026-11-02",
        "Other details": "Birthday: 1 May\nUID: urn:uuid:17",
    }
    page = alice_client.get(PAGE).content.decode()
    assert all(f"<dt>{heading}</dt>" in page for heading in row)


def test_the_table_reads_back_in(alice, alice_client):
    make_priya(alice)
    table = tables.open_table(text_of(alice_client.get(CSV)).encode())
    _, card = tables.cards(table)
    assert card.name == "Priya Raman"
    assert card.organisation == "Aster, Grid & Co"
    assert card.known_since == date(2024, 2, 29)
    assert card.emails[1] == ("priya1@example.org", "home")
    assert [address for address, _ in card.emails] == [f"priya{n}@example.org" for n in range(4)]
    assert card.phones == [("+43 664 1234567", "mobile")]
    assert card.tags == ["Energy", "Graz, 2026"]
    assert card.notes == "Two lines;\nwith “quotes”, and a comma"
    assert ("A pilot", "Seeks") in card.details


def test_other_details_come_back_a_line_each(alice, alice_client):
    details = [["1 May", "Birthday"], ["Plays chess", ""], ["https://example.org:8000", "Old page"]]
    make_contact(alice, details=details)
    table = tables.open_table(text_of(alice_client.get(CSV)).encode())
    [card] = tables.cards(table)
    assert [list(line) for line in card.details] == details


def test_one_tag_with_a_comma_stays_one(alice, alice_client):
    make_contact(alice).tag("Graz, 2026")
    table = tables.open_table(text_of(alice_client.get(CSV)).encode())
    assert [card.tags for card in tables.cards(table)] == [["Graz, 2026"]]


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_cards_have_everything_and_read_back_in(alice, alice_client, version):
    make_priya(alice)
    text = text_of(alice_client.get(VCARD, {"version": version}))
    assert f"VERSION:{version}\r\n" in text
    _, card = vcards.read(text.encode())
    assert (card.name, card.role, card.uid) == ("Priya Raman", "Head of planning", "urn:uuid:17")
    assert card.emails[1] == ("priya1@example.org", "home")
    assert card.phones == [("+43 664 1234567", "mobile")]
    assert sorted(card.tags) == ["Energy", "Graz, 2026"]
    assert card.photo == JPEG
    assert set(card.details) == {
        ("1 May", "Birthday"),
        ("A pilot", "Seeks"),
        ("Grid planning ::: Storage", "Seeks topics"),
        ("Numbers", "Offers"),
        ("Aiko Tanabe", "Introduced by"),
        ("every six weeks", "Rhythm"),
    }


def test_any_other_version_is_the_newest(alice, alice_client):
    make_contact(alice)
    assert "VERSION:4.0\r\n" in text_of(alice_client.get(VCARD, {"version": "9"}))


def test_files_are_saved_under_a_name_and_never_shown(alice_client):
    headers = alice_client.get(CSV).headers
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="netcrm-people-')
    assert alice_client.get(VCARD).headers["Content-Type"] == "text/vcard; charset=utf-8"


# Formulas


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+43", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", " =1", "\u00a0=1", "＝1", "\0=1"],
)
def test_a_cell_that_would_be_computed_is_text(cell):
    assert harmless(cell) == f"'{cell}"


@given(st.text())
def test_no_cell_begins_as_a_formula(text):
    assert harmless(text).lstrip("\0 ")[:1] not in {*"=+-@\t\r"}


@pytest.mark.parametrize("cell", ["", "Priya", "a=b", "'tis", "2026-11-23", " note"])
def test_any_other_cell_is_as_it_was(cell):
    assert harmless(cell) == cell


def test_every_cell_is_looked_at(alice, alice_client):
    evil = "=HYPERLINK(1)"
    organisation = Organisation.objects.create(owner=alice, name=evil)
    fields = ("role", "how_met", "notes", "seeks", "offers")
    contact = make_contact(alice, evil, organisation=organisation, **dict.fromkeys(fields, evil))
    contact.tag(evil)
    text = text_of(alice_client.get(CSV))
    assert text.count("'=HYPERLINK") == text.count("=HYPERLINK") == 8


# Many


@pytest.mark.parametrize("write", [csv_file, lambda people: vcard_file(people, "4.0")])
def test_as_many_queries_for_thirty_as_for_three(alice, write):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            list(write(Contact.objects.for_user(alice).order_by("id")))
        return len(asked)

    make_priya(alice)
    few = queries()
    for nth in range(30):
        make_contact(alice, f"Person {nth}").tag("Energy")
    assert queries() == few


def test_the_file_comes_piece_by_piece(alice):
    Contact.objects.bulk_create(Contact(owner=alice, name=f"N{n}") for n in range(CHUNK + 1))
    people = Contact.objects.for_user(alice).order_by("id")
    assert [piece.count("\n") for piece in csv_file(people)] == [1, CHUNK, 1]
    assert [piece.count("BEGIN:") for piece in vcard_file(people, "3.0")] == [CHUNK, 1]


def test_headings_are_known_once():
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS)
