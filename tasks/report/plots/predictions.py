"""Predictions of the best trial for a few fixed validation examples, evaluation by evaluation."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from tasks.method import PredictionsRow
from tasks.record import Record, Value
from tasks.report.plots.canvas import Row, clipped, drawn, ink, key, sheet
from tasks.text import number

ROW = 15.0  # points of one example
TEXT = 5  # characters of a prediction in its cell
FAINT, STRONG = 0.1, 0.55  # opacity of an unsure and of a sure mistake; beyond, its text is hard to read in the dark
LABEL = 14  # characters of a target beside its row


def predictions_plot(record: Record) -> str:
    """SVG: a row an example, a column an evaluation, each mistake with what was predicted instead; or "".

    Examples that are missed most often come first, and those that never are have no row; a mistake is the stronger the
    surer the model was. Targets that are real numbers have no picture.

    Playbook: J7
    """
    shown = record.method.predictions if record.method else None
    if shown is None or shown.real:
        return ""
    order = _order(shown)
    return (
        drawn(record, "predictions", "Predictions for fixed examples", lambda: _figure(shown, order)) if order else ""
    )


def _figure(shown: PredictionsRow, order: Sequence[int]) -> Figure:
    figure, axes = sheet([Row(panels=1, height=ROW * len(order) + 4)], columns=1, left=96.0)
    panel = axes[0][0]
    _frame(panel, shown, order)
    for y, example in enumerate(order):
        for x, row in enumerate(shown.predicted):
            if shown.missed(x, example):
                sure = shown.confidence[x][example] if shown.confidence else 1.0
                _mistake(panel, x, y, row[example], sure)
            else:
                panel.add_patch(Rectangle((x - 0.42, y - 0.38), 0.84, 0.76, fc=ink("late"), ec="none", zorder=1))
    best = shown.at_best
    panel.add_patch(Rectangle((best - 0.5, -0.55), 1.0, len(order) + 0.1, fc="none", ec=ink("ink"), lw=1.0, zorder=4))
    key(figure, _legend(bool(shown.confidence)))
    return figure


def _order(shown: PredictionsRow) -> list[int]:
    """The examples that are ever missed, the most often missed first; of equals those missed at the best step."""
    missed = {i: sum(shown.missed(x, i) for x in range(len(shown.steps))) for i in range(len(shown.target))}
    ever = [i for i, count in missed.items() if count]
    return sorted(ever, key=lambda i: (-missed[i], not shown.missed(shown.at_best, i), i))


def _mistake(axes: Axes, x: int, y: int, predicted: Value, sure: float) -> None:
    shade = FAINT + (STRONG - FAINT) * min(max(sure, 0.0), 1.0)
    box = Rectangle((x - 0.42, y - 0.38), 0.84, 0.76, fc=ink("arm1"), ec="none", alpha=shade, zorder=2)
    axes.add_patch(box)
    told = clipped(number(predicted), TEXT)
    axes.text(x, y, told, ha="center", va="center", size=7, color=ink("ink"), zorder=3)


def _frame(axes: Axes, shown: PredictionsRow, order: Sequence[int]) -> None:
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=3)
    axes.set_xlim(-0.6, len(shown.steps) - 0.4)
    axes.set_ylim(len(order) - 0.4, -0.6)
    labels = [f"#{i} is {clipped(number(shown.target[i]), LABEL)}" for i in order]
    axes.set_yticks(range(len(order)), labels)
    every = -(-len(shown.steps) // 10)
    ticks = [i for i in range(len(shown.steps)) if (len(shown.steps) - 1 - i) % every == 0]
    axes.set_xticks(ticks, [number(shown.steps[i]) for i in ticks])
    axes.set_xlabel("step of the evaluation", color=ink("ink"), labelpad=2.5)


def _legend(sure: bool) -> list[Line2D]:
    square = {"linestyle": "none", "marker": "s", "markersize": 7.0, "markeredgecolor": "none"}
    missed = "missed, with what was predicted instead" + (": the surer, the stronger" if sure else "")
    return [
        Line2D([], [], markerfacecolor=ink("late"), label="right", **square),  # type: ignore[arg-type]
        Line2D([], [], markerfacecolor=ink("arm1"), alpha=STRONG, label=missed, **square),  # type: ignore[arg-type]
        Line2D([], [], linestyle="none", marker="s", markersize=7.0, markerfacecolor="none",
               markeredgecolor=ink("ink"), label="best step"),
    ]  # fmt: skip
