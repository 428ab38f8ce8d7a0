"""How often the gate is wrong, and what it costs: the tables of the documentation.

    python tests/benchmarks/calibration/gate.py [rounds] [processes]

Every row is that many simulated rounds put before the real gate: an arm's retrains are its mean plus noise of SD 1,
unless said otherwise. A gain is in SDs. "false": rounds that promote an arm which is no better, or adopt a change that
is no better than the baseline. "right": rounds that promote the best arm, where one is better. "retrains": fresh ones
of an arm, averaged over the arms that need any. At the end, what is done elsewhere with the same trials.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tasks.promote.comparison import BASELINE, INCUMBENT, ArmName, finalist, is_finalist
from tasks.promote.decision import Decision
from tasks.promote.gate import gate
from tasks.promote.stopping import QUICK

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
THOROUGH = 1.0


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
    """One row of a table. `gains` and `sds`: of the finalists, then the baseline where there is one, the incumbent."""

    design: str
    label: str
    gains: tuple[float, ...] = (0.0, 0.0)
    sds: tuple[float, ...] = (1.0, 1.0)
    baseline: bool = False
    budget: int = 16
    kept: int = 0
    patience: float = QUICK
    draw: Draw = normal
    minimum_gain: float = 0.0
    error_rate: float = 0.05

    @property
    def names(self) -> tuple[ArmName, ...]:
        """The arms, in the order of `gains`."""
        others = (BASELINE, INCUMBENT) if self.baseline else (INCUMBENT,)
        return (*(finalist(i) for i in range(len(self.gains) - len(others))), *others)

    @property
    def gain(self) -> dict[ArmName, float]:
        """Each arm's true gain."""
        return dict(zip(self.names, self.gains, strict=True))


def cells() -> Iterator[Cell]:
    """Every row: first the designs that are used, each with its nulls and with one finalist that is better."""
    for kept in (0, 5, 16):
        for n in (1, 3):
            yield from _design("several finalists" if n > 1 else "one finalist", n, kept=kept)
    yield from _design("two finalists", 2)
    for n in (1, 3):
        yield from _design(f"thorough, {n} finalist{'s' * (n > 1)}", n, budget=20, patience=THOROUGH)
    yield from _design("thorough, 1 finalist", 1, kept=16, budget=20, patience=THOROUGH, brief=True)
    for budget, kept in ((5, 0), (8, 0), (8, 8), (9, 16), (12, 16)):
        yield from _design(f"at most {budget}", 1, kept=kept, budget=budget, brief=True)
    for n in (1, 3):
        yield from _with_baseline(n)
    for name, gain in (("no gain", 0.0), ("exactly the minimum gain", 0.25), ("1.25 more than it", 1.5)):
        yield Cell(design="one finalist", label=f"minimum gain 0.25, {name}", gains=(gain, 0), minimum_gain=0.25)
    for error in (0.01, 0.1, 0.2):
        for sd in (1.0, 3.0):
            label = f"no gain, error rate {error}, SDs {sd:g}:1"
            yield Cell(design="one finalist", label=label, sds=(sd, 1), error_rate=error)


def _design(
    name: str, n: int, *, kept: int = 0, budget: int = 16, patience: float = QUICK, brief: bool = False
) -> Iterator[Cell]:
    design = f"{name}, {kept} kept" if kept else name
    cell = partial(Cell, design=design, kept=kept, budget=budget, patience=patience)
    zeros, ones = (0.0,) * (n + 1), (1.0,) * n
    for sd, other in ((1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (1.0, 2.0), (1.0, 3.0)):
        yield cell(label=f"no gain, SDs {sd:g}:{other:g}", gains=zeros, sds=((sd,) * n + (other,)))
    if n > 1:
        yield cell(label="no gain, one finalist of SD 3", gains=zeros, sds=(3.0, *ones[1:], 1.0))
    for draw in (gamma, lognormal):
        for sd in (1.0,) if brief else (1.0, 2.0, 3.0):
            label = f"no gain, {draw.__name__}, SDs {sd:g}:1"
            yield cell(label=label, gains=zeros, sds=((sd,) * n + (1.0,)), draw=draw)
    for gain in (1.0, 1.25, 1.5):
        yield cell(label=f"one better by {gain}", gains=(gain, *(0.0,) * n), sds=(*ones, 1.0))


def _with_baseline(n: int) -> Iterator[Cell]:
    cell = partial(Cell, design=f"with a baseline, {n} finalist{'s' * (n > 1)}", baseline=True)
    zeros, ones = (0.0,) * n, (1.0,) * n
    for sds in ((1, 1, 1), (3, 1, 1), (1, 3, 1), (1, 1, 3), (3, 3, 1)):
        label = f"no gain, SDs {':'.join(map(str, sds))}"
        yield cell(label=label, gains=(*zeros, 0, 0), sds=((float(sds[0]),) * n + (float(sds[1]), float(sds[2]))))
    for low in (-5.0, 5.0):
        said = "worse" if low < 0 else "better"
        yield cell(label=f"no gain, the baseline much {said}", gains=(*zeros, low, 0), sds=(*ones, 1, 1))
    yield cell(label="all better than the incumbent by 1.5", gains=(*(1.5,) * n, 1.5, 0), sds=(*ones, 1, 1))
    for gain in (1.0, 1.25, 1.5):
        yield cell(label=f"one better by {gain}", gains=(gain, *zeros[1:], 0, 0), sds=(*ones, 1, 1))


def row(cell: Cell, rounds: int) -> str:
    """The cell as a row of Markdown."""
    decisions, gain = played(cell, rounds), cell.gain
    outcomes = [np.mean([d.outcome == o for d in decisions]) for o in ("keep", "retrain")]
    spent = np.mean([spent_by(d, cell.kept) for d in decisions])
    low, high = _band_misses(decisions, gain)
    best = max(gain, key=lambda name: gain[name])
    right = f"{np.mean([d.winner == best for d in decisions]):.3f}" if gain[best] > gain[INCUMBENT] else ""
    return (
        f"| {cell.design} | {cell.label} | {wrongly(decisions, gain, cell.minimum_gain):.3f} | {right} | "
        + " | ".join(f"{x:.3f}" for x in outcomes)
        + f" | {spent:.1f} | {low:.3f} / {high:.3f} |"
    )


def played(cell: Cell, rounds: int) -> list[Decision]:
    """What the gate decides in so many rounds of that cell."""
    rng = np.random.default_rng([rounds, *f"{cell.design}{cell.label}".encode()])
    noise = cell.draw(rng, (rounds, len(cell.names), cell.budget + cell.kept))
    losses = noise * np.array(cell.sds, dtype=float)[:, None] - np.array(cell.gains)[:, None]
    return [_decided(cell, round) for round in losses]


def _decided(cell: Cell, round: NDArray[np.float64]) -> Decision:
    losses = {name: values[: cell.budget].tolist() for name, values in zip(cell.names, round, strict=True)}
    return gate(
        losses,
        minimum_gain=cell.minimum_gain,
        error_rate=cell.error_rate,
        budget=cell.budget,
        kept=round[-1, cell.budget :].tolist(),
        patience=cell.patience,
    )


def spent_by(decision: Decision, kept: int) -> float:
    """Fresh retrains an arm that the gate would have asked for."""
    used: dict[ArmName, int] = {}
    for comparison in decision.comparisons:
        old = kept if comparison.against == INCUMBENT else 0
        for name, n in (
            (comparison.candidate, comparison.last.retrains),
            (comparison.against, comparison.last.against - old),
        ):
            used[name] = max(used.get(name, 0), n)
    return float(np.mean([n for name, n in used.items() if n or is_finalist(name)]))


def wrongly(decisions: Sequence[Decision], gain: Mapping[ArmName, float], minimum_gain: float) -> float:
    """The share of decisions that promote what is not better by the minimum gain, or adopt what is no better."""

    def wrong(winner: ArmName) -> bool:
        against = [a for a in (INCUMBENT, BASELINE) if a in gain and a != winner]
        return any(gain[winner] - gain[a] <= minimum_gain for a in against if is_finalist(winner) or a == INCUMBENT)

    return float(np.mean([d.winner is not None and wrong(d.winner) for d in decisions]))


def _band_misses(decisions: Sequence[Decision], gain: Mapping[ArmName, float]) -> tuple[float, float]:
    """The share of rounds whose band of the lead over the incumbent lies wholly above the true gain, and below."""
    bands = [(c.last, gain[d.lead] - gain[INCUMBENT]) for d in decisions for c in d.comparisons
             if (c.candidate, c.against) == (d.lead, INCUMBENT)]  # fmt: skip
    return float(np.mean([b.low > true for b, true in bands])), float(np.mean([b.high < true for b, true in bands]))


def elsewhere(rounds: int, gain: float = 0.0, searched: int = 24) -> dict[str, float]:
    """How often what is done elsewhere promotes, after a search of trials that are all better by `gain`.

    Each search trial is noise of SD 1; its best is the candidate, on its own record or on fresh retrains.
    """
    rng = np.random.default_rng(0)
    best = rng.standard_normal((rounds, searched)).min(axis=1) - gain
    number = rng.standard_normal(rounds)
    three, theirs = rng.standard_normal((2, rounds, 3)).mean(axis=2)
    among = rng.standard_normal((rounds, 3, 3)).mean(axis=2).min(axis=1) - gain
    other = rng.standard_normal((rounds, 3)).mean(axis=1)
    return {
        f"the best of {searched} trials beats the incumbent's number": float(np.mean(best < number)),
        "the mean of 3 fresh seeds beats the incumbent's number": float(np.mean(three - gain < number)),
        "the mean of 3 fresh seeds beats the mean of 3 of the incumbent": float(np.mean(three - gain < theirs)),
        "the best of three means of 3 beats the mean of 3 of the incumbent": float(np.mean(among < other)),
    }


def main(rounds: int, processes: int) -> None:
    """Prints the tables as their rows are done."""
    print(f"{rounds} rounds a row\n")
    print("| design | truth | false | right | keep | retrain | retrains | band misses low / high |")
    print("|---|---|---|---|---|---|---|---|")
    with Pool(processes) as pool:
        for line in pool.imap(partial(row, rounds=rounds), cells()):
            print(line, flush=True)
    print("\n| elsewhere | false |\n|---|---|")
    print("\n".join(f"| {rule} | {share:.3f} |" for rule, share in elsewhere(rounds).items()))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(10_000, 1)[len(given) :])
