"""Recognising files, judging their rows, working them off."""

import csv
import io
from base64 import b64encode
from pathlib import Path
from time import monotonic

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from contacts.files import tables, vcards
from contacts.files.cards import CardProblem
from contacts.imports import importing
from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhoto,
    ImportJob,
    Organisation,
)
from tests.contacts.test_fitting import picture
from tests.factories import make_contact, make_user

SAMPLE = Path(__file__).parents[1] / "data" / "linkedin-connections.csv"
HEADER = ["First Name", "Last Name", "URL", "Email Address", "Company", "Position", "Connected On"]


def linkedin(*people, header=HEADER, delimiter=","):
    """Return the bytes of an export; each person is a list of cells."""
    out = io.StringIO()
    out.write('Notes:\n"When exporting, some e-mail addresses are missing."\n\n')
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([header, *people])
    return out.getvalue().encode()


def person(first="Priya", last="Raman", url="", email="", company="", position="", on=""):
    return [first, last, url, email, company, position, on]


def many(count):
    return linkedin(
        *(
            person(
                "Person",
                f"Number {n}",
                f"https://www.linkedin.com/in/person-{n}",
                f"person{n}@example.net" if n % 4 == 0 else "",
                f"Employer {n % 300}",
                "Grid planner",
                "11 Mar 2018",
            )
            for n in range(count)
        )
    )


def received(owner, data, name="Connections.csv"):
    return importing.receive(owner, name, data)


def confirmed(owner, data, name="Connections.csv", **chosen):
    job = received(owner, data, name)
    job.confirm(**chosen)
    return job


def worked_off(owner, data, name="Connections.csv", **chosen):
    job = confirmed(owner, data, name, **chosen)
    importing.run_imports()
    job.refresh_from_db()
    return job


def problem(owner, data, name="Connections.csv"):
    with pytest.raises(CardProblem) as caught:
        received(owner, data, name)
    assert not ImportJob.objects.exists()
    return str(caught.value)


# Reading


@pytest.mark.parametrize(
    ("data", "name", "source"),
    [
        (linkedin(person()), "anything.txt", "linkedin"),
        (b"First Name,Last Name,E-mail 1 - Value\nPriya,Raman,p@example.net\n", "c.csv", "google"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Priya\r\nEND:VCARD\r\n", "people.csv", "vcard"),
        ("BEGIN:VCARD\nFN:Priya\nEND:VCARD\n".encode("utf-16"), "people", "vcard"),
        (b"Name,Mail\nPriya,p@example.net\n", "x.csv", "csv"),
    ],
)
def test_a_file_is_recognised_by_what_is_in_it(alice, data, name, source):
    assert received(alice, data, name).source == source


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "Connections.csv", tables.EMPTY),
        (b"PK\x03\x04 anything", "Connections.csv", tables.ZIPPED),
        (b"PK\x03\x04 [Content_Types].xml", "Connections.csv", tables.WORKBOOK),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "Connections.csv", tables.NOT_TEXT),
        (b"Priya Raman", "people.vcf", vcards.NO_CARDS),
        (b"PK\x03\x04 BEGIN:VCARD", "people.vcf", tables.ZIPPED),
        (b"a" * (importing.LARGEST_FILE + 1), "Connections.csv", importing.TOO_LARGE),
        (linkedin(), "Connections.csv", tables.NO_PEOPLE),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:30],
)
def test_a_file_that_cannot_be_imported_gets_a_sentence(alice, data, name, sentence):
    assert problem(alice, data, name) == sentence


def test_a_file_that_takes_too_long_gets_a_sentence(alice, monkeypatch):
    monkeypatch.setattr(importing, "READ_WITHIN", -1)
    assert problem(alice, linkedin(person())) == importing.TOO_SLOW


# Planning


def verdicts(owner, *people):
    job = received(owner, linkedin(*people))
    return [(row.verdict, row.why) for row in job.rows.all()]


def test_somebody_new_will_be_created(alice):
    assert verdicts(alice, person()) == [("create", "")]


def test_the_same_profile_link_is_a_duplicate_however_it_is_spelled(alice):
    known = make_contact(alice, "Amara Okafor")
    ContactLink.objects.create(
        owner=alice, contact=known, url="https://www.linkedin.com/in/amara-okafor"
    )
    spelled = "http://at.linkedin.com/in/Amara-Okafor/?trk=1"
    assert verdicts(alice, person("A.", "O.", spelled)) == [
        ("known", "Same profile link as Amara Okafor.")
    ]


def test_the_same_address_is_a_duplicate_whatever_the_case(alice):
    known = make_contact(alice, "Amara Okafor")
    ContactEmail.objects.create(owner=alice, contact=known, address="Amara@Example.net")
    assert verdicts(alice, person("A.", "O.", email="amara@example.NET")) == [
        ("known", "Same e-mail address as Amara Okafor.")
    ]


def test_the_same_name_and_organisation_is_a_duplicate(alice):
    organisation = Organisation.objects.create(owner=alice, name="Umbra Games")
    make_contact(alice, "Amara Okafor", organisation=organisation)
    assert verdicts(
        alice,
        person("amara", "OKAFOR", company="umbra games"),
        person("Amara", "Okafor", company="Aster Health"),
    ) == [("known", "Same name and organisation as Amara Okafor."), ("create", "")]


def test_the_same_name_without_organisations_is_a_duplicate(alice):
    make_contact(alice, "Amara Okafor")
    assert verdicts(alice, person("Amara", "Okafor")) == [("known", "Same name as Amara Okafor.")]


@pytest.mark.parametrize("name", ["Maria", "Élodie"])
def test_a_first_name_alone_makes_nobody_the_same(alice, name):
    known = make_contact(alice, name)
    known.emails.create(owner=alice, address="known@example.org")
    assert verdicts(
        alice,
        person(name, "", email="one@example.org"),
        person(name, "", email="two@example.org"),
        person(name, ""),
    ) == [("create", ""), ("create", ""), ("skip", importing.TWICE.format(row=5))]


def test_a_first_name_without_anything_else_may_be_anybody(alice):
    make_contact(alice, "Maria")
    assert verdicts(alice, person("Maria", "", email="one@example.org")) == [
        ("known", "Same name as Maria.")
    ]


def test_two_profiles_are_two_people_even_with_one_name_and_organisation(alice):
    known = make_contact(alice, "Priya Raman")
    ContactLink.objects.create(owner=alice, contact=known, url="https://www.linkedin.com/in/one")
    assert verdicts(
        alice,
        person(url="https://www.linkedin.com/in/two"),
        person(url="https://www.linkedin.com/in/three"),
    ) == [("create", ""), ("create", "")]


def test_twice_in_the_file_is_skipped_and_the_row_is_named(alice):
    assert verdicts(
        alice, person(email="p@example.net"), person("P.", "R.", email="P@example.net")
    ) == [
        ("create", ""),
        ("skip", importing.TWICE.format(row=5)),
    ]


def test_rows_without_a_name_are_skipped(alice):
    assert verdicts(alice, person("", "", company="Aster"), person()) == [
        ("skip", tables.NAMELESS),
        ("create", ""),
    ]


def test_somebody_elses_people_are_no_duplicates(alice, bob):
    make_contact(bob, "Priya Raman")
    assert verdicts(alice, person()) == [("create", "")]


def card(*lines):
    return "\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])


def verdicts_of_cards(owner, *cards):
    job = received(owner, "".join(cards).encode(), "people.vcf")
    return [(row.verdict, row.why) for row in job.rows.all()]


def test_the_same_number_and_a_word_of_the_name_is_a_duplicate(alice):
    known = make_contact(alice, "Priya Raman")
    known.phones.create(owner=alice, number="+436601234567", label="mobile")
    alice.country = "AT"
    assert verdicts_of_cards(
        alice,
        card("FN:P. Raman", "TEL:0660 1234567"),
        # The number of a family or an office.
        card("FN:Ben Osei", "TEL:0660 1234567"),
    ) == [("known", "Same phone number as Priya Raman."), ("create", "")]


def test_whoever_is_twice_in_a_file_comes_in_once_with_everything(alice, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    cards = [
        card("FN:Priya Raman", "EMAIL:p@example.net"),
        card("FN:P. Raman", "EMAIL:p@example.net", "TEL:+43 660 1234567", "NOTE:Likes maps."),
        # Known by the number that the second one has.
        card("FN:Ms Raman", "TEL:+43 660 1234567", "EMAIL:priya@example.org"),
    ]
    worked_off(alice, "".join(cards).encode(), "people.vcf")
    priya = Contact.objects.get()
    assert (priya.name, priya.notes) == ("Priya Raman", "Likes maps.")
    assert [each.number.as_e164 for each in priya.phones.all()] == ["+436601234567"]
    assert {each.address for each in priya.emails.all()} == {"p@example.net", "priya@example.org"}
    assert priya.details == [["P. Raman", "name"], ["Ms Raman", "name"]]


def test_whom_the_notebook_knows_by_a_later_card_is_known(alice):
    known = make_contact(alice, "P. Raman")
    known.emails.create(owner=alice, address="p@example.net")
    cards = [card("FN:Priya Raman", "TITLE:Planner"), card("FN:Priya Raman", "EMAIL:p@example.net")]
    first, second = verdicts_of_cards(alice, *cards)
    assert first == ("known", "Same e-mail address as P. Raman.")
    assert second[0] == "skip"


def test_a_file_that_no_reader_foresaw_stops_no_other(alice, bob, monkeypatch):
    jobs = [confirmed(owner, linkedin(person())) for owner in (alice, bob)]
    store = importing.storing.create

    def create(job, rows):
        return {}["nothing"] if job.owner_id == alice.pk else store(job, rows)

    monkeypatch.setattr(importing.storing, "create", create)
    importing.run_imports()
    for job in jobs:
        job.refresh_from_db()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert jobs[0].error == importing.FAILED


def test_many_people_with_one_number_are_told_apart_in_linear_time(alice):
    switchboard = [card(f"FN:Person{n} Of{n}", "TEL:+43 1 58801") for n in range(2000)]
    assert {verdict for verdict, _ in verdicts_of_cards(alice, *switchboard)} == {"create"}


def test_a_card_that_does_harm_costs_itself_alone(alice):
    job = received(
        alice,
        "".join(
            [
                card("FN:<script>alert(1)</script>", "NOTE:=HYPERLINK(1)"),
                card("FN:Long", f"NOTE:{'x' * 11_000_000}"),
                card("FN:Bomb", "PHOTO;ENCODING=b:UEsDBBQAAAAIAA=="),
                card("FN:Priya Raman"),
            ]
        ).encode(),
        "people.vcf",
    )
    importing.run_imports()
    verdicts = {row.told.name: row for row in job.rows.all()}
    assert len(verdicts) == 4
    assert verdicts["Long"].why == vcards.LONG_LINE
    assert verdicts["Bomb"].told.without == ["photo"]
    assert verdicts["Priya Raman"].verdict == "create"


# Working


def test_people_come_with_everything_the_file_says(alice):
    job = worked_off(alice, SAMPLE.read_bytes())
    assert (job.state, job.created, job.duplicates, job.skipped) == ("done", 4, 0, 1)
    amara = Contact.objects.get(owner=alice, name="Amara Okafor")
    assert (amara.role, amara.organisation.name) == ("Producer", "Umbra Games")
    assert (amara.how_met, str(amara.known_since)) == ("Connected on LinkedIn", "2018-03-11")
    assert [email.address for email in amara.emails.all()] == ["amara@example.net"]
    assert [str(link) for link in amara.links.all()] == ["LinkedIn"]
    found = Contact.objects.for_user(alice)
    assert found.search("amara umbra amara@example.net").get() == amara
    assert found.search("lukasz").get().name == "Łukasz Brandt"


def test_importing_the_same_file_again_adds_nobody(alice):
    worked_off(alice, SAMPLE.read_bytes())
    job = worked_off(alice, SAMPLE.read_bytes())
    assert (job.created, job.duplicates, job.skipped) == (0, 4, 1)
    assert Contact.objects.count() == 4


def test_two_imports_planned_before_either_ran_add_everybody_once(alice):
    first, second = (confirmed(alice, many(700)) for _ in range(2))
    # They take turns: a chunk of one, a chunk of the other.
    while any(importing.work(job.pk) for job in (first, second)):
        pass
    assert Contact.objects.count() == 700
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.created + second.created == first.duplicates + second.duplicates == 700


def test_organisations_are_found_whatever_the_case_and_made_once(alice, bob):
    aster = Organisation.objects.create(owner=alice, name="Aster Health")
    Organisation.objects.create(owner=bob, name="Café Zwölf")
    worked_off(
        alice,
        linkedin(
            person("A", company="ASTER HEALTH"),
            person("B", company="Café Zwölf"),
            person("C", company="CAFÉ ZWÖLF"),
        ),
    )
    names = Organisation.objects.for_user(alice).values_list("name", flat=True)
    assert list(names) == ["Aster Health", "Café Zwölf"]
    assert Contact.objects.get(name="A Raman").organisation == aster


def test_a_worker_that_dies_between_chunks_loses_and_doubles_nobody(alice):
    job = confirmed(alice, many(1200))
    assert importing.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Contact.objects.count()) == ("running", 500, 500)
    importing.run_imports()
    job.refresh_from_db()
    assert (job.state, job.done, job.created) == ("done", 1200, 1200)
    assert Contact.objects.count() == 1200


def test_a_worker_that_dies_within_a_chunk_leaves_nothing_of_it(alice, monkeypatch):
    job = confirmed(alice, many(600))

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ContactLink.objects, "bulk_create", dies)
        with pytest.raises(KeyboardInterrupt):
            importing.run_imports()
    job.refresh_from_db()
    assert (job.done, Contact.objects.count()) == (0, 0)
    importing.run_imports()
    assert Contact.objects.count() == 600


def test_work_stops_when_its_time_is_up_and_goes_on_with_the_next_tick(alice):
    job = confirmed(alice, many(1200))
    importing._work_off(job.pk, deadline=monotonic())
    job.refresh_from_db()
    assert job.done == 500
    importing.run_imports()
    assert Contact.objects.count() == 1200


def test_a_database_in_trouble_is_tried_again(alice, monkeypatch):
    job = confirmed(alice, many(3))

    def fails(*args, **kwargs):
        raise OperationalError("terminating connection")

    with monkeypatch.context() as patch:
        patch.setattr(Contact.objects, "bulk_create", fails)
        importing.run_imports()
    job.refresh_from_db()
    assert (job.state, job.done) == ("queued", 0)
    importing.run_imports()
    assert Contact.objects.count() == 3


def test_rows_that_cannot_be_stored_end_the_import_with_a_sentence(alice, monkeypatch):
    job = confirmed(alice, many(3))

    def fails(*args, **kwargs):
        raise DataError("out of range")

    monkeypatch.setattr(Contact.objects, "bulk_create", fails)
    importing.run_imports()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", importing.FAILED)
    assert Contact.objects.count() == 0


def test_a_chunk_draws_few_photos_and_all_of_them_come(alice, monkeypatch):
    monkeypatch.setattr(importing, "PHOTOS", 2)
    photo = b64encode(picture((40, 40))).decode()
    cards = [card(f"FN:Person {n}", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}") for n in range(5)]
    job = confirmed(alice, "".join(cards).encode(), "people.vcf")
    assert importing.work(job.pk)
    assert ContactPhoto.objects.count() == 2
    importing.run_imports()
    assert ContactPhoto.objects.count() == Contact.objects.count() == 5


def test_a_card_becomes_a_person_with_everything_that_it_tells(alice):
    alice.country = "AT"
    lines = (
        *("FN:Priya Raman", "EMAIL;TYPE=home:p@example.net", "TEL;TYPE=CELL:+43 660 1234567"),
        *("URL:https://example.org/priya", "ORG:Aster", "TITLE:Planner", "NOTE:Likes trams"),
        *("BDAY:1980-02-01", "CATEGORIES:data,Graz", "TZ:Europe/Vienna", "X-SKYPE:priya"),
    )
    worked_off(alice, card(*lines).encode(), "priya.vcf", tag="From my phone")
    priya = Contact.objects.get()
    assert (priya.role, priya.organisation.name, priya.notes) == ("Planner", "Aster", "Likes trams")
    assert [(str(each), each.label) for each in priya.emails.all()] == [("p@example.net", "home")]
    assert [(each.number.as_e164, each.label) for each in priya.phones.all()] == [
        ("+436601234567", "mobile")
    ]
    assert [each.url for each in priya.links.all()] == ["https://example.org/priya"]
    assert sorted(map(str, priya.tags.all())) == ["From my phone", "Graz", "data"]
    assert priya.time_zone == "Europe/Vienna"
    assert {"1980-02-01", "priya"} <= {value for value, _ in priya.details}
    assert Contact.objects.search("trams graz p@example.net").get() == priya


def test_what_was_not_confirmed_is_not_worked_off(alice):
    received(alice, many(3))
    importing.run_imports()
    assert Contact.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_rows_take_seconds():
    alice = make_user("alice@example.org")
    # As a worker does it: a connection of its own, without plans made for nearly empty tables.
    connection.close()
    data = many(10_000)
    started = monotonic()
    job = received(alice, data)
    while job.state != "done":
        job.confirm()
        importing.run_imports()
        job.refresh_from_db()
    assert (job.state, job.created) == ("done", 10_000)
    assert Contact.objects.count() == 10_000
    assert monotonic() - started < 30


@pytest.mark.django_db(transaction=True)
def test_a_large_import_does_not_read_the_whole_notebook_for_each_row():
    alice = make_user("alice@example.org")
    connection.close()
    before = _index_reads()
    confirmed(alice, many(4000))
    importing.run_imports(seconds=120)
    assert Contact.objects.count() == 4000
    connection.close()
    # 8 million when each check of a foreign key reads all contacts of the owner.
    assert _index_reads() - before < 1_000_000


def _index_reads():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = %s",
            [Contact._meta.db_table],
        )
        return int(cursor.fetchone()[0] or 0)


def test_a_chunk_takes_as_many_queries_for_3_rows_as_for_300(alice):
    counts = []
    for rows in (3, 300):
        job = confirmed(alice, many(rows).replace(b"erson", b"erson-%d" % rows))
        with CaptureQueriesContext(connection) as queries:
            importing.work(job.pk)
        counts.append(len(queries))
        assert Contact.objects.filter(name__startswith=f"Person-{rows}").count() == rows
    assert counts[0] == counts[1]
