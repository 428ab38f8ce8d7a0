"""E2, E3 and their remedies: the best trial at an edge, and only where outward is better."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.instability import instability_wall
from tasks.analyze.checks.search.sides import EdgeThresholds, edge_width
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Value
from tasks.scope.goal import Objective
from tasks.scope.space import Parameter, space_from_tree
from tests.analyze.planted import case, planned_round, policy, rows, scored, studied

SEEDS = range(200)
LR: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}
INSIDE: dict[str, Any] = {"learning_rate": {"optimum": 1e-3, "curvature": 4.0, "scale": "log"}}
EDGES = {"E2", "E3"}


def fails(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.level == "fail"]


def one(tree: Mapping[str, Any], name: str) -> Parameter:
    return space_from_tree(tree)[name]


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.playbook("E2", "E3", case="fires")
def test_an_optimum_half_a_decade_outside_is_at_an_edge_and_at_no_wall(dimensions: int) -> None:
    """24 trials, noise a quarter of what a decade costs, ranges of 3 to 4 decades: at least 95 % of 200 seeds."""
    right = wrong = 0
    for seed in SEEDS:
        evidence = case("outside", seed, dimensions=dimensions, decades=3.0 + seed % 2)
        right += bool(rows(search_edges(evidence)) & EDGES)
        wrong += "E5" in rows(instability_wall(evidence))
    assert right >= 190
    assert wrong <= 10


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.playbook("E2", "E3", case="silent")
def test_an_optimum_well_inside_is_at_no_edge_and_at_no_wall(dimensions: int) -> None:
    silent = sum(
        not rows(search_edges(e)) & EDGES and "E5" not in rows(instability_wall(e))
        for e in (case("inside", s, dimensions=dimensions, decades=3.0 + s % 2) for s in SEEDS)
    )
    assert silent >= 190


@pytest.mark.parametrize("dimensions", [1, 4])
@pytest.mark.playbook("E2", "E3", case="silent")
def test_parameters_that_do_not_matter_are_silent_wherever_luck_puts_the_best_trial(dimensions: int) -> None:
    tree = {f"p{i}": {"low": 1.0, "high": 2.0} for i in range(dimensions)}
    fired = sum(bool(rows(search_edges(studied(planned_round(tree, s), bowls={})))) for s in range(100))
    assert fired <= 10


@pytest.mark.playbook("E2", "E4", case="fires")
def test_the_finding_names_the_side_and_its_remedy_moves_that_side_outward() -> None:
    bowls = {"learning_rate": {"optimum": 1.0, "curvature": 4.0, "scale": "log"}}
    found = fails(search_edges(studied(planned_round(LR, 3), bowls=bowls)))
    assert [(f.where.parameter, f.where.side, f.remedy) for f in found] == [
        ("learning_rate", "high", ("space.learning_rate.high=1",))
    ]
    assert (found[0].reason, found[0].trials) == ("best_at_edge", (found[0].where.trial,))
    assert found[0].numbers["outward"] >= found[0].numbers["edge_confidence"]  # type: ignore[operator]
    assert found[0].numbers["edge_fraction"] == policy().of(EdgeThresholds).edge_fraction


@pytest.mark.playbook("E3", case="fires")
def test_best_trials_that_crowd_an_edge_are_enough_when_the_very_best_stands_further_in() -> None:
    """Losses fall towards the high end; one lucky trial in the middle of the range is the best."""

    def loss(point: Mapping[str, Value], index: int) -> float:
        x = math.log10(float(point["learning_rate"]))
        return -0.5 if -2.2 < x < -2.0 else (x + 0.2) ** 2

    evidence = scored(planned_round(LR, 0), loss)
    best = evidence.studies[0].best
    assert best is not None
    assert float(best.planned.point["learning_rate"]) < 1e-2
    assert rows(search_edges(evidence)) == {"E3"}
    (crowd,) = fails(search_edges(evidence))
    assert crowd.reason == "best_crowd_an_edge"
    assert len(crowd.trials) > 1
    assert all(float(evidence.trials[id].planned.point["learning_rate"]) >= 1e-2 for id in crowd.trials)


@pytest.mark.playbook("E2", "E3", case="silent")
@pytest.mark.prose
def test_an_infeasible_trial_beyond_the_best_forbids_to_expand() -> None:
    """The twin has its outermost trial feasible, and expands."""
    bowls = {"learning_rate": {"optimum": 0.5, "curvature": 4.0, "scale": "log"}, **_momentum()}
    tree = LR | {"one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"}}
    planned = planned_round(tree, 1)
    twin = studied(planned, bowls=bowls)
    assert rows(search_edges(twin)) == {"E2"}
    outermost = max(planned.trials, key=lambda p: float(p.point["learning_rate"]))
    values = {p.index: twin.trials[p.id].best_value or 0.0 for p in planned.trials}
    blocked = scored(planned, lambda p, i: math.nan if i == outermost.index else values[i])
    assert not fails(search_edges(blocked))
    assert {f.reason for f in search_edges(blocked)} == {"infeasible_beyond"}
    assert any("beyond the best are infeasible" in f.evidence for f in search_edges(blocked))


@pytest.mark.playbook("E2", "E3", case="silent")
@pytest.mark.prose
def test_a_natural_limit_is_no_edge_to_expand() -> None:
    tree = {"dropout_rate": {"low": 0.0, "high": 0.8}}
    bowls = {"dropout_rate": {"optimum": -0.3, "curvature": 40.0}}
    findings = search_edges(studied(planned_round(tree, 0), bowls=bowls))
    assert not fails(findings)
    assert {f.reason for f in findings} == {"natural_limit"}
    assert any("0 is the least it can be" in f.evidence for f in findings)


def test_shuffling_the_trials_or_rescaling_the_metric_changes_no_finding() -> None:
    evidence = case("outside", 5, dimensions=3)
    values = {p.index: evidence.trials[p.id].best_value or 0.0 for p in evidence.round.trials}
    before = [(f.row, f.level, f.where.side) for f in search_edges(evidence)]
    rescaled = scored(evidence.round, lambda p, i: 1000.0 * values[i] - 7.0)
    study = evidence.round.studies[0]
    mixed = tuple(np.random.default_rng(0).permutation(np.array(study.trials, dtype=object)))
    shuffled = Evidence(
        round=evidence.round.model_copy(update={"studies": (study.model_copy(update={"trials": mixed}),)}),
        trials=evidence.trials,
    )
    assert [(f.row, f.level, f.where.side) for f in search_edges(rescaled)] == before
    assert search_edges(shuffled) == search_edges(evidence)


def test_which_way_is_better_changes_no_finding() -> None:
    evidence = case("outside", 2)
    values = {p.index: evidence.trials[p.id].best_value or 0.0 for p in evidence.round.trials}
    tree = {p.name: p.as_tree() for p in evidence.round.studies[0].space}
    higher = planned_round(tree, 2, objective=Objective(metric="loss", direction="maximize"))
    turned = scored(higher, lambda p, i: -values[i])
    assert {(f.row, f.where.side) for f in fails(search_edges(turned))} == {
        (f.row, f.where.side) for f in fails(search_edges(evidence))
    }


@pytest.mark.playbook("E2", case="silent")
def test_choices_have_no_edges_and_explicit_points_neither() -> None:
    choices = studied(planned_round({"activation": {"choices": ["relu", "gelu"]}}, 0), bowls={})
    assert {f.reason for f in search_edges(choices)} == {"nothing_varies"}
    points = planned_round(LR, 0, points=[{"learning_rate": 10.0**-k} for k in range(1, 6)])
    assert {f.reason for f in search_edges(studied(points, bowls=INSIDE))} == {"listed_points"}


@pytest.mark.playbook("E2", "E3", case="silent")
def test_fewer_than_four_feasible_trials_are_not_asked() -> None:
    evidence = scored(planned_round(LR, 0), lambda p, i: float(i) if i < 3 else math.nan)
    found = search_edges(evidence)
    assert [(f.row, f.reason) for f in found] == [("E2", "too_few_trials"), ("E3", "too_few_trials")]


@pytest.mark.playbook("E2", case="fires")
def test_the_last_of_a_few_ordered_values_is_an_edge_when_the_loss_still_falls_there() -> None:
    tree = LR | {"width": {"values": [16, 32, 64, 128]}}
    outside = INSIDE | {"width": {"optimum": 256.0, "curvature": 40.0, "scale": "log"}}
    within = INSIDE | {"width": {"optimum": 48.0, "curvature": 160.0, "scale": "log"}}
    found = [fails(search_edges(studied(planned_round(tree, s), bowls=outside))) for s in range(40)]
    assert sum([f.remedy for f in fs] == [("space.width.values=[16,32,64,128,256]",)] for fs in found) >= 38
    assert sum(bool(fails(search_edges(studied(planned_round(tree, s), bowls=within)))) for s in range(40)) <= 2


@pytest.mark.playbook("E2", case="silent")
def test_of_two_values_one_is_always_the_last_and_that_alone_is_no_edge() -> None:
    tree = LR | {"heads": {"values": [3, 8]}}
    fired = [f for s in range(100) for f in fails(search_edges(studied(planned_round(tree, s), bowls=INSIDE)))]
    assert sum(f.where.parameter == "heads" for f in fired) <= 5
    further = INSIDE | {"heads": {"optimum": 14.0, "curvature": 0.2}}
    assert sum(bool(fails(search_edges(studied(planned_round(tree, s), bowls=further)))) for s in range(40)) >= 38


@pytest.mark.playbook("E2", case="fires")
def test_a_clean_exponential_descent_into_an_edge_is_seen_though_no_parabola_follows_it() -> None:
    evidence = scored(planned_round(LR, 0, trials=12), lambda p, i: float(p["learning_rate"]) ** 0.6)
    assert [(f.row, f.where.side) for f in fails(search_edges(evidence))] == [("E2", "low")]


@pytest.mark.playbook("E2", case="fires")
def test_a_conditional_parameter_is_judged_by_the_trials_that_have_it() -> None:
    drop = {"strength": {"low": 1.0, "high": 2.0, "when": {"regularizer": "drop"}}}
    tree = LR | {"regularizer": {"choices": ["none", "drop"]}, "drop": drop}
    far = INSIDE | {"drop": {"strength": {"optimum": 2.5, "curvature": 40.0}}}
    found = [fails(search_edges(studied(planned_round(tree, s, trials=48), bowls=far))) for s in range(40)]
    assert sum({(f.where.parameter, f.where.side) for f in fs} == {("drop.strength", "high")} for fs in found) >= 38
    flat = [fails(search_edges(studied(planned_round(tree, s, trials=48), bowls=INSIDE))) for s in range(40)]
    assert sum(map(bool, flat)) <= 2


def test_the_edge_of_a_few_values_is_the_cell_of_the_last_one() -> None:
    assert edge_width(one({"w": {"values": [1, 2, 4, 8]}}, "w"), "high", 0.1) == 0.25
    assert edge_width(one({"w": {"low": 1, "high": 3, "type": "int"}}, "w"), "low", 0.1) == pytest.approx(1 / 3)
    assert edge_width(one(LR, "learning_rate"), "low", 0.1) == 0.1


@pytest.mark.playbook("E4", "E3", case="shows")
def test_following_the_remedies_ends_inside() -> None:
    """Two decades outside: the rounds that the findings name reach the optimum, and then nothing is found."""
    ended = 0
    for seed in range(20):
        space = dict(LR["learning_rate"])
        for round in range(4):
            bowls = {"learning_rate": {"optimum": 10.0, "curvature": 4.0, "scale": "log"}}
            found = fails(
                search_edges(studied(planned_round({"learning_rate": space}, 10 * seed + round), bowls=bowls))
            )
            if not found:
                ended += float(space["high"]) >= 10.0
                break
            space["high"] = float(found[0].remedy[0].partition("=")[2])
    assert ended >= 19


def _momentum() -> dict[str, Any]:
    return {"one_minus_momentum": {"optimum": 0.03, "curvature": 1.0, "scale": "log"}}


@pytest.mark.playbook("E2", case="silent")
def test_a_side_on_which_the_loss_has_come_to_a_level_is_no_edge_to_expand() -> None:
    """The twin still falls there. So it was in a published sweep: the three lowest learning rates were as good."""

    def sweep(level: float) -> list[Finding]:
        def loss(point: Mapping[str, Value], index: int) -> float:
            decades = math.log10(float(point["learning_rate"]))
            low = decades < -4.4
            return (50.0 + level * (decades + 5.0) + 1e-4 * (index % 3)) if low else 90.0 + 5.0 * (decades + 4.4)

        return search_edges(scored(planned_round(LR, 0, trials=36), loss))

    assert [f.where.side for f in fails(sweep(10.0))] == ["low"]
    assert not fails(sweep(0.0))
    assert "level_at_edge" in {f.reason for f in sweep(0.0)}
