"""Which hyperparameter tells some trials of a study from the others, and how often luck would tell them as well."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.analyze.study.evidence import StudyEvidence
from tasks.analyze.study.wall import diagonals
from tasks.design.cube import from_unit
from tasks.text import show

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The hyperparameter that goes most clearly with a mark on trials; `chance` is corrected for all tried."""

    parameter: str
    chance: float


def pattern(study: StudyEvidence, marked: Mask, among: Mask) -> Pattern | None:
    """The hyperparameter whose values best tell the `marked` trials from the others `among`; None where none can.

    Ranges by the rank-sum test, exact at these sizes, which sees everything that goes one way; choices, and whether a
    conditional hyperparameter exists, by Fisher's test. Two ranges together by the rank sums of their sum and their
    difference: what diverges is often the ratio of the learning rate to one minus momentum, and neither alone. A range
    under one value of a choice: of two optimizers one diverges, and only at a large learning rate. Bonferroni over all
    of them.

    Playbook: E10
    """
    tried = [(p.name, c) for j, p in enumerate(study.study.space) for c in _chances(study, j, marked, among)]
    tried += [*_pairs(study, marked, among), *under_a_choice(study, marked, among)]
    if not tried:
        return None
    name, chance = min(tried, key=lambda t: t[1])
    return Pattern(parameter=name, chance=min(1.0, chance * len(tried)))


def _chances(study: StudyEvidence, column: int, marked: Mask, among: Mask) -> list[float]:
    """How often luck would tell the marked apart as well, for each way in which this hyperparameter can."""
    unit, parameter = study.unit[:, column], tuple(study.study.space)[column]
    here = among & np.isfinite(unit)
    chances = []
    if not here[among].all():
        chances.append(_fisher(marked[among], here[among]))
    if parameter.type == "choice":
        chances += [_fisher(marked[here], unit[here] == level) for level in np.unique(unit[here])]
    elif marked[here].any() and not marked[here].all():
        chances.append(_rank_sum(unit[here & marked], unit[here & ~marked]))
    return [c for c in chances if math.isfinite(c)]


def _pairs(study: StudyEvidence, marked: Mask, among: Mask) -> list[tuple[str, float]]:
    """`(both names, chance)` for the diagonals of every two ranges."""
    tried = []
    for diagonal in diagonals(study.study.space):
        along = diagonal.along(study.unit)
        here = among & np.isfinite(along)
        if marked[here].any() and not marked[here].all():
            names = " with ".join(p.name for p in diagonal.parameters)
            tried.append((names, _rank_sum(along[here & marked], along[here & ~marked])))
    return [(name, chance) for name, chance in tried if math.isfinite(chance)]


def under_a_choice(study: StudyEvidence, marked: Mask, among: Mask) -> list[tuple[str, float]]:
    """`(names, chance)` for each end of each range among the trials of one value of a choice, all others at no end.

    Playbook: E10
    """
    tried = []
    for (i, choice), (j, range_) in itertools.product(enumerate(study.study.space), repeat=2):
        if choice.type != "choice" or not range_.has_edges:
            continue
        here = among & np.isfinite(study.unit[:, i]) & np.isfinite(study.unit[:, j])
        if not marked[here].any() or marked[here].all():
            continue
        for level, sign in itertools.product(np.unique(study.unit[here, i]), (1, -1)):
            along = np.where(study.unit[:, i] == level, sign * study.unit[:, j], -np.inf)
            above = _rank_sum(along[here & marked], along[here & ~marked], alternative="greater")
            name = f"{choice.name} = {show(from_unit(choice, float(level)))} with {range_.name}"
            tried.append((name, min(1.0, 2.0 * above)))
    return [(name, chance) for name, chance in tried if math.isfinite(chance)]


def _rank_sum(marked: NDArray[np.float64], others: NDArray[np.float64], alternative: str = "two-sided") -> float:
    """The p-value of the test of Mann and Whitney."""
    from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]  # half a second, when trials have ended

    return float(mannwhitneyu(marked, others, alternative=alternative).pvalue)


def _fisher(marked: Mask, having: Mask) -> float:
    from scipy.stats import fisher_exact

    table = [[int((a & b).sum()) for b in (having, ~having)] for a in (marked, ~marked)]
    return float(fisher_exact(table).pvalue)
