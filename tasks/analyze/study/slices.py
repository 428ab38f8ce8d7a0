"""The trials that are compared: those of one scientific value, or of one bucket of a scientific range."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.design.cube import from_unit, to_unit
from tasks.record import Frozen, Value
from tasks.scope.goal import RANGE, Objective
from tasks.scope.space import Parameter, same
from tasks.text import show
from tasks.trials.trial import Trial


class SliceThresholds(Frozen):
    """Into how many slices a scientific range is cut."""

    buckets: int = Field(default=5, ge=2, description="F12, ours: slices of a continuous scientific hyperparameter")


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The trials that share one scientific value, over all nuisances; or all of a study where nothing is scientific.

    `value` or `bucket` (low, high) of `parameter`; all three are None for a whole study. `place`: where it stands
    among the slices of its parameter, 0 first. `study`: the study of the best trial, else the first that has any.
    """

    parameter: str | None
    value: Value | None
    bucket: tuple[float, float] | None
    place: int
    study: StudyEvidence
    trials: tuple[Trial, ...]

    @property
    def objective(self) -> Objective:
        """The metric that is judged."""
        return self.study.objective

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(trials,) float64: the best loss of each trial over training, NaN where it is not feasible."""
        values = [t.best_value if t.feasible and t.best_value is not None else np.nan for t in self.trials]
        return self.objective.sign * np.array(values, dtype=np.float64)

    @cached_property
    def best(self) -> Trial | None:
        """The best feasible trial, the first of equals; None where none is feasible."""
        return self.trials[int(np.nanargmin(self.losses))] if np.isfinite(self.losses).any() else None

    @property
    def best_loss(self) -> float:
        """The loss of the best trial, NaN where none is feasible."""
        return float(np.nanmin(self.losses)) if self.best else float("nan")

    @property
    def label(self) -> str:
        """The slice as a person names it: `optimizer = adam`, `weight_decay from 1e-05 to 0.0001`."""
        if self.parameter is None:
            return "all trials"
        if self.bucket is not None:
            return f"{self.parameter} from {show(self.bucket[0])} to {show(self.bucket[1])}"
        return f"{self.parameter} = {show(self.value)}"

    def answer_value(self) -> Value | None:
        """The scientific value; of a bucket the value at its best trial, of a whole study none."""
        if self.bucket is None or self.parameter is None:
            return self.value
        return self.best.planned.point.get(self.parameter) if self.best else None

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator that depends on the round's seed, the slice and the purpose alone."""
        return self.study.rng(f"{purpose} {self.parameter} {self.value!r} {self.place}")


def slices(evidence: Evidence) -> tuple[Slice, ...]:
    """A slice for each value of each scientific hyperparameter; ranges are cut in the scale in which they are sampled.

    With two scientific hyperparameters each is looked at over the other, as if that were a nuisance. Where nothing
    is scientific, each study is one slice.

    Playbook: F11, F12
    """
    if not evidence.round.scope.roles.scientific or not evidence.studies:
        return tuple(_whole(i, s) for i, s in enumerate(evidence.studies))
    return tuple(s for name in evidence.round.scope.roles.scientific for s in _of(evidence, name))


def compared_slices(evidence: Evidence) -> tuple[Slice, ...]:
    """The slices that hold a feasible trial, each best trial once: what the checks on best trials look at."""
    seen: dict[str, Slice] = {}
    for s in slices(evidence):
        if s.best:
            seen.setdefault(s.best.id, s)
    return tuple(seen.values())


def _whole(place: int, study: StudyEvidence) -> Slice:
    return Slice(parameter=None, value=None, bucket=None, place=place, study=study, trials=study.trials)


def _of(evidence: Evidence, name: str) -> tuple[Slice, ...]:
    scope = evidence.round.scope
    asked = scope.goal.scientific.get(name, RANGE)
    if asked != RANGE:
        groups = [[t for t in _having(evidence, name) if same(t.planned.point[name], v)] for v in asked]
        return tuple(_slice(evidence, name, i, v, None, groups[i]) for i, v in enumerate(asked))
    parameter, count = scope.declared[name], scope.policy.of(SliceThresholds).buckets
    if parameter.type == "int" and parameter.bounds[1] - parameter.bounds[0] < count:
        whole = range(int(parameter.bounds[0]), int(parameter.bounds[1]) + 1)
        groups = [[t for t in _having(evidence, name) if t.planned.point[name] == v] for v in whole]
        return tuple(_slice(evidence, name, i, v, None, groups[i]) for i, v in enumerate(whole))
    return _buckets(evidence, name, parameter, count)


def _buckets(evidence: Evidence, name: str, parameter: Parameter, count: int) -> tuple[Slice, ...]:
    groups: list[list[Trial]] = [[] for _ in range(count)]
    for t in _having(evidence, name):
        unit = to_unit(parameter, t.planned.point[name])
        groups[min(max(int(unit * count), 0), count - 1)].append(t)
    ends = [float(from_unit(parameter, i / count)) for i in range(count + 1)]
    return tuple(_slice(evidence, name, i, None, (ends[i], ends[i + 1]), groups[i]) for i in range(count))


def _having(evidence: Evidence, name: str) -> list[Trial]:
    """The search trials at whose points the hyperparameter exists, in the order of the studies."""
    return [t for s in evidence.studies for t in s.trials if name in t.planned.point]


def _slice(
    evidence: Evidence,
    name: str,
    place: int,
    value: Value | None,
    bucket: tuple[float, float] | None,
    trials: list[Trial],
) -> Slice:
    made = Slice(
        parameter=name, value=value, bucket=bucket, place=place, study=evidence.studies[0], trials=tuple(trials)
    )
    holder = made.best or (trials[0] if trials else None)
    study = next((s for s in evidence.studies if holder and s.study.id == holder.planned.study), evidence.studies[0])
    return Slice(parameter=name, value=value, bucket=bucket, place=place, study=study, trials=tuple(trials))
