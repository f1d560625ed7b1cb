"""The agenda: everything that asks for attention on one day. The Today page and the digest are
two renderings of it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from contacts.models import Contact
from followups.models import ANSWERS, OPEN, UNANSWERED, Action, FollowUp, Interaction, Reminder
from netcrm.models import Heartbeat, Mail, User

RHYTHMS_A_DAY = 2
# Encouraging lines need a floor (design notes, section 6): below it the next step stands alone.
EVIDENCE_FLOOR = 3
# A short, finite list: what is past these comes up as they are answered.
TODAY_PAGE = 7
MINUTES_EACH = 5
# Reminders are looked for every half minute; an hour of silence is worth a plain word.
STALLED_AFTER = timedelta(hours=1)


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
    """What one user has to do on the local date `day`."""

    day: date
    carried_over: list[Reminder]
    due_today: list[Reminder]
    coming: list[FollowUp]
    rhythms: list[Contact]
    evidence: Evidence | None
    due_count: int

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
    def empty(self) -> bool:
        return not self.reminders and not self.rhythms


def build_agenda(user: User, day: date) -> Agenda:
    """Return the agenda of a user for a local date, in a fixed number of queries."""
    reminders = Reminder.objects.for_user(user).open().filter(due_on__lte=day)
    shown = list(reminders.to_show().order_by("due_on", "id")[:TODAY_PAGE])
    return Agenda(
        day=day,
        carried_over=[reminder for reminder in shown if reminder.due_on < day],
        due_today=[reminder for reminder in shown if reminder.due_on == day],
        coming=list(
            FollowUp.objects.for_user(user).coming(day).select_related("contact__organisation")[:7]
        ),
        rhythms=list(
            Contact.objects.for_user(user)
            .rhythm_late(day)
            .exclude(follow_ups__state__in=OPEN)
            .select_related("organisation")
            .order_by("last_interaction_on", "id")[:RHYTHMS_A_DAY]
        ),
        evidence=_evidence(user),
        due_count=reminders.count(),
    )


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
    """What one person did in the week of a day: tries, conversations, and the days with either."""

    tries: int
    conversations: int
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
        days=[(each, each in met) for each in days],
    )


def just_now(user: User) -> list[Action]:
    """Return what was done within the hour and can be undone: the newest of each contact whose
    follow-up is not asking again."""
    actions = (
        Action.objects.for_user(user)
        .undoable()
        .filter(follow_up__isnull=False)
        .order_by("contact_id", "-id")
        .distinct("contact_id")
        .select_related("follow_up__contact__organisation")
        .defer("before")
    )
    asking = Reminder.objects.for_user(user).open().values("follow_up")
    recent = actions.exclude(follow_up__in=asking)
    return sorted(recent[:20], key=lambda action: -action.pk)


def last_beats(user: User) -> dict:
    """Return when reminders last ran and when this user's last digest went out (rule 11)."""
    ran = Heartbeat.objects.filter(name="reminders").values_list("at", flat=True).first()
    sent = (
        Mail.objects.filter(owner=user, state=Mail.SENT, digest__isnull=False)
        .order_by("-created_at")
        .values_list("sent_at", flat=True)
        .first()
    )
    return {
        "reminders_ran": ran,
        "stalled": ran is not None and ran < timezone.now() - STALLED_AFTER,
        "digest_sent": sent,
        "digest_next": user.digest_next_at,
    }
