"""What people belong to, are called by, and talk about."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower

from contacts.models.words import LONGEST_RHYTHM, plain
from netcrm.owned import Owned, OwnedQuerySet, owner_key


class NamedQuerySet(OwnedQuerySet):
    def named(self, names):
        """Return those that have one of the names; the database decides what is the same name."""
        lowered = [Lower(Value(name)) for name in names]
        return self.annotate(lowered=Lower("name")).filter(lowered__in=lowered)


class Named(Owned):
    """A row that is known by its name, and made when somebody writes a new one."""

    objects = NamedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self):
        return self.name

    @classmethod
    def find_or_create(cls, owner, names):
        """Return {plain name: row} for the names, making those that are missing; a constant
        number of queries, safe when two do it at once."""
        first_spelling = {}
        for name in names:
            first_spelling.setdefault(plain(name), name)
        known = cls.objects.for_user(owner)
        found = {plain(row.name): row for row in known.named(first_spelling.values())}
        missing = [name for key, name in first_spelling.items() if key not in found]
        if missing:
            cls.objects.bulk_create(
                [cls(owner=owner, name=name) for name in missing], ignore_conflicts=True
            )
            found |= {plain(row.name): row for row in known.named(missing)}
        return found


class Organisation(Named):
    """An employer or group."""

    name = models.CharField(max_length=200)
    website = models.URLField(blank=True)
    is_target = models.BooleanField("on my list of target employers", default=False)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            owner_key("organisation"),
            models.UniqueConstraint("owner", Lower("name"), name="organisation_once"),
        ]


class Tag(Owned):
    name = models.CharField(max_length=60)
    rhythm_days = models.PositiveSmallIntegerField(
        "rhythm",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_RHYTHM)],
        help_text="For everybody with this tag who has no rhythm of their own.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            owner_key("tag"),
            models.UniqueConstraint("owner", Lower("name"), name="tag_once"),
            models.CheckConstraint(
                condition=Q(rhythm_days=None) | Q(rhythm_days__gt=0), name="tag_rhythm"
            ),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def find_or_create(cls, owner, name):
        """Return the owner's tag of that name, case ignored."""
        tag, _ = cls.objects.get_or_create(owner=owner, name__iexact=name, defaults={"name": name})
        return tag

    @transaction.atomic
    def remove(self):
        """Delete the tag. Whoever had it stays, and is no longer found by its name."""
        contacts = self.contacts.model.objects
        tagged = list(self.contacts.values_list("pk", flat=True))
        self.delete()
        contacts.filter(pk__in=tagged).reindex()


class TopicQuerySet(NamedQuerySet):
    def like(self, words):
        """Return the topics whose name has the words in it, accents and case ignored."""
        return self.filter(name__unaccent__icontains=words)


class Topic(Named):
    """Something that people seek or offer, and that things on the shelf are about."""

    name = models.CharField(max_length=100)

    objects = TopicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            owner_key("topic"),
            models.UniqueConstraint("owner", Lower("name"), name="topic_once"),
        ]
