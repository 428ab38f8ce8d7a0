"""docs/calibration.md and its pictures, from the counts of tests/benchmarks/calibration/measure.py."""

import math
from datetime import date
from pathlib import Path

from tests.benchmarks.calibration.measure import AXES, FALSE_ALARMS, FIRST, RECALL, Tally, reference, score, wilson
from tests.benchmarks.calibration.pictures import picture
from tests.benchmarks.calibration.why import at, misses, why
from tests.benchmarks.planted.scenarios import OWN, REFERENCE, ROWS, SCENARIOS, Setting

DOCS = Path(__file__).resolve().parents[3] / "docs"
# Written by the calibrations of their own, and added to the page where they exist.
PARTS = {
    "What matters, and what interacts (B5)": "calibration_sensitivity.md",
    "The bands of isolation plots (F14)": "calibration_isolation.md",
    "The gate": "calibration_gate.md",
}
LABELS = {
    "noise": "a trial's luck, as a share of the effect",
    "trials": "trials a study",
    "dimensions": "hyperparameters that vary",
}


def written(counts: Tally, seeds: int, first: int, *, page: bool, docs: Path = DOCS) -> str:
    """The page's tables; with `page` they are also written to `docs`, with pictures."""
    if not page:
        return "\n\n".join((_reference(counts, seeds), _scenarios(counts, seeds)))
    for axis, values in AXES.items():
        scores = {row: [score(counts, row, at(axis, v), seeds) for v in values] for row in ROWS}
        ticks, here = [f"{v:g}" for v in values], f"{getattr(REFERENCE, axis):g}"
        picture(docs / f"calibration_{axis}.svg", scores, ticks, LABELS[axis], reference=here)
    text = page_text(counts, seeds, first, docs)
    (docs / "calibration.md").write_text(text)
    return text


def page_text(counts: Tally, seeds: int, first: int, docs: Path) -> str:
    """The page; what it claims of the numbers is computed from them."""
    pictures = "\n\n".join(
        f"### {axis.capitalize()}\n\n![Recall and false alarms of each check against {LABELS[axis]}]"
        f"(calibration_{axis}.svg)\n\n{_axis(counts, seeds, axis)}"
        for axis in AXES
    )
    parts = "".join(f"\n## {t}\n\n{(docs / n).read_text()}" for t, n in PARTS.items() if (docs / n).exists())
    planted = "\n".join(f"| {s.name} | {s.says} | {_list(s.fires)} | {_list(s.grey)} |" for s in SCENARIOS)
    return f"""# How often the checks are right

`make calibrate` wrote this page on {date.today()}: {len(SCENARIOS)} planted scenarios, {seeds} studies of each at every
setting. A row must fire where its fault was planted and be silent everywhere else, but for grey zones, which were
written down before anything was scored (tests/benchmarks/planted/scenarios.py says what was changed after a first
look).
{_seeds(seeds, first)}
The truth is drawn anew for every study: where the optimum lies, how steep each hyperparameter is, and all luck.

## At the reference setting

{_say(REFERENCE)}. The bar: recall at least {RECALL:.2f}, false alarms at most {FALSE_ALARMS:.2f}.
{_verdict(counts, seeds)}

{_reference(counts, seeds)}

In brackets 95 % intervals (Wilson). "Asked": in what share of the clean studies the row was asked at all; `na` is
silent and proves nothing. Precision takes every scenario to be as frequent as any other. E2 and E3 are one question
and share a line; F3 is F2's remedy; H1 names a class, and each is scored. {_own()}

### What fired where

{_scenarios(counts, seeds)}

## At other settings

One thing is changed at a time. Each cell: recall / false alarms; bold misses the bar. In the pictures bars are 95 %
intervals.

{pictures}

### Where it is worse, and why

{why(counts, seeds)}
{parts}
## What was planted

An effect is what a third of a range (a decade of three) off the optimum costs; each hyperparameter costs half to twice
that. tests/benchmarks/planted/scenarios.py has the numbers, and the grey zones that are in no scenario.

| scenario | planted | must fire | not scored |
|---|---|---|---|
{planted}
"""


def _seeds(seeds: int, first: int) -> str:
    """Whether the seeds are held out; below `FIRST` checks are changed by what is seen."""
    told = f"Seeds {first} to {first + seeds - 1}"
    if first >= FIRST:
        return (
            f"{told}: held out, no threshold and no scenario was chosen on them (development uses those below {FIRST})."
        )
    return f"{told}: not held out, thresholds were chosen on seeds like these."


def _verdict(counts: Tally, seeds: int) -> str:
    """How many rows hold the bar, and which do not."""
    short = [row for row in ROWS if misses(reference(counts, row, seeds))]
    if not short:
        return f"All {len(ROWS)} rows hold it."
    return (
        f"{len(ROWS) - len(short)} of {len(ROWS)} rows hold it; {', '.join(short)} {'do' if short[1:] else 'does'} not."
    )


def _own() -> str:
    """Which rows have their recall from another setting."""
    told = [f"{row} goes by what the reference has none of: its recall is of {_say(s)}." for row, s in OWN.items()]
    return " ".join(told)


def _reference(counts: Tally, seeds: int) -> str:
    """One line a row, in bold what misses the bar."""
    lines = ["| row | asks | recall | false alarms | asked | precision |", "|---|---|---|---|---|---|"]
    for row in ROWS:
        s = reference(counts, row, seeds)
        recall, alarms = _share(s.hits, s.planted, low=RECALL), _share(s.alarms, s.clean, high=FALSE_ALARMS)
        asked = _number(s.asked / s.clean if s.clean else math.nan)
        lines.append(f"| {row} | {ROWS[row]} | {recall} | {alarms} | {asked} | {_number(s.precision)} |")
    return "\n".join(lines)


def _scenarios(counts: Tally, seeds: int) -> str:
    """For each scenario the rows that must fire, and those that fired and must not; in bold what misses the bar."""
    lines = ["| scenario | must fire: share in which it did | fired and must not |", "|---|---|---|"]
    for s in SCENARIOS:
        got = {row: counts[REFERENCE, s.name][row][0] / seeds for row in ROWS}
        hits = [_told(row, got[row], got[row] < RECALL) for row in ROWS if s.wanted(row, REFERENCE) is True]
        alarms = [row for row in ROWS if s.wanted(row, REFERENCE) is False and got[row]]
        wrong = [_told(row, got[row], got[row] > FALSE_ALARMS) for row in alarms]
        lines.append(f"| {s.name} | {', '.join(hits) or '-'} | {', '.join(wrong) or '-'} |")
    return "\n".join(lines)


def _told(row: str, share: float, bold: bool) -> str:
    return f"**{row} {share:.3f}**" if bold else f"{row} {share:.3f}"


def _axis(counts: Tally, seeds: int, axis: str) -> str:
    """`recall / false alarms` of each row along one axis, in bold where either misses the bar."""
    values = AXES[axis]
    lines = [f"| {axis} | " + " | ".join(f"{v:g}" for v in values) + " |", "|---" * (len(values) + 1) + "|"]
    for row in ROWS:
        scores = [score(counts, row, at(axis, v), seeds) for v in values]
        cells = [(f"{_number(s.recall)} / {_number(s.false_alarms)}", misses(s)) for s in scores]
        lines.append(f"| {row} | " + " | ".join(f"**{text}**" if missed else text for text, missed in cells) + " |")
    return "\n".join(lines)


def _share(hits: int, of: int, *, low: float = 0.0, high: float = 1.0) -> str:
    if not of:
        return "-"
    first, last = wilson(hits, of)
    text = f"{hits / of:.3f} ({first:.3f} to {last:.3f})"
    return text if low <= hits / of <= high else f"**{text}**"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _list(rows: frozenset[str]) -> str:
    return ", ".join(row for row in ROWS if row in rows) or "-"


def _say(s: Setting) -> str:
    return f"{s.trials} trials a study, {s.dimensions} hyperparameters, noise of {s.noise:g} of the effect"
