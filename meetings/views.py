from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.models import Contact
from followups import undoing
from followups.models import Channel, Interaction, Outcome
from followups.planning import CannotDo
from meetings import arranging, preparing
from meetings.forms import (
    CancelForm,
    ConfirmForm,
    DetailsForm,
    MeetingForm,
    OfferForm,
    PastMeetingForm,
    QuestionForm,
    ReadyForm,
    WhenForm,
)
from meetings.localtimes import next_full_hour
from meetings.models import CHECKLIST, Meeting, Question, State
from netcrm.htmx import render_page, way_back

GET_OR_POST = ["GET", "HEAD", "POST"]
PAGE = 20
# What is shown of each group of the list that is not paged.
SHOWN = 50


@require_safe
def meeting_list(request):
    words = request.GET.get("q", "").strip()[:200]
    mine = Meeting.objects.for_user(request.user).with_people().select_related("debrief")
    now = timezone.now()
    groups = [] if words else _groups(mine, now, request.user)
    shown = {meeting.pk for _, meetings in groups for meeting in meetings}
    rest = mine.search(words).newest_first() if words else mine.past().exclude(pk__in=shown)
    context = {
        "q": words,
        "now": now,
        "page": Paginator(rest, PAGE).get_page(request.GET.get("page")),
        "groups": groups,
    }
    return render_page(request, "meetings/meeting_list.html", context, ["meetings"])


def _groups(mine, now, user):
    """Return what is ahead and what asks how it was: [(heading, meetings)], empty ones left out."""
    upcoming = list(mine.upcoming(now)[: 2 * SHOWN])
    monday = user.today(now) + timedelta(days=7 - user.today(now).weekday())
    week_over = datetime.combine(monday, time(), tzinfo=user.zone)
    groups = [
        ("How was it?", list(mine.to_debrief(now)[:SHOWN])),
        ("This week", [meeting for meeting in upcoming if meeting.starts_at < week_over]),
        ("Later", [meeting for meeting in upcoming if meeting.starts_at >= week_over]),
        ("On offer", list(mine.proposed().prefetch_related("proposed_times")[:SHOWN])),
    ]
    return [(heading, meetings) for heading, meetings in groups if meetings]


@require_http_methods(GET_OR_POST)
def meeting_new(request):
    people = _asked_contact(request)
    form = MeetingForm(request.user, _posted(request), people, add=request.POST.get("add", ""))
    return _meeting_form(request, form, "meetings/meeting_new.html")


@require_http_methods(GET_OR_POST)
def meeting_log(request):
    """Write down a meeting that was; one that the story tells of already is not told twice."""
    known = _asked_interaction(request)
    if known and (attended := getattr(known, "attended", None)):
        return redirect(attended.meeting)
    form = PastMeetingForm(
        request.user,
        _posted(request),
        known=known,
        people=[known.contact] if known else _asked_contact(request),
        starts_at=_when_it_was(request.user, known),
        add=request.POST.get("add", ""),
    )
    return _meeting_form(request, form, "meetings/meeting_log.html")


def _when_it_was(user, known):
    hour_ago = next_full_hour(timezone.now(), user.time_zone) - timedelta(hours=2)
    if known and known.on != hour_ago.date():
        return datetime.combine(known.on, time(10), tzinfo=ZoneInfo(user.time_zone))
    return hour_ago


def _meeting_form(request, form, template):
    context = {"form": form}
    if request.method != "POST" or form.is_draft:
        return render_page(request, template, context, ["meeting-form"])
    if not form.is_valid():
        return render_page(request, template, context, ["meeting-form"], status=422)
    meeting = form.save()
    said = {
        State.PROPOSED: "The times are written down. Send them below, then say so.",
        State.CONFIRMED: "It is in your notebook. Here is room to prepare.",
        State.HELD: "It is in your notebook. What do you want to remember?",
    }
    messages.success(request, said.get(meeting.state, "It is in your notebook."))
    return redirect(meeting)


@require_safe
def meeting(request, meeting_id):
    """The page of one meeting: preparation before it, what is remembered after it."""
    meeting = _meeting(request, meeting_id)
    return _page(request, meeting, QuestionForm())


def _page(request, meeting, question_form, status=200):
    questions = list(meeting.questions.all())
    context = {
        "meeting": meeting,
        "questions": questions,
        "question_form": question_form,
        "people": preparing.people(meeting),
        "today": request.user.today(),
        **_undo(meeting),
        **(_ahead(request, meeting, questions) if meeting.is_ahead else {}),
    }
    partials = ["questions", "checklist"]
    return render_page(request, "meetings/meeting.html", context, partials, status)


def _ahead(request, meeting, questions):
    """Return what the page shows as long as the meeting is to come."""
    ahead = {
        "prompts": preparing.prompts(questions),
        "checklist": CHECKLIST,
        "gifts": preparing.gifts(meeting, request.user.today()),
    }
    if meeting.state == State.PROPOSED:
        ahead["times"] = meeting.proposed_times.all()
        ahead["invitations"] = preparing.invitations(meeting, request.user)
    return ahead


def _undo(meeting):
    """Return the action that undo would take back now, if any, and where that leads: undone, a
    meeting that was only just written down is gone."""
    action = preparing.undoable(meeting)
    gone = action and undoing.made(meeting) in action.before["rows"]
    return {"undoable": action, "after_undo": reverse("meetings:meeting_list") if gone else ""}


@require_http_methods(GET_OR_POST)
def meeting_edit(request, meeting_id):
    meeting = _meeting(request, meeting_id)
    form = DetailsForm(_posted(request), instance=meeting, people=meeting.people)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(meeting)
    return _ask(request, "meetings/meeting_edit.html", meeting, form)


@require_http_methods(GET_OR_POST)
def propose(request, meeting_id):
    """Offer two or three other times."""
    meeting = _meeting(request, meeting_id)
    form = OfferForm(meeting, _posted(request))
    if request.method == "POST" and form.is_valid():
        return _act(request, meeting, lambda: arranging.propose_again(meeting, form.instants))
    return _ask(request, "meetings/propose.html", meeting, form)


@require_POST
def sent(request, meeting_id):
    """The times on offer are on their way: by e-mail, unless it was a message."""
    meeting = _meeting(request, meeting_id)
    is_message = request.POST.get("channel") == Channel.MESSAGE
    channel = Channel.MESSAGE if is_message else Channel.EMAIL
    return _act(request, meeting, lambda: arranging.sent(meeting, channel))


@require_http_methods(GET_OR_POST)
def confirm(request, meeting_id):
    """Fix one of the times on offer, or another one that they named."""
    meeting = _meeting(request, meeting_id)
    chosen = ConfirmForm(meeting, request.POST if "time" in request.POST else None)
    if chosen.is_valid():
        starts_at = chosen.cleaned_data["time"].starts_at
        return _act(request, meeting, lambda: arranging.confirm(meeting, starts_at))
    return _at(request, meeting, "meetings/confirm.html", arranging.confirm)


@require_http_methods(GET_OR_POST)
def move(request, meeting_id):
    return _at(request, _meeting(request, meeting_id), "meetings/move.html", arranging.move)


def _at(request, meeting, template, verb):
    """Ask for a day and a time, and do it."""
    form = WhenForm(_posted(request), owner=request.user, zone=meeting.time_zone)
    if request.method == "POST" and form.is_valid():
        starts_at = form.cleaned_data["starts_at"]
        return _act(request, meeting, lambda: verb(meeting, starts_at))
    return _ask(request, template, meeting, form)


@require_http_methods(GET_OR_POST)
def cancel(request, meeting_id):
    meeting = _meeting(request, meeting_id)
    form = CancelForm(_posted(request))
    if form.is_valid():
        return _act(request, meeting, lambda: arranging.cancel(meeting, **form.cleaned_data))
    return _ask(request, "meetings/cancel.html", meeting, form)


@require_POST
def no_show(request, meeting_id):
    meeting = _meeting(request, meeting_id)
    return _act(request, meeting, lambda: arranging.no_show(meeting))


@require_POST
def hold(request, meeting_id):
    """It happened; what to remember of it can wait."""
    meeting = _meeting(request, meeting_id)
    return _act(request, meeting, lambda: arranging.hold(meeting))


@require_POST
def ready(request, meeting_id):
    """Tick a point of the checklist, or take the tick away."""
    meeting = _meeting(request, meeting_id)
    form = ReadyForm(request.POST)
    if form.is_valid():
        preparing.tick(meeting, **form.cleaned_data)
    return _prepared(request, meeting)


@require_POST
def question_new(request, meeting_id):
    meeting = _meeting(request, meeting_id)
    form = QuestionForm(request.POST)
    if not form.is_valid():
        return _page(request, meeting, form, status=422)
    preparing.ask(meeting, form.cleaned_data["text"])
    return _prepared(request, meeting)


@require_POST
def question_asked(request, question_id):
    """Tick a question as asked, or take the tick away."""
    question = _question(request, question_id)
    question.asked = request.POST.get("asked") == "on"
    question.save(update_fields=["asked"])
    return _prepared(request, question.meeting)


@require_POST
def question_delete(request, question_id):
    question = _question(request, question_id)
    question.delete()
    return _prepared(request, question.meeting)


@require_safe
def service_worker(request):
    """The script that keeps the pages of meetings on a device, for a café without a network. It
    stands here and not among the static files, since it may only serve what lies beside it."""
    return render(request, "meetings/worker.js", content_type="text/javascript")


def _prepared(request, meeting):
    return _page(request, meeting, QuestionForm()) if request.htmx else redirect(meeting)


def _meeting(request, meeting_id):
    meetings = Meeting.objects.for_user(request.user).with_people().select_related("debrief")
    meeting = get_object_or_404(meetings, pk=meeting_id)
    meeting.owner = request.user  # spares a query: the engine asks for the owner's days
    return meeting


def _question(request, question_id):
    mine = Question.objects.for_user(request.user).select_related("meeting")
    question = get_object_or_404(mine, pk=question_id)
    question.meeting.owner = request.user
    return question


def _posted(request):
    return request.POST if request.method == "POST" else None


def _asked_contact(request):
    """Return [the contact that the address names], or []."""
    if "contact" not in request.GET:
        return []
    return [get_object_or_404(Contact.objects.for_user(request.user), pk=_id(request, "contact"))]


def _asked_interaction(request):
    """Return the interaction that the address names, one that tells of a meeting, or None."""
    if "interaction" not in request.GET:
        return None
    met = Interaction.objects.for_user(request.user).filter(outcome=Outcome.MET)
    met = met.select_related("contact", "attended__meeting")
    return get_object_or_404(met, pk=_id(request, "interaction"))


def _id(request, name):
    asked = request.GET[name]
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise Http404
    return int(asked)


def _act(request, meeting, verb):
    """Do it; the page of the meeting says what was done, with Undo beside it. What cannot be done
    is said in a sentence."""
    back = way_back(request, meeting.get_absolute_url())
    try:
        action = verb()
    except CannotDo as problem:
        messages.error(request, str(problem))
    else:
        if action and back != meeting:
            messages.success(request, action.said)
    return redirect(back)


def _ask(request, template, meeting, form):
    status = 422 if request.method == "POST" else 200
    context = {"meeting": meeting, "form": form}
    return render_page(request, template, context, status=status)
