"""Isolation plots: the best trial of each scientific value, whatever its nuisance parameters, with a band."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tasks.record import IsolationRow, Record, TrialRow
from tasks.report.plots.axis import draw_trials, places
from tasks.report.plots.canvas import WIDTH, Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import ObjectiveRuler, Ruler, category_ruler, objective_ruler, parameter_ruler
from tasks.report.retrains import gate_arms
from tasks.report.trials import learning, sign
from tasks.report.verdict import arrow
from tasks.scope.space import Parameter, same, space_from_tree
from tasks.text import number

COLUMNS = 2


def isolation_plot(record: Record) -> str:
    """SVG: for each scientific parameter the best trial of every value or bucket with its band; or "".

    The band is what the luck of the search could have made of that best; a diamond is the mean of that trial's
    retrains where there are any. Faint dots are the feasible trials that learned: the best ones are their lower
    envelope (upper, where higher is better).

    Playbook: F11, F12, F14, F15
    """
    return drawn(record, "isolation", "Isolation plots", lambda: _figure(record))


def _figure(record: Record) -> Figure | None:
    rows = [r for r in record.isolation if r.best_value is not None]
    names = list(dict.fromkeys(r.parameter for r in rows))
    if not names:
        return None
    columns = min(COLUMNS, len(names))
    lines = [names[i : i + columns] for i in range(0, len(names), columns)]
    wide = WIDTH if columns > 1 else min(WIDTH, 250.0 + 105.0 * sum(r.parameter == names[0] for r in rows))
    figure, axes = sheet([Row(panels=len(line), height=190) for line in lines], columns=columns, wide=wide)
    y = _objective(record, rows)
    for line, drawn_line in zip(lines, axes, strict=True):
        for j, (name, axis) in enumerate(zip(line, drawn_line, strict=True)):
            _panel(axis, record, name, y)
            rule(axis, y=y.ruler, names=j == 0)
            if j == 0:
                axis.set_ylabel(f"{clipped(record.objective.metric, 22)} {arrow(record)}", color=ink("ink"))
    key(figure, _legend(record))
    return figure


def _objective(record: Record, rows: list[IsolationRow]) -> ObjectiveRuler:
    """An axis for the bests and their bands; of the cloud behind them only what lies near."""
    factor = sign(record)
    ends = [v for r in rows for v in (r.band or ())] + [r.best_value for r in rows if r.best_value is not None]
    span = float(np.ptp(ends)) or abs(ends[0]) * 0.05 or 1.0
    reach = max(factor * v for v in ends) + 1.5 * span
    searched = [t for t in record.trials if t.purpose != "retrain"]
    near = [
        t.best_value for t in learning(record, searched) if t.best_value is not None and factor * t.best_value <= reach
    ]
    return objective_ruler(near, minimize=factor > 0, strip=False, extra=[*ends, *_retrained(record, rows)])


def _retrained(record: Record, rows: list[IsolationRow]) -> list[float]:
    return [mean for r in rows if (mean := _retrain_mean(record, r)) is not None]


def _retrain_mean(record: Record, row: IsolationRow) -> float | None:
    """The mean of the best trial's retrains, None where it has none."""
    best = next((t for t in record.trials if t.id == row.best_trial), None)
    arm = next((arm for arm in gate_arms(record) if best and arm.point == best.point), None)
    values = [row.value for row in arm.trials if row.value is not None] if arm else []
    return float(np.mean(values)) if values else None


def _panel(axes: Axes, record: Record, name: str, y: ObjectiveRuler) -> None:
    rows = [r for r in record.isolation if r.parameter == name]
    trials = learning(record, (t for t in record.trials if t.purpose != "retrain" and name in t.point))
    listed = [r.value for r in rows if r.value is not None]
    letters = int(axes.get_position().width * axes.figure.get_figwidth() * 72 / 4.8)  # type: ignore[union-attr]
    x = category_ruler(listed, letters) if listed else _scale(record, rows, name)
    rule(axes, x)
    axes.set_xlabel(clipped(name, 40), labelpad=2.5, color=ink("ink"))
    near = [t for t in trials if not y.shown([t.best_value or 0.0])[1][0]]
    _cloud(axes, x, near, name, y, bool(listed))
    for i, row in enumerate(rows):
        if row.best_value is None:
            if row.value is not None:
                axes.text(
                    i, y.ruler.limits[0], "none feasible", size=7, color=ink("infeasible"), ha="center", va="bottom"
                )
            continue
        ends = (i - 0.16, i + 0.16) if row.bucket is None else tuple(float(v) for v in x.at(row.bucket))
        _best(axes, record, row, x, y.ruler, (ends[0], ends[1]), arm_ink(i if row.bucket is None else 0))


def _cloud(axes: Axes, x: Ruler, trials: list[TrialRow], name: str, y: ObjectiveRuler, listed: bool) -> None:
    if not listed:
        draw_trials(axes, trials, places(x, trials, name), y, 0, faint=True)
        return
    for i, value in enumerate(x.categories):
        own = [t for t in trials if same(t.point[name], value)]
        draw_trials(axes, own, places(x, own, name), y, i, faint=True)


def _best(
    axes: Axes, record: Record, row: IsolationRow, x: Ruler, y: Ruler, ends: tuple[float, float], colour: str
) -> None:
    """The best value as a bar with its number, its band, and the mean of its retrains."""
    middle = sum(ends) / 2
    best = float(y.at([np.nan if row.best_value is None else row.best_value])[0])
    if row.band is not None:
        low, high = (float(v) for v in y.at(row.band))
        if row.bucket is None:
            axes.plot(
                [middle] * 2,
                [low, high],
                color=colour,
                lw=7,
                alpha=0.28,
                solid_capstyle="butt",
                zorder=3,
                gid=tag("band"),
            )
        else:
            axes.fill_between(ends, low, high, color=colour, alpha=0.24, lw=0, zorder=3, gid=tag("band"))
    trial = next((t for t in record.trials if t.id == row.best_trial), None)
    if row.bucket is not None and trial is not None and row.parameter in trial.point:
        at = places(x, [trial], row.parameter)
        axes.plot(
            at,
            [best],
            "o",
            ms=5,
            mfc=colour,
            mec=ink("surface"),
            mew=0.6,
            zorder=6,
            gid=tag("isolated-trial", [trial.id]),
        )
    axes.plot(
        ends,
        [best, best],
        color=colour,
        lw=2.2,
        solid_capstyle="butt",
        zorder=4,
        gid=tag("isolated", [trial.id] if trial else []),
    )
    mean = _retrain_mean(record, row)
    if mean is not None:
        axes.plot(
            [middle], y.at([mean]), "D", ms=6, mfc=ink("surface"), mec=colour, mew=1.5, zorder=6, gid=tag("retrained")
        )
    _number(axes, row, (ends[1], best) if row.bucket is None else (middle, best))


def _number(axes: Axes, row: IsolationRow, at: tuple[float, float]) -> None:
    """The best value in figures: beside the bar of a value, below that of a bucket."""
    offset, align, level = ((4, 0), "left", "center") if row.bucket is None else ((0, -4), "center", "top")
    look: dict[str, Any] = {"ha": align, "va": level, "size": 8, "weight": "bold", "zorder": 7}
    axes.annotate(number(row.best_value), at, offset, textcoords="offset points", **look)


def _scale(record: Record, rows: list[IsolationRow], name: str) -> Ruler:
    """The axis of a bucketed parameter: as it was sampled, wide enough for every bucket."""
    ends = [v for r in rows for v in (r.bucket or ())]
    for study in record.studies:
        space = space_from_tree(study.space)
        if name in space:
            return parameter_ruler(space[name], ends)
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return parameter_ruler(Parameter(name=name, low=low, high=high), ends)


def _legend(record: Record) -> list[Line2D]:
    rows = [r for r in record.isolation if r.best_value is not None]
    entries = [Line2D([], [], color=ink("muted"), lw=2.2, label="best trial")]
    if any(r.band for r in rows):
        entries += [Line2D([], [], color=ink("muted"), lw=7, alpha=0.28, label="luck of the search")]
    entries += [Line2D([], [], ls="none", marker="o", ms=3.2, color=ink("muted"), alpha=0.5, label="feasible trial")]
    if _retrained(record, rows):
        mark: dict[str, Any] = {"mfc": ink("surface"), "mec": ink("muted"), "mew": 1.5}
        entries += [Line2D([], [], ls="none", marker="D", ms=5, label="mean of its retrains", **mark)]
    return entries
