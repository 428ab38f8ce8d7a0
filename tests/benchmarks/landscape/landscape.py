"""A landscape whose best place is known, with one argument for each thing that may be wrong with a study of it."""

import math
from typing import Any

import numpy as np

NOISE = 0.01  # the SD of a retrain, and the unit of every size
FLOOR = 0.1
DESCENT = 100.0
MOMENTUM = 0.05
CURVATURE = 4.0
PLATEAU = 30.0
TURN, END = 140, 400  # steps: where overfitting sets in, and where it has risen by `overfit`
WEAK = 1e-6


def excess(point: Any, *, optimum: float, narrow: float | None, effect: float) -> float:
    """How far the loss of a point ends above the floor, in SDs, once it is trained to its end."""
    away = math.log10(point["learning_rate"] / optimum) ** 2 + math.log10(point["one_minus_momentum"] / MOMENTUM) ** 2
    bowl = CURVATURE * away if narrow is None else -PLATEAU * math.expm1(-away / (2 * narrow**2))
    return bowl + (effect if point["activation"] == "gelu" else 0.0)


def train(
    trial: Any,
    *,
    optimum: float,
    narrow: float | None,
    wall: float | None,
    walled: str | None,
    raises: float | None,
    breaks: float,
    effect: float,
    pace: float,
    overfit: float,
    late_noise: float,
    train_rise: float,
) -> None:
    """Reports `loss` and `train_loss`; an exponential descent, and whatever is said to be wrong."""
    rng = np.random.default_rng(trial.seed)
    rate = trial.point["learning_rate"]
    if (raises is not None and rate >= raises) or rng.random() < breaks:
        raise ValueError("the widths do not match")
    level = excess(trial.point, optimum=optimum, narrow=narrow, effect=effect) + rng.standard_normal()
    free = overfit / (1.0 + math.log10(trial.point["weight_decay"] / WEAK) ** 2)
    diverged = wall is not None and rate >= wall and walled in (None, trial.point["activation"])
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        left = DESCENT * math.exp(-step / pace)
        risen = free * max(0.0, (step - TURN) / (END - TURN))
        loss = math.nan if diverged else level + left + risen + late_noise * rng.standard_normal()
        rising = train_rise * max(0.0, 2.0 * step / trial.max_train_steps - 1.0)
        trial.report(step, loss=FLOOR + NOISE * loss, train_loss=FLOOR + NOISE * (level + left + rising))
