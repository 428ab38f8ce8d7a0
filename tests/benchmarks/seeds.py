"""What becomes of rounds whose program ignores its seed, in whole or in part: the tables of docs/seeds.md.

python -m tests.benchmarks.seeds [ROUNDS]
"""

import sys
from collections.abc import Iterator
from functools import partial

from tests.promote.planted_rounds import NOISE
from tests.promote.seeds.simulated_seeds import (
    Draw,
    Report,
    at_the_ceiling,
    cached,
    coarse_and_fine,
    few_examples,
    few_often,
    fixed,
    halved,
    one_fine,
    raced,
    rounded,
    uses,
)

PROGRAMS: dict[str, Draw] = {
    "one seed for all": fixed,
    "a cache by the point": cached,
    "every second replicate repeats the one before": halved,
    "uses its seed": uses,
}
REPORTS: dict[str, Report] = {
    "the objective once, all digits": one_fine,
    "share of 50 examples, a loss, a clock; 10 evaluations": coarse_and_fine,
    "rounded to 3 decimals; 10 evaluations": rounded,
    "share of 20 examples; 10 evaluations": few_often,
    "share of 20 examples, once": few_examples,
    "the same, nearly never a mistake": at_the_ceiling,
}
STAYS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)


def whole(rounds: int) -> Iterator[str]:
    """A row for each program and report: promotions, accusations and withheld rounds, with no gain and with 3 SD."""
    yield "| the program | it reports | promoted | said to ignore its seed | too coarse to tell | retrains |"
    yield "|---|---|---:|---:|---:|---:|"
    for program, draw in PROGRAMS.items():
        for told, report in REPORTS.items():
            for gain in (0.0, 3.0):
                ends = [raced(draw, report, gain=gain, seed=seed) for seed in range(rounds)]
                counts = [sum(getattr(e, name) for e in ends) for name in ("promoted", "accused", "withheld")]
                spent = sum(e.retrains for e in ends) / rounds
                yield f"| {program} | {told}; gain {gain:g} SD | {' | '.join(map(str, counts))} | {spent:.1f} |"


def partly(rounds: int) -> Iterator[str]:
    """A row for each share of the variance that does not follow the seed: how often nothing better is promoted."""
    yield "| share of the variance that the seed does not move | said | promoted with no gain | promoted with 3 SD |"
    yield "|---:|---:|---:|---:|"
    for stays in STAYS:
        report = partial(one_fine, noise=NOISE * (1.0 - stays) ** 0.5)
        none, three = ([raced(uses, report, gain=g, seed=s, stays=stays) for s in range(rounds)] for g in (0.0, 3.0))
        accused = sum(e.accused for e in (*none, *three))
        yield (
            f"| {100 * stays:.0f} % | {accused} | {100 * sum(e.promoted for e in none) / rounds:.1f} % | "
            f"{100 * sum(e.promoted for e in three) / rounds:.0f} % |"
        )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for table in (whole(count), partly(5 * count)):
        for line in table:
            print(line, flush=True)
        print()
