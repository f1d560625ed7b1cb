"""Bulk edits of debriefs and advice. Both are written in the room of coffees, where saving makes
what they imply; here their words are put right."""

from django.contrib import admin
from django.db import models, transaction

from contacts.forms.people import DayInput
from followups.models import Via
from meetings import advising
from meetings.models import Advice, Debrief
from netcrm.admin import SearchedAdmin, bulk, how_many


class WrittenElsewhere(SearchedAdmin):
    def has_add_permission(self, request):
        return False


@admin.register(Debrief)
class DebriefAdmin(WrittenElsewhere):
    list_display = ("meeting", "went", "before", "after", "lesson", "saved_at")
    list_editable = ("went", "lesson")
    list_filter = ("went",)
    list_select_related = ("meeting",)
    search_help_text = "What you remember, the coffee, or who was there"
    fields = (
        "meeting",
        ("went", "before", "after"),
        "takeaways",
        "ideas",
        "lesson",
        "next_step",
        "saved_at",
    )
    readonly_fields = ("meeting", "saved_at")


@admin.register(Advice)
class AdviceAdmin(WrittenElsewhere):
    formfield_overrides = {models.DateField: {"widget": DayInput}}
    list_display = ("text", "contact", "debrief", "told_on")
    list_filter = (("told_on", admin.EmptyFieldListFilter),)
    list_select_related = ("contact", "debrief__meeting")
    search_help_text = "The advice, what you did with it, or who gave it"
    fields = ("contact", "debrief", "text", "what_i_did", "told_on")
    readonly_fields = ("contact", "debrief")
    actions = ("tell", "delete_rows")

    @bulk("They know what became of it…", button="They know")
    def tell(self, request, rows, form):
        with transaction.atomic():
            told = [each for each in rows.select_related("contact") if self._tell(request, each)]
            self.log_changes(request, told, "Told")
        return f"Told: {how_many(self, len(told))}."

    def _tell(self, request, advice):
        advice.contact.owner = request.user
        return advising.tell(advice, Via.ADMIN)
