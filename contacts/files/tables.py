"""Reading people from tables of text: LinkedIn's, Google's, Outlook's and any other CSV.

A table is opened first: how it is written, who wrote it and what its columns are called. Its
rows become cards after that, one by one, with a field for each column. A row that cannot be read
costs that row and says so; what has no field is kept in a card's other details.
"""

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from contacts.files.cards import Card, CardProblem, Line
from netcrm.wording import one_line

LARGEST_FILE = 50 * 1024 * 1024
LARGEST_ROW = 1024 * 1024  # characters, so no cell is longer either
MOST_ROWS = 100_000
# Spreadsheets save their empty rows too: this many are all that a sheet can have.
MOST_LINES = 1_048_576
MOST_COLUMNS = 500
MOST_TORN = 100
LONGEST_DAY = 40  # characters of a date
# LinkedIn writes a few lines of notes before the header.
HEADER_WITHIN = 20

TOO_LARGE = "That file is larger than 50 MB. Please split it and import one part at a time."
TOO_MANY = (
    f"That file has more than {MOST_ROWS:,} rows. Please split it and import one part at a time."
)
TOO_WIDE = f"That file has more than {MOST_COLUMNS} columns. Leave out those you do not need."
EMPTY = "That file is empty. Please export it again."
ZIPPED = "That is a ZIP file. Unzip it first and choose one of the files in it."
WORKBOOK = "That is a spreadsheet. Save it as CSV UTF-8 and choose that file."
NOT_TEXT = "That is not a text file. Choose one that was saved as CSV."
NOT_A_TABLE = (
    "That is a web page, or a file for programs. Choose one that was saved as CSV, or as vCards."
)
NO_HEADINGS = "The first rows of that file cannot be read. Please save it again as CSV UTF-8."
NO_PEOPLE = "That file has a row of headings, and nobody below it."
ALL_TORN = (
    f"In more than {MOST_TORN} rows of that file a quotation mark does not end."
    " Please save it again as CSV UTF-8."
)
TORN = "This row cannot be read: a quotation mark in it does not end, or ends in mid-cell."
TOO_LONG = "This row is longer than 1 MB."
TOO_MANY_CELLS = f"This row has more than {MOST_COLUMNS} cells."
NAMELESS = "This row has no name."
BAD_LETTERS = "some letters"

# The column of our own export in which the details stand.
OTHER_DETAILS = "Other details"
LINKEDIN, GOOGLE, OUTLOOK, OTHER = "linkedin", "google", "outlook", "other"

# What a column may hold.
FIELDS = [
    ("name", "Name"),
    ("first_name", "First name"),
    ("middle_name", "Middle name"),
    ("last_name", "Last name"),
    ("organisation", "Organisation"),
    ("role", "Role"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("link", "Link"),
    ("notes", "Worth remembering"),
    ("tags", "Tags"),
    ("how_met", "How you met"),
    ("known_since", "Known since"),
    ("birthday", "Birthday"),
    ("address", "Address"),
    ("label", "The kind of the column beside it (work, home)"),
    ("details", "Keep it in other details"),
    ("skip", "Leave it out"),
]
NAMES = ("name", "first_name", "middle_name", "last_name")

# The default of 128 KB is too little for a long note; rows are measured before csv sees them.
csv.field_size_limit(LARGEST_ROW)


# Opening


class Row(NamedTuple):
    """One row; `number` is its number in a spreadsheet, from 1. `trouble` says why it has no
    cells."""

    number: int
    cells: list[str]
    trouble: str = ""


@dataclass(frozen=True)
class Table:
    """A file that was opened. `kind` is the program that wrote it; `start` counts the rows before
    the first person."""

    header: list[str]
    delimiter: str
    encoding: str
    kind: str
    start: int
    data: bytes = field(repr=False)

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header that have something in them, from the first each time.
        Raises CardProblem when there are too many."""
        for count, row in enumerate(self._filled(), start=1):
            if count > MOST_ROWS:
                raise CardProblem(TOO_MANY)
            too_wide = len(row.cells) > MOST_COLUMNS
            yield Row(row.number, [], TOO_MANY_CELLS) if too_wide else row

    def _filled(self) -> Iterator[Row]:
        for row in islice(_read(self.data, self.encoding, self.delimiter), self.start, None):
            if row.trouble or any(cell and not cell.isspace() for cell in row.cells):
                yield row
            elif row.number > MOST_LINES:
                raise CardProblem(TOO_MANY)


def open_table(data: bytes) -> Table:
    """Return the table in a file. Raises CardProblem."""
    if len(data) > LARGEST_FILE:
        raise CardProblem(TOO_LARGE)
    encoding = find_encoding(data)
    if _MARKUP.match(data.removeprefix(codecs.BOM_UTF8)):
        raise CardProblem(NOT_A_TABLE)
    tops = {each: list(islice(_read(data, encoding, each), HEADER_WITHIN)) for each in ",;\t|"}
    delimiter, at = _find_header(tops)
    table = _table(tops[delimiter], at, delimiter, encoding, data)
    if len(table.header) > MOST_COLUMNS:
        raise CardProblem(TOO_WIDE)
    if next(table.rows(), None) is None:
        raise CardProblem(NO_PEOPLE)
    return table


def _table(top: list[Row], at: int, delimiter: str, encoding: str, data: bytes) -> Table:
    header = [one_line(cell) for cell in top[at].cells] if top else []
    if not any(header):
        raise CardProblem(NO_HEADINGS if any(row.trouble for row in top) else EMPTY)
    if any(_is_email(cell) or _PHONE.fullmatch(cell) for cell in header):
        # A person stands where the headings should be: the columns have no names.
        return Table([""] * len(header), delimiter, encoding, OTHER, at, data)
    kind = _kind({_word(cell) for cell in header})
    return Table(header, delimiter, encoding, kind, at + 1, data)


def find_encoding(data: bytes) -> str:
    """Return how a text is written, as Python calls it. Raises CardProblem if it is no text.

    Windows-1252 cannot be told from its bytes: it is what is left. A text that has more letters
    of UTF-8 than of anything else is UTF-8 in which some are broken.
    """
    if not data.strip():
        raise CardProblem(EMPTY)
    if data.startswith(b"PK\x03\x04"):
        raise CardProblem(WORKBOOK if b"[Content_Types].xml" in data else ZIPPED)
    if data.startswith(b"%PDF-"):
        raise CardProblem(NOT_TEXT)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:1024]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > max(4 * min(even, odd), len(head) // 16):
        return "utf-16-le" if odd > even else "utf-16-be"
    if b"\0" in data:
        raise CardProblem(NOT_TEXT)
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-8" if _is_utf8(data) or _is_mostly_utf8(data[:LARGEST_ROW]) else "cp1252"


def _is_utf8(data: bytes) -> bool:
    # Piece by piece: a text takes up to four times the memory of its bytes.
    try:
        for _ in codecs.iterdecode(_pieces(data), "utf-8"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), LARGEST_ROW):
        yield data[at : at + LARGEST_ROW]


# HTML and XML, and the beginning of an object or a list in JSON.
_MARKUP = re.compile(rb"\s*(?:<(?:!|\?xml|html)|\{\s*[\"}]|\[\s*[\[{\"])", re.IGNORECASE)
_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def _is_mostly_utf8(data: bytes) -> bool:
    rest, letters = _LETTER.subn(b"", data)
    return letters > sum(byte > 127 for byte in rest)


def _find_header(tops: dict[str, list[Row]]) -> tuple[str, int]:
    """Return the delimiter and the index of the header among the first rows.

    A header that we know decides. Otherwise it is the first row that has anything in it, and the
    delimiter under which most rows have as many cells as that one.
    """
    for delimiter, top in tops.items():
        for at, row in enumerate(top):
            if _kind({_word(one_line(cell)) for cell in row.cells}) != OTHER:
                return delimiter, at
    best = max(tops, key=lambda delimiter: _agreement(tops[delimiter]))
    for at, row in enumerate(tops[best]):
        # Excel names the delimiter in a first row of its own: sep=;
        if any(map(str.strip, row.cells)) and not row.cells[0].startswith("sep="):
            return best, at
    return best, 0


def _agreement(top: list[Row]) -> tuple[int, int]:
    widths = Counter(len(row.cells) for row in top if len(row.cells) > 1)
    width, rows = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
    return rows, width


def _read(data: bytes, encoding: str, delimiter: str) -> Iterator[Row]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="")
    return _Rows(text, delimiter)


class _Rows:
    """The rows of a text. A quotation mark that does not end takes its own line with it, and
    reading goes on with the line after that: the csv module alone would take the whole rest of
    the file for one cell.

    Going back is what could make reading slow, so a row has a greatest length and a file a
    greatest number of torn rows.
    """

    def __init__(self, text: io.TextIOWrapper, delimiter: str) -> None:
        self._text, self._delimiter = text, delimiter
        self._ahead: deque[str] = deque()
        self._taken: list[str] = []
        self._number = self._torn = 0

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        self._taken = []
        self._number += 1
        try:
            cells = next(csv.reader(self._lines(), delimiter=self._delimiter, strict=True))
        except csv.Error:
            return Row(self._number, [], self._give_up())
        return Row(self._number, cells[: MOST_COLUMNS + 1])

    def _lines(self) -> Iterator[str]:
        left = LARGEST_ROW
        while line := self._line():
            self._taken.append(line)
            left -= len(line)
            if left < 0:
                raise csv.Error
            yield line

    def _line(self) -> str:
        return self._ahead.popleft() if self._ahead else self._text.readline(LARGEST_ROW + 1)

    def _give_up(self) -> str:
        """Leave out the first line of the row; return why."""
        first, *rest = self._taken
        self._ahead.extendleft(reversed(rest))
        if len(first) > LARGEST_ROW:
            while first and not first.endswith(("\n", "\r")):
                first = self._text.readline(LARGEST_ROW)
            return TOO_LONG
        self._torn += 1
        if self._torn > MOST_TORN:
            raise CardProblem(ALL_TORN)
        return TORN


# Columns

_STREET = r"street|city|state|postal code|zip(?: code)?|po box|country(?:/region)?"
_STRASSE = r"stra(?:ß|ss)e|ort|region|bundesland|kanton|postleitzahl|plz|land(?:/region)?|postfach"
_DETAIL_OF_GOOGLE = r"event|relation|custom field|user defined field|im|jot|external id"
# What a heading, in small letters, says of its column; English and German, as Google, Outlook
# and LinkedIn call them and as people do. The first that fits decides.
HEADINGS = {
    "label": rf"(?:e-mail|phone|address|website|{_DETAIL_OF_GOOGLE}) \d+ - (?:label|type)",
    "name": r"(?:full |display |contact )?name|contact|person|vollständiger name|anzeigename",
    "first_name": r"(?:first|given) ?name|forename|vorname",
    "middle_name": r"(?:middle|additional) ?names?|weitere vornamen|zweiter vorname",
    "last_name": r"(?:last|family) ?name|surname|(?:nach|familien|zu)name",
    "organisation": r"company(?: name)?|organi[sz]ation(?: 1 -)?(?: name)?|employer"
    r"|firma|firmenname|unternehmen|arbeitgeber",
    "role": r"job ?title|position|role|organi[sz]ation(?: 1 -)? title|funktion|rolle|stelle",
    "email": r"(?:\w+ )?e-?mail(?:[ -]?add?resse?)?(?: (?:\d+|work|home|privat|geschäftlich))?"
    r"(?: add?ress|: adresse| - value)?|mail",
    "phone": r"(?:[\w/]+ ){0,2}(?:tele)?phone(?: number)?(?: \d+)?(?: - value)?"
    r"|mobile(?: number)?|cell|tel\.?|handy(?:nummer)?|mobil(?:nummer)?"
    r"|(?:weiteres )?(?:mobil|auto|haupt)?telefon(?:nummer)?"
    r"(?: (?:privat|geschäftlich|firma|mobil))?(?: \d)?",
    "link": r"(?:\w+ )?url|web ?(?:page|site|seite)(?: \d+ - value)?|link|homepage"
    r"|(?:\w+ )?profile?|linkedin|xing",
    "notes": r"notes?|comments?|remarks?|notiz(?:en)?|bemerkung(?:en)?|anmerkung(?:en)?",
    "tags": r"tags?|labels?|categor(?:y|ies)|groups?|group membership|keywords"
    r"|kategorien?|gruppen?|schlagw(?:ort|örter)|stichw(?:ort|örter)",
    "how_met": r"(?:how|where) (?:we|you|i) met(?: them)?|met at|kennengelernt",
    "known_since": r"known since|connected on|met on|bekannt seit|kennengelernt am",
    "birthday": r"birth ?(?:day|date)|date of birth|geburtstag|geburtsdatum",
    "address": rf"(?:(?:business|home|other|work) )?(?:{_STREET})(?: \d)?|address \d+ - .+"
    r"|(?:(?:postal|street|mailing|home|work|business|other) )?address|(?:\w+ )?adresse"
    rf"|(?:weitere[rs]? )?(?:{_STRASSE})(?: (?:geschäftlich|privat))?(?: \d)?",
}
_HEADINGS = [(key, re.compile(pattern)) for key, pattern in HEADINGS.items()]
# Two columns of one of Google's lines: E-mail 2 - Label, E-mail 2 - Value.
_LINE_OF_GOOGLE = re.compile(r"(.+ \d+) - .+")
LABELS = {
    "work": r"business|work|office|company|geschäftlich|firma|büro",
    "home": r"home|private?",
    "mobile": r"mobile?|mobiltelefon|mobilnummer|cell|handy",
    "car": r"car|autotelefon",
    "main": r"main|primary|haupttelefon",
    "other": r"other|weitere[rs]?",
}
_LABELS = [(label, re.compile(rf"\b(?:{words})\b")) for label, words in LABELS.items()]
_LABELLED = {"email", "phone", "link", "address"}
# Numbers of customers and dates begin in other ways.
_PHONE = re.compile(r"(?!\d+[./-]\d+[./-]\d+$)[+(0][\d\s()./-]{6,}")

_SIGNS = {
    LINKEDIN: {"first name", "last name", "connected on"},
    OUTLOOK: {
        *("e-mail address", "business phone", "mobile phone", "home phone", "job title"),
        *("web page", "categories", "e-mail-adresse", "telefon geschäftlich", "mobiltelefon"),
        *("telefon privat", "webseite", "kategorien"),
    },
}
_SIGN_OF_GOOGLE = re.compile(
    r"(?:e-mail|phone|address|organization|website) \d+ - .+|group membership|phonetic first name"
)


def _word(heading: str) -> str:
    return heading.casefold().replace("_", " ").strip(" :*")[:100]


def _kind(words: set[str]) -> str:
    if words >= _SIGNS[LINKEDIN]:
        return LINKEDIN
    if any(map(_SIGN_OF_GOOGLE.fullmatch, words)):
        return GOOGLE
    if words & {"first name", "vorname"} and len(words & _SIGNS[OUTLOOK]) >= 3:
        return OUTLOOK
    return OTHER


def guess(header: list[str], rows: Iterable[Row] = ()) -> dict[int, str]:
    """Return what each column holds, by its heading, or else by its cells in some rows: {index:
    key of FIELDS}."""
    words = [_word(heading) for heading in header]
    # The programs that we know say what they mean: a number of an assistant looks like any other.
    rows = list(rows) if _kind(set(words)) == OTHER else []
    found = {at: _by_heading(word) or _by_look(rows, at) for at, word in enumerate(words)}
    # A job title; where there is another column for that, it is a doctor's.
    if "title" in words and "role" not in found.values():
        found[words.index("title")] = "role"
    if not any(words):
        # Without headings, names are what nothing else looks like, and come first.
        nameless = (at for at, key in found.items() if key == "details")
        found |= dict.fromkeys(islice(nameless, 1), "name")
    return found


def _by_heading(word: str) -> str:
    return next((key for key, pattern in _HEADINGS if pattern.fullmatch(word)), "")


def _by_look(rows: list[Row], at: int) -> str:
    cells = [row.cells[at].strip() for row in rows if at < len(row.cells)]
    cells = [cell for cell in cells if cell]
    for key, fits in (("email", _is_email), ("link", _as_link), ("phone", _PHONE.fullmatch)):
        if 2 * sum(bool(fits(cell)) for cell in cells) > len(cells):
            return key
    return "details"


class Column(NamedTuple):
    """What a column holds; `label` stands beside its values, `group` is the same for columns that
    belong together, `heading` is what it is called in the file."""

    key: str
    label: str
    group: str
    heading: str


def _columns(table: Table, mapping: dict[int, str]) -> list[Column]:
    return [
        _column(at, heading, mapping.get(at, "details")) for at, heading in enumerate(table.header)
    ]


def _column(at: int, heading: str, key: str) -> Column:
    word = _word(heading)
    label = next((label for label, pattern in _LABELS if pattern.search(word)), "")
    if (line := _LINE_OF_GOOGLE.fullmatch(word)) and (key != "details" or word.endswith("value")):
        group = line[1]
    elif key == "address":
        group = label
    else:
        # The kind of a value stands in the column before it.
        group = f"column {at + 1 if key == 'label' else at}"
    return Column(key, label if key in _LABELLED else "", group, heading or f"column {at + 1}")


# Cards


def cards(table: Table, mapping: dict[int, str] | None = None) -> Iterator[Card]:
    """Yield a card for each row of a table that has something in it. `mapping` says what each
    column holds, {index: key of FIELDS}; without it, that is guessed. Raises CardProblem."""
    if mapping is None:
        mapping = guess(table.header, islice(table.rows(), 50))
    columns = _columns(table, mapping)
    for row in table.rows():
        if row.trouble:
            yield Card(row=row.number, trouble=row.trouble)
        else:
            yield _card(table.kind, columns, row)


def _card(kind: str, columns: list[Column], row: Row) -> Card:
    extra = (
        Column("details", "", "", f"column {at + 1}") for at in range(len(columns), len(row.cells))
    )
    filled = [
        (column, text)
        for column, cell in zip([*columns, *extra], row.cells, strict=False)
        if (text := tidy(unquote(cell))) and not (kind == OUTLOOK and _is_default(column, text))
    ]
    card = Card(row=row.number, name=_name(filled))
    labels = {column.group: _label(text) for column, text in filled if column.key == "label"}
    addresses: dict[tuple[str, str], list[str]] = {}
    for column, text in filled:
        label = labels.get(column.group) or column.label
        if column.key == "address":
            addresses.setdefault((column.group, label), []).append(text)
        elif column.key in NAMES:
            if _words(text) not in _words(card.name):
                card.details.append((text, column.heading))
        elif not (kind == OUTLOOK and _is_told(card, column, text)):
            put(card, column.key, text, label, column.heading)
    for (_, label), parts in addresses.items():
        put(card, "address", _address(parts), label)
    if any("\ufffd" in text for _, text in filled):
        card.without.append(BAD_LETTERS)
    return _finish(card, kind)


def _name(filled: list[tuple[Column, str]]) -> str:
    parts: dict[str, list[str]] = {key: [] for key in NAMES}
    for column, text in filled:
        if column.key in NAMES:
            parts[column.key].append(text)
    whole, first, middle, last = parts.values()
    return one_line(" ".join(whole or [*first, *middle, *last]))


def _address(parts: list[str]) -> str:
    """Return the parts in one line. Google tells an address as a whole and once more in parts."""
    address = one_line(", ".join(parts[0].splitlines()))
    for part in parts[1:]:
        if _words(part) not in _words(address):
            address += f", {one_line(part)}"
    return address


def _words(text: str) -> str:
    return f" {' '.join(re.findall(r'\w+', text.casefold()))} "


def _label(text: str) -> str:
    """Return a label as the file has it; Google marks the preferred one with an asterisk."""
    label = one_line(text.removeprefix("* "))
    return label.lower() if label.lower() in LABELS else label


# Outlook writes these for everybody about whom it was told nothing.
_DEFAULTS = {
    *(("priority", "normal"), ("priorität", "normal"), ("sensitivity", "normal")),
    *(("vertraulichkeit", "normal"), ("private", "false"), ("privat", "falsch")),
    *(("privat", "false"), ("gender", "unspecified"), ("geschlecht", "unspecified")),
    *(("geschlecht", "keine angabe"), ("e-mail type", "smtp"), ("e-mail-typ", "smtp")),
    *(("e-mail 2 type", "smtp"), ("e-mail 2: typ", "smtp")),
    *(("e-mail 3 type", "smtp"), ("e-mail 3: typ", "smtp")),
}
_NO_DATE = re.compile(r"0+([./-])0+\1?0*\.?")
_SHOWN_NAME = re.compile(r"e-mail.* (?:display|angezeigter) name")


def _is_default(column: Column, text: str) -> bool:
    return bool(_NO_DATE.fullmatch(text)) or ((_word(column.heading), text.casefold()) in _DEFAULTS)


def _is_told(card: Card, column: Column, text: str) -> bool:
    """Return whether a cell is Outlook's "Ann Lee (ann@example.org)", which the card tells."""
    if not _SHOWN_NAME.fullmatch(_word(column.heading)):
        return False
    told = " ".join([card.name, *(address for address, _ in card.emails)])
    return set(_words(text).split()) <= set(_words(told).split())


def _finish(card: Card, kind: str) -> Card:
    if kind == LINKEDIN:
        card.how_met = card.how_met or "Connected on LinkedIn"
    elif not card.name:
        # Google and Outlook keep employers and bare addresses among the people.
        card.name = card.organisation or next((address for address, _ in card.emails), "")
    if not card.name:
        card.trouble = NAMELESS
    return card


# Values. The reader of another program's export puts them on its cards in the same way.

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_FORMULA = re.compile("'[=+\\-@\t\r]")
_BETWEEN = {
    "email": re.compile(r"\s*:::\s*|[\s,;]+"),
    "phone": re.compile(r"\s*(?::::|[;\n])\s*"),
    "link": re.compile(r"\s*:::\s*|\s+"),
    "tags": re.compile(r"\s*(?::::|[,;\n])\s*"),
    "groups": re.compile(r"\s*:::\s*"),
}
_is_web_address = URLValidator(schemes=["http", "https"])


def tidy(text: str) -> str:
    """Return text as it can be stored: without the characters that no database takes, its lines
    ending in one way, nothing around it."""
    return _UNSTORABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def unquote(cell: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from computing it, as our
    own export and others write it."""
    return cell[1:] if _FORMULA.match(cell) else cell


def put(card: Card, key: str, text: str, label: str = "", heading: str = "") -> None:
    """Put a text on a card, under a key of FIELDS. A value that is not what it should be, and a
    second one where there is room for one, is kept in the other details, under its heading."""
    heading = heading or label
    match key:
        case "organisation" | "role" | "how_met" if not getattr(card, key):
            setattr(card, key, one_line(text))
        case "known_since" if card.known_since is None and (day := as_date(text)):
            card.known_since = day
        case "notes":
            card.notes = f"{card.notes}\n\n{text}".strip()
        case "tags":
            card.tags += [tag for tag in _tags(text) if tag not in card.tags]
        case "email" | "phone" | "link":
            _put_lines(card, key, text, label, heading)
        case "birthday":
            card.details.append((text, "birthday"))
        case "address":
            card.details.append((text, f"address ({label})" if label else "address"))
        case "label" | "skip":
            pass
        case "details" if heading == OTHER_DETAILS:
            card.details += read_details(text)
        case "details":
            card.details.append((text, label or heading))
        case _:
            card.details.append((text, heading))


def read_details(text: str) -> list[Line]:
    """Return the details that stand in a column of our own, a line each."""
    lines = (line.partition(": ") for line in text.splitlines())
    return [(value, label) if value else (label, "") for label, _, value in lines if label]


def _put_lines(card: Card, key: str, text: str, label: str, heading: str) -> None:
    read = {"email": _as_email, "phone": _as_phone, "link": _as_link}[key]
    lines = {"email": card.emails, "phone": card.phones, "link": card.links}[key]
    values = [read(part) for part in _BETWEEN[key].split(text) if part]
    lines += [
        (value, _label_of_link(value) or label if key == "link" else label)
        for value in filter(None, values)
    ]
    if not all(values):
        card.details.append((text, heading))


def _tags(text: str) -> list[str]:
    # Google's groups may have commas in their names.
    groups = text.startswith("* ") or ":::" in text
    tags = [one_line(tag.removeprefix("* ")) for tag in _split(text, groups)]
    return list(filter(None, tags))


def _split(text: str, groups: bool) -> list[str]:
    return _BETWEEN["groups" if groups else "tags"].split(text)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def _as_email(text: str) -> str:
    address = text.strip("<>").removeprefix("mailto:")
    return address if _is_email(address) else ""


def _as_phone(text: str) -> str:
    return one_line(text) if re.search(r"\d", text) else ""


def _as_link(text: str) -> str:
    url = text if "://" in text else f"https://{text}" if "." in text else ""
    try:
        _is_web_address(url)
    except (ValidationError, ValueError):
        return ""
    return url if len(url) <= 500 and "@" not in url else ""


def _label_of_link(url: str) -> str:
    return "LinkedIn" if "linkedin.com/" in url.lower() else ""


def as_date(text: str) -> date | None:
    """Return the day that a text tells, if it can be only one: 3/4/2020 is in March for some and
    in April for others."""
    return _as_date(text) if len(text) <= LONGEST_DAY else None


@lru_cache(maxsize=4096)  # strptime is slow, and one day stands in many rows.
def _as_date(text: str) -> date | None:
    days = set()
    for pattern in _DAYS:
        between = pattern[2]
        if between == " " or between in text:  # A space of a pattern is any space.
            with suppress(ValueError):
                days.add(datetime.strptime(text, pattern).date())  # noqa: DTZ007
    day = days.pop() if len(days) == 1 else None
    return day if day and day.year >= 1900 else None


_DAYS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
