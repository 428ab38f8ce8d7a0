"""E8, E9, E10: what became infeasible, how much, and whether the hyperparameters explain it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.search.infeasible import infeasible
from tasks.analyze.checks.search.instability import instability_wall
from tasks.record import Finding
from tasks.scope.goal import Objective
from tests.analyze.planted import case, failing, planned_round, rows, scored, studied
from tests.analyze.planted_curves import planted_round as planted_curves

LR: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}
TREE: dict[str, Any] = LR | {"smoothing": {"low": 0.0, "high": 0.4}, "activation": {"choices": ["relu", "tanh"]}}
FAULT = "Traceback (most recent call last):\n  File ...\nIndexError: index 10 is out of bounds"


def of(row: str, findings: list[Finding]) -> Finding:
    (found,) = [f for f in findings if f.row == row]
    return found


def high(point: Mapping[str, Any], index: int) -> float:
    return math.nan if point["learning_rate"] > 3e-3 else 1.0 + 0.01 * index


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.playbook("E10", case="fires")
def test_infeasible_trials_without_a_pattern_suggest_a_bug(dimensions: int) -> None:
    """A third of the trials turns NaN wherever it lies: one such study in ten may look like a pattern by luck."""
    found = [infeasible(case("inside", s, dimensions=dimensions, breaks=0.33)) for s in range(100)]
    assert sum("E10" in rows(f) for f in found) >= 90
    said = next(f for fs in found for f in fs if f.row == "E10" and f.level == "fail")
    assert said.reason == "anywhere"
    assert said.where.trial == said.trials[0]
    assert len(said.trials) == said.numbers["unexplained"]


@pytest.mark.parametrize("kind", ["wall", "harmless wall"])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.playbook("E10", case="silent")
def test_infeasible_trials_behind_a_threshold_are_no_bug(kind: str, dimensions: int) -> None:
    assert sum("E10" in rows(infeasible(case(kind, s, dimensions=dimensions))) for s in range(100)) == 0


@pytest.mark.playbook("E10", case="silent")
def test_a_ragged_wall_is_no_bug() -> None:
    """Between 0.3 decades below and above the wall the chance to diverge goes from 12 to 88 %."""

    def ragged(seed: int) -> list[Finding]:
        rng = np.random.default_rng(seed)

        def loss(point: Mapping[str, Any], index: int) -> float:
            away = math.log10(point["learning_rate"]) + 2.5
            return math.nan if rng.random() < 1.0 / (1.0 + math.exp(-away / 0.15)) else away**2

        return infeasible(scored(planned_round(TREE, seed, trials=48), loss))

    assert sum("E10" in rows(ragged(s)) for s in range(100)) <= 2


@pytest.mark.playbook("E10", case="silent")
def test_infeasible_trials_of_one_choice_are_no_bug() -> None:
    evidence = scored(planned_round(TREE, 0), lambda p, i: math.nan if p["activation"] == "tanh" else 1.0 + i)
    found = of("E10", infeasible(evidence))
    assert (found.level, found.reason, found.where.parameter) == ("ok", "explained", "activation")


@pytest.mark.playbook("E10", case="silent")
def test_a_large_learning_rate_of_one_optimizer_alone_is_no_bug() -> None:
    """Neither the optimizer nor the rate explains it by itself; as many anywhere are a bug with or without a choice."""
    tree = {
        "optimizer": {"choices": ["sgd", "adam", "lion"]},
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
    }
    tree |= {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}

    def lost(seed: int, anywhere: bool) -> bool:
        luck = np.random.default_rng(seed).permutation(32) < 6

        def loss(point: Mapping[str, Any], index: int) -> float:
            diverges = point["optimizer"] == "sgd" and float(point["learning_rate"]) > 10**-2.5
            return math.nan if (luck[index] if anywhere else diverges) else 1.0 + 0.01 * index

        return "E10" in rows(infeasible(scored(planned_round(tree, seed, trials=32), loss)))

    assert sum(lost(s, False) for s in range(60)) <= 3
    assert sum(lost(s, True) for s in range(60)) >= 54


@pytest.mark.playbook("E10", case="silent")
def test_too_few_infeasible_trials_are_not_asked() -> None:
    found = of("E10", infeasible(scored(planned_round(TREE, 0), lambda p, i: math.nan if i == 7 else 1.0 + i)))
    assert (found.level, found.reason) == ("na", "no_pattern_to_tell")
    assert found.numbers["unexplained"] == len(found.trials) == 1


@pytest.mark.playbook("E10", case="fires")
@pytest.mark.prose
def test_the_same_exception_twice_is_a_bug() -> None:
    evidence = failing(scored(planned_round(TREE, 0), lambda p, i: 1.0 + i), {3: FAULT, 11: FAULT})
    found = next(f for f in infeasible(evidence) if f.row == "E10" and f.level == "fail")
    assert "IndexError: index 10 is out of bounds" in found.evidence
    assert found.reason == "same_fault"
    assert found.trials == tuple(evidence.round.trials[i].id for i in (3, 11))


@pytest.mark.playbook("E10", case="silent")
def test_one_exception_is_a_warning() -> None:
    evidence = failing(scored(planned_round(TREE, 0), lambda p, i: 1.0 + i), {3: FAULT})
    found = {f.reason for f in infeasible(evidence) if f.row == "E10"}
    assert found == {"failed_once", "all_feasible"}


@pytest.mark.playbook("E10", case="silent")
def test_an_exception_that_a_hyperparameter_explains_is_a_constraint() -> None:
    planned = planned_round(TREE, 0)
    where = {p.index: FAULT for p in planned.trials if float(p.point["smoothing"]) > 0.25}
    evidence = failing(scored(planned, lambda p, i: 1.0 + i), where)
    found = [f for f in infeasible(evidence) if f.row == "E10"]
    assert not rows(found)
    assert "implicit_constraint" in {f.reason for f in found}
    assert any("smoothing" in f.evidence and f.level == "warn" for f in found)


@pytest.mark.playbook("E9", case="fires")
def test_a_large_infeasible_share_names_the_side_to_shrink() -> None:
    found = of("E9", infeasible(scored(planned_round(TREE, 0), high)))
    assert (found.level, found.reason) == ("warn", "too_many")
    assert found.remedy[0].startswith("space.learning_rate.high=")
    assert 3e-3 < float(found.remedy[0].partition("=")[2]) < 3e-2


@pytest.mark.playbook("E9", case="silent")
def test_a_few_infeasible_trials_are_what_a_search_can_afford() -> None:
    found = of("E9", infeasible(scored(planned_round(TREE, 0), lambda p, i: math.nan if i < 5 else 1.0 + i)))
    assert (found.level, found.reason) == ("ok", "affordable")
    assert found.numbers["infeasible"] == len(found.trials) == 5


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.prose
def test_every_reason_is_counted_and_nothing_is_dropped() -> None:
    evidence = failing(scored(planned_round(TREE, 0), high), {0: FAULT})
    found = of("E8", infeasible(evidence))
    lost = sum(not t.feasible for t in evidence.trials.values())
    assert (found.numbers["infeasible"], found.numbers["failed"]) == (lost - 1, 1)
    assert f"{lost - 1} x loss is nan" in found.evidence
    assert "IndexError" in found.evidence
    assert len(found.trials) == lost


@pytest.mark.playbook("E8", "E5", case="fires")
def test_finite_runs_that_blow_up_count_as_infeasible() -> None:
    """Above a learning rate the loss grows from its first evaluation on; the twins overfit there, or learn as well."""
    time = np.arange(1, 21) / 20

    def levels(blown: Mapping[str, Any]) -> dict[str, str]:
        def outcome(point: Mapping[str, Any], index: int, rng: np.random.Generator) -> Mapping[str, Any]:
            x = math.log10(float(point["learning_rate"]))
            sound = 0.3 + 0.1 * (x + 1.8) ** 2 + 2.0 * np.exp(-time / 0.15) + 0.005 * rng.standard_normal(20)
            return blown if blown and x > -2.0 else {"valid_error": sound}

        evidence = planted_curves(outcome, trials=24)
        return {f.row: f.level for f in (*infeasible(evidence), *instability_wall(evidence))}

    found = levels({"valid_error": 2.3 * np.exp(10 * time)})
    assert (found["E8"], found["E5"]) == ("warn", "fail")
    falling = {"train_loss": 2.3 * np.exp(-5 * time)}
    assert levels({"valid_error": 2.3 * np.exp(3 * time), **falling})["E8"] == "ok"
    assert levels({})["E8"] == "ok"


@pytest.mark.playbook("E8", case="shows")
def test_finite_runs_at_chance_are_told() -> None:
    objective = Objective(metric="loss", direction="maximize", chance=0.1)
    evidence = scored(
        planned_round(TREE, 0, objective=objective), lambda p, i: 0.1 if float(p["learning_rate"]) > 1e-2 else 0.9
    )
    found = of("E8", infeasible(evidence))
    assert (found.level, found.reason) == ("warn", "never_learned")
    assert set(found.trials) == {id for id, t in evidence.trials.items() if t.best_value == 0.1}
    assert found.numbers["stuck"] == len(found.trials)


@pytest.mark.parametrize(("chance", "said"), [(None, True), (1e6, False)])
def test_where_nobody_says_what_a_guesser_reaches_that_is_said(chance: float | None, said: bool) -> None:
    objective = Objective(metric="loss", direction="minimize", chance=chance)
    evidence = scored(planned_round(TREE, 0, objective=objective), lambda p, i: float(p["learning_rate"]))
    assert ("objective.chance" in of("E8", infeasible(evidence)).evidence) is said


@pytest.mark.playbook("E8", "E9", "E10", case="silent")
def test_a_clean_study_is_ok_in_every_row() -> None:
    found = infeasible(studied(planned_round(TREE, 0), bowls={}))
    assert [(f.row, f.reason) for f in found] == [("E8", "all_feasible"), ("E9", "affordable"), ("E10", "all_feasible")]
    assert {f.level for f in found} == {"ok"}


@pytest.mark.playbook("E10", case="silent")
def test_a_corner_that_two_hyperparameters_share_is_no_bug() -> None:
    """What diverges is often the learning rate over one minus momentum: a diagonal, which neither axis shows alone."""
    tree = LR | {"one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"}}

    def effective(point: Mapping[str, Any], index: int) -> float:
        away = math.log10(point["learning_rate"] / point["one_minus_momentum"])
        return math.nan if away > 0.3 else 1.0 + 0.01 * index

    found = [infeasible(scored(planned_round(tree, s), effective)) for s in range(60)]
    assert sum(any("infeasible" in f.numbers and f.numbers["infeasible"] for f in fs) for fs in found) >= 30
    assert sum("E10" in rows(fs) for fs in found) <= 3


@pytest.mark.playbook("E10", case="silent")
def test_two_unexplained_trials_are_too_few_to_accuse_the_code() -> None:
    evidence = scored(planned_round(LR, 0), lambda p, i: math.nan if i in (3, 11) else 1.0 + i)
    assert of("E10", infeasible(evidence)).level in ("na", "ok")


@pytest.mark.playbook("E10", case="silent")
def test_runs_that_diverge_at_one_end_and_never_learn_at_the_other_are_no_bug() -> None:
    """At too large a ratio of rate and one minus momentum they diverge, at too small a one they stay at chance."""
    tree = LR | {"one_minus_momentum": {"low": 1e-3, "high": 1.0, "scale": "log"}}
    tree |= {"smoothing": {"low": 0.0, "high": 0.4}, "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    objective = Objective(metric="loss", direction="minimize", chance=0.9)

    def both_ends(point: Mapping[str, Any], index: int) -> float:
        away = math.log10(point["learning_rate"] / point["one_minus_momentum"])
        return math.nan if away > 0.2 else 0.9 if away < -3.6 else 0.1 + 0.01 * index

    found = [infeasible(scored(planned_round(tree, s, trials=16, objective=objective), both_ends)) for s in range(60)]
    assert sum(any(f.numbers.get("stuck") and f.numbers.get("infeasible") for f in fs) for fs in found) >= 20
    assert sum("E10" in rows(fs) for fs in found) <= 3


@pytest.mark.playbook("E10", case="fires")
def test_runs_that_never_learn_wherever_they_lie_suggest_a_bug_beside_some_that_diverge() -> None:
    objective = Objective(metric="loss", direction="minimize", chance=0.9)

    def anywhere(point: Mapping[str, Any], index: int) -> float:
        high = point["learning_rate"] > 5e-2
        return math.nan if high else 0.9 if index % 5 == 2 else 0.1 + 0.01 * index

    found = [infeasible(scored(planned_round(TREE, s, trials=32, objective=objective), anywhere)) for s in range(40)]
    assert sum("E10" in rows(fs) for fs in found) >= 30
