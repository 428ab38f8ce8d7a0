"""What a round came to, read from a record of any version: what must not change when the record's form does."""

import json
from typing import Any

TRIAL = ("id", "study", "purpose", "point", "seed", "status", "reason", "best_step", "best_value", "final_value")
FINDING = ("check", "row", "level", "where", "remedy")
ANSWER = ("value", "against", "gain", "band", "conclusive")
ISOLATION = ("parameter", "value", "bucket", "best_trial", "best_value", "band")


def results_text(record: dict[str, Any]) -> str:
    """Points, values, outcome, gain, findings with their numbers and remedies, answer and next round, a line each."""
    verdict = record["verdict"]
    rows = [
        *(_picked(trial, TRIAL) | {"steps": trial["steps_done"]} for trial in record["trials"]),
        *({"study": s["id"], "space": s["space"], "sampler": s["sampler"], **_trials(s)} for s in record["studies"]),
        *(_picked(f, FINDING) | {"numbers": _numbers(f["numbers"])} for f in record["findings"]),
        *(_picked(row, ISOLATION) for row in record["isolation"]),
        _picked(record["answer"], ANSWER),
        {"outcome": verdict["outcome"], "gain": verdict["gain"], "error_rate": verdict["error_rate"]},
        {"candidate": _point(verdict["candidate"]), "incumbent": _point(verdict["incumbent"])},
        {"roles": record["roles"], "budget": record["budget"], "policy": dict(sorted(record["policy"].items()))},
        {"next": record["next"]["overrides"], "acknowledged": record["acknowledged"]},
    ]
    return "\n".join(json.dumps(row, sort_keys=True) for row in rows)


def _picked(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row.get(name) for name in names}


def _trials(study: dict[str, Any]) -> dict[str, Any]:
    return {name: study[name] for name in ("trials", "scientific", "seed")}


def _numbers(numbers: dict[str, Any]) -> dict[str, Any]:
    """What is a number: schema 1 had names of trials among them, as text."""
    return {name: value for name, value in numbers.items() if not isinstance(value, str)}


def _point(row: dict[str, Any] | None) -> Any:
    return row and {name: row.get(name) for name in ("trial", "generation", "point")}
