"""A round as it is begun, the text of a record, and the one sentence of a refusal."""

import json
from typing import Any

import pytest

from tasks.ledger import Ledger, LedgerError


def begin(ledger: Ledger, round_id: str = "r1", goal: str = "dropout", **more: Any) -> None:
    said: dict[str, Any] = {"workload": "digits", "config": {"seed": 0}, "config_hash": "h", "created": "2026-01-01"}
    ledger.begin(round_id=round_id, goal=goal, **(said | more))


def record_text(outcome: str, generation: int = 0, gain: float | None = None) -> str:
    return json.dumps({"verdict": {"outcome": outcome, "gain": gain, "incumbent": {"generation": generation}}})


def sentence(raised: pytest.ExceptionInfo[LedgerError]) -> str:
    text = str(raised.value)
    assert "\n" not in text
    return text
