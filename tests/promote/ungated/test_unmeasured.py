"""A round without retrains: nothing is promoted but in writing, and what it rests on is said."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tasks.analyze.analysis import Analysis, analyze
from tasks.analyze.answers.improve import best_change
from tasks.analyze.study.evidence import Evidence
from tasks.promote.comparison import FINALIST, INCUMBENT
from tasks.promote.conclude import Conclusion, answer_of, verdict_of
from tasks.promote.race import promote_config
from tasks.promote.retrains import arms_of, retrain_of
from tasks.promote.ungated.unmeasured import UNLUCKY, Yardstick
from tasks.record import Point
from tasks.scope.finding import finding
from tasks.scope.roles import Scope
from tasks.trials.inline import run_inline
from tasks.trials.trial import Trial
from tests.analyze.planted_curves import Metrics, Rng, compared_round
from tests.promote.planted_rounds import Alone, searched
from tests.typed import compared

_, EXECUTION = searched(0, -3.0)


class Keeping(Alone):
    """The incumbents of a round that finds retrains of earlier ones."""

    def __init__(self, kept: Sequence[Trial]) -> None:
        super().__init__()
        self._kept = [*kept]

    def earlier_retrains(self) -> list[Trial]:
        return self._kept


def without_retrains(effect: float, *, written: bool = False, seed: int = 0, **budget: int) -> Evidence:
    """A search of which nothing is to be retrained; the change is worth `effect` retrain SDs."""
    evidence, _ = searched(seed, effect)
    scope = evidence.round.scope
    spent = scope.budget.model_copy(update={"retrains": 0, **budget})
    said = {"K4": "a retrain takes a week"} if written else {}
    now = scope.model_copy(update={"budget": spent, "acknowledged": said})
    return Evidence(round=evidence.round.model_copy(update={"scope": now}), trials=evidence.trials)


def refuse(planned: object) -> dict[str, Trial]:
    raise AssertionError("nothing is retrained")


def concluded(
    evidence: Evidence, kept: Sequence[Trial] = (), analysis: Analysis | None = None, against: str = ""
) -> Conclusion:
    found = analysis or analyze(evidence, best_change)
    return promote_config(evidence, found, refuse, Keeping(kept), lambda promotion: against)


def incumbent_retrains(evidence: Evidence, offset: float, count: int = 5) -> list[Trial]:
    """Retrains of the incumbent that earlier rounds left, shifted by `offset` SDs."""
    scope = evidence.round.scope
    arm = {a.name: a for a in arms_of(evidence)}[INCUMBENT]
    ran = [run_inline(retrain_of(scope, arm, i), EXECUTION) for i in range(count)]
    return [_shifted(scope, t, offset) for t in ran]


def _shifted(scope: Scope, trial: Trial, offset: float) -> Trial:
    metrics = {name: values + 0.01 * offset for name, values in trial.curve.metrics.items()}
    curve = replace(trial.curve, metrics=metrics)
    return replace(trial, curve=curve, best_value=float(metrics[scope.objective.metric].min()))


@pytest.mark.playbook("K4", case="fires")
@pytest.mark.prose
def test_a_gain_that_the_searches_show_answers_the_question_and_promotes_nothing_by_itself() -> None:
    evidence = without_retrains(-6.0)
    conclusion = concluded(evidence)
    verdict = verdict_of(evidence.round.scope, conclusion)
    answer = compared(answer_of(evidence.round.scope, analyze(evidence, best_change), conclusion))
    assert (answer.conclusive, answer.value, answer.source) == (True, "dropout", "search")
    assert (verdict.outcome, verdict.reason) == ("na", "variance_not_measured")
    assert (verdict.error_rate, verdict.gain, conclusion.gate, conclusion.promoted) == (None, None, None, None)
    assert verdict.candidate is not None
    told = " ".join(verdict.reasons)
    assert "Trial variance was not measured (K4)" in told
    assert "It rests on the best trials of the searches: gain" in told
    assert 'acknowledge={K4: "why"}' in told
    assert "budget.retrains=5 trains at most 15 trials more, 15 steps (31.2 % of the search's)" in told


@pytest.mark.playbook("K4", case="shows")
@pytest.mark.prose
def test_in_writing_it_is_promoted_and_no_error_rate_is_claimed_for_it() -> None:
    evidence = without_retrains(-6.0, written=True)
    conclusion = concluded(evidence)
    verdict = verdict_of(evidence.round.scope, conclusion)
    assert conclusion.promoted is not None
    assert conclusion.promoted.point["regularizer"] == "dropout"
    assert conclusion.promoted.in_writing == {"K4": "a retrain takes a week"}
    assert (verdict.outcome, verdict.reason, verdict.error_rate) == ("promote", "variance_not_measured", None)
    assert verdict.candidate is not None
    assert verdict.candidate.trial == conclusion.arms[FINALIST].trial
    declined = concluded(evidence, against="a person declined the promotion")
    verdict = verdict_of(evidence.round.scope, declined)
    assert (declined.promoted, verdict.outcome, verdict.reason) == (None, "na", "declined")
    assert verdict.reasons[-1] == "a person declined the promotion"


@pytest.mark.playbook("K4", case="silent")
@pytest.mark.parametrize("seed", range(6))
def test_a_change_that_does_nothing_is_promoted_in_writing_neither(seed: int) -> None:
    evidence = without_retrains(0.0, written=True, seed=seed)
    conclusion = concluded(evidence)
    assert conclusion.promoted is None
    assert verdict_of(evidence.round.scope, conclusion).reason == "variance_not_measured"


@pytest.mark.playbook("K4", "G6", case="shows")
@pytest.mark.prose
def test_kept_retrains_of_the_incumbent_are_the_yardstick() -> None:
    evidence = without_retrains(-12.0, written=True)
    good = concluded(evidence, incumbent_retrains(evidence, 0.0))
    assert good.promoted is not None
    assert "over 5 kept retrains of the incumbent (G6, SD 0.0" in " ".join(good.unmeasured)
    equal = [concluded(evidence, incumbent_retrains(evidence, -12.0 + shift)) for shift in (0.0, 1.0)]
    assert [c.promoted for c in equal] == [None, None]  # as good as the finalist, but for the luck of being picked
    assert "no gain over the incumbent is shown beyond luck" in " ".join(equal[0].unmeasured)


def test_the_luck_that_is_granted_is_rarely_exceeded_by_equal_trials() -> None:
    rng, beyond, rounds = np.random.default_rng(0), 0, 2000
    for _ in range(rounds):
        kept, best = rng.standard_normal(5), float(rng.standard_normal(24).min())
        yardstick = Yardstick(gain=float(kept.mean()) - best, sd=float(kept.std(ddof=1)), kept=5, trials=24)
        beyond += yardstick.gain > yardstick.luck
    assert beyond / rounds <= UNLUCKY


@pytest.mark.prose
def test_without_a_baseline_and_without_kept_retrains_there_is_nothing_to_promote_on() -> None:
    evidence = without_retrains(-6.0, written=True)
    scope = evidence.round.scope
    goal = scope.goal.model_copy(update={"kind": "understand"})
    round = evidence.round.model_copy(update={"scope": scope.model_copy(update={"goal": goal})})
    found = concluded(Evidence(round=round, trials=evidence.trials))
    assert found.promoted is None
    assert "neither baseline nor incumbent is known" in " ".join(found.unmeasured)
    kept = incumbent_retrains(evidence, 4.0)
    assert concluded(Evidence(round=round, trials=evidence.trials), kept).promoted is not None


def test_what_blocks_comes_first_and_a_minimum_gain_counts() -> None:
    evidence = without_retrains(-6.0, written=True)
    blocker = finding("boundary", "E2", "fail", "The best lies at an edge.", reason="best_at_edge")
    analysis = analyze(evidence, best_change)
    blocked = concluded(evidence, analysis=analysis.model_copy(update={"findings": (*analysis.findings, blocker)}))
    assert verdict_of(evidence.round.scope, blocked).outcome == "redesign"
    scope = evidence.round.scope
    strict = scope.model_copy(update={"policy": scope.policy.model_copy(update={"minimum_gain": 1.0})})
    round = evidence.round.model_copy(update={"scope": strict})
    assert concluded(Evidence(round=round, trials=evidence.trials)).promoted is None


def test_with_retrains_in_the_budget_the_searches_alone_conclude_nothing() -> None:
    evidence, _ = searched(0, -6.0)
    assert not best_change(evidence, False).conclusive
    assert best_change(without_retrains(-6.0), False).conclusive
    assert not best_change(without_retrains(-6.0), True).conclusive


@pytest.mark.playbook("K4", case="silent")
@pytest.mark.parametrize("noisier", [1.0, 2.0, 3.0])
@pytest.mark.prose
def test_a_value_that_is_only_noisier_from_seed_to_seed_is_not_called_better(noisier: float) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        sd = noisier if point["optimizer"] == "adam" else 1.0
        return {"valid_error": np.array([0.3 + 0.01 * sd * rng.standard_normal()])}

    found = [compared_round(outcome, trials=24, seed=seed, evaluations=1) for seed in range(40)]
    none = [_without(evidence) for evidence in found]
    answers = [best_change(evidence, False) for evidence in none]
    assert sum(a.conclusive for a in answers) <= 2  # of 200 rounds 2 % were, at most
    fooled = [a for a in answers if a.band and a.band[0] > 0 and not a.conclusive]
    assert bool(fooled) == (noisier > 1)
    some = [evidence for evidence, a in zip(none, answers, strict=True) if a in fooled][:4]
    ended = [concluded(evidence) for evidence in some]
    told = [" ".join(c.unmeasured) for c in ended if not c.blockers]
    assert all("more noise may be all" in said for said in told)
    assert bool(told) == (noisier > 1)


def _without(evidence: Evidence) -> Evidence:
    scope = evidence.round.scope
    budget = scope.budget.model_copy(update={"retrains": 0})
    round = evidence.round.model_copy(update={"scope": scope.model_copy(update={"budget": budget})})
    return Evidence(round=round, trials=evidence.trials)
