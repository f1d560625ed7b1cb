from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import redirect

from contacts.admin.changes import PeopleForm, begin, do, tell
from contacts.admin.forms import (
    LISTED,
    EditForm,
    RhythmForm,
    RowRhythmInput,
    SideForm,
    TagForm,
    UntagForm,
)
from contacts.admin.table import TableMixin
from contacts.bulk import CannotChange
from contacts.bulk.table import note_edits
from contacts.forms.bulk import CSV, VCARD
from contacts.forms.people import DayInput, RhythmField
from contacts.lists.saved import follow
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactTag,
    ContactTopic,
    Organisation,
    Tag,
)
from contacts.views.bulk import where_to_merge
from contacts.views.exports import file_of
from netcrm.admin import DeletingAdmin, OwnedForm, OwnedInline, SearchedAdmin, bulk


class RowForm(OwnedForm):
    rhythm_days = RhythmField(label="Rhythm", widget=RowRhythmInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # A cell of a list has no label beside it.
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label


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
    through_a_tag = Exists(
        ContactTag.objects.filter(contact=OuterRef("pk"), tag__rhythm_days__isnull=False)
    )

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
                return queryset.filter(self.through_a_tag, rhythm_days=None)
            case "none":
                return queryset.filter(~self.through_a_tag, rhythm_days=None)
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
class ContactAdmin(TableMixin, SearchedAdmin):
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
    search_help_text = "Name, role, organisation, e-mail address, tag or topic"
    autocomplete_fields = ("organisation", "introduced_by")
    inlines = (EmailInline, PhoneInline, LinkInline, TagInline, TopicInline)
    fieldsets = (
        (None, {"fields": ("name", "organisation", "role", "rhythm_days", "do_not_contact")}),
        ("How you know each other", {"fields": ("how_met", "introduced_by", "known_since")}),
        ("Notes", {"fields": ("seeks", "offers", "notes", "time_zone")}),
    )
    actions = (
        *("edit", "add_tag", "remove_tag", "add_topic", "set_rhythm", "put_away", "bring_back"),
        *("merge", "export_csv", "export_vcard", *SearchedAdmin.actions),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("tags")

    @admin.display(description="tags")
    def tag_names(self, contact):
        return ", ".join(tag.name for tag in contact.tags.all())

    @admin.display(description="do not contact")
    def closed(self, contact):
        return "yes" if contact.do_not_contact else ""

    def changelist_view(self, request, extra_context=None):
        """Show the list. What was edited in its rows is one change, like every other of many."""
        if "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        request.edited = []
        with transaction.atomic():
            response = super().changelist_view(request, extra_context)
            if request.edited:
                Contact.objects.filter(pk__in=[obj.pk for obj, *_ in request.edited]).reindex()
                tell(request, note_edits(request.user, request.edited))
        return response

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if hasattr(request, "edited"):
            before = {name: form.initial[name] for name in form.changed_data}
            after = {name: form.cleaned_data[name] for name in form.changed_data}
            request.edited.append((obj, before, after))

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if not hasattr(request, "edited"):
            form.instance.reindex()

    def delete_model(self, request, obj):
        """Delete somebody as many are deleted: one change, which can be undone."""
        do(request, "delete", {}, [obj.pk])

    def response_delete(self, request, obj_display, obj_id):
        if IS_POPUP_VAR in request.POST:
            return super().response_delete(request, obj_display, obj_id)
        # What came of it is said already: back to the list, as after saving.
        return self.response_post_save_change(request, None)

    @bulk("Edit…", EditForm, "Change them", None, template="admin/contacts/contact/bulk_edit.html")
    def edit(self, request, people, form):
        begin(request, "edit", form, people)

    @bulk("Add a tag…", TagForm, "Add the tag", None)
    def add_tag(self, request, people, form):
        begin(request, "edit", form, people)

    @bulk("Remove a tag…", UntagForm, "Remove the tag", None)
    def remove_tag(self, request, people, form):
        begin(request, "edit", form, people)

    @bulk("Seek or offer a topic…", SideForm, "Add the topic", None)
    def add_topic(self, request, people, form):
        begin(request, "edit", form, people)

    @bulk("Set the rhythm…", RhythmForm, "Set the rhythm", None)
    def set_rhythm(self, request, people, form):
        begin(request, "edit", form, people)

    @bulk("Put away…", PeopleForm, "Put them away", None, "They leave your lists; nothing is lost.")
    def put_away(self, request, people, form):
        begin(request, "archive", form, people)

    @bulk("Bring back…", PeopleForm, "Bring them back", None)
    def bring_back(self, request, people, form):
        begin(request, "restore", form, people)

    @bulk(
        "Delete…",
        PeopleForm,
        "Delete them",
        None,
        "What belongs to them goes too. They can be brought back for 30 days.",
    )
    def delete_rows(self, request, people, form):
        begin(request, "delete", form, people)

    @admin.action(description="Merge…")
    def merge(self, request, people):
        """Go to the page of the app where entries for one person become one."""
        try:
            return redirect(where_to_merge(people))
        except CannotChange as problem:
            self.message_user(request, str(problem), messages.ERROR)

    @admin.action(description="Export as a table (CSV)")
    def export_csv(self, request, people):
        return file_of(request, people, CSV)

    @admin.action(description="Export as vCards")
    def export_vcard(self, request, people):
        return file_of(request, people, VCARD)


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
            follow(obj, form.initial["name"])

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
