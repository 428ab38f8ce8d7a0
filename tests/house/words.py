"""Law 4, as far as a syntax tree shows it: no room reads another's words, and none asks for a kind by its name."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.house.module import Function, Module

UPGRADE = "tasks/upgrade.py"  # reads records of schema 1, whose rows were sentences and keys
SENTENCES = frozenset({"evidence", "reasons"})
NUMBERS = frozenset({"numbers", "noise"})
KINDS = ("goal.kind", "facts.name", "answer.kind")
# what looks into a text; what only lays it out (strip, upper) is none of these
_SEARCHES = frozenset(
    {"startswith", "endswith", "find", "rfind", "index", "rindex", "count", "split", "rsplit", "splitlines"}
    | {"partition", "rpartition", "replace", "removeprefix", "removesuffix", "translate"}
)
_MATCHES = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})  # of a pattern
_READS = frozenset({"get", "pop"})  # of a mapping, by name
_PICKED = "picks a number of a finding by its name; hand it on in a typed field"


def no_words_of_others(module: Module) -> Iterator[str]:
    """Law 4: nothing looks into a finding's evidence or a verdict's reasons, or picks a number out by its name.

    Codes stand in `.reason`, what another room needs in a typed field.
    """
    if module.path != UPGRADE:
        for scope in _scopes(module):
            for node in scope.nodes:
                for what in (scope.looks_into(node), scope.picks(node), scope.parses(node)):
                    if what:
                        yield f"{module.path}:{getattr(node, 'lineno', 0)}: {what}"


def kinds_are_facts(module: Module) -> Iterator[str]:
    """Nobody asks for a goal's kind by its name: its facts stand in tasks/scope/kinds.py."""
    for scope in _scopes(module):
        for node in scope.nodes:
            asked = [node.subject] if isinstance(node, ast.Match) else []
            if isinstance(node, ast.Compare) and not _among_kinds(node):
                asked = [node.left, *node.comparators]
            if any(scope.is_kind(side) for side in asked):
                yield f"{module.path}:{node.lineno}: asks for a goal's kind by its name; ask for what it is"  # type: ignore[attr-defined]


@dataclass
class _Scope:
    """A function, or what stands outside of all; the names in it that stand for another room's words."""

    nodes: list[ast.AST]
    sentences: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def note(self) -> None:
        """Find the names: what is assigned from such an attribute, or walks over it."""
        for target, value in _bindings(self.nodes):
            names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
            first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
            if self.is_sentence(value):
                self.sentences |= names
            elif self.is_numbers(value):
                self.numbers |= names
            elif _called(value, "items") and self.is_numbers(value.func.value):  # type: ignore[attr-defined]
                self.keys |= {n.id for n in ast.walk(first) if isinstance(n, ast.Name)}
            elif self.is_kind(value):
                self.kinds |= names

    def looks_into(self, node: ast.AST) -> str:
        """A search in a sentence."""
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            within = any(map(self.is_sentence, node.comparators))
            return "looks for words in a sentence; ask for its code" if within else ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            own = node.func.attr in _SEARCHES and self.is_sentence(node.func.value)
            given = node.func.attr in _MATCHES and any(map(self.holds_sentence, node.args))
            return f"reads a sentence by {node.func.attr}; ask for its code" if own or given else ""
        return ""

    def picks(self, node: ast.AST) -> str:
        """A number picked out by its name."""
        subscript = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and self.is_numbers(node.value)
        method = node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        read = method is not None and method.attr in _READS and self.is_numbers(method.value)
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        named = any(isinstance(s, ast.Name) and s.id in self.keys for s in sides)
        return _PICKED if subscript or read or named else ""

    def parses(self, node: ast.AST) -> str:
        """JSON inside a number."""
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.loads", "loads"):
            inner = (n for argument in node.args for n in ast.walk(argument))
            return "parses a number of a finding" if any(map(self.is_numbers, inner)) else ""
        return ""

    def is_sentence(self, node: ast.AST) -> bool:
        """`x.evidence`, `x.reasons`, one of the latter, or a name of these."""
        inner = node.value if isinstance(node, ast.Subscript) else node
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):  # `x.evidence.lower()`
            return self.is_sentence(inner.func.value)
        named = isinstance(inner, ast.Name) and inner.id in self.sentences
        return named or (isinstance(inner, ast.Attribute) and inner.attr in SENTENCES)

    def holds_sentence(self, node: ast.AST) -> bool:
        """Whether one stands anywhere in the expression."""
        return any(self.is_sentence(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute))

    def is_numbers(self, node: ast.AST) -> bool:
        """`x.numbers`, `x.noise`, or a name of these; a mapping that is being built here is none."""
        named = isinstance(node, ast.Name) and node.id in self.numbers
        return named or (isinstance(node, ast.Attribute) and node.attr in NUMBERS)

    def is_kind(self, node: ast.AST) -> bool:
        """The name of a goal's kind."""
        named = isinstance(node, ast.Name) and node.id in self.kinds
        return named or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith(KINDS))


def _scopes(module: Module) -> Iterator[_Scope]:
    """Every outermost function with all that is in it, and what stands outside of them."""
    outside: list[ast.AST] = []
    left: list[ast.AST] = [module.tree]
    while left:
        node = left.pop()
        if isinstance(node, Function):
            yield _noted([*ast.walk(node)])
        else:
            outside.append(node)
            left.extend(ast.iter_child_nodes(node))
    yield _noted(outside)


def _noted(nodes: list[ast.AST]) -> _Scope:
    scope = _Scope(nodes)
    scope.note()
    return scope


def _bindings(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """`(target, value)` of assignments, and `(target, what is walked over)` of loops."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.For | ast.comprehension):
            yield node.target, node.iter


def _called(node: ast.AST, method: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method


def _among_kinds(node: ast.Compare) -> bool:
    """Whether a name is looked up in a registry, and not compared with one."""
    return all(isinstance(op, ast.In | ast.NotIn) for op in node.ops) and isinstance(node.comparators[-1], ast.Name)
