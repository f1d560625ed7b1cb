import uuid

from django.db import models
from django.db.models import F, Prefetch, Q
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, Organisation, named
from followups.models import Interaction
from introductions.models import Introduction
from meetings.models import Meeting
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key
from netcrm.texts import in_text, text_index


class Stage(models.TextChoices):
    HEARD_OF = "heard_of", "Heard of"
    EXPLORING = "exploring", "Exploring"
    APPLIED = "applied", "Applied"
    INTERVIEWING = "interviewing", "Interviewing"
    OFFER = "offer", "Offer"
    ACCEPTED = "accepted", "Accepted"
    CLOSED = "closed", "Closed"


# Nothing comes after these.
OVER = (Stage.ACCEPTED, Stage.CLOSED)
# The way that an opening takes if all goes well.
WAY = tuple(stage for stage in Stage if stage != Stage.CLOSED)


class OpportunityQuerySet(OwnedQuerySet):
    def open(self):
        return self.exclude(stage__in=OVER)

    def due(self, day):
        """Return the open ones whose next step has come on the local date `day`, oldest first."""
        return self.open().filter(next_on__lte=day).order_by("next_on", "id")

    def lately(self, most=6):
        """Return a few: the open ones first, the latest first."""
        is_over = models.Case(models.When(stage__in=OVER, then=1), default=0)
        return self.select_related("organisation").order_by(is_over, "-heard_on", "-id")[:most]

    def over(self):
        """Return those that nothing comes after, the latest first."""
        return self.filter(stage__in=OVER).order_by(F("closed_on").desc(nulls_last=True), "-id")

    def search(self, words):
        """Return those that have every word in what is written about them or in the name of
        somebody involved; in any order, accents and case ignored."""

        def at(word):
            return Q(organisation__name__unaccent__icontains=word)

        said = in_text("title", "next_step", "notes")
        return self.with_words(words, said, at, named("contacts"))

    def with_people(self):
        """Fetch the organisation and everybody involved, with theirs: one query more for all."""
        people = Contact.objects.select_related("organisation")
        return self.select_related("organisation").prefetch_related(Prefetch("contacts", people))

    def with_origin(self):
        """Fetch what led to each."""
        return self.select_related(
            "interaction__contact",
            "interaction__attended__meeting",
            "meeting",
            "introduction__introducer",
            "introduction__target",
        ).prefetch_related("meeting__contacts")


class Opportunity(Owned):
    """An opening at an organisation, who is involved, and what led to it: one interaction, meeting
    or introduction. As little as the story needs."""

    title = models.CharField(max_length=200)
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="opportunities",
    )
    url = models.URLField("link", max_length=500, blank=True)
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.HEARD_OF)
    heard_on = models.DateField("heard of it on")
    closed_on = models.DateField("over since", null=True, blank=True)
    next_step = models.CharField(max_length=300, blank=True)
    # The next step asks from this local date on.
    next_on = models.DateField("when", null=True, blank=True)
    notes = models.TextField(blank=True)
    contacts = models.ManyToManyField(Contact, through="Involved", related_name="opportunities")
    interaction = models.ForeignKey(
        Interaction, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_to"
    )
    meeting = models.ForeignKey(
        Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_to"
    )
    introduction = models.ForeignKey(
        Introduction, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_to"
    )
    # Given by the form: the same form sent twice is one opening.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        verbose_name = "opening"
        ordering = ["-heard_on", "-id"]
        indexes = [
            models.Index(fields=["owner", "stage", "-id"], name="opportunity_of_owner"),
            text_index("title", "next_step", "notes", name="opportunity_words"),
            models.Index(
                fields=["owner", "next_on"],
                name="opportunity_due",
                condition=Q(next_on__isnull=False),
            ),
        ]
        constraints = [
            owner_key("opportunity"),
            SameOwner(field="organisation", name="opportunity_organisation_owner"),
            SameOwner(field="interaction", name="opportunity_interaction_owner"),
            SameOwner(field="meeting", name="opportunity_meeting_owner"),
            SameOwner(field="introduction", name="opportunity_introduction_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="opportunity_once"),
            models.CheckConstraint(
                condition=Q(interaction=None, meeting=None)
                | Q(interaction=None, introduction=None)
                | Q(meeting=None, introduction=None),
                name="opportunity_one_origin",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("opportunities:opportunity", args=[self.pk])

    @property
    def is_over(self):
        return self.stage in OVER

    @property
    def origin(self):
        """What led to it: an interaction, a meeting, an introduction, or None."""
        return self.interaction or self.meeting or self.introduction

    def waited(self, today):
        """Return how many days its next step has asked."""
        return max((today - self.next_on).days, 0) if self.next_on else 0

    @property
    def path(self):
        """Return [(stage in words, since which local date)] as it went, and what may still come
        without a date."""
        changes = list(self.changes.all())
        gone = [(Stage.HEARD_OF.label, self.heard_on)]
        gone += [(change.get_stage_display(), change.on) for change in changes]
        if self.is_over:
            return gone
        ahead = WAY[WAY.index(self.stage) + 1 :]
        return gone + [(Stage(stage).label, None) for stage in ahead]


class Involved(Owned):
    """A contact who has to do with an opening."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="involved")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="involved")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "opportunity"], name="involved_of_owner"),
            models.Index(fields=["contact", "-id"], name="involved_of_contact"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "contact"], name="involved_once"),
            SameOwner(field="opportunity", name="involved_opportunity_owner"),
            SameOwner(field="contact", name="involved_contact_owner"),
        ]

    def __str__(self):
        return str(self.contact)


class StageChange(Owned):
    """On which local date an opening came to a stage. Each began as heard of, on `heard_on`."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="changes")
    stage = models.CharField(max_length=12, choices=Stage)
    on = models.DateField()

    class Meta:
        ordering = ["on", "id"]
        indexes = [models.Index(fields=["owner", "opportunity"], name="stagechange_of_owner")]
        constraints = [SameOwner(field="opportunity", name="stagechange_opportunity_owner")]

    def __str__(self):
        return f"{self.get_stage_display()} {self.on}"
