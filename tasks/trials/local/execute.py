"""One attempt at a trial: started in a child process, watched, and classified by how it ended."""

import json
import secrets
from pathlib import Path
from typing import Any, Protocol

from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.checkpoints.checkpoints import MANIFEST
from tasks.trials.local.child import BUSY, CHECKPOINTS, FULL, LOG, MISSING, REASON, REPORTS, RESULT, SECONDS, WORK
from tasks.trials.local.clock import worked
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.leftovers import MARK, end_leftovers
from tasks.trials.local.server_link import ExitStatus, NotStarted, Progress, ServerClosed, ServerDied
from tasks.trials.outcome import (
    KILLED,
    NO_SPACE,
    NOT_RUN,
    STILL_RUNNING,
    Reports,
    diverged,
    returned,
    signal_name,
    timed_out,
)
from tasks.trials.reports import read_reports
from tasks.trials.running import storable
from tasks.trials.settings import Execution, RunnerSettings
from tasks.trials.trial import Curve, Trial, ended

OUT_OF_MEMORY = "out of memory: the kernel killed it"
ATTEMPTS = 3  # at a trial under which the fork server died: innocent trials die with it, a guilty one must stop


class WayBack(Protocol):
    """Where programs write their metrics by themselves, outside of a trial's reports."""

    def variables(self, trial: Path) -> dict[str, str]:
        """What the next attempt in a trial's folder must find in its environment."""

    def reports(self, trial: Path) -> Reports:
        """What all attempts have written."""


def run_trial(
    planned: Planned,
    execution: Execution,
    server: ForkServer,
    folder: Path,
    device: str,
    way_back: WayBack | None = None,
) -> Trial:
    """The trial, run in a child process of its own; however it ends, it ends alone and with a reason.

    Not a number, a wall timeout and out of memory are infeasible; an exception, a signal, no progress, no result are
    failed. The curve is kept up to the end in either case. It goes on from what an earlier attempt left in `folder`.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation; the round cannot go on.
        ServerClosed: the server was closed meanwhile: the trial has no result, and can be gone on with.

    Playbook: E8, J12
    """
    runner, objective = execution.runner, execution.workload.objective
    curve, seconds, unread, memory = Curve.from_reports({}), 0.0, (), None
    status: Status
    try:
        exit_status, result = _run(planned, execution, server, folder, device, way_back)
        seconds = max(exit_status.seconds, worked(folder / SECONDS))
        reports = way_back.reports(folder) if way_back else read_reports(folder / REPORTS)
        status, reason = classified(exit_status, result, reports, objective.metric, runner)
        if status == "complete" and seconds > runner.wall_timeout:
            status, reason = "infeasible", timed_out(runner.wall_timeout)
        curve, unread = Curve.from_reports(reports), tuple(result["unread"]) if result else ()
        memory = result["memory"] if result else None
    except (InputError, ServerClosed):
        raise
    except NotStarted as error:
        status, reason = "failed", f"{NOT_RUN}: {error}"
    except Exception as error:  # a program can leave anything in its folder; the round goes on without it
        said = f"what it left cannot be read: {type(error).__name__}: {error}"
        status, reason = "failed", storable(execution.secrets.redacted(said))[:REASON]
    if status == "failed" and server.closed:
        raise ServerClosed(f"trial {planned.id} was stopped: {reason}")
    return ended(
        planned,
        curve,
        objective,
        status,
        reason,
        seconds=seconds,
        log=_tail(folder / LOG, runner.log_bytes),
        folder=str(folder.resolve()),
        unread=unread,
        memory=memory,
    )


def classified(
    exit_status: ExitStatus, result: dict[str, Any] | None, reports: Reports, metric: str, runner: RunnerSettings
) -> tuple[Status, str]:
    """`(status, reason)` of a trial, from how its process ended and what it left.

    Raises:
        InputError: the objective was not among the metrics of the first evaluation.

    Playbook: E8
    """
    if result is not None and result["status"] == MISSING:
        raise InputError(result["reason"])
    if result is not None and result["status"] == "complete":
        if reports and not any(metric in row for row in reports.values()):
            seen = ", ".join(sorted({name for row in reports.values() for name in row}))
            raise InputError(
                f"workload.objective.metric: {metric!r} was never reported, but {seen}; name one of these."
            )
        return returned(reports, metric)
    if result is not None and result["status"] == "infeasible":
        return "infeasible", result["reason"]
    broken = diverged(reports, metric)
    if broken:
        return "infeasible", broken
    if result is not None:
        return "failed", result["reason"]
    if exit_status.timed_out:
        return "infeasible", timed_out(runner.wall_timeout)
    if exit_status.stuck:
        return "failed", f"no progress: neither report nor checkpoint nor word for {runner.progress_timeout:g} s"
    if exit_status.out_of_memory:
        return "infeasible", OUT_OF_MEMORY
    if exit_status.code == BUSY:
        return "failed", STILL_RUNNING
    if exit_status.code == FULL:
        return "failed", NO_SPACE
    if exit_status.signal is not None:
        return "failed", f"{KILLED}{signal_name(exit_status.signal)}"
    return "failed", f"ended without a result (exit {exit_status.code})"


def _run(
    planned: Planned, execution: Execution, server: ForkServer, folder: Path, device: str, way_back: WayBack | None
) -> tuple[ExitStatus, dict[str, Any] | None]:
    """How the process ended and what it said last; where the server died under it, of one more attempt."""
    if folder.is_symlink():
        folder.unlink()
    try:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as error:  # an earlier attempt put something else there
        raise NotStarted(str(error)) from error
    runner, died = execution.runner, ""
    variables = (way_back.variables(folder.resolve()) if way_back else {}) | {MARK: str(folder.resolve())}
    ours = (folder / REPORTS, folder / CHECKPOINTS / MANIFEST, folder / LOG)
    files = (*ours, folder / WORK / CHECKPOINTS, *folder.glob("mlflow/*/*.db"))  # a program's own signs of life
    progress = Progress(timeout=runner.progress_timeout, files=files) if runner.progress_timeout else None
    for _ in range(ATTEMPTS):
        end_leftovers(folder.resolve())
        request = _request(planned, execution, folder.resolve(), device) | {"variables": variables}
        try:
            exit_status = server.run(request, runner.wall_timeout, progress)
        except ServerClosed:
            raise
        except ServerDied as error:
            died = str(error)
        else:
            return exit_status, _result(folder, request["attempt"])
    raise NotStarted(f"{died}, {ATTEMPTS} times in a row")


def _request(planned: Planned, execution: Execution, folder: Path, device: str) -> dict[str, Any]:
    return {
        "trial": planned.id,
        "attempt": secrets.token_hex(8),
        "folder": str(folder),
        "target": execution.workload.target,
        "arguments": execution.arguments(planned),
        "own": execution.own,
        "point": planned.point,
        "seed": planned.seed,
        "max_train_steps": planned.max_train_steps,
        "eval_every_steps": planned.eval_every_steps,
        "objective": execution.workload.objective.model_dump(),
        "device": device,
        "threads": execution.runner.threads,
        "memory": execution.runner.memory,
        "wall_timeout": execution.runner.wall_timeout,
        "keep_best": execution.runner.keep_best,
        "log": str(folder / LOG),
        "log_bytes": execution.runner.log_bytes,
        "secrets": execution.secrets.forms,
    }


def _result(folder: Path, attempt: str) -> dict[str, Any] | None:
    """What this attempt's child wrote as its last act, or None where it never came to that."""
    path = folder / RESULT
    try:
        result = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:  # the trial wrote there too
        return None
    return result if isinstance(result, dict) and result.get("attempt") == attempt else None


def _tail(path: Path, size: int) -> str:
    """The end of the log, at most `size` bytes."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")
