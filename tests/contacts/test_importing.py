"""Reading, planning and working off LinkedIn's Connections.csv."""

import csv
import io
from pathlib import Path
from time import monotonic

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from contacts import importing
from contacts.models import Contact, ContactEmail, ContactLink, Organisation
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


def confirmed(owner, data):
    job = importing.prepare(owner, "Connections.csv", importing.read(data))
    job.confirm()
    return job


def worked_off(owner, data):
    job = confirmed(owner, data)
    importing.run_imports()
    job.refresh_from_db()
    return job


def problem(data):
    with pytest.raises(importing.ImportProblem) as caught:
        importing.read(data)
    return str(caught.value)


# Reading


def test_a_real_export_is_read():
    entries = importing.read(SAMPLE.read_bytes())
    assert entries[0] == {
        "row": 5,
        "name": "Amara Okafor",
        "organisation": "Umbra Games",
        "role": "Producer",
        "email": "amara@example.net",
        "link": "https://www.linkedin.com/in/amara-okafor",
        "on": "2018-03-11",
    }
    assert entries[1]["organisation"] == 'Helio "Sun" Labs'
    assert entries[1]["role"] == "VP, Partnerships"
    assert entries[4] == {"row": 9}


def test_what_cannot_be_read_is_left_out_and_named():
    entry = importing.read(SAMPLE.read_bytes())[5]
    assert entry["without"] == ["e-mail address", "link", "date"]
    assert not {"email", "link", "on"} & entry.keys()


def test_cells_that_look_like_formulas_stay_text():
    entry = importing.read(SAMPLE.read_bytes())[5]
    assert entry["name"] == '=HYPERLINK("https://example.org") Doe'
    assert (entry["organisation"], entry["role"]) == ("+Plus", "@home")


def test_invisible_characters_are_taken_out_and_joiners_stay():
    data = linkedin(person("Pri\u2028ya\u202e", "Ra\x07man\u0085", company="نیم\u200cفاصله"))
    (entry,) = importing.read(data)
    assert (entry["name"], entry["organisation"]) == ("Pri ya Raman", "نیم\u200cفاصله")


def test_long_cells_are_cut_to_what_the_notebook_takes():
    long = "x" * 5000
    (entry,) = importing.read(linkedin(person(long, "", f"https://e.org/{long}", "", long, long)))
    assert [len(entry[key]) for key in ("name", "organisation", "role")] == [200, 200, 200]
    assert entry["without"] == ["link"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("11 Mar 2018", "2018-03-11"),
        ("1 March 2018", "2018-03-01"),
        ("2018-03-11", "2018-03-11"),
        ("31 Feb 2018", None),
        ("11 Mar 0018", None),
        ("soon", None),
    ],
)
def test_the_day_of_connecting(text, day):
    (entry,) = importing.read(linkedin(person(on=text)))
    assert entry.get("on") == day
    assert ("without" in entry) == (day is None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_ways_to_save_the_same_file(delimiter, encoding):
    data = linkedin(person("Chloé", "Lefèvre"), delimiter=delimiter).decode().encode(encoding)
    assert [entry["name"] for entry in importing.read(data)] == ["Chloé Lefèvre"]


def test_columns_may_stand_in_any_order():
    data = linkedin(
        ["2018-03-11", "Raman", "Priya"], header=["Connected On", "Last Name", "First Name"]
    )
    (entry,) = importing.read(data)
    assert (entry["name"], entry["on"]) == ("Priya Raman", "2018-03-11")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", importing.EMPTY),
        (b"\xef\xbb\xbf \n", importing.EMPTY),
        (b"PK\x03\x04 anything", importing.ZIPPED),
        (b"PK\x03\x04 [Content_Types].xml", importing.WORKBOOK),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", importing.NOT_TEXT),
        (linkedin(person()).replace(b"Raman", b"Ra\0man"), importing.NOT_TEXT),
        (
            linkedin(person()).decode().replace("Raman", "Ra\0man").encode("utf-16"),
            importing.NOT_TEXT,
        ),
        (linkedin(person("Chloé")).decode().encode("cp1252"), importing.BAD_BYTES),
        (b"\xff\xfeodd", importing.BAD_BYTES),
        (b"Name,E-mail\nPriya,priya@example.org\n", importing.NO_HEADER),
        (b"First Name,Last Name\nPriya,Raman\n", importing.NO_HEADER),
        (b"a" * importing.LARGEST_FILE, importing.NO_HEADER),
        (b'"' * 999, importing.NO_HEADER),
        (b"a" * (importing.LARGEST_FILE + 1), importing.TOO_LARGE),
        (linkedin(), importing.NO_PEOPLE),
        (linkedin(person("", "")), importing.NO_PEOPLE),
        (linkedin(*[person()] * (importing.MOST_ROWS + 1)), importing.TOO_MANY),
        (linkedin() + b"\n" * 100_000, importing.TOO_MANY),
        (linkedin(person()) + b'"Ama', importing.TORN.format(row=6)),
        (linkedin(person()) + b"x" * 200_000, importing.TORN.format(row=6)),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:30],
)
def test_a_file_that_cannot_be_imported_gets_a_sentence(data, sentence):
    started = monotonic()
    assert problem(data) == sentence
    assert monotonic() - started < 2


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
def test_no_bytes_ever_crash_the_reader(data):
    for candidate in (data, linkedin() + data):
        sentence = ""
        try:
            assert all("row" in entry for entry in importing.read(candidate))
        except importing.ImportProblem as caught:
            sentence = str(caught)
        assert not sentence or sentence.endswith((".", "?"))


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda text: importing.one_line(text) == text
)
people_of_an_export = st.lists(
    st.fixed_dictionaries(
        {"first": words, "last": words},
        optional={"company": words, "position": words, "on": st.just("11 Mar 2018")},
    ),
    min_size=1,
    max_size=8,
)


@given(people_of_an_export, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_whoever_was_exported_comes_back(people, encoding):
    data = linkedin(*(person(**one) for one in people)).decode().encode(encoding)
    entries = importing.read(data)
    assert [entry["row"] for entry in entries] == list(range(5, 5 + len(people)))
    for one, entry in zip(people, entries, strict=True):
        assert entry["name"] == f"{one['first']} {one['last']}"
        assert entry.get("organisation") == one.get("company")
        assert entry.get("role") == one.get("position")
        assert entry.get("on") == ("2018-03-11" if "on" in one else None)


# Planning


def verdicts(owner, *people):
    planned = importing.plan(owner, importing.read(linkedin(*people)))
    return [(entry["verdict"], entry.get("why", "")) for entry in planned]


def test_somebody_new_will_be_created(alice):
    assert verdicts(alice, person()) == [("create", "")]


def test_the_same_profile_link_is_a_duplicate_however_it_is_spelled(alice):
    known = make_contact(alice, "Amara Okafor")
    ContactLink.objects.create(
        owner=alice, contact=known, url="https://www.linkedin.com/in/amara-okafor"
    )
    spelled = "http://at.linkedin.com/in/Amara-Okafor/?trk=1"
    assert verdicts(alice, person("A.", "O.", spelled)) == [
        ("duplicate", "same profile link as Amara Okafor")
    ]


def test_the_same_address_is_a_duplicate_whatever_the_case(alice):
    known = make_contact(alice, "Amara Okafor")
    ContactEmail.objects.create(owner=alice, contact=known, address="Amara@Example.net")
    assert verdicts(alice, person("A.", "O.", email="amara@example.NET")) == [
        ("duplicate", "same e-mail address as Amara Okafor")
    ]


def test_the_same_name_and_organisation_is_a_duplicate(alice):
    organisation = Organisation.objects.create(owner=alice, name="Umbra Games")
    make_contact(alice, "Amara Okafor", organisation=organisation)
    assert verdicts(
        alice,
        person("amara", "OKAFOR", company="umbra games"),
        person("Amara", "Okafor", company="Aster Health"),
    ) == [("duplicate", "same name and organisation as Amara Okafor"), ("create", "")]


def test_the_same_name_without_organisations_is_a_duplicate(alice):
    make_contact(alice, "Amara Okafor")
    assert verdicts(alice, person("Amara", "Okafor")) == [
        ("duplicate", "same name as Amara Okafor")
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
        ("skip", "appears twice in this file (row 5)"),
    ]


def test_rows_without_a_name_are_skipped(alice):
    assert verdicts(alice, person("", ""), person("", "", company="Aster"), person()) == [
        ("skip", "empty row"),
        ("skip", "no name"),
        ("create", ""),
    ]


def test_somebody_elses_people_are_no_duplicates(alice, bob):
    make_contact(bob, "Priya Raman")
    assert verdicts(alice, person()) == [("create", "")]


# Working


def test_people_come_with_everything_the_file_says(alice):
    job = worked_off(alice, SAMPLE.read_bytes())
    assert (job.state, job.created, job.duplicates, job.skipped) == ("done", 4, 0, 2)
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
    assert (job.created, job.duplicates, job.skipped) == (0, 4, 2)
    assert Contact.objects.count() == 4


def test_two_imports_planned_before_either_ran_add_everybody_once(alice):
    first, second = (confirmed(alice, many(700)) for _ in range(2))
    # They take turns: a chunk of one, a chunk of the other.
    while any(importing.work_chunk(job.pk, job.plan) for job in (first, second)):
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
    assert importing.work_chunk(job.pk, job.plan)
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


def test_what_was_not_confirmed_is_not_worked_off(alice):
    importing.prepare(alice, "Connections.csv", importing.read(many(3)))
    importing.run_imports()
    assert Contact.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_rows_take_seconds():
    alice = make_user("alice@example.org")
    # As a worker does it: a connection of its own, without plans made for nearly empty tables.
    connection.close()
    data = many(10_000)
    started = monotonic()
    job = importing.prepare(alice, "Connections.csv", importing.read(data))
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
    importing.run_imports()
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
            importing.work_chunk(job.pk, job.plan)
        counts.append(len(queries))
        assert Contact.objects.filter(name__startswith=f"Person-{rows}").count() == rows
    assert counts[0] == counts[1]
