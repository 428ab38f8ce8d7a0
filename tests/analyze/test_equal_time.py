"""Values compared at equal training time, where the workload is compute-bound and their steps take unequal time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.equal_time import equal_time
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, compared_round, falling

Pace = Callable[[Point, Rng], float]


def timed(
    pace: Pace, *, descent: float = 0.5, direction: str = "minimize", better: float = 0.05, seed: int = 0
) -> Evidence:
    """Adam ends lower than nesterov by `better`; each trial takes `pace` seconds a step."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = (
            0.3
            - better * (point["optimizer"] == "adam")
            + 0.02 * float(np.log10(float(point["learning_rate"])) + 2) ** 2
        )
        values = falling(rng, level=level, pace=descent, noise=0.003)
        return {"valid_error": values if direction == "minimize" else 1.0 - values}

    found = compared_round(outcome, trials=16, direction=direction)
    rng = np.random.default_rng([3, seed])
    trials = {id: replace(t, seconds=t.steps_done * pace(t.planned.point, rng)) for id, t in found.trials.items()}
    return Evidence(round=found.round, trials=trials)


def adam_times(factor: float, spread: float = 0.05) -> Pace:
    """A millisecond a step, of adam so many times that, each trial off by some share of it."""

    def pace(point: Point, rng: Rng) -> float:
        return 1e-3 * (factor if point["optimizer"] == "adam" else 1.0) * float(np.exp(spread * rng.standard_normal()))

    return pace


@pytest.mark.playbook("K3", case="fires")
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.prose
def test_a_value_that_is_ahead_by_its_longer_steps_alone_falls_behind_at_equal_time(direction: str) -> None:
    (said,) = equal_time(timed(adam_times(2.0), direction=direction))
    assert "(K3)" in said
    assert "a step takes optimizer = adam 2" in said
    assert "the order changes: optimizer = nesterov is ahead, and at equal steps optimizer = adam was" in said
    assert said in analyze(timed(adam_times(2.0), direction=direction)).learned


@pytest.mark.playbook("K3", case="fires")
@pytest.mark.prose
def test_a_value_that_is_ahead_all_along_stays_ahead_and_the_numbers_stand_there() -> None:
    (said,) = equal_time(timed(adam_times(1.3), better=0.4))
    assert "optimizer = adam stays ahead" in said
    assert "by step 1000 with optimizer = nesterov" in said


@pytest.mark.playbook("K3", case="silent")
@pytest.mark.prose
def test_where_a_step_takes_as_long_with_either_equal_steps_are_equal_time() -> None:
    equal = [adam_times(1.0, spread) for spread in (0.02, 0.3, 2.0)]
    found = [equal_time(timed(pace, seed=seed)) for pace in (adam_times(1.05, 0.01), *equal) for seed in range(20)]
    assert sum("equal steps took equal time (K3)" not in said for (said,) in found) <= 1  # of 80, at 1 % each


@pytest.mark.playbook("K3", case="fires")
@pytest.mark.prose
def test_where_no_time_is_known_it_says_that_only_equal_steps_were_compared() -> None:
    (said,) = equal_time(timed(lambda point, rng: 0.0))
    assert "compared at equal steps only, not at equal time (K3)" in said


@pytest.mark.playbook("K3", case="silent")
def test_a_workload_that_is_not_compute_bound_and_a_round_that_compares_nothing_say_nothing() -> None:
    assert equal_time(timed(adam_times(2.0), descent=0.05)) == ()
    alone = compared_round(lambda p, i, rng: {"valid_error": falling(rng, pace=0.5)}, scientific={}, baseline={})
    assert equal_time(alone) == ()


@pytest.mark.prose
def test_a_value_without_an_evaluation_by_then_is_named() -> None:
    (said,) = equal_time(timed(adam_times(50.0)))
    assert "optimizer = adam had no evaluation by then" in said


def test_what_it_says_leaves_no_trace_in_the_findings() -> None:
    slow, fast = analyze(timed(adam_times(2.0))), analyze(timed(adam_times(1.0)))
    assert slow.findings == fast.findings
    assert slow.learned != fast.learned
