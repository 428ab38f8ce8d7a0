"""What matters, what belongs together, what can be fixed; and when none of it can be told."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from flows.compose.compose import from_overrides
from tasks.analyze.checks.search.importance import fixing, importance, importance_rows
from tasks.analyze.learned import learned
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.importance import importance_of
from tasks.design.study import design
from tasks.promote.next import merged
from tasks.record import Point
from tasks.scope.roles import Scope, baseline_incumbent, scope_of
from tests.analyze.planted import planned_round, scored
from tests.analyze.planted_curves import SPACE, Metrics, Rng, compared_round, distance, falling, one, planted_round
from tests.benchmarks.calibration.importance import SHAPES, measured, planted

WITH_DECAY = {**SPACE, "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}


def by_rate(point: Point, index: int, rng: Rng) -> Metrics:
    """The learning rate is all that matters."""
    return {"valid_error": falling(rng, level=0.3 + 0.1 * distance(point))}


def luck(point: Point, index: int, rng: Rng) -> Metrics:
    """Nothing matters."""
    return {"valid_error": falling(rng, level=0.3 + 0.05 * rng.standard_normal(), noise=0.0)}


@pytest.mark.playbook("B5", case="fires")
@pytest.mark.prose
def test_what_matters_is_named_and_what_does_nothing_can_be_fixed() -> None:
    found = one(importance(planted_round(by_rate, space=WITH_DECAY, trials=32)))
    assert found.level == "ok"
    assert found.evidence.startswith("learning_rate (")
    assert "go back to weight_decay: it can be fixed" in found.evidence
    assert any(r.startswith("goal.fixed.weight_decay={value: ") for r in found.remedy)
    assert not any("learning_rate" in r for r in found.remedy)


@pytest.mark.playbook("B5", case="silent")
def test_where_only_luck_orders_the_trials_it_says_that_it_cannot_tell() -> None:
    found = [one(importance(planted_round(luck, space=WITH_DECAY, trials=24, seed=seed))) for seed in range(20)]
    assert [f.reason for f in found].count("too_noisy") >= 17
    assert all(not f.remedy for f in found)


@pytest.mark.playbook("B5", case="fires")
@pytest.mark.parametrize("shape", ["product", "valley"])
@pytest.mark.prose
def test_a_pair_that_must_be_tuned_together_is_named(shape: str) -> None:
    found = one(importance(planted(shape, 1)))
    assert "Tune x0 and x1 together: they interact." in found.evidence
    assert not any(f"goal.fixed.{name}" in r for r in found.remedy for name in ("x0", "x1"))


@pytest.mark.playbook("B5", case="silent")
def test_a_monotone_change_of_the_metric_makes_no_pair() -> None:
    for shape in ("bowl", "warped", "at its ceiling"):
        claims = [importance_of(planted(shape, seed).studies[0]) for seed in range(20)]
        assert sum(("x0", "x1") in known.together for known in claims if known) <= 3, shape


@pytest.mark.parametrize("shape", SHAPES)
def test_no_claim_is_grossly_off_at_the_reference_setting(shape: str) -> None:
    got = measured(shape, range(20))
    assert got["matters"] >= 0.9
    assert got["false matters"] + got["false interact"] <= 0.2
    assert got["false idle"] <= 0.1
    if shape in ("product", "valley"):
        assert got["interact"] >= 0.8


def scores(space: Mapping[str, Any], level: Callable[[Point], float], trials: int = 32) -> Evidence:
    """A study over that space with a loss from the point, and a little luck."""
    draw = np.random.default_rng(0).standard_normal(trials)
    return scored(planned_round(space, trials=trials), lambda point, i: level(point) + 0.02 * float(draw[i]))


def test_a_choice_that_matters_is_seen_and_so_is_one_that_decides_where_another_is_best() -> None:
    space = {"x": {"low": 0.0, "high": 1.0}, "activation": {"choices": ["relu", "gelu", "tanh"]}}
    apart = importance_of(scores(space, lambda p: 0.2 * (p["activation"] == "tanh")).studies[0])
    assert apart is not None
    assert apart.telling == ("activation",)
    crossed = importance_of(scores(space, lambda p: float(p["x"]) * (-1) ** (p["activation"] == "tanh")).studies[0])
    assert crossed is not None
    assert crossed.together == (("activation", "x"),)


def test_a_conditional_hyperparameter_is_judged_where_it_exists() -> None:
    space = {
        "switch": {"choices": ["none", "dropout"]},
        "dropout": {"rate": {"low": 0.0, "high": 1.0, "when": {"switch": "dropout"}}},
    }

    def by_child(p: Point) -> float:
        return (float(p["dropout.rate"]) - 0.3) ** 2 if "dropout.rate" in p else 0.05

    known = importance_of(scores(space, by_child).studies[0])
    assert known is not None
    assert "dropout.rate" in known.telling
    assert not known.pairs


def test_a_hyperparameter_with_a_wall_is_never_called_idle() -> None:
    def walled(point: Point, index: int, rng: Rng) -> Metrics | None:
        return None if float(point["weight_decay"]) > 1e-3 else by_rate(point, index, rng)

    known = importance_of(planted_round(walled, space=WITH_DECAY, trials=64).studies[0])
    assert known is not None
    assert "one_minus_momentum" in known.idle
    assert "weight_decay" not in known.idle
    assert known.trials < 64


def test_equal_trials_few_trials_and_a_space_of_nothing_are_not_judged() -> None:
    equal = planted_round(lambda p, i, rng: {"valid_error": np.full(20, 0.5)})
    few = planted_round(by_rate, trials=6)
    crosses = planted_round(lambda p, i, rng: None, trials=12)
    assert [one(importance(e)).reason for e in (equal, few, crosses)] == ["too_few_trials"] * 3
    assert [importance_rows(e) for e in (equal, few, crosses)] == [()] * 3
    single = scores({"activation": {"choices": ["relu", "gelu"]}}, lambda p: 0.0, trials=12)
    assert one(importance(single)).reason == "too_noisy"


@pytest.mark.playbook("B5", case="shows")
def test_the_rows_say_of_each_hyperparameter_what_the_finding_says() -> None:
    evidence = planted_round(by_rate, space=WITH_DECAY, trials=32)
    rows = {row.parameter: row for row in importance_rows(evidence)}
    found = one(importance(evidence))
    assert found.reason == "some_matter"
    assert (rows["learning_rate"].verdict, rows["weight_decay"].verdict) == ("matters", "can be fixed")
    for name, row in rows.items():
        assert (row.share, row.band) == (
            found.numbers[name],
            (found.numbers[f"{name}.low"], found.numbers[f"{name}.high"]),
        )
        assert row.study == found.where.study
    pair = {row.parameter: row for row in importance_rows(planted("product", 1))}
    assert (pair["x0"].verdict, pair["x0"].together, pair["x1"].together) == ("matters", ("x1",), ("x0",))


def test_more_hyperparameters_than_trials_allow_are_judged_alone_and_none_is_called_idle() -> None:
    space = {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(6)}
    known = importance_of(scores(space, lambda p: float(p["x0"]), trials=16).studies[0])
    assert known is not None
    assert not known.jointly
    assert (known.telling, known.idle, dict(known.pairs)) == (("x0",), (), {})


@pytest.mark.prose
def test_what_is_idle_under_one_value_alone_is_not_fixed_for_the_others() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        matters = 0.1 * (np.log10(float(point["weight_decay"])) + 4) ** 2 * (point["optimizer"] == "adam")
        return {"valid_error": falling(rng, level=0.3 + 0.1 * distance(point) + float(matters))}

    first, second = importance(compared_round(outcome, space=WITH_DECAY, trials=32))
    assert "go back to weight_decay:" in first.evidence
    assert "weight_decay (" in second.evidence
    assert not any("weight_decay" in r for r in (*first.remedy, *second.remedy))


@pytest.mark.prose
def test_what_was_learned_says_the_same() -> None:
    evidence = planted_round(by_rate, space=WITH_DECAY, trials=24)
    (sentence,) = [s for s in learned(evidence) if "the differences between the trials" in s]
    assert sentence == f"all trials: {one(importance(evidence)).evidence}"


def scope_by_shell(*words: str) -> Scope:
    """The scope of the round that these words ask for."""
    c = from_overrides(["workload=synthetic", "space=synthetic", "goal=synthetic", *words])
    incumbent = baseline_incumbent(c.workload, c.space)
    return scope_of(
        c.goal, c.space, c.workload, c.budget, c.policy, incumbent, sampler=c.sampler, seed=c.seed, acknowledged={}
    )


@pytest.mark.parametrize("given", ["seed=1", "goal.nuisance=[learning_rate,one_minus_momentum,dropout.rate]"])
def test_the_remedy_composes_and_fixes_what_can_be_fixed_at_the_best_value(given: str) -> None:
    scope = scope_by_shell(given)
    (_, dropout) = scored(design(scope), lambda p, i: abs(float(p["learning_rate"]) - 0.01)).studies
    assert dropout.best is not None
    best = dropout.best.planned.point
    again = scope_by_shell(*merged([given], fixing(scope, dropout, ["one_minus_momentum", "dropout.rate"])))
    assert again.roles.fixed["one_minus_momentum"].value == pytest.approx(best["one_minus_momentum"], rel=1e-3)
    assert "insensitive" in again.roles.fixed["one_minus_momentum"].reason
    assert again.space["dropout.rate"].constant
    assert again.space["dropout.rate"].low == pytest.approx(best["dropout.rate"], rel=1e-3)
    assert "learning_rate" in again.roles.nuisance
