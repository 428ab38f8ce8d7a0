"""E7: enough trials where it is good."""

import pytest

from tasks.analyze.checks.search.density import DensityThresholds, density, good_share, wanted
from tests.analyze.planted import case, planned_round, policy, rows, scored, studied

LR = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}


@pytest.mark.parametrize(("dimensions", "curvature"), [(1, 4.0), (2, 4.0), (3, 4.0), (2, 1.0), (3, 16.0)])
@pytest.mark.playbook("E7", case="silent")
def test_24_trials_are_enough_for_any_bowl_whatever_its_dimension(dimensions: int, curvature: float) -> None:
    fired = sum(bool(rows(density(case("inside", s, dimensions=dimensions, curvature=curvature)))) for s in range(100))
    assert fired <= 5


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.playbook("E7", case="fires")
def test_a_funnel_that_one_or_two_trials_hit_is_too_thinly_searched(dimensions: int) -> None:
    """A valley a fifth of a decade wide in a plain: 24 trials put one or two into it."""
    fired = sum(
        "E7" in rows(density(case("inside", s, dimensions=dimensions, curvature=4000.0, ceiling=40.0)))
        for s in range(100)
    )
    assert fired >= 95


@pytest.mark.playbook("E7", case="fires")
def test_the_remedy_is_a_longer_search() -> None:
    evidence = scored(planned_round(LR, 0, trials=16), lambda p, i: 0.1 if i == 5 else 1.0 + 0.001 * i)
    (found,) = density(evidence)
    assert (found.reason, found.level, found.remedy) == ("too_few_good_trials", "fail", ("budget.trials=32",))
    assert found.trials == (evidence.round.trials[5].id,)
    assert found.numbers["good"] == 1
    assert found.numbers["good_trials"] == 3


@pytest.mark.playbook("E7", case="silent")
def test_density_is_not_asked_of_explicit_points_or_of_one_trial() -> None:
    points = planned_round(LR, 0, points=[{"learning_rate": 1e-3}, {"learning_rate": 1e-2}])
    assert [f.reason for f in density(studied(points, bowls={}))] == ["listed_points"]
    alone = scored(planned_round(LR, 0), lambda p, i: 1.0 if i == 0 else float("nan"))
    assert [f.reason for f in density(alone)] == ["too_few_trials"]


@pytest.mark.parametrize("trials", [6, 8, 9, 12, 15])
@pytest.mark.playbook("E7", case="silent")
def test_few_trials_of_a_bowl_are_not_blamed_for_being_few(trials: int) -> None:
    found = [density(case("inside", s, dimensions=2 + s % 2, trials=trials)) for s in range(100)]
    assert sum(bool(rows(f)) for f in found) <= 8
    assert trials > 8 or not any(f.level == "fail" for fs in found for f in fs)


@pytest.mark.playbook("E7", case="shows")
def test_as_many_good_trials_are_wanted_as_a_bowl_gives_nineteen_searches_in_twenty() -> None:
    assert [wanted(n, DensityThresholds()) for n in (2, 8, 9, 14, 15, 64)] == [1, 1, 2, 2, 3, 3]
    assert wanted(64, policy(good_trials=5).of(DensityThresholds)) == 5


def test_equal_trials_are_all_good() -> None:
    (found,) = density(scored(planned_round(LR, 0), lambda p, i: 1.0))
    assert found.level == "ok"
    assert found.numbers["good"] == 24


def test_the_good_share_keeps_the_volume_of_a_bowl_the_same() -> None:
    volumes = [good_share(0.4, d) ** (d / 2) for d in (2, 3, 6)]
    assert volumes == pytest.approx([volumes[0]] * 3)
    assert good_share(0.4, 1) == good_share(0.4, 2)
