"""The whole checklist at once: its order, what it blocks, and that nothing odd brings it down."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tasks.analyze.analysis import CHECKS, REVIEWS, analyze
from tasks.analyze.answers.understand import best_value
from tasks.analyze.checks.check import Check
from tasks.analyze.reviews.review import Review
from tasks.record import Finding, Point
from tests.analyze.planted_curves import SPACE, Metrics, distance, falling, planted_round
from tests.typed import compared

Rng = np.random.Generator
Outcome = Callable[[Point, int, Rng], Metrics | None]
ASKED: dict[str, Any] = {"scientific": {"optimizer": ["nesterov", "adam"]}, "trials": 24}


def clean(point: Point, index: int, rng: Rng) -> Metrics:
    """No fault: the best learning rate in the middle, adam far better, and no trial that does anything odd."""
    level = 0.3 + 0.05 * distance(point) + 0.02 * rng.standard_normal() - 0.2 * (point.get("optimizer") == "adam")
    momentum = 0.02 * (np.log10(float(point["one_minus_momentum"])) + 1.5) ** 2
    return {
        "valid_error": falling(rng, level=level + momentum, noise=0.005),
        "train_loss": falling(rng, pace=0.1, noise=0.005),
    }


def overfit(point: Point, index: int, rng: Rng) -> Metrics:
    """As clean, but everything under adam overfits."""
    rise = 0.2 * 0.6 * np.clip(np.linspace(-0.5, 1, 20), 0, None) * (point["optimizer"] == "adam")
    known = clean(point, index, rng)
    return {**known, "valid_error": known["valid_error"] + rise}


def of_row(findings: tuple[Finding, ...], row: str) -> list[str]:
    """The levels of one row's findings."""
    return [f.level for f in findings if f.row == row]


@pytest.mark.playbook("E1", case="shows")
def test_a_clean_round_is_asked_everything_and_answers() -> None:
    analysis = analyze(planted_round(clean, kind="understand", **ASKED), best_value)
    assert not [f for f in analysis.findings if f.level == "fail"]
    asked = {f.row for f in analysis.findings}
    assert {"E2", "E7", "F2", "F6", "F7", "F8", "F9", "F10", "H3", "D12", "D13"} <= asked
    assert compared(analysis.answer).value == "adam"
    assert analysis.answer.conclusive
    assert len(analysis.isolation) == 2
    assert analysis.learned


@pytest.mark.playbook("E1", case="shows")
def test_a_finding_that_blocks_keeps_the_answer_open_until_it_is_acknowledged() -> None:
    blocked = analyze(planted_round(overfit, kind="understand", **ASKED), best_value)
    assert "fail" in of_row(blocked.findings, "F2")
    assert not blocked.answer.conclusive
    free = analyze(
        planted_round(overfit, kind="understand", acknowledged={"F2": "known and harmless"}, **ASKED), best_value
    )
    assert "fail" in of_row(free.findings, "F2")
    assert free.answer.conclusive


def test_equal_evidence_gives_an_equal_analysis() -> None:
    assert analyze(planted_round(clean, **ASKED)) == analyze(planted_round(clean, **ASKED))


def test_findings_come_in_the_order_of_the_checks() -> None:
    evidence = planted_round(clean, **ASKED)
    asked = tuple(f for check in CHECKS for f in check.findings(evidence))
    found = analyze(evidence).findings
    assert found[: len(asked)] == asked
    assert len(found) > len(asked)  # what is said of all of them together comes last


def test_every_check_names_the_rows_that_it_carries_out() -> None:
    registry: tuple[Check | Review, ...] = (*CHECKS, *REVIEWS)
    for check in registry:
        last = (inspect.getdoc(check.ask) or "").splitlines()[-1]
        assert re.fullmatch(r"Playbook: [A-K]\d+(, [A-K]\d+)*", last), check
        assert {q.row for q in check.questions} & set(re.findall(r"[A-K]\d+", last)), check


def nothing(point: Point, index: int, rng: Rng) -> Metrics | None:
    """All infeasible."""
    return None


def single(point: Point, index: int, rng: Rng) -> Metrics | None:
    """One feasible trial in the round."""
    return {"valid_error": falling(rng)} if index == 3 else None


def one_evaluation(point: Point, index: int, rng: Rng) -> Metrics:
    """Curves of a single point."""
    return {"valid_error": np.array([0.5 + 0.1 * distance(point)])}


def constant(point: Point, index: int, rng: Rng) -> Metrics:
    """A metric that never moves."""
    return {"valid_error": np.full(20, 0.9), "train_loss": np.full(20, 2.3)}


def ragged(point: Point, index: int, rng: Rng) -> Metrics:
    """Some trials stopped early, and the training loss is missing here and there."""
    loss = falling(rng, count=5 + index % 12)
    gaps = np.where(np.arange(len(loss)) % 3 == 0, np.nan, loss)
    return {"valid_error": loss, "train_loss": gaps}


def enormous(point: Point, index: int, rng: Rng) -> Metrics:
    """Finite, but close to the end of the floats."""
    return {"valid_error": 1e150 * falling(rng, level=0.3 + 0.1 * distance(point))}


@pytest.mark.parametrize("outcome", [nothing, single, one_evaluation, constant, ragged, enormous])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        ASKED,
        {"scientific": {"one_minus_momentum": "range"}},
        {"points": tuple({"learning_rate": 10.0**-i} for i in range(1, 7))},
    ],
    ids=["no question", "arms", "range", "points"],
)
def test_odd_evidence_is_judged_without_an_error_and_never_conclusive(outcome: Outcome, asked: dict[str, Any]) -> None:
    if "points" in asked and outcome in (enormous,):
        asked = {**asked, "space": SPACE}
    analysis = analyze(planted_round(outcome, kind="understand", **asked), best_value)
    for found in analysis.findings:
        assert found.evidence
        assert found.model_dump_json()
    if outcome in (nothing, single, constant):
        assert not analysis.answer.conclusive


@pytest.mark.parametrize("seed", range(3))
def test_renaming_the_unit_of_the_metric_changes_no_level(seed: int) -> None:
    def scaled(point: Point, index: int, rng: Rng) -> Metrics:
        known = clean(point, index, rng)
        return {**known, "valid_error": 1000.0 * known["valid_error"] + 4.0}

    plain = analyze(planted_round(clean, seed=seed, **ASKED)).findings
    other = analyze(planted_round(scaled, seed=seed, **ASKED)).findings
    assert [(f.check, f.level) for f in plain] == [(f.check, f.level) for f in other]


def test_clean_rounds_are_not_blocked_by_the_checks_on_curves() -> None:
    rows = ("F2", "F10")
    found = [
        level
        for seed in range(15)
        for row in rows
        for level in of_row(analyze(planted_round(clean, seed=seed, **ASKED)).findings, row)
    ]
    assert "fail" not in found
