"""How names, links and rhythms are written."""

import re
import unicodedata
from datetime import timedelta
from urllib.parse import unquote, urlsplit

# It is time for a hello when a whole rhythm has passed, written as a day; it is late when half of
# it has passed again.
IDEAL, LATE = timedelta(days=1), timedelta(days=1.5)
NOT_THIS_WEEK = timedelta(days=7)
LONGEST_RHYTHM = 3650

# The rhythms on offer; any other number of days may be typed.
RHYTHMS = [
    (21, "every three weeks"),
    (42, "every six weeks"),
    (91, "every three months"),
    (182, "every six months"),
    (365, "once a year"),
]


def say_rhythm(days):
    """Return a rhythm in words: every six weeks, every 10 days."""
    return dict(RHYTHMS).get(days) or ("every day" if days == 1 else f"every {days} days")


# Letters that Unicode does not take apart: who types "lukasz" means Łukasz.
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def plain(text):
    """Return text for comparing and searching: no accents, no case, single spaces, and none of the
    unseen signs that come along when a word is copied from a page or an address book."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    if not letters.isascii():  # Most are, and this takes by far the longest.
        letters = "".join(filter(_is_seen, letters)).translate(_STROKES)
    return " ".join(letters.split())


def _is_seen(letter):
    return not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"


_HYPHENS = "-‐‑–"
# Signs that people leave out or write another way: O'Brien, O’Brien and OBrien, Anne-Marie.
_SILENT = dict.fromkeys(map(ord, f"'’‘ʼ`´{_HYPHENS}"))
# What may stand between the digits of a number.
BETWEEN = f" ()./{_HYPHENS}"
# A search looks at so many words.
MOST_WORDS = 8
_LINK = re.compile(r"https?://\S+", re.I)
# At least five digits with what stands between them when a number is written for people.
_NUMBER = re.compile(rf"(?<!\w)[+(]*+[0-9](?:[{re.escape(BETWEEN)}]*+[0-9]){{4,}}+(?!\w)")


def searched(text):
    """Return text as the search compares it: plain, without apostrophes and hyphens."""
    return plain(text.translate(_SILENT))


def words_of(text):
    """Return the words that a search for the text looks for; a sign alone is one of them."""
    return [searched(word) or word for word in plain(text).split()[:MOST_WORDS]]


def split_numbers(text):
    """Return the telephone numbers in a text, and the text without them. Of a whole link in it only
    the part is left that people would type."""
    text = _LINK.sub(_typed, text)
    return _NUMBER.findall(text), _NUMBER.sub(" ", text)


def _typed(link):
    try:
        return handle_of(tidy_link(link[0].lower())).rstrip("/")
    except ValueError:  # It only looks like one.
        return link[0]


def digits_of(number):
    """Return the digits of a number without what is dialled in front of it: those of
    "+43 (0)660 1234" stand in those of "0043 660 1234", and those of "0660 1234" in both."""
    digits = re.sub(r"[^0-9]", "", number.replace("(0)", ""))
    return digits.lstrip("0") or digits


def handle_of(url):
    """Return the part of a link that people would type: example.org/priya."""
    return unquote(re.sub(r"^\w+://(www\.)?", "", url)).replace("\0", "")


def tidy_link(url):
    """Return a link as it is stored. A LinkedIn profile has one spelling, whatever the scheme,
    country, case, query or closing slash, so that the same person is found again."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if (host == "linkedin.com" or host.endswith(".linkedin.com")) and parts.path.startswith("/in/"):
        return f"https://www.linkedin.com{parts.path.rstrip('/').lower()}"
    return url
