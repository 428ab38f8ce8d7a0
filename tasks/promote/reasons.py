"""The gate's reasons, one sentence for each comparison, with its numbers and with what tells its arms apart."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from tasks.promote.comparison import INCUMBENT, ArmName, Comparison, Look
from tasks.record import Point
from tasks.scope.arms import listing
from tasks.text import point_label, show


class Named:
    """Names arms in sentences: `the finalist (optimizer = adam)` at its first mention, then `the finalist`."""

    def __init__(self, labels: Mapping[ArmName, str]) -> None:
        self._left = dict(labels)

    def __call__(self, arm: ArmName, note: str = "") -> str:
        """The arm as a sentence has it: `the incumbent`, `finalist 2`; `note` is told beside its label."""
        kind, _, place = arm.partition("-")
        told = ", ".join(part for part in (note, self._left.pop(arm, "")) if part)
        return (f"{kind} {place}" if place else f"the {kind}") + (f" ({told})" if told else "")


def arm_labels(scientific: Sequence[str], arms: Iterable[tuple[ArmName, Point]]) -> dict[ArmName, str]:
    """`{"finalist": "optimizer = adam", …}`; empty where no scientific value tells the arms apart."""
    points = dict(arms)
    telling = [n for n in scientific if len({repr(p[n]) for p in points.values() if n in p}) > 1]
    labels = {arm: point_label({n: p[n] for n in telling if n in p}) for arm, p in points.items()}
    return {arm: label for arm, label in labels.items() if label}


def comparison_sentence(comparison: Comparison, named: Named) -> str:
    """What one comparison says after its last look; `comparison` has at least one."""
    look = comparison.last
    pair = f"{named(comparison.candidate)} over {named(comparison.against)}"
    numbers = f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}, {_retrains(look)}"
    if look.retrains == look.against == 1:  # without noise
        more = "more" if comparison.state == "better" else "no more"
        told = f"{more} than {_bar(comparison)}, one trial each without noise"
        return f"{pair[0].upper()}{pair[1:]}: gain {show(look.gain)}, {told}."
    if comparison.state == "better":
        told = f"more than {_bar(comparison)}: z {show(look.z)} reached {show(look.upper)}"
    elif comparison.state == "not better":
        told = f"no more than {_bar(comparison)} as far as these show: z {show(look.z)} is not above {show(look.lower)}"
    else:
        when = "after the last retrain" if comparison.state == "undecided" else "so far"
        told = f"not told from luck {when}: z {show(look.z)} lies between {show(look.lower)} and {show(look.upper)}"
    return f"{pair[0].upper()}{pair[1:]}: {numbers}; {told}."


def gate_answer(comparison: Comparison | None) -> str:
    """The answer of an `improve` round in words; empty where the finalist met no baseline arm."""
    if comparison is None:
        return ""
    if comparison.void or not comparison.looks:
        return "Not conclusive: the finalist and the baseline have no sound retrains to compare."
    look = comparison.last
    band = f"gain {show(look.gain)}, band {show(look.low)} to {show(look.high)}"
    if comparison.state == "better":
        return f"Yes: the change is better than the retuned baseline by more than {_bar(comparison)} ({band})."
    if comparison.state == "not better":
        return f"No: these retrains show no gain of more than {_bar(comparison)} over the retuned baseline ({band})."
    return f"Not conclusive: a gain over the retuned baseline is not told from luck ({band})."


def infeasible_sentence(arm: ArmName, infeasible: int, retrains: int, named: Named) -> str:
    """Why an arm is out."""
    consequence = "nothing is promoted over it" if arm == INCUMBENT else "it is not promoted"
    name = named(arm)
    return f"{name[0].upper()}{name[1:]}: {infeasible} of {retrains} fresh retrains gave no result, so {consequence}."


def kept_sentence(kept: int, named: Named) -> str:
    """What part of the evidence on the incumbent is older than the round."""
    return (
        f"{kept} retrains of {named(INCUMBENT)} from earlier rounds count again: nothing that they ran on has changed."
    )


def sum_sentence(comparisons: Iterable[tuple[ArmName, ArmName, int, int]]) -> str:
    """Why the gains of three arms do not add up, where their comparisons ended after other retrains; else "".

    `comparisons`: `(candidate, against, retrains of either)` of each that has a last look.
    """
    counts = {frozenset((arm, other)): (n, against) for arm, other, n, against in comparisons}
    arms = sorted({arm for pair in counts for arm in pair})
    for three in combinations(arms, 3):
        own = [counts.get(frozenset(pair)) for pair in combinations(three, 2)]
        if None not in own and len({n for after in own if after for n in after}) > 1:
            return "These gains do not add up: each comparison ended by itself, after the retrains that are named."
    return ""


def variances_sentence(
    deviations: Mapping[ArmName, float], band: float | None, examples: float | None, named: Named
) -> str:
    """The three variances of a result, none of which stands for another; None where one was not measured.

    `deviations`: the SD of all retrains of each arm.
    """
    study = f"another search like these could move its best within a band {show(band)} wide" if band else "not measured"
    data = f"SD {show(examples)}" if examples else "not measured"
    own = "SD " + listing(f"{show(sd)} of {named(arm)}" for arm, sd in deviations.items())
    return (
        f"Three kinds of luck, apart. Retrains of one configuration: {own}. The search: {study}. The choice of the "
        f"validation data: {data}; a test of significance on one validation set would show neither of the first two."
    )


def _retrains(look: Look) -> str:
    if look.retrains == look.against:
        return f"{look.retrains} retrains each"
    return f"{look.retrains} and {look.against} retrains"


def _bar(comparison: Comparison) -> str:
    margin = comparison.margin
    if margin < 0:
        return f"{show(margin)}, which its simplicity is worth"
    return f"{show(margin)}, which it must gain at least" if margin else "zero"
