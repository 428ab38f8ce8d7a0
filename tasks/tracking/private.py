"""A private MLflow store for each trial whose program logs to MLflow by itself."""

import math
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.tracking.loading import QUIET, creating, load_mlflow

if TYPE_CHECKING:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

Reports = dict[int, dict[str, float]]
STORE = "mlflow.db"
_JOURNAL = "-journal"  # what SQLite keeps beside a database whose writer was killed; without it the database is broken
_UNPOOLED = {"MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool"}  # a pool would keep the file open that was there before


class PrivateStores:
    """SQLite stores for the attempts at the trials of one round, in whose `folder` the template of all is kept.

    Creating a store takes MLflow seconds, copying one a millisecond. MLflow keeps what it once knew of an address for
    ever, so that all stores are opened at one address, in turn. May be used from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / ".mlflow"
        self._open = self._place / "open.db"
        self._lock = threading.Lock()

    def variables(self, trial: Path) -> dict[str, str]:
        """What the next attempt at a trial must find in its environment to log into a new store in its folder.

        There is no MLFLOW_RUN_ID among them: with it MLflow refuses every program that calls `set_experiment`. Whatever
        run a program starts in a store of its own is the trial's.
        """
        place = trial / "mlflow" / str(len(_attempts(trial)))
        with self._lock:
            template = self._template()
            place.mkdir(parents=True)
            with self._opened(template) as store:
                artifacts = (place / "artifacts").as_uri()
                experiment = store.create_experiment(trial.name, artifacts)  # type: ignore[no-untyped-call]
            os.replace(self._open, place / STORE)
        return QUIET | {
            "MLFLOW_TRACKING_URI": f"sqlite:///{place / STORE}",
            "MLFLOW_EXPERIMENT_ID": str(experiment),
        }

    def reports(self, trial: Path) -> Reports:
        """`{step: {metric: value}}` as the trial's programs logged it; of a value logged twice at a step, the last.

        Where an attempt went on with an earlier one, what that had logged from there on is replaced. Infinities, which
        MLflow keeps as 1.797e308, are infinite again. A store that cannot be read holds nothing.
        """
        found: Reports = {}
        for place in _attempts(trial):
            with self._lock, suppress(Exception), self._opened(place / STORE) as store:
                rows = _rows(store)
                found = {step: row for step, row in found.items() if step < min(rows, default=math.inf)} | rows
        return found

    def _template(self) -> Path:
        """An empty store, made once a round."""
        template = self._place / "template.db"
        if not template.exists():
            self._place.mkdir(parents=True, exist_ok=True)
            with creating, self._opened(None):
                os.replace(self._open, template)
        return template

    @contextmanager
    def _opened(self, source: Path | None) -> Iterator["SqlAlchemyStore"]:
        """A copy of the store at `source`, or a new one, open where all of them are."""
        for end in ("", _JOURNAL):
            Path(f"{self._open}{end}").unlink(missing_ok=True)
            if source is not None and Path(f"{source}{end}").is_file():
                shutil.copyfile(f"{source}{end}", f"{self._open}{end}")
        load_mlflow()
        for key, value in _UNPOOLED.items():
            os.environ.setdefault(key, value)
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        yield SqlAlchemyStore(f"sqlite:///{self._open}", str(self._place / "artifacts"))  # type: ignore[no-untyped-call]


def _attempts(trial: Path) -> list[Path]:
    """The folders of the stores of a trial, oldest first."""
    return sorted((trial / "mlflow").glob("[0-9]*"), key=lambda place: int(place.name))


def _rows(store: "SqlAlchemyStore") -> Reports:
    """All metrics of all runs of a store; of a value in several, that of the run which started last, parents' first."""
    from mlflow.entities import ViewType

    rows: Reports = {}
    experiments = [e.experiment_id for e in store.search_experiments(ViewType.ALL)]  # type: ignore[no-untyped-call]
    runs = store.search_runs(experiments, "", ViewType.ACTIVE_ONLY, 1000)  # type: ignore[no-untyped-call]
    for run in sorted(runs, key=lambda r: ("mlflow.parentRunId" not in r.data.tags, r.info.start_time)):
        for name in run.data.metrics:
            history = store.get_metric_history(run.info.run_id, name)  # type: ignore[no-untyped-call]
            for point in sorted(history, key=lambda p: p.timestamp):
                rows.setdefault(int(point.step), {})[name] = _restored(point.value)
    return dict(sorted(rows.items()))


def _restored(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else value
