"""The trials of a finished round, ranked by another objective."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.analyze.reviews.adaptive_search import adapts
from tasks.record import Direction, Record
from tasks.scope.error import InputError
from tasks.trials.trial import Curve

BEST, FINAL = "best", "final"  # of the round's own metric; any other word is a metric, at its best over training
LOWER = re.compile(r"(?:^|[/_.])(?:loss|error|err|perplexity|nll|mse|mae|rmse|wer)(?:$|[/_.])")
HIGHER = re.compile(r"(?:^|[/_.])(?:acc|accuracy|auc|f1|bleu|precision|recall|map|iou|score)(?:$|[/_.])")
SEALED = "test_"


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A trial by the new objective: its value and step, its rank from 1, and its rank by the round's own objective."""

    trial: str
    study: str
    value: float
    step: int
    rank: int
    before: int


def reranked(
    record: Record, curves: Mapping[str, Curve], objective: str, direction: str | None = None
) -> tuple[Ranked, ...]:
    """The complete search trials, best first by `objective`: `best` or `final` of the round's metric, or a metric.

    A quasi-random search chose its points for no objective, so it serves any other as well. One that adapts does
    not: another objective would have led it elsewhere.

    Raises:
        InputError: an adaptive search, a sealed metric, one that no trial reported, or an unknown direction.

    Playbook: D15
    """
    _refuse_adaptive(record)
    metric = record.objective.metric if objective in (BEST, FINAL) else objective
    rows = [t for t in record.trials if t.purpose == "search" and t.status == "complete" and t.id in curves]
    known = sorted({m for row in rows for m in curves[row.id].metrics if not m.startswith(SEALED)})
    none = f"objective: no trial of round {record.round_id} has {metric!r}; they have {', '.join(known)}."
    if metric not in known and not metric.startswith(SEALED):
        raise InputError(none)
    sign = 1.0 if _direction(record, metric, direction) == "minimize" else -1.0
    found = []
    for row in rows:
        steps, values = curves[row.id].of(metric)
        if len(values):
            at = len(values) - 1 if objective == FINAL else int(np.argmin(sign * values))
            found.append((sign * float(values[at]), int(steps[at]), row))
    if not found:
        raise InputError(none)
    own = 1.0 if record.objective.direction == "minimize" else -1.0
    by_own = sorted((r for _, _, r in found), key=lambda r: (own * (r.best_value or 0.0), r.id))
    before = {r.id: i for i, r in enumerate(by_own, 1)}
    found.sort(key=lambda f: (f[0], f[2].id))
    return tuple(
        Ranked(trial=row.id, study=row.study, value=sign * loss, step=step, rank=i, before=before[row.id])
        for i, (loss, step, row) in enumerate(found, 1)
    )


def agreement(ranked: tuple[Ranked, ...]) -> float | None:
    """How far the two rankings agree: Spearman's correlation, None with fewer than three trials."""
    if len(ranked) < 3:
        return None
    return float(np.corrcoef([r.rank for r in ranked], [r.before for r in ranked])[0, 1])


def _refuse_adaptive(record: Record) -> None:
    if not any(t.purpose == "search" for t in record.trials):
        raise InputError(f"round {record.round_id} ran no search; what a probe measures is ranked by nothing else.")
    for study in record.studies:
        if adapts(study.sampler):
            raise InputError(
                f"round {record.round_id} was searched by {study.sampler}, which chose its points for "
                f"{record.objective.metric}; by another objective they would be others, so they are not ranked by it."
            )


def _direction(record: Record, metric: str, given: str | None) -> Direction:
    """Which way is better: as said, as the round has it, or as the metric's name tells."""
    if metric.startswith(SEALED):
        raise InputError(f"objective: {metric} is of the test set, which stays sealed until a promotion.")
    known: dict[str, Direction] = {"minimize": "minimize", "maximize": "maximize"}
    if given is not None and given not in known:
        raise InputError(f"direction: {given!r} will not do; say minimize or maximize.")
    if given is not None:
        return known[given]
    if metric == record.objective.metric:
        return record.objective.direction
    lower, higher = LOWER.search(metric.lower()), HIGHER.search(metric.lower())
    if bool(lower) == bool(higher):
        raise InputError(
            f"direction: nothing tells whether a lower {metric!r} is better; say direction=minimize or maximize."
        )
    return "minimize" if lower else "maximize"
