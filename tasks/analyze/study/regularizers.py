"""Which kinds of regularizers a round has in use already, and which of its trials are a weaker setting of one."""

import re
from collections.abc import Iterator, Mapping

from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import Slice, slices
from tasks.record import Value
from tasks.scope.goal import RANGE
from tasks.scope.names.names import REGULARIZING
from tasks.scope.roles import Scope

OFF = frozenset({"none", "off", "no", "null", "false", ""})
KINDS: Mapping[str, str] = {
    "dropout": r"dropout|droppath|drop_path|stochastic_depth",
    "weight decay": r"weight_decay|wd|l2|l1",
    "label smoothing": r"label_smoothing",
    "augmentation": r"mixup|cutmix|cutout|augment\w*",
}
SUGGESTED = ("dropout", "weight decay", "label smoothing")  # the playbook's, in its order; augmentation is data


def kinds_in_use(scope: Scope) -> dict[str, str]:
    """`{kind: the name under which it stands}` of the regularizers that are compared, tuned or held on.

    A switch counts by its values (`regularizer = dropout`), a strength by its name and unless it is 0. The workload's
    own arguments count as well.
    """
    found: dict[str, str] = {}
    for name, value in (*_of_hyperparameters(scope), *_of_arguments(scope)):
        for kind, words in KINDS.items():
            if re.search(rf"(?:^|[._])(?:{words})(?:$|[._])", value.lower()):
                found.setdefault(kind, name)
    return found


def weaker_settings(evidence: Evidence) -> frozenset[str]:
    """The ids of the trials that have a weaker setting than the strongest of a regularizer that is itself compared.

    Playbook: F4
    """
    found: set[str] = set()
    for name in evidence.round.scope.roles.scientific:
        own = (
            [s for s in slices(evidence) if s.parameter == name]
            if evidence.round.scope.names.family(name) in REGULARIZING
            else []
        )
        strongest = max((strength(s) for s in own), default=0.0)
        found |= {t.id for s in own if strength(s) < strongest for t in s.trials}
    return frozenset(found)


def strength(s: Slice) -> float:
    """How strong a setting of a regularizer is, to be held against others of it."""
    if s.bucket is not None:
        return float(s.place)
    if isinstance(s.value, str | bool):
        return 0.0 if turned_off(s.value) else 1.0
    return float(s.value or 0.0)


def turned_off(value: Value) -> bool:
    """Whether the value of a switch says that there is no regularizer."""
    return value is False or (isinstance(value, str) and value.lower() in OFF)


def _of_hyperparameters(scope: Scope) -> Iterator[tuple[str, str]]:
    """`(name, what says the kind)`: of a switch each of its values that is on, of a strength its name."""
    for name in (*scope.roles.scientific, *scope.roles.nuisance, *scope.roles.fixed):
        if scope.names.family(name) not in REGULARIZING:
            continue
        values = _values(scope, name)
        switch = any(isinstance(v, str | bool) for v in values) or (
            name in scope.declared and scope.names.is_switch(scope.declared[name])
        )
        on = [v for v in values if not turned_off(v) and v != 0]
        if switch:
            yield from ((name, f"{name}.{v}") for v in on)
        elif on or not values:
            yield name, name


def _values(scope: Scope, name: str) -> tuple[Value, ...]:
    """What a hyperparameter may be in this round; empty for a range."""
    if name in scope.roles.fixed:
        return (scope.roles.fixed[name].value,)
    listed = scope.goal.scientific.get(name, RANGE)
    if listed != RANGE:
        return tuple(listed)
    return scope.declared[name].values if name in scope.declared else ()


def _of_arguments(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, value in scope.arguments.items():
        if isinstance(value, int | float) and value and scope.names.family(name) in REGULARIZING:
            yield f"workload.{name}", name
