from django.views.decorators.http import require_safe

from netcrm.htmx import render_page
from today.search import asked, find

SHORTEST = 2


@require_safe
def search(request):
    """Look through everything that the user wrote."""
    q = asked(request.GET.get("q", ""))
    is_short = bool(q) and len(q) < SHORTEST and q.isascii()
    context = {
        "q": q,
        "is_short": is_short,
        "groups": find(request.user, q) if q and not is_short else [],
    }
    return render_page(request, "today/search.html", context, ["found"])
