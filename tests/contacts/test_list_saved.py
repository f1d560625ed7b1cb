"""Lists of people that are kept under a name."""

import pytest
from django.urls import reverse

from contacts.forms import lists
from contacts.models import Organisation, SavedView, Tag
from tests.factories import make_contact

LIST, KEEP, KEPT = "/people/", "/people/lists/keep/", "/people/lists/"
QUIET = "?tagged=Alumni&spoken=over-1-year&sort=quiet"


def keep(client, name="Gone quiet", address=QUIET):
    return client.post(KEEP + address, {"name": name})


def view_of(owner, name="Gone quiet", query=QUIET):
    return SavedView.objects.create(owner=owner, name=name, query=query)


def test_a_list_is_kept_with_its_filters_its_order_and_its_columns(alice, alice_client):
    response = keep(alice_client, " Gone  quiet ", f'{QUIET}&after=["a",1]')
    view = SavedView.objects.get(owner=alice)
    assert view.name == "Gone quiet"
    assert view.query == f"{QUIET}&columns=stands%2Cnext%2Clast"
    assert response["Location"] == LIST + view.query


def test_kept_lists_stand_above_the_list_and_the_one_shown_is_marked(alice, alice_client):
    make_contact(alice)
    keep(alice_client)
    keep(alice_client, "Everyone new", "?show=new")
    view = SavedView.objects.get(name="Gone quiet")
    page = alice_client.get(LIST + view.query).context["page"]
    assert [(each.name, shown) for each, shown in page.saved] == [
        ("Everyone new", False),
        ("Gone quiet", True),
    ]
    html = alice_client.get(LIST).content.decode()
    assert f'href="/people/{view.query.replace("&", "&amp;")}"' in html
    assert "Keep this list" not in alice_client.get(LIST + view.query).content.decode()


def test_a_phrase_is_kept_as_the_filter_that_it_is(alice, alice_client):
    keep(alice_client, address="?q=last spoke over a year ago priya")
    query = SavedView.objects.get().query
    assert query.startswith("?q=priya&spoken=over-1-year&")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Write a name for this list."),
        (" \u200b ", "Write a name for this list."),
        ("x" * 61, "Keep the name to 60 letters."),
        ("GONE QUIET", "You keep a list “GONE QUIET” already."),
    ],
)
def test_a_name_that_does_not_do_is_asked_for_again(alice, alice_client, name, sentence):
    make_contact(alice, "Priya Raman")
    view_of(alice)
    response = keep(alice_client, name, "?q=priya")
    html = response.content.decode()
    assert response.status_code == 422
    assert sentence in html
    assert "Priya Raman" in html
    assert SavedView.objects.count() == 1


def test_two_people_may_use_the_same_name(alice, bob, alice_client):
    view_of(bob)
    assert keep(alice_client).status_code == 302
    assert view_of(bob, "Hers").name not in alice_client.get(LIST).content.decode()


def test_there_is_an_end_to_keeping(alice, alice_client, monkeypatch):
    monkeypatch.setattr(lists, "MOST_VIEWS", 1)
    keep(alice_client)
    for address in (QUIET, "?q=priya"):
        response = keep(alice_client, "Another", address)
        assert response.status_code == 422
        assert "You keep 1 lists already. Let one of them go" in response.content.decode()


def test_a_list_that_asks_for_too_much_is_not_cut_short(alice, alice_client):
    tags = "".join(f"&tagged={n}{'ß' * 190}" for n in range(8))
    response = keep(alice_client, address=f"?q=a{tags}")
    assert response.status_code == 422
    assert "Take a filter off." in response.content.decode()


def test_renaming(alice, alice_client):
    view, other = view_of(alice), view_of(alice, "Graz")
    address = f"{KEPT}{view.pk}/"
    assert "Gone quiet" in alice_client.get(address).content.decode()
    assert alice_client.post(address, {"name": "gone QUIET"}).status_code == 302
    response = alice_client.post(address, {"name": "graz"})
    assert response.status_code == 422
    assert "<h1>gone QUIET</h1>" in response.content.decode()
    assert {each.name for each in SavedView.objects.all()} == {"gone QUIET", other.name}
    view.refresh_from_db()
    assert view.query == QUIET


def test_a_list_follows_a_tag_to_its_new_name(alice, bob, alice_client):
    tag = Tag.objects.create(owner=alice, name="alumni")
    kept = "?tagged=Alumni&tagged=graz&at=Alumni&sort=quiet"
    view, theirs = view_of(alice, query=kept), view_of(bob, query=kept)
    long = view_of(alice, "Long", f"?tagged=alumni&q={'x' * 980}")
    alice_client.post(f"/people/tags/{tag.pk}/", {"name": "A & B students", "rhythm_days": ""})
    for each in (view, theirs, long):
        each.refresh_from_db()
    assert view.query == "?tagged=A+%26+B+students&tagged=graz&at=Alumni&sort=quiet"
    assert theirs.query == kept
    assert long.query.startswith("?tagged=alumni&")


def test_a_list_follows_an_organisation_that_was_renamed_in_bulk_edit(alice, alice_client):
    aster = Organisation.objects.create(owner=alice, name="Aster")
    view = view_of(alice, query="?tagged=aster&at=Aster")
    address = reverse("admin:contacts_organisation_change", args=[aster.pk])
    alice_client.post(address, {"name": "Aster Labs", "website": "", "notes": ""})
    view.refresh_from_db()
    assert view.query == "?tagged=aster&at=Aster+Labs"


def test_deleting(alice, alice_client):
    view = view_of(alice)
    assert alice_client.get(f"{KEPT}{view.pk}/delete/").status_code == 405
    response = alice_client.post(f"{KEPT}{view.pk}/delete/", follow=True)
    assert "“Gone quiet” is no longer kept." in response.content.decode()
    assert "No list yet" in response.content.decode()


def test_somebody_elses_list_is_not_there(bob, alice_client):
    view = view_of(bob)
    assert alice_client.get(f"{KEPT}{view.pk}/").status_code == 404
    assert alice_client.post(f"{KEPT}{view.pk}/", {"name": "Mine"}).status_code == 404
    assert alice_client.post(f"{KEPT}{view.pk}/delete/").status_code == 404
    assert SavedView.objects.get().name == "Gone quiet"


def test_keeping_is_for_posting(alice_client):
    assert alice_client.get(KEEP).status_code == 405
