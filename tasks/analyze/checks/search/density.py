"""E7: did the search put enough trials where it is good?"""

import math

import numpy as np
from scipy.special import bdtr  # type: ignore[import-untyped]

from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.region import region_of
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.scope.policy import Policy
from tasks.text import show

LUCK = 0.05  # how often a sound study of a bowl may have too few good trials by the luck of where they fell


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


def wanted(trials: int, policy: Policy) -> int:
    """How many good trials are to be wanted of so many that can be compared: `good_trials`, or what a bowl gives."""
    share = 0.5 * math.sqrt(policy.good_fraction)
    given = (k for k in range(policy.good_trials, 1, -1) if trials >= k and bdtr(k - 2, trials - 1, share) <= LUCK)
    return next(given, 1)


def _of(study: StudyEvidence) -> Finding:
    policy, usable = study.policy, region_of(study).usable
    losses, n = study.losses[usable], len(study.trials)
    if study.study.sampler == "points" or len(losses) < 2:
        why = (
            "The trials are explicit points; how densely they lie says nothing."
            if study.study.sampler == "points"
            else f"Only {len(losses)} of {n} trials can be compared, so no region can be called good."
        )
        return finding("density", "E7", "na", why, study=study.study.id, numbers={"trials": n})
    varied = sum(not p.constant for p in study.study.space)
    share, enough = good_share(policy.good_fraction, varied), wanted(len(losses), policy)
    best, median = float(losses.min()), float(np.median(losses))
    good = int((losses <= best + share * (median - best)).sum())
    limit = study.objective.sign * (best + share * (median - best))
    sentence = f"{good} of {n} trials are good ({study.objective.metric} of {show(limit)} or better)"
    numbers = {
        "good": good,
        "trials": n,
        "share": round(share, 4),
        "good_fraction": policy.good_fraction,
        "good_trials": enough,
    }
    if good < policy.good_trials and enough == 1:
        why = f"{sentence}, and so few trials of any bowl may have no more by luck: nothing is asked."
        return finding("density", "E7", "na", why, study=study.study.id, numbers=numbers)
    if good >= enough:
        return finding("density", "E7", "ok", f"{sentence}: dense enough.", study=study.study.id, numbers=numbers)
    return finding(
        "density",
        "E7",
        "fail",
        f"Only {sentence}, where {enough} are wanted: the best may be luck and a better one may lie beside "
        "it. Search longer, or ask for less.",
        study=study.study.id,
        trial=study.best.id if study.best else None,
        numbers=numbers,
        remedy=[f"budget.trials={2 * n}"],
    )
