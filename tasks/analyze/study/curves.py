"""The shape of a training curve: where it falls, where it turns, how much of it is noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.analyze.study.evidence import StudyEvidence
from tasks.record import Frozen, Number
from tasks.scope.policy import Policy
from tasks.text import number
from tasks.trials.trial import Curve, Trial

FEWEST = 5  # evaluations below which a curve has no shape
LATE = 8  # evaluations that the late noise is measured on, at least: fewer give no usable SD
GULF = 30.0  # times as far from the best as the second evaluation: such a first one was before any training
CLEAR = 10.0  # SDs of the late curve: a descent that is no wandering
NEGLIGIBLE = 0.01  # of the whole descent: less is no reason to train twice as long
TRAIN_LOSS = ("train_loss", "training_loss", "train/loss", "loss")
VALID_LOSS = ("valid_loss", "val_loss", "validation_loss", "valid/loss", "val/loss")
LEARNING_RATE = ("learning_rate", "lr", "train/learning_rate")

Floats = NDArray[np.float64]


class CurveThresholds(Frozen):
    """What is late, what is a rise and what is still a descent in a training curve."""

    overfit_fraction: float = Field(
        default=0.1, gt=0, description="F2, ours: the rise after the best step, as a share of the whole descent"
    )
    overfit_sds: float = Field(default=3.0, gt=0, description="F2, ours: and in standard deviations of the late curve")
    late_fraction: float = Field(default=0.25, gt=0, lt=1, description='F7, ours: "late" is the last quarter')
    improving_fraction: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="F8, ours: still improving: a twentieth of the whole descent in the last quarter",
    )
    saturated_step: float = Field(default=0.5, gt=0, lt=1, description='F9, ours: "long before the end" is half way')


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One metric of one trial over training, as a loss: lower is better.

    `steps`: (evals,) int64; `losses`: (evals,) float64, both finite and at least five long.
    """

    steps: NDArray[np.int64]
    losses: Floats
    policy: Policy

    @cached_property
    def bars(self) -> CurveThresholds:
        """The policy's thresholds of curves."""
        return self.policy.of(CurveThresholds)

    @property
    def window(self) -> int:
        """Evaluations that a smoothed value is the mean of: odd, an eighth of the curve, three at least."""
        return max(3, len(self.losses) // 8 | 1)

    @cached_property
    def smooth(self) -> Floats:
        """(evals,) float64: a running median of three, which removes single spikes, then a running mean.

        The windows at both ends keep their full width, so that the last value is as well known as any other.
        """
        return _running(np.median(_windows(self.losses, 3), axis=1), self.window)

    @cached_property
    def noise(self) -> float:
        """The SD of the late curve from step to step, around its own trend.

        From second differences, which a straight trend leaves at zero; their mean absolute value, for which one
        outlier counts once and not squared. "Late" is the policy's share of the evaluations, eight at least.
        """
        late = self.losses[-max(math.ceil(self.bars.late_fraction * len(self.losses)), LATE) :]
        return float(np.abs(np.diff(late, 2)).mean() * math.sqrt(math.pi / 2) / math.sqrt(6.0))

    @property
    def smooth_noise(self) -> float:
        """The SD of the difference between two smoothed values that share no evaluation."""
        return self.noise * math.sqrt(2.0 / self.window)

    @cached_property
    def turn(self) -> int:
        """The index of the best smoothed value, the last of equals: a curve that falls to its end turns at its end."""
        return len(self.smooth) - 1 - int(np.argmin(self.smooth[::-1]))

    @property
    def turning_step(self) -> int:
        """The step of the best smoothed value."""
        return int(self.steps[self.turn])

    @cached_property
    def descent(self) -> float:
        """How far the curve fell from its first evaluation to its best smoothed value; 0 where it never fell.

        From its second, where the first is `GULF` times as far off and the rest is a clear descent of its own: before
        training a loss can be anything, and beside 50,000 a perplexity that falls from 30 to 20 would not have moved.
        """
        first, second = (float(v) for v in self.losses[:2] - self.smooth[self.turn])
        return max(second if first > GULF * second and second > CLEAR * self.noise else first, 0.0)

    @property
    def rise(self) -> float:
        """How far the smoothed curve ends above its best value."""
        return float(self.smooth[-1] - self.smooth[self.turn])

    @cached_property
    def rises(self) -> bool:
        """Whether the curve turned and stayed up: by a share of its descent and by more than its noise.

        A curve that won back more than half of what it had lost after the turn does not count: that is a spike, a
        restart of the schedule or a transient, and it is on its way down.

        Planted curves with noise of 2 % of the descent: a rise of 25 % is seen in 97 to 100 % of them at 10 to 100
        evaluations, and in at most 3 % of those without one. Noise that wanders (correlated by 0.6 from one
        evaluation to the next, 5 % of the descent) is taken for a rise in up to 13 %.
        """
        return self._stays_up and self.rise > self.bars.overfit_sds * self.noise

    @property
    def may_rise(self) -> bool:
        """Whether it stayed up by a share of its descent that noise may explain: then nobody can tell.

        Of five or six evaluations the noise cannot be told from the bend of the descent, and so passes for large.
        """
        return self._stays_up and not self.rises

    @cached_property
    def _stays_up(self) -> bool:
        peak = float(self.smooth[self.turn :].max() - self.smooth[self.turn])
        bar = max(self.bars.overfit_fraction * self.descent, self._rounding)
        return self.rise > bar and self.rise >= 0.5 * peak

    @cached_property
    def quarter(self) -> int:
        """The index of the first evaluation in the last share of the steps that the policy calls late."""
        return int(np.searchsorted(self.steps, (1.0 - self.bars.late_fraction) * self.steps[-1]))

    @property
    def late_gain(self) -> float:
        """What the late part gained over everything before it; negative where it ends above an earlier level."""
        before = self.smooth[: max(self.quarter, 1)]
        return float(before.min() - self.smooth[-1])

    @property
    def late_share(self) -> float:
        """The late gain as a share of the whole descent; 0 where there was none."""
        return self.late_gain / self.descent if self.descent > 0 else 0.0

    @property
    def improving(self) -> bool:
        """Whether the late part still brought a share of the descent that noise does not explain."""
        return self.gains(self.bars.improving_fraction)

    def gains(self, share: float) -> bool:
        """Whether the late part brought more than that share of the descent, and more than noise explains."""
        bar = max(share * self.descent, self.bars.overfit_sds * self.smooth_noise)
        return self.late_gain > max(bar, self._rounding)

    @property
    def moved(self) -> bool:
        """Whether the curve fell at all, by more than its noise."""
        return self.descent > max(self.bars.overfit_sds * self.noise, self._rounding)

    @property
    def saturation_step(self) -> int:
        """The first step at which the late level was reached, but for noise or a negligible share of the descent."""
        return int(self.steps[int(np.argmax(self.smooth <= self._late_level + self._nothing))])

    @property
    def gain_since_half(self) -> tuple[float, float]:
        """`(gain, its SD)` from half way to the end, as shares of the descent of a curve that fell.

        "Half way" is the policy's share of the steps, "the end" its late part, and the gain is the mean of the one
        less the mean of as many evaluations before the other: never less than what was gained after half way.
        """
        late = self.losses[self.quarter :]
        half = max(int(np.searchsorted(self.steps, self.bars.saturated_step * self.steps[-1], side="right")), 1)
        middle = self.losses[max(half - len(late), 0) : half]
        deviation = self.noise * math.sqrt(1.0 / len(middle) + 1.0 / len(late))
        return float(middle.mean() - late.mean()) / self.descent, deviation / self.descent

    @property
    def _late_level(self) -> float:
        return float(self.smooth[self.quarter :].mean())

    @property
    def _nothing(self) -> float:
        return max(NEGLIGIBLE * self.descent, self.bars.overfit_sds * self.smooth_noise)

    @property
    def _rounding(self) -> float:
        return 1e-9 * float(np.abs(self.losses).max())


def shape(curve: Curve, metric: str, sign: float, policy: Policy) -> Shape | None:
    """The shape of one metric times `sign`; None with fewer than five finite evaluations."""
    steps, values = curve.of(metric)
    if len(values) < FEWEST:
        return None
    return Shape(steps=steps, losses=sign * values, policy=policy)


def objective_shape(study: StudyEvidence, trial: Trial) -> Shape | None:
    """The shape of a trial's objective; None with fewer than five evaluations."""
    return shape(trial.curve, study.objective.metric, study.objective.sign, study.policy)


def loss_shape(study: StudyEvidence, trial: Trial, names: tuple[str, ...]) -> Shape | None:
    """The shape of the first of the named losses that the trial reported; None where it reported none of them.

    A loss that is the objective itself is no loss beside it, unless its name says that it is of the training data.
    """
    own = study.objective.metric
    name = reported(trial.curve, tuple(n for n in names if n != own or n.startswith("train")))
    return shape(trial.curve, name, 1.0, study.policy) if name else None


def reported(curve: Curve, names: tuple[str, ...]) -> str | None:
    """The first of the names under which the curve has a metric."""
    return next((n for n in names if n in curve.metrics), None)


def decays(trial: Trial) -> bool:
    """Whether the trial reported a learning rate that ended below half of its peak."""
    name = reported(trial.curve, LEARNING_RATE)
    rates = trial.curve.of(name)[1] if name else np.empty(0)
    return bool(len(rates) and rates[-1] < 0.5 * rates.max())


def rise_numbers(s: Shape) -> Mapping[str, Number | None]:
    """The numbers and the thresholds behind `rises`."""
    return {
        "rise": s.rise,
        "descent": s.descent,
        "noise": s.noise,
        "turning_step": s.turning_step,
        "overfit_fraction": s.bars.overfit_fraction,
        "overfit_sds": s.bars.overfit_sds,
    }


def share_of_descent(curve: Shape) -> str:
    """The rise in words, as a share of what the curve had fallen before."""
    if not curve.descent:
        return "more than it ever improved"
    return f"{number(round(100 * curve.rise / curve.descent, 1))} % of all it had improved"


def _windows(values: Floats, width: int) -> Floats:
    """(evals, width): the window around each value, moved inward at both ends."""
    n = len(values)
    width = min(width, n)
    first = np.clip(np.arange(n) - width // 2, 0, n - width)
    windows: Floats = values[first[:, None] + np.arange(width)]
    return windows


def _running(values: Floats, width: int) -> Floats:
    mean: Floats = _windows(values, width).mean(axis=1)
    return mean
