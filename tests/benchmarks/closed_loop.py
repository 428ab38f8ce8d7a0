"""Do the remedies lead anywhere? Whole rounds with a planted fault, each the one that the last names as its next.

python -m tests.benchmarks.closed_loop [scenario ...] [--seeds 10]
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from flows.compose import compose
from flows.session.plan import checked
from flows.tune import tune
from tasks.promote.next import merged
from tasks.record import Record
from tests.benchmarks.landscape.landscape import MOMENTUM, excess

FOLDER = Path(__file__).parent / "landscape"
ROUNDS = 5
WITHIN = 3.0  # SDs of a retrain: what 24 trials leave of a bowl, or of a wall, to be found
CONCLUSIONS = ("promote", "keep")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is planted.

    `mended`: what a person changes where no override can. `ends`: the verdicts that are right. `settles`: a row that
    warns of it, and blocks nothing: its remedies are applied until it is quiet.
    """

    name: str
    overrides: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    ends: tuple[str, ...] = ("promote",)
    settles: str = ""

    def right(self, ended: "Ended") -> bool:
        """Whether the loop came to a right verdict, with a configuration that is nearly the best there is."""
        return ended.end in self.ends and ended.regret < WITHIN


def _planted(name: str, *overrides: str, **more: Any) -> Scenario:
    return Scenario(name=name, overrides=overrides, **more)


SCENARIOS = (
    _planted("sound"),
    _planted("no effect", "workload.effect=0", "workload.baseline.one_minus_momentum=0.05", ends=("keep",)),
    _planted("small effect", "workload.effect=-1", "workload.baseline.one_minus_momentum=0.05", "budget.retrains=3",
             ends=CONCLUSIONS),
    _planted("edge high", "workload.optimum=0.3"),
    _planted("edge low", "workload.optimum=3e-5"),
    _planted("a range away", "workload.optimum=30"),
    _planted("two ranges away", "space.learning_rate.high=1e-3", "workload.optimum=0.1"),
    _planted("edge of a list", "~space.learning_rate", "space.learning_rate.values=[1e-4,3e-4,1e-3]",
             "workload.optimum=0.01"),
    _planted("two values understood", "goal.kind=understand", "workload.optimum=0.3"),
    _planted("a range understood", "goal.kind=understand", "~goal.scientific.activation", "~space.activation",
             "goal.scientific.learning_rate=range", "workload.optimum=0.3", "workload.effect=0"),
    _planted("wall", "workload.optimum=0.05", "workload.wall=0.02"),
    _planted("incumbent behind a wall", "workload.optimum=0.01", "workload.wall=0.002"),
    _planted("wall before an edge", "workload.optimum=1", "workload.wall=0.5"),
    _planted("a wall for one arm", "workload.optimum=0.3", "workload.wall=0.02", "workload.walled=relu"),
    _planted("nothing trains", "workload.optimum=1e-5", "workload.wall=5e-5"),
    _planted("a well", "workload.narrow=0.3", settles="D13", ends=CONCLUSIONS),
    _planted("few trials", "budget.trials=4", settles="D12", ends=CONCLUSIONS),
    _planted("still improving", "workload.pace=400", settles="F8", ends=CONCLUSIONS),
    _planted("saturated", "workload.pace=10", settles="F9", ends=CONCLUSIONS),
    _planted("overfitting", "workload.overfit=40"),
    _planted("raises", "workload.raises=0.02", "workload.optimum=0.001"),
    _planted("a third infeasible", "workload.wall=0.005", "workload.optimum=3e-4", settles="E9", ends=CONCLUSIONS),
    _planted("late noise", "workload.late_noise=4"),
    _planted("bug", "workload.breaks=0.25", mended=("workload.breaks=0",)),
    _planted("rising training loss", "workload.train_rise=30", mended=("workload.train_rise=0",)),
)  # fmt: skip


def by_name(name: str) -> Scenario:
    """The scenario of this name."""
    return next(s for s in SCENARIOS if s.name == name)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The rounds of one loop, why it ended, and how far the incumbent is from the best, in SDs of a retrain."""

    rounds: tuple[Record, ...]
    end: str
    regret: float

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The verdicts, in order."""
        return tuple(r.verdict.outcome for r in self.rounds)

    @property
    def applied(self) -> tuple[str, ...]:
        """What each round had that the one before it had not, in order."""
        said = [r.reproduce.overrides for r in self.rounds]
        return tuple(o for before, after in pairwise(said) for o in after if o not in before)


def followed(scenario: Scenario, seed: int, root: Path) -> Ended:
    """The scenario's first round, and then whatever the last one named as next, until one concludes.

    Raises:
        InputError: a next command that does not compose, or that a guard stops.
    """
    said = first_overrides(scenario, seed, root)
    seen: list[tuple[str, ...]] = []
    rounds: list[Record] = []
    end = "no conclusion"
    while len(rounds) < ROUNDS:
        seen.append(said)
        config = compose.from_overrides(said, str(FOLDER))
        checked(config)
        rounds.append(tune(config))
        said = rounds[-1].next.overrides
        if rounds[-1].verdict.outcome in CONCLUSIONS:
            heeded = [
                r for f in rounds[-1].findings if f.row == scenario.settles and f.level == "warn" for r in f.remedy
            ]
            if not heeded:
                end = rounds[-1].verdict.outcome
                break
            said = merged(rounds[-1].reproduce.overrides, heeded)
        if said in seen and scenario.mended and said[-len(scenario.mended) :] != scenario.mended:
            said = merged(said, scenario.mended)
        if said in seen:
            end = "loop"
            break
    return Ended(rounds=tuple(rounds), end=end, regret=regret(rounds[-1]))


def first_overrides(scenario: Scenario, seed: int, root: Path) -> tuple[str, ...]:
    """A small round of the landscape; what is planted comes last."""
    whole = ("workload=landscape", "space=landscape", "goal=landscape", f"tracking.root={root}", f"seed={seed}")
    small = ("budget.trials=24", "budget.retrains=16", "budget.finalists=2", "budget.max_train_steps=400")
    quiet = ("budget.eval_every_steps=20", "orchestrate=off", "tracking.enabled=false", "runner=inline")
    return merged((*whole, *small, *quiet), scenario.overrides)


def regret(last: Record) -> float:
    """How many SDs the configuration that stands after the round is worse than the best that can be trained."""
    config = compose.from_overrides(last.reproduce.overrides, str(FOLDER))
    given = config.workload.arguments
    land = {name: given[name] for name in ("optimum", "narrow", "effect")}
    wall = None if given["walled"] else given["wall"]
    reach = min(v for v in (wall, given["raises"], math.inf) if v is not None)
    verdict = last.verdict
    stands = verdict.candidate if verdict.outcome == "promote" else verdict.incumbent
    assert stands is not None
    best = {"learning_rate": min(given["optimum"], reach), "one_minus_momentum": MOMENTUM}
    ways = [excess(best | {"activation": name}, **land) for name in ("relu", "gelu")]
    return excess(stands.point, **land) - min(ways)


@contextmanager
def in_this_process() -> Iterator[None]:
    """Rounds as they are, but that no report is drawn and trials of any workload run here.

    What a round promotes is shown under the root of its store: the landscape's folder is the repository's.
    """
    places = "flows.session.incumbent.incumbent_places"
    with (
        patch("tasks.report.write.page", lambda record, curves, folder: ""),
        patch("tasks.trials.inline.OURS", ""),
        patch(places, lambda workload, root, *_: (root / "incumbent" / f"{workload}.yaml",)),
    ):
        yield


def main(arguments: list[str]) -> int:
    """Prints a line a scenario; 1 where a loop ended in anything but a right conclusion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help=", ".join(s.name for s in SCENARIOS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--verbose", action="store_true", help="each round of each seed")
    words = parser.parse_args(arguments)
    print(HEAD)
    wrong = 0
    with in_this_process():
        for scenario in (s for s in SCENARIOS if not words.scenarios or s.name in words.scenarios):
            ends = [_run(scenario, seed, words.verbose) for seed in range(words.seeds)]
            wrong += sum(not scenario.right(e) for e in ends)
            print(_line(scenario, ends), flush=True)
    return 1 if wrong else 0


def _run(scenario: Scenario, seed: int, verbose: bool) -> Ended:
    with TemporaryDirectory() as root, redirect_stderr(StringIO()):
        ended = followed(scenario, seed, Path(root))
    for record in ended.rounds if verbose else ():
        failed = sorted({f.row for f in record.findings if f.level == "fail"})
        warned = sorted({f.row for f in record.findings if f.level == "warn"})
        before = record.reproduce.overrides
        more = " ".join(o for o in record.next.overrides if o not in before)
        print(f"  {seed} {record.verdict.outcome}: {' '.join(failed)} ({' '.join(warned)}); {more or record.next.why}")
    return ended


HEAD = f"{'scenario':<22} {'right':>7} {'rounds':>6} {'regret':>7} {'worst':>6}  ends; what was applied"


def _line(scenario: Scenario, ends: list[Ended]) -> str:
    right = sum(map(scenario.right, ends))
    rounds = float(np.mean([len(e.rounds) for e in ends]))
    regrets = [e.regret for e in ends]
    how = ", ".join(f"{n} {end}" for end, n in Counter(e.end for e in ends).most_common())
    keys = Counter(o.partition("=")[0].lstrip("+~") for e in ends for o in set(e.applied))
    applied = ", ".join(f"{key} {n}" for key, n in keys.most_common()) or "nothing"
    figures = f"{right:>3}/{len(ends):<3} {rounds:>6.1f} {np.median(regrets):>7.2f} {max(regrets):>6.2f}"
    return f"{scenario.name:<22} {figures}  {how}; {applied}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
