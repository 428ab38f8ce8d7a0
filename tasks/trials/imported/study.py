"""`ImportedStudy`: trials that ran elsewhere, and what is not known of them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.record import Direction, Status, Value
from tasks.scope.error import InputError

Reports = Mapping[int, Mapping[str, float]]
UNKNOWN = "unknown"  # the sampler: by what rule the points were chosen is not known
MOST_NAMED = 8  # names that a sentence lists


@dataclass(frozen=True, kw_only=True)
class ImportedTrial:
    """One trial: its point, how it ended, and the metrics by step; a single evaluation where there is no curve.

    `started`: seconds since the epoch; None where the source does not say.
    """

    id: str
    point: Mapping[str, Value]
    status: Status
    reason: str = ""
    reports: Reports = field(default_factory=dict)
    seed: int = 0
    seconds: float = 0.0
    started: float | None = None


@dataclass(frozen=True, kw_only=True)
class ImportedStudy:
    """A finished study from elsewhere.

    `domains`: what the source says of its parameters, as a space's YAML would; nothing where it does not say. `said`:
    sentences of what was left out or cannot be known, which become caveats. `sampler`: its name, where the
    source has it.
    """

    name: str
    metric: str
    direction: Direction
    trials: tuple[ImportedTrial, ...]
    domains: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    sampler: str = UNKNOWN

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter that some trial has, in the order in which they appear."""
        return tuple(dict.fromkeys(name for trial in self.trials for name in trial.point))

    @property
    def max_train_steps(self) -> int:
        """The last step that any trial reported; 1 where there are no curves."""
        return max((step for trial in self.trials for step in trial.reports), default=1) or 1

    @property
    def at_once(self) -> float | None:
        """How many trials ran side by side, on average over the time in which any ran; None where times are lacking.

        A night between two sessions counts for nothing; a study of which some trials have no time is not known.

        Playbook: D14
        """
        spans = sorted(
            (t.started, t.started + t.seconds) for t in self.trials if t.started is not None and t.seconds > 0
        )
        if not spans or len(spans) < len(self.trials):
            return None
        busy, until = 0.0, -math.inf
        for begin, end in spans:
            busy += max(0.0, end - max(begin, until))
            until = max(until, end)
        return math.fsum(end - begin for begin, end in spans) / busy


def sound(study: ImportedStudy) -> ImportedStudy:
    """The study, if there is anything in it to judge.

    Raises:
        InputError: it has no trial, every trial failed, it has no parameter, or no trial with a finite objective.
    """
    if not study.trials:
        raise InputError(f"source: {study.name} has no finished trial; name a study that has run.")
    if all(trial.status == "failed" for trial in study.trials):
        raise all_failed(study.name, len(study.trials))
    if not study.parameters:
        raise InputError(f"source: the trials of {study.name} have no parameters; there is nothing that was tuned.")
    values = [row[study.metric] for trial in study.trials for row in trial.reports.values() if study.metric in row]
    if any(math.isfinite(value) for value in values):
        return study
    others = sorted({name for trial in study.trials for row in trial.reports.values() for name in row} - {study.metric})
    if others and not values:
        shown = ", ".join(others[:MOST_NAMED])
        raise InputError(f"objective.metric: no trial of {study.name} has {study.metric!r}; name one of {shown}.")
    ended = Counter[str](trial.status for trial in study.trials)
    told = ", ".join(f"{count} {'not finite' if status == 'complete' else status}" for status, count in ended.items())
    raise InputError(
        f"source: none of the {len(study.trials)} trials of {study.name} has a finite {study.metric!r} ({told}), so "
        "there is nothing to judge."
    )


def all_failed(name: str, trials: int) -> InputError:
    """What is said of a study in which every trial failed: no other metric of it would help."""
    every = f"all {trials} trials of {name}" if trials > 1 else f"the only trial of {name}"
    return InputError(f"source: {every} failed, so there is nothing to judge.")


def chosen(what: str, given: str | None, known: Sequence[str], where: str) -> str:
    """The one of `known` that was named, or the only one there is.

    Raises:
        InputError: it is not there, or none was named and there are several.
    """
    shown = ", ".join(known[:MOST_NAMED]) + (", …" if len(known) > MOST_NAMED else "")
    if given is None and len(known) == 1:
        return known[0]
    if given is None:
        raise InputError(f"{what}: {where} has {len(known)} ({shown or 'none'}); name one.")
    if given not in known:
        raise InputError(f"{what}: {where} has no {given!r}; it has {shown or 'none'}.")
    return given


def directed(given: str | None, known: str | None = None) -> Direction:
    """Which way is better, as it was said or as the source says.

    Raises:
        InputError: neither says it.
    """
    found = given or known
    if found == "minimize" or found == "maximize":
        return found  # type: ignore[return-value]  # mypy narrows no str by equality
    raise InputError(
        f"objective.direction: {'missing' if found is None else repr(found)}; say minimize or maximize, nothing tells."
    )


def plain_value(value: Any) -> Value | None:
    """A parameter's value as a plain number, text or boolean; None where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool | int | float | str):
        return value
    item = getattr(value, "item", None)  # numpy's
    return plain_value(item()) if item is not None else str(value)


def telling_value(reports: Mapping[int, Mapping[str, float]], metric: str) -> float | None:
    """The metric's first value that is not finite, as in a round; else its first value; None where it has none."""
    values = [row[metric] for row in reports.values() if metric in row]
    return next((v for v in values if not math.isfinite(v)), values[0] if values else None)


def status_and_reason(value: float | None, status: Status | None, reason: str) -> tuple[Status, str]:
    """`(status, reason)` of a trial, from what the source says: without a word, a finite objective is complete.

    A source that says that a trial failed and not of what leaves the reason empty: it may have diverged (see E10).
    """
    if status == "complete" and (value is None or not math.isfinite(value)):
        return "infeasible", reason or f"the objective is {value}"
    if status:
        return status, reason
    if value is None:
        return "infeasible", reason or "it has no objective"
    return ("complete", "") if math.isfinite(value) else ("infeasible", reason or f"the objective is {value}")
