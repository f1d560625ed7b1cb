"""One's own playbooks: list, write, copy, bring a built-in one back, delete."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from followups import pursuing
from followups.models import OPEN, Channel, Playbook, PlaybookPreset
from followups.playbook_forms import BringBackForm, PlaybookEditForm, copied, missing_presets
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]
UNDER_WAY = Count("follow_ups", filter=Q(follow_ups__state__in=OPEN))
FIRST_STEPS = [
    {"wait": 0, "channel": "email", "hint": "A short e-mail with one question."},
    {"wait": 5, "channel": "call", "hint": "One call."},
    {"wait": 5, "channel": "decide", "hint": "Try another way in, let it rest, or let go."},
]


@require_safe
def playbook_list(request):
    playbooks = list(Playbook.objects.for_user(request.user).annotate(under_way=UNDER_WAY))
    context = {
        "playbooks": playbooks,
        "presets": missing_presets(playbooks),
        **_first_tries(request.user),
    }
    return render_page(request, "followups/playbook_list.html", context)


@require_http_methods(GET_OR_POST)
def playbook_new(request):
    playbook = Playbook(owner=request.user, steps=FIRST_STEPS)
    return _editor(request, playbook, "followups/playbook_new.html")


@require_http_methods(GET_OR_POST)
@transaction.atomic
def playbook_edit(request, playbook_id):
    if request.method == "POST":
        _lock(request.user)
    playbook = _playbook(request, playbook_id)
    return _editor(request, playbook, "followups/playbook_edit.html")


def _editor(request, playbook, template):
    form = PlaybookEditForm(request.POST or None, instance=playbook)
    if request.method != "POST" or form.is_draft:
        return render_page(request, template, {"form": form}, ["playbook-form"])
    if not form.is_valid():
        return render_page(request, template, {"form": form}, ["playbook-form"], status=422)
    name = form.save().name
    messages.success(request, f"{name} is saved. New follow-ups go by it.")
    return redirect("followups:playbook_list")


@require_POST
def playbook_preview(request):
    """Show the days of what is typed into the editor, saved or not. It changes nothing; it is a
    POST because the words of thirty steps do not fit into an address."""
    form = PlaybookEditForm(request.POST, instance=Playbook(owner=request.user))
    return render(request, "followups/playbook_preview.html", {"form": form})


@require_POST
def playbook_copy(request, playbook_id):
    playbook = _playbook(request, playbook_id)
    copy = copied(playbook, request.user, f"Copy of {playbook.name}")
    messages.success(request, "Here is your copy. Change what you like.")
    return redirect("followups:playbook_edit", copy.pk)


@require_POST
def playbook_bring_back(request):
    """Bring a built-in playbook back, beside what the person made of theirs."""
    form = BringBackForm(request.user, request.POST)
    if form.is_valid():
        messages.success(request, f"{form.save().name} is back.")
    else:
        messages.error(request, "That playbook is among yours already.")
    return redirect("followups:playbook_list")


@require_http_methods(GET_OR_POST)
@transaction.atomic
def playbook_delete(request, playbook_id):
    """Ask, saying what happens; then delete. The last one that a first try begins with stays."""
    if request.method == "POST":
        _lock(request.user)
    playbook = _playbook(request, playbook_id)
    is_last = playbook.is_last_pursuit()
    if request.method == "POST" and not is_last:
        playbook.delete()
        messages.success(request, f"{playbook.name} is deleted. What was under way goes on.")
        return redirect("followups:playbook_list")
    pursuits = Playbook.objects.for_user(request.user).filter(ends_on_answer=True)
    context = {
        "playbook": playbook,
        "is_last": is_last,
        "under_way": playbook.follow_ups.open().count(),
        "successor": pursuits.exclude(pk=playbook.pk).first(),
        "is_built_in": PlaybookPreset.objects.filter(slug=playbook.slug).exists(),
        **_first_tries(request.user),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "followups/playbook_delete.html", context, status=status)


def _playbook(request, playbook_id):
    mine = Playbook.objects.for_user(request.user)
    playbook = get_object_or_404(mine, pk=playbook_id)
    playbook.owner = request.user  # spares a query: the form asks for the owner's days
    return playbook


def _lock(user):
    """Until the end of the transaction nobody else changes a playbook of this user: two requests
    at once must not each leave the other's as the last pursuit, and take that away."""
    list(Playbook.objects.for_user(user).select_for_update(no_key=True).values_list("pk"))


def _first_tries(user):
    """Return the playbooks with which a first try that nobody answers begins (rule 1)."""
    return {
        "first_call": pursuing.default_playbook(user, Channel.CALL),
        "first_email": pursuing.default_playbook(user, Channel.EMAIL),
    }
