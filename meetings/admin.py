"""Bulk edits of meetings. What moves one goes through meetings.arranging, row by row: a meeting
stands in the stories of its people and ends what was pursued."""

from datetime import timedelta

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.utils import timezone

from followups.admin import ENGINE_LIMIT, also, for_each
from followups.models import Via
from followups.planning import CannotDo
from meetings import admin_debriefs, arranging  # noqa: F401 - registers what is remembered
from meetings.forms import CancelForm
from meetings.localtimes import SkippedTime, instant_of
from meetings.models import Attendee, Meeting, ProposedTime, Question, State
from netcrm.admin import BulkForm, OwnedInline, SearchedAdmin, bulk, how_many

FARTHEST = 365


class MoveForm(BulkForm):
    days = forms.IntegerField(
        min_value=-FARTHEST,
        max_value=FARTHEST,
        initial=7,
        help_text="Backwards with a minus. Each keeps its hour on the clock.",
    )


class CancelAllForm(CancelForm, BulkForm):
    again = forms.BooleanField(label="Remind me to offer other times", required=False, initial=True)


class AttendeeInline(OwnedInline):
    """Who comes. Somebody added here would be missing in the story, so nobody is."""

    model = Attendee
    fields = readonly_fields = ("contact",)
    verbose_name, verbose_name_plural = "person", "people"

    def has_add_permission(self, request, obj=None):
        return False


class ProposedTimeInline(OwnedInline):
    model = ProposedTime


class QuestionInline(OwnedInline):
    model = Question


class WhenFilter(SimpleListFilter):
    title, parameter_name = "when", "when"

    def lookups(self, request, model_admin):
        return [("ahead", "To come"), ("told", "How was it?"), ("past", "Past")]

    def queryset(self, request, queryset):
        now = timezone.now()
        match self.value():
            case "ahead":
                return queryset.upcoming(now)
            case "told":
                return queryset.to_debrief(now)
            case "past":
                return queryset.past()
        return queryset


@admin.register(Meeting)
class MeetingAdmin(SearchedAdmin):
    """Meetings. When they are and where they stand, the actions move."""

    list_display = ("starts_at", "who", "kind", "state", "place", "purpose")
    list_editable = ("place", "purpose")
    list_filter = (WhenFilter, "state", "kind")
    ordering = ("-starts_at", "-id")
    sortable_by = ("starts_at",)
    search_help_text = "Title, place, purpose, what you remember, or who was there"
    fields = (
        "who",
        "state",
        "starts_at",
        "kind",
        "title",
        "place",
        "minutes",
        "time_zone",
        "purpose",
    )
    readonly_fields = ("who", "state", "starts_at")
    inlines = (AttendeeInline, ProposedTimeInline, QuestionInline)
    actions = ("move", "cancel", *SearchedAdmin.actions)

    def get_queryset(self, request):
        return super().get_queryset(request).with_people()

    def get_changelist_form(self, request, **kwargs):
        widgets = {"purpose": forms.Textarea(attrs={"rows": 2, "cols": 32})}
        return super().get_changelist_form(request, widgets=widgets, **kwargs)

    def has_add_permission(self, request, obj=None):
        return False

    @admin.display(description="with")
    def who(self, meeting):
        return meeting.names or "-"

    def save_model(self, request, obj, form, change):
        """Save what was edited by name; calendar programs are told."""
        arranging.change(obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    @bulk("Move by days…", MoveForm, "Move them", limit=ENGINE_LIMIT)
    def move(self, request, rows, form):
        days = timedelta(days=form.cleaned_data["days"])
        return self._each(request, rows, lambda meeting: _move_by(meeting, days), "Moved")

    @bulk(
        "Cancel…",
        CancelAllForm,
        "Cancel them",
        limit=ENGINE_LIMIT,
        warning="Only netcrm hears of it: tell the people yourself.",
    )
    def cancel(self, request, rows, form):
        asked = form.cleaned_data

        def cancel(meeting):
            arranging.cancel(meeting, **asked, via=Via.ADMIN)

        return self._each(request, rows, cancel, "Cancelled")

    def _each(self, request, rows, verb, done_as):
        done, refused = for_each(rows.select_related("owner"), verb)
        self.log_changes(request, done, f"{done_as}.")
        return f"{done_as}: {how_many(self, len(done))}.{also(self, refused)}"


def _move_by(meeting, days):
    """Move a meeting by so many days and keep its hour on the clock of its zone."""
    if meeting.state != State.CONFIRMED:
        raise CannotDo("Only a coffee that is fixed can be moved.")
    local = meeting.local_start
    try:
        starts_at = instant_of(local.date() + days, local.time(), meeting.time_zone)
    except SkippedTime as problem:
        raise CannotDo(str(problem)) from problem
    arranging.move(meeting, starts_at, via=Via.ADMIN)
