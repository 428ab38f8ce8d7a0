"""The shell lines of a block, taken apart; and what can be said against one without running it."""

import importlib
import importlib.util
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flows.compose import compose
from flows.history import _parser as history_parser
from flows.history import _root_and_words
from flows.session.plan import Imported, checked
from tasks.scope.error import InputError
from tests.docs.blocks import ROOT, Block, blocks_of

_SPAN = re.compile(r"`((?:tunebook|make)\s[^`]+)`")
_NAMES = 3  # words that name a command and at most one part of it
LEFT_OUT = "…"  # in a command that only shows its form
_GIVEN = re.compile(r"[A-Z_]+=.*")  # a variable for one command
_OF_A_ROUND = ("keep=", "resume=")  # they name a round that this folder does not have
PLAIN = ("git", "cd", ".", "source")  # nothing of ours


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of a block: its words, the variables given to it, and where it stands."""

    place: str
    words: tuple[str, ...]
    environment: tuple[str, ...] = ()

    @property
    def ours(self) -> str:
        """Which command of tunebook's it is: `round`, `audit`; empty where it is none, or names none."""
        return self.words[1] if self.words[0] == "tunebook" and len(self.words) > 1 else ""


def commands_of(block: Block) -> Iterator[Command]:
    """Every command of a block: comments left out, lines that end in a backslash joined, `&&` taken apart."""
    lines = block.text.splitlines()
    i = 0
    while i < len(lines):
        first, line = i, lines[i]
        while line.endswith("\\") and i + 1 < len(lines):
            i += 1
            line = line[:-1] + lines[i]
        i += 1
        for part in _parts(shlex.split(line.removeprefix("$ "), comments=True)):
            given = [*_leading(part)]
            if part[len(given) :]:
                place = f"{block.page}:{block.line + 1 + first}"
                yield Command(place=place, words=tuple(part[len(given) :]), environment=tuple(given))


def typed(block: Block) -> Block:
    """The block with the commands alone, where `$ ` tells them from what they printed."""
    lines = block.text.splitlines(keepends=True)
    if not any(line.startswith("$ ") for line in lines):
        return block
    return replace(block, text="".join(line if line.startswith("$ ") else "\n" for line in lines))


def within_lines(page: str, text: str) -> Iterator[Command]:
    """The commands between backticks within the lines of a page. A span without any setting may name a command only."""
    lines = text.splitlines()
    for block in blocks_of(page, text):
        for i in range(block.line - 1, min(block.line + len(block.text.splitlines()) + 1, len(lines))):
            lines[i] = ""
    for found in _SPAN.finditer("\n".join(lines)):
        line = found.string[: found.start()].count("\n") + 1
        span = Block(page=page, line=line - 1, section="", marker="", language="", text=found[1].replace("\n", " "))
        for command in commands_of(span):
            names = not any("=" in word or word.startswith("-") for word in command.words)
            if names and command.ours and len(command.words) <= _NAMES:
                command = replace(command, words=(*command.words, "--help"))
            yield command


def _parts(words: list[str]) -> Iterator[list[str]]:
    """The words of each command of a line."""
    part: list[str] = []
    for word in words:
        if word == "&&":
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _leading(words: list[str]) -> Iterator[str]:
    """The variables in front of a command."""
    for word in words:
        if not _GIVEN.fullmatch(word):
            return
        yield word


def against(command: Command, imported: Imported) -> str:
    """What can be said against a command, in one sentence with its place; empty where nothing can.

    Of a round: everything that is asked before its first trial, but for a round that goes on from an earlier one, which
    must compose. `imported` is as in `flows.session.plan.checked`.
    """
    program, *words = command.words
    words = [word for word in words if word != LEFT_OUT]
    try:
        if program == "tunebook":
            _tunebook(words, imported)
        elif program == "make":
            _made(words)
        elif program == "pip":
            _installed(words)
        elif program == "python":
            _module(words)
        elif program not in PLAIN:
            return f"{command.place}: {program} is a program that no test knows"
    except (InputError, SystemExit) as error:
        if "--help" not in words or str(error) != "0":
            return f"{command.place}: {error}"
    return ""


def _tunebook(words: list[str], imported: Imported) -> None:
    name, said = (words[0], words[1:]) if words else ("", [])
    if name == "round":
        for config in compose.from_shell(said):
            if not any(word.startswith(_OF_A_ROUND) for word in said):
                checked(config, imported)
    elif name == "audit":
        compose.audit_settings(said)
    elif name == "history":
        history_parser().parse_args(_root_and_words(said)[1])
    elif name == "demo":
        compose.from_shell(said)
    elif name:
        if importlib.util.find_spec(f"flows.{name}") is None:
            raise InputError(f"{name} is no command of tunebook's")
        importlib.import_module(f"flows.{name}")._parser().parse_args(said)


def _made(words: list[str]) -> None:
    """A target of the Makefile, and variables that it has."""
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"make {' '.join(words)}: {done.stderr.strip()}")


def _installed(words: list[str]) -> None:
    """An option or extra of our own; packages from elsewhere are not asked for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        found = re.fullmatch(r".*tunebook\[([\w,-]+)\]", word)
        for extra in found[1].split(",") if found else ():
            if extra not in extras:
                raise InputError(f"pip: tunebook has no extra {extra}; it has {', '.join(extras)}")


def _module(words: list[str]) -> None:
    """A module of this tree: `python -m tests.docs.readme`."""
    if words[:1] == ["-m"] and importlib.util.find_spec(words[1]) is None:
        raise InputError(f"there is no module {words[1]}")
