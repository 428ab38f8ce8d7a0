"""The landscape on which checks and gate are held against the truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]

from tasks.record import Value
from tasks.scope.goal import Objective
from tasks.trials.running import Infeasible, RunningTrial
from tasks.trials.workloads.synthetic import landscape, synthetic, synthetic_curve

BOWLS: Mapping[str, Any] = {
    "learning_rate": {"optimum": 0.01, "curvature": 4.0, "scale": "log"},
    "dropout": {"rate": {"optimum": 0.3, "curvature": 8.0, "width": 0.6}},
}
POINT: Mapping[str, Value] = {"learning_rate": 0.1, "dropout.rate": 0.6, "regularizer": "dropout"}
BEST: Mapping[str, Value] = {"learning_rate": 0.01}


class Sink:
    """Keeps what was reported; goes on after `done`."""

    def __init__(self, done: int = 0) -> None:
        self.reports: dict[int, Mapping[str, float]] = {}
        self.done = done

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        self.reports[step] = metrics

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        raise AssertionError("nothing is saved")

    def last(self) -> tuple[int, Any]:
        return self.done, None


def losses(point: Mapping[str, Value], seed: int = 0, done: int = 0, **arguments: Any) -> list[float]:
    """The loss at every evaluation of 100 steps, one every 10."""
    sink = Sink(done)
    trial = RunningTrial(
        point=point,
        seed=seed,
        max_train_steps=100,
        eval_every_steps=10,
        objective=Objective(metric="loss", direction="minimize"),
        sink=sink,
    )
    synthetic(trial, **{"bowls": BOWLS, **arguments})
    return [r["loss"] for r in sink.reports.values()]


def test_a_decade_costs_its_curvature_in_units_of_the_noise() -> None:
    assert landscape(BEST, bowls=BOWLS, floor=0.1, noise=0.01) == pytest.approx(0.1)
    assert landscape({"learning_rate": 0.1}, bowls=BOWLS, floor=0.1, noise=0.01) == pytest.approx(0.14)


def test_a_conditional_parameter_adds_nothing_where_it_does_not_exist() -> None:
    assert landscape(POINT, bowls=BOWLS, noise=1.0, floor=0.0) == pytest.approx(4.0 + 8.0 * 0.25)


def test_an_effect_is_added_to_the_choice_that_has_it() -> None:
    effects = {"regularizer": {"dropout": -3.0}, "nesterov": {"true": 1.0}}
    point = {**BEST, "regularizer": "dropout", "nesterov": True}
    assert landscape(point, bowls=BOWLS, effects=effects, noise=1.0, floor=0.0) == pytest.approx(-2.0)


def test_no_point_is_worse_than_the_ceiling() -> None:
    far = {"learning_rate": 1e-9}
    assert landscape(far, bowls=BOWLS, noise=1.0, floor=0.0, ceiling=5.0) == pytest.approx(5.0)
    assert landscape({"learning_rate": 0.011}, bowls=BOWLS, noise=1.0, floor=0.0, ceiling=5.0) == pytest.approx(
        landscape({"learning_rate": 0.011}, bowls=BOWLS, noise=1.0, floor=0.0), rel=1e-2
    )


def test_the_best_losses_of_many_seeds_have_the_planted_mean_and_spread() -> None:
    bests = np.array([min(losses(BEST, seed, noise=0.01, floor=0.1)) for seed in range(2000)])
    assert bests.mean() == pytest.approx(0.1, abs=0.001)
    assert bests.std() == pytest.approx(0.01, rel=0.05)


def test_equal_seeds_give_equal_curves_and_a_resumed_one_goes_on_in_it() -> None:
    noisy: dict[str, Any] = {"curve": {"late_noise": 2.0}}
    whole = losses(POINT, 7, **noisy)
    assert losses(POINT, 7, **noisy) == whole
    assert losses(POINT, 7, done=60, **noisy) == whole[6:]
    assert losses(POINT, 8, **noisy) != whole


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(("side", "at", "feasible"), [("high", 0.05, 0.04), ("low", 0.05, 0.06)])
@pytest.mark.prose
def test_beyond_the_wall_a_trial_is_infeasible(side: str, at: float, feasible: float) -> None:
    wall = {"parameter": "learning_rate", "at": at, "side": side}
    assert np.isfinite(losses({"learning_rate": feasible}, wall=wall)).all()
    with pytest.raises(Infeasible, match="loss is nan at step 10"):
        losses({"learning_rate": 0.05}, wall=wall)


def test_planted_breakdowns_strike_their_share_of_seeds_and_change_no_other_trial() -> None:
    def breaks(seed: int) -> bool:
        try:
            return losses(BEST, seed, breaks=0.25) != losses(BEST, seed)
        except Infeasible:
            return True

    assert sum(map(breaks, range(1000))) == pytest.approx(250, abs=50)


def drawn(**how: float) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Loss and training loss at 100 evaluations, for a final value of 1 and a noise of 0.01."""
    return synthetic_curve(np.arange(1, 101) / 100, 1.0, noise=0.01, rng=np.random.default_rng(0), **how)


def test_the_plain_curve_falls_to_its_value_and_reaches_it_at_the_end() -> None:
    loss, train = drawn()
    assert (np.diff(loss) < 0).all()
    assert loss[-1] == pytest.approx(1.0)
    assert train[-1] == pytest.approx(1.0)


def test_each_shape_shows_what_its_name_says() -> None:
    overfit, _ = drawn(turn=0.5, overfit=30.0)
    assert int(np.argmin(overfit)) == 49
    assert overfit.min() == pytest.approx(1.0)
    assert overfit[-1] == pytest.approx(1.3)
    early, _ = drawn(fall=60.0)
    assert early[19] - early[-1] < 1e-4
    late, _ = drawn(fall=1.0)
    assert late[74] - late[-1] > 0.1 * (late[0] - late[-1])
    assert np.diff(drawn(late_noise=5.0)[0][-20:]).std() == pytest.approx(0.05 * 2**0.5, rel=0.4)
    _, rising = drawn(train_rise=50.0)
    assert rising[-1] > rising[49] + 0.3


def test_the_shipped_workload_runs_on_the_shipped_space() -> None:
    conf = Path(__file__).resolve().parents[3] / "conf"
    workload = yaml.safe_load((conf / "workload" / "synthetic.yaml").read_text())
    arguments = {k: v for k, v in workload.items() if k not in ("_target_", "objective", "baseline", "test")}
    with_dropout = {**workload["baseline"], "regularizer": "dropout", "dropout.rate": 0.3}
    assert np.isfinite(losses(workload["baseline"], **arguments)).all()
    gain = losses(workload["baseline"], **arguments)[-1] - losses(with_dropout, **arguments)[-1]
    assert gain == pytest.approx(3 * workload["noise"])
