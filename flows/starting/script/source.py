"""A script's syntax tree, the names that it imports, and the constants of its module."""

import ast
import math
import operator
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tasks.scope.error import InputError

BYTES = 4 << 20
_LARGEST = 1e12  # of a whole number in a constant: 10**10**10 is not worth its memory
_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class Unread:
    """A value that only a run of the script would tell."""

    def __repr__(self) -> str:
        return "computed when the script runs"


UNREAD: Final = Unread()


@dataclass(frozen=True)
class Script:
    """A script: where it lies, and its syntax tree."""

    path: Path
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """What each imported name stands for: `{"ap": "argparse", "Parser": "argparse.ArgumentParser"}`."""
        bound: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                bound |= {
                    a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
                }
            elif isinstance(node, ast.ImportFrom):
                bound |= {a.asname or a.name: f"{node.module or ''}.{a.name}" for a in node.names}
        return bound

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules that it imports, as they are written: `{"torch.nn", "argparse"}`."""
        plain = {a.name for node in self.nodes if isinstance(node, ast.Import) for a in node.names}
        return frozenset(plain | {n.module for n in self.nodes if isinstance(n, ast.ImportFrom) and n.module})

    def dotted(self, node: ast.expr) -> str:
        """The dotted name of an expression with its import undone; empty where it is none."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            inner = self.dotted(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return ""

    @cached_property
    def _module_constants(self) -> Mapping[str, ast.expr]:
        """The names that the module binds once, to one expression, and that nothing binds elsewhere."""
        stores = Counter(n.id for n in self.nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load))
        stores += Counter(name for n in self.nodes if isinstance(n, ast.Global) for name in n.names)
        found: dict[str, ast.expr] = {}
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target, value = statement.targets[0], statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                target, value = statement.target, statement.value
            else:
                continue
            if isinstance(target, ast.Name) and stores[target.id] == 1:
                found[target.id] = value
        return found

    def value(self, node: ast.expr) -> Any:
        """What a constant expression comes to; UNREAD where a run alone would tell.

        Constant are literals, sums and the like of them, and the names that the module binds once to such.
        """
        try:
            return self._value(node, frozenset())
        except RecursionError:  # a sum of thousands of terms
            return UNREAD

    def _value(self, node: ast.expr, seen: frozenset[str]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id in self._module_constants and node.id not in seen:
            return self._value(self._module_constants[node.id], seen | {node.id})
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self._value(node.operand, seen)
            return UNREAD if not _is_number(inner) else -inner if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            return _combined(node.op, self._value(node.left, seen), self._value(node.right, seen))
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            values = [self._value(e, seen) for e in node.elts]
            return UNREAD if any(v is UNREAD for v in values) else tuple(values)
        if isinstance(node, ast.JoinedStr):
            parts = [self._value(p.value if isinstance(p, ast.FormattedValue) else p, seen) for p in node.values]
            plain = all(not isinstance(p, ast.FormattedValue) or _is_plain(p) for p in node.values)
            return "".join(map(str, parts)) if plain and all(isinstance(p, str | int) for p in parts) else UNREAD
        if isinstance(node, ast.Call):
            return self._called(node, seen)
        return UNREAD

    def _called(self, node: ast.Call, seen: frozenset[str]) -> Any:
        """`int(1e5)`, `float("1e-3")`, `range(3)`; no other call is a constant."""
        name = self.dotted(node.func)
        values = [self._value(a, seen) for a in node.args]
        if node.keywords or any(v is UNREAD for v in values):
            return UNREAD
        try:
            if name in ("list", "tuple", "sorted") and len(values) == 1 and isinstance(values[0], tuple):
                return tuple(sorted(values[0])) if name == "sorted" else values[0]
            if name == "range" and values and all(type(v) is int for v in values):
                numbers = range(*values)
                return tuple(numbers) if len(numbers) <= 1000 else UNREAD
            if name in ("int", "float", "str") and len(values) == 1 and isinstance(values[0], int | float | str):
                return {"int": int, "float": float, "str": str}[name](values[0])
        except (ValueError, TypeError, OverflowError):
            return UNREAD
        return UNREAD


def read_script(path: Path) -> Script:
    """The script at a path, parsed and not run.

    Raises:
        InputError: there is no such file, it is too large for a script, or it is no Python.
    """
    if not path.is_file():
        raise InputError(f"--from: {path} is a folder; name the script itself" if path.is_dir() else _absent(path))
    try:
        if path.stat().st_size > BYTES:
            raise InputError(f"--from: {path} has more than {BYTES >> 20} MiB, which is no script")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python has against the script's texts is its author's business
            return Script(path, ast.parse(path.read_bytes(), str(path)))
    except OSError as error:
        raise InputError(f"--from: {path} cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        raise InputError(f"--from: {path} is no Python that can be parsed: {line}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"--from: {path} is no Python that can be parsed: {error}") from error


def _absent(path: Path) -> str:
    return f"--from: there is no file {path}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(part: ast.FormattedValue) -> bool:
    return part.conversion == -1 and part.format_spec is None


def _combined(op: ast.operator, left: Any, right: Any) -> Any:
    """The value of a sum, a product and the like; UNREAD where it is none of two numbers, or too large."""
    if isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (_is_number(left) and _is_number(right)) or type(op) not in _OPERATORS:
        return UNREAD
    if isinstance(op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
        return UNREAD
    try:
        found = _OPERATORS[type(op)](left, right)
    except (ArithmeticError, ValueError):
        return UNREAD
    whole = isinstance(found, int) and abs(found) <= _LARGEST
    return found if whole or (isinstance(found, float) and math.isfinite(found)) else UNREAD
