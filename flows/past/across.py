"""Finished rounds ranked anew and compared, as text; nothing is run again."""

import textwrap
from collections.abc import Mapping, Sequence

from rich.console import Console

from flows.past.found import Past
from flows.past.tables import text_table
from tasks.record import Record
from tasks.report.across.compare import ALIKE, Line, asked_lines, found_lines, together
from tasks.scope.error import InputError
from tasks.text import number, one_line, plural, point_label

_RANKED = 20  # trials that a ranking shows
_PLAIN_WIDTH = 140  # columns of what no terminal shows


def ranking_text(past: Past, name: str, settings: Mapping[str, str]) -> str:
    """The trials of a finished round by another objective, from its record and its curves.

    Playbook: D15
    """
    record, id = past.record(name), past.id_of(name)
    file = past.folder(id) / record.curves
    if not file.is_file():
        raise InputError(f"the curves of round {id} are not at {file}; without them nothing can be ranked")
    from tasks.report.across.rerank import agreement, reranked
    from tasks.trials.stored import read_curves

    ranked = reranked(record, read_curves(file), settings["objective"], settings.get("direction"))
    arms = {s.id: point_label(s.scientific) or s.id for s in record.studies}
    rows = [
        (str(r.rank), str(r.before), number(r.value), str(r.step), r.trial, arms.get(r.study, r.study))
        for r in ranked[:_RANKED]
    ]
    said = text_table(("rank", "before", settings["objective"], "at step", "trial", "study"), rows)
    more = f"... and {len(ranked) - _RANKED} more\n" if len(ranked) > _RANKED else ""
    alike = agreement(ranked)
    tail = "" if alike is None else f"; rank correlation with the round's own objective: {alike:.2f}"
    same = "the same trial is best as" if ranked[0].before == 1 else "another trial is best than"
    left = sum(t.purpose == "search" and t.status == "complete" for t in record.trials) - len(ranked)
    without = f"{plural(left, 'complete trial')} without it left out; " if left else ""
    return f"{said}{more}{without}{same} by the best {record.objective.metric}{tail} (D15)\n"


def lengths_text(short: Record, long: Record) -> str:
    """Whether the points of a short round keep their order in a longer one."""
    from tasks.report.across.lengths import same_order

    found = same_order(short, long)
    return f"{found.level} {found.row}: {found.evidence}\n"


def designs_text(records: Sequence[Record]) -> str:
    """The luck of the search, from rounds that only their seeds tell apart."""
    from tasks.report.across.designs import lead, repeated

    found, metric = repeated(records), records[0].objective.metric
    rows = [
        (r.label, *map(number, r.bests), number(r.mean), number(r.sd), f"{r.held[0]} of {r.held[1]}") for r in found
    ]
    seeds = tuple(f"seed {r.seed}" for r in records)
    said = text_table((f"best {metric}", *seeds, "mean", "SD", "held by a band"), rows)
    return f"{said}{lead(found, metric)}\n"


def comparison_text(one: Record, other: Record) -> str:
    """Two rounds beside each other: in what they differ, what each answered, and what became of it."""
    console = Console()
    width = console.width if console.is_terminal else _PLAIN_WIDTH
    asked, found = asked_lines(one, other), found_lines(one, other)
    names = max(len(line.name) for line in (*asked, *found))
    columns = (names, max((width - names - 4) // 2, len(one.round_id), len(other.round_id)))
    head = _beside(Line(name="", one=one.round_id, other=other.round_id), *columns)
    differ = "".join(_beside(line, *columns) for line in asked) or f"{ALIKE}\n"
    result = "".join(_beside(line, *columns) for line in found)
    return f"{head}\nasked otherwise\n{differ}\nfound\n{result}\n{together(one, other)}\n"


def _beside(line: Line, name: int, room: int) -> str:
    """A line of both rounds, each wrapped in its column."""
    one, other = (textwrap.wrap(one_line(text), room) or [""] for text in (line.one, line.other))
    rows = range(max(len(one), len(other)))
    cells = [[own[i] if i < len(own) else "" for own in ([line.name], one, other)] for i in rows]
    return "".join(f"{a:<{name}}  {b:<{room}}  {c}".rstrip() + "\n" for a, b, c in cells)
