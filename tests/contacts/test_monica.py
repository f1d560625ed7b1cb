"""Reading the exports of Monica, version 4: JSON and SQL. No database is needed."""

import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contacts.files import monica
from contacts.files.cards import CardProblem, Moment, Task
from contacts.files.tables import LARGEST_FILE

DATA = Path(__file__).parents[1] / "data"
TODAY = date(2024, 5, 6)


def read(data):
    return list(monica.cards(data, TODAY))


def sample(name):
    return read((DATA / name).read_bytes())


def problem(data):
    with pytest.raises(CardProblem) as caught:
        read(data)
    return str(caught.value)


def exported(*people, **tables):
    """Return a JSON export; each person is a dict of properties, perhaps with `data`."""
    contacts = [
        {"uuid": f"c-{n}", "data": person.pop("data", []), "properties": person}
        for n, person in enumerate(people, start=1)
    ]
    data = [{"type": "contact", "values": contacts}]
    data += [{"type": name, "values": values} for name, values in tables.items()]
    export = {"version": "1.0-preview.1", "account": {"data": data}}
    return json.dumps(export).encode()


def of_ann(kind, *things):
    """Return the card of Ann, who has some things of one kind."""
    values = [{"uuid": str(n), "properties": thing} for n, thing in enumerate(things)]
    (card,) = read(exported({"first_name": "Ann", "data": [{"type": kind, "values": values}]}))
    return card


def insert(into, rows):
    return " ".join(("INSERT IGNORE INTO", into, "VALUES", rows))


def dumped(*statements):
    """Return an SQL export of Ann, who is 1, and Bo, with other statements after them."""
    people = insert("`contacts` (`id`,`first_name`)", "(1,'Ann'),\n (2,'Bo');")
    return "\n".join(["# Alice Doe dump of data", people, *statements]).encode()


# JSON


def test_a_json_export_tells_who_somebody_is():
    priya, _ = sample("monica.json")
    assert (priya.row, priya.uid) == (1, "c-1")
    assert (priya.name, priya.organisation, priya.role) == (
        "Priya Raman",
        "Kestrel Robotics",
        "Grid planner",
    )
    assert priya.notes == "Knows everybody at the grid."
    assert priya.known_since == date(2019, 11, 8)
    assert priya.tags == ["mentor", "energy"]
    assert priya.emails == [("priya@example.org", "")]
    assert priya.phones == [("+43 660 5550101", "")]
    assert priya.links == [("https://www.linkedin.com/in/priya-raman", "LinkedIn")]
    assert priya.related == [("Kofi Mensah", "introduced you"), ("Kofi Mensah", "bestfriend")]
    assert priya.photo.startswith(b"GIF89a")


def test_a_json_export_tells_what_happened_in_order():
    priya, kofi = sample("monica.json")
    lunch = Moment(date(2022, 2, 3), "meeting", "Lunch\n\nat the harbour\n\n(ate at restaurant)")
    assert priya.moments == [
        Moment(date(2021, 3, 4), "note", "Wants to move\nto hydrogen."),
        lunch,
        Moment(
            date(2022, 3, 1), "call", "Priya Raman called.\n\nTalked about storage.\n\nFelt: happy"
        ),
        Moment(date(2022, 5, 2), "message", "I: Are you free?\n\nPriya Raman: On Friday."),
    ]
    # Both were there.
    assert kofi.moments == [lunch]


def test_everything_else_is_kept_in_words():
    priya, kofi = sample("monica.json")
    assert priya.details == [
        ("Pri", "nickname"),
        ("yes", "starred"),
        ("vegetarian", "food preferences"),
        ("every 30 days", "stay in touch"),
        ("29 February", "birthday"),
        ("Woman", "gender"),
        ("@priya", "Telegram"),
        ("amount: 20; currency: iso: EUR; status: inprogress; in debt: yes", "debt"),
        ("name: Chess set; status: offered; date: 2020-12-24; recipient: Kofi Mensah", "gift"),
        ("Send the book 2020-01-01", "reminder that is switched off"),
        ("title: Send CV; completed: no", "task"),
        ("Lendplatz 1, 8020, Graz, AT", "address (home)"),
        ("name: Rex; category: Dog", "pet"),
        ("name: New job; happened at: 2021-09-01; life event type: new job", "life event"),
        ("cv.pdf", "document"),
    ]
    assert priya.without == ["the document cv.pdf"]
    assert kofi.details == [("yes", "known only through somebody else"), ("2023-01-02", "died")]


def test_things_that_monica_has_not_invented_yet_are_kept_too():
    card = of_ann("hat_size", {"size": 58, "bought_at": {"city": "Graz", "shops": ["A", "B"]}})
    assert card.details == [("size: 58; bought at: city: Graz; shops: A, B", "hat size")]


def test_a_gender_of_older_exports_stands_where_it_is():
    (card,) = read(exported({"first_name": "Ann", "gender": "F"}))
    assert card.details == [("F", "gender")]


def test_a_moment_without_a_day_is_kept_in_the_details():
    assert of_ann("call", {"content": "Hello", "called_at": "soon"}).details == [("Hello", "call")]


@pytest.mark.parametrize(
    ("first", "unit", "every", "on"),
    [
        ("2019-05-20", "year", 1, date(2024, 5, 20)),
        ("2019-05-05", "year", 1, date(2025, 5, 5)),
        ("2019-05-06", "year", 2, date(2025, 5, 6)),
        ("2024-01-31", "month", 1, date(2024, 5, 31)),
        ("2024-01-31", "month", 13, date(2025, 2, 28)),
        ("2024-05-01", "week", 1, date(2024, 5, 8)),
        ("2024-04-22", "week", 2, TODAY),
        ("2020-01-01", "one_time", 1, date(2020, 1, 1)),
        ("2030-01-01", "week", 1, date(2030, 1, 1)),
        ("2020-01-01", "year", 9999, date(2020, 1, 1)),
        ("2020-01-01", "year", -1, date(2020, 1, 1)),
        ("2020-01-01", "year", 0, date(2020, 1, 1)),
        ("0001-01-01", "day", 1, TODAY),
    ],
)
def test_a_reminder_that_comes_back_is_dated_on_its_next_day(first, unit, every, on):
    thing = {"initial_date": first, "title": "Ask", "frequency_type": unit}
    (task,) = of_ann("reminder", thing | {"frequency_number": every}).tasks
    assert task.on == on


def test_a_reminder_says_how_often_it_comes_back():
    priya, _ = sample("monica.json")
    aoife, *_ = sample("monica.sql")
    assert priya.tasks == [Task(date(2024, 5, 20), "Ask about the thesis (every year)")]
    assert aoife.tasks == [Task(date(2024, 5, 20), "Ask about the thesis (every 3 months)")]


def test_an_address_that_is_none_is_kept():
    card = of_ann("contact_field", {"data": "at home"}, {"data": ""})
    assert card.details == [("at home", "contact field")]


def test_numbers_stay_as_they_are_written():
    long = "1" * 10_000
    data = exported({"first_name": "Ann", "shoe_size": 0}).replace(b": 0", f": {long}".encode())
    assert read(data)[0].details == [(long, "shoe size")]


# SQL


def test_an_sql_export_tells_the_same():
    aoife, kofi, _ = sample("monica.sql")
    assert (aoife.row, aoife.uid) == (1, "c-11")
    assert (aoife.name, aoife.organisation, aoife.role) == (
        "Aoife O'Brien",
        "Café & Cie, SARL",
        "Founder",
    )
    assert aoife.how_met == "the energy meetup by the coffee"
    assert aoife.known_since == date(2019, 11, 8)
    assert aoife.tags == ["mentor"]
    assert aoife.emails == [("aoife@example.org", "")]
    assert aoife.related == [("Kofi Mensah", "introduced you"), ("Kofi Mensah", "mentor")]
    assert aoife.details == [
        ('Ní; "B"', "nickname"),
        ("yes", "starred"),
        ("about 1984", "birthday"),
        ("Woman", "gender"),
        ("Lendplatz 1, 8020, Graz, AT", "address (home)"),
        ("aoife.jpg", "photo"),
    ]
    assert aoife.without == ["the photo aoife.jpg"]
    lunch = Moment(date(2022, 2, 3), "meeting", "Lunch\n\nat the harbour\n\n(ate at restaurant)")
    assert aoife.moments == [
        Moment(date(2021, 3, 4), "note", "Wants to move\\nto hydrogen."),
        lunch,
        Moment(date(2022, 3, 1), "call", "Talked about storage."),
        Moment(date(2022, 5, 2), "email", "I: Are you free?\n\nAoife O'Brien: On Friday."),
    ]
    assert kofi.moments == [lunch]
    assert kofi.details[-1] == (
        "company: Port of Tema; title: Harbour pilot; currently works here: 1",
        "occupation",
    )


def test_a_text_of_an_sql_export_may_look_like_sql():
    aoife, *_ = sample("monica.sql")
    assert aoife.notes == "Line one\n-- not a comment, (1,2); it\\s text"


def test_monica_writes_phone_numbers_without_quotation_marks():
    aoife, *_ = sample("monica.sql")
    assert aoife.phones == [("+436605550101", ""), ("06605550102", "")]


def test_passwords_and_keys_are_not_read():
    for name in ("monica.sql", "monica.json"):
        assert "secret" not in str([card.to_json() for card in sample(name)])
    assert of_ann("user", {"password": "secret"}).details == []


def test_the_tables_may_have_a_prefix():
    text = (DATA / "monica.sql").read_text().replace("INTO `", "INTO `mo_")
    assert [card.name for card in read(text.encode())] == ["Aoife O'Brien", "Kofi Mensah", ""]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("'it''s'", "it's"),
        (r"'it\'s'", "it's"),
        ("""'say ""x""'""", 'say ""x""'),
        ('''"say ""x"" it's"''', 'say "x" it\'s'),
        (r"'a\\nb\nc\%'", "a\\nb\nc%"),
        ("'tea' /* (';\" */ ", "tea"),
    ],
)
def test_quotation_marks_of_mysql(written, text):
    notes = insert("notes (contact_id, body, created_at)", f"(1,{written},'2020-01-01');")
    assert read(dumped(notes))[0].moments == [Moment(date(2020, 1, 1), "note", text)]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE contacts;",
        "CREATE TABLE `notes` (`id` int, `body` text DEFAULT 'INSERT INTO');",
        "/*!40000 ALTER TABLE `notes` DISABLE KEYS */;",
        "INSERT IGNORE INTO `contact_photo` (`contact_id`, `photo_id`) VALUES\n;",
        "# INSERT INTO contacts (id) VALUES (3);",
        "-- INSERT INTO contacts (id) VALUES (3);",
    ],
)
def test_anything_but_a_row_is_passed_over(statement):
    last = "INSERT INTO `tags` (`id`) VALUES (1);"
    assert [card.name for card in read(dumped(statement, last))] == ["Ann", "Bo"]


# Trouble


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ("(1,'a','2020-01-01'),(1,'a')", 1),
        ("(1,'a','2020-01-01'),(1,'a',(1,'b','2020-01-01')", 1),
        ("(1,'a','2020-01-01'),(1,'a','2020-01-01',9),()", 2),
    ],
)
def test_a_broken_row_costs_that_row(rows, count):
    notes = insert("`notes` (`contact_id`,`body`,`created_at`)", f"{rows};")
    ann, bo, last = read(dumped(notes))
    assert (ann.name, bo.name) == ("Ann", "Bo")
    assert ann.moments
    assert last.trouble == f"{count} of the notes in that file cannot be read."


def test_rows_without_names_of_their_columns_cannot_be_read():
    *_, last = read(dumped("INSERT INTO `notes` VALUES (1,1,'a'),(2,1,'b');"))
    assert last.trouble == "1 of the notes in that file cannot be read."


def test_more_people_than_one_import_takes_are_refused(monkeypatch):
    monkeypatch.setattr(monica, "MOST_ROWS", 1)
    assert problem(dumped()) == monica.TOO_MANY


def test_a_broken_thing_of_a_json_export_costs_that_thing():
    tables = {"activity": ["x", None, {"uuid": "a"}]}
    ann, last = read(exported({"first_name": "Ann"}, **tables))
    assert ann.name == "Ann"
    assert last.trouble == "2 of the activities in that file cannot be read."


@pytest.mark.parametrize("cut", ["(3,'Cy", "(3,", "(3,'Cy')"])
def test_a_dump_that_breaks_off_says_so(cut):
    *people, last = read(dumped(insert("`contacts` (`id`,`first_name`)", cut)))
    assert [card.name for card in people[:2]] == ["Ann", "Bo"]
    assert last.trouble == monica.BREAKS_OFF


def test_somebody_without_a_name_is_told():
    ann, nobody = read(exported({"first_name": "Ann"}, {"nickname": "X"}))
    assert (ann.trouble, nobody.trouble) == ("", "This person has no name.")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"account": ', monica.TORN_JSON),
        (b'{"account": ' + b"[" * 200_000, monica.TORN_JSON),
        (b'{"account": {}}', monica.NOT_MONICA),
        (b'{"account": {"data": [3, {"type": {}, "values": 5}]}}', monica.NOT_MONICA),
        (b"[]", monica.NOT_MONICA),
        (b"SELECT 1;", monica.NOT_MONICA),
        (b"x" * (LARGEST_FILE + 1), monica.TOO_LARGE),
    ],
    ids=["torn", "deep", "empty", "odd", "list", "sql", "large"],
)
def test_what_is_no_export_is_refused_with_a_sentence(data, said):
    assert problem(data) == said


def test_an_export_is_known_by_its_beginning():
    for name in ("monica.json", "monica.sql"):
        assert monica.is_monica((DATA / name).read_bytes())
    for name in ("google-new.csv", "linkedin-connections.csv"):
        assert not monica.is_monica((DATA / name).read_bytes())


# Whatever comes

NAMES = st.sampled_from(
    ["contact", "note", "call", "reminder", "tag", "photo", "address", "contact_field", "activity"]
)
KEYS = st.sampled_from(
    [
        *("uuid", "type", "values", "data", "properties", "tags", "avatar", "birthdate", "date"),
        *("first_name", "title", "initial_date", "frequency_type", "called_at", "emotions"),
        *("contact_is", "of_contact", "messages", "dataUrl", "deceased_date", "gender"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | NAMES
THINGS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, THINGS), st.lists(st.fixed_dictionaries({"type": NAMES}), max_size=2))
def test_no_json_export_does_harm(ann, things):
    more = {thing["type"]: [ann, thing] for thing in things if thing["type"] != "contact"}
    for card in read(exported({"first_name": "Ann", **ann, "tags": [ann]}, {**ann}, **more)):
        str(card.to_json()).encode()


PIECES = st.sampled_from(
    [
        *("INSERT INTO ", "`contacts` ", "`notes` ", "(`id`,`contact_id`,`body`)", " VALUES "),
        *(
            "(1,1,'a')",
            ",",
            ";",
            "(",
            ")",
            "'",
            '"',
            "`",
            "\\",
            "/*",
            "*/",
            "--",
            "# ",
            "\n",
            "NULL",
        ),
    ]
)


@given(st.lists(PIECES).map("".join).map(str.encode) | st.binary(max_size=300))
@example(b"INSERT INTO contacts (id) VALUES ('")
@example(b"INSERT INTO")
def test_no_sql_export_does_harm(data):
    with suppress(CardProblem):
        for card in read(data):
            str(card.to_json()).encode()
    for card in read(dumped(data.decode(errors="replace").replace("\0", ""))):
        str(card.to_json()).encode()


@pytest.mark.parametrize(
    "again",
    [
        "INSERT INTO `notes` (`contact_id`,`body`) VALUES (1,'a'),(2,'b');\n",
        r"\'",  # One text in quotation marks that never ends.
        "/* ",
        "((((",
        "`''",
        "''\"\"",
    ],
)
def test_four_times_the_text_takes_about_four_times_as_long(again):
    def seconds(count):
        data = dumped(again * count)
        started = process_time()
        read(data)
        return process_time() - started

    few, many = (min(seconds(count) for _ in range(3)) for count in (2000, 8000))
    assert many < 10 * few + 0.05
