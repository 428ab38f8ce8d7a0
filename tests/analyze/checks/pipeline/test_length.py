"""H2 from what was run: whether the trials trained for the same number of steps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.length import LENGTH, equal_lengths
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tasks.trials.trial import Curve
from tests.analyze.planted_curves import planted_round


def lasting(lengths: list[int], *, run: bool = False, **more: Any) -> Evidence:
    """A round of one study whose trials report every 10 steps until these lengths, over and over."""
    evidence = planted_round(lambda point, n, rng: {"valid_error": np.linspace(1.0, 0.5, n)}, trials=12, **more)
    trials = {}
    for i, (id, trial) in enumerate(evidence.trials.items()):
        steps = np.arange(10, lengths[i % len(lengths)] + 1, 10)
        curve = Curve(steps=steps, metrics={"valid_error": np.linspace(1.0, 0.5, len(steps))})
        trials[id] = replace(trial, curve=curve)
    scope = evidence.round.scope
    told = tuple(dict(t.planned.point) for t in trials.values()) if run else ()
    budget = scope.budget.model_copy(update={"max_train_steps": 200, "eval_every_steps": 10})
    round = evidence.round.model_copy(update={"scope": scope.model_copy(update={"run": told, "budget": budget})})
    return Evidence(round=round, trials=trials)


def judged(lengths: list[int], **more: Any) -> Finding:
    """What the check says of them."""
    (found,) = equal_lengths(lasting(lengths, **more))
    assert found.reason in LENGTH.questions[0].reasons(found.level)
    return found


@pytest.mark.playbook("H2", case="fires")
@pytest.mark.parametrize("lengths", [[100, 200], [200, 300, 1100], [50, 100, 150, 200]])
def test_trials_of_a_few_lengths_each_are_told_and_block(lengths: list[int]) -> None:
    found = judged(lengths)
    assert (found.level, found.reason) == ("fail", "unequal_lengths")
    assert (found.numbers["shortest"], found.numbers["longest"]) == (lengths[0], lengths[-1])


@pytest.mark.playbook("H2", case="fires")
def test_of_a_study_that_has_been_run_unequal_lengths_are_a_caveat() -> None:
    assert judged([100, 200], run=True).level == "warn"


@pytest.mark.playbook("H2", case="fires")
def test_trials_that_stop_early_by_a_rule_of_their_own_are_told() -> None:
    found = judged([200, 200, 200, 190, 150, 110, 80, 200, 200, 200, 200, 200])
    assert (found.level, found.reason, len(found.trials)) == ("warn", "ended_early", 4)


@pytest.mark.playbook("H2", case="fires")
def test_values_of_one_length_each_are_told_and_do_not_block() -> None:
    """As where the question is a warmup that is put in front of the budget's steps."""
    evidence = lasting([200], scientific={"activation": ["relu", "gelu"]})
    second = evidence.studies[1].study.id
    longer = {
        id: t
        if t.planned.study != second
        else replace(t, curve=Curve(steps=t.curve.steps + 50, metrics=t.curve.metrics))
        for id, t in evidence.trials.items()
    }
    (found,) = equal_lengths(Evidence(round=evidence.round, trials=longer))
    assert (found.level, found.reason) == ("warn", "a_length_a_value")


@pytest.mark.playbook("H2", case="silent")
@pytest.mark.parametrize("length", [200, 150, 250])
def test_trials_of_one_length_are_not_complained_of(length: int) -> None:
    found = judged([length])
    assert (found.level, found.reason) == ("ok", "one_length")
    assert f"{length}" in found.evidence


def test_without_curves_the_length_is_not_checked() -> None:
    assert judged([10]).reason == "too_few_evaluations"
