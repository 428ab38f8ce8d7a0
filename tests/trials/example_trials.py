"""Trials for tests: a plan and an execution around one of the programs in `own/endings.py`."""

from pathlib import Path
from typing import Any

from tasks.design.study import Planned
from tasks.record import Direction, Point
from tasks.scope.goal import Objective, Workload
from tasks.trials.settings import Execution, RunnerSettings

PATIENT = RunnerSettings(wall_timeout=120)
OWN = str(Path(__file__).parent / "own")


def plan(id: str = "t", point: Point | None = None, seed: int = 5) -> Planned:
    """A search trial of nine steps with an evaluation every three."""
    point = {"learning_rate": 0.3, "width": 64} if point is None else dict(point)
    return Planned(
        id=id, study="s", purpose="search", index=0, point=dict(point), seed=seed, max_train_steps=9, eval_every_steps=3
    )


def execution(
    target: str,
    runner: RunnerSettings | None = None,
    *,
    own: str | None = OWN,
    metric: str = "loss",
    direction: Direction = "minimize",
    **arguments: Any,
) -> Execution:
    """An execution whose runner gives each trial two minutes."""
    return Execution(
        workload=Workload(
            name="w", target=target, arguments=arguments, objective=Objective(metric=metric, direction=direction)
        ),
        runner=runner or PATIENT,
        own=own,
    )
