"""What the pages of both kinds of introduction do alike: find who the page was opened for, do a
verb and say so, go back, show what can be undone."""

import uuid

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.shortcuts import redirect
from django.urls import reverse

from contacts.models import Contact
from followups.colleagues import COMPANIONS
from followups.models import Action
from followups.planning import CannotDo
from netcrm.htmx import way_back


def person_named(request, name):
    """Return the contact whose id the address gives under that name; None if it gives none of the
    person's own."""
    wanted = request.GET.get(name, "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        return None
    people = Contact.objects.for_user(request.user).select_related("organisation")
    return people.filter(pk=wanted).first()


def key_of(request):
    """Return the key that tells two submissions of one form from two forms; None without one."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None


def act(request, row, verb, said):
    """Do a verb with a row and say so, or why it cannot be; go back to where the form came from,
    else to the page of the row."""
    try:
        verb()
    except CannotDo as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, said)
    return redirect(way_back(request, row.get_absolute_url()))


def refuse(request, row, form):
    """Say what is wrong with a form that has no page of its own; nothing was changed."""
    messages.error(request, next(iter(form.errors.values()))[0])
    return redirect(way_back(request, row.get_absolute_url()))


def newest_undoable(user, row, *people):
    """Return the newest Action with one of the people that moved the row, if it can be undone."""
    moved = {"rows": [{"model": row._meta.label, "id": row.pk}]}
    newer = Action.objects.filter(contact=OuterRef("contact"), pk__gt=OuterRef("pk"))
    newer = newer.filter(undone_at=None).exclude(verb__in=COMPANIONS)
    actions = Action.objects.for_user(user).undoable().filter(contact__in=people)
    return actions.filter(~Exists(newer), before__contains=moved).first()


def back_after(action, row):
    """Return where to go once the action is undone: the row may be gone with it."""
    mine = (row._meta.label, row.pk)
    memories = action.before["rows"] if action else ()
    is_gone = any((was["model"], was["id"]) == mine and was.get("created") for was in memories)
    return reverse("introductions:introduction_list") if is_gone else row.get_absolute_url()
