"""The command `history`: rounds, audits and incumbents listed, shown, ranked by another objective and compared."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flows.compose.called import program
from flows.compose.messages import SentenceParser, tell
from flows.past.across import comparison_text, designs_text, lengths_text, ranking_text
from flows.past.found import Past
from flows.past.incumbent import FORMATS, incumbent_text
from flows.past.listed import list_text
from flows.past.shown import round_text
from tasks.ledger import LedgerError, open_ledger
from tasks.scope.error import InputError
from tasks.upgrade import NewerRecord

_ROOT = "tracking.root="
_RANK_SETTINGS = ("objective", "direction")
_INCUMBENT = "incumbent"  # in the place of a round's id


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0, or 2 after one sentence of what is wrong."""
    try:
        root, words = _root_and_words(sys.argv[1:] if arguments is None else list(arguments))
        said = _parser().parse_args(words)
        if not root.is_dir():
            raise InputError(f"there is no folder {root}: tracking.root=PATH names the one that holds the rounds")
        with _past(root) as past:
            print(_text(past, said), end="")
    except (InputError, LedgerError, NewerRecord) as error:
        tell(error)
        return 2
    return 0


@contextmanager
def _past(root: Path) -> Iterator[Past]:
    """What ran under the root; nothing is made there that is not there yet."""
    if not (root / "ledger.db").exists():
        yield Past(root=root, ledger=None)
        return
    with open_ledger(root) as ledger:
        yield Past(root=root, ledger=ledger)


def _text(past: Past, said: argparse.Namespace) -> str:
    """What the command says."""
    if said.command == "show" and said.round_id == _INCUMBENT:
        return incumbent_text(past, *_workload_and_format(said.setting))
    if said.command == "show":
        if said.setting:
            raise InputError(
                f"{said.setting[0]!r} cannot be said of a round; show incumbent takes a workload and format="
            )
        return round_text(past, said.round_id)
    if said.command == "compare":
        return comparison_text(past.record(said.one), past.record(said.other))
    if said.command == "lengths":
        return lengths_text(past.record(said.short), past.record(said.long))
    if said.command == "designs":
        return designs_text([past.record(name) for name in said.rounds])
    if said.command == "rank":
        return ranking_text(past, said.round_id, _settings(said.setting))
    return list_text(past) or f"no round yet under {past.root}: {program('round')} runs one\n"


def _workload_and_format(words: Sequence[str]) -> tuple[str | None, str | None]:
    names = [word for word in words if "=" not in word]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    strange = [*names[1:], *(key for key in given if key != "format")]
    if strange:
        raise InputError(
            f"{strange[0]!r} cannot be said of an incumbent; name one workload and format=yaml, json or argv"
        )
    return names[0] if names else None, given.get("format")


def _settings(words: Sequence[str]) -> dict[str, str]:
    said = dict(word.partition("=")[::2] for word in words)
    if strange := next((key for key in said if key not in _RANK_SETTINGS), None):
        raise InputError(f"{strange!r} cannot be set here; objective=best|final|METRIC and direction= can")
    if not said.get("objective"):
        raise InputError("objective: missing; say objective=best, objective=final, or the name of a metric")
    return said


def _root_and_words(arguments: list[str]) -> tuple[Path, list[str]]:
    roots = [a.removeprefix(_ROOT) for a in arguments if a.startswith(_ROOT)]
    words = [a for a in arguments if not a.startswith(_ROOT)]
    for word in words if words[:1] != ["rank"] and words[:2] != ["show", _INCUMBENT] else ():
        if "=" in word and not word.startswith("-"):
            raise InputError(f"{word!r} cannot be set here: only tracking.root=PATH can")
    return Path(roots[-1] if roots else "mlruns").resolve(), words


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        "history",
        usage=f"{program('history')} [list | show ID | show incumbent WORKLOAD [format={'|'.join(FORMATS)}] | "
        "compare ID ID | rank ID objective=final | lengths ID ID | designs ID ID ...] [tracking.root=PATH]",
        description="Rounds, audits and incumbents. Without a command: a list of them. An id may be cut short where "
        "only one begins so.",
        epilog="tracking.root=PATH names the folder that holds the ledger and the records (default: mlruns).",
    )
    made = partial(SentenceParser, "history")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=made)  # type: ignore[call-overload]
    commands.add_parser("list", help="every round and audit, the last one first, and the incumbent of every workload")
    show = commands.add_parser("show", help="the report of one round or audit; or what is promoted, in values")
    show.add_argument("round_id", metavar="ID", help="a round, an audit, or the word incumbent")
    show.add_argument("setting", nargs="*", default=[], help=f"of the incumbent: WORKLOAD format={'|'.join(FORMATS)}")
    compare = commands.add_parser("compare", help="two rounds beside each other: in what they differ, what they found")
    compare.add_argument("one", metavar="ID")
    compare.add_argument("other", metavar="ID")
    rank = commands.add_parser("rank", help="the trials of one round by another objective; nothing is run again")
    rank.add_argument("round_id", metavar="ID")
    rank.add_argument("setting", nargs="*", help="objective=best|final|METRIC direction=minimize|maximize")
    lengths = commands.add_parser(
        "lengths", help="whether the points of a short round keep their order in a longer one"
    )
    lengths.add_argument("short", metavar="ID")
    lengths.add_argument("long", metavar="ID")
    designs = commands.add_parser(
        "designs", help="the luck of the search, from rounds that only their seeds tell apart"
    )
    designs.add_argument("rounds", nargs="+", metavar="ID")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
