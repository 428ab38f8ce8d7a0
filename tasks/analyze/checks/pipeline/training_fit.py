"""H9: can the model fit its training set at all? If not, a regularizer is unlikely to help."""

from tasks.analyze.study.evidence import Evidence
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.scope.names.families import family
from tasks.text import number

TRAIN_ERROR = "train_error"  # a perfect fit has 0; of a loss nobody knows what a perfect fit has


def training_fit(evidence: Evidence) -> list[Finding]:
    """A warning where a regularizer is the question and no trial comes near a perfect fit of the training set.

    The lowest training error of any feasible trial at any step, against `fit_error`: then more steps, a larger model
    or a better optimizer are likelier to help.

    Playbook: H9
    """
    names = [n for n in evidence.round.scope.roles.scientific if family(n) == "regularizer"]
    if not names:
        return [finding("training fit", "H9", "na", "Not checked: no regularizer is the question.")]
    feasible = [t for s in evidence.studies for t in s.trials if t.feasible]
    errors = [float(v.min()) for t in feasible if len(v := t.curve.of(TRAIN_ERROR)[1])]
    if not errors:
        return [finding("training fit", "H9", "na", f"Not checked: no feasible trial reports {TRAIN_ERROR}.")]
    bar = evidence.round.scope.policy.fit_error
    numbers = {"train_error": min(errors), "fit_error": bar, "judged": len(errors)}
    told = f"The lowest {TRAIN_ERROR} of any trial is {number(min(errors))}"
    if min(errors) <= bar:
        text = f"{told}: the training set can be fitted, so a regularizer may help."
        return [finding("training fit", "H9", "ok", text, parameter=names[0], numbers=numbers)]
    text = f"{told}: the training set is not fitted (above {number(bar)}), so {names[0]} is unlikely to help much."
    return [finding("training fit", "H9", "warn", text, parameter=names[0], numbers=numbers)]
