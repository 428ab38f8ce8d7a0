"""The command `history`: rounds and incumbents listed, shown, ranked by another objective and compared."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.compose.called import program, round_line
from flows.compose.messages import SentenceParser, tell
from tasks.ledger import Ledger, LedgerError, Summary, open_ledger
from tasks.promote.next import merged
from tasks.record import Record
from tasks.scope.error import InputError
from tasks.text import one_line, printable
from tasks.upgrade import NewerRecord, read_record

_ROOT = "tracking.root="
_FILES = ("report.html", "record.json")
_RANK_SETTINGS = ("objective", "direction")
_RANKED = 20  # trials that a ranking shows


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0, or 2 after one sentence of what is wrong."""
    try:
        root, words = _root_and_words(sys.argv[1:] if arguments is None else list(arguments))
        said = _parser().parse_args(words)
        if not (root / "ledger.db").exists():
            return _nothing_yet(root, said.command)
        with open_ledger(root) as ledger:
            if said.command == "show":
                print(_shown(ledger, said.round_id), end="")
            elif said.command == "lengths":
                print(_lengths(_ended(ledger, said.short), _ended(ledger, said.long)), end="")
            elif said.command == "designs":
                print(_designs([_ended(ledger, name) for name in said.rounds]), end="")
            elif said.command == "rank":
                print(_ranked(ledger, said.round_id, _settings(said.setting)), end="")
            else:
                print(listed(ledger), end="")
    except (InputError, LedgerError, NewerRecord) as error:
        tell(error)
        return 2
    return 0


def listed(ledger: Ledger) -> str:
    """All rounds, the last one first, and the incumbent of every workload: as tables, plain where nobody looks."""
    rounds, promoted = ledger.rounds(), [ledger.incumbent(w) for w in ledger.workloads()]
    head: tuple[str, ...] = ("round", "workload", "goal", "outcome", "gain", "when")
    text = _table(head, [_round_cells(r, ledger.running(r.round_id)) for r in rounds])
    if promoted:
        head = ("incumbent", "generation", "since", "by round", "point")
        cells = [
            (
                i.workload,
                str(i.generation),
                _minute(i.created),
                i.round_id or i.source,
                _point(i.point | i.settings),
            )
            for i in promoted
            if i is not None
        ]
        text += "\n" + _table(head, cells)
        text += f"\nledger {ledger.id}: incumbent/*.yaml name it\n"
    return text


def _known(ledger: Ledger, round_id: str) -> Summary:
    known = {r.round_id: r for r in ledger.rounds()}
    if round_id not in known:
        near = ", ".join(list(known)[:5]) or "none"
        raise InputError(f"there is no round {round_id!r}; the latest are: {near}")
    return known[round_id]


def _ended(ledger: Ledger, round_id: str) -> Record:
    """The record of a round that has ended."""
    _known(ledger, round_id)
    text = ledger.record(round_id)
    if text is None:
        raise InputError(f"round {round_id} has not ended, so there is nothing to rank or compare yet")
    return read_record(text)


def _ranked(ledger: Ledger, round_id: str, settings: dict[str, str]) -> str:
    """The trials of a finished round by another objective, from its record and its curves; nothing is run again.

    Playbook: D15
    """
    record = _ended(ledger, round_id)
    file = ledger.folder(round_id) / record.curves
    if not file.is_file():
        raise InputError(f"the curves of round {round_id} are not at {file}; without them nothing can be ranked")
    from tasks.report.across.rerank import agreement, reranked
    from tasks.text import number, plural, point_label
    from tasks.trials.stored import read_curves

    ranked = reranked(record, read_curves(file), settings["objective"], settings.get("direction"))
    arms = {s.id: point_label(s.scientific) or s.id for s in record.studies}
    rows = [
        (str(r.rank), str(r.before), number(r.value), str(r.step), r.trial, arms.get(r.study, r.study))
        for r in ranked[:_RANKED]
    ]
    said = _table(("rank", "before", settings["objective"], "at step", "trial", "study"), rows)
    more = f"... and {len(ranked) - _RANKED} more\n" if len(ranked) > _RANKED else ""
    alike = agreement(ranked)
    tail = "" if alike is None else f"; rank correlation with the round's own objective: {alike:.2f}"
    same = "the same trial is best as" if ranked[0].before == 1 else "another trial is best than"
    left = sum(t.purpose == "search" and t.status == "complete" for t in record.trials) - len(ranked)
    without = f"{plural(left, 'complete trial')} without it left out; " if left else ""
    return f"{said}{more}{without}{same} by the best {record.objective.metric}{tail} (D15)\n"


def _lengths(short: Record, long: Record) -> str:
    from tasks.report.across.lengths import same_order

    found = same_order(short, long)
    return f"{found.level} {found.row}: {found.evidence}\n"


def _designs(records: Sequence[Record]) -> str:
    from tasks.report.across.designs import lead, repeated
    from tasks.text import number

    found, metric = repeated(records), records[0].objective.metric
    rows = [
        (r.label, *map(number, r.bests), number(r.mean), number(r.sd), f"{r.held[0]} of {r.held[1]}") for r in found
    ]
    seeds = tuple(f"seed {r.seed}" for r in records)
    said = _table((f"best {metric}", *seeds, "mean", "SD", "held by a band"), rows)
    return f"{said}{lead(found, metric)}\n"


def _settings(words: Sequence[str]) -> dict[str, str]:
    said = dict(word.partition("=")[::2] for word in words)
    if strange := next((key for key in said if key not in _RANK_SETTINGS), None):
        raise InputError(f"{strange!r} cannot be set here; objective=best|final|METRIC and direction= can")
    if not said.get("objective"):
        raise InputError("objective: missing; say objective=best, objective=final, or the name of a metric")
    return said


def _shown(ledger: Ledger, round_id: str) -> str:
    """The report of a finished round, or how far an unfinished one has come."""
    summary, text = _known(ledger, round_id), ledger.record(round_id)
    if text is None:
        planned, done = len(ledger.planned(round_id)), len(ledger.results(round_id))
        state = _state(summary, ledger.running(round_id))
        way = "" if state == "running" else f"; go on with it: {_command(ledger, round_id)}"
        return f"round {round_id} is {state}: {done} of {planned} trials done{way}\n"
    from tasks.report.terminal import text as report

    paths = [str(p) for name in _FILES if (p := ledger.folder(round_id) / name).exists()]
    console, record = Console(), read_record(text)
    shown: str = report(record, width=console.width, colour=console.is_terminal, paths=paths)
    return shown.rstrip("\n") + "\n"


def _command(ledger: Ledger, round_id: str) -> str:
    config = ledger.frozen(round_id).get("config") or {}
    return printable(round_line(merged(config.get("overrides", ()), [f"resume={round_id}"]), config.get("config_dir")))


def _round_cells(row: Summary, running: bool) -> tuple[str, ...]:
    gain = "" if row.gain is None else f"{row.gain:+.4g}"
    return (row.round_id, row.workload, row.goal, row.outcome or _state(row, running), gain, _minute(row.created))


def _state(row: Summary, running: bool) -> str:
    """A round that says `running` and that no process holds was cut off."""
    return "running" if running else "interrupted" if row.state == "running" else row.state


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    console, rows = Console(), [[one_line(cell) for cell in row] for row in rows]
    if console.is_terminal:
        table = Table(*head, box=None, header_style="bold", padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*map(Text, row))
        with console.capture() as shown:
            console.print(table)
        return shown.get()
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _point(point: dict[str, bool | int | float | str]) -> str:
    return " ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in point.items())


def _minute(when: str) -> str:
    return when[:16].replace("T", " ")


def _nothing_yet(root: Path, command: str | None) -> int:
    if not root.is_dir():
        raise InputError(f"there is no folder {root}: tracking.root=PATH names the one that holds the rounds")
    if command in ("show", "rank", "lengths", "designs"):
        raise InputError(f"there is no round yet under {root}: {program('round')} runs one")
    print(f"no round yet under {root}: {program('round')} runs one")
    return 0


def _root_and_words(arguments: list[str]) -> tuple[Path, list[str]]:
    roots = [a.removeprefix(_ROOT) for a in arguments if a.startswith(_ROOT)]
    words = [a for a in arguments if not a.startswith(_ROOT)]
    for word in words if words[:1] != ["rank"] else ():
        if "=" in word and not word.startswith("-"):
            raise InputError(f"{word!r} cannot be set here: only tracking.root=PATH can")
    return Path(roots[-1] if roots else "mlruns").resolve(), words


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        "history",
        usage=f"{program('history')} [list | show ID | rank ID objective=final | lengths ID ID | designs ID ID ...] "
        "[tracking.root=PATH]",
        description="Rounds and incumbents. Without a command: a list of both.",
        epilog="tracking.root=PATH names the folder that holds the ledger and the records (default: mlruns).",
    )
    made = partial(SentenceParser, "history")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=made)  # type: ignore[call-overload]
    commands.add_parser("list", help="every round, the last one first, and the incumbent of every workload")
    show = commands.add_parser("show", help="the report of one round")
    show.add_argument("round_id", metavar="ROUND_ID")
    rank = commands.add_parser("rank", help="the trials of one round by another objective; nothing is run again")
    rank.add_argument("round_id", metavar="ROUND_ID")
    rank.add_argument("setting", nargs="*", help="objective=best|final|METRIC direction=minimize|maximize")
    lengths = commands.add_parser(
        "lengths", help="whether the points of a short round keep their order in a longer one"
    )
    lengths.add_argument("short", metavar="ROUND_ID")
    lengths.add_argument("long", metavar="ROUND_ID")
    designs = commands.add_parser(
        "designs", help="the luck of the search, from rounds that only their seeds tell apart"
    )
    designs.add_argument("rounds", nargs="+", metavar="ROUND_ID")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
