from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models, transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from contacts.forms import DayInput, RhythmField
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactTag,
    ContactTopic,
    Organisation,
    Tag,
    Topic,
    say_rhythm,
)
from netcrm.admin import BulkForm, DeletingAdmin, OwnedForm, OwnedInline, bulk, how_many
from netcrm.wording import one_line

LISTED = 100


class DatalistInput(forms.TextInput):
    """A text input that offers what is there already, and takes anything else too."""

    template_name = "admin/widgets/datalist.html"
    offers = ()

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        offered = f"{name}-offers"
        context["widget"]["attrs"]["list"] = offered
        return {**context, "offered": offered, "offers": self.offers}


class TagForm(BulkForm):
    name = forms.CharField(label="Tag", max_length=60, widget=DatalistInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tags = Tag.objects.for_user(self.owner)
        self.fields["name"].widget.offers = self.tags.values_list("name", flat=True)[:LISTED]


class KnownTagForm(TagForm):
    def clean_name(self):
        tag = self.tags.filter(name__iexact=self.cleaned_data["name"]).first()
        if tag is None:
            raise forms.ValidationError("There is no such tag. Choose one from the list.")
        return tag


def one_topic(name):
    """Return the name of a topic, which has no comma: it divides topics everywhere else."""
    if "," in name:
        raise forms.ValidationError("Leave the comma out: it stands between two topics.")
    return one_line(name)


class TopicForm(BulkForm):
    name = forms.CharField(label="Topic", max_length=100, widget=DatalistInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = Topic.objects.for_user(self.owner).values_list("name", flat=True)
        self.fields["name"].widget.offers = known[:LISTED]

    def clean_name(self):
        return one_topic(self.cleaned_data["name"])

    def topic(self):
        """Return the topic that was written, made if new."""
        [topic] = Topic.find_or_create(self.owner, [self.cleaned_data["name"]]).values()
        return topic


class SideForm(TopicForm):
    side = forms.ChoiceField(label="They", choices=ContactTopic.Side)
    field_order = ("side", "name")


class RhythmForm(BulkForm):
    rhythm = RhythmField()


class RowForm(OwnedForm):
    rhythm_days = RhythmField(label="Rhythm")


class EmailInline(OwnedInline):
    model = ContactEmail
    verbose_name, verbose_name_plural = "e-mail address", "e-mail addresses"


class PhoneInline(OwnedInline):
    model = ContactPhone
    verbose_name, verbose_name_plural = "number", "numbers"


class LinkInline(OwnedInline):
    model = ContactLink
    verbose_name, verbose_name_plural = "link", "links"


class TagInline(OwnedInline):
    model = ContactTag
    verbose_name, verbose_name_plural = "tag", "tags"
    autocomplete_fields = ("tag",)


class TopicInline(OwnedInline):
    model = ContactTopic
    verbose_name, verbose_name_plural = "topic", "topics"
    autocomplete_fields = ("topic",)


class TagFilter(SimpleListFilter):
    title, parameter_name = "tag", "tag"

    def lookups(self, request, model_admin):
        return Tag.objects.for_user(request.user).values_list("pk", "name")[:LISTED]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        if not self.value().isdecimal():
            raise IncorrectLookupParameters
        return queryset.filter(contacttag__tag=self.value())


class YesNoFilter(SimpleListFilter):
    """A question with two answers: `yes` is the condition, `no` leaves those rows out."""

    labels = ("Yes", "No")

    def lookups(self, request, model_admin):
        return list(zip(("yes", "no"), self.labels, strict=True))

    def queryset(self, request, queryset):
        match self.value():
            case "yes":
                return queryset.filter(**self.condition)
            case "no":
                return queryset.exclude(**self.condition)
        return queryset


class RhythmFilter(SimpleListFilter):
    title, parameter_name = "rhythm", "rhythm"

    def lookups(self, request, model_admin):
        return [
            ("due", "Time for a hello"),
            ("own", "Their own"),
            ("tag", "Through a tag"),
            ("none", "No rhythm"),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "due":
                return queryset.hello_due(request.user, request.user.today())
            case "own":
                return queryset.exclude(rhythm_days=None)
            case "tag":
                return queryset.with_rhythm().filter(rhythm_days=None, rhythm__gt=0)
            case "none":
                return queryset.with_rhythm().filter(rhythm=None)
        return queryset


class SpokenFilter(YesNoFilter):
    title, parameter_name, labels = "contacted", "contacted", ("Not yet", "Before")
    condition = {"last_interaction_on": None}


class TargetFilter(YesNoFilter):
    title, parameter_name = "target employer", "target"
    condition = {"organisation__is_target": True}


class ArchiveFilter(SimpleListFilter):
    """Leaves those who are put away out unless asked."""

    title, parameter_name = "put away", "put_away"

    def lookups(self, request, model_admin):
        return [("yes", "Put away"), ("all", "Everybody")]

    def choices(self, changelist):
        current, *others = super().choices(changelist)
        return [current | {"display": "Current"}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset.current()
            case "yes":
                return queryset.exclude(archived_at=None)
        return queryset


@admin.register(Contact)
class ContactAdmin(DeletingAdmin):
    form = RowForm
    formfield_overrides = {models.DateField: {"widget": DayInput}}
    list_display = (
        "name",
        "organisation",
        "role",
        "rhythm_days",
        "last_interaction_on",
        "tag_names",
        "closed",
    )
    list_editable = ("role", "rhythm_days")
    list_select_related = ("organisation",)
    list_filter = (
        ArchiveFilter,
        RhythmFilter,
        SpokenFilter,
        TargetFilter,
        "do_not_contact",
        TagFilter,
    )
    sortable_by = ("name", "rhythm_days", "last_interaction_on")
    search_fields = ("search_text",)
    search_help_text = "Name, role, organisation, e-mail address, tag or topic"
    autocomplete_fields = ("organisation", "introduced_by")
    inlines = (EmailInline, PhoneInline, LinkInline, TagInline, TopicInline)
    fieldsets = (
        (None, {"fields": ("name", "organisation", "role", "rhythm_days", "do_not_contact")}),
        ("How you know each other", {"fields": ("how_met", "introduced_by", "known_since")}),
        ("Notes", {"fields": ("seeks", "offers", "notes", "time_zone")}),
    )
    actions = (
        "add_tag",
        "remove_tag",
        "add_topic",
        "set_rhythm",
        "bring_back",
        *DeletingAdmin.actions,
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("tags")

    def get_search_results(self, request, queryset, search_term):
        return queryset.search(search_term), False

    @admin.display(description="tags")
    def tag_names(self, contact):
        return ", ".join(tag.name for tag in contact.tags.all())

    @admin.display(description="do not contact")
    def closed(self, contact):
        return "yes" if contact.do_not_contact else ""

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        form.instance.reindex()

    @bulk("Add a tag…", TagForm, "Add the tag")
    def add_tag(self, request, rows, form):
        with transaction.atomic():
            tag = Tag.find_or_create(request.user, form.cleaned_data["name"])
            rows.tag(tag)
            self.log_changes(request, rows, f"Added the tag “{tag}”.")
        return f"Added the tag “{tag}” to {how_many(self, len(rows))}."

    @bulk("Remove a tag…", KnownTagForm, "Remove the tag")
    def remove_tag(self, request, rows, form):
        with transaction.atomic():
            tag = form.cleaned_data["name"]
            rows = rows.filter(pk__in=list(rows.filter(tags=tag).values_list("pk", flat=True)))
            ContactTag.objects.filter(tag=tag, contact__in=rows.values("pk")).delete()
            rows.reindex()
            self.log_changes(request, rows, f"Removed the tag “{tag}”.")
        return f"Removed the tag “{tag}” from {how_many(self, len(rows))}."

    @bulk("Seek or offer a topic…", SideForm, "Add the topic")
    def add_topic(self, request, rows, form):
        side = form.cleaned_data["side"]
        with transaction.atomic():
            topic = form.topic()
            rows.add_topic(side, topic)
            self.log_changes(request, rows, f"Now {side} “{topic}”.")
        verb = {"seeks": "look for", "offers": "know about"}[side]
        return f"Noted of {how_many(self, len(rows))}: they {verb} “{topic}”."

    @bulk("Set the rhythm…", RhythmForm, "Set the rhythm")
    def set_rhythm(self, request, rows, form):
        days = form.cleaned_data["rhythm"]
        rhythm = say_rhythm(days) if days else "no rhythm"
        self.update_rows(request, rows, f"Set the rhythm: {rhythm}.", rhythm_days=days)
        return f"{how_many(self, len(rows)).capitalize()}: {rhythm}."

    @bulk("Bring back…", button="Bring them back")
    def bring_back(self, request, rows, form):
        rows = rows.exclude(archived_at=None)
        count = self.update_rows(request, rows, "Brought back.", archived_at=None)
        return f"Brought back {how_many(self, count)}."

    @transaction.atomic
    def update_rows(self, request, rows, message, **columns):
        """Set columns of all rows at once, with an entry in the history of each."""
        self.log_changes(request, rows, message)
        return (
            self.get_queryset(request)
            .filter(pk__in=[row.pk for row in rows])
            .update(**columns, updated_at=timezone.now())
        )


class NameAdmin(DeletingAdmin):
    """Organisations, tags, topics: their names are words that a search for people finds."""

    search_fields = ("name",)
    person = "pk"

    @admin.display(description="people")
    def people(self, row):
        return row.people

    def get_queryset(self, request):
        mine = self.with_contacts.filter(**{self.column: OuterRef("pk")}).order_by()
        people = Count(self.person, distinct=True)
        counts = mine.values(self.column).annotate(count=people).values("count")
        return super().get_queryset(request).annotate(people=Coalesce(Subquery(counts), 0))

    def contacts_of(self, rows):
        """Return the ids of the contacts that have one of the rows."""
        return list(
            Contact.objects.filter(**{f"{self.path}__in": rows}).values_list("pk", flat=True)
        )

    @transaction.atomic
    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and "name" in form.changed_data:
            Contact.objects.filter(pk__in=self.contacts_of([obj])).reindex()

    def delete_model(self, request, obj):
        self.delete_queryset(request, self.model.objects.filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        contacts = self.contacts_of(queryset)
        super().delete_queryset(request, queryset)
        Contact.objects.filter(pk__in=contacts).reindex()


@admin.register(Organisation)
class OrganisationAdmin(NameAdmin):
    with_contacts, column, path = Contact.objects, "organisation", "organisation"
    list_display = ("name", "people", "is_target", "website")
    list_editable = ("is_target",)
    list_filter = ("is_target",)
    sortable_by = ("name",)
    fields = ("name", "website", "is_target", "notes")


@admin.register(Tag)
class TagAdmin(NameAdmin):
    form = RowForm
    with_contacts, column, path = ContactTag.objects, "tag", "tags"
    list_display = ("name", "people", "rhythm_days")
    list_editable = ("rhythm_days",)
    sortable_by = ("name", "rhythm_days")
    fields = ("name", "rhythm_days")
