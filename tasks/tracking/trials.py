"""A trial as an MLflow run: a child of its round's run, with its whole curve."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.record import TrialRow
from tasks.tracking.names import fitting_names, fitting_points, fitting_text, gave_way
from tasks.tracking.store import Handle

# What MLflow's server takes in one call: 1,000 things, and a megabyte of JSON, in which a character may become twelve.
# SQLite is given the same.
METRICS, PARAMS, TAGS = 900, 8, 5
_STATUS = {"complete": "FINISHED", "infeasible": "KILLED", "failed": "FAILED", "stopped": "KILLED"}


def project_trial(
    handle: Handle,
    row: TrialRow,
    steps: Iterable[int],
    metrics: Mapping[str, Iterable[float]],
    started: float | None = None,
) -> str:
    """The id of the MLflow run that shows the trial; a trial that is there already is left alone.

    `steps`: (evals,) and `metrics`: by name, (evals,), NaN where not reported. `started`: seconds since the epoch;
    without it the trial is taken to have ended now. A run that a kill left half written is completed: its times
    derive from the run's own start, so that a point written twice is one point.

    Playbook: J13
    """
    if row.id in handle.done:
        return handle.runs[row.id]
    points, infinite = fitting_points(steps, metrics)
    tags = _tags(handle, row, infinite)
    client = handle.client
    if row.id not in handle.runs:
        begin = int(1000 * (time.time() - row.seconds if started is None else started))
        run = client.create_run(handle.experiment, start_time=begin, tags=tags, run_name=row.id[:8])
        handle.runs[row.id] = run.info.run_id
    else:
        begin = int(client.get_run(handle.runs[row.id]).info.start_time)
    run_id, took = handle.runs[row.id], int(1000 * row.seconds)
    for batch in _batches(points, {**row.point, **row.settings, "seed": row.seed}, begin, took):
        client.log_batch(run_id, **batch)
    client.set_terminated(run_id, _STATUS[row.status], begin + took)
    handle.done.add(row.id)
    return run_id


def _tags(handle: Handle, row: TrialRow, infinite: str) -> dict[str, str]:
    said = {
        "mlflow.parentRunId": handle.parent,
        "tunebook.kind": "trial",
        "tunebook.round": handle.round_id,
        "tunebook.trial": row.id,
        "tunebook.study": row.study,
        "tunebook.purpose": row.purpose,
        "tunebook.status": row.status,
        "tunebook.reason": row.reason,
        "tunebook.kept": row.kept or "",
        "tunebook.infinite": infinite,
        "tunebook.best_value": "" if row.best_value is None else repr(row.best_value),
        "tunebook.best_step": "" if row.best_step is None else str(row.best_step),
    }
    return {key: fitting_text(value) for key, value in said.items() if value}


def _batches(
    points: list[tuple[str, float, int]], params: Mapping[str, object], begin: int, took: int
) -> Iterator[dict[str, Any]]:
    """The arguments of as few `log_batch` calls as the limits allow; times are spread over the trial's seconds."""
    from mlflow.entities import Metric, Param, RunTag

    names = fitting_names([*(name for name, _, _ in points), *params])
    texts = {name: str(value) for name, value in params.items()}
    last = max((step for _, _, step in points), default=0) or 1
    listed = [Metric(names[n], v, begin + took * s // last, s) for n, v, s in points]
    stated = [Param(names[n], fitting_text(text)) for n, text in texts.items()]
    tags = [RunTag(key, text) for key, text in gave_way(names, texts).items()]
    while listed or stated or tags:
        yield {"metrics": listed[:METRICS], "params": stated[:PARAMS], "tags": tags[:TAGS]}
        listed, stated, tags = listed[METRICS:], stated[PARAMS:], tags[TAGS:]
