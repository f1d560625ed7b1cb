import uuid
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, named
from followups.models import ANSWERS, Ending, FollowUp, Interaction, Outcome, State
from introductions.carrying import about_outer
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key
from netcrm.texts import in_text, text_index


class Stage(models.TextChoices):
    ASKED = "asked", "Asked"
    PROMISED = "promised", "Promised"
    MADE = "made", "Made"
    THANKED = "thanked", "Thanked"
    DECLINED = "declined", "Declined"
    LET_GO = "let_go", "Let go"


OPEN = (Stage.ASKED, Stage.PROMISED, Stage.MADE)
# It is the introducer's turn.
UNMADE = (Stage.ASKED, Stage.PROMISED)


class IntroductionQuerySet(OwnedQuerySet):
    def open(self):
        return self.filter(stage__in=OPEN)

    def over(self):
        return self.exclude(stage__in=OPEN)

    def search(self, words):
        """Return those that have every word in what they are about or in a name."""
        about = in_text("wanted", "why", "ask")
        return self.with_words(words, about, named("introducer"), named("target"))

    def with_people(self):
        return self.select_related("introducer__organisation", "target__organisation")

    def with_standing(self):
        """Annotate what is not stored: `in_touch_on` and `met_on`, the days on which the target
        first answered and was first met since it was made; and `follow_up_id`, the follow-up that
        is about it now, of the introducer until it is made, of the target from then on."""
        since = Interaction.objects.filter(
            contact=OuterRef("target"), on__gte=OuterRef("made_on"), outcome__in=ANSWERS
        ).order_by("on", "id")
        pursued = Case(When(stage__in=UNMADE, then="introducer"), default="target")
        about = about_outer("introduction").filter(contact=OuterRef("pursued"))
        return self.annotate(
            in_touch_on=Subquery(since.values("on")[:1]),
            met_on=Subquery(since.filter(outcome=Outcome.MET).values("on")[:1]),
            pursued=pursued,
            follow_up_id=Subquery(about.values("pk")[:1]),
        )

    def standing(self):
        """Return a list of them with their people, their standing and, as `follow_up`, the
        follow-up that is about each now, or None: three queries, however many."""
        rows = list(self.with_people().with_standing())
        about = FollowUp.objects.filter(pk__in=[row.follow_up_id for row in rows])
        known = about.prefetch_related("reminders").in_bulk()
        for row in rows:
            row.follow_up = known.get(row.follow_up_id)
        return rows


class Introduction(Owned):
    """A contact (`introducer`) is asked to connect me with somebody: a contact, or only words such
    as "somebody in grid planning at Aster" until it is made.

    "In touch" and "met" are not stored: the interactions with the target tell them, so that what
    is undone there is undone here. "Stalled" is a follow-up of the introducer that goes unanswered.
    """

    introducer = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="introductions_asked"
    )
    target = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="introductions"
    )
    wanted = models.CharField("who", max_length=200)
    why = models.TextField("why this person", blank=True)
    ask = models.CharField("what I ask", max_length=300, blank=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.ASKED)
    asked_on = models.DateField()
    promised_on = models.DateField(null=True, blank=True)
    made_on = models.DateField(null=True, blank=True)
    thanked_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField("declined or let go on", null=True, blank=True)
    # The introducer's mail that connected us, in the story of the introducer.
    interaction = models.OneToOneField(
        Interaction,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="introduction",
    )
    # Given by the form: the same form sent twice is one introduction.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Set by with_standing() and standing().
    in_touch_on: date | None
    met_on: date | None
    follow_up_id: int | None
    follow_up: FollowUp | None

    objects = IntroductionQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_on", "-id"]
        indexes = [
            models.Index(fields=["owner", "stage", "-id"], name="introduction_of_owner"),
            models.Index(fields=["introducer", "-id"], name="introduction_by"),
            models.Index(fields=["target", "-id"], name="introduction_to"),
            text_index("wanted", "why", "ask", name="introduction_words"),
        ]
        constraints = [
            owner_key("introduction"),
            SameOwner(field="introducer", name="introduction_introducer_owner"),
            SameOwner(field="target", name="introduction_target_owner"),
            SameOwner(field="interaction", name="introduction_interaction_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="introduction_once"),
            models.CheckConstraint(
                condition=Q(target=None) | ~Q(target=F("introducer")),
                name="introduction_of_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(stage__in=["made", "thanked"]) | Q(made_on__isnull=False),
                name="introduction_made_has_a_date",
            ),
        ]

    def __str__(self):
        return self.wanted

    def get_absolute_url(self):
        return reverse("introductions:introduction", args=[self.pk])

    @property
    def purpose(self):
        """Return what is asked of the introducer, as follow-ups name it."""
        return f"an introduction to {self.wanted}"

    @property
    def is_open(self):
        return self.stage in OPEN

    @property
    def is_unmade(self):
        return self.stage in UNMADE

    @property
    def is_pursued(self):
        """Tell whether a follow-up keeps it moving, so that no step needs to wait here. While it
        is unmade, one that rests wakes by itself; once it is made, the introducer wants to know."""
        if self.follow_up is None or self.follow_up.state == State.ENDED:
            return False
        return self.is_unmade or self.follow_up.state != State.RESTING

    @property
    def was_answered(self):
        """Tell whether the introducer answered what was asked, and nothing was noted of it here."""
        return self.follow_up is not None and self.follow_up.ending in {
            Ending.REPLIED,
            Ending.MEETING_SET,
        }

    @property
    def is_stalled(self):
        """Tell whether the introducer was asked and the next kind word is due."""
        if not self.is_unmade or self.follow_up is None or self.follow_up.open_reminder is None:
            return False
        return self.stage == Stage.PROMISED or self.follow_up.step > 0

    @property
    def path(self):
        """Return (words, day or None, place) of every stop on the way; the place is "past",
        "left out", "here" or "ahead"."""
        days = [
            ("Asked", self.asked_on),
            ("Promised", self.promised_on),
            ("Made", self.made_on),
            ("In touch", self.in_touch_on),
            ("Met", self.met_on),
            ("Thanked", self.thanked_on),
        ]
        here = max(n for n, (_, day) in enumerate(days) if day)
        places = ["past" if day else "left out" for _, day in days[:here]]
        places += ["here"] + ["ahead"] * (len(days) - here - 1)
        return [(words, day, place) for (words, day), place in zip(days, places, strict=True)]


class Answer(models.TextChoices):
    NOT_ASKED = "not_asked", "Not asked yet"
    ASKED = "asked", "Asked"
    YES = "yes", "Yes"
    NO = "no", "No"


SIDES = ("one", "other")
SIDE_FIELDS = ("answer", "asked_on", "pursued")


@dataclass(frozen=True)
class Side:
    """One of the two people of an offer: how things stand with them. `pursued` tells whether a
    follow-up asks them."""

    name: str
    contact: Contact
    partner: Contact
    answer: str
    asked_on: date | None
    pursued: bool

    @property
    def has_spoken(self):
        return self.answer in {Answer.YES, Answer.NO}


class OfferQuerySet(OwnedQuerySet):
    def open(self):
        return self.filter(made_on=None, ended_on=None)

    def over(self):
        return self.exclude(made_on=None, ended_on=None)

    def search(self, words):
        """Return those that have every word in the reason or in a name."""
        return self.with_words(words, in_text("why"), named("one"), named("other"))

    def with_people(self):
        return self.select_related("one__organisation", "other__organisation")

    def with_standing(self):
        """Annotate `one_pursued` and `other_pursued`: whether a follow-up asks each of them."""
        about = about_outer("offer").open()
        return self.annotate(
            one_pursued=Exists(about.filter(contact=OuterRef("one"))),
            other_pursued=Exists(about.filter(contact=OuterRef("other"))),
        )


class Offer(Owned):
    """I connect two of my contacts: both are asked first (double opt-in), and only when both say
    yes is the joint mail written. Neither learns why the other declined."""

    one = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="offers_as_one")
    other = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="offers_as_other")
    why = models.TextField("why they should know each other", blank=True)
    one_answer = models.CharField(max_length=9, choices=Answer, default=Answer.NOT_ASKED)
    other_answer = models.CharField(max_length=9, choices=Answer, default=Answer.NOT_ASKED)
    one_asked_on = models.DateField(null=True, blank=True)
    other_asked_on = models.DateField(null=True, blank=True)
    made_on = models.DateField(null=True, blank=True)
    # Without having been made: somebody declined, or it was let go.
    ended_on = models.DateField(null=True, blank=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Annotated by with_standing().
    one_pursued: bool
    other_pursued: bool

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = "offered introduction"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="offer_of_owner"),
            models.Index(fields=["one", "-id"], name="offer_to_one"),
            models.Index(fields=["other", "-id"], name="offer_to_other"),
            text_index("why", name="offer_words"),
        ]
        constraints = [
            owner_key("offer"),
            SameOwner(field="one", name="offer_one_owner"),
            SameOwner(field="other", name="offer_other_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="offer_once"),
            models.CheckConstraint(condition=~Q(one=F("other")), name="offer_of_two_people"),
            models.CheckConstraint(
                condition=Q(made_on=None) | Q(one_answer="yes", other_answer="yes"),
                name="offer_made_with_both",
            ),
            models.CheckConstraint(
                condition=Q(made_on=None) | Q(ended_on=None), name="offer_made_or_ended"
            ),
        ]

    def __str__(self):
        return f"{self.one} and {self.other}"

    def get_absolute_url(self):
        return reverse("introductions:offer", args=[self.pk])

    @property
    def is_open(self):
        return self.made_on is None and self.ended_on is None

    @property
    def agreed(self):
        """Tell whether both said yes."""
        return self.one_answer == self.other_answer == Answer.YES

    @property
    def declined(self):
        return Answer.NO in {self.one_answer, self.other_answer}

    def side(self, name):
        """Return one of the two as a Side, of an offer with its standing."""
        partner = self.other if name == "one" else self.one
        about = {field: getattr(self, f"{name}_{field}") for field in SIDE_FIELDS}
        return Side(name, getattr(self, name), partner, **about)

    @property
    def sides(self):
        return [self.side(name) for name in SIDES]

    @property
    def to_tell(self):
        """Return the Sides who were asked and wait, while the other one declined."""
        if not self.is_open or not self.declined:
            return []
        return [side for side in self.sides if side.answer in {Answer.ASKED, Answer.YES}]
