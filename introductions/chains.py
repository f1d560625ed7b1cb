"""Who led to whom: through whom one met somebody, up to the first person, and to whom they led."""

from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count, Min, OuterRef, Q, Subquery

from contacts.models import Contact
from followups.models import Outcome
from introductions.models import Introduction

DEEPEST = 30
MOST_PEOPLE = 300

# Two walks along contacts_contact.introduced_by_id from one person: up has negative depths, down
# begins with the person. A path that comes back to somebody ends there.
WALK = """
WITH RECURSIVE up (id, via, depth, path) AS (
    SELECT id, introduced_by_id, 0, ARRAY[id]
    FROM contacts_contact WHERE owner_id = %(owner)s AND id = %(start)s
  UNION ALL
    SELECT c.id, c.introduced_by_id, up.depth - 1, up.path || c.id
    FROM up JOIN contacts_contact c ON c.id = up.via AND c.owner_id = %(owner)s
    WHERE c.id <> ALL (up.path) AND up.depth > -%(deepest)s
), down (id, via, depth, path) AS (
    SELECT id, via, depth, (SELECT array_agg(id) FROM up) FROM up WHERE depth = 0
  UNION ALL
    SELECT c.id, c.introduced_by_id, down.depth + 1, down.path || c.id
    FROM down JOIN contacts_contact c ON c.introduced_by_id = down.id AND c.owner_id = %(owner)s
    WHERE c.id <> ALL (down.path) AND down.depth < %(deepest)s
)
SELECT id, via, depth FROM up WHERE depth < 0
UNION ALL SELECT id, via, depth FROM down
ORDER BY depth, id LIMIT %(most)s
"""


@dataclass
class Link:
    """A person of the chain, and those to whom they led."""

    contact: Contact
    is_start: bool = False
    led_to: list["Link"] = field(default_factory=list)


@dataclass(frozen=True)
class Chain:
    """The chain of a person from its first link down. `cut` tells whether it goes on beyond what
    is shown; `people` is how many others are in it."""

    first: Link
    cut: bool
    people: int


def chain_of(contact: Contact) -> Chain:
    """Return the Chain of a contact: three queries, however long it is."""
    limits = {"deepest": DEEPEST, "most": MOST_PEOPLE + 1}
    with connection.cursor() as cursor:
        cursor.execute(WALK, {"owner": contact.owner_id, "start": contact.pk} | limits)
        rows = cursor.fetchall()
    shown = rows[:MOST_PEOPLE]
    people = _people(contact.owner_id, [pk for pk, _, _ in shown])
    links = {pk: Link(people[pk], pk == contact.pk) for pk, _, _ in shown}
    for pk, via, _ in shown[1:]:
        links[via].led_to.append(links[pk])
    cut = len(rows) > len(shown) or any(abs(depth) == DEEPEST for _, _, depth in shown)
    return Chain(links[shown[0][0]], cut, len(shown) - 1)


def _people(owner, ids):
    """Return {id: contact} with what shows the way from the first coffee to an opening: since when
    one knows them, their coffees, and their openings."""
    made = Introduction.objects.filter(target=OuterRef("pk"), made_on__isnull=False)
    met = Q(interactions__outcome=Outcome.MET)
    contacts = (
        Contact.objects.for_user(owner)
        .select_related("organisation")
        .annotate(
            made_on=Subquery(made.order_by("made_on").values("made_on")[:1]),
            coffees=Count("interactions", filter=met),
            first_coffee_on=Min("interactions__on", filter=met),
        )
        .prefetch_related("opportunities")
    )
    return contacts.in_bulk(ids)
