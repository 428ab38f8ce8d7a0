"""How often the checks on where the good points lie are right: `python -m tests.benchmarks.calibration.checks`.

For each kind of truth the share of studies in which each row fires; the rows that ought to are in brackets.
"""

import argparse
from collections import Counter
from typing import Any

from tasks.analyze.checks.search.density import density
from tasks.analyze.checks.search.edge import search_edges
from tasks.analyze.checks.search.infeasible import infeasible
from tasks.analyze.checks.search.instability import instability_wall
from tests.analyze.planted import case, rows

CHECKS = (search_edges, instability_wall, density, infeasible)
SHOWN = ("E2", "E3", "E5", "E7", "E9", "E10")
KINDS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "half a decade outside": ("outside", {}, ("E2", "E3")),
    "a decade outside": ("outside", {"outside": 1.0}, ("E2", "E3")),
    "well inside": ("inside", {}, ()),
    "a fifth inside": ("inside", {"inside": 0.2}, ()),
    "behind a wall": ("wall", {}, ("E5",)),
    "well below a wall": ("harmless wall", {}, ()),
}


def measured(kind: str, seeds: int, **arguments: Any) -> dict[str, float]:
    """The share of seeds in which each row fails, and `boundary`: E2 or E3."""
    counts: Counter[str] = Counter()
    for seed in range(seeds):
        evidence = case(kind, seed, **arguments)
        found = [f for check in CHECKS for f in check(evidence)]
        fired = rows(found)
        counts.update(fired)
        counts["E9"] += "E9" in rows(found, "warn")
        counts["boundary"] += bool(fired & {"E2", "E3"})
    return {row: counts[row] / seeds for row in (*SHOWN, "boundary")}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--trials", type=int, nargs="+", default=[24])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--decades", type=float, nargs="+", default=[3.0, 4.0])
    parser.add_argument("--curvature", type=float, nargs="+", default=[4.0], help="retrain SDs that one decade costs")
    parser.add_argument("--ceiling", type=float, default=None)
    chosen = parser.parse_args()
    print(f"{'truth':24}{'d':>3}{'n':>4}{'decades':>9}{'curv':>6} | E2 or E3 |" + "".join(f"{r:>7}" for r in SHOWN))
    for name, (kind, extra, wanted) in KINDS.items():
        for d in chosen.dimensions:
            for n in chosen.trials:
                for w in chosen.decades:
                    for c in chosen.curvature:
                        options = {"dimensions": d, "trials": n, "decades": w, "curvature": c, **extra}
                        got = measured(kind, chosen.seeds, ceiling=chosen.ceiling, **options)
                        marks = "".join(
                            f"{'[' if r in wanted else ' '}{got[r]:.3f}{']' if r in wanted else ' '}" for r in SHOWN
                        )
                        print(f"{name:24}{d:3d}{n:4d}{w:9.1f}{c:6.1f} |   {got['boundary']:.3f}  |{marks}")


if __name__ == "__main__":
    main()
