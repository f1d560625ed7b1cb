"""The frame of every page, and the pages that stand outside the rooms."""

import re
from http import HTTPStatus

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_email_verification_sent",
        "account_inactive",
    ],
)
def test_signed_out_pages_have_one_heading_and_no_rooms(client, name):
    html = text(client.get(reverse(name)))
    assert html.count("<h1>") == 1
    assert "signed-out" in html
    assert 'aria-label="Main"' not in html


@pytest.mark.parametrize(
    "name", ["account_change_password", "account_email", "account_logout", "account_reauthenticate"]
)
def test_account_pages_stand_in_the_notebook(alice_client, name):
    html = text(alice_client.get(reverse(name)))
    assert html.count("<h1>") == 1
    assert 'aria-label="Main"' in html


def test_sign_up_asks_the_browser_for_the_time_zone(client):
    assert re.search(
        r'<input type="hidden" name="time_zone"[^>]* data-browser-zone',
        text(client.get(reverse("account_signup"))),
    )


def test_a_link_to_a_new_password_that_was_used_offers_another(client):
    url = reverse("account_reset_password_from_key", args=["x", "y"])
    assert reverse("account_reset_password") in text(client.get(url, follow=True))


@pytest.mark.parametrize(("theme", "printed"), [("", None), ("dark", "dark"), ("light", "light")])
def test_the_server_prints_the_theme_so_that_nothing_flashes(alice, alice_client, theme, printed):
    alice.theme = theme
    alice.save(update_fields=["theme"])
    html = text(alice_client.get(reverse("account_logout")))
    found = re.search(r'<html[^>]* data-theme="(\w+)"', html)
    assert (found and found[1]) == printed


@pytest.mark.parametrize(("on", "printed"), [(True, "on"), (False, "off")])
def test_single_keys_are_the_persons_choice(alice, alice_client, on, printed):
    alice.shortcuts = on
    alice.save(update_fields=["shortcuts"])
    assert f'data-shortcuts="{printed}"' in text(alice_client.get(reverse("account_logout")))


def keys_of_the_script():
    """Return the keys that static/app.js knows by name, as the list writes them."""
    script = (settings.BASE_DIR / "static" / "app.js").read_text()
    [known] = re.findall(r"const keys = {(.*?)^  };", script, re.DOTALL | re.MULTILINE)
    names = re.findall(r'^    "?([^\s":]+)"?: ', known, re.MULTILINE)
    return {{"ArrowLeft": "←", "ArrowRight": "→"}.get(name, name) for name in names}


def test_the_list_of_shortcuts_is_whole(alice_client):
    html = text(alice_client.get(reverse("account_logout")))
    [listed] = re.findall(r'<dl class="keys">(.*?)</dl>', html, re.DOTALL)
    keys = [re.findall(r"<kbd>(.*?)</kbd>", line) for line in listed.split("</div>")]
    alone = {key for line in keys for key in line if "g" not in line}
    # Those that app.js tells by their kind: the outcomes, and saving.
    assert alone - {"1", "9", "Ctrl", "Enter"} == keys_of_the_script()
    places = {line[1] for line in keys if line[:1] == ["g"]}
    assert places == set(re.findall(r'data-go="(\w)"', html))


def test_nothing_is_inline(alice_client):
    html = text(alice_client.get(reverse("account_logout")))
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]* src=)", html)


def test_a_page_that_does_not_exist_says_so_inside_the_notebook(alice_client):
    response = alice_client.get("/no-such-page/")
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "not in your notebook" in text(response)
    assert 'aria-label="Main"' in text(response)


def test_a_page_that_does_not_exist_says_so_to_strangers(client):
    response = client.get("/no-such-page/")
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "signed-out" in text(response)


def test_an_old_form_is_explained():
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"))
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "grown old" in text(response)


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html"])
def test_pages_of_trouble_need_no_context(name):
    assert "netcrm" in render_to_string(name)


@pytest.mark.parametrize(
    ("name", "address"), [("alice", "alice@example.org"), ("stranger", "new&old@example.org")]
)
def test_letters_about_passwords_are_plain_words_with_one_link(
    alice, client, mailoutbox, name, address
):
    client.post(reverse("account_reset_password"), {"email": address})
    [letter] = mailoutbox
    assert letter.to == [address]
    assert "Hello from" not in letter.body
    assert "&amp;" not in letter.body
    assert letter.body.count("http://") == 1


@pytest.mark.parametrize(("personal", "offered"), [(True, True), (False, False)])
def test_an_empty_personal_notebook_offers_a_look_around(client, settings, personal, offered):
    settings.PERSONAL = personal
    html = text(client.get(reverse("account_login")))
    assert ("demo data" in html) is offered


def test_no_look_around_once_somebody_has_an_account(alice, client, settings):
    settings.PERSONAL = True
    html = text(client.get(reverse("account_login")))
    assert "demo data" not in html
    assert 'name="password"' in html
