"""Remedies of an audit in words: what to change in a study that ran elsewhere."""

from collections.abc import Iterable

from tasks.scope.roles import Scope
from tasks.text import show

_SIDES = ("low", "high")
_BUDGET = {"trials": "trials", "max_train_steps": "steps", "eval_every_steps": "steps between evaluations"}


def advice(remedies: Iterable[str], scope: Scope) -> str:
    """The changes that the remedies come to, `learning_rate: high 0.1 -> 1`, each told once."""
    return "; ".join(dict.fromkeys(_change(r.lstrip("+"), scope) for r in remedies))


def _change(override: str, scope: Scope) -> str:
    key, _, value = override.partition("=")
    group, _, rest = key.partition(".")
    name, _, leaf = rest.rpartition(".")
    if group == "space" and leaf in _SIDES:
        return f"{name}: {leaf} {show(getattr(scope.declared[name], leaf))} -> {value}"
    if group == "space":
        return f"{name}: {leaf} {value}"
    if group == "budget" and rest in _BUDGET:
        return f"{_BUDGET[rest]}: {getattr(scope.budget, rest)} -> {value}"
    if key == "goal.nuisance":
        gone = [n for n in scope.roles.nuisance if n not in value.strip("[]").split(",")]
        return f"{', '.join(gone)}: compared (goal.scientific) or fixed"
    if group == "acknowledge":
        return f"or accept it in writing: {key}={value}"
    return override
