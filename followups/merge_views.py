from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from contacts.forms.twins import MergeForm
from contacts.models import Contact, Merge
from followups import merging
from followups.planning import CannotDo
from netcrm.htmx import render_page

# What moves along, by the names that the rooms above gave it: (relations, one, many).
MOVING = [
    (("interactions",), "moment", "moments"),
    (("follow_ups",), "follow-up", "follow-ups"),
    (("attended",), "coffee", "coffees"),
    (("introductions_asked", "introductions"), "introduction", "introductions"),
    (("give_backs",), "gift", "gifts"),
    (("involved",), "opening", "openings"),
]


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request, contact_id, other_id):
    """Two entries beside each other: what of whom holds, and what moves along."""
    people = Contact.objects.for_user(request.user).select_related("organisation", "introduced_by")
    kept = get_object_or_404(people, pk=contact_id)
    if kept.merges.undoable().filter(before__other=other_id).exists():
        # The same form sent twice.
        return redirect(kept)
    other = get_object_or_404(people.exclude(pk=kept.pk), pk=other_id)
    form = MergeForm(kept, other, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "kept": kept, "other": other, "moving": _moving(other)}
        status = 422 if form.is_bound else 200
        return render_page(request, "followups/merge.html", context, status=status)
    kept.owner = request.user
    _merge(request, kept, other, form.choices)
    return redirect(kept)


def _merge(request, kept, other, choices):
    """Make one person of two, and say so with the way back; or say why they stay two."""
    try:
        action = merging.merge(kept, other, choices)
    except CannotDo as problem:
        messages.error(request, str(problem))
    else:
        merged = kept.merges.get(before__action=action.pk)
        undo = reverse("followups:merge_undo", args=[merged.pk])
        messages.success(request, action.said, extra_tags=undo)


@require_POST
def merge_undo(request, merge_id):
    """Part two entries again."""
    merges = Merge.objects.for_user(request.user).exclude(kept=None).select_related("kept")
    merged = get_object_or_404(merges, pk=merge_id)
    merged.kept.owner = request.user
    try:
        kept = merging.part(merged)
        messages.success(request, f"{merged.name} and {kept.name} are two people again.")
    except CannotDo as problem:
        messages.error(request, str(problem))
    return redirect(merged.kept)


def _moving(other):
    """Return in words how much of each kind hangs on a contact."""
    counts = [
        (sum(getattr(other, name).count() for name in names), one, many)
        for names, one, many in MOVING
    ]
    return [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
