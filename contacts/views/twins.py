from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from contacts.models import Contact
from contacts.twins.duplicates import TwinsPage, not_told_apart, tell_apart
from netcrm.htmx import render_page


@require_safe
def twins(request):
    page = TwinsPage(request.user, request.GET.get("after", ""))
    return render_page(request, "contacts/twins.html", {"page": page})


@require_POST
def twins_differ(request, contact_id, other_id):
    """They are two people: the pair does not come up again."""
    contact, other = _pair(request, contact_id, other_id)
    tell_apart(request.user, contact, other)
    if request.htmx:
        return render(request, "contacts/twins_differ.html", {"contact": contact, "other": other})
    messages.success(request, f"{contact.name} and {other.name} are two people. I will remember.")
    return redirect("contacts:twins")


@require_POST
def twins_differ_undo(request, contact_id, other_id):
    contact, other = _pair(request, contact_id, other_id)
    not_told_apart(request.user, contact, other)
    messages.success(request, f"{contact.name} and {other.name} may be one person again.")
    return redirect("contacts:twins")


def _pair(request, contact_id, other_id):
    people = Contact.objects.for_user(request.user)
    contact = get_object_or_404(people, pk=contact_id)
    return contact, get_object_or_404(people.exclude(pk=contact.pk), pk=other_id)
