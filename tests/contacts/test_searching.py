"""Finding people: what one is found by, who comes first, and small slips."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from contacts.models import Contact, Organisation, digits_of, split_numbers
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def found(owner, text):
    return sorted(Contact.objects.for_user(owner).search(text).values_list("name", flat=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Maeve O'Brien", "obrien"),
        ("Maeve O’Brien", "o'brien maeve"),
        ("Maeve OBrien", "o’brien"),
        ("Anne-Marie Weiß", "annemarie"),
        ("Anne-Marie Weiß", "anne marie weiss"),
        ("Anne Marie Weiss", "WEIß"),
        ("Işık Yılmaz", "isik YILMAZ"),
        ("İpek Ak", "ipek"),
        ("李 小龙", "小龙"),
        ("山田太郎", "田太"),
        ("김민준", "민준"),
        ("محمد العربي", "عرب"),
        ("Ørsted Łódzki", "orsted lodzki"),
        ("Zoë 👍", "👍"),
        ("100% Jo_e \\", "% _ \\"),
        ("Nazan\u200cin Ahmadi", "nazanin"),
        ("Maeve O'Brien", "ma\u00adeve\u200b"),
    ],
)
def test_names_are_found_however_they_are_written(alice, name, text):
    make_contact(alice, name)
    make_contact(alice, "Somebody Else")
    assert found(alice, text) == [name]


@pytest.mark.parametrize(
    "typed",
    [
        "+43 660 1234567",
        "0043 (0)660/123 45 67",
        "0660-1234567",
        "0660 12",
        "priya 660.123.45",
        "4366012345",
        "\u202a+43 660 1234567\u202c",
        "0660–123‑45‐67",
    ],
)
def test_numbers_are_found_in_any_format(alice, bob, typed):
    priya = make_contact(alice, "Priya Raman")
    priya.phones.create(owner=alice, number="+436601234567")
    Contact.objects.filter(pk=priya.pk).reindex()
    make_contact(alice, "Ruth 0999 12")
    make_contact(bob, "Theirs +436601234567")
    assert found(alice, typed) == ["Priya Raman"]


def test_what_looks_like_a_number_is_also_found_as_it_is_written(alice):
    make_contact(alice, "Ada", notes="Born 1970-01-02, flat 00000")
    for text in ("1970-01-02", "00000", "ada 1970-01-02"):
        assert found(alice, text) == ["Ada"], text
    assert found(alice, "1970-01-03") == []
    assert found(alice, "000000") == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call +43 (0)660 12 now", ["+43 (0)660 12"]),
        ("n12345@example.org", []),
        ("1234", []),
        ("1-2-3-4-5 6", ["1-2-3-4-5 6"]),
        ("12345 and 020 7946", ["12345", "020 7946"]),
        ("1" * 10_000 + "x", []),
    ],
)
def test_numbers_are_told_from_words(text, numbers):
    assert split_numbers(text)[0] == numbers


def test_the_digits_of_one_number_stand_in_each_other():
    assert digits_of("+43 (0)660 1234") == digits_of("0043 660 1234") == "436601234"
    assert digits_of("0660 1234") in digits_of("+436601234")


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("https://www.linkedin.com/in/priya-12345678", "linkedin.com/in/priya"),
        (
            "https://www.linkedin.com/in/priya-12345678",
            "HTTPS://at.LinkedIn.com/in/Priya-12345678/?originalSubdomain=at",
        ),
        ("https://www.example.org/%C3%A9lan", "http://example.org/%C3%A9lan/"),
        ("https://example.org/p%00q", "https://example.org/p%00q"),
    ],
)
def test_a_link_is_found_as_it_is_copied(alice, stored, typed):
    priya = make_contact(alice, "Priya Raman", notes="see http://[1")
    priya.links.create(owner=alice, url=stored)
    priya.reindex()
    make_contact(alice, "Ruth")
    assert found(alice, typed) == ["Priya Raman"]
    # This only looks like a link.
    assert found(alice, "http://[1") == ["Priya Raman"]


def test_links_and_other_details_are_found(alice):
    priya = make_contact(alice, "Priya Raman", details=[["Flute", "Hobby"]])
    priya.links.create(owner=alice, url="https://www.example.org/in/priya-r?a=%C3%A9t%C3%A9")
    priya.reindex()
    make_contact(alice, "Ruth")
    for text in ("flute", "example.org/in/priya-r", "priya-r", "ete"):
        assert found(alice, text) == ["Priya Raman"], text
    assert found(alice, "https") == []


def test_whose_name_begins_with_it_comes_first(alice):
    make_contact(alice, "Abe Notes", notes="Knows Marek")
    make_contact(alice, "Ben Marek")
    make_contact(alice, "Marek Zorn")
    make_contact(alice, "Marek Adler")
    people = Contact.objects.for_user(alice)
    names = [person.name for person in people.best("marek", 9)]
    assert names == ["Marek Adler", "Marek Zorn", "Ben Marek", "Abe Notes"]
    assert [person.name for person in people.best("marek", 3)] == names[:3]
    assert [person.name for person in people.best("zorn MAREK", 9)] == ["Marek Zorn"]
    assert {person.name for person in people.best("marek knows", 9)} == {"Abe Notes"}


def test_an_organisation_is_no_name(alice):
    aster = organisation_of(alice, "Marek and Sons")
    make_contact(alice, "Anna", organisation=aster)
    make_contact(alice, "Zoe Marek")
    people = Contact.objects.for_user(alice).best("marek", 2)
    assert [person.name for person in people] == ["Zoe Marek", "Anna"]


def organisation_of(owner, name):
    return Organisation.objects.create(owner=owner, name=name)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Priya Raman", "pirya"),
        ("Priya Raman", "priya ramn"),
        ("Priya Raman", "raaman"),
        ("Maeve Gallagher", "galagher"),
        ("Maeve Gallagher", "gallakher maeve"),
        ("Łukasz Brandt", "luksaz"),
        ("Noor Fitzwilliam", "fitzwiliam noor"),
    ],
)
def test_a_slip_finds_who_was_meant(alice, bob, name, typed):
    make_contact(alice, name)
    make_contact(alice, "Hannah Zimmer")
    make_contact(bob, name)
    assert found(alice, typed) == []
    [near] = Contact.objects.for_user(alice).like(typed)
    assert (near.name, near.owner) == (name, alice)


def test_an_organisation_is_found_with_a_slip(alice):
    make_contact(alice, "Jo Zed", organisation=organisation_of(alice, "Brightwater"))
    assert [person.name for person in Contact.objects.for_user(alice).like("brihgtwater")] == [
        "Jo Zed"
    ]


def test_the_nearest_come_first_and_a_few_only(alice):
    for name in ("Gallaher", "Gallagher", "Galloway"):
        make_contact(alice, name)
    near = Contact.objects.for_user(alice).like("gallager")
    assert [person.name for person in near][:2] == ["Gallagher", "Gallaher"]
    assert len(Contact.objects.for_user(alice).like("gallager", 1)) == 1


@pytest.mark.parametrize("typed", ["", "a", "ann", "%%%", "xyzzyx", "' \\"])
def test_nobody_is_called_nearly_nothing(alice, typed):
    make_contact(alice, "Anna Weiss")
    assert Contact.objects.for_user(alice).like(typed) == []


def test_the_migration_writes_what_the_model_writes(alice):
    organisation = organisation_of(alice, "Aster & Söhne")
    priya = make_contact(
        alice,
        "Anne-Marie  O’Łódź",
        organisation=organisation,
        role="Head of Research",
        notes="Straße\n  and İstanbul",
        details=[["Flute", "Hobby"]],
    )
    priya.emails.create(owner=alice, address="A.O@example.org")
    priya.phones.create(owner=alice, number="+436601234567")
    priya.links.create(owner=alice, url="https://www.example.org/in/a")
    priya.tag("alumni")
    priya.reindex()
    nobody = make_contact(alice, "Bare")
    written = dict(Contact.objects.values_list("pk", "search_text"))
    Contact.objects.update(search_text="")
    migration = import_module("contacts.migrations.0008_found_by_everything")
    migration.write(apps, SimpleNamespace(connection=connection))
    again = dict(Contact.objects.values_list("pk", "search_text"))
    assert again == written
    assert again[nobody.pk] == "bare\t\n"
