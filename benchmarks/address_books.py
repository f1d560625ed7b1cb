"""Address books as other programs write them: the same invented people in every format."""

import csv
import io
import json
import quopri
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.notebook import FAMILY, GIVEN

SEED = "Maya's address book"
ROLES = "Analyst Architekt Forscherin Grid-planner Nurse Product-owner Töpfer"
TAGS = "Berlin Conference Energy Mentor"
EACH_EMPLOYS = 20
MET_FROM, MET_DAYS = date(2012, 1, 1), 4_000


@dataclass(frozen=True)
class Person:
    number: int
    given: str
    family: str
    organisation: str
    role: str
    email: str
    phone: str
    profile: str
    tag: str
    note: str
    met: date

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


def people(count: int) -> Iterator[Person]:
    """Yield so many people, each of another name, address, number and profile; the same people
    each time."""
    chance = random.Random(SEED)
    given, family, roles, tags = (words.split() for words in (GIVEN, FAMILY, ROLES, TAGS))
    for n in range(count):
        yield Person(
            number=n,
            given=chance.choice(given),
            family=f"{chance.choice(family)}-{n}",
            organisation=f"{chance.choice(family)} & Söhne {n // EACH_EMPLOYS}",
            role=chance.choice(roles),
            email=f"person.{n}@example.org",
            phone=f"+43 660 {5_000_000 + n}",
            profile=f"https://www.linkedin.com/in/person-{n}",
            tag=chance.choice(tags),
            note=f"Met on a train, told of {chance.choice(roles)}; likes tea, talks of the sea.",
            met=MET_FROM + timedelta(days=chance.randrange(MET_DAYS)),
        )


# vCards


def vcard_2(person: Person) -> str:
    def quoted(*texts: str) -> str:
        printable = ";".join(quopri.encodestring(text.encode()).decode() for text in texts)
        return f";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{printable}"

    return _lines(
        "BEGIN:VCARD",
        "VERSION:2.1",
        f"N{quoted(person.family, person.given)}",
        f"FN{quoted(person.name)}",
        f"ORG{quoted(person.organisation)}",
        f"TITLE{quoted(person.role)}",
        f"EMAIL;INTERNET;WORK:{person.email}",
        f"TEL;CELL;VOICE:{person.phone}",
        f"URL:{person.profile}",
        f"NOTE{quoted(person.note)}",
        f"X-MET:{person.met}",
        "END:VCARD",
    )


def vcard_3(person: Person) -> str:
    return _lines(
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{person.family};{person.given};;;",
        f"FN:{person.name}",
        f"ORG:{person.organisation};",
        f"TITLE:{person.role}",
        f"item1.EMAIL;type=INTERNET;type=pref:{person.email}",
        "item1.X-ABLabel:_$!<Work>!$_",
        f"TEL;type=CELL;type=VOICE:{person.phone}",
        f"item2.URL:{person.profile}",
        "item2.X-ABLabel:LinkedIn",
        *_folded(f"NOTE:{_escaped(person.note)}"),
        f"CATEGORIES:{person.tag}",
        f"X-MET:{person.met}",
        "END:VCARD",
    )


def vcard_4(person: Person) -> str:
    return _lines(
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"UID:urn:uuid:00000000-0000-4000-8000-{person.number:012}",
        f"FN:{person.name}",
        f"N:{person.family};{person.given};;;",
        f"ORG:{person.organisation}",
        f"TITLE:{person.role}",
        f"EMAIL;TYPE=work;PREF=1:{person.email}",
        f"TEL;VALUE=uri;TYPE=cell:tel:{person.phone.replace(' ', '-')}",
        f"URL:{person.profile}",
        *_folded(f"NOTE:{_escaped(person.note)}"),
        f"CATEGORIES:{person.tag}",
        f"X-MET:{person.met}",
        "END:VCARD",
    )


def _lines(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> Iterator[str]:
    yield line[:60]
    for at in range(60, len(line), 60):
        yield f" {line[at : at + 60]}"


# Tables


def linkedin(some: Iterable[Person]) -> str:
    header = "First Name,Last Name,URL,Email Address,Company,Position,Connected On"
    notes = (
        'Notes:\n"When exporting your connection data, you may notice that some are missing."\n\n'
    )
    return notes + _table(
        header,
        (
            [
                *(person.given, person.family, person.profile, person.email),
                *(person.organisation, person.role, f"{person.met:%d %b %Y}"),
            ]
            for person in some
        ),
    )


def google(some: Iterable[Person]) -> str:
    header = (
        "First Name,Middle Name,Last Name,Phonetic First Name,Nickname,File As,Organization Name,"
        "Organization Title,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,"
        "Phone 1 - Label,Phone 1 - Value,Website 1 - Label,Website 1 - Value"
    )
    return _table(
        header,
        (
            [
                *(person.given, "", person.family, "", "", "", person.organisation),
                *(person.role, person.met.isoformat(), person.note, ""),
                *(f"{person.tag} ::: * myContacts", "* Work", person.email, "Mobile"),
                *(person.phone, "LinkedIn", person.profile),
            ]
            for person in some
        ),
    )


def outlook(some: Iterable[Person]) -> str:
    header = (
        "Title,First Name,Middle Name,Last Name,Company,Department,Job Title,Business Street,"
        "Business City,Business Phone,Mobile Phone,Birthday,Categories,E-mail Address,"
        "E-mail Type,E-mail Display Name,Notes,Priority,Private,Sensitivity,Web Page"
    )
    return _table(
        header,
        (
            [
                *("", person.given, "", person.family, person.organisation, "", person.role),
                *("Am Ring 5", "Wien", "", person.phone, "0/0/00", person.tag, person.email),
                *("SMTP", f"{person.name} ({person.email})", person.note),
                *("Normal", "False", "Normal", person.profile),
            ]
            for person in some
        ),
    )


def other_table(some: Iterable[Person]) -> str:
    header = "Name;Firma;Funktion;E-Mail;Telefon;LinkedIn;Kennengelernt am;Notizen;Schuhgröße"
    return _table(
        header,
        (
            [
                *(person.name, person.organisation, person.role, person.email, person.phone),
                *(person.profile, person.met.isoformat(), person.note, str(person.number % 12)),
            ]
            for person in some
        ),
        delimiter=";",
    )


def _table(header: str, rows: Iterable[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    out.write(f"{header}\n")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


# Monica: each person with an address, a number, a note and a call.


def monica_json(some: Iterable[Person]) -> str:
    types = [
        {"uuid": "t-email", "properties": {"name": "Email", "type": "email"}},
        {"uuid": "t-phone", "properties": {"name": "Phone", "type": "phone"}},
    ]
    account = {
        "uuid": "a-1",
        "data": [{"type": "contact", "values": [_monica_contact(person) for person in some]}],
        "instance": {"contact_field_types": types},
    }
    return json.dumps({"version": "1.0-preview.1", "account": account}, indent=4)


def _monica_contact(person: Person) -> dict:
    def things(kind: str, *values: dict) -> dict:
        each = [
            {"uuid": f"{kind}-{person.number}-{n}", "created_at": _moment(person), "properties": of}
            for n, of in enumerate(values)
        ]
        return {"count": len(each), "type": kind, "values": each}

    return {
        "uuid": f"c-{person.number}",
        "created_at": _moment(person),
        "properties": {
            "first_name": person.given,
            "last_name": person.family,
            "company": person.organisation,
            "job": person.role,
            "description": person.note,
            "is_active": True,
            "tags": [person.tag],
        },
        "data": [
            things(
                "contact_field",
                {"data": person.email, "type": "t-email"},
                {"data": person.phone, "type": "t-phone"},
            ),
            things("note", {"body": person.note, "created_at": _moment(person)}),
            things("call", {"called_at": _moment(person), "content": "Talked about the sea."}),
        ],
    }


def _moment(person: Person) -> str:
    return f"{person.met}T00:00:00.000000Z"


def monica_sql(some: Iterable[Person]) -> str:
    some = list(some)
    rows: dict[str, list[tuple]] = {
        "accounts (id,api_key)": [(1, "secret-key")],
        "contact_field_types (id,name,type)": [(1, "Email", "email"), (2, "Phone", "phone")],
        "tags (id,name)": list(enumerate(TAGS.split(), start=1)),
        "contacts (id,first_name,last_name,uuid,company,job,description,is_active)": [
            (
                *(each.number, each.given, each.family, f"c-{each.number}"),
                *(each.organisation, each.role, each.note, 1),
            )
            for each in some
        ],
        "contact_fields (id,contact_id,contact_field_type_id,data)": [
            (2 * each.number + kind, each.number, kind, value)
            for each in some
            for kind, value in ((1, each.email), (2, each.phone))
        ],
        "contact_tag (contact_id,tag_id)": [
            (each.number, TAGS.split().index(each.tag) + 1) for each in some
        ],
        "notes (id,contact_id,body,created_at)": [
            (each.number, each.number, each.note, f"{each.met} 00:00:00") for each in some
        ],
        "calls (id,contact_id,called_at,content)": [
            (each.number, each.number, f"{each.met} 00:00:00", "Talked about the sea.")
            for each in some
        ],
    }
    return "".join(_insert(into, values) for into, values in rows.items())


def _insert(into: str, rows: list[tuple]) -> str:
    table, _, columns = into.partition(" ")
    columns = ",".join(f"`{name}`" for name in columns.strip("()").split(","))
    values = ",\n ".join(f"({','.join(map(_sql, row))})" for row in rows)
    return f"INSERT IGNORE INTO `{table}` ({columns}) VALUES\n {values};\n\n"


def _sql(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


# All of them: what each is called, the name of its file, how its text is made and encoded.


@dataclass(frozen=True)
class Format:
    name: str
    file_name: str
    write: Callable[[Iterable[Person]], str]
    encoding: str = "utf-8"

    def file(self, count: int) -> bytes:
        """Return a file of so many people."""
        return self.write(people(count)).encode(self.encoding)


def _cards(write: Callable[[Person], str]) -> Callable[[Iterable[Person]], str]:
    return lambda some: "".join(map(write, some))


FORMATS = [
    Format("vCard 2.1", "people.vcf", _cards(vcard_2)),
    Format("vCard 3.0", "people.vcf", _cards(vcard_3)),
    Format("vCard 4.0", "people.vcf", _cards(vcard_4)),
    Format("LinkedIn", "Connections.csv", linkedin),
    Format("Google", "contacts.csv", google, "utf-8-sig"),
    Format("Outlook", "contacts.csv", outlook, "cp1252"),
    Format("Another table", "people.csv", other_table),
    Format("Monica, JSON", "monica.json", monica_json),
    Format("Monica, SQL", "monica.sql", monica_sql),
]
