"""Nasty files for a few seconds; `make fuzz` tries more of them. And what would be found if there
were something to be found."""

import itertools
from time import process_time

import pytest
from hypothesis import strategies as st

from tests.fuzz import bounds
from tests.fuzz.bounds import MEGABYTE, TookTooMuch, bounded
from tests.fuzz.run import Tally, replay, take_turn
from tests.fuzz.targets import ARCHIVE, NOTEBOOK, Target, targets

SEED = 7
TURN = 12


@pytest.mark.django_db
def test_every_promise_is_kept(tmp_path):
    tallies = {}
    for target in targets(large=False):
        tallies[target.name] = Tally()
        take_turn(target, SEED, tallies[target.name], tmp_path, most=TURN)
    assert {name: tally.broken for name, tally in tallies.items() if tally.broken} == {}
    for name, tally in tallies.items():
        # Neither is all of it refused, nor is nothing wrong with any.
        assert tally.files >= TURN, name
        assert tally.people, name
    assert all(tallies[name].refused for name in (NOTEBOOK, ARCHIVE))


def without_zeros(data: bytes) -> int:
    if data.count(0) > 1:
        raise ValueError("two zeros")
    return len(data)


def test_what_breaks_a_promise_is_kept_as_small_as_it_can_be_and_replays(tmp_path, capsys):
    target = Target("bytes", st.binary(), without_zeros, turn=500)
    tally = Tally()
    take_turn(target, SEED, tally, tmp_path)
    ((origin, path),) = tally.kept.items()
    assert origin.startswith("ValueError at tests/fuzz/test_fuzz.py:")
    assert path.read_bytes() == b"\0\0"
    assert replay([target], path) == 1
    path.write_bytes(b"\0")
    assert replay([target], path) == 0


def test_what_is_known_is_counted_and_something_else_is_still_found(tmp_path):
    def other(data: bytes) -> int:
        assert len(data) < 5
        return without_zeros(data)

    target = Target("bytes", st.binary(), other, turn=500)
    tally = Tally()
    for seed in range(4):
        take_turn(target, seed, tally, tmp_path)
    assert len(tally.kept) == 2
    assert sum(tally.broken.values()) > 2


def test_what_would_take_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr(bounds, "SECONDS", 0.2)
    start = process_time()
    with pytest.raises(TookTooMuch, match=r"0 bytes took more than 0\.2 s"), bounded(0):
        for _ in itertools.count():
            pass
    assert process_time() - start < 2


def test_what_takes_too_much_memory_is_told(monkeypatch):
    monkeypatch.setattr(bounds, "MEGABYTES", 1)
    # More than this process has ever held.
    much = bounds.peak() + 50 * MEGABYTE
    with pytest.raises(TookTooMuch, match="of memory"), bounded(0):
        bytearray(b"x") * much
