from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.models import Contact
from followups.forms import DayForm
from followups.planning import CannotDo
from followups.schedule import say_day
from netcrm.htmx import render_page, way_back
from opportunities import origins, tracking
from opportunities.forms import MoveForm, OpportunityForm, StepForm
from opportunities.models import Opportunity, Stage
from opportunities.standing import OpeningsPage

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
def opportunity_list(request):
    page = OpeningsPage(request.user, request.GET)
    context = {"page": page, "today": page.today}
    return render_page(request, "opportunities/opportunity_list.html", context, ["openings"])


@require_http_methods(GET_OR_POST)
def opportunity_new(request):
    """Keep a new opening; the address may name who it came from and what led to it."""
    people, origin = _asked(request)
    opening = Opportunity(owner=request.user, heard_on=request.user.today())
    form = OpportunityForm(request.POST or None, instance=opening, people=people, origin=origin)
    if request.method != "POST":
        return render_page(request, "opportunities/opportunity_new.html", {"form": form})
    if not form.is_valid():
        return render_page(
            request, "opportunities/opportunity_new.html", {"form": form}, status=422
        )
    opening = form.save()
    messages.success(request, f"{opening.title} is in your notebook.")
    return redirect(opening)


def _asked(request):
    """Return the people and the moment that the address names. What is not there counts as not
    asked."""
    for kind in origins.KINDS:
        moment = origins.find(request.user, f"{kind}-{request.GET.get(kind, '')}")
        if moment:
            return origins.people_of(moment), moment
    pk = request.GET.get("contact", "")
    people = Contact.objects.for_user(request.user)
    return list(people.filter(pk=pk) if pk.isascii() and pk.isdigit() else []), None


@require_safe
def opportunity(request, opportunity_id):
    return _page(request, _opening(request, opportunity_id))


@require_http_methods(GET_OR_POST)
def opportunity_edit(request, opportunity_id):
    opening = _opening(request, opportunity_id)
    people = opening.contacts.all()
    form = OpportunityForm(
        request.POST or None, instance=opening, people=people, origin=opening.origin
    )
    if request.method == "POST" and form.is_valid():
        messages.success(request, f"{form.save().title} is saved.")
        return redirect(opening)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "opening": opening}
    return render_page(request, "opportunities/opportunity_edit.html", context, status=status)


@require_http_methods(GET_OR_POST)
def opportunity_delete(request, opportunity_id):
    """Ask, saying what goes and what stays; then delete."""
    opening = _opening(request, opportunity_id)
    if request.method == "POST":
        opening.delete()
        messages.success(request, f"{opening.title} is deleted. The people are still here.")
        return redirect("opportunities:opportunity_list")
    return render_page(request, "opportunities/opportunity_delete.html", {"opening": opening})


@require_POST
def opportunity_move(request, opportunity_id):
    """Let it come to a stage, on a day."""
    opening = _opening(request, opportunity_id)
    form = MoveForm(opening, request.POST)
    if form.is_valid():
        try:
            tracking.move_to(opening, **form.cleaned_data)
        except CannotDo as problem:
            form.add_error("on", str(problem))
    if form.errors:
        return _page(request, opening, form, status=422)
    messages.success(request, _say_move(opening))
    return redirect(opening)


def _say_move(opening):
    """Say where it stands now; at the happy end also where it began, from their own notes."""
    said = f"{opening.title}: {opening.get_stage_display().lower()}."
    way = origins.way_to(opening) if opening.stage == Stage.ACCEPTED else []
    return f"{said} It began with {way[-1]}." if way else said


@require_POST
def step_plan(request, opportunity_id):
    """Set what comes next; Undo puts back what it was."""
    opening = _opening(request, opportunity_id)
    form = StepForm(request.POST)
    if not form.is_valid():
        return _refuse(request, opening, form)
    tracking.plan_step(opening, **form.cleaned_data)
    return _answer(request, opening, _say_step(opening))


@require_POST
def step_done(request, opportunity_id):
    """The next step, as the page showed it, is done."""
    opening = _opening(request, opportunity_id)
    form = StepForm(request.POST)
    if not form.is_valid():
        return _refuse(request, opening, form)
    was = form.cleaned_data
    if not tracking.step_done(opening, **was):
        return _answer(request, opening, "That was done already.")
    return _answer(request, opening, "Done. What comes next?", was)


@require_POST
def step_later(request, opportunity_id):
    """Another day for the next step."""
    opening = _opening(request, opportunity_id)
    form = DayForm(request.user.today(), request.POST)
    if not form.is_valid():
        return _refuse(request, opening, form)
    was = {"next_step": opening.next_step, "next_on": opening.next_on}
    tracking.another_day(opening, form.cleaned_data["on"])
    return _answer(request, opening, _say_step(opening), was)


def _opening(request, opportunity_id):
    rows = Opportunity.objects.for_user(request.user).with_people().with_origin()
    opening = get_object_or_404(rows, pk=opportunity_id)
    opening.owner = request.user  # spares a query: the forms ask for the owner's day
    return opening


def _page(request, opening, move_form=None, status=200):
    way = origins.way_to(opening)
    context = {
        "opening": opening,
        "way": way,
        "told": origins.tell(way),
        "form": move_form or MoveForm(opening),
        "today": request.user.today(),
    }
    return render_page(request, "opportunities/opportunity.html", context, status=status)


def _say_step(opening):
    """Say what comes next and when."""
    step = opening.next_step.rstrip(".") or "A look at it"
    if opening.next_on:
        return f"{step}: {say_day(opening.next_on, opening.owner.today())}."
    return f"Next: {step}." if opening.next_step else "Nothing is planned."


def _answer(request, opening, said, was=None):
    """Answer in the row's place, or go back with a sentence. `was` is the step to put back."""
    if not request.htmx:
        messages.success(request, f"{opening.title}: {said}")
        return redirect(way_back(request, opening.get_absolute_url()))
    today = request.user.today()
    context = {"opportunity": opening, "today": today, "back": request.POST.get("next", "")}
    if opening.next_on and opening.next_on <= today:
        return render(request, "opportunities/step_row.html", context)
    return render(request, "opportunities/step_done.html", context | {"said": said, "was": was})


def _refuse(request, opening, form):
    """Answer with what is wrong; nothing was changed."""
    messages.error(request, next(iter(form.errors.values()))[0])
    if not request.htmx:
        return redirect(way_back(request, opening.get_absolute_url()))
    context = {"opportunity": opening, "today": request.user.today()}
    context["back"] = request.POST.get("next", "")
    return render(request, "opportunities/step_row.html", context, status=422)
