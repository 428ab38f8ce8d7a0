"""The step of analyze: every check in its order, then isolation and the answer so far."""

from collections.abc import Callable

from tasks.analyze.checks.arms.fairness import equally_tuned
from tasks.analyze.checks.curves.compute_bound import compute_bound, steps_for_each_value, stingy_steps
from tasks.analyze.checks.curves.late_noise import late_noise
from tasks.analyze.checks.curves.overfitting import any_overfitting, overfitting, retry_bigger
from tasks.analyze.checks.curves.periodicity import periodicity
from tasks.analyze.checks.curves.steps import best_steps, saturated, still_improving
from tasks.analyze.checks.curves.training_loss import rising_training_loss
from tasks.analyze.checks.pipeline.training_fit import training_fit
from tasks.analyze.checks.pipeline.validation_set import fair_sample, significance_alone, validation_size
from tasks.analyze.checks.search.density import density
from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.importance import importance
from tasks.analyze.checks.search.infeasible import infeasible
from tasks.analyze.checks.search.instability import instability_wall
from tasks.analyze.checks.search.study_size import few_trials, still_falling
from tasks.analyze.isolation import isolate
from tasks.analyze.learned import learned
from tasks.analyze.reviews.adaptive_search import adaptive
from tasks.analyze.reviews.exploitation import exploitable
from tasks.analyze.reviews.narrowing import narrow
from tasks.analyze.reviews.next_change import next_changes
from tasks.analyze.reviews.optimization_issues import optimization_issues
from tasks.analyze.study.evidence import Check, Evidence
from tasks.record import Answer, Finding, Frozen, ImportanceRow, IsolationRow
from tasks.scope.finding import blocking

CHECKS: tuple[Check, ...] = (
    search_edges,
    instability_wall,
    density,
    infeasible,
    overfitting,
    any_overfitting,
    retry_bigger,
    rising_training_loss,
    late_noise,
    still_improving,
    saturated,
    best_steps,
    few_trials,
    still_falling,
    periodicity,
    compute_bound,
    stingy_steps,
    steps_for_each_value,
    equally_tuned,
    training_fit,
    validation_size,
    fair_sample,
    significance_alone,
    importance,
)

# What looks at the findings themselves, once all checks have been asked: it returns them, changed or with more.
REVIEWS: tuple[Callable[[Evidence, tuple[Finding, ...]], tuple[Finding, ...]], ...] = (
    adaptive,
    optimization_issues,
    narrow,
    exploitable,
    next_changes,
)


class Analysis(Frozen):
    """What the trials say: the findings, the isolation plot's rows, what was learned, and the answer so far.

    `examples_error`: one standard error of the best value by the luck of which validation examples there are (J8);
    None where it is not known.
    """

    findings: tuple[Finding, ...]
    isolation: tuple[IsolationRow, ...]
    importance: tuple[ImportanceRow, ...] = ()
    examples_error: float | None = None
    learned: tuple[str, ...]
    answer: Answer


Answering = Callable[[Evidence, bool], Answer]
"""Gives the answer that the trials allow; it is told whether something blocks a conclusion."""


def unanswered(evidence: Evidence, blocked: bool) -> Answer:
    """No answer: the question stays open."""
    return Answer(kind=evidence.round.scope.goal.kind)


def analyze(evidence: Evidence, answering: Answering = unanswered) -> Analysis:
    """Every check in its order, what their findings say together, then isolation, the answer and what was learned.

    The answer is conclusive only where nothing blocks that nobody has acknowledged, the guards' findings included.

    Playbook: E1
    """
    scope = evidence.round.scope
    findings = tuple(f for check in CHECKS for f in check(evidence))
    for review in REVIEWS:
        findings = review(evidence, findings)
    blocked = bool(blocking((*scope.findings, *findings), scope.acknowledged))
    return Analysis(
        findings=findings,
        isolation=isolate(evidence),
        learned=learned(evidence),
        answer=answering(evidence, blocked),
    )
