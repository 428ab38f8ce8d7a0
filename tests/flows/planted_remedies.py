"""Planted rounds as a user's folder: what their findings would change can then be composed, as the next round is."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from flows.compose import compose
from flows.compose.config import RoundConfig
from tasks.promote.next import merged
from tasks.scope.finding import blocking
from tasks.scope.guards.all import guarded
from tasks.scope.roles import Scope, baseline_incumbent, scope_of


def write_folder(scope: Scope, folder: Path) -> tuple[str, ...]:
    """The scope's goal, space and workload as YAML in a folder, and the overrides that are the round it was said of."""
    goal = scope.goal.model_dump(mode="json", exclude={"name"})
    workload = {
        "_target_": "tasks.trials.workloads.synthetic.synthetic",
        "bowls": {},
        "objective": scope.objective.model_dump(mode="json"),
        "baseline": _nested(scope.incumbent.point),
        **scope.arguments,
    }
    for group, tree in (("goal", goal), ("space", _nested(scope.declared.as_tree())), ("workload", workload)):
        (folder / group).mkdir(parents=True, exist_ok=True)
        (folder / group / "planted.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    budget = (f"budget.{name}={value}" for name, value in scope.budget.model_dump().items())
    chosen = ("workload=planted", "space=planted", "goal=planted", "orchestrate=off")
    return (*chosen, f"tracking.root={folder / 'store'}", f"sampler={scope.sampler}", *budget)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{a.b: 1}` as `{a: {b: 1}}`."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        here = tree
        for parent in parents:
            here = here.setdefault(parent, {})
        here[leaf] = value
    return tree


def after(scope: Scope, remedies: Iterable[str], folder: Path) -> tuple[RoundConfig, Scope]:
    """The next round, composed and guarded.

    Raises:
        InputError: it does not compose, or its roles and its space do not fit.
    """
    said = merged(write_folder(scope, folder), remedies)
    config = compose.from_overrides(said, str(folder))
    new = scope_of(
        config.goal,
        config.space,
        config.workload,
        config.budget,
        config.policy,
        baseline_incumbent(config.workload, config.space),
        sampler=config.sampler,
        seed=config.seed,
        acknowledged=config.acknowledge,
    )
    return config, guarded(new)


def objections(scope: Scope, remedies: Iterable[str], folder: Path) -> list[str]:
    """What speaks against the remedies of a round: they change nothing, or a guard fails that had not before."""
    before, _ = after(scope, (), folder)
    config, new = after(scope, remedies, folder)
    said = {"overrides"}
    blocked = {f.row for f in blocking(guarded(scope).findings, scope.acknowledged)}
    stops = [f"{f.row}: {f.evidence}" for f in blocking(new.findings, new.acknowledged) if f.row not in blocked]
    same = config.model_dump(exclude=said) == before.model_dump(exclude=said)
    return [*stops, *(["nothing is changed"] if same else [])]
