"""People, and everything that is written about one."""

from collections import defaultdict
from datetime import timedelta

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import (
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from contacts.models.labels import Organisation, Tag, Topic
from contacts.models.searching import ALPHABETICAL, NAMES, SearchedQuerySet
from contacts.models.words import (
    IDEAL,
    LATE,
    LONGEST_RHYTHM,
    NOT_THIS_WEEK,
    digits_of,
    handle_of,
    searched,
)
from netcrm.localtime import instant
from netcrm.models import is_time_zone
from netcrm.owned import Owned, SameOwner, owner_key

# What hangs on contacts and is searched, in the order of searchable().
SEARCHED = (
    "emails__address",
    "tags__name",
    "contact_topics__topic__name",
    "phones__number",
    "links__url",
)
# bulk_update() would build a CASE with a branch for every row.
REINDEX = """
UPDATE contacts_contact AS contact SET search_text = new.search_text
FROM unnest(%s::bigint[], %s::text[]) AS new(id, search_text)
WHERE contact.id = new.id
"""


def _between(field, first, last):
    bounds = {f"{field}__gte": first, f"{field}__lte": last}
    return {bound: value for bound, value in bounds.items() if value is not None}


class ContactQuerySet(SearchedQuerySet):
    def current(self):
        return self.filter(archived_at=None)

    def namesakes(self, name):
        """Return the contacts of exactly that name, case ignored."""
        return self.current().annotate(lowered=Lower("name")).filter(lowered=Lower(Value(name)))

    def tagged(self, owner, name):
        """Return the contacts that have the owner's tag of that name, case ignored."""
        tags = ContactTag.objects.for_user(owner)
        named = tags.annotate(lowered=Lower("tag__name")).filter(lowered=Lower(Value(name)))
        return self.filter(pk__in=named.values("contact"))

    def at(self, owner, name):
        """Return the contacts of the owner's organisation of that name, case ignored."""
        named = Organisation.objects.for_user(owner).named([name])
        return self.filter(organisation__in=named.values("pk"))

    def in_period(self, what, first, last, zone):
        """Return the contacts who were `spoken` to for the last time, were `met`, were `added` or
        became `known` from the first to the last local day, None being open."""
        if what == "met":
            met = self.model._meta.get_field("interactions").related_model.objects
            met = met.filter(contact=OuterRef("pk"), owner=OuterRef("owner"), outcome="met")
            return self.filter(Exists(met.filter(**_between("on", first, last))))
        if what == "added":
            start = first and instant(first, 0, zone)
            end = last and instant(last + timedelta(days=1), 0, zone) - timedelta.resolution
            return self.filter(**_between("created_at", start, end))
        on = {"spoken": "last_interaction_on", "known": "known_since"}[what]
        return self.filter(**_between(on, first, last))

    def with_rhythm(self):
        """Annotate `rhythm`: the contact's own days, else the shortest of its tags, else None."""
        of_tags = (
            Tag.objects.filter(contacttag__contact=OuterRef("pk"), rhythm_days__isnull=False)
            .order_by("rhythm_days")
            .values("rhythm_days")[:1]
        )
        return self.annotate(rhythm=Coalesce("rhythm_days", Subquery(of_tags)))

    def hello_due(self, owner, today):
        """Return the owner's contacts whose rhythm has come round, longest past first. A contact
        never spoken to counts; while a follow-up is open the rhythm is silent.

        `passed` is what has passed of the rhythm, a whole rhythm written as a day: from IDEAL on
        it is time for a hello, from LATE on it is late.
        """
        tagged = ContactTag.objects.for_user(owner).filter(tag__rhythm_days__isnull=False)
        since = ExpressionWrapper(
            Value(today) - F("last_interaction_on"), output_field=models.DurationField()
        )
        passed = ExpressionWrapper(since / F("rhythm"), output_field=models.DurationField())
        pursued = self._follow_ups().open().filter(owner=owner, contact=OuterRef("pk"))
        mine = self.model.objects.for_user(owner)
        return (
            self.for_user(owner)
            .current()
            .among(
                mine.filter(rhythm_days__isnull=False), mine.filter(pk__in=tagged.values("contact"))
            )
            .filter(
                Q(hello_not_before=None) | Q(hello_not_before__lte=today),
                ~Exists(pursued),
                do_not_contact=False,
            )
            .with_rhythm()
            .annotate(passed=Coalesce(passed, Value(IDEAL)))
            .filter(passed__gte=IDEAL)
            .order_by("-passed", "id")
        )

    # Follow-ups are a room above this one: what is known of them here, is known by name.

    def _follow_ups(self):
        return self.model._meta.get_field("follow_ups").related_model.objects

    def pursued(self):
        """Return contacts with an open follow-up."""
        return self.filter(Exists(self._follow_ups().open().filter(contact=OuterRef("pk"))))

    def due(self):
        """Return contacts whom an open reminder asks for."""
        return self._pursued(reminders__isnull=False, reminders__closed_at=None)

    def waiting_on_them(self, today):
        """Return contacts who were tried and whose next try is on a day to come."""
        return self._pursued(state="active", next_on__gt=today)

    def resting(self):
        return self._pursued(state="resting")

    def never_contacted(self):
        return self.filter(last_interaction_on=None)

    def _pursued(self, **conditions):
        """Return contacts with a follow-up that meets all conditions, each contact once."""
        conditions["owner"] = F("owner")
        pursued = self.filter(**{f"follow_ups__{name}": rule for name, rule in conditions.items()})
        return self.filter(pk__in=pursued.order_by().values("pk"))

    def with_standing(self):
        """Fetch with each contact its `open_follow_ups`, the one to show first, and their open
        reminders: two queries, however many contacts."""
        follow_ups = self._follow_ups()
        reminders = follow_ups.model._meta.get_field("reminders").related_model
        # Active before paused before resting; one that asks now has no date and comes first.
        ordered = follow_ups.open().order_by("state", F("next_on").asc(nulls_first=True))
        asking = Prefetch("reminders", reminders.objects.open())
        return self.prefetch_related(
            Prefetch("follow_ups", ordered.prefetch_related(asking), to_attr="open_follow_ups")
        )

    def reindex(self):
        """Bring `search_text` up to date, in a constant number of queries."""
        contacts = list(self.select_related("organisation").order_by())
        ids = [contact.pk for contact in contacts]
        addresses, tags, topics, numbers, links = (self._words_of(ids, path) for path in SEARCHED)
        texts = [
            contact.searchable(
                addresses[contact.pk],
                tags[contact.pk],
                topics[contact.pk],
                numbers[contact.pk],
                links[contact.pk],
            )
            for contact in contacts
        ]
        with connection.cursor() as cursor:
            cursor.execute(REINDEX, [ids, texts])

    def _words_of(self, ids, path):
        """Return {id: the values at the end of a path of relations} of contacts; one query."""
        rows = self.model.objects.filter(pk__in=ids, **{f"{path}__isnull": False})
        found = defaultdict(list)
        for pk, word in rows.order_by(path).values_list("pk", path):
            found[pk].append(str(word))
        return found


class Contact(Owned):
    """A person; may be not yet met."""

    name = models.CharField(max_length=200)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.SET_NULL, null=True, blank=True, related_name="contacts"
    )
    role = models.CharField(max_length=200, blank=True)
    how_met = models.CharField("how you met", max_length=300, blank=True)
    introduced_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="led_to"
    )
    known_since = models.DateField(null=True, blank=True)
    seeks = models.TextField("what they seek", blank=True)
    offers = models.TextField("what they offer", blank=True)
    notes = models.TextField("worth remembering", blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[is_time_zone])
    tags = models.ManyToManyField(Tag, through="ContactTag", blank=True, related_name="contacts")
    rhythm_days = models.PositiveSmallIntegerField(
        "rhythm",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_RHYTHM)],
        help_text="How often to stay in touch when nothing is being pursued.",
    )
    # "Not this week": the rhythm keeps silent until that local date.
    hello_not_before = models.DateField(null=True, editable=False)
    do_not_contact = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    # Newest interaction; a back-dated one never moves it backwards.
    last_interaction_on = models.DateField(null=True, editable=False)
    # What search looks through: see reindex().
    search_text = models.TextField(editable=False, default="")
    # What came with an import and has no field: [value, label] pairs, exported again.
    details = models.JSONField(default=list, blank=True, editable=False)
    # Given by the form: the same form sent twice is one person.
    key = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Annotated by with_rhythm() and hello_due().
    rhythm: int | None
    passed: timedelta
    # What contacts.lists.ordering.page_of() found it by.
    edge: list

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["owner", "name", "id"], name="contact_by_name"),
            models.Index("owner", ALPHABETICAL, "id", name="contact_alphabetical"),
            models.Index(fields=["owner", "organisation"], name="contact_by_organisation"),
            models.Index(
                fields=["owner", "last_interaction_on", "id"],
                name="contact_with_rhythm",
                condition=Q(rhythm_days__isnull=False),
            ),
            models.Index(
                fields=["owner", "last_interaction_on", "id"], name="contact_by_last_interaction"
            ),
            GinIndex(
                OpClass("owner_id", "int8_ops"),
                OpClass("search_text", "gin_trgm_ops"),
                name="contact_search",
            ),
            GinIndex(
                OpClass("owner_id", "int8_ops"),
                OpClass(NAMES, "gin_trgm_ops"),
                name="contact_names",
            ),
        ]
        constraints = [
            owner_key("contact"),
            models.UniqueConstraint(
                fields=["owner", "key"], name="contact_once", condition=Q(key__isnull=False)
            ),
            SameOwner(field="organisation", name="contact_organisation_owner"),
            SameOwner(field="introduced_by", name="contact_introduced_by_owner"),
            models.CheckConstraint(
                condition=Q(rhythm_days=None) | Q(rhythm_days__gt=0), name="contact_rhythm"
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("contacts:contact", args=[self.pk])

    @property
    def given_name(self):
        return self.name.split()[0] if self.name.strip() else self.name

    @property
    def position(self):
        """Return role and organisation in words; empty when neither is known."""
        return ", ".join(filter(None, [self.role, self.organisation and self.organisation.name]))

    def searchable(self, addresses=(), tags=(), topics=(), numbers=(), links=()):
        """Return what search looks through, from the fields at hand: everything written about
        the contact, and its e-mail addresses, tags, topics, telephone numbers and links. The
        first line is the name, a tab and the organisation."""
        organisation = self.organisation.name if self.organisation else ""
        words = [self.role, *addresses, *tags, *topics, *map(digits_of, numbers)]
        words += [self.how_met, self.seeks, self.offers, self.notes]
        words += [*map(handle_of, links), *(value for value, _ in self.details)]
        return f"{searched(self.name)}\t{searched(organisation)}\n{searched(' '.join(words))}"

    def reindex(self):
        """Bring `search_text` up to date and save it."""
        self.search_text = self.searchable(
            self.emails.values_list("address", flat=True),
            self.tags.values_list("name", flat=True),
            self.contact_topics.values_list("topic__name", flat=True),
            [str(phone.number) for phone in self.phones.all()],
            self.links.values_list("url", flat=True),
        )
        self.save(update_fields=["search_text"])

    def tag(self, name):
        """Give the contact a tag, made if new; giving it twice is harmless."""
        tag = Tag.find_or_create(self.owner, name)
        ContactTag.objects.get_or_create(owner=self.owner, contact=self, tag=tag)
        self.reindex()

    def untag(self, tag):
        ContactTag.objects.filter(contact=self, tag=tag).delete()
        self.reindex()

    @property
    def topics(self):
        """The topics of the contact, {side: [Topic]}, by name; one query."""
        rows = self.contact_topics.select_related("topic").order_by("topic__name")
        sides = {side.value: [] for side in ContactTopic.Side}
        for row in rows:
            sides[row.side].append(row.topic)
        return sides

    def set_topics(self, side, names):
        """Let the contact seek or offer exactly the topics of these names; new ones are made.
        Whoever calls it brings the search up to date: reindex()."""
        topics = Topic.find_or_create(self.owner, names).values()
        self.contact_topics.filter(side=side).exclude(topic__in=topics).delete()
        ContactTopic.objects.bulk_create(
            [
                ContactTopic(owner=self.owner, contact=self, topic=topic, side=side)
                for topic in topics
            ],
            ignore_conflicts=True,
        )

    @property
    def rhythm_tag(self):
        """The tag that gives the contact its rhythm: the shortest counts. None when the contact
        has one of its own, or none at all."""
        tags = [] if self.rhythm_days else [tag for tag in self.tags.all() if tag.rhythm_days]
        return min(tags, key=lambda tag: tag.rhythm_days, default=None)

    @property
    def is_late(self):
        """Whether half of the rhythm has passed again, of a contact from hello_due()."""
        return self.passed >= LATE

    def not_this_week(self, today):
        """Keep the rhythm silent for a week."""
        self.hello_not_before = today + NOT_THIS_WEEK
        self.save(update_fields=["hello_not_before"])

    def hello_after_all(self):
        """Let the rhythm ask again as soon as it has come round."""
        self.hello_not_before = None
        self.save(update_fields=["hello_not_before"])

    def archive(self):
        """Put the contact away: out of the list and of all rhythms, with everything kept."""
        if self.archived_at is None:
            self.archived_at = timezone.now()
            self.save(update_fields=["archived_at"])

    def restore(self):
        self.archived_at = None
        self.save(update_fields=["archived_at"])

    def mark_bounced(self, day):
        """Note that a mail to the address in use came back on a day; return it, or None."""
        address = self.emails.filter(bounced_on=None).first()
        if address:
            address.bounced_on = day
            address.save(update_fields=["bounced_on"])
        return address

    def touch(self, day):
        """Note an interaction on a day: the last interaction never moves backwards."""
        if self.last_interaction_on is None or day > self.last_interaction_on:
            self.last_interaction_on = day
            self.save(update_fields=["last_interaction_on"])


class ContactTag(Owned):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)

    class Meta:
        indexes = [models.Index(fields=["owner", "tag"], name="contact_tag_of_owner")]
        constraints = [
            models.UniqueConstraint(fields=["contact", "tag"], name="contact_tag_once"),
            SameOwner(field="contact", name="contact_tag_contact_owner"),
            SameOwner(field="tag", name="contact_tag_tag_owner"),
        ]

    def __str__(self):
        return f"{self.contact}: {self.tag}"


class ContactTopic(Owned):
    """A contact seeks a topic, or offers it."""

    class Side(models.TextChoices):
        SEEKS = "seeks", "Seeks"
        OFFERS = "offers", "Offers"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="contact_topics")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="contact_topics")
    side = models.CharField(max_length=6, choices=Side)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "side", "topic"], name="contact_topic_of_owner")]
        constraints = [
            models.UniqueConstraint(fields=["contact", "topic", "side"], name="contact_topic_once"),
            SameOwner(field="contact", name="contact_topic_contact_owner"),
            SameOwner(field="topic", name="contact_topic_topic_owner"),
        ]

    def __str__(self):
        return f"{self.contact} {self.side} {self.topic}"


class ContactEmail(Owned):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="emails")
    address = models.EmailField("e-mail address")
    label = models.CharField(max_length=40, blank=True)
    # The last mail to it came back: no draft goes there until somebody corrects it.
    bounced_on = models.DateField(null=True, editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index("owner", Lower("address"), name="contact_email_address")]
        constraints = [SameOwner(field="contact", name="contact_email_owner")]

    def __str__(self):
        return self.address


class ContactPhone(Owned):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="phones")
    number = PhoneNumberField()
    label = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "number"], name="contact_phone_number")]
        constraints = [SameOwner(field="contact", name="contact_phone_owner")]

    def __str__(self):
        return str(self.number)


class ContactLink(Owned):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="links")
    url = models.URLField("link", max_length=500)
    label = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "url"], name="contact_link_url")]
        constraints = [SameOwner(field="contact", name="contact_link_owner")]

    def __str__(self):
        return self.label or self.url


class ContactPhoto(Owned):
    """A small picture of a contact, drawn anew from what was imported (contacts.files.photos)."""

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="photo")
    image = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["owner"], name="contact_photo_of_owner")]
        constraints = [SameOwner(field="contact", name="contact_photo_owner")]

    def __str__(self):
        return f"Photo of {self.contact}"
