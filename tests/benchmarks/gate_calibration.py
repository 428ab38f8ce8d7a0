"""How often the gate is wrong, and what it costs: the tables of the documentation.

    python tests/benchmarks/gate_calibration.py [rounds] [processes]

Every row is that many simulated rounds put before the real gate: an arm's retrains are its mean plus noise of SD 1,
unless said otherwise. A gain is in SDs; "retrains" are those of an arm, averaged over its arms. "false" is the share
of rounds that promote an arm which is no better, or that adopt a change which is no better than the baseline.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tasks.promote.comparison import ArmName
from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.scope.goal import Kind

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
ARMS: Mapping[Kind, tuple[ArmName, ...]] = {
    "improve": ("finalist", "baseline", "incumbent"),
    "understand": ("finalist", "incumbent"),
}


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Noise of mean 0 and SD 1, without skew."""
    return rng.standard_normal(shape)


def gamma(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Noise of mean 0 and SD 1 with skewness 1.41: some retrains are unlucky, none very lucky."""
    return (rng.gamma(2.0, 1.0, shape) - 2.0) / math.sqrt(2.0)


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Noise of mean 0 and SD 1 with skewness 3.26."""
    s2 = 0.75**2
    return (np.exp(0.75 * rng.standard_normal(shape)) - math.exp(s2 / 2)) / math.sqrt(math.expm1(s2) * math.exp(s2))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row of a table. `gains` and `sds` are by arm, in the order of `ARMS`."""

    label: str
    kind: Kind = "improve"
    budget: int = 8
    gains: tuple[float, ...] = (0.0, 0.0, 0.0)
    sds: tuple[float, ...] = (1.0, 1.0, 1.0)
    draw: Draw = normal
    minimum_gain: float = 0.0
    error_rate: float = 0.05


def cells() -> Iterator[Cell]:
    """Every row, equal arms first."""
    for budget in (5, 8, 16):
        yield from _equal("improve", budget)
        yield from _equal("understand", budget)
        yield from _better(budget)
    for name, gain in (("no gain", 0.0), ("exactly the minimum gain", 0.25), ("0.75 more than it", 1.0)):
        yield Cell(
            label=f"minimum gain 0.25, {name}", kind="understand", gains=(gain, 0.0), sds=(1, 1), minimum_gain=0.25
        )
    for error in (0.01, 0.1, 0.2):
        yield Cell(label=f"equal, error rate {error}", error_rate=error)
        yield Cell(label=f"equal, finalist's SD x 3, error rate {error}", error_rate=error, sds=(3, 1, 1))


def _equal(kind: Kind, budget: int) -> Iterator[Cell]:
    n = len(ARMS[kind])
    for sds in [(1, 1, 1), (2, 1, 1), (3, 1, 1), (1, 1, 2), (1, 1, 3), *([(1, 3, 1), (3, 3, 1)] if n == 3 else [])]:
        kept = sds if n == 3 else (sds[0], sds[2])
        yield Cell(label=f"equal, SDs {kept}", kind=kind, budget=budget, gains=(0,) * n, sds=kept)
    for draw in (gamma, lognormal):
        for scale in (1, 3):
            label = f"equal, {draw.__name__}, finalist's SD x {scale}"
            yield Cell(label=label, kind=kind, budget=budget, gains=(0,) * n, sds=(scale, *(1,) * (n - 1)), draw=draw)


def _better(budget: int) -> Iterator[Cell]:
    for gain in (1.0, 1.25, 1.5, 3.0):
        yield Cell(label=f"finalist +{gain}", kind="understand", budget=budget, gains=(gain, 0), sds=(1, 1))
    for gain in (1.0, 1.25, 1.5, 3.0):
        yield Cell(label=f"finalist +{gain}", budget=budget, gains=(gain, 0, 0))
    for gain in (1.0, 1.25, 1.5, 3.0):
        yield Cell(label=f"finalist and baseline +{gain}", budget=budget, gains=(gain, gain, 0))


def row(cell: Cell, rounds: int) -> str:
    """The cell as a row of Markdown."""
    names = ARMS[cell.kind]
    rng = np.random.default_rng([rounds, *cell.label.encode(), cell.budget, len(names)])
    noise = cell.draw(rng, (rounds, len(names), cell.budget))
    losses = noise * np.array(cell.sds, dtype=float)[:, None] - np.array(cell.gains)[:, None]
    decisions = [_asked(cell, names, round) for round in losses]
    shares = [np.mean([d.winner == w for d in decisions]) for w in ("finalist", "baseline")]
    outcomes = [np.mean([d.outcome == o for d in decisions]) for o in ("keep", "retrain")]
    spent = np.mean([_spent(d) for d in decisions])
    gain = dict(zip(names, cell.gains, strict=True))
    low, high = _band_misses(decisions, gain)
    numbers = [_false(decisions, gain, cell.minimum_gain), *shares, *outcomes]
    return (
        f"| {cell.kind} | {cell.budget} | {cell.label} | "
        + " | ".join(f"{x:.3f}" for x in numbers)
        + f" | {spent:.1f} | {low:.3f} / {high:.3f} |"
    )


def _asked(cell: Cell, names: tuple[ArmName, ...], round: NDArray[np.float64]) -> Decision:
    return gate(
        dict(zip(names, round.tolist(), strict=True)),
        minimum_gain=cell.minimum_gain,
        error_rate=cell.error_rate,
        budget=cell.budget,
        kind=cell.kind,
    )


def _spent(decision: Decision) -> float:
    """Retrains an arm that the gate would have asked for."""
    used: dict[ArmName, int] = {}
    for comparison in decision.comparisons:
        for name in (comparison.candidate, comparison.against):
            used[name] = max(used.get(name, 0), comparison.last.retrains)
    return float(np.mean(list(used.values())))


def _false(decisions: list[Decision], gain: Mapping[ArmName, float], minimum_gain: float) -> float:
    """The share of decisions that promote what is not better by the minimum gain, or adopt what is no better."""
    over: dict[ArmName, list[ArmName]] = {"finalist": [n for n in gain if n != "finalist"], "baseline": ["incumbent"]}
    return float(
        np.mean(
            [
                d.winner is not None and any(gain[d.winner] - gain[a] <= minimum_gain for a in over[d.winner])
                for d in decisions
            ]
        )
    )


def _band_misses(decisions: list[Decision], gain: Mapping[ArmName, float]) -> tuple[float, float]:
    """The share of rounds whose band of the finalist's gain lies wholly above the true one, and wholly below."""
    bands = [(d.answer_band or d.band, "baseline" if d.answer_band else "incumbent") for d in decisions]
    low = [band is not None and band[0] > gain["finalist"] - gain[arm] for band, arm in bands]
    high = [band is not None and band[1] < gain["finalist"] - gain[arm] for band, arm in bands]
    return float(np.mean(low)), float(np.mean(high))


def main(rounds: int, processes: int) -> None:
    """Prints the table as its rows are done."""
    print(f"{rounds} rounds a row")
    print("| kind | budget | arms | false | finalist | baseline | keep | retrain | retrains | band misses low / high |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with Pool(processes) as pool:
        for line in pool.imap(partial(row, rounds=rounds), cells()):
            print(line, flush=True)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(10_000, 1)[len(given) :])
