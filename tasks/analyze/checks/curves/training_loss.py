"""F10: does the training loss rise while it is being minimized?"""

from functools import partial

from tasks.analyze.study.curves import FEWEST, TRAIN_LOSS, loss_shape, reported, rise_numbers, share_of_descent
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding
from tasks.scope.finding import finding
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
    if s.best is None:
        return say("na", "Not checked: no trial of the study is feasible.")
    best = loss_shape(s, s.best, TRAIN_LOSS)
    if best is None:
        name = reported(s.best.curve, TRAIN_LOSS)
        why = f"{name} has fewer than {FEWEST} evaluations" if name else f"no trial reports {TRAIN_LOSS[0]}"
        return say("na", f"Not checked: {why}.")
    shapes = [c for t in s.trials if t.feasible and (c := loss_shape(s, t, TRAIN_LOSS))]
    count = sum(c.rises for c in shapes)
    numbers = {**rise_numbers(best), "rising": count, "judged": len(shapes)}
    told = f"{count} of {plural(len(shapes), 'feasible trial')} ended with a training loss that had risen"
    if not best.rises and count <= len(shapes) / 2:
        text = f"{told}{', but not the best' if count else ''}."
        return say("ok", text, trial=s.best.id, numbers=numbers)
    rose = f"; the best trial's rose by {number(best.rise)} from step {best.turning_step} on, {share_of_descent(best)}"
    text = f"{told}{rose * best.rises}. Suspect a bug in the training pipeline before anything else."
    return say("fail", text, trial=s.best.id, numbers=numbers)
