"""What the names in a test may stand for: read from its source, and never run."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

DEPTH = 6  # names of names that are followed
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Bound:
    """An expression, and where its names have their meaning."""

    node: ast.expr
    scope: "Scope"


@dataclass
class Scope:
    """What the names of a function, or of a module, may stand for."""

    file: "Source"
    names: dict[str, list[Bound]] = field(default_factory=dict)

    def bind(self, target: ast.expr, values: Sequence[Bound]) -> None:
        """`target` stands for one of the values; a tuple is taken apart."""
        if isinstance(target, ast.Name):
            self.names.setdefault(target.id, []).extend(values)
        elif isinstance(target, ast.Tuple | ast.List):
            for value in values:
                parts = value.node.elts if isinstance(value.node, ast.Tuple | ast.List) else []
                if len(parts) == len(target.elts):
                    for inner, part in zip(target.elts, parts, strict=True):
                        self.bind(inner, [Bound(part, value.scope)])
                else:
                    for inner in target.elts:
                        self.bind(inner, [value])

    def of(self, name: str) -> list[Bound]:
        """What a name may stand for, here or in the module."""
        return self.names[name] if name in self.names else self.file.table(name)


@dataclass
class Source:
    """A module of tests."""

    text: str
    load: Callable[[str], "Source | None"] = lambda name: None

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions of the module itself."""
        return {n.name: n for n in self.tree.body if isinstance(n, Function)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """The module of each name that comes from another module of tests."""
        found = [n for n in self.tree.body if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("tests.")]
        return {a.asname or a.name: n.module or "" for n in found for a in n.names}

    def table(self, name: str) -> list[Bound]:
        """What the module assigns to a name."""
        scope = Scope(self)
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    scope.bind(target, [Bound(node.value, Scope(self))])
            elif isinstance(node, ast.AnnAssign) and node.value:
                scope.bind(node.target, [Bound(node.value, Scope(self))])
        return scope.names.get(name, [])

    def function(self, name: str) -> "tuple[Source, Function] | None":
        """A function that a test may call, of this module or of another one of tests."""
        if name in self.functions:
            return self, self.functions[name]
        other = self.load(self.imported[name]) if name in self.imported else None
        return other.function(name) if other else None


def loader(root: Path) -> Callable[[str], Source | None]:
    """Reads modules of tests by their dotted name, each once."""
    read: dict[str, Source | None] = {}

    def load(name: str) -> Source | None:
        if name not in read:
            path = root / (name.replace(".", "/") + ".py")
            read[name] = Source(path.read_text(), load) if path.is_file() else None
        return read[name]

    return load


def elements(value: Bound, depth: int = 0) -> Iterator[Bound]:
    """What is met when the value is gone through."""
    node, scope = value.node, value.scope
    if depth > DEPTH:
        return
    if isinstance(node, ast.Name):
        for found in scope.of(node.id):
            yield from elements(found, depth + 1)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        for part in node.elts:
            inner = Bound(part.value if isinstance(part, ast.Starred) else part, scope)
            yield from elements(inner, depth + 1) if isinstance(part, ast.Starred) else [inner]
    elif isinstance(node, ast.Dict):
        yield from (Bound(key, scope) for key in node.keys if key)
    elif isinstance(node, ast.BinOp):
        yield from elements(Bound(node.left, scope), depth + 1)
        yield from elements(Bound(node.right, scope), depth + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _of_mapping(node.func.attr, Bound(node.func.value, scope), depth)
    elif isinstance(node, ast.Call) and node.args:
        yield from elements(Bound(node.args[0], scope), depth + 1)


def _of_mapping(asked: str, value: Bound, depth: int) -> Iterator[Bound]:
    """`items()` and `values()` of a table."""
    for node, scope in dicts(value, depth):
        for key, item in zip(node.keys, node.values, strict=True):
            if asked == "items" and key:
                yield Bound(ast.Tuple([key, item], ast.Load()), scope)
            elif asked == "values":
                yield Bound(item, scope)


def dicts(value: Bound, depth: int = 0) -> Iterator[tuple[ast.Dict, Scope]]:
    """The tables that a value may be, each with the place where its names have their meaning."""
    if isinstance(value.node, ast.Dict):
        yield value.node, value.scope
    elif isinstance(value.node, ast.Name) and depth < DEPTH:
        for found in value.scope.of(value.node.id):
            yield from dicts(found, depth + 1)


def scope_of(function: Function, file: Source, given: dict[str, list[Bound]]) -> Scope:
    """What the names of a function stand for: parameters, assignments, loops, and what a parametrization gives."""
    scope = Scope(file, {name: list(values) for name, values in given.items()})
    for call in (d for d in function.decorator_list if isinstance(d, ast.Call)):
        if ast.unparse(call.func) == "pytest.mark.parametrize" and len(call.args) > 1:
            names = ast.unparse(call.args[0]).replace("'", " ").replace(",", " ").strip("([ ])").split()
            one, several = ast.Name(names[0]), ast.Tuple([ast.Name(n) for n in names])
            target: ast.expr = several if len(names) > 1 else one
            scope.bind(target, [*elements(Bound(call.args[1], Scope(file)))])
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            values = _assigned(Bound(node.value, scope))
            for place in node.targets:
                scope.bind(place, values)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            scope.bind(node.target, [Bound(node.value, scope)])
        elif isinstance(node, ast.For | ast.comprehension):
            scope.bind(node.target, [*elements(Bound(node.iter, scope))])
        elif isinstance(node, Function) and node is not function:
            _bind_nested(node, function, scope)
    return scope


def _bind_nested(inner: Function, function: Function, scope: Scope) -> None:
    """The parameters of a function inside a test stand for what the test calls it with."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and ast.unparse(n.func) == inner.name]
    for name, values in bound(inner, calls, scope).items():
        scope.bind(ast.Name(name), values)


def _assigned(value: Bound) -> list[Bound]:
    """What an assignment gives: of a table's place, each of its values."""
    if isinstance(value.node, ast.Subscript):
        found = [
            Bound(item, scope) for node, scope in dicts(Bound(value.node.value, value.scope), 0) for item in node.values
        ]
        return found or [value]
    return [value]


def bound(function: Function, calls: Sequence[ast.Call], scope: Scope) -> dict[str, list[Bound]]:
    """What the parameters of a function stand for in these calls; of a fixture, those of the function it returns."""
    nested = [n for n in ast.walk(function) if isinstance(n, Function) and n is not function]
    takes = nested[0] if nested and any("fixture" in ast.unparse(d) for d in function.decorator_list) else function
    names = [a.arg for a in takes.args.args]
    given: dict[str, list[Bound]] = {}
    for call in calls:
        for name, argument in zip(names, call.args, strict=False):
            given.setdefault(name, []).append(Bound(argument, scope))
        for keyword in call.keywords:
            given.setdefault(keyword.arg or "", []).append(Bound(keyword.value, scope))
    return given
