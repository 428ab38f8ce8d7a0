"""Flow runs whose process died: Prefect is told that they crashed, or that their round was concluded.

The process of a flow run holds a lock on a file of that run's, which the kernel frees when the process dies, however
it dies. The file says which round it concluded. Flow runs without such a file here are another machine's: left alone.
"""

import os
import time
from pathlib import Path
from typing import Any

from flows.prefect.api import Api
from flows.prefect.server import home
from tasks.ledger.locks import Lock, held, take

UNKNOWN_SECONDS = 7 * 86400.0  # for which the file of a flow run that this server does not know is kept
_AT_ONCE = 100  # flow runs a request; Prefect answers with 200 at most
_GOING_ON = ("RUNNING", "CANCELLING")
_locks: list[Lock] = []  # of this process's flow runs: a lock ends with the last reference to it


def mark(flow_run_id: str) -> Path:
    """The file of a flow run that this process runs, locked from now until the process ends.

    It is locked before it gets its name: nobody sees it unlocked while the process lives.
    """
    path = _folder() / flow_run_id
    if not held(path):
        new = path.with_suffix(".new")
        _locks.append(take(new, f"flow run {flow_run_id}"))
        new.write_text("")
        new.rename(path)
    return path


def reconcile(api: Api | None = None) -> int:
    """Tell Prefect of every flow run of this machine whose process is gone; how many it had not known of.

    One whose round was concluded is completed, since the ledger is the truth; any other has crashed.

    Raises:
        PrefectFails: its server does not go along.
    """
    api = api or Api(os.environ["PREFECT_API_URL"])
    dead = [path for path in sorted(_folder().iterdir()) if not path.suffix and not held(path)]
    told = 0
    for first in range(0, len(dead), _AT_ONCE):
        files = {path.name: path for path in dead[first : first + _AT_ONCE]}
        for run in api.post("flow_runs/filter", {"flow_runs": {"id": {"any_": list(files)}}}):
            told += _told(api, run, files[run["id"]].read_text())
            files.pop(run["id"]).unlink(missing_ok=True)
        for path in files.values():
            if path.stat().st_mtime < time.time() - UNKNOWN_SECONDS:
                path.unlink(missing_ok=True)
    return told


def _told(api: Api, run: dict[str, Any], round_id: str) -> bool:
    """Whether Prefect had another idea of the run, and has the right one now; one that waits to be run again may."""
    kind = (run.get("state") or {}).get("type")
    if kind in (None, "SCHEDULED"):
        return False
    starting = kind == "PENDING" and run.get("deployment_id") is None  # of a deployment: its process is on its way
    if kind == "COMPLETED" if round_id else not (kind in _GOING_ON or starting):
        return False
    gone = {"type": "CRASHED", "message": "its process is gone; the same command goes on with its round"}
    concluded = {"type": "COMPLETED", "message": f"round {round_id} was concluded"}
    api.set_state("flow_runs", run["id"], concluded if round_id else gone)
    cut = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
    for task_run in api.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}, "task_runs": cut}):
        api.set_state("task_runs", task_run["id"], gone)
    return True


def _folder() -> Path:
    folder = home() / "running"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
