import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from contacts.models import Contact, Topic, named
from followups.models import Interaction
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key
from netcrm.texts import in_text, text_index


class Kind(models.TextChoices):
    ARTICLE = "article", "An article"
    EXPERIENCE = "experience", "An experience"
    CONNECTION = "connection", "A connection"
    ADVICE = "advice", "Advice"
    RECOMMENDATION = "recommendation", "A recommendation"
    THANKS = "thanks", "Thanks"
    TIME = "time", "Time"
    OTHER = "other", "Something else"


class Direction(models.TextChoices):
    GIVEN = "given", "From me"
    RECEIVED = "received", "From them"


class State(models.TextChoices):
    IDEA = "idea", "Idea"
    PROMISED = "promised", "Promised"
    DONE = "done", "Done"
    LET_GO = "let_go", "Let go"


class ShelfKind(models.TextChoices):
    ARTICLE = "article", "An article or a link"
    EXPERIENCE = "experience", "An experience"
    PERSON = "person", "Somebody worth knowing"


class ShelfItemQuerySet(OwnedQuerySet):
    def current(self):
        return self.filter(archived_at=None)

    def search(self, words):
        """Return the items that have every word, in any order, accents and case ignored."""

        def about(word):
            return Q(topics__name__unaccent__icontains=word)

        return self.with_words(words, in_text("title", "text"), named("contact"), about)


class ShelfItem(Owned):
    """Something that can be given again and again: a link, an experience told in a few lines, a
    person whom others should know."""

    kind = models.CharField(max_length=10, choices=ShelfKind, default=ShelfKind.ARTICLE)
    title = models.CharField(max_length=200)
    url = models.URLField("link", max_length=500, blank=True)
    text = models.TextField("in a few lines", blank=True)
    # The person of "somebody worth knowing".
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="on_shelf"
    )
    topics = models.ManyToManyField(
        Topic, through="ShelfTopic", blank=True, related_name="shelf_items"
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    # Given by the form: the same form sent twice is one thing.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ShelfItemQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="shelf_of_owner"),
            text_index("title", "text", name="shelf_words"),
        ]
        constraints = [
            owner_key("shelfitem"),
            SameOwner(field="contact", name="shelfitem_contact_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="shelfitem_once"),
        ]

    def __str__(self):
        return self.title

    @property
    def gift_kind(self):
        """The Kind of a gift that comes from here."""
        if self.kind == ShelfKind.PERSON:
            return Kind.CONNECTION
        return Kind(self.kind)

    def set_topics(self, names):
        """Let it be about exactly the topics of these names; new ones are made."""
        topics = Topic.find_or_create(self.owner, names).values()
        ShelfTopic.objects.filter(item=self).exclude(topic__in=topics).delete()
        ShelfTopic.objects.bulk_create(
            [ShelfTopic(owner=self.owner, item=self, topic=topic) for topic in topics],
            ignore_conflicts=True,
        )

    def archive(self):
        """Take it off the shelf: it is not proposed any more, and what was given stays told."""
        if self.archived_at is None:
            self.archived_at = timezone.now()
            self.save(update_fields=["archived_at"])

    def restore(self):
        self.archived_at = None
        self.save(update_fields=["archived_at"])


class ShelfTopic(Owned):
    item = models.ForeignKey(ShelfItem, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)

    class Meta:
        indexes = [models.Index(fields=["owner", "topic"], name="shelf_topic_of_owner")]
        constraints = [
            models.UniqueConstraint(fields=["item", "topic"], name="shelf_topic_once"),
            SameOwner(field="item", name="shelf_topic_item_owner"),
            SameOwner(field="topic", name="shelf_topic_topic_owner"),
        ]

    def __str__(self):
        return f"{self.item}: {self.topic}"


class GiveBackQuerySet(OwnedQuerySet):
    def given(self):
        return self.filter(direction=Direction.GIVEN)

    def received(self):
        return self.filter(direction=Direction.RECEIVED)

    def ideas(self):
        return self.filter(state=State.IDEA)

    def promised(self):
        """Return the promises that are not kept yet, soonest first."""
        return self.filter(state=State.PROMISED).order_by("due_on", "id")

    def done(self):
        return self.filter(state=State.DONE)

    def due(self, day):
        """Return the promises whose date has come on the local date `day`."""
        return self.promised().filter(due_on__lte=day)

    def search(self, words):
        """Return those that have every word, in any order, accents and case ignored: in what it
        is, its note or the name of the person."""
        return self.with_words(words, in_text("what", "note"), named("contact"))


class GiveBack(Owned):
    """Something given, or promised, to a contact; or received from one. What was received is
    always done. Both sides are remembered side by side, never as a debt."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="give_backs")
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.GIVEN)
    kind = models.CharField(max_length=14, choices=Kind, default=Kind.ARTICLE)
    what = models.CharField(max_length=300)
    url = models.URLField("link", max_length=500, blank=True)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.IDEA)
    # A promise asks from this local date on until it is kept.
    due_on = models.DateField("by when", null=True, blank=True)
    done_on = models.DateField("done on", null=True, blank=True)
    item = models.ForeignKey(
        ShelfItem, on_delete=models.SET_NULL, null=True, blank=True, related_name="gives"
    )
    # Where it stands in the story of the contact, once it is done.
    interaction = models.OneToOneField(
        Interaction,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="give_back",
    )
    # How many digests it was in: the links of the newest one work, those before it no longer.
    mailed = models.PositiveIntegerField(default=0, editable=False)
    # Given by the form: the same form sent twice is one gift.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = GiveBackQuerySet.as_manager()

    class Meta:
        verbose_name = "give-back"
        ordering = ["-done_on", "-id"]
        indexes = [
            models.Index(
                fields=["owner", "due_on"], name="giveback_promised", condition=Q(state="promised")
            ),
            models.Index(fields=["owner", "state", "-id"], name="giveback_of_owner"),
            models.Index(fields=["contact", "-done_on"], name="giveback_of_contact"),
            text_index("what", "note", name="giveback_words"),
        ]
        constraints = [
            owner_key("giveback"),
            SameOwner(field="contact", name="giveback_contact_owner"),
            SameOwner(field="item", name="giveback_item_owner"),
            SameOwner(field="interaction", name="giveback_interaction_owner"),
            models.UniqueConstraint(fields=["owner", "key"], name="giveback_once"),
            models.CheckConstraint(
                condition=~Q(state="promised") | Q(due_on__isnull=False),
                name="giveback_promise_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_on__isnull=False)
                | ~Q(state="done") & Q(done_on=None),
                name="giveback_done_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(direction="given") | Q(state="done"), name="giveback_received_is_done"
            ),
        ]

    def __str__(self):
        return self.what

    @property
    def is_open(self):
        """Whether it is still to be given."""
        return self.state in {State.IDEA, State.PROMISED}

    def retell(self):
        """Let the story say the line that the gift has now."""
        Interaction.objects.filter(give_back=self).update(note=self.note)

    def days_past(self, day):
        """Return how many days its date is past on a local date."""
        return max((day - self.due_on).days, 0)


class Dismissed(Owned):
    """A match that shall never be proposed again: something from the shelf for a contact, or two
    contacts for each other (`contact` is the one with the lower id)."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(ShelfItem, on_delete=models.CASCADE, null=True, related_name="+")
    other = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["owner", "contact"], name="dismissed_of_owner")]
        constraints = [
            SameOwner(field="contact", name="dismissed_contact_owner"),
            SameOwner(field="item", name="dismissed_item_owner"),
            SameOwner(field="other", name="dismissed_other_owner"),
            models.UniqueConstraint(
                fields=["contact", "item"], name="dismissed_item_once", condition=Q(other=None)
            ),
            models.UniqueConstraint(
                fields=["contact", "other"], name="dismissed_pair_once", condition=Q(item=None)
            ),
            models.CheckConstraint(
                condition=Q(other=None) | Q(contact__lt=F("other")), name="dismissed_pair_in_order"
            ),
        ]

    def __str__(self):
        return f"{self.contact}: {self.item or self.other}"
