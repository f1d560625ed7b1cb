"""After a meeting: the debrief in two minutes or in ten seconds, and advice to report back on."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from followups.planning import CannotDo
from meetings import advising, debriefing
from meetings.debrief_forms import (
    NOT_THIS_TIME,
    AdviceEditForm,
    DebriefForm,
    LessonForm,
    WordsForm,
    opened,
)
from meetings.models import Advice, Debrief, Meeting, State
from netcrm.htmx import render_page, way_back

GET_OR_POST = ["GET", "HEAD", "POST"]
ADVICE_PAGE = 30
LESSONS = 1


@require_http_methods(GET_OR_POST)
def debrief(request, meeting_id):
    """What one remembers of a meeting: written once, its words changed at any time."""
    meeting = _meeting(request, meeting_id)
    if sentence := _not_yet(meeting):
        messages.error(request, sentence)
        return redirect(meeting)
    known = Debrief.objects.for_user(request.user).filter(meeting=meeting).first()
    if known and known.saved_at:
        return _change(request, meeting, known)
    if request.method != "POST":
        return _page(request, opened(meeting, known and known.draft))
    if "add" in request.POST or "show" in request.POST:
        return _put_by(request, meeting, request.POST.get("add", ""))
    if "later" in request.POST:
        _put_by(request, meeting)
        messages.success(request, "Put by as it is. Finish it whenever you like.")
        return redirect("today:today")
    return _save(request, meeting)


def _put_by(request, meeting, add=""):
    """Keep the form as typed and show it again, maybe with one line more."""
    form = DebriefForm(meeting, request.POST, is_draft=True, add=add)
    debriefing.keep_draft(meeting, form.as_typed())
    return _page(request, form)


def _save(request, meeting):
    form = DebriefForm(meeting, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        debriefing.save(meeting, form.said())
    except CannotDo as problem:
        form.add_error(None, str(problem))
        return _page(request, form, status=422)
    if form.said().went == NOT_THIS_TIME:
        messages.success(request, "Kept. Not every one helps. On to the next.")
        return redirect("today:today")
    messages.success(request, f"{meeting.heading} is in your notebook.")
    return redirect(meeting)


def _page(request, form, status=200):
    context = {
        "form": form,
        "meeting": form.meeting,
        "consequences": debriefing.foresee(form.meeting, form.foretold),
        "lessons": _lessons(request.user, form.meeting),
    }
    return render_page(request, "meetings/debrief.html", context, ["debrief-form"], status)


def _change(request, meeting, known):
    words = ("went", "before", "after", "takeaways", "ideas", "lesson")
    posted = request.POST if request.method == "POST" else None
    form = WordsForm(meeting, posted, initial={name: getattr(known, name) for name in words})
    if posted is not None and form.is_valid():
        debriefing.change(meeting, form.said())
        messages.success(request, "Changed. What came of it stays as it was.")
        return redirect(meeting)
    context = {"form": form, "meeting": meeting, "saved": known}
    status = 200 if posted is None else 422
    return render_page(request, "meetings/debrief.html", context, ["debrief-form"], status)


def _lessons(user, meeting):
    """Return the newest lesson of another meeting, to begin with."""
    kept = Debrief.objects.for_user(user).exclude(lesson="").exclude(meeting=meeting)
    kept = kept.exclude(saved_at=None).order_by("-saved_at")
    people = "meeting__attendees__contact"
    return kept.select_related("meeting").prefetch_related(people)[:LESSONS]


@require_POST
def debrief_draft(request, meeting_id):
    """Keep what is typed, and answer with what saving it would make."""
    meeting = _meeting(request, meeting_id)
    form = DebriefForm(meeting, request.POST, is_draft=True)
    debriefing.keep_draft(meeting, form.as_typed())
    consequences = [] if _not_yet(meeting) else debriefing.foresee(meeting, form.foretold)
    context = {"meeting": meeting, "consequences": consequences, "put_by": timezone.localtime()}
    return render(request, "meetings/debrief_preview.html", context)


@require_POST
def debrief_short(request, meeting_id):
    """Not this time: one lesson or none, and on to the next."""
    meeting = _meeting(request, meeting_id)
    form = LessonForm(request.POST)
    context = {"meeting": meeting, "form": form, "back": request.POST.get("next", "")}
    try:
        action = debriefing.save(meeting, form.said()) if form.is_valid() else None
    except CannotDo as problem:
        form.add_error("lesson", str(problem))
    if request.htmx:
        name = "meetings/debrief_row.html" if form.errors else "meetings/debrief_done.html"
        context |= {} if form.errors else {"action": action}
        status = 422 if form.errors else 200
        return render(request, name, context, status=status)
    if form.errors:
        messages.error(request, form.errors["lesson"][0])
    else:
        messages.success(request, "Kept. Not every one helps. On to the next.")
    return redirect(way_back(request, reverse("today:today")))


def _meeting(request, meeting_id):
    rows = Meeting.objects.for_user(request.user).with_people().prefetch_related("questions")
    meeting = get_object_or_404(rows, pk=meeting_id)
    for row in (meeting, *meeting.people):
        row.owner = request.user  # spares queries: the engine asks for the owner's days
    return meeting


def _not_yet(meeting):
    """Return why there is nothing to write down about a meeting, or nothing."""
    if meeting.state not in {State.CONFIRMED, State.HELD}:
        return "That one did not take place, so there is nothing to write down."
    if meeting.starts_at > timezone.now():
        return "That one is still to come. Write it down once you have met."
    return "" if meeting.people else "The people of that one are no longer in your notebook."


@require_safe
def advice_list(request):
    """Advice I was given: what still waits to be told first, the newest of each first."""
    rows = Advice.objects.for_user(request.user).select_related("contact", "debrief__meeting")
    page = Paginator(rows.newest(), ADVICE_PAGE).get_page(request.GET.get("page"))
    return render_page(request, "meetings/advice_list.html", {"page": page})


@require_http_methods(GET_OR_POST)
def advice(request, advice_id):
    """One piece of advice: what I did with it, and the words to tell them."""
    row = _advice(request, advice_id)
    form = AdviceEditForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        row.save(update_fields=form._meta.fields)
        messages.success(request, "Kept.")
        return redirect("meetings:advice", row.pk)
    context = {"advice": row, "form": form, "draft": advising.draft_for(row, request.user)}
    status = 422 if form.errors else 200
    return render_page(request, "meetings/advice.html", context, status=status)


@require_POST
def advice_told(request, advice_id):
    """They know now what became of their advice; twice is harmless."""
    row = _advice(request, advice_id)
    advising.tell(row)
    messages.success(request, f"Noted. {row.contact.given_name} knows what became of it.")
    return redirect("meetings:advice_list")


def _advice(request, advice_id):
    rows = Advice.objects.for_user(request.user).select_related("contact", "debrief__meeting")
    row = get_object_or_404(rows, pk=advice_id)
    row.contact.owner = request.user
    return row
