"""What htmx gets for an answer: a part of the page, a redirect of the whole page, messages."""

from zoneinfo import ZoneInfo

import pytest
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from netcrm.htmx import render_page
from netcrm.middleware import HtmxRedirectMiddleware, PersonMiddleware
from netcrm.models import User

PAGE = "<h1>People</h1>{% partialdef results inline %}<p>{{ count }} found</p>{% endpartialdef %}"


@pytest.fixture
def page(settings):
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})]
            },
        }
    ]
    return "page.html"


def make_request(path="/", *, user=None, **headers):
    """Return a request as views see it; headers are written HX_Request="true"."""
    request = RequestFactory().get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    request.user = user or AnonymousUser()
    request.session = {}
    request._messages = FallbackStorage(request)
    request.htmx = HtmxDetails(request)
    return request


def answer(request, response):
    return HtmxRedirectMiddleware(lambda request: response)(request)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "<h1>People</h1><p>3 found</p>"),
        ({"HX_Target": "results"}, "<h1>People</h1><p>3 found</p>"),
        ({"HX_Request": "true"}, "<h1>People</h1><p>3 found</p>"),
        ({"HX_Request": "true", "HX_Target": "results"}, "<p>3 found</p>"),
        ({"HX_Request": "true", "HX_Target": "secrets"}, "<h1>People</h1><p>3 found</p>"),
        ({"HX_Request": "true", "HX_Target": "../x.html"}, "<h1>People</h1><p>3 found</p>"),
    ],
)
def test_a_target_that_the_view_lists_gets_its_partial(page, headers, text):
    response = render_page(make_request(**headers), page, {"count": 3}, partials=["results"])
    assert response.content.decode() == text


def test_errors_keep_their_status(page):
    request = make_request(HX_Request="true", HX_Target="results")
    assert render_page(request, page, partials=["results"], status=422).status_code == 422


def test_without_htmx_a_redirect_stays_a_redirect():
    response = answer(make_request(), HttpResponseRedirect("/people/"))
    assert (response.status_code, response["Location"]) == (302, "/people/")


def test_htmx_redirects_the_whole_page():
    response = answer(make_request(HX_Request="true"), HttpResponseRedirect("/people/?q=ai"))
    assert (response.status_code, response["HX-Redirect"]) == (204, "/people/?q=ai")
    assert "Location" not in response


def test_a_relative_redirect_starts_at_the_address_asked_for():
    response = answer(
        make_request("/people/7/edit/", HX_Request="true"), HttpResponseRedirect("../")
    )
    assert response["HX-Redirect"] == "/people/7/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_htmx_is_never_sent_to_another_host(elsewhere):
    response = HttpResponse(status=302, headers={"Location": elsewhere})
    response = answer(make_request(HX_Request="true"), response)
    assert "HX-Redirect" not in response


def test_cookies_survive_the_translation():
    response = HttpResponseRedirect("/")
    response.set_cookie("sessionid", "kept")
    assert answer(make_request(HX_Request="true"), response).cookies["sessionid"].value == "kept"


def test_after_a_lost_session_login_leads_back_to_the_page_and_not_to_the_button():
    login = reverse("account_login")
    request = make_request(
        "/follow-ups/7/outcome/", HX_Request="true", HX_Current_URL="http://testserver/?day=3"
    )
    response = answer(request, HttpResponseRedirect(f"{login}?next=/follow-ups/7/outcome/"))
    assert response["HX-Redirect"] == f"{login}?next=%2F%3Fday%3D3"


def test_caches_keep_page_and_partial_apart():
    assert answer(make_request(), HttpResponse())["Vary"] == "HX-Request, HX-Target"


@pytest.mark.parametrize("status", [200, 422])
def test_messages_travel_with_a_partial(status):
    request = make_request(HX_Request="true")
    messages.success(request, "Noted, <b>Priya</b>.")
    text = answer(request, HttpResponse("<p>row</p>", status=status)).content.decode()
    assert text.startswith('<p>row</p><div id="toasts" hx-swap-oob="innerHTML">')
    assert "Noted, &lt;b&gt;Priya&lt;/b&gt;." in text
    assert request._messages.used


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(status=204),
        HttpResponse(status=500),
        JsonResponse({}),
        HttpResponseRedirect("/"),
    ],
    ids=["nothing", "trouble", "json", "redirect"],
)
def test_messages_wait_for_an_answer_that_can_show_them(response):
    request = make_request(HX_Request="true")
    messages.success(request, "Noted.")
    before = response.content
    assert answer(request, response).content == before
    assert not request._messages.used


def test_a_page_that_showed_its_messages_does_not_show_them_twice():
    request = make_request(HX_Request="true")
    messages.success(request, "Noted.")
    shown = "".join(str(message) for message in messages.get_messages(request))
    assert answer(request, HttpResponse(shown)).content == b"Noted."


def test_no_message_adds_nothing():
    assert answer(make_request(HX_Request="true"), HttpResponse("row")).content == b"row"


@pytest.mark.parametrize(
    ("user", "zone"),
    [
        (User(time_zone="Asia/Tokyo"), "Asia/Tokyo"),
        (User(time_zone="Mars/Olympus"), "UTC"),
        (User(time_zone="../etc"), "UTC"),
        (AnonymousUser(), "UTC"),
    ],
)
def test_views_run_in_the_persons_own_time_zone(user, zone):
    seen = []

    def view(request):
        seen.append(timezone.get_current_timezone())
        return HttpResponse()

    PersonMiddleware(view)(make_request(user=user))
    assert seen == [ZoneInfo(zone)]
    assert timezone.get_current_timezone() == ZoneInfo("UTC")


def test_no_browser_keeps_a_persons_pages():
    response = PersonMiddleware(lambda request: HttpResponse())(make_request(user=User()))
    assert response["Cache-Control"] == "private, no-store"


def test_public_pages_and_chosen_cache_rules_stay_as_they_are():
    public = PersonMiddleware(lambda request: HttpResponse())(make_request())
    assert "Cache-Control" not in public
    chosen = HttpResponse(headers={"Cache-Control": "max-age=60"})
    assert PersonMiddleware(lambda r: chosen)(make_request(user=User()))["Cache-Control"] == (
        "max-age=60"
    )
