"""Do the conclusions of short trials hold in long ones? Two rounds that ran the same points."""

import math
from functools import partial

import numpy as np

from tasks.record import Finding, Record, TrialRow, canonical
from tasks.scope.error import InputError
from tasks.scope.finding import finding
from tasks.text import number, plural

FEWEST = 5  # points in both rounds: of four, even a perfect agreement is chance once in 24
CHANCE = 0.05


def same_order(short: Record, long: Record) -> Finding:
    """A warning where the order of the points in a short round is not theirs in a longer one, or its best is no more.

    Equal seed, goal and space give equal points, so `budget.max_train_steps` is all that has to be changed. Kendall's
    rank correlation over the points that are feasible in both, against chance; and where the short round's best point
    stands in the long one. What a short round has found of schedules hardly ever carries over, of architecture more.

    Raises:
        InputError: two workloads or metrics, equal lengths, or fewer than five points in both.

    Playbook: H11
    """
    short, long = sorted((short, long), key=_steps)
    _comparable(short, long)
    ours, theirs = _losses(short), _losses(long)
    both = [p for p in ours if p in theirs]
    if len(both) < FEWEST:
        raise InputError(
            f"rounds {short.round_id} and {long.round_id} have {plural(len(both), 'feasible point')} in common, and "
            f"{FEWEST} are needed; run the one again with the other's seed, goal and space."
        )
    before, after = np.array([ours[p] for p in both]), np.array([theirs[p] for p in both])
    from scipy.stats import kendalltau  # type: ignore[import-untyped]  # half a second, when a round has ended

    found = kendalltau(before, after, alternative="greater")
    tau, chance = float(found.statistic), float(found.pvalue)
    place = 1 + int((after < after[int(np.argmin(before))]).sum())
    near = max(1, math.ceil(float(long.policy.get("top_fraction", 0.2)) * len(both)))
    numbers = {"points": len(both), "steps": _steps(short), "longer": _steps(long), "tau": tau, "p": chance,
               "place": place, "top": near}  # fmt: skip
    order = f"the order of {plural(len(both), 'point')}"
    told = (
        f"The rank correlation is {number(tau)} (Kendall; p = {number(chance)}), and the best of the short round is "
        f"number {place} of the long."
    )
    say = partial(finding, "short trials", "H11", numbers=numbers)
    if math.isfinite(tau) and chance < CHANCE and place <= near:
        text = f"What {_steps(short)} steps said holds at {_steps(long)}: {order} is the same up to noise. {told}"
        return say("ok", text, reason="holds")
    text = (
        f"Tune again at {_steps(long)} steps: {order} is another than at {_steps(short)}. {told} So do not carry the "
        "short trials' conclusions over."
    )
    return say("warn", text, reason="does_not_hold")


def _comparable(short: Record, long: Record) -> None:
    ours, theirs = ((r.workload, r.objective.metric, r.objective.direction) for r in (short, long))
    names = f"rounds {short.round_id} and {long.round_id}"
    if ours != theirs:
        raise InputError(f"{names} judge {' '.join(ours)} and {' '.join(theirs)}; give two of one workload and metric.")
    if _steps(short) == _steps(long):
        raise InputError(f"{names} both ran {_steps(short)} steps; give two of different budget.max_train_steps.")


def _steps(record: Record) -> int:
    return int(record.budget.get("max_train_steps", 0))


def _losses(record: Record) -> dict[str, float]:
    """The loss of each feasible search trial, by its point."""
    sign = 1.0 if record.objective.direction == "minimize" else -1.0
    return {canonical(t.point): sign * t.best_value for t in record.trials if _counts(t) and t.best_value is not None}


def _counts(trial: TrialRow) -> bool:
    return trial.purpose == "search" and trial.status == "complete"
