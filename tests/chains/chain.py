"""Chains of rounds by random goals on a planted surface, and what must hold of every chain.

A link is a goal that somebody might write after the rounds before: it compares one thing, and holds, fixes elsewhere or
tunes each other one, whatever was promoted; or it is the command that the last round printed.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from flows.compose import compose
from flows.compose.config import RoundConfig
from flows.session.incumbent import looked_up
from flows.session.promoted_settings import with_settings
from tasks.ledger import open_ledger
from tasks.record import Record, Value
from tasks.scope.goal import flat_arguments
from tasks.scope.guards.promoted import promotion_holds
from tasks.scope.scope import scope_goal

# Sizes are in SDs of a retrain: every technique gains, so much is promoted.
WORKLOAD: Mapping[str, Any] = {
    "_target_": "tasks.trials.workloads.synthetic.synthetic",
    "bowls": {
        "plain": {"learning_rate": {"optimum": 0.1, "curvature": 3, "scale": "log"}},
        "adapted": {"learning_rate": {"optimum": 0.003, "curvature": 3, "scale": "log"}},
        "dropout": {"rate": {"optimum": 0.3, "curvature": 6, "width": 0.6}},
        "smoothing": {"strength": {"optimum": 0.1, "curvature": 6, "width": 0.2}},
    },
    "effects": {
        "regularizer": {"dropout": -4},
        "smoothed": {"true": -3},
        "recipe": {"adapted": -3},
        "width": {"32": 1, "64": 0, "128": -2},
    },
    "noise": 0.01,
    "floor": 0.5,
    "curve": {"fall": 6},
    "objective": {"metric": "loss", "direction": "minimize"},
    "baseline": {
        **{"recipe": "plain", "plain": {"learning_rate": 0.05}},
        **{"regularizer": "none", "smoothed": False, "width": 64},
    },
}  # fmt: skip
SPACE: Mapping[str, Any] = {
    "recipe": {"choices": ["plain", "adapted"]},
    "plain": {"learning_rate": {"low": 1e-3, "high": 1.0, "scale": "log", "when": {"recipe": "plain"}}},
    "adapted": {"learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log", "when": {"recipe": "adapted"}}},
    "regularizer": {"choices": ["none", "dropout"]},
    "dropout": {"rate": {"low": 0.0, "high": 0.6, "when": {"regularizer": "dropout"}}},
    "smoothed": {"choices": [False, True]},
    "smoothing": {"strength": {"low": 0.0, "high": 0.2, "when": {"smoothed": True}}},
    "width": {"values": [32, 64, 128]},
}
VALUES: Mapping[str, tuple[Value, ...]] = {
    "recipe": ("plain", "adapted"),
    "regularizer": ("none", "dropout"),
    "smoothed": (False, True),
    "width": (32, 64, 128),
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """One round of a chain: a goal as YAML with overrides, or, where `goal` is None, the command printed last."""

    goal: Mapping[str, Any] | None
    overrides: tuple[str, ...] = ()


@st.composite
def links(draw: st.DrawFn) -> Link:
    """A goal with random roles, on random settings; or what was printed."""
    if draw(st.integers(0, 3)) == 3:
        return Link(goal=None)
    scientific = draw(st.sampled_from(sorted(VALUES)))
    fixed: dict[str, Any] = {}
    for name in sorted(VALUES.keys() - {scientific}):
        role = draw(st.sampled_from(["held", "held", "held", "elsewhere"]))
        value = {"value": draw(st.sampled_from(VALUES[name]))} if role == "elsewhere" else {}
        fixed[name] = {**value, "reason": "a question of its own in another round"}
    compared = draw(st.permutations(VALUES[scientific]))
    listed = ("plain.learning_rate", "adapted.learning_rate") if draw(st.integers(0, 4)) == 0 else None
    overrides = draw(
        st.lists(
            st.sampled_from(["workload.floor=0.6", "budget.max_train_steps=50", "space.dropout.rate.high=0.4"]),
            max_size=1,
        )
    )
    goal = {
        "question": f"What does {scientific} do?",
        "kind": draw(st.sampled_from(["improve", "improve", "understand"])),
        "scientific": {scientific: list(compared)},
        "fixed": fixed,
        **({} if listed is None else {"nuisance": list(listed)}),
    }
    return Link(goal=goal, overrides=tuple(overrides))


def write_folder(folder: Path) -> Path:
    """A folder with the workload and its space."""
    for path, tree in (("workload/chain.yaml", WORKLOAD), ("space/chain.yaml", SPACE)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(tree))
    (folder / "goal").mkdir(exist_ok=True)
    return folder


def store(root: Path) -> tuple[str, ...]:
    """The overrides of a small round without servers."""
    small = ("budget.trials=6", "budget.retrains=5", "budget.finalists=1", "policy.good_trials=1")
    length = ("budget.max_train_steps=100", "budget.eval_every_steps=10")
    quiet = ("orchestrate=off", "tracking.enabled=false", "runner=inline")
    return ("workload=chain", "space=chain", f"tracking.root={root}", *small, *length, *quiet)


def said(link: Link, i: int, folder: Path, root: Path, last: Record | None) -> tuple[str, ...]:
    """The overrides of the link: those that were printed, or a goal that is written into the folder."""
    if link.goal is None and last is not None and last.next.command:
        return last.next.overrides
    goal = link.goal or {
        "question": "Does dropout help?",
        "kind": "improve",
        "scientific": {"regularizer": ["none", "dropout"]},
    }
    (folder / "goal" / f"g{i}.yaml").write_text(json.dumps(goal))
    return (*store(root), f"goal=g{i}", f"seed={i}", *link.overrides)


Run = Callable[[tuple[str, ...], Path], Record]
"""Runs a round with these overrides and the folder, to its record."""


def played(chain: Sequence[Link], folder: Path, root: Path, run: Run) -> list[Record]:
    """The records of a chain, each held against what was promoted before it."""
    records: list[Record] = []
    promoted_on: RoundConfig | None = None
    for i, link in enumerate(chain):
        words = said(link, i, folder, root, records[-1] if records else None)
        before = standing(root)
        record = run(words, folder)
        config = compose.from_overrides(words, str(folder))
        wrong = [*undone(before, record), *altered(promoted_on, config, record), *printed(record, folder)]
        assert not wrong, f"round {i} ({' '.join(words[10:])}): {wrong}"
        records.append(record)
        promoted_on = config if record.verdict.outcome == "promote" else promoted_on
    numbers = generations(root)
    assert numbers == [*range(1, len(numbers) + 1)]
    assert len(numbers) == sum(r.verdict.outcome == "promote" for r in records)
    return records


def standing(root: Path) -> dict[str, Value]:
    """What is promoted; empty where nothing is."""
    if not (root / "ledger.db").exists():
        return {}
    with open_ledger(root) as ledger:
        newest = ledger.incumbent("chain")
    return newest.point if newest else {}


def generations(root: Path) -> list[int]:
    """The numbers of the generations, in the ledger's order."""
    with open_ledger(root) as ledger:
        return [g.generation for g in ledger.generations("chain")]


def undone(before: Mapping[str, Value], record: Record) -> Iterator[str]:
    """What was promoted, is lost or fixed elsewhere in this round, and is in no warning."""
    warned = {f.where.parameter for f in record.findings if (f.row, f.level) == ("G9", "warn")}
    parents = {name: set(tree.get("when", {})) for name, tree in _declared(SPACE)}
    won = record.verdict.candidate if record.verdict.outcome == "promote" else None
    after = before if won is None else won.point
    for name, value in before.items():
        named = {name, *parents.get(name, ())} & warned
        fixed = record.roles.fixed.get(name)
        tuned = name in record.roles.nuisance or {name, *parents.get(name, ())} & set(record.roles.scientific)
        if fixed is not None and fixed.value != value and not named:
            yield f"{name} = {value} is fixed at {fixed.value} without a warning"
        if after.get(name) != value and not tuned and not named:
            yield f"{name} = {value} is lost without a warning"


def altered(before: RoundConfig | None, now: RoundConfig, record: Record) -> Iterator[str]:
    """Arguments and lengths that are not those of the promoting round, of which no warning speaks."""
    if before is None:
        return
    warned = " ".join(r for f in record.findings if (f.row, f.level) == ("G9", "warn") for r in f.remedy)
    for name, value in (
        *flat_arguments(before.workload.arguments),
        ("budget.max_train_steps", before.budget.max_train_steps),
    ):
        held = dict(flat_arguments(now.workload.arguments)) | {"budget.max_train_steps": now.budget.max_train_steps}
        if held.get(name) != value and f"{name}=" not in warned:
            yield f"{name} was {value} and is {held.get(name)} without a warning"


def printed(record: Record, folder: Path) -> Iterator[str]:
    """What the command that the round prints would fix elsewhere than it is promoted; nothing where none is printed."""
    if not record.next.command:
        return
    config = compose.from_overrides(record.next.overrides, str(folder))
    incumbent, _ = looked_up(config)
    found = promotion_holds(scope_goal(with_settings(config, incumbent.settings), incumbent))
    yield from (
        f"the printed command: {f.evidence}" for f in found if f.reason in ("fixed_elsewhere", "setting_replaced")
    )


def _declared(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, node in tree.items():
        if {"low", "values", "choices"} & node.keys():
            yield f"{prefix}{key}", node
        else:
            yield from _declared(node, f"{prefix}{key}.")
