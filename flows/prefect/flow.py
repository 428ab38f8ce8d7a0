"""The Prefect flow `tune-round`, from form, API, schedule or shell; a schedule's slot gives the round its seed.

Prefect is scheduler and face, never the truth: a round that Prefect does not go along with goes on without it, and
its record is the ledger's. No `from __future__ import annotations` here: Prefect reads the annotations for the form.
"""

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import Context
from types import FrameType
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectSignal
from prefect.flow_engine import run_flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Pending

from flows.compose import compose
from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.prefect.reconcile import mark, reconcile
from flows.prefect.server import answers
from flows.session.plan import checked
from flows.session.signals import heeding
from flows.tune import tune, without_prefect
from tasks.ledger import LedgerError, open_ledger
from tasks.ledger.locks import alone
from tasks.record import Record, hash_of
from tasks.report.terminal import text
from tasks.scope.error import InputError
from tasks.upgrade import read_record

START = 10.0  # seconds that Prefect gets to begin a flow run: 0.3 to 2.4 on a quiet machine
FINISH = 10.0  # seconds that it gets for artifacts and the last state
RETRIES = 2  # of a request to its server, after 2 and 4 seconds; Prefect's own 5 take two minutes
_AGAIN = 1.0  # seconds after which one who has not let go is told again


class Silent(Exception):
    """Prefect's server accepts what it is sent and does not answer in time."""


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
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    run = context.flow_run
    with unhurried(), heeding():
        config = compose.from_overrides(_with_seed(overrides, run), config_dir)
        checked(config)
        note = mark(run.id)
        record = None
        with forgiven():
            record = once_a_slot(config, slot_of(run))
        if record is None:  # outside of the flow's context nothing is Prefect's any more
            record = Context().run(once_a_slot, without_prefect(config), slot_of(run))
        note.write_text(record.round_id)
    with forgiven():
        create_table_artifact(table=_findings(record), key="findings", description="What the checks found")
        create_markdown_artifact(f"```\n{text(record)}\n```", key="verdict", description=record.goal.question)
    return record


def in_prefect(config: RoundConfig) -> Record:
    """The round as a flow of Prefect's, for as long as Prefect goes along; its record is the ledger's in any case.

    Where Prefect fails before the round is concluded, the round goes on plain, from where it is.
    """
    note = None
    try:
        with patience(START), temporary_settings({PREFECT_CLIENT_MAX_RETRIES: RETRIES}):
            with forgiven():
                reconcile()
            parameters = {"overrides": list(config.overrides), "config_dir": config.config_dir}
            with get_client(sync_client=True) as client:
                run = client.create_flow_run(tune_round, parameters=parameters, state=Pending())
            note = mark(run.id)
            record: Record = run_flow(tune_round, flow_run=run, parameters=parameters)  # type: ignore[assignment]
        note.unlink(missing_ok=True)
        return record
    except BaseException as error:
        if not is_prefects(error):
            raise
        said = next(iter(str(error).splitlines()), "")[:200]
        tell(f"warning: Prefect fails ({type(error).__name__}: {said}); the round does without it")
    concluded = note.read_text() if note else ""
    if concluded:
        with closing(open_ledger(config.root)) as ledger:
            return read_record(ledger.record(concluded) or "")
    record = tune(without_prefect(config))
    if note:
        note.write_text(record.round_id)
    return record


def once_a_slot(config: RoundConfig, slot: str | None) -> Record:
    """The round of a slot, run at most once: who comes later waits, and gets the record that the ledger has of it."""
    if slot is None:
        return tune(config)
    with alone(config.root / "slots" / f"{hash_of(slot, 8)}.lock"):
        with closing(open_ledger(config.root)) as ledger:
            ids = (r.round_id for r in ledger.rounds(config.workload.name))
            mine = (round_id for round_id in ids if slot in ledger.notes(round_id, "slot"))
            records = (ledger.record(round_id) for round_id in mine)
            found = next((record for record in records if record is not None), None)
        return read_record(found) if found else tune(config, slot)


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
    if isinstance(error, Silent | PrefectSignal):
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


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """In the block, `Silent` is raised when `seconds` are over, and again until the block is left.

    Prefect would try for minutes to reach a server that is gone.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise Silent("its server does not answer in time")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def unhurried() -> Iterator[None]:
    """A block for the round itself: within `patience` its time does not count, and a new time begins after it."""
    running, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if running:
            left = FINISH if answers(os.environ["PREFECT_API_URL"]) else _AGAIN / 10
            signal.setitimer(signal.ITIMER_REAL, left, _AGAIN)


def _findings(record: Record) -> list[dict[str, Any]]:
    order = ("fail", "warn", "na", "ok")
    rows = sorted(record.findings, key=lambda f: order.index(f.level))
    return [{"level": f.level, "row": f.row, "check": f.check, "evidence": f.evidence} for f in rows]


def _with_seed(overrides: list[str], run: FlowRun) -> list[str]:
    """A scheduled run takes its seed from its slot, so that a late or repeated run of one slot is the same round."""
    slot = run.expected_start_time
    if not run.auto_scheduled or slot is None or any(o.startswith("seed=") for o in overrides):
        return overrides
    return [*overrides, f"seed={int(slot.timestamp()) // 60}"]
