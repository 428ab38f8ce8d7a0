"""Running trials: attempts at a trial are written down as they end, and one result is accepted."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger, open_ledger
from tasks.scope.goal import Objective
from tasks.trials.attempts import BookedAttempts
from tasks.trials.inline import InlineRunner
from tasks.trials.local.runner import LocalRunner
from tasks.trials.local.server_link import ServerClosed
from tasks.trials.run import Failed, Site, Submit, run_trials
from tasks.trials.runner import Attempts, Unit
from tasks.trials.settings import RunnerSettings
from tasks.trials.trial import Trial
from tests.trials.example_trials import execution, plan

ROUND = "round"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with a round that runs."""
    with open_ledger(tmp_path / "store") as ledger:
        ledger.own(ROUND)
        ledger.begin(ROUND, "w", "g", {}, "0" * 64, "2026-01-01")
        yield ledger


def run(ledger: Ledger, folder: Path, program: str, runner: RunnerSettings | None = None, **arguments: Any) -> Trial:
    """One trial of a program of own/resuming.py."""
    wanted = execution(f"resuming.{program}", runner or RunnerSettings(wall_timeout=120), **arguments)
    with ExitStack() as stack:
        site = Site(
            round_id=ROUND,
            book=ledger,
            runner=LocalRunner.open(stack, wanted, folder),
            settings=wanted.runner,
            objective=wanted.workload.objective,
            heard=lambda _: None,
        )
        return run_trials([plan(program)], site)[program]


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.prose
def test_a_trial_that_was_killed_is_retried_from_its_checkpoint_to_an_equal_curve(
    ledger: Ledger, tmp_path: Path
) -> None:
    whole = run(ledger, tmp_path / "whole", "walks")
    with open_ledger(tmp_path / "other") as other:
        other.own(ROUND)
        other.begin(ROUND, "w", "g", {}, "0" * 64, "2026-01-01")
        cut = run(other, tmp_path / "cut", "walks", dies_at=5)
        assert other.attempts(ROUND) == {"walks": 2}
        assert other.failures(ROUND, "walks") == ["killed by SIGKILL (after step 4)"]
    assert cut.status == "complete"
    assert cut.curve.metrics["loss"].tobytes() == whole.curve.metrics["loss"].tobytes()
    assert ledger.failures(ROUND, "walks") == []


@pytest.mark.prose
def test_a_bug_is_met_twice_and_not_for_ever(ledger: Ledger, tmp_path: Path) -> None:
    trial = run(ledger, tmp_path, "bug_at_seven")
    assert (trial.status, trial.reason) == ("failed", "ValueError: shapes do not match")
    assert trial.curve.steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert ledger.attempts(ROUND) == {"bug_at_seven": 2}


@pytest.mark.prose
def test_bad_luck_of_another_kind_each_time_ends_at_the_cap(ledger: Ledger, tmp_path: Path) -> None:
    trial = run(ledger, tmp_path, "unlucky", RunnerSettings(wall_timeout=120, retries=3))
    assert (trial.status, trial.reason) == ("failed", "ConnectionError: lost connection 3")
    assert ledger.attempts(ROUND) == {"unlucky": 4}


def test_a_round_in_which_everything_fails_stops_trying(ledger: Ledger, tmp_path: Path) -> None:
    run(ledger, tmp_path, "unlucky", RunnerSettings(wall_timeout=120, retries=9, retries_a_round=2))
    assert ledger.attempts(ROUND) == {"unlucky": 3}


@pytest.mark.prose
def test_a_trial_that_waits_when_the_round_is_stopped_never_began(ledger: Ledger, tmp_path: Path) -> None:
    planned = plan("walks")
    ledger.plan(ROUND, [planned.model_dump(mode="json")])
    with ExitStack() as stack:
        runner = LocalRunner.open(stack, execution("resuming.walks"), tmp_path)
        runner.interrupt(0.0)
        attempts = BookedAttempts(book=ledger, round_id=ROUND, settings=runner.execution.runner)
        with pytest.raises(RuntimeError) as raised:
            next(runner.run((planned,), attempts))
        assert isinstance(raised.value.__cause__, ServerClosed)
        assert "was not begun" in str(raised.value.__cause__)
        assert runner.devices.qsize() == runner.slots
    assert ledger.attempts(ROUND) == {"walks": 0}


class Counting(InlineRunner):
    """A runner of four slots that notes what runs beside what."""

    slots = 4

    def __init__(self) -> None:
        super().__init__(execution("tasks.trials.workloads.synthetic.synthetic", own=None, bowls={}))
        self.lock, self.now, self.beside = threading.Lock(), set[str](), dict[str, set[str]]()

    def run(self, unit: Unit, attempts: Attempts) -> Iterator[Trial]:
        """As it is, but that it takes a while."""
        name = unit[0].id
        with self.lock:
            self.now.add(name)
            for other in self.now:
                self.beside.setdefault(other, set()).update(self.now)
        time.sleep(0.05)
        yield from super().run(unit, attempts)
        with self.lock:
            self.now.remove(name)


@pytest.mark.parametrize("alone", [(), ("b",), ("a", "c"), ("a", "b", "c", "d", "e", "f")])
def test_a_trial_that_runs_alone_has_none_beside_it_and_the_others_have(ledger: Ledger, alone: tuple[str, ...]) -> None:
    runner = Counting()
    planned = [plan(id, {}, seed).model_copy(update={"alone": id in alone}) for seed, id in enumerate("abcdef")]
    site = Site(
        round_id=ROUND,
        book=ledger,
        runner=runner,
        settings=RunnerSettings(),
        objective=Objective(metric="loss", direction="minimize"),
        heard=lambda _: None,
    )
    assert list(run_trials(planned, site)) == list("abcdef")
    assert all(runner.beside[id] == {id} for id in alone)
    assert len(alone) > 4 or any(len(others) > 1 for others in runner.beside.values())


@pytest.mark.parametrize("begins", [False, True])
def test_a_pool_that_cannot_run_a_unit_stops_the_round_and_does_not_hang_it(ledger: Ledger, begins: bool) -> None:
    @contextmanager
    def broken(slots: int) -> Iterator[Submit]:
        def submit(unit: Unit, run: Callable[[], None], failed: Failed) -> None:
            if begins and unit[0].id == "a":
                run()
            failed(OSError("the engine did not start"))

        yield submit

    runner = Counting()
    site = Site(
        round_id=ROUND,
        book=ledger,
        runner=runner,
        settings=RunnerSettings(),
        objective=Objective(metric="loss", direction="minimize"),
        heard=lambda _: None,
        pool=broken,
    )
    with pytest.raises(OSError, match="did not start"):
        run_trials([plan(id, {}, 0) for id in "ab"], site)
    assert set(ledger.results(ROUND)) == ({"a"} if begins else set())
