"""Analysis and report of a large record: the numbers of the documentation.

    python tests/benchmarks/large_record.py [trials] [points of a curve]

Tables of that many trials with curves are audited by a command of its own on one core: reading, every check,
isolation, plots and the report are in the time. A quarter of the trials diverged.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, trials: int, points: int) -> None:
    """The tables: four hyperparameters, one of them scientific, and a descent to a bowl's value for each trial."""
    rng = np.random.default_rng(0)
    rate, dropout = 10 ** rng.uniform(-4, -1, trials), rng.uniform(0, 0.8, trials)
    table = {
        "learning_rate": rate,
        "dropout": dropout,
        "width": rng.choice([16, 32, 64, 128], trials),
        "activation": rng.choice(["relu", "gelu"], trials),
        "status": np.where(rate > 10**-1.75, "infeasible", "complete"),
    }
    pd.DataFrame(table).to_csv(folder / "trials.csv", index=False)
    time_ = np.arange(1, points + 1)
    level = 0.2 + 0.05 * (np.log10(rate) + 2.5) ** 2 + 0.1 * np.abs(dropout - 0.3)
    curves = level[:, None] + 0.5 * np.exp(-6 * time_ / points) + 0.01 * rng.standard_normal((trials, points))
    rows = {"trial": np.repeat(np.arange(trials), points), "step": np.tile(time_, trials), "error": curves.ravel()}
    pd.DataFrame(rows | {"train_loss": curves.ravel() - 0.1}).to_parquet(folder / "curves.parquet", index=False)


def main(trials: int, points: int) -> None:
    """Print what it took."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        write(folder, trials, points)
        words = [f"source={folder / 'trials.csv'}", f"curves={folder / 'curves.parquet'}", f"tracking.root={folder}"]
        asked = ["objective.metric=error", "objective.direction=minimize", "goal.scientific={activation: [relu, gelu]}"]
        command = [sys.executable, "-m", "flows.audit", *words, *asked]
        one_core = {min(os.sched_getaffinity(0))}
        begun = time.monotonic()
        subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, one_core),
        )
        seconds = time.monotonic() - begun
        (report,) = folder.glob("audits/*/report.html")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print("| trials | points | seconds | GiB at most | report MB |\n|---:|---:|---:|---:|---:|")
        print(f"| {trials:,} | {points} | {seconds:.1f} | {memory:.2f} | {report.stat().st_size / 1e6:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 100)
