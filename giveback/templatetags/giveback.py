"""Give and take with one contact, as words and as the small picture; words of the room."""

from dataclasses import dataclass
from datetime import date

from django import template

from contacts.models import Contact
from giveback.models import Direction, GiveBack, Kind, State

register = template.Library()

ICONS = {
    Kind.ARTICLE: "book-2",
    Kind.EXPERIENCE: "messages",
    Kind.CONNECTION: "affiliate",
    Kind.ADVICE: "bulb",
    Kind.RECOMMENDATION: "star",
    Kind.THANKS: "heart",
    Kind.TIME: "clock",
    Kind.OTHER: "gift",
}
LATEST = 3
# The picture: rows of beans on a beam, from the bottom up, and how far it leans at most.
BEAN_ROWS = (4, 3, 1)
MOST_BEANS = sum(BEAN_ROWS)
BEAN, STEP, UP = 26, 24, 20
BEAM_TOP, LEFT, RIGHT = 46, 67, 197
LEAN, LEAN_MOST = 4, 8


@dataclass(frozen=True)
class Side:
    """What went one way: how often, the latest, and its beans as (x, y) of the picture."""

    count: int
    latest: list[GiveBack]
    middle: int

    @property
    def times(self) -> str:
        return {0: "nothing yet", 1: "once", 2: "twice"}.get(self.count, f"{self.count} times")

    @property
    def beans(self) -> list[tuple[int, int]]:
        left, places = min(self.count, MOST_BEANS), []
        for row, room in enumerate(BEAN_ROWS):
            here = min(left, room)
            start = self.middle - (here - 1) * STEP // 2 - BEAN // 2
            y = BEAM_TOP - STEP - row * UP
            places += [(start + n * STEP, y) for n in range(here)]
            left -= here
        return places


@dataclass(frozen=True)
class Balance:
    """What was given to a contact and what was received, side by side; never a debt."""

    given: Side
    received: Side
    still_open: list[GiveBack]

    @property
    def lean(self) -> int:
        """Return by how many degrees the beam leans to the side of what was received."""
        more = self.received.count - self.given.count
        return max(-LEAN_MOST, min(LEAN * more, LEAN_MOST))

    @property
    def top(self) -> int:
        """Return where the picture begins: higher up when beans stand in three rows."""
        most = max(self.given.count, self.received.count)
        return -UP if most > sum(BEAN_ROWS[:2]) else 0

    @property
    def voice(self) -> str:
        more = self.received.count - self.given.count
        if not self.given.count and not self.received.count:
            return "Nothing yet, on either side. A word of thanks is a good beginning."
        if more == 0:
            return "Level, as among friends."
        if more == 1:
            return "Nearly level. One small thing would do it."
        if more > 1:
            return "A generous person. Something small of yours will find its moment."
        return "You gave freely. It often comes back another way."


@register.simple_tag
def balance(contact: Contact) -> Balance:
    """Return what was given to a contact and what was received, in one query: what goes between
    two people is never much."""
    gifts = contact.give_backs.exclude(state=State.LET_GO).order_by("-done_on", "-id")
    sides: dict[str, list[GiveBack]] = {Direction.GIVEN: [], Direction.RECEIVED: []}
    still_open: list[GiveBack] = []
    for gift in gifts:
        (sides[gift.direction] if gift.state == State.DONE else still_open).append(gift)
    still_open.sort(key=lambda gift: gift.due_on or date.max)
    given, received = (
        Side(len(done), done[:LATEST], middle)
        for done, middle in zip(sides.values(), (LEFT, RIGHT), strict=True)
    )
    return Balance(given, received, still_open[:LATEST])


@register.filter
def gift_icon(kind: str) -> str:
    return ICONS[Kind(kind)]


@register.filter
def days_past(gift: GiveBack, today: date) -> int:
    """Return how many days a promise is past on the local date `today`."""
    return gift.days_past(today)
