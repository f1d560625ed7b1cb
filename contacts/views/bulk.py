"""Pages of changes of many people: the bar of the list, the progress, the result, undo."""

import uuid

from django.contrib import messages
from django.db.models import Count, F
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts import bulk as changing
from contacts.forms.bulk import EXPORTS, LONGEST_ID, MERGE, BulkForm, MergeForm
from contacts.lists.listing import Asked, PeoplePage
from contacts.models import BulkChange, Contact
from contacts.views.exports import file_of
from contacts.views.lists import people
from netcrm.htmx import render_page, way_back

CHANGES_SHOWN = 50
STAYED_SHOWN = 50


@require_POST
def bulk(request):
    """Do something to the people who were ticked; the address says in which list."""
    page = PeoplePage(request.user, Asked.read(request.GET), request.user.today())
    form = BulkForm(request.user, request.POST, page.asked.address())
    if not form.is_valid():
        return people(request, form, status=422)
    whom = form.people(page.in_order)
    if form.doing in EXPORTS:
        return file_of(request, whom, form.doing)
    try:
        if form.doing == MERGE:
            return redirect(where_to_merge(whom))
        change = changing.start(request.user, form.verb, form.asked(), whom, key=form.once)
    except changing.CannotChange as problem:
        form.add_error(None, str(problem))
        return people(request, form, status=422)
    return _after(request, change, reverse("contacts:contact_list") + page.asked.address())


def _after(request, change, back):
    """Say what came of a change and go back, or show how far it has come."""
    if change.state in BulkChange.UNFINISHED:
        return redirect("contacts:bulk_change", change.pk)
    undo = reverse("contacts:bulk_undo", args=[change.pk]) if change.can_undo else ""
    messages.success(request, changing.say(change), extra_tags=undo)
    return redirect(back)


def where_to_merge(whom):
    """Return the page where entries become one. Raises CannotChange if two to ten are not."""
    most = changing.VERBS[MERGE].most
    ids = list(whom.values_list("pk", flat=True)[: most + 1])
    if not 2 <= len(ids) <= most:
        raise changing.CannotChange(
            f"Tick the entries that are one person: two of them, or up to {most}."
        )
    if len(ids) == 2:
        return reverse("followups:merge", args=ids)
    return reverse("contacts:bulk_merge", query=[("ids", pk) for pk in ids])


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_merge(request):
    """Several entries for one person: which of them stays?"""
    if request.method == "POST" and (change := _made_before(request)):
        return _after(request, change, reverse("contacts:contact", args=[change.asked["keep"]]))
    entries = _entries(request)
    form = MergeForm(entries, request.POST if request.method == "POST" else None)
    context = {"form": form, "entries": entries}
    if request.method != "POST":
        return render_page(request, "contacts/bulk_merge.html", context)
    try:
        if form.is_valid():
            return _merge(request, form, entries)
    except changing.CannotChange as problem:
        form.add_error(None, str(problem))
    return render_page(request, "contacts/bulk_merge.html", context, status=422)


def _made_before(request):
    """Return the change that the same form has made already, or None: its entries are gone."""
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None
    return BulkChange.objects.for_user(request.user).filter(key=key, verb=MERGE).first()


def _entries(request):
    """Return the entries that the address names, the one with the most to keep first."""
    most = changing.VERBS[MERGE].most
    wanted = [pk for pk in request.GET.getlist("ids") if pk.isascii() and pk.isdigit()]
    ids = [int(pk) for pk in wanted if len(pk) <= LONGEST_ID]
    entries = Contact.objects.for_user(request.user).filter(pk__in=ids[: most + 1])
    entries = entries.select_related("organisation").prefetch_related("emails", "phones")
    entries = entries.annotate(moments=Count("interactions", distinct=True))
    newest = F("last_interaction_on").desc(nulls_last=True)
    found = list(entries.order_by("-moments", newest, "id"))
    if not 2 <= len(found) <= most:
        raise Http404
    return found


def _merge(request, form, entries):
    kept = form.cleaned_data["keep"]
    ids = [entry.pk for entry in entries]
    key = form.cleaned_data["key"]
    change = changing.start(request.user, MERGE, {"keep": kept.pk}, ids, key=key)
    return _after(request, change, kept.get_absolute_url())


@require_safe
def bulk_changes(request):
    """The last changes of many people, each with Undo while it can be."""
    mine = BulkChange.objects.for_user(request.user).defer("chosen", "asked")
    return render_page(request, "contacts/bulk_changes.html", {"changes": mine[:CHANGES_SHOWN]})


def _change(request, change_id):
    mine = BulkChange.objects.for_user(request.user).defer("chosen", "asked")
    change = get_object_or_404(mine, pk=change_id)
    change.owner = request.user
    return change


@require_safe
def bulk_change(request, change_id):
    """How far a change has come, or what came of it: who stayed as they are, and why."""
    change = _change(request, change_id)
    context = {"change": change}
    if change.state not in BulkChange.UNFINISHED:
        stayed = change.rows.for_user(request.user).exclude(why="").select_related("contact")
        count = stayed.count()
        context |= {"stayed": stayed[:STAYED_SHOWN], "more": max(count - STAYED_SHOWN, 0)}
        context["said"] = changing.say(change)
    return render_page(request, "contacts/bulk_change.html", context)


@require_safe
def bulk_progress(request, change_id):
    """Answer the page that looks again every two seconds; once it is done, show the result."""
    change = _change(request, change_id)
    if change.state not in BulkChange.UNFINISHED:
        return redirect("contacts:bulk_change", change.pk)
    return render_page(request, "contacts/bulk_change.html", {"change": change}, ["progress"])


@require_POST
def bulk_undo(request, change_id):
    """Put everybody back as they were, at once or as soon as Celery gets to it."""
    change = _change(request, change_id)
    page = reverse("contacts:bulk_change", args=[change.pk])
    if not changing.undo(change):
        messages.error(request, changing.why_not_undone(change))
        return redirect(page)
    if change.state in BulkChange.UNFINISHED or change.changed:
        return redirect(page)
    messages.success(request, changing.say(change))
    return redirect(way_back(request, page))
