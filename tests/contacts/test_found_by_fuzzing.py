"""What `make fuzz` has found, each in a few lines."""

import io
from datetime import date

import pytest

from contacts.files import monica, tables
from contacts.files.cards import CardProblem
from contacts.models import Contact, Tag
from tests.contacts.test_importing import card, worked_off
from tests.contacts.test_monica import dumped, exported, insert
from tests.contacts.test_undoing_imports import undone
from today import archive
from today.archive import CannotRestore


@pytest.mark.parametrize("name", ["İzmir", "ΓΙΏΡΓΟΣ"])
def test_a_tag_whose_small_letters_are_others_for_python(alice, name):
    worked_off(alice, card("FN:Priya Raman", f"CATEGORIES:{name}").encode(), "people.vcf")
    worked_off(alice, card("FN:Omar Diaz").encode(), "people.vcf", tag=name)
    assert Tag.objects.get().contacts.count() == 2


@pytest.mark.parametrize("name", ["İpek", "ΓΙΏΡΓΟΣ"])
def test_a_name_whose_small_letters_are_others_for_python_comes_once(alice, name):
    for _ in range(2):
        worked_off(alice, card(f"FN:{name}").encode(), "people.vcf")
    assert Contact.objects.get().name == name


def test_an_organisation_of_accents_alone_employs_nobody_else(alice):
    cards = card("FN:Priya Raman", "ORG:\u0301") + card("FN:Omar Diaz")
    job = worked_off(alice, cards.encode(), "people.vcf")
    employers = dict(Contact.objects.values_list("name", "organisation__name"))
    assert employers == {"Priya Raman": "\u0301", "Omar Diaz": None}
    undone(job)
    assert not Contact.objects.exists()


def test_a_long_text_is_no_day_and_is_not_remembered():
    assert tables.as_date("2024-05-06") is not None
    before = tables._as_date.cache_info().currsize
    assert tables.as_date("2024-05-06" + "\u200b" * 1_000_000) is None
    assert tables._as_date.cache_info().currsize == before


def refusal(data):
    with pytest.raises(CardProblem) as caught:
        list(monica.cards(data, date(2026, 3, 4)))
    return str(caught.value)


def test_millions_of_nothings_in_json_are_refused_before_they_take_a_hundred_times_the_memory():
    empty = b'"",' * monica.MOST_VALUES
    assert refusal(exported({"first_name": "Ann"}).replace(b'"Ann"', b"[%s1]" % empty)) == (
        "More than 1,000,000 things are in that file: too many to import at once."
    )


@pytest.mark.parametrize(
    "data",
    [
        exported({"first_name": "Ann", "tags": ["a", "b", "c"]}),
        exported({"first_name": "Ann"}, pet=[{}, {}, {}]),
        dumped(insert("`pets` (`id`)", "(1),(2),(3);")),
    ],
)
def test_more_rows_than_anybody_has_are_refused(data, monkeypatch):
    monkeypatch.setattr(monica, "MOST_THINGS", 3)
    assert refusal(data) == monica.TOO_MUCH


@pytest.mark.parametrize("row", ["(%s1)" % ("1," * 600), "(%s)" % ("x " * 600)])
def test_a_row_of_more_values_than_any_ends_the_reading(row):
    data = dumped(insert("`pets` (`id`)", f"{row},(2);"))
    assert [card.trouble for card in monica.cards(data, date(2026, 3, 4))] == [
        *["", ""],
        monica.BREAKS_OFF,
    ]


def test_not_every_broken_table_is_told():
    broken = [insert(f"x{n}", "(1);") for n in range(500)]
    told = list(monica.cards(dumped(*broken), date(2026, 3, 4)))
    assert len(told) == 2 + monica.MOST_BROKEN


def test_an_archive_without_its_beginning_is_refused(alice, bob):
    cut = b"".join(archive.write(alice))[48:]
    with pytest.raises(CannotRestore):
        archive.restore(bob, io.BytesIO(cut), len(cut))
