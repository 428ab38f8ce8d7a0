"""The gate's part of the calibration: `python -m tests.benchmarks.calibration.gate_page [rounds] [processes]`.

Writes docs/calibration_gate.md and its pictures. How often it promotes against the true gain, how many retrains that
takes, and each null in which nothing is better.
Every row of every design stands in docs/benchmarks.md.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from tests.benchmarks.calibration.gate import THOROUGH, Cell, cells, elsewhere, played, spent_by, wrongly
from tests.benchmarks.calibration.measure import wilson

DOCS = Path(__file__).resolve().parents[3] / "docs"
GAINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
TOLD = (0.0, 0.5, 1.0, 1.25, 1.5, 2.0)  # in the table
COLOURS = ("#1f5fa8", "#c8442b", "#2f8f5b", "#8a4fa3")
GREY = "#70757d"
STATED = 0.05
DESIGNS: Mapping[str, Cell] = {
    "one finalist": Cell(design="one finalist", label=""),
    "three finalists": Cell(design="three", label="", gains=(0, 0, 0, 0), sds=(1, 1, 1, 1)),
    "one finalist, 16 kept": Cell(design="warm", label="", kept=16),
    "thorough": Cell(design="thorough", label="", budget=20, patience=THOROUGH),
}
RULES = {
    "the best of 24 trials beats the incumbent's number": "best of 24 beats the incumbent's number",
    "the mean of 3 fresh seeds beats the mean of 3 of the incumbent": "mean of 3 beats mean of 3",
}
NULLS = ("one finalist", "several finalists", "one finalist, 16 kept", "thorough, 1 finalist")


@dataclass(frozen=True, kw_only=True)
class Point:
    """What came of one cell: rounds that promoted the better arm (any, where none is better), and retrains an arm."""

    promoted: int
    false: float
    retrains: float


def measured(cell: Cell, rounds: int) -> Point:
    """The cell, so many times."""
    decisions = played(cell, rounds)
    best = cell.names[0]
    return Point(
        promoted=sum(d.winner == best if cell.gains[0] else d.winner is not None for d in decisions),
        false=wrongly(decisions, cell.gain, cell.minimum_gain),
        retrains=float(np.mean([spent_by(d, cell.kept) for d in decisions])),
    )


def characteristic(rounds: int, processes: int) -> dict[tuple[str, float], Point]:
    """Every design at every gain; the first finalist has it."""
    asked = [(name, gain, _with(cell, gain)) for name, cell in DESIGNS.items() for gain in GAINS]
    with Pool(processes) as pool:
        found = pool.map(partial(measured, rounds=rounds), [cell for _, _, cell in asked], chunksize=1)
    return {(name, gain): point for (name, gain, _), point in zip(asked, found, strict=True)}


def nulls(rounds: int, processes: int) -> list[tuple[Cell, float]]:
    """The share of false promotions in every null of the designs of `NULLS`."""
    asked = [c for c in cells() if c.design in NULLS and c.label.startswith("no gain") and c.error_rate == STATED]
    with Pool(processes) as pool:
        found = pool.map(partial(measured, rounds=rounds), asked, chunksize=1)
    return [(cell, point.false) for cell, point in zip(asked, found, strict=True)]


def page(rounds: int, processes: int) -> str:
    """The section; its pictures are drawn beside it."""
    points, false = characteristic(rounds, processes), nulls(rounds, processes)
    _draw("calibration_gate.svg", (9.6, 4.1), lambda figure: _curves(figure, points, rounds))
    _draw("calibration_gate_nulls.svg", (9.6, 4.6), lambda figure: _nulls(figure, false, rounds))
    worst = max(share for cell, share in false if not _unstable(cell))
    low, high = (pick(share for cell, share in false if _unstable(cell)) for pick in (min, max))
    head = "| | " + " | ".join(f"{gain:g}" for gain in TOLD) + " |\n" + "|---" * (len(TOLD) + 1) + "|"
    rows = [f"| {name} | " + " | ".join(_cell(points[name, gain], rounds) for gain in TOLD) + " |" for name in DESIGNS]
    rows += [
        f"| elsewhere: {short} | " + " | ".join(f"{elsewhere(rounds, gain)[rule]:.2f}" for gain in TOLD) + " |"
        for rule, short in RULES.items()
    ]
    table = "\n".join(rows)
    return f"""{rounds} simulated rounds a cell, noise of SD 1, error rate {STATED:g}, at most 16 retrains an arm
(thorough: 20). In the table: how often the better configuration is promoted (at gain 0: anything), and after how many
retrains an arm. *kept*: retrains of the incumbent that are on record.

![How often the gate promotes against the true gain, and the retrains it takes](calibration_gate.svg)

{head}
{table}

![False promotions in every null](calibration_gate_nulls.svg)

Where nothing is better, at most {100 * worst:.1f} % are promoted, with SDs equal or up to 1:3 either way, and under
right skew with equal SDs. Not held are finalists that are at once noisier than the incumbent and right-skewed, that is
unstable now and then: {100 * low:.0f} to {100 * high:.0f} %. All designs and numbers, and what paired seeds remove on
real training: [benchmarks.md](benchmarks.md).
"""


def _with(cell: Cell, gain: float) -> Cell:
    rest = cell.gains[1:]
    return Cell(design=cell.design, label=f"gain {gain}", gains=(gain, *rest), sds=cell.sds, budget=cell.budget,
                kept=cell.kept, patience=cell.patience)  # fmt: skip


def _unstable(cell: Cell) -> bool:
    """Right-skewed, and noisier than the incumbent."""
    return cell.draw.__name__ != "normal" and cell.sds[0] > cell.sds[-1]


def _cell(point: Point, rounds: int) -> str:
    return f"{point.promoted / rounds:.3f}, {point.retrains:.1f}"


def _draw(name: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> None:
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8.5}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(DOCS / name, metadata={"Date": None}, facecolor="white")
        path = DOCS / name
        path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def _curves(figure: Figure, points: Mapping[tuple[str, float], Point], rounds: int) -> None:
    left, right = figure.subplots(1, 2)
    for (name, _), colour in zip(DESIGNS.items(), COLOURS, strict=True):
        shares = [points[name, gain].promoted / rounds for gain in GAINS]
        left.plot(GAINS, shares, color=colour, marker="o", markersize=3, linewidth=1.4, label=name)
        right.plot(
            GAINS, [points[name, g].retrains for g in GAINS], color=colour, marker="o", markersize=3, linewidth=1.4
        )
    for (rule, short), dash in zip(RULES.items(), ((4, 2), (1, 1.5)), strict=True):
        shares = [elsewhere(rounds, gain)[rule] for gain in GAINS]
        left.plot(GAINS, shares, color=GREY, linestyle=(0, dash), linewidth=1.4, label=f"elsewhere: {short}")
    left.axhline(STATED, color=GREY, linewidth=0.6)
    left.text(2.5, STATED + 0.015, "stated error rate", ha="right", color=GREY, fontsize=7.5)
    left.set(xlabel="true gain, in SDs of a retrain", ylabel="promoted", ylim=(0, 1.02))
    right.set(xlabel="true gain, in SDs of a retrain", ylabel="fresh retrains an arm", ylim=(0, None))
    figure.legend(frameon=False, fontsize=7.5, loc="outside lower center", ncols=3)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xticks(np.arange(0, 2.6, 0.5))


def _nulls(figure: Figure, false: Sequence[tuple[Cell, float]], rounds: int) -> None:
    panel = figure.subplots()
    labels = list(dict.fromkeys(cell.label for cell, _ in false))
    for i, (design, colour) in enumerate(zip(NULLS, COLOURS, strict=True)):
        own = [(cell, share) for cell, share in false if cell.design == design]
        at = [labels.index(cell.label) + (i - 1.5) * 0.17 for cell, _ in own]
        shares = np.array([share for _, share in own])
        ends = np.array([wilson(round(share * rounds), rounds) for share in shares])
        bars = np.clip(np.stack([shares - ends[:, 0], ends[:, 1] - shares]), 0, None)
        panel.errorbar(shares, at, xerr=bars, color=colour, linestyle="none", marker="o", markersize=3.5, label=design)
    panel.axvline(STATED, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    panel.set_yticks(range(len(labels)), [label.removeprefix("no gain, ") for label in labels])
    panel.invert_yaxis()
    panel.set(xlabel="promoted although nothing is better (bars: 95 %)", xlim=(0, None))
    panel.grid(axis="y", color="#e5e7ea", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.legend(frameon=False, loc="upper right")
    panel.spines[["top", "right"]].set_visible(False)


def main(rounds: int, processes: int) -> None:
    """Writes the section and its pictures."""
    text = page(rounds, processes)
    (DOCS / "calibration_gate.md").write_text(text)
    print(text)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(10_000, 2)[len(given) :])
