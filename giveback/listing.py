"""The page of the room: what the address asks for, and one page of each part of it."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict

from giveback import matching
from giveback.models import (
    Dismissed,
    GiveBack,
    GiveBackQuerySet,
    ShelfItem,
    ShelfItemQuerySet,
)
from netcrm.models import User

# How many rows a part has among others, and how many on pages of its own.
SHOWN, ALONE = 5, 50
MATCHES_SHOWN, MATCHES_ALONE = 3, 60
DISMISSED = 20

CHIPS = {
    "": "Everything",
    "promises": "Promises",
    "ideas": "Ideas",
    "matches": "Who could use what",
    "story": "Given and received",
    "shelf": "The shelf",
    "away": "Off the shelf",
}


@dataclass(frozen=True)
class Asked:
    """What the address asks for. Whatever cannot be read counts as not asked."""

    q: str = ""
    show: str = ""
    page: str = "1"

    @classmethod
    def read(cls, query: QueryDict) -> "Asked":
        show = query.get("show", "")
        return cls(
            q=query.get("q", "").replace("\0", "").strip()[:200],
            show=show if show in CHIPS else "",
            page=query.get("page", "1")[:9],
        )

    def address(self, **changes: Any) -> str:
        """Return the query string of the same page with some things asked differently."""
        wanted = {"q": self.q, "show": self.show} | changes
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"?{query}" if query else ""


class GivingPage:
    """What the room shows to a user on the local date `today`, in a constant number of queries."""

    def __init__(self, user: User, asked: Asked, today: date):
        self.user, self.asked, self.today = user, asked, today

    def _part(self, name: str, rows: QuerySet) -> Page | None:
        """Return the page of a part: the one asked for if it stands alone, its first rows among
        others, None if another one was asked for."""
        if self.asked.show == name:
            return Paginator(rows, ALONE).get_page(self.asked.page)
        return None if self.asked.show else Paginator(rows, SHOWN).get_page(1)

    @property
    def _gifts(self) -> GiveBackQuerySet:
        return GiveBack.objects.for_user(self.user).search(self.asked.q).select_related("contact")

    @property
    def _things(self) -> ShelfItemQuerySet:
        things = ShelfItem.objects.for_user(self.user).search(self.asked.q)
        return things.select_related("contact").prefetch_related("topics")

    @cached_property
    def promises(self) -> Page | None:
        return self._part("promises", self._gifts.promised())

    @cached_property
    def ideas(self) -> Page | None:
        return self._part("ideas", self._gifts.ideas().order_by("-id"))

    @cached_property
    def story(self) -> Page | None:
        return self._part("story", self._gifts.done().order_by("-done_on", "-id"))

    @cached_property
    def shelf(self) -> Page | None:
        return self._part("shelf", self._things.current())

    @cached_property
    def away(self) -> Page | None:
        """What was taken off the shelf: only when asked for."""
        put_away = self._things.exclude(archived_at=None)
        return self._part("away", put_away) if self.asked.show == "away" else None

    @property
    def _matches(self) -> int:
        """How many matches of each kind to show; a search is for what is written."""
        if self.asked.q or self.asked.show not in ("", "matches"):
            return 0
        return MATCHES_ALONE if self.asked.show else MATCHES_SHOWN

    @cached_property
    def for_people(self) -> list[tuple[ShelfItem, list[matching.Match]]]:
        """Things on the shelf, each with the people who could use it."""
        groups: dict[Any, list[matching.Match]] = {}
        if self._matches:
            for match in matching.items(self.user, self.today, self._matches):
                groups.setdefault(match.item, []).append(match)
        return list(groups.items())

    @cached_property
    def pairs(self) -> list[matching.Match]:
        """Two who should meet, unless one of them stands on the shelf for the other already."""
        if not self._matches:
            return []
        shown = {match.key for _, group in self.for_people for match in group}
        found = matching.pairs(self.user, self.today, self._matches)
        return [match for match in found if match.key not in shown]

    @cached_property
    def dismissed(self) -> list[Dismissed]:
        """What is not proposed any more, the latest first."""
        if self.asked.show != "matches":
            return []
        rows = Dismissed.objects.for_user(self.user).select_related("contact", "item", "other")
        return list(rows.order_by("-id")[:DISMISSED])

    @property
    def address(self) -> str:
        """The query string of this very page, without the number of its page."""
        return self.asked.address()

    @property
    def parts(self) -> list[Page]:
        pages = (self.promises, self.ideas, self.story, self.shelf, self.away)
        return [page for page in pages if page is not None]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        found = any(page.object_list for page in self.parts)
        return not (found or self.for_people or self.pairs or self.dismissed)

    @property
    def alone(self) -> Page | None:
        """The part that stands alone, to be turned over."""
        return self.parts[0] if self.asked.show and self.parts else None

    @property
    def chips(self) -> list[tuple[str, str, bool]]:
        """The (address, label, chosen) of every chip."""
        return [
            (self.asked.address(show=show), label, show == self.asked.show)
            for show, label in CHIPS.items()
        ]
