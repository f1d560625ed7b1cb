"""Reading CSV tables: LinkedIn's, Google's, Outlook's and any other. No database is needed."""

import csv
import io
import tracemalloc
from collections import deque
from contextlib import suppress
from datetime import date
from itertools import islice
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contacts.files import tables
from contacts.files.cards import CardProblem
from contacts.files.tables import FIELDS, as_date, cards, guess, open_table

DATA = Path(__file__).parents[1] / "data"


def sheet(*rows, delimiter=",", encoding="utf-8", quoting=csv.QUOTE_MINIMAL):
    """Return the bytes of a table; each row is a list of cells."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
    return out.getvalue().encode(encoding)


def read(data, mapping=None):
    return list(cards(open_table(data), mapping))


def one(heading, cell, **also):
    """Return the card of Ann, whose table has one more column."""
    (card,) = read(sheet(["Name", heading, *also], ["Ann Lee", cell, *also.values()]))
    return card


def problem(data):
    with pytest.raises(CardProblem) as caught:
        read(data)
    return str(caught.value)


def sample(name):
    table = open_table((DATA / name).read_bytes())
    return table, list(cards(table))


# The programs that we know


def test_linkedin_writes_notes_before_the_header():
    table, people = sample("linkedin-connections.csv")
    assert (table.kind, table.start) == ("linkedin", 4)
    first = people[0]
    assert (first.row, first.name, first.organisation) == (5, "Amara Okafor", "Umbra Games")
    assert first.emails == [("amara@example.net", "")]
    assert first.links == [("https://www.linkedin.com/in/amara-okafor", "LinkedIn")]
    assert (first.known_since, first.how_met) == (date(2018, 3, 11), "Connected on LinkedIn")


def test_somebody_who_left_linkedin_is_not_taken_for_an_employer():
    header = ["First Name", "Last Name", "Company", "Connected On"]
    (card,) = read(sheet(header, ["", "", "Umbra Games", "11 Mar 2018"]))
    assert card.trouble == "This row has no name."


def test_googles_new_header():
    table, (zoe, desk) = sample("google-new.csv")
    assert (table.kind, table.encoding) == ("google", "utf-8-sig")
    assert zoe.name == "Zoë van der Berg"
    assert zoe.emails == [
        ("zoe@example.net", "work"),
        ("zoe@example.org", "work"),
        ("zoe.b@example.com", "home"),
    ]
    assert zoe.phones == [("+43 660 5550104", "mobile"), ("+43 316 5550105", "mobile")]
    assert zoe.links == [("https://www.linkedin.com/in/zoe-berg", "LinkedIn")]
    assert zoe.notes == 'likes filter coffee,\n"no milk"'
    assert zoe.details == [
        ("Dr.", "Name Prefix"),
        ("Zo", "Nickname"),
        ("Mobility", "Organization Department"),
        ("1984-02-29", "birthday"),
        ("Ann Lee", "spouse"),
        ("2010-06-05", "Anniversary"),
        ("cello", "Instrument"),
        ("Lendplatz 1, 8020 Graz, AT, PO 7", "address (home)"),
    ]
    # An employer among the people keeps its name.
    assert (desk.name, desk.organisation) == ("Quill Publishing", "Quill Publishing")


def test_googles_groups_are_tags():
    _, (zoe, desk) = sample("google-new.csv")
    assert zoe.tags == ["Grid people, Graz", "myContacts", "starred"]
    assert desk.tags == ["myContacts"]


def test_googles_old_header():
    table, (kofi,) = sample("google-old.csv")
    assert (table.kind, table.encoding) == ("google", "utf-16")
    assert (kofi.name, kofi.organisation, kofi.role) == (
        "Kofi Mensah",
        "Port of Tema",
        "Harbour pilot",
    )
    assert kofi.emails == [("kofi@example.org", "work")]
    assert kofi.phones == [("+233 20 555 0109", "mobile"), ("+233 30 555 0100", "work")]
    assert kofi.tags == ["myContacts", "Ports"]
    assert ("kofi.m", "other") in kofi.details
    assert ("Boateng", "Maiden Name") in kofi.details


def test_two_addresses_of_google_stay_two():
    header = ["First Name", "Address 1 - City", "Address 2 - Label", "Address 2 - City"]
    (card,) = read(sheet(header, ["Ann", "Graz", "Home", "Wien"]))
    assert card.details == [("Graz", "address"), ("Wien", "address (home)")]


def test_outlook_in_german():
    table, (card,) = sample("outlook-de.csv")
    assert (table.kind, table.encoding, table.delimiter) == ("outlook", "cp1252", ";")
    assert (card.name, card.organisation, card.role) == (
        "Jördis Maria Strauß",
        "Blåvand Data AS",
        "Leiterin",
    )
    assert card.emails == [("joerdis@example.org", ""), ("js@example.com", "")]
    assert card.phones == [
        ("01 5550 100", "work"),
        ("0316 5550", "home"),
        ("0660 5550107", "mobile"),
    ]
    assert card.tags == ["Netzwerk", "Mentorin"]
    assert card.notes == "Mag Tee;\nkeinen Kaffee – nie"


def test_what_outlook_writes_for_everybody_is_not_kept():
    _, (card,) = sample("outlook-de.csv")
    assert card.details == [
        ("Frau", "Anrede"),
        ("Forschung", "Abteilung"),
        ("01 5550 999", "Telefon Assistent"),
        ("01 5550 111", "Fax geschäftlich"),
        ("12.3.1980", "birthday"),
        ("Büro Strauß (js@example.com)", "E-Mail 2: Angezeigter Name"),
        ("Klettern", "Hobby"),
        ("Am Ring 5, Wien, 1010, Österreich", "address (work)"),
        ("Gasse 9, Graz, 8010", "address (home)"),
    ]


def test_outlooks_title_is_no_job():
    header = ["Title", "First Name", "Job Title", "Business Phone", "E-mail Address"]
    table = open_table(sheet(header, ["Dr.", "Ann", "Planner", "01 555", "ann@example.org"]))
    (card,) = cards(table)
    assert table.kind == "outlook"
    assert (card.role, card.details) == ("Planner", [("Dr.", "Title")])
    assert one("Title", "Planner").role == "Planner"


# Any other table


def test_any_other_table_is_guessed_by_its_headings():
    header = ["Nachname", "vorname", "E-Mail", "Telefon", "Firma", "Schuhgröße", "how we met"]
    assert guess(header) == {
        0: "last_name",
        1: "first_name",
        2: "email",
        3: "phone",
        4: "organisation",
        5: "details",
        6: "how_met",
    }


def test_a_column_with_an_unknown_heading_is_guessed_by_its_cells():
    rows = [
        ["Ann Lee", "ann@example.org", "example.org/ann", "+43 660 555", "1234567", "2020-03-04"],
        ["Bo Ek", "", "https://example.org/bo", "0316 55501", "1234568", "2020-03-05"],
    ]
    table = open_table(sheet(["Name", "a", "b", "c", "d", "e"], *rows))
    assert guess(table.header, table.rows()) == {
        0: "name",
        1: "email",
        2: "link",
        3: "phone",
        4: "details",
        5: "details",
    }


def test_the_users_own_mapping_decides():
    data = sheet(["Wer", "Was", "Wo"], ["Ann Lee", "Planner", "at the fair"])
    (card,) = read(data, {0: "name", 1: "role", 2: "skip"})
    assert (card.name, card.role, card.details) == ("Ann Lee", "Planner", [])


def test_the_users_own_column_of_kinds_belongs_to_the_one_beside_it():
    data = sheet(["Wer", "Art", "Wo", "Was"], ["Ann Lee", "Work", "01 5550", "Planner"])
    (card,) = read(data, {0: "name", 1: "label", 2: "phone"})
    assert (card.phones, card.details) == ([("01 5550", "work")], [("Planner", "Was")])


def test_a_column_that_the_mapping_does_not_name_is_kept():
    (card,) = read(sheet(["Wer", "Was"], ["Ann Lee", "Planner"]), {0: "name"})
    assert card.details == [("Planner", "Was")]


def test_every_guess_is_a_field_on_offer():
    assert set(tables.HEADINGS) <= dict(FIELDS).keys()


def test_a_table_without_a_header_has_only_people():
    (first, second) = read(sheet(["ann@example.org", "Ann"], ["bo@example.org", "Bo"]))
    assert first.row == 1
    assert first.emails == [("ann@example.org", "")]
    assert (first.name, second.name) == ("Ann", "Bo")


def test_a_number_is_no_heading_either():
    assert [card.name for card in read(b"Ann,+43 660 1234567\nBo,+43 660 7654321\n")] == [
        "Ann",
        "Bo",
    ]


def test_excel_may_name_the_delimiter_first():
    table = open_table(b"sep=;\r\nName;Firma\r\nAnn Lee;Acme, Inc.\r\n")
    (card,) = cards(table)
    assert (table.delimiter, card.row, card.organisation) == (";", 3, "Acme, Inc.")


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_however_it_is_written(delimiter, encoding):
    rows = [["Name", "Firma", "Notizen"], ["Søren Kjær", "Café & Cie, SARL", "eins;\nzwei|drei"]]
    table = open_table(sheet(*rows, delimiter=delimiter, encoding=encoding))
    (card,) = cards(table)
    assert table.delimiter == delimiter
    assert (card.name, card.organisation) == ("Søren Kjær", "Café & Cie, SARL")
    assert card.notes == "eins;\nzwei|drei"


def test_one_broken_letter_does_not_spoil_the_others():
    good = "Name,Firma\nŁukasz Brandt,Zażółć\nSøren,Kjær".encode()
    first, second = read(good.replace("Kjær".encode(), b"Kj\xe6r"))
    assert (first.name, first.without) == ("Łukasz Brandt", [])
    assert second.without == [tables.BAD_LETTERS]
    assert second.name == "Søren"


# Nothing is lost


def test_rows_longer_and_shorter_than_the_header():
    data = b"Name,Role,Firma\nAnn Lee,Planner,Acme,extra,more\nBo Ek\n\n,,\nCy\n"
    ann, bo, cy = read(data)
    assert ann.details == [("extra", "column 4"), ("more", "column 5")]
    assert (bo.name, bo.row) == ("Bo Ek", 3)
    assert cy.row == 6


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("E-mail", "not an address"),
        ("Website", "see my card"),
        ("Phone", "ask Ann"),
        ("Known since", "last summer"),
        ("Known since", "3/4/2020"),
        ("Known since", "1066-10-14"),
        ("Shoe size", "38"),
    ],
)
def test_what_cannot_be_read_is_kept_under_its_heading(heading, cell):
    assert one(heading, cell).details == [(cell, heading)]


def test_a_cell_of_good_and_bad_addresses_is_kept_whole_beside_the_good_ones():
    card = one("E-mail", "ann@example.org; ann at home")
    assert card.emails == [("ann@example.org", "")]
    assert card.details == [("ann@example.org; ann at home", "E-mail")]


def test_a_second_organisation_is_kept():
    card = one("Company", "Acme", Employer="Beta")
    assert (card.organisation, card.details) == ("Acme", [("Beta", "Employer")])


def test_a_part_of_the_name_that_the_whole_name_lacks_is_kept():
    card = one("First name", "Ann", Middle_Name="Maria")
    assert (card.name, card.details) == ("Ann Lee", [("Maria", "Middle_Name")])


@pytest.mark.parametrize("text", ["=1+2", "+43 660 5550101", "-1", "@home", "\tx"])
def test_our_own_quoting_of_formulas_is_undone(text):
    assert one("Notes", f"'{text}").notes == text.strip()


def test_a_formula_is_only_text():
    assert one("Company", '=HYPERLINK("x")').organisation == '=HYPERLINK("x")'
    assert one("Company", "'s-Hertogenbosch").organisation == "'s-Hertogenbosch"


def test_a_script_is_only_a_name():
    (card,) = read(sheet(["Name"], ["<script>alert(1)</script>"]))
    assert card.name == "<script>alert(1)</script>"


def test_characters_that_no_database_takes_are_dropped():
    (card,) = read("Name,Notes\nAnn\u202e Lee,tea\0 time\n".encode("utf-16"))
    assert (card.name, card.notes) == ("Ann Lee", "tea time")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-04-03", date(2020, 4, 3)),
        ("3 Apr 2020", date(2020, 4, 3)),
        ("3.4.2020", date(2020, 4, 3)),
        ("13/4/2020", date(2020, 4, 13)),
        ("4/13/2020", date(2020, 4, 13)),
        ("4/4/2020", date(2020, 4, 4)),
        ("3/4/2020", None),
    ],
)
def test_a_date_that_could_be_two_is_none(text, day):
    assert as_date(text) == day


# Trouble


def test_a_torn_quotation_mark_costs_its_row():
    data = b'Name,Firma\nAnn,"Acme\nBo,"Beta, Inc"\nCy,Gamma\nDi,"Delta\n'
    people = read(data)
    assert [card.name for card in people] == ["", "Bo", "Cy", ""]
    assert [(card.row, card.trouble) for card in people if card.trouble] == [
        (2, tables.TORN),
        (5, tables.TORN),
    ]


def test_too_many_torn_rows_are_refused():
    assert "quotation mark" in problem(b"Name,Firma\n" + b'Ann,"Acme"x\n' * 101)


def test_a_row_that_is_too_long_costs_that_row():
    long = b"Bo," + b"x" * (10 * 1024 * 1024)
    ann, bo, cy = read(b"Name,Firma\nAnn,Acme\n" + long + b"\nCy,Gamma\n")
    assert (ann.name, cy.name, cy.row) == ("Ann", "Cy", 4)
    assert bo.trouble == "This row is longer than 1 MB."


def test_a_row_of_too_many_cells_costs_that_row():
    wide, cy = read(b"Name,Firma\nAnn" + b",x" * 500 + b"\nCy,Gamma\n")
    assert wide.trouble == "This row has more than 500 cells."
    assert cy.name == "Cy"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", tables.EMPTY),
        (b" \r\n\t ", tables.EMPTY),
        (b"\xff\xfe", tables.EMPTY),
        (b"\n,,\n", tables.EMPTY),
        (b"Name,Firma\n\n,\n", tables.NO_PEOPLE),
        (b"PK\x03\x04 and so on", tables.ZIPPED),
        (b"PK\x03\x04 [Content_Types].xml", tables.WORKBOOK),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1", tables.NOT_TEXT),
        (b"Name" + b",x" * 500 + b"\nAnn\n", tables.TOO_WIDE),
        (b"x" * (tables.LARGEST_ROW + 1), tables.NO_HEADINGS),
        (b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\n", tables.NOT_TEXT),
        (b"<!DOCTYPE html>\n<title>Log in</title>\n", tables.NOT_A_TABLE),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<people/>\n", tables.NOT_A_TABLE),
        (b'{"people": [\n{"name": "Ann"}]}', tables.NOT_A_TABLE),
        (b'[\n{"name": "Ann"}]', tables.NOT_A_TABLE),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(data, said):
    assert problem(data) == said


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    assert problem(b"x" * (tables.LARGEST_FILE + 1)) == tables.TOO_LARGE


def test_more_rows_than_one_import_takes_are_refused():
    rows = open_table(b"Name\n" + b"Ann\n" * (tables.MOST_ROWS + 1)).rows()
    assert sum(1 for _ in islice(rows, tables.MOST_ROWS)) == tables.MOST_ROWS
    with pytest.raises(CardProblem, match="100,000 rows"):
        next(rows)


def test_the_empty_rows_of_a_spreadsheet_do_not_count():
    assert len(read(b"Name,Firma\n" + b",\n" * 150_000 + b"Ann,Acme\n")) == 1


# Whatever comes


@given(
    st.binary(max_size=400)
    | st.text(alphabet='ab@",;|\t\r\n\0=é\ufffd', max_size=200).map(str.encode)
)
@example(b'"')
@example(b'a"\r"",",')
def test_no_file_does_harm(data):
    try:
        for card in cards(open_table(data)):
            assert card.trouble or card.name
            assert "\0" not in str(card.to_json())
            str(card).encode()
    except CardProblem:
        pass  # A sentence is the only other answer.


CELLS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda text: not text.startswith("'") and "\ufffd" not in text
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.sampled_from(",;\t|"))
def test_what_is_written_is_read(people, delimiter):
    data = sheet(["Name", "Notes"], *people, delimiter=delimiter, encoding="utf-8-sig")
    assert [(card.name, card.notes) for card in read(data)] == people


def seconds(work, *args):
    started = process_time()
    work(*args)
    return process_time() - started


@pytest.mark.parametrize(
    "row",
    [
        b"Ann Lee,ann@example.org,+43 660 555\n",
        b'a","""\n',  # Each line can open a quotation mark and leave another open.
        b'Ann,"x\n',
    ],
)
def test_four_times_the_rows_take_about_four_times_as_long(row):
    def read_all(count):
        with suppress(CardProblem):  # The last two are refused at last.
            deque(cards(open_table(b"Name,E-mail,Phone\n" + row * count)), maxlen=0)

    few, many = (min(seconds(read_all, n) for _ in range(3)) for n in (1000, 4000))
    assert many < 10 * few


def test_memory_does_not_grow_with_the_rows():
    def peak(count):
        data = b"Name,E-mail\n" + b"Ann Lee,ann@example.org\n" * count
        tracemalloc.start()
        deque(cards(open_table(data)), maxlen=0)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(4000) < peak(400) + 100_000
