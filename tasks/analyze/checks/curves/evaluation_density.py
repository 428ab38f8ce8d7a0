"""K2: are there evaluations enough for retrospective selection to find the best step?"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.leaders import leaders
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Frozen, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.guards.pipeline import EvaluationCountThresholds, more_evaluations
from tasks.text import number, plural
from tasks.trials.trial import Trial

FINER = 4  # so many times as many evaluations: a best step that stood alone then has company on both sides
SHARE = 0.05  # of the whole descent: a smaller dip is worth no evaluations


class EvaluationThresholds(Frozen):
    """How far a best evaluation may stand off from its neighbours."""

    best_step_sds: float = Field(
        default=6.0,
        gt=0,
        description="K2, ours: a best evaluation so many SDs of the noise below both of its neighbours",
    )


@dataclass(frozen=True, kw_only=True)
class Dip:
    """The best evaluation of a trial: how far below the better neighbour it lies, and what that is held against."""

    trial: Trial
    step: int
    every: int
    depth: float
    noise: float
    descent: float


def evaluation_density(evidence: Evidence) -> list[Finding]:
    """A warning for each study whose evaluations are too few or too far apart to find the best step.

    Retrospective selection takes the best evaluation, so the best step must have been evaluated, or one as good. Too
    far apart are they where most of the best trials are at their best in one evaluation that lies clearly below both of
    its neighbours: by `best_step_sds` of the noise, by a twentieth of the descent, and by more than separates the
    best three trials. What happened in between can then be better still, and differ from trial to trial. A trial that
    is best at its end says nothing of that: it still improves (F8). What the guard said of the budget already is not
    said again.

    Of 1,440 planted studies without such a step (flat, falling and overfitting curves of 10, 20 and 40 evaluations,
    noise white or correlated) it warned of 1, of 120 whose noise has heavy tails (t, 3 degrees of freedom) of 4. A
    valley as wide as the interval and a third of the descent deep was found in 37 of 40 studies of 10 evaluations, and
    in all of 20 and 40.

    Playbook: K2
    """
    told = any(f.row == "K2" and f.level == "warn" for f in evidence.round.scope.findings)
    return [_density(s, told) for s in evidence.studies]


def dip(study: StudyEvidence, trial: Trial) -> Dip | None:
    """The best evaluation of a trial against its neighbours; None with too few of them, or where the last is best.

    The noise is that of the curve elsewhere: of its second differences that do not touch the best evaluation, by their
    median, which neither the first descent nor a single outlier moves.
    """
    steps, values = trial.curve.of(study.objective.metric)
    losses = study.objective.sign * values
    if len(losses) < study.policy.of(EvaluationCountThresholds).fewest_evaluations:
        return None
    i = int(np.argmin(losses))
    if i == len(losses) - 1:
        return None
    beside = losses[[i - 1, i + 1]] if i else losses[[1]]
    bends = np.abs(np.diff(losses, 2))
    elsewhere = np.abs(np.arange(1, len(losses) - 1) - i) > 1
    return Dip(
        trial=trial,
        step=int(steps[i]),
        every=int(steps[i + 1] - steps[i]),
        depth=float(beside.min() - losses[i]),
        noise=float(np.median(bends[elsewhere])) / 0.6745 / np.sqrt(6.0),
        descent=float(losses[0] - losses[i]) if i else float(losses.max() - losses[0]),
    )


def _density(s: StudyEvidence, told: bool) -> Finding:
    say = partial(finding, "evaluation density", "K2", study=s.study.id)
    bars, fewest = s.policy.of(EvaluationThresholds), s.policy.of(EvaluationCountThresholds).fewest_evaluations
    best = leaders(s)
    counts = [len(t.curve.of(s.objective.metric)[1]) for t in best]
    many = int(np.median(counts)) if counts else 0
    if many < 2:
        return _none(s)
    every = best[0].planned.eval_every_steps
    numbers: dict[str, Number | None] = {"evaluations": many, "fewest_evaluations": fewest}
    if many < fewest:
        return _few(s, many, every, numbers, told)
    separates = float(s.objective.sign * ((best[-1].best_value or 0.0) - (best[0].best_value or 0.0)))
    dips = [d for t in best if (d := dip(s, t))]
    deep = [d for d in dips if d.depth > max(bars.best_step_sds * d.noise, SHARE * d.descent, separates)]
    numbers |= {"dips": len(deep), "judged": len(best), "best_step_sds": bars.best_step_sds}
    if len(deep) <= len(best) / 2:
        text = f"The best steps have company: {plural(many, 'evaluation')} a trial, none far below both neighbours."
        return say("ok", text, reason="dense_enough", numbers=numbers)
    d = deep[0]
    numbers |= {"depth": d.depth, "noise": d.noise, "best_step": d.step}
    text = (
        f"At step {d.step} a best trial is {number(d.depth)} {s.objective.metric} better than {d.every} steps before "
        "and after: evaluate more often. The best step may lie between evaluations."
    )
    finer = max(every // FINER, 1)
    remedy = (f"budget.eval_every_steps={finer}",) if finer < every else ()
    return say(
        "warn", text, reason="best_stands_alone", trials=[d.trial.id for d in deep], numbers=numbers, remedy=remedy
    )


def _few(s: StudyEvidence, many: int, every: int, numbers: dict[str, Number | None], told: bool) -> Finding:
    say = partial(finding, "evaluation density", "K2", study=s.study.id, numbers=numbers)
    if every <= 1:
        return say("ok", "Every step of a trial is evaluated.", reason="every_step")
    if told:
        text = f"Not checked: {plural(many, 'evaluation')} a trial are too few to see it, as the plan said (K2)."
        because = NotChecked.TOO_FEW_EVALUATIONS
        return not_checked("evaluation density", "K2", because, text, study=s.study.id, numbers=numbers)
    text = (
        f"{plural(many, 'evaluation')} a trial are few to choose the best step from: "
        f"{numbers['fewest_evaluations']} or more are needed."
    )
    return say("warn", text, reason="few_evaluations", remedy=more_evaluations(s.max_train_steps, every))


def _none(s: StudyEvidence) -> Finding:
    because = NotChecked.NO_FEASIBLE_TRIAL if s.best is None else NotChecked.TOO_FEW_EVALUATIONS
    text = "Not checked: the best trials have one evaluation each, and no step to choose."
    return not_checked("evaluation density", "K2", because, text, study=s.study.id)


EVALUATION_DENSITY = Check(
    name="evaluation density",
    questions=(
        Question(
            row="K2",
            asks="Are there evaluations enough to find the best step?",
            warn=("few_evaluations", "best_stands_alone"),
            ok=("dense_enough", "every_step"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=evaluation_density,
    thresholds=(EvaluationCountThresholds, EvaluationThresholds),
)
