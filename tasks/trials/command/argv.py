"""A program's arguments, made from a template and a point, without a shell."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.record import Point, Value
from tasks.scope.error import InputError
from tasks.text import as_yaml

# What `{word}` means besides hyperparameters; the program finds the same as TUNEBOOK_<WORD> in its environment.
WORDS = (
    "seed",
    "max_train_steps",
    "eval_every_steps",
    "device",
    "trial",
    "folder",
    "metrics",
    "checkpoints",
    "resumed",
)
OVERRIDES = "{overrides}"
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PLAIN = re.compile(r"(?!(?:true|false|null|nan|inf)\Z)[A-Za-z_][\w./-]*", re.ASCII | re.IGNORECASE)

Template = Sequence[Any]


def rendered(argv: Template, point: Point, words: Mapping[str, str], own: str | None) -> list[str]:
    """The program and its arguments, each exactly one string, as an operating system takes them.

    An element is a text (or a number, or a boolean) in which `{name}` stands for a hyperparameter of `point` or one
    of `words`, and `{{`, `}}` for braces. A list of such elements is left out as a whole where a hyperparameter in it
    does not exist at the point. `{overrides}` alone becomes `name=value` for every hyperparameter, as Hydra reads
    them. An element without braces that names a file of the user's folder `own` becomes that file's path: programs run
    elsewhere, so that what they write does not meet. The first element is looked up there, then on PATH; `python` is
    the Python that runs this.

    Raises:
        InputError: no list, a name that the point lacks, or no such program.
    """
    found: list[str] = []
    for i, element in enumerate(_elements(argv)):
        group = element if isinstance(element, list) else [element]
        if not isinstance(element, list) or all(n in point or n in words for part in group for n in names_in(part)):
            for part in group:
                found += _overrides(point) if part == OVERRIDES else [_filled(part, point, words, own, i)]
    return [_program(found[0], own), *found[1:]]


def names_in(part: Any) -> list[str]:
    """The names in braces in one text of a template, in order."""
    found = _PART.finditer(as_yaml(part)) if part != OVERRIDES else ()
    return [m[1] for m in found if m[1] is not None]


def needed(argv: Template) -> Iterator[tuple[str, bool]]:
    """`(name, optional)` of every name in a template; it is optional within a list.

    Raises:
        InputError: the template is no list of texts and of lists of texts.
    """
    for element in _elements(argv):
        for part in element if isinstance(element, list) else [element]:
            yield from ((name, isinstance(element, list)) for name in names_in(part))


def files_named(argv: Template, own: str | None) -> list[Path]:
    """The files of the user's folder that a template names: part of the code that a trial runs on."""
    parts = [p for e in _elements(argv) for p in (e if isinstance(e, list) else [e])]
    return [Path(found) for part in parts if (found := _file(part, own)) is not None]


def _elements(argv: Any) -> list[Any]:
    if not isinstance(argv, list | tuple) or not argv:
        raise InputError(
            f"workload.argv: {argv!r} is no list of arguments; write [python, train.py, --lr, "
            '"{learning_rate}"], since no shell takes it apart.'
        )
    elements = [list(e) if isinstance(e, list | tuple) else e for e in argv]
    for i, element in enumerate(elements):
        for part in element if isinstance(element, list) else [element]:
            if not isinstance(part, Value):
                raise InputError(
                    f'workload.argv[{i}]: {part!r} is no text; put quotes around what has braces: "{{learning_rate}}".'
                )
    if isinstance(elements[0], list) or elements[0] in ("", OVERRIDES):
        raise InputError(f"workload.argv[0]: {argv[0]!r} is no program; name one, such as python.")
    return elements


def _filled(part: Any, point: Point, words: Mapping[str, str], own: str | None, place: int) -> str:
    """The text with its names filled in; the way to a file where it is the name of one."""
    file = _file(part, own)
    if file is not None:
        return file
    text = as_yaml(part)

    def value(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise InputError(f"workload.argv[{place}]: a brace alone in {text!r}; write {{{{ or }}}} for a brace.")
        if match[1] not in point and match[1] not in words:
            raise InputError(
                f"workload.argv[{place}]: {match[1]!r} is no hyperparameter of this point; it has "
                f"{', '.join(sorted(point)) or 'none'}, and {', '.join(words)} can be named too."
            )
        return as_yaml(point[match[1]]) if match[1] in point else words[match[1]]

    return _PART.sub(value, text)


def _overrides(point: Point) -> list[str]:
    """`name=value` of every hyperparameter as Hydra's own parser reads it back; texts that mean more are quoted."""
    return [f"{name}={_quoted(value) if isinstance(value, str) else as_yaml(value)}" for name, value in point.items()]


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", text)  # backslashes count only before a quote
    return "'" + re.sub(r"(\\+)\Z", r"\1\1", escaped) + "'"


def _file(part: Any, own: str | None) -> str | None:
    """The path of a file of the user's folder, where a text without braces names one."""
    if own is None or not isinstance(part, str) or "{" in part or "}" in part:
        return None
    path = os.path.abspath(os.path.join(own, part))
    return path if os.path.isfile(path) else None


def _program(name: str, own: str | None) -> str:
    if name == "python":
        return sys.executable
    found = shutil.which(name)
    if found is None:
        without = "is not executable; chmod +x it, or name its interpreter first" if os.path.isfile(name) else ""
        where = f" in {own} nor on PATH" if own else " on PATH"
        raise InputError(f"workload.argv[0]: {name} {without or f'is no program{where}; give its path'}.")
    return found
