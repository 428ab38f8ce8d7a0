"""From the composed tree of plain values to the frozen, checked `RoundConfig`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.compose.config import RoundConfig
from flows.compose.overrides import as_stored
from tasks.analyze.thresholds import policy_from_tree
from tasks.design.samplers.all import sampling_of
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Goal, Workload
from tasks.scope.redaction import LEFT_OUT, Secrets, without_said
from tasks.scope.space import space_from_tree
from tasks.tracking import Tracking

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_INSTRUCTIONS = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")
_OWN = (
    "_target_",
    "objective",
    "baseline",
    "test",
    "names",
    "deterministic",
)  # the rest: the callable's arguments
_CALLS = re.compile(r"workload\.(?!objective\.|baseline\.|names\.)")


def frozen(
    tree: dict[str, Any], names: Mapping[str, str], overrides: tuple[str, ...], config_dir: str | None, secrets: Secrets
) -> RoundConfig:
    """A round's configuration from the composed tree; `names` are the options that were chosen, by group.

    Raises:
        InputError: with the one sentence to show.
    """
    for group, name in names.items():
        option_name(group, name)
    _refuse_foreign(tree, "")
    unknown = sorted(set(tree) - set(RoundConfig.model_fields))
    if unknown:
        raise InputError(f"{unknown[0]}: unknown key; allowed are {', '.join(sorted(set(tree) - set(unknown)))}.")

    def clean(text: Any) -> Any:
        return without_said(secrets.redacted(text)) if isinstance(text, str) else text

    goal = _goal(names["goal"], tree["goal"])
    acknowledged = tree["acknowledge"] or {}
    return RoundConfig.model_validate(
        tree
        | {
            "overrides": tuple(as_stored(override, secrets) for override in overrides),
            "config_dir": config_dir,
            "workload": _workload(names["workload"], tree["workload"]),
            "goal": goal.model_copy(update={"question": clean(goal.question)}),
            "space": space_from_tree(tree["space"]),
            "policy": policy_from_tree(tree["policy"]),
            "tracking": Tracking.model_validate(tree["tracking"] | {"root": root_of(tree["tracking"]["root"])}),
            "sampling": sampling_of(tree["sampler"]) if isinstance(tree["sampler"], str) else None,
            "notes": clean(tree["notes"]),
            "acknowledge": {row: clean(why) for row, why in acknowledged.items()},
            "secrets": secrets,
        }
    )


def option_name(group: str, name: str) -> str:
    """The name of an option, if it may become a part of a path.

    Raises:
        InputError: it is anything but letters, digits, `_`, `.` and `-`, at most 64, beginning with one of the first.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{group}: {name!r} is no name of an option; letters, digits, dots, dashes and underscores are."
        )
    return name


def _refuse_foreign(tree: object, place: str) -> None:
    """A mandatory value that nobody gave, an instruction where nothing is called, a text that cannot be stored."""
    if isinstance(tree, str):
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in tree):
            raise InputError(f"{place}: {tree[:80]!r} cannot be written down; remove the broken characters.")
        if tree == LEFT_OUT:
            raise InputError(f"{place}: {LEFT_OUT} stands for a secret that was left out; give it again.")
        if tree == "???":
            allowed = "; allowed are minimize and maximize" if place.endswith(".direction") else ""
            raise InputError(f"{place}: missing, and it has no default{allowed}; give it in the YAML or here.")
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            inner = f"{place}.{key}" if place else str(key)
            if not str(key).isprintable():
                raise InputError(f"{inner[:80]!r}: a name with characters that cannot be seen; use others.")
            if key in _INSTRUCTIONS and (key != "_target_" or not _CALLS.match(f"{place}.")):
                raise InputError(f"{inner}: means nothing here; a workload and its arguments alone have a _target_.")
            _refuse_foreign(value, inner)
    elif isinstance(tree, list | tuple):
        for i, value in enumerate(tree):
            _refuse_foreign(value, f"{place}.{i}")
    elif tree is not None and not isinstance(tree, bool | int | float):
        raise InputError(f"{place}: {type(tree).__name__} is no kind of value here; give a text, a number or a list.")


def root_of(given: object) -> str:
    """The folder that `tracking.root` names, seen from the working folder: each has a store of its own.

    Raises:
        InputError: it is empty.
    """
    if not given:
        raise InputError("tracking.root: empty; name a folder, such as mlruns.")
    return str(Path(str(given)).resolve())


def _workload(name: str, tree: Mapping[str, Any]) -> Workload:
    own = {k: tree[k] for k in ("objective", "test", "deterministic")}
    arguments = {k: v for k, v in tree.items() if k not in _OWN}
    return Workload(
        name=name,
        target=tree["_target_"],
        arguments=arguments,
        baseline=dict(_flat(tree["baseline"] or {}, "workload.baseline", "")),
        names=_mapping(tree["names"], "workload.names"),
        **own,
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{where}: {value!r} will not do; write it like {{batch_size: bs}}.")
    return dict(value or {})


def _goal(name: str, tree: Mapping[str, Any]) -> Goal:
    given = dict(tree)
    given["fixed"] = {k: v if isinstance(v, Mapping) else {"value": v, "reason": ""} for k, v in tree["fixed"].items()}
    return Goal.model_validate({"name": name, **given})


def _flat(tree: Mapping[str, Any], where: str, prefix: str) -> Iterator[tuple[str, Value]]:
    """`{a: {b: 1}}` as `a.b = 1`: a point's hyperparameters are named by their whole path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, where, f"{prefix}{key}.")
        elif isinstance(value, Value):
            yield f"{prefix}{key}", value
        else:
            raise InputError(f"{where}.{prefix}{key}: {value!r} is not a number, a text or a boolean.")
