"""Reading a record of any version: one of an older schema is upgraded here, and nowhere else is its shape known."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.record import SCHEMA, NotChecked, Record

Tree = dict[str, Any]
_LOOK = re.compile(r"(.+)-(baseline|incumbent)\.(\d+)\.(\w+)")  # `finalist-incumbent.5.gain`
_KEPT, _JUDGED, _STUCK = "incumbent.kept.", "judged.", "stuck_trials"


class NewerRecord(ValueError):
    """The record is of a schema that came after this program: one sentence that says which, and what to do."""


def read_record(text: str | bytes) -> Record:
    """The record, whichever version wrote it. An older one keeps its own digest, which no longer follows from it.

    Raises:
        NewerRecord: a later version wrote it.
        ValueError: it is no record.
    """
    try:
        tree = json.loads(text)
    except RecursionError:
        raise ValueError("this is no record: it is nested too deeply") from None
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise NewerRecord(
            f"round {tree.get('round_id')}: its record has schema {schema}, which a later version of tunebook wrote; "
            f"this one reads up to schema {SCHEMA}: update it to read this round."
        )
    return Record.model_validate(_upgraded(tree) if schema == 1 else tree)


def _upgraded(old: Tree) -> Tree:
    """The tree of schema 1 as one of schema 2.

    Raises:
        ValueError: something that every record of schema 1 has is not there.
    """
    try:
        return _second(old)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"round {old.get('round_id')}: its record of schema 1 is damaged ({error!r})") from None


def _second(old: Tree) -> Tree:
    """The tree of schema 1 as one of schema 2.

    Then the verdict's numbers stood by names such as `finalist-incumbent.3.z`, the trials that never learned as JSON
    within a number, and the steps of a trial in the budget alone. What was not recorded is left open.
    """
    verdict = {k: v for k, v in old["verdict"].items() if k != "noise"}
    gate = _gate(old)
    steps = {k: old["budget"].get(k, 0) for k in ("max_train_steps", "eval_every_steps")}
    return old | {
        "schema": SCHEMA,
        "trials": [steps | trial for trial in old["trials"]],
        "findings": [_finding(finding) for finding in old["findings"]],
        "importance": [row for finding in old["findings"] for row in _importance(finding)],
        "answer": old["answer"] | {"kind": old["goal"]["kind"], "source": _source(old["answer"], gate)},
        "verdict": verdict | {"reason": _reason(old, gate)},
        "gate": gate,
    }


def _finding(old: Tree) -> Tree:
    """The finding with the trials that it named in JSON; texts among its numbers stand in its sentence too."""
    numbers = {k: v for k, v in old.get("numbers", {}).items() if not isinstance(v, str)}
    named = old.get("numbers", {}).get(_STUCK)
    if named is None:
        return old | {"numbers": numbers, "reason": NotChecked.NOT_RECORDED}
    return old | {"numbers": numbers, "reason": "never_learned", "trials": json.loads(named)}


def _importance(finding: Tree) -> Iterator[Tree]:
    """B5's numbers as rows, the greatest share first; that something can be fixed is known where it was the remedy."""
    numbers = finding.get("numbers", {})
    study = (finding.get("where") or {}).get("study")
    if finding["row"] != "B5" or study is None:
        return
    bar = numbers.get("sensitivity_chance", 0.0)
    pairs = [k.removesuffix(".chance").split(" x ") for k, v in numbers.items() if " x " in k and v <= bar]
    for name, share in numbers.items():
        if f"{name}.low" not in numbers or f"{name}.high" not in numbers:
            continue
        fixed = any(r.startswith((f"goal.fixed.{name}=", f"space.{name}.")) for r in finding.get("remedy", ()))
        matters = numbers.get(f"{name}.chance", 1.0) <= bar
        yield {
            "study": study,
            "parameter": name,
            "share": share,
            "band": [numbers[f"{name}.low"], numbers[f"{name}.high"]],
            "verdict": "matters" if matters else "can be fixed" if fixed else "cannot tell",
            "together": sorted({other for pair in pairs if name in pair for other in pair} - {name}),
        }


def _gate(old: Tree) -> Tree | None:
    """The gate's rows from the verdict's numbers; None where there were none."""
    noise = old["verdict"].get("noise", {})
    if not noise:
        return None
    incumbent = old["verdict"]["incumbent"]["point"]
    arms = [_arm(old, noise, name, incumbent) for name in _names(noise)]
    return {
        "arms": arms,
        "comparisons": [*_comparisons(old, noise, {a["name"]: a for a in arms})],
        "minimum_gain": noise.get("minimum_gain") or 0.0,
    }


def _names(noise: Mapping[str, Any]) -> list[str]:
    """The arms in the gate's order: finalists by their place, baseline, incumbent."""
    names = [k.removesuffix(".retrains") for k in noise if k.endswith(".retrains")]
    order = {"finalist": 0, "baseline": 1, "incumbent": 2}
    return sorted(names, key=lambda n: (order.get(n.partition("-")[0], 0), int(n.partition("-")[2] or 1)))


def _arm(old: Tree, noise: Mapping[str, Any], name: str, incumbent: Tree) -> Tree:
    """One arm; where it has retrains and none are its own, they are the incumbent's: it is that configuration.

    A round whose incumbent moved was gated again, with other retrains: those that counted in the end came last.
    """
    count = noise[f"{name}.retrains"]
    kept = {k.removeprefix(_KEPT): v for k, v in noise.items() if k.startswith(_KEPT)}
    every = {n: [t for t in old["trials"] if t["study"] == f"retrain-{n}"] for n in (name, "incumbent")}
    alike = every[name] and name != "incumbent" and every[name][-1]["point"] == incumbent  # of an earlier gate
    own = name if (every[name] and not alike) or not count else "incumbent"
    fresh = count - (len(kept) if own == "incumbent" else 0)
    runs = {n: found[max(0, len(found) - fresh) :] for n, found in every.items()}
    point = runs[own][0]["point"] if runs[own] else incumbent
    scientific = [point[n] for n in old["roles"]["scientific"] if n in point]
    return {
        "name": name,
        "point": point,
        "value": scientific[0] if len(scientific) == 1 else None,
        "retrained_as": own,
        "trials": [{"trial": t["id"], "value": _counted(t, noise)} for t in runs[own]],
        "kept": [{"trial": id, "value": value} for id, value in kept.items()] if own == "incumbent" else [],
        "price": None if old["policy"].get("price") else 0.0,
    }


def _counted(trial: Tree, noise: Mapping[str, Any]) -> float | None:
    """What a retrain counted for: its best evaluation unless noted otherwise, None where it has no result."""
    if trial["status"] != "complete" or trial.get("best_value") is None:
        return None
    counted: float = noise.get(f"{_JUDGED}{trial['id']}", trial["best_value"])
    return counted


def _comparisons(old: Tree, noise: Mapping[str, Any], arms: Mapping[str, Tree]) -> Iterator[Tree]:
    """A row for each pair that was looked at. Where no complexity had a price, the minimum gain was the margin."""
    found: dict[tuple[str, str], dict[int, Tree]] = {}
    for key, value in noise.items():
        match = _LOOK.fullmatch(key)
        if match:
            found.setdefault((match[1], match[2]), {}).setdefault(int(match[3]), {})[match[4]] = value
    for (candidate, against), looks in found.items():
        known = len(arms[against]["kept"]) if against in arms else 0
        rows = [_look(n, max(n, known), look) for n, look in sorted(looks.items())]
        yield {
            "candidate": candidate,
            "against": against,
            "margin": None if old["policy"].get("price") else noise.get("minimum_gain"),
            "looks": rows,
            "state": _state(rows[-1], old["budget"].get("retrains")),
        }


def _look(n: int, against: int, look: Tree) -> Tree:
    others = {k: v for k, v in look.items() if k not in ("low", "high")}
    return others | {"n": n, "against": against, "band": [look["low"], look["high"]]}


def _state(last: Tree, budget: int | None) -> str:
    if last["z"] >= last["upper"]:
        return "better"
    if last["z"] <= last["lower"]:
        return "not better"
    return "undecided" if last["n"] == budget else "open"


def _source(answer: Tree, gate: Tree | None) -> str:
    """Whether the answer is the gate's: one of its looks then has the very band."""
    bands = [look["band"] for c in (gate or {}).get("comparisons", ()) for look in c["looks"]]
    return "retrains" if answer.get("band") is not None and answer["band"] in bands else "search"


def _reason(old: Tree, gate: Tree | None) -> str:
    """The code of the verdict, as far as its numbers tell."""
    outcome, compared = old["verdict"]["outcome"], (gate or {}).get("comparisons", [])
    feasible = any(t["status"] == "complete" and t["purpose"] == "search" for t in old["trials"])
    if outcome in ("redesign", "na"):
        return "no_gate" if outcome == "na" else "blocked" if feasible else "nothing_feasible"
    if outcome == "promote":
        won = (old["verdict"].get("candidate") or {}).get("point")
        return "baseline_better" if won == _point_of(gate, "baseline") else "better"
    if old["budget"].get("retrains") == 1:
        return "too_few_retrains"
    if outcome == "retrain":
        alone = "no_other_candidate" if feasible else "nothing_feasible"
        return alone if len((gate or {}).get("arms", [])) < 2 else "undecided" if compared else "no_sound_retrains"
    names = [arm["name"] for arm in (gate or {}).get("arms", ())]
    racing = [n for n in names if n.startswith("finalist")] or names
    sound = any(c["candidate"] in racing for c in compared)
    return "declined" if _beats_all(compared) else "no_gain" if sound else "no_sound_retrains"


def _point_of(gate: Tree | None, name: str) -> Tree | None:
    return next((arm["point"] for arm in (gate or {}).get("arms", ()) if arm["name"] == name), None)


def _beats_all(compared: list[Tree]) -> bool:
    """Whether some arm was better than each that it was compared with, the incumbent among them."""
    states: dict[str, dict[str, str]] = {}
    for row in compared:
        states.setdefault(row["candidate"], {})[row["against"]] = row["state"]
    return any("incumbent" in own and set(own.values()) == {"better"} for own in states.values())
