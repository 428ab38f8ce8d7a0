"""Hyperparameter axis plots: the objective over every parameter that varied, a row of panels for each study."""

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tasks.record import Record, StudyRow, TrialRow, Value
from tasks.report.plots.canvas import MANY, MARKERS, Row, arm_ink, clipped, drawn, fitting, ink, key, rule, sheet
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import ObjectiveRuler, Ruler, objective_ruler, parameter_ruler, spread
from tasks.report.trials import best_of, counted, feasible, learning, never_learned, study_label, trials_of
from tasks.report.verdict import arrow
from tasks.scope.space import Parameter, space_from_tree
from tasks.text import number

COLUMNS = 4
SHEET = 4000  # single marks of a sheet at most: with their names they are a megabyte and a half
FEW = 40  # marks that remain single in a panel that is a picture


def axis_plot(record: Record) -> str:
    """SVG: a panel for every varied parameter of every study, the objective over it in its sampled scale; or "".

    Dots are feasible trials, red crosses in the strip at the worse end infeasible and failed ones, dull upright crosses
    finite ones that never learned, and so count as infeasible; those set no axis. The ring is the study's best trial, a
    caret is a value beyond the axis, a white centre marks a trial that was kept of an earlier round. White is the
    search space, grey is outside it. A conditional parameter shows only the trials in which it exists. Findings stand
    over the panel they speak of.

    Playbook: E8, E13, F15
    """
    return drawn(record, "axis", "Hyperparameter axis plots", lambda: _figure(record))


def varied_parameters(study: StudyRow) -> tuple[Parameter, ...]:
    """The parameters of a study that had more than one possible value, in order."""
    return tuple(p for p in space_from_tree(study.space) if not p.constant)


def _figure(record: Record) -> Figure | None:
    studies = [s for s in record.studies if varied_parameters(s) and trials_of(record, s)]
    if not studies:
        return None
    lines = [-(-len(varied_parameters(s)) // COLUMNS) for s in studies]
    columns = max(-(-len(varied_parameters(s)) // n) for s, n in zip(studies, lines, strict=True))
    rows: list[Row] = []
    for study in studies:
        own = varied_parameters(study)
        for i in range(0, len(own), columns):
            label = study_label(record, study) if i == 0 else ""
            rows.append(
                Row(panels=len(own[i : i + columns]), height=112, label=label, detail=_detail(record, study, i))
            )
    figure, axes = sheet(rows, columns=columns)
    y = _objective(record)
    place = iter(axes)
    room = min(MANY, SHEET // sum(len(varied_parameters(s)) for s in studies))
    for k, study in enumerate(studies):
        own = varied_parameters(study)
        for i in range(0, len(own), columns):
            for j, (axis, parameter) in enumerate(zip(next(place), own[i : i + columns], strict=True)):
                _panel(axis, record, study, parameter, y, k, names=j == 0, room=room)
    key(figure, _legend(record, studies))
    return figure


def _detail(record: Record, study: StudyRow, line: int) -> str:
    if line:
        return ""
    trials = trials_of(record, study)
    best = best_of(record, trials)
    return counted(record, trials) + (f" · best {record.objective.metric} {number(best.best_value)}" if best else "")


def _objective(record: Record) -> ObjectiveRuler:
    """One objective axis for the whole sheet, so that studies can be compared by eye."""
    shown = [t for s in record.studies for t in trials_of(record, s)]
    return objective_ruler(
        [t.best_value for t in learning(record, shown) if t.best_value is not None],
        minimize=record.objective.direction == "minimize",
        strip=any(not feasible(t) for t in shown),
    )


def _panel(
    axes: Axes,
    record: Record,
    study: StudyRow,
    parameter: Parameter,
    y: ObjectiveRuler,
    arm: int,
    *,
    names: bool,
    room: int,
) -> None:
    trials = [t for t in trials_of(record, study) if parameter.name in t.tried]
    x = parameter_ruler(parameter, [t.tried[parameter.name] for t in trials])
    rule(axes, x, y.ruler, names=names)
    _outside(axes, x)
    if any(not feasible(t) for t in trials):
        axes.axhline(y.fence, color=ink("muted"), lw=0.5, ls=(0, (1.5, 2.5)), zorder=1)
    draw_trials(axes, trials, places(x, trials, parameter.name), y, arm, room=room, stuck=never_learned(record))
    if len(trials) <= room:
        _kept(axes, trials, places(x, trials, parameter.name), y, never_learned(record))
    best = best_of(record, trials_of(record, study))
    for i, trial in enumerate(trials):
        if best is not None and trial.id == best.id:
            at = places(x, trials, parameter.name)[i]
            shown, _ = y.shown([trial.best_value or 0.0])
            ring: dict[str, Any] = {"ms": 9.5, "mfc": "none", "mec": ink("ink"), "mew": 1.3, "clip_on": False}
            axes.plot([at], shown, "o", zorder=5, gid=tag("best", [best.id]), **ring)
    axes.set_xlabel(fitting(axes, parameter.name), labelpad=2.5, color=ink("ink"))
    if names:
        axes.set_ylabel(f"{clipped(record.objective.metric, 14)} {arrow(record)}", labelpad=4, color=ink("ink"))
    axes.set_gid(tag("panel"))
    _tags(axes, record, study, parameter)


def _outside(axes: Axes, x: Ruler) -> None:
    """Grey outside the search space, a line at each of its bounds."""
    if x.bounds is None:
        return
    for bound, end in zip(x.bounds, x.limits, strict=True):
        axes.axvspan(min(bound, end), max(bound, end), color=ink("outside"), linewidth=0, zorder=0)
        axes.axvline(bound, color=ink("muted"), linewidth=0.7, zorder=1)


def places(x: Ruler, trials: Sequence[TrialRow], name: str) -> NDArray[np.float64]:
    """(trials,) float64: where each trial stands on the parameter's axis, NaN where it has no place."""
    values: list[Value] = [t.tried[name] for t in trials]
    if not x.categories:
        return x.at([np.nan if isinstance(v, str) else float(v) for v in values])
    jitter = spread(len(values), 0.5)
    cells = [x.cell(v) for v in values]
    return np.array([np.nan if c is None else c + j for c, j in zip(cells, jitter, strict=True)])


def draw_trials(
    axes: Axes,
    trials: Sequence[TrialRow],
    x: NDArray[np.float64],
    y: ObjectiveRuler,
    arm: int,
    *,
    faint: bool = False,
    room: int = MANY,
    stuck: frozenset[str] = frozenset(),
) -> None:
    """The trials at those places: feasible as dots, out-of-sight ones as carets, the others as red crosses.

    Those `stuck`, which count as infeasible in the checks, are dull upright crosses where their values are. More than
    `room` trials are one picture, and only the best few of the feasible ones remain marks with a name.

    Playbook: E8
    """
    shown, cut = y.shown([t.best_value if t.best_value is not None else np.nan for t in trials])
    placed = np.isfinite(x)
    known = placed & np.array([feasible(t) for t in trials], dtype=bool)
    dull = known & np.array([t.id in stuck for t in trials], dtype=bool)
    good, bad = known & ~dull, placed & ~known
    many = len(trials) > room
    seen = good & ~cut
    apart = _few(shown, seen, y.upward) if many else seen
    size, alpha = (2.6, 0.6) if many else (3.2, 0.35) if faint else (4.2, 0.85)
    for chosen, edge, flat in ((seen & ~apart, 0.0, True), (apart, 0.4, False)):
        if chosen.any():
            look: dict[str, Any] = {"mfc": arm_ink(arm), "mec": ink("surface") if edge else "none", "mew": edge}
            look |= {"ls": "none", "alpha": alpha, "ms": size, "rasterized": flat, "clip_on": False}
            gid = tag("feasible", (t.id for t in compress(trials, chosen)))
            axes.plot(x[chosen], shown[chosen], MARKERS[arm % 8], zorder=3, gid=gid, **look)
    bare: dict[str, Any] = {"ls": "none", "clip_on": False, "rasterized": many}
    if (good & cut).any():
        gone = good & cut
        # hollow, for filled ones are the marks of arms
        own: dict[str, Any] = {"mfc": ink("surface"), "mec": arm_ink(arm), "mew": 1.0, "ms": 5.0}
        own |= {"gid": tag("beyond", (t.id for t in compress(trials, gone)))}
        axes.plot(x[gone], shown[gone], marker="^" if y.upward else "v", **(bare | own))
    if dull.any():
        ids = (t.id for t in compress(trials, dull))
        bare |= {"color": ink("stuck"), "ms": 5.4, "mew": 1.2, "gid": tag("stuck", ids)}
        axes.plot(x[dull], shown[dull], marker="+", zorder=4, **bare)
    if bad.any() and not faint:
        bare |= {
            "color": ink("infeasible"),
            "ms": 4.6,
            "mew": 1.2,
            "gid": tag("infeasible", (t.id for t in compress(trials, bad))),
        }
        axes.plot(x[bad], np.full(int(bad.sum()), y.strip), marker="x", zorder=4, **bare)


def _kept(
    axes: Axes, trials: Sequence[TrialRow], x: NDArray[np.float64], y: ObjectiveRuler, stuck: frozenset[str]
) -> None:
    """A white centre in the dot of each trial that was kept of an earlier round."""
    shown, cut = y.shown([t.best_value if t.best_value is not None else np.nan for t in trials])
    dot = np.array([t.kept is not None and feasible(t) and t.id not in stuck for t in trials], dtype=bool)
    dot &= np.isfinite(x) & ~cut
    if dot.any():
        look: dict[str, Any] = {"ls": "none", "ms": 1.9, "mfc": ink("surface"), "mec": "none", "clip_on": False}
        axes.plot(x[dot], shown[dot], "o", zorder=4, gid=tag("kept", (t.id for t in compress(trials, dot))), **look)


def _few(shown: NDArray[np.float64], seen: NDArray[np.bool_], upward: bool) -> NDArray[np.bool_]:
    """(trials,) bool: the best `FEW` of those in sight."""
    losses = np.where(seen, shown if upward else -shown, np.inf)
    few = np.zeros(len(shown), dtype=bool)
    few[np.argsort(losses, kind="stable")[:FEW]] = True
    return few & seen


def _tags(axes: Axes, record: Record, study: StudyRow, parameter: Parameter) -> None:
    """The rows of the findings that speak of this panel, above it."""
    own = [f for f in record.findings if (f.where.study, f.where.parameter) == (study.id, parameter.name)]
    for level, colour, place in (("fail", "infeasible", 1.0), ("warn", "warn", 0.0)):
        rows = list(dict.fromkeys(f.row for f in own if f.level == level))[:4]
        if rows:
            text = f"{level} {' '.join(rows)}"
            side = "right" if place else "left"
            axes.text(
                place,
                1.0,
                text,
                transform=axes.transAxes,
                color=ink(colour),
                size=7,
                weight="bold",
                ha=side,
                va="bottom",
            )


def _legend(record: Record, studies: Sequence[StudyRow]) -> list[Line2D]:
    def mark(label: str, marker: Any, **look: Any) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, label=label, **look)

    shown = [t for s in studies for t in trials_of(record, s)]
    y = _objective(record)
    stuck = never_learned(record)
    _, cut = y.shown([t.best_value for t in learning(record, shown) if t.best_value is not None])
    entries = [mark("feasible trial", "o", mfc=ink("muted"), mec="none", ms=4.2)]
    entries += [mark("best of its study", "o", mfc="none", mec=ink("ink"), ms=7, mew=1.2)]
    if any(t.kept for t in shown):
        look = {"mfc": ink("surface"), "mec": ink("muted"), "mew": 1.4, "ms": 3.6}
        entries += [mark("kept of an earlier round", "o", **look)]
    if not all(feasible(t) for t in shown):
        others = ", failed or stopped" if any(t.status == "stopped" for t in shown) else " or failed"
        entries += [mark(f"infeasible{others}", "x", color=ink("infeasible"), ms=4.6, mew=1.2)]
    if stuck.intersection(t.id for t in shown):
        entries += [mark("never learned: counts as infeasible", "+", color=ink("stuck"), ms=5.4, mew=1.2)]
    if cut.any():
        look = {"mfc": ink("surface"), "mec": ink("muted"), "mew": 1.0, "ms": 5.0}
        entries += [mark("beyond the axis", "^" if y.upward else "v", **look)]
    return [*entries, mark("outside the search space", "s", mfc=ink("outside"), mec=ink("muted"), ms=6, mew=0.5)]
