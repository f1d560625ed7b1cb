"""What every answer needs: redirects and messages in htmx's terms, the person's time zone."""

from collections.abc import Callable
from urllib.parse import urlencode, urljoin, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from netcrm.htmx import HtmxRequest

GetResponse = Callable[[HtmxRequest], HttpResponse]


class HtmxRedirectMiddleware:
    """Let views say redirect() and messages.success(), whoever asks.

    Must stand below MessageMiddleware (it reads messages) and django_htmx's middleware.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HtmxRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if request.htmx:
            if 300 <= response.status_code < 400 and response.has_header("Location"):
                redirect_whole_page(request, response)
            elif is_fragment(response):
                append_messages(request, response)
        return response


def redirect_whole_page(request: HtmxRequest, response: HttpResponse) -> None:
    """Turn a redirect into HX-Redirect; htmx would put the new page inside the old one.

    Only to ourselves: a redirect to another host is left as it is, and htmx will not follow it.
    """
    location = urljoin(request.get_full_path(), response["Location"])
    if not url_has_allowed_host_and_scheme(
        location, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return
    response.status_code = 204
    response.content = b""
    del response["Location"]
    response["HX-Redirect"] = back_here_after_login(request, location)


def back_here_after_login(request: HtmxRequest, location: str) -> str:
    """Return the URL of the login page with the page that the person sees as the next one.

    When a session ends under an open page, Django's `next` is the address of the button pressed.
    """
    login = resolve_url(settings.LOGIN_URL)
    page = request.htmx.current_url_abs_path
    if urlsplit(location).path == login and page:
        return f"{login}?{urlencode({'next': page})}"
    return location


def is_fragment(response: HttpResponse) -> bool:
    """Tell whether htmx will swap this in: HTML with content, or a form with errors."""
    return (
        response.status_code in (200, 422)
        and not response.streaming
        and response.get("Content-Type", "").startswith("text/html")
    )


def append_messages(request: HtmxRequest, response: HttpResponse) -> None:
    """Append the pending messages out of band; a full page has shown (and used) its own."""
    messages = get_messages(request)
    if messages and not getattr(messages, "used", True):
        toasts = render_to_string("shell/toasts_oob.html", {"messages": messages}, request)
        response.content += toasts.encode(response.charset)


class PersonMiddleware:
    """Show times in the person's own zone, and keep their pages out of the browser's cache.

    Without no-store, Back after logging out would show the notebook to whoever sits there next.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HtmxRequest) -> HttpResponse:
        with timezone.override(zone_of(request)):
            response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


def zone_of(request: HtmxRequest) -> ZoneInfo | None:
    """Return the person's time zone: UTC if unknown here, None (the default) if signed out."""
    if not request.user.is_authenticated:
        return None
    try:
        return request.user.zone
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
