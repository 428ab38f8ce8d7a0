"""Where the checks are worse than their bar, computed, and why, where that is known.

The reasons are written by hand; that one is printed at all, and with which numbers, is computed: a reason whose row
holds its bar is not on the page, and a row that misses it without a reason is there as unexplained.
"""

from collections.abc import Mapping

from tests.benchmarks.calibration.measure import AXES, FALSE_ALARMS, RECALL, Score, Tally, score, wilson
from tests.benchmarks.planted.scenarios import REFERENCE, ROWS, Setting

MISSED, WRONG = "missed", "wrong"
_FAINT = "A gain or a rise counts only beyond three SDs of what the evaluations scatter, which grows with the luck."
_EDGES = "The best trials are where the luck was, and the surface is too unsure to speak."
_READY = "It rests on E2, E3, E5 and E7, and goes wrong where they miss an edge, a wall or a well."
_ASKS = "It sums up E11, F2, F5, F6 and F8, and misses what they miss."
_BANDS = "The bands of the two searches overlap: so little is told of a change by searches alone."
WHY: Mapping[tuple[str, str, str], str] = {
    ("noise", "B6/new", MISSED): _ASKS,
    ("noise", "B6/drop", MISSED): _BANDS,
    ("noise", "B8", MISSED): "The good trials, those that luck cannot tell from the best, fill the space.",
    ("noise", "B8", WRONG): _READY,
    ("noise", "E8", MISSED): "A guesser's best of noisy evaluations is further from chance than `stuck_fraction`.",
    ("noise", "E9", MISSED): "Guessers that E8 does not see are not counted.",
    ("noise", "G8", MISSED): "Among others with luck a lucky trial stands out less, and no test calls it significant.",
    ("noise", "G10", MISSED): "It cannot be told which hyperparameters matter (B5), or luck put the best near an end.",
    ("noise", "G10", WRONG): _READY,
    ("noise", "J8/size", MISSED): "The best of lucky values is low, and a lower share has a smaller standard error.",
    ("trials", "B6/new", MISSED): _ASKS,
    ("trials", "B6/drop", MISSED): _BANDS,
    ("trials", "B8", MISSED): "Of few trials E7 is na, or the surface is too unsure to let a part of any range go.",
    ("trials", "B8", WRONG): _READY,
    ("trials", "G10", MISSED): "Of few trials E7 is na, and it cannot be told which hyperparameters matter (B5).",
    ("dimensions", "B6/drop", MISSED): _BANDS,
    ("dimensions", "G10", MISSED): "Of more hyperparameters one is sooner close to an end, where that costs little.",
    ("noise", "D13", MISSED): "The spread of the luck is as large as what the well stands out by.",
    ("noise", "D13", WRONG): "Luck alone makes a best that stands alone.",
    ("noise", "E2/E3", MISSED): _EDGES,
    ("noise", "E5", MISSED): _EDGES,
    ("noise", "E6", MISSED): "It sums up E2, E3 and E7, and misses what they miss.",
    ("noise", "E7", MISSED): "By luck several trials of the plain are as good as the one in the well.",
    ("noise", "E11", MISSED): "It sums up E5 and misses what that misses.",
    ("noise", "E11", WRONG): "It sums up E5 and F10 and errs with them.",
    ("noise", "F2", MISSED): _FAINT,
    ("noise", "F5", MISSED): "It rests on F2.",
    ("noise", "F6", WRONG): "Of all trials two suffice, and noise that wanders looks like a turn.",
    ("noise", "F7", MISSED): "Luck drives the best of the two arms apart, and the gap is measured by them.",
    ("noise", "F7", WRONG): "The best two are chosen by luck, and the gap that is left between them can be any.",
    ("noise", "F8", MISSED): _FAINT,
    ("noise", "F9", MISSED): "Evaluations too noisy to say that nothing was gained.",
    ("noise", "F9", WRONG): "A gain that drowns in the noise of the evaluations is taken for none.",
    ("noise", "H1/bound", MISSED): _FAINT,
    ("noise", "H1/not", MISSED): "It rests on F9.",
    ("noise", "H1/not", WRONG): "It rests on F9.",
    ("noise", "H3", MISSED): _FAINT,
    ("noise", "H4", MISSED): "The gain that betrays it, 3 to 4 % of the descent, is soon less than three SDs.",
    ("noise", "H5", MISSED): _FAINT,
    ("noise", "H9", MISSED): "It takes the lowest of all evaluations, and of many noisy ones one is low by luck.",
    ("noise", "J5", MISSED): "A wave of a quarter of an effect, while the noise of an evaluation grows to half of one.",
    ("trials", "E2/E3", MISSED): "Fewer trials than the surface has coefficients: only the crowd at an edge can tell.",
    ("trials", "E2/E3", WRONG): "The best of few trials lies near some edge by chance.",
    ("trials", "E5", MISSED): "A wall needs two trials beyond it that luck does not explain, and a surface before it.",
    ("trials", "E5", WRONG): "With few trials the best one may be the next to the wall by chance.",
    ("trials", "E6", MISSED): "It sums up E2, E3 and E7, and misses what they miss.",
    ("trials", "E6", WRONG): "It sums up E2, E3 and E7 and errs with them.",
    ("trials", "E7", MISSED): "It is na below nine trials: of so few a sound study may have one good one by luck.",
    ("trials", "E7", WRONG): "Of few trials a sound study may have one good one by luck.",
    ("trials", "E9", MISSED): "A third of eight trials is two or three, and two are no more than a quarter.",
    ("trials", "E10", MISSED): "It is na below three unexplained trials, and where no pattern could be told from luck.",
    ("trials", "E11", MISSED): "It sums up E5 and misses what that misses.",
    ("trials", "F7", MISSED): "The best of few trials are further apart, and the gap is measured by them.",
    ("trials", "D12", MISSED): "It is na with fewer than four feasible trials.",
    ("dimensions", "E2/E3", MISSED): "As many trials say less of each side of more hyperparameters.",
    ("dimensions", "E5", MISSED): "As many trials say less of each side of more hyperparameters.",
    ("dimensions", "E6", MISSED): "It sums up E2, E3 and E7, and misses what they miss.",
    ("dimensions", "E7", MISSED): "In the plane the well is wide enough for more than one trial to fall into it.",
    ("dimensions", "E11", MISSED): "It sums up E5 and misses what that misses.",
    ("dimensions", "F7", MISSED): "Further off the optimum the best of two arms are further apart.",
}  # fmt: skip


def misses(s: Score) -> dict[str, float]:
    """What of the bar the score misses: its recall, its share of false alarms."""
    found = {MISSED: s.recall} if s.planted and s.recall < RECALL else {}
    return found | ({WRONG: s.false_alarms} if s.clean and s.false_alarms > FALSE_ALARMS else {})


def worse(counts: Tally, seeds: int, axis: str) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """By row and kind of miss: `(value of the axis, share)` where it misses and is worse than at the reference.

    Worse is what lies outside the reference's own 95 % interval: a miss that is there already is not the axis's doing.
    """
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in ROWS:
        for value in AXES[axis]:
            for kind, share in misses(score(counts, row, at(axis, value), seeds)).items():
                if _beyond(score(counts, row, REFERENCE, seeds), kind, share):
                    found.setdefault((row, kind), []).append((value, share))
    return found


def _beyond(here: Score, kind: str, share: float) -> bool:
    """Whether the share is worse than chance makes of what the reference has; True where that has none."""
    if kind == MISSED:
        return not here.planted or share < wilson(here.hits, here.planted)[0]
    return not here.clean or share > wilson(here.alarms, here.clean)[1]


def why(counts: Tally, seeds: int) -> str:
    """The list of the page, a line for each row that misses its bar along an axis."""
    parts = []
    for axis in AXES:
        lines = [_line(axis, row, kind, where) for (row, kind), where in worse(counts, seeds, axis).items()]
        parts.append(
            f"**{axis.capitalize()}.**\n\n"
            + ("\n".join(lines) or "None is worse there than at the reference and misses its bar.")
        )
    return "\n\n".join(parts)


def unexplained(counts: Tally, seeds: int) -> list[str]:
    """The misses for which no reason is written."""
    return [
        f"{axis} {row} {kind}"
        for axis in AXES
        for row, kind in worse(counts, seeds, axis)
        if (axis, row, kind) not in WHY
    ]


def at(axis: str, value: float) -> Setting:
    """The reference with one thing changed."""
    kept = {"noise": REFERENCE.noise, "trials": REFERENCE.trials, "dimensions": REFERENCE.dimensions, axis: value}
    return Setting(noise=kept["noise"], trials=int(kept["trials"]), dimensions=int(kept["dimensions"]))


def _line(axis: str, row: str, kind: str, where: list[tuple[float, float]]) -> str:
    told = ", ".join(f"{share:.2f} at {value:g}" for value, share in where)
    what = "recall" if kind == MISSED else "false alarms"
    return f"- {row}: {what} {told}. {WHY.get((axis, row, kind), 'Why is not known.')}"
