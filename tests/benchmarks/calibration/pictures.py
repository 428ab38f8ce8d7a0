"""The pictures of docs/calibration.md: a panel a row, recall and false alarms along one axis of the settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tests.benchmarks.calibration.measure import FALSE_ALARMS, RECALL, Score, wilson
from tests.benchmarks.planted.scenarios import ROWS

BLUE, RED, GREY, INK, BAND = "#1f5fa8", "#c8442b", "#8a8f98", "#22262b", "#eceef1"
COLUMNS = 6


def picture(
    path: Path, scores: Mapping[str, Sequence[Score]], ticks: Sequence[str], label: str, *, reference: str
) -> None:
    """Writes the SVG: for each row its scores, one at each tick; a band marks the tick of the reference setting."""
    with mpl.rc_context(
        {"svg.hashsalt": path.stem, "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    ):
        lines = -(-len(scores) // COLUMNS)
        figure = Figure(figsize=(11.0, 1.55 * lines + 0.7), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.06, w_pad=0.05)  # type: ignore[union-attr, call-arg]
        panels = list(figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False).flat)
        for panel, (row, found) in zip(panels, scores.items(), strict=False):
            _panel(panel, row, found)
            panel.set_xticks(range(len(ticks)), ticks)
            panel.axvspan(
                ticks.index(reference) - 0.3, ticks.index(reference) + 0.3, color=BAND, linewidth=0, zorder=-1
            )
        for above, panel in enumerate(panels[len(scores) :], start=len(scores) - COLUMNS):
            panel.remove()
            panels[above].tick_params(labelbottom=True)
        figure.supxlabel(label, fontsize=10)
        figure.legend(handles=_key(), loc="outside upper left", ncols=4, frameon=False, fontsize=9)
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def _key() -> list[Artist]:
    return [
        Line2D([], [], color=BLUE, marker="o", markersize=4, label="recall"),
        Line2D([], [], color=RED, marker="o", markersize=4, markerfacecolor="white", label="false alarms"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), label=f"the bar: {RECALL}, {FALSE_ALARMS}"),
        Patch(color=BAND, label="the reference setting"),
    ]


def _panel(panel: mpl.axes.Axes, row: str, scores: Sequence[Score]) -> None:
    panel.set_title(f"$\\bf{{{row.replace(' ', '~')}}}$  {ROWS[row]}", fontsize=8, loc="left")
    for level in (RECALL, FALSE_ALARMS):
        panel.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    recall = [(s.hits, s.planted) for s in scores]
    alarms = [(s.alarms, s.clean) for s in scores]
    for shares, colour, fill, shift in ((recall, BLUE, BLUE, -0.06), (alarms, RED, "white", 0.06)):
        known = [(i + shift, hits, of) for i, (hits, of) in enumerate(shares) if of]
        if not known:
            continue
        at, share = [i for i, _, _ in known], [hits / of for _, hits, of in known]
        ends = [wilson(hits, of) for _, hits, of in known]
        below = [max(v - low, 0.0) for v, (low, _) in zip(share, ends, strict=True)]
        above = [max(high - v, 0.0) for v, (_, high) in zip(share, ends, strict=True)]
        panel.errorbar(at, share, yerr=(below, above), color=colour, marker="o", markersize=3.5, linewidth=1.1,
                       markerfacecolor=fill, elinewidth=1.0, clip_on=False)  # fmt: skip
    panel.set_xlim(-0.4, len(scores) - 0.6)
    panel.set_ylim(-0.04, 1.04)
    panel.set_yticks([0, 0.5, 1.0], ["0", ".5", "1"])
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK, labelsize=8)
