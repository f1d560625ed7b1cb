"""Bulk edits of openings. Stages move through tracking.py, so that each change has its day."""

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db import models, transaction

from contacts.forms.people import DayInput
from followups.admin import also, for_each
from netcrm.admin import BulkForm, OwnedInline, SearchedAdmin, bulk, how_many
from opportunities import tracking
from opportunities.models import Involved, Opportunity, Stage, StageChange


class StageForm(BulkForm):
    stage = forms.ChoiceField(label="Where they stand now", choices=Stage)


class NextDateForm(BulkForm):
    next_on = forms.DateField(label="From when on", required=False, widget=DayInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["next_on"].help_text = "Leave it empty, and nothing asks."


class InvolvedInline(OwnedInline):
    model = Involved
    verbose_name, verbose_name_plural = "person", "people"
    autocomplete_fields = ("contact",)


class StageChangeInline(OwnedInline):
    """How it went, to be read."""

    model = StageChange
    fields = readonly_fields = ("stage", "on")
    verbose_name, verbose_name_plural = "stage", "the way so far"

    def has_add_permission(self, request, obj=None):
        return False

    has_change_permission = has_delete_permission = has_add_permission


class StandingFilter(SimpleListFilter):
    """Leaves those that are over out unless asked."""

    title, parameter_name = "standing", "standing"

    def lookups(self, request, model_admin):
        return [("over", "Over"), ("all", "All")]

    def choices(self, changelist):
        still_open, *others = super().choices(changelist)
        return [still_open | {"display": "Open"}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset.open()
            case "over":
                return queryset.over()
        return queryset


@admin.register(Opportunity)
class OpportunityAdmin(SearchedAdmin):
    formfield_overrides = {models.DateField: {"widget": DayInput}}
    list_display = (
        "title",
        "organisation",
        "stage",
        "next_step",
        "next_on",
        "heard_on",
        "closed_on",
    )
    list_editable = ("stage", "next_step", "next_on")
    list_select_related = ("organisation",)
    list_filter = (StandingFilter, "stage")
    sortable_by = ("title", "next_on", "heard_on", "closed_on")
    search_help_text = "Title, organisation, person, next step or note"
    autocomplete_fields = ("organisation",)
    inlines = (InvolvedInline, StageChangeInline)
    fields = (
        "title",
        "organisation",
        "url",
        "stage",
        "heard_on",
        "closed_on",
        "next_step",
        "next_on",
        "notes",
    )
    # The stages hang on it; its page moves them together.
    readonly_fields = ("heard_on", "closed_on")
    actions = ("move", "set_next_date", *SearchedAdmin.actions)

    def has_add_permission(self, request, obj=None):
        return False

    @transaction.atomic
    def save_model(self, request, obj, form, change):
        if "stage" in form.changed_data:
            tracking.move_to(obj, obj.stage, request.user.today())
        super().save_model(request, obj, form, change)

    @bulk("Move to a stage…", StageForm, "Move them")
    def move(self, request, rows, form):
        stage, today = Stage(form.cleaned_data["stage"]), request.user.today()
        done, refused = for_each(
            rows.exclude(stage=stage), lambda row: tracking.move_to(row, stage, today)
        )
        self.log_changes(request, done, f"Moved to “{stage.label}”.")
        return f"{stage.label}: {how_many(self, len(done))}.{also(self, refused)}"

    @bulk("Set the next date…", NextDateForm, "Set the date")
    def set_next_date(self, request, rows, form):
        with transaction.atomic():
            rows = list(rows)
            ids = [row.pk for row in rows]
            Opportunity.objects.filter(pk__in=ids).update(next_on=form.cleaned_data["next_on"])
            self.log_changes(request, rows, "Set the next date.")
        return f"Set the date of {how_many(self, len(rows))}."
