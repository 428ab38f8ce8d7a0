"""H9: can the model fit its training set at all? If not, a regularizer is unlikely to help."""

from collections.abc import Iterable
from functools import partial

from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.checks.curves.overfitting import overfits
from tasks.analyze.study.curves import CurveThresholds, reported
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import SliceThresholds, compared_slices
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.names.names import REGULARIZING
from tasks.text import number
from tasks.trials.trial import Trial

# A perfect fit has an error of 0 and an accuracy of 1, or 100; of a loss nobody knows what it has.
TRAIN_ERROR = ("train_error", "training_error", "train/error", "train_err", "train/err", "train_error_rate")
TRAIN_ACCURACY = ("train_accuracy", "training_accuracy", "train/accuracy", "train_acc", "train/acc", "training_acc")
PERCENT = 100.0


class TrainingFitThresholds(Frozen):
    """When a training set is fitted."""

    fit_error: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="H9, ours: the best training error above which the training set is not fitted",
    )


def training_fit(evidence: Evidence) -> list[Finding]:
    """A warning where a regularizer is considered and no trial comes near a perfect fit of the training set.

    It is considered where it is the question, and where trials overfit, so that one would be proposed. The lowest
    training error of any feasible trial at any step, against `fit_error`; one minus an accuracy counts as one, and
    percent as shares. Above it more steps, a larger model or a better optimizer are likelier to help.

    Playbook: H9
    """
    known, asked = evidence.round.scope.names, evidence.round.scope.roles.scientific
    names = [n for n in asked if known.family(n) in REGULARIZING]
    unknown = [n for n in asked if known.family(n) is None]
    if not names and not _would_be_regularised(evidence):
        if unknown:
            text = f"Not checked: nothing says whether {unknown[0]} is a regularizer; {known.say('regularizer')} does."
            return [not_checked("training fit", "H9", NotChecked.NOT_RECOGNISED, text)]
        text = "Not checked: no regularizer is the question, and no finding asks for one."
        return [not_checked("training fit", "H9", NotChecked.NOT_THE_QUESTION, text)]
    feasible = [t for s in evidence.studies for t in s.trials if t.feasible]
    errors = _errors(feasible)
    if not errors:
        because = NotChecked.NOT_REPORTED if feasible else NotChecked.NO_FEASIBLE_TRIAL
        text = f"Not checked: no feasible trial reports a training error ({TRAIN_ERROR[0]} or {TRAIN_ACCURACY[0]})."
        return [not_checked("training fit", "H9", because, text)]
    bar = evidence.round.scope.policy.of(TrainingFitThresholds).fit_error
    numbers = {"train_error": min(errors), "fit_error": bar, "judged": len(errors)}
    about = names[0] if names else None
    say = partial(finding, "training fit", "H9", parameter=about, numbers=numbers)
    told = f"The lowest training error of any trial is {number(min(errors))}"
    if min(errors) <= bar:
        return [say("ok", f"{told}: the training set can be fitted, so a regularizer may help.", reason="fitted")]
    text = (
        f"The training set is not fitted (lowest error {number(min(errors))}, above {number(bar)}): try more steps or "
        f"capacity first. A regularizer{f', as {about} is,' if about else ''} is unlikely to help much."
    )
    return [say("warn", text, reason="not_fitted")]


def _would_be_regularised(evidence: Evidence) -> bool:
    """Whether a best trial overfits (F2), or several of a study (F6): a regularizer is then proposed (F3, B6)."""
    if any(s.best and overfits(s.study, s.best) for s in compared_slices(evidence)):
        return True
    return any(sum(bool(t.feasible and overfits(s, t)) for t in s.trials) > 1 for s in evidence.studies)


def _errors(trials: Iterable[Trial]) -> list[float]:
    """The lowest training error of each trial that reports one, under the first name that it has."""
    found = []
    for t in trials:
        error, accuracy = reported(t.curve, TRAIN_ERROR), reported(t.curve, TRAIN_ACCURACY)
        values = t.curve.of(error or accuracy or TRAIN_ERROR[0])[1]
        if not len(values):
            continue
        shares = values / PERCENT if values.max() > 1.0 else values
        found.append(float((shares if error else 1.0 - shares).min()))
    return found


TRAINING_FIT = Check(
    name="training fit",
    questions=(
        Question(
            row="H9",
            asks="Can the model fit its training set, so that a regularizer may help?",
            warn=("not_fitted",),
            ok=("fitted",),
            na=(
                NotChecked.NOT_THE_QUESTION,
                NotChecked.NOT_RECOGNISED,
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.NOT_REPORTED,
            ),
        ),
    ),
    ask=training_fit,
    thresholds=(TrainingFitThresholds, CurveThresholds, SliceThresholds),
)
