"""How often the check on what matters is right: `python -m tests.benchmarks.sensitivity_calibration`.

Three hyperparameters are planted, all with bowls that cost half an effect to two effects a third of the range off the
optimum, but for the last one, which does nothing. An interaction is a product of the first two, one effect high in
the corners; a valley runs across them at 45 degrees, with a correlation of 0.8. Noise is the SD of a trial's
luck, in effects.
"""

import argparse
from collections import Counter

import numpy as np

from tasks.analyze.evidence import Evidence
from tasks.analyze.variance import sensitivity_of
from tests.analyze.planted import planned_round, scored

SHAPES = ("bowl", "product", "valley", "warped", "at its ceiling")
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


def measured(shape: str, seeds: int, *, trials: int = 32, noise: float = 0.25) -> dict[str, float]:
    """The share of studies in which each claim is made; of what matters, the share of hyperparameters."""
    counts: Counter[str] = Counter()
    for seed in range(seeds):
        known = sensitivity_of(planted(shape, seed, trials=trials, noise=noise).studies[0])
        if known is None:
            continue
        involved = {*known.telling}.union(*known.together)
        counts["matters"] += ("x0" in involved) + ("x1" in involved)
        counts["false matters"] += "x2" in involved
        counts["interact"] += ("x0", "x1") in known.together
        counts["false interact"] += any("x2" in pair for pair in known.together)
        counts["idle"] += "x2" in known.idle
        counts["false idle"] += bool({"x0", "x1"} & {*known.idle})
    return {name: count / seeds / (2 if name == "matters" else 1) for name, count in counts.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--trials", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.25, 0.5, 1.0])
    chosen = parser.parse_args()
    print(f"{'shape':16}{'n':>4}{'noise':>7} |" + "".join(f"{n:>16}" for n in CLAIMS))
    for shape in SHAPES:
        for n in chosen.trials:
            for noise in chosen.noise:
                got = measured(shape, chosen.seeds, trials=n, noise=noise)
                print(
                    f"{shape:16}{n:4d}{noise:7.2f} |" + "".join(f"{got.get(name, 0.0):16.3f}" for name in CLAIMS),
                    flush=True,
                )


if __name__ == "__main__":
    main()
