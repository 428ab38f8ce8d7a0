"""What complexity costs: a candidate must gain that much more, and a simpler one may lose as much."""

import math
from collections.abc import Iterable, Mapping, Sequence

from tasks.record import Point
from tasks.scope.policy import Policy
from tasks.text import as_yaml
from tasks.trials.trial import Trial

SECONDS = "seconds_a_step"  # a measured price: it differs between two runs of one round, and so may the verdict


def price_of(policy: Policy, point: Point, retrains: Sequence[Trial]) -> float:
    """What the configuration's complexity costs, in the metric's unit.

    A number is charged where the point has that hyperparameter, a number by value where it has that value, and a
    number for a reported metric once for each doubling of its mean over the arm's retrains (its last value counts).

    Playbook: G5
    """
    total = 0.0
    for name, amount in policy.price.items():
        if isinstance(amount, Mapping):
            total += amount.get(as_yaml(point.get(name)), 0.0)
        elif name in point:
            total += amount
        else:
            total += amount * _doublings(_last(name, retrains))
    return total


def uncharged(policy: Policy, hyperparameters: Iterable[str], retrains: Sequence[Trial]) -> tuple[str, ...]:
    """A sentence for each price that nothing could be charged for: a misspelt name must not pass in silence."""
    known = set(hyperparameters)
    strange = [n for n in policy.price if n not in known and not _last(n, retrains)]
    return tuple(
        f"policy.price.{name}: neither a hyperparameter nor a metric that the retrains report has that name, so it was "
        "charged to none."
        for name in strange
    )


def _doublings(values: Iterable[float]) -> float:
    """Of one; 0 where nothing positive was measured."""
    known = [v for v in values if math.isfinite(v) and v > 0]
    return math.log2(math.fsum(known) / len(known)) if known else 0.0


def _last(name: str, retrains: Sequence[Trial]) -> list[float]:
    if name == SECONDS:
        return [t.seconds / t.steps_done for t in retrains if t.feasible and t.steps_done]
    found = [t.curve.of(name)[1] for t in retrains if t.feasible]
    return [float(values[-1]) for values in found if len(values)]
