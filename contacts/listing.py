"""The people list: what the address asks for, and one page of it."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import F
from django.http import QueryDict

from contacts.models import ALPHABETICAL, Contact, ContactQuerySet, Tag
from netcrm.models import User

PAGE = 50
COUNT_AT_MOST = 1000
LAST_PAGE = 10_000
TAGS = 30

CHIPS = {
    "": "Everyone",
    "due": "Due now",
    "waiting": "Waiting on them",
    "hello": "Time for a hello",
    "resting": "Resting",
    "new": "Never contacted",
    "archived": "Put away",
}
SORTS = {
    "": ("Name", (ALPHABETICAL, "id")),
    "recent": ("Spoken to last", (F("last_interaction_on").desc(nulls_last=True), "id")),
    "quiet": ("Longest quiet", (F("last_interaction_on").asc(nulls_last=True), "id")),
}


@dataclass(frozen=True)
class Asked:
    """What the address of the list asks for. Whatever cannot be read counts as not asked."""

    q: str = ""
    show: str = ""
    tag: int | None = None
    sort: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: QueryDict) -> "Asked":
        show, sort = query.get("show", ""), query.get("sort", "")
        return cls(
            q=query.get("q", "").replace("\0", "").strip()[:200],
            show=show if show in CHIPS else "",
            tag=_whole_number(query.get("tag"), 2**63 - 1),
            sort=sort if sort in SORTS else "",
            page=_whole_number(query.get("page"), LAST_PAGE) or 1,
        )

    def address(self, **changes) -> str:
        """Return the query string of the same list with some things asked differently."""
        wanted = {"q": self.q, "show": self.show, "tag": self.tag, "sort": self.sort} | changes
        return "?" + urlencode({name: value for name, value in wanted.items() if value})


def _whole_number(text: str | None, most: int) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), most)


def _counted(people: ContactQuerySet) -> str:
    # A full count would read the whole notebook.
    count = people.order_by()[: COUNT_AT_MOST + 1].count()
    if count > COUNT_AT_MOST:
        return f"more than {COUNT_AT_MOST:,} people"
    return _in_words(count)


def _in_words(count: int) -> str:
    return {0: "", 1: "1 person"}.get(count, f"{count:,} people")


class PeoplePage:
    """One page of the people list of a user, in a constant number of queries."""

    def __init__(self, user: User, asked: Asked, today: date):
        self.user, self.asked, self.today = user, asked, today

    @cached_property
    def people(self) -> ContactQuerySet:
        """Everyone whom the list shows, on all its pages."""
        everyone = Contact.objects.for_user(self.user)
        if self.asked.show == "archived":
            everyone = everyone.filter(archived_at__isnull=False)
        else:
            everyone = everyone.current()
        people = {
            "due": everyone.due,
            "waiting": lambda: everyone.waiting_on_them(self.today),
            "hello": lambda: everyone.hello_due(self.user, self.today),
            "resting": everyone.resting,
            "new": everyone.never_contacted,
        }.get(self.asked.show, everyone.all)()
        if self.asked.tag:
            people = people.filter(tags=self.asked.tag)
        return people.search(self.asked.q)

    @cached_property
    def _rows(self) -> list[Contact]:
        start = (self.asked.page - 1) * PAGE
        _, order = SORTS[self.asked.sort]
        people = self.people.order_by(*order).select_related("organisation")
        return list(people.with_rhythm().with_standing()[start : start + PAGE + 1])

    @property
    def rows(self) -> list[Contact]:
        return self._rows[:PAGE]

    @cached_property
    def hellos(self) -> list[Contact]:
        """The people on this page for whom it is time for a hello."""
        due = Contact.objects.hello_due(self.user, self.today)
        return list(due.filter(pk__in=[contact.pk for contact in self.rows]))

    @cached_property
    def late(self) -> list[Contact]:
        """Those of them for whom it has been time for a while."""
        return [contact for contact in self.hellos if contact.is_late]

    @cached_property
    def found(self) -> str:
        """How many people the list has on all its pages, in words: counted while they fit on
        one, since counting the rest would search everything twice."""
        if self.asked.page > 1 or self.next_page:
            return f"more than {PAGE} people"
        return _in_words(len(self.rows))

    @cached_property
    def in_notebook(self) -> str:
        """How many people there are at all, in words; nothing if nobody."""
        return _counted(Contact.objects.for_user(self.user).current())

    @property
    def next_page(self) -> str:
        """The address of the next page, or nothing."""
        more = len(self._rows) > PAGE
        return self.asked.address(page=self.asked.page + 1) if more else ""

    @property
    def previous_page(self) -> str:
        page = self.asked.page - 1
        return self.asked.address(page=page if page > 1 else None) if page else ""

    @property
    def chips(self) -> list[tuple[str, str, bool]]:
        """The (address, label, chosen) of every chip."""
        return [
            (self.asked.address(show=show), label, show == self.asked.show)
            for show, label in CHIPS.items()
        ]

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        return [(value, label, value == self.asked.sort) for value, (label, _) in SORTS.items()]

    @cached_property
    def tags(self) -> list[tuple[Tag, str, bool]]:
        """The first tags; a chosen one can be taken off again."""
        chosen = self.asked.tag
        return [
            (tag, self.asked.address(tag=None if tag.pk == chosen else tag.pk), tag.pk == chosen)
            for tag in Tag.objects.for_user(self.user)[:TAGS]
        ]

    @property
    def narrowed(self) -> bool:
        """Whether the list shows only some of the people."""
        return bool(self.asked.q or self.asked.show or self.asked.tag)
