"""The page of all openings: what is asked for, and where each stands."""

from functools import cached_property

from django.core.paginator import Page, Paginator
from django.db.models import F
from django.http import QueryDict

from netcrm.models import User
from opportunities.models import WAY, Opportunity, Stage

OPEN_SHOWN = 200
OVER_PAGE = 30
# The nearest to the goal first.
OPEN_STAGES = [stage for stage in reversed(WAY) if stage != Stage.ACCEPTED]


class OpeningsPage:
    """The openings of a user, those with `q` in them if it is asked, in a constant number of
    queries."""

    def __init__(self, user: User, asked: QueryDict):
        self.user, self.today = user, user.today()
        self.q = asked.get("q", "").replace("\0", "").strip()[:200]
        self._page = asked.get("page")
        self.openings = Opportunity.objects.for_user(user).search(self.q).with_people()

    @cached_property
    def open(self) -> list[Opportunity]:
        soonest = F("next_on").asc(nulls_last=True)
        return list(self.openings.open().order_by(soonest, "-heard_on", "-id")[: OPEN_SHOWN + 1])

    @property
    def has_more(self) -> bool:
        return len(self.open) > OPEN_SHOWN

    @property
    def due(self) -> list[Opportunity]:
        """Return those whose next step has come."""
        return [row for row in self.open[:OPEN_SHOWN] if row.next_on and row.next_on <= self.today]

    @property
    def stages(self) -> list[tuple[str, list[Opportunity]]]:
        """Return (stage in words, its other openings), the next steps first."""
        due = set(self.due)
        rest = [row for row in self.open[:OPEN_SHOWN] if row not in due]
        groups = [(s.label, [row for row in rest if row.stage == s]) for s in OPEN_STAGES]
        return [(label, rows) for label, rows in groups if rows]

    @cached_property
    def over(self) -> Page:
        return Paginator(self.openings.over(), OVER_PAGE).get_page(self._page)

    @cached_property
    def is_empty(self) -> bool:
        return not self.open and not self.over.object_list
