"""What the evidence asks for, and what it shows to be of no use."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Point
from tests.analyze.planted_curves import (
    SPACE,
    Metrics,
    Rng,
    clean,
    compared_round,
    distance,
    falling,
    overfits_under,
    with_arguments,
)


def told(evidence: Evidence) -> tuple[Finding, list[Finding]]:
    """What the evidence asks for, and what is said of each change."""
    wanted, *changes = [f for f in analyze(evidence).findings if f.row == "B6"]
    return wanted, changes


def worth(gain: float, count: int = 32, **policy: float) -> Evidence:
    """Two optimizers, the second better by that much than the first."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = 0.3 + 0.05 * distance(point) - gain * (point["optimizer"] == "adam")
        return {"valid_error": falling(rng, level=level, noise=0.003)}

    return compared_round(outcome, trials=count, **policy)


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.prose
def test_overfitting_asks_for_the_regularizer_that_the_round_held_fixed() -> None:
    space = {**SPACE, "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    fixed = {"weight_decay": {"value": 1e-6, "reason": "not in question"}}
    wanted, _ = told(compared_round(overfits_under("adam"), space=space, fixed=fixed))
    assert (wanted.level, wanted.reason) == ("warn", "asked_for")
    assert "try a regularizer" in wanted.evidence
    assert wanted.remedy == ("~goal.fixed.weight_decay",)
    wanted, _ = told(compared_round(overfits_under("adam")))
    assert wanted.level == "warn"
    assert wanted.remedy == ()


@pytest.mark.playbook("B6", case="silent")
def test_clean_trials_ask_for_nothing_and_a_change_that_helps_is_kept() -> None:
    wanted, _ = told(compared_round(clean))
    assert (wanted.reason, wanted.remedy) == ("nothing_asked_for", ())
    wanted, (change,) = told(worth(0.2))
    assert (wanted.level, change.level, change.reason) == ("ok", "ok", "helps")
    _, (change,) = told(worth(0.001))
    assert (change.level, change.reason) == ("ok", "open")


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.prose
def test_a_change_that_only_does_harm_can_be_left_out() -> None:
    (change,) = told(worth(-0.2))[1]
    assert (change.level, change.reason) == ("warn", "does_not_help")
    assert change.evidence.startswith("Leave out optimizer = adam, which does not help: gain -0.")


@pytest.mark.playbook("B6", case="fires")
def test_a_change_that_gains_less_than_the_minimum_can_be_left_out() -> None:
    assert told(worth(0.0, minimum_gain=0.2))[1][0].level == "warn"
    assert told(worth(0.4, minimum_gain=0.2))[1][0].level == "ok"


@pytest.mark.playbook("B6", case="silent")
def test_nothing_is_said_of_a_change_while_a_finding_blocks_or_where_none_is_asked() -> None:
    assert [f.reason for f in told(compared_round(overfits_under("adam")))[1]] == ["blocked"]
    understood = compared_round(clean, kind="understand", trials=24)
    assert [f.reason for f in told(understood)[1]] == ["not_the_question"]


def test_a_change_that_is_worth_its_minimum_gain_is_rarely_called_useless() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = 0.3 + 0.05 * distance(point) + 0.0125 * float(rng.standard_normal())
        return {"valid_error": falling(rng, level=level - 0.02 * (point["optimizer"] == "adam"), noise=0.003)}

    calls = [told(compared_round(outcome, trials=16, seed=seed))[1] for seed in range(12)]
    assert sum(f.level == "warn" for found in calls for f in found) <= 2


@pytest.mark.prose
def test_trials_that_still_improve_or_shake_ask_for_their_own_cures() -> None:
    def slow(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.5, noise=0.005) + 0.02 * distance(point)}

    assert "more steps" in told(compared_round(slow, trials=24))[0].evidence

    assert "try warmup" in told(shaken_at(1))[0].evidence
    assert "try gradient clipping" in told(shaken_at(15))[0].evidence


def shaken_at(report: int, arguments: Mapping[str, Any] | None = None, **beside: float) -> Evidence:
    """A round of a workload with these arguments, whose gradient's norm has a spike at that report."""

    def shaken(point: Point, index: int, rng: Rng) -> Metrics:
        norms = np.where(np.arange(20) == report, 100.0, 1.0)
        told = {name: np.full(20, value) for name, value in {"grad_norm_p90": 1.26, **beside}.items()}
        return {**clean(point, index, rng), "grad_norm": norms, **told}

    return with_arguments(compared_round(shaken, trials=24), **(arguments or {}))


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.parametrize(
    ("report", "arguments", "remedy"),
    [
        (15, {"clip_norm": None, "warmup_steps": 0}, ("workload.clip_norm=1.3",)),
        (1, {"clip_norm": None, "warmup_steps": 0}, ("workload.warmup_steps=50",)),
        (15, {"clip_norm": 1.0, "warmup_steps": 0}, ("workload.warmup_steps=50",)),
        (1, {"clip_norm": None, "warmup_steps": 100}, ()),
        (15, {}, ()),
    ],
)
def test_a_spike_is_cured_by_what_the_workload_does_not_do_yet(
    report: int, arguments: dict[str, Any], remedy: tuple[str, ...]
) -> None:
    assert told(shaken_at(report, arguments))[0].remedy == remedy


@pytest.mark.prose
def test_neither_warmup_nor_clipping_is_suggested_where_it_is_on() -> None:
    both = told(shaken_at(1, {"clip_norm": 1.0, "warmup_steps": 100}))[0].evidence
    assert "a longer warmup or a lower clipping threshold" in both
    mostly = told(shaken_at(1, {"clip_norm": 1.0, "warmup_steps": 0}, clipped=0.9))[0].evidence
    assert "lower the learning rate" in mostly
    assert "try warmup" not in mostly


REGULARIZED: Mapping[str, Any] = {
    "scientific": {"regularizer": ["none", "dropout"]},
    "space": {**SPACE, "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}}},
    "baseline": {"regularizer": "none"},
    "trials": 16,
}


def overfitting_where(values: Collection[str], **asked: Any) -> Finding:
    """What is asked for where the trials with those values of the regularizer overfit."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        rise = 0.25 if point["regularizer"] in values else 0.0
        valid = falling(rng, level=0.3 + 0.05 * distance(point), rise=rise)
        return {"valid_error": valid, "train_loss": falling(rng, pace=0.3)}

    return told(compared_round(outcome, **{**REGULARIZED, **asked}))[0]


@pytest.mark.playbook("B6", case="silent")
def test_trials_without_the_regularizer_that_the_round_compares_do_not_ask_for_it_again() -> None:
    found = overfitting_where(["none"])
    assert (found.level, found.reason) == ("ok", "nothing_asked_for")


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.prose
def test_where_the_compared_regularizer_does_not_suffice_the_next_one_is_suggested_or_more_of_it() -> None:
    found = overfitting_where(["none", "dropout"])
    assert found.level == "warn"
    assert "not in use yet (weight decay, label smoothing), or more dropout" in found.evidence


@pytest.mark.playbook("B6", case="fires")
@pytest.mark.prose
def test_a_regularizer_that_is_held_on_or_tuned_is_not_suggested() -> None:
    space = {**SPACE, "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    on = {"regularizer": {"value": "dropout", "reason": "promoted"}}
    asked = {"space": space, "fixed": on, "baseline": {"optimizer": "nesterov", "regularizer": "dropout"}}
    wanted, _ = told(with_arguments(compared_round(overfits_under("adam"), **asked), label_smoothing=0.1))
    assert "more dropout, weight decay and label smoothing" in wanted.evidence
    off = with_arguments(compared_round(overfits_under("adam"), **asked), label_smoothing=0.0)
    assert "not in use yet (label smoothing)" in told(off)[0].evidence
    held_off = {**asked, "fixed": {"regularizer": {"value": "none", "reason": "not in question"}}}
    assert (
        "not in use yet (dropout, label smoothing)"
        in told(compared_round(overfits_under("adam"), **held_off))[0].evidence
    )


@pytest.mark.prose
def test_a_training_set_that_is_not_fitted_comes_before_a_regularizer() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        error = 0.3 + 0.5 * np.linspace(1, 0, 20)
        return {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point), rise=0.25), "train_error": error}

    asked = {"scientific": {"regularizer": ["none", "dropout"]}, "baseline": {"regularizer": "none"}}
    wanted, _ = told(compared_round(outcome, **asked, trials=16))
    assert "try capacity or steps first" in wanted.evidence
    assert wanted.remedy == ()
