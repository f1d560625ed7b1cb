"""Bulk edits of introductions. What moves one goes through its verbs, row by row, since it moves a
follow-up too."""

from django.contrib import admin

from followups.admin import ENGINE_LIMIT, also, for_each
from followups.models import Via
from introductions import asking, offering
from introductions.models import Introduction, Offer
from netcrm.admin import SearchedAdmin, bulk, how_many

DELETING = "Their follow-ups go on. This cannot be undone."


class MovingAdmin(SearchedAdmin):
    """Rows that are asked for on their pages, and moved by verbs."""

    people: tuple[str, ...]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(*self.people)

    def has_add_permission(self, request, obj=None):
        return False

    def each(self, request, rows, verb, done_as):
        """Do a verb of each row; return the sentence that says what happened."""

        def as_me(row):
            for name in self.people:
                if person := getattr(row, name):
                    person.owner = request.user
            verb(row)

        done, refused = for_each(rows, as_me)
        self.log_changes(request, done, f"{done_as}.")
        return f"{done_as}: {how_many(self, len(done))}.{also(self, refused)}"

    @bulk("Let go…", button="Let them go", limit=ENGINE_LIMIT)
    def let_go(self, request, rows, form):
        return self.each(request, rows, self.letting_go, "Let go")

    @bulk("Delete…", button="Delete them", limit=2000, warning=DELETING)
    def delete_rows(self, request, rows, form):
        return self.delete_all(request, rows)


@admin.register(Introduction)
class IntroductionAdmin(MovingAdmin):
    people = ("introducer", "target")
    list_display = ("wanted", "introducer", "target", "stage", "asked_on", "made_on", "why", "ask")
    list_editable = ("why", "ask")
    list_filter = ("stage",)
    search_help_text = "Who, through whom, why"
    sortable_by = ("wanted", "asked_on", "made_on")
    fields = (
        "wanted",
        "introducer",
        "target",
        "stage",
        "asked_on",
        "promised_on",
        "made_on",
        "thanked_on",
        "ended_on",
        "why",
        "ask",
    )
    readonly_fields = fields[:-2]
    actions = ("thank", "let_go", *SearchedAdmin.actions)

    def letting_go(self, row):
        asking.let_go(row, via=Via.ADMIN)

    @bulk("Thanked…", button="They were thanked", limit=ENGINE_LIMIT)
    def thank(self, request, rows, form):
        return self.each(request, rows, lambda row: asking.thanked(row, via=Via.ADMIN), "Thanked")


@admin.register(Offer)
class OfferAdmin(MovingAdmin):
    people = ("one", "other")
    list_display = ("one", "one_answer", "other", "other_answer", "why", "made_on", "ended_on")
    list_editable = ("why",)
    list_filter = ("one_answer", "other_answer")
    search_help_text = "One of the two, or why"
    sortable_by = ("made_on", "ended_on")
    fields = (
        "one",
        "one_answer",
        "one_asked_on",
        "other",
        "other_answer",
        "other_asked_on",
        "made_on",
        "ended_on",
        "why",
    )
    readonly_fields = fields[:-1]
    actions = ("let_go", *SearchedAdmin.actions)

    def letting_go(self, row):
        offering.let_go(row, via=Via.ADMIN)
