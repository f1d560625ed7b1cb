"""Pages of the list of people: the list itself, its columns, and the lists kept under a name."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.forms.bulk import BulkForm
from contacts.forms.lists import ColumnsForm, SavedViewForm
from contacts.lists.listing import Asked, PeoplePage
from contacts.models import SavedView
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
def contact_list(request):
    return people(request, BulkForm(request.user))


@require_safe
def list_everyone(request):
    """How many people the list has: the number in the offer to change them all."""
    return render_page(request, "contacts/list_everyone.html", {"page": _page(request)})


def people(request, bulk, status=200, keep=None):
    """Show the list of the address; `bulk` is the form around it, `keep` the one of its name."""
    page = _page(request)
    context = {
        "page": page,
        "asked": page.asked,
        "today": page.today,
        "bulk": bulk,
        "keep": keep or SavedViewForm(SavedView(owner=request.user)),
    }
    return render_page(request, "contacts/contact_list.html", context, ["people"], status)


def _page(request):
    return PeoplePage(request.user, Asked.read(request.GET), request.user.today())


def _back_to(address):
    return redirect(reverse("contacts:contact_list") + address)


@require_POST
def list_columns(request):
    """Choose the columns of every list, or of the one list whose address names its own."""
    form = ColumnsForm(request.user, request.POST)
    asked = _page(request).asked
    if not form.is_valid():
        return _back_to(asked.address())
    if asked.columns:
        return _back_to(asked.address(columns=form.cleaned_data["columns"]))
    form.save()
    return _back_to(asked.address())


@require_POST
def saved_view_new(request):
    """Keep the list of the address under a name."""
    query = _page(request).query
    form = SavedViewForm(SavedView(owner=request.user, query=query), request.POST)
    if not (form.is_valid() and form.save()):
        return people(request, BulkForm(request.user), 422, form)
    messages.success(request, f"“{form.view}” is kept. You find it above the list.")
    return _back_to(query)


@require_safe
def saved_views(request):
    mine = SavedView.objects.for_user(request.user)
    return render_page(request, "contacts/saved_views.html", {"views": mine})


@require_http_methods(GET_OR_POST)
def saved_view_edit(request, view_id):
    view = get_object_or_404(SavedView.objects.for_user(request.user), pk=view_id)
    form = SavedViewForm(view, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, f"The list is called “{view}” now.")
        return redirect("contacts:saved_views")
    status = 422 if request.method == "POST" else 200
    context = {"view": view, "form": form}
    return render_page(request, "contacts/saved_view_edit.html", context, status=status)


@require_POST
def saved_view_delete(request, view_id):
    view = get_object_or_404(SavedView.objects.for_user(request.user), pk=view_id)
    view.delete()
    messages.success(request, f"“{view}” is no longer kept. The people all stay.")
    return redirect("contacts:saved_views")
