"""Law 4, as far as a syntax tree shows it: no room reads another's words, and none asks for a kind by its name."""

import ast
from collections.abc import Iterator

from tests.house.module import Module

UPGRADE = "tasks/upgrade.py"  # reads records of schema 1, whose rows were sentences and keys
SENTENCES = frozenset({"evidence", "reasons"})
NUMBERS = frozenset({"numbers", "noise"})
# what looks into a text; what only lays it out (strip, upper) is none of these
_SEARCHES = frozenset(
    {"startswith", "endswith", "find", "rfind", "index", "rindex", "count", "split", "rsplit", "splitlines"}
    | {"partition", "rpartition", "replace", "removeprefix", "removesuffix", "translate"}
)
_MATCHES = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})  # of a pattern
_READS = frozenset({"get", "pop"})  # of a mapping, by name


def no_words_of_others(module: Module) -> Iterator[str]:
    """Law 4: nothing looks into a finding's evidence or a verdict's reasons, or picks a number out by its name.

    Codes stand in `.reason`, what another room needs in a typed field.
    """
    if module.path == UPGRADE:
        return
    for node in module.nodes:
        for what in (_looks_into(node), _picks(node), _parses(node)):
            if what:
                yield f"{module.path}:{getattr(node, 'lineno', 0)}: {what}"


def _looks_into(node: ast.AST) -> str:
    """A search in a sentence."""
    if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        within = any(map(_is_sentence, node.comparators))
        return "looks for words in a sentence; ask for its code" if within else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        own = node.func.attr in _SEARCHES and _is_sentence(node.func.value)
        given = node.func.attr in _MATCHES and any(_holds(SENTENCES, argument) for argument in node.args)
        return f"reads a sentence by {node.func.attr}; ask for its code" if own or given else ""
    return ""


def _picks(node: ast.AST) -> str:
    """A number picked out by its name."""
    subscript = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_numbers(node.value)
    method = node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    read = method is not None and method.attr in _READS and _is_numbers(method.value)
    return "picks a number of a finding by its name; hand it on in a typed field" if subscript or read else ""


def _parses(node: ast.AST) -> str:
    """JSON inside a number."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.loads", "loads"):
        return "parses a number of a finding" if any(_holds(NUMBERS, argument) for argument in node.args) else ""
    return ""


def kinds_are_facts(module: Module) -> Iterator[str]:
    """Nobody asks for a goal's kind by its name: its facts stand in tasks/scope/kinds.py."""
    for node in module.nodes:
        if isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            if any(side.endswith("goal.kind") for side in sides) and not _among_kinds(node):
                yield f"{module.path}:{node.lineno}: asks for a goal's kind by its name; ask for what it is"


def _among_kinds(node: ast.Compare) -> bool:
    """Whether a name is looked up in a registry, and not compared with one."""
    return all(isinstance(op, ast.In | ast.NotIn) for op in node.ops) and isinstance(node.comparators[-1], ast.Name)


def _is_sentence(node: ast.AST) -> bool:
    """`x.evidence`, `x.reasons`, or one of the latter."""
    inner = node.value if isinstance(node, ast.Subscript) else node
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):  # `x.evidence.lower()`
        return _is_sentence(inner.func.value)
    return isinstance(inner, ast.Attribute) and inner.attr in SENTENCES


def _is_numbers(node: ast.AST) -> bool:
    """`x.numbers` or `x.noise`."""
    return isinstance(node, ast.Attribute) and node.attr in NUMBERS


def _holds(names: frozenset[str], node: ast.AST) -> bool:
    """Whether an attribute of such a name stands anywhere in the expression."""
    return any(isinstance(n, ast.Attribute) and n.attr in names for n in ast.walk(node))
