"""The step of analyze: the registry of checks, every one of them in its order, then isolation and the answer so far."""

from collections.abc import Callable

from tasks.analyze.checks.arms.fairness import EQUALLY_TUNED
from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.clipping import AGGRESSIVE_CLIPPING
from tasks.analyze.checks.curves.compute_bound import COMPUTE_BOUND, STEPS_A_VALUE, STINGY_STEPS
from tasks.analyze.checks.curves.evaluation_density import EVALUATION_DENSITY
from tasks.analyze.checks.curves.late_noise import LATE_NOISE
from tasks.analyze.checks.curves.overfitting import ANY_OVERFITTING, OVERFITTING, RETRY_BIGGER
from tasks.analyze.checks.curves.periodicity import PERIODICITY
from tasks.analyze.checks.curves.regular_steps import REGULAR_STEPS
from tasks.analyze.checks.curves.steps import BEST_STEPS, SATURATED, STILL_IMPROVING
from tasks.analyze.checks.curves.training_loss import RISING_TRAINING_LOSS
from tasks.analyze.checks.pipeline.length import LENGTH
from tasks.analyze.checks.pipeline.training_fit import TRAINING_FIT
from tasks.analyze.checks.pipeline.unmoved import UNMOVED
from tasks.analyze.checks.pipeline.validation_set import (
    SAMPLED_VALIDATION_SET,
    SIGNIFICANCE,
    VALIDATION_SET,
    examples_error,
)
from tasks.analyze.checks.search.density import DENSITY
from tasks.analyze.checks.search.edge import BOUNDARY
from tasks.analyze.checks.search.importance import SENSITIVITY, importance_rows
from tasks.analyze.checks.search.infeasible import INFEASIBLE
from tasks.analyze.checks.search.instability import INSTABILITY_WALL
from tasks.analyze.checks.search.study_size import BEST_OF_N, FEW_TRIALS
from tasks.analyze.isolation import isolate
from tasks.analyze.learned import learned
from tasks.analyze.reviews.adaptive_search import ADAPTIVE_SEARCH
from tasks.analyze.reviews.exploitation import EXPLOITATION
from tasks.analyze.reviews.kept_trials import KEPT_TRIALS
from tasks.analyze.reviews.narrowing import NARROWING
from tasks.analyze.reviews.next_change import NEXT_CHANGES
from tasks.analyze.reviews.optimization_issues import OPTIMIZATION_ISSUES
from tasks.analyze.reviews.review import Review
from tasks.analyze.reviews.trial_variance import TRIAL_VARIANCE
from tasks.analyze.study.evidence import Evidence
from tasks.record import Answer, Finding, Frozen, ImportanceRow, IsolationRow
from tasks.scope.finding import blocking

# The registry: a new check is its module and a line here; its thresholds, its rows and its page of the docs follow.
CHECKS: tuple[Check, ...] = (
    LENGTH,
    BOUNDARY,
    INSTABILITY_WALL,
    DENSITY,
    INFEASIBLE,
    OVERFITTING,
    ANY_OVERFITTING,
    RETRY_BIGGER,
    RISING_TRAINING_LOSS,
    AGGRESSIVE_CLIPPING,
    LATE_NOISE,
    STILL_IMPROVING,
    SATURATED,
    BEST_STEPS,
    FEW_TRIALS,
    BEST_OF_N,
    REGULAR_STEPS,
    EVALUATION_DENSITY,
    PERIODICITY,
    COMPUTE_BOUND,
    STINGY_STEPS,
    STEPS_A_VALUE,
    EQUALLY_TUNED,
    TRAINING_FIT,
    UNMOVED,
    VALIDATION_SET,
    SAMPLED_VALIDATION_SET,
    SIGNIFICANCE,
    SENSITIVITY,
)

# What looks at the findings themselves, once all checks have been asked.
REVIEWS: tuple[Review, ...] = (
    ADAPTIVE_SEARCH,
    OPTIMIZATION_ISSUES,
    NARROWING,
    EXPLOITATION,
    NEXT_CHANGES,
    TRIAL_VARIANCE,
    KEPT_TRIALS,
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


Learning = Callable[[Evidence], tuple[str, ...]]
"""Says what the trials taught, in sentences with their numbers."""


def learned_of_searches(evidence: Evidence) -> tuple[str, ...]:
    """What the searches taught; what a probe teaches is its answer."""
    return learned(evidence.reading(frozenset({"search"})))


def analyze(
    evidence: Evidence, answering: Answering = unanswered, learning: Learning = learned_of_searches
) -> Analysis:
    """Every check in its order, what their findings say together, then isolation, the answer and what was learned.

    The answer is conclusive only where nothing blocks that nobody has acknowledged, the guards' findings included.

    Playbook: E1
    """
    scope = evidence.round.scope
    findings = tuple(f for check in CHECKS for f in check.findings(evidence))
    for review in REVIEWS:
        findings = review.findings(evidence, findings)
    blocked = bool(blocking((*scope.findings, *findings), scope.acknowledged))
    return Analysis(
        findings=findings,
        isolation=isolate(evidence.reading(frozenset({"search"}))),
        importance=importance_rows(evidence.reading(SENSITIVITY.reads)),
        examples_error=examples_error(evidence.reading(VALIDATION_SET.reads)),
        learned=learning(evidence),
        answer=answering(evidence, blocked),
    )
