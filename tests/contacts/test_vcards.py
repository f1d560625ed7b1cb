"""vCards of every version and program, read into cards and written from them."""

import re
import timeit
from base64 import b64encode
from collections import deque
from datetime import date
from pathlib import Path
from time import process_time

import pytest
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contacts.files import vcards
from contacts.files.cards import Card, CardProblem
from contacts.files.vcards import read, write
from netcrm.wording import one_line

SAMPLES = sorted((Path(__file__).parents[1] / "data" / "vcards").glob("*.vcf"))
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(60))
VERSIONS = ["3.0", "4.0"]


def vcf(*lines, version="3.0"):
    """Return the bytes of a file with one card; each line as bytes or text."""
    lines = ["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]
    return b"\r\n".join(each.encode() if isinstance(each, str) else each for each in lines)


def read_one(*lines, named="FN:Priya Raman", **options):
    (card,) = read(vcf(*([named] if named else []), *lines, **options))
    return card


def again(card, version):
    (card,) = read("".join(write([card], version)).encode())
    return card


def sample(name):
    return list(read(next(path for path in SAMPLES if path.stem == name).read_bytes()))


# The file


def test_cards_are_numbered_as_they_stand_in_the_file():
    cards = read(vcf("FN:Priya Raman") + vcf("FN:Omar Diaz"))
    assert [(card.row, card.name) for card in cards] == [(1, "Priya Raman"), (2, "Omar Diaz")]


def test_a_file_that_was_put_behind_another_is_read_too():
    both = "".join(f"\ufeffBEGIN:VCARD\nFN:{name}\nEND:VCARD\n" for name in ("Priya", "Omar"))
    assert [card.name for card in read(both.encode())] == ["Priya", "Omar"]


@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r"])
def test_any_newline_ends_a_line(newline):
    (card,) = read(vcf("FN:Priya Raman", "NOTE:a", " b").replace(b"\r\n", newline))
    assert (card.name, card.notes) == ("Priya Raman", "ab")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_of_the_file_is_found(encoding):
    (card,) = read(vcf("FN:Zoë 日本").decode().encode(encoding))
    assert card.name == "Zoë 日本"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", vcards.EMPTY),
        (b" \r\n", vcards.EMPTY),
        (b"First Name,Last Name\n", vcards.NO_CARDS),
        (b"PK\x03\x04 BEGIN:VCARD", vcards.NO_CARDS),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", vcards.NO_CARDS),
        (bytes(vcards.LARGEST_FILE + 1), vcards.TOO_LARGE),
    ],
)
def test_what_is_no_file_of_cards_is_refused_before_the_first_card(data, says):
    with pytest.raises(CardProblem) as problem:
        read(data)
    assert str(problem.value) == says


def test_more_cards_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(vcards, "MOST_CARDS", 2)
    assert len(list(read(vcf("FN:a") * 2))) == 2
    with pytest.raises(CardProblem, match="more than 100,000 cards"):
        list(read(vcf("FN:a") * 3))


# One broken card costs one card


def test_what_is_broken_costs_its_own_card():
    cards = {card.name: card for card in sample("broken")}
    assert {name: card.trouble for name, card in cards.items()} == {
        "First Whole": "",
        "Without An End": vcards.UNENDED,
        "Lower Case": "",
        "Unclosed Quote": "",
        "": vcards.NAMELESS,
        "Only An Organisation": "",
        "Cut off": vcards.UNENDED,
    }
    unclosed = cards["Unclosed Quote"]
    assert unclosed.phones == [("+1 555 0101", "work")]
    assert unclosed.without == ["line 18", "line 19", "photo"]
    assert unclosed.details == [("someday", "Birthday"), ("here", "Place on the map")]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["NOTE:" + "x" * vcards.LONGEST_LINE], vcards.LONG_LINE),
        (["NOTE:a", *[" " + "x" * 1_000_000] * 11], vcards.LONG_LINE),
        (["X-A:b"] * (vcards.MOST_LINES - 1), vcards.CROWDED),  # beside VERSION and FN
        (["KIND:group"], vcards.GROUP),
        (["X-ADDRESSBOOKSERVER-KIND:group"], vcards.GROUP),
    ],
)
def test_a_card_beyond_the_limits_says_so_and_the_next_is_read(lines, says):
    broken, whole = read(vcf("FN:Priya Raman", *lines) + vcf("FN:Omar Diaz"))
    assert (broken.name, broken.trouble) == ("Priya Raman", says)
    assert (whole.name, whole.trouble) == ("Omar Diaz", "")


def test_a_card_may_have_as_many_lines_as_the_limit():
    assert read_one(*["X-A:b"] * (vcards.MOST_LINES - 2)).trouble == ""


def test_a_photo_may_be_five_megabytes():
    photo = JPEG + bytes(5_000_000)
    (card,) = read("".join(write([Card(name="Priya", photo=photo)])).encode())
    assert card.photo == photo


@pytest.mark.parametrize(
    ("line", "without"),
    [
        ("NOTE:" + "x" * (vcards.LONGEST_TEXT + 1), "note"),
        ("ADR:;;" + "x" * (vcards.LONGEST_DETAIL + 1), "Address"),
        ("LOGO;ENCODING=b:" + b64encode(bytes([255]) * 8_000).decode(), "Logo"),
        ("CATEGORIES:" + "a," * vcards.LONGEST_TEXT, "categories"),
        ("PHOTO;ENCODING=b:A", "photo"),
        ("PHOTO:none", "photo"),
    ],
)
def test_a_value_that_cannot_be_taken_is_named(line, without):
    card = read_one(line)
    assert (card.without, card.trouble) == ([without], "")
    assert card.details == []


def test_a_second_note_counts_with_the_first():
    card = read_one("NOTE:" + "x" * vcards.LONGEST_TEXT, "NOTE:y")
    assert card.without == ["note"]


# Lines and values


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        (r"NOTE:a\, b\; c\nd\Ne\\f", "a, b; c\nd\ne\\f"),
        (r"NOTE:http\://a \"b\"", 'http://a "b"'),
        (r"NOTE:DOMAIN\user \\n", r"DOMAIN\user \n"),
        ("NOTE:a\x00b\x0bc\x7f", "abc"),
        ("NOTE:  a:b;c,d  ", "a:b;c,d"),
        ("note;language=en:a", "a"),
        ("Item1.Note:a", "a"),
        ('NOTE;X="a:b;c":d', "d"),
        ("NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab=\r\n c=3B=\r\n\r\nX:y", "a\nb c;"),
        ("NOTE;QUOTED-PRINTABLE:=C3=A9", "é"),
        ("NOTE;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:=E9", "é"),
        ("NOTE;CHARSET=UTF-16;ENCODING=QUOTED-PRINTABLE:=FF=FEa=00", "a"),
        ("NOTE;CHARSET=UTF-16:in a file that is not, any more", "in a file that is not, any more"),
        ("NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=A9=C3", "é\ufffd"),
        ("NOTE;CHARSET=no-such;ENCODING=QUOTED-PRINTABLE:=80", "€"),
        ("NOTE;CHARSET=unicode_escape:\\u0041", "\\u0041"),
        ("NOTE;ENCODING=BASE64:w6k=", "é"),
        (b"NOTE:\xc3\xa9", "é"),
        (b"NOTE:\xe9", "é"),
        (b"NOTE;CHARSET=UTF-8:J\xf6rg", "Jörg"),
        (
            "NOTE;ENCODING=QUOTED-PRINTABLE:ends at the end of its card=",
            "ends at the end of its card",
        ),
        (b"NOTE;CHARSET=ISO-8859-1:\xc3\xa9", "é"),
        (b"NOTE;CHARSET=Shift_JIS:\x93\xfa\x96\x7b", "日本"),
        (b"NOTE;CHARSET=ISO-2022-JP:\x1b$BF|K\\\x1b(B", "日本"),
        (b"NOTE:\xc3\r\n \xa9", "é"),
        ("NOTE:a\r\n\tb\r\n  c", "ab c"),
    ],
)
def test_a_value_is_read_as_it_was_meant(line, notes):
    assert read_one(line).notes == notes


@pytest.mark.parametrize("newline", ["\\n", "^n"])
def test_the_text_for_the_envelope_may_have_lines(newline):
    card = read_one(f'ADR;LABEL="Elm Street 1{newline}Graz":;;Elm Street 1;Graz;;;', version="4.0")
    assert ("Elm Street 1\nGraz", "Address label") in card.details


def test_letters_that_are_torn_are_told():
    assert read_one("NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=A9=C3").without == [
        "some letters"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["PHOTO;ENCODING=b;TYPE=JPEG:{}"],
        ["PHOTO;JPEG;ENCODING=BASE64:", " {}", ""],
        ["PHOTO;BASE64:{}", ""],
        ["PHOTO:data:image/jpeg;base64,{}"],
        [r"PHOTO;VALUE=uri:data:image/jpeg\;base64\,{}"],
    ],
)
def test_a_photo_is_read_in_every_dress(lines):
    assert read_one(*(line.format(b64encode(JPEG).decode()) for line in lines)).photo == JPEG


def test_base64_may_go_on_below_without_a_fold():
    text = b64encode(JPEG).decode()
    assert read_one("PHOTO;ENCODING=BASE64:", text[:40], text[40:], "", "NOTE:a").photo == JPEG


def test_only_the_first_photo_is_kept_and_no_address_is_asked():
    card = read_one(
        "PHOTO:https://example.org/a.jpg", "PHOTO;ENCODING=b:/9j/", "PHOTO;ENCODING=b:/9k="
    )
    assert card.photo == b"\xff\xd8\xff"
    assert card.details == [("https://example.org/a.jpg", "Photo")]
    assert card.without == ["photo"]


# Fields


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["FN:Priya Raman", "N:Other;Name"], "Priya Raman"),
        (["N:Raman;Priya;K;Dr.;MSc"], "Dr. Priya K Raman MSc"),
        (["FN:", "N:;;;;", "NICKNAME:Pri", "ORG:Gridworks"], "Pri"),
        (["ORG:Gridworks;Board", "EMAIL:a@example.org"], "Gridworks"),
        (["TEL:1", "EMAIL:a@example.org"], "a@example.org"),
        (["TEL:+49 30 1"], "+49 30 1"),
        (["FN:  Priya\\n\u202e Raman "], "Priya Raman"),
    ],
)
def test_the_name_is_the_best_there_is(lines, name):
    assert read_one(*lines, named="").name == name


@pytest.mark.parametrize("line", ["N:Raman;Priya;;;", "N:Raman;Priya", "N:;;;;"])
def test_parts_that_the_name_tells_are_not_kept_twice(line):
    assert read_one(line).details == []


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("EMAIL;TYPE=INTERNET;TYPE=WORK;TYPE=pref:a@b.example", "emails", "work"),
        ("EMAIL;INTERNET;HOME:a@b.example", "emails", "home"),
        ("TEL;TYPE=FAX,WORK:1", "phones", "work fax"),
        ('TEL;TYPE="home,cell,voice":1', "phones", "home mobile"),
        ("TEL;CELL;VOICE:1", "phones", "mobile"),
        ("TEL;TYPE=X-Boat:1", "phones", "boat"),
        (
            "TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,B=C3=BCro):1",
            "phones",
            "büro",
        ),
        ("TEL:1", "phones", ""),
        ("i.URL;TYPE=WORK:http://a.example\r\ni.X-ABLabel:_$!<HomePage>!$_", "links", "home page"),
        ("i.X-ABLabel:My Boat\r\ni.TEL;TYPE=pref:1", "phones", "My Boat"),
        ("X-SOCIALPROFILE;type=linkedin:http://a.example", "links", "linkedin"),
    ],
)
def test_a_label_comes_from_the_types_or_from_apple(line, field, value):
    assert [label for _, label in getattr(read_one(line), field)] == [value]


def test_the_preferred_address_comes_first():
    card = read_one("EMAIL:a@x.example", "EMAIL;PREF=2:b@x.example", "EMAIL;TYPE=pref:c@x.example")
    assert [address[0] for address, _ in card.emails] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ORG:Gridworks;;", "organisation", "Gridworks"),
        ("ROLE:Engineer", "role", "Engineer"),
        ("X-ABUID:ab\\:ABPerson", "uid", "ab:ABPerson"),
        ("TZ:Europe/Berlin", "time_zone", "Europe/Berlin"),
        ("TZ:-0500", "time_zone", ""),
        ("CATEGORIES:a,b\\, c,,a", "tags", ["a", "b, c"]),
        ("TEL;VALUE=uri:tel:+1-418;ext=102", "phones", [("+1-418 ext. 102", "")]),
        ("EMAIL:mailto:a@b.example", "emails", [("a@b.example", "")]),
        ("RELATED;TYPE=friend;VALUE=text:Omar", "related", [("Omar", "friend")]),
        ("RELATED;TYPE=friend:urn:uuid:1", "related", []),
        ("X-NETCRM-KNOWN-SINCE:2018-03-11", "known_since", date(2018, 3, 11)),
        ("REV:2024", "details", []),
        ("X-EMPTY:", "details", []),
        ("KIND:individual", "details", []),
        ("KIND:org", "details", [("org", "KIND")]),
        ("TZ:-0500", "details", [("-0500", "Time zone")]),
        ("RELATED;TYPE=friend:urn:uuid:1", "details", [("urn:uuid:1", "Related (friend)")]),
        ("BDAY:19800321", "details", [("1980-03-21", "Birthday")]),
        ("BDAY:1980-03-21T00:00:00Z", "details", [("1980-03-21", "Birthday")]),
        ("BDAY:--0321", "details", [("--03-21", "Birthday")]),
        ("GEO:geo:37.38,-122.08", "details", [("37.38, -122.08", "Place on the map")]),
        ("NICKNAME:A,B", "details", [("A", "Nickname"), ("B", "Nickname")]),
        ("IMPP;X-SERVICE-TYPE=AIM;TYPE=home:aim:a", "details", [("aim:a", "Chat (AIM home)")]),
        ("ADR;TYPE=home:;;Road 1;;;;", "details", [("Road 1", "Address (home)")]),
        ("ADR:;;;;;;Peru", "details", [("Country: Peru", "Address")]),
        ("X-A;TYPE=home;B=c^nd:e;f", "details", [("e;f", "X-A;B=c^nd (home)")]),
    ],
)
def test_each_property_has_its_place(line, field, value):
    assert getattr(read_one(line), field) == value


def test_a_role_is_the_title_and_what_comes_second_is_a_detail():
    card = read_one(
        "ROLE:Engineer", "TITLE:Grid planner", "TITLE:Treasurer", "ORG:A;Board", "ORG:B"
    )
    assert (card.role, card.organisation) == ("Grid planner", "A")
    assert card.details == [
        ("Board", "Department"),
        ("B", "Organisation"),
        ("Treasurer", "Job title"),
        ("Engineer", "Profession"),
    ]


def test_the_card_of_an_agent_is_a_person_and_related():
    fred, frida, susan, omar, lee = sample("agents")
    assert (fred.name, fred.phones) == ("Fred Friday", [("+1 213 555 1234", "work")])
    assert (frida.role, frida.related) == ("Director", [("Fred Friday", "agent")])
    assert (susan.notes, susan.emails) == ("one,two", [("sthomas@host.example", "")])
    assert (omar.role, omar.related) == ("Founder", [("Susan Thomas", "agent")])
    assert lee.details[0][1] == "AGENT"


def test_an_agent_follows_only_the_line_that_says_so():
    data = b"BEGIN:VCARD\nFN:a\nAGENT:\nBEGIN:VCARD\nFN:b\nEND:VCARD\n" + vcf("FN:c")
    assert [(card.name, card.trouble, card.related) for card in read(data)] == [
        ("b", "", []),
        ("a", vcards.UNENDED, [("b", "agent")]),
        ("c", "", []),
    ]


def test_cards_inside_cards_have_a_depth():
    data = b"BEGIN:VCARD\nFN:a\nAGENT:\n" * 4 + b"END:VCARD\n" * 4
    assert [card.trouble for card in read(data)] == [vcards.NESTED, "", "", ""]
    text = "BEGIN:VCARD\nFN:a\nEND:VCARD"
    for _ in range(6):
        text = f"BEGIN:VCARD\nFN:a\nAGENT:{vcards.escape(text)}\nEND:VCARD"
    assert [card.trouble for card in read(text.encode())] == [vcards.NESTED, "", "", ""]


# Programs


def test_apple():
    card, group = sample("apple")
    assert group.trouble == vcards.GROUP
    assert card.emails[0] == ("asa.lindqvist@nordlys.example", "work")
    assert card.emails[2] == ("summer@example.org", "Sommarhuset")
    assert ("+46 8 5550 1234", "home fax") in card.phones
    assert card.links[1] == ("https://nordlys.example/asa", "home page")
    assert card.related == [("Jonas Lindqvist", "spouse")]
    assert card.notes.endswith('Likes: sailing; hates "synergy".')
    assert card.photo.startswith(b"\xff\xd8\xff")
    assert {
        ("Grid Planning", "Department"),
        ("--03-22", "Birthday"),
        ("2009-08-15", "Date (anniversary)"),
        ("skype:asa.lindqvist", "Chat (Skype home)"),
        ("x-apple:asis", "X-SOCIALPROFILE;X-USER=asis (game center)"),
        ("Oosa", "X-PHONETIC-FIRST-NAME"),
    } <= set(card.details)


def test_outlook():
    (card,) = sample("outlook")
    assert (card.name, card.organisation) == ("Jürgen Großmann", "Müller & Söhne, GmbH")
    assert card.notes == (
        "Über die IHK kennengelernt.\nGeht 2025 in den Ruhestand; Nachfolge offen."
    )
    assert ("+49 (30) 901800", "company") in card.phones
    assert card.photo.startswith(b"\xff\xd8\xff")
    details = {label: value for value, label in card.details}
    assert details["Profession"] == "Kaufmann"
    assert details["X-MS-MANAGER"] == "Käthe Müller"
    assert details["Address label (work)"].splitlines()[1] == "Straße des 17. Juni 135"
    assert details["Address (work)"].splitlines() == [
        "Apartment: Haus 4",
        "Street: Straße des 17. Juni 135",
        "Place: Berlin",
        "Postal code: 10623",
        "Country: Deutschland",
    ]


def test_android():
    (card,) = sample("android")
    assert (card.name, card.notes) == ("Ольга Коваль", "ends in a soft break")
    assert card.phones == [("+380441234567", "mobile"), ("+380447654321", "klettern")]
    assert card.related == [("Petro", "spouse"), ("Ira", "climbing partner")]
    assert card.photo.startswith(b"\x89PNG")
    assert card.details == [
        ("Оля", "Nickname"),
        ("2009-08-15", "Anniversary"),
        ("2012-01-07", "Date (First day)"),
        ("vnd.example/thing;a;b;;;;;;;;;;;;;", "X-ANDROID-CUSTOM"),
    ]


def test_evolution():
    (card,) = sample("evolution")
    assert (card.time_zone, card.tags) == ("America/Toronto", ["VIP", "Boärd, former"])
    assert card.phones == [("+1 905 555 0123", "work")]
    assert ("Sam", "X-EVOLUTION-SPOUSE") in card.details


def test_version_4():
    (card,) = sample("version4")
    assert card.phones[0] == ("+1-418-656-9254 ext. 102", "work")
    assert card.notes == "First.\nSecond, with a path C:\\grid and a \\u that is none."
    assert card.photo.startswith(b"\x89PNG")
    assert card.links == [("https://priya.example/a,b;c?d=e:f", "home")]
    assert {
        ("பிரியா ராமன்", "Another name"),
        ("Suite D2-630\n2875 Laurier\nQuébec", "Address label (work)"),
        ("12 km", 'X-TRAIL;X-TITLE="Rim: north; east"'),
        ("data:audio/ogg;base64,T2dnUw==", "Sound"),
    } <= set(card.details)


# Writing


def test_every_line_ends_in_crlf_and_has_75_octets_at_most():
    (text,) = write([Card(name="Zoë", notes="日本語🙂" * 80, photo=JPEG * 9)])
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", text)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert text.startswith("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zoë\r\n")
    assert text.endswith("\r\nEND:VCARD\r\n")


CARD = Card(
    name="Priya Raman",
    organisation="Grid; Works",
    role="Planner, senior",
    how_met="At a conference",
    known_since=date(2018, 3, 11),
    notes="one\ntwo",
    time_zone="Asia/Kolkata",
    tags=["grid", "a, b"],
    emails=[("p@example.org", "work")],
    phones=[("+49 30 1", "mobile"), ("+49 30 2", "Boat: the blue")],
    links=[("https://example.org/a,b;c", "home")],
    details=[
        ("Board", "Department"),
        ("1980-03-21", "Birthday"),
        ("someday", "Anniversary"),
        ("Street: Road 1\nPlace: Pune", "Address (home)"),
        ("18.52, 73.85", "Place on the map"),
        ("Pri", "Nickname"),
        ("a;b", "X-ANDROID-THING;X-B=c"),
        ("Tea", "What they drink"),
        ("group", "KIND"),
    ],
    photo=JPEG,
    uid="urn:uuid:1",
    related=[("Omar Diaz", "friend"), ("Asha", "aunt")],
)


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        (
            "4.0",
            [
                "VERSION:4.0",
                "BDAY:19800321",
                "ANNIVERSARY;VALUE=text:someday",
                "GEO:geo:18.52,73.85",
                "RELATED;TYPE=friend;VALUE=text:Omar Diaz",
            ],
        ),
        (
            "3.0",
            [
                "VERSION:3.0",
                "BDAY:1980-03-21",
                "ANNIVERSARY:someday",
                "GEO:18.52;73.85",
                "item2.X-ABRELATEDNAMES:Omar Diaz",
                "item2.X-ABLabel:friend",
            ],
        ),
    ],
)
def test_a_card_is_written_by_the_rules_of_its_version(version, lines):
    (text,) = write([CARD], version)
    written = text.replace("\r\n ", "").split("\r\n")
    assert set(lines) <= set(written)
    assert {
        "FN:Priya Raman",
        "N:Raman;Priya;;;",
        r"ORG:Grid\; Works;Board",
        r"TITLE:Planner\, senior",
        "UID:urn:uuid:1",
        "TZ;VALUE=text:Asia/Kolkata",
        r"CATEGORIES:grid,a\, b",
        "EMAIL;TYPE=work:p@example.org",
        "TEL;TYPE=cell:+49 30 1",
        "item1.TEL:+49 30 2",
        "item1.X-ABLabel:Boat: the blue",
        "URL;TYPE=home:https://example.org/a,b;c",
        r"NOTE:one\ntwo",
        "ADR;TYPE=home:;;Road 1;Pune;;;",
        "NICKNAME:Pri",
        "X-ANDROID-THING;X-B=c:a;b",
        "X-NETCRM-HOW-MET:At a conference",
        "X-NETCRM-KNOWN-SINCE:2018-03-11",
    } <= set(written)
    photo = b64encode(JPEG).decode()
    dress = {"3.0": f"PHOTO;TYPE=JPEG;ENCODING=b:{photo}"}
    assert dress.get(version, f"PHOTO:data:image/jpeg;base64,{photo}") in written


@pytest.mark.parametrize("version", VERSIONS)
def test_a_card_comes_back_as_it_was(version):
    card = again(CARD, version)
    card.row = 0
    assert card == CARD


def test_a_detail_whose_property_would_be_read_otherwise_keeps_its_label():
    details = [
        ("Engineer", "Profession"),  # would be the role of somebody without one
        ("Europe/Berlin", "Time zone"),
        ("a@example.org", "EMAIL"),
        ("END", "END"),
        ("x", "lower-case"),
        ("x", ""),
    ]
    card = again(Card(name="Priya", details=details), "4.0")
    assert (card.details, card.role, card.emails) == (details, "", [])


def test_an_organisation_is_not_written_as_a_person():
    (text,) = write([Card(name="Grid Works", organisation="Grid Works")])
    assert "\r\nN:\r\n" in text


def test_another_program_reads_what_we_write():
    card = vobject.readOne("".join(write([CARD], "3.0")))
    assert (card.n.value.given, card.n.value.family) == ("Priya", "Raman")
    assert card.org.value == ["Grid; Works", "Board"]
    assert card.adr.value.city == "Pune"
    assert card.photo.value == JPEG
    assert [each.value for each in card.contents["categories"]] == [["grid", "a, b"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_read_again_from_what_was_written(path, version):
    cards = [card for card in read(path.read_bytes()) if not card.trouble]
    for card in cards:
        card.without = []
    assert cards
    written = list(read("".join(write(cards, version)).encode()))
    for row, card in enumerate(cards, 1):
        card.row = row
    assert written == cards


# Rules over any card and any file

lines_ = st.text(max_size=30).map(one_line).filter(bool)
texts = st.text(max_size=80).map(vcards.tidy).filter(bool)
words = st.sampled_from(["", "home", "work", "mobile", "cell", "work fax", "fax work", "friend"])
labels = words | st.text(max_size=20).map(one_line)
known = st.sampled_from([*vcards.PROPERTIES, "Department", "X-FOO", "TEL", "VERSION"])
kinds = known | st.builds("{} ({})".format, known, labels) | labels
pairs = st.lists(st.tuples(lines_, labels), max_size=3, unique=True)
values = texts | st.sampled_from(["1980-03-21", "--03-21", "1.5, -2", "urn:a:b", "Europe/Berlin"])
any_card = st.builds(
    Card,
    name=lines_,
    organisation=st.just("") | lines_,
    role=st.just("") | lines_,
    how_met=st.just("") | lines_,
    known_since=st.none() | st.dates(),
    notes=st.just("") | texts,
    time_zone=st.sampled_from(["", "Europe/Berlin"]),
    tags=st.lists(lines_, max_size=3, unique=True),
    emails=pairs,
    phones=pairs,
    links=pairs,
    details=st.lists(st.tuples(values, kinds), max_size=4, unique=True),
    photo=st.binary(max_size=200),
    uid=st.just("") | lines_,
    related=pairs,
)


def assert_same(back, card):
    """The order of details may change."""
    assert sorted(back.details) == sorted(card.details)
    back.row, back.details, back.without = card.row, card.details, card.without
    assert back == card


@given(card=any_card, version=st.sampled_from(VERSIONS))
@settings(deadline=None, max_examples=300)
def test_any_card_comes_back_as_it_was(card, version):
    assert_same(again(card, version), card)


groups = st.sampled_from(["", "item1.", "item2."])
names = st.sampled_from([*vcards.TAKERS, *vcards.READABLE, "X-ABLabel", "X-A"])
params = st.sampled_from(
    ["", ";HOME", ";TYPE=work", ";VALUE=text", ";PREF=1", ";X-B=c", ";ENCODING=b", ';X-B="c:d"']
)
odd = st.text('ab1-:;,\\n"é =', max_size=20) | st.sampled_from(["1980-03-22", "YQ==", "urn:a:b"])
lines_of_cards = st.lists(st.builds("{}{}{}:{}".format, groups, names, params, odd), max_size=12)


@given(lines=lines_of_cards)
@settings(deadline=None, max_examples=300)
def test_any_readable_card_is_read_the_same_from_what_was_written(lines):
    card = read_one(*lines)
    for version in VERSIONS:
        assert_same(again(card, version), card)


JUNK = [b"\n", b'"', b"=\r\n", b":", b"\0", b"\\", b"BEGIN:VCARD\r\n", b"AGENT:", b"ENCODING=b"]
WHOLE = b"".join(path.read_bytes() for path in SAMPLES if path.stem != "utf16")


@given(data=st.binary(max_size=400))
@example(b"BEGIN:VCARD\n:")
@example(b"\xff\xfeB")
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_or_refused(data):
    for each in (data, b"BEGIN:VCARD\n" + data, vcf("FN:Priya", data)):
        try:
            cards = list(read(each))
        except CardProblem:
            continue
        assert all(card.name or card.trouble for card in cards)
        list(write(cards))


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_mutated_file_is_read_to_its_end(data):
    at = data.draw(st.integers(20, len(WHOLE)))  # beyond the bytes that tell the encoding
    junk = data.draw(st.binary(max_size=8) | st.sampled_from(JUNK))
    skipped = data.draw(st.integers(0, 300))
    cards = list(read(WHOLE[:at] + junk + WHOLE[at + skipped :]))
    assert len(cards) >= 10
    list(write(cards))


# Time


def seconds(data):
    """Return the less of the times of this process that two readings take."""
    return min(timeit.repeat(lambda: deque(read(data), 0), timer=process_time, number=1, repeat=2))


def assert_linear(half, whole):
    """What is quadratic takes minutes; a few hundredths of a second are the machine's noise."""
    short, long = seconds(half), seconds(whole)
    assert long <= 2.6 * short + 0.05


LONG = {
    "note": lambda n: "NOTE:" + "x\\," * (n // 3),
    "photo": lambda n: "PHOTO;ENCODING=b:" + "/9j/" * (n // 4),
    "folded": lambda n: "PHOTO;ENCODING=b:" + "\r\n /9j/4AAQSkZJRgABAQ" * (n // 23),
    "printable": lambda n: "NOTE;ENCODING=QUOTED-PRINTABLE:" + "=C3=A9=C3=A9=\r\n" * (n // 15),
    "unclosed quotes": lambda n: 'TEL;X="' + 'a;b"c' * (n // 5),
    "quotes": lambda n: 'TEL;X="' + 'a;b"c"' * (n // 6) + ":1",
    "parameters": lambda n: "TEL" + ";" * n + ":1",
    "semicolons": lambda n: "N:" + ";" * n,
    "backslashes": lambda n: "ORG:" + "\\" * n,
    "spaces": lambda n: "BEGIN" + " " * n,
}


@pytest.mark.parametrize("line", LONG.values(), ids=LONG)
def test_a_line_of_ten_megabytes_is_read_in_twice_the_time_of_five(line):
    assert_linear(vcf("FN:a", line(5_000_000)), vcf("FN:a", line(10_000_000)))


MANY = {
    "small cards": (50_000, lambda n: b"BEGIN:VCARD\nFN:a\nEND:VCARD\n" * n),
    "begins": (10_000, lambda n: b"BEGIN:VCARD\n" * n),
    "nested": (5_000, lambda n: b"BEGIN:VCARD\nAGENT:\n" * n + b"END:VCARD\n" * n),
    "agents": (5_000, lambda n: vcf("AGENT:" + r"BEGIN:VCARD\nFN:b\nEND:VCARD\n" * n)),
    "blank lines": (100_000, lambda n: vcf("FN:a", b"\n" * n)),
    "lines": (100_000, lambda n: vcf("FN:a", b"x\n" * n)),
    "properties": (10, lambda n: vcf("FN:a", b"N:a\r\nX:b\r\n" * 990) * n),
    "one group": (10, lambda n: vcf("FN:a", b"i.TEL:1\r\ni.X-ABLABEL:b\r\n" * 990) * n),
}


@pytest.mark.parametrize(("count", "make"), MANY.values(), ids=MANY)
def test_twice_as_many_are_read_in_twice_the_time(count, make):
    assert_linear(make(count), make(2 * count))
