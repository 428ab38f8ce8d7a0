"""A best step between evaluations that are far apart is found; noise, smooth curves and ends are none."""

from collections.abc import Callable

import numpy as np
import pytest

from tasks.analyze.checks.curves.evaluation_density import evaluation_density
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tasks.scope.guards.pipeline import planned_evaluations
from tests.analyze.planted_curves import Floats, Metrics, Rng, distance, falling, one, planted_round

Plant = Callable[[Rng, int], Floats]


def judged(plant: Plant, count: int = 20, seed: int = 0, **asked: object) -> Finding:
    """K2 of a study with such curves."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": plant(rng, count) + 0.05 * distance(point)}

    return one(evaluation_density(planted_round(outcome, evaluations=count, seed=seed, **asked)))  # type: ignore[arg-type]


def valley(rng: Rng, count: int) -> Floats:
    """A falling curve with a valley half an interval wide at one of its evaluations, a third of the descent deep."""
    centre = int(rng.uniform(0.3, 0.8) * count)
    dip: Floats = falling(rng, count=count) - 0.2 * np.exp(-0.5 * ((np.arange(count) - centre) / 0.5) ** 2)
    return dip


def at_once(rng: Rng, count: int) -> Floats:
    """A curve that is best at its first evaluation and jumps up after it."""
    values: Floats = 0.6 + 0.01 * rng.standard_normal(count)
    values[0] = 0.3
    return values


@pytest.mark.playbook("K2", case="fires")
@pytest.mark.parametrize("plant", [valley, at_once])
@pytest.mark.parametrize("count", [20, 40])
def test_a_best_step_that_stands_alone_asks_for_evaluations_closer_together(plant: Plant, count: int) -> None:
    found = judged(plant, count)
    assert (found.level, found.reason, found.row) == ("warn", "best_stands_alone", "K2")
    assert found.remedy == ("budget.eval_every_steps=12",)
    assert found.trials
    assert len(found.evidence) <= 160


@pytest.mark.playbook("K2", case="fires")
@pytest.mark.parametrize(("count", "finer"), [(2, 5), (4, 10), (9, 22)])
def test_too_few_evaluations_to_choose_from_are_told_with_the_number_needed(count: int, finer: int) -> None:
    found = judged(lambda rng, n: falling(rng, count=n), count)
    assert (found.level, found.reason) == ("warn", "few_evaluations")
    assert found.remedy == (f"budget.eval_every_steps={finer}",)


@pytest.mark.playbook("K2", case="silent")
def test_what_was_said_of_the_plan_is_not_said_again_of_what_ran() -> None:
    evidence = planted_round(lambda p, i, rng: {"valid_error": falling(rng, count=4)}, evaluations=4)
    scope = evidence.round.scope
    told = scope.model_copy(update={"findings": tuple(planned_evaluations(scope))})
    again = Evidence(round=evidence.round.model_copy(update={"scope": told}), trials=evidence.trials)
    assert one(evaluation_density(evidence)).level == "warn"
    assert one(evaluation_density(again)).reason == "too_few_evaluations"


@pytest.mark.playbook("K2", case="silent")
@pytest.mark.parametrize(
    "plant",
    [
        lambda rng, n: falling(rng, count=n),
        lambda rng, n: falling(rng, count=n, noise=0.0),
        lambda rng, n: falling(rng, count=n, noise=0.0, pace=0.03),
        lambda rng, n: falling(rng, count=n, rise=0.25),
        lambda rng, n: falling(rng, count=n, rise=0.25, noise=0.0),
        lambda rng, n: falling(rng, count=n, noise=0.1),
        lambda rng, n: 0.3 + 0.01 * rng.standard_normal(n),
        lambda rng, n: np.linspace(0.9, 0.3, n),
        lambda rng, n: np.full(n, 0.5),
    ],
)
def test_smooth_noisy_and_overfitting_curves_have_a_best_step_with_company(plant: Plant) -> None:
    assert {judged(plant, count, seed).reason for count in (10, 20) for seed in range(3)} == {"dense_enough"}


@pytest.mark.playbook("K2", case="silent")
def test_one_evaluation_a_trial_is_not_checked() -> None:
    assert judged(lambda rng, n: falling(rng, count=n), 1).reason == "too_few_evaluations"
    assert one(evaluation_density(planted_round(lambda p, i, rng: None))).reason == "no_feasible_trial"


@pytest.mark.playbook("K2", case="fires")
def test_a_metric_that_is_maximized_is_judged_alike() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": -valley(rng, 20) - 0.05 * distance(point)}

    found = one(evaluation_density(planted_round(outcome, direction="maximize")))
    assert found.reason == "best_stands_alone"
