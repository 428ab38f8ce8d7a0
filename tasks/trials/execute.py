"""One trial in a child process: run, watched, and classified by how it ended."""

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.child import LOG, REPORTS, RESULT
from tasks.trials.forkserver import ExitStatus, ForkServer
from tasks.trials.runner import Execution
from tasks.trials.trial import Curve, Trial, ended


def run_trial(planned: Planned, execution: Execution, server: ForkServer, folder: Path, device: str) -> Trial:
    """The trial, run in a child process of its own; however it ends, it ends alone and with a reason.

    Not a number, a wall timeout and out of memory are infeasible; an exception, a signal, no result are failed. The
    curve is kept up to the end in either case.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation; the round cannot go on.

    Playbook: E8
    """
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.monotonic()
    exit_status = server.run(_request(planned, execution, folder, device), execution.runner.wall_timeout)
    seconds = time.monotonic() - started
    metric = execution.workload.objective.metric
    curve = read_reports(folder / REPORTS)
    result = _result(folder)
    status, reason = classified(exit_status, result, metric in curve.metrics, metric, execution.runner.wall_timeout)
    return ended(
        planned,
        curve,
        execution.workload.objective,
        status,
        reason,
        seconds=seconds,
        log=_tail(folder / LOG, execution.runner.log_bytes),
        folder=str(folder),
        unread=tuple(result["unread"]) if result else (),
    )


def classified(
    exit_status: ExitStatus, result: dict[str, Any] | None, reported: bool, metric: str, wall_timeout: float
) -> tuple[Status, str]:
    """`(status, reason)` of a trial, from how its process ended and what it left.

    Raises:
        InputError: the objective was not among the metrics of the first evaluation.
    """
    if result is not None:
        if result["status"] == "missing metric":
            raise InputError(result["reason"])
        if result["status"] == "complete" and not reported:
            return "failed", f"no result: it ended without ever reporting {metric}"
        return result["status"], result["reason"]
    if exit_status.timed_out:
        return "infeasible", f"wall timeout: not done after {wall_timeout:g} s"
    if exit_status.signal is not None:
        return "failed", f"killed by {signal.Signals(exit_status.signal).name}"
    return "failed", f"no result: the process ended by itself with exit code {exit_status.code}"


def read_reports(path: Path) -> Curve:
    """The curve that a child wrote; a last line that was cut off is left out."""
    rows: dict[int, dict[str, float]] = {}
    for line in path.read_text().split("\n")[:-1] if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            break
        rows[row["step"]] = row["metrics"]
    return Curve.from_reports(rows)


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
    }


def _result(folder: Path) -> dict[str, Any] | None:
    """What the child wrote as its last act, or None where it never came to that."""
    path = folder / RESULT
    return json.loads(path.read_text()) if path.exists() else None


def _tail(path: Path, size: int) -> str:
    """The end of the log, at most `size` bytes."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")
