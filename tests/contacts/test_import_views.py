"""Uploading a file, looking at the preview, confirming, watching."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from contacts import importing
from contacts.models import Contact, ImportJob
from tests.conftest import client_of
from tests.contacts.test_importing import SAMPLE, confirmed, linkedin, many, person, worked_off
from tests.factories import make_contact

UPLOAD = "/people/import/"


def upload(client, data, name="Connections.csv"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data)})


def prepared(owner, data=None):
    entries = importing.read(data or SAMPLE.read_bytes())
    return importing.prepare(owner, "Connections.csv", entries)


def test_an_upload_leads_to_the_preview(alice, alice_client):
    make_contact(alice, "Łukasz Brandt")
    response = upload(alice_client, SAMPLE.read_bytes())
    job = ImportJob.objects.get()
    assert response["Location"] == f"/people/import/{job.pk}/"
    page = alice_client.get(response["Location"]).content.decode()
    for words in (
        "Amara Okafor",
        "Add 3 people",
        "same name as Łukasz Brandt",
        "appears twice in this file (row 5)",
        "empty row",
        "without e-mail address and link and date",
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
        (b"", importing.EMPTY),
        (b"PK\x03\x04", importing.ZIPPED),
        (b"Name\nPriya\n", importing.NO_HEADER),
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
    importing.work_chunk(job.pk, job.plan)
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
    assert "3 people added, 1 was already there, 2 skipped." in page


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
