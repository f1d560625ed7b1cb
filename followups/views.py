from django.contrib import messages
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from contacts.models import Contact
from followups import pursuing
from followups.forms import (
    DayForm,
    EndForm,
    LogForm,
    LogSomethingForm,
    OutcomeForm,
    PlaybookForm,
)
from followups.models import Action, FollowUp, Playbook, Reminder
from netcrm.htmx import render_page


@require_http_methods(["GET", "HEAD", "POST"])
def log(request):
    """Log something with somebody found by name: the page behind the log dialog."""
    form = LogSomethingForm(request.user, request.POST or None)
    if request.method != "POST":
        return render_page(request, "followups/log.html", {"form": form})
    if not form.is_valid():
        context = {"form": form}
        return render_page(request, "followups/log.html", context, ["log-form"], status=422)
    return redirect(_log_once(form).contact)


def _log_once(form):
    """Log what the form says; the same form sent again, even at the same moment, adds neither a
    second interaction nor a second new person."""
    entry = form.entry()
    known = Action.objects.for_user(form.owner).filter(interaction__key=entry.key)
    try:
        with transaction.atomic():
            return known.first() or pursuing.log(form.person(), entry)
    except IntegrityError:
        return known.get()


@require_POST
def log_contact(request, contact_id):
    contact = _contact(request, contact_id)
    form = LogForm(request.user, request.POST)
    if not form.is_valid():
        context = {"form": form, "contact": contact}
        return render_page(request, "followups/log.html", context, ["log-form"], status=422)
    pursuing.log(contact, form.entry())
    return redirect(contact)


@require_POST
def begin(request, contact_id):
    contact = _contact(request, contact_id)
    form = PlaybookForm(request.user, request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of your playbooks.")
        return redirect(contact)
    try:
        pursuing.begin(contact, **form.cleaned_data)
    except pursuing.CannotDo as problem:
        messages.error(request, str(problem))
    return redirect(contact)


@require_POST
def outcome(request, follow_up_id):
    """Record what came of the try that is due."""
    follow_up = _follow_up(request, follow_up_id)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _refuse(request, follow_up, "Choose one of the buttons: what happened?")
    if form.cleaned_data["turn"] != follow_up.turn:
        return _answer(request, follow_up, follow_up.actions.first())
    entry = form.entry(follow_up, request.user.today())
    return _act(
        request, follow_up, lambda: pursuing.log(follow_up.contact, entry, follow_up=follow_up)
    )


@require_POST
def snooze(request, follow_up_id):
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.snooze(follow_up, _day(request)))


@require_POST
def skip(request, follow_up_id):
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.skip(follow_up))


@require_POST
def rest(request, follow_up_id):
    """Let it rest; without a day, as long as its playbook says."""
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.rest(follow_up, _day_or_none(request)))


@require_POST
def end(request, follow_up_id):
    follow_up = _follow_up(request, follow_up_id)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _refuse(request, follow_up, "Choose how it ended.")
    return _act(request, follow_up, lambda: pursuing.end(follow_up, **form.cleaned_data))


@require_POST
def pause(request, follow_up_id):
    """Pause until a day, or until resumed."""
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.pause(follow_up, _day_or_none(request)))


@require_POST
def resume(request, follow_up_id):
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.resume(follow_up))


@require_POST
def another_way(request, follow_up_id):
    """Answer the question at the end of a playbook with another one."""
    follow_up = _follow_up(request, follow_up_id)
    form = PlaybookForm(request.user, request.POST)
    if not form.is_valid():
        return _refuse(request, follow_up, "Choose one of your playbooks.")
    playbook = form.cleaned_data["playbook"]
    return _act(request, follow_up, lambda: pursuing.try_another_way(follow_up, playbook))


@require_POST
def do_not_contact(request, contact_id):
    contact = _contact(request, contact_id)
    pursuing.set_do_not_contact(contact)
    return redirect(contact)


@require_POST
def undo(request, action_id):
    """Put everything back as it was before an action."""
    action = get_object_or_404(Action.objects.for_user(request.user), pk=action_id)
    follow_up_id = action.follow_up_id
    try:
        contact = pursuing.undo(action)
    except pursuing.CannotDo as problem:
        messages.error(request, str(problem))
        return redirect(_back(request, action.contact))
    reminders = Reminder.objects.for_user(request.user).open().to_show()
    reminder = reminders.filter(follow_up=follow_up_id).first()
    if request.htmx and reminder:
        return _row(request, reminder)
    messages.success(request, f"Undone. {contact.given_name} is as before.")
    return redirect(_back(request, contact))


def _contact(request, contact_id):
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.owner = request.user  # spares a query: the engine asks for the owner's days
    return contact


def _follow_up(request, follow_up_id):
    rows = FollowUp.objects.for_user(request.user).select_related("contact__organisation")
    follow_up = get_object_or_404(rows, pk=follow_up_id)
    follow_up.contact.owner = request.user
    return follow_up


def _day(request):
    """Return the day that was chosen. Raises CannotDo with a sentence when it is none to come."""
    form = DayForm(request.user.today(), request.POST)
    if not form.is_valid():
        raise pursuing.CannotDo(next(iter(form.errors.values()))[0])
    return form.cleaned_data["on"]


def _day_or_none(request):
    return _day(request) if request.POST.get("on") else None


def _act(request, follow_up, verb):
    """Do it; answer with what it says happens next, or with why it cannot be."""
    try:
        return _answer(request, follow_up, verb())
    except pursuing.CannotDo as problem:
        return _refuse(request, follow_up, str(problem))


def _answer(request, follow_up, action):
    if request.htmx:
        follow_up.refresh_from_db()
        back = request.POST.get("next", "")
        context = {"follow_up": follow_up, "action": action, "back": back, "fresh": True}
        return render(request, "followups/row_done.html", context)
    # Both pages that it may go back to say what was done, with Undo beside it.
    return redirect(_back(request, follow_up.contact))


def _refuse(request, follow_up, sentence):
    """Answer with a sentence; nothing was changed and the row stays as it is."""
    messages.error(request, sentence)
    reminder = follow_up.reminders.open().to_show().first()
    if request.htmx and reminder:
        return _row(request, reminder, status=422)
    return redirect(_back(request, follow_up.contact))


def _row(request, reminder, status=200):
    context = {
        "reminder": reminder,
        "follow_up": reminder.follow_up,
        "today": request.user.today(),
        "playbooks": Playbook.objects.for_user(request.user),
        "back": request.POST.get("next", ""),
        "fresh": True,
    }
    return render(request, "followups/row.html", context, status=status)


def _back(request, contact):
    """Return where the form came from: a page of ours named in `next`, else the contact."""
    url = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts=None) and url.startswith("/"):
        return url
    return reverse("contacts:contact", args=[contact.pk])
