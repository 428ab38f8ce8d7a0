"""What complexity costs, what a retrain counts for, and which retrains count again."""

from dataclasses import replace

import numpy as np
import pytest

from flows.session.projection import SHOWN, shown_retrains
from tasks.design.study import Planned
from tasks.promote.price import price_of, uncharged, unpriced
from tasks.promote.retrains import fresh, judged, kept_retrains
from tasks.record import Status, Value
from tasks.scope.goal import Objective
from tasks.scope.policy import Policy
from tasks.trials.trial import Curve, Trial, ended
from tests.promote.test_retrains import arms, rate, scope

LOSS = Objective(metric="error", direction="minimize")
POINT: dict[str, Value] = {"optimizer": "adam", "dropout.rate": 0.2, "nesterov": True}


def trial(
    errors: list[float],
    seed: int = 0,
    point: dict[str, Value] | None = None,
    status: Status = "complete",
    **more: float,
) -> Trial:
    """A retrain with these errors, one an evaluation, and other metrics that do not change."""
    steps = np.arange(1, len(errors) + 1)
    metrics = {"error": np.array(errors), **{name: np.full(len(errors), value) for name, value in more.items()}}
    planned = Planned(
        id=f"t{seed}",
        study="s",
        purpose="retrain",
        index=0,
        point=point or POINT,
        seed=seed,
        max_train_steps=len(errors),
        eval_every_steps=1,
    )
    return ended(planned, Curve(steps=steps, metrics=metrics), LOSS, status, "", seconds=4.0)


def policy(price: dict[str, object], smooth: int = 3) -> Policy:
    """A policy of which the price and the smoothing alone are asked."""
    return Policy.model_construct(price=price, smooth_evaluations=smooth)


@pytest.mark.playbook("G5", case="shows")
def test_a_price_is_charged_for_a_hyperparameter_a_value_and_each_doubling_of_a_metric() -> None:
    retrains = [trial([0.5], parameters=8.0), trial([0.5], 1, parameters=8.0)]
    assert price_of(policy({"dropout.rate": 0.1}), POINT, ()) == 0.1
    assert price_of(policy({"dropout.rate": 0.1}), {"optimizer": "sgd"}, ()) == 0.0
    assert price_of(policy({"optimizer": {"adam": 0.2}, "nesterov": {"true": 0.3}}), POINT, ()) == pytest.approx(0.5)
    assert price_of(policy({"parameters": 0.01}), POINT, retrains) == pytest.approx(0.03)
    assert price_of(policy({"seconds_a_step": 0.01}), POINT, retrains) == pytest.approx(0.02)


def test_a_price_that_nothing_can_be_charged_for_is_named() -> None:
    asked = policy({"optimizer": {"adam": 1.0}, "paramters": 0.1})
    (said,) = uncharged(asked, ["optimizer"], [trial([0.5], parameters=8.0)])
    assert "paramters" in said


@pytest.mark.playbook("E12", case="shows")
def test_a_retrain_counts_by_the_best_mean_of_neighbours_so_that_one_lucky_evaluation_does_not() -> None:
    of = scope().model_copy(update={"policy": policy({})})
    calm, lucky = [1.0] * 12, [1.0] * 6 + [0.4] + [1.0] * 5
    assert judged(of, trial(calm)) == pytest.approx(1.0)
    assert judged(of, trial(lucky)) == pytest.approx(0.8)
    assert judged(of, trial(lucky[:11])) == 0.4
    assert judged(of, trial(calm, status="infeasible")) is None


@pytest.mark.playbook("G2", "G6", case="shows")
def test_retrains_of_the_incumbents_very_point_count_again_each_seed_once() -> None:
    other = {**POINT, "dropout.rate": 0.3}
    earlier = [trial([0.5], 1), trial([0.4], 2), trial([0.5], 1), trial([0.1], 3, other)]
    assert [t.planned.seed for t in kept_retrains(scope(), POINT, earlier)] == [1, 2]


def test_of_an_incumbent_that_once_diverged_nothing_counts_again() -> None:
    assert kept_retrains(scope(), POINT, [trial([0.5], 1), trial([0.5], 2, status="infeasible")]) == ()


def test_fresh_retrains_leave_out_the_seeds_that_are_taken() -> None:
    of = scope()
    arm = arms(of, rate)["incumbent"]
    every = [planned for planned, _ in zip(fresh(of, arm), range(4), strict=False)]
    left = next(fresh(of, arm, {every[0].seed, every[1].seed}))
    assert left == every[2]


def test_with_three_finalists_the_best_three_points_race() -> None:
    of = scope()
    of = of.model_copy(update={"budget": of.budget.model_copy(update={"finalists": 3})})
    found = arms(of, rate)
    assert list(found) == ["finalist", "finalist-2", "finalist-3", "baseline", "incumbent"]
    rates = [rate(found[name].point) for name in list(found)[:3]]
    assert rates == sorted(rates)
    assert len(set(rates)) == 3


@pytest.mark.playbook("G2", case="shows")
def test_a_retrain_of_what_was_promoted_is_shown_though_every_other_one_is_better() -> None:
    simpler: dict[str, Value] = {"optimizer": "sgd"}
    better = [trial([0.1 + 0.01 * i], i) for i in range(SHOWN + 2)]
    worse = [trial([0.5 + 0.01 * i], 100 + i, simpler) for i in range(3)]
    shown = shown_retrains([*better, *worse], LOSS, simpler)
    assert [t.id for t in shown] == [*(t.id for t in better[: SHOWN - 1]), worse[0].id]
    assert shown_retrains([*worse, *better], LOSS, None) == better[:SHOWN]


def timed(seconds_a_step: list[float]) -> list[Trial]:
    """Retrains whose steps took so long."""
    return [replace(trial([0.5], seed), seconds=s) for seed, s in enumerate(seconds_a_step)]


@pytest.mark.playbook("G5", case="fires")
@pytest.mark.prose
def test_a_hyperparameter_or_time_a_step_that_has_no_price_is_told_of_a_winner() -> None:
    (said,) = unpriced(policy({}), POINT, {"optimizer": "adam"})
    assert said.startswith("No price is declared for dropout.rate, nesterov, which the incumbent lacks")
    assert "(G5); policy.price={dropout.rate: AMOUNT}" in said
    (said,) = unpriced(policy({}), POINT, POINT, timed([2.0, 2.2, 1.9]), timed([1.0, 1.1, 0.9]))
    assert "steps that take 2.03" in said
    assert "policy.price={seconds_a_step: AMOUNT}" in said


@pytest.mark.playbook("G5", case="silent")
def test_nothing_is_told_of_a_declared_price_an_equal_winner_or_times_that_overlap() -> None:
    slow, quick = timed([2.0, 2.2, 1.9]), timed([1.0, 1.1, 0.9])
    assert unpriced(policy({"optimizer": {"adam": 0.1}}), POINT, {"optimizer": "adam"}, slow, quick) == ()
    assert unpriced(policy({}), {"optimizer": "adam"}, POINT, quick, slow) == ()
    assert unpriced(policy({}), POINT, POINT, timed([1.0, 2.2, 1.9]), quick) == ()
    assert unpriced(policy({}), POINT, POINT, slow[:2], quick[:2]) == ()
    assert unpriced(policy({}), POINT, POINT, timed([1.05, 1.06, 1.07]), timed([1.0, 1.01, 1.02])) == ()
