"""A surface without a model: planted optimum, wall, effect and noise, in microseconds.

What the checks and the gate say can be held against the truth here. The noise of a trial and the noise of a retrain
are the same thing, so every size is given in its units: a `curvature` of 4 means that a hyperparameter one decade (or
one range) off its optimum costs four retrain standard deviations.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.record import Point
from tasks.text import as_yaml
from tasks.trials.running import RunningTrial

METRIC = "loss"
BREAK = 0x5EED  # keeps the draw of planted breakdowns apart from the noise, so that planting them moves nothing else


def synthetic(
    trial: RunningTrial,
    *,
    bowls: Mapping[str, Any],
    effects: Mapping[str, Mapping[str, float]] | None = None,
    wall: Mapping[str, Any] | None = None,
    noise: float = 0.01,
    floor: float = 0.1,
    ceiling: float | None = None,
    breaks: float = 0.0,
    curve: Mapping[str, float] | None = None,
) -> None:
    """Reports `loss` and `train_loss` at every evaluation; the best loss is `landscape` plus noise from the seed.

    `wall`: {parameter, at, side}: at and beyond it the loss is NaN, so the trial is infeasible. `breaks`: the share of
    trials that turn NaN wherever they lie, as a bug in the training code would have it. `curve`: see `shape`.

    Playbook: E8
    """
    rng = np.random.default_rng(trial.seed)
    value = landscape(trial.point, bowls=bowls, effects=effects, noise=noise, floor=floor, ceiling=ceiling)
    value += noise * float(rng.standard_normal())
    steps = _evaluations(trial.max_train_steps, trial.eval_every_steps)
    loss, train_loss = synthetic_curve(steps / trial.max_train_steps, value, noise=noise, rng=rng, **dict(curve or {}))
    if _behind(trial.point, wall) or _broken(trial.seed, breaks):
        loss = np.full_like(loss, np.nan)
    done, _ = trial.resume()
    for step, a, b in zip(steps.tolist(), loss.tolist(), train_loss.tolist(), strict=True):
        if step > done:
            trial.report(step, **{METRIC: a, "train_loss": b})


def landscape(
    point: Point,
    *,
    bowls: Mapping[str, Any],
    effects: Mapping[str, Mapping[str, float]] | None = None,
    noise: float = 0.01,
    floor: float = 0.1,
    ceiling: float | None = None,
) -> float:
    """The loss of a point without its noise: the floor, a parabola for each bowl, and the effects of choices.

    `bowls`: by hyperparameter (nested names as in the space) {optimum, curvature, scale: log|linear, width}: the
    distance counts in decades on a log scale, else in `width`s (1 by default); one that does not exist at the point
    adds nothing. `effects`: by hyperparameter and value, in units of the noise. `ceiling`: the excess over the floor
    that no parabola can pass, in units of the noise, as a guesser's loss is not passed by a bad learning rate.
    """
    excess = sum(_parabola(point[name], **bowl) for name, bowl in _leaves(bowls) if name in point)
    if ceiling is not None:
        excess = ceiling * -math.expm1(-excess / ceiling)
    for name, of_value in (effects or {}).items():
        excess += of_value.get(as_yaml(point[name]), 0.0) if name in point else 0.0
    return floor + noise * excess


def synthetic_curve(
    progress: NDArray[np.float64],
    value: float,
    *,
    noise: float,
    rng: np.random.Generator,
    start: float = 100.0,
    fall: float = 6.0,
    turn: float = 1.0,
    overfit: float = 0.0,
    late_noise: float = 0.0,
    train_rise: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`(loss, train_loss)`, each (evals,) float64, at `progress` in (0, 1]: an exponential descent to `value`.

    Sizes are in units of the noise. `fall`: e-foldings until `turn`, so 1 is still improving at the end and 40 is
    saturated early. `overfit`: how far the loss rises again from `turn` to the end. `late_noise`: SD of each
    evaluation; the best over training then flatters, as it does on any noisy curve. `train_rise`: how far the
    training loss rises from half way to the end.
    """
    reached = np.minimum(progress / turn, 1.0)
    descent = noise * start * (np.exp(-fall * reached) - math.exp(-fall))
    risen = np.clip((progress - turn) / max(1.0 - turn, 1e-9), 0.0, 1.0) ** 2
    jitter = noise * late_noise * rng.standard_normal(len(progress))
    train = value + noise * start * (np.exp(-fall * progress) - math.exp(-fall))
    train += noise * train_rise * np.clip(2.0 * progress - 1.0, 0.0, 1.0)
    return value + descent + noise * overfit * risen + jitter, train


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`dropout: {rate: {optimum: …}}` as `dropout.rate`: hyperparameters are named by their whole path."""
    for key, node in tree.items():
        if "optimum" in node:
            yield f"{prefix}{key}", node
        else:
            yield from _leaves(node, f"{prefix}{key}.")


def _parabola(at: Any, *, optimum: float, curvature: float, scale: str = "linear", width: float = 1.0) -> float:
    distance = math.log10(at / optimum) if scale == "log" else (at - optimum) / width
    return curvature * distance * distance


def _behind(point: Point, wall: Mapping[str, Any] | None) -> bool:
    if not wall or wall["parameter"] not in point:
        return False
    value = float(point[wall["parameter"]])
    return bool(value <= wall["at"] if wall.get("side", "high") == "low" else value >= wall["at"])


def _broken(seed: int, share: float) -> bool:
    return share > 0.0 and bool(np.random.default_rng([seed, BREAK]).random() < share)


def _evaluations(max_train_steps: int, every: int) -> NDArray[np.int64]:
    """Every `every` steps, and the last one."""
    steps = np.arange(every, max_train_steps + 1, every, dtype=np.int64)
    return steps if len(steps) and steps[-1] == max_train_steps else np.append(steps, max_train_steps)
