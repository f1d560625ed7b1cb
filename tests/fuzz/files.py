"""Nasty files: valid ones, changed in a few places.

A file is drawn as a seed and a list of edits, each a place and what happens there, so hypothesis
makes a bad one smaller by leaving edits out.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hypothesis import strategies as st

LONG_LINE = 10_000_000
LARGEST = LONG_LINE + 2_000_000
LARGEST_PART = 300_000
PLACES = 1 << 16

# What a cell, a value or a line may hold, and what stands between them.
TEXTS = [
    *("", " ", "0", "-1", "9" * 5000, "1e400", "NaN", "true", "null", "NULL", "\0", "a\0b", "\x7f"),
    *("\u0301", "e\u0301" * 300, "\u202e", "\ufeff", "\ufffd", "\U0001f9d1", "İ", "ſ", "ẞ", "ŉ"),
    *("ǅ", "\u2028", "\x0b", "\x85", "\u00a0", "\u200b", "x" * 300, "x" * 70_000, "ß" * 200),
    *("=HYPERLINK(1)", "+1+1", "-1", "@SUM(A1)", "'=1", "\t=1", "<script>alert(1)</script>"),
    *(
        '"',
        '""',
        "'",
        "`",
        "\\",
        "\\'",
        "\\n",
        "\\,",
        "\\;",
        "%s",
        "%",
        "{}",
        "{0}",
        "$1",
        "--",
        "#",
    ),
    *("2020-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "31.12.1899", "1.1.10000", "--0229"),
    *("2024-01-01T00:00:00+99:99", "a@b", "a@b.c", "@", "http://", "http://[", "https://[::1]:x/"),
    *("https://www.linkedin.com/in/", "https://LINKEDIN.com/in/Ş%ff", "javascript:alert(1)"),
    *("+43", "+43 660 1234567", "+436601234567;ext=1", "tel:+1", "911", "٠٦٦٠", "+" + "1" * 200),
    *("data:image/png;base64,", "data:image/png;base64,iVBORw0KGgo=", "====", "A", "QUJD", "Zg"),
    *("/9j/4AAQSkZJRgABAQ==", "R0lGODlh//////8h", "UEsDBAo=", "Europe/Vienna", "../../etc/passwd"),
    *(
        "Ada; Ada",
        "Ada ::: Ada",
        "a,b;c d",
        "* myContacts",
        "a:b:c",
        "urn:uuid:",
        "geo:1,2",
        "1604",
    ),
    *(
        "\\ud800",
        "\\u0000",
        "[]",
        "{}",
        "[[]]",
        '{"a":1,"a":2}',
        "Priya Raman",
        "priya@example.org",
    ),
]
JOINTS = [
    *("\n", "\r", "\r\n", "\n\n", " \n ", "=\n", "=", ",", ";", ":", "|", "\t", '"', "'", "`", "("),
    *(")", "[", "]", "{", "}", "/*", "*/", "--\n", "');", "),(", "sep=;\n", "BEGIN:VCARD\n"),
    *(
        "END:VCARD\n",
        "BEGIN:VCARD\nVERSION:2.1\n",
        "AGENT:\n",
        "AGENT:BEGIN:VCARD\\nFN:A\\n",
        "FN:",
    ),
    *("N:;;;;", "VERSION:4.0\n", "item1.", "PHOTO;ENCODING=b:", "PHOTO;BASE64:\n ", ";CHARSET=x"),
    *(";CHARSET=utf-7", ";CHARSET=idna", ";CHARSET=SHIFT_JIS", ";ENCODING=QUOTED-PRINTABLE:=E9=\n"),
    *(";TYPE=", ';X="', ";PREF=99999999999", "ORG:;;;;", "CATEGORIES:a,b,,", "KIND:group\n"),
    *(
        "X-ABLABEL:_$!<>!$_\n",
        "X-ANDROID-CUSTOM:vnd/relation;A;99\n",
        "BDAY:\n",
        "RELATED:",
        "UID:",
    ),
    *(
        "INSERT INTO `contacts` (`id`) VALUES (1);",
        "INSERT INTO x VALUES",
        " VALUES ",
        "NULL,",
        ";;",
    ),
    *('"account":', '{"type":"contact","values":', '"data":[', '"uuid":"c-1",', '"properties":{'),
    *("First Name,Last Name,Connected On\n", "E-mail 1 - Value,", "Name;E-Mail\n", "Name\n"),
]
BYTES = [
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc3", b"\xe9", b"\xfc\xe4", b"\xc0\x80"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"+AGE-", b"\x1b$B", b"PK\x03\x04", b"\x1f\x8b"),
]
PIECES = [*(each.encode("utf-8", "surrogatepass") for each in (*TEXTS, *JOINTS)), *BYTES]
# Each takes a while, so they are rare.
HUGE = [
    *(b"x" * LONG_LINE, b'"' + b"x\n" * 500_000, b"a," * 500_000, b'"' * 500_000, b";" * 500_000),
    *(b"[" * 200_000, b'{"a":' * 100_000, b"{}," * 300_000, b"(" * 300_000, b"\\" * 500_000),
    *(b"BEGIN:VCARD\n" * 5_000, b"AGENT:\nBEGIN:VCARD\n" * 5_000, b"FN:A\n" * 20_000),
    *(b"(1,'a')," * 30_000, b"=\n" * 200_000, b"\n " * 200_000, b"\n" * 500_000, b" " * 500_000),
    *(b"9" * 500_000, b"\xc3\xa9" * 500_000, b"\0" * 500_000),
]
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "shift_jis"]
ENDS_OF_VALUES = b',;:"\n'


class Edit(Protocol):
    def __call__(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class Place:
    """Somewhere in a file: so far from its beginning, or at the beginning of the next line."""

    share: int
    at_line: bool

    def of(self, data: bytes) -> int:
        at = len(data) * self.share // PLACES
        return data.find(b"\n", at) + 1 if self.at_line else at


@dataclass(frozen=True)
class Cut:
    """The file ends too early."""

    place: Place

    def __call__(self, data: bytes) -> bytes:
        return data[: self.place.of(data)]


@dataclass(frozen=True)
class Flip:
    """One bit is another."""

    place: Place
    bit: int

    def __call__(self, data: bytes) -> bytes:
        at = self.place.of(data)
        return (
            data[:at] + bytes(each ^ 1 << self.bit for each in data[at : at + 1]) + data[at + 1 :]
        )


@dataclass(frozen=True)
class Put:
    """Something stands there that does not belong."""

    place: Place
    piece: bytes

    def __call__(self, data: bytes) -> bytes:
        at = self.place.of(data)
        return data[:at] + self.piece + data[at:]


@dataclass(frozen=True)
class Fill:
    """The rest of a value is something else."""

    place: Place
    piece: bytes

    def __call__(self, data: bytes) -> bytes:
        at = self.place.of(data)
        end = next((n for n in range(at, len(data)) if data[n] in ENDS_OF_VALUES), at)
        return data[:at] + self.piece + data[end:]


@dataclass(frozen=True)
class Again:
    """A part is missing, or comes so many times."""

    place: Place
    length: int
    times: int

    def __call__(self, data: bytes) -> bytes:
        at = self.place.of(data)
        part = data[at : at + self.length]
        times = min(self.times, LARGEST_PART // max(len(part), 1))
        return data[:at] + part * times + data[at + self.length :]


@dataclass(frozen=True)
class Recode:
    """The rest is written in another encoding."""

    place: Place
    encoding: str

    def __call__(self, data: bytes) -> bytes:
        at = self.place.of(data)
        return data[:at] + data[at:].decode(errors="replace").encode(self.encoding, "replace")


def edits(others: list[bytes], large: bool = True) -> st.SearchStrategy[Edit]:
    """Return a strategy of edits, which may put in parts of other files; only a few make a file
    large, or none."""
    places = st.builds(Place, st.integers(0, PLACES), st.booleans())
    pieces = st.sampled_from([*PIECES * 60, *HUGE] if large else PIECES)
    parts = st.builds(
        lambda data, at, length: data[at % (len(data) + 1) :][:length],
        st.sampled_from(others),
        st.integers(0, PLACES),
        st.integers(1, 2000),
    )
    texts = st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
    times = st.sampled_from([0] * 12 + [2] * 12 + [30] * 4 + [3_000] * large)
    return st.one_of(
        st.builds(Fill, places, pieces | texts),
        st.builds(Put, places, pieces | texts | st.binary(max_size=20)),
        st.builds(Put, places, parts),
        st.builds(Again, places, st.integers(1, 400), times),
        st.builds(Flip, places, st.integers(0, 7)),
        st.builds(Cut, places),
        st.builds(Recode, places, st.sampled_from(ENCODINGS)),
    )


def edited(seed: bytes, some: Iterable[Edit]) -> bytes:
    data = seed
    for edit in some:
        data = edit(data)[:LARGEST]
    return data


def files(seeds: list[bytes], others: list[bytes], large: bool = True) -> st.SearchStrategy[bytes]:
    """Return a strategy of files like the seeds; others are files that may be mixed in."""
    changed = st.lists(edits(others, large), max_size=6)
    whole = st.sampled_from([None] * 12 + ENCODINGS)
    return st.builds(
        lambda seed, some, encoding: _encoded(edited(seed, some), encoding),
        st.sampled_from(seeds),
        changed,
        whole,
    )


def _encoded(data: bytes, encoding: str | None) -> bytes:
    return Recode(Place(0, False), encoding)(data) if encoding else data


# Archives: what is packed is changed as any file is, and then the ZIP file itself.


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def archives(members: dict[str, bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy of archives like the one of these files."""
    filled = {name: data for name, data in members.items() if data}
    others = list(filled.values())
    rows = st.lists(
        st.tuples(st.sampled_from(sorted(filled)), edits(others) | row_edits()), max_size=4
    )
    names = st.sampled_from([*members, "../../etc/passwd", "photos/1.jpg", "a\0b", "x" * 60_000])
    more = st.dictionaries(names, st.sampled_from([b"", b"{}", *PIECES, *HUGE]), max_size=1)
    methods = [zipfile.ZIP_DEFLATED] * 8 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    bent = st.just([]) | st.lists(edits(others), max_size=3)
    packed = st.builds(_packed, st.just(members), rows, more, st.sampled_from(methods), bent)
    return packed | st.sampled_from(bombs(members))


def _packed(members, rows, more, method, bent) -> bytes:
    changed = dict(members)
    for name, edit in rows:
        changed[name] = edited(changed[name], [edit])
    return edited(zipped(changed | more, method), bent)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(TEXTS)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@dataclass(frozen=True)
class Tell:
    """A field of a row of JSON holds something else."""

    row: int
    field: int
    told: object

    def __call__(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if not lines:
            return data
        at = self.row % len(lines)
        try:
            row = json.loads(lines[at])
            name = sorted(row)[self.field % len(row)]
        except (ValueError, TypeError, IndexError, ZeroDivisionError):
            return data  # It has been changed before, and is no row any more.
        row[name] = self.told
        lines[at] = json.dumps(row).encode() + b"\n"
        return b"".join(lines)


def row_edits() -> st.SearchStrategy[Edit]:
    return st.builds(Tell, st.integers(0, 50), st.integers(0, 50), JSON)


def bombs(members: dict[str, bytes]) -> list[bytes]:
    """Return small archives that unpack to much."""
    contacts = "contacts/contact.jsonl"
    zeros = zipped(members | {contacts: bytes(60_000_000)})
    lines = zipped(members | {contacts: b"{}\n" * 5_000_000})
    inside = zipped(members | {"photos/1.jpg": zeros})
    many = zipped(members | {f"photos/{n}.jpg": b"" for n in range(20_000)})
    return [zeros, lines, inside, many, _understated(zeros, 60_000_000)]


def _understated(archive: bytes, size: int) -> bytes:
    """Return an archive that says that its largest file is small."""
    return archive.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
