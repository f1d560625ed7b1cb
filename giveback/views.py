from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.models import Contact
from followups.forms import DayForm
from followups.planning import CannotDo
from giveback import giving as verbs
from giveback import matching
from giveback.drafts import draft_with
from giveback.forms import GiftForm, GiveForm, ReceiveForm, ShelfForm
from giveback.listing import Asked, GivingPage
from giveback.models import GiveBack, ShelfItem, State
from netcrm.htmx import render_page, way_back

GET_OR_POST = ["GET", "HEAD", "POST"]
IDEAS = 20


@require_safe
def giving(request):
    today = request.user.today()
    page = GivingPage(request.user, Asked.read(request.GET), today)
    context = {"page": page, "asked": page.asked, "today": today}
    return render_page(request, "giveback/giving.html", context, ["gifts"])


@require_safe
def ideas_for(request, contact_id):
    """What one person could use, and whom they should meet."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.owner = request.user
    matches = matching.for_contact(contact, request.user.today(), IDEAS)
    context = {"contact": contact, "matches": matches, "topics": contact.topics}
    return render_page(request, "giveback/ideas_for.html", context)


@require_http_methods(GET_OR_POST)
def give_new(request):
    """Give something: to somebody, from the shelf, or both still open."""
    contact = _asked_for(request, "contact", Contact.objects.select_related("organisation"))
    item = _asked_for(request, "item", ShelfItem.objects.select_related("contact"))
    form = GiveForm(request.user, request.POST or None, contact, item)
    if request.method == "POST" and form.is_valid():
        gift = form.save()
        messages.success(request, _said(gift))
        return redirect(gift.contact)
    context = {"form": form, "contact": contact, "item": item}
    if contact and item:
        context["draft"] = draft_with(item, contact, request.user)
    return _form_page(request, "giveback/give_new.html", context)


@require_http_methods(GET_OR_POST)
def received_new(request):
    """They gave me something."""
    contact = _asked_for(request, "contact", Contact.objects.select_related("organisation"))
    form = ReceiveForm(request.user, request.POST or None, contact)
    if request.method == "POST" and form.is_valid():
        gift = form.save()
        messages.success(request, f"Noted. That was kind of {gift.contact.given_name}.")
        return redirect(gift.contact)
    return _form_page(request, "giveback/received_new.html", {"form": form, "contact": contact})


@require_http_methods(GET_OR_POST)
def gift_edit(request, give_back_id):
    rows = GiveBack.objects.for_user(request.user).select_related("contact", "interaction")
    gift = get_object_or_404(rows, pk=give_back_id)
    form = GiftForm(request.POST or None, instance=gift)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("giveback:giving")
    return _form_page(request, "giveback/gift_edit.html", {"form": form, "gift": gift})


@require_POST
def gift_keep(request, give_back_id):
    """An idea or a promise was given today."""
    gift = _gift(request, give_back_id)
    return _act(request, gift, lambda: verbs.keep(gift, request.user.today()))


@require_POST
def gift_move(request, give_back_id):
    """Promise it for another day."""
    gift = _gift(request, give_back_id)
    form = DayForm(request.user.today(), request.POST)
    if not form.is_valid():
        return _refuse(request, gift, next(iter(form.errors.values()))[0])
    return _act(request, gift, lambda: verbs.move(gift, form.cleaned_data["on"]))


@require_POST
def gift_let_go(request, give_back_id):
    gift = _gift(request, give_back_id)
    return _act(request, gift, lambda: verbs.let_go(gift))


@require_POST
def gift_delete(request, give_back_id):
    """Delete an idea. What was promised is let go, what was given stays in the story."""
    gift = get_object_or_404(GiveBack.objects.for_user(request.user), pk=give_back_id)
    deleted, _ = GiveBack.objects.ideas().filter(pk=gift.pk).delete()
    if deleted:
        messages.success(request, "The idea is gone.")
    else:
        messages.error(request, "That is more than an idea by now, so it stays.")
    return redirect("giveback:giving")


@require_http_methods(GET_OR_POST)
def shelf_new(request):
    """Put something on the shelf."""
    form = ShelfForm(request.POST or None, instance=ShelfItem(owner=request.user))
    return _shelf_form(request, form, "giveback/shelf_new.html")


@require_http_methods(GET_OR_POST)
def shelf_edit(request, item_id):
    rows = ShelfItem.objects.for_user(request.user).select_related("contact")
    item = get_object_or_404(rows, pk=item_id)
    item.owner = request.user
    return _shelf_form(
        request, ShelfForm(request.POST or None, instance=item), "giveback/shelf_edit.html"
    )


def _shelf_form(request, form, template):
    if request.method == "POST" and form.is_valid():
        item = form.save()
        messages.success(request, f"“{item}” is on your shelf.")
        return redirect("giveback:giving")
    return _form_page(request, template, {"form": form, "item": form.instance})


@require_POST
def shelf_archive(request, item_id):
    """Take something off the shelf."""
    item = get_object_or_404(ShelfItem.objects.for_user(request.user), pk=item_id)
    item.archive()
    messages.success(request, f"“{item}” is off your shelf. What you gave stays in your story.")
    return redirect("giveback:giving")


@require_POST
def shelf_restore(request, item_id):
    item = get_object_or_404(ShelfItem.objects.for_user(request.user), pk=item_id)
    item.restore()
    messages.success(request, f"“{item}” is on your shelf again.")
    return redirect("giveback:giving")


@require_POST
def item_dismiss(request, contact_id, item_id):
    """Never propose that thing for that person again."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    item = get_object_or_404(ShelfItem.objects.for_user(request.user), pk=item_id)
    matching.dismiss_item(item, contact)
    return _dismissed(request, {"contact": contact, "item": item})


@require_POST
def item_propose(request, contact_id, item_id):
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    item = get_object_or_404(ShelfItem.objects.for_user(request.user), pk=item_id)
    matching.propose_item(item, contact)
    messages.success(request, f"{contact.given_name} may be asked about it again.")
    return redirect(_back(request))


@require_POST
def pair_dismiss(request, contact_id, other_id):
    """Never propose those two for each other again."""
    contact, other = _pair(request, contact_id, other_id)
    matching.dismiss_pair(request.user, contact, other)
    return _dismissed(request, {"contact": contact, "other": other})


@require_POST
def pair_propose(request, contact_id, other_id):
    contact, other = _pair(request, contact_id, other_id)
    matching.propose_pair(request.user, contact, other)
    messages.success(request, f"{contact.given_name} and {other.given_name} may come up again.")
    return redirect(_back(request))


def _pair(request, contact_id, other_id):
    people = Contact.objects.for_user(request.user)
    contact = get_object_or_404(people, pk=contact_id)
    return contact, get_object_or_404(people.exclude(pk=contact_id), pk=other_id)


def _dismissed(request, dismissed):
    if request.htmx:
        context = {"dismissed": dismissed, "back": _back(request)}
        return render(request, "giveback/match_done.html", context)
    messages.success(request, "That will not come up again.")
    return redirect(_back(request))


def _gift(request, give_back_id):
    rows = GiveBack.objects.for_user(request.user).select_related("contact")
    gift = get_object_or_404(rows, pk=give_back_id)
    gift.contact.owner = request.user  # spares a query: the verbs ask for the owner's day
    return gift


def _asked_for(request, name, rows):
    """Return the row that the address names, or None if it names none; 404 if there is none."""
    asked = request.GET.get(name, "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    return get_object_or_404(rows.filter(owner=request.user), pk=asked)


def _form_page(request, template, context):
    status = 422 if context["form"].errors else 200
    return render_page(request, template, context, status=status)


def _said(gift):
    name = gift.contact.given_name
    match gift.state:
        case State.DONE:
            return f"Noted. {name} will be glad of it."
        case State.PROMISED:
            return f"Promised. I will bring it back on the day: {gift.what}"
    return f"An idea for {name} is kept."


def _act(request, gift, verb):
    """Do it; answer with what was done and Undo, or with why it cannot be."""
    try:
        action = verb()
    except CannotDo as problem:
        return _refuse(request, gift, str(problem))
    if request.htmx:
        context = {
            "give_back": gift,
            "action": action,
            "back": _back(request),
        }
        return render(request, "giveback/promise_done.html", context)
    messages.success(request, action.said)
    return redirect(_back(request))


def _refuse(request, gift, sentence):
    """Answer with a sentence; nothing was changed and the row stays as it is."""
    messages.error(request, sentence)
    gift.refresh_from_db(fields=["state", "due_on"])
    if request.htmx and gift.is_open:
        context = {
            "give_back": gift,
            "today": request.user.today(),
            "back": _back(request),
        }
        return render(request, "giveback/promise_row.html", context, status=422)
    return redirect(_back(request))


def _back(request):
    return way_back(request, reverse("giveback:giving"))
