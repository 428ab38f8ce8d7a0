"""A round as Prefect is told of it: a flow run `tune-round`, a task run for each step and each trial, and artifacts.

Prefect dates what it is told by when it hears of it. What ended before says in its state how long it took.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.prefect.api import Api
from flows.prefect.reconcile import mark
from flows.steps import Steps
from tasks.record import Record
from tasks.report.terminal import text
from tasks.trials.run import Failed, Submit
from tasks.trials.runner import Unit, unit_name

P = ParamSpec("P")
R = TypeVar("R")
FLOW = "tune-round"
NAME = 100  # characters of a flow run's name


class _Task:
    """A step or a trial: since when it runs, and its last state."""

    def __init__(self, name: str, key: str, number: int) -> None:
        self.name, self.key, self.number = name, key, number
        self.began, self.id = time.time(), ""
        self.state: dict[str, Any] = {"type": "RUNNING"}
        self.shown: dict[str, Any] | None = None  # the state that Prefect knows of

    def ended(self, kind: str, message: str = "") -> None:
        """It ended in a state of that kind."""
        took = f"took {time.time() - self.began:.1f} s, from {time.strftime('%H:%M:%S', time.localtime(self.began))} on"
        self.state = {"type": kind, "message": f"{message}; {took}" if message else took}


class RoundShown:
    """One round; each order that it gives is carried out in another thread, in turn, until one fails."""

    def __init__(self, config: RoundConfig, order: Callable[[Callable[[Api], None]], None]) -> None:
        self._config, self._order, self._count = config, order, 0
        self._run, self._concluded, self._over = "", "", False
        self._note: Path | None = None
        order(self._begin)

    def steps(self, steps: Steps, trials_begin: Callable[[], object]) -> Steps:
        """The steps, each told of as it begins and ends, and each trial too; the first trial calls `trials_begin`."""

        def told(name: str, step: Callable[P, R]) -> Callable[P, R]:
            def enter(*values: P.args, **more: P.kwargs) -> R:
                with self._task(name, name):
                    return step(*values, **more)

            return enter

        @contextmanager
        def pool(slots: int) -> Iterator[Submit]:
            with steps.pool(slots) as submit:

                def submit_told(unit: Unit, run: Callable[[], None], failed: Failed) -> None:
                    def work() -> None:
                        with self._task(unit_name(unit), "run trial"):
                            run()

                    submit(unit, work, failed)
                    if not unit[0].alone:  # one that is timed shares the machine with no server that starts
                        trials_begin()

                yield submit_told

        return Steps(
            scope=told("scope goal", steps.scope),
            design=told("design round", steps.design),
            trials=told("run trials", steps.trials),
            analyze=told("analyze", steps.analyze),
            promote=told("promote config", steps.promote),
            report=told("write report", steps.report),
            pool=pool,
        )

    def concluded(self, record: Record) -> None:
        """The round has this record."""
        self._over, self._concluded = True, record.round_id
        if self._note is not None:
            self._note.write_text(record.round_id)  # whatever becomes of Prefect, the next command can tell it
        self._order(lambda api: self._conclude(api, record))

    def failed(self, error: BaseException) -> None:
        """The round ended without a record, by this error."""
        self._over = True
        said = self._config.secrets.redacted(str(error))[:300] or type(error).__name__
        kind = "FAILED" if isinstance(error, Exception) else "CRASHED"
        said = said if isinstance(error, Exception) else "it was stopped; the same command resumes the round"
        self._order(lambda api: self._end(api, {"type": kind, "message": said}))

    @contextmanager
    def _task(self, name: str, key: str) -> Iterator[None]:
        self._count += 1
        task = _Task(name, key, self._count)
        self._order(lambda api: self._show(api, task))
        try:
            yield
        except Exception as error:
            task.ended("FAILED", self._config.secrets.redacted(str(error))[:300])
            raise
        except BaseException:
            task.ended("CRASHED", "stopped")
            raise
        else:
            task.ended("COMPLETED")
        finally:
            self._order(lambda api: self._show(api, task))

    def _begin(self, api: Api) -> None:
        """Make the flow run, as running."""
        overrides = list(self._config.overrides)
        flow = api.post("flows/", {"name": FLOW})
        body = {
            "flow_id": flow["id"],
            "name": run_name(overrides),
            "parameters": {"overrides": overrides, "config_dir": self._config.config_dir},
            "state": {"type": "PENDING"},
        }
        self._run = api.post("flow_runs/", body)["id"]
        self._note = mark(self._run)
        if self._concluded:
            self._note.write_text(self._concluded)
        api.set_state("flow_runs", self._run, {"type": "RUNNING"})
        if not self._over:
            tell(f"Prefect shows the round at {api.url.removesuffix('/api')}/runs/flow-run/{self._run}")

    def _show(self, api: Api, task: _Task) -> None:
        """Bring Prefect level with a step or a trial."""
        state = task.state
        if task.shown == state:
            return
        if not task.id:
            body = {
                "name": task.name,
                "flow_run_id": self._run,
                "task_key": f"tunebook.{task.key.replace(' ', '_')}",
                "dynamic_key": str(task.number),
                "state": state,
            }
            task.id = api.post("task_runs/", body)["id"]
        else:
            api.set_state("task_runs", task.id, state)
        task.shown = state

    def _conclude(self, api: Api, record: Record) -> None:
        """Add the artifacts and complete the flow run."""
        table = json.dumps(findings_table(record))
        for key, kind, data, description in (
            ("findings", "table", table, "What the checks found"),
            ("verdict", "markdown", f"```\n{text(record)}\n```", record.goal.question),
        ):
            body = {"key": key, "type": kind, "data": data, "description": description, "flow_run_id": self._run}
            api.post("artifacts/", body)
        self._end(api, {"type": "COMPLETED", "message": f"round {record.round_id}: {record.verdict.outcome}"})

    def _end(self, api: Api, state: dict[str, Any]) -> None:
        api.set_state("flow_runs", self._run, state)
        if self._note is not None:
            self._note.unlink(missing_ok=True)


def run_name(overrides: Sequence[str]) -> str:
    """A flow run's name: what was asked for."""
    return (" ".join(overrides) or "defaults")[:NAME]


def findings_table(record: Record) -> list[dict[str, Any]]:
    """The rows of the artifact: what blocks first."""
    order = ("fail", "warn", "na", "ok")
    rows = sorted(record.findings, key=lambda f: order.index(f.level))
    return [{"level": f.level, "row": f.row, "check": f.check, "evidence": f.evidence} for f in rows]
