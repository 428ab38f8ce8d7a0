"""The Prefect flow `tune-round`, from form, API or schedule; a schedule's slot gives the round its seed.

Prefect is scheduler and face, never the truth: a round that Prefect does not go along with goes on without it, and
its record is the ledger's. No `from __future__ import annotations` here: Prefect reads the annotations for the form.
"""

import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import Context

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectSignal
from prefect.runtime import flow_run

from flows.compose import compose
from flows.compose.config import RoundConfig
from flows.prefect.api import PrefectFails
from flows.prefect.reconcile import mark
from flows.prefect.told import findings_table, run_name
from flows.session.plan import checked
from flows.session.signals import heeding
from flows.steps import PLAIN, Steps, orchestrated
from flows.tune import tune
from tasks.ledger import LedgerError, open_ledger
from tasks.ledger.locks import alone
from tasks.record import Record, hash_of
from tasks.report.terminal import text
from tasks.scope.error import InputError
from tasks.upgrade import read_record


def _name() -> str:
    """The run's name in the UI."""
    return run_name(flow_run.parameters.get("overrides") or [])


@flow(name="tune-round", flow_run_name=_name, persist_result=False)
def tune_round(overrides: list[str] = [], config_dir: str | None = None) -> Record:  # noqa: B006 - Prefect shows it
    """One round of tuning; the same overrides as in the shell.

    Args:
        overrides: Hydra overrides, one an entry: goal=dropout, budget.trials=24, seed=1
        config_dir: a folder with your own goal/, space/ and workload/ YAML and the Python beside them
    """
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    run = context.flow_run
    with heeding():
        config = compose.from_overrides(_with_seed(overrides, run), config_dir)
        checked(config)
        note = mark(str(run.id))
        record = None
        with forgiven():
            steps = orchestrated() if config.orchestrate == "prefect" else PLAIN
            record = once_a_slot(config, slot_of(run), steps)
        if record is None:  # outside of the flow's context nothing is Prefect's any more
            record = Context().run(once_a_slot, config, slot_of(run))
        note.write_text(record.round_id)
    with forgiven():
        create_table_artifact(table=findings_table(record), key="findings", description="What the checks found")
        create_markdown_artifact(f"```\n{text(record)}\n```", key="verdict", description=record.goal.question)
    return record


def once_a_slot(config: RoundConfig, slot: str | None, steps: Steps = PLAIN) -> Record:
    """The round of a slot, run at most once: who comes later waits, and gets the record that the ledger has of it."""
    if slot is None:
        return tune(config, steps)
    with alone(config.root / "slots" / f"{hash_of(slot, 8)}.lock"):
        with closing(open_ledger(config.root)) as ledger:
            ids = (r.round_id for r in ledger.rounds(config.workload.name))
            mine = (round_id for round_id in ids if slot in ledger.notes(round_id, "slot"))
            records = (ledger.record(round_id) for round_id in mine)
            found = next((record for record in records if record is not None), None)
        return read_record(found) if found else tune(config, steps, slot)


def slot_of(run: FlowRun) -> str | None:
    """What a flow run was made for: a time of the schedule, or one click; None for a round from the shell.

    A flow run that is run again, and a late or repeated run of one time of the schedule, have the same slot.
    """
    if run.deployment_id is None:
        return None
    if run.auto_scheduled and run.expected_start_time:
        return f"slot:{run.deployment_id} {run.expected_start_time.isoformat()}"
    return f"slot:{run.id}"


def is_prefects(error: BaseException) -> bool:
    """Whether Prefect failed, and not the round: whose code was the last to run before the error?"""
    if isinstance(error, PrefectFails | PrefectSignal):
        return True
    if isinstance(error, InputError | LedgerError) or not isinstance(error, Exception):
        return False
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours_or_theirs = [p for m in modules if (p := m.partition(".")[0]) in ("prefect", "flows", "tasks")]
    return ours_or_theirs[-1:] == ["prefect"]


@contextmanager
def forgiven() -> Iterator[None]:
    """A block that Prefect's failures end, and nothing more."""
    try:
        yield
    except BaseException as error:
        if not is_prefects(error):
            raise


def _with_seed(overrides: list[str], run: FlowRun) -> list[str]:
    """A scheduled run takes its seed from its slot, so that a late or repeated run of one slot is the same round."""
    slot = run.expected_start_time
    if not run.auto_scheduled or slot is None or any(o.startswith("seed=") for o in overrides):
        return overrides
    return [*overrides, f"seed={int(slot.timestamp()) // 60}"]
