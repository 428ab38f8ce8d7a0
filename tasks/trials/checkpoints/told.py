"""What a saved state tells of its trial: predictions on a few fixed examples, and the optimizer's update rule.

A checkpoint is dropped for a better one, and what it said with it. So both are taken from the state that
`trial.save(step, state)` is given, whoever wrote the training loop, and noted beside the checkpoints:

    trial.save(step, {"model": …, "predictions": {"target": labels, "predicted": classes, "confidence": shares},
                      "update_rule": {"implementation": "torch.optim.adam.Adam", "version": "torch 2.13.0"}})

Anything else under these names is left alone: nothing that a state holds can end its trial here.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.files import write_atomically
from tasks.record import Value

PREDICTIONS, UPDATE_RULE = "predictions.jsonl", "update_rule.json"
EXAMPLES = 32  # of which predictions are kept: as many as a reader looks at
MOST_BYTES = 2**22  # of a trial's predictions: some 8,000 evaluations
MOST_TEXT = 200  # characters of a text that is taken over


def note_told(folder: Path, step: int, state: Any) -> None:
    """Takes over what the state tells, if anything; a later attempt's word on a step counts, and the earlier stays.

    Playbook: J7, J20
    """
    if not isinstance(state, Mapping):
        return
    shown = _predictions(state.get("predictions"))
    if shown:
        path = folder / PREDICTIONS
        line = json.dumps({"step": step, **shown}).encode() + b"\n"
        if not path.exists() or path.stat().st_size + len(line) <= MOST_BYTES:
            with path.open("ab") as file:
                file.write(line)
    rule = _plain(state.get("update_rule"))
    if rule and rule.get("implementation") and not (folder / UPDATE_RULE).exists():
        write_atomically(folder / UPDATE_RULE, json.dumps(rule))


def predictions_in(folder: Path, steps: Collection[int]) -> dict[int, dict[str, list[Value]]]:
    """`{step: {target, predicted, confidence}}` of the trial's evaluations at `steps`; empty where none was saved.

    Lists of one length; no confidence where none was saved.
    """
    found = {row["step"]: row for row in _rows(folder / PREDICTIONS) if row["step"] in steps}
    kept = {step: {k: v for k, v in row.items() if k != "step"} for step, row in sorted(found.items())}
    last = next(reversed(kept.values()), {})
    return {step: row for step, row in kept.items() if row.get("target") == last.get("target")}


def update_rule_in(folder: Path) -> dict[str, Any]:
    """What the trial noted of its optimizer; empty where it said nothing."""
    try:
        rule = _plain(json.loads((folder / UPDATE_RULE).read_text()))
    except (OSError, ValueError):
        return {}
    return rule


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line; one that was cut off, or that something else wrote, is left out."""
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        try:
            row = json.loads(line)
            shown = _predictions(row)
            if shown and isinstance(row["step"], int):
                yield {"step": row["step"], **shown}
        except (ValueError, KeyError, TypeError):
            continue


def _predictions(told: Any) -> dict[str, list[Value]]:
    """Targets and predictions of the first examples as plain values, empty where they are none."""
    if not isinstance(told, Mapping):
        return {}
    found = {name: _values(told.get(name)) for name in ("target", "predicted", "confidence")}
    count = len(found["target"])
    if not count or len(found["predicted"]) != count:
        return {}
    sure = [v for v in found["confidence"] if isinstance(v, int | float) and math.isfinite(v)]
    kept = {name: found[name] for name in ("target", "predicted")}
    return kept | {"confidence": [round(float(v), 4) for v in sure]} if len(sure) == count else kept


def _values(told: Any) -> list[Value]:
    """A sequence or a tensor of one dimension as plain values: numbers, texts, booleans; empty for anything else."""
    shape = getattr(told, "shape", None)
    if shape is not None and (len(shape) != 1 or not hasattr(told, "tolist")):
        return []
    listed = told[:EXAMPLES].tolist() if shape is not None else told
    if not isinstance(listed, Sequence) or isinstance(listed, str | bytes):
        return []
    values = [v[:MOST_TEXT] if isinstance(v, str) else v for v in listed[:EXAMPLES]]
    good = all(isinstance(v, bool | int | str) or (isinstance(v, float) and math.isfinite(v)) for v in values)
    return values if good else []


def _plain(told: Any) -> dict[str, Any]:
    """Texts and numbers by name, and such mappings one level down; the rest is left out."""
    if not isinstance(told, Mapping):
        return {}
    inner = {str(k): _texts(v) for k, v in told.items() if isinstance(v, Mapping)}
    return {**_texts(told), **inner}


def _texts(told: Mapping[Any, Any]) -> dict[str, Value]:
    return {str(k): _short(v) for k, v in told.items() if isinstance(v, bool | int | float | str)}


def _short(value: Value) -> Value:
    return value[:MOST_TEXT] if isinstance(value, str) else value if math.isfinite(value) else str(value)
