from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import retarget

from contacts.models import Contact, Organisation
from followups import pursuing, undoing
from followups.colleagues import BEGUN, COMPANIONS, colleagues_of
from followups.drafts import draft_for
from followups.forms import (
    ColleagueForm,
    DayForm,
    EndForm,
    LessonForm,
    LogForm,
    LogSomethingForm,
    OutcomeForm,
    PlaybookForm,
    WorkplaceForm,
)
from followups.models import Action, FollowUp, Playbook, Reminder
from netcrm.htmx import render_page, way_back

COLLEAGUES = 6
HISTORY_PAGE = 50


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
    action = pursuing.log(contact, form.entry())
    back = way_back(request, contact.get_absolute_url())
    if back != contact.get_absolute_url():
        # The contact's own page says it by itself.
        messages.success(request, f"{contact.given_name}: {action.said}")
    return redirect(back)


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
        return _refuse(request, follow_up, _first_error(form))
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
def promise(request, follow_up_id):
    """They named a day: exactly that one."""
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.promise(follow_up, _day(request)))


@require_POST
def not_now(request, follow_up_id):
    """They said not now: ask again on the day."""
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.not_now(follow_up, _day(request)))


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
def leave_alone(request, follow_up_id):
    """Do not contact this person any more, said from the row of a follow-up."""
    follow_up = _follow_up(request, follow_up_id)
    return _act(request, follow_up, lambda: pursuing.set_do_not_contact(follow_up.contact))


@require_POST
def lesson(request, follow_up_id):
    """Keep one lesson of a follow-up that has ended or rests."""
    follow_up = _follow_up(request, follow_up_id)
    form = LessonForm(request.POST)
    if form.is_valid():
        pursuing.keep_lesson(follow_up, form.cleaned_data["lesson"])
    elif not request.htmx:
        messages.error(request, _first_error(form))
    if not request.htmx:
        return redirect(way_back(request, follow_up.contact.get_absolute_url()))
    context = {"follow_up": follow_up, "form": form, "fresh": True}
    status = 200 if form.is_valid() else 422
    return render(request, "followups/lesson.html", context, status=status)


@require_safe
def draft(request, follow_up_id):
    """What to say in the step that comes next, and the ways to open it."""
    follow_up = _follow_up(request, follow_up_id)
    context = {
        "follow_up": follow_up,
        "contact": follow_up.contact,
        "draft": draft_for(follow_up, request.user),
        "back": request.GET.get("next", ""),
    }
    return render(request, f"followups/draft.html{'#words' if request.htmx else ''}", context)


@require_http_methods(["GET", "HEAD", "POST"])
def colleague(request, follow_up_id):
    """Write to the next person at the contact's organisation: propose who, or ask for a name."""
    follow_up = _follow_up(request, follow_up_id)
    if follow_up.contact.organisation is None:
        return _workplace(request, follow_up)
    posted = request.method == "POST"
    form = ColleagueForm(follow_up.contact, request.POST if posted else None)
    if not posted or not form.is_valid():
        return _colleague(request, follow_up, form)
    if form.cleaned_data["turn"] != follow_up.turn:
        return _answer(request, follow_up, follow_up.actions.first())

    @transaction.atomic
    def write_to_them():
        return pursuing.colleague(follow_up, form.person())

    return _act(request, follow_up, write_to_them)


def _workplace(request, follow_up):
    """Ask where the contact works, before anybody there can be next."""
    form = WorkplaceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        contact, name = follow_up.contact, form.cleaned_data["organisation"]
        [contact.organisation] = Organisation.find_or_create(request.user, [name]).values()
        contact.save(update_fields=["organisation"])
        contact.reindex()
        if not request.htmx:
            return redirect(request.get_full_path())
        form = ColleagueForm(contact)
    return _colleague(request, follow_up, form)


def _colleague(request, follow_up, form):
    context = {
        "follow_up": follow_up,
        "contact": follow_up.contact,
        "form": form,
        "people": list(colleagues_of(follow_up.contact)[:COLLEAGUES]),
        "back": request.POST.get("next") or request.GET.get("next", ""),
    }
    status = 422 if form.errors else 200
    if not request.htmx:
        return render(request, "followups/colleague.html", context, status=status)
    # The forms aim at their whole row, which only an answer replaces.
    response = render(request, "followups/colleague.html#people", context, status=status)
    return retarget(response, f"#colleague-{follow_up.pk}")


@require_safe
def history(request, contact_id):
    """Everything that was done with one contact: what, when, by whom, and undone or not."""
    contact = _contact(request, contact_id)
    actions = contact.actions.select_related("follow_up", "interaction").defer("before")
    context = {
        "contact": contact,
        "page": Paginator(actions, HISTORY_PAGE).get_page(request.GET.get("page")),
        "undoable": _undoable(contact),
    }
    return render_page(request, "followups/history.html", context)


def _undoable(contact):
    """Return the ids of the actions that undo would take back now: the newest, and the newest that
    the person did, with which its companions go."""
    standing = contact.actions.filter(undone_at=None).defer("before")
    newest = (standing.first(), standing.exclude(verb__in=COMPANIONS).first())
    return {action.pk for action in newest if action and action.can_undo}


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
    # "Do not contact" belongs to no follow-up of the person, but to all.
    of_it = {"follow_up": action.follow_up} if action.follow_up else {}
    try:
        contact = undoing.undo(action)
    except pursuing.CannotDo as problem:
        messages.error(request, str(problem))
        return redirect(way_back(request, action.contact.get_absolute_url()))
    reminders = Reminder.objects.for_user(request.user).open().to_show()
    reminder = reminders.filter(follow_up__contact=contact, **of_it).first()
    # Who was written to instead has a row too, and goes with it: then the whole page comes anew.
    in_a_row = action.follow_up or action.verb == "do_not_contact"
    if request.htmx and reminder and in_a_row and action.verb != "colleague":
        return _row(request, reminder)
    messages.success(request, f"Undone. {contact.given_name} is as before.")
    return redirect(way_back(request, contact.get_absolute_url()))


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
        raise pursuing.CannotDo(_first_error(form))
    return form.cleaned_data["on"]


def _day_or_none(request):
    return _day(request) if request.POST.get("on") else None


def _first_error(form):
    return next(iter(form.errors.values()))[0]


def _act(request, follow_up, verb):
    """Do it; answer with what it says happens next, or with why it cannot be."""
    try:
        return _answer(request, follow_up, verb())
    except pursuing.CannotDo as problem:
        return _refuse(request, follow_up, str(problem))


def _answer(request, follow_up, action):
    if request.htmx:
        follow_up.refresh_from_db()
        context = {
            **_of_rows(request),
            "follow_up": follow_up,
            "action": action,
            "beside": _begun_beside(request, action),
        }
        return render(request, "followups/row_done.html", context)
    # Both pages that it may go back to say what was done, with Undo beside it.
    return redirect(way_back(request, follow_up.contact.get_absolute_url()))


def _begun_beside(request, action):
    """Return the open reminder of the next person there, if it is their turn at once."""
    if action is None or action.verb != "colleague":
        return None
    begun = {"follow_up__actions__batch": action.batch, "follow_up__actions__verb": BEGUN}
    return Reminder.objects.for_user(request.user).open().to_show().filter(**begun).first()


def _refuse(request, follow_up, sentence):
    """Answer with a sentence; nothing was changed and the row stays as it is."""
    messages.error(request, sentence)
    reminder = follow_up.reminders.open().to_show().first()
    if request.htmx and reminder:
        return _row(request, reminder, status=422)
    return redirect(way_back(request, follow_up.contact.get_absolute_url()))


def _row(request, reminder, status=200):
    context = {**_of_rows(request), "reminder": reminder, "follow_up": reminder.follow_up}
    return render(request, "followups/row.html", context, status=status)


def _of_rows(request):
    """Return what every row needs that answers in its place."""
    return {
        "today": request.user.today(),
        "playbooks": Playbook.objects.for_user(request.user),
        "back": request.POST.get("next", ""),
        "fresh": True,
    }
