"""One `add_argument` as far as it can be read: its options, what it takes, and its default."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.starting.script.parsers import Added, Parser, keywords_of
from flows.starting.script.source import UNREAD, Script

SWITCHES = ("store_true", "store_false", "store_const", "append_const", "count", "help", "version")
_TYPES = ("int", "float", "str")


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An argument of a script.

    `options`: empty where it is positional. `kind`: int, float or str, what its values are. `default`: UNREAD where a
    run alone would tell. `count`: `nargs`. `trouble`: why no value can be handed to it, empty where one can.
    `excludes`: the group of which one argument alone may be given. `command`: the subcommand that it belongs to.
    """

    line: int
    options: tuple[str, ...]
    dest: str
    kind: str = "str"
    default: Any = None
    choices: tuple[Any, ...] | None = None
    count: int | str | None = None
    required: bool = False
    trouble: str = ""
    switch: bool = False
    excludes: ast.Call | None = None
    command: str = ""

    @property
    def name(self) -> str:
        """How it is called: the longest of its options, or its name where it is positional."""
        return max(self.options, key=len) if self.options else self.dest

    @property
    def single(self) -> bool:
        """Whether one value is what it takes."""
        return self.count in (None, "?", 1)


def argument_of(script: Script, parser: Parser, added: Added) -> Argument | str:
    """The argument that a call adds, or why it cannot be read."""
    call, keywords = added.call, keywords_of(added.call)
    if any(isinstance(a, ast.Starred) for a in call.args):
        return "its names are computed"
    names = [script.value(a) for a in call.args]
    if not names or not all(isinstance(n, str) and n for n in names):
        return "its name is computed"
    if any(k.arg is None for k in call.keywords):
        return f"{max(names, key=len)}: some of its keywords are computed (**)"
    options = tuple(n for n in names if n[0] in _prefixes(script, parser))
    dest = script.value(keywords["dest"]) if "dest" in keywords else None
    dest = dest if isinstance(dest, str) else _dest(options, names[0])
    default, said = _default(script, parser, keywords), names if options else [dest]
    action = script.value(keywords["action"]) if "action" in keywords else "store"
    kind, kind_trouble = _kind(script, keywords.get("type"))
    count = script.value(keywords["nargs"]) if "nargs" in keywords else None
    choices = script.value(keywords["choices"]) if "choices" in keywords else None
    switch = action in SWITCHES or _is_boolean(script, keywords.get("action"))
    trouble = _action_trouble(action, switch) or kind_trouble
    if added.conditional:
        trouble = "it is added under a condition, or in a loop"
    elif count is UNREAD:
        trouble = "how many values it takes is computed (nargs)"
    elif choices is UNREAD:
        trouble = "its choices are computed"
    if default is None and "default" not in keywords and action in ("store_true", "store_false"):
        default = action == "store_false"
    required = script.value(keywords["required"]) is True if "required" in keywords else False
    return Argument(
        line=call.lineno,
        options=tuple(map(str, said)) if options else (),
        dest=dest,
        kind=kind,
        default=default,
        choices=choices if isinstance(choices, tuple) else None,
        count=count if isinstance(count, int | str) else None,
        required=required if options else count not in ("?", "*") and not switch,
        trouble=trouble,
        switch=switch,
        excludes=added.group,
        command=parser.command,
    )


def _prefixes(script: Script, parser: Parser) -> str:
    given = keywords_of(parser.call).get("prefix_chars")
    found = "-" if given is None else script.value(given)
    return found if isinstance(found, str) else "-"


def _dest(options: tuple[str, ...], first: str) -> str:
    """The name of an argument as argparse makes it: of the first long option, else of the first one."""
    long = next((o for o in options if o[:2] == o[0] * 2), options[0] if options else first)
    return long.lstrip("-+/").replace("-", "_") if options else first


def _default(script: Script, parser: Parser, keywords: Mapping[str, ast.expr]) -> Any:
    if "default" not in keywords:
        return UNREAD if "argument_default" in keywords_of(parser.call) else None
    return script.value(keywords["default"])


def _action_trouble(action: object, switch: bool) -> str:
    if switch:
        return "it is a switch"
    if action in ("store", None):
        return ""
    return (
        f"it collects values (action={action})" if action in ("append", "extend") else "its action is the script's own"
    )


def _is_boolean(script: Script, action: ast.expr | None) -> bool:
    return action is not None and script.dotted(action) == "argparse.BooleanOptionalAction"


def _kind(script: Script, given: ast.expr | None) -> tuple[str, str]:
    """`(what its values are, why that cannot be told)`."""
    if given is None or (isinstance(given, ast.Constant) and given.value is None):
        return "str", ""
    if isinstance(given, ast.Lambda):
        inner = _converted(given)
        return (inner, "") if inner else ("str", "what it takes is computed (type is a lambda)")
    name = script.dotted(given)
    if name in _TYPES or name == "pathlib.Path":
        return (name if name in _TYPES else "str"), ""
    if name == "bool":
        return "str", "type=bool takes every text for true, even False"
    return "str", f"what it takes is the script's own matter (type={ast.unparse(given)[:40]})"


def _converted(node: ast.Lambda) -> str:
    """`float` for `lambda x: float(x)`, `int` for `lambda x: int(float(x))`; empty for whatever does more."""
    body, outermost = node.body, ""
    while isinstance(body, ast.Call) and isinstance(body.func, ast.Name) and body.func.id in _TYPES and body.args:
        outermost = outermost or body.func.id
        body = body.args[0]
    names = [a.arg for a in node.args.args]
    return outermost if len(names) == 1 and isinstance(body, ast.Name) and body.id == names[0] else ""
