"""Which tests hold the wording of a sentence: those that compare three words or more, and so carry the marker `prose`.

Read from the source: what a test compares, also by way of a name, a table, a parametrization, or a function that asks
for it. A sentence that the test itself put in, and finds again, is no wording of ours.
"""

import ast
import re
from collections.abc import Callable, Iterator

from tests.prose.names import DEPTH, Bound, Function, Scope, Source, bound, dicts, elements, scope_of

MARKER = "pytest.mark.prose"
WORDS = 3
WORD = re.compile("[\"'`\u201c\u2018(^]*[A-Za-z][A-Za-z\u2019'-]*[\"'`\u201d\u2019).,;:!?\u2026$]*")
# Calls that ask for words in a text, and calls that only pass on what they are given.
ASKS = {"startswith", "endswith", "index", "find", "count", "search", "match", "fullmatch", "findall"}
ASKS |= {"finditer", "partition", "rpartition", "removeprefix", "removesuffix"}
PASSES = {"set", "sorted", "list", "tuple", "frozenset", "dict", "escape", "compile", "join", "param", "str", "cast"}


def strings(value: Bound, depth: int = 0) -> Iterator[ast.expr]:
    """The literals that the value may be, or hold: strings and f-strings."""
    node, scope = value.node, value.scope
    if depth > DEPTH:
        return
    inner: list[Bound] = []
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    elif isinstance(node, ast.Name):
        inner = scope.of(node.id)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        inner = [Bound(part, scope) for part in node.elts]
    elif isinstance(node, ast.Dict):
        inner = [Bound(part, scope) for part in (*node.keys, *node.values) if part]
    elif isinstance(node, ast.BinOp):
        inner = [Bound(node.left, scope), Bound(node.right, scope)]
    elif isinstance(node, ast.IfExp):
        inner = [Bound(node.body, scope), Bound(node.orelse, scope)]
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        inner = [Bound(node.elt, scope)]
    elif isinstance(node, ast.Starred | ast.NamedExpr):
        inner = [Bound(node.value, scope)]
    elif isinstance(node, ast.Subscript):
        found = [Bound(d_value, s) for d, s in dicts(Bound(node.value, scope), depth) for d_value in d.values]
        inner = found or [Bound(node.value, scope)]
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        inner = [Bound(a, scope) for a in node.args] if name in PASSES | ASKS else []
        called = [Bound(node.func.value, scope)] if isinstance(node.func, ast.Attribute) else []
        inner += [key for table in called for key in elements(table)] if name == "keys" else called
    for found_value in inner:
        yield from strings(found_value, depth + 1)


def compared(function: Function, scope: Scope) -> Iterator[ast.expr]:
    """The literals that the function itself compares something with, asks a text for, or wants to be raised."""
    tested = {n for a in ast.walk(function) if isinstance(a, ast.Assert) for n in ast.walk(a.test)}
    for node in ast.walk(function):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Compare) and (node in tested or isinstance(node.ops[0], ast.In | ast.NotIn)):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKS:
            asked = node.args
        elif isinstance(node, ast.keyword) and node.arg == "match":
            asked = [node.value]
        for part in asked:
            yield from strings(Bound(part, scope))


def wording(
    function: Function, file: Source, given: dict[str, list[Bound]] | None = None, seen: frozenset[str] = frozenset()
) -> Iterator[ast.expr]:
    """The literals that a test compares something with, itself or by way of functions and fixtures of tests."""
    scope = scope_of(function, file, given or {})
    yield from compared(function, scope)
    seen |= {function.name}
    parameters = {a.arg for a in function.args.args} | {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    called: dict[str, list[ast.Call]] = {name: [] for name in parameters}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.setdefault(node.func.id, []).append(node)
    for name, calls in sorted(called.items()):
        found = file.function(name)
        if found and name not in seen and not name.startswith("test_"):
            where, inner = found
            yield from wording(inner, where, bound(inner, calls, scope), seen)


def text_of(literal: ast.expr) -> str:
    """The words of a literal; what is filled in, and what a pattern escapes, counts as no word."""
    parts = literal.values if isinstance(literal, ast.JoinedStr) else [literal]
    text = "".join(str(p.value) if isinstance(p, ast.Constant) else "\0" for p in parts)
    return re.sub(r"\\(.)", r"\1", text)


def is_prose(literal: ast.expr) -> bool:
    """Whether it has three words."""
    return sum(WORD.fullmatch(token) is not None for token in text_of(literal).split(" ")) >= WORDS


def unmarked(text: str, load: Callable[[str], Source | None] = lambda name: None) -> Iterator[tuple[str, str]]:
    """`(test, sentence)` of each test that compares a sentence and carries no marker."""
    file = Source(text, load)
    whole = any(MARKER in ast.unparse(n) for n in file.tree.body if isinstance(n, ast.Assign))
    tests = [f for name, f in file.functions.items() if name.startswith("test_")]
    held = {f.name: [*wording(f, file)] for f in tests}
    asked = {id(literal) for literals in held.values() for literal in literals}
    put_in = _put_in(file.tree, asked)
    for test in tests:
        if whole or any(MARKER in ast.unparse(d) for d in test.decorator_list):
            continue
        for literal in held[test.name]:
            if is_prose(literal) and not any(text_of(literal) in other for other in put_in):
                yield test.name, text_of(literal)
                break


def _put_in(tree: ast.Module, asked: set[int]) -> list[str]:
    """Every other text of the module but its docstrings: what the tests put in, and may find again."""
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inner = {id(p) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for p in n.values}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [str(n.value) for n in found if id(n) not in asked | docstrings | inner]
