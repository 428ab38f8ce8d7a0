"""How a script reports its metrics: what it logs to MLflow, or appends to the file of TUNEBOOK_METRICS."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from flows.starting.script.source import Script
from tasks.scope.names.metrics import direction_of, metric_words

VARIABLE = "TUNEBOOK_METRICS"
_JUDGED_BEFORE_LOSSES = (
    r"loss|nll|crossentropy|xent|ce"  # a loss moves with label smoothing and the like; an error does not
)
_SPLITS = (r"val|valid|validation|dev|eval|evaluation|heldout|holdout", r"test|testing")
_TRAIN = r"train|training|batch|running|step|epoch"


@dataclass(frozen=True)
class Reporting:
    """`way`: by which metrics come back, None where none is found; `metrics`: the names that are written out.

    `notes`: what else a person should know, each a sentence.
    """

    way: Literal["mlflow", "lines"] | None
    metrics: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def objective(self) -> str | None:
        """The metric that looks most like one to judge by: of validation, rather an error than a loss."""
        return min(self.metrics, key=_rank) if self.metrics else None


def reporting_of(script: Script) -> Reporting:
    """How the script reports, as its calls and texts show."""
    if any(isinstance(n, ast.Constant) and n.value == VARIABLE for n in script.nodes):
        return Reporting("lines", _usable(_in_lines(script)))
    if not any(m.split(".")[0] == "mlflow" for m in script.modules):
        return Reporting(None)
    logged = [n for n in script.nodes if isinstance(n, ast.Call) and _called(n) in ("log_metric", "log_metrics")]
    names = _usable(name for call in logged for name in _logged(script, call))
    notes = []
    without = [c for c in logged if not any(k.arg in ("step", None) for k in c.keywords) and len(c.args) < 3]
    if without:
        notes.append(f"line {without[0].lineno} logs without step=: a trial then has one evaluation, and no curve")
    for call in (n for n in script.nodes if isinstance(n, ast.Call) and _called(n) == "set_tracking_uri"):
        notes.append(
            f"line {call.lineno} sets MLflow's address: remove it, since each trial logs to a store of its own"
        )
    automatic = any(isinstance(n, ast.Call) and _called(n) == "autolog" for n in script.nodes)
    return Reporting("mlflow" if logged or automatic else None, names, tuple(notes))


def _usable(names: Iterable[str]) -> tuple[str, ...]:
    """The names that can be written into a YAML, each once."""
    return tuple(dict.fromkeys(n for n in names if n != "step" and n.isprintable() and n and "$" not in n))


def _rank(metric: str) -> tuple[int, ...]:
    """The lower the better: the split first, then whether its direction is known, then what it measures."""
    words = metric_words(metric)
    split = next((i for i, s in enumerate(_SPLITS) if any(re.fullmatch(s, w) for w in words)), len(_SPLITS))
    split += any(re.fullmatch(_TRAIN, w) for w in words)
    return (split, direction_of(metric) is None, any(re.fullmatch(_JUDGED_BEFORE_LOSSES, w) for w in words))


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _logged(script: Script, call: ast.Call) -> Iterator[str]:
    """The names that a call of MLflow's logs, where they are written out."""
    given = [*call.args, *(k.value for k in call.keywords if k.arg in ("key", "metrics"))]
    if _called(call) == "log_metric":
        texts = (script.value(a) for a in given[:2])  # a client's method has the run before the name
        yield from [t for t in texts if isinstance(t, str)][:1]
    else:
        for node in given:
            yield from _keys(node)
            if isinstance(node, ast.Name):
                yield from _keys_of(script, node.id)


def _keys_of(script: Script, name: str) -> Iterator[str]:
    """The keys of the mappings that the script binds to a name, and those that it puts into it."""
    for node in (n for n in script.nodes if isinstance(n, ast.Assign)):
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield from _keys(node.value)
            elif isinstance(target, ast.Subscript) and getattr(target.value, "id", "") == name:
                key = script.value(target.slice)
                yield from [key] if isinstance(key, str) else []


def _in_lines(script: Script) -> Iterator[str]:
    """The names beside "step" in whatever mapping is written with it."""
    for node in script.nodes:
        names = [*_keys(node)]
        if "step" in names:
            yield from (name for name in names if name != "step")
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and "step" in _keys(node.value):
            yield from _keys_of(script, node.targets[0].id)


def _keys(node: ast.AST) -> Iterator[str]:
    """The keys of a mapping that are written out."""
    if isinstance(node, ast.Dict):
        yield from (k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str))
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dict":
        yield from (k.arg for k in node.keywords if k.arg)
