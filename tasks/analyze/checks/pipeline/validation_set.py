"""J8, G8: is the validation set large enough and a fair sample, and is it all the evidence there is?"""

import math
from functools import partial

import numpy as np

from tasks.analyze.checks.check import Check
from tasks.analyze.isolation import gain_band, ranking
from tasks.analyze.study.bootstrap import BootstrapThresholds
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, SliceThresholds, compared_slices
from tasks.record import Finding, NotChecked
from tasks.scope.finding import Question, finding, not_checked
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
    not_asked = partial(not_checked, "validation set", "J8")
    examples = evidence.round.scope.objective.examples
    if examples is None:
        text = "Not checked: how many examples the metric is taken over is not known (objective.examples)."
        return [not_asked(NotChecked.NOT_DECLARED, text)]
    best = _best_first(evidence)
    error = examples_error(evidence)
    if error is None:
        because = NotChecked.NOT_A_SHARE if best else NotChecked.NO_FEASIBLE_TRIAL
        return [not_asked(because, "Not checked: no feasible trial has an objective that is a share of examples.")]
    policy, value = evidence.round.scope.policy, _value(best[0])
    sought = policy.minimum_gain or (best[1].best_loss - best[0].best_loss if len(best) > 1 else 0.0)
    reads = sum(len(t.curve.steps) for t in evidence.trials.values())
    numbers = {"examples": examples, "standard_error": error, "sought": sought, "reads": reads}
    metric = best[0].objective.metric
    many, reading = plural(examples, "validation example"), f"The set was read {plural(reads, 'time')} in this round."
    told = (
        f"One example is {number(1 / examples)} {metric}, and the sampling error is that at {number(value)}. {reading}"
    )
    if sought == 0:
        text = f"Not checked: no minimum gain is set and nothing is compared. {told}"
        return [not_asked(NotChecked.NOT_THE_QUESTION, text, numbers=numbers)]
    what = f"the {'minimum gain' if policy.minimum_gain else 'lead of the best'}, {number(sought)}"
    if sought >= error:
        text = f"{many} are enough: {what}, is more than their sampling error, {number(error)} (SD). {told}"
        return [say("ok", text, reason="large_enough", numbers=numbers)]
    text = (
        f"{many} are too few: {what}, is within their sampling error, {number(error)} (SD); take about "
        f"{number(_enough(value, sought))}. Or seek a larger gain: on other examples the lead may turn round, however "
        f"many retrains agree on these. {told}"
    )
    return [say("warn", text, reason="too_small", numbers=numbers)]


def examples_error(evidence: Evidence) -> float | None:
    """One standard error of the best value by the luck of which validation examples there are; None if not known.

    Known is it of a metric that is a share of `objective.examples` examples.

    Playbook: J8
    """
    examples, best = evidence.round.scope.objective.examples, _best_first(evidence)
    if examples is None or not best or not _is_share(best[0]):
        return None
    return _standard_error(_value(best[0]), examples)


def _best_first(evidence: Evidence) -> list[Slice]:
    return sorted(compared_slices(evidence), key=lambda s: s.best_loss)


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
        because = NotChecked.NOT_DECLARED if objective.examples is None else NotChecked.NOT_A_SHARE
        because = because if apart else NotChecked.NOT_REPORTED
        return [not_checked("sampled validation set", "J8", because, text)]
    error = _standard_error(float(np.mean(levels)), objective.examples)
    difference = float(np.mean(apart))
    numbers = {"difference": difference, "standard_error": error, "trials": len(apart)}
    told = (
        f"Over {plural(len(apart), 'trial')} {objective.metric} on the sample and on all examples differ by "
        f"{number(difference)}, where the luck of a random sample is {number(error)} (SD)"
    )
    if abs(difference) <= SKEWED * error:
        return [say("ok", f"{told}.", reason="like_the_whole", numbers=numbers)]
    text = (
        f"The validation sample is not like the whole set: draw it at random, for {objective.metric} differs by "
        f"{number(difference)} (by luck {number(error)}, SD). Judged are {plural(len(apart), 'trial')}."
    )
    return [say("warn", text, reason="skewed", numbers=numbers)]


def significance_alone(evidence: Evidence) -> list[Finding]:
    """A warning where a test on the validation examples calls a lead significant that a repeated search may undo.

    Such a test asks whether other examples would show the difference between two trained models; nothing in it
    knows that the same configuration, trained again, is another model. It is no evidence for the configuration,
    and where the round goes on to fresh retrains nobody has to be warned of it.

    Playbook: G8
    """
    from scipy.stats import norm  # type: ignore[import-untyped]  # half a second, when trials have ended

    say = partial(finding, "significance", "G8")
    scope, order = evidence.round.scope, ranking(evidence)
    examples = scope.objective.examples
    if examples is None or len(order) < 2 or order[0].parameter is None:
        because = NotChecked.NOT_DECLARED if examples is None else NotChecked.NOT_THE_QUESTION
        text = "Not checked: no two values are compared, or objective.examples is not known."
        return [not_checked("significance", "G8", because, text)]
    first, second = order[0], order[1]
    band = gain_band(first, second)
    if band is None or not _is_share(first) or not _is_share(second):
        because = NotChecked.TOO_FEW_TRIALS if band is None else NotChecked.NOT_A_SHARE
        text = "Not checked: too few feasible trials, or the objective is no share of examples."
        return [not_checked("significance", "G8", because, text)]
    gap = second.best_loss - first.best_loss
    error = math.hypot(_standard_error(_value(first), examples), _standard_error(_value(second), examples))
    chance = float(2 * norm.sf(gap / error))
    numbers = {"p": chance, "examples": examples, "gap": gap, "low": band[0], "high": band[1]}
    lead = f"the lead of {first.label} over {second.label}"
    told = (
        f"The test is on {plural(examples, 'validation example')} and of a lead of {number(gap)}; another pair of "
        f"searches would find {band_text(band)}"
    )
    if chance >= SIGNIFICANT or band[0] > 0:
        text = f"A test on the examples (p = {number(chance)}) and the searches agree on {lead}. {told}."
        return [say("ok", text, reason="no_disagreement", numbers=numbers)]
    if scope.goal.facts.baseline and scope.budget.retrains > 1:
        text = f"Fresh retrains decide on {lead}, not a test on the examples (p = {number(chance)}). {told}, which may "
        return [say("ok", f"{text}be none.", reason="retrains_decide", numbers=numbers)]
    text = (
        f"T{lead[1:]} is significant on one validation set only (p = {number(chance)}): retrain both. {told}, which "
        f"may be none. Significance on one validation set knows nothing of the luck of training and search, and is no "
        f"evidence by itself; fresh retrains are."
    )
    return [say("warn", text, reason="significance_alone", numbers=numbers)]


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


VALIDATION_SET = Check(
    name="validation set",
    questions=(
        Question(
            row="J8",
            asks="Is the validation set large enough for the gain that is sought?",
            warn=("too_small",),
            ok=("large_enough",),
            na=(
                NotChecked.NOT_DECLARED,
                NotChecked.NO_FEASIBLE_TRIAL,
                NotChecked.NOT_A_SHARE,
                NotChecked.NOT_THE_QUESTION,
            ),
        ),
    ),
    ask=validation_size,
    thresholds=(SliceThresholds,),
)

SAMPLED_VALIDATION_SET = Check(
    name="sampled validation set",
    questions=(
        Question(
            row="J8",
            asks="Are the validation examples that are looked at like all of them?",
            warn=("skewed",),
            ok=("like_the_whole",),
            na=(NotChecked.NOT_REPORTED, NotChecked.NOT_DECLARED, NotChecked.NOT_A_SHARE),
        ),
    ),
    ask=fair_sample,
)

SIGNIFICANCE = Check(
    name="significance",
    questions=(
        Question(
            row="G8",
            asks="Is a test on one validation set all the evidence there is?",
            warn=("significance_alone",),
            ok=("no_disagreement", "retrains_decide"),
            na=(
                NotChecked.NOT_DECLARED,
                NotChecked.NOT_THE_QUESTION,
                NotChecked.TOO_FEW_TRIALS,
                NotChecked.NOT_A_SHARE,
            ),
        ),
    ),
    ask=significance_alone,
    thresholds=(BootstrapThresholds,),
)
