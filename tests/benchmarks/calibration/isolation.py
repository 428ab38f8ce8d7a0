"""How good the bands of isolation plots are: `python -m tests.benchmarks.calibration.isolation`.

Writes docs/calibration_isolation.md, a part of the calibration. The band of a study's best trial is held against the
bests of other studies of the same size on the same truth, which are run; the band of a lead against values of which it
is known that they are equal, or apart. The surfaces are those of the planted suite, in three hyperparameters.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from tasks.analyze.isolation import gain_band, ranking
from tasks.analyze.study.bootstrap import QUANTILES, best_band
from tasks.design.samplers.halton import Halton
from tasks.record import Point
from tests.analyze.planted import planned_round, scored
from tests.analyze.planted_curves import Floats
from tests.benchmarks.calibration.section import command
from tests.benchmarks.planted.land import Ground, Land, ground

PAGE = Path(__file__).resolve().parents[3] / "docs" / "calibration_isolation.md"
LANDS = {
    "bowl": Land(),
    "levels off": Land(levels=True),
    "wall": Land(optimum=(0.5, 0.7), wall=(0.7, 0.8)),
    "flat": Land(flat=True),
}
TRIALS, NOISE = (8, 16, 32, 64), (0.1, 0.25, 1.0)
DIMENSIONS, OTHERS, DRAWS = 3, 40, 1000
EQUAL, APART = (2, 4), (1.0, 2.0)  # how many equal values; effects by which one of two is better


def study(ground: Ground, seed: int, *, trials: int, noise: float) -> Floats:
    """(trials,) float64: the losses of one search, in effects; NaN where infeasible."""
    rng = np.random.default_rng([seed, trials, 3])
    at = Halton.unit(trials, DIMENSIONS, np.random.default_rng(seed))
    return np.array([np.nan if ground.diverges(u, rng) else ground.away(u) + noise * rng.normal() for u in at])


def bands(shape: str, seeds: Sequence[int], *, trials: int, noise: float) -> tuple[float, float]:
    """`(coverage, width)`: how many of the other studies' bests the band holds, and how much wider it is than they."""
    held, wider = [], []
    for seed in seeds:
        land = ground(LANDS[shape], DIMENSIONS, np.random.default_rng([seed, 7]))
        bests = [np.nanmin(study(land, OTHERS * seed + k, trials=trials, noise=noise)) for k in range(1, OTHERS + 1)]
        own = study(land, OTHERS * seed, trials=trials, noise=noise)
        band = best_band(own, np.random.default_rng(seed), DRAWS)
        if band is not None:
            held.append(np.mean([band[0] <= b <= band[1] for b in bests]))
            wider.append((band[1] - band[0]) / np.subtract(*np.quantile(bests, (QUANTILES[2], QUANTILES[0]))))
    return float(np.mean(held)), float(np.median(wider))


def conclusive(shape: str, seeds: Sequence[int], *, trials: int, noise: float, values: int, gap: float) -> float:
    """The share of rounds in which the best value surely beats the next; the first is `gap` effects better."""
    names = tuple(f"value {k}" for k in range(values))
    space = {"value": {"choices": names}} | {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(DIMENSIONS)}
    sure = 0
    for seed in seeds:
        rng = np.random.default_rng([seed, 7])
        land = ground(LANDS[shape], DIMENSIONS, rng)

        def loss(point: Point, index: int, land: Ground = land, rng: np.random.Generator = rng) -> float:
            u = np.array([point[f"x{j}"] for j in range(DIMENSIONS)], dtype=np.float64)
            return land.away(u) - gap * (point["value"] == names[0]) + noise * float(rng.standard_normal())

        order = ranking(scored(planned_round(space, seed, trials=trials, scientific={"value": names}), loss))
        band = gain_band(order[0], order[1])
        sure += int(band is not None and band[0] > 0)
    return sure / len(seeds)


def page(seeds: Sequence[int]) -> str:
    """The section with its two tables."""
    held = {at: bands(at[0], seeds, trials=at[1], noise=at[2]) for at in product(LANDS, TRIALS, NOISE)}
    asked = [(k, 0.0) for k in EQUAL] + [(2, gap) for gap in APART]
    leads = {
        at: [conclusive(at[0], seeds, trials=at[1], noise=at[2], values=k, gap=gap) for k, gap in asked]
        for at in product(("bowl", "levels off", "flat"), TRIALS, NOISE)
    }
    wrong = max(share for shares in leads.values() for share in shares[: len(EQUAL)])
    coverage, width = zip(*held.values(), strict=True)
    told = [*(f"{k} equal" for k in EQUAL), *(f"{g:g} effects apart" for g in APART)]
    return f"""{len(seeds)} truths a row, seeds {seeds[0]} to {seeds[-1]}, three hyperparameters. *Holds*: how many of
the bests of {OTHERS} other studies of the same size lie in the band of one study; 0.9 is stated. *Width*: the band's,
as a multiple of the one in which 9 of 10 of those bests lie (median): one study knows that only roughly, and errs on
the side of caution.

{_table(("holds", "width"), held)}

It holds {min(coverage):.2f} to {max(coverage):.2f} of them and is {min(width):.1f} to {max(width):.1f} times as wide.

A lead is called conclusive where the band of the difference between the two best values excludes zero. The share of
rounds in which it is, of values that are equal (wrongly), and of two that are apart (rightly):

{_table(told, leads)}

Of equal values at most {100 * wrong:.1f} % are told apart. Where the searches leave it open, fresh retrains and
independent designs (`tunebook history designs`) do not.
"""


def _table(head: Sequence[str], rows: Mapping[tuple[str, int, float], Sequence[float]]) -> str:
    names = ["surface", "trials", "noise", *head]
    lines = [names, ["---"] * len(names)]
    lines += [[*map(str, at), *(f"{v:.3f}" if v <= 1 else f"{v:.2f}" for v in found)] for at, found in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    command(page, PAGE, __doc__)
