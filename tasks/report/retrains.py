"""The retrains of each arm and the gate's looks, read from a record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.record import Record, TrialRow, Value
from tasks.report.trials import feasible

KEPT, JUDGED = "incumbent.kept.", "judged."  # how the verdict's numbers name them
_LOOK = re.compile(r"(.+)-(baseline|incumbent)\.(\d+)\.(\w+)")  # `finalist-incumbent.5.gain`


@dataclass(frozen=True, kw_only=True)
class RetrainArm:
    """An arm of the gate. `kept`: the retrains of earlier rounds that count again, by trial, in the metric's unit."""

    name: str
    point: Mapping[str, Value]
    trials: tuple[TrialRow, ...]
    kept: Mapping[str, float]


def retrain_arms(record: Record) -> tuple[RetrainArm, ...]:
    """The arms of the gate with their retrains: equal points are one arm, under the names that it goes by.

    Playbook: G2, G6
    """
    trials: dict[str, list[TrialRow]] = {}
    names: dict[str, list[str]] = {}
    for trial in record.trials:
        if trial.purpose != "retrain":
            continue
        point = repr(sorted(trial.point.items()))
        trials.setdefault(point, []).append(trial)
        name = trial.study.removeprefix("retrain-")
        if name not in names.setdefault(point, []):
            names[point].append(name)
    kept = kept_values(record)
    arms = [
        RetrainArm(
            name=" = ".join(names[p]),
            point=own[0].point,
            trials=tuple(own),
            kept=kept if "incumbent" in names[p] else {},
        )
        for p, own in trials.items()
    ]
    if kept and not any(a.kept for a in arms):  # known well enough: it was not retrained again
        arms.append(RetrainArm(name="incumbent", point=record.verdict.incumbent.point, trials=(), kept=kept))
    return tuple(arms)


def kept_values(record: Record) -> dict[str, float]:
    """The incumbent's retrains of earlier rounds that count again, by trial, in the metric's unit.

    Playbook: G6
    """
    noted = record.verdict.noise.items()
    return {k.removeprefix(KEPT): float(v) for k, v in noted if k.startswith(KEPT) and v is not None}


def counted_value(record: Record, trial: TrialRow) -> float | None:
    """What the gate counted the retrain for: its best evaluation unless noted otherwise; None without a result."""
    noted = record.verdict.noise.get(f"{JUDGED}{trial.id}")
    if not feasible(trial):
        return None
    return trial.best_value if noted is None else float(noted)


@dataclass(frozen=True, kw_only=True)
class LookRow:
    """What one comparison of the gate said after `retrains` retrains of `candidate`; `numbers` in the gate's words."""

    candidate: str
    against: str
    retrains: int
    numbers: Mapping[str, Value | None]


def look_rows(record: Record) -> tuple[LookRow, ...]:
    """Every look that the gate took, in its order.

    Playbook: G4
    """
    found: dict[tuple[str, str, int], dict[str, Value | None]] = {}
    for key, value in record.verdict.noise.items():
        match = _LOOK.fullmatch(key)
        if match:
            found.setdefault((match[1], match[2], int(match[3])), {})[match[4]] = value
    return tuple(LookRow(candidate=a, against=b, retrains=n, numbers=v) for (a, b, n), v in found.items())


def other_numbers(record: Record) -> dict[str, Value | None]:
    """The verdict's numbers that are of no look and of no single retrain."""
    noise = record.verdict.noise.items()
    return {k: v for k, v in noise if not k.startswith((KEPT, JUDGED)) and not _LOOK.fullmatch(k)}
