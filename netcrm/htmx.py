"""Answer with a page, or with the part of it that htmx asked to replace."""

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request after django_htmx's middleware."""

    htmx: HtmxDetails


def render_page(
    request: HtmxRequest,
    template: str,
    context: dict[str, Any] | None = None,
    partials: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render the page, or one of its partials if htmx replaces the element of that id.

    The server chooses: a target that is not in `partials` gets the full page. Answer a form with
    errors with status 422. Messages travel along by themselves (netcrm.middleware).
    """
    target = request.htmx.target if request.htmx else None
    name = f"{template}#{target}" if target in partials else template
    return render(request, name, context, status=status)


def way_back(request: HttpRequest, otherwise: str) -> str:
    """Return where a form came from: a page of ours named in its field `next`, else `otherwise`."""
    url = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None) and url.startswith("/")
    return url if ours else otherwise
