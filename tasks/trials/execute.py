"""One trial in a child process: run, watched, and classified by how it ended."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.child import LOG, MISSING, REPORTS, RESULT, WORK
from tasks.trials.forkserver import ExitStatus, ForkServer, NotStarted, ServerClosed, ServerDied
from tasks.trials.outcome import Reports, diverged, returned
from tasks.trials.runner import Execution
from tasks.trials.trial import Curve, Trial, ended

ATTEMPTS = 3  # at a trial under which the fork server died: innocent trials die with it, a guilty one must stop


def run_trial(planned: Planned, execution: Execution, server: ForkServer, folder: Path, device: str) -> Trial:
    """The trial, run in a child process of its own; however it ends, it ends alone and with a reason.

    Not a number, a wall timeout and out of memory are infeasible; an exception, a signal, no result are failed. The
    curve is kept up to the end in either case. What an earlier attempt left in the folder is removed.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation; the round cannot go on.
        ServerClosed: the server was closed meanwhile: the trial has no result.

    Playbook: E8
    """
    runner, objective = execution.runner, execution.workload.objective
    reports: Reports = {}
    seconds, unread = 0.0, ()
    status: Status
    try:
        exit_status = _run(planned, execution, server, folder, device)
    except NotStarted as error:
        status, reason = "failed", f"its process could not be run: {error}"
    else:
        reports, result = read_reports(folder / REPORTS), _result(folder)
        status, reason = classified(exit_status, result, reports, objective.metric, runner.wall_timeout)
        seconds, unread = exit_status.seconds, tuple(result["unread"]) if result else ()
    return ended(
        planned,
        Curve.from_reports(reports),
        objective,
        status,
        reason,
        seconds=seconds,
        log=_tail(folder / LOG, runner.log_bytes),
        folder=str(folder.resolve()),
        unread=unread,
    )


def classified(
    exit_status: ExitStatus, result: dict[str, Any] | None, reports: Reports, metric: str, wall_timeout: float
) -> tuple[Status, str]:
    """`(status, reason)` of a trial, from how its process ended and what it left.

    Raises:
        InputError: the objective was not among the metrics of the first evaluation.

    Playbook: E8
    """
    if result is not None and result["status"] == MISSING:
        raise InputError(result["reason"])
    if result is not None and result["status"] == "complete":
        return returned(reports, metric)
    if result is not None and result["status"] == "infeasible":
        return "infeasible", result["reason"]
    broken = diverged(reports, metric)
    if broken:
        return "infeasible", broken
    if result is not None:
        return "failed", result["reason"]
    if exit_status.timed_out:
        return "infeasible", f"wall timeout: not done after {wall_timeout:g} s"
    if exit_status.signal is not None:
        return "failed", f"killed by {_name(exit_status.signal)}"
    return "failed", f"ended without a result (exit {exit_status.code})"


def read_reports(path: Path) -> dict[int, dict[str, float]]:
    """`{step: {metric: value}}` as a child wrote it; a last line that was cut off is left out."""
    reports: dict[int, dict[str, float]] = {}
    for line in path.read_bytes().split(b"\n")[:-1] if path.is_file() else ():
        try:
            row = json.loads(line)
            reports[row["step"]] = row["metrics"]
        except (ValueError, KeyError, TypeError):
            break
    return reports


def _run(planned: Planned, execution: Execution, server: ForkServer, folder: Path, device: str) -> ExitStatus:
    """How the process ended; where the server died under it, of one more attempt in an empty folder."""
    died = ""
    for _ in range(ATTEMPTS):
        _empty(folder)
        try:
            return server.run(_request(planned, execution, folder.resolve(), device), execution.runner.wall_timeout)
        except ServerClosed:
            raise
        except ServerDied as error:
            died = str(error)
    raise NotStarted(f"{died}, {ATTEMPTS} times in a row")


def _empty(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    if folder.exists():
        shutil.rmtree(folder)
    (folder / WORK).mkdir(parents=True)


def _request(planned: Planned, execution: Execution, folder: Path, device: str) -> dict[str, Any]:
    return {
        "trial": planned.id,
        "folder": str(folder),
        "target": execution.workload.target,
        "arguments": execution.workload.arguments,
        "own": execution.own,
        "point": planned.point,
        "seed": planned.seed,
        "max_train_steps": execution.budget.max_train_steps,
        "eval_every_steps": execution.budget.eval_every_steps,
        "objective": execution.workload.objective.model_dump(),
        "device": device,
        "threads": execution.runner.threads,
        "keep_best": execution.runner.keep_best,
        "log": str(folder / LOG),
        "log_bytes": execution.runner.log_bytes,
    }


def _result(folder: Path) -> dict[str, Any] | None:
    """What the child wrote as its last act, or None where it never came to that."""
    path = folder / RESULT
    return json.loads(path.read_text()) if path.is_file() else None


def _tail(path: Path, size: int) -> str:
    """The end of the log, at most `size` bytes."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")


def _name(number: int) -> str:
    """A signal's name; real-time signals have none."""
    return signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
