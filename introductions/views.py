from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.models import Contact
from followups.drafts import draft_for
from followups.planning import CannotDo
from introductions import asking, steps
from introductions.acting import act, back_after, key_of, newest_undoable, person_named, refuse
from introductions.blurbs import thanks
from introductions.chains import chain_of
from introductions.forms import IntroductionEditForm, IntroductionForm, MadeForm, PromisedForm
from introductions.listing import IntroductionsPage
from introductions.models import Introduction, Stage
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
def introduction_list(request):
    page = IntroductionsPage(request.user, request.GET)
    context = {"page": page, "back": request.path}
    return render_page(request, "introductions/introduction_list.html", context, ["introductions"])


@require_http_methods(GET_OR_POST)
def introduction_new(request):
    people = {
        "introducer": person_named(request, "introducer"),
        "wanted": person_named(request, "target"),
    }
    drafting = "draft" in request.POST
    form = IntroductionForm(request.user, request.POST or None, people, is_draft=drafting)
    return _words_form(request, form, "introductions/introduction_new.html")


@require_http_methods(GET_OR_POST)
def introduction_edit(request, introduction_id):
    introduction = _introduction(request, introduction_id)
    drafting = "draft" in request.POST
    form = IntroductionEditForm(introduction, request.POST or None, is_draft=drafting)
    return _words_form(
        request, form, "introductions/introduction_edit.html", introduction=introduction
    )


def _words_form(request, form, template, **context):
    """Answer with the form; with its lines to forward drafted; or with what was saved."""
    context |= {"form": form}
    partials = ["introduction-form"]
    if form.is_draft:
        form.draft_the_lines()
    if not form.is_bound or form.is_draft:
        return render_page(request, template, context, partials)
    if not form.is_valid():
        return render_page(request, template, context, partials, status=422)
    try:
        return redirect(form.save())
    except CannotDo as problem:
        form.add_error(None, str(problem))
        return render_page(request, template, context, partials, status=422)


@require_safe
def introduction(request, introduction_id):
    row = _introduction(request, introduction_id)
    asks = row.is_unmade and row.follow_up and row.follow_up.open_reminder
    if asks:
        row.follow_up.contact = row.introducer
    done = newest_undoable(request.user, row, row.introducer)
    context = {
        "introduction": row,
        "waiting": steps.step_of(row),
        "draft": draft_for(row.follow_up, request.user) if asks else None,
        "letter": thanks(row, request.user) if row.stage == Stage.MADE else None,
        "done": done,
        "undone": back_after(done, row),
        "back": row.get_absolute_url(),
        "today": request.user.today(),
    }
    return render_page(request, "introductions/introduction.html", context)


@require_POST
def introduction_promised(request, introduction_id):
    row = _introduction(request, introduction_id)
    form = PromisedForm(request.POST)
    if not form.is_valid():
        return refuse(request, row, form)
    said = f"Noted: {row.introducer.given_name} promised to introduce you to {row.wanted}."
    return act(request, row, lambda: asking.promised(row, **form.cleaned_data), said)


@require_http_methods(GET_OR_POST)
def introduction_made(request, introduction_id):
    row = _introduction(request, introduction_id)
    form = MadeForm(row, request.POST or None)
    context = {"form": form, "introduction": row}
    template = "introductions/introduction_made.html"
    if request.method != "POST":
        return render_page(request, template, context)
    if not form.is_valid():
        return render_page(request, template, context, status=422)
    said = f"{row.introducer.given_name} introduced you. Introduced to you begins."
    return act(request, row, form.save, said)


@require_POST
def introduction_declined(request, introduction_id):
    row = _introduction(request, introduction_id)
    key = key_of(request)
    said = "Noted. A no costs nothing between the two of you."
    return act(request, row, lambda: asking.declined(row, key=key), said)


@require_POST
def introduction_thanked(request, introduction_id):
    row = _introduction(request, introduction_id)
    key = key_of(request)
    said = f"{row.introducer.given_name} knows how it went."
    return act(request, row, lambda: asking.thanked(row, key=key), said)


@require_POST
def introduction_let_go(request, introduction_id):
    row = _introduction(request, introduction_id)
    said = "Let go. There will be other doors."
    return act(request, row, lambda: asking.let_go(row), said)


@require_safe
def chain(request, contact_id):
    """Show through whom one met somebody, and to whom they led."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    context = {"contact": contact, "chain": chain_of(contact)}
    return render_page(request, "introductions/chain.html", context)


def _introduction(request, introduction_id):
    """Return an introduction of the person with its standing."""
    rows = Introduction.objects.for_user(request.user).filter(pk=introduction_id).standing()
    if not rows:
        raise Http404("No such introduction in this notebook.")
    [row] = rows
    row.owner = row.introducer.owner = request.user  # the engine asks for the owner's days
    return row
