"""A few studies of every planted scenario: the whole of it is `make calibrate`, which writes docs/calibration.md."""

from functools import cache
from pathlib import Path

import pytest

from tests.benchmarks.calibration.measure import FIRST, Tally, keep, kept, reference, score, settings, tally, wilson
from tests.benchmarks.calibration.page import PARTS, page_text, written
from tests.benchmarks.calibration.why import MISSED, WHY, WRONG, at, unexplained, worse
from tests.benchmarks.planted.scenarios import OWN, REFERENCE, ROWS, SCENARIOS, Setting

SEEDS = 4
GROSSLY = 0.3  # four studies of a scenario tell 0.95 from 0.5, and no more


@cache
def counts() -> Tally:
    """Every scenario at the reference setting, and at those that a row needs of its own."""
    return tally((REFERENCE, *OWN.values()), range(SEEDS))


def perfect() -> dict[tuple[Setting, str], dict[str, tuple[int, int]]]:
    """Counts of ten studies in which every row was asked, and fired where it must and nowhere else."""
    fine = {
        s.name: {at: {r: (10 * (s.wanted(r, at) is True), 10) for r in ROWS} for at in settings()} for s in SCENARIOS
    }
    return {(at, s.name): fine[s.name][at] for at in settings() for s in SCENARIOS}


def spoilt(row: str, setting: Setting, fired: int, where: bool) -> Tally:
    """The same, but there the row fired so often in the scenarios where it must (or must not)."""
    found = perfect()
    for s in SCENARIOS:
        if s.wanted(row, setting) is where:
            found[setting, s.name] = {**found[setting, s.name], row: (fired, 10)}
    return found


@pytest.mark.parametrize("row", ROWS)
def test_no_check_is_grossly_off_its_bar_at_the_reference_setting(row: str) -> None:
    got = reference(counts(), row, SEEDS)
    assert got.clean
    assert got.false_alarms <= GROSSLY / 2
    assert got.recall >= 1 - GROSSLY


def test_every_row_is_planted_somewhere_and_clean_somewhere_and_asked_where_it_is_clean() -> None:
    for row in ROWS:
        got = reference(counts(), row, SEEDS)
        assert got.planted, row
        assert got.asked, row


def test_a_scenario_plants_nothing_that_it_does_not_score() -> None:
    assert all(not s.fires & s.grey and s.fires | s.grey <= set(ROWS) for s in SCENARIOS)
    assert len({s.name for s in SCENARIOS}) == len(SCENARIOS)


def test_an_interval_of_a_share_stays_between_zero_and_one_and_shrinks() -> None:
    assert wilson(0, 20)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson(200, 200)[1] == pytest.approx(1.0)
    assert wilson(10, 20)[1] - wilson(10, 20)[0] > wilson(100, 200)[1] - wilson(100, 200)[0]


@pytest.mark.prose
def test_the_page_says_that_all_holds_where_all_holds(tmp_path: Path) -> None:
    page = written(perfect(), 10, FIRST, page=True, docs=tmp_path)
    assert f"All {len(ROWS)} rows hold it." in page
    assert page.count("None is worse there than at the reference and misses its bar.") == 3
    assert f"Seeds {FIRST} to {FIRST + 9}: held out" in page
    assert "**" not in page.split("## What was planted")[0].split("Where it is worse")[0]
    assert "## The gate" not in page
    assert {p.name for p in tmp_path.iterdir()} >= {"calibration.md", "calibration_noise.svg"}


@pytest.mark.prose
def test_the_page_says_what_misses_with_its_numbers_and_its_reason(tmp_path: Path) -> None:
    (tmp_path / PARTS["The gate"]).write_text("Measured elsewhere.")
    noisy = spoilt("F8", at("noise", 2.0), 4, True)
    page = page_text(noisy, 10, 0, tmp_path)
    assert f"- F8: recall 0.40 at 2. {WHY['noise', 'F8', MISSED]}" in page
    assert "**0.40 / 0.00**" in page
    assert f"All {len(ROWS)} rows hold it." in page
    assert "not held out" in page
    assert "## The gate\n\nMeasured elsewhere." in page
    assert unexplained(noisy, 10) == []


@pytest.mark.prose
def test_a_row_that_misses_at_the_reference_is_named_and_one_without_a_reason_is_said_to_have_none() -> None:
    short = written(spoilt("F8", REFERENCE, 9, True), 10, FIRST, page=False)
    assert "| F8 | still improving? | **0.900" in short
    few = spoilt("H9", at("trials", 8), 1, False)
    assert worse(few, 10, "trials") == {("H9", WRONG): [(8, 0.1)]}
    assert unexplained(few, 10) == ["trials H9 wrong"]


def test_a_reason_is_of_a_row_and_an_axis_that_there_are() -> None:
    assert {(axis, row) for axis, row, _ in WHY} <= {(a, r) for a in ("noise", "trials", "dimensions") for r in ROWS}


def test_counts_are_kept_as_they_are(tmp_path: Path) -> None:
    keep(perfect(), FIRST, 10, tmp_path / "kept.json")
    assert kept(tmp_path / "kept.json") == (perfect(), FIRST, 10)


def test_asked_is_counted_apart_from_silent() -> None:
    assert 0 < score(counts(), "H9", REFERENCE, SEEDS).asked < score(counts(), "H9", REFERENCE, SEEDS).clean
