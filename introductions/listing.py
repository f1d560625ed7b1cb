"""The list of introductions: what its address asks for, and what stands on each page."""

from functools import cached_property
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import QueryDict

from introductions import steps
from introductions.models import Introduction, IntroductionQuerySet, Offer, OfferQuerySet
from netcrm.models import User

PAGE = 30
OVER = 20


class IntroductionsPage:
    """One page of the introductions of a user. Whatever the address asks for that cannot be read
    counts as not asked."""

    def __init__(self, user: User, query: QueryDict) -> None:
        self.user = user
        self.today = user.today()
        self.q = query.get("q", "").replace("\0", "").strip()[:200]
        self.asked_page = query.get("page", "")

    @property
    def introductions(self) -> IntroductionQuerySet:
        return Introduction.objects.for_user(self.user).search(self.q)

    @property
    def offers(self) -> OfferQuerySet:
        return Offer.objects.for_user(self.user).with_people().search(self.q)

    @cached_property
    def waiting(self) -> list[steps.Waiting]:
        """What waits for a step, unless one searches: then it stands among what was found."""
        return [] if self.q else steps.waiting(self.user)

    @cached_property
    def under_way(self) -> list[Introduction]:
        """The open introductions of this page, newest first."""
        self.pages = Paginator(self.introductions.open(), PAGE).get_page(self.asked_page)
        start = (self.pages.number - 1) * PAGE
        return self.introductions.open()[start : start + PAGE].standing()

    @cached_property
    def offered(self) -> list[Offer]:
        return list(self.offers.open().with_standing()[:PAGE])

    @cached_property
    def over(self) -> list[Introduction]:
        """Those that were thanked for, declined or let go, the newest few."""
        return list(self.introductions.over().with_people()[:OVER])

    @cached_property
    def offers_over(self) -> list[Offer]:
        return list(self.offers.over()[:OVER])

    @property
    def empty(self) -> bool:
        return not (self.under_way or self.offered or self.over or self.offers_over)

    def address(self, page: int) -> str:
        """Return the query string of another page of the same list."""
        wanted = {"q": self.q, "page": page}
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    @property
    def next_page(self) -> str:
        pages = self.pages
        return self.address(pages.next_page_number()) if pages.has_next() else ""

    @property
    def previous_page(self) -> str:
        pages = self.pages
        return self.address(pages.previous_page_number()) if pages.has_previous() else ""
