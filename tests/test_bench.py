"""A small run of the benchmark, so that `make bench` keeps working. It measures nothing here."""

import subprocess
import sys

import pytest

from benchmarks import digests, measuring, sweep
from benchmarks.address_books import FORMATS
from benchmarks.importer import STEPS, Importer
from benchmarks.measuring import PAGES, Result
from contacts.models import Contact
from tests.processes import ROOT


@pytest.mark.django_db
def test_measures_every_page_and_no_query_count_grows(capsys):
    assert measuring.bench(people=100, rounds=1) == 0
    report = capsys.readouterr().out
    for name in ("Floor", *PAGES, "100 contacts, 500 interactions"):
        assert name in report
    assert "No query count grows." in report


def result(ratio=1.0, queries=9):
    return Result("Today", seconds=0.01, ratio=ratio, queries=queries, queries_of_few=9)


def test_growing_queries_fail(capsys):
    assert measuring.print_verdict([result(queries=59)]) == 1
    assert "Queries grow with rows: Today" in capsys.readouterr().out


def test_a_slow_page_is_named_and_does_not_fail(capsys):
    assert measuring.print_verdict([result(ratio=3.4)]) == 0
    assert "Not within 3 times the floor: Today" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_everybody_comes_in_from_each_format(each):
    importer = Importer(each.name, 30, each.file(30))
    for step in STEPS.values():
        step(importer)
    jonas = Contact.objects.for_user(importer.owner).get(name="Jonas Haddad-0")
    assert (jonas.role, jonas.emails.get().address) == ("Forscherin", "person.0@example.org")


def test_load_runs_with_processes_and_a_database_of_its_own():
    command = [sys.executable, "-m", "benchmarks.run", "--people=0", "--users=5"]
    command += ["--listed=0", "--searched=0", "--follow-ups=10000"]
    command += ["--imports=30", "--formats=LinkedIn"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    for line in (
        *("30 people from a file of each format", "LinkedIn  "),
        "5 of 5 digests due in the same hour",
        "the run was too short to say more",
        "10,000             100",  # one in a hundred is due, also among all of them
        "Ten times as many that are not due",
    ):
        assert line in done.stdout


def test_memory_that_grows_fails(capsys):
    flat = [50 * 2**20, *[90 * 2**20] * 39]  # It was small before the first mail.
    assert digests.print_memory(flat) == 0
    assert "Memory stays flat." in capsys.readouterr().out
    assert digests.print_memory([*flat[:20], *[95 * 2**20] * 20]) == 1
    assert "Memory grows." in capsys.readouterr().out


def stages(seconds=1.0, floor=0.4, idle=0.01):
    few = sweep.Result(10_000, due=100, seconds=1.0, floor=0.4, ratio=2.5, idle=0.01)
    many = sweep.Result(100_000, due=100, seconds=seconds, floor=floor, ratio=2.5, idle=idle)
    return [few, few, many]


@pytest.mark.parametrize(
    ("results", "indexed", "code"),
    [
        (stages(seconds=1.4), True, 0),
        (stages(seconds=1.6), True, 1),
        (stages(seconds=1.6, floor=0.5), True, 0),
        (stages(idle=0.016), True, 1),
        (stages(), False, 1),
    ],
)
def test_a_sweep_that_grows_with_what_is_not_due_fails(results, indexed, code):
    assert sweep.print_verdict(results, indexed) == code
