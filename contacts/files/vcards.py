"""vCards, read and written: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), with what Apple,
Google, Outlook, Android and Evolution add to them.

Every step takes time linear in its input. Lines are unfolded as bytes, since old programs fold
inside a character and each line of a 2.1 card may have a charset of its own.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from io import BytesIO
from itertools import count, zip_longest
from typing import NamedTuple

from contacts.files.cards import Card, CardProblem
from netcrm.localtime import time_zones
from netcrm.wording import one_line

MEGABYTE = 1024 * 1024
LARGEST_FILE = 50 * MEGABYTE
MOST_CARDS = 100_000
LONGEST_LINE = 10 * MEGABYTE  # unfolded: a photo is one line
LONGEST_HEAD = 10_000  # a line's name and parameters
LONGEST_TEXT = 100_000
LONGEST_DETAIL = 10_000
MOST_LINES = 2_000  # of one card, unfolded
MOST_PARTS = 20  # of one structured value
DEEPEST = 2  # cards around a card

TOO_LARGE = "That file is larger than 50 MB. Please export it without photos, or in parts."
TOO_MANY = f"That file has more than {MOST_CARDS:,} cards. Please import it in parts."
EMPTY = "That file is empty. Please export your contacts again."
NO_CARDS = "No vCard begins in that file. Please export your contacts again, as vCards or as CSV."
UNENDED = "This card has no end: the file was cut off, or a line of it is missing."
LONG_LINE = "One line of this card is longer than 10 MB."
CROWDED = f"This card has more than {MOST_LINES:,} lines."
NESTED = "This card lies too deep inside other cards."
GROUP = "This card is a group, not a person."
NAMELESS = "This card has no name, organisation, e-mail address or number."
BAD_LETTERS = "some letters"

# Properties without a field of ours that have a name people know. The label of any other is the
# property's own name, by which it is written again.
READABLE = {
    "ADR": "Address",
    "ANNIVERSARY": "Anniversary",
    "BDAY": "Birthday",
    "BIRTHPLACE": "Place of birth",
    "CALURI": "Calendar",
    "EXPERTISE": "Expertise",
    "FBURL": "Free and busy times",
    "FN": "Another name",
    "GENDER": "Gender",
    "GEO": "Place on the map",
    "HOBBY": "Hobby",
    "IMPP": "Chat",
    "INTEREST": "Interest",
    "KEY": "Key",
    "LABEL": "Address label",
    "LANG": "Language",
    "LOGO": "Logo",
    "N": "Name in parts",
    "NICKNAME": "Nickname",
    "ORG": "Organisation",
    "PHOTO": "Photo",
    "RELATED": "Related",
    "ROLE": "Profession",
    "SOUND": "Sound",
    "TITLE": "Job title",
    "TZ": "Time zone",
    "X-ABDATE": "Date",
}
PROPERTIES = {label: name for name, label in READABLE.items()}
DEPARTMENT = "Department"
NAME_PARTS = ("Family name", "Given name", "More names", "Before the name", "After the name")
ADDRESS_PARTS = ("Post box", "Apartment", "Street", "Place", "Region", "Postal code", "Country")
# Our own, for what no property can say.
HOW_MET, KNOWN_SINCE, DETAIL = "X-NETCRM-HOW-MET", "X-NETCRM-KNOWN-SINCE", "X-NETCRM-DETAIL"
# Says nothing about a person (X-ABADR is the postal format of the address beside it).
DROPPED = {"BEGIN", "CLIENTPIDMAP", "END", "PRODID", "REV", "VERSION", "X-ABADR", "X-ABLABEL"}
SILENT_PARAMS = {"ALTID", "PID", "PREF", "VALUE", "X-COUCHDB-UUID", "X-SERVICE-TYPE"}
SILENT_TYPES = {"", "dom", "internet", "intl", "msg", "parcel", "postal", "pref", "voice"}
FIRST = {name: at for at, name in enumerate(["FN", "N", "ORG", "TITLE", "ROLE", "UID", "X-ABUID"])}
# The field of a card that a property fills once.
SINGLES = ("name", "organisation", "role", "how_met", "known_since", "time_zone", "photo", "uid")

# Types that other programs know; a label with any other word is written as Apple's X-ABLabel.
TYPES = {"home", "work", "cell", "fax", "pager", "car", "text", "video", "main", "other"}
RELATIONS = {
    "acquaintance",
    "agent",
    "child",
    "co-resident",
    "co-worker",
    "colleague",
    "contact",
} | {"emergency", "friend", "kin", "muse", "neighbor", "parent", "sibling", "spouse"}
WORDS = {"cell": "mobile"}
TYPES_OF = {word: each for each, word in WORDS.items()}
# Numbers of ContactsContract.CommonDataKinds.Relation and .Event; 0 has its own label.
ANDROID_RELATIONS = {
    "1": "assistant",
    "2": "brother",
    "3": "child",
    "4": "domestic partner",
    "5": "father",
    "6": "friend",
    "7": "manager",
    "8": "mother",
    "9": "parent",
    "10": "partner",
    "11": "referred by",
    "12": "relative",
    "13": "sister",
    "14": "spouse",
}
ANDROID_DAYS = {"1": "ANNIVERSARY", "3": "BDAY"}
IMAGES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp"}
# Python's other codecs are no charsets, or slow on hostile text.
CHARSETS = (
    {"us-ascii", "utf-8", "utf-16", "utf-16le", "utf-16be", "koi8-r", "koi8-u", "macintosh"}
    | {"shift_jis", "iso-2022-jp", "euc-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5"}
    | {f"iso-8859-{n}" for n in range(1, 17) if n != 12}
    | {f"windows-{n}" for n in (874, *range(1250, 1259))}
)

_BEGIN = re.compile(rb"^[ \t]*BEGIN[ \t]*:[ \t]*VCARD\b", re.IGNORECASE | re.MULTILINE)
# Where a file was put behind another, a byte order mark stands in the middle.
_MARK = re.compile(rb"(?:\xef\xbb\xbf)?\s*(BEGIN|END|AGENT:BEGIN)\s*:\s*VCARD\s*", re.IGNORECASE)
# A run in quotes may hold colons and semicolons; possessive, so that nothing is tried twice.
_HEAD = re.compile(rb'(?:[^":]|"[^"]*")*+:')
_PIECE = re.compile(r'(?:[^";]|"[^"]*"?)++')
_NAME = re.compile(r"[A-Z0-9_-]+")
# Samsung's own labels: X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,B=C3=BCro)
_CUSTOM = re.compile(r"X-CUSTOM\((?:[^()]*,)?([^(),]*)\)", re.IGNORECASE)
_LETTER_OF_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_ENCODING = re.compile(rb"QUOTED-PRINTABLE|BASE64|ENCODING=B\b", re.IGNORECASE)
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_ESCAPED = re.compile(r'\\([\\;,:"nN])')
_SEPARATOR = {each: re.compile(rf"\\.|{each}", re.DOTALL) for each in ";,"}
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_APPLE = re.compile(r"_\$!<(.*)>!\$_")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_DATA = re.compile(r"data:[^,]{0,100};base64,", re.IGNORECASE)
_POINT = re.compile(r"(?:geo:)?(-?\d+(?:\.\d+)?)\s*[,;]\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_DAY = re.compile(r"(\d{4}|-)-?(\d\d)-?(\d\d)(?:T00:?00:?00Z?)?")
_DATE_OF_4 = re.compile(r"[\dT:Z+-]+")


class Head(NamedTuple):
    """What stands before the colon of a line."""

    name: str
    types: tuple[str, ...]
    params: Mapping[str, str]
    group: str
    encoding: str
    charset: str


@dataclass(slots=True)
class Property:
    """One unfolded line of a card. Of `value` the encoding is undone, the escapes are not; `data`
    is what a base64 value holds, be it text or not. `told` is the X-ABLabel of its group."""

    name: str
    value: str = ""
    types: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    told: str = ""
    data: bytes = b""

    @property
    def text(self) -> str:
        return tidy(unescape(self.value))

    @property
    def line(self) -> str:
        return one_line(unescape(self.value))

    @property
    def label(self) -> str:
        """The words that stand beside the value: Apple's, else the service and the types."""
        words = kind(self.types)
        if service := self.params.get("X-SERVICE-TYPE"):
            words = one_line(f"{service} {words}")
        return self.told or words

    def parts(self, separator: str = ";") -> list[str]:
        """Return the tidy parts of a structured value."""
        return [tidy(unescape(part)) for part in split(self.value, separator)]


Taker = Callable[[Card, Property], None]


def tidy(text: str) -> str:
    """Return a text of any number of lines without what no screen or database takes."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", text).strip()


@lru_cache(maxsize=1024)
def kind(types: tuple[str, ...]) -> str:
    """Return the label that types are read as: "work fax". The place comes first."""
    said = [one_line(each.lower().removeprefix("x-")) for each in types]
    words = dict.fromkeys(WORDS.get(each, each) for each in said if each not in SILENT_TYPES)
    return " ".join(sorted(words, key=lambda word: word not in {"home", "work"}))


def unescape(value: str) -> str:
    """Undo the escapes of RFC 6350, 3.4, and of older programs; an unknown one stays as it is."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def escape(text: str, special: str = "\\,;") -> str:
    """Escape a text, by RFC 6350, 3.4; what no reader could take is left out."""
    text = tidy(text)
    for each in special:
        text = text.replace(each, f"\\{each}")
    return text.replace("\n", "\\n")


def split(value: str, separator: str) -> list[str]:
    """Split at each separator that is not escaped; beyond MOST_PARTS a `;` separates nothing."""
    most = MOST_PARTS - 1 if separator == ";" else -1
    if "\\" not in value:
        return value.split(separator, most)
    parts: list[str] = []
    start = 0
    for match in _SEPARATOR[separator].finditer(value):
        if match[0] == separator and len(parts) != most:
            parts.append(value[start : match.start()])
            start = match.end()
    return [*parts, value[start:]]


def _joined(parts: list[str]) -> str:
    """Return a structured value; nothing if all of its parts are empty."""
    return ";".join(map(escape, parts)) if any(parts) else ""


def fold(line: str) -> str:
    """Fold a line into pieces of at most 75 octets, never inside a character."""
    raw = line.encode()
    if len(raw) <= 75:
        return line
    pieces, start, room = [], 0, 75
    while start < len(raw):
        end = start + room
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[start:end])
        start, room = end, 74  # beside the space
    return b"\r\n ".join(pieces).decode()


# Values that people see otherwise than programs write them


def _in_lines(names: tuple[str, ...], parts: list[str]) -> str:
    """Return the parts of a value, one below the other, each after its name."""
    named = zip_longest(names, parts, fillvalue="")
    return "\n".join(f"{name or 'More'}: {part}" for name, part in named if part)


def _from_lines(names: tuple[str, ...], value: str) -> list[str]:
    """Return what _in_lines() was given; a line without a name belongs to the one before."""
    parts, at = [""] * len(names), -1
    for line in value.split("\n"):
        name, colon, rest = line.partition(": ")
        if colon and name in names[at + 1 :]:
            at = names.index(name)
            parts[at] = rest
        elif at >= 0:
            parts[at] += f"\n{line}"
        else:
            return []
    return parts


def _show_name(found: Property) -> str:
    return _in_lines(NAME_PARTS, [one_line(part) for part in found.parts()])


def _show_address(found: Property) -> str:
    """Return the lines of an address: without names if all of it is in one part."""
    parts = found.parts()
    filled = [part for part in parts if part]
    if len(filled) == 1 and filled[0] in parts[1:3]:
        return filled[0]
    return _in_lines(ADDRESS_PARTS, parts)


def _write_address(value: str, version: str) -> str:
    parts = _from_lines(ADDRESS_PARTS, value) or ["", "", value, "", "", "", ""]
    return _joined(parts)


def _write_name(value: str, version: str) -> str:
    return _joined(_from_lines(NAME_PARTS, value))


def _show_organisation(found: Property) -> str:
    return "\n".join(filter(None, found.parts()))


def _write_organisation(value: str, version: str) -> str:
    return _joined(value.split("\n"))


def _show_date(found: Property) -> str:
    """Return a date as 1980-03-22, or --03-22 without its year; Apple says 1604 for that."""
    match = _DAY.fullmatch(found.line)
    if not match:
        return found.text
    year = "-" if match[1] == found.params.get("X-APPLE-OMIT-YEAR") else match[1]
    return f"{year}-{match[2]}-{match[3]}"


def _write_date(value: str, version: str) -> str:
    basic = version == "4.0" and _DAY.fullmatch(value)
    return f"{basic[1].replace('-', '--')}{basic[2]}{basic[3]}" if basic else escape(value)


def _show_point(found: Property) -> str:
    match = _POINT.fullmatch(found.line)
    return f"{match[1]}, {match[2]}" if match else found.text


def _write_point(value: str, version: str) -> str:
    match = _POINT.fullmatch(value)
    if not match:
        return escape(value)
    return f"geo:{match[1]},{match[2]}" if version == "4.0" else f"{match[1]};{match[2]}"


SHOWN: dict[str, Callable[[Property], str]] = {
    "ADR": _show_address,
    "ANNIVERSARY": _show_date,
    "BDAY": _show_date,
    "GEO": _show_point,
    "N": _show_name,
    "ORG": _show_organisation,
    "X-ABDATE": _show_date,
}
WRITTEN: dict[str, Callable[[str, str], str]] = {
    "ADR": _write_address,
    "ANNIVERSARY": _write_date,
    "BDAY": _write_date,
    "GEO": _write_point,
    "N": _write_name,
    "ORG": _write_organisation,
}
DATES = {"ANNIVERSARY", "BDAY"}
# Plain texts. What we know less about may have a structure that escapes would hide.
TEXTS = {"BIRTHPLACE", "EXPERTISE", "FN", "HOBBY", "INTEREST", "LABEL", "NICKNAME", "ROLE", "TITLE"}


# Reading


def read(data: bytes) -> Iterator[Card]:
    """Return the cards of a file one by one, numbered from 1.

    A card that cannot be taken has `trouble` and costs nobody else; the card of an agent, which
    lies inside its principal's, comes before it. Of the parameters of a property that we know,
    only what makes its label is kept. Raises CardProblem, at once if the file is too large or
    none of vCards, and when the card after the last of MOST_CARDS is asked for.
    """
    if len(data) > LARGEST_FILE:
        raise CardProblem(TOO_LARGE)
    if not data.strip():
        raise CardProblem(EMPTY)
    data = _eight_bit(data)
    if not _BEGIN.search(data):
        raise CardProblem(NO_CARDS)
    return _numbered(_cards(data))


def _numbered(cards: Iterator[Card]) -> Iterator[Card]:
    for row, card in enumerate(cards, 1):
        if row > MOST_CARDS:
            raise CardProblem(TOO_MANY)
        card.row = row
        yield card


def _eight_bit(data: bytes) -> bytes:
    """Return the file in UTF-8 if it is in UTF-16, and with line feeds between its lines."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    elif data[:4].upper() in (b"B\0E\0", b"\0B\0E"):
        data = data.decode("utf-16-le" if data[1] == 0 else "utf-16-be", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _content_lines(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number, line), unfolded, without blank ones; None for a line beyond LONGEST_LINE."""
    number, buffer = 0, bytearray()
    printable = unfolded = soft = False
    for at, raw in enumerate(BytesIO(data), 1):
        line = raw.rstrip(b"\r\n")
        folded = line[:1] in (b" ", b"\t")
        # A "=" at the end of a card belongs to nothing that follows.
        soft = soft and not _MARK.fullmatch(line)
        # 2.1 folds quoted-printable by a "=" at the end and, in some files, base64 by nothing.
        if not (soft or folded or (unfolded and _BASE64_LINE.fullmatch(line))):
            if buffer:
                yield number, bytes(buffer) if len(buffer) <= LONGEST_LINE else None
            number, buffer = at, bytearray()
            colon = line.find(b":")
            encoding = _ENCODING.search(line, 0, colon) if b";" in line[:colon] else None
            printable = encoding is not None and encoding[0][:1] in b"Qq"
            unfolded = encoding is not None and not printable
        elif folded and not soft:
            line = line[1:]
        soft = printable and line.endswith(b"=")
        if len(buffer) <= LONGEST_LINE:
            buffer += line[:-1] if soft else line
    if buffer:
        yield number, bytes(buffer) if len(buffer) <= LONGEST_LINE else None


@dataclass(slots=True)
class _Draft:
    """A card whose end has not come yet; `depth` is how many cards lie around it."""

    depth: int
    lines: int = 0
    properties: list[Property] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    trouble: str = ""

    def add(self, number: int, line: bytes | None) -> None:
        self.lines += 1
        if line is None or self.lines > MOST_LINES:
            self.trouble = self.trouble or (LONG_LINE if line is None else CROWDED)
        elif found := _property(line):
            self.properties.append(found)
            if "\ufffd" in found.value:
                self.without.append(BAD_LETTERS)
        elif line.strip():
            self.without.append(f"line {number}")

    def awaits_agent(self) -> bool:
        """Whether the last line says that a card follows, as 2.1 does; it says so once."""
        last = self.properties[-1] if self.properties else None
        awaits = last is not None and last.name == "AGENT" and not last.value
        if awaits:
            self.properties.pop()
        return awaits


def _cards(data: bytes, depth: int = 0) -> Iterator[Card]:
    drafts: list[_Draft] = []
    for number, line in _content_lines(data):
        mark = _MARK.fullmatch(line) if line and len(line) < 80 else None
        said = mark[1].upper() if mark else b""
        if said == b"BEGIN" and not (drafts and drafts[-1].awaits_agent()):
            yield from _unended(drafts)
            drafts = [_Draft(depth)]
        elif drafts and said in (b"BEGIN", b"AGENT:BEGIN"):
            drafts.append(_Draft(depth + len(drafts)))
        elif drafts and said == b"END":
            card = yield from _closed(drafts.pop())
            if drafts and not card.trouble:
                drafts[-1].agents.append(card.name)
        elif drafts:
            drafts[-1].add(number, line)
    yield from _unended(drafts)


def _unended(drafts: list[_Draft]) -> Iterator[Card]:
    for draft in reversed(drafts):
        draft.trouble = draft.trouble or UNENDED
        yield from _closed(draft)


def _closed(draft: _Draft) -> Generator[Card, None, Card]:
    """Yield the cards that lie in this one as text, as 3.0 has them, then it; return it, too."""
    if draft.depth > DEEPEST:
        draft.trouble = draft.trouble or NESTED
    for each in draft.properties:
        if each.name == "AGENT" and draft.depth <= DEEPEST:
            agent = None
            for agent in _cards(unescape(each.value).encode(), draft.depth + 1):
                yield agent
            if agent and not agent.trouble:
                draft.agents.append(agent.name)
    card = _card(draft)
    yield card
    return card


def _property(line: bytes) -> Property | None:
    """Return what a line says, split at its first colon outside quotes; nothing if it has none."""
    match = _HEAD.match(line)
    end = match.end() - 1 if match else line.find(b":")
    head = _head(line[:end]) if 0 < end <= LONGEST_HEAD else None
    if not head:
        return None
    value, data = _decode_value(line[end + 1 :], head.encoding, head.charset)
    return Property(head.name, value, head.types, head.params, head.group, data=data)


@lru_cache(maxsize=1024)
def _head(raw: bytes) -> Head | None:
    """Return what stands before the colon. 2.1 writes types and encodings bare."""
    name, *pieces = _PIECE.findall(_decode(raw)) or [""]
    group, _, name = name.strip().upper().rpartition(".")
    if not _NAME.fullmatch(name):
        return None
    types: list[str] = []
    params: dict[str, str] = {}
    for piece in pieces:
        if custom := _CUSTOM.fullmatch(piece):
            types.append(_decode(a2b_qp(custom[1].encode())))
            continue
        key, equals, value = piece.partition("=")
        if not equals:
            bare = piece.strip().upper() in {"QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"}
            key, value = "ENCODING" if bare else "TYPE", piece
        key, value = key.strip().upper(), value.replace('"', "").strip()
        if key == "TYPE":
            types += value.split(",")
        elif _NAME.fullmatch(key):
            params.setdefault(key, _decode_param(value))
    encoding, charset = params.pop("ENCODING", "").upper(), params.pop("CHARSET", "").lower()
    return Head(name, tuple(types), params, group, encoding, charset)


def _decode_param(value: str) -> str:
    """Undo the escapes of RFC 6868."""
    if "^" not in value:
        return value
    return re.sub(r"\^([n^'])", lambda match: {"n": "\n", "'": '"'}.get(match[1], "^"), value)


def _decode_value(raw: bytes, encoding: str, charset: str) -> tuple[str, bytes]:
    """Return (text, data) of a value; there is data in base64 only."""
    if encoding == "QUOTED-PRINTABLE":
        return _decode(a2b_qp(raw), charset), b""
    if encoding in {"B", "BASE64"}:
        return _decode_base64(raw, charset)
    # The whole file was in UTF-16, and is not any more.
    return _decode(raw, "" if charset.startswith("utf-16") else charset), b""


def _decode_base64(raw: bytes, charset: str) -> tuple[str, bytes]:
    """Return (text, data): both if the data is text, too; the value as it is if it is no base64."""
    try:
        data = a2b_base64(raw + b"==")
    except NotBase64:
        return _decode(raw, charset), b""
    try:
        return data.decode(charset if charset in CHARSETS else "utf-8"), data
    except UnicodeDecodeError:
        return "", data


def _decode(raw: bytes, charset: str = "") -> str:
    """Return the text of bytes. What is valid UTF-8 is UTF-8, whatever the charset says: that is
    wrong far more often than other text is valid UTF-8 by chance."""
    named = [charset] if charset in CHARSETS else []
    # Of a text that says it is UTF-8 some letters may be torn; if all are, it is something else.
    torn = charset == "utf-8" and _LETTER_OF_UTF8.search(raw)
    guessed = [] if torn else ["windows-1252"]
    for codec in (*named, "ascii") if raw.isascii() else ("utf-8", *named, *guessed):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8" if charset == "utf-8" else "latin-1", "replace")


def _card(draft: _Draft) -> Card:
    card = Card(without=draft.without, trouble=draft.trouble)
    for each in sorted(_told_by_group(draft.properties), key=_order):
        _take(card, each)
    card.related += [(name, "agent") for name in draft.agents]
    _name(card)
    for name in ("tags", "emails", "phones", "links", "details", "related", "without"):
        setattr(card, name, list(dict.fromkeys(getattr(card, name))))
    return card


def _told_by_group(properties: list[Property]) -> list[Property]:
    """Give each property the X-ABLabel that Apple puts beside it in a group."""
    labels = {each.group: _apple(each.line) for each in properties if each.name == "X-ABLABEL"}
    for each in properties:
        each.told = labels.get(each.group, "") if each.group else ""
    return properties


def _apple(label: str) -> str:
    """Return `_$!<HomeFAX>!$_`, a label that Apple's programs translate, as "home fax"."""
    found = _APPLE.fullmatch(label)
    return one_line(_CAMEL.sub(" ", found[1]).lower()) if found else label


def _order(found: Property) -> tuple[int, int]:
    """Put what a card has once first, the better source before the other; then, as they stand,
    all others, but the address, number and link that the person prefers before the rest."""
    if found.name in FIRST:
        return FIRST[found.name], 0
    if found.name not in {"EMAIL", "TEL", "URL", "X-MS-TEL"}:
        return len(FIRST), 0
    preference = "1" if "pref" in map(str.lower, found.types) else found.params.get("PREF", "")
    known = preference.isdecimal() and len(preference) <= 3
    return len(FIRST), int(preference) if known else 101


def _name(card: Card) -> None:
    """Let a card without a name have the next best that it has."""
    if card.name:
        return
    nicknames = [value for value, label in card.details if label == READABLE["NICKNAME"]]
    reached = [value for value, _ in card.emails + card.phones]
    names = [*nicknames, card.organisation, *reached]
    card.name = next(filter(None, map(one_line, names)), "")
    if not card.name:
        card.trouble = card.trouble or NAMELESS


def _take(card: Card, found: Property) -> None:
    """Take a property into the field for it, else into the details."""
    if found.name in DROPPED or not (found.value or found.data):
        return
    if len(found.value) > LONGEST_TEXT and found.name not in {"AGENT", "PHOTO"}:
        card.without.append(READABLE.get(found.name, found.name.lower()))
    else:
        TAKERS.get(found.name, _take_detail)(card, found)


def _take_detail(card: Card, found: Property) -> None:
    value = SHOWN[found.name](found) if found.name in SHOWN else found.text
    if not value and found.data:
        value = f"data:application/octet-stream;base64,{b64encode(found.data).decode()}"
    title = READABLE.get(found.name) or _raw_title(found)
    _add_detail(card, value, f"{title} ({found.label})" if found.label else title)


def _add_detail(card: Card, value: str, label: str) -> None:
    if len(value) > LONGEST_DETAIL:
        card.without.append(label)
    elif value:
        card.details.append((value, label))


def _raw_title(found: Property) -> str:
    """Return the name of a property that we do not know, with its parameters."""
    params = {key: value for key, value in found.params.items() if key not in SILENT_PARAMS}
    return one_line(found.name + "".join(_param(*each) for each in params.items()))


def _first(name: str) -> Taker:
    """Return a taker for a field that holds one line; what comes second is a detail."""

    def take(card: Card, found: Property) -> None:
        if not getattr(card, name):
            setattr(card, name, found.line)
        elif getattr(card, name) != found.line:
            _take_detail(card, found)

    return take


def _take_parts_of_name(card: Card, found: Property) -> None:
    """Keep the parts of a name unless the name alone tells them."""
    parts = [one_line(part) for part in found.parts()]
    family, given, more, before, after, *others = parts + [""] * len(NAME_PARTS)
    card.name = card.name or one_line(f"{before} {given} {more} {family} {after}")
    alone = " " not in card.name and [card.name] == list(filter(None, parts))
    guessed = [family, given, more, before, after] == _guess_parts(card.name)
    if not alone and (not guessed or any(others)):
        _take_detail(card, found)


def _guess_parts(name: str) -> list[str]:
    given, _, family = name.rpartition(" ")
    return [family, given, "", "", ""] if given else ["", family, "", "", ""]


def _take_organisation(card: Card, found: Property) -> None:
    if card.organisation:
        _take_detail(card, found)
    else:
        card.organisation, *units = map(one_line, found.parts())
        card.details += [(unit, DEPARTMENT) for unit in units if unit]


def _take_zone(card: Card, found: Property) -> None:
    take = _take_detail if card.time_zone or found.line not in time_zones() else _first("time_zone")
    take(card, found)


def _take_email(card: Card, found: Property) -> None:
    if address := found.line.removeprefix("mailto:"):
        card.emails.append((address, found.label))


def _take_phone(card: Card, found: Property) -> None:
    number = found.line
    if number.startswith("tel:"):
        number = number.removeprefix("tel:").replace(";ext=", " ext. ")
    if number:
        card.phones.append((number, found.label))


def _take_link(card: Card, found: Property) -> None:
    if found.line:
        card.links.append((found.line, found.label))


def _take_profile(card: Card, found: Property) -> None:
    """Take Apple's profile; some are names inside Apple's own address, and no links."""
    take = _take_link if found.line.startswith(("http:", "https:")) else _take_detail
    take(card, found)


def _take_note(card: Card, found: Property) -> None:
    notes = "\n".join(filter(None, [card.notes, found.text]))
    if len(notes) > LONGEST_TEXT:
        card.without.append("note")
    else:
        card.notes = notes


def _take_tags(card: Card, found: Property) -> None:
    card.tags += filter(None, (one_line(part) for part in found.parts(",")))


def _take_nicknames(card: Card, found: Property) -> None:
    for part in split(found.value, ","):
        _take_detail(card, replace(found, value=part))


def _take_address(card: Card, found: Property) -> None:
    """Take an address, and the text for its envelope, which 4.0 has as a parameter."""
    _take_detail(card, found)
    if envelope := found.params.get("LABEL"):
        # RFC 6350, 6.3.1 breaks its lines by \n, RFC 6868 by ^n.
        envelope = escape(unescape(envelope))
        _take_detail(card, replace(found, name="LABEL", value=envelope))


def _take_photo(card: Card, found: Property) -> None:
    """Take the first photo; the address of one is a detail, since nothing is fetched from there."""
    data = found.data or _photo_inside(unescape(found.value))
    if data and not card.photo:
        card.photo = data
    elif not data and _URI.fullmatch(found.line):
        _take_detail(card, found)
    else:
        card.without.append("photo")


def _photo_inside(value: str) -> bytes:
    """Return the data of an address that holds it, as 4.0 writes photos."""
    inside = _DATA.match(value)
    try:
        return b64decode(value[inside.end() :] + "==") if inside else b""
    except ValueError:
        return b""


def _take_related(card: Card, found: Property) -> None:
    """Take a person by name; 4.0's address of a card is a detail."""
    is_text = found.name != "RELATED" or found.params.get("VALUE", "").lower() == "text"
    if not is_text and _URI.fullmatch(found.line):
        _take_detail(card, found)
    elif found.line:
        card.related.append((found.line, found.label))


def _take_agent(card: Card, found: Property) -> None:
    """Leave out the card of an agent, which was read before; anything else is a detail."""
    if "BEGIN:VCARD" not in found.value.upper():
        _take_detail(card, found)


def _take_kind(card: Card, found: Property) -> None:
    said = found.line.lower()
    if said == "group":
        card.trouble = card.trouble or GROUP
    elif said != "individual":
        _take_detail(card, found)


def _take_known_since(card: Card, found: Property) -> None:
    try:
        card.known_since = card.known_since or date.fromisoformat(found.line)
    except ValueError:
        _take_detail(card, found)


def _take_android(card: Card, found: Property) -> None:
    """Take a row of Android's own tables: what it is, the value, a number for the label, and the
    label if that number is 0 (ContactsContract.CommonDataKinds)."""
    what, value, number, label = map(one_line, [*found.parts(), "", "", "", ""][:4])
    if what.endswith("/nickname"):
        _take_nicknames(card, Property("NICKNAME", escape(value)))
    elif what.endswith("/relation"):
        how = ANDROID_RELATIONS.get(number, label)
        _take_related(card, Property("X-ABRELATEDNAMES", escape(value), told=how))
    elif what.endswith("/contact_event"):
        name = ANDROID_DAYS.get(number, "X-ABDATE")
        _take_detail(card, Property(name, escape(value), told=label))
    else:
        _take_detail(card, found)


def _take_own_detail(card: Card, found: Property) -> None:
    _add_detail(card, found.text, found.told)


TAKERS: dict[str, Taker] = {
    "ADR": _take_address,
    "AGENT": _take_agent,
    "CATEGORIES": _take_tags,
    "EMAIL": _take_email,
    "FN": _first("name"),
    "KIND": _take_kind,
    "N": _take_parts_of_name,
    "NICKNAME": _take_nicknames,
    "NOTE": _take_note,
    "ORG": _take_organisation,
    "PHOTO": _take_photo,
    "RELATED": _take_related,
    "ROLE": _first("role"),
    "TEL": _take_phone,
    "TITLE": _first("role"),
    "TZ": _take_zone,
    "UID": _first("uid"),
    "URL": _take_link,
    "X-ABRELATEDNAMES": _take_related,
    "X-ABUID": _first("uid"),
    "X-ADDRESSBOOKSERVER-KIND": _take_kind,
    "X-ANDROID-CUSTOM": _take_android,
    "X-MS-TEL": _take_phone,
    "X-SOCIALPROFILE": _take_profile,
    HOW_MET: _first("how_met"),
    KNOWN_SINCE: _take_known_since,
    DETAIL: _take_own_detail,
}


# Writing


def write(cards: Iterable[Card], version: str = "4.0") -> Iterator[str]:
    """Yield each card as a vCard of version 4.0 or 3.0, whose lines end in CRLF.

    read() gives the same card again, with its details maybe in another order. `moments` and
    `tasks` have no place in a vCard, `row`, `without` and `trouble` belong to the file read.
    """
    for card in cards:
        items = (f"item{n}." for n in count(1))
        lines = ["BEGIN:VCARD", f"VERSION:{version}"]
        for each in _properties(card, version):
            group = next(items) if each.told else ""
            lines.append(f"{group}{_written_head(each)}:{each.value}")
            if each.told:
                lines.append(f"{group}X-ABLabel:{escape(each.told)}")
        yield "".join(f"{fold(line)}\r\n" for line in [*lines, "END:VCARD"])


def _written_head(found: Property) -> str:
    types = f";TYPE={','.join(found.types)}" if found.types else ""
    return found.name + types + "".join(_param(*each) for each in found.params.items())


def _param(key: str, value: str) -> str:
    """Return a parameter as it stands in a line, escaped by RFC 6868."""
    value = value.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f';{key}="{value}"' if set(value) & set(":;,") else f";{key}={value}"


def _properties(card: Card, version: str) -> Iterator[Property]:
    departments = [
        value for value, label in card.details if label == DEPARTMENT and value == one_line(value)
    ][: MOST_PARTS - 1]
    details = [
        _detail(card, value, label, version)
        for value, label in card.details
        if label != DEPARTMENT or value not in departments
    ]
    yield Property("FN", escape(card.name))
    # 3.0 asks for the parts, and some phones show nothing else.
    if not any(each.name == "N" for each in details):
        person = "" if card.name == card.organisation else one_line(card.name)
        yield Property("N", _joined(_guess_parts(person)))
    yield from _filled(
        Property("ORG", _joined([card.organisation, *departments])),
        Property("TITLE", escape(card.role)),
        Property("UID", escape(card.uid)),
        Property("TZ", escape(card.time_zone), params={"VALUE": "text"}),
        Property("CATEGORIES", ",".join(map(escape, card.tags))),
        *(_labelled("EMAIL", escape(value), label) for value, label in card.emails),
        *(_labelled("TEL", escape(value), label) for value, label in card.phones),
        *(_labelled("URL", escape(value, "\\"), label) for value, label in card.links),
        *(_related(name, how, version) for name, how in card.related),
        Property("NOTE", escape(card.notes)),
        Property(HOW_MET, escape(card.how_met)),
        Property(KNOWN_SINCE, card.known_since.isoformat() if card.known_since else ""),
        *details,
        _photo(card.photo, version),
    )


def _filled(*properties: Property) -> Iterator[Property]:
    return (each for each in properties if each.value)


def _labelled(name: str, value: str, label: str, known: set[str] = TYPES) -> Property:
    """Return a property whose label is its types, if every program knows them."""
    types = tuple(TYPES_OF.get(word, word) for word in label.split(" ") if word)
    if known.issuperset(types) and kind(types) == label:
        return Property(name, value, types=types)
    return Property(name, value, told=label)


def _related(name: str, how: str, version: str) -> Property:
    if version == "3.0":
        return Property("X-ABRELATEDNAMES", escape(name), told=how)
    related = _labelled("RELATED", escape(name), how, RELATIONS)
    return replace(related, params={"VALUE": "text"})


def _photo(data: bytes, version: str) -> Property:
    if not data:
        return Property("PHOTO")
    image = next((name for start, name in IMAGES.items() if data.startswith(start)), "jpeg")
    value = b64encode(data).decode()
    if version == "3.0":
        return Property("PHOTO", value, types=(image.upper(),), params={"ENCODING": "b"})
    return Property("PHOTO", f"data:image/{image};base64,{value}")


def _detail(card: Card, value: str, label: str, version: str) -> Property:
    """Return the property that a detail came from, if it would be read as the same detail again;
    else one of ours, which takes any label."""
    title, _, said = label[:-1].partition(" (") if label.endswith(")") else (label, "", "")
    if head := _head(PROPERTIES.get(title, title).encode(errors="replace")):
        own = _labelled(head.name, _written_value(head.name, value, version), said)
        own.params = head.params
        if version == "4.0" and head.name in DATES and not _DATE_OF_4.fullmatch(own.value):
            own.params = {"VALUE": "text"}
        probe = Card(**{each: getattr(card, each) for each in SINGLES})
        _take(probe, own)
        if probe.details == [(value, label)]:
            return own
    return Property(DETAIL, escape(value), told=label)


def _written_value(name: str, value: str, version: str) -> str:
    if name in WRITTEN:
        return WRITTEN[name](value, version)
    return escape(value) if name in TEXTS else escape(value, "\\")
