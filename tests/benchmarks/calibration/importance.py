"""How often the check on what matters is right: `python -m tests.benchmarks.calibration.importance`.

Writes docs/calibration_sensitivity.md, a part of the calibration. Three hyperparameters are planted, all with bowls
that cost half an effect to two effects a third of the range off the optimum, but for the last one, which does
nothing. An interaction is a product of the first two, one effect high in the corners; a valley runs across them at 45
degrees, with a correlation of 0.8. Noise is the SD of a trial's luck, in effects.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.importance import importance_of
from tests.analyze.planted import planned_round, scored
from tests.benchmarks.calibration.section import command

PAGE = Path(__file__).resolve().parents[3] / "docs" / "calibration_sensitivity.md"
SHAPES = ("bowl", "product", "valley", "warped", "at its ceiling")
TRIALS, NOISE = (16, 32, 64), (0.25, 0.5, 1.0)
CLAIMS = ("matters", "false matters", "interact", "false interact", "idle", "false idle")


def planted(shape: str, seed: int, *, trials: int = 32, noise: float = 0.25) -> Evidence:
    """One study in which x0 and x1 matter and x2 does not."""
    rng = np.random.default_rng([seed, trials])
    centre, bends = rng.uniform(0.25, 0.75, 3), rng.uniform(0.5, 2.0, 3) * (1.0, 1.0, 0.0)
    sign, luck = rng.choice([-1, 1]), rng.standard_normal(trials)

    def loss(point: object, index: int) -> float:
        u = np.array([float(point[f"x{j}"]) for j in range(3)])  # type: ignore[index]
        off = u - centre
        away = 9.0 * float(bends @ off**2)
        if shape == "product":
            away += 4.0 * sign * (u[0] - 0.5) * (u[1] - 0.5)
        elif shape == "valley":
            away += 9.0 * 1.6 * sign * float(np.sqrt(bends[0] * bends[1]) * off[0] * off[1])
        elif shape == "warped":
            away = float(np.exp(away / 2.0))
        elif shape == "at its ceiling":
            away = 6.0 * (1.0 - float(np.exp(-away / 3.0)))
        return away + noise * float(luck[index])

    space = {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(3)}
    return scored(planned_round(space, seed, trials=trials), loss)


def measured(shape: str, seeds: Sequence[int], *, trials: int = 32, noise: float = 0.25) -> dict[str, float]:
    """The share of studies in which each claim is made; of what matters, the share of hyperparameters."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        known = importance_of(planted(shape, seed, trials=trials, noise=noise).studies[0])
        if known is None:
            continue
        involved = {*known.telling}.union(*known.together)
        counts["matters"] += ("x0" in involved) + ("x1" in involved)
        counts["false matters"] += "x2" in involved
        counts["interact"] += ("x0", "x1") in known.together
        counts["false interact"] += any("x2" in pair for pair in known.together)
        counts["idle"] += "x2" in known.idle
        counts["false idle"] += bool({"x0", "x1"} & {*known.idle})
    return {name: counts[name] / len(seeds) / (2 if name == "matters" else 1) for name in CLAIMS}


def page(seeds: Sequence[int]) -> str:
    """The section with its table."""
    head = f"| shape | trials | noise | {' | '.join(CLAIMS)} |\n|{'---|' * (len(CLAIMS) + 3)}"
    got = {at: measured(at[0], seeds, trials=at[1], noise=at[2]) for at in product(SHAPES, TRIALS, NOISE)}
    rows = ((*map(str, at), *(f"{share:.3f}" for share in shares.values())) for at, shares in got.items())
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    wrong = max(share for shares in got.values() for name, share in shares.items() if name.startswith("false"))
    return f"""{len(seeds)} studies a row, seeds {seeds[0]} to {seeds[-1]}, three hyperparameters, the last of which
does nothing. *matters*: of the two that do, how many are named, alone or in a pair. *interact*: the first two are
said to need tuning together, which is so in the product and the valley; a valley is nothing but a pair. *idle*:
the third is said to be one that can be fixed. *false*: said of what it is not true of; "interact" is false of
the bowl, the warped bowl and the one that levels off ("at its ceiling").

{head}
{table}

Where luck is as large as the effect, or trials are few, less is said and not more that is false: {100 * wrong:.1f} %
at most. Of a valley the idle one is seldom named: what the pair explains leaves too little to judge by.
"""


if __name__ == "__main__":
    command(page, PAGE, __doc__)
