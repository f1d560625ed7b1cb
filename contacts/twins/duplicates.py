"""Entries of one notebook that may be one person, each pair with what speaks for it.

What one person has alone speaks loudest: a profile link, an e-mail address. Families and offices
share numbers and pages, so those count together with a word of the name, and what many share counts
not at all. Names are compared by their trigrams, accents, points and hyphens ignored, among people
of one organisation who have a word in common; a name that is quite the same also when one entry has
no organisation. Two different LinkedIn profiles are two people, whatever they are called.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from django.db import connection

from contacts.models import Contact, NotSame
from contacts.twins.known import PROFILE
from netcrm.models import User

PAGE = 20
# More than so many with one address, number or link: it is an office.
SHARED_AT_MOST = 10
# More than so many with one word at one organisation: the word tells nobody apart.
NAMESAKES_AT_MOST = 20
# Trigrams in common, of 1: "Jonas Weber" and "Jonas Webber" have 0.79, "Anna Weber" and "Lena
# Weber" 0.47.
NEARLY_THE_SAME = 0.5
# "P. Raman" and "Priya Raman", however short the rest is.
INITIAL = """one.words[cardinality(one.words)] = two.words[cardinality(two.words)]
                AND left(one.words[1], 1) = left(two.words[1], 1)
                AND least(length(one.words[1]), length(two.words[1])) = 1"""
TOLD_APART = 10
KEY = re.compile(r"(-?\d{1,9}):(\d{1,18}):(\d{1,18})", re.ASCII)

PAIRS = f"""
WITH people AS MATERIALIZED (
    SELECT id, organisation_id, array_to_string(words, ' ') AS name, words
    FROM (
        SELECT id, organisation_id, array_remove(string_to_array(
            translate(lower(unaccent(name)), '.,-', '   '), ' '), '') AS words
        FROM contacts_contact WHERE owner_id = %(owner)s AND archived_at IS NULL
    ) AS plain
), lines AS (
    SELECT 'email' AS kind, lower(address) AS value, contact_id
    FROM contacts_contactemail WHERE owner_id = %(owner)s
    UNION ALL
    SELECT 'phone', number, contact_id FROM contacts_contactphone WHERE owner_id = %(owner)s
    UNION ALL
    SELECT CASE WHEN url LIKE '%%{PROFILE}%%' THEN 'profile' ELSE 'link' END,
        regexp_replace(url, '^https?://(www[.])?|/$', '', 'g'), contact_id
    FROM contacts_contactlink WHERE owner_id = %(owner)s
), shared AS (
    SELECT kind, array_agg(contact_id) AS ids FROM lines
    GROUP BY kind, value HAVING count(*) BETWEEN 2 AND {SHARED_AT_MOST}
    UNION ALL
    SELECT 'name', array_agg(id) FROM people
    GROUP BY name HAVING count(*) BETWEEN 2 AND {NAMESAKES_AT_MOST}
    UNION ALL
    SELECT 'near', array_agg(id) FROM people, unnest(words) AS word
    WHERE organisation_id IS NOT NULL AND length(word) > 1
    GROUP BY organisation_id, word HAVING count(*) BETWEEN 2 AND {NAMESAKES_AT_MOST}
), pairs AS (
    SELECT DISTINCT kind, contact, other
    FROM shared, unnest(ids) AS contact, unnest(ids) AS other WHERE contact < other
), reasons AS (
    SELECT kind, contact, other,
        CASE kind WHEN 'profile' THEN 8000 WHEN 'email' THEN 4000
            WHEN 'phone' THEN 2000 WHEN 'link' THEN 2000 WHEN 'name' THEN 1000
            ELSE floor(900 * similarity(one.name, two.name)) END AS weight
    FROM pairs JOIN people AS one ON one.id = contact JOIN people AS two ON two.id = other
    WHERE CASE
        WHEN kind IN ('phone', 'link') THEN one.words && two.words
        WHEN kind = 'name' THEN coalesce(one.organisation_id = two.organisation_id, TRUE)
        WHEN kind = 'near' THEN one.name <> two.name
            AND (similarity(one.name, two.name) >= {NEARLY_THE_SAME} OR {INITIAL})
        ELSE TRUE END
), ranked AS (
    SELECT contact, other, array_agg(kind ORDER BY weight DESC) AS kinds,
        -sum(weight)::int AS rank
    FROM reasons GROUP BY contact, other
)
SELECT contact, other, kinds, rank FROM ranked
WHERE (rank, contact, other) > (%(rank)s, %(contact)s, %(other)s)
    AND NOT EXISTS (
        SELECT FROM contacts_notsame AS told
        WHERE told.contact_id = contact AND told.other_id = other)
    AND NOT (kinds[1] IN ('name', 'near')
        AND contact IN (SELECT contact_id FROM lines WHERE kind = 'profile')
        AND other IN (SELECT contact_id FROM lines WHERE kind = 'profile'))
ORDER BY rank, contact, other LIMIT {PAGE + 1}
"""  # noqa: S608
REASONS = {
    "profile": "the same profile link",
    "email": "the same e-mail address",
    "phone": "the same phone number",
    "link": "the same link",
    "name": "the same name",
    "near": "nearly the same name",
}
# (rank, contact, other) of a pair: lower is better.
Key = tuple[int, int, int]
FIRST: Key = (-(2**31), 0, 0)


@dataclass(frozen=True)
class Pair:
    """Two entries that may be one person; `contact` is the older one."""

    contact: Contact
    other: Contact
    kinds: list[str]

    @property
    def reason(self) -> str:
        """What speaks for it, in words: the same e-mail address, the same name, both at Aster."""
        said = [REASONS[kind] for kind in self.kinds]
        workplace = self.contact.organisation
        by_name = {"name", "near"} & set(self.kinds)
        if by_name and workplace and workplace == self.other.organisation:
            said.append(f"both at {workplace}")
        return ", ".join(said)


class TwinsPage:
    """One page of the pairs of an owner, best first, from behind the pair of a key."""

    def __init__(self, owner: User, after: str = ""):
        self.owner, self.after = owner, _read(after)

    @cached_property
    def _found(self) -> list[tuple[int, int, list[str], int]]:
        rank, contact, other = self.after
        asked = {"owner": self.owner.pk, "rank": rank, "contact": contact, "other": other}
        with connection.cursor() as cursor:
            cursor.execute(PAIRS, asked)
            return cursor.fetchall()

    @cached_property
    def pairs(self) -> list[Pair]:
        found = self._found[:PAGE]
        people = Contact.objects.for_user(self.owner).select_related("organisation")
        people = people.prefetch_related("emails", "phones")
        known = people.in_bulk({pk for one, other, *_ in found for pk in (one, other)})
        return [Pair(known[one], known[other], kinds) for one, other, kinds, _ in found]

    @property
    def is_first(self) -> bool:
        return self.after == FIRST

    @property
    def next(self) -> str:
        """The key of the last pair if there are more, else nothing."""
        if len(self._found) <= PAGE:
            return ""
        contact, other, _, rank = self._found[PAGE - 1]
        return f"{rank}:{contact}:{other}"

    @cached_property
    def told_apart(self) -> list[NotSame]:
        """The last pairs that were told apart."""
        pairs = NotSame.objects.for_user(self.owner).select_related("contact", "other")
        return list(pairs.order_by("-pk")[:TOLD_APART])


def _read(after: str) -> Key:
    """Return a key from an address; the first one if it cannot be read."""
    found = KEY.fullmatch(after)
    return (int(found[1]), int(found[2]), int(found[3])) if found else FIRST


def tell_apart(owner: User, contact: Contact, other: Contact) -> None:
    """Remember that two entries are two people; saying it twice is harmless."""
    lower, higher = sorted([contact, other], key=lambda each: each.pk)
    NotSame.objects.get_or_create(contact=lower, other=higher, defaults={"owner": owner})


def not_told_apart(owner: User, contact: Contact, other: Contact) -> None:
    """Forget it."""
    pair = [contact.pk, other.pk]
    NotSame.objects.for_user(owner).filter(contact=min(pair), other=max(pair)).delete()
