"""The command `init`: a folder for a first round, either an example that runs or one read from a script's argparse."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from flows.compose.called import program
from flows.compose.config import CONF
from flows.compose.freeze import option_name
from flows.compose.messages import tell
from flows.starting.adoption import Adoption, adoption_of, files_of
from flows.starting.copied import example_files
from flows.starting.fates import Fate, default_text
from flows.starting.written import write_all
from tasks.scope.error import InputError
from tasks.text import cut, plural

GROUPS = ("workload", "space", "goal", "budget")
_README, _SECOND_README = "README.md", "TUNING.md"  # a script's own folder mostly has the first
_NAME, _DEFAULT, _LINE = 22, 14, 118  # widths in print


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 once the folder is written, 2 after one sentence of what is wrong; then nothing was written."""
    try:
        said = _parser().parse_args(arguments)
        name = _usable(said.folder, said.name)
        folder = Path(said.folder)
        options = " ".join(f"{group}={name}" for group in GROUPS)
        command = f"{program('round')} --config-dir {shlex.quote(said.folder)} {options}"
        if said.script is None:
            read: list[str] = []
            files = example_files(name=name, round=command, history=program("history"))
            lines = [f"next     {command}"]
        else:
            adoption = adoption_of(Path(said.script))
            place = _from_there(Path(said.script), folder)
            files = files_of(adoption, script=place, name=name, round=command, history=program("history"))
            files = {_free(folder, path): text for path, text in files.items()}
            read = [*_read(adoption)]
            lines = [*_to_know(adoption), f"next     {command} check=plan"]
        write_all(folder, files)
        tell("\n".join([*read, f"wrote    {', '.join(files)} in {said.folder}", *lines]), aside=False)
    except InputError as error:
        tell(f"error: {str(error).rstrip('.')}.")
        return 2
    return 0


def _usable(folder: str, name: str) -> str:
    """The name of the YAMLs, if a round can be asked with it and with the folder.

    Raises:
        InputError: the one or the other cannot be used.
    """
    if not folder or not folder.isprintable() or folder.startswith("-"):
        raise InputError(f"FOLDER: {folder!r} is a name that no command line should hold; choose another")
    option_name("--name", name)
    ours = next((g for g in GROUPS if (CONF / g / f"{name}.yaml").exists()), None)
    if ours:
        raise InputError(f"--name: tunebook has a {ours} of the name {name}; choose another")
    return name


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


def _read(adoption: Adoption) -> Iterator[str]:
    """What was read of the script, an argument a line, and what could not be."""
    fates = adoption.reading.fates
    yield f"read     {adoption.script}: {plural(len(fates), 'argument')}"
    for what in ("tuned", "given", "yours", "left"):
        yield from (_row(fate) for fate in fates if fate.what == what)
    yield from (cut(f"refused  {f'line {line}':<{_NAME}} {why}", _LINE) for line, why in adoption.line.refused)
    reporting = adoption.reporting
    if reporting.metrics:
        yield cut(f"metrics  {', '.join(reporting.metrics)}; judged by {reporting.objective} (guessed)", _LINE)


def _row(fate: Fate) -> str:
    return cut(
        f"{fate.what:<8} {fate.argument.name:<{_NAME}} {default_text(fate.argument):<{_DEFAULT}} {fate.says}", _LINE
    )


def _to_know(adoption: Adoption) -> Iterator[str]:
    """What a person should know, and what must be done before the first round works."""
    yield from (f"note     {sentence}" for sentence in adoption.notes)
    yield from (f"to do    {sentence}" for sentence in adoption.to_do)


class _Sentence(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; {program('init')} --help says what can be said")


def _parser() -> argparse.ArgumentParser:
    parser = _Sentence(
        prog=program("init"),
        usage=f"{program('init')} FOLDER [--from SCRIPT] [--name NAME]",
        description=__doc__,
        epilog="Nothing is overwritten, and the script is parsed and never run. Exit status: 0 written, 2 bad input.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where the files are written; made if it is not there")
    parser.add_argument("--from", dest="script", metavar="SCRIPT", help="a Python script whose argparse is read")
    parser.add_argument("--name", default="my", help="what the YAMLs are called: name=... of workload, space and so on")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
