"""The agenda: everything that asks for attention on one day. The Today page and the digest are
two renderings of it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FETCH_PEERS, Count, Exists, OuterRef, Q, Subquery, Window
from django.utils import timezone

from contacts.models import NOT_THIS_WEEK, Contact
from followups.models import (
    ANSWERS,
    STROKES,
    UNANSWERED,
    Action,
    Break,
    Channel,
    FollowUp,
    Interaction,
    Outcome,
    Reminder,
)
from followups.spreading import Stroke, strokes
from giveback import matching
from giveback.models import GiveBack
from introductions import steps
from introductions.models import Introduction, Offer
from meetings.models import Meeting
from netcrm.localtime import instant, local_day
from netcrm.models import Heartbeat, Mail, User
from netcrm.outbox import REFUSED_THRICE, newest_states
from opportunities.models import Opportunity

RHYTHMS_A_DAY = 2
# Encouraging lines need a floor (design notes, section 6): below it the next step stands alone.
EVIDENCE_FLOOR = 3
# A short, finite list: what is past these comes up as they are answered.
TODAY_PAGE = 7
# Coffees are shown from today on for so many days.
MEETINGS_AHEAD = 7
# Of anything else that asks, no page or mail ever shows more than this.
MOST = 50
MINUTES_EACH = 5
# Of what was done singly, Just now shows so many.
SINGLE = 20
# Reminders are looked for every half minute; an hour of silence is worth a plain word.
STALLED_AFTER = timedelta(hours=1)
LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Evidence:
    """From the user's own numbers: how many conversations there were, and how many of them came
    after the second try."""

    conversations: int
    persistent: int

    @property
    def mugs(self) -> list[bool]:
        """One cup for each, the persistent ones last."""
        return [False] * (self.conversations - self.persistent) + [True] * self.persistent


@dataclass(frozen=True)
class Agenda:
    """What one user has to do on the local date `day`. On a break nobody waits for a hello.

    `meetings` are those of the day, `meetings_soon` those of the week after; of `debriefs` nothing
    is written down yet. `promises`, `openings` and `introductions` wait for the user.
    """

    day: date
    on_break: Break | None
    meetings: list[Meeting]
    meetings_soon: list[Meeting]
    debriefs: list[Meeting]
    carried_over: list[Reminder]
    due_today: list[Reminder]
    promises: list[GiveBack]
    openings: list[Opportunity]
    introductions: list[steps.Waiting]
    coming: list[FollowUp]
    rhythms: list[Contact]
    evidence: Evidence | None
    due_count: int
    # Looked for by with_idea(): it takes as long as half of the rest, and a mail may not want it.
    idea: matching.Match | None = None

    @property
    def reminders(self) -> list[Reminder]:
        """Follow-ups that are due, overdue first."""
        return self.carried_over + self.due_today

    @property
    def minutes(self) -> int:
        """Return about how long today's follow-ups take, in minutes."""
        return MINUTES_EACH * len(self.due_today)

    @property
    def hidden(self) -> int:
        """Return how many more are due than are shown."""
        return self.due_count - len(self.reminders)

    @property
    def total(self) -> int:
        """Return how many things it asks for."""
        return self.due_count + sum(len(getattr(self, name)) for name in BESIDE)

    @property
    def empty(self) -> bool:
        return not self.total

    def cut(self, at_most: int) -> "Agenda":
        """Return the agenda with `at_most` so many things, the most pressing ones: what has an hour
        comes first, hellos come last."""
        shown: dict[str, Any] = {}
        for name in IN_ORDER:
            shown[name] = getattr(self, name)[:at_most]
            at_most -= len(shown[name])
        return replace(self, **shown)


# What asks for something beside the follow-ups; and everything, the most pressing first.
BESIDE = ("meetings", "debriefs", "promises", "openings", "introductions", "rhythms")
IN_ORDER = (*BESIDE[:2], "carried_over", "due_today", *BESIDE[2:])


def build_agenda(
    user: User, day: date, at_most: int = TODAY_PAGE, now: datetime | None = None
) -> Agenda:
    """Return the agenda of a user for a local date at the instant `now`, with `at_most` so many
    follow-ups, in a number of queries that no number of rows changes."""
    now = now or timezone.now()
    rooms = _rooms_that_ask(user, day, now)
    on_break = next(iter(rooms["breaks"]), None)
    reminders = Reminder.objects.for_user(user).open().filter(due_on__lte=day)
    counted = reminders.to_show().annotate(total=Window(Count("pk")))
    shown = list(counted.order_by("due_on", "id")[:at_most])
    meetings = [meeting for meeting in rooms["meetings"] if meeting.over_at > now]
    coming = FollowUp.objects.for_user(user).coming(day).select_related("contact")
    return Agenda(
        day=day,
        on_break=on_break,
        meetings=[each for each in meetings if _day_of(user, each) == day],
        meetings_soon=[each for each in meetings if _day_of(user, each) > day],
        debriefs=rooms["debriefs"],
        carried_over=[reminder for reminder in shown if reminder.due_on < day],
        due_today=[reminder for reminder in shown if reminder.due_on == day],
        promises=rooms["promises"],
        openings=rooms["openings"],
        introductions=rooms["introductions"],
        # Only the digest says where they work: it asks for all at once.
        coming=list(coming.fetch_mode(FETCH_PEERS)[:7]),
        rhythms=[] if on_break else _rhythms(user, day),
        evidence=_evidence(user),
        due_count=shown[0].total if shown else 0,
    )


def with_idea(agenda: Agenda, user: User) -> Agenda:
    """Return the agenda with one thing to give, if there is one; on a break with none."""
    if agenda.on_break:
        return agenda
    return replace(agenda, idea=next(iter(matching.best(user, agenda.day, 1)), None))


def _rooms_that_ask(user, day, now):
    """Return what may ask beside the follow-ups, {name: [row]}. One query tells which of it does:
    on most days most does not, and to look for nothing in each room takes as long."""
    start = instant(day, 0, user.time_zone)
    end = instant(day + timedelta(days=MEETINGS_AHEAD + 1), 0, user.time_zone)
    meetings = Meeting.objects.for_user(user).with_people()
    due = GiveBack.objects.for_user(user).due(day)
    rooms = {
        "breaks": Break.objects.for_user(user).filter(first_on__lte=day, last_on__gte=day),
        "meetings": meetings.on_day(start, end),
        "debriefs": meetings.to_debrief(now),
        # Only the digest says where they work: it asks for all at once.
        "promises": due.select_related("contact").fetch_mode(FETCH_PEERS),
        "openings": Opportunity.objects.for_user(user).due(day).select_related("organisation"),
    }
    open_ones = [model.objects.for_user(user).open() for model in (Introduction, Offer)]
    asks = {name: Exists(rows) for name, rows in rooms.items()}
    asks["introductions"] = Exists(open_ones[0]) | Exists(open_ones[1])
    found = User.objects.values(**asks).get(pk=user.pk)
    rooms["introductions"] = steps.waiting(user) if found["introductions"] else []
    return {name: list(rows[:MOST]) if found[name] else [] for name, rows in rooms.items()}


def _day_of(user, meeting):
    return local_day(meeting.starts_at, user.time_zone)


def _rhythms(user, day):
    """Return at most two a day: what was said or put off today makes no room for others."""
    due = Contact.objects.hello_due(user, day).select_related("organisation")[:RHYTHMS_A_DAY]
    return list(due)[: RHYTHMS_A_DAY - _hellos_answered(user, day)] if due else []


def _hellos_answered(user, day):
    said = Interaction.objects.for_user(user).filter(
        on=day, channel=Channel.MESSAGE, outcome=Outcome.NOTED
    )
    answered = Q(pk__in=said.values("contact")) | Q(hello_not_before=day + NOT_THIS_WEEK)
    count = Contact.objects.for_user(user).filter(answered).count()
    return min(count, RHYTHMS_A_DAY)


def _evidence(user):
    pursued = FollowUp.objects.for_user(user).filter(ends_on_answer=True)
    answered = pursued.filter(ending__in=["replied", "meeting_set"])
    counted = answered.filter(attempts__gt=0).aggregate(
        conversations=Count("pk"), persistent=Count("pk", filter=Q(attempts__gt=2))
    )
    evidence = Evidence(**counted)
    if evidence.conversations < EVIDENCE_FLOOR or not evidence.persistent:
        return None
    return evidence


@dataclass(frozen=True)
class Week:
    """What one person did in the week of a day: tries, conversations, things given, and the days
    with any of them."""

    tries: int
    conversations: int
    given: int
    days: list[tuple[date, bool]]


def this_week(user: User, day: date) -> Week:
    """Return the week (from Monday) of the local date."""
    monday = day - timedelta(days=day.weekday())
    rows = Interaction.objects.for_user(user).filter(on__range=(monday, monday + timedelta(days=6)))
    outcomes = list(rows.values_list("on", "outcome"))
    met = {on for on, _ in outcomes}
    days = [monday + timedelta(days=n) for n in range(7)]
    return Week(
        tries=sum(outcome in UNANSWERED for _, outcome in outcomes),
        conversations=sum(outcome in ANSWERS for _, outcome in outcomes),
        given=sum(outcome == Outcome.GAVE for _, outcome in outcomes),
        days=[(each, each in met) for each in days],
    )


@dataclass(frozen=True)
class Done:
    """What was done within the hour and can be undone: at one stroke to many people, and singly,
    the newest first."""

    strokes: list[Stroke]
    actions: list[Action]


def just_now(user: User) -> Done:
    """Return what a user did just now: singly the newest of each contact whose follow-up is not
    asking again. One query when there is nothing."""
    recent = Action.objects.for_user(user).undoable().filter(follow_up__isnull=False)
    stroked: set[int] = set()
    single = []
    for pk, contact, verb, batch in recent.values_list("pk", "contact", "verb", "batch"):
        # A stroke is one line, and covers what was done to each of its people before it.
        if batch and verb in STROKES:
            stroked.add(contact)
        elif contact not in stroked:
            single.append(pk)
    return Done(
        strokes=strokes(user) if stroked else [],
        actions=_newest_of_each(user, single) if single else [],
    )


def _newest_of_each(user, actions):
    asking = Reminder.objects.for_user(user).open().values("follow_up")
    newest = Action.objects.filter(pk__in=actions).exclude(follow_up__in=asking)
    newest = newest.order_by("contact_id", "-id").distinct("contact_id").values("pk")
    shown = Action.objects.filter(pk__in=newest).order_by("-pk")
    return list(shown.select_related("follow_up__contact")[:SINGLE])


@dataclass(frozen=True)
class Beats:
    """When reminders last ran, and when this user's digest went out and will next (rule 11).

    `stalled` when reminders have not run for an hour, or never in a notebook older than that;
    `late` when the next digest should have gone out by now; `on_hold` as in netcrm.outbox.
    """

    reminders_ran: datetime | None
    stalled: bool
    digest_sent: datetime | None
    digest_next: datetime | None
    late: bool
    on_hold: bool


def last_beats(user: User) -> Beats:
    """Return the user's heartbeat, in one query."""
    now = timezone.now()
    ran = Heartbeat.objects.filter(name="reminders").values("at")
    sent = Mail.objects.filter(owner=OuterRef("pk"), state=Mail.SENT, digest__isnull=False)
    beats = User.objects.values_list(
        Subquery(ran),
        Subquery(sent.order_by("-created_at").values("sent_at")[:1]),
        ArraySubquery(newest_states(OuterRef("pk"), OuterRef("email"))),
    )
    reminders_ran, digest_sent, states = beats.get(pk=user.pk)
    due = user.digest_next_at
    return Beats(
        reminders_ran=reminders_ran,
        stalled=(reminders_ran or user.date_joined) < now - STALLED_AFTER,
        digest_sent=digest_sent,
        digest_next=due,
        late=due is not None and due < now - LATE_AFTER,
        on_hold=states == REFUSED_THRICE,
    )
