"""Study variance measured: rounds that ask the same with other seeds."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student  # type: ignore[import-untyped]

from tasks.record import IsolationRow, Record, canonical
from tasks.scope.error import InputError
from tasks.text import band_text, number, plural, show

TAIL = 0.95  # of the t distribution: the gain lies in the band in 90 % of cases


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """What one scientific value came to in each design, in the metric's unit.

    `bests`: the best trial of each design, in the order of the rounds. `held`: of the ordered pairs of designs with a
    band, `(in how many the band of the one holds the best of the other, how many there are)`; 90 % is stated.
    """

    label: str
    bests: tuple[float, ...]
    held: tuple[int, int]

    @property
    def mean(self) -> float:
        """The best of a search like these, on average."""
        return float(np.mean(self.bests))

    @property
    def sd(self) -> float:
        """The SD of the best of a search: the study variance."""
        return float(np.std(self.bests, ddof=1))


def repeated(records: Sequence[Record]) -> tuple[Repeated, ...]:
    """For each value of the first scientific hyperparameter what every design found, the best on average first.

    The bootstrap guesses from one search what another would find; here others were run. Values of which a design has
    no feasible trial are left out.

    Raises:
        InputError: fewer than two rounds, two of one seed, rounds that differ in more than the seed, nothing compared.

    Playbook: F14
    """
    _alike(records)
    first = records[0].isolation[0].parameter if records[0].isolation else None
    rows = [[r for r in record.isolation if r.parameter == first] for record in records]
    found = [_of(own) for own in zip(*rows, strict=True) if all(r.best_value is not None for r in own)]
    if not found:
        raise InputError(f"round {records[0].round_id} compares nothing of which every design has a feasible trial.")
    sign = 1.0 if records[0].objective.direction == "minimize" else -1.0
    return tuple(sorted(found, key=lambda r: sign * r.mean))


def lead(found: Sequence[Repeated], metric: str) -> str:
    """The sentence on the best value on average against the next, from the gain that each design shows by itself.

    The band is Student's over designs, with nothing assumed of the search; two designs say little.

    Playbook: F14
    """
    if len(found) < 2:
        return f"{found[0].label} alone has a feasible trial in every design."
    first, second = found[0], found[1]
    gains = np.subtract(first.bests, second.bests) * np.sign(first.mean - second.mean)
    ahead, count = int((gains > 0).sum()), len(gains)
    half = float(student.ppf(TAIL, count - 1) * gains.std(ddof=1) / math.sqrt(count))
    band = (float(gains.mean()) - half, float(gains.mean()) + half)
    weight = "more than" if band[0] > 0 else "no more than"
    return (
        f"{first.label} is ahead of {second.label} in {ahead} of {plural(count, 'design')}, by "
        f"{number(float(gains.mean()))} {metric} on average ({band_text(band)} in 9 of 10 cases): {weight} the luck of "
        "the search explains."
    )


def _of(own: Sequence[IsolationRow]) -> Repeated:
    bests = tuple(float(r.best_value) for r in own if r.best_value is not None)
    pairs = [(one.band, other) for one, other in itertools.permutations(own, 2) if one.band is not None]
    held = sum(low <= (other.best_value or 0.0) <= high for (low, high), other in pairs)
    row = own[0]
    told = f"from {show(row.bucket[0])} to {show(row.bucket[1])}" if row.bucket else f"= {show(row.value)}"
    return Repeated(label=f"{row.parameter} {told}", bests=bests, held=(held, len(pairs)))


def _alike(records: Sequence[Record]) -> None:
    if len(records) < 2:
        raise InputError("independent designs: give two rounds or more that differ in their seed.")
    names = ", ".join(r.round_id for r in records)
    if len({r.seed for r in records}) < len(records):
        raise InputError(f"rounds {names}: two have one seed, so one design; run one again with another seed=.")
    asked = [_asked(r) for r in records]
    differ = [key for key in asked[0] if len({canonical(a[key]) for a in asked}) > 1]
    if differ:
        raise InputError(
            f"rounds {names} differ in more than their seeds: {', '.join(differ)}; run them with the same overrides "
            "(with budget.retrains=1 none promotes, so that all have one incumbent)."
        )


def _asked(record: Record) -> dict[str, object]:
    """What must be equal for two rounds to be two designs of one question."""
    return {
        "workload": record.workload,
        "objective": record.objective.model_dump(),
        "question": record.goal.question,
        "roles": record.roles.model_dump(),
        "budget.max_train_steps": record.budget.get("max_train_steps"),
        "studies": [[s.scientific, s.space, s.sampler, len(s.trials)] for s in record.studies],
    }
