"""Reading the runs of another MLflow experiment, for an audit."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tasks.tracking.loading import load_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 1000


def experiments_in(uri: str) -> dict[str, str]:
    """The ids of the experiments at an MLflow address, by name.

    Raises:
        Exception: whatever MLflow raises.
    """
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        page = _client(uri).search_experiments(max_results=_PAGE, page_token=token)
        found |= {e.name: e.experiment_id for e in page}
        token = page.token
        if not token:
            return found


def runs_in(uri: str, experiment: str) -> Iterator[dict[str, Any]]:
    """Each run that is not deleted, the first one first: `id`, `name`, `status`, `seconds`, `started`,
    `parameters`, `metrics`.

    `metrics` are the last values, by name; `history` gives one's whole curve.
    """
    client, token = _client(uri), None
    while True:
        page = client.search_runs([experiment], max_results=_PAGE, page_token=token, order_by=["start_time ASC"])
        yield from map(_row, page)
        token = page.token
        if not token:
            return


def history(uri: str, run: str, metric: str) -> dict[int, float]:
    """`{step: value}` of one metric of a run; of two at a step, the later."""
    values = _client(uri).get_metric_history(run, metric)
    return {int(v.step): float(v.value) for v in sorted(values, key=lambda v: (v.step, v.timestamp))}


def _row(run: "Run") -> dict[str, Any]:
    begun, ended = run.info.start_time, run.info.end_time
    return {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "seconds": (ended - begun) / 1000 if begun and ended else 0.0,
        "started": begun / 1000 if begun else None,
        "parameters": dict(run.data.params),
        "metrics": {name: float(value) for name, value in run.data.metrics.items()},
    }


def _client(uri: str) -> "MlflowClient":
    load_mlflow()
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)
