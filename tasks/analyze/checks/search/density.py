"""E7: did the search put enough trials where it is good?"""

import itertools
import math
from functools import partial

import numpy as np
from pydantic import Field
from scipy.special import bdtr  # type: ignore[import-untyped]

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import region_of
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.finding import Question, finding, not_checked
from tasks.text import show

LUCK = 0.05  # how often a sound study of a bowl may have too few good trials by the luck of where they fell


class DensityThresholds(Frozen):
    """What a good trial is, and how many are enough."""

    good_fraction: float = Field(
        default=0.4,
        gt=0,
        lt=1,
        description="E7, ours: a loss within 0.4 ** (1/d) of (median - best) of the best, d hyperparameters: the same "
        "share of any bowl; with 24 trials inside one it then fires in under 1 % of studies",
    )
    good_trials: int = Field(
        default=3,
        ge=1,
        description="E7, ours: fewer good trials than this say little about the optimum (of under 15 trials, fewer)",
    )


def density(evidence: Evidence) -> list[Finding]:
    """For each study: whether at least `good_trials` of its trials are good.

    "Good" is a loss within a share g of the way from the best to the median. One fixed share cannot serve: in a bowl
    over d hyperparameters the share of the space that is so good shrinks like g to the power d/2, and 20 % holds two
    of 24 trials at d = 2 and one at d = 3 in a search to which nothing is wrong. So g = good_fraction ** (1/d), with
    d at least 2: the share of a bowl that is good is then the same whatever its dimension (half the square root of
    `good_fraction`), and the check fires where the landscape is narrower than any bowl.

    Of few trials fewer are wanted: as many as a bowl gives all but one such search in twenty. That is all three of 15
    trials, two of 9, and below that one, which is the best itself: nothing is asked then, and few trials have a row
    of their own (D12).

    Playbook: E7
    """
    return [_of(study) for study in evidence.studies]


def good_share(good_fraction: float, dimensions: int) -> float:
    """How far a good loss may lie from the best, as a share of median minus best."""
    return float(good_fraction ** (1.0 / max(dimensions, 2)))


def wanted(trials: int, bars: DensityThresholds) -> int:
    """How many good trials are to be wanted of so many that can be compared: `good_trials`, or what a bowl gives."""
    share = 0.5 * math.sqrt(bars.good_fraction)
    given = (k for k in range(bars.good_trials, 1, -1) if trials >= k and bdtr(k - 2, trials - 1, share) <= LUCK)
    return next(given, 1)


def _of(study: StudyEvidence) -> Finding:
    bars, usable = study.policy.of(DensityThresholds), region_of(study).usable
    losses, n = study.losses[usable], len(study.trials)
    not_asked = partial(not_checked, "density", "E7", study=study.study.id)
    if study.study.sampler == "points":
        why = "The trials are explicit points; how densely they lie says nothing."
        return not_asked(NotChecked.LISTED_POINTS, why, numbers={"trials": n})
    if len(losses) < 2:
        why = f"Only {len(losses)} of {n} trials can be compared, so no region can be called good."
        return not_asked(NotChecked.TOO_FEW_TRIALS, why, numbers={"trials": n})
    varied = sum(not p.constant for p in study.study.space)
    share, enough = good_share(bars.good_fraction, varied), wanted(len(losses), bars)
    best, median = float(losses.min()), float(np.median(losses))
    near = losses <= best + share * (median - best)
    good = int(near.sum())
    limit = study.objective.sign * (best + share * (median - best))
    sentence = f"{good} of {n} trials are good ({study.objective.metric} of {show(limit)} or better)"
    numbers = {
        "good": good,
        "trials": n,
        "share": round(share, 4),
        "good_fraction": bars.good_fraction,
        "good_trials": enough,
    }
    if good < bars.good_trials and enough == 1:
        why = f"{sentence}: too few trials to ask. So few trials of any bowl may have no more by luck."
        return not_asked(NotChecked.TOO_FEW_TRIALS, why, numbers=numbers)
    trials = [t.id for t, here in zip(itertools.compress(study.trials, usable), near, strict=True) if here]
    say = partial(finding, "density", "E7", trials=trials, study=study.study.id, numbers=numbers)
    if good >= enough:
        return say("ok", f"{sentence}: dense enough.", reason="dense_enough")
    return say(
        "fail",
        f"Only {sentence}, where {enough} are wanted: search longer, or ask for less. The best may be luck, and a "
        "better one may lie beside it.",
        reason="too_few_good_trials",
        trial=study.best.id if study.best else None,
        remedy=[f"budget.trials={2 * len(study.drawn.trials)}"],
    )


DENSITY = Check(
    name="density",
    questions=(
        Question(
            row="E7",
            asks="Did the search put enough trials where it is good?",
            fail=("too_few_good_trials",),
            ok=("dense_enough",),
            na=(NotChecked.LISTED_POINTS, NotChecked.TOO_FEW_TRIALS),
        ),
    ),
    ask=density,
    thresholds=(DensityThresholds,),
)
