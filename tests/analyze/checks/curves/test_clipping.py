"""Clipping most updates is told; clipping a tenth, as the playbook has it, is not."""

from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.curves.clipping import aggressive_clipping
from tasks.analyze.study.gradients import clipped_share
from tasks.record import Finding, Point
from tasks.trials.trial import Curve
from tests.analyze.planted_curves import Metrics, Rng, clean, falling, one, planted_round, with_arguments

P90 = 1.234


def clipped(low: float, high: float, *, name: str = "clipped", argument: float | None = None, **asked: Any) -> Finding:
    """What is found where each report says that a share of updates between these was clipped."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        told = {name: rng.uniform(low, high, 20), "grad_norm": np.ones(20), "grad_norm_p90": np.full(20, P90)}
        return {"valid_error": falling(rng), **told}

    arguments = asked.pop("arguments", {})
    return one(aggressive_clipping(with_arguments(planted_round(outcome, **asked), clip_norm=argument, **arguments)))


@pytest.mark.playbook("I14", case="fires")
@pytest.mark.parametrize(("low", "high"), [(0.51, 0.7), (0.9, 1.0), (1.0, 1.0)])
def test_more_than_half_of_the_updates_clipped_asks_for_a_lower_learning_rate(low: float, high: float) -> None:
    found = clipped(low, high, argument=0.01)
    assert (found.level, found.reason) == ("warn", "mostly")
    assert low <= found.numbers["clipped"] <= high  # type: ignore[operator]
    lower = ("space.learning_rate.low=1e-05", "space.learning_rate.high=0.01")
    assert found.remedy == (*lower, "workload.clip_norm=1.2")
    assert clipped(low, high, name="clip_fraction").level == "warn"


@pytest.mark.playbook("I14", case="fires")
def test_the_learning_rate_goes_down_by_whatever_name_and_wherever_it_stands() -> None:
    space = {"adam": {"lr": {"low": 1e-3, "high": 1.0, "scale": "log"}}, "width": {"values": [8, 16]}}
    assert clipped(0.8, 0.9, space=space).remedy[:2] == ("space.adam.lr.low=0.0001", "space.adam.lr.high=0.1")
    linear = {"learning_rate": {"low": 0.0, "high": 0.5}}
    assert clipped(0.8, 0.9, space=linear).remedy[:-1] == ("space.learning_rate.high=0.05",)
    still = {"width": {"values": [8, 16, 32]}}
    assert clipped(0.8, 0.9, space=still, arguments={"lr": 0.02}).remedy[:-1] == ("workload.lr=0.002",)
    assert clipped(0.8, 0.9, space=still).remedy[:-1] == ()


@pytest.mark.playbook("I14", case="silent")
def test_a_tenth_or_nearly_half_is_no_matter_and_a_workload_that_does_not_clip_is_clean() -> None:
    assert [clipped(*share).reason for share in ((0.0, 0.2), (0.3, 0.49), (0.0, 0.0))] == ["seldom"] * 3
    quiet = one(aggressive_clipping(with_arguments(planted_round(clean), clip_norm=None)))
    assert (quiet.level, quiet.reason) == ("ok", "no_clipping")


@pytest.mark.playbook("I14", case="silent")
def test_where_nothing_says_how_many_were_clipped_it_is_not_checked() -> None:
    assert one(aggressive_clipping(planted_round(clean))).reason == "not_reported"
    assert one(aggressive_clipping(with_arguments(planted_round(clean), clip_norm=0.5))).reason == "not_reported"
    assert one(aggressive_clipping(planted_round(lambda p, i, r: None))).reason == "no_feasible_trial"


def test_reports_count_by_the_steps_that_they_speak_of() -> None:
    uneven = Curve(steps=np.array([100, 110, 120]), metrics={"clipped": np.array([0.0, 1.0, 1.0])})
    assert clipped_share(uneven) == pytest.approx(20 / 120)
