"""The gradient's norm over training: spikes against the trend around them, and how many updates are clipped."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.record import Frozen
from tasks.scope.policy import Policy
from tasks.trials.trial import Curve

FEWEST = 8  # reports of the gradient's norm, below which there is no trend around one of them
SIDE = 3  # reports on each side whose median is the trend: a spike may be three reports wide
EARLY = 0.1  # of the steps: a spike in there is early instability, for which warmup is the first cure (I6, I7)
NORM = ("grad_norm", "gradient_norm", "train/grad_norm", "train_grad_norm", "global_grad_norm", "gnorm")
LARGEST, FIRST, P90 = "_max", "_first", "_p90"  # after such a name: of the steps since the last report, or of all
CLIPPED = ("clipped", "clip_fraction", "clipped_fraction", "train/clipped", "train/clip_fraction")

Floats = NDArray[np.float64]


class SpikeThresholds(Frozen):
    """When a gradient's norm is a spike.

    Of recorded trials, the best three of each study (117 of AlgoPerf, 48 of the shipped workloads), the ratio is at
    most 9.1 in all but 14, whose largest norm jumps out of its surroundings: there it is 12 at least.
    """

    gradient_spike: float = Field(
        default=10.0, gt=1, description="E11, ours: a gradient norm this many times the trend of the reports around it"
    )
    gradient_sds: float = Field(
        default=4.0, gt=0, description="E11, ours: and so many SDs of the log norm around its own trend"
    )


@dataclass(frozen=True, kw_only=True)
class Spike:
    """The largest norm of a trial against its surroundings.

    `ratio`: to the trend of its neighbours; `step`: where; `early`: in the first tenth of training; `counts`: whether
    it is a spike.
    """

    ratio: float
    step: int
    early: bool
    counts: bool


def norm_name(curve: Curve) -> str | None:
    """The name under which a curve has the gradient's norm."""
    return next((n for n in NORM if n in curve.metrics or n + LARGEST in curve.metrics), None)


def spike(curve: Curve, steps: int, policy: Policy) -> Spike | None:
    """The report that stands out most from those around it; None with fewer than eight reports of a norm.

    A norm falls by decades in sound training, so each report is held against the median of three on either side of
    it, in logarithms, and not against all of them. The largest norm since the last report is looked at where there is
    one: a mean over many steps hides a spike of one.

    A spike counts that is `gradient_spike` times its trend, `gradient_sds` of the log norm's own SDs above it, and
    above the median of all reports: clipping at a typical norm would not touch a smaller one. The first report is
    judged only where the norm of the very first step is known too: at initialisation a norm is large in sound training,
    and a spike is one that rose from there.
    """
    name = norm_name(curve)
    if name is None:
        return None
    at, values = curve.of(name + LARGEST if name + LARGEST in curve.metrics else name)
    at, values = at[values > 0], values[values > 0]
    if len(values) < FEWEST:
        return None
    bars = policy.of(SpikeThresholds)
    off = _off_trend(np.log(values))
    off[0] = _off_start(curve, name, values)
    inner = off[1:-1]
    spread = float(np.median(np.abs(inner - np.median(inner)))) / 0.6745
    i = int(np.argmax(np.where(values > np.median(values), off, -np.inf)))
    far = off[i] > bars.gradient_sds * spread
    return Spike(
        ratio=float(np.exp(off[i])),
        step=int(at[i]),
        early=bool(at[i] <= EARLY * steps or i == 0),
        counts=bool(far and off[i] > np.log(bars.gradient_spike)),
    )


def clipped_share(curve: Curve) -> float | None:
    """The share of all updates that were clipped; None where no report says.

    Reports count by the steps that they speak of.
    """
    name = next((n for n in CLIPPED if n in curve.metrics), None)
    steps, values = curve.of(name) if name else (curve.steps[:0], np.empty(0))
    if not len(values):
        return None
    weights = np.diff(np.concatenate([[0], steps])).astype(np.float64)
    return float(np.average(values, weights=weights if weights.sum() > 0 else None))


def typical_norm(curve: Curve) -> float | None:
    """The 90th percentile of the norms of all steps, which is the playbook's first clipping threshold; None if unknown.

    Playbook: I12
    """
    name = norm_name(curve)
    values = curve.of(name + P90)[1] if name else np.empty(0)
    return float(values[-1]) if len(values) and values[-1] > 0 else None


def _off_trend(logs: Floats) -> Floats:
    """(reports,) float64: how far each lies above the higher of the medians of three on its left and on its right.

    Above both, since a norm that drops for good (a smaller learning rate does that) lies high on one side only. Of the
    last report a spike cannot be told from growth, so it is 0.
    """
    off = np.zeros_like(logs)
    for i in range(1, len(logs) - 1):
        left, right = logs[max(i - SIDE, 0) : i], logs[i + 1 : i + 1 + SIDE]
        off[i] = logs[i] - max(np.median(left), np.median(right))
    return off


def _off_start(curve: Curve, name: str, values: Floats) -> float:
    """How far the first report lies above the norm of the first step and what followed; 0 where that is unknown."""
    start = curve.of(name + FIRST)[1]
    if not len(start) or start[0] <= 0:
        return 0.0
    return float(np.log(values[0] / max(start[0], float(np.median(values[1 : 1 + SIDE])))))
