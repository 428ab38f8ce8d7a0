"""E5 where what diverges is a product or a ratio of two hyperparameters, and neither alone."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.infeasible import infeasible
from tasks.analyze.checks.search.instability import instability_wall
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.region import region_of
from tasks.analyze.study.wall import diagonals, narrowed
from tasks.record import Value
from tasks.scope.space import space_from_tree
from tests.analyze.planted import case, planned_round, rows, scored

TREE: dict[str, Any] = {
    "learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"},
    "one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"},
    "smoothing": {"low": 0.0, "high": 0.4},
}


def ratio(point: Mapping[str, Value]) -> float:
    """log10 of learning rate over one minus momentum: four decades against three, so no diagonal of the cube."""
    return math.log10(float(point["learning_rate"]) / float(point["one_minus_momentum"]))


def beyond(limit: float, best: float) -> Callable[[Mapping[str, Value], int], float]:
    """A valley along the ratio `10 ** best`, in which one minus momentum matters less; infeasible beyond the limit."""

    def loss(point: Mapping[str, Value], index: int) -> float:
        along, across = ratio(point) - best, math.log10(float(point["one_minus_momentum"])) + 1.5
        return math.nan if ratio(point) > limit else along**2 + 0.3 * across**2 + float(point["smoothing"])

    return loss


def planted(limit: float, best: float, seed: int) -> Evidence:
    return scored(planned_round(TREE, seed, trials=32), beyond(limit, best))


@pytest.mark.playbook("E5", case="fires")
def test_a_wall_across_two_hyperparameters_bounds_the_best_and_no_side_is_expanded() -> None:
    """The ratio at the optimum is four times the one at which it diverges: at least 95 % of 60 seeds."""
    found = [planted(-0.6, 0.0, seed) for seed in range(60)]
    assert sum(rows(instability_wall(e)) == {"E5"} for e in found) >= 57
    towards = [f for e in found for f in search_edges(e) if f.level == "fail" and "E5" in rows(instability_wall(e))]
    assert not any((f.where.parameter, f.where.side) == ("learning_rate", "high") for f in towards)
    assert not any((f.where.parameter, f.where.side) == ("one_minus_momentum", "low") for f in towards)
    assert not any("E10" in rows(infeasible(e)) for e in found)


@pytest.mark.playbook("E5", case="silent")
def test_a_wall_across_two_hyperparameters_far_from_the_best_costs_nothing() -> None:
    found = [planted(-0.6, -3.0, seed) for seed in range(60)]
    assert sum("E5" in rows(instability_wall(e)) for e in found) <= 3
    assert sum(not w.direction.single for e in found for w in region_of(e.studies[0]).walls) >= 57


@pytest.mark.playbook("E5", case="shows")
@pytest.mark.prose
def test_the_sentence_names_the_ratio_and_the_remedy_puts_it_in_writing() -> None:
    (found,) = [f for f in instability_wall(planted(-0.6, 0.0, 0)) if f.level == "fail"]
    assert "unstable at learning_rate / one_minus_momentum above about 0." in found.evidence
    assert "warm up or clip gradients" in found.evidence
    assert float(found.numbers["wall"] or 0) == pytest.approx(10**-0.6, rel=0.7)
    assert [r.partition("=")[0] for r in found.remedy] == ["acknowledge.E5"]


@pytest.mark.playbook("E5", case="fires")
@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.prose
def test_ranges_of_which_no_ratio_has_a_meaning_are_named_by_their_sides(turn: int) -> None:
    tree = {"temperature": {"low": 0.0, "high": 2.0}, "smoothing": {"low": 0.0, "high": 0.4}}

    def loss(point: Mapping[str, Value], index: int) -> float:
        sum_or_difference = float(point["temperature"]) / 2 + turn * float(point["smoothing"]) / 0.4
        limit = 1.2 if turn > 0 else 0.2
        return math.nan if sum_or_difference > limit else -sum_or_difference

    (found,) = [f for f in instability_wall(scored(planned_round(tree, 0, trials=32), loss)) if f.level == "fail"]
    assert f"unstable at high temperature with {'high' if turn > 0 else 'low'} smoothing," in found.evidence


@pytest.mark.playbook("E5", case="shows")
@pytest.mark.parametrize("kind", ["wall", "harmless wall"])
def test_a_wall_of_one_hyperparameter_is_told_as_one(kind: str) -> None:
    studies = [case(kind, seed, dimensions=3).studies[0] for seed in range(100)]
    assert sum(all(w.direction.single for w in region_of(s).walls) for s in studies) >= 98


@pytest.mark.playbook("E5", case="silent")
def test_luck_makes_a_wall_across_two_of_scattered_infeasible_trials_in_one_study_of_a_hundred() -> None:
    studies = [case("inside", seed, dimensions=3, breaks=0.25).studies[0] for seed in range(100)]
    assert sum(not all(w.direction.single for w in region_of(s).walls) for s in studies) <= 2


def test_a_ratio_is_found_whatever_the_unit_and_whichever_of_the_two_comes_first() -> None:
    (plain,) = region_of(planted(-0.6, 0.0, 3).studies[0]).walls
    swapped = {n: TREE[n] for n in ("smoothing", "one_minus_momentum", "learning_rate")}
    (found,) = region_of(scored(planned_round(swapped, 3, trials=32), beyond(-0.6, 0.0)).studies[0]).walls
    assert (found.direction.name, found.side) == (plain.direction.name, "high")
    unit = TREE | {"learning_rate": {"low": 1024e-5, "high": 1024e-1, "scale": "log"}}
    loss = beyond(-0.6, 0.0)
    other = scored(
        planned_round(unit, 3, trials=32),
        lambda p, i: loss({**p, "learning_rate": float(p["learning_rate"]) / 1024}, i),
    )
    (scaled,) = region_of(other.studies[0]).walls
    assert float(scaled.value) == pytest.approx(1024 * float(plain.value))
    assert narrowed(plain) is None


def test_choices_orders_and_constants_have_no_diagonals_and_a_missing_one_lies_nowhere() -> None:
    tree = TREE | {"activation": {"choices": ["relu", "tanh"]}, "width": {"values": [64, 128]}}
    found = list(diagonals(space_from_tree(tree)))
    assert {n for d in found for n in (p.name for p in d.parameters)} == set(TREE)
    assert len(found) == 6
    assert np.isnan(found[0].along(np.array([[0.5, np.nan, 0.5, 0.5, 0.5]]))).all()
