"""A table of people: exported, changed in a spreadsheet, compared, imported, and undone."""

import csv
import io
from zoneinfo import available_timezones

import pytest
from diff_match_patch import diff_match_patch
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts import bulk, exporting
from contacts.models import (
    BulkChange,
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    Organisation,
    Tag,
    Topic,
)
from followups.models import FollowUp
from netcrm.localtime import time_zones
from tests.admin.doing import list_url, said
from tests.factories import make_contact, make_follow_up

pytestmark = pytest.mark.django_db

IMPORT, CONFIRM, EXPORT = (
    f"admin:contacts_contact_{view}" for view in ("import", "process_import", "export")
)
HEADINGS = [column.heading for column in exporting.COLUMNS]


def table(*rows):
    """Return a CSV file with the columns of its first row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def upload(client, data, name="people.csv"):
    file = SimpleUploadedFile(name, data)
    return client.post(reverse(IMPORT), {"import_file": file, "format": "0", "resource": "0"})


def confirm(client, page):
    return client.post(reverse(CONFIRM), page.context["confirm_form"].initial)


def bring_in(client, *rows):
    """Import rows; return what the notebook's owner is told."""
    page = upload(client, table(*rows))
    assert "confirm_form" in page.context, troubles(page)
    return said(client, confirm(client, page))


def troubles(page):
    """Return {row number: {column: sentences}} of a table that was refused."""
    return {
        row.number: dict(row.field_specific_errors) or row.non_field_specific_errors
        for row in page.context["result"].invalid_rows
    }


def changes(page):
    """Return {who: {column: what changes}} of a preview."""
    return {row.object_repr: dict(row.changes()) for row in page.context["result"].rows}


def exported(client, query=""):
    """Return the rows of the table that the list exports."""
    data = b"".join(client.get(reverse(EXPORT) + query).streaming_content)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")))), data


@pytest.fixture
def priya(alice):
    umwelt = Organisation.objects.create(owner=alice, name="Umwelt AG")
    priya = make_contact(
        alice,
        "Priya Raman",
        organisation=umwelt,
        role="Head of Data",
        known_since="2024-05-01",
        rhythm_days=42,
        notes="=SUM(A1)\nsecond line",
        details=[["4 May", "birthday"]],
        seeks="A flat",
    )
    for address, label in (("priya@umwelt.example", "work"), ("p@home.example", "home")):
        ContactEmail.objects.create(owner=alice, contact=priya, address=address, label=label)
    ContactPhone.objects.create(owner=alice, contact=priya, number="+43 660 1234567")
    url = "https://www.linkedin.com/in/priya"
    ContactLink.objects.create(owner=alice, contact=priya, url=url, label="LinkedIn")
    priya.tag("climate")
    priya.set_topics("seeks", ["data stories"])
    priya.reindex()
    return priya


# There and back


def test_an_exported_table_comes_back_without_a_change(alice, alice_client, priya):
    make_contact(alice, "'=odd", notes="'=apostrophe and sign")
    make_contact(alice, "-Minus", introduced_by=priya, do_not_contact=True)
    rows, data = exported(alice_client)
    assert len(rows) == 3
    assert rows[-1]["Notes"] == "'=SUM(A1)\nsecond line"
    page = upload(alice_client, data)
    assert page.context["result"].totals["skip"] == 3
    assert not page.context["result"].rows
    assert "id" not in [heading.lower() for heading in rows[0]]


def test_cells_changed_in_a_spreadsheet_come_back(alice, alice_client, priya):
    rows, _ = exported(alice_client)
    rows[0] |= {
        "Name": "Priya Raman-Berg",
        "Organisation": "Grid & Co",
        "Role": "",
        "E-mail 1 - Value": "priya@umwelt.example",
        "E-mail 2 - Value": "",
        "E-mail 2 - Label": "",
        "Phone 1 - Value": "+43 1 5880100",
        "Tags": "climate ::: alumni",
        "Rhythm": "30",
        "Known since": "1 May 2023",
        "Notes": "Likes walks",
        "Seeks topics": "grid planning",
        "Other details": "birthday: 5 May",
    }
    page = upload(alice_client, table(*rows))
    change = changes(page)["Priya Raman-Berg"]
    assert change["Role"] == "<del>Head of Data</del>"
    assert change["Rhythm"] == "<del>every six weeks</del> <ins>30</ins>"
    assert Contact.objects.get().role == "Head of Data"
    told = said(alice_client, confirm(alice_client, page))
    assert told == (
        "1 person added or changed from people.csv. "
        f'<a href="/admin/contacts/bulkchange/{BulkChange.objects.get().pk}/change/">'
        "Look at it, or undo it</a>"
    )
    priya.refresh_from_db()
    assert (priya.name, priya.role, priya.organisation.name) == (
        "Priya Raman-Berg",
        "",
        "Grid & Co",
    )
    assert (priya.rhythm_days, str(priya.known_since)) == (30, "2023-05-01")
    assert (priya.notes, priya.details) == ("Likes walks", [["5 May", "birthday"]])
    assert [email.address for email in priya.emails.all()] == ["priya@umwelt.example"]
    assert [str(phone.number) for phone in priya.phones.all()] == ["+43 1 5880100"]
    assert [tag.name for tag in priya.tags.all()] == ["alumni", "climate"]
    assert [topic.name for topic in priya.topics["seeks"]] == ["grid planning"]
    assert "grid & co" in priya.search_text
    assert "walks" in priya.search_text


def test_columns_that_are_not_there_change_nothing(alice, alice_client, priya):
    before = exported(alice_client)[0][0]
    bring_in(alice_client, {"Name": "Priya Raman", "Organisation": "Umwelt AG", "Role": "CTO"})
    assert exported(alice_client)[0][0] == before | {"Role": "CTO"}


def test_new_people_come_in_with_all_that_hangs_on_them(alice, alice_client, priya):
    rows, data = exported(alice_client)
    Contact.objects.all().delete()
    page = upload(alice_client, data)
    assert page.context["result"].totals["new"] == 1
    confirm(alice_client, page)
    assert exported(alice_client)[0] == rows
    assert Contact.objects.get().owner == alice


def test_unknown_columns_are_named_and_left_out(alice_client, priya):
    page = upload(alice_client, table({"id": "1", "Name": "Priya Raman", "Shoe size": "38"}))
    assert "left out: id, Shoe size" in page.content.decode()


def test_a_table_of_a_german_spreadsheet_is_read(alice, alice_client):
    data = "Name;Role\r\nJörg Müller;Köchin\r\n".encode("cp1252")
    confirm(alice_client, upload(alice_client, data))
    assert Contact.objects.get().role == "Köchin"


# Who is meant


@pytest.mark.parametrize(
    "signs",
    [
        {"E-mail 1 - Value": "PRIYA@umwelt.example"},
        {"E-mail 1 - Value": "new@example.org", "Website 1 - Value": "linkedin.com/in/Priya/"},
        {"Name": "priya raman", "Organisation": "umwelt ag"},
        {"Name": "Priya Raman"},
    ],
)
def test_a_person_is_found_by_address_profile_or_name(alice_client, priya, signs):
    page = upload(alice_client, table({"Name": "Priya R.", "Role": "CTO"} | signs))
    assert (page.context["result"].totals["update"], page.context["result"].totals["new"]) == (1, 0)


def test_who_is_not_clear_is_refused_in_a_sentence(alice, alice_client):
    make_contact(alice, "Ann Lee")
    make_contact(alice, "Ann Lee")
    page = upload(alice_client, table({"Name": "Ann Lee", "Role": "CTO"}))
    assert troubles(page) == {
        2: ["2 people in your notebook have this name, so it is not clear who is meant."]
    }


def test_two_rows_about_one_person_are_refused(alice, alice_client, priya):
    rows = [
        {"Name": "Priya Raman", "E-mail 1 - Value": "priya@umwelt.example"},
        {"Name": "Priya Raman", "E-mail 1 - Value": "p@home.example"},
        {"Name": "Maria", "E-mail 1 - Value": ""},
        {"Name": "MARIA", "E-mail 1 - Value": ""},
    ]
    page = upload(alice_client, table(*rows))
    assert troubles(page) == {
        3: ["Row 2 is about the same person."],
        5: ["Row 4 is about the same person."],
    }


def test_two_who_share_an_address_are_told_apart_by_name(alice, alice_client):
    for name in ("Ann Lee", "Bo Lee"):
        contact = make_contact(alice, name)
        ContactEmail.objects.create(owner=alice, contact=contact, address="lee@example.org")
    page = upload(alice_client, exported(alice_client)[1])
    assert page.context["result"].totals["skip"] == 2


# Refused


@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        ({"E-mail 1 - Value": "nobody"}, "E-mail 1 - Value", "“nobody” is no whole address."),
        ({"Phone 1 - Value": "12"}, "Phone 1 - Value", "“12” is no whole number."),
        ({"Website 1 - Value": "not a link"}, "Website 1 - Value", "is no web address."),
        ({"Known since": "soon"}, "Known since", "Write a day as 2026-11-23."),
        ({"Rhythm": "often"}, "Rhythm", "Write a number of days from 1 to 3650"),
        ({"Time zone": "Mars/Base"}, "Time zone", "Choose a time zone from the list"),
        ({"Role": "x" * 201}, "Role", "at most 200 characters"),
        ({"Tags": "x" * 61}, "Tags", "60 letters are the most."),
        ({"Introduced by": "Nobody Here"}, "Introduced by", "Nobody in your notebook is called"),
        ({"Do not contact": "yes"}, "Do not contact", "This cannot be changed here."),
        ({"Put away": "yes"}, "Put away", "This cannot be changed here."),
    ],
)
def test_cells_that_cannot_be_read_are_told_by_row_and_column(
    alice_client, cells, column, sentence
):
    page = upload(alice_client, table({"Name": "Maria"} | cells))
    [found] = troubles(page)[2][column]
    assert sentence in found
    assert page.status_code == 422
    assert "confirm_form" not in page.context
    assert not Contact.objects.exists()


def test_a_row_without_a_name_has_the_number_of_the_spreadsheet(alice_client):
    page = upload(alice_client, b"Name,Role\nMaria,CTO\n,\n,CFO\n")
    assert troubles(page) == {4: {"Name": ["A person needs a name."]}}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "That file is empty."),
        (b"Role\nCTO\n", "That table has no column “Name”."),
        (b"Name,name\nAnn,Bo\n", "Two columns of that table are called “Name”."),
        (b'Name,Role\nAnn,"torn\nBo,CTO\n', "Row 2: This row cannot be read"),
        (b"PK\x03\x04[Content_Types].xml", "That is a spreadsheet. Save it as CSV"),
    ],
)
def test_files_that_are_no_such_table_are_refused_in_a_sentence(alice_client, data, sentence):
    page = upload(alice_client, data)
    [error] = page.context["form"].errors["import_file"]
    assert sentence in error


def test_too_large_and_too_long_is_refused_in_a_sentence(alice_client, monkeypatch):
    monkeypatch.setattr("contacts.admin.table.MOST_ROWS", 1)
    page = upload(alice_client, b"Name\nAnn\nBo\n")
    assert "The import of the app takes larger ones" in str(page.context["form"].errors)
    monkeypatch.setattr("contacts.admin.table.LARGEST_FILE", 5)
    page = upload(alice_client, b"Name\nAnn\n")
    assert "larger than 5 MB" in str(page.context["form"].errors)


def test_scripts_in_cells_are_shown_as_they_are(alice_client):
    page = upload(alice_client, table({"Name": "<script>alert(1)</script>"}))
    assert "<script>alert" not in page.content.decode()
    assert "&lt;script&gt;alert" in page.content.decode()


# Whose


def test_other_peoples_rows_are_neither_found_nor_exported(bob_client, alice, alice_client, priya):
    rows, data = exported(alice_client)
    assert exported(bob_client)[0] == []
    page = upload(bob_client, data)
    assert page.context["result"].totals["new"] == 1
    confirm(bob_client, page)
    assert Contact.objects.for_user(alice).count() == 1
    theirs = Contact.objects.exclude(owner=alice).get()
    assert theirs.organisation.owner == theirs.tags.get().owner == theirs.owner
    assert exported(alice_client)[0] == rows


def test_an_upload_is_confirmed_by_nobody_else(alice, alice_client, bob, bob_client):
    page = upload(alice_client, table({"Name": "CANARY"}))
    upload(bob_client, table({"Name": "Maria"}))
    assert said(bob_client, confirm(bob_client, page)).startswith("That file is not here any more.")
    assert not Contact.objects.exists()
    confirm(alice_client, page)
    assert Contact.objects.get().owner == alice


def test_an_older_upload_and_a_made_up_one_are_gone(alice_client):
    first = upload(alice_client, table({"Name": "Ann"}))
    second = upload(alice_client, table({"Name": "Bo"}))
    assert said(alice_client, confirm(alice_client, first)).startswith("That file is not here")
    for name in ("../../etc/passwd", "x" * 500, "\0"):
        posted = second.context["confirm_form"].initial | {"import_file_name": name}
        page = alice_client.post(reverse(CONFIRM), posted)
        assert page.context["confirm_form"].errors
    assert not Contact.objects.exists()


# One change that can be undone


def test_confirming_twice_imports_once(alice, alice_client):
    page = upload(alice_client, table({"Name": "Ann"}))
    confirm(alice_client, page)
    assert "That file is not here any more." in said(alice_client, confirm(alice_client, page))
    assert Contact.objects.count() == BulkChange.objects.count() == 1


def test_an_import_is_undone(alice, alice_client, priya):
    rows, _ = exported(alice_client)
    changed = rows[0] | {"Role": "CTO", "Tags": "new tag", "Organisation": "New GmbH"}
    changed |= {"E-mail 1 - Value": "other@example.org", "Offers topics": "new topic"}
    new = dict.fromkeys(HEADINGS, "") | {"Name": "Maria", "Tags": "new tag"}
    new |= {"Seeks topics": "new topic", "E-mail 1 - Value": "maria@example.org"}
    bring_in(alice_client, changed | {"E-mail 1 - Value": "priya@umwelt.example"}, new)
    change = BulkChange.objects.get()
    assert (change.via, change.changed, change.total) == ("admin", 2, 2)
    assert bulk.undo(change)
    assert exported(alice_client)[0] == rows
    assert [tag.name for tag in Tag.objects.all()] == ["climate"]
    assert [topic.name for topic in Topic.objects.all()] == ["data stories"]
    assert [each.name for each in Organisation.objects.all()] == ["Umwelt AG"]
    priya.refresh_from_db()
    assert "new tag" not in priya.search_text


def test_undo_keeps_what_was_edited_or_used_since(alice, alice_client, priya):
    bring_in(
        alice_client,
        {"Name": "Priya Raman", "Role": "CTO", "Seeks": "A desk"},
        {"Name": "Maria", "Role": "CFO", "Seeks": ""},
        {"Name": "Omar", "Role": "COO", "Seeks": ""},
        {"Name": "Aiko", "Role": "CEO", "Seeks": ""},
    )
    Contact.objects.filter(pk=priya.pk).update(role="Edited")
    make_follow_up(Contact.objects.get(name="Maria"))
    Contact.objects.filter(name="Omar").update(notes="Met him")
    change = BulkChange.objects.get()
    bulk.undo(change)
    priya.refresh_from_db()
    assert (priya.role, priya.seeks) == ("Edited", "A flat")
    assert set(Contact.objects.values_list("name", flat=True)) == {"Priya Raman", "Maria", "Omar"}
    assert FollowUp.objects.count() == 1
    assert set(change.rows.values_list("contact__name", "why")) == {
        ("Priya Raman", "Keeps what you changed since: role."),
        ("Maria", "Is used or was edited since."),
        ("Omar", "Is used or was edited since."),
    }


def test_an_address_that_bounced_stays_so(alice, alice_client, priya):
    priya.emails.filter(address="p@home.example").update(bounced_on="2026-01-01")
    rows, _ = exported(alice_client)
    first, second = rows[0]["E-mail 1 - Value"], rows[0]["E-mail 2 - Value"]
    rows[0] |= {"E-mail 1 - Value": second, "E-mail 2 - Value": first}
    bring_in(alice_client, rows[0])
    assert [(each.address, each.bounced_on is None) for each in priya.emails.all()] == [
        ("p@home.example", False),
        ("priya@umwelt.example", True),
    ]


# Many


def test_the_import_takes_as_many_queries_for_many(alice, alice_client):
    def rows(count, prefix, turn):
        return [
            {
                "Name": f"{prefix} {n}",
                "Organisation": f"{prefix} org {turn} {n}",
                "E-mail 1 - Value": f"{prefix}{n}@example.org",
                "Phone 1 - Value": f"+43 1 588{turn}1{n:02}",
                "Tags": f"{prefix} tag {turn} {n}",
                "Seeks topics": f"{prefix} topic {turn} {n}",
                "Notes": f"Met in year {turn} at stand {n}. " * 10,
            }
            for n in range(count)
        ]

    def queries(*asked):
        with CaptureQueriesContext(connection) as captured:
            bring_in(alice_client, *rows(*asked))
        return len(captured)

    for turn in (1, 2):  # All of them are new, then all are changed.
        assert queries(3, "few", turn) == queries(30, "many", turn)
    assert BulkChange.objects.filter(changed=30).count() == 2
    assert Contact.objects.count() == 33


def test_the_first_rows_are_shown_and_all_are_counted(alice, alice_client, monkeypatch):
    monkeypatch.setattr("contacts.admin.table.MOST_SHOWN", 2)
    page = upload(alice_client, table(*({"Name": f"Person {n}"} for n in range(5))))
    shown = page.content.decode()
    assert "5 new, 0 changed" in shown
    assert "Below are the first 2 of 5 rows. “Import it” brings in all of them." in shown
    assert [f"Person {n}" in shown for n in range(5)] == [True, True, False, False, False]
    confirm(alice_client, page)
    assert Contact.objects.count() == 5
    page = upload(alice_client, table({"Name": "Ann"}, {"Name": "Bo"}))
    assert "Below are the first" not in page.content.decode()


def test_the_first_rows_with_errors_are_shown_and_all_are_counted(alice_client, monkeypatch):
    monkeypatch.setattr("contacts.admin.table.MOST_SHOWN", 2)
    rows = [{"Name": f"Person {n}", "Known since": "soon"} for n in range(5)]
    shown = upload(alice_client, table(*rows)).content.decode()
    assert "5 rows cannot be read" in shown
    assert "Below are the first 2 of them." in shown
    assert shown.count("Write a day as 2026-11-23.") == 2


def test_long_texts_are_compared_where_they_are_shown_and_nowhere_else(
    alice, alice_client, monkeypatch
):
    compared = []
    begin = diff_match_patch.__init__
    monkeypatch.setattr(
        diff_match_patch, "__init__", lambda self: compared.append(self) or begin(self)
    )
    monkeypatch.setattr("contacts.admin.table.MOST_SHOWN", 2)
    for n in range(5):
        make_contact(alice, f"Person {n}", notes="Met at the spring meeting. " * 10)
    rows = [{"Name": f"Person {n}", "Notes": "Wrote about the new post. " * 10} for n in range(5)]
    page = upload(alice_client, table(*rows))
    assert len(compared) == 2
    confirm(alice_client, page)
    assert len(compared) == 2
    assert Contact.objects.filter(notes__startswith="Wrote").count() == 5


def test_the_time_zones_are_read_from_the_disk_once(alice_client, monkeypatch):
    read = []
    monkeypatch.setattr(
        "netcrm.localtime.available_timezones", lambda: read.append(1) or available_timezones()
    )
    time_zones.cache_clear()
    rows = [{"Name": f"Person {n}", "Time zone": "Europe/Vienna"} for n in range(5)]
    upload(alice_client, table(*rows))
    assert len(read) == 1


def test_export_keeps_to_the_filters_of_the_list(alice, alice_client, priya):
    make_contact(alice, "Maria")
    assert [row["Name"] for row in exported(alice_client, "?q=umwelt")[0]] == ["Priya Raman"]
    links = alice_client.get(list_url(Contact, "?q=umwelt")).content.decode()
    assert f'href="{reverse(EXPORT)}?q=umwelt"' in links
    assert f"href='{reverse(IMPORT)}'" in links
