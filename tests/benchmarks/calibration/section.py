"""The command line of the programs that measure a section of the calibration's page each."""

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.calibration.measure import FIRST, SEEDS


def command(page: Callable[[range], str], path: Path, about: str | None) -> None:
    """Measures on the seeds that the command line asks for, prints the section and writes it."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=FIRST, help="the first seed; below the default: not held out")
    chosen = parser.parse_args()
    text = page(range(chosen.first, chosen.first + chosen.seeds))
    path.write_text(text)
    print(text)
