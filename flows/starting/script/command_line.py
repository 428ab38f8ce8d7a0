"""The command line of a script: the parser that reads it, its arguments, and what could not be read of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flows.starting.script.arguments import Argument, argument_of
from flows.starting.script.parsers import Added, Found, Parser, parsers_of, with_parents
from flows.starting.script.source import UNREAD, Script
from tasks.scope.error import InputError

TRAINING = ("train", "fit", "learn", "pretrain", "finetune", "fine-tune")  # subcommands that train
WAY_OUT = "write workload/my.yaml by hand, with argv as a template (README.md: a script that you have)"
_OTHERS: Mapping[str, str] = {
    "hydra": "Hydra",
    "click": "click",
    "typer": "typer",
    "absl": "absl's flags",
    "fire": "fire",
    "docopt": "docopt",
    "tyro": "tyro",
    "jsonargparse": "jsonargparse",
    "configargparse": "configargparse",
    "simple_parsing": "simple_parsing",
    "tap": "tap",
    "plac": "plac",
    "lightning.pytorch.cli": "the CLI of Lightning",
}


@dataclass(frozen=True)
class CommandLine:
    """The arguments that can be given, before and (`command`) after the word of a subcommand; `refused`: what not.

    `notes`: what else a person should know, `to_do`: what they must do themselves, each a sentence.
    """

    arguments: tuple[Argument, ...]
    refused: tuple[tuple[int, str], ...]
    command: str = ""
    notes: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()


def command_line_of(script: Script) -> CommandLine:
    """What the script takes on its command line.

    Raises:
        InputError: it has no argparse parser, or several of which none can be told to read the command line.
    """
    found = parsers_of(script)
    parser = _reading(script, found)
    chosen = _training(parser)
    used = [(user, source) for user in (parser, chosen) if user is not None for source in with_parents(user)]
    arguments: list[Argument] = []
    refused = [(call.lineno, "which parser it is added to cannot be told") for call in found.strays]
    for user, owner, added in [(user, source, added) for user, source in used for added in source.added]:
        read = argument_of(script, owner, added)
        if isinstance(read, str):
            refused.append((added.call.lineno, read))
        else:
            arguments.append(replace(read, command=user.command))
    owners = list(dict.fromkeys(source for _, source in used))
    refused += [*_elsewhere(script, found, owners)]
    defaults, notes = _set_defaults(script, owners)
    notes += [_foreign(p) for p in owners if p.foreign_parents]
    return CommandLine(
        arguments=tuple(_last_of_each([replace(a, default=defaults.get(a.dest, a.default)) for a in arguments])),
        refused=tuple(sorted(refused)),
        command=chosen.command if chosen else "",
        notes=tuple(notes),
        to_do=(_word(parser),) if parser.commands and chosen is None else (),
    )


def _word(parser: Parser) -> str:
    names = ", ".join(p.command for p in parser.commands)
    return f"it has subcommands ({names}), and none is known to train: write the word, and what goes with it, into argv"


def _reading(script: Script, found: Found) -> Parser:
    """The parser that reads the command line.

    Raises:
        InputError: as `command_line_of`.
    """
    parents = {id(p) for parser in found.parsers for p in parser.parents}
    parsers = [p for p in found.parsers if not p.command]
    if not parsers:
        raise InputError(f"--from: {script.path} has no argparse parser{_instead(script)}; {WAY_OUT}")
    all_read = [p for p in parsers if p.reads & {"parse_args", "parse_intermixed_args"}]
    for among in (all_read, [p for p in parsers if p.reads], [p for p in parsers if id(p) not in parents], parsers):
        if len(among) == 1:
            return among[0]
        if among:
            lines = ", ".join(str(p.line) for p in among)
            raise InputError(
                f"--from: {script.path} has {len(among)} parsers (lines {lines}), and which of them reads the command "
                f"line cannot be told; {WAY_OUT}"
            )
    raise AssertionError("parsers is not empty")


def _instead(script: Script) -> str:
    """What the script reads its command line with, as far as its imports say."""
    for module, name in _OTHERS.items():
        if any(m == module or m.startswith(f"{module}.") for m in script.modules):
            return f": it uses {name}, which is not read"
    if "transformers.HfArgumentParser" in script.imports.values():
        return ": it uses HfArgumentParser of transformers, which is not read"
    return ""


def _training(parser: Parser) -> Parser | None:
    """The subcommand that trains, where one alone has such a name."""
    found = [p for p in parser.commands if p.command.lower() in TRAINING]
    return found[0] if len(found) == 1 else None


def _elsewhere(script: Script, found: Found, owners: Sequence[Parser]) -> Iterator[tuple[int, str]]:
    """The arguments of all other parsers, which the command line of a trial has no place for."""
    for other in (p for p in found.parsers if p not in owners):
        yield from ((a.call.lineno, f"{_named(script, other, a)}: {_owner(other)}") for a in other.added)


def _owner(parser: Parser) -> str:
    if parser.command:
        return f"it belongs to the subcommand {parser.command}, which is not what a trial runs"
    return f"it belongs to another parser (line {parser.line})"


def _named(script: Script, parser: Parser, added: Added) -> str:
    read = argument_of(script, parser, added)
    return read.name if isinstance(read, Argument) else "an argument"


def _foreign(parser: Parser) -> str:
    return f"the parents of its parser (line {parser.line}) come from elsewhere, so their arguments are not read"


def _set_defaults(script: Script, parsers: Sequence[Parser]) -> tuple[dict[str, Any], list[str]]:
    """`(defaults, notes)` of all calls of `set_defaults`, which replace those of the arguments."""
    found: dict[str, Any] = {}
    notes = []
    for call, conditional in ((d.call, d.conditional) for p in parsers for d in p.defaults):
        found |= {k.arg: UNREAD if conditional else script.value(k.value) for k in call.keywords if k.arg}
        if any(k.arg is None for k in call.keywords):
            notes.append(
                f"line {call.lineno} may set other defaults when it runs (set_defaults(**)): compare the baseline"
            )
    return found, notes


def _last_of_each(arguments: list[Argument]) -> Iterator[Argument]:
    """The arguments without those whose options a later one has taken over."""
    for i, argument in enumerate(arguments):
        later = {o for a in arguments[i + 1 :] if a.command == argument.command for o in a.options}
        if not argument.options or not later.issuperset(argument.options):
            yield argument
