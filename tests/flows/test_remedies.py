"""Every remedy that a check or a guard names composes for the round that it was said of, and changes it."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tasks.scope.error import InputError
from tasks.scope.guards.all import guard
from tasks.scope.roles import Scope
from tests.analyze.checks.curves.test_compute_bound import paced, two_paces
from tests.analyze.planted import planned_round, studied
from tests.analyze.planted_curves import (
    Metrics,
    Rng,
    compared_round,
    falling,
    overfits_under,
    planted_round,
    with_arguments,
)
from tests.benchmarks.planted.scenarios import REFERENCE, SCENARIOS, by_name
from tests.benchmarks.planted.study import evidence_of
from tests.flows.planted_remedies import after, objections
from tests.scope.example_scopes import (
    BASELINE,
    DROPOUT,
    OPTIMIZERS,
    OWN_RATES,
    RATE,
    REGULARIZERS,
    SPACE,
    scope,
)
from tests.scope.guards.test_question import FAULTY

CHECKED = {
    "B5",
    "B6",
    "B8",
    "D12",
    "D13",
    "D14",
    "E2",
    "E3",
    "E5",
    "E7",
    "E9",
    "F2",
    "F5",
    "F6",
    "F8",
    "F9",
    "H3",
    "H4",
    "H5",
    "I14",
    "K2",
}
GUARDED = {"A3", "A5", "A10", "B2", "C4", "C6", "C7", "C8", "C9",
           "C10", "D4", "D5", "D9", "D10", "D11", "H2", "J4", "K2"}  # fmt: skip
DECAY = {"weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
HELD = {"weight_decay": {"value": 1e-6, "reason": "not in question"}}
DOTTED = {
    "dropout.rate": {"value": 0.0, "reason": "another question"},
    "weight": {"value": 1.0, "reason": 'it\'s "one" of many: goal=x, {a}'},
}
SWITCH = {"regularizer": {"choices": ["none", "dropout"]}}
FAR: dict[str, Any] = {"learning_rate": {"optimum": 1e-3, "curvature": 4.0, "scale": "log"}}
LOW: dict[str, Any] = {"learning_rate": {"low": 1e-5, "high": 1e-1, "scale": "log"}}
WIDTHS = {"width": {"optimum": 4096.0, "curvature": 40.0, "scale": "log"}}


def bigger_overfits(point: Point, index: int, rng: Rng) -> Metrics:
    big = point["width"] == 256
    return {"valid_error": falling(rng, level=0.4 if big else 0.3, rise=0.25 if big else 0.0)}


def more_decay_is_better(point: Point, index: int, rng: Rng) -> Metrics:
    level = 0.3 - 0.1 * float(np.log10(float(point["weight_decay"])))
    return {"valid_error": falling(rng, level=level, rise=0.3), "train_loss": falling(rng, pace=0.3)}


def wide_is_better(point: Point, index: int, rng: Rng) -> Metrics:
    return {"valid_error": falling(rng, level=0.9 - 0.1 * float(np.log2(float(point["width"]))), noise=0.005)}


def mostly_clipped(point: Point, index: int, rng: Rng) -> Metrics:
    told = {"clipped": np.full(20, 0.9), "grad_norm_p90": np.full(20, 1.5), "grad_norm": np.ones(20)}
    return {"valid_error": falling(rng), **told}


def late_spike(point: Point, index: int, rng: Rng) -> Metrics:
    norms = np.where(np.arange(20) == 14, 100.0, 1.0)
    return {"valid_error": falling(rng), "grad_norm": norms, "grad_norm_p90": np.full(20, 1.5)}


def edge(tree: dict[str, Any], bowls: dict[str, Any], **more: Any) -> Callable[[], Evidence]:
    return lambda: studied(planned_round(LOW | tree, 0, trials=48, **more), bowls=FAR | bowls)


STUDIES: dict[str, Callable[[], Evidence]] = {
    **{s.name: lambda s=s: evidence_of(s, REFERENCE, 0) for s in SCENARIOS},  # type: ignore[misc]
    "held": lambda: compared_round(overfits_under("adam"), space=SPACE | DECAY, fixed=HELD),
    "held, listed": lambda: compared_round(
        overfits_under("adam"), space=SPACE | DECAY, fixed=HELD, nuisance=("learning_rate",)
    ),
    "held by a dotted name": lambda: compared_round(
        overfits_under("adam"),
        space=SPACE | {"dropout": {"rate": {"low": 0.0, "high": 0.8}}, "weight": {"low": 0.0, "high": 2.0}},
        fixed=DOTTED,
    ),
    "switched off": lambda: compared_round(
        overfits_under("adam"),
        space=SPACE | SWITCH | DROPOUT,
        fixed={"regularizer": {"value": "none", "reason": "not in question"}},
    ),
    "nothing to tune": lambda: compared_round(
        lambda p, i, rng: {"valid_error": falling(rng, level=0.3, rise=0.3, noise=0.01)}
    ),
    "smoothing is off": lambda: with_arguments(compared_round(overfits_under("adam")), label_smoothing=0.0),
    "decay at its top": lambda: planted_round(more_decay_is_better, space=SPACE | DECAY),
    "a bigger one": lambda: planted_round(
        bigger_overfits, scientific={"width": [64, 256]}, space=SPACE | DECAY, fixed=HELD
    ),
    "stingy": lambda: paced(0.2),
    "two paces": lambda: two_paces(0.08, 0.5),
    "side by side": lambda: replace(evidence_of(by_name(["adaptive interior"])[0], REFERENCE, 0), at_once=16.0),
    "few": lambda: planted_round(lambda p, i, rng: {"valid_error": falling(rng)}, trials=12),
    "a list": edge({"width": {"values": [16, 32, 64, 128]}}, WIDTHS),
    "an int": edge({"width": {"low": 16, "high": 128, "type": "int", "scale": "log"}}, WIDTHS),
    "a conditional": edge(
        {"regularizer": {"choices": ["none", "drop"]},
         "drop": {"strength": {"low": 1.0, "high": 2.0, "when": {"regularizer": "drop"}}}},
        {"drop": {"strength": {"optimum": 2.5, "curvature": 40.0}}},
    ),
    "a joint list": lambda: planted_round(
        wide_is_better, scientific={"width": [8, 16, 32, 64, 128, 256, 512]}, kind="understand", trials=42
    ),
    "clipped": lambda: with_arguments(planted_round(mostly_clipped), clip_norm=0.1, warmup_steps=0),
    "spiked": lambda: with_arguments(planted_round(late_spike), clip_norm=None, warmup_steps=0),
    "a crowd": lambda: evidence_of(by_name(["outside"])[0], REFERENCE, 1),
    "a joint list of the space": edge(
        {"width": {"values": [8, 16, 32, 64, 128, 256, 512]}}, WIDTHS,
        scientific={"width": [8, 16, 32, 64, 128, 256, 512]},
    ),
    "a joint list of a range": edge(
        {"width": {"low": 8, "high": 512, "type": "int", "scale": "log"}}, WIDTHS,
        scientific={"width": [8, 16, 32, 64, 128, 256, 512]},
    ),
}  # fmt: skip
ROUNDS: tuple[Scope, ...] = (
    *FAULTY,
    scope({"augment": [False, True]}, SPACE | SWITCH),
    scope(REGULARIZERS, SPACE | {"dropout": {"rate": {"low": 0.0, "high": 0.8}}}),
    scope(OPTIMIZERS, {k: v for k, v in OWN_RATES.items() if k != "nesterov"} | {"nesterov": {
        "learning_rate": RATE | {"low": 1e-2, "when": {"optimizer": "nesterov"}},
        "one_minus_momentum": RATE | {"when": {"optimizer": "nesterov"}}}}),
    scope(space={"learning_rate": RATE}, baseline=BASELINE | {"one_minus_momentum": 0.1}),
    scope(nuisance=["learning_rate"]),
    scope(space=SPACE | {"momentum": {"low": 0.5, "high": 0.999}, "sgd": {"momentum": {"low": 0.0, "high": 1.0}}}),
    scope(space=SPACE | {"bs": {"values": [8, 16]}, "max_iters": {"values": [8, 16]}, "n_layer": {"values": [1, 2]}}),
    scope(arguments={"batch_size": 64, "eval_batch_size": 32}),
    scope(arguments={"batch_size": 64}, baseline=BASELINE | {"eval_batch_size": 32}),
    scope(arguments={"batch_size": 64}, space=SPACE | {"eval_batch_size": {"values": [32, 48, 128]}}),
    scope(arguments={"batch_size": 64}, space=SPACE | {"eval_batch_size": {"low": 8, "high": 32, "type": "int"}}),
    scope(arguments={"batch_size": 64}, baseline=BASELINE | {"eval_batch_size": 99},
          fixed={"eval_batch_size": {"value": 8, "reason": "it fits"}}),
    scope(eval_every_steps=20),
    scope({"learning_rate": "range"}),
    scope({"depth": [1, 2, 3, 4, 5, 6, 7, 8]}, SPACE | {"skip": {"low": 0.0, "high": 1.0, "when": {"depth": [7, 8]}}},
          sampler="tpe"),
    scope(OPTIMIZERS, OWN_RATES | {"adam": {k: v for k, v in OWN_RATES["adam"].items() if k != "epsilon"}}),
)  # fmt: skip


@cache
def studied_once(name: str) -> tuple[Scope, tuple[Finding, ...]]:
    """A planted study's scope, and what its checks found that has a remedy."""
    evidence = STUDIES[name]()
    return evidence.round.scope, tuple(f for f in analyze(evidence).findings if f.remedy)


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.parametrize("name", STUDIES)
def test_every_remedy_of_a_planted_study_composes_and_passes_the_guards(name: str, tmp_path: Path) -> None:
    one, found = studied_once(name)
    remedies = dict.fromkeys(f.remedy for f in found)
    assert {r: objections(one, r, tmp_path) for r in remedies} == {r: [] for r in remedies}


@pytest.mark.parametrize("n", range(len(ROUNDS)))
def test_every_remedy_of_a_guard_composes_and_mends_what_it_was_said_of(n: int, tmp_path: Path) -> None:
    found = [f for f in guard(ROUNDS[n]) if f.remedy]
    assert found
    for one in found:
        _, new = after(ROUNDS[n], one.remedy, tmp_path)
        left = [f for f in new.findings if (f.row, f.where, f.remedy) == (one.row, one.where, one.remedy)]
        assert left == [], one


def test_every_row_that_has_remedies_is_among_what_was_planted() -> None:
    assert {f.row for name in STUDIES for f in studied_once(name)[1]} == CHECKED
    assert {f.row for one in ROUNDS for f in guard(one) if f.remedy} == GUARDED


def test_a_regularizer_held_under_a_dotted_name_is_opened_and_the_others_stay_held(tmp_path: Path) -> None:
    one, found = studied_once("held by a dotted name")
    _, new = after(one, found[0].remedy, tmp_path)
    assert "dropout.rate" in new.roles.nuisance
    assert new.goal.fixed == {"weight": one.goal.fixed["weight"]}


@pytest.mark.parametrize(
    ("remedy", "says"),
    [
        ("space.learning_rate.lo=1e-5", "no such key"),
        ("space.learning_rate.low=1", "low 1 is above high 0.1"),
        ("space.learning_rate.values=[1,2]", "exactly one of"),
        ("space.width.high=9", "no such key"),
        ("goal.nuisance=[learning_rate,width]", "no range in the space"),
        ("~goal.fixed.weight_decay", "does not exist"),
        ("budget.trails=9", "budget.trails"),
    ],
)
@pytest.mark.prose
def test_a_remedy_that_does_not_compose_is_caught(remedy: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        objections(scope(REGULARIZERS), [remedy], tmp_path)


@pytest.mark.prose
def test_a_remedy_that_changes_nothing_or_wakes_a_guard_is_caught(tmp_path: Path) -> None:
    one = scope(REGULARIZERS)
    assert objections(one, ["budget.trials=24"], tmp_path) == ["nothing is changed"]
    (stopped,) = objections(one, ["space.batch_size.values=[8,16]"], tmp_path)
    assert stopped.startswith("A5: ")
