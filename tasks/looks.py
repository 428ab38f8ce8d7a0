"""The gate as a record has it: the arms and what their retrains counted for, the comparisons and their looks."""

from typing import Literal

from tasks.values import Row, Value

State = Literal["open", "better", "not better", "undecided", "void"]


class CountedRow(Row):
    """What a retrain counted for before the gate, in the metric's unit; None where it gave no result."""

    trial: str
    value: float | None


class ArmRow(Row):
    """A configuration before the gate; `value`: its scientific value.

    `retrained_as`: the arm whose retrains count for it, its own name unless it is that configuration. `trials`: those
    retrains, `kept`: those of earlier rounds that count again. `price`: of its complexity, None where it is not known.
    """

    name: str
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    value: Value | None = None
    retrained_as: str
    trials: tuple[CountedRow, ...] = ()
    kept: tuple[CountedRow, ...] = ()
    price: float | None = None


class LookRow(Row):
    """The evidence after `n` retrains of the candidate and `against` of the other arm: see `Look` of the gate."""

    n: int
    against: int
    gain: float
    band: tuple[float, float]
    z: float
    upper: float
    lower: float
    sd_candidate: float
    sd_against: float
    correlation: float | None = None


class ComparisonRow(Row):
    """One arm against another, and every look: better by more than `margin`, not better, or not settled."""

    candidate: str
    against: str
    margin: float | None = None
    looks: tuple[LookRow, ...] = ()
    state: State


class GateRow(Row):
    """The gate: what was put before it, what every retrain counted for, and what it saw at each look."""

    arms: tuple[ArmRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    minimum_gain: float
