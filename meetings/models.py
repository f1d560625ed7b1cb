import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import DateTimeField, ExpressionWrapper, F, Prefetch, Q
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, known
from followups.models import Interaction
from netcrm.models import is_time_zone
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key
from netcrm.texts import in_text, text_index

LONGEST = 24 * 60
# For how long a meeting that was held asks to be written down: later, little is left to remember.
REMEMBERED_FOR = timedelta(days=14)
NAMED = 3


class Kind(models.TextChoices):
    COFFEE = "coffee", "Coffee"
    CALL = "call", "Call"
    VIDEO = "video", "Video call"
    LUNCH = "lunch", "Lunch"
    WALK = "walk", "Walk"
    EVENT = "event", "Event"


class State(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    CONFIRMED = "confirmed", "Confirmed"
    HELD = "held", "Held"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "They did not come"


# What to have ready before one leaves.
CHECKLIST = [
    ("questions", "My questions"),
    ("wallet", "The wallet: this one is on me"),
    ("route", "The way there, and when to leave"),
    ("card", "A card, or my address on paper"),
]


REMEMBERED = ("debrief__takeaways", "debrief__ideas", "debrief__lesson")


class MeetingQuerySet(OwnedQuerySet):
    def confirmed(self):
        return self.filter(state=State.CONFIRMED)

    def proposed(self):
        return self.filter(state=State.PROPOSED)

    def coming(self):
        """Return what is on offer or arranged, also when its time has passed and nobody said yet
        what became of it, soonest first, with its people and times."""
        soonest = F("starts_at").asc(nulls_last=True)
        mine = self.filter(state__in=[State.PROPOSED, State.CONFIRMED]).order_by(soonest, "id")
        return mine.with_people().prefetch_related("proposed_times")

    def upcoming(self, now):
        """Return what is confirmed and not over at the instant `now`, soonest first."""
        return self.confirmed()._ending().filter(ends__gt=now).order_by("starts_at", "id")

    def on_day(self, start, end):
        """Return what is confirmed and begins at an instant from `start` until before `end`."""
        between = self.confirmed().filter(starts_at__gte=start, starts_at__lt=end)
        return between.order_by("starts_at", "id")

    def to_debrief(self, now):
        """Return what asks how it was, newest first: confirmed and over at the instant `now`, or
        held in the last two weeks and not written down."""
        over = Q(state=State.CONFIRMED, ends__lte=now)
        lately = Q(state=State.HELD, debrief__saved_at=None, starts_at__gt=now - REMEMBERED_FOR)
        return self._ending().filter(over | lately).order_by("-starts_at", "-id")

    def past(self):
        """Return what is over, one way or the other."""
        over = [State.HELD, State.CANCELLED, State.NO_SHOW]
        return self.filter(state__in=over).newest_first()

    def newest_first(self):
        """Order by time, the newest first; what has none comes last."""
        return self.order_by(F("starts_at").desc(nulls_last=True), "-id")

    def with_people(self):
        """Fetch who comes, with where they work: one query for all."""
        people = Attendee.objects.select_related("contact__organisation")
        return self.prefetch_related(Prefetch("attendees", people))

    def search(self, words):
        """Return the meetings that have every word, accents and case ignored: in title, place,
        purpose, what was remembered, or what is known about the people."""
        said = in_text("title", "place", "purpose")
        return self.with_words(words, said, in_text(*REMEMBERED), known("contacts"))

    def _ending(self):
        """Annotate `ends`, the instant at which a meeting is over."""
        ends = F("starts_at") + F("minutes") * timedelta(minutes=1)
        return self.annotate(ends=ExpressionWrapper(ends, output_field=DateTimeField()))


class Meeting(Owned):
    """A coffee, call, lunch or event with one or several contacts.

    Proposed: two or three times are on offer and none is fixed. Confirmed: `starts_at`, an aware
    instant, is fixed; `time_zone` is the zone it is told in. Held, cancelled and no-show are past.
    """

    kind = models.CharField(max_length=6, choices=Kind, default=Kind.COFFEE)
    title = models.CharField(max_length=200, blank=True)
    place = models.CharField("where", max_length=300, blank=True)
    starts_at = models.DateTimeField("when", null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(
        "how long", default=45, validators=[MinValueValidator(1), MaxValueValidator(LONGEST)]
    )
    time_zone = models.CharField(max_length=64, validators=[is_time_zone])
    state = models.CharField(max_length=9, choices=State, default=State.CONFIRMED)
    purpose = models.TextField("what for", blank=True)
    # The names in CHECKLIST that are ticked.
    ready = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    contacts = models.ManyToManyField(Contact, through="Attendee", related_name="meetings")
    # For calendar programs (RFC 5545): one identity for life, one number more for each change.
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    # Given by the form: the same form sent twice is one meeting.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MeetingQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "starts_at"], name="meeting_of_owner"),
            text_index("title", "place", "purpose", name="meeting_words"),
            models.Index(
                fields=["owner", "state"],
                name="meeting_open",
                condition=Q(state__in=["proposed", "confirmed"]),
            ),
        ]
        constraints = [
            owner_key("meeting"),
            models.UniqueConstraint(fields=["owner", "key"], name="meeting_once"),
            models.UniqueConstraint(fields=["uid"], name="meeting_uid"),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "held"]) | Q(starts_at__isnull=False),
                name="meeting_confirmed_has_a_time",
            ),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="meeting_takes_time"),
        ]

    def __str__(self):
        return self.title or self.get_kind_display()

    def get_absolute_url(self):
        return reverse("meetings:meeting", args=[self.pk])

    @property
    def people(self):
        """Return the contacts who come; without a query after with_people()."""
        return [row.contact for row in self.attendees.all()]

    @property
    def names(self):
        """Return who comes, in words: Aiko Tanabe and Ruth Abernathy."""
        names = [person.name for person in self.people]
        if len(names) > NAMED:
            names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
        return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

    @property
    def heading(self):
        """Return the title, or else what it is and with whom: Coffee with Aiko Tanabe."""
        if self.title or not self.names:
            return str(self)
        return f"{self.get_kind_display()} with {self.names}"

    @property
    def local_start(self):
        """Return when it starts by the clock of its own time zone, or None."""
        return self.starts_at and self.starts_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def over_at(self):
        """Return the instant at which it ends, or None."""
        return self.starts_at and self.starts_at + timedelta(minutes=self.minutes)

    @property
    def is_over(self):
        return self.starts_at is not None and self.over_at <= timezone.now()

    @property
    def is_ahead(self):
        """Tell whether it is still to come, or hoped for."""
        return self.state == State.PROPOSED or (self.state == State.CONFIRMED and not self.is_over)

    @property
    def asks_how_it_was(self):
        """Tell whether its time has passed and nobody has said yet what became of it."""
        return self.state == State.CONFIRMED and self.is_over

    @property
    def points(self):
        """Return how many points there are to prepare: the checklist, and what it is for."""
        return len(CHECKLIST) + 1

    @property
    def points_ready(self):
        known = {name for name, _ in CHECKLIST}
        return len(known.intersection(self.ready)) + bool(self.purpose)


class Attendee(Owned):
    """A contact in a meeting."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendees")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="attended")
    # Where the meeting stands in the story of the contact.
    interaction = models.OneToOneField(
        Interaction, on_delete=models.SET_NULL, null=True, editable=False, related_name="attended"
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["contact", "-id"], name="attendee_of_contact"),
            models.Index(fields=["owner", "meeting"], name="attendee_of_owner"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "contact"], name="attendee_once"),
            SameOwner(field="meeting", name="attendee_meeting_owner"),
            SameOwner(field="contact", name="attendee_contact_owner"),
            SameOwner(field="interaction", name="attendee_interaction_owner"),
        ]

    def __str__(self):
        return str(self.contact)


class ProposedTime(Owned):
    """One of the times on offer, until one is fixed."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="proposed_times")
    starts_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["owner", "meeting"], name="proposed_of_owner")]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "starts_at"], name="proposed_once"),
            SameOwner(field="meeting", name="proposed_meeting_owner"),
        ]

    def __str__(self):
        return str(self.starts_at)


class Question(Owned):
    """Something to ask in a meeting."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(max_length=300)
    asked = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "meeting"], name="question_of_owner")]
        constraints = [SameOwner(field="meeting", name="question_meeting_owner")]

    def __str__(self):
        return self.text


def comfort(label):
    cups = [MinValueValidator(1), MaxValueValidator(5)]
    return models.PositiveSmallIntegerField(label, null=True, blank=True, validators=cups)


class DebriefQuerySet(OwnedQuerySet):
    def search(self, words):
        """Return those that have every word in what is remembered, in what the meeting was about,
        or in what is known about the people."""
        remembered = in_text("takeaways", "ideas", "lesson")
        about = in_text("meeting__title", "meeting__place", "meeting__purpose")
        return self.with_words(words, remembered, about, known("meeting__contacts"))


class Debrief(Owned):
    """What one remembers of a meeting. Until it is saved (`saved_at`), `draft` holds the form as
    typed; saving turns each line into the follow-up, give-back or introduction that it implies."""

    class Went(models.TextChoices):
        HELPFUL = "helpful", "Helpful"
        SOMEWHAT = "somewhat", "Somewhat"
        NOT_THIS_TIME = "not_this_time", "Not this time"

    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="debrief")
    went = models.CharField("how did it go", max_length=13, choices=Went, blank=True)
    # Five cups, from 1 (uneasy) to 5 (at ease).
    before = comfort("how comfortable before")
    after = comfort("how comfortable after")
    takeaways = models.TextField(blank=True)
    ideas = models.TextField("new options or ideas", blank=True)
    lesson = models.CharField("one lesson", max_length=300, blank=True)
    next_step = models.CharField(max_length=300, blank=True)
    draft = models.JSONField(default=dict, editable=False)
    saved_at = models.DateTimeField(null=True, editable=False)

    objects = DebriefQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-saved_at"], name="debrief_of_owner"),
            text_index("takeaways", "ideas", "lesson", name="debrief_words"),
            text_index("lesson", name="debrief_lesson_words", condition=~Q(lesson="")),
        ]
        constraints = [
            owner_key("debrief"),
            SameOwner(field="meeting", name="debrief_meeting_owner"),
            models.CheckConstraint(
                condition=Q(before=None) | Q(before__range=(1, 5)), name="debrief_before_cups"
            ),
            models.CheckConstraint(
                condition=Q(after=None) | Q(after__range=(1, 5)), name="debrief_after_cups"
            ),
        ]

    def __str__(self):
        return f"Debrief of {self.meeting}"


class AdviceQuerySet(OwnedQuerySet):
    def to_tell(self):
        """Return the advice whose giver has not heard yet what became of it."""
        return self.filter(told_on=None)

    def search(self, words):
        """Return those that have every word in the advice, in what I did with it, or in what is
        known about who gave it."""
        return self.with_words(words, in_text("text", "what_i_did"), known("contact"))

    def newest(self):
        """Return what waits to be told first, the newest of each first."""
        return self.order_by(F("told_on").desc(nulls_first=True), "-id")


class Advice(Owned):
    """Advice given in a meeting; later what I did with it, and when I told them."""

    debrief = models.ForeignKey(Debrief, on_delete=models.CASCADE, related_name="advice")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="advice_given")
    text = models.CharField(max_length=300)
    what_i_did = models.TextField("what I did with it", blank=True)
    told_on = models.DateField("told them on", null=True, blank=True)

    objects = AdviceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "advice"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="advice_of_owner"),
            models.Index(fields=["contact", "-id"], name="advice_of_contact"),
            text_index("text", "what_i_did", name="advice_words"),
        ]
        constraints = [
            SameOwner(field="debrief", name="advice_debrief_owner"),
            SameOwner(field="contact", name="advice_contact_owner"),
        ]

    def __str__(self):
        return self.text


class CalendarFeed(Owned):
    """The secret address under which a calendar program reads the user's dates; a new one takes
    its place, and without a row there is none."""

    token = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField("last read", null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner"], name="feed_once"),
            models.UniqueConstraint(fields=["token"], name="feed_token"),
        ]

    def __str__(self):
        return "Calendar feed"
