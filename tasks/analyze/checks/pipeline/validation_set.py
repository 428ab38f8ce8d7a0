"""J8, G8: is the validation set large enough and a fair sample, and is it all the evidence there is?"""

import math
from functools import partial

import numpy as np
from scipy.stats import norm  # type: ignore[import-untyped]

from tasks.analyze.isolation import gain_band, ranking
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, compared_slices
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.text import band_text, number, plural

FULL = "full_"  # a trial may report, now and then, its metric on the whole set that the usual one is a sample of
SKEWED = 3.0  # standard errors: a random sample lies this far off once in 370 times
SIGNIFICANT = 0.05  # what is called significant elsewhere; G8 is about the word, not about this number


def validation_size(evidence: Evidence) -> list[Finding]:
    """A warning where what is sought is smaller than the luck of which examples the validation set happens to have.

    Sought is the minimum gain, or where none is set, what separates the two best of what is compared. The luck is
    one binomial standard error of the best value: two models that err on the same examples half of the time differ
    by about as much. Asked of a metric that is a share of `objective.examples` examples. How often the set has been
    read is counted: every reading that selects wears it out.

    Playbook: J8
    """
    say = partial(finding, "validation set", "J8")
    examples = evidence.round.scope.objective.examples
    if examples is None:
        return [say("na", "Not checked: how many examples the metric is taken over is not known (objective.examples).")]
    best = sorted(compared_slices(evidence), key=lambda s: s.best_loss)
    if not best or not _is_share(best[0]):
        return [say("na", "Not checked: no feasible trial has an objective that is a share of examples.")]
    policy, value = evidence.round.scope.policy, _value(best[0])
    sought = policy.minimum_gain or (best[1].best_loss - best[0].best_loss if len(best) > 1 else 0.0)
    error = _standard_error(value, examples)
    reads = sum(len(t.curve.steps) for t in evidence.trials.values())
    numbers = {"examples": examples, "standard_error": error, "sought": sought, "reads": reads}
    metric = best[0].objective.metric
    told = (
        f"Of {plural(examples, 'validation example')} each is {number(1 / examples)} {metric}; at {number(value)} the "
        f"luck of which they are is {number(error)} (SD), and the set was read {plural(reads, 'time')} in this round"
    )
    if sought == 0:
        return [say("na", f"{told}. Not checked: no minimum gain is set and nothing is compared.", numbers=numbers)]
    what = "the minimum gain" if policy.minimum_gain else "the lead of the best over the next"
    if sought >= error:
        return [say("ok", f"{told}; {what}, {number(sought)}, is more.", numbers=numbers)]
    text = (
        f"{told}; {what}, {number(sought)}, is less: on other examples it may turn round, however many retrains agree "
        f"on these. Take about {number(_enough(value, sought))} examples, or seek a larger gain."
    )
    return [say("warn", text, numbers=numbers)]


def fair_sample(evidence: Evidence) -> list[Finding]:
    """A warning where the validation examples that are looked at are not like all of them.

    A trial that evaluates on a sample may report `full_METRIC` on the whole set now and then; over all trials the
    two differ by the sample's luck, one standard error, and by more than three only where the sample is skewed.

    Playbook: J8
    """
    objective = evidence.round.scope.objective
    say = partial(finding, "sampled validation set", "J8")
    apart, levels = [], []
    for trial in (t for t in evidence.trials.values() if t.feasible):
        full = dict(zip(*trial.curve.of(FULL + objective.metric), strict=True))
        own = dict(zip(*trial.curve.of(objective.metric), strict=True))
        both = sorted(set(full) & set(own))
        if both:
            apart.append(float(own[both[-1]] - full[both[-1]]))
            levels.append(float(full[both[-1]]))
    if not apart or objective.examples is None or not all(0 <= v <= 1 for v in levels):
        text = f"Not checked: no trial reports {FULL}{objective.metric} beside it, or objective.examples is not known."
        return [say("na", text)]
    error = _standard_error(float(np.mean(levels)), objective.examples)
    difference = float(np.mean(apart))
    numbers = {"difference": difference, "standard_error": error, "trials": len(apart)}
    told = (
        f"Over {plural(len(apart), 'trial')} {objective.metric} on the sample and on all examples differ by "
        f"{number(difference)}, where the luck of a random sample is {number(error)} (SD)"
    )
    if abs(difference) <= SKEWED * error:
        return [say("ok", f"{told}.", numbers=numbers)]
    return [say("warn", f"{told}: the sample is not like the whole set; draw it at random.", numbers=numbers)]


def significance_alone(evidence: Evidence) -> list[Finding]:
    """A warning where a test on the validation examples calls a lead significant that a repeated search may undo.

    Such a test asks whether other examples would show the difference between two trained models; nothing in it
    knows that the same configuration, trained again, is another model. It is no evidence for the configuration,
    and where the round goes on to fresh retrains nobody has to be warned of it.

    Playbook: G8
    """
    say = partial(finding, "significance", "G8")
    scope, order = evidence.round.scope, ranking(evidence)
    examples = scope.objective.examples
    if examples is None or len(order) < 2 or order[0].parameter is None:
        return [say("na", "Not checked: no two values are compared, or objective.examples is not known.")]
    first, second = order[0], order[1]
    band = gain_band(first, second)
    if band is None or not _is_share(first) or not _is_share(second):
        return [say("na", "Not checked: too few feasible trials, or the objective is no share of examples.")]
    gap = second.best_loss - first.best_loss
    error = math.hypot(_standard_error(_value(first), examples), _standard_error(_value(second), examples))
    chance = float(2 * norm.sf(gap / error))
    numbers = {"p": chance, "examples": examples, "gap": gap, "low": band[0], "high": band[1]}
    told = (
        f"A test on {plural(examples, 'validation example')} puts the lead of {first.label} over {second.label}, "
        f"{number(gap)}, at p = {number(chance)}; another pair of searches would find {band_text(band)}"
    )
    if chance >= SIGNIFICANT or band[0] > 0:
        return [say("ok", f"{told}: the two do not disagree.", numbers=numbers)]
    if scope.goal.kind == "improve" and scope.budget.retrains > 1:
        return [say("ok", f"{told}, which may be none: fresh retrains decide, not that test.", numbers=numbers)]
    text = (
        f"{told}, which may be none: significance on one validation set knows nothing of the luck of training and "
        f"search, and is no evidence by itself. Fresh retrains are."
    )
    return [say("warn", text, numbers=numbers)]


def _value(s: Slice) -> float:
    return s.objective.sign * s.best_loss


def _is_share(s: Slice) -> bool:
    known = s.losses[np.isfinite(s.losses)] * s.objective.sign
    return bool(((known >= 0) & (known <= 1)).all())


def _standard_error(share: float, examples: int) -> float:
    """Of a share of so many examples; one of none or of all is taken for half an example off."""
    near = min(max(share, 0.5 / examples), 1 - 0.5 / examples)
    return math.sqrt(near * (1 - near) / examples)


def _enough(share: float, sought: float) -> float:
    """The examples of which one standard error is what is sought, to two digits."""
    near = min(max(share, sought / 2), 1 - sought / 2)
    return float(f"{near * (1 - near) / sought**2:.2g}")
