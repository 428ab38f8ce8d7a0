"""What changed since the number of steps was last the same, and whether more or fewer may do now: ask to check it."""

import re
from collections.abc import Iterator, Mapping, Sized
from typing import Any

from flows.compose.config import RoundConfig
from flows.session.provenance.fingerprint import Parts
from tasks.ledger import Ledger
from tasks.scope.goal import Incumbent
from tasks.scope.names.names import REGULARIZING, Names
from tasks.scope.names.programs import argument_values
from tasks.scope.names.recognition import recognise
from tasks.scope.recognised import recognised_names

SHOWN = 3  # changes that a sentence names
DATA = re.compile(r"(?:^|[._])(?:data|dataset|datasets|augment\w*|crop|flip|jitter|mixup|cutmix)(?:$|[._])")
MODELS = ("model", "network", "net", "arch", "backbone")
# Regularizers that add to the loss or change its targets: they do not make gradients vary more between batches.
QUIET = frozenset({"weight_decay", "l2", "l1", "label_smoothing", "gradient_penalty", "z_loss"})
NOT_THERE = frozenset({"", "none", "null", "off", "no", "false", "identity"})
INVERSE = re.compile(r"(?:^|[._])(?:no|keep|survival|disable|without)(?:_|$)")  # a larger value is less of it
NOISIER = "more gradient noise: probably more steps"
CALMER = "less gradient noise: maybe fewer steps"
BETTER = "if it trains better: maybe fewer steps"


def since_steps_were_settled(ledger: Ledger, config: RoundConfig, incumbent: Incumbent, parts: Parts) -> str:
    """A sentence that asks to check the number of steps again, and whether it may be more or fewer; or "".

    Held against are the data, the workload's arguments and the incumbent of the last finished round of this workload
    that trained for as many steps: their data, architecture, batch size, augmentation, regularizers that make gradients
    vary, optimizer and schedule. A round of another number of steps is one that checks them.

    Playbook: H5
    """
    names = recognised_names(
        config.goal,
        config.space,
        config.workload,
        incumbent,
        argument_values(config.workload.target, config.workload.arguments),
    )
    for row in ledger.rounds(config.workload.name):
        if row.state != "finished":
            continue
        frozen = ledger.frozen(row.round_id)
        if not _as_long(frozen, config):
            continue
        found = dict(_changes(frozen, config, incumbent, parts, names))
        if not found:
            return ""
        told = [f"{name} ({way})" if way else name for name, way in found.items()]
        more = f" and {len(told) - SHOWN} more" * (len(told) > SHOWN)
        changed, steps = f"{', '.join(told[:SHOWN])}{more}", config.budget.max_train_steps
        return (
            f"Since round {row.round_id}, of {steps} steps too, {changed} changed: check the number of steps again "
            "(H5; see F8, F9 and H3)."
        )
    return ""


def _as_long(frozen: Mapping[str, Any], config: RoundConfig) -> bool:
    budget = (frozen.get("config") or {}).get("budget") or {}
    return bool(budget.get("max_train_steps") == config.budget.max_train_steps)


def _changes(
    frozen: Mapping[str, Any], config: RoundConfig, incumbent: Incumbent, parts: Parts, names: Names
) -> Iterator[tuple[str, str]]:
    """What changed, with what it may do to the steps: data, arguments of the workload, values of the incumbent."""
    before: Mapping[str, Mapping[str, str]] = frozen.get("fingerprint") or {}
    for part in ("data", "folders"):
        was, has = before.get(part, {}), parts.get(part, {})
        yield from ((name, "") for name in sorted({*was, *has}) if before and was.get(name) != has.get(name))
    there = _arguments(config.workload.target, (frozen.get("config") or {}).get("workload", {}).get("arguments") or {})
    here = _arguments(config.workload.target, config.model_dump(mode="json")["workload"]["arguments"])
    for name in sorted({*there, *here}):
        way = _way(names, name, there.get(name), here.get(name))
        known = names.of(name)
        if way is not None or ((known is None or not known.told) and _is_data_or_model(name)):
            yield from [(f"workload.{name}", way or "")] * (there.get(name) != here.get(name))
    then, now = (frozen.get("incumbent") or {}).get("point") or {}, incumbent.point
    for name in sorted({*then, *now}):
        way = _way(names, name, then.get(name), now.get(name))
        if way is not None and then.get(name) != now.get(name):
            yield name, way


def _is_data_or_model(name: str) -> bool:
    """Whether an argument of the workload is of its data or its model, by its name."""
    return bool(DATA.search(name.lower())) or name.split(".")[0] in MODELS


def _way(names: Names, name: str, before: object, now: object) -> str | None:
    """What the change may do to the steps, "" where that is open; None where it has no bearing on them."""
    known = names.of(name)
    if known is None:
        return None
    if known.family == "architecture":
        return ""
    if known.family in ("optimizer choice", "schedule"):
        return BETTER
    if known.family == "batch size":
        return _noise(now, before) if _numbers(before, now) else ""
    if known.family not in REGULARIZING or known.meaning in QUIET:
        return None
    was, has = _amount(before), _amount(now)
    if INVERSE.search(name.lower()):
        return _noise(has, was) if None not in (before, now) or True in (before, now) else ""
    return None if was == has == 0 else _noise(was, has)


def _numbers(*values: object) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _noise(less: Any, more: Any) -> str:
    """What it does to the steps that a source of gradient noise went from the one strength to the other."""
    return NOISIER if more > less else CALMER if more < less else ""


def _amount(value: object) -> float:
    """How much noise a regularizer's or an augmentation's value stands for: of a choice, whether it makes any."""
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        known = recognise(value)
        return 0.0 if value.lower() in NOT_THERE or (known is not None and known.meaning in QUIET) else 1.0
    return float(len(value)) if isinstance(value, Sized) else 1.0


def _arguments(target: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument by its whole name; of a command also those that its template spells out."""
    return {**dict(_flat(arguments, "")), **argument_values(target, arguments)}


def _flat(tree: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value
