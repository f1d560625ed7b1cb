from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from followups.planning import CannotDo
from introductions import offering, steps
from introductions.acting import act, newest_undoable, person_named, refuse
from introductions.blurbs import joint, not_now
from introductions.forms import AnswerForm, OfferEditForm, OfferForm, SideForm
from introductions.models import Offer
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_OR_POST)
def offer_new(request):
    people = {name: person_named(request, name) for name in ("one", "other")}
    form = OfferForm(request.user, request.POST or None, people)
    return _form(request, form, "introductions/offer_new.html")


@require_http_methods(GET_OR_POST)
def offer_edit(request, offer_id):
    row = _offer(request, offer_id)
    form = OfferEditForm(row, request.POST or None)
    return _form(request, form, "introductions/offer_edit.html", offer=row)


def _form(request, form, template, **context):
    context |= {"form": form}
    if not form.is_bound:
        return render_page(request, template, context)
    if not form.is_valid():
        return render_page(request, template, context, status=422)
    try:
        return redirect(form.save())
    except CannotDo as problem:
        form.add_error(None, str(problem))
        return render_page(request, template, context, status=422)


@require_safe
def offer(request, offer_id):
    row = _offer(request, offer_id)
    done = newest_undoable(request.user, row, row.one, row.other)
    context = {
        "offer": row,
        "waiting": steps.steps_of_offer(row),
        "joint": joint(row, request.user) if row.is_open and row.agreed else None,
        "to_tell": [(side, not_now(side, request.user)) for side in row.to_tell],
        "done": done,
        "undone": row.get_absolute_url(),
    }
    return render_page(request, "introductions/offer.html", context)


@require_POST
def offer_ask(request, offer_id):
    """Begin to ask one of the two."""
    row, form = _offer(request, offer_id), SideForm(request.POST)
    if not form.is_valid():
        return refuse(request, row, form)
    side, spoken = form.cleaned_data["side"], form.cleaned_data["spoken"]
    said = f"{row.side(side).contact.given_name} is asked first. A no stays with you."
    return act(request, row, lambda: offering.ask_side(row, side, spoken=spoken), said)


@require_POST
def offer_answer(request, offer_id):
    """Note what one of the two said."""
    row, form = _offer(request, offer_id), AnswerForm(request.POST)
    if not form.is_valid():
        return refuse(request, row, form)
    side, yes = form.cleaned_data["side"], form.cleaned_data["answer"] == "yes"
    said = f"Noted: {row.side(side).contact.given_name} said {'yes' if yes else 'no'}."
    key = form.cleaned_data["key"]
    return act(request, row, lambda: offering.answer(row, side, yes, key=key), said)


@require_POST
def offer_told(request, offer_id):
    """Whoever waited knows that it does not fit."""
    row, form = _offer(request, offer_id), SideForm(request.POST)
    if not form.is_valid():
        return refuse(request, row, form)
    side, key = form.cleaned_data["side"], form.cleaned_data["key"]
    said = f"{row.side(side).contact.given_name} knows. Kindly done."
    return act(request, row, lambda: offering.told(row, side, key=key), said)


@require_POST
def offer_made(request, offer_id):
    row = _offer(request, offer_id)
    said = "They know each other now. That counts as given to both."
    return act(request, row, lambda: offering.made(row), said)


@require_POST
def offer_let_go(request, offer_id):
    row = _offer(request, offer_id)
    return act(request, row, lambda: offering.let_go(row), "Let go. Nobody needs to be told.")


def _offer(request, offer_id):
    """Return an offer of the person with its standing."""
    rows = Offer.objects.for_user(request.user).with_people().with_standing()
    row = get_object_or_404(rows, pk=offer_id)
    row.owner = row.one.owner = row.other.owner = request.user
    return row
