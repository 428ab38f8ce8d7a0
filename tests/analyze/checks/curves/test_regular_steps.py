"""Evaluations by the clock, or at other steps than planned, are found; what interruptions leave is not."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tasks.analyze.checks.curves.regular_steps import regular_steps
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tasks.trials.trial import Curve, ended
from tests.analyze.planted_curves import clean, one, planted_round

Steps = Callable[[int, np.random.Generator], Sequence[int]]
EVERY = 50  # as planted rounds are planned


def reported_at(steps: Steps, *, audit: bool = False) -> Finding:
    """What is found where the trial of each index reports at those steps."""
    evidence = planted_round(clean)
    if audit:
        goal = evidence.round.scope.goal.model_copy(update={"name": "audit"})
        scope = evidence.round.scope.model_copy(update={"goal": goal})
        evidence = Evidence(round=evidence.round.model_copy(update={"scope": scope}), trials=evidence.trials)
    trials = {}
    for i, (id, trial) in enumerate(evidence.trials.items()):
        at = np.array(steps(i, np.random.default_rng(i)), dtype=np.int64)
        curve = Curve(steps=at, metrics={"valid_error": np.linspace(0.9, 0.3, len(at))})
        trials[id] = ended(trial.planned, curve, evidence.round.scope.objective)
    return one(regular_steps(Evidence(round=evidence.round, trials=trials)))


def by_the_clock(index: int, rng: np.random.Generator) -> Sequence[int]:
    """Evaluations every so many seconds, of steps that take now 1 and now 1.3 of them."""
    return [int(s) for s in np.cumsum(rng.integers(41, 56, 20))]


def by_a_steady_clock(index: int, rng: np.random.Generator) -> Sequence[int]:
    """Evaluations every so many seconds on machines each of which is as fast all the time."""
    pace = int(rng.integers(30, 70))
    return range(pace, 1001, pace)


@pytest.mark.playbook("J3", case="fires")
@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (by_the_clock, "uneven"),
        (lambda i, rng: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], "uneven"),
        (lambda i, rng: np.unique(rng.integers(1, 1000, 20)).tolist(), "uneven"),
        (by_a_steady_clock, "different_steps"),
        (lambda i, rng: range(50 + 7 * (i % 2), 1001, 50), "different_steps"),
        (lambda i, rng: range(94, 1001, 94), "not_as_planned"),
        (lambda i, rng: range(70, 1001, 50), "not_as_planned"),
    ],
)
def test_steps_that_are_uneven_different_or_not_as_planned_are_found(steps: Steps, reason: str) -> None:
    found = reported_at(steps)
    assert (found.level, found.reason) == ("warn", reason)
    assert found.trials
    assert len(found.evidence) <= 160


@pytest.mark.playbook("J3", case="silent")
@pytest.mark.parametrize(
    "steps",
    [
        lambda i, rng: range(EVERY, 1001, EVERY),
        lambda i, rng: [0, *range(EVERY, 1001, EVERY)],
        lambda i, rng: [1, *range(EVERY, 1001, EVERY)],
        lambda i, rng: [*range(EVERY, 1001, EVERY), 1023],  # the last interval is what is left
        lambda i, rng: range(EVERY, 1001 - 300 * (i % 3), EVERY),  # some ended early
        lambda i, rng: range(2 * EVERY, 1001, 2 * EVERY),  # every other one
        lambda i, rng: range(10, 1001, 10),  # more often
        lambda i, rng: [s for s in range(EVERY, 1001, EVERY) if i % 4 or s != 400],  # one report is missing
        lambda i, rng: [*range(EVERY, 401, EVERY), *([433] if i % 5 == 0 else []), *range(450, 1001, EVERY)],  # resumed
        lambda i, rng: range(EVERY, 1001, EVERY) if i else [10, 60, 71, 130, 200],  # one trial of twelve
    ],
)
def test_fixed_steps_are_fine_whatever_an_end_or_an_interruption_does_to_them(steps: Steps) -> None:
    found = reported_at(steps)
    assert (found.level, found.reason) == ("ok", "fixed_steps")


@pytest.mark.playbook("J3", case="silent")
def test_trials_that_ran_elsewhere_had_no_plan_and_few_evaluations_are_not_checked() -> None:
    assert reported_at(lambda i, rng: range(94, 1001, 94), audit=True).reason == "fixed_steps"
    assert reported_at(by_the_clock, audit=True).reason == "uneven"
    assert reported_at(lambda i, rng: [50, 100, 150]).reason == "too_few_evaluations"
    assert one(regular_steps(planted_round(lambda p, i, rng: None))).reason == "no_feasible_trial"
