"""The Prefect flow: the same round, seen in the UI, started from a form, through the API or on a schedule.

No `from __future__ import annotations` here: Prefect reads the annotations to make the form.
"""

from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from flows import compose
from flows.plan import checked
from flows.round import tune
from tasks.analyze.terminal import text
from tasks.record import Record


def _name() -> str:
    """The run's name in the UI: what was asked for."""
    overrides = flow_run.parameters.get("overrides") or ["defaults"]
    return " ".join(overrides)[:100]


@flow(name="tune-round", flow_run_name=_name, persist_result=False)
def tune_round(overrides: list[str] = [], config_dir: str | None = None) -> Record:  # noqa: B006 - Prefect shows it
    """One round of tuning; the same overrides as in the shell.

    Args:
        overrides: Hydra overrides, one an entry: goal=dropout, budget.trials=24, seed=1
        config_dir: a folder with your own goal/, space/ and workload/ YAML and the Python beside them
    """
    config = compose.from_overrides(_with_seed(overrides), config_dir)
    checked(config)
    record = tune(config)
    create_table_artifact(table=_findings(record), key="findings", description="What the checks found")
    create_markdown_artifact(f"```\n{text(record)}\n```", key="verdict", description=record.goal.question)
    return record


def _findings(record: Record) -> list[dict[str, Any]]:
    order = ("fail", "warn", "na", "ok")
    rows = sorted(record.findings, key=lambda f: order.index(f.level))
    return [{"level": f.level, "row": f.row, "check": f.check, "evidence": f.evidence} for f in rows]


def _with_seed(overrides: list[str]) -> list[str]:
    """A scheduled run takes its seed from its slot, so that a late or repeated run of one slot is the same round."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not run.auto_scheduled or any(o.startswith("seed=") for o in overrides):
        return overrides
    slot = run.expected_start_time
    return [*overrides, f"seed={int(slot.timestamp()) // 60}"] if slot else overrides
