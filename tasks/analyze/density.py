"""Did the search put enough trials where it is good?"""

import numpy as np

from tasks.analyze.evidence import Evidence, StudyEvidence
from tasks.analyze.region import region_of
from tasks.record import Finding
from tasks.scope.finding import finding
from tasks.scope.roles import show


def density(evidence: Evidence) -> list[Finding]:
    """For each study: whether at least `good_trials` of its trials are good.

    "Good" is a loss within a share g of the way from the best to the median. One fixed share cannot serve: in a bowl
    over d hyperparameters the share of the space that is so good shrinks like g to the power d/2, and 20 % holds two
    of 24 trials at d = 2 and one at d = 3 in a search to which nothing is wrong. So g = good_fraction ** (1/d), with
    d at least 2: the share of a bowl that is good is then the same whatever its dimension (half the square root of
    `good_fraction`), and the check fires where the landscape is narrower than any bowl, or the trials are few.

    Playbook: E7
    """
    return [_of(study) for study in evidence.studies]


def good_share(good_fraction: float, dimensions: int) -> float:
    """How far a good loss may lie from the best, as a share of median minus best."""
    return float(good_fraction ** (1.0 / max(dimensions, 2)))


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
    share = good_share(policy.good_fraction, varied)
    best, median = float(losses.min()), float(np.median(losses))
    good = int((losses <= best + share * (median - best)).sum())
    limit = study.objective.sign * (best + share * (median - best))
    sentence = f"{good} of {n} trials are good ({study.objective.metric} of {show(limit)} or better)"
    numbers = {
        "good": good,
        "trials": n,
        "share": round(share, 4),
        "good_fraction": policy.good_fraction,
        "good_trials": policy.good_trials,
    }
    if good >= policy.good_trials:
        return finding("density", "E7", "ok", f"{sentence}: dense enough.", study=study.study.id, numbers=numbers)
    return finding(
        "density",
        "E7",
        "fail",
        f"Only {sentence}, where {policy.good_trials} are wanted: the best may be luck and a better one may lie beside "
        "it. Search longer, or ask for less.",
        study=study.study.id,
        trial=study.best.id if study.best else None,
        numbers=numbers,
        remedy=[f"budget.trials={2 * n}"],
    )
