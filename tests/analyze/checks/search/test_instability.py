"""E5: instability, not the search space, bounds the best trials."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.instability import instability_wall
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.region import region_of, stuck_at_chance
from tasks.analyze.study.wall import narrowed
from tasks.record import Finding, Value
from tasks.scope.goal import Objective
from tests.analyze.planted import case, planned_round, rows, scored, studied

SEEDS = range(200)
LR: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}
PAIR: dict[str, Any] = LR | {"one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"}}
EDGES = {"E2", "E3"}


def fails(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.level == "fail"]


def decade(point: Mapping[str, Value]) -> float:
    return math.log10(float(point["learning_rate"]))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.playbook("E5", case="fires")
def test_a_wall_next_to_the_best_is_a_wall_and_no_reason_to_expand(dimensions: int) -> None:
    """An optimum 0.2 to 0.8 decades behind the wall, 24 trials: at least 95 % of 200 seeds, each way."""
    right = expanded = 0
    for seed in SEEDS:
        evidence = case("wall", seed, dimensions=dimensions, decades=3.0 + seed % 2)
        found = fails(instability_wall(evidence))
        right += [(f.where.parameter, f.where.side) for f in found] == [("learning_rate", "high")]
        expanded += bool(rows(search_edges(evidence)) & EDGES)
    assert right >= 190
    assert expanded <= 10


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.playbook("E5", case="silent")
def test_a_wall_far_above_the_best_costs_nothing(dimensions: int) -> None:
    silent = sum(not rows(instability_wall(case("harmless wall", s, dimensions=dimensions))) for s in range(100))
    assert silent >= (95 if dimensions > 1 else 90)


@pytest.mark.playbook("E5", case="silent")
def test_without_infeasible_trials_there_is_no_wall() -> None:
    found = instability_wall(case("outside", 0))
    assert [(f.row, f.level, f.reason) for f in found] == [("E5", "ok", "all_feasible")]


@pytest.mark.playbook("E5", case="fires")
def test_the_remedy_keeps_the_wall_in_the_range_and_says_so_in_writing() -> None:
    bowls = {"learning_rate": {"optimum": 1e-3, "curvature": 4.0, "scale": "log"}}
    cliff = {"parameter": "learning_rate", "at": 5e-4}
    (found,) = fails(instability_wall(studied(planned_round(LR, 0), bowls=bowls, wall=cliff)))
    assert (found.reason, found.trials) == ("best_at_wall", (found.where.trial,))
    narrow, written = found.remedy
    assert narrow.startswith("space.learning_rate.high=")
    assert 5e-4 < float(narrow.partition("=")[2]) < 5e-3
    assert written.startswith('acknowledge.E5="')
    assert float(found.numbers["wall"] or 0) == pytest.approx(5e-4, rel=0.6)


@pytest.mark.playbook("E5", "E4", case="shows")
def test_the_round_after_a_wall_is_blocked_by_nothing_but_the_wall() -> None:
    """The wall stays in sight: E5 again, which is now acknowledged, and never an expansion into instability."""
    seen = expanded = 0
    bowls = {
        "learning_rate": {"optimum": 2e-3, "curvature": 4.0, "scale": "log"},
        "one_minus_momentum": {"optimum": 0.05, "curvature": 2.0, "scale": "log"},
    }
    cliff = {"parameter": "learning_rate", "at": 5e-4}
    for seed in range(50):
        (found,) = fails(instability_wall(studied(planned_round(PAIR, seed), bowls=bowls, wall=cliff)))
        high = next(float(r.partition("=")[2]) for r in found.remedy if r.startswith("space."))
        after = studied(
            planned_round(PAIR | {"learning_rate": {"low": 1e-5, "high": high, "scale": "log"}}, seed + 50),
            bowls=bowls,
            wall=cliff,
        )
        seen += rows(instability_wall(after)) == {"E5"}
        expanded += bool(rows(search_edges(after)) & EDGES)
    assert seen >= 47
    assert expanded <= 3


@pytest.mark.playbook("E5", case="silent")
def test_infeasible_trials_that_lie_anywhere_are_no_wall() -> None:
    fired = sum("E5" in rows(instability_wall(case("inside", s, dimensions=2, breaks=0.2))) for s in range(100))
    assert fired <= 5


@pytest.mark.playbook("E5", case="fires")
def test_any_hyperparameter_can_have_a_wall_on_either_side() -> None:
    tree = LR | {"temperature": {"low": 0.0, "high": 1.0}}
    bowls = {
        "learning_rate": {"optimum": 1e-3, "curvature": 4.0, "scale": "log"},
        "temperature": {"optimum": 0.2, "curvature": 60.0},
    }
    cliff = {"parameter": "temperature", "at": 0.3, "side": "low"}
    (found,) = fails(instability_wall(studied(planned_round(tree, 1), bowls=bowls, wall=cliff)))
    assert (found.where.parameter, found.where.side) == ("temperature", "low")


@pytest.mark.playbook("E5", case="shows")
def test_a_sweep_has_its_wall_where_the_trials_begin_to_diverge() -> None:
    """One diverged trial at the end of a sweep is a wall; in a study of two hyperparameters it may be anything."""
    planned = planned_round(LR, 0, trials=12)
    last = max(planned.trials, key=lambda p: float(p.point["learning_rate"]))
    sweep = scored(planned, lambda p, i: math.nan if i == last.index else (decade(p) + 1.5) ** 2)
    assert rows(instability_wall(sweep)) == {"E5"}
    planned = planned_round(PAIR, 0, trials=12)
    last = max(planned.trials, key=lambda p: float(p.point["learning_rate"]))
    study = scored(planned, lambda p, i: math.nan if i == last.index else (decade(p) + 1.5) ** 2)
    assert not rows(instability_wall(study))


@pytest.mark.playbook("E5", case="fires")
def test_in_a_sweep_the_best_trial_alone_says_how_close_the_wall_is() -> None:
    """A shallow descent and a steep rise: a parabola puts the optimum too far in, the best trial does not."""

    def loss(point: Mapping[str, Value], index: int) -> float:
        x = decade(point) + 5.0
        return math.nan if x > 3.1 else 0.2 * (2.5 - x) if x < 2.5 else 2.0 * (x - 2.5)

    (found,) = fails(instability_wall(scored(planned_round(LR, 0), loss)))
    assert float(found.numbers["distance"] or 1) < float(found.numbers["reach"] or 0)


@pytest.mark.playbook("E5", case="silent")
def test_a_wall_with_a_quarter_of_the_trials_between_is_not_close() -> None:
    """In a narrow range everything lies within two thirds of a decade; what was searched in between decides."""
    narrow = {"learning_rate": {"low": 1e-3, "high": 1e-1, "scale": "log"}}
    at = {"optimum": -2.0, "wall": -1.4}
    found = instability_wall(
        scored(
            planned_round(narrow, 0),
            lambda p, i: math.nan if decade(p) > at["wall"] else (decade(p) - at["optimum"]) ** 2,
        )
    )
    assert [f.reason for f in found] == ["well_inside"]
    assert float(found[0].numbers["between"] or 0) > float(found[0].numbers["between_allowed"] or 0)


@pytest.mark.playbook("E5", case="fires")
def test_a_lucky_trial_further_in_hides_no_wall() -> None:
    planned = planned_round(PAIR, 1)
    lucky = min(planned.trials, key=lambda t: abs(decade(t.point) + 3.5)).index

    def loss(point: Mapping[str, Value], index: int) -> float:
        return -0.3 if index == lucky else math.nan if decade(point) > -2.5 else (decade(point) + 2.3) ** 2

    (found,) = fails(instability_wall(scored(planned, loss)))
    assert float(found.numbers["distance"] or 0) > float(found.numbers["reach"] or 1)


@pytest.mark.playbook("E5", case="silent")
def test_luck_makes_a_wall_of_scattered_infeasible_trials_in_one_study_of_ten_at_most() -> None:
    studies = (case("inside", s, dimensions=3, breaks=0.25).studies[0] for s in range(100))
    assert sum(bool(region_of(s).walls) for s in studies) <= 10


@pytest.mark.playbook("E5", case="shows")
def test_walls_on_both_sides_are_both_found() -> None:
    evidence = scored(planned_round(LR, 0), lambda p, i: decade(p) ** 2 if -4.2 < decade(p) < -2.0 else math.nan)
    region = region_of(evidence.studies[0])
    assert {w.side for w in region.walls} == {"low", "high"}
    assert not region.stray.any()
    assert float(next(w for w in region.walls if w.side == "high").value) == pytest.approx(1e-2, rel=0.5)


def test_a_place_behind_which_the_best_trials_lie_is_no_wall() -> None:
    """Eight of nine trials above 3e-3 diverged; the ninth is the best of all, so the eight have another cause."""
    planned = planned_round(LR, 0)
    behind = sorted((t for t in planned.trials if decade(t.point) > -2.5), key=lambda t: decade(t.point))
    survivor = behind[len(behind) // 2].index
    best = scored(planned, lambda p, i: -9.0 if i == survivor else math.nan if decade(p) > -2.5 else -decade(p))
    poor = scored(planned, lambda p, i: 99.0 if i == survivor else math.nan if decade(p) > -2.5 else -decade(p))
    assert region_of(poor.studies[0]).wall(0, "high").position < 0.7  # type: ignore[union-attr]
    found = region_of(best.studies[0]).wall(0, "high")
    assert found is None or found.position > 0.7


@pytest.mark.playbook("E8", "E5", case="fires")
def test_finite_runs_that_never_left_chance_make_a_wall_too() -> None:
    objective = Objective(metric="loss", direction="minimize", chance=0.9)

    def error(point: Mapping[str, Value], index: int) -> float:
        return 0.1 + 0.02 * (decade(point) + 2.0) ** 2 if decade(point) < -2.5 else 0.895

    evidence = scored(planned_round(LR, 0, objective=objective), error)
    assert stuck_at_chance(evidence.studies[0]).sum() >= 8
    assert rows(instability_wall(evidence)) == {"E5"}
    unknown = scored(planned_round(LR, 0), error)
    assert not rows(instability_wall(unknown))


@pytest.mark.playbook("E8", case="silent")
def test_nothing_is_stuck_where_nothing_learned() -> None:
    objective = Objective(metric="loss", direction="minimize", chance=0.9)
    evidence = scored(planned_round(LR, 0, objective=objective), lambda p, i: 0.1 if i == 3 else 0.9)
    assert not stuck_at_chance(evidence.studies[0]).any()


@pytest.mark.playbook("E5", case="silent")
def test_a_wall_is_not_asked_of_points_or_of_three_trials() -> None:
    points = planned_round(LR, 0, points=[{"learning_rate": 10.0**-k} for k in range(1, 6)])
    few = scored(planned_round(LR, 0), lambda p, i: 1.0 if i < 3 else math.nan)
    for evidence, because in ((scored(points, lambda p, i: 1.0), "listed_points"), (few, "too_few_trials")):
        assert [f.reason for f in instability_wall(evidence)] == [because]


@pytest.mark.playbook("E9", "E4", case="shows")
def test_a_narrowed_range_holds_its_wall_at_85_percent() -> None:
    evidence = scored(planned_round(LR, 0), lambda p, i: 1.0 + decade(p) ** 2 if decade(p) < -3.0 else math.nan)
    (found,) = region_of(evidence.studies[0]).walls
    high = math.log10(float((narrowed(found) or "").partition("=")[2]))
    assert (math.log10(float(found.value)) + 5.0) / (high + 5.0) == pytest.approx(0.85, abs=0.01)


def test_a_wall_near_the_end_of_the_range_needs_no_narrower_range() -> None:
    evidence: Evidence = scored(planned_round(LR, 0), lambda p, i: decade(p) ** 2 if decade(p) < -1.5 else math.nan)
    (found,) = region_of(evidence.studies[0]).walls
    assert narrowed(found) is None


@pytest.mark.prose
def test_the_cure_of_a_learning_rate_is_named_under_whatever_name_it_goes() -> None:
    def said(name: str, up: int = 1) -> str:
        planned = planned_round({name: {"low": 1e-5, "high": 1e-1, "scale": "log"}}, 0)

        def loss(point: Mapping[str, Value], index: int) -> float:
            above = up * (math.log10(float(point[name])) + 3.0)
            return math.nan if above > 0 else -above

        evidence = scored(planned, loss)
        return " ".join(f.evidence for f in instability_wall(evidence) if f.level == "fail")

    assert "right beyond the best trial (0.0009755): warm up or clip gradients." in said("adam.lr")
    assert ": make the run stable there." in said("temperature")
    assert ": make the run stable there." in said("adam.lr", -1)  # warmup cures no small steps
