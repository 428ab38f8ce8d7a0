"""The argparse parsers of a script: which there are, and what is added to each, followed through its functions."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flows.starting.script.source import Script

PARSER = "argparse.ArgumentParser"
_READS = ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args")
_DEEPEST = 20  # functions that call one another
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Added:
    """One call of `add_argument`; `conditional`: it stands under an `if` or in a loop; `group`: of excluding ones."""

    call: ast.Call
    conditional: bool
    group: ast.Call | None


@dataclass(frozen=True)
class Defaults:
    """One call of `set_defaults`; `conditional`: it stands under an `if` or in a loop."""

    call: ast.Call
    conditional: bool


@dataclass(eq=False)
class Parser:
    """A parser, with all that the script does to it; `command`: the word that leads to it, if it is a subcommand's."""

    call: ast.Call
    command: str = ""
    added: list[Added] = field(default_factory=list)
    defaults: list[Defaults] = field(default_factory=list)
    parents: list["Parser"] = field(default_factory=list)
    commands: list["Parser"] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    foreign_parents: bool = False

    @property
    def line(self) -> int:
        """Where it is made."""
        return self.call.lineno


@dataclass(frozen=True)
class _Ref:
    """What a name stands for: a parser, a group of its arguments, its subcommands, or a method of one of these."""

    parser: Parser
    kind: str = "parser"
    group: ast.Call | None = None
    method: str = ""


Names = dict[str, _Ref]


@dataclass
class Found:
    """The parsers of a script; `strays` are arguments of which nothing says what parser they are added to."""

    parsers: list[Parser]
    strays: list[ast.Call]


def parsers_of(script: Script) -> Found:
    """All parsers that the script makes, each with its arguments in the order in which they are added."""
    return _Walk(script).found()


class _Walk:
    """Follows the script's statements in their order, into the functions that they call; nothing is evaluated."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._functions = {n.name: n for n in script.nodes if isinstance(n, Function)}
        self._classes = {n.name: n for n in script.nodes if isinstance(n, ast.ClassDef)}
        self._parsers: dict[ast.Call, Parser] = {}
        self._attributes: Names = {}
        self._visited: dict[tuple[object, ...], _Ref | None] = {}
        self._added: set[ast.Call] = set()
        self._depth = self._condition = 0
        self._returned: _Ref | None = None

    def found(self) -> Found:
        """The parsers, once everything was followed; functions that nothing calls come last."""
        names: Names = {}
        self._body(self._script.tree.body, names)
        for function in (n for n in self._script.nodes if isinstance(n, Function)):
            if not any(key[0] is function for key in self._visited):
                own = {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
                self._enter(function, {name: ref for name, ref in names.items() if name not in own})
        calls = (n for n in self._script.nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute))
        strays = [c for c in calls if c.func.attr == "add_argument" and c not in self._added]  # type: ignore[attr-defined]
        return Found([*self._parsers.values()], strays)

    def _body(self, statements: Iterable[ast.stmt], names: Names) -> None:
        for statement in statements:
            self._statement(statement, names)

    def _statement(self, node: ast.stmt, names: Names) -> None:
        if isinstance(node, Function):
            return
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            self._bind(targets, None if node.value is None else self._evaluate(node.value, names), names)
        elif isinstance(node, ast.Return):
            found = None if node.value is None else self._evaluate(node.value, names)
            self._returned = found or self._returned
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._evaluate(item.context_expr, names)
            self._body(node.body, names)
        elif isinstance(node, ast.ClassDef):
            self._body([s for s in node.body if not isinstance(s, Function)], names)
        elif isinstance(node, ast.Try):
            self._body([*node.body, *node.finalbody], names)
            self._maybe([s for handler in node.handlers for s in handler.body] + node.orelse, names)
        elif isinstance(node, ast.If) and _is_main_guard(node.test):
            self._body(node.body, names)
        else:
            blocks = [b for b in ast.iter_child_nodes(node) if isinstance(b, ast.stmt | ast.match_case)]
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._evaluate(child, names)
            self._maybe([s for b in blocks for s in (b.body if isinstance(b, ast.match_case) else [b])], names)

    def _maybe(self, statements: Iterable[ast.stmt], names: Names) -> None:
        """Follow what is run under a condition, or more than once."""
        self._condition += 1
        self._body(statements, names)
        self._condition -= 1

    def _bind(self, targets: Iterable[ast.expr], value: _Ref | None, names: Names) -> None:
        for target in targets:
            if isinstance(target, ast.Name):
                names.pop(target.id, None)
                if value is not None:
                    names[target.id] = value
            elif isinstance(target, ast.Attribute) and value is not None:
                self._attributes[ast.unparse(target)] = value

    def _evaluate(self, node: ast.expr, names: Names) -> _Ref | None:
        """What the expression stands for, where it is a parser's; calls within it are followed."""
        if isinstance(node, ast.Name):
            return names.get(node.id)
        if isinstance(node, ast.Call):
            return self._call(node, names)
        if isinstance(node, ast.Attribute):
            owner = self._evaluate(node.value, names)
            if owner is not None and not owner.method:
                return _Ref(owner.parser, owner.kind, owner.group, node.attr)
            return self._attributes.get(ast.unparse(node)) if isinstance(node.value, ast.Name) else None
        if isinstance(node, ast.NamedExpr):
            value = self._evaluate(node.value, names)
            self._bind([node.target], value, names)
            return value
        waiting = [] if isinstance(node, ast.Lambda) else [*ast.iter_child_nodes(node)]
        while waiting:  # no recursion: a sum may have thousands of terms
            child = waiting.pop(0)
            if isinstance(child, ast.Call | ast.NamedExpr):
                self._evaluate(child, names)
            elif not isinstance(child, ast.Lambda):
                waiting = [*ast.iter_child_nodes(child), *waiting]
        return None

    def _call(self, node: ast.Call, names: Names) -> _Ref | None:
        values = [self._evaluate(a, names) for a in node.args]
        keywords = {k.arg: self._evaluate(k.value, names) for k in node.keywords}
        if self._makes_parser(node):
            return _Ref(self._new_parser(node, names))
        called = self._evaluate(node.func, names)
        if called is not None and called.method:
            return self._method(called, node, names)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        function = self._functions.get(name) or self._constructor(name)
        if function is None:
            return None
        bound: Names = dict(names)
        parameters = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        parameters = parameters[parameters[:1] in (["self"], ["cls"]) :]
        given = {**dict(zip(parameters, values, strict=False)), **{k: v for k, v in keywords.items() if k}}
        for parameter in (*parameters, *given):
            bound.pop(parameter, None)
        bound |= {k: v for k, v in given.items() if v is not None}
        return self._enter(function, bound)

    def _constructor(self, name: str) -> Function | None:
        """The `__init__` of a class of the script."""
        body = self._classes[name].body if name in self._classes else []
        return next((s for s in body if isinstance(s, Function) and s.name == "__init__"), None)

    def _enter(self, function: Function, names: Names) -> _Ref | None:
        """What the function returns; with equal parsers for its arguments it is followed once."""
        key = (
            function,
            bool(self._condition),
            *sorted((k, id(v.parser), v.kind, id(v.group)) for k, v in names.items()),
        )
        if key in self._visited or self._depth >= _DEEPEST:
            return self._visited.get(key)
        self._visited[key] = None
        outer, self._returned = self._returned, None
        self._depth += 1
        self._body(function.body, names)
        self._depth -= 1
        self._visited[key], self._returned = self._returned, outer
        return self._visited[key]

    def _method(self, called: _Ref, node: ast.Call, names: Names) -> _Ref | None:
        """What a method of a parser, of a group or of subcommands does, and what it returns."""
        parser, method = called.parser, called.method
        if method == "add_argument":
            self._added.add(node)
            if not any(a.call is node for a in parser.added):
                parser.added.append(Added(node, bool(self._condition), called.group))
        elif method == "add_argument_group":
            return _Ref(parser, "group", called.group)
        elif method == "add_mutually_exclusive_group":
            return _Ref(parser, "group", node)
        elif method == "add_subparsers":
            return _Ref(parser, "commands")
        elif method == "add_parser" and called.kind == "commands":
            name = self._script.value(node.args[0]) if node.args else None
            inner = self._new_parser(node, names, name if isinstance(name, str) else "?")
            parser.commands += [] if inner in parser.commands else [inner]
            return _Ref(inner)
        elif method == "set_defaults":
            found = Defaults(node, bool(self._condition))
            parser.defaults += [] if found in parser.defaults else [found]
        elif method in _READS:
            parser.reads.add(method)
        return None

    def _makes_parser(self, node: ast.Call) -> bool:
        """Whether the call makes a parser: argparse's own, or one of a class that the script derives from it."""
        name = self._script.dotted(node.func)
        bases = [self._script.dotted(b) for b in self._classes[name].bases] if name in self._classes else []
        return PARSER in (name, *bases)

    def _new_parser(self, node: ast.Call, names: Names, command: str = "") -> Parser:
        """The parser that a call makes, with its parents."""
        if node not in self._parsers:
            made = self._parsers[node] = Parser(node, command)
            for keyword in (k for k in node.keywords if k.arg == "parents"):
                parts = keyword.value.elts if isinstance(keyword.value, ast.List | ast.Tuple) else [keyword.value]
                refs = [self._evaluate(part, names) for part in parts]
                made.parents = [r.parser for r in refs if r is not None and r.kind == "parser"]
                made.foreign_parents = len(made.parents) < len(parts)
        return self._parsers[node]


def _is_main_guard(test: ast.expr) -> bool:
    """Whether it is `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(test))


def with_parents(parser: Parser, seen: tuple[Parser, ...] = ()) -> Iterator[Parser]:
    """A parser's parents, theirs before them, and the parser itself: in the order in which arguments are taken over."""
    for parent in parser.parents:
        if parent not in (*seen, parser):
            yield from with_parents(parent, (*seen, parser))
    yield parser


def keywords_of(call: ast.Call) -> Mapping[str, ast.expr]:
    """The keywords that are written out."""
    return {k.arg: k.value for k in call.keywords if k.arg}
