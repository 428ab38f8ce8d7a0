"""The luck in a round: what fewer trials would have found, and how far retrains of one point lie apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.special import stdtrit  # type: ignore[import-untyped]

from tasks.analyze.bootstrap import best_of_n
from tasks.analyze.plots_canvas import MARKERS, Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.analyze.rulers import Ruler, linear_ticks, objective_ruler, spread
from tasks.analyze.sentences import arrow, feasible, plural, sign, spread_text, study_label, trials_of
from tasks.design.study import derived_seed
from tasks.record import Record, StudyRow, TrialRow

SIZES = 24  # corners of a best-of-n curve
TOGETHER = 3  # more studies than this get a panel each: bands on bands cannot be told apart
COLUMNS = 3

Floats = NDArray[np.float64]


def best_of_n_plot(record: Record) -> str:
    """SVG: the best objective that n trials of each study would have found, median and 5 to 95 % band; or "".

    A curve that still falls at its end asks for more trials; wide bands say how much of the best is luck.

    Playbook: D13, F15
    """
    return drawn("best-of-n", "Best of n trials", lambda: _best_figure(record))


def retrains_plot(record: Record) -> str:
    """SVG: what the gate saw: each arm's retrains as dots, with their mean and its 95 % interval; or "".

    Playbook: F15, G2
    """
    return drawn("retrains", "Retrains of each arm", lambda: _retrains_figure(record))


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
    axes.fill_between(sizes, at[:, 0], at[:, 2], color=colour, alpha=0.2, lw=0, zorder=2, gid="band")
    mark: dict[str, Any] = {"marker": MARKERS[arm % 8], "ms": 3.4, "mec": ink("surface"), "mew": 0.4}
    axes.plot(sizes, at[:, 1], color=colour, lw=1.6, zorder=3, gid="median", **mark)


def _best_legend(record: Record, studies: Sequence[StudyRow], apart: bool) -> list[Line2D]:
    shade = Line2D([], [], color=ink("muted"), alpha=0.25, lw=7, label="5 to 95 % of bootstrapped searches")
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


def retrain_arms(record: Record) -> list[tuple[str, list[TrialRow]]]:
    """The arms of the gate with their retrains: equal points are one arm, under the names that it goes by.

    Playbook: G2
    """
    arms: dict[str, list[TrialRow]] = {}
    names: dict[str, list[str]] = {}
    for trial in record.trials:
        if trial.purpose != "retrain":
            continue
        point = repr(sorted(trial.point.items()))
        arms.setdefault(point, []).append(trial)
        name = trial.study.removeprefix("retrain-")
        if name not in names.setdefault(point, []):
            names[point].append(name)
    return [(" = ".join(names[p]), arms[p]) for p in arms]


def _retrains_figure(record: Record) -> Figure | None:
    arms = retrain_arms(record)
    values = [t.best_value for _, own in arms for t in own if feasible(t) and t.best_value is not None]
    if not arms:
        return None
    minimize = record.objective.direction == "minimize"
    x = objective_ruler(values, minimize=minimize, strip=any(not feasible(t) for _, own in arms for t in own))
    figure, ((axes,),) = sheet([Row(panels=1, height=46.0 * len(arms) + 8)], columns=1, left=112)
    rule(axes, x.ruler)
    axes.grid(axis="x", color=ink("grid"), linewidth=0.6)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_yticks(range(len(arms)), [clipped(name, 20) for name, _ in arms])
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=ink("ink"))
    axes.spines["left"].set_visible(False)
    for k, (name, own) in enumerate(arms):
        _arm(axes, x.ruler, x.strip, own, (k, _study_of(record, own[0])), "incumbent" in name)
    axes.set_xlabel(
        f"{clipped(record.objective.metric, 30)} of each retrain {arrow(record, across=True)}", color=ink("ink")
    )
    key(figure, _retrains_legend(len(values) < sum(len(own) for _, own in arms)))
    return figure


def _study_of(record: Record, trial: TrialRow) -> int:
    """The place of the study that the point belongs to, for its colour; one past the last where it is of none."""
    for i, study in enumerate(record.studies):
        if study.scientific.items() <= trial.point.items():
            return i
    return len(record.studies)


def _arm(axes: Axes, x: Ruler, strip: float, trials: list[TrialRow], at: tuple[int, int], reference: bool) -> None:
    place, arm = at
    colour, marker = arm_ink(arm), MARKERS[arm % 8]
    good = np.array([t.best_value for t in trials if feasible(t)], dtype=np.float64)
    bad = [t for t in trials if not feasible(t)]
    lane = place + 0.18
    axes.plot(
        x.at(good), lane + spread(len(good), 0.24), marker, ms=4.6, mfc=colour, mec=ink("surface"), mew=0.4,
        alpha=0.85, zorder=3, gid="retrain", clip_on=False,
    )  # fmt: skip
    if bad:
        axes.plot(
            np.full(len(bad), strip),
            lane + spread(len(bad), 0.24),
            "x",
            ms=4.6,
            mew=1.2,
            color=ink("infeasible"),
            gid="infeasible",
        )
    if not len(good):
        return
    mean, half = mean_interval(good)
    height = place - 0.16
    if np.isfinite(half):
        axes.plot(
            x.at([mean - half, mean + half]), [height] * 2, color=colour, lw=2.2, alpha=0.55, zorder=4, gid="interval"
        )
    axes.plot(x.at([mean]), [height], "D", ms=6.2, mfc=colour, mec=ink("surface"), mew=0.8, zorder=5, gid="mean")
    text = f"{spread_text(mean, half)} ({plural(len(good), 'retrain')})"
    axes.annotate(
        text, (float(x.at(mean)), height), (0, 5), textcoords="offset points",
        ha="center", va="bottom", size=7.5, zorder=6, bbox={"fc": ink("surface"), "ec": "none", "pad": 1.0},
    )  # fmt: skip
    if reference:
        axes.axvline(float(x.at(mean)), color=ink("muted"), lw=0.8, ls=(0, (4, 3)), zorder=1, gid="reference")


def mean_interval(values: Floats) -> tuple[float, float]:
    """`(mean, half width)` of the 95 % t interval; the half width is NaN below two values."""
    n = len(values)
    if n < 2:
        return float(np.mean(values)), float("nan")
    return float(np.mean(values)), float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(n))


def _retrains_legend(crossed: bool) -> list[Line2D]:
    entries = [
        Line2D([], [], ls="none", marker="o", ms=4.6, mfc=ink("muted"), mec="none", label="one retrain, its own seed"),
        Line2D([], [], color=ink("muted"), lw=2.2, marker="D", ms=5.5, alpha=0.8, label="mean and 95 % interval"),
        Line2D([], [], color=ink("muted"), lw=0.8, ls=(0, (4, 3)), label="mean of the incumbent"),
    ]
    cross = Line2D(
        [], [], ls="none", marker="x", ms=4.6, mew=1.2, color=ink("infeasible"), label="infeasible or failed"
    )
    return [*entries, *([cross] if crossed else [])]
