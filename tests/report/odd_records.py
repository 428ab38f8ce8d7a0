"""Rounds that the report must bear: one joint study, hostile text, trials that learned nothing, retrains kept."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tasks.record import Finding, Record, Where
from tasks.verdict import ComparisonRow, CountedRow, LookRow
from tests.report.example_records import LAST, STEPS, example, result

LOOK = LookRow(
    n=9, against=9, gain=0.01, band=(0.005, 0.015), z=3.0, upper=2.0, lower=0.5, sd_candidate=0.001, sd_against=0.002
)


def with_kept(record: Record) -> Record:
    """The same gated round with four retrains of the incumbent from earlier rounds that count again."""
    kept = tuple(CountedRow(trial=f"k{i}", value=0.0585 + 0.0007 * i) for i in range(4))
    return with_arm(record, "incumbent", kept=kept)


def with_arm(record: Record, name: str, **changes: object) -> Record:
    """The same gated round with another arm of that name."""
    assert record.gate is not None
    arms = tuple(arm.model_copy(update=changes) if arm.name == name else arm for arm in record.gate.arms)
    return record.model_copy(update={"gate": record.gate.model_copy(update={"arms": arms})})


def with_looks(record: Record, *looks: tuple[str, str, int, Mapping[str, object]]) -> Record:
    """The same gated round with those looks: candidate, against, retrains, and what differs from `LOOK`."""
    assert record.gate is not None
    pairs = dict.fromkeys((a, b) for a, b, _, _ in looks)
    comparisons = tuple(
        ComparisonRow(
            candidate=a,
            against=b,
            margin=0.0,
            looks=tuple(
                LOOK.model_copy(update={"n": n, "against": n, **more}) for c, d, n, more in looks if (a, b) == (c, d)
            ),
            state="open",
        )
        for a, b in pairs
    )
    return record.model_copy(update={"gate": record.gate.model_copy(update={"comparisons": comparisons})})


def joint(count: int = 40) -> Record:
    """A joint study with a continuous scientific parameter in buckets, and with one explicit trial out of bounds."""
    rng = np.random.default_rng(3)
    space = {
        "dropout.rate": {"low": 0.0, "high": 0.8, "scale": "linear", "type": "float"},
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log", "type": "float"},
    }
    rows: list[dict[str, Any]] = []
    for i in range(count):
        rate, lr = float(rng.uniform(0, 0.8)), float(10 ** rng.uniform(-4, -1))
        value = 0.05 + 0.1 * (rate - 0.3) ** 2 + 0.03 * (math.log10(lr) + 2.3) ** 2 + abs(rng.normal(0, 0.002))
        point = {"dropout.rate": rate, "learning_rate": 0.3 if i == 4 else lr}
        row: dict[str, Any] = {
            "id": f"j{i}",
            "study": "s-joint",
            "purpose": "search",
            "point": point,
            "seed": i,
            "steps_done": LAST,
            **STEPS,
        }
        rows.append(row | result(value, 50 * int(rng.integers(4, 40)), "minimize"))
    edges = np.linspace(0, 0.8, 6)
    buckets = []
    for low, high in itertools.pairwise(edges):
        own = [r for r in rows if low <= r["point"]["dropout.rate"] < high]
        best = min(own, key=lambda r: r["best_value"])
        buckets.append({
            "parameter": "dropout.rate", "bucket": [float(low), float(high)], "best_trial": best["id"],
            "best_value": best["best_value"], "band": [best["best_value"] - 0.001, best["best_value"] + 0.006],
        })  # fmt: skip
    study = {
        "id": "s-joint",
        "scientific": {},
        "space": space,
        "sampler": "sobol",
        "seed": 1,
        "trials": [r["id"] for r in rows],
    }
    roles = {"scientific": ["dropout.rate"], "nuisance": ["learning_rate"], "fixed": {}}
    goal = {"question": "How much dropout does the model need?", "kind": "understand"}
    answer = {"kind": "understand", "source": "search", "value": 0.31, "conclusive": True}
    return example(
        "na", studies=[study], trials=rows, isolation=buckets, roles=roles, goal=goal, answer=answer, findings=[]
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{1$ {{ 7*7 }}",
    "\x1b[31mred",
)


def hostile() -> Record:
    """The round with hostile text wherever a person may write: question, notes, names, values, reasons, findings."""
    script, link, quotes, maths, escape = HOSTILE
    base = example().model_dump(mode="json", by_alias=True)
    name = f"p{script}"
    for study in base["studies"]:
        study["space"][name] = {"low": 0.0, "high": 1.0, "scale": "linear", "type": "float"}
        study["space"][f"q{quotes}"] = {"choices": [script, maths]}
        study["scientific"] = {"optimizer": quotes, maths: script}
    for trial in base["trials"]:
        trial["point"] |= {name: 0.3, f"q{quotes}": script}
        if trial["status"] != "complete":
            trial["reason"] = quotes
    finding: dict[str, Any] = {"check": script, "row": "E2", "level": "fail", "reason": "best_at_edge"}
    finding |= {"where": {"parameter": quotes, "study": script}}
    finding |= {"evidence": quotes, "numbers": {script: 1.5}, "remedy": [f"space.x={quotes}"]}
    return Record.model_validate(
        base
        | {"notes": f"{script} {link}", "workload": script, "caveats": [quotes], "learned": [f"{script}{escape}"]}
        | {"goal": {"question": f"{quotes} {maths} {script}{escape}", "kind": "improve"}}
        | {
            "objective": {"metric": f"m{escape}{quotes}", "direction": "minimize"},
            "findings": [*base["findings"], finding],
        }
        | {"acknowledged": {"E9": script}, "next": {"command": link, "overrides": [], "why": script}}
        | {
            "reproduce": base["reproduce"]
            | {"command": script, "uncommitted_diff": quotes, "packages": {script: quotes}}
        }
        | {"roles": base["roles"] | {"nuisance": [name], "fixed": {quotes: {"value": script, "reason": script}}}}
    )


def planted_stuck() -> Record:
    """`example()`, had the three worst trials of nesterov stayed at a guesser's error, and had E8 said so."""
    record = example()
    own = sorted(
        (t for t in record.trials if t.study == "s-nesterov" and t.best_value is not None),
        key=lambda t: t.best_value or 0.0,
    )
    ids = [t.id for t in own[-3:]]
    stuck = {"best_value": 0.9, "final_value": 0.9}
    trials = tuple(t.model_copy(update=stuck) if t.id in ids else t for t in record.trials)
    told = Finding(
        check="infeasible", row="E8", level="warn", reason="never_learned", trials=tuple(ids),
        where=Where(study="s-nesterov"), evidence="3 finite runs never left chance or blew up.", numbers={"stuck": 3},
    )  # fmt: skip
    return record.model_copy(update={"trials": trials, "findings": (*record.findings, told)})
