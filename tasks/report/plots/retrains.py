"""How far the retrains of one configuration lie apart, and what the gate made of them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.special import stdtrit  # type: ignore[import-untyped]

from tasks.record import Record
from tasks.report.plots.canvas import MARKERS, Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import Ruler, objective_ruler, spread
from tasks.report.retrains import RetrainArm, arm_values, retrain_arms
from tasks.report.verdict import arrow
from tasks.text import plural, spread_text

Floats = NDArray[np.float64]


def retrains_plot(record: Record) -> str:
    """SVG: what the gate saw: each arm's retrains as dots, with their mean and its 95 % interval; or "".

    Hollow dots are retrains of the incumbent from earlier rounds, which count again.

    Playbook: F15, G2, G6
    """
    return drawn(record, "retrains", "Retrains of each arm", lambda: _figure(record))


def _figure(record: Record) -> Figure | None:
    arms = retrain_arms(record)
    if not arms:
        return None
    counted = [v for arm in arms for v in arm.values.values()]
    lost = any(len(arm.trials) + len(arm.kept) > len(arm.values) for arm in arms)
    minimize = record.objective.direction == "minimize"
    x = objective_ruler([], minimize=minimize, strip=lost, extra=counted)  # each of these was paid for: none is cut off
    figure, ((axes,),) = sheet([Row(panels=1, height=46.0 * len(arms) + 8)], columns=1, left=112)
    rule(axes, x.ruler)
    axes.grid(axis="x", color=ink("grid"), linewidth=0.6)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_yticks(range(len(arms)), [clipped(arm.name, 20) for arm in arms])
    values = arm_values(record)
    for place, arm in enumerate(arms):
        label = clipped(values.get(arm.name.partition(" = ")[0], ""), 22)
        left = (-0.008, place + 0.26)  # under the arm's name, in the axes' own width
        axes.text(
            *left, label, transform=axes.get_yaxis_transform(), color=ink("muted"), size=7, ha="right", va="center"
        )
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=ink("ink"))
    axes.spines["left"].set_visible(False)
    for place, arm in enumerate(arms):
        _arm(axes, record, x.ruler, x.strip, arm, place)
    name = f"{clipped(record.objective.metric, 30)} of each retrain {arrow(record, across=True)}"
    axes.set_xlabel(name, color=ink("ink"))
    key(figure, _legend(kept=any(arm.kept for arm in arms), lost=lost))
    return figure


def _study_of(record: Record, arm: RetrainArm) -> int:
    """The place of the study that the point belongs to, for its colour; one past the last where it is of none."""
    for i, study in enumerate(record.studies):
        if study.scientific.items() <= arm.point.items():
            return i
    return len(record.studies)


def _arm(axes: Axes, record: Record, x: Ruler, strip: float, arm: RetrainArm, place: int) -> None:
    """One arm: its retrains in a lane below, their mean with its interval above."""
    colour, marker = arm_ink(_study_of(record, arm)), MARKERS[_study_of(record, arm) % 8]
    values = arm.values
    lane = dict(zip(values, place + 0.18 + spread(len(values), 0.24), strict=True))
    for kind, ids in (("kept", [*arm.kept]), ("retrain", [id for id in values if id not in arm.kept])):
        look: dict[str, Any] = {"mfc": colour, "mec": ink("surface"), "mew": 0.4, "alpha": 0.85}
        if kind == "kept":
            look = {"mfc": "none", "mec": colour, "mew": 1.1}
        at = x.at([values[id] for id in ids])
        if ids:
            gid = tag(kind, ids)
            axes.plot(at, [lane[id] for id in ids], marker, ls="none", ms=4.6, zorder=3, gid=gid, clip_on=False, **look)
    bad = [id for id in arm.trials if id not in values]
    if bad:
        cross: dict[str, Any] = {"ls": "none", "ms": 4.6, "mew": 1.2, "color": ink("infeasible")}
        heights = place + 0.18 + spread(len(bad), 0.24)
        axes.plot(np.full(len(bad), strip), heights, marker="x", gid=tag("infeasible", bad), **cross)
    if values:
        _mean(axes, x, np.array([*values.values()]), place - 0.16, colour, reference="incumbent" in arm.name)


def _mean(axes: Axes, x: Ruler, values: Floats, height: float, colour: str, *, reference: bool) -> None:
    mean, half = mean_interval(values)
    if np.isfinite(half):
        ends = x.at([mean - half, mean + half])
        axes.plot(ends, [height] * 2, color=colour, lw=2.2, alpha=0.55, zorder=4, gid=tag("interval"))
    at = float(x.at(mean))
    axes.plot([at], [height], "D", ms=6.2, mfc=colour, mec=ink("surface"), mew=0.8, zorder=5, gid=tag("mean"))
    axes.annotate(
        f"{spread_text(mean, half)} ({plural(len(values), 'retrain')})", (at, height), (0, 5),
        textcoords="offset points", ha="center", va="bottom", size=7.5, zorder=6,
        bbox={"fc": ink("surface"), "ec": "none", "pad": 1.0},
    )  # fmt: skip
    if reference:
        axes.axvline(at, color=ink("muted"), lw=0.8, ls=(0, (4, 3)), zorder=1, gid=tag("reference"))


def mean_interval(values: Floats) -> tuple[float, float]:
    """`(mean, half width)` of the 95 % t interval; the half width is NaN below two values."""
    n = len(values)
    if n < 2:
        return float(np.mean(values)), float("nan")
    return float(np.mean(values)), float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / np.sqrt(n))


def _legend(*, kept: bool, lost: bool) -> list[Line2D]:
    dot: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 4.6}
    entries = [Line2D([], [], mfc=ink("muted"), mec="none", label="one retrain, its own seed", **dot)]
    if kept:
        entries += [Line2D([], [], mfc="none", mec=ink("muted"), mew=1.1, label="of an earlier round", **dot)]
    entries += [
        Line2D([], [], color=ink("muted"), lw=2.2, marker="D", ms=5.5, alpha=0.8, label="mean and 95 % interval"),
        Line2D([], [], color=ink("muted"), lw=0.8, ls=(0, (4, 3)), label="mean of the incumbent"),
    ]
    if lost:
        cross: dict[str, Any] = {"ls": "none", "marker": "x", "ms": 4.6, "mew": 1.2, "color": ink("infeasible")}
        entries += [Line2D([], [], label="infeasible or failed", **cross)]
    return entries
