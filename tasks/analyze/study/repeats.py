"""Whether the seed matters: the numbers that trials of one configuration have in common on different seeds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np

from tasks.scope.goal import Objective
from tasks.trials.trial import Curve, Trial

Verdict = Literal["matters", "ignored", "cannot tell", "not asked"]
ENOUGH = 3  # numbers that no luck repeats: one alone may be where a dead network ends on every seed
APART = 2  # of them suffice where they belong to two configurations
CHANCE = 1e-6  # of coarse curves that agree: rarer is no luck
FEW_EXAMPLES = 1000  # a share of at most so many examples is coarse: two seeds may honestly have the same one
FEW_DIGITS = 5  # a number that was printed with so many digits or fewer is coarse, too
_FLOAT32, _FLOAT64 = 6e-8, 1e-14  # how far the nearest number of 32 and of 64 bits may lie from a share
_CLOCK = ("time", "second", "elapsed", "duration", "throughput", "speed", "per_s", "memory", "eta", "stamp", "fps")
_GIVEN = ("learning_rate", "lr", "step", "epoch", "momentum", "weight_decay", "temperature", "scale")
"""Words of metrics that say nothing of the seed: clocks differ although it is ignored, schedules agree although not."""


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """What the trials of some configurations, each on several seeds, say of the seed.

    `verdict`: `ignored` where numbers with many digits were repeated on another seed; `cannot tell` where every number
    agrees, but each is so coarse that honest trials may agree as well; `not asked` where no configuration has two
    trials. `same`: the ids of trials that agree in every number; `repeated`: how many numbers no luck would repeat.
    """

    verdict: Verdict
    same: tuple[str, ...] = ()
    repeated: int = 0


def seeds_of(groups: Iterable[Sequence[Trial]], objective: Objective) -> Seeds:
    """Whether the seed matters; `groups`: the trials of one configuration each.

    Two trials on different seeds agree if no number that both report differs, at any step; clocks are left out. They
    show that the seed is ignored if `ENOUGH` of the numbers are measured and have many digits. A curve that never
    moves, and one or two numbers that another configuration has as well, are a network that learns nothing on any
    seed: they do not count. Coarse numbers show it where trials on other seeds agree so rarely that a whole curve would
    not by chance. An infeasible trial is not asked.
    """
    asked = [kept for group in groups if len(kept := _one_a_seed(group)) > 1]
    if not asked:
        return Seeds(verdict="not asked")
    same: list[str] = []
    repeated: list[int] = []
    noisy = False
    for i, group in enumerate(asked):
        clusters = list(_clusters(group, objective))
        noisy = noisy or len(clusters) > 1
        for cluster in (c for c in clusters if len(c) > 1):
            same += [t.id for t in cluster]
            own = frozenset() if _still(cluster[0].curve, objective) else fine_values(cluster[0].curve, objective)
            if 0 < len(own) < ENOUGH:
                others = (t for other in (*asked[:i], *asked[i + 1 :]) for t in other)
                own = own.difference(*(fine_values(t.curve, objective) for t in others))
            repeated.append((len(cluster) - 1) * len(own))
    ignored = sum(repeated) >= (APART if sum(map(bool, repeated)) > 1 else ENOUGH) or _rare(asked, objective)
    verdict: Verdict = "ignored" if ignored else "matters" if noisy else "cannot tell"
    return Seeds(verdict=verdict, same=tuple(same), repeated=sum(repeated))


def agree(a: Curve, b: Curve, objective: Objective) -> bool:
    """Whether two curves have the objective somewhere in common, and differ in no number that is not a clock's."""
    _, common_a, common_b = np.intersect1d(a.steps, b.steps, return_indices=True)
    met = False
    for name in (n for n in a.metrics if n in b.metrics and (n == objective.metric or not _of(n, _CLOCK))):
        mine, theirs = a.metrics[name][common_a], b.metrics[name][common_b]
        both = np.isfinite(mine) & np.isfinite(theirs)
        if (mine[both] != theirs[both]).any():
            return False
        met = met or (name == objective.metric and bool(both.any()))
    return met


def fine_values(curve: Curve, objective: Objective) -> frozenset[float]:
    """The distinct measured numbers of a curve that have more digits than a share of few examples, or a rounded one."""
    names = (n for n in curve.metrics if n == objective.metric or not _of(n, (*_CLOCK, *_GIVEN)))
    values = {float(v) for name in names for v in curve.metrics[name] if np.isfinite(v)}
    return frozenset(v for v in values if not _coarse(v, objective.examples))


def _rare(groups: Iterable[Sequence[Trial]], objective: Objective) -> bool:
    """Whether curves agree that would not by chance, as often as single evaluations of trials agree that differ.

    Of a curve the distinct values count: one that has come to rest says the same again and again.
    """
    met = total = 1  # one of two, before anything is seen
    distinct: list[int] = []  # values of each pair of curves that agree
    for a, b in (pair for group in groups for pair in combinations(group, 2)):
        mine, theirs = (t.curve.of(objective.metric)[1] for t in (a, b))
        if agree(a.curve, b.curve, objective):
            distinct.append(len(set(mine.tolist())))
        else:
            n = min(len(mine), len(theirs))
            met, total = met + int((mine[:n] == theirs[:n]).sum()), total + n
    return bool(distinct) and total > 1 and len(distinct) * ((met / (total + 1)) ** max(distinct)) < CHANCE


def _still(curve: Curve, objective: Objective) -> bool:
    """Whether the objective was reported several times, and never moved."""
    _, values = curve.of(objective.metric)
    return len(values) > 1 and bool((values == values[0]).all())


def _one_a_seed(group: Sequence[Trial]) -> list[Trial]:
    """The feasible trials, each seed once."""
    return list({t.planned.seed: t for t in reversed(group) if t.feasible}.values())[::-1]


def _clusters(group: Sequence[Trial], objective: Objective) -> Iterator[list[Trial]]:
    """The trials, those that agree with each other together."""
    clusters: list[list[Trial]] = []
    for trial in group:
        mates = next((c for c in clusters if agree(c[0].curve, trial.curve, objective)), None)
        if mates is None:
            clusters.append([trial])
        else:
            mates.append(trial)
    yield from clusters


def _of(name: str, words: Iterable[str]) -> bool:
    """Whether a metric's name has one of the words; short ones stand alone in it (`lr`, not `slr`)."""
    parts = name.lower().replace("/", "_").replace(".", "_").replace("-", "_").split("_")
    return any(word in parts if len(word) < 5 else word in name.lower() for word in words)


def _coarse(value: float, examples: int | None) -> bool:
    """Whether a number may be a share of few examples, a whole number, or one that was rounded for printing."""
    shares = [s for s in (value, value / 100) if abs(s) <= 1]  # the second: in percent, perhaps
    off = _FLOAT32 if float(np.float32(value)) == value else _FLOAT64
    near = any(abs(s - float(Fraction(s).limit_denominator(FEW_EXAMPLES))) <= off for s in shares)
    n = examples or 1
    counted = any(abs(s * n - round(s * n)) <= off * n for s in shares)
    digits = f"{value:.15e}".partition("e")[0].replace(".", "").lstrip("-").rstrip("0")
    return near or counted or len(digits) <= FEW_DIGITS
