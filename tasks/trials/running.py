"""`RunningTrial`: the one object that a workload gets (point, seed, report, save, resume)."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tasks.record import Point, Value
from tasks.scope.goal import Objective


def storable(text: str) -> str:
    """The text as every store takes it: what is no Unicode (of a broken path, say) is written out."""
    return text.encode(errors="backslashreplace").decode()


class Infeasible(Exception):
    """Ends a trial as infeasible with a reason; a workload may raise it, `report` does at a non-finite objective."""

    __module__ = "tunebook"  # where a user's code imports it from: processes of theirs pickle it by that name


class MissingMetric(Exception):
    """The first evaluation did not report the objective."""


class Interrupted(BaseException):
    """Ends a trial that was asked to stop, right after it saved: it goes on from there another time."""


class Sink(Protocol):
    """Where a running trial's words go: the child process's folder, or memory."""

    def reported(self, step: int, metrics: Mapping[str, float]) -> None:
        """Takes one evaluation."""

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Takes one checkpoint; `objective` is the loss-like value reported at that step, or None."""

    def last(self) -> tuple[int, Any]:
        """`(step, state)` of the last checkpoint; `(0, None)` where there is none."""


class ReadPoint(Mapping[str, Value]):
    """A point that remembers which hyperparameters were read: one that nobody reads cannot matter."""

    def __init__(self, point: Point) -> None:
        self._point = dict(point)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Value:
        if name not in self._point:
            raise KeyError(f"{name!r} is no hyperparameter of this trial; it has {', '.join(sorted(self._point))}")
        self.read.add(name)
        return self._point[name]

    def __contains__(self, name: object) -> bool:
        if name in self._point:
            self.read.add(str(name))
        return name in self._point

    def __iter__(self) -> Iterator[str]:
        self.read.update(self._point)  # whoever walks over all of them may use them all
        return iter(self._point)

    def __len__(self) -> int:
        return len(self._point)

    def __reduce__(self) -> tuple[type[dict[str, Value]], tuple[dict[str, Value]]]:
        """A plain dictionary in another process; whoever takes it there may use all of it."""
        return dict, (dict(self),)

    @property
    def unread(self) -> tuple[str, ...]:
        """The hyperparameters that were never looked at, by name."""
        return tuple(sorted(set(self._point) - self.read))


class RunningTrial:
    """A trial while it runs, as a workload sees it.

    `point`: every hyperparameter, fixed ones included. `seed`: equal inputs give an equal curve on one CPU
    machine. `device`: where tensors belong ("cpu", "cuda:0"). `stopping`: the machine is wanted back; save now, and
    nothing is lost.
    """

    def __init__(
        self,
        *,
        point: Point,
        seed: int,
        max_train_steps: int,
        eval_every_steps: int,
        objective: Objective,
        sink: Sink,
        device: str = "cpu",
        objective_seen: bool = False,
    ) -> None:
        self.point = ReadPoint(point)
        self.seed = seed
        self.max_train_steps = max_train_steps
        self.eval_every_steps = eval_every_steps
        self.device = device
        self.stopping = False
        self._objective = objective
        self._sink = sink
        self._last_step = -1
        self._reported: dict[int, float] = {}
        self._objective_seen = objective_seen  # by an attempt before this one

    if not TYPE_CHECKING:  # a type checker finds such a name by itself

        def __getattr__(self, name: str) -> Any:
            """Only of what is not there: a trial of another library has methods that this one lacks.

            Raises:
                AttributeError: always, with where the values are.
            """
            point = self.__dict__.get("point")
            names = ", ".join(sorted(point._point)) if point else ""
            raise AttributeError(f"a trial of tunebook has no {name!r}: read its values from trial.point ({names})")

    @property
    def cut_short(self) -> bool:
        """Whether it was asked to stop before its last step."""
        return self.stopping and self._last_step < self.max_train_steps

    def resume(self) -> tuple[int, Any]:
        """`(0, None)` at first; the last checkpoint's `(step, state)` after an interruption."""
        step, state = self._sink.last()
        self._objective_seen |= state is not None
        return step, state

    def report(self, step: int, /, **metrics: float) -> None:
        """Report one evaluation; steps must increase.

        Any names will do. Some are known: `train_loss` and `valid_loss`, `train_error` or `train_accuracy`,
        `learning_rate`. Of the gradient: `grad_norm` (L2, of all gradients, before clipping), with `grad_norm_max` and
        `grad_norm_first` the mean, largest and first since the last report; `grad_norm_q10`, `_q25`, `_q50`, `_q75`,
        `_q90` (quantiles of them), `grad_norm_p90` (90th percentile of all steps so far); `clipped` (share of the
        updates since the last report) and `clip_norm` (the threshold). From these come the checks of spikes and
        clipping, and the pictures of the norm against the step and of its histogram; without them these are not there.

        Raises:
            Infeasible: the objective is not finite; it ends the trial, so let it pass.
            MissingMetric: the first report has no objective.

        Playbook: I1
        """
        values = {storable(name): float(value) for name, value in metrics.items()}
        step = int(step)
        if abs(step) >= 2**63:
            raise ValueError(f"a step has 64 bits: {step:.3g} is none")
        if step <= self._last_step:
            raise ValueError(f"steps must increase: {step} was reported after {self._last_step}")
        self._last_step = step
        self._sink.reported(step, values)
        metric = self._objective.metric
        if metric not in values:
            if not self._objective_seen:
                seen = ", ".join(sorted(values)) or "none"
                raise MissingMetric(
                    f"workload.objective.metric: {metric!r} is not among the metrics of the first evaluation "
                    f"({seen}); name one of them."
                )
            return
        self._objective_seen = True
        value = values[metric]
        if not math.isfinite(value):
            raise Infeasible(f"{metric} is {value} at step {step}")
        self._reported = {step: self._objective.sign * value}

    def save(self, step: int, state: Any) -> None:
        """Save a checkpoint of tensors and plain values; atomic; the last two and the N best are kept.

        A state may tell two things that the report shows: `"predictions": {"target", "predicted", "confidence"}`, each
        of one value an example, for a few fixed validation examples (of each evaluation, although most checkpoints are
        dropped); and `"update_rule": {"implementation", "version", …}`, the optimizer that was run. A program that is
        run as a command saves nothing here, and the report says that neither is recorded.

        Raises:
            Interrupted: the trial is `stopping`; let it pass.

        Playbook: J7, J10, J20
        """
        self._sink.saved(int(step), state, self._reported.get(int(step)))
        if self.stopping:
            raise Interrupted(f"stopped after the checkpoint of step {step}")
