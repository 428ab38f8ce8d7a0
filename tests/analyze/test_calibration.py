"""A few studies of every planted scenario: the whole of it is `make calibrate`, which writes docs/calibration.md."""

from functools import cache

import pytest

from tests.benchmarks.calibration import Tally, score, tally, wilson
from tests.benchmarks.scenarios import REFERENCE, ROWS, SCENARIOS, Setting

SEEDS = 8
GROSSLY = 0.2  # eight studies of a scenario tell 0.95 from 0.7, and no more


@cache
def counts() -> Tally:
    """Every scenario at the reference setting."""
    return tally((REFERENCE,), SEEDS)


@pytest.mark.parametrize("row", ROWS)
def test_no_check_is_grossly_off_its_bar_at_the_reference_setting(row: str) -> None:
    got = score(counts(), row, REFERENCE, SEEDS)
    assert got.clean
    assert got.false_alarms <= GROSSLY / 2
    if got.planted:
        assert got.recall >= 1 - GROSSLY


def test_every_row_is_planted_somewhere_and_clean_somewhere() -> None:
    small = Setting(trials=16)
    for row in ROWS:
        wanted = {s.wanted(row, at) for s in SCENARIOS for at in (REFERENCE, small)}
        assert {True, False} <= wanted, row


def test_a_scenario_plants_nothing_that_it_does_not_score() -> None:
    assert all(not s.fires & s.grey and s.fires | s.grey <= set(ROWS) for s in SCENARIOS)


def test_an_interval_of_a_share_stays_between_zero_and_one_and_shrinks() -> None:
    assert wilson(0, 20)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson(200, 200)[1] == pytest.approx(1.0)
    assert wilson(10, 20)[1] - wilson(10, 20)[0] > wilson(100, 200)[1] - wilson(100, 200)[0]
