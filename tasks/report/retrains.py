"""The arms of the gate as a report shows them: each configuration once, its retrains, and its label."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.promote.comparison import INCUMBENT
from tasks.promote.reasons import arm_labels
from tasks.record import Record, Value
from tasks.verdict import ArmRow, ComparisonRow, LookRow


@dataclass(frozen=True, kw_only=True)
class RetrainArm:
    """A configuration before the gate, by trial what each retrain counted for; None where it gave no result.

    `kept`: the retrains of earlier rounds that count again.
    """

    name: str
    point: Mapping[str, Value]
    trials: Mapping[str, float | None]
    kept: Mapping[str, float]

    @property
    def values(self) -> dict[str, float]:
        """What the gate counted, in the metric's unit, the kept ones first."""
        return {**self.kept, **{id: value for id, value in self.trials.items() if value is not None}}


def gate_arms(record: Record) -> tuple[ArmRow, ...]:
    """The arms of the gate in their order; none where none was asked."""
    return record.gate.arms if record.gate else ()


def retrain_arms(record: Record) -> tuple[RetrainArm, ...]:
    """What was retrained: arms of one configuration are one, under the names that it goes by.

    Playbook: G2, G6
    """
    names: dict[str, list[str]] = {}
    for arm in gate_arms(record):
        names.setdefault(arm.retrained_as, []).append(arm.name)
    first = {names[arm.retrained_as][0]: arm for arm in reversed(gate_arms(record))}
    found = [first[own[0]] for own in names.values()]
    return tuple(
        RetrainArm(
            name=" = ".join(names[arm.retrained_as]),
            point=arm.point,
            trials={row.trial: row.value for row in arm.trials},
            kept={row.trial: row.value for row in arm.kept if row.value is not None},
        )
        for arm in found
        if arm.trials or arm.kept
    )


def kept_values(record: Record) -> dict[str, float]:
    """The incumbent's retrains of earlier rounds that count again, by trial, in the metric's unit.

    Playbook: G6
    """
    kept = (row for arm in gate_arms(record) if arm.name == INCUMBENT for row in arm.kept)
    return {row.trial: row.value for row in kept if row.value is not None}


def counted_values(record: Record) -> dict[str, float | None]:
    """What the gate counted each fresh retrain for, by trial; None where it gave no result."""
    return {row.trial: row.value for arm in gate_arms(record) for row in arm.trials}


def looks_of(record: Record) -> list[tuple[ComparisonRow, LookRow]]:
    """Every look that the gate took with its comparison, in order.

    Playbook: G4
    """
    comparisons = record.gate.comparisons if record.gate else ()
    return [(comparison, look) for comparison in comparisons for look in comparison.looks]


def arm_values(record: Record) -> dict[str, str]:
    """`{"finalist": "optimizer = adam", …}`; empty where no scientific value tells the arms apart.

    Playbook: G3
    """
    return arm_labels(record.roles.scientific, ((arm.name, arm.point) for arm in gate_arms(record)))


def gate_numbers(record: Record) -> dict[str, Value]:
    """How many retrains of each arm there were and gave no result, and what had to be gained."""
    if record.gate is None:
        return {}
    found: dict[str, Value] = {}
    for arm in sorted(record.gate.arms, key=lambda a: a.name):
        found[f"{arm.name}.retrains"] = len(arm.trials) + len(arm.kept)
        found[f"{arm.name}.infeasible"] = sum(row.value is None for row in arm.trials)
        found |= {f"{arm.name}.price": arm.price} if arm.price else {}
    kept = len(kept_values(record))
    found |= {f"{INCUMBENT}.kept": kept} if kept else {}
    return found | {"minimum_gain": record.gate.minimum_gain}
