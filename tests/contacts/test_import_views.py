"""Uploading a file, looking at the preview, confirming, watching."""

from base64 import b64encode
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from contacts.files import tables
from contacts.imports import importing
from contacts.models import Contact, ImportJob
from tests.conftest import client_of
from tests.contacts.test_fitting import picture
from tests.contacts.test_importing import (
    SAMPLE,
    confirmed,
    linkedin,
    many,
    person,
    received,
    worked_off,
)
from tests.factories import make_contact

UPLOAD = "/people/import/"


def upload(client, data, name="Connections.csv"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data)})


def prepared(owner, data=None):
    return received(owner, data or SAMPLE.read_bytes())


def test_an_upload_leads_to_the_preview(alice, alice_client):
    make_contact(alice, "Łukasz Brandt")
    response = upload(alice_client, SAMPLE.read_bytes())
    job = ImportJob.objects.get()
    assert response["Location"] == f"/people/import/{job.pk}/"
    page = alice_client.get(response["Location"]).content.decode()
    for words in (
        "Amara Okafor",
        "Add 3 people",
        "Same name as Łukasz Brandt.",
        importing.TWICE.format(row=5),
        "3 other details",
        "known since 11 Mar 2018",
    ):
        assert words in page
    assert Contact.objects.count() == 1


def test_a_preview_shows_the_first_rows_and_counts_the_rest(alice, alice_client):
    page = alice_client.get(f"/people/import/{prepared(alice, many(1234)).pk}/").content.decode()
    assert "the first 100 of 1,234" in page
    assert page.count("<strong>Person") == 100


def test_names_of_a_file_are_only_text(alice, alice_client):
    job = prepared(alice, linkedin(person("<script>alert(1)</script>")))
    page = alice_client.get(f"/people/import/{job.pk}/").content
    assert b"<script>alert" not in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", tables.EMPTY),
        (b"PK\x03\x04", tables.ZIPPED),
        (b"x" * (importing.LARGEST_FILE + 1), importing.TOO_LARGE),
    ],
)
def test_a_file_that_cannot_be_imported_leaves_nothing_behind(alice_client, data, sentence):
    response = upload(alice_client, data)
    assert response.status_code == 422
    assert sentence.replace("'", "&#x27;") in response.content.decode()
    assert not ImportJob.objects.exists()


def test_no_file_at_all(alice_client):
    response = alice_client.post(UPLOAD)
    assert response.status_code == 422
    assert "Choose the file first." in response.content.decode()


def test_a_strange_file_name_is_only_a_name(alice, alice_client):
    upload(alice_client, SAMPLE.read_bytes(), "../\u202e" + "x" * 300 + ".csv")
    assert ImportJob.objects.get().file_name.isprintable()


def test_confirming_twice_is_harmless(alice, alice_client):
    job = prepared(alice)
    for _ in range(2):
        response = alice_client.post(f"/people/import/{job.pk}/confirm/")
        assert response["Location"] == f"/people/import/{job.pk}/"
    importing.run_imports()
    alice_client.post(f"/people/import/{job.pk}/confirm/")
    job.refresh_from_db()
    assert (job.state, job.created) == ("done", 4)
    assert Contact.objects.count() == 4


def test_discarding(alice, alice_client):
    job = prepared(alice)
    alice_client.post(f"/people/import/{job.pk}/discard/")
    assert not ImportJob.objects.exists()
    assert alice_client.post(f"/people/import/{job.pk}/discard/").status_code == 404


def test_what_has_begun_is_not_discarded(alice, alice_client):
    job = confirmed(alice, SAMPLE.read_bytes())
    response = alice_client.post(f"/people/import/{job.pk}/discard/", follow=True)
    assert "already begun" in response.content.decode()
    assert ImportJob.objects.exists()


def test_progress_is_shown_and_ends_with_the_result(alice, alice_client):
    job = confirmed(alice, many(700))
    page = f"/people/import/{job.pk}/"
    headers = {"HX-Request": "true", "HX-Target": "progress"}
    assert "Waiting for its turn" in alice_client.get(page).content.decode()
    importing.work(job.pk)
    answer = alice_client.get(f"{page}progress/", headers=headers)
    assert "500 of 700 rows are done." in answer.content.decode()
    assert b"<html" not in answer.content
    importing.run_imports()
    answer = alice_client.get(f"{page}progress/", headers=headers)
    assert answer["HX-Redirect"].endswith(page)
    assert "700 people added, 0 were already there, 0 skipped." in (
        alice_client.get(page).content.decode()
    )


def test_the_result_of_one_of_each(alice, alice_client):
    make_contact(alice, "Łukasz Brandt")
    job = worked_off(alice, SAMPLE.read_bytes())
    page = alice_client.get(f"/people/import/{job.pk}/").content.decode()
    assert "3 people added, 1 was already there, 1 skipped." in page


def test_an_import_that_stopped_says_so(alice, alice_client):
    job = prepared(alice)
    ImportJob.objects.filter(pk=job.pk).update(state="failed", error=importing.FAILED)
    assert importing.FAILED in alice_client.get(f"/people/import/{job.pk}/").content.decode()


def test_the_page_of_a_long_import_does_not_read_its_plan(
    alice, alice_client, django_assert_num_queries
):
    job = confirmed(alice, many(3))
    with django_assert_num_queries(3) as queries:  # session, person, job
        alice_client.get(
            f"/people/import/{job.pk}/progress/",
            headers={"HX-Request": "true", "HX-Target": "progress"},
        )
    assert not any('"plan"' in query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("tail", "method"),
    [("", "get"), ("progress/", "get"), ("confirm/", "post"), ("discard/", "post")],
)
def test_somebody_elses_import_is_not_found(alice, bob, tail, method):
    job = prepared(alice)
    assert getattr(client_of(bob), method)(f"/people/import/{job.pk}/{tail}").status_code == 404
    other = "post" if method == "get" else "get"
    assert getattr(client_of(alice), other)(f"/people/import/{job.pk}/{tail}").status_code == 405
    job.refresh_from_db()
    assert job.state == "preview"


# Columns of a table that we do not know

TABLE = b"Who,Post,Colour\nPriya Raman,priya@example.net,blue\nBen Osei,,red\n"


def test_a_table_asks_what_its_columns_are(alice_client):
    page = alice_client.get(upload(alice_client, TABLE, "people.csv")["Location"])
    told = page.content.decode()
    for words in ("Which column is what?", "Priya Raman · Ben Osei", "blue · red"):
        assert words in told
    assert ImportJob.objects.get().state == "mapping"


def mapped(client, **columns):
    job = ImportJob.objects.latest("pk")
    data = {"0": "name", "1": "email", "2": "details"} | columns
    return client.post(f"/people/import/{job.pk}/columns/", data)


def test_the_columns_lead_to_the_preview_and_the_rest_is_kept(alice_client):
    upload(alice_client, TABLE, "people.csv")
    for _ in range(2):
        mapped(alice_client)
    job = ImportJob.objects.get()
    assert (job.state, job.total, bytes(job.upload)) == ("preview", 2, b"")
    job.confirm()
    importing.run_imports()
    priya = Contact.objects.get(name="Priya Raman")
    assert priya.details == [["blue", "Colour"]]
    page = alice_client.get(priya.get_absolute_url()).content.decode()
    assert "Other details" in page
    assert "blue" in page


def test_the_next_table_with_the_same_columns_is_taken_the_same_way(alice, bob, alice_client):
    upload(alice_client, TABLE, "people.csv")
    mapped(alice_client, **{"2": "tags"})
    upload(alice_client, TABLE.replace(b"Ben", b"Ana"), "people.csv")
    assert ImportJob.objects.latest("pk").mapping == {"0": "name", "1": "email", "2": "tags"}
    upload(client_of(bob), TABLE, "people.csv")
    assert ImportJob.objects.latest("pk").mapping["2"] == "details"


def test_a_table_without_names_is_asked_again(alice_client):
    upload(alice_client, TABLE, "people.csv")
    response = mapped(alice_client, **{"0": "notes", "1": "details"})
    assert response.status_code == 422
    assert "Say which column has the name" in response.content.decode()


# Choices, large files, photos


def test_a_tag_for_everybody_and_what_known_people_lack(alice, alice_client):
    make_contact(alice, "Priya Raman")
    job = prepared(alice, linkedin(person(position="Planner"), person("Ben", "Osei")))
    page = f"/people/import/{job.pk}/"
    assert "Add what they lack" in alice_client.get(page).content.decode()
    alice_client.post(f"{page}confirm/", {"complete_known": "yes", "tag": "Graz"})
    importing.run_imports()
    assert Contact.objects.filter(tags__name="Graz").count() == 2
    assert Contact.objects.get(name="Priya Raman").role == "Planner"
    assert "1 of those who were there got what they lacked." in (
        alice_client.get(page).content.decode()
    )


def test_known_people_stay_as_they_are_unless_asked(alice):
    make_contact(alice, "Priya Raman")
    worked_off(alice, linkedin(person(position="Planner")), tag="Graz")
    priya = Contact.objects.get()
    assert (priya.role, list(priya.tags.all())) == ("", [])


def test_a_large_file_is_read_in_the_background(alice, alice_client, monkeypatch):
    monkeypatch.setattr(importing, "READ_AT_ONCE", 10)
    response = upload(alice_client, SAMPLE.read_bytes())
    assert "Reading a large file" in alice_client.get(response["Location"]).content.decode()
    importing.run_imports()
    job = ImportJob.objects.get()
    assert (job.state, job.total) == ("preview", 5)


def test_a_large_file_that_cannot_be_read_says_why(alice, alice_client, monkeypatch):
    monkeypatch.setattr(importing, "READ_AT_ONCE", 10)
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    response = upload(alice_client, SAMPLE.read_bytes())
    importing.run_imports()
    assert tables.TOO_MANY in alice_client.get(response["Location"]).content.decode()
    assert not Contact.objects.exists()


def test_the_rows_of_one_verdict_page_by_page(alice, alice_client):
    job = prepared(alice, many(150))
    page = alice_client.get(f"/people/import/{job.pk}/rows/?verdict=create&page=2")
    assert page.content.decode().count("<strong>Person") == 50
    assert alice_client.get(f"/people/import/{job.pk}/rows/?verdict=no&page=x").status_code == 200


def test_previews_that_nobody_came_back_to_are_forgotten(alice):
    old, new = prepared(alice), prepared(alice)
    week = timezone.now() - timedelta(days=8)
    ImportJob.objects.filter(pk=old.pk).update(created_at=week)
    importing.forget_unconfirmed()
    assert list(ImportJob.objects.all()) == [new]


def test_a_photo_is_shown_to_its_owner_alone(alice, alice_client, bob_client):
    photo = b64encode(picture()).decode()
    card = f"BEGIN:VCARD\nVERSION:3.0\nFN:Priya\nPHOTO;ENCODING=b;TYPE=JPEG:{photo}\nEND:VCARD\n"
    worked_off(alice, card.encode(), "priya.vcf")
    address = f"/people/{Contact.objects.get().pk}/photo/"
    answer = alice_client.get(address)
    assert answer["Content-Type"] == "image/jpeg"
    assert "private" in answer["Cache-Control"]
    assert f'src="{address}"' in alice_client.get(address.removesuffix("photo/")).content.decode()
    assert bob_client.get(address).status_code == 404
    assert alice_client.get(f"/people/{make_contact(alice).pk}/photo/").status_code == 404


def test_who_has_no_country_is_told_what_becomes_of_their_numbers(alice, alice_client):
    hint = "Numbers without a country code are kept as other details"
    for country, is_told in (("", True), ("AT", False)):
        alice.country = country
        alice.save(update_fields=["country"])
        assert (hint in alice_client.get(UPLOAD).content.decode()) is is_told
