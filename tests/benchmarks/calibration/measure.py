"""How often each check is right: `make calibrate` plants every scenario and writes docs/calibration.md.

    python -m tests.benchmarks.calibration.measure --seeds 200 --processes 2

What is planted, what must fire and what is not scored stands in tests/benchmarks/planted/scenarios.py. The seeds from
`FIRST` on are held out: no threshold and no scenario was chosen on them. Who changes a check looks at seeds below it
(`--first 0 --reference`). The counts are kept in build/, and `--again` writes the page from them.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.planted.scenarios import OWN, REFERENCE, ROWS, SCENARIOS, Scenario, Setting
from tests.benchmarks.planted.study import heard

AXES: Mapping[str, Sequence[float]] = {
    "noise": (0.1, 0.25, 0.5, 1.0, 2.0),
    "trials": (8, 16, 32, 64),
    "dimensions": (2, 3, 4, 6),
}
RECALL, FALSE_ALARMS = 0.95, 0.05  # the bar, at the reference setting
FIRST, SEEDS = 10_000, 200
KEPT = Path(__file__).resolve().parents[3] / "build" / "calibration.json"
Counts = Mapping[str, tuple[int, int]]  # by row: in how many studies it fired, and in how many it was asked
Tally = Mapping[tuple[Setting, str], Counts]  # by setting and scenario


@dataclass(frozen=True, kw_only=True)
class Score:
    """How a row did at one setting: hits of so many planted, false alarms of so many clean.

    `asked`: in how many of the clean ones it was asked at all; `na` is silent, but no proof of anything.
    """

    hits: int
    planted: int
    alarms: int
    clean: int
    asked: int

    @property
    def recall(self) -> float:
        """The share of the planted faults that it saw; NaN where none was planted."""
        return self.hits / self.planted if self.planted else math.nan

    @property
    def false_alarms(self) -> float:
        """The share of clean studies in which it fired; NaN where none was clean."""
        return self.alarms / self.clean if self.clean else math.nan

    @property
    def precision(self) -> float:
        """The share of its firings that were right, with every scenario as frequent as any other."""
        return self.hits / (self.hits + self.alarms) if self.hits + self.alarms else math.nan


def settings() -> tuple[Setting, ...]:
    """The reference, and one thing at a time changed."""
    others = [replace(REFERENCE, **{axis: v}) for axis, values in AXES.items() for v in values]  # type: ignore[arg-type]
    return tuple(dict.fromkeys((REFERENCE, *others, *OWN.values())))


def counted(job: tuple[Setting, Scenario], seeds: Sequence[int]) -> Counts:
    """In how many of the studies with these seeds each row fired, and was asked."""
    setting, scenario = job
    found = [heard(scenario, setting, seed) for seed in seeds]
    return {row: (sum(row in f for _, f in found), sum(row in a for a, _ in found)) for row in ROWS}


def tally(asked: Iterable[Setting], seeds: Sequence[int], processes: int = 1) -> Tally:
    """The counts of every scenario at every setting."""
    jobs = list(product(asked, SCENARIOS))
    work = partial(counted, seeds=seeds)
    if processes == 1:
        counts = [work(job) for job in jobs]
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            counts = []
            for done in pool.map(work, jobs):
                counts.append(done)
                print(f"\r{len(counts)}/{len(jobs)}", end="", file=sys.stderr, flush=True)
    return {(setting, s.name): c for (setting, s), c in zip(jobs, counts, strict=True)}


def score(counts: Tally, row: str, setting: Setting, seeds: int) -> Score:
    """How the row did at the setting, over all scenarios in which it is scored."""
    wanted = {s.name: s.wanted(row, setting) for s in SCENARIOS}
    planted = [n for n, w in wanted.items() if w is True]
    clean = [n for n, w in wanted.items() if w is False]
    return Score(
        hits=sum(counts[setting, n][row][0] for n in planted),
        planted=seeds * len(planted),
        alarms=sum(counts[setting, n][row][0] for n in clean),
        clean=seeds * len(clean),
        asked=sum(counts[setting, n][row][1] for n in clean),
    )


def reference(counts: Tally, row: str, seeds: int) -> Score:
    """The row at the reference setting; recall where the reference has no fault of it, at the row's own setting."""
    here = score(counts, row, REFERENCE, seeds)
    if row not in OWN:
        return here
    own = score(counts, row, OWN[row], seeds)
    return replace(here, hits=own.hits, planted=own.planted)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share after so many hits (Wilson), which stays in 0 to 1."""
    z, p = 1.959964, hits / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)


def keep(counts: Tally, first: int, seeds: int, path: Path = KEPT) -> None:
    """Writes the counts, so that a page can be written again from them."""
    path.parent.mkdir(exist_ok=True)
    told = [[asdict(setting), scenario, found] for (setting, scenario), found in counts.items()]
    path.write_text(json.dumps({"first": first, "seeds": seeds, "counts": told}))


def kept(path: Path = KEPT) -> tuple[Tally, int, int]:
    """`(the counts, the first seed, how many seeds)` of the last whole calibration."""
    tree = json.loads(path.read_text())
    counts = {(Setting(**at), name): {r: (n, of) for r, (n, of) in c.items()} for at, name, c in tree["counts"]}
    return counts, tree["first"], tree["seeds"]


def main() -> None:
    """Measures, prints and writes the page."""
    from tests.benchmarks.calibration.page import written  # its pictures need matplotlib, children do not
    from tests.benchmarks.calibration.why import unexplained

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="studies of each scenario at each setting")
    parser.add_argument("--first", type=int, default=FIRST, help="the first seed; below the default: not held out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--reference", action="store_true", help="only the reference setting; prints, writes nothing")
    parser.add_argument("--again", action="store_true", help="measures nothing: the page from the counts of last time")
    chosen = parser.parse_args()
    first, seeds = chosen.first, chosen.seeds
    if chosen.again:
        counts, first, seeds = kept()
    else:
        asked = dict.fromkeys((REFERENCE, *OWN.values())) if chosen.reference else settings()
        counts = tally(asked, range(first, first + seeds), chosen.processes)
        if not chosen.reference:
            keep(counts, first, seeds)
    print(written(counts, seeds, first, page=not chosen.reference))
    missing = [] if chosen.reference else unexplained(counts, seeds)
    if missing:
        print(f"no reason is written in calibration_why.py for: {'; '.join(missing)}", file=sys.stderr)


if __name__ == "__main__":
    main()
