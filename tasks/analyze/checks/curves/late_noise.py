"""F7: late in training, do the best trials move from step to step by as much as separates them?"""

from functools import partial

import numpy as np

from tasks.analyze.checks.check import Check
from tasks.analyze.study.curves import FEWEST as FEWEST_EVALUATIONS
from tasks.analyze.study.curves import CurveThresholds, objective_shape
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.slices import SliceThresholds, compared_slices
from tasks.record import Finding, NotChecked, Number
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import number
from tasks.trials.trial import Trial


def late_noise(evidence: Evidence) -> list[Finding]:
    """A warning where the best trials move from step to step by as much as what separates them.

    The best trials of the two best scientific values; in a round that compares none, the two best trials. The gap is
    that of their best values or of their smoothed curves, whichever is smaller: the best of a noisy curve is partly
    its luckiest evaluation. Where the two are equal and neither moves (both at a ceiling, say) noise decides nothing.

    Playbook: F7
    """
    found = sorted(compared_slices(evidence), key=lambda s: s.best_loss)
    pairs = [(s.study, s.best, s.best_loss, s.label) for s in found if s.best]
    if len(pairs) < 2 and evidence.studies:
        study = found[0].study if found else evidence.studies[0]
        order = np.argsort(study.losses, kind="stable")[: int(study.feasible.sum())]
        pairs = [(study, study.trials[i], float(study.losses[i]), f"trial {study.trials[i].id}") for i in order]
    if len(pairs) < 2:
        because = NotChecked.TOO_FEW_TRIALS if pairs else NotChecked.NO_FEASIBLE_TRIAL
        return [not_checked("late noise", "F7", because, "Not checked: there are no two feasible trials to compare.")]
    return [_late_noise(pairs[0], pairs[1])]


def _late_noise(
    first: tuple[StudyEvidence, Trial, float, str], second: tuple[StudyEvidence, Trial, float, str]
) -> Finding:
    study, trial, loss, label = first
    shapes = [objective_shape(s, t) for s, t, _, _ in (first, second)]
    both = (trial.id, second[1].id)
    say = partial(finding, "late noise", "F7", trials=both, study=study.study.id, trial=trial.id)
    known = [c for c in shapes if c]
    if len(known) < 2:
        text = (
            f"Not enough points: a curve has fewer than {FEWEST_EVALUATIONS} evaluations of {study.objective.metric}."
        )
        because = NotChecked.TOO_FEW_EVALUATIONS
        return not_checked("late noise", "F7", because, text, trials=both, study=study.study.id, trial=trial.id)
    noise = max(c.noise for c in known)
    apart = second[2] - loss
    gap = min(apart, float(known[1].smooth.min() - known[0].smooth.min()))
    numbers: dict[str, Number | None] = {
        "late_sd": noise,
        "gap": apart,
        "smooth_gap": gap,
        "late_fraction": study.policy.of(CurveThresholds).late_fraction,
    }
    metric = study.objective.metric
    hides = (
        f"hides the lead of the best, {number(apart)}" if noise >= apart else "can decide which of the best two leads"
    )
    told = (
        f" The best of {label} and of {second[3]} are {number(apart)} apart, {number(gap)} by their smoothed curves; "
        f"late in training {metric} moves by {number(noise)} (SD) from one evaluation to the next."
    )
    if noise == 0 and apart == 0:
        text = f"The best two are equal in {metric}, and neither moves late in training.{told}"
        return say("ok", text, reason="equal_and_steady", numbers=numbers)
    if noise < gap:
        text = f"The late noise of {metric}, {number(noise)} (SD), is less than the lead of the best, {number(apart)}."
        return say("ok", text + told, reason="steady", numbers=numbers)
    text = (
        f"The late noise of {metric}, {number(noise)} (SD), {hides}: decay the learning rate, or average the "
        f"weights.{told} A larger batch or more validation data calms the curves, too."
    )
    return say("warn", text, reason="noise_decides", numbers=numbers)


LATE_NOISE = Check(
    name="late noise",
    questions=(
        Question(
            row="F7",
            asks="Late in training, do the best trials move from step to step by as much as separates them?",
            warn=("noise_decides",),
            ok=("steady", "equal_and_steady"),
            na=(NotChecked.NO_FEASIBLE_TRIAL, NotChecked.TOO_FEW_TRIALS, NotChecked.TOO_FEW_EVALUATIONS),
        ),
    ),
    ask=late_noise,
    thresholds=(CurveThresholds, SliceThresholds),
)
