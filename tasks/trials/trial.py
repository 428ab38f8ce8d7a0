"""`Trial` and `Curve`: what came of a trial; its status with a reason, and which step is its best."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.design.study import Planned
from tasks.record import Status, TrialRow, finite
from tasks.scope.goal import Objective

MOST_METRICS = 1000  # a column each in the record's curves: 200,000 took minutes, and nobody looks at them


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Metrics by step.

    `steps`: (evals,) int64, strictly increasing. `metrics`: by name, (evals,) float64, NaN where not reported.
    """

    steps: NDArray[np.int64]
    metrics: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        steps = np.asarray(self.steps, dtype=np.int64)
        metrics = {k: np.asarray(v, dtype=np.float64) for k, v in self.metrics.items()}
        if steps.ndim != 1 or any(v.shape != steps.shape for v in metrics.values()):
            raise ValueError("a curve has one value a step for every metric")
        if np.any(np.diff(steps) <= 0):
            raise ValueError("the steps of a curve must increase")
        for array in (steps, *metrics.values()):
            array.setflags(write=False)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "metrics", metrics)

    def __len__(self) -> int:
        return len(self.steps)

    def of(self, metric: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """`(steps, values)` of one metric where it is finite; both empty where it was never reported."""
        values = self.metrics.get(metric)
        if values is None:
            return self.steps[:0], np.empty(0)
        known = np.isfinite(values)
        return self.steps[known], values[known]

    @classmethod
    def from_reports(cls, reports: Mapping[int, Mapping[str, float]]) -> Self:
        """The curve of `{step: {metric: value}}`, in order of steps; a metric missing at a step is NaN there."""
        steps = sorted(reports)
        names = sorted({name for row in reports.values() for name in row})
        if len(names) > MOST_METRICS:
            raise ValueError(f"it has {len(names)} metrics, and a trial may have {MOST_METRICS}")
        metrics = {n: np.array([reports[s].get(n, np.nan) for s in steps]) for n in names}
        return cls(steps=np.array(steps, dtype=np.int64), metrics=metrics)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial that ended. `infeasible` and `failed` have a reason and are never best; nothing is dropped.

    `best_value` is the best finite objective over training and `best_step` its step (E12), both None unless the
    trial is complete. `log` is the tail of what it printed; `folder` holds its checkpoints. `memory`: resident bytes of
    its processes at their peak, None where nothing measured them.

    Playbook: E8, E12
    """

    planned: Planned
    status: Status
    reason: str
    curve: Curve
    best_step: int | None = None
    best_value: float | None = None
    final_value: float | None = None
    seconds: float = 0.0
    log: str = ""
    folder: str = ""
    unread: tuple[str, ...] = ()
    memory: int | None = None

    @property
    def id(self) -> str:
        """The id of the trial."""
        return self.planned.id

    @property
    def feasible(self) -> bool:
        """Whether the trial may be compared at all."""
        return self.status == "complete"

    @property
    def steps_done(self) -> int:
        """The last step that was reported."""
        return int(self.curve.steps[-1]) if len(self.curve) else 0

    def row(self) -> TrialRow:
        """The trial as it stands in the record."""
        p = self.planned
        return TrialRow(
            id=p.id,
            study=p.study,
            purpose=p.purpose,
            point=p.point,
            settings=p.settings,
            seed=p.seed,
            max_train_steps=p.max_train_steps,
            eval_every_steps=p.eval_every_steps,
            status=self.status,
            reason=self.reason,
            best_step=self.best_step,
            best_value=finite(self.best_value),
            final_value=finite(self.final_value),
            steps_done=self.steps_done,
            seconds=round(self.seconds, 3),
            pack=p.pack,
            kept=p.kept,
        )


def ended(
    planned: Planned,
    curve: Curve,
    objective: Objective,
    status: Status = "complete",
    reason: str = "",
    *,
    seconds: float = 0.0,
    log: str = "",
    folder: str = "",
    unread: tuple[str, ...] = (),
    memory: int | None = None,
) -> Trial:
    """The trial with its best step filled in: best over training, the earliest step where several are equal.

    Playbook: E12, J10
    """
    steps, values = curve.of(objective.metric)
    best_step = best_value = final = None
    if status == "complete" and len(values):
        best = int(np.argmin(objective.sign * values))
        best_step, best_value, final = int(steps[best]), float(values[best]), float(values[-1])
    return Trial(
        planned=planned,
        status=status,
        reason=reason,
        curve=curve,
        best_step=best_step,
        best_value=best_value,
        final_value=final,
        seconds=seconds,
        log=log,
        folder=folder,
        unread=unread,
        memory=memory,
    )
