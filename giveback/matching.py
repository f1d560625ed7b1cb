"""Who could use what: things on the shelf for contacts who look for them, and pairs of contacts of
whom one looks for what the other knows about.

Ranked by how many topics they share, then by how long since the contact was last given anything,
never coming first. In a notebook of any size only so many people are looked at: those who seek,
longest without a gift first, and those who offer, last spoken to first. Within them the database
counts, sorts and cuts; up to POOL people on each side, that is everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Value,
)
from django.db.models.functions import Greatest, Least
from django.utils.text import get_text_list

from contacts.models import Contact, ContactTopic, Topic
from followups.schedule import say_day
from giveback.models import Dismissed, GiveBack, ShelfItem, ShelfKind, ShelfTopic

POOL = 300
TOPICS_SAID = 3
SEEKS, OFFERS = ContactTopic.Side.SEEKS, ContactTopic.Side.OFFERS
ITEM, PAIR = "item", "pair"


@dataclass(frozen=True)
class Match:
    """Something from the shelf (`item`) for a contact, or two contacts for each other: `contact`
    looks for what `other` knows about. `reason` says in one line why."""

    kind: str
    contact: Contact
    reason: str
    rank: tuple
    item: ShelfItem | None = None
    other: Contact | None = None

    @property
    def key(self) -> str:
        """What tells it from every other match: two people are one match, whatever the reason."""
        if friend := self.friend:
            return "pair-{}-{}".format(*sorted([self.contact.pk, friend.pk]))
        return f"item-{self.contact.pk}-{self.item and self.item.pk}"

    @property
    def friend(self) -> Contact | None:
        """The second person, if this is about bringing two together: the other of a pair, or the
        somebody worth knowing from the shelf."""
        if self.item is None:
            return self.other
        return self.item.contact if self.item.kind == ShelfKind.PERSON else None


def best(user, day: date, limit: int) -> list[Match]:
    """Return the best matches of both kinds for the local date `day`; one query when nobody looks
    for what is there."""
    on_shelf, known = _topics_in_demand(user)
    if not (on_shelf or known):
        return []
    seekers = _seekers(user, on_shelf | known)
    found = _items(user, day, seekers, limit) if on_shelf else []
    if known:
        found += _pairs(user, day, seekers, _offerers_to(user, seekers), limit)
    return _each_once(found, limit)


def items(user, day: date, limit: int) -> list[Match]:
    """Return the best matches of things on the shelf with contacts who look for them."""
    on_shelf, _ = _topics_in_demand(user)
    return _items(user, day, _seekers(user, on_shelf), limit) if on_shelf else []


def pairs(user, day: date, limit: int) -> list[Match]:
    """Return the best pairs of contacts who should know each other, each pair once."""
    _, known = _topics_in_demand(user)
    if not known:
        return []
    seekers = _seekers(user, known)
    return _pairs(user, day, seekers, _offerers_to(user, seekers), limit)


def for_contact(contact: Contact, day: date, limit: int) -> list[Match]:
    """Return the best matches of both kinds for one contact, who may seek or offer."""
    user = contact.owner
    alone = _longest_without(user, _people(user).filter(pk=contact.pk))
    mine = ContactTopic.objects.filter(contact=contact).values("topic")
    found = [
        *_items(user, day, alone, limit),
        *_pairs(user, day, alone, _offerers(user, mine.filter(side=SEEKS)), limit),
        *_pairs(user, day, _seekers(user, mine.filter(side=OFFERS)), alone, limit),
    ]
    return _each_once(found, limit)


def dismiss_item(item: ShelfItem, contact: Contact) -> None:
    """Never propose that thing for that contact again; twice is harmless."""
    Dismissed.objects.get_or_create(owner_id=item.owner_id, contact=contact, item=item)


def dismiss_pair(owner, one: Contact, other: Contact) -> None:
    """Never propose those two for each other again; twice is harmless."""
    Dismissed.objects.get_or_create(owner=owner, **_in_order(one, other))


def propose_item(item: ShelfItem, contact: Contact) -> None:
    """Let that thing be proposed for that contact again."""
    Dismissed.objects.filter(contact=contact, item=item).delete()


def propose_pair(owner, one: Contact, other: Contact) -> None:
    """Let those two be proposed for each other again."""
    Dismissed.objects.for_user(owner).filter(**_in_order(one, other)).delete()


def _in_order(one, other):
    lower, higher = sorted([one, other], key=lambda contact: contact.pk)
    return {"contact": lower, "other": higher}


def _people(user):
    """Return the contacts who may be proposed."""
    return Contact.objects.for_user(user).current().filter(do_not_contact=False)


def _topics_in_demand(user) -> tuple[set[int], set[int]]:
    """Return the ids of the topics that somebody seeks and something on the shelf is about, and of
    those that somebody seeks and somebody knows about. One query."""
    this = {"owner": user, "topic": OuterRef("pk")}
    people = ContactTopic.objects.filter(**this)
    on_shelf = Exists(ShelfTopic.objects.filter(item__archived_at=None, **this))
    known = Exists(people.filter(side=OFFERS))
    sought = Topic.objects.for_user(user).filter(Exists(people.filter(side=SEEKS))).order_by()
    rows = list(sought.values_list("pk", on_shelf, known))
    return {pk for pk, shelf, _ in rows if shelf}, {pk for pk, _, who in rows if who}


def _on_side(side, topics):
    return Exists(ContactTopic.objects.filter(contact=OuterRef("pk"), side=side, topic__in=topics))


def _seekers(user, topics) -> dict[int, date | None]:
    """Return {id: date of the last gift} of those who look for one of the topics, those who were
    not given anything for longest first."""
    return _longest_without(user, _people(user).filter(_on_side(SEEKS, topics)))


def _longest_without(user, people) -> dict[int, date | None]:
    """Return {id: date of the last gift} of people, those who were never given anything first. In
    a large notebook they fill the pool, and nobody else's gifts need be sorted."""
    gifts = GiveBack.objects.for_user(user).given().done()
    never = people.filter(~Exists(gifts.filter(contact=OuterRef("pk")))).order_by("pk")
    found = dict.fromkeys(never.values_list("pk", flat=True)[:POOL])
    last = gifts.filter(contact__in=people.values("pk")).order_by().values("contact")
    last = last.annotate(last_on=Max("done_on")).order_by("last_on", "contact")
    return found | dict(last.values_list("contact", "last_on")[: POOL - len(found)])


def _offerers(user, topics) -> list[int]:
    """Return the ids of those who know about one of the topics, last spoken to first."""
    people = _people(user).filter(_on_side(OFFERS, topics))
    people = people.order_by(F("last_interaction_on").desc(nulls_last=True), "pk")
    return list(people.values_list("pk", flat=True)[:POOL])


def _offerers_to(user, seekers):
    sought = ContactTopic.objects.for_user(user).filter(side=SEEKS, contact__in=seekers.keys())
    return _offerers(user, sought.values("topic"))


def _items(user, day, seekers, limit):
    this = {"contact": OuterRef("contact"), "item": OuterRef("item")}
    given, dismissed = GiveBack.objects.filter(**this), Dismissed.objects.filter(**this)
    current = ShelfItem.objects.for_user(user).current()
    found = (
        _sought(user, seekers)
        .annotate(item=F("topic__shelftopic__item"), about=F("topic__shelftopic__item__contact"))
        .filter(~Exists(given), ~Exists(dismissed), item__in=current.values("pk"))
        .filter(~Exists(_dismissed_pair("contact", "about")))
        .filter(Q(about=None) | ~Q(about=F("contact")))
    )
    rows = list(_ranked(found, seekers, "item")[:limit])
    things = current.select_related("contact").in_bulk({row["item"] for row in rows})
    people = Contact.objects.in_bulk({row["contact"] for row in rows})
    return [
        Match(
            kind=ITEM,
            contact=people[row["contact"]],
            item=things[row["item"]],
            reason=_reason(people[row["contact"]], None, row, seekers, day),
            rank=_rank(row, seekers),
        )
        for row in rows
    ]


def _pairs(user, day, seekers, offerers: Iterable[int], limit):
    theirs = "topic__contact_topics__"
    found = (
        _sought(user, seekers)
        .annotate(
            other=F(f"{theirs}contact"),
            side_of_other=F(f"{theirs}side"),
            led_to_other=F(f"{theirs}contact__introduced_by"),
        )
        .filter(side_of_other=OFFERS, other__in=list(offerers))
        .filter(~Exists(_dismissed_pair("contact", "other")))
        .exclude(other=F("contact"))
        # Whom one led to the other know each other.
        .filter(Q(led_to_other=None) | ~Q(led_to_other=F("contact")))
        .filter(Q(contact__introduced_by=None) | ~Q(contact__introduced_by=F("other")))
    )
    # Two who look for what the other knows about come twice.
    rows = list(_ranked(found, seekers, "other")[: 2 * limit])
    people = Contact.objects.in_bulk({row[who] for row in rows for who in ("contact", "other")})
    matches = [
        Match(
            kind=PAIR,
            contact=people[row["contact"]],
            other=people[row["other"]],
            reason=_reason(people[row["contact"]], people[row["other"]], row, seekers, day),
            rank=_rank(row, seekers),
        )
        for row in rows
    ]
    return _each_once(matches, limit)


def _dismissed_pair(one, other):
    return Dismissed.objects.filter(
        contact=Least(OuterRef(one), OuterRef(other)),
        other=Greatest(OuterRef(one), OuterRef(other)),
    )


def _sought(user, seekers):
    return ContactTopic.objects.for_user(user).filter(side=SEEKS, contact__in=list(seekers))


def _ranked(found, seekers, what):
    """Return the rows (contact, `what`, shared, names), best first: the seekers stand in the order
    of their last gifts already."""
    place = Func(
        Value(list(seekers), ArrayField(BigIntegerField())),
        F("contact"),
        function="array_position",
        output_field=IntegerField(),
    )
    return (
        found.values("contact", what)
        .annotate(shared=Count("topic"), names=ArrayAgg("topic__name", order_by="topic__name"))
        .order_by("-shared", place, what)
    )


def _rank(row, seekers):
    last_on = seekers[row["contact"]]
    return (-row["shared"], last_on or date.min, row["contact"])


def _reason(contact, other, row, seekers, day):
    name, last_on = contact.given_name, seekers[row["contact"]]
    topics = get_text_list(row["names"][:TOPICS_SAID], "and")
    wish = f"{name} looks for {topics}"
    if other:
        wish += f", and {other.given_name} knows about it"
    if last_on is None:
        return f"{wish}; you have not given {name} anything yet."
    return f"{wish}; you last gave {name} something on {say_day(last_on, day)}."


def _each_once(matches, limit):
    """Return the best of them, each key once."""
    once = {}
    for match in sorted(matches, key=lambda match: match.rank):
        once.setdefault(match.key, match)
    return list(once.values())[:limit]
