"""E2 and E3 on what a user brings: ranges below zero, switches, and failures that are finite."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.expansion import natural_limit
from tasks.record import Finding, Value
from tasks.scope.space import space_from_tree
from tests.analyze.planted import planned_round, rows, scored, studied

LR: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}


def fails(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.level == "fail"]


def _bowl(point: Mapping[str, Value]) -> float:
    return (math.log10(float(point["learning_rate"])) + 3.0) ** 2


@pytest.mark.playbook("E2", "E4", case="fires")
@pytest.mark.prose
def test_a_linear_range_that_begins_below_zero_does_not_end_there() -> None:
    """A learning rate searched by its logarithm; its twin that begins at zero cannot go lower."""
    below = {"log_lr": {"low": -5.0, "high": -1.0}}
    found = fails(search_edges(studied(planned_round(below, 0), bowls={"log_lr": {"optimum": -6.0, "curvature": 4.0}})))
    assert [(f.row, f.where.side, f.remedy) for f in found] == [("E2", "low", ("space.log_lr.low=-7",))]
    assert (
        natural_limit(space_from_tree({"log_lr": {"low": 0.0, "high": 4.0}})["log_lr"], "low")
        == "0 is the least it can be"
    )


@pytest.mark.playbook("E2", case="fires")
def test_finite_failures_in_half_of_a_range_hide_no_slope_in_the_other() -> None:
    """Below 1e-3 nothing learns, and the median is a failure; an optimum between there and the end is at no edge."""

    def fired(seed: int, optimum: float) -> bool:
        def loss(point: Mapping[str, Value], index: int) -> float:
            x = math.log10(float(point["learning_rate"]))
            luck = np.random.default_rng([seed, index]).standard_normal()
            return 1e6 + index if x < -3.0 else (x - optimum) ** 2 + 0.25 * luck

        return bool(rows(search_edges(scored(planned_round(LR, seed), loss))))

    assert sum(fired(s, 0.0) for s in range(50)) >= 40
    assert sum(fired(s, -2.0) for s in range(50)) <= 2


@pytest.mark.playbook("E2", "E3", case="silent")
def test_a_switch_is_no_edge_to_expand() -> None:
    """A listed number that is better at its end is one."""

    def fired(values: list[Value]) -> bool:
        tree = LR | {"nesterov": {"values": values}}
        best = values[-1]
        told = scored(planned_round(tree, 0), lambda p, i: _bowl(p) + 4.0 * (p["nesterov"] != best))
        return bool(fails(search_edges(told)))

    assert not fired([False, True])
    assert fired([1, 2, 3])


@pytest.mark.playbook("E2", "E3", case="silent")
@pytest.mark.parametrize(("dimensions", "trials"), [(10, 16), (20, 32)])
def test_of_more_hyperparameters_than_trials_can_tell_apart_luck_makes_no_edge(dimensions: int, trials: int) -> None:
    """Nothing but the learning rate matters: with its optimum inside, and beyond its high end."""
    tree = LR | {f"x{i}": {"low": 0.0, "high": 1.0} for i in range(1, dimensions)}

    def fired(seed: int, optimum: float) -> set[str | None]:
        def loss(point: Mapping[str, Value], index: int) -> float:
            luck = np.random.default_rng([seed, index]).standard_normal()
            return (math.log10(float(point["learning_rate"])) - optimum) ** 2 + 0.25 * luck

        return {f.where.parameter for f in fails(search_edges(scored(planned_round(tree, seed, trials=trials), loss)))}

    assert sum(bool(fired(s, -3.0)) for s in range(40)) <= 3
    assert sum(fired(s, 0.0) == {"learning_rate"} for s in range(40)) >= 36
