"""Values that cannot be changed, their one canonical text, and its hash."""

import hashlib
import json
import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

Number = bool | int | float
Value = Number | str
Point = Mapping[str, Value]


class Frozen(BaseModel):
    """A value that cannot be changed, misspelt or half built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RecordRow(BaseModel):
    """A value that stands in `record.json`: what a later version added to it is left out when it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


def canonical(value: object) -> str:
    """One text per value: sorted keys, no spaces, floats by `repr` (they round-trip), and no NaN at all."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def hash_of(value: object, length: int = 64) -> str:
    """The first `length` hex digits of the sha256 of the value's canonical text."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def finite(value: float | None) -> float | None:
    """The value as a plain float, or None where it is missing or not a number: JSON has no other word for it."""
    return float(value) if value is not None and math.isfinite(value) else None
