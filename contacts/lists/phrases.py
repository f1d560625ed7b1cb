"""What somebody types above the list of people, when it says more than words to look for: "not
spoken for 6 months", "added last week", "at Aster", "#alumni".

The time in them is read by a small grammar of our own. dateparser and parsedatetime find dates in
any text, and so they find them in names too ("May Sun", "Marc", "April Second"); and they answer
with a moment, where a list needs a span of days ("over a year ago" has no beginning). What they do
well, the arithmetic of months and years, dateutil does (contacts.lists.periods).
"""

import re
from calendar import month_name
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from contacts.lists.periods import UNITS, Period

# Given the kind of a name ("at" or "tagged") and how it may have been meant, the longest first,
# returns the first that exists as it is written there, or None.
Known = Callable[[str, list[str]], str | None]

LONGEST_NAME = 6  # words
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_IN_FIGURES = {"a": 1, "an": 1} | {word: n for n, word in enumerate(_NUMBERS, start=1)}
_MONTHS = [name.lower() for name in month_name[1:]]

_COUNT = rf"(?:(?P<count>[1-9]\d?|{'|'.join(_IN_FIGURES)})\s+)"
_UNIT = rf"(?P<unit>{'|'.join(UNITS)})s?"
_LONG = rf"(?:{_COUNT}?{_UNIT}|(?P<half>half\s+a\s+year))"
_WHEN = (
    r"(?P<day>today|yesterday)"
    rf"|(?P<which>this|last)\s+(?P<span>{'|'.join(UNITS)})"
    rf"|(?:in|within|during)\s+(?:the\s+)?(?:last|past)\s+{_LONG}"
    rf"|(?:(?P<side>in|since|before)\s+)(?:(?P<month>{'|'.join(_MONTHS)})\s+)?"
    r"(?P<year>(?:19|20)\d\d)"
)
_SPOKE = r"(?:spoke|spoken|talked|contacted|heard)(?:\s+(?:to|with|from))?"
_OVER = r"(?:over|more\s+than|longer\s+than)"
_NOT_SPOKE = rf"(?:not|haven['’]t|have\s+not)\s+{_SPOKE}"


@dataclass
class Read:
    """What was read: filters of the list by their names in its address, and the words that remain
    to be searched."""

    filters: dict[str, Any] = field(default_factory=dict)
    words: str = ""


# (the filter, the words, the way of its period if they do not say one). A whole phrase can hardly
# be somebody's name.
_DATED = [
    ("spoken", rf"(?:last\s+)?{_SPOKE}\s+{_OVER}\s+{_LONG}\s+ago", "over"),
    ("spoken", rf"{_NOT_SPOKE}\s+(?:for|in)\s+(?:{_OVER}\s+)?{_LONG}", "over"),
    ("spoken", rf"(?:quiet|silent)\s+for\s+(?:{_OVER}\s+)?{_LONG}", "over"),
    ("spoken", rf"{_NOT_SPOKE}\s+since\s+(?P<year>(?:19|20)\d\d)", "before"),
    ("spoken", rf"(?:last\s+)?{_SPOKE}\s+(?:{_WHEN})", "within"),
    ("met", rf"met\s+(?:{_WHEN})", "within"),
    ("added", rf"added\s+(?:{_WHEN})", "within"),
    ("added", rf"added\s+{_OVER}\s+{_LONG}\s+ago", "over"),
    ("known", rf"known\s+(?:for\s+)?{_OVER}\s+{_LONG}", "over"),
    # Since 2019, as the person's page says it: they met in that year.
    ("known", r"known\s+since\s+(?P<year>(?:19|20)\d\d)", "in"),
    ("known", rf"known\s+(?:{_WHEN})", "within"),
]
_PLAIN = {
    "due now": "due",
    "waiting on them": "waiting",
    "time for a hello": "hello",
    "never contacted": "new",
    "not contacted yet": "new",
    "never spoken": "new",
    "put away": "archived",
}
# A word alone may as well stand in somebody's name or notes; who reads it decides by that.
MAY_MEAN = {"due": "due", "waiting": "waiting", "resting": "resting", "archived": "archived"}
_PATTERNS = [
    *((name, re.compile(rf"\b(?:{text})(?!\w)", re.I), way) for name, text, way in _DATED),
    *(
        ("show", re.compile(rf"\b{text}\b".replace(" ", r"\s+"), re.I), show)
        for text, show in _PLAIN.items()
    ),
]
_NAMED = re.compile(r"(?<!\S)(?:(?P<at>at)\s+|(?:tag|tagged)\s+|#)(?=\S)", re.I)


def read(text: str, known: Known) -> Read:
    """Return what was typed as filters and as words to search. A filter is read once: a second
    phrase of the same kind stays among the words, since nobody could be both."""
    found = Read()
    for name, pattern, says in _PATTERNS:
        match = pattern.search(text)
        if match and name not in found.filters:
            found.filters[name] = says if name == "show" else _period(match, says).code
            text = f"{text[: match.start()]} {text[match.end() :]}"
    text = _take_names(text, known, found.filters)
    found.words = " ".join(word.removeprefix("#") or word for word in text.split())
    return found


def _period(match: re.Match, way: str) -> Period:
    said = match.groupdict()
    if said.get("day"):
        return Period({"today": "this", "yesterday": "last"}[said["day"].lower()], unit="day")
    if said.get("which"):
        return Period(said["which"].lower(), unit=said["span"].lower())
    if said.get("year"):
        month = _MONTHS.index(said["month"].lower()) + 1 if said.get("month") else 0
        return Period((said.get("side") or way).lower(), year=int(said["year"]), month=month)
    if said.get("half"):
        return Period(way, 6, "month")
    return Period(way, _in_figures(said["count"]), said["unit"].lower())


def _in_figures(count: str | None) -> int:
    words = (count or "a").lower()
    return int(words) if words.isdigit() else _IN_FIGURES[words]


def _take_names(text: str, known: Known, filters: dict[str, Any]) -> str:
    """Take the organisation and the tags out of the text that are there by the name that follows
    "at", "tag" or "#": as many words of it as make a name."""
    for match in reversed(list(_NAMED.finditer(text))):
        kind = "at" if match["at"] else "tagged"
        if kind == "at" and "at" in filters:
            continue
        name = known(kind, list(_longest_first(text[match.end() :])))
        if name is None:
            continue
        if kind == "at":
            filters["at"] = name
        else:
            filters["tagged"] = (name, *filters.get("tagged", ()))
        rest = text[match.end() :].split()[len(name.split()) :]
        text = " ".join([text[: match.start()], *rest])
    return text


def _longest_first(text: str) -> Iterator[str]:
    words = text.split()[:LONGEST_NAME]
    for count in range(len(words), 0, -1):
        yield " ".join(words[:count])
