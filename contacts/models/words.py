"""How names, links and rhythms are written."""

import unicodedata
from datetime import timedelta
from urllib.parse import urlsplit

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
    """Return text for comparing and searching: no accents, no case, single spaces."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(letters.translate(_STROKES).split())


def tidy_link(url):
    """Return a link as it is stored. A LinkedIn profile has one spelling, whatever the scheme,
    country, case, query or closing slash, so that the same person is found again."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if (host == "linkedin.com" or host.endswith(".linkedin.com")) and parts.path.startswith("/in/"):
        return f"https://www.linkedin.com{parts.path.rstrip('/').lower()}"
    return url
