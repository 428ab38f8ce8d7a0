"""What the record has of a gate: the code of its verdict, and rows with every arm, retrain and look."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.method import EvaluationRow
from tasks.promote.conclude import Conclusion, verdict_of
from tasks.promote.gate import gate
from tasks.promote.race import promote_config
from tasks.promote.retrains import arms_of, judged
from tasks.promote.rows import evaluation_rows
from tasks.scope.finding import finding
from tasks.trials.inline import run_inline
from tasks.trials.trial import Curve, ended
from tests.promote.planted_rounds import Alone, searched
from tests.scope.example_scopes import REGULARIZERS, scope

SCOPE = scope(REGULARIZERS)
Losses = Mapping[str, Sequence[float | None]]
NEAR = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99]
FAR = [x - 0.5 for x in NEAR]
BROKEN = [*NEAR[:2], None, *NEAR[3:]]


def concluded(losses: Losses, budget: int = 8) -> Conclusion:
    """A gated round of arms with these losses."""
    decision = gate(losses, minimum_gain=0.0, error_rate=0.05, budget=budget)
    return Conclusion(incumbent=SCOPE.incumbent, decision=decision)


@pytest.mark.parametrize(
    ("losses", "outcome", "reason"),
    [
        ({"finalist": FAR, "baseline": NEAR, "incumbent": NEAR}, "promote", "better"),
        ({"finalist": FAR, "baseline": FAR, "incumbent": NEAR}, "promote", "baseline_better"),
        ({"finalist": NEAR, "incumbent": FAR}, "keep", "no_gain"),
        ({"finalist": BROKEN, "incumbent": NEAR}, "keep", "no_sound_retrains"),
        ({"finalist": NEAR, "incumbent": BROKEN}, "retrain", "no_sound_retrains"),
        ({"finalist": [x - 0.012 for x in NEAR], "incumbent": NEAR}, "retrain", "undecided"),
        ({"incumbent": NEAR}, "retrain", "no_other_candidate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_end_of_the_gate_has_its_code(losses: Losses, outcome: str, reason: str) -> None:
    verdict = verdict_of(SCOPE, concluded(losses))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_every_other_end_has_its_code() -> None:
    won = concluded({"finalist": FAR, "incumbent": NEAR})
    blocked = Conclusion(
        incumbent=SCOPE.incumbent, blockers=(finding("edge", "E2", "fail", "At an edge.", reason="at_an_edge"),)
    )
    ends = {
        "declined": replace(won, declined="not on a Friday"),
        "too_few_retrains": concluded({"finalist": FAR, "incumbent": NEAR}, budget=1),
        "nothing_feasible": Conclusion(incumbent=SCOPE.incumbent, feasible=False),
        "blocked": blocked,
        "no_gate": Conclusion(incumbent=SCOPE.incumbent),
    }
    found = {reason: verdict_of(SCOPE, end) for reason, end in ends.items()}
    assert {reason: verdict.reason for reason, verdict in found.items()} == {reason: reason for reason in ends}
    assert [v.outcome for v in found.values()] == ["keep", "retrain", "redesign", "redesign", "na"]
    assert verdict_of(SCOPE, replace(blocked, feasible=False)).reason == "nothing_feasible"


def test_what_is_promoted_and_what_was_have_their_settings() -> None:
    settings = {"budget.max_train_steps": 1200}
    won = concluded({"finalist": FAR, "incumbent": NEAR})
    verdict = verdict_of(SCOPE, replace(won, incumbent=SCOPE.incumbent.model_copy(update={"settings": settings})))
    assert verdict.incumbent.settings == settings


def _raced(evidence: Evidence, execution: object) -> Conclusion:
    return promote_config(
        evidence,
        analyze(evidence),
        lambda planned: {p.id: run_inline(p, execution) for p in planned},  # type: ignore[arg-type]
        Alone(),
        lambda promotion: "",
    )


def test_the_rows_have_every_arm_every_retrain_and_every_look() -> None:
    evidence, execution = searched(0, -3.0)
    conclusion, of = _raced(evidence, execution), evidence.round.scope
    row, decision = conclusion.gate, conclusion.decision
    assert row is not None
    assert decision is not None
    assert [arm.name for arm in row.arms] == [*conclusion.arms]
    counted = {r.trial: r.value for arm in row.arms for r in arm.trials}
    assert counted == {id: judged(of, trial) for id, trial in conclusion.retrains.items()}
    assert [(c.candidate, c.against, len(c.looks), c.state) for c in row.comparisons] == [
        (c.candidate, c.against, len(c.looks), c.state) for c in decision.comparisons
    ]
    last, seen = row.comparisons[0].looks[-1], decision.comparisons[0].last
    assert (last.n, last.against, last.z) == (seen.retrains, seen.against, seen.z)
    assert (last.gain, last.band) == (seen.gain, (seen.low, seen.high))


def test_an_arm_that_is_the_incumbent_has_the_incumbents_retrains() -> None:
    evidence, execution = searched(0, -3.0)
    best = next(arm for arm in arms_of(evidence) if arm.name == "finalist")
    now = evidence.round.scope.incumbent.model_copy(update={"point": best.point})
    same = evidence.round.scope.model_copy(update={"incumbent": now})
    moved = Evidence(round=evidence.round.model_copy(update={"scope": same}), trials=evidence.trials)
    row = _raced(moved, execution).gate
    assert row is not None
    arms = {arm.name: arm for arm in row.arms}
    assert arms["finalist"].retrained_as == "incumbent"
    assert arms["finalist"].trials == arms["incumbent"].trials


def test_the_reasons_of_a_round_tell_its_arms_apart() -> None:
    evidence, execution = searched(0, -3.0)
    conclusion = _raced(evidence, execution)
    told = " ".join(verdict_of(evidence.round.scope, conclusion).reasons)
    assert told.count("(regularizer = dropout)") == 1


@pytest.mark.playbook("G5", case="shows")
@pytest.mark.prose
def test_the_reasons_of_a_round_say_what_had_no_price() -> None:
    evidence, execution = searched(0, -3.0)
    incumbent = evidence.round.scope.incumbent
    assert "weight" not in incumbent.point

    def reasons(**price: float) -> str:
        trials = {
            t.id: replace(t, planned=t.planned.model_copy(update={"point": {**t.planned.point, "weight": 0.1}}))
            for t in evidence.trials.values()
        }
        scope = evidence.round.scope
        scope = scope.model_copy(update={"policy": scope.policy.model_copy(update={"price": price})})
        priced = Evidence(round=evidence.round.model_copy(update={"scope": scope}), trials=trials)
        return " ".join(verdict_of(scope, _raced(priced, execution)).reasons)

    assert "No price is declared for weight, which the incumbent lacks" in reasons()
    assert "No price is declared" not in reasons(weight=0.0001)


def evaluated(evaluations: int, retrains: int, width: int = 3) -> dict[tuple[str, str], EvaluationRow]:
    """What is said of the numbers of trials and of retrains with so many evaluations each; none: there are none."""
    searching, _ = searched(0, 0.0, trials=2)
    scope = searching.round.scope
    scope = scope.model_copy(update={"policy": scope.policy.model_copy(update={"smooth_evaluations": width})})
    trials = [
        [ended(searching.round.trials[0], _curve(scope.objective.metric, n), scope.objective)] if n else []
        for n in (evaluations, retrains)
    ]
    return {(row.of, row.number): row for row in evaluation_rows(scope, *trials)}


def _curve(metric: str, evaluations: int) -> Curve:
    return Curve.from_reports({step: {metric: 1.0 / step} for step in range(1, evaluations + 1)})


@pytest.mark.playbook("K8", case="shows")
def test_best_last_and_smoothed_values_are_told_apart_by_how_the_gate_counts_them() -> None:
    rows = evaluated(12, 12)
    best, last = rows["search", "trials.best_value"], rows["search", "trials.final_value"]
    assert (best.evaluation, best.takes, best.selected, best.evaluations) == ("periodic", "best", True, 12)
    assert (last.takes, last.selected) == ("last", False)
    counted = rows["retrain", "gate.arms.trials.value"]
    assert (counted.takes, counted.width) == ("smoothed best", 3)
    assert evaluated(12, 11)["retrain", "gate.arms.trials.value"].takes == "best"  # too short a curve to be smoothed
    assert evaluated(12, 12, width=1)["retrain", "gate.arms.trials.value"].takes == "best"


@pytest.mark.playbook("K8", case="shows")
def test_a_single_evaluation_is_no_best_of_several_and_nothing_is_evaluated_offline() -> None:
    rows = evaluated(1, 0)
    assert rows["search", "trials.best_value"].takes == rows["search", "trials.final_value"].takes == "only"
    assert not rows["search", "trials.best_value"].selected
    assert [row.of for row in evaluated(0, 0).values()] == ["test"]
    assert rows["test", "test"].evaluation == "offline"
    assert rows["test", "test"].takes == "none"
