"""What complexity costs: a candidate must gain that much more, and a simpler one may lose as much."""

import math
from collections.abc import Iterable, Mapping, Sequence

from tasks.record import Point
from tasks.scope.policy import Policy
from tasks.text import as_yaml, number
from tasks.trials.trial import Trial

SECONDS = "seconds_a_step"  # a measured price: it differs between two runs of one round, and so may the verdict

FEWEST = 3  # retrains an arm of which a longer time a step is no chance order: 1 of 20 orders of three and three
SLOWER = 1.1  # ours: less is hardly a price, and may be the machine's


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


def unpriced(
    policy: Policy, winner: Point, incumbent: Point, retrains: Sequence[Trial] = (), against: Sequence[Trial] = ()
) -> tuple[str, ...]:
    """A sentence on the complexity of what won that cost nothing because no price is declared at all; or none.

    Complexity is what the winner has and the incumbent has not: hyperparameters, and time a step. Slower are steps
    where each of the winner's `retrains` took longer than each of the incumbent's (`against`), and by `SLOWER` on
    average: three each that are equally fast come in that order by chance once in 20.

    Playbook: G5
    """
    if policy.price:
        return ()
    more = sorted({*winner} - {*incumbent})
    told = [f"for {', '.join(more)}, which the incumbent lacks"] if more else []
    ours, theirs = _last(SECONDS, retrains), _last(SECONDS, against)
    if min(len(ours), len(theirs)) >= FEWEST and min(ours) > max(theirs):
        times = (math.fsum(ours) / len(ours)) / (math.fsum(theirs) / len(theirs))
        told += [f"for steps that take {number(times)} times as long"] if times >= SLOWER else []
    if not told:
        return ()
    example = f"policy.price={{{more[0] if more else SECONDS}: AMOUNT}} charges it"
    return (f"No price is declared {' or '.join(told)}, so this cost nothing (G5); {example}.",)


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
