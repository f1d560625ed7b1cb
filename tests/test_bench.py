"""A small run of the benchmark, so that `make bench` keeps working. It measures nothing here."""

import pytest

from benchmarks import measuring
from benchmarks.measuring import PAGES, Result

pytestmark = pytest.mark.django_db


def test_measures_every_page_and_no_query_count_grows(capsys):
    assert measuring.bench(people=100, rounds=1) == 0
    report = capsys.readouterr().out
    for name in ("Floor", *PAGES, "Import of 100 rows", "100 contacts, 500 interactions"):
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
