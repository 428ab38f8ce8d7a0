"""Best-of-n curves: what fewer trials of each study would have found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tasks.analyze.study.bootstrap import best_of_n
from tasks.design.study import derived_seed
from tasks.record import Record, StudyRow
from tasks.report.plots.canvas import MARKERS, Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import Ruler, linear_ticks, objective_ruler
from tasks.report.trials import feasible, sign, study_label, trials_of
from tasks.report.verdict import arrow

SIZES = 24  # corners of a best-of-n curve
TOGETHER = 3  # more studies than this get a panel each: bands on bands cannot be told apart
COLUMNS = 3

Floats = NDArray[np.float64]


def best_of_n_plot(record: Record) -> str:
    """SVG: the best objective that n trials of each study would have found, median and 5 to 95 % band; or "".

    A curve that still falls at its end asks for more trials. The band resamples the trials that were run and ends at
    the best of them, so it is no estimate of another search's luck: that is D12's and F14's.

    Playbook: D13, F15
    """
    return drawn(record, "best-of-n", "Best of n trials", lambda: _best_figure(record))


def _best_figure(record: Record) -> Figure | None:
    studies = [s for s in record.studies if any(feasible(t) for t in trials_of(record, s))]
    if not studies:
        return None
    bands = [_bands(record, s) for s in studies]
    medians = [float(v) for _, b in bands for v in b[:, 1] if np.isfinite(v)]
    ends = [float(v) for _, b in bands for v in b[-1] if np.isfinite(v)]
    y = objective_ruler([], minimize=sign(record) > 0, strip=False, extra=[*medians, *ends]).ruler
    last = max(float(sizes[-1]) for sizes, _ in bands)
    ticks, labels = linear_ticks(1.0, last, 6, whole=True)
    x = Ruler(limits=(1.0 if last > 1 else 0.5, last + 0.02 * last), ticks=ticks, labels=labels)
    apart = len(studies) > TOGETHER
    columns = COLUMNS if apart else 1
    count = -(-len(studies) // columns)
    places = [min(columns, len(studies) - i * columns) for i in range(count)] if apart else [1]
    figure, axes = sheet([Row(panels=n, height=100 if apart else 190) for n in places], columns=columns)
    flat = [a for line in axes for a in line]
    for k, (study, (sizes, band)) in enumerate(zip(studies, bands, strict=True)):
        axis = flat[k] if apart else flat[0]
        rule(axis, x, y, names=not apart or k % columns == 0)
        _draw_band(axis, y, sizes, band, record.studies.index(study), minimize=sign(record) > 0)
        axis.set_xlabel("trials (n)", color=ink("ink"), labelpad=2.5)
        if not apart or k % columns == 0:
            axis.set_ylabel(f"best {clipped(record.objective.metric, 16)} {arrow(record)}", color=ink("ink"))
        if apart:
            axis.text(
                1, 1, clipped(study_label(record, study), 34), transform=axis.transAxes, ha="right", va="top", size=7.5
            )
    key(figure, _best_legend(record, studies, apart))
    return figure


def _bands(record: Record, study: StudyRow) -> tuple[NDArray[np.int64], Floats]:
    """`(sizes, quantiles)`: (k,) int64 and (k, 3) float64, the 5, 50 and 95 % quantile in the metric's own unit."""
    factor = sign(record)
    values = [t.best_value if feasible(t) else None for t in trials_of(record, study)]
    losses = factor * np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    sizes = np.unique(np.geomspace(1, len(losses), min(SIZES, len(losses))).round().astype(np.int64))
    rng = np.random.default_rng(derived_seed(study.seed, study.id, "best of n"))
    return sizes, factor * best_of_n(losses, sizes, rng)


def _draw_band(axes: Axes, y: Ruler, sizes: NDArray[np.int64], band: Floats, arm: int, *, minimize: bool) -> None:
    worse = y.limits[1] if minimize else y.limits[0]  # "no feasible trial among them" lies beyond the axis
    at = y.at(np.where(np.isfinite(band), band, np.nan))
    at[:, [0, 2]] = np.where(np.isfinite(at[:, [0, 2]]), at[:, [0, 2]], worse)
    colour = arm_ink(arm)
    axes.fill_between(sizes, at[:, 0], at[:, 2], color=colour, alpha=0.2, lw=0, zorder=2, gid=tag("band"))
    mark: dict[str, Any] = {"marker": MARKERS[arm % 8], "ms": 3.4, "mec": ink("surface"), "mew": 0.4}
    mark |= {"clip_on": False}  # the first one stands on the frame
    axes.plot(sizes, at[:, 1], color=colour, lw=1.6, zorder=3, gid=tag("median"), **mark)


def _best_legend(record: Record, studies: Sequence[StudyRow], apart: bool) -> list[Line2D]:
    shade = Line2D(
        [], [], color=ink("muted"), alpha=0.25, lw=7, label="5 to 95 % of searches resampled from these trials"
    )
    if apart:
        return [Line2D([], [], color=ink("muted"), lw=1.6, label="median"), shade]
    index = [record.studies.index(s) for s in studies]
    lines = [
        Line2D(
            [], [], color=arm_ink(i), marker=MARKERS[i % 8], ms=3.4, lw=1.6, label=clipped(study_label(record, s), 34)
        )
        for i, s in zip(index, studies, strict=True)
    ]
    return [*lines, shade]
