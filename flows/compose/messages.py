"""The one sentence for an invalid input, and printing a sentence safely (`tell`)."""

import argparse
import re
import sys
from typing import Any, NoReturn

from pydantic import ValidationError

from flows.compose.called import program
from flows.compose.config import TOP
from tasks.scope.error import InputError
from tasks.text import printable


class SentenceParser(argparse.ArgumentParser):
    """The parser of a command of ours; its errors are one sentence."""

    def __init__(self, command: str, **options: Any) -> None:
        super().__init__(**{"prog": program(command)} | options)
        self._command = command

    def error(self, message: str) -> NoReturn:
        """Ends the command.

        Raises:
            InputError: the sentence, with the way to what can be said.
        """
        raise InputError(f"{message}; {program(self._command)} --help says what can be said")


def validation_sentence(error: ValidationError) -> str:
    """The first thing that our types have against a value: where it stands, and why it will not do."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or error.title
    model = error.title.lower()
    where = place if place.split(".")[0] in TOP or model == "roundconfig" else f"{model}.{place}"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; see --cfg job for the keys there are."
    if first["type"] == "missing":
        return f"{where}: missing, and it has no default; give it."
    return f"{where}: {first['input']!r} will not do: {first['msg'].lower()}."


def plain_sentence(error: Exception) -> str:
    """A library's message on one line, without its hints for programmers."""
    text = str(error) or str(error.__cause__ or type(error).__name__)
    if found := re.search(
        r"Could not find '([^']+)'\s+Available options in '([^']+)':\s+(.*?)\s*Config search", text, re.S
    ):
        return f"{found[2]}: there is no {found[1]}; allowed are {', '.join(found[3].split())}."
    if found := re.match(r"Could not override '([^']+)'", text):
        return f"{found[1]}: there is no such key; `--cfg job` shows the keys there are."
    if "missing EQUAL" in text:
        return f"{text.split(chr(10))[0].removeprefix('Error parsing override ')}: not an override; write name=value."
    if "OverrideParseException" in type(error).__name__ or "input" in text[:40]:
        text = f"overrides: {text}"
    text = re.sub(r"\n\s*(full_key|object_type|reference_type|See https).*", "", text)
    place = getattr(error, "full_key", None)
    text = f"{place}: {text}" if place and place not in text else text
    return re.sub(r"\s+", " ", text).strip().rstrip(".") + "."


def tell(words: object, *, aside: bool = True) -> None:
    """Print to standard error, or (not `aside`) output. Names and messages are others' words: nothing in them acts."""
    print(printable(str(words)), file=sys.stderr if aside else sys.stdout, flush=True)
