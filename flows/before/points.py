"""The points of a round as a table: one row a trial, one column a hyperparameter."""

from collections.abc import Iterator, Sequence

from flows.before.lines import MARGIN, WIDTH
from tasks.design.study import Planned, Round, Study
from tasks.text import plural, show

SHOWN = 10  # rows of a plan
ALL = "check=points lists all"
_GAP = "  "

Row = tuple[Study, Planned]


def points_table(round: Round) -> list[str]:
    """The first points of each study, `SHOWN` rows in all at most; the last line says how many more there are."""
    rows = [*_first(round)]
    columns = _columns(round)
    shown, more = _fitting(columns, rows), sum(len(s.trials) for s in round.studies) - len(rows)
    left = [plural(more, "more trial")] if more else []
    left += [plural(len(columns) - len(shown), "more column")] if len(shown) < len(columns) else []
    return [*_table(shown, rows), *([f"and {' and '.join(left)}: {ALL}"] if left else [])]


def every_point(round: Round) -> str:
    """All points with the ids of their trials; where the columns do not fit side by side, in several tables."""
    rows, columns = [(s, t) for s in round.studies for t in s.trials], _columns(round)
    if not rows:
        return "The points depend on results: they are chosen while the round runs."
    blocks = []
    while columns:
        shown = _fitting(columns, rows)
        blocks.append("\n".join(_table(shown, rows, ids=True)))
        columns = columns[len(shown) :]
    return "\n\n".join(blocks)


def _first(round: Round) -> Iterator[Row]:
    """Of each study as many trials as its share of the rows."""
    if sum(len(s.trials) for s in round.studies) <= SHOWN:
        yield from ((s, t) for s in round.studies for t in s.trials)
    else:
        share = max(1, SHOWN // len(round.studies))
        yield from ((s, t) for s in round.studies[:SHOWN] for t in s.trials[:share])


def _columns(round: Round) -> list[str]:
    """The hyperparameters that differ between trials: the compared ones first."""
    compared = [name for study in round.studies for name in study.scientific]
    return [*dict.fromkeys((*compared, *(name for study in round.studies for name in study.space.names)))]


def _fitting(columns: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """The first columns that fit into the width beside a margin; one at least."""
    left, shown = WIDTH - MARGIN - len(_GAP), list[str]()
    for name in columns:
        left -= max(map(len, (*_head(name), *(_cell(row, name) for row in rows)))) + len(_GAP)
        if shown and left < 0:
            break
        shown.append(name)
    return shown


def _table(columns: Sequence[str], rows: Sequence[Row], ids: bool = False) -> list[str]:
    """The lines: two of heads where a name has a part before its last dot."""
    heads = [_head(name) for name in columns]
    upper, lower = [head[0] for head in heads], [head[1] for head in heads]
    cells = [[_cell(row, name) for name in columns] for row in rows]
    lines = [*([upper] if any(upper) else []), lower, *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    marks = [*[""] * (len(lines) - len(rows)), *("(kept)" if t.kept is not None else "" for _, t in rows)]
    if ids:
        names = [*[""] * (len(lines) - len(rows)), *(trial.id for _, trial in rows)]
        lines = [[id, *line] for id, line in zip(names, lines, strict=True)]
        widths = [max(map(len, names)), *widths]
    return [
        _GAP.join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=True)), mark]).rstrip()
        for line, mark in zip(lines, marks, strict=True)
    ]


def _head(name: str) -> tuple[str, str]:
    """The part of a name up to its last dot, and what follows."""
    namespace, dot, last = name.rpartition(".")
    return namespace + dot, last


def _cell(row: Row, name: str) -> str:
    """The value of the trial; empty where the hyperparameter does not exist there."""
    study, trial = row
    values = {**study.scientific, **trial.tried}
    return show(values[name]) if name in values else ""
