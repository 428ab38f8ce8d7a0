"""F10: does the training loss rise while it is being minimized?"""

from functools import partial

from tasks.analyze.checks.check import Check
from tasks.analyze.study.curves import (
    FEWEST,
    TRAIN_LOSS,
    CurveThresholds,
    loss_shape,
    reported,
    rise_numbers,
    share_of_descent,
)
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number, plural


def rising_training_loss(evidence: Evidence) -> list[Finding]:
    """A fail for each study whose best trial, or most of whose trials, ended with a training loss that had risen.

    In a poor trial a rising training loss is what a too large learning rate does (section I); in the best one it
    points at the pipeline: data, masking, a schedule that never ends, a loss that is not the one minimised.

    Playbook: F10
    """
    return [_rising(s) for s in evidence.studies]


def _rising(s: StudyEvidence) -> Finding:
    say = partial(finding, "rising training loss", "F10", study=s.study.id)
    not_asked = partial(not_checked, "rising training loss", "F10", study=s.study.id)
    if s.best is None:
        return not_asked(NotChecked.NO_FEASIBLE_TRIAL, "Not checked: no trial of the study is feasible.")
    best = loss_shape(s, s.best, TRAIN_LOSS)
    if best is None:
        name = reported(s.best.curve, TRAIN_LOSS)
        why = f"{name} has fewer than {FEWEST} evaluations" if name else f"no trial reports {TRAIN_LOSS[0]}"
        because = NotChecked.TOO_FEW_EVALUATIONS if name else NotChecked.NOT_REPORTED
        return not_asked(because, f"Not checked: {why}.")
    shapes = {t.id: c for t in s.trials if t.feasible and (c := loss_shape(s, t, TRAIN_LOSS))}
    rising = [id for id, c in shapes.items() if c.rises]
    count = len(rising)
    numbers = {**rise_numbers(best), "rising": count, "judged": len(shapes)}
    told = f"{count} of {plural(len(shapes), 'feasible trial')} ended with a training loss that had risen"
    if not best.rises and count <= len(shapes) / 2:
        text = f"{told}{', but not the best' if count else ''}."
        reason = "not_the_best" if count else "none_rises"
        return say("ok", text, reason=reason, trials=rising, trial=s.best.id, numbers=numbers)
    text = f"{told}: look for a bug in the training pipeline before anything else."
    if best.rises:
        text = (
            f"The training loss of the best trial rose by {number(best.rise)} from step {best.turning_step} on: "
            "look at its learning-rate schedule, then for a bug in the pipeline. "
            f"That is {share_of_descent(best)}. {told}."
        )
    reason = "best_rises" if best.rises else "most_rise"
    return say("fail", text, reason=reason, trials=rising, trial=s.best.id, numbers=numbers)


RISING_TRAINING_LOSS = Check(
    name="rising training loss",
    questions=(
        Question(
            row="F10",
            asks="Does the training loss rise while it is being minimized?",
            fail=("best_rises", "most_rise"),
            ok=("none_rises", "not_the_best"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.NOT_REPORTED, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=rising_training_loss,
    thresholds=(CurveThresholds,),
)
