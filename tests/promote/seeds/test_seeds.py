"""G2: rounds whose program ignores its seed promote nothing, and no other program is said to."""

import pytest

from tests.promote.seeds.simulated_seeds import (
    Draw,
    Report,
    Simulated,
    at_the_ceiling,
    cached,
    coarse_and_fine,
    collapsed,
    conclusion_of,
    few_examples,
    few_often,
    fixed,
    halved,
    one_fine,
    raced,
    rounded,
    uses,
)

ROUNDS = 12  # of each kind here; `python -m tests.benchmarks.seeds` runs 200, and docs/seeds.md has the table


def ends(draw: Draw, report: Report, gain: float = 3.0) -> list[Simulated]:
    """How so many rounds end."""
    return [raced(draw, report, gain=gain, seed=seed) for seed in range(ROUNDS)]


@pytest.mark.playbook("G2", case="fires")
@pytest.mark.parametrize("gain", [0.0, 3.0])
@pytest.mark.parametrize("report", [one_fine, coarse_and_fine], ids=lambda f: f.__name__)
@pytest.mark.parametrize("draw", [fixed, cached, halved], ids=lambda f: f.__name__)
def test_an_ignored_seed_is_said_after_two_retrains_an_arm(draw: Draw, report: Report, gain: float) -> None:
    for end in ends(draw, report, gain):
        assert end == Simulated(promoted=False, accused=True, withheld=False, retrains=6)


@pytest.mark.parametrize("report", [few_examples, few_often, rounded], ids=lambda f: f.__name__)
@pytest.mark.parametrize("draw", [fixed, cached], ids=lambda f: f.__name__)
def test_where_every_number_is_coarse_nothing_is_promoted_and_nobody_accused(draw: Draw, report: Report) -> None:
    rounds = ends(draw, report)
    assert not any(end.promoted or end.accused for end in rounds)
    assert any(end.withheld for end in rounds)


@pytest.mark.playbook("G2", case="silent")
@pytest.mark.parametrize("gain", [0.0, 3.0])
@pytest.mark.parametrize(
    "report",
    [one_fine, coarse_and_fine, few_examples, few_often, at_the_ceiling, collapsed, rounded],
    ids=lambda f: f.__name__,
)
def test_a_program_that_uses_its_seed_is_never_accused(report: Report, gain: float) -> None:
    assert not any(end.accused or end.withheld for end in ends(uses, report, gain))


def test_the_finding_names_the_trials_and_blocks_with_the_retrains_on_record() -> None:
    conclusion = conclusion_of(fixed, one_fine, gain=3.0, seed=0)
    (found,) = conclusion.blockers
    assert (found.row, found.level, found.reason) == ("G2", "fail", "seed_ignored")
    assert conclusion.decision is None
    assert conclusion.gate is not None
    assert set(conclusion.retrains) <= set(found.trials)


@pytest.mark.playbook("G2", case="shows")
def test_a_deterministic_workload_is_compared_by_one_trial_each() -> None:
    conclusion = conclusion_of(cached, one_fine, gain=3.0, seed=1, deterministic=True)
    assert conclusion.promoted is not None
    assert len(conclusion.retrains) == 3
    assert conclusion.gate is not None
    assert conclusion.gate.deterministic
    assert [f.reason for f in conclusion.findings] == ["deterministic"]
    assert conclusion.decision is not None
    assert conclusion.decision.band is None


def test_a_workload_that_says_so_and_is_not_promotes_nothing() -> None:
    conclusion = conclusion_of(uses, one_fine, gain=3.0, seed=1, deterministic=True)
    assert conclusion.promoted is None
    assert [f.reason for f in conclusion.blockers] == ["not_deterministic"]
