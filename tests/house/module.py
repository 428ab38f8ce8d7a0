"""A module as the laws of the house see it: its path, its source, what it imports, how long its functions are."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the house: its path from the root (`tasks/scope/goal.py`) and its source."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.source, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node, functions' bodies included."""
        return tuple(ast.walk(self.tree))

    @property
    def is_door(self) -> bool:
        """Whether it is the door of a room."""
        return re.fullmatch(r"tasks/\w+/task\.py", self.path) is not None

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method, nested ones included."""
        return tuple(n for n in self.nodes if isinstance(n, Function))


def modules(root: Path, *folders: str) -> list[Module]:
    """Every module of these folders; of `flows/` and `tasks/` unless told otherwise."""
    found = sorted(p for folder in folders or ("flows", "tasks") for p in (root / folder).rglob("*.py"))
    return [Module(path=p.relative_to(root).as_posix(), source=p.read_text()) for p in found]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """`(line, dotted name)` of everything imported, also inside functions; `from a import b` counts as `a.b`."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def length(function: Function) -> int:
    """The lines of a function without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    without = 0 if docstring is None else (docstring.end_lineno or 0) - docstring.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - without
