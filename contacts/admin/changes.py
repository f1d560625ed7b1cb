"""Changes of many people in the admin site: how one is begun and told, and the list of all of them,
each with Undo."""

import uuid

from django import forms
from django.contrib import admin, messages
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

from contacts import bulk as changing
from contacts.models import BulkChange
from netcrm.admin import BulkForm, OwnedAdmin, bulk

STAYED_SHOWN = 100


class PeopleForm(BulkForm):
    """What an action on people asks before it begins: nothing, unless it has fields."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, owner, data=None):
        super().__init__(owner, data, initial={"key": uuid.uuid4()})

    def asked(self):
        """Return what the verb (contacts.bulk) is asked for."""
        return {}

    @property
    def once(self):
        """The key under which this very form is one change: sent twice it is, and not if it was
        filled in differently on the way back."""
        if not (key := self.cleaned_data["key"]):
            return None
        sent = {name: self.data.getlist(name) for name in sorted(self.data)}
        sent.pop("csrfmiddlewaretoken", None)
        return uuid.uuid5(key, repr(sent))


def begin(request, verb, form, people):
    """Do to people what a form asks for, and say what came of it, or why it cannot be."""
    do(request, verb, form.asked(), people, form.once)


def do(request, verb, asked, people, key=None):
    """Do one verb of contacts.bulk to people, and say what came of it, or why it cannot be."""
    via = BulkChange.Via.ADMIN
    try:
        change = changing.start(request.user, verb, asked, people, via=via, key=key)
    except changing.CannotChange as problem:
        messages.error(request, str(problem))
    else:
        tell(request, change)


def tell(request, change):
    """Say what came of a change, or that it is under way, with the way to its page."""
    said = f"{changing.say(change)} "
    link = "Look at it, or undo it" if change.can_undo else "Look at it"
    if change.state in BulkChange.UNFINISHED:
        said = f"Under way for {changing.people(change.total)}. "
        link = "See how far it has come"
    address = reverse("admin:contacts_bulkchange_change", args=[change.pk])
    messages.success(request, format_html('{}<a href="{}">{}</a>', said, address, link))


class StandingFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request, model_admin):
        return BulkChange.State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(BulkChange)
class BulkChangeAdmin(OwnedAdmin):
    """Every change of many people, from here and from the app. It is looked at and undone."""

    list_display = ("said", "came_of_it", "when", "where", "standing")
    list_filter = (StandingFilter, "via")
    sortable_by = ("when",)
    fields = ("came_of_it", "when", "where", "standing", "stayed_people")
    readonly_fields = fields
    actions = ("undo_changes",)
    change_form_template = "admin/contacts/bulkchange/change_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).defer("chosen", "asked")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def render_change_form(self, request, context, **kwargs):
        title = {"title": str(kwargs["obj"]), "subtitle": None}
        return super().render_change_form(request, context | title, **kwargs)

    @admin.display(ordering="created_at")
    def when(self, change):
        return date_format(timezone.localtime(change.created_at), "j M Y, H:i")

    @admin.display()
    def where(self, change):
        return change.get_via_display()

    @admin.display(description="what came of it")
    def came_of_it(self, change):
        if change.is_going_back:
            return f"{changing.people(change.done)} still to be put back"
        if change.state in BulkChange.UNFINISHED:
            return f"{change.done:,} of {changing.people(change.total)} so far"
        return f"{change.error} {changing.say(change)}".strip()

    @admin.display(description="state", ordering="state")
    def standing(self, change):
        if change.is_going_back:
            return "Going back"
        return change.get_state_display()

    @admin.display(description="who stayed, and why")
    def stayed_people(self, change):
        rows = change.rows.filter(owner=change.owner_id).exclude(why="").select_related("contact")
        shown = list(rows[: STAYED_SHOWN + 1])
        lines = [(f"{row.contact or 'Somebody who is gone'}: {row.why}",) for row in shown]
        if len(lines) > STAYED_SHOWN:
            lines[STAYED_SHOWN:] = [("And others.",)]
        return (
            format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines)) if lines else "–"
        )

    def get_urls(self):
        undo = self.admin_site.admin_view(self.undo_view)
        undo.model_admin = self  # as Django does for the pages that it knows
        address = path("<int:object_id>/undo/", undo, name="contacts_bulkchange_undo")
        return [address, *super().get_urls()]

    @method_decorator(require_POST)
    def undo_view(self, request, object_id):
        change = self.get_object(request, str(object_id))
        self._undo(request, change)
        return redirect("admin:contacts_bulkchange_change", change.pk)

    @bulk("Undo…", button="Undo them", limit=100, warning="The newest is undone first.")
    def undo_changes(self, request, rows, form):
        for change in rows.order_by("-created_at", "-pk"):
            self._undo(request, change)

    def _undo(self, request, change):
        change.owner = request.user
        if changing.undo(change):
            tell(request, change)
        else:
            messages.error(request, f"{change}: {changing.why_not_undone(change)}")
