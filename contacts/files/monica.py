"""Reading people from the exports of Monica, version 4: JSON and SQL.

Both are read into the same rows by table first, a JSON one by taking its nesting apart, and the
rows of one person become a card. An SQL export is only read: INSERTs are taken apart, nothing is
ever executed, and tables about accounts and passwords are not kept.

The formats are those that Monica writes in app/ExportResources and in
app/Services/Account/Settings/{Json,Sql}ExportAccount.php (github.com/monicahq/monica, branch 4.x).
"""

import base64
import binascii
import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

from dateutil.relativedelta import relativedelta

from contacts.files.cards import Card, CardProblem, Moment, Task
from contacts.files.tables import LARGEST_FILE, MOST_ROWS, find_encoding, put, tidy
from netcrm.wording import one_line

# A file of 50 MB can hold so little in so many pieces that they take a hundred times its size.
MOST_THINGS = 1_000_000  # rows, of all tables
MOST_VALUES = 3_000_000  # in JSON
MOST_COLUMNS = 500
MOST_BROKEN = 100  # tables of which is told that something in them is broken
LONGEST_TABLE = 60

TOO_LARGE = (
    "That file is larger than 50 MB. Monica's SQL export is smaller: it has no photos in it."
)
TOO_MANY = f"More than {MOST_ROWS:,} people are in that file: too many to import at once."
TOO_MUCH = f"More than {MOST_THINGS:,} things are in that file: too many to import at once."
NOT_MONICA = "That does not look like an export of Monica: nobody is in it."
TORN_JSON = "That file breaks off, or is not JSON. Please export it from Monica again."
BROKEN = "{count} of the {table} in that file cannot be read."
NAMELESS = "This person has no name."
BREAKS_OFF = "That file breaks off here. What comes after is missing: please export it again."

RawRow = dict[str, Any]


class Tables(defaultdict[str, list[RawRow]]):
    """Rows by table."""

    def __init__(self) -> None:
        super().__init__(list)
        self._left = MOST_THINGS

    def add(self, table: str, row: RawRow) -> None:
        """Add a row. Raises CardProblem when there are too many."""
        self._left -= 1
        if self._left < 0:
            raise CardProblem(TOO_MUCH)
        self[table].append(row)


def is_monica(data: bytes) -> bool:
    """Return whether a file looks like an export of Monica, by its beginning."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        return b'"account"' in head
    return bool(re.search(rb"^INSERT (IGNORE )?INTO ", head, re.MULTILINE))


def cards(data: bytes, today: date) -> Iterator[Card]:
    """Yield a card for each person of an export. A reminder that comes back is dated on its next
    day from `today` on. Rows that cannot be read are told at the end. Raises CardProblem."""
    if len(data) > LARGEST_FILE:
        raise CardProblem(TOO_LARGE)
    text = data.decode(find_encoding(data), errors="replace")
    broken: Counter[str] = Counter()
    read = _read_json if text.lstrip().startswith("{") else _read_sql
    tables = read(text, broken)
    if not tables["contacts"]:
        raise CardProblem(NOT_MONICA)
    if len(tables["contacts"]) > MOST_ROWS:
        raise CardProblem(TOO_MANY)
    book = _Book(tables, today)
    for number, contact in enumerate(tables["contacts"], start=1):
        yield book.card(number, contact)
    for table, count in broken.most_common(MOST_BROKEN):
        name = one_line(table.replace("_", " "))[:LONGEST_TABLE]
        trouble = BROKEN.format(count=count, table=name)
        yield Card(trouble=trouble if table else BREAKS_OFF)


# JSON

_DATES = {
    "birthdate": "birthday_special_date_id",
    "deceased_date": "deceased_special_date_id",
    "first_met_date": "first_met_special_date_id",
}
# What SQL calls a reference, and JSON does not.
_REFERENCES = {
    ("contacts", "gender"): "gender_id",
    ("contacts", "first_met_through"): "first_met_through_contact_id",
    ("contact_fields", "type"): "contact_field_type_id",
    ("conversations", "contact_field_type"): "contact_field_type_id",
    ("activities", "type"): "activity_type_id",
    ("life_events", "type"): "life_event_type_id",
}
# The tables that say which of these belong to whom.
_ELSEWHERE = {
    "activities": ("activity_contact", "activity_id"),
    "documents": ("contact_documents", "document_id"),
    "photos": ("contact_photo", "photo_id"),
}


def _read_json(text: str, broken: Counter[str]) -> Tables:
    if sum(map(text.count, "{[,")) > MOST_VALUES:
        raise CardProblem(TOO_MUCH)
    try:
        # Numbers stay the text that they are: one of a million digits is no work at all.
        export = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return _tables(_dict(_dict(export).get("account")), broken)
    except (ValueError, RecursionError) as error:
        raise CardProblem(TORN_JSON) from error


def _tables(account: RawRow, broken: Counter[str]) -> Tables:
    tables = Tables()
    for name, values in _dict(account.get("instance")).items():
        _take_apart(tables, broken, name, values, {})
    for collection in _list(account.get("data")):
        _take_collection(tables, broken, collection, {})
    return tables


def _take_collection(
    tables: Tables, broken: Counter[str], collection: Any, owner: dict[str, str]
) -> None:
    collection = _dict(collection)
    kind = _text(collection.get("type"))
    name = "addresses" if kind == "address" else _plural(kind)
    if name not in PRIVATE:
        _take_apart(tables, broken, name, collection.get("values"), owner)


def _take_apart(
    tables: Tables, broken: Counter[str], name: str, values: Any, owner: dict[str, str]
) -> None:
    for value in _list(values):
        if isinstance(value, dict):
            tables.add(name, _flat(tables, broken, name, value, owner))
        elif isinstance(value, str) and owner:
            # A person's activities, photos and documents stand elsewhere: here are their ids.
            table, reference = _ELSEWHERE.get(name, (name, "id"))
            tables.add(table, {reference: value} | owner)
        else:
            broken[name] += 1


def _flat(
    tables: Tables, broken: Counter[str], name: str, value: RawRow, owner: dict[str, str]
) -> RawRow:
    """Return one thing of a JSON export as SQL has it, and add what is nested in it to the
    tables."""
    own = {key: told for key, told in value.items() if key not in ("data", "properties")}
    row = own | _dict(value.get("properties")) | owner
    row = {_REFERENCES.get((name, key), key): told for key, told in row.items()}
    row["id"] = _text(value.get("uuid"))
    if name == "contacts":
        for collection in _list(value.get("data")):
            _take_collection(tables, broken, collection, {"contact_id": row["id"]})
        _flatten_contact(tables, row)
    if name == "conversations":
        belongs = {"conversation_id": row["id"]}
        _take_apart(tables, broken, "messages", row.pop("messages", None), belongs)
    return row


def _flatten_contact(tables: Tables, row: RawRow) -> None:
    for key, reference in _DATES.items():
        if key in row:
            row[reference] = f"{row['id']} {key}"
            tables.add("special_dates", _dict(row.pop(key)) | {"id": row[reference]})
    for name in _list(row.pop("tags", None)):
        tables.add("tags", {"id": name, "name": name})
        tables.add("contact_tag", {"tag_id": name, "contact_id": row["id"]})
    row["avatar_photo_id"] = _dict(row.pop("avatar", None)).get("avatar_photo")


# SQL

# Nothing in them is about the people, and some of it is secret.
PRIVATE = {
    *("accounts", "users", "invitations", "recovery_codes", "term_user", "audit_logs", "modules"),
    *("addressbooks", "addressbook_subscriptions", "reminder_rules", "reminder_outbox", "days"),
    *("activity_statistics", "entries", "journal_entries", "weather", "emotion_call"),
}
# Each piece is found in one go: nothing is looked at twice, however the text is written.
_TOKEN = re.compile(
    r"""
      (?P<space> \s++ | \#[^\n]*+ | --(?=\s)[^\n]*+ | /\*(?:[^*]++|\*(?!/))*+\*/ )
    | (?P<text> '(?:[^'\\]++|\\.|'')*+' | "(?:[^"\\]++|\\.|"")*+" )
    | (?P<name> `(?:[^`]++|``)*+` )
    | (?P<mark> [(),;] )
    | (?P<word> (?!/\*)[^\s(),;'"`]++ )
    | (?P<torn> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(.)|''|"{2}""", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "", "b": "", "Z": ""}
Token = tuple[str, str]


class _BreaksOff(Exception):
    """The text ends in the middle of a statement."""


def _read_sql(text: str, broken: Counter[str]) -> Tables:
    tables = Tables()
    prefix = ""
    try:
        for table, row in _inserted(text):
            if table.endswith("accounts") and not tables:
                # Monica may give all its tables a prefix; the accounts are the first of them.
                prefix = table.removesuffix("accounts")
            table = table.removeprefix(prefix)
            if row is None:
                broken[table] += 1
            elif table not in PRIVATE:
                tables.add(table, row)
    except _BreaksOff:
        broken[""] += 1
    return tables


def _inserted(text: str) -> Iterator[tuple[str, RawRow | None]]:
    """Yield each row of each INSERT with its table, or None for a row that is broken. Raises
    _BreaksOff."""
    tokens = _tokens(text)
    for _, piece in tokens:
        if piece.upper() == "INSERT":
            yield from _insert(tokens)
        elif piece != ";":
            _skip_statement(tokens)


def _tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of an SQL text, each with its kind. Raises _BreaksOff at a text in
    quotation marks that does not end: what belongs to it cannot be told from what comes after."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind == "torn":
            raise _BreaksOff
        if kind != "space":
            yield kind, found[0]


def _skip_statement(tokens: Iterator[Token]) -> None:
    for _, piece in tokens:
        if piece == ";":
            return


def _insert(tokens: Iterator[Token]) -> Iterator[tuple[str, RawRow | None]]:
    words = deque(["", ""], maxlen=2)
    for token in tokens:
        if token[1] in ("(", ";"):
            break
        words.append(_value([token]) or "")
    if words[-1].upper() == "VALUES":
        # The columns have no names; Monica always gives them.
        yield words[-2], None
        return _skip_statement(tokens)
    rows = _rows(tokens)
    columns = [name or "" for name in next(rows, None) or []]
    for values in rows:
        fits = values is not None and len(values) == len(columns)
        yield words[-1], dict(zip(columns, values or [], strict=True)) if fits else None


def _rows(tokens: Iterator[Token]) -> Iterator[list[str | None] | None]:
    """Yield what is in each pair of brackets up to the end of the statement, the first of which
    is open already; None for one that is not closed. Raises _BreaksOff, also for a row that has
    more values than any."""
    values: list[str | None] | None = []
    parts: list[Token] = []
    for token in tokens:
        piece = token[1]
        if max(len(parts), len(values or [])) > MOST_COLUMNS:
            raise _BreaksOff
        if piece in ("(", ";") and values is not None:
            yield None
        if piece == ";":
            return
        if piece == "(":
            values, parts = [], []
        elif piece not in (",", ")"):
            parts.append(token)
        elif values is not None:
            values.append(_value(parts))
            parts = []
            if piece == ")":
                yield values
                values = None
    raise _BreaksOff


def _value(parts: list[Token]) -> str | None:
    """Return a value as text. Monica writes a text that is a number without quotation marks, so
    numbers stay as they are written: +43660555 would lose its plus."""
    if [piece.upper() for _, piece in parts] == ["NULL"]:
        return None
    return "".join(piece if kind == "word" else _unquoted(piece) for kind, piece in parts)


def _unquoted(piece: str) -> str:
    quote = piece[0]

    def said(found: re.Match[str]) -> str:
        if found[1]:
            return _ESCAPES.get(found[1], found[1])
        return quote if found[0][0] == quote else found[0]

    return _ESCAPED.sub(said, piece[1:-1])


# People


class _Book:
    """The rows of an export, to be asked for by id and by person."""

    def __init__(self, tables: Tables, today: date) -> None:
        self.today = today
        self.messages: dict[str, list[RawRow]] = defaultdict(list)
        for row in tables.pop("messages", []):
            self.messages[_text(row.get("conversation_id"))].append(row)
        self._by_id = {
            table: {_text(row.get("id")): row for row in rows} for table, rows in tables.items()
        }
        self._of: dict[str, list[tuple[str, RawRow]]] = defaultdict(list)
        for table, rows in tables.items():
            owner = "of_contact" if table == "relationships" else "contact_id"
            for row in rows:
                self._of[_text(row.get(owner))].append((table, row))

    def find(self, table: str, reference: Any) -> RawRow:
        """Return the row of that id; an empty one if there is none."""
        return self._by_id.get(table, {}).get(_text(reference), {})

    def name_of(self, contact: RawRow) -> str:
        """Return the name of a contact."""
        names = (_text(contact.get(f"{which}_name")) for which in ("first", "middle", "last"))
        return one_line(" ".join(names))

    def card(self, number: int, contact: RawRow) -> Card:
        who = _text(contact.get("id"))
        card = Card(row=number, name=self.name_of(contact), uid=_text(contact.get("uuid")))
        if not card.name:
            card.trouble = NAMELESS
        _tell_contact(self, card, contact)
        for table, row in self._of[who] if who else []:
            _TELL.get(table, partial(_tell_other, table))(self, card, row)
        card.moments.sort(key=lambda moment: moment.on)
        return card


_PLAIN = {
    "company": "organisation",
    "job": "role",
    "description": "notes",
    "first_met_where": "how_met",
}
_FLAGS = {"is_starred": "starred", "is_partial": "known only through somebody else"}
# How Monica draws and counts, and what is told in another place.
_NOT_TOLD = re.compile(
    r"(?:first|middle|last)_name|uuid|id|.*_id|(?:has_|default_)?avatar.*|gravatar_url|is_\w+"
    r"|(?:created|updated|favorited|last_consulted)_at|number_of_views|distant_\w+|photos"
    r"|stay_in_touch_trigger_date|\w+_reminder|object|address_book"
)


def _tell_contact(book: _Book, card: Card, contact: RawRow) -> None:
    for key, value in contact.items():
        text = _text(value)
        if key in _PLAIN and text:
            put(card, _PLAIN[key], text, heading=_said(key))
        elif key in _FLAGS and _is_set(value):
            card.details.append(("yes", _FLAGS[key]))
        elif key == "first_met_additional_info" and text:
            card.how_met = one_line(f"{card.how_met} {text}")
        elif key == "stay_in_touch_frequency" and text:
            card.details.append((f"every {text} days", "stay in touch"))
        elif text and not _NOT_TOLD.fullmatch(key):
            card.details.append((_MIDNIGHT.sub("", text), _said(key)))
    _tell_dates(book, card, contact)
    # Older exports write the kind of a gender, newer ones where it stands.
    gender = contact.get("gender_id")
    if text := _text(book.find("genders", gender).get("name") or gender):
        card.details.append((text, "gender"))
    introducer = book.find("contacts", contact.get("first_met_through_contact_id"))
    if name := book.name_of(introducer):
        card.related.append((name, "introduced you"))
    if _text(contact.get("is_active", "1")) in ("0", "no"):
        card.details.append(("yes", "archived"))


def _tell_dates(book: _Book, card: Card, contact: RawRow) -> None:
    for which, label in (("birthday", "birthday"), ("deceased", "died"), ("first_met", "met")):
        row = book.find("special_dates", contact.get(f"{which}_special_date_id"))
        day, text = _day(row.get("date")), _special_date(row)
        if which == "first_met" and day and text == day.isoformat():
            card.known_since = day
        elif text:
            card.details.append((text, label))
        elif which == "deceased" and _is_set(contact.get("is_dead")):
            card.details.append(("yes", "died"))


def _special_date(row: RawRow) -> str:
    day = _day(row.get("date"))
    if day is None:
        return _text(row.get("date"))
    if _is_set(row.get("is_age_based")):
        return f"about {day.year}"
    return f"{day.day} {day:%B}" if _is_set(row.get("is_year_unknown")) else day.isoformat()


def _tell_activity(book: _Book, card: Card, row: RawRow) -> None:
    activity = book.find("activities", row.get("activity_id"))
    kind = _name(book.find("activity_types", activity.get("activity_type_id")))
    _add_moment(
        card,
        "meeting",
        activity.get("happened_at"),
        [activity.get("summary"), activity.get("description"), kind and f"({kind})"],
    )


def _tell_call(book: _Book, card: Card, row: RawRow) -> None:
    caller = f"{card.name} called." if _is_set(row.get("contact_called")) else ""
    _add_moment(card, "call", row.get("called_at"), [caller, row.get("content"), _felt(row)])


def _felt(row: RawRow) -> str:
    feelings = [_name(each) or _text(each) for each in _list(row.get("emotions"))]
    return f"Felt: {', '.join(feelings)}" if feelings else ""


def _tell_note(book: _Book, card: Card, row: RawRow) -> None:
    _add_moment(card, "note", row.get("created_at"), [row.get("body")])


def _tell_conversation(book: _Book, card: Card, row: RawRow) -> None:
    """A conversation is one moment, however many messages were written down of it."""
    medium = book.find("contact_field_types", row.get("contact_field_type_id"))
    messages = book.messages[_text(row.get("id"))]
    said = [
        f"{'I' if _is_set(message.get('written_by_me')) else card.name}: {_text(content)}"
        for message in messages
        if (content := message.get("content"))
    ]
    first = messages[0].get("written_at") if messages else None
    on = row.get("happened_at") or first or row.get("created_at")
    _add_moment(card, "email" if medium.get("type") == "email" else "message", on, said)


def _add_moment(card: Card, kind: str, on: Any, texts: list[Any]) -> None:
    note = "\n\n".join(filter(None, map(_text, texts)))
    if day := _day(on):
        card.moments.append(Moment(day, kind, note))
    elif note:
        card.details.append((note, kind))


def _tell_reminder(book: _Book, card: Card, row: RawRow) -> None:
    day, unit = _day(row.get("initial_date")), _text(row.get("frequency_type"))
    title = ": ".join(filter(None, (_text(row.get("title")), _text(row.get("description")))))
    every = _text(row.get("frequency_number")) or "1"
    if unit in _UNITS:
        title += f" (every {unit})" if every == "1" else f" (every {every} {unit}s)"
    if day is None or _is_set(row.get("inactive")):
        card.details.append((f"{title} {day or ''}".strip(), "reminder that is switched off"))
    else:
        card.tasks.append(Task(_next(day, unit, every, book.today), one_line(title)))


_UNITS = {"day": 1, "week": 7, "month": 1, "year": 12}  # in days, and in months


def _next(day: date, unit: str, every: str, today: date) -> date:
    """Return the next day from today on of a reminder that comes back; one that does not, or so
    rarely that there is no next day, stays where it is."""
    if unit not in _UNITS or not re.fullmatch(r"[1-9]\d{0,3}", every) or day >= today:
        return day
    step = _UNITS[unit] * int(every)
    with suppress(OverflowError, ValueError):
        if unit in ("day", "week"):
            return today + timedelta(days=-(today - day).days % step)
        months = (today.year - day.year) * 12 + today.month - day.month
        following = day + relativedelta(months=months // step * step)
        if following >= today:
            return following
        return day + relativedelta(months=(months // step + 1) * step)
    return day


def _tell_field(book: _Book, card: Card, row: RawRow) -> None:
    kind, text = book.find("contact_field_types", row.get("contact_field_type_id")), row.get("data")
    if not (text := _text(text)):
        return
    name, key = _text(kind.get("name")), _text(kind.get("type"))
    if key not in ("email", "phone"):
        key = "link" if re.fullmatch(r"\S+\.\S+/\S*", text) else "details"
    put(card, key, text, "" if key in ("email", "phone") else name, name or "contact field")


def _tell_address(book: _Book, card: Card, row: RawRow) -> None:
    place = row | book.find("places", row.get("place_id"))
    names = ("street", "postal_code", "city", "province", "country")
    if parts := [text for name in names if (text := _text(place.get(name)))]:
        put(card, "address", one_line(", ".join(parts)), _text(row.get("name")))


def _tell_relationship(book: _Book, card: Card, row: RawRow) -> None:
    name = book.name_of(book.find("contacts", row.get("contact_is")))
    kind = _name(book.find("relationship_types", row.get("relationship_type_id")))
    if name:
        card.related.append((name, _said(kind or _text(row.get("type")))))


def _tell_tag(book: _Book, card: Card, row: RawRow) -> None:
    name = one_line(_text(book.find("tags", row.get("tag_id")).get("name")))
    if name and name not in card.tags:
        card.tags.append(name)


def _tell_photo(book: _Book, card: Card, row: RawRow) -> None:
    photo = book.find("photos", row.get("photo_id"))
    contact = book.find("contacts", row.get("contact_id"))
    is_face = _text(contact.get("avatar_photo_id")) == _text(row.get("photo_id"))
    picture = _data(photo)
    if picture and (is_face or not card.photo):
        card.photo = picture
    else:
        _leave_out(card, photo, "photo")


def _tell_document(book: _Book, card: Card, row: RawRow) -> None:
    _leave_out(card, book.find("documents", row.get("document_id")) or row, "document")


def _leave_out(card: Card, row: RawRow, what: str) -> None:
    name = _text(row.get("original_filename")) or "without a name"
    card.details.append((name, what))
    card.without.append(f"the {what} {name}")


def _data(row: RawRow) -> bytes:
    with suppress(binascii.Error, ValueError):
        return base64.b64decode(_text(row.get("dataUrl")).partition(";base64,")[2])
    return b""


_MIDNIGHT = re.compile(r"[T ]00:00:00(?:\.0+)?Z?$")


def _tell_other(table: str, book: _Book, card: Card, row: RawRow) -> None:
    """Put a row of any other table into the details: name: Chess set; date: 2020-12-24."""
    said = []
    for key, value in row.items():
        if key == "recipient":
            text = book.name_of(book.find("contacts", value))
        elif key.endswith("_id"):
            key = key.removesuffix("_id")
            text = _name(book.find(_plural(key), value))
        else:
            text = "" if _NOT_TOLD.fullmatch(key) else _MIDNIGHT.sub("", _text(value))
        if text:
            said.append(f"{_said(key)}: {text}")
    if said:
        card.details.append(("; ".join(said), _said(table).removesuffix("s")))


def _tell_nothing(book: _Book, card: Card, row: RawRow) -> None:
    """What is told already where something refers to it."""


_TELL: dict[str, Callable[[_Book, Card, RawRow], None]] = {
    "activity_contact": _tell_activity,
    "addresses": _tell_address,
    "calls": _tell_call,
    "contact_documents": _tell_document,
    "contact_fields": _tell_field,
    "contact_photo": _tell_photo,
    "contact_tag": _tell_tag,
    "conversations": _tell_conversation,
    "documents": _tell_document,
    "notes": _tell_note,
    "relationships": _tell_relationship,
    "reminders": _tell_reminder,
    "special_dates": _tell_nothing,
}


# Values


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, deep: int = 8) -> str:
    """Return a value of any kind as text that a person can read."""
    if value is None:
        return ""
    if not deep:
        return "…"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        pairs = ((_said(tidy(key)), _text(each, deep - 1)) for key, each in value.items())
        return "; ".join(f"{key}: {text}" for key, text in pairs if text)
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(each, deep - 1) for each in value)))
    return tidy(value)


def _is_set(value: Any) -> bool:
    return _text(value) in ("1", "yes")


def _said(key: str) -> str:
    return key.replace("_", " ")


def _name(row: Any) -> str:
    row = _dict(row)
    return _text(row.get("name")) or _said(_text(row.get("translation_key")))


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else word if word.endswith("s") else f"{word}s"


def _day(value: Any) -> date | None:
    """Return the day of a date or of a moment, as Monica has written it down."""
    with suppress(ValueError):
        return date.fromisoformat(_text(value)[:10])
    return None
