import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Left
from django.utils import timezone
from django.utils.functional import cached_property

from contacts.models import Contact
from followups import schedule
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key
from netcrm.texts import text_index

UNDO_FOR = timedelta(hours=1)
NOTE_SHOWN = 200


class Channel(models.TextChoices):
    CALL = "call", "Call"
    EMAIL = "email", "E-mail"
    MESSAGE = "message", "Message"
    MEETING = "meeting", "Coffee or meeting"
    NOTE = "note", "Note"


class Direction(models.TextChoices):
    OUT = "out", "From me"
    IN = "in", "From them"


class Outcome(models.TextChoices):
    NO_ANSWER = "no_answer", "No answer"
    BUSY = "busy", "Busy"
    VOICEMAIL = "voicemail", "Left voicemail"
    SENT = "sent", "Sent"
    REPLIED = "replied", "Replied"
    TALKED = "talked", "Talked"
    ARRANGED = "arranged", "Arranged a meeting"
    MET = "met", "Met"
    OUT_OF_OFFICE = "out_of_office", "Out of office"
    BOUNCED = "bounced", "E-mail came back"
    NOTED = "noted", "Noted"
    GAVE = "gave", "Gave something"
    INTRODUCED = "introduced", "Introduced"


# Rule 1: these count as unanswered until something answers them. Rule 5: these answer.
UNANSWERED = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.SENT})
ANSWERS = frozenset({Outcome.REPLIED, Outcome.TALKED, Outcome.ARRANGED, Outcome.MET})


class State(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    RESTING = "resting", "Resting"
    ENDED = "ended", "Ended"


OPEN = (State.ACTIVE, State.PAUSED, State.RESTING)


class Ending(models.TextChoices):
    REPLIED = "replied", "Replied"
    MEETING_SET = "meeting_set", "Meeting set"
    REFERRED_ON = "referred_on", "Referred on"
    DECLINED = "declined", "Declined"
    NOT_NOW = "not_now", "Not now"
    NO_REPLY = "no_reply", "No reply"
    WRONG_PERSON = "wrong_person", "Wrong person"
    SUPPORTED = "supported", "Somebody there supports you"
    LET_GO = "let_go", "Let go"


class Window(models.TextChoices):
    MORNING = "morning", "Morning"
    AFTERNOON = "afternoon", "Afternoon"


class Via(models.TextChoices):
    APP = "app", "App"
    MAIL = "mail", "Mail link"
    IMPORT = "import", "Import"
    ADMIN = "admin", "Bulk edit"
    SYSTEM = "system", "netcrm"


LAST_PURSUIT = (
    "This is your last playbook for people who have not answered: a first try without an answer"
    " begins with it. Make another one first."
)


def validate_steps(rows):
    try:
        schedule.read_steps(rows)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class PlaybookRule(models.Model):
    """What a playbook says; shared by built-in presets and each user's own."""

    slug = models.SlugField()
    name = models.CharField(max_length=100)
    source = models.CharField(max_length=200, blank=True)
    steps = models.JSONField(validators=[validate_steps])
    # Keeping in touch goes on after an answer; a pursuit ends with it.
    ends_on_answer = models.BooleanField("an answer ends it", default=True)
    # Writing to strangers: one person at an organisation at a time, until one supports you.
    cold = models.BooleanField("cold: one person at an organisation at a time", default=False)
    rest_days = models.PositiveSmallIntegerField("wake after (days)", default=90)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name

    def clean(self):
        """A pursuit ends with the question; only keeping in touch may go on for ever."""
        try:
            last = schedule.read_steps(self.steps)[-1]
        except ValueError:
            return  # that is said of the steps themselves
        if self.ends_on_answer and last.repeat:
            raise ValidationError(
                "An answer ends this playbook, so its last step must ask to decide. Only keeping"
                " in touch may repeat."
            )


class PlaybookPreset(PlaybookRule):
    """A built-in playbook, managed by superusers; new accounts get a copy."""

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["slug"], name="preset_once")]


class Playbook(Owned, PlaybookRule):
    """The rule of a follow-up. A follow-up keeps its own copy of the steps (rule 10)."""

    class Meta:
        ordering = ["id"]
        constraints = [
            owner_key("playbook"),
            models.UniqueConstraint(fields=["owner", "slug"], name="playbook_once"),
        ]

    def clean(self):
        super().clean()
        if not self.ends_on_answer and self.is_last_pursuit():
            raise ValidationError({"ends_on_answer": LAST_PURSUIT})

    def is_last_pursuit(self):
        """Tell whether no other playbook is left for a first try that nobody answers (rule 1)."""
        pursuits = Playbook.objects.for_user(self.owner).filter(ends_on_answer=True)
        return list(pursuits.values_list("pk", flat=True)) == [self.pk]


class FollowUpQuerySet(OwnedQuerySet):
    def open(self):
        return self.exclude(state=State.ENDED)

    def scheduled(self):
        return self.filter(next_on__isnull=False)

    def coming(self, today, days=14):
        """Return what is scheduled for the days after today, soonest first."""
        return (
            self.filter(state=State.ACTIVE, next_on__gt=today)
            .filter(next_on__lte=today + timedelta(days=days))
            .order_by("next_on", "id")
        )

    def silent(self):
        """Return follow-ups that break rule 11: active without exactly one of a date or an open
        reminder, not active with a reminder, or at a step that their playbook does not have."""
        steps = models.Func(
            "steps", function="jsonb_array_length", output_field=models.IntegerField()
        )
        asking = Reminder.objects.open().filter(follow_up=models.OuterRef("pk"))
        active, asks, dated = Q(state=State.ACTIVE), Q(asks=True), Q(next_on__isnull=False)
        return self.annotate(asks=models.Exists(asking), known_steps=steps).filter(
            active & asks & dated
            | active & ~asks & ~dated
            | ~active & asks
            | ~Q(state=State.ENDED) & Q(step__gte=models.F("known_steps"))
        )


class FollowUp(Owned):
    """The pursuit of one contact for one purpose, from the first attempt to an ending.

    Active: exactly one of `next_on` or an open reminder (rule 11). Paused or resting: `next_on`
    is the day it comes back, null while paused until resumed. Ended: neither.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="follow_ups")
    playbook = models.ForeignKey(
        Playbook, on_delete=models.SET_NULL, null=True, related_name="follow_ups"
    )
    name = models.CharField(max_length=100, help_text="The playbook's name when it began.")
    purpose = models.CharField(max_length=300, blank=True)
    # The playbook as it was when the follow-up opened: editing one changes new follow-ups only.
    steps = models.JSONField(validators=[validate_steps])
    ends_on_answer = models.BooleanField(default=True)
    cold = models.BooleanField(default=False)
    rest_days = models.PositiveSmallIntegerField(default=90)
    state = models.CharField(max_length=7, choices=State, default=State.ACTIVE)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)
    step = models.PositiveSmallIntegerField(default=0)
    # Counts every step that was planned, so that each has a reminder of its own (rule 3).
    turn = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    emails = models.PositiveSmallIntegerField(default=0, help_text="Unanswered so far.")
    last_attempt_on = models.DateField(null=True)
    next_on = models.DateField(null=True)
    # A date that somebody chose or promised: no rule moves it (rule 6).
    promised = models.BooleanField(default=False)
    # The part of the contact's day in which the next call is best tried.
    window = models.CharField(max_length=9, choices=Window, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    lesson = models.TextField(blank=True)
    # What its drafts say beside what the contact tells: {placeholder: words}.
    facts = models.JSONField(default=dict, editable=False)
    opened_on = models.DateField()
    ended_on = models.DateField(null=True)

    # Annotated by silent(): whether it has an open reminder.
    asks: bool

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = "follow-up"
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["next_on"], name="followup_due", condition=Q(next_on__isnull=False)
            ),
            models.Index(
                fields=["owner", "next_on"], name="followup_open", condition=~Q(state="ended")
            ),
            text_index("lesson", name="followup_lesson_words", condition=~Q(lesson="")),
            models.Index(fields=["contact", "state"], name="followup_of_contact"),
        ]
        constraints = [
            owner_key("followup"),
            SameOwner(field="contact", name="followup_contact_owner"),
            SameOwner(field="playbook", name="followup_playbook_owner"),
            models.UniqueConstraint(
                fields=["contact", "playbook"],
                condition=~Q(state="ended"),
                name="followup_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(state="ended") | Q(next_on=None), name="followup_ended_has_no_date"
            ),
            models.CheckConstraint(
                condition=~Q(state="resting") | Q(next_on__isnull=False),
                name="followup_resting_wakes",
            ),
        ]

    def __str__(self):
        return f"{self.contact}: {self.name}"

    @cached_property
    def plan(self):
        """Return the steps as schedule.Step; they never change once it is open."""
        return schedule.read_steps(self.steps)

    @property
    def present(self):
        """Return the step that comes next."""
        return self.plan[self.step]

    @property
    def asks_to_decide(self):
        return self.present.channel == schedule.DECIDE

    @property
    def tries(self):
        """Return how many attempts the playbook has: its steps without the closing question and
        without those that turn to somebody else."""
        own = (step for step in self.steps if not step.get("colleague"))
        return sum(step["channel"] != schedule.DECIDE for step in own)

    @property
    def open_reminder(self):
        """Return the open reminder or None; from prefetched reminders if there are any."""
        return next((row for row in self.reminders.all() if row.closed_at is None), None)

    @property
    def due_on(self):
        """Return the local date that it is about: of the open reminder, else the next one."""
        reminder = self.open_reminder
        return reminder.due_on if reminder else self.next_on

    @property
    def nth(self):
        """Return the number of the attempt that comes next, from 1."""
        return self.attempts + 1


class ReminderQuerySet(OwnedQuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def to_show(self):
        """Add what a row shows: the people, and as `note` the newest note about the contact,
        which is what one needs to read before the next try."""
        newest = (
            Interaction.objects.filter(contact=models.OuterRef("follow_up__contact"))
            .exclude(Q(note="") | Q(outcome=Outcome.INTRODUCED))
            .order_by("-on", "-id")
        )
        return self.select_related("follow_up__contact__organisation").annotate(
            note=Coalesce(
                models.Subquery(newest.values_list(Left("note", NOTE_SHOWN))[:1]),
                models.Value(""),
            )
        )


class Reminder(Owned):
    """The record that a follow-up asks for action on a day; open until acted on."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="reminders")
    turn = models.PositiveIntegerField()
    due_on = models.DateField()
    raised_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    # How many digests it was in: the links of the newest one work, those before it no longer.
    mailed = models.PositiveIntegerField(default=0)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(
                fields=["owner", "due_on"], name="reminder_open", condition=Q(closed_at=None)
            )
        ]
        constraints = [
            SameOwner(field="follow_up", name="reminder_followup_owner"),
            models.UniqueConstraint(fields=["follow_up", "turn"], name="reminder_once"),
            models.UniqueConstraint(
                fields=["follow_up"], condition=Q(closed_at=None), name="reminder_one_open"
            ),
        ]

    def __str__(self):
        return f"{self.follow_up} on {self.due_on}"

    def waited(self, today):
        """Return how many days it has waited."""
        return max((today - self.due_on).days, 0)


class Interaction(Owned):
    """One call, e-mail, message or talk. An outbound one of a follow-up is an attempt."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="interactions")
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.SET_NULL, null=True, blank=True, related_name="interactions"
    )
    channel = models.CharField(max_length=7, choices=Channel, default=Channel.CALL)
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.OUT)
    outcome = models.CharField(max_length=13, choices=Outcome)
    on = models.DateField("when")
    note = models.TextField(blank=True)
    via = models.CharField(max_length=6, choices=Via, default=Via.APP, editable=False)
    # Given by the form: the same form sent twice is one interaction.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-on", "-id"]
        indexes = [
            models.Index(fields=["contact", "-on", "-id"], name="interaction_of_contact"),
            models.Index(fields=["owner", "-on"], name="interaction_of_owner"),
            text_index("note", name="interaction_words", condition=~Q(note="")),
        ]
        constraints = [
            owner_key("interaction"),
            SameOwner(field="contact", name="interaction_contact_owner"),
            SameOwner(field="follow_up", name="interaction_followup_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="interaction_once"),
        ]

    def __str__(self):
        return f"{self.get_channel_display()} {self.on}"


class Break(Owned):
    """Days on which nothing is asked: a quiet day, a hard week, a holiday. Both dates are local
    and belong to it; the work calendar treats them like public holidays."""

    class Kind(models.TextChoices):
        QUIET_DAY = "quiet_day", "A quiet day"
        HARD_WEEK = "hard_week", "A hard week"
        HOLIDAY = "holiday", "Time off"

    kind = models.CharField(max_length=9, choices=Kind, default=Kind.HOLIDAY)
    first_on = models.DateField("first day")
    last_on = models.DateField("last day")
    # The batch of what it moved.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    # Whether what waited on its first day has moved behind it.
    begun = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["first_on", "id"]
        indexes = [
            models.Index(fields=["owner", "last_on"], name="break_of_owner"),
            models.Index(fields=["first_on"], name="break_to_begin", condition=Q(begun=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_on__gte=models.F("first_on")), name="break_ends_after_it_begins"
            )
        ]

    def __str__(self):
        return self.get_kind_display()

    @property
    def can_undo(self):
        return self.created_at > timezone.now() - UNDO_FOR

    @property
    def in_words(self):
        """Return it as reasons name it: your hard week."""
        return f"your {self.get_kind_display().lower().removeprefix('a ')}"


# What is done to many people at one stroke, with a batch.
STROKES = ("moved", "kept", "rested", "ended")


class ActionQuerySet(OwnedQuerySet):
    def strokes(self):
        return self.filter(batch__isnull=False, verb__in=STROKES)

    def undoable(self, now=None):
        recent = self.filter(undone_at=None, at__gt=(now or timezone.now()) - UNDO_FOR)
        return recent.exclude(verb__in=Action.FINAL).exclude(before={})


class Action(Owned):
    """Something that was done to the follow-ups of a contact: who, why, and how it was before,
    so that it can be undone for an hour and told in the history."""

    MERGED = "merged"  # Two contacts became one: parting them is a verb of its own.
    PARTED = "parted"
    REPAIRED = "repaired"  # What it was before is what the nightly check must never find.
    FINAL = (MERGED, PARTED, REPAIRED)

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="actions")
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.SET_NULL, null=True, related_name="actions"
    )
    interaction = models.ForeignKey(
        Interaction, on_delete=models.SET_NULL, null=True, related_name="actions"
    )
    verb = models.CharField(max_length=20)
    said = models.CharField(max_length=500)
    via = models.CharField(max_length=6, choices=Via, default=Via.APP)
    before = models.JSONField(default=dict)
    # Given to everything that was done at one stroke, so that it can be undone at one stroke.
    batch = models.UUIDField(null=True)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["contact", "-id"], name="action_of_contact"),
            models.Index(fields=["owner", "-at"], name="action_of_owner"),
            models.Index(
                fields=["owner", "batch"], name="action_batch", condition=Q(batch__isnull=False)
            ),
        ]
        constraints = [
            SameOwner(field="contact", name="action_contact_owner"),
            SameOwner(field="follow_up", name="action_followup_owner"),
            SameOwner(field="interaction", name="action_interaction_owner"),
        ]

    def __str__(self):
        return self.said

    @property
    def can_undo(self):
        recent = self.at > timezone.now() - UNDO_FOR
        # An archive brings the history back, without what it would take to undo it.
        known = bool(self.before) and self.verb not in self.FINAL
        return recent and self.undone_at is None and known
