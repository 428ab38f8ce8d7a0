"""E11: does the model show optimization issues?"""

from functools import partial

from tasks.analyze.checks.curves.leaders import leaders
from tasks.analyze.reviews.review import Review
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.gradients import FEWEST, LARGEST, NORM, Spike, SpikeThresholds, spike
from tasks.record import Finding, NotChecked
from tasks.scope.arms import listing
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number
from tasks.trials.trial import Trial

SIGNS = {
    "E5": "best trial at an instability wall",
    "F10": "rising training loss",
    "I14": "most updates clipped",
}


def optimization_issues(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and one that sums up what speaks for trouble in the optimisation, and what was asked at all.

    Asked are E5, F10, I14 and, where it is logged, the gradient's norm in the best trials: no report of it is to be
    `gradient_spike` times the trend of those around it. Where none is logged, that is said: it is not checked.

    Playbook: E11
    """
    levels = {row: {f.level for f in found if f.row == row} - {"na"} for row in SIGNS}
    asked = [row for row in SIGNS if levels[row]]
    signs = [SIGNS[row] for row in asked if levels[row] & {"fail", "warn"}]
    judged = [(t, s) for study in evidence.studies for t, s in best_spikes(study)]
    bars = evidence.round.scope.policy.of(SpikeThresholds)
    worst = max(judged, key=lambda j: (j[1].counts, j[1].ratio), default=None)
    unseen = () if worst else (_not_reported(evidence),)
    if worst is not None:
        asked.append("gradient norm")
        if worst[1].counts:
            signs.append(f"gradient spike at step {worst[1].step}")
    numbers = {
        "signs": len(signs),
        "asked": len(asked),
        "largest_spike": worst[1].ratio if worst else None,
        "spike_step": worst[1].step if worst else None,
        "gradient_spike": bars.gradient_spike,
        "gradient_sds": bars.gradient_sds,
    }
    if not asked:
        return (*found, *unseen)
    seen = f"Asked were {listing(asked)}." + (f" {_told(worst[1])}" if worst and worst[1].counts else "")
    say = partial(finding, "optimisation issues", "E11", numbers=numbers)
    spiked = [t.id for t, s in judged if s.counts]
    if signs:
        text = f"Optimisation issues: {listing(signs)}; try what B6 says. {seen}"
        return (*found, say("warn", text, reason="signs", trials=spiked), *unseen)
    return (*found, say("ok", f"No sign of optimisation issues. {seen}", reason="no_signs"), *unseen)


def best_spikes(study: StudyEvidence) -> list[tuple[Trial, Spike]]:
    """The largest spike of each of the best trials that logged enough norms, whether it counts or not."""
    steps = study.max_train_steps
    return [(t, s) for t in leaders(study) if (s := spike(t.curve, max(steps, t.steps_done), study.policy))]


def _told(s: Spike) -> str:
    when = " early in training" * s.early
    return f"The gradient norm at step {s.step}{when} is {number(s.ratio)} times that of the reports around it."


def _not_reported(evidence: Evidence) -> Finding:
    names = f"{NORM[0]} or {NORM[0]}{LARGEST}"
    text = f"Spikes of the gradient: not checked; no best trial has {FEWEST} reports of {names}, so report one."
    because = NotChecked.NOT_REPORTED if any(s.best for s in evidence.studies) else NotChecked.NO_FEASIBLE_TRIAL
    return not_checked("gradient spikes", "E11", because, text)


OPTIMIZATION_ISSUES = Review(
    name="optimisation issues",
    questions=(
        Question(
            row="E11",
            asks="Does the model show optimization issues?",
            warn=("signs",),
            ok=("no_signs",),
            na=(NotChecked.NOT_REPORTED, NotChecked.NO_FEASIBLE_TRIAL),
        ),
    ),
    ask=optimization_issues,
    thresholds=(SpikeThresholds,),
)
