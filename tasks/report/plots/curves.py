"""Training curves of the best few trials of each study, and when each trial was at its best."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tasks.record import Record, StudyRow, TrialRow
from tasks.report.plots.canvas import Row, arm_ink, clipped, drawn, ink, key, rule, sheet
from tasks.report.plots.marks import tag
from tasks.report.plots.rulers import Ruler, linear_ticks, log_ticks
from tasks.report.trials import feasible, ranked, study_label, trials_of
from tasks.text import percent
from tasks.trials.trial import Curve

FEW = 3  # "best few" of each study
POINTS = 400  # a line has no more corners than this; the best step is marked from the record and loses nothing
LOOKS = (("best trial", 1.0, "-"), ("second best", 0.65, "-"), ("third best", 0.45, (0, (3, 1.5))))

Floats = NDArray[np.float64]
Line = tuple[TrialRow, Floats, Floats]


def training_curves(record: Record, curves: Mapping[str, Curve]) -> str:
    """SVG: the objective and the training loss over steps, for the best few trials of each study; or "".

    A dot marks the best step. Where the reports hold no training loss the objective stands alone.

    Playbook: F1, F15
    """
    return drawn(record, "curves", "Training curves of the best trials", lambda: _curves_figure(record, curves))


def best_steps_plot(record: Record) -> str:
    """SVG: how many trials were at their best at which step, with the early and the late zone shaded; or "".

    Playbook: F15, H3
    """
    return drawn(record, "best-steps", "Best step of each trial", lambda: _steps_figure(record))


def _curves_figure(record: Record, curves: Mapping[str, Curve]) -> Figure | None:
    best = {
        s.id: [t for t in ranked(record, trials_of(record, s)) if feasible(t) and t.id in curves][:FEW]
        for s in record.studies
    }
    studies = [s for s in record.studies if best[s.id]]
    if not studies:
        return None
    train = _train_metric(curves, [t for trials in best.values() for t in trials])
    metrics = [record.objective.metric, *([train] if train and train != record.objective.metric else [])]
    rows = [Row(panels=len(metrics), height=110, label=study_label(record, s), axis=True) for s in studies]
    figure, axes = sheet(rows, columns=len(metrics), gap=58)
    for j, metric in enumerate(metrics):
        lines = {s.id: [_line(curves[t.id], t, metric) for t in best[s.id]] for s in studies}
        every = [line for group in lines.values() for line in group]
        x, y = _steps_ruler(every), _values_ruler(np.concatenate([v for _, _, v in every]))
        for i, study in enumerate(studies):
            rule(axes[i][j], x, y)
            _draw_lines(axes[i][j], lines[study.id], y, record.studies.index(study), marked=j == 0)
            axes[i][j].set_ylabel(clipped(metric, 22), color=ink("ink"), labelpad=3)
            axes[i][j].set_xlabel("step", color=ink("ink"), labelpad=1.5)
    key(figure, _curves_legend(max(len(t) for t in best.values())))
    return figure


def _train_metric(curves: Mapping[str, Curve], trials: list[TrialRow]) -> str | None:
    """`train_loss` if anything reports it, else the first metric that calls itself one of training."""
    names = sorted({name for t in trials for name in curves[t.id].metrics})
    return "train_loss" if "train_loss" in names else next((n for n in names if n.startswith("train")), None)


def _line(curve: Curve, trial: TrialRow, metric: str) -> Line:
    steps, values = curve.of(metric)
    stride = -(-len(steps) // POINTS) or 1
    kept = np.unique(np.append(np.arange(0, len(steps), stride), max(len(steps) - 1, 0))) if len(steps) else steps
    return trial, steps[kept].astype(np.float64), values[kept]


def _steps_ruler(lines: list[Line]) -> Ruler:
    last = max([1.0, *(float(s[-1]) for _, s, _ in lines if len(s))])
    ticks, labels = linear_ticks(0.0, last, 4, whole=True)
    return Ruler(limits=(0.0, last * 1.02), ticks=ticks, labels=labels)


def _values_ruler(values: Floats) -> Ruler:
    """Log where a curve falls by much: most of what a reader looks for happens near its end."""
    known = values[np.isfinite(values)]
    known = known if len(known) else np.array([0.0, 1.0])
    low, high = float(known.min()), float(known.max())
    if low > 0 and high / low > 8:
        ends = (float(np.log10(low)), float(np.log10(high)))
        pad = 0.06 * (ends[1] - ends[0])
        ticks, labels = log_ticks(*ends)
        return Ruler(limits=(ends[0] - pad, ends[1] + pad), ticks=ticks, labels=labels, log=True)
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    ticks, labels = linear_ticks(low, high, 4)
    return Ruler(limits=(low - pad, high + pad), ticks=ticks, labels=labels)


def _draw_lines(axes: Axes, lines: list[Line], y: Ruler, arm: int, *, marked: bool) -> None:
    for (trial, steps, values), (_, alpha, dash) in reversed(list(zip(lines, LOOKS, strict=False))):
        first = alpha == 1.0
        axes.plot(
            steps,
            y.at(values),
            color=arm_ink(arm),
            alpha=alpha,
            lw=1.6 if first else 1.0,
            ls=dash,
            gid=tag("curve", [trial.id]),
        )
        if marked and trial.best_step is not None and trial.best_value is not None:
            at = y.at([trial.best_value])
            mark: dict[str, Any] = {
                "mfc": arm_ink(arm),
                "mec": ink("surface"),
                "mew": 0.8,
                "zorder": 5,
                "clip_on": False,
            }
            axes.plot([trial.best_step], at, "o", ms=6 if first else 4.5, gid=tag("best-step", [trial.id]), **mark)


def _curves_legend(count: int) -> list[Line2D]:
    lines = [
        Line2D([], [], color=ink("muted"), alpha=alpha, lw=1.6 if alpha == 1 else 1.0, ls=dash, label=label)
        for label, alpha, dash in LOOKS[:count]
    ]
    return [*lines, Line2D([], [], ls="none", marker="o", ms=5, mfc=ink("muted"), mec="none", label="best step")]


def _steps_figure(record: Record) -> Figure | None:
    groups = [(s, [t for t in trials_of(record, s) if feasible(t) and t.best_step is not None]) for s in record.studies]
    groups = [(s, own) for s, own in groups if own]
    last = _max_train_steps(record)
    if not groups or last <= 0:
        return None
    rows = [
        Row(
            panels=1,
            height=58,
            label=study_label(record, s),
            detail=_shares(record, own, last),
            axis=s is groups[-1][0],
        )
        for s, own in groups
    ]
    figure, axes = sheet(rows, columns=1)
    for k, ((study, own), (axis,)) in enumerate(zip(groups, axes, strict=True)):
        _histogram(axis, record, study, own, last, k, labelled=k == len(groups) - 1)
    zone: dict[str, Any] = {"ls": "none", "marker": "s", "ms": 7, "mec": ink("muted"), "mew": 0.4}
    early, late = zones(record)
    marks = [
        Line2D([], [], mfc=ink("early"), label=f"first {percent(early)} of the steps", **zone),
        Line2D([], [], mfc=ink("late"), label=f"last {percent(late)}", **zone),
    ]
    key(figure, marks)
    return figure


def zones(record: Record) -> tuple[float, float]:
    """`(early, late)`: the first and the last share of the steps, from the policy; the playbook's 10 % and 25 %.

    Playbook: H3
    """
    early, late = (record.policy.get(name, usual) for name, usual in (("early_step", 0.1), ("late_step", 0.25)))
    return float(early), float(late)


def _max_train_steps(record: Record) -> int:
    known = record.budget.get("max_train_steps")
    return int(known) if isinstance(known, int | float) else max((t.steps_done for t in record.trials), default=0)


def _shares(record: Record, trials: list[TrialRow], last: int) -> str:
    early, late = zones(record)
    steps = np.array([t.best_step for t in trials], dtype=np.float64)
    first, end = int((steps <= early * last).sum()), int((steps >= (1 - late) * last).sum())
    return f"{first} of {len(trials)} in the first {percent(early)}, {end} in the last {percent(late)}"


def _histogram(
    axes: Axes, record: Record, study: StudyRow, trials: list[TrialRow], last: int, arm: int, *, labelled: bool
) -> None:
    early, late = zones(record)
    counts, edges = np.histogram([t.best_step or 0 for t in trials], bins=20, range=(0, last))
    ticks, labels = linear_ticks(0.0, float(last), 5, whole=True)
    rule(axes, Ruler(limits=(0, last), ticks=ticks, labels=labels if labelled else tuple("" for _ in ticks)))
    axes.axvspan(0, early * last, color=ink("early"), lw=0, zorder=0, gid=tag("early"))
    axes.axvspan((1 - late) * last, last, color=ink("late"), lw=0, zorder=0, gid=tag("late"))
    axes.bar(
        edges[:-1], counts, width=np.diff(edges) * 0.88, align="edge", color=arm_ink(arm), zorder=3, gid=tag("counts")
    )
    axes.set_ylim(0, max(counts) * 1.12)
    axes.set_yticks(*linear_ticks(0.0, float(max(counts)), 2, whole=True))
    axes.set_ylabel("trials", color=ink("ink"))
    best = ranked(record, trials)[0]
    width = last / len(counts)
    over = (min((best.best_step or 0) // width, len(counts) - 1) + 0.44) * width  # the middle of its bar
    axes.plot(
        [over], [max(counts) * 1.12], "v", ms=5.5, color=ink("ink"), clip_on=False, zorder=5, gid=tag("best", [best.id])
    )
    if labelled:
        axes.set_xlabel("best step (triangle: the study's best trial)", color=ink("ink"), labelpad=2.5)
