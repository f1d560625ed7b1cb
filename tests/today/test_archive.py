"""The whole notebook in one file, and back into an empty one."""

import io
import json
import zipfile
from datetime import UTC, date, datetime
from itertools import count
from threading import Thread

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from contacts.files.photos import thumbnail
from contacts.models import Contact, ContactEmail, ContactPhoto, Merge, NotSame
from followups.merging import merge
from followups.models import (
    Action,
    Channel,
    FollowUp,
    Interaction,
    Outcome,
    Playbook,
    PlaybookPreset,
)
from followups.pursuing import Entry, log
from introductions import asking
from meetings.models import CalendarFeed, Debrief
from netcrm.models import User
from netcrm.owned import Owned
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up, make_meeting, make_opening, make_user
from today import archive, restoring
from today.archive import CannotRestore, archived_fields, archived_models, restore, write
from today.demo import create_demo_user
from today.models import Restore, RestorePiece
from today.restoring import run_restores

PAGE, PROGRESS, DOWNLOAD = "/archive/", "/archive/progress/", "/archive/download/"
# JSON whose ids, if there are any, archive.py knows.
READ = {
    "contacts.ColumnMapping.header",
    "contacts.ColumnMapping.mapping",
    "contacts.Contact.details",
    "contacts.ListColumns.columns",
    "followups.FollowUp.facts",
    "followups.FollowUp.steps",
    "followups.Playbook.steps",
    "meetings.Debrief.draft",
}


def archive_of(user):
    return b"".join(write(User.objects.get(pk=user.pk)))


def bring_back(user, data):
    restore(user, io.BytesIO(data), len(data))


def files_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def rows_in(data, name):
    return [json.loads(line) for line in files_of(data)[name].splitlines()]


def edited(data, name, edit):
    """Return an archive in which `edit` has changed the rows of a file."""
    rows = rows_in(data, name)
    edit(rows)
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    return zipped(files_of(data) | {name: lines.encode()})


def content(data):
    """Return what an archive says, with the places of rows instead of their ids."""
    files = files_of(data)
    rows = {model: rows_in(data, archive._file_of(model)) for model in archived_models()}
    places = {
        model: {row["id"]: place for place, row in enumerate(told)} for model, told in rows.items()
    }
    kinds = {model._meta.model_name: model for model in rows}
    for model, told in rows.items():
        for row in told:
            row["id"] = places[model][row["id"]]
            for field in archived_fields(model):
                if field.is_relation and row[field.name] is not None:
                    row[field.name] = places[field.related_model][row[field.name]]
                elif isinstance(field, models.BinaryField):
                    row[field.name] = files[row[field.name]]
            if "facts" in row:
                named = {tuple(name.split(" ")): words for name, words in row["facts"].items()}
                row["facts"] = {
                    (name[0], *(places[kinds[name[0]]][int(at)] for at in name[1:])): words
                    for name, words in named.items()
                }
    return rows, files[archive.SETTINGS]


def photo(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return thumbnail(out.getvalue())


def elsewhere(do):
    """Do something on another connection; return whether it came to its end."""
    done = []

    def run():
        try:
            do()
            done.append(True)
        except OperationalError:
            done.append(False)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return done[0]


@pytest.fixture
def small(alice):
    """A small notebook with something of every difficult kind; return its archive."""
    aiko = make_contact(alice, "Aiko Tanabe", details=[["1 May", "Birthday"]])
    priya = make_contact(alice, "Priya Raman", introduced_by=aiko)
    Contact.objects.filter(pk=aiko.pk).update(introduced_by=priya)
    ContactPhoto.objects.create(owner=alice, contact=priya, image=photo())
    NotSame.objects.create(owner=alice, contact=aiko, other=priya)
    priya.tag("Energy")
    asking.ask(aiko, "Ines Moreau", alice.today())
    make_opening(alice, people=[priya])
    meeting = make_meeting(priya, starts_at=datetime(2026, 1, 7, 9, tzinfo=UTC))
    draft = {"takeaways": "Try", "who-0-contact": "17", "who-0-who": "Ada"}
    Debrief.objects.create(owner=alice, meeting=meeting, draft=draft)
    return archive_of(alice)


# There and back


def test_the_demo_comes_back_as_it_was(alice):
    with time_machine.travel(datetime(2026, 3, 4, 12, tzinfo=UTC)):
        maya = create_demo_user()
        there = archive_of(maya)
        bring_back(alice, there)
        assert content(archive_of(alice)) == content(there)
    assert len(files_of(there)["contacts/contact.jsonl"].splitlines()) >= 55


def test_what_is_difficult_comes_back_too(alice, bob, small):
    bring_back(bob, small)
    again = archive_of(bob)
    assert content(again) == content(small)
    priya = Contact.objects.for_user(bob).get(name="Priya Raman")
    assert priya.introduced_by.introduced_by == priya
    assert bytes(priya.photo.image) == photo()
    known = FollowUp.objects.for_user(bob).get(facts__has_key="wanted").facts
    assert f"introduction {priya.introduced_by.introductions_asked.get().pk}" in known
    assert Debrief.objects.for_user(bob).get().draft == {"takeaways": "Try", "who-0-who": "Ada"}


def test_who_came_back_is_found_and_was_made_when_they_were(alice, bob):
    priya = make_contact(alice, "Príya Raman")
    made = datetime(2024, 2, 29, 8, 30, 0, 123456, tzinfo=UTC)
    Contact.objects.filter(pk=priya.pk).update(created_at=made)
    priya.tag("Energy")
    bring_back(bob, archive_of(alice))
    back = Contact.objects.for_user(bob).search("priya energy").get()
    assert back.created_at == made


def test_settings_and_playbooks_become_those_of_the_archive(alice, bob):
    Playbook.objects.for_user(alice).exclude(slug="unanswered-call").delete()
    Playbook.objects.for_user(alice).update(name="My three calls")
    User.objects.filter(pk=alice.pk).update(
        time_zone="Asia/Tokyo", work_days=[1, 2], digest_on=False, country="JP", daily_cap=3
    )
    bring_back(bob, archive_of(alice))
    bob = User.objects.get(pk=bob.pk)
    assert (bob.time_zone, bob.work_days, bob.country, bob.daily_cap) == (
        "Asia/Tokyo",
        [1, 2],
        "JP",
        3,
    )
    assert bob.digest_next_at is None
    assert [each.name for each in Playbook.objects.for_user(bob)] == ["My three calls"]
    assert bob.email == "bob@example.org"


def test_what_is_brought_back_cannot_be_undone(alice, bob, bob_client):
    log(make_contact(alice), Entry(Channel.CALL, Outcome.NO_ANSWER, alice.today()))
    assert Action.objects.for_user(alice).undoable()
    bring_back(bob, archive_of(alice))
    (action,) = Action.objects.for_user(bob)
    assert not action.can_undo
    assert not Action.objects.for_user(bob).undoable()
    bob_client.post(f"/follow-ups/undo/{action.pk}/")
    assert Interaction.objects.for_user(bob).exists()
    assert bob_client.get(action.contact.get_absolute_url()).status_code == 200


def test_who_was_merged_cannot_be_parted_there_and_the_pages_say_so(alice, bob, bob_client):
    merge(make_contact(alice), make_contact(alice, "P. Raman"))
    assert Merge.objects.for_user(alice).undoable()
    bring_back(bob, archive_of(alice))
    assert not Merge.objects.for_user(bob).exists()
    assert "whom you merged can no longer be parted" in bob_client.get(PAGE).content.decode()
    assert "cannot part them again" in bob_client.get("/people/export/").content.decode()


words = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=30
)
people = st.lists(
    st.fixed_dictionaries(
        {
            "name": words,
            "notes": words,
            "details": st.lists(st.lists(words, min_size=2, max_size=2), max_size=3),
            "known_since": st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
            "rhythm_days": st.none() | st.integers(1, 3650),
            "archived_at": st.none() | st.datetimes(timezones=st.just(UTC)),
            "introduced_by": st.none() | st.integers(0, 5),
            "said": st.none() | words,
            "has_photo": st.booleans(),
        }
    ),
    max_size=6,
)
numbers = count()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(people)
def test_any_notebook_comes_back_as_it_was(db, told):
    ann, ben = (make_user(f"u{next(numbers)}@example.org") for _ in range(2))
    contacts = []
    for each in told:
        introduced_by, said, has_photo = (
            each.pop(name) for name in ("introduced_by", "said", "has_photo")
        )
        contact = make_contact(ann, **each)
        contacts.append(contact)
        contact.introduced_by = contacts[(introduced_by or 0) % len(contacts)]
        contact.save(update_fields=["introduced_by"])
        if said:
            log(contact, Entry(Channel.CALL, Outcome.NO_ANSWER, ann.today(), note=said))
        if has_photo:
            ContactPhoto.objects.create(owner=ann, contact=contact, image=photo())
    there = archive_of(ann)
    bring_back(ben, there)
    assert content(archive_of(ben)) == content(there)


# What is in it


def test_every_model_is_in_it_or_is_named():
    owned = {model._meta.label for model in apps.get_models() if issubclass(model, Owned)}
    assert {model._meta.label for model in archived_models()} == owned - archive.NOT_ARCHIVED
    assert owned >= archive.NOT_ARCHIVED


def test_rows_refer_to_what_comes_before_them():
    seen = set()
    for model in archived_models():
        fields = archived_fields(model)
        targets = {field.related_model for field in fields if field.is_relation} - {model}
        assert targets <= seen
        seen.add(model)


def test_ids_in_json_are_known():
    found = {
        f"{model._meta.label}.{field.name}"
        for model in archived_models()
        for field in archived_fields(model)
        if isinstance(field, models.JSONField)
    }
    assert found == READ, "Does it name rows by id? Then archive.py must give them their new ones."


def test_no_secret_is_in_it(alice):
    CalendarFeed.objects.create(owner=alice, token="not-for-others")
    alice.set_password("my pass phrase")
    alice.save()
    data = b"".join(files_of(archive_of(alice)).values())
    assert b"not-for-others" not in data
    assert alice.password.encode() not in data
    assert alice.email.encode() not in data


def test_one_line_a_row_and_a_file_a_photo(small):
    files = files_of(small)
    assert json.loads(files["netcrm.json"])["version"] == 1
    (row,) = rows_in(small, "contacts/contactphoto.jsonl")
    assert files[row["image"]] == photo()


def test_bob_gets_nothing_of_alice(small, alice, bob_client):
    data = b"".join(bob_client.get(DOWNLOAD))
    text = b"".join(files_of(data).values()).decode()
    assert "Priya" not in text
    assert not [name for name in files_of(data) if name.startswith("photos/")]


@pytest.mark.parametrize("address", [PAGE, PROGRESS, DOWNLOAD])
def test_only_who_is_signed_in(client, address):
    assert client.get(address).status_code == 302


def test_as_many_queries_for_thirty_as_for_three(alice):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            archive_of(alice)
        return len(asked)

    make_contact(alice)
    few = queries()
    for nth in range(30):
        contact = make_contact(alice, f"Person {nth}")
        ContactEmail.objects.create(owner=alice, contact=contact, address=f"p{nth}@example.org")
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_the_archive_is_of_one_moment(alice):
    """What is made while it is under way is not in it, so nothing refers to a row that is not."""
    make_contact(alice)
    pieces = write(alice)
    data = next(pieces)

    assert elsewhere(lambda: make_follow_up(make_contact(alice, "Ada Late")))
    data += b"".join(pieces)
    assert [row["name"] for row in rows_in(data, "contacts/contact.jsonl")] == ["Priya Raman"]
    assert rows_in(data, "followups/followup.jsonl") == []
    assert Contact.objects.count() == 2


# The page


def upload(client, data, name="netcrm.zip"):
    return client.post(PAGE, {"file": SimpleUploadedFile(name, data)})


def test_a_fresh_account_brings_it_back_on_the_page(small, bob, bob_client):
    assert b'type="file"' in bob_client.get(PAGE).content
    response = upload(bob_client, small)
    assert response.url == "/people/"
    assert Contact.objects.for_user(bob).count() == 2


def test_a_notebook_with_people_offers_no_way_back(small, alice, alice_client):
    page = alice_client.get(PAGE).content.decode()
    assert "Yours has 2 people in it" in page
    assert 'type="file"' not in page
    response = upload(alice_client, small)
    assert response.status_code == 422
    assert archive.NOT_EMPTY in response.content.decode()
    assert Contact.objects.for_user(alice).count() == 2


@pytest.mark.parametrize("make", [make_contact, lambda user: make_opening(user)])
def test_anything_but_playbooks_makes_it_not_empty(bob, make):
    assert archive.is_empty(bob)
    make(bob)
    assert not archive.is_empty(bob)


def test_no_file_and_an_empty_file(bob_client):
    assert "Choose the file first." in bob_client.post(PAGE).content.decode()
    assert "not a ZIP" in upload(bob_client, b"").content.decode()


# A large one is a job: Celery brings it back


@pytest.fixture
def slow(monkeypatch):
    """Nothing is small enough to be brought back at once."""
    monkeypatch.setattr(restoring, "AT_ONCE", -1)


def restore_of(user):
    return Restore.objects.for_user(user).get()


def test_a_large_one_is_brought_back_by_celery(small, bob, bob_client, slow):
    assert upload(bob_client, small, "mine.zip").url == PAGE
    page = bob_client.get(PAGE).content.decode()
    assert "mine.zip is on its way back" in page
    assert 'type="file"' not in page
    assert b"<html" not in bob_client.get(PROGRESS, headers=looking_again()).content
    assert archive.is_empty(bob)
    run_restores()
    assert bob_client.get(PROGRESS).url == "/people/"
    assert "Everything is back in your notebook." in bob_client.get("/people/").content.decode()
    assert content(archive_of(bob)) == content(small)
    assert "mine.zip came back" in bob_client.get(PAGE).content.decode()


def looking_again():
    return {"HX-Request": "true", "HX-Target": "restoring"}


def test_its_file_comes_whole_and_goes_when_it_is_done(small, bob, bob_client, slow, monkeypatch):
    monkeypatch.setattr(restoring, "PIECE", 1000)
    upload(bob_client, small)
    pieces = restore_of(bob).pieces.all()
    assert len(pieces) == len(small) // 1000 + 1
    assert b"".join(bytes(piece.data) for piece in pieces) == small
    run_restores()
    assert not RestorePiece.objects.exists()
    assert Contact.objects.for_user(bob).count() == 2


def test_the_notebook_must_be_empty_when_it_begins(small, bob, bob_client, slow):
    upload(bob_client, small)
    ada = make_contact(bob, "Ada Early")
    run_restores()
    assert list(Contact.objects.for_user(bob)) == [ada]
    assert restore_of(bob).error == archive.NOT_EMPTY
    assert not RestorePiece.objects.exists()
    assert bob_client.get(PROGRESS).url == PAGE


def test_what_is_wrong_inside_is_said_on_the_page_until_the_next_one(small, bob_client, bob, slow):
    torn = edited(small, "contacts/contact.jsonl", lambda rows: rows[0].update(name=None))
    upload(bob_client, torn)
    run_restores()
    page = bob_client.get(PAGE).content.decode()
    assert "netcrm.zip did not come back. That archive is damaged" in page
    assert 'type="file"' in page
    assert archive.is_empty(bob)
    upload(bob_client, small)
    run_restores()
    assert restore_of(bob).state == "done"


def test_of_two_at_once_one_wins(small, bob, bob_client, slow):
    upload(bob_client, small)
    second = upload(bob_client, small)
    assert second.status_code == 422
    assert restoring.UNDER_WAY in second.content.decode()
    run_restores()
    assert Contact.objects.for_user(bob).count() == 2


def test_bob_sees_nothing_of_the_archive_of_alice(small, bob_client, slow):
    carol = make_user("carol@example.org")
    upload(client_of(carol), small, "carols.zip")
    assert "carols.zip" not in bob_client.get(PAGE).content.decode()
    assert bob_client.get(PROGRESS).url == PAGE


def test_a_worker_that_dies_leaves_nothing_and_the_next_one_begins_anew(
    small, bob, bob_client, slow, monkeypatch
):
    upload(bob_client, small)

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archive._Restoring, "_restore_settings", dies)
        with pytest.raises(KeyboardInterrupt):
            run_restores()
    assert archive.is_empty(bob)
    assert restore_of(bob).state == "waiting"
    run_restores()
    assert content(archive_of(bob)) == content(small)


@pytest.mark.parametrize(
    ("problem", "said"),
    [(SoftTimeLimitExceeded(), restoring.TOO_SLOW), (RuntimeWarning("?"), restoring.FAILED)],
)
def test_whatever_stops_it_is_said(small, bob, bob_client, slow, monkeypatch, problem, said):
    def fails(*args):
        raise problem

    upload(bob_client, small)
    monkeypatch.setattr(archive._Restoring, "_restore_settings", fails)
    run_restores()
    assert restore_of(bob).error == said
    assert archive.is_empty(bob)


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_and_one_process_each(alice, bob, slow):
    """While one process is at it, another finds nothing to do; whoever comes later waits."""
    make_contact(alice)
    data, carol = archive_of(alice), make_user("carol@example.org")
    for user in (bob, carol):
        upload(client_of(user), data)
    with transaction.atomic():
        Restore.objects.select_for_update().get(owner=bob)
        assert elsewhere(run_restores), "It waits for the other one."
    assert Contact.objects.exclude(owner=alice).count() == 0
    run_restores()
    assert [each.state for each in Restore.objects.order_by("id")] == ["done", "waiting"]
    run_restores()
    assert Contact.objects.for_user(carol).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_signs_in_meanwhile_need_not_wait(alice, bob, slow, monkeypatch):
    """Their row is locked for the last moment only."""
    make_contact(alice)
    upload(client_of(bob), archive_of(alice))
    came = []
    go_on = archive._Restoring._restore_references_in_json

    def signs_in(*args):
        came.append(elsewhere(lambda: client_of(bob)))
        go_on(*args)

    monkeypatch.setattr(archive._Restoring, "_restore_references_in_json", signs_in)
    run_restores()
    assert came == [True]
    assert restore_of(bob).state == "done"


# Wrong files: a sentence, and nothing has changed


def refused(user, data):
    """Return why an archive is refused; nothing may have changed."""
    with pytest.raises(CannotRestore) as why:
        bring_back(user, data)
    assert archive.is_empty(user)
    assert Playbook.objects.for_user(user).count() == PlaybookPreset.objects.count()
    assert User.objects.get(pk=user.pk).name == user.name
    return str(why.value)


def test_no_zip(bob):
    assert refused(bob, b"PK\x03\x04 and so on") == archive.NOT_A_ZIP
    assert refused(bob, b"BEGIN:VCARD") == archive.NOT_A_ZIP


def test_somebody_elses_zip(bob):
    assert refused(bob, zipped({"holiday.jpg": b"x"})) == archive.FOREIGN
    about = {"format": "monica", "version": 1}
    assert refused(bob, zipped({"netcrm.json": json.dumps(about)})) == archive.FOREIGN


def test_a_newer_version(bob, small):
    about = {"format": archive.FORMAT, "version": archive.VERSION + 1}
    data = zipped(files_of(small) | {"netcrm.json": json.dumps(about)})
    assert refused(bob, data) == archive.NEWER


def test_too_large(bob, small, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_FILE", len(small) - 1)
    assert refused(bob, small) == archive.TOO_LARGE


def test_a_bomb(bob, small):
    bomb = zipped(files_of(small) | {"contacts/tag.jsonl": b"0" * 40_000_000})
    assert len(bomb) < 100_000
    assert refused(bob, bomb) == archive.TOO_MUCH


def test_a_million_files(bob, small, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_LIST", 70_000)
    many = zipped({f"photos/{n}.jpg": b"" for n in range(2000)})
    assert refused(bob, many) == archive.TOO_MUCH


def test_a_line_without_an_end(bob, small, monkeypatch):
    monkeypatch.setattr(archive, "LONGEST_LINE", 20)
    assert "damaged" in refused(bob, small)


def test_a_file_that_was_cut_or_changed(bob, small):
    assert refused(bob, small[:-100]) == archive.NOT_A_ZIP
    at = small.index(b"contacts/contact.jsonl") + 60
    torn = small[:at] + bytes([small[at] ^ 0xFF]) + small[at + 1 :]
    assert "damaged" in refused(bob, torn) or refused(bob, torn) == archive.NOT_A_ZIP


def test_a_file_that_is_none_of_ours(bob, small):
    assert "evil.sh" in refused(bob, zipped(files_of(small) | {"../evil.sh": b"x"}))


def test_a_notebook_needs_a_playbook(bob, small):
    def none(rows):
        rows.clear()

    data = edited(small, "followups/playbook.jsonl", none)
    assert "damaged" in refused(bob, data)
    empty = archive_of(make_user("carol@example.org"))
    data = edited(empty, "followups/playbook.jsonl", none)
    assert refused(bob, data) == archive.NO_PLAYBOOK


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("contacts/contact", {"introduced_by": 987654}),
        ("contacts/contact", {"organisation": 1}),
        ("contacts/contact", {"organisation": [1]}),
        ("contacts/contact", {"owner": 1}),
        ("contacts/contact", {"pk": 1}),
        ("contacts/contact", {"id": "1"}),
        ("contacts/contact", {"id": True}),
        ("contacts/contact", {"name": None}),
        ("contacts/contact", {"name": "x" * 201}),
        ("contacts/contact", {"name": "a\0b"}),
        ("contacts/contact", {"name": "\ud800"}),
        ("contacts/contact", {"details": {"a": 1}}),
        ("contacts/contact", {"known_since": "yesterday"}),
        ("contacts/contact", {"known_since": 5}),
        ("contacts/contact", {"rhythm_days": 0}),
        ("contacts/contact", {"rhythm_days": float("inf")}),
        ("contacts/contact", {"time_zone": "Mars/Base"}),
        ("contacts/contactphoto", {"image": "settings.json"}),
        ("contacts/contactphoto", {"image": "photos/0.jpg"}),
        ("contacts/contactphoto", {"image": None}),
        ("followups/playbook", {"steps": []}),
        ("followups/followup", {"state": "asleep"}),
        ("followups/followup", {"next_on": None, "state": "resting"}),
        ("opportunities/opportunity", {"url": "javascript:alert(1)"}),
        ("meetings/attendee", {"contact": 987654}),
        ("meetings/attendee", {"contact": None}),
    ],
)
def test_a_row_that_cannot_be(bob, small, name, change):
    data = edited(small, f"{name}.jsonl", lambda rows: rows[0].update(change))
    why = refused(bob, data)
    assert f"{name}.jsonl" in why
    assert "nothing was brought back" in why


def test_the_same_id_twice(bob, small):
    data = edited(small, "contacts/contact.jsonl", lambda rows: rows[1].update(id=rows[0]["id"]))
    assert "contacts/contact.jsonl" in refused(bob, data)


@pytest.mark.parametrize("text", [b"[]\n", b"{\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_a_line_that_is_no_row(bob, small, text):
    data = zipped(files_of(small) | {"contacts/tag.jsonl": text})
    assert "contacts/tag.jsonl" in refused(bob, data)


def test_settings_that_cannot_be(bob, small):
    data = zipped(files_of(small) | {"settings.json": b'{"time_zone": "Mars/Base"}'})
    assert "settings.json" in refused(bob, data)


def test_ids_of_an_archive_reach_no_row_of_anybody_else(alice, bob, small):
    """The ids of Alice's rows are in it: they stay hers, and stay as they are."""
    hers = archive_of(alice)
    bring_back(bob, small)
    assert content(archive_of(alice)) == content(hers)
    assert not Contact.objects.for_user(bob).filter(organisation__owner=alice).exists()


def test_a_follow_up_forgets_an_introduction_that_was_gone(alice, bob):
    contact = make_contact(alice)
    make_follow_up(contact, facts={"introduction 987654": {"wanted": "Ada"}, "why": "Because"})
    bring_back(bob, archive_of(alice))
    assert FollowUp.objects.for_user(bob).get().facts == {"why": "Because"}


def test_an_older_archive_may_lack_what_is_newer(alice, bob):
    make_contact(alice, notes="Wild swimming")
    data = edited(archive_of(alice), "contacts/contact.jsonl", lambda rows: rows[0].pop("details"))
    files = files_of(data)
    del files["contacts/notsame.jsonl"]
    bring_back(bob, zipped(files))
    assert Contact.objects.for_user(bob).get().details == []


def test_what_waits_still_waits(alice, bob):
    log(make_contact(alice), Entry(Channel.CALL, Outcome.NO_ANSWER, alice.today()))
    make_follow_up(make_contact(alice, "Aiko Tanabe"), "cold-request")
    bring_back(bob, archive_of(alice))
    due = [FollowUp.objects.for_user(user).order_by("id") for user in (alice, bob)]
    assert [row.due_on for row in due[0]] == [row.due_on for row in due[1]]
    assert not FollowUp.objects.silent().exists()
