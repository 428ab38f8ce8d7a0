"""H9: can the model fit its training set at all? If not, a regularizer is unlikely to help."""

from pydantic import Field

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.names.names import REGULARIZING
from tasks.text import number

TRAIN_ERROR = "train_error"  # a perfect fit has 0; of a loss nobody knows what a perfect fit has


class TrainingFitThresholds(Frozen):
    """When a training set is fitted."""

    fit_error: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="H9, ours: the best training error above which the training set is not fitted",
    )


def training_fit(evidence: Evidence) -> list[Finding]:
    """A warning where a regularizer is the question and no trial comes near a perfect fit of the training set.

    The lowest training error of any feasible trial at any step, against `fit_error`: then more steps, a larger model
    or a better optimizer are likelier to help.

    Playbook: H9
    """
    known, asked = evidence.round.scope.names, evidence.round.scope.roles.scientific
    names = [n for n in asked if known.family(n) in REGULARIZING]
    unknown = [n for n in asked if known.family(n) is None]
    if unknown and not names:
        text = f"Not checked: nothing says whether {unknown[0]} is a regularizer; {known.say('regularizer')} does."
        return [not_checked("training fit", "H9", NotChecked.NOT_RECOGNISED, text)]
    if not names:
        text = "Not checked: no regularizer is the question."
        return [not_checked("training fit", "H9", NotChecked.NOT_THE_QUESTION, text)]
    feasible = [t for s in evidence.studies for t in s.trials if t.feasible]
    errors = [float(v.min()) for t in feasible if len(v := t.curve.of(TRAIN_ERROR)[1])]
    if not errors:
        because = NotChecked.NOT_REPORTED if feasible else NotChecked.NO_FEASIBLE_TRIAL
        text = f"Not checked: no feasible trial reports {TRAIN_ERROR}."
        return [not_checked("training fit", "H9", because, text)]
    bar = evidence.round.scope.policy.of(TrainingFitThresholds).fit_error
    numbers = {"train_error": min(errors), "fit_error": bar, "judged": len(errors)}
    told = f"The lowest {TRAIN_ERROR} of any trial is {number(min(errors))}"
    if min(errors) <= bar:
        text = f"{told}: the training set can be fitted, so a regularizer may help."
        return [finding("training fit", "H9", "ok", text, reason="fitted", parameter=names[0], numbers=numbers)]
    text = f"{told}: the training set is not fitted (above {number(bar)}), so {names[0]} is unlikely to help much."
    return [finding("training fit", "H9", "warn", text, reason="not_fitted", parameter=names[0], numbers=numbers)]


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
    thresholds=(TrainingFitThresholds,),
)
