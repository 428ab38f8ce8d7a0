"""What no check may depend on: the order and the names of trials, the metric's unit, zero and sign, a parameter's unit.

`TUNEBOOK_LAWS=1000` tries each law so often; by default it is a spread of the same cases.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flows.own import OWN
from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.record import Direction
from tasks.scope.goal import Objective
from tasks.trials.trial import Curve, ended
from tests.analyze.planted_curves import Floats, Metrics, Rng, planted_round
from tests.typed import compared

CASES = int(os.environ.get("TUNEBOOK_LAWS", "30"))
Signature = list[tuple[str, ...]]


def case(seed: int, unit: float = 1.0) -> Evidence:
    """A round with much in it: edges, walls, runs that blow up, noise, overfitting, few trials; `unit`: of its rate."""
    rng = np.random.default_rng(seed)
    dimensions = int(rng.integers(1, 4))
    rest: dict[str, Any] = {"dropout_rate": {"low": 0.0, "high": 0.8}, "width": {"values": [16, 32, 64, 128]}}
    space = {"learning_rate": {"low": 1e-4 * unit, "high": 1e-1 * unit, "scale": "log"}}
    space |= dict(list(rest.items())[: dimensions - 1])
    compared = bool(rng.random() < 0.5)
    optimum, noise = rng.uniform(-4.5, -0.5), rng.choice([0.001, 0.02, 0.1])
    wall = rng.uniform(-2.5, 0.5) if rng.random() < 0.6 else np.inf
    overfits, rises = rng.random() < 0.4, rng.random() < 0.2
    blows_up, begins_huge = rng.random() < 0.4, rng.random() < 0.2
    time = np.arange(1, 21) / 20

    def outcome(point: Any, index: int, draw: Rng) -> Metrics | None:
        rate = float(np.log10(point["learning_rate"] / unit))
        if rate > wall and not blows_up:
            return None
        if rate > wall:
            return {"valid_error": 0.7 + 40.0 * time + draw.random(20), "train_loss": 0.7 + 40.0 * time}
        level = 0.2 + 0.05 * (rate - optimum) ** 2 + 0.1 * abs(point.get("dropout_rate", 0.3) - 0.3)
        level += 0.02 * (point.get("activation") == "gelu")
        curve = level + 0.5 * np.exp(-6 * time) + 0.3 * noise * draw.standard_normal(20)
        curve[0] += 1000.0 * begins_huge
        training = 0.1 + 0.6 * np.exp(-5 * time) + 0.1 * noise * draw.standard_normal(20)
        return {
            "valid_error": curve + (0.15 * np.clip(time - 0.5, 0.0, None) if overfits else 0.0),
            "train_loss": training + (0.3 * np.clip(time - 0.6, 0.0, None) if rises else 0.0),
        }

    return planted_round(
        outcome,
        scientific={"activation": ["relu", "gelu"]} if compared else {"learning_rate": "range"},
        space=space,
        kind="improve" if compared else "understand",
        trials=int(rng.choice([8, 16, 32])),
        seed=seed,
    )


def changed(
    evidence: Evidence,
    *,
    value: Callable[[Floats], Floats] = lambda values: values,
    direction: Direction = "minimize",
    order: np.random.Generator | None = None,
    name: Callable[[str], str] = lambda name: name,
) -> Evidence:
    """The same trials with other values of the objective, in another order, under other names."""
    metric = evidence.round.scope.objective.metric
    objective = Objective(metric=metric, direction=direction)
    studies, trials = [], {}
    for study in evidence.round.studies:
        planned = list(study.trials)
        if order is not None:
            planned = [planned[i] for i in order.permutation(len(planned))]
        renamed = [p.model_copy(update={"id": name(p.id)}) for p in planned]
        for old, new in zip(planned, renamed, strict=True):
            trial = evidence.trials[old.id]
            metrics = {k: value(v) if k == metric else v for k, v in trial.curve.metrics.items()}
            curve = Curve(steps=trial.curve.steps, metrics=metrics)
            trials[new.id] = ended(new, curve, objective, trial.status, trial.reason)
        studies.append(study.model_copy(update={"trials": tuple(renamed)}))
    scope = evidence.round.scope.model_copy(update={"objective": objective})
    round = evidence.round.model_copy(update={"scope": scope, "studies": tuple(studies)})
    return Evidence(round=round, trials=trials)


def found(evidence: Evidence, name: Callable[[str], str] = lambda name: name) -> Signature:
    """Every finding: its check, row, level and what it speaks of; and whether the answer is conclusive."""
    analysis = analyze(evidence, OWN[evidence.round.scope.goal.kind].answer)
    where = [(f, f.where) for f in analysis.findings]
    rows = [
        (f.check, f.row, f.level, w.study or "", w.parameter or "", w.side or "", name(w.trial) if w.trial else "")
        for f, w in where
    ]
    return [*sorted(rows), (str(analysis.answer.conclusive), str(compared(analysis.answer).value))]


def turned(name: str) -> str:
    """A name that can be turned back, and that sorts elsewhere."""
    return name[::-1]


LAWS: dict[str, Callable[[Evidence, int], Signature]] = {
    "order": lambda e, seed: found(changed(e, order=np.random.default_rng(seed))),
    "names": lambda e, seed: found(changed(e, name=turned), turned),
    "unit and zero": lambda e, seed: found(changed(e, value=lambda v: 137.0 * v - 19.0)),
    "a tiny unit": lambda e, seed: found(changed(e, value=lambda v: 1e-6 * v + 3e-7)),
    "sign and direction": lambda e, seed: found(changed(e, value=lambda v: -v, direction="maximize")),
}


@pytest.mark.parametrize("law", LAWS)
def test_no_finding_depends_on_it(law: str) -> None:
    broken = [seed for seed in range(CASES) if LAWS[law](e := case(seed), seed) != found(e)]
    assert broken == []


def test_no_finding_depends_on_the_unit_of_a_log_parameter() -> None:
    def rows(evidence: Evidence) -> Signature:
        return found(evidence)[:-1]  # the answer of a range is a value in that unit

    broken = [seed for seed in range(CASES) if rows(case(seed, unit=1024.0)) != rows(case(seed))]
    assert broken == []


def test_the_laws_would_notice_another_finding() -> None:
    """A twin of which the objective is bent, and not only rescaled, is told apart; and the cases find a lot."""
    seeds = range(10)
    assert any(found(changed(case(s), value=lambda v: np.round(v, 1))) != found(case(s)) for s in seeds)
    assert {row for s in seeds for _, row, level, *_ in found(case(s))[:-1] if level == "fail"} >= {"E2", "F2"}
