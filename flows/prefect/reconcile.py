"""Flow runs whose process died: Prefect is told that they crashed, or that their round was concluded.

The process of a flow run holds a lock on a file of that run's, which the kernel frees when the process dies, however
it dies. The file says which round it concluded. Flow runs without such a file here are another machine's: left alone.
"""

import time
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Completed, Crashed

from flows.prefect.server import home
from tasks.ledger.locks import Lock, held, take

UNKNOWN_SECONDS = 7 * 86400.0  # for which the file of a flow run that this server does not know is kept
_AT_ONCE = 100  # flow runs a request; Prefect answers with 200 at most
_GOING_ON = (StateType.RUNNING, StateType.CANCELLING)
_locks: list[Lock] = []  # of this process's flow runs: a lock ends with the last reference to it


def mark(flow_run_id: UUID) -> Path:
    """The file of a flow run that this process runs, locked from now until the process ends.

    It is locked before it gets its name: nobody sees it unlocked while the process lives.
    """
    path = _folder() / str(flow_run_id)
    if not held(path):
        new = path.with_suffix(".new")
        _locks.append(take(new, f"flow run {flow_run_id}"))
        new.write_text("")
        new.rename(path)
    return path


def reconcile() -> int:
    """Tell Prefect of every flow run of this machine whose process is gone; how many it had not known of.

    One whose round was concluded is completed, since the ledger is the truth; any other has crashed.
    """
    dead = [path for path in sorted(_folder().iterdir()) if not path.suffix and not held(path)]
    told = 0
    with get_client(sync_client=True) as client:
        for first in range(0, len(dead), _AT_ONCE):
            files = {UUID(path.name): path for path in dead[first : first + _AT_ONCE]}
            chosen = FlowRunFilter(id=FlowRunFilterId(any_=list(files)))
            for run in client.read_flow_runs(flow_run_filter=chosen):
                told += _told(client, run, files[run.id].read_text())
                files.pop(run.id).unlink(missing_ok=True)
            for path in files.values():
                if path.stat().st_mtime < time.time() - UNKNOWN_SECONDS:
                    path.unlink(missing_ok=True)
    return told


def _told(client: SyncPrefectClient, run: FlowRun, round_id: str) -> bool:
    """Whether Prefect had another idea of the run, and has the right one now; one that waits to be run again may."""
    if run.state is None or run.state.is_scheduled():
        return False
    starting = run.state.is_pending() and run.deployment_id is None  # of a deployment: its next process is on its way
    if run.state.is_completed() if round_id else not (run.state.type in _GOING_ON or starting):
        return False
    gone = "its process is gone; the same command goes on with its round"
    state: State[None] = Completed(message=f"round {round_id} was concluded") if round_id else Crashed(message=gone)
    client.set_flow_run_state(run.id, state, force=True)
    cut = TaskRunFilter(
        flow_run_id=TaskRunFilterFlowRunId(any_=[run.id]),
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
    )
    for task_run in client.read_task_runs(task_run_filter=cut):
        client.set_task_run_state(task_run.id, Crashed(message=gone), force=True)
    return True


def _folder() -> Path:
    folder = home() / "running"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
