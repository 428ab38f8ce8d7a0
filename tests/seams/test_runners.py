"""What every runner keeps to: those that are shipped, and one that is built here."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.design.study import Planned
from tasks.ledger import Ledger, open_ledger
from tasks.record import Record
from tasks.scope.goal import Objective, Workload
from tasks.trials.attempts import BookedAttempts, TakenOver
from tasks.trials.run import Site, run_trials
from tasks.trials.runner import Runner
from tasks.trials.runners import RUNNERS, Opens
from tasks.trials.settings import Execution, RunnerSettings
from tasks.trials.trial import Trial
from tests.processes.forked import servers_of
from tests.processes.warm import Warm
from tests.seams.rounds import attempts, played
from tests.seams.toys.fours import Fours

EVERY: dict[str, Opens] = {**RUNNERS, "fours": Fours}
ROUND = "round"
EXECUTION = Execution(
    workload=Workload(
        name="synthetic",
        target="tasks.trials.workloads.synthetic.synthetic",
        arguments={"bowls": {"x": {"optimum": 0.5, "curvature": 4}}, "wall": {"parameter": "x", "at": 0.9}},
        objective=Objective(metric="loss", direction="minimize"),
    ),
    runner=RunnerSettings(workers=2),
)


def plans(*steps: int) -> list[Planned]:
    """A trial for each of these numbers of steps; the last one is infeasible."""
    return [
        Planned(
            id=f"t{i}",
            study="s",
            purpose="probe",
            index=i,
            point={"x": 0.95 if i == len(steps) - 1 else 0.1 * i},
            seed=i,
            max_train_steps=length,
            eval_every_steps=2,
        )
        for i, length in enumerate(steps)
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with a round that runs."""
    with open_ledger(tmp_path / "store") as ledger:
        ledger.own(ROUND)
        ledger.begin(ROUND, "w", "g", {}, "0" * 64, "2026-01-01")
        yield ledger


@pytest.fixture(params=EVERY)
def runner(
    request: pytest.FixtureRequest, warm: Warm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runner]:
    """Each runner in turn."""
    monkeypatch.setattr("tasks.trials.local.server_link.subprocess.Popen", servers_of(warm))
    with ExitStack() as stack:
        yield EVERY[request.param].open(stack, EXECUTION, tmp_path / "folder", None)


def site(ledger: Ledger, runner: Runner) -> Site:
    """Where trials run by that runner."""
    return Site(
        round_id=ROUND,
        book=ledger,
        runner=runner,
        settings=EXECUTION.runner,
        objective=EXECUTION.workload.objective,
        heard=lambda _: None,
    )


def test_every_trial_is_in_one_unit(runner: Runner) -> None:
    planned = plans(*[4] * 9)
    assert [p for unit in runner.units(planned) for p in unit] == planned
    assert runner.slots >= 1


def test_trials_of_any_length_end_as_they_were_planned_and_are_written_down_once(
    ledger: Ledger, runner: Runner, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    planned = plans(4, 10, 6, 8, 20, 2)
    trials = run_trials(planned, site(ledger, runner))
    assert [t.steps_done for t in trials.values()] == [4, 10, 6, 8, 20, 2]
    assert [t.status for t in trials.values()] == ["complete"] * 5 + ["infeasible"]
    assert list(ledger.results(ROUND)) == [p.id for p in planned]
    before = ledger.attempts(ROUND)
    assert run_trials(planned, site(ledger, runner)).keys() == trials.keys()  # on record: nothing runs again
    assert ledger.attempts(ROUND) == before


def test_a_trial_that_another_process_holds_is_not_written_down_by_this_one(
    ledger: Ledger, runner: Runner, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    planned = plans(4)
    ledger.plan(ROUND, [p.model_dump(mode="json") for p in planned])

    class Overtaken(BookedAttempts):
        def accept(self, trial: Trial, attempt: int) -> None:
            ledger.start(ROUND, trial.id)
            super().accept(trial, attempt)

    fence = Overtaken(book=ledger, round_id=ROUND, settings=EXECUTION.runner)
    with pytest.raises(TakenOver):
        list(runner.run(tuple(planned), fence))
    assert ledger.results(ROUND) == {}


@pytest.mark.parametrize("way", ["interrupt", "close"])
def test_nothing_ends_as_a_result_once_the_runner_was_stopped(
    ledger: Ledger, runner: Runner, tmp_path: Path, way: str
) -> None:
    (tmp_path / "folder").mkdir()
    runner.close() if way == "close" else runner.interrupt(0.0)
    with pytest.raises(RuntimeError):
        run_trials(plans(4, 4), site(ledger, runner))
    assert ledger.results(ROUND) == {}


ROUNDS = ("budget.trials=7", "runner.workers=2", "workload.wall={parameter: learning_rate, at: 0.03}")


@pytest.fixture(scope="module")
def whole(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A round with child processes, never interrupted."""
    return played(warm, tmp_path_factory.mktemp("whole"), *ROUNDS)


@pytest.mark.parametrize("kills", [(), (2,), (5, 3), (9,), (15,)], ids=str)
def test_units_of_four_that_end_out_of_order_and_die_lose_nothing_and_come_to_the_digest_of_local(
    warm: Warm, tmp_path: Path, whole: Record, kills: tuple[int, ...]
) -> None:
    found = played(warm, tmp_path, *ROUNDS, "runner.name=fours", kills=kills)
    assert found.digest == whole.digest
    packs = Counter(t.pack for t in found.trials if t.purpose == "search")
    assert sorted(packs.values()) == [2, 4, 4, 4]  # as they were before the first of them ran, whatever was killed
    took = attempts(tmp_path)
    assert len(took) == len(whole.trials)
    assert max(took.values()) > 1  # some died
    (folder,) = (tmp_path / "records").iterdir()
    assert (folder / "deaths.txt").read_text().split()


def test_the_runner_of_this_process_comes_to_the_digest_of_local(warm: Warm, tmp_path: Path, whole: Record) -> None:
    assert played(warm, tmp_path, *ROUNDS[:1], ROUNDS[2], "runner=inline").digest == whole.digest
