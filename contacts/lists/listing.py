"""The people list: what the address asks for, and one page of it."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Value
from django.db.models.functions import Lower
from django.http import QueryDict

from contacts.lists import phrases
from contacts.lists.ordering import HEADS, SORTS, Edge, Sort, page_of
from contacts.lists.periods import Period
from contacts.models import (
    LATE,
    Contact,
    ContactQuerySet,
    ListColumns,
    Organisation,
    SavedView,
    Tag,
)
from netcrm.models import User

PAGE = 50
COUNT_AT_MOST = 1000
TAGS = 30
MOST_TAGGED = 8

CHIPS = {
    "": "Everyone",
    "due": "Due now",
    "waiting": "Waiting on them",
    "hello": "Time for a hello",
    "new": "Never contacted",
    "resting": "Resting",
}
# Wanted less often: behind "Filter".
MORE_CHIPS = {"late": "A hello, a while past", "archived": "Put away"}
SHOWN = CHIPS | MORE_CHIPS

# The filters that name a span of days: (what they say of a person, what is offered to choose).
LONG_AGO = ("over-3-month", "over-6-month", "over-1-year")
LATELY = ("within-1-week", "within-1-month", "within-3-month")
PERIODS = {
    "spoken": ("Last spoken", (*LATELY, *LONG_AGO)),
    "met": ("Met", LATELY),
    "added": ("Added", LATELY),
    "known": ("Known", ()),
}

COLUMNS = {
    "stands": "Where it stands",
    "next": "Next step",
    "last": "Last spoken",
    "organisation": "Organisation",
    "role": "Role",
    "tags": "Tags",
    "rhythm": "Rhythm",
    "email": "E-mail",
    "number": "Number",
    "introduced": "Introduced by",
    "known": "Known since",
    "added": "Added",
}
USUAL = ("stands", "next", "last")
# What the rows of a column take beside the contact itself.
FETCHED = {"tags": "tags", "email": "emails", "number": "phones"}
# The texts of a person are long, and the list shows none of them.
LONG_TEXTS = ("search_text", "details", "seeks", "offers", "notes")


@dataclass(frozen=True)
class Asked:
    """What the address of the list asks for. Whatever cannot be read counts as not asked."""

    q: str = ""
    show: str = ""
    tagged: tuple[str, ...] = ()
    at: str = ""
    spoken: str = ""
    met: str = ""
    added: str = ""
    known: str = ""
    sort: str = ""
    # None: those that the person chose for every list.
    columns: tuple[str, ...] | None = None
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Asked":
        periods = {name: query.get(name, "") for name in PERIODS}
        tagged = filter(None, map(_words, query.getlist("tagged")))
        return cls(
            q=_words(query.get("q", "")),
            show=_one_of(SHOWN, query.get("show", "")),
            tagged=tuple(dict.fromkeys(tagged))[:MOST_TAGGED],
            at=_words(query.get("at", "")),
            **{name: code for name, code in periods.items() if Period.read(code)},
            sort=_one_of(SORTS, query.get("sort", "")),
            columns=_columns(query.getlist("columns")),
            after=query.get("after", ""),
            before=query.get("before", ""),
        )

    def understood(self, user: User) -> "Asked":
        """Return the same with the phrases among the typed words taken as the filters that they
        are. A word that says a filter, and may stand in a name too, is one if it finds nobody."""
        if not self.q:
            return self
        said = phrases.read(self.q, lambda kind, names: _known(user, kind, names))
        filters = said.filters
        if tagged := filters.get("tagged"):
            filters["tagged"] = tuple(dict.fromkeys((*self.tagged, *tagged)))[:MOST_TAGGED]
        asked = replace(self, **{"q": said.words} | filters)
        meant = asked.may_mean
        if meant and not Contact.objects.for_user(user).current().search(asked.q).exists():
            return replace(asked, q="", show=meant)
        return asked

    @property
    def may_mean(self) -> str:
        """What the words would show if they were no words to search; nothing if that is clear."""
        return "" if self.show else phrases.MAY_MEAN.get(self.q.casefold(), "")

    @property
    def narrowed(self) -> bool:
        """Whether it asks for only some of the people."""
        return replace(self, sort="", columns=None, after="", before="") != Asked()

    @property
    def sorted(self) -> Sort:
        return SORTS[self.sort]

    @property
    def edge(self) -> Edge | None:
        """The row behind which the page begins, or before which it ends."""
        return Edge.read(self.after or self.before, self.sorted)

    def pairs(self, *but: str, **changes: Any) -> list[tuple[str, str]]:
        """Return the (name, value) of everything that is asked, apart from some and from the page,
        with some things asked differently."""
        wanted = vars(self) | dict.fromkeys((*but, "after", "before"), "") | changes
        if wanted["columns"]:
            wanted["columns"] = ",".join(wanted["columns"])
        pairs = []
        for name, value in wanted.items():
            values = value if isinstance(value, tuple) else (value,)
            pairs += [(name, str(each)) for each in values if each]
        return pairs

    def address(self, **changes: Any) -> str:
        """Return the query string of the first page of the same list, with some things asked
        differently."""
        return "?" + urlencode(self.pairs(**changes))


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:200]


def _one_of(known: Any, value: str) -> str:
    return value if value in known else ""


def _columns(asked: list[str]) -> tuple[str, ...] | None:
    """Return the columns that are asked for, in their own order; None if nothing is said."""
    names = ",".join(asked).split(",")
    return tuple(name for name in COLUMNS if name in names) or None


def _known(user: User, kind: str, names: list[str]) -> str | None:
    """Return the first of the names that an organisation or a tag of the user has, as it is
    written there."""
    if not names:
        return None
    rows = (Organisation if kind == "at" else Tag).objects.for_user(user)
    lowered = [Lower(Value(name)) for name in names]
    found = rows.annotate(lowered=Lower("name")).filter(lowered__in=lowered)
    # The longest: a name is looked for in the words that follow.
    return max((row.name for row in found), key=len, default=None)


@dataclass(frozen=True)
class Chosen:
    """A filter that is on: what it says, the icon beside it, and the list without it."""

    label: str
    icon: str
    without: str


@dataclass(frozen=True)
class Head:
    """The head of a column: its name, the list by its order if it has one, and how the list is
    sorted by it now, as aria-sort says it."""

    name: str
    label: str
    address: str = ""
    sorted: str = ""


class PeoplePage:
    """One page of the people list of a user, in a constant number of queries."""

    def __init__(self, user: User, asked: Asked, today: date):
        self.user, self.asked, self.today = user, asked.understood(user), today

    @cached_property
    def people(self) -> ContactQuerySet:
        """Everyone whom the list shows, on all its pages."""
        asked, today = self.asked, self.today
        everyone = Contact.objects.for_user(self.user)
        if asked.show == "archived":
            people = everyone.filter(archived_at__isnull=False)
        else:
            people = self._showing(everyone.current())
        for name in asked.tagged:
            people = people.tagged(self.user, name)
        if asked.at:
            people = people.at(self.user, asked.at)
        for name in PERIODS:
            if period := Period.read(getattr(asked, name)):
                people = people.in_period(name, *period.days(today), self.user.time_zone)
        return people.search(asked.q)

    def _showing(self, people: ContactQuerySet) -> ContactQuerySet:
        return {
            "due": people.due,
            "waiting": lambda: people.waiting_on_them(self.today),
            "hello": lambda: people.hello_due(self.user, self.today),
            "late": lambda: people.hello_due(self.user, self.today).filter(passed__gte=LATE),
            "new": people.never_contacted,
            "resting": people.resting,
        }.get(self.asked.show, people.all)()

    @property
    def in_order(self) -> ContactQuerySet:
        """Everyone whom the list shows, as they follow each other."""
        return self.people.order_by(*self.asked.sorted.order)

    @cached_property
    def _page(self) -> tuple[list[Contact], bool, bool]:
        """The rows, whether there are some before them, and whether there are some after them."""
        asked, edge = self.asked, self.asked.edge
        ahead = not asked.before or edge is None
        rows, more = page_of(self._fetched, asked.sorted, PAGE, edge, ahead)
        if ahead:
            return rows, edge is not None, more
        if len(rows) < PAGE:
            # The beginning of the list is a full page, whatever row one came from.
            rows, more = page_of(self._fetched, asked.sorted, PAGE)
            return rows, False, more
        return rows, more, True

    @property
    def _fetched(self) -> ContactQuerySet:
        """The people with what their columns show."""
        people = self.people.select_related("organisation", "introduced_by").with_rhythm()
        people = people.defer(*LONG_TEXTS, *(f"introduced_by__{name}" for name in LONG_TEXTS))
        if self._shows_standing:
            people = people.with_standing()
        return people.prefetch_related(*(FETCHED[name] for name in self.columns if name in FETCHED))

    @property
    def _shows_standing(self) -> bool:
        return not {"stands", "next"}.isdisjoint(self.columns)

    @property
    def rows(self) -> list[Contact]:
        return self._page[0]

    @cached_property
    def hellos(self) -> list[Contact]:
        """The people on this page for whom it is time for a hello."""
        if not self._shows_standing:
            return []
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
        if self.previous_page or self.next_page:
            return f"more than {PAGE} people"
        return _in_words(len(self.rows))

    @cached_property
    def everyone(self) -> str:
        """How many people the list has on all its pages, in words, and exactly: it reads them all,
        so it is for those who ask."""
        return _in_words(self.people.order_by().count())

    @cached_property
    def in_notebook(self) -> str:
        """How many people there are at all, in words; nothing if nobody."""
        return _counted(Contact.objects.for_user(self.user).current())

    @property
    def nearly(self) -> list[Contact]:
        """Who is called nearly what was searched, if nobody is exactly."""
        return Contact.objects.for_user(self.user).current().like(self.asked.q)

    @property
    def next_page(self) -> str:
        """The address of the next page, or nothing."""
        rows, _, more = self._page
        return self.asked.address(after=Edge.write(rows[-1])) if rows and more else ""

    @property
    def previous_page(self) -> str:
        rows, more, _ = self._page
        if not more:
            return ""
        return self.asked.address(before=Edge.write(rows[0])) if rows else self.asked.address()

    # What the list is narrowed to

    @property
    def chips(self) -> list[tuple[str, str, bool]]:
        """The (address, label, chosen) of what is wanted most."""
        asked = self.asked
        return [
            (asked.address(show=show), label, show == asked.show) for show, label in CHIPS.items()
        ]

    @property
    def shows(self) -> list[tuple[str, str, bool]]:
        """The (value, label, chosen) of all of them."""
        return [(show, label, show == self.asked.show) for show, label in SHOWN.items()]

    @property
    def kept_by_search(self) -> list[tuple[str, str]]:
        """The (name, value) of what the form of the search does not ask for itself."""
        return self.asked.pairs("q")

    @property
    def kept_by_filter(self) -> list[tuple[str, str]]:
        offered = [name for name, (_, codes) in PERIODS.items() if codes]
        return self.asked.pairs("show", "tagged", "at", "sort", *offered)

    @property
    def cleared(self) -> str:
        """The address of everyone, in the same order and columns."""
        return Asked(sort=self.asked.sort, columns=self.asked.columns).address()

    @property
    def chosen(self) -> list[Chosen]:
        """Every filter that is on, to be taken off one by one."""
        asked, chosen = self.asked, []
        if asked.show in MORE_CHIPS:
            chosen.append(Chosen(MORE_CHIPS[asked.show], "filter", asked.address(show="")))
        for name in asked.tagged:
            others = tuple(other for other in asked.tagged if other != name)
            chosen.append(Chosen(name, "tag", asked.address(tagged=others)))
        if asked.at:
            chosen.append(Chosen(asked.at, "building", asked.address(at="")))
        for name, (says, _) in PERIODS.items():
            if period := Period.read(getattr(asked, name)):
                chosen.append(Chosen(f"{says} {period}", "clock", asked.address(**{name: ""})))
        return chosen

    @property
    def may_mean(self) -> tuple[str, str] | None:
        """The (address, label) of what a searched word might mean instead."""
        show = self.asked.may_mean
        label = SHOWN.get(show, "")
        return (self.asked.address(q="", show=show), label) if show else None

    @cached_property
    def tags(self) -> list[tuple[str, bool]]:
        """The (name, chosen) of the tags to choose from, the chosen ones among them."""
        names = [tag.name for tag in Tag.objects.for_user(self.user)[:TAGS]]
        names += [name for name in self.asked.tagged if name not in names]
        return [(name, name in self.asked.tagged) for name in names]

    @property
    def periods(self) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
        """The (name, label, choices) of the spans of days to choose from."""
        return [
            (name, says, self._choices(getattr(self.asked, name), codes))
            for name, (says, codes) in PERIODS.items()
            if codes
        ]

    def _choices(self, asked: str, codes: tuple[str, ...]) -> list[tuple[str, str, bool]]:
        known = [*codes, asked] if asked and asked not in codes else codes
        return [("", "At any time", not asked)] + [
            (code, str(Period.read(code)).capitalize(), code == asked) for code in known
        ]

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        return [(value, sort.label, value == self.asked.sort) for value, sort in SORTS.items()]

    @property
    def narrowed(self) -> bool:
        """Whether the list shows only some of the people."""
        return self.asked.narrowed

    @property
    def otherwise_narrowed(self) -> bool:
        """Whether it would, without the words that are searched."""
        return replace(self.asked, q="").narrowed

    @property
    def is_usual(self) -> bool:
        """Whether it opens like that by itself."""
        return not self.asked.narrowed and not self.asked.sort and not self.asked.columns

    # Columns

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns beside the person: those of the address, else those that the user chose."""
        if self.asked.columns:
            return self.asked.columns
        chosen = ListColumns.objects.for_user(self.user).first()
        return tuple(name for name in COLUMNS if name in chosen.columns) if chosen else USUAL

    @property
    def all_columns(self) -> list[tuple[str, str, bool]]:
        return [(name, label, name in self.columns) for name, label in COLUMNS.items()]

    @cached_property
    def heads(self) -> list[Head]:
        shown = {"person": "Person"} | {name: COLUMNS[name] for name in self.columns}
        return [self._head(name, label) for name, label in shown.items()]

    def _head(self, name: str, label: str) -> Head:
        first, other = HEADS.get(name, (None, None))
        if first is None or other is None:
            return Head(name, label)
        now = self.asked.sort
        address = self.asked.address(sort=other if now == first else first)
        if now not in (first, other):
            return Head(name, label, address)
        return Head(name, label, address, "descending" if SORTS[now].down else "ascending")

    # Lists that are kept under a name

    @property
    def query(self) -> str:
        """What brings this very list back: its filters, its order and its columns."""
        return self.asked.address(columns=self.columns)

    @property
    def is_saved(self) -> bool:
        return any(shown for _, shown in self.saved)

    @cached_property
    def saved(self) -> list[tuple[SavedView, bool]]:
        """The (list, shown now) of those that the user keeps."""
        return [(view, view.query == self.query) for view in SavedView.objects.for_user(self.user)]


def _counted(people: ContactQuerySet) -> str:
    # A full count would read the whole notebook.
    count = people.order_by()[: COUNT_AT_MOST + 1].count()
    if count > COUNT_AT_MOST:
        return f"more than {COUNT_AT_MOST:,} people"
    return _in_words(count)


def _in_words(count: int) -> str:
    return {0: "", 1: "1 person"}.get(count, f"{count:,} people")
