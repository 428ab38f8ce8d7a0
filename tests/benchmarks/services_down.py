"""What a round loses by an MLflow or a Prefect that is not there: the wall times of the documentation.

    python tests/benchmarks/services_down.py [rounds of each kind]

The same round (synthetic landscape, 4 trials a study) as a command of its own, one kind after the other and again, so
that a busy machine is busy for all of them. MLflow up: its SQLite store. Refused: nobody listens at the address.
Silent: somebody listens and never answers.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUND = (
    "workload=synthetic",
    "space=synthetic",
    "goal=synthetic",
    "budget.trials=4",
    "budget.retrains=3",
    "budget.finalists=1",
)
ACCEPTED = "acknowledge={E2: few, E7: few, E6: few, E10: few, E9: few}"


@contextmanager
def closed() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port whose listener never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def seconds(store: Path, overrides: tuple[str, ...], environment: Mapping[str, str]) -> tuple[float, str]:
    """How long the command took, and how its verdict begins."""
    command = [sys.executable, "-m", "flows.round", *ROUND, ACCEPTED, f"tracking.root={store}", *overrides]
    begun = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    took = time.monotonic() - begun
    assert ended.returncode == 0, ended.stderr
    return took, next(line for line in ended.stdout.splitlines() if line.startswith("verdict"))[:24]


def main(count: int) -> None:
    """Print a row for each kind: its median, its range, and its median over that of the first."""
    plain = ("orchestrate=off",)
    with tempfile.TemporaryDirectory() as base, closed() as refused, silent() as deaf:
        kinds: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            "no MLflow asked for": ((*plain, "tracking.enabled=false"), {}),
            "MLflow up": (plain, {}),
            "MLflow refused": ((*plain, f"tracking.uri=http://127.0.0.1:{refused}"), {}),
            "MLflow silent": ((*plain, f"tracking.uri=http://127.0.0.1:{deaf}"), {}),
            "Prefect refused": (
                ("orchestrate=prefect", "tracking.enabled=false"),
                {"PREFECT_API_URL": f"http://127.0.0.1:{refused}/api"},
            ),
        }
        took: dict[str, list[float]] = {kind: [] for kind in kinds}
        verdicts: set[str] = set()
        for i in range(count):
            for kind, (overrides, environment) in kinds.items():
                one, verdict = seconds(Path(base, f"{i}{kind}".replace(" ", "")), overrides, environment)
                took[kind].append(one)
                verdicts.add(verdict)
    first = statistics.median(took["no MLflow asked for"])
    print("| round | median s | from | to | added s |\n|---|---:|---:|---:|---:|")
    for kind, values in took.items():
        median = statistics.median(values)
        print(f"| {kind} | {median:.1f} | {min(values):.1f} | {max(values):.1f} | {median - first:+.1f} |")
    print(f"verdicts: {', '.join(sorted(verdicts))}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
