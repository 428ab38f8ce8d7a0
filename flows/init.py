"""The command `init`: a folder for a first round, either an example that runs or one read from a script's argparse."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.compose.called import program
from flows.compose.config import CONF
from flows.compose.messages import SentenceParser, tell
from flows.starting.copied import example_files
from flows.starting.draft import Draft, draft_of
from flows.starting.fates import Fate, default_text
from flows.starting.texts import files_of
from flows.starting.written import write_all
from tasks.scope.error import InputError
from tasks.text import cut, one_line, plural

GROUPS = ("workload", "space", "goal", "budget")
_README, _SECOND_README = "README.md", "TUNING.md"  # a script's own folder mostly has the first
_ARGUMENT, _DEFAULT, _LINE = 22, 14, 118  # widths in print
_LISTED = 60  # lines of a kind
_EXAMPLE = "my"
_NAME = re.compile(r"(?!(?:null|true|false|nan|inf|none)\Z)[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII | re.IGNORECASE)


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 once the folder is written, 2 after one sentence of what is wrong; then nothing was written."""
    try:
        said = _parser().parse_args(arguments)
        folder = _usable(said.folder)
        name = _own_name(said.name, folder, example=said.script is None)
        options = " ".join(f"{group}={name}" for group in GROUPS)
        command = f"{program('round')} --config-dir {shlex.quote(said.folder)} {options}"
        if said.script is None:
            read: list[str] = []
            files = example_files(name=name, round=command, history=program("history"))
            lines = [f"next     {command}"]
        else:
            draft = draft_of(Path(said.script))
            place = _from_there(Path(said.script), folder)
            files = files_of(draft, script=place, name=name, round=command, history=program("history"))
            files = {_free(folder, path): text for path, text in files.items()}
            read = [*_read(draft)]
            lines = [*_to_know(draft), f"{'then    ' if draft.to_do else 'next    '} {command} check=plan"]
        write_all(folder, files)
        tell("\n".join([*read, f"wrote    {', '.join(files)} in {said.folder}", *lines]), aside=False)
    except InputError as error:
        tell(f"error: {one_line(str(error)).rstrip('.')}.")
        return 2
    return 0


def _usable(folder: str) -> Path:
    """The folder, if commands can be printed with it.

    Raises:
        InputError: it cannot.
    """
    if not folder or not folder.isprintable() or folder.startswith("-"):
        raise InputError(f"FOLDER: {folder!r} is a name that no command line should hold; choose another")
    return Path(folder)


def _own_name(given: str | None, folder: Path, *, example: bool) -> str:
    """What the YAMLs are called: as was said, else `my` in an example, else as the folder is, where that will do.

    The workload's name is that of its incumbent, so that two scripts with one ledger need two names.

    Raises:
        InputError: what was said will not do.
    """
    if given is None:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_")
        return _EXAMPLE if example or _refused(name) else name
    if why := _refused(given):
        raise InputError(f"--name: {given!r} {why}; choose another")
    return given


def _refused(name: str) -> str:
    """Why a name cannot be that of a workload, a space, a goal and a budget; empty where it can."""
    if not _NAME.fullmatch(name):
        return "will not do: letters, digits, dashes and underscores do, after a letter"
    ours = next((group for group in GROUPS if (CONF / group / f"{name}.yaml").exists()), None)
    return f"is the name of a {ours} of tunebook's own" if ours else ""


def _from_there(script: Path, folder: Path) -> str:
    """The script's path as argv names it: from the folder, or whole where the two have nothing in common.

    Raises:
        InputError: the path has a brace, which means something in argv, or is no text.
    """
    file, home = script.resolve(), folder.resolve()
    common = Path(os.path.commonpath([file, home]))
    found = str(file) if common == Path(common.anchor) else os.path.relpath(file, home)
    if not found.isprintable() or "{" in found or "}" in found:
        raise InputError(f"--from: {found!r} is a path that argv cannot hold; rename it")
    return found


def _free(folder: Path, path: str) -> str:
    """The path itself; for the README another name where the folder has one."""
    return _SECOND_README if path == _README and os.path.lexists(folder / _README) else path


def _read(draft: Draft) -> Iterator[str]:
    """What was read of the script, an argument a line, and what could not be."""
    fates = draft.reading.fates
    yield f"read     {draft.script}: {plural(len(fates), 'argument')}"
    for what in ("tuned", "given", "yours", "left"):
        yield from _some([_row(fate) for fate in fates if fate.what == what])
    refused = [f"refused  {f'line {line}':<{_ARGUMENT}} {why}" for line, why in draft.line.refused]
    yield from _some([cut(line, _LINE) for line in refused])
    reporting = draft.reporting
    if reporting.metrics:
        yield cut(f"metrics  {', '.join(reporting.metrics)}; judged by {reporting.objective} (guessed)", _LINE)


def _some(lines: Sequence[str]) -> Iterator[str]:
    """The first of the lines, and how many more there are."""
    yield from lines[:_LISTED]
    if len(lines) > _LISTED:
        yield f"{lines[0].split()[0]:<8} and {len(lines) - _LISTED} more, which workload/ lists"


def _row(fate: Fate) -> str:
    return cut(
        f"{fate.what:<8} {fate.argument.name:<{_ARGUMENT}} {default_text(fate.argument):<{_DEFAULT}} {fate.says}", _LINE
    )


def _to_know(draft: Draft) -> Iterator[str]:
    """What a person should know, and what must be done before the first round works."""
    yield from (f"note     {one_line(sentence)}" for sentence in draft.notes)
    yield from (f"to do    {one_line(sentence)}" for sentence in draft.to_do)


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        "init",
        usage=f"{program('init')} FOLDER [--from SCRIPT] [--name NAME]",
        description=__doc__,
        epilog="Nothing is overwritten, and the script is parsed and never run. Exit status: 0 written, 2 bad input.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where the files are written; made if it is not there")
    parser.add_argument("--from", dest="script", metavar="SCRIPT", help="a Python script whose argparse is read")
    parser.add_argument("--name", help="what the YAMLs are called (my; with --from as FOLDER is)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
