"""Everybody may enter, and finds their own notebook; superusers also find the accounts."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from contacts.models import Contact, Tag
from followups.models import Playbook, PlaybookPreset
from netcrm.admin import OwnedAdmin, SuperuserAdmin
from netcrm.models import User
from netcrm.owned import Owned
from tests.admin.doing import NO_LINES, change_url, list_url, run_action, said
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db):
    return make_user("root@example.org", name="Root", is_superuser=True, is_staff=True)


@pytest.fixture
def root_client(root):
    return client_of(root)


def test_one_login_for_the_app_and_the_admin_site(client):
    page = client.get(reverse("admin:index"), follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert page.redirect_chain[-1][0].endswith("next=%2Fadmin%2F") or "/admin/" in str(
        page.redirect_chain
    )
    assert (
        client.post(reverse("admin:login"), {"username": "a", "password": "b"}).status_code == 302
    )


def test_logging_out_and_the_password_are_the_apps(alice_client):
    assert alice_client.post(reverse("admin:logout")).url == reverse("account_logout")
    changed = alice_client.get(reverse("admin:password_change"))
    assert changed.url == reverse("account_change_password")


def test_everybody_may_enter_and_nobody_who_is_switched_off(alice, alice_client):
    page = alice_client.get(reverse("admin:index"))
    assert page.status_code == 200
    assert "Back to Today" in page.content.decode()
    alice.is_active = False
    alice.save()
    assert alice_client.get(reverse("admin:index")).status_code == 302


def test_every_page_is_for_own_rows_or_for_superusers():
    for model, page in admin.site._registry.items():
        assert isinstance(page, OwnedAdmin if issubclass(model, Owned) else SuperuserAdmin), model


def test_superusers_manage_accounts_and_presets_and_nothing_else(root_client, alice_client):
    def lists(client):
        rooms = client.get(reverse("admin:index")).context["app_list"]
        return {model["model"] for room in rooms for model in room["models"]}

    assert lists(root_client) - lists(alice_client) == {User, PlaybookPreset}


@pytest.mark.parametrize("model", [User, PlaybookPreset])
def test_accounts_and_presets_are_closed_to_everybody_else(model, alice, alice_client):
    row = model.objects.order_by("pk").first()
    for url in (
        list_url(model),
        change_url(row),
        change_url(row, "delete"),
        list_url(model) + "add/",
    ):
        assert alice_client.get(url).status_code == 403
        assert alice_client.post(url, {"name": "x"}).status_code == 403


def test_a_superuser_sees_nobody_elses_notebook(root_client, alice):
    priya = make_contact(alice)
    assert "Priya" not in root_client.get(list_url(Contact)).content.decode()
    assert root_client.get(change_url(priya)).status_code == 404


def neutral(response, pk):
    """Return a page without what differs on every visit: the id asked for, tokens and keys."""
    text = response.content.decode().replace(f"/{pk}/", "/")
    return re.sub(r'name="(csrfmiddlewaretoken|key)" value="[\w-]+"', "", text)


def test_a_missing_row_and_somebody_elses_answer_alike(bob_client, alice):
    priya = make_contact(alice)
    for view in ("change", "delete", "history"):
        theirs = bob_client.get(change_url(priya, view))
        missing = bob_client.get(change_url(Contact(pk=priya.pk + 1000), view))
        assert theirs.status_code == missing.status_code == 404
        assert neutral(theirs, priya.pk) == neutral(missing, priya.pk + 1000)


def test_recent_actions_are_ones_own(alice, alice_client, bob_client):
    alice_client.post(list_url(Tag) + "add/", {"name": "climate"})
    assert LogEntry.objects.get().user == alice
    assert "climate" in alice_client.get(reverse("admin:index")).content.decode()
    assert "climate" not in bob_client.get(reverse("admin:index")).content.decode()


def test_view_on_site_tells_nobody_which_rows_exist(alice, alice_client):
    priya = make_contact(alice)
    page = alice_client.get(change_url(priya)).content.decode()
    assert priya.get_absolute_url() in page
    assert alice_client.get(f"/admin/r/1/{priya.pk}/").status_code == 404


def test_the_owner_is_no_filter(alice, alice_client):
    make_contact(alice)
    query = "?owner__password__startswith=x"
    assert alice_client.get(list_url(Contact, query)).status_code == 400


def test_deleting_an_account_shows_counts_and_no_content(alice, root, root_client):
    make_follow_up(make_contact(alice, "CANARY"))
    page = root_client.get(change_url(alice, "delete"))
    assert "Contacts: 1" in page.content.decode()
    assert "CANARY" not in page.content.decode()
    root_client.post(change_url(alice, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Contact.objects.exists()
    assert root_client.get(change_url(root, "delete")).status_code == 403


def test_an_account_is_made_and_its_address_changed_in_step_with_the_login(root_client):
    new = {"email": "Carol@Example.org", "name": "Carol", "usable_password": "true"}
    secret = {"password1": "a long enough pass phrase", "password2": "a long enough pass phrase"}
    added = root_client.post(list_url(User) + "add/", new | secret)
    assert added.status_code == 302, added.context["errors"]
    carol = User.objects.get(email="carol@example.org")
    assert Playbook.objects.for_user(carol).exists()
    fields = {"email": "carol@work.example.org", "name": "Carol", "is_active": "on"}
    changed = root_client.post(change_url(carol), fields)
    assert changed.status_code == 302, changed.context["errors"]
    address = EmailAddress.objects.get(user=carol)
    assert (address.email, address.primary) == ("carol@work.example.org", True)


def test_two_accounts_cannot_share_an_address(root_client, alice, bob):
    fields = {"email": "ALICE@example.org", "name": "Bob", "is_active": "on"}
    assert root_client.post(change_url(bob), fields).status_code == 200
    bob.refresh_from_db()
    assert bob.email == "bob@example.org"


def test_superusers_do_not_lock_themselves_out(root, root_client):
    root_client.post(change_url(root), {"email": root.email, "name": "Root"})
    root.refresh_from_db()
    assert root.is_active
    assert root.is_superuser
    assert root_client.post(change_url(root, "delete"), {"post": "yes"}).status_code == 403


def test_a_broken_preset_is_refused_in_a_sentence(root_client):
    preset = PlaybookPreset.objects.first()
    fields = {"name": preset.name, "slug": preset.slug, "rest_days": 90}
    steps = '[{"wait": 1, "channel": "call", "hint": "Call"}]'
    page = root_client.post(change_url(preset), fields | {"steps": steps})
    assert "The last step must ask to decide, or repeat." in page.content.decode()


@pytest.mark.parametrize("rows", [3, 101, 250])
def test_the_paginator_counts_only_so_far(alice, alice_client, rows, monkeypatch):
    monkeypatch.setattr("netcrm.admin_site.PAGES_AHEAD", 1)
    Contact.objects.bulk_create(Contact(owner=alice, name=f"P {n}") for n in range(rows))
    page = alice_client.get(list_url(Contact)).content.decode()
    assert ("more than 100" in page) == (rows > 100)
    assert ("Choose all contacts of this list, on all pages" in page) == (rows > 100)
    if rows > 100:
        assert "p=2" in page
        assert alice_client.get(list_url(Contact, "?p=2")).status_code == 200


def test_pages_that_are_no_number_are_the_first_one(alice_client):
    for page in ("x", "-1", "0", "99999999999999999999999"):
        assert alice_client.get(list_url(Contact, f"?p={page}")).status_code in (200, 302)


def test_deleting_many_asks_first(alice, alice_client, bob):
    mine, theirs = make_contact(alice), make_contact(bob)
    answer = run_action(alice_client, Contact, "delete_rows", [mine, theirs])
    assert said(alice_client, answer).startswith("1 person deleted.")
    assert list(Contact.objects.all()) == [theirs]


def test_adding_belongs_to_the_one_who_adds(alice, alice_client, bob):
    alice_client.post(list_url(Contact) + "add/", {"name": "Aiko", "owner": bob.pk} | NO_LINES)
    assert Contact.objects.get().owner == alice
