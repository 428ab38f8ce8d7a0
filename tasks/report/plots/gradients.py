"""The gradient's norm: against the step, and as a histogram over all steps, with what a clipping threshold would be."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tasks.analyze.study.gradients import LARGEST, P90, norm_name
from tasks.record import Record, StudyRow, TrialRow
from tasks.report.plots.canvas import Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.report.plots.curves import FEW, LOOKS
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import Ruler, linear_ticks, log_ticks
from tasks.report.trials import feasible, ranked, study_label, trials_of
from tasks.text import number
from tasks.trials.trial import Curve

QUANTILES = (10, 25, 50, 75, 90)  # those that a trial may report of each interval, as grad_norm_q10 and so on
THRESHOLD = "clip_norm"  # the metric under which a trial reports where it clips
BINS = 48
CLIPPED_AT, TYPICAL = (0, (5, 2)), (0, (1, 1.2))  # dashes of the threshold and of the 90th percentile

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Norms:
    """The norms of one trial, an interval each: (reports,) arrays, all positive.

    `steps`: the last step of each interval. `usual`: its median, or its mean where that is all there is. `largest` and
    `quantiles` (reports, 5) are None where they were not reported. `typical`: the 90th percentile over all steps.
    """

    trial: TrialRow
    steps: Floats
    usual: Floats
    largest: Floats | None
    quantiles: Floats | None
    typical: float
    threshold: float | None

    @property
    def top(self) -> Floats:
        """The largest norm that is known of each interval."""
        return self.usual if self.largest is None else self.largest

    @cached_property
    def lengths(self) -> Floats:
        """How many steps each interval has."""
        found: Floats = np.diff(np.concatenate([[0.0], self.steps]))
        return np.maximum(found, 1.0)


def gradient_norms_plot(record: Record, curves: Mapping[str, Curve]) -> str:
    """SVG: the unclipped gradient's norm over steps, for the best few trials of each study; or "" where none logged it.

    Playbook: I1
    """
    title = "Norm of the unclipped gradient against the step, on a logarithmic axis, for the best trials of each study"
    return drawn(record, "gradient-norms", title, lambda: _norms_figure(record, curves))


def gradient_histogram_plot(record: Record, curves: Mapping[str, Curve]) -> str:
    """SVG: how often the best trial of each study had which norm, over all its steps, and their 90th percentile; or "".

    Playbook: I1, I12
    """
    title = "Histogram of the gradient's norm over all steps of the best trial of each study, with its 90th percentile"
    return drawn(record, "gradient-histogram", title, lambda: _histogram_figure(record, curves))


def norms_of(trial: TrialRow, curve: Curve) -> Norms | None:
    """What a trial logged of its gradient's norm; None where that is nothing."""
    name = norm_name(curve)
    if name is None:
        return None
    wanted = [f"{name}_q{q}" for q in QUANTILES]
    whole = all(n in curve.metrics for n in wanted)
    usual = wanted[2] if whole else name if name in curve.metrics else f"{name}{LARGEST}"
    kept = np.isfinite(curve.metrics[usual]) & (curve.metrics[usual] > 0)
    if not kept.any():
        return None
    largest = curve.metrics.get(f"{name}{LARGEST}")
    at_least = None if largest is None else np.fmax(largest[kept], curve.metrics[usual][kept])
    middle = np.stack([curve.metrics[n][kept] for n in wanted], axis=1) if whole else None
    thresholds, typical = curve.of(THRESHOLD)[1], curve.of(f"{name}{P90}")[1]
    found = Norms(
        trial=trial,
        steps=curve.steps[kept].astype(np.float64),
        usual=curve.metrics[usual][kept],
        largest=at_least,
        quantiles=None if middle is None else np.maximum(np.maximum.accumulate(middle, axis=1), 1e-30),
        typical=float(typical[-1]) if len(typical) else np.nan,
        threshold=float(thresholds[-1]) if len(thresholds) else None,
    )
    return found if np.isfinite(found.typical) else _with_typical(found)


def mass(norms: Norms, edges: Floats) -> Floats:
    """(bins,) float64: the share of all steps with a norm in each bin; `edges` are log10 and hold all norms.

    Between two quantiles of an interval its steps are spread evenly over the logarithm. Where only one number an
    interval was reported, all its steps count at that number.
    """
    counts = np.zeros(len(edges) - 1)
    for (low, high), share in _pieces(norms):
        for a, b, weight in zip(low, high, share * norms.lengths, strict=True):
            left, right = np.searchsorted(edges, [a, b])
            if b - a < 1e-9 or left == right:
                counts[min(max(int(np.searchsorted(edges, b)) - 1, 0), len(counts) - 1)] += weight
                continue
            inside = np.clip(np.minimum(edges[1:], b) - np.maximum(edges[:-1], a), 0.0, None)
            counts += weight * inside / max(float(inside.sum()), 1e-12)
    shares: Floats = counts / counts.sum()
    return shares


def _pieces(norms: Norms) -> list[tuple[tuple[Floats, Floats], float]]:
    """`((low, high), share)` of the steps of every interval: log10 of the ends of each piece between two quantiles."""
    if norms.quantiles is None:
        at = np.log10(norms.usual)
        return [((at, at), 1.0)]
    logs = np.log10(norms.quantiles)
    below, above = 2 * logs[:, 0] - logs[:, 1], np.log10(np.maximum(norms.top, norms.quantiles[:, -1]))
    ends = [below, *(logs[:, i] for i in range(len(QUANTILES))), above]
    shares = np.diff([0, *QUANTILES, 100]) / 100
    return [((ends[i], ends[i + 1]), float(share)) for i, share in enumerate(shares)]


def _with_typical(norms: Norms) -> Norms:
    """With the 90th percentile as the histogram has it."""
    edges = _edges([norms], 400)
    i = int(np.searchsorted(np.cumsum(mass(norms, edges)), 0.9 - 1e-9))
    return Norms(**{**_fields(norms), "typical": float(10 ** edges[min(i + 1, len(edges) - 1)])})


def _fields(norms: Norms) -> dict[str, Any]:
    return {name: getattr(norms, name) for name in norms.__dataclass_fields__}


def _edges(every: list[Norms], bins: int) -> Floats:
    logs = np.concatenate([np.concatenate(ends) for n in every for ends, _ in _pieces(n)])
    low, high = float(logs.min()), float(logs.max())
    pad = max(0.02 * (high - low), 0.02)
    found: Floats = np.linspace(low - pad, high + pad, bins + 1)
    return found


def _best(record: Record, curves: Mapping[str, Curve], few: int) -> list[tuple[StudyRow, list[Norms]]]:
    """The best few trials of each study that logged a norm; studies without any are left out."""
    found = []
    for s in record.studies:
        own = [t for t in ranked(record, trials_of(record, s)) if feasible(t) and t.id in curves][:few]
        norms = [n for t in own if (n := norms_of(t, curves[t.id]))]
        found += [(s, norms)] if norms else []
    return found


def _norms_figure(record: Record, curves: Mapping[str, Curve]) -> Figure | None:
    studies = _best(record, curves, FEW)
    if not studies:
        return None
    rows = [Row(panels=1, height=128, label=study_label(record, s), axis=s is studies[-1][0]) for s, _ in studies]
    figure, axes = sheet(rows, columns=1)
    every = [n for _, norms in studies for n in norms]
    last = max(float(n.steps[-1]) for n in every)
    ticks, labels = linear_ticks(0.0, last, 6, whole=True)
    x, y = Ruler(limits=(0.0, last * 1.01), ticks=ticks, labels=labels), _norm_ruler(every)
    for i, ((study, norms), (axis,)) in enumerate(zip(studies, axes, strict=True)):
        rule(axis, x if i == len(studies) - 1 else _unlabelled(x), y)
        _draw_norms(axis, norms, y, record.studies.index(study))
        axis.set_ylabel("gradient norm", color=ink("ink"), labelpad=3)
    axes[-1][0].set_xlabel("step", color=ink("ink"), labelpad=1.5)
    key(figure, _legend(studies))
    return figure


def _draw_norms(axis: Axes, norms: list[Norms], y: Ruler, arm: int) -> None:
    colour = arm_ink(arm)
    best = norms[0]
    if best.quantiles is not None:
        low, high = y.at(best.quantiles[:, 0]), y.at(best.quantiles[:, -1])
        axis.fill_between(best.steps, low, high, color=colour, alpha=0.16, lw=0, gid=tag("norm-band"))
    for n, (_, alpha, dash) in reversed(list(zip(norms, LOOKS, strict=False))):
        width = 1.6 if alpha == 1.0 else 1.0
        if alpha == 1.0 and n.largest is not None:
            at: dict[str, Any] = {"color": colour, "alpha": 0.75, "lw": 0.7, "marker": ".", "ms": 2.5}
            axis.plot(n.steps, y.at(n.largest), gid=tag("largest-norm", [n.trial.id]), **at)
        axis.plot(n.steps, y.at(n.usual), color=colour, alpha=alpha, lw=width, ls=dash, gid=tag("norm", [n.trial.id]))
    if best.threshold is not None:
        axis.axhline(
            float(y.at(best.threshold)), color=ink("ink"), lw=0.9, ls=CLIPPED_AT, zorder=1.5, gid=tag("threshold")
        )


def _norm_ruler(every: list[Norms]) -> Ruler:
    known = np.concatenate([np.concatenate([n.usual, n.top]) for n in every])
    known = np.concatenate([known, [n.threshold for n in every if n.threshold], *_bands(every)])
    low, high = float(np.log10(known.min())), float(np.log10(known.max()))
    pad = 0.06 * ((high - low) or 1.0)
    ticks, labels = log_ticks(low, high)
    return Ruler(limits=(low - pad, high + pad), ticks=ticks, labels=labels, log=True)


def _bands(every: list[Norms]) -> list[Floats]:
    return [n.quantiles.ravel() for n in every if n.quantiles is not None]


def _unlabelled(x: Ruler) -> Ruler:
    return Ruler(limits=x.limits, ticks=x.ticks, labels=tuple("" for _ in x.ticks))


def _legend(studies: list[tuple[StudyRow, list[Norms]]]) -> list[Line2D]:
    every = [n for _, norms in studies for n in norms]
    count = max(len(norms) for _, norms in studies)
    what = "median" if any(n.quantiles is not None for n in every) else "norm"
    looks = [
        Line2D([], [], color=ink("muted"), alpha=alpha, lw=1.6 if alpha == 1 else 1.0, ls=dash, label=f"{what}, {name}")
        for name, alpha, dash in LOOKS[:count]
    ]
    if any(n.largest is not None for n in every):
        mark: dict[str, Any] = {"lw": 0.7, "marker": ".", "ms": 3}
        looks.append(Line2D([], [], color=ink("muted"), label="largest, best trial", **mark))
    if any(n.quantiles is not None for n in every):
        looks.append(Line2D([], [], color=ink("muted"), alpha=0.25, lw=6, label="10 to 90 % of the steps, best trial"))
    return [*looks, *_threshold_key(every)]


def _threshold_key(every: list[Norms]) -> list[Line2D]:
    if not any(n.threshold is not None for n in every):
        return []
    return [Line2D([], [], color=ink("ink"), lw=0.9, ls=CLIPPED_AT, label="clipped above this")]


def _histogram_figure(record: Record, curves: Mapping[str, Curve]) -> Figure | None:
    studies = [(s, norms[0]) for s, norms in _best(record, curves, 1)]
    if not studies:
        return None
    last = studies[-1][0]
    rows = [
        Row(panels=1, height=92, label=study_label(record, s), detail=_detail(n), axis=s is last) for s, n in studies
    ]
    figure, axes = sheet(rows, columns=1)
    edges = _edges([n for _, n in studies], BINS)
    ticks, labels = log_ticks(float(edges[0]), float(edges[-1]))
    x = Ruler(limits=(float(edges[0]), float(edges[-1])), ticks=ticks, labels=labels, log=True)
    for i, ((study, norms), (axis,)) in enumerate(zip(studies, axes, strict=True)):
        _draw_mass(axis, norms, edges, record.studies.index(study), x if i == len(studies) - 1 else _unlabelled(x))
    axes[-1][0].set_xlabel(clipped("gradient norm of the study's best trial", 80), color=ink("ink"), labelpad=2.5)
    dotted = Line2D([], [], color=ink("ink"), lw=1.2, ls=TYPICAL, label="90th percentile of all steps")
    key(figure, [dotted, *_threshold_key([n for _, n in studies])])
    return figure


def _draw_mass(axis: Axes, norms: Norms, edges: Floats, arm: int, x: Ruler) -> None:
    shares = 100.0 * mass(norms, edges)
    top = 1.12 * float(shares.max())
    ticks, labels = linear_ticks(0.0, float(shares.max()), 3)
    rule(axis, x, Ruler(limits=(0.0, top), ticks=ticks, labels=labels))
    axis.bar(
        edges[:-1],
        shares,
        width=0.9 * np.diff(edges),
        align="edge",
        color=arm_ink(arm),
        lw=0,
        zorder=3,
        gid=tag("norm-share"),
    )
    at = float(np.log10(norms.typical))
    axis.axvline(at, color=ink("ink"), lw=1.2, ls=TYPICAL, zorder=4, gid=tag("percentile"))
    if norms.threshold is not None:
        place = float(np.log10(norms.threshold))
        axis.axvline(place, color=ink("ink"), lw=0.9, ls=CLIPPED_AT, zorder=4, gid=tag("threshold"))
    axis.set_ylabel("% of steps", color=ink("ink"), labelpad=3)


def _detail(norms: Norms) -> str:
    clips = "" if norms.threshold is None else f", clipped above {number(norms.threshold)}"
    return f"90 % of the steps below {number(norms.typical)}{clips}"
