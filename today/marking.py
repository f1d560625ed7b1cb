"""Showing in a text what was searched for in it."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from unicodedata import combining

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from contacts.models import BETWEEN, digits_of, searched, split_numbers, words_of

# An excerpt has so many letters, so many of them before the first word that was found.
EXCERPT, BEFORE = 160, 40
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Of 1, how like two words are: "pirya" and "priya" have 0.8.
CLOSE = 0.6
Places = set[int]


def mark(text: str, q: str) -> SafeString:
    """Return a text as HTML, with the words and numbers of a search marked in it."""
    return _marked(text, _places(text, q))


def mark_near(text: str, q: str) -> SafeString:
    """Return a text as HTML; where a word of the search is not in it, the one most like it is
    marked."""
    places = _places(text, q)
    words = {searched(found[0]): found for found in WORD.finditer(text)}
    for word in words_of(q):
        if not _found(word, _folded(text)):
            for near in get_close_matches(word, words, n=1, cutoff=CLOSE):
                places.update(range(*words[near].span()))
    return _marked(text, places)


def excerpt(texts: Iterable[str], q: str) -> str:
    """Return the part of the first text with something of a search that stands around it."""
    for text in texts:
        text = " ".join(text.split())
        if places := _places(text, q):
            first = min(places)
            # It begins with a whole word.
            start = text.rfind(" ", 0, first - BEFORE) + 1 if first > BEFORE else 0
            part = text[start : start + EXCERPT]
            return f"{'… ' if start else ''}{part}{' …' if start + EXCERPT < len(text) else ''}"
    return ""


def unseen(texts: Sequence[str], q: str) -> str:
    """Return what of a search stands in none of the texts."""
    numbers, rest = split_numbers(q)
    wanted = [*numbers, *rest.split()]
    return " ".join(each for each in wanted if not any(_places(text, each) for text in texts))


def _places(text: str, q: str) -> Places:
    """Return which letters of a text belong to what is searched for: words with accents and case
    ignored, numbers however they are written."""
    numbers, rest = split_numbers(q)
    folded, places = _folded(text), Places()
    for word in words_of(rest):
        places |= _found(word, folded)
    for number in numbers:
        in_digits = _found(digits_of(number), _digits(text))
        places |= in_digits or Places().union(*(_found(word, folded) for word in words_of(number)))
    return places


def _found(word: str, folded: Sequence[str]) -> Places:
    """Return where a word stands in a text that was folded letter by letter; what vanished between
    its letters, and an accent after them, belongs to it."""
    origin = [at for at, letters in enumerate(folded) for _ in letters]
    smooth, places = "".join(folded), Places()
    at = smooth.find(word)
    while at >= 0:
        places.update(range(origin[at], origin[at + len(word) - 1] + 1))
        at = smooth.find(word, at + 1)
    return places


def _folded(text: str) -> list[str]:
    return [_letter(letter) for letter in text]


@lru_cache(maxsize=4096)
def _letter(letter: str) -> str:
    return " " if letter.isspace() else searched(letter)


def _digits(text: str) -> list[str]:
    return [
        letter if letter.isascii() and letter.isdigit() else "" if letter in BETWEEN else "\n"
        for letter in text
    ]


def _marked(text: str, places: Places) -> SafeString:
    # An accent that is a letter of its own belongs to the one before it.
    for at, letter in enumerate(text):
        if at - 1 in places and combining(letter):
            places.add(at)
    parts, end = [], 0
    for start, stop in _runs(sorted(places)):
        parts += [escape(text[end:start]), "<mark>", escape(text[start:stop]), "</mark>"]
        end = stop
    # Every piece of the text was escaped.
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as runs of neighbours: 1 2 3 7 is (1, 4) (7, 8)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs
