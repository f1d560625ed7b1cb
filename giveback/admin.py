"""Bulk edits of gifts, the shelf and topics. Whatever moves a gift goes through the verbs of
giveback.giving, row by row: what was given stands in the story of its contact."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db import transaction
from django.utils import timezone

from contacts.admin import ArchiveFilter, NameAdmin
from contacts.admin.forms import TopicForm, one_topic
from contacts.models import ContactTopic, Topic
from followups.admin import ENGINE_LIMIT, DayForm, also, for_each
from followups.models import Interaction, Outcome, Via
from giveback import giving
from giveback.models import GiveBack, ShelfItem, ShelfTopic, State
from giveback.topics import merge_topics
from netcrm.admin import OwnedForm, OwnedInline, SearchedAdmin, bulk, how_many


class StandingFilter(SimpleListFilter):
    """Where a gift stands; leaves out what was let go unless asked."""

    title, parameter_name = "standing", "standing"

    def lookups(self, request, model_admin):
        return [("due", "Its day has come"), *State.choices, ("all", "All")]

    def choices(self, changelist):
        current, *others = super().choices(changelist)
        return [current | {"display": "Current"}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset.exclude(state=State.LET_GO)
            case "due":
                return queryset.filter(state=State.PROMISED, due_on__lte=request.user.today())
            case state if state in State.values:
                return queryset.filter(state=state)
        return queryset


@admin.register(GiveBack)
class GiveBackAdmin(SearchedAdmin):
    """What was given, promised, thought of and received. Where it stands, the actions move."""

    list_display = ("contact", "what", "kind", "direction", "state", "due_on", "done_on")
    list_editable = ("what", "kind")
    list_filter = (StandingFilter, "direction", "kind")
    list_select_related = ("contact",)
    sortable_by = ("due_on", "done_on")
    search_help_text = "What it is, its line, or the name of the person"
    autocomplete_fields = ("contact", "item")
    readonly_fields = ("direction", "state", "due_on", "done_on")
    fields = ("contact", "kind", "what", "url", "note", "item", *readonly_fields)
    actions = ("keep", "move", "let_go", *SearchedAdmin.actions)

    def get_readonly_fields(self, request, obj=None):
        # What was given to one person is not what was given to another.
        return (*self.readonly_fields, *(("contact",) if obj else ()))

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        obj.retell()

    def delete_model(self, request, obj):
        self.delete_queryset(request, self.model.objects.filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        """Delete gifts, and the moments of the story that tell of nothing else."""
        told = Interaction.objects.filter(outcome=Outcome.GAVE, give_back__in=queryset)
        told = list(told.values_list("pk", flat=True))
        super().delete_queryset(request, queryset)
        Interaction.objects.filter(pk__in=told).delete()

    @bulk("Done today…", button="Note them as given", limit=ENGINE_LIMIT)
    def keep(self, request, rows, form):
        today = request.user.today()
        return self._each(
            request, rows, lambda row: giving.keep(row, today, via=Via.ADMIN), "Given today"
        )

    @bulk("Promise for another day…", DayForm, "Move them", limit=ENGINE_LIMIT)
    def move(self, request, rows, form):
        until = form.cleaned_data["until"]
        return self._each(
            request, rows, lambda row: giving.move(row, until, via=Via.ADMIN), "Promised anew"
        )

    @bulk("Let go…", button="Let them go", limit=ENGINE_LIMIT)
    def let_go(self, request, rows, form):
        return self._each(request, rows, lambda row: giving.let_go(row, via=Via.ADMIN), "Let go")

    def _each(self, request, rows, verb, done_as):
        done, refused = for_each(rows.select_related("contact__owner"), verb)
        self.log_changes(request, done, f"{done_as}.")
        return f"{done_as}: {how_many(self, len(done))}.{also(self, refused)}"


class ShelfTopicInline(OwnedInline):
    model = ShelfTopic
    verbose_name, verbose_name_plural = "topic", "topics"
    autocomplete_fields = ("topic",)


@admin.register(ShelfItem)
class ShelfItemAdmin(SearchedAdmin):
    """Things that can be given again and again."""

    list_display = ("title", "kind", "topic_names", "url")
    list_editable = ("kind",)
    list_filter = (ArchiveFilter, "kind")
    sortable_by = ("title",)
    search_help_text = "Title, lines or topic"
    autocomplete_fields = ("contact",)
    fields = ("kind", "title", "url", "text", "contact")
    inlines = (ShelfTopicInline,)
    actions = ("take_off", "put_back", *SearchedAdmin.actions)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("topics")

    @admin.display(description="topics")
    def topic_names(self, item):
        return ", ".join(topic.name for topic in item.topics.all())

    @bulk("Take off the shelf…", button="Take them off")
    def take_off(self, request, rows, form):
        return self._put(request, rows.current(), timezone.now(), "Off the shelf")

    @bulk("Put back…", button="Put them back")
    def put_back(self, request, rows, form):
        return self._put(request, rows.exclude(archived_at=None), None, "On the shelf again")

    @transaction.atomic
    def _put(self, request, rows, archived_at, done_as):
        rows = list(rows)
        self.log_changes(request, rows, f"{done_as}.")
        ids = [row.pk for row in rows]
        ShelfItem.objects.filter(pk__in=ids).update(archived_at=archived_at)
        return f"{done_as}: {how_many(self, len(rows))}."


class TopicRowForm(OwnedForm):
    def clean_name(self):
        return one_topic(self.cleaned_data["name"])


@admin.register(Topic)
class TopicAdmin(NameAdmin):
    form = TopicRowForm
    with_contacts, column, path = ContactTopic.objects, "topic", "contact_topics__topic"
    person = "contact"
    list_display = ("name", "people")
    list_display_links = None
    list_editable = ("name",)
    sortable_by = ("name",)
    fields = ("name",)
    actions = ("merge", *NameAdmin.actions)

    @bulk("Make one of them…", TopicForm, "Make them one", limit=500)
    def merge(self, request, rows, form):
        rows = list(rows)
        with transaction.atomic():
            kept = form.topic()
            merge_topics(kept, rows)
            self.log_changes(request, [kept], "Became one with others.")
        return f"Made one of {how_many(self, len(rows))}: {kept}."
