"""One round a slot of the schedule, however often Prefect starts it: repeated, retried, late, or twice at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun

from flows.compose import compose
from flows.compose.config import RoundConfig
from flows.prefect.flow import _with_seed, once_a_slot, slot_of
from tasks.ledger import open_ledger
from tests.faults.conftest import Tally
from tests.faults.rounds.process import TRAIN, overrides, write_folder

pytestmark = pytest.mark.usefixtures("undrawn")

DEPLOYMENT = uuid4()
NIGHT = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[RoundConfig]:
    folder = write_folder(tmp_path / "own")
    (folder / "own.py").write_text(TRAIN.replace(", torch", "").replace("trial.save(", "str("))  # saving takes seconds
    more = ("orchestrate=off", "budget.trials=1", "budget.retrains=1")
    yield compose.from_overrides(overrides(tmp_path / "store", *more), str(folder))
    sys.modules.pop("own", None)  # a command has one folder of the user's; this process sees several
    sys.path[:] = [p for p in sys.path if p != str(folder)]


def scheduled(night: datetime = NIGHT) -> FlowRun:
    """A run that the schedule made."""
    run = {"flow_id": uuid4(), "deployment_id": DEPLOYMENT, "auto_scheduled": True, "expected_start_time": night}
    return FlowRun.model_validate(run)


def test_twenty_submissions_of_a_slot_are_one_round(config: RoundConfig, tally: Tally) -> None:
    slots = [slot_of(scheduled()) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda slot: once_a_slot(config, slot), slots))
    with open_ledger(config.root) as ledger:
        rounds = ledger.rounds()
    violations = len(rounds) - 1 + len({r.round_id for r in records}) - 1
    tally("C12", "submissions of one slot", len(slots), violations)
    tomorrow = once_a_slot(config, slot_of(scheduled(NIGHT + timedelta(days=1))))
    assert tomorrow.round_id != records[0].round_id


def test_a_round_that_was_cut_off_is_gone_on_with_by_the_next_run_of_its_slot(
    config: RoundConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(BaseException):
        """The process died here."""

    def dies(*_: object) -> None:
        raise Gone

    slot = slot_of(scheduled())
    with monkeypatch.context() as patched:
        patched.setattr("flows.tune.record_now", dies)
        with pytest.raises(Gone):
            once_a_slot(config, slot)
    first = once_a_slot(config, slot)
    assert once_a_slot(config, slot).round_id == first.round_id
    with open_ledger(config.root) as ledger:
        assert len(ledger.rounds()) == 1


def test_what_a_slot_is() -> None:
    assert slot_of(scheduled()) == slot_of(scheduled())
    assert slot_of(scheduled()) != slot_of(scheduled(NIGHT + timedelta(minutes=1)))
    clicked = FlowRun(flow_id=uuid4(), deployment_id=DEPLOYMENT)
    assert slot_of(clicked) == slot_of(clicked.model_copy(update={"run_count": 2}))
    assert slot_of(clicked) != slot_of(FlowRun(flow_id=uuid4(), deployment_id=DEPLOYMENT))
    assert slot_of(FlowRun(flow_id=uuid4())) is None


def test_a_scheduled_run_takes_its_seed_from_its_slot() -> None:
    assert _with_seed([], scheduled()) == _with_seed([], scheduled()) == [f"seed={int(NIGHT.timestamp()) // 60}"]
    assert _with_seed(["seed=3"], scheduled()) == ["seed=3"]
    assert _with_seed([], FlowRun(flow_id=uuid4(), deployment_id=DEPLOYMENT)) == []
