"""Making room: the backlog, breaks, and the days that come."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from followups import pursuing, spreading, undoing
from followups.ahead import coming_days
from followups.ahead_forms import A_WEEK, BreakForm, MoveForm, SettleForm
from followups.calendars import calendar_for
from followups.models import Action, Break, FollowUp
from followups.planning import CannotDo
from followups.schedule import say_day
from followups.spreading import say_people
from netcrm.htmx import render_page

NOBODY_LEFT = "Nothing was left to do: whoever waited was answered in the meantime."


@require_http_methods(["GET", "HEAD", "POST"])
def backlog(request):
    """Everybody who waits, with what to do about it: settled at one stroke."""
    if request.method != "POST":
        return _room(request)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _room(request, form=form, status=422)
    batch = spreading.settle(request.user, form.cleaned_data["choices"])
    done = [stroke.said for stroke in spreading.strokes(request.user) if stroke.batch == batch]
    messages.success(request, done[0] if done else NOBODY_LEFT)
    return redirect("today:today")


@require_POST
def take_break(request):
    """A quiet day, a hard week, or days off: nothing is asked, and what was planned moves."""
    form = BreakForm(request.user.today(), request.POST)
    if not form.is_valid():
        return _room(request, break_form=form, status=422)
    try:
        taken = spreading.take_break(request.user, **form.cleaned_data)
    except CannotDo as problem:
        form.add_error(None, str(problem))
        return _room(request, break_form=form, status=422)
    messages.success(request, _say_break(taken, request.user))
    begins = taken.first_on <= request.user.today()
    return redirect("today:today" if begins else "followups:backlog")


@require_POST
def end_break(request, break_id):
    """Back early, or not away after all: the days are work days again."""
    taken = get_object_or_404(Break.objects.for_user(request.user), pk=break_id)
    taken.owner = request.user
    begun = taken.first_on < request.user.today()
    spreading.end_break(taken)
    welcome = "Welcome back." if begun else f"{taken}: taken back."
    messages.success(request, f"{welcome} The dates stay where they are; bring some forward here.")
    return redirect("followups:coming")


@require_POST
def undo_batch(request, batch):
    """Take back what was done to many people at one stroke, and the break that it was for."""
    strokes = Action.objects.for_user(request.user).strokes().filter(batch=batch)
    if not strokes and not Break.objects.for_user(request.user).filter(key=batch):
        raise Http404
    try:
        undone, stayed = undoing.undo_batch(request.user, batch)
        messages.success(request, _say_undone(undone, stayed))
    except CannotDo as problem:
        messages.error(request, str(problem))
    return redirect("today:today")


@require_safe
def coming(request):
    """The next two weeks, day by day."""
    return _coming(request)


@require_POST
def move(request, follow_up_id):
    """A day earlier or a day later, from the list of what comes."""
    rows = FollowUp.objects.for_user(request.user).select_related("contact")
    follow_up = get_object_or_404(rows, pk=follow_up_id)
    follow_up.contact.owner = request.user
    status = 200
    try:
        pursuing.move(follow_up, MoveForm(request.POST).by())
    except CannotDo as problem:
        messages.error(request, str(problem))
        status = 422
    if request.htmx:
        return _coming(request, fresh=follow_up.pk, status=status)
    return redirect(f"{reverse('followups:coming')}#c-{follow_up.pk}")


def _room(request, form=None, break_form=None, status=200):
    today = request.user.today()
    found = spreading.backlog(request.user, today)
    usual = spreading.SPREAD if found.needed else spreading.KEEP
    asked = request.GET.get("all")
    context = {
        "backlog": found,
        "form": form,
        "chosen": asked if asked in spreading.CHOICES else usual,
        "break_form": break_form or BreakForm(today),
        "breaks": Break.objects.for_user(request.user).filter(last_on__gte=today),
        "today": today,
        "week_ends": today + A_WEEK,
    }
    return render_page(request, "followups/backlog.html", context, status=status)


def _coming(request, fresh=None, status=200):
    today = request.user.today()
    context = {"stretches": coming_days(request.user, today), "today": today, "fresh": fresh}
    return render_page(request, "followups/coming.html", context, ["days"], status=status)


def _say_break(taken, user):
    """Return what a break that was just taken does, in words."""
    back = say_day(calendar_for(user).on_or_after(taken.last_on + timedelta(days=1)))
    moved = [stroke.said for stroke in spreading.strokes(user) if stroke.batch == taken.key]
    away = f"Nothing is asked of you until {back}."
    if taken.first_on > user.today():
        away = f"From {say_day(taken.first_on)} nothing is asked of you until {back}."
    return " ".join([f"{taken}.", away, *moved])


def _say_undone(undone, stayed):
    said = "Undone."
    if undone:
        said += f" {say_people(undone).capitalize()} {'is' if undone == 1 else 'are'} as before."
    if stayed:
        said += f" Something newer happened with {say_people(stayed)}, so that stays."
    return said
