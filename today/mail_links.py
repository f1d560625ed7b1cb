"""The pages that the links of a mail open. They are public: the signed token is the key, and only
to the one thing that it names. Mail scanners open every link, so a GET changes nothing."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ObjectDoesNotExist
from django.core.signing import BadSignature
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from followups import planning, pursuing, undoing
from followups.forms import DayForm, OutcomeForm, offered_days
from followups.models import Action, Ending, Reminder, Via
from giveback import giving
from giveback.models import GiveBack, State
from today import links

View = Callable[[HttpRequest, str], HttpResponse]


def mail_page(view: View) -> View:
    """Open the view to everybody who has its token, and keep the token to them.

    The referrer policy of the project, same-origin, keeps the address from other hosts;
    no-referrer would also make browsers send `Origin: null`, which the CSRF check refuses.
    """

    @login_not_required
    @cache_control(private=True, no_store=True)
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(request, token):
        try:
            response = view(request, token)
        except links.ReplacedError:
            response = _gone(request, "replaced", 410)
        except links.ExpiredError:
            response = _gone(request, "expired", 410)
        except (BadSignature, ObjectDoesNotExist):
            response = _gone(request, "broken", 404)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return page


def _gone(request: HttpRequest, why: str, status: int) -> HttpResponse:
    return render(request, "today/mail_gone.html", {"why": why}, status=status)


@mail_page
def mail_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, and act on the POST: once, and only while the reminder still asks."""
    link = links.read_action(token)
    with timezone.override(link.user.zone):
        if request.method != "POST" or link.verb == links.CHOOSE:
            return _show(request, link)
        days = DayForm(link.user.today(), request.POST)
        if "undo" in request.POST:
            _undo(request, _newest(link))
        elif link.verb == links.SNOOZE and not days.is_valid():
            return _show(request, link, error="Choose one of these days.", status=422)
        else:
            _try(request, lambda: _act_once(link, days, uuid.uuid5(uuid.NAMESPACE_URL, token)))
    return redirect(request.path)


@mail_page
def mail_promise(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, and act on the POST, as long as the promise is open and its day has come."""
    link = links.read_promise(token)
    with timezone.override(link.user.zone):
        if request.method != "POST":
            return _show_promise(request, link)
        days = DayForm(link.user.today(), request.POST)
        if "undo" in request.POST:
            _undo(request, _newest_of(link.promise))
        elif link.verb == links.SNOOZE and not days.is_valid():
            return _show_promise(request, link, error="Choose one of these days.", status=422)
        else:
            _try(request, lambda: _act_on_promise(link, days))
    return redirect(request.path)


@csrf_exempt  # RFC 8058: the mail provider posts, without cookies. The token is the proof.
@mail_page
def mail_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the digest on a POST, also on the one-click POST of a mail provider."""
    user = links.read_unsubscribe(token)
    if request.method == "POST":
        user.digest_on = False
        user.plan_digest(timezone.now())
        user.save(update_fields=["digest_on", "digest_next_on", "digest_next_at"])
    return render(request, "today/mail_unsubscribe.html", {"stopped": not user.digest_on})


def _show(request: HttpRequest, link: links.Link, error: str = "", status: int = 200):
    contact = link.reminder.follow_up.contact
    if link.reminder.closed_at:
        action = _newest(link)
        context = {"contact": contact, "action": action, "can_undo": _may_undo(action)}
        return render(request, "today/mail_done.html", context)
    context = _question(link) | {"contact": contact, "error": error}
    return render(request, "today/mail_link.html", context, status=status)


def _show_promise(
    request: HttpRequest, link: links.PromiseLink, error: str = "", status: int = 200
) -> HttpResponse:
    contact, today = link.promise.contact, link.user.today()
    context = {"contact": contact, "error": error}
    if not _asks(link):
        action = _newest_of(link.promise)
        context |= {"action": action, "can_undo": _may_undo(action)}
        return render(request, "today/mail_done.html", context)
    verb = links.PROMISE_VERBS[link.verb]
    context |= {
        "verb": verb,
        "sentence": f"{verb.sentence.format(name=contact.given_name)} {link.promise.what}",
        "waited": link.promise.days_past(today),
    }
    if link.verb == links.SNOOZE:
        context["days"] = {on: value for value, on in offered_days(today).items()}
    return render(request, "today/mail_link.html", context, status=status)


def _asks(link: links.PromiseLink) -> bool:
    promise = link.promise
    return promise.state == State.PROMISED and promise.due_on <= link.user.today()


@transaction.atomic
def _act_on_promise(link: links.PromiseLink, days: DayForm) -> None:
    """Do what the link says, unless somebody was faster: the lock of the contact decides."""
    planning.lock(link.promise.contact)
    link.promise.refresh_from_db(fields=["state", "due_on"])
    if not _asks(link):
        return
    if link.verb == links.SNOOZE:
        giving.move(link.promise, days.cleaned_data["on"], via=Via.MAIL)
    elif link.verb == links.LET_GO:
        giving.let_go(link.promise, via=Via.MAIL)
    else:
        giving.keep(link.promise, link.user.today(), via=Via.MAIL)


def _newest_of(promise: GiveBack) -> Action | None:
    """Return the newest action that changed a promise: the one that remembers how it was."""
    remembered = [{"model": promise._meta.label, "id": promise.pk}]
    actions = Action.objects.filter(contact=promise.contact_id, undone_at=None)
    return actions.filter(before__rows__contains=remembered).first()


def _question(link: links.Link) -> dict[str, Any]:
    """Return what the page asks, and with which buttons."""
    follow_up, today = link.reminder.follow_up, link.user.today()
    verb, name = links.VERBS[link.verb], follow_up.contact.given_name
    question: dict[str, Any] = {
        "verb": verb,
        "sentence": verb.sentence.format(name=name, rest_days=follow_up.rest_days),
        "waited": link.reminder.waited(today),
    }

    def path(each):
        return links.action_path(link.user, link.reminder, each)

    if link.verb == links.SNOOZE:
        # A week from a Monday is a Monday too: each day once.
        question["days"] = {on: value for value, on in offered_days(today).items()}
    elif link.verb == links.CHOOSE:
        question["snooze"] = path(links.SNOOZE)
        verbs = dict.fromkeys([*links.verbs_for(follow_up), links.REST])
        question["choices"] = [(links.VERBS[each], path(each)) for each in verbs]
    return question


@transaction.atomic
def _act_once(link: links.Link, days: DayForm, key: uuid.UUID) -> None:
    """Do what the link says, unless somebody was faster: the lock of the contact decides."""
    follow_up, today = link.reminder.follow_up, link.user.today()
    planning.lock(follow_up.contact)
    if not Reminder.objects.open().filter(pk=link.reminder.pk).exists():
        return
    if link.verb == links.SNOOZE:
        pursuing.snooze(follow_up, days.cleaned_data["on"], via=Via.MAIL)
    elif link.verb == links.REST:
        pursuing.rest(follow_up, via=Via.MAIL)
    elif link.verb == links.LET_GO:
        pursuing.end(follow_up, Ending.LET_GO, via=Via.MAIL)
    else:
        form = OutcomeForm({"outcome": link.verb, "turn": link.reminder.turn, "key": key})
        form.full_clean()
        entry = form.entry(follow_up, today)
        pursuing.log(follow_up.contact, entry, via=Via.MAIL, follow_up=follow_up)


def _undo(request: HttpRequest, action: Action | None) -> None:
    if _may_undo(action):
        _try(request, lambda: undoing.undo(action))


def _try(request: HttpRequest, verb: Callable[[], object]) -> None:
    try:
        verb()
    except pursuing.CannotDo as problem:
        messages.error(request, str(problem))


def _newest(link: links.Link) -> Action | None:
    return link.reminder.follow_up.actions.filter(undone_at=None).first()


def _may_undo(action: Action | None) -> bool:
    """Tell whether a mail may undo it: only what a mail has done, and not for ever."""
    return action is not None and action.via == Via.MAIL and action.can_undo
