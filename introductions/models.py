import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from contacts.models import Contact
from followups.models import Interaction
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key


class Stage(models.TextChoices):
    ASKED = "asked", "Asked"
    PROMISED = "promised", "Promised"
    MADE = "made", "Made"
    THANKED = "thanked", "Thanked"
    DECLINED = "declined", "Declined"
    LET_GO = "let_go", "Let go"


OPEN = (Stage.ASKED, Stage.PROMISED, Stage.MADE)


class IntroductionQuerySet(OwnedQuerySet):
    def open(self):
        return self.filter(stage__in=OPEN)


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

    objects = IntroductionQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_on", "-id"]
        indexes = [
            models.Index(fields=["owner", "stage", "-id"], name="introduction_of_owner"),
            models.Index(fields=["introducer", "-id"], name="introduction_by"),
            models.Index(fields=["target", "-id"], name="introduction_to"),
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


class Answer(models.TextChoices):
    NOT_ASKED = "not_asked", "Not asked yet"
    ASKED = "asked", "Asked"
    YES = "yes", "Yes"
    NO = "no", "No"


class OfferQuerySet(OwnedQuerySet):
    def open(self):
        return self.filter(made_on=None, ended_on=None)


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

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = "offered introduction"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="offer_of_owner"),
            models.Index(fields=["one", "-id"], name="offer_to_one"),
            models.Index(fields=["other", "-id"], name="offer_to_other"),
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
