from django.urls import reverse
from django.views.decorators.http import require_safe

from contacts.lists.listing import Asked
from netcrm.htmx import render_page
from today.search import SHOWN, asked, find_people, find_the_rest, shown

SHORTEST = 2


@require_safe
def search(request):
    """Look through everything that the user wrote. While somebody types, people come at once and
    ask for the rest themselves; otherwise all of it is there."""
    q = asked(request.GET.get("q", ""))
    is_short = bool(q) and len(q) < SHORTEST and q.isascii()
    context = {"q": q, "is_short": is_short}
    if q and not is_short:
        context |= _found(request, q)
    return render_page(request, "today/search.html", context, ["found", "rest"])


def _found(request, q):
    target = request.htmx.target if request.htmx else None
    found = {"as_list": _as_list(request.user, q)}
    if target == "rest":
        people = _few(request.GET.get("people"))
        return found | {"people": people, "rest": find_the_rest(request.user, q, people)}
    groups = find_people(request.user, q)
    found |= {"first": groups, "people": shown(groups)}
    if target == "found":
        return found | {"later": True}
    return found | {"rest": find_the_rest(request.user, q, shown(groups))}


def _as_list(user, q):
    """Return the address of the list of people that a phrase asks for ("not spoken for 6 months"),
    or nothing. Its words are looked for all the same: they may stand in a note."""
    meant = Asked(q=q).understood(user)
    is_phrase = meant != Asked(q=meant.q)
    return reverse("contacts:contact_list") + meant.address() if is_phrase else ""


def _few(text):
    """Return how many people are shown already."""
    return int(text) if text in map(str, range(SHOWN + 1)) else 0
