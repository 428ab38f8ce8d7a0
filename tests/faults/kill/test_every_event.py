"""A round and its parts are killed wherever they can be, and go on: no trial lost, none twice, the same verdict."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.faults.conftest import Tally, Times
from tests.faults.kill.rounds import Bench, bench
from tests.processes.lanes import Call
from tests.processes.warm import Warm

PARTS = "tests.faults.kill.parts"


def spread(count: int, runs: int) -> list[int]:
    """So many of the numbers 1 to `count`, evenly spaced: all of them where there are no more."""
    return sorted(set(np.linspace(1, count, min(runs, count)).round().astype(int).tolist()))


def test_the_reference_round_has_the_same_events_each_time(rounds: Bench) -> None:
    again, names = rounds.undisturbed(1)
    assert names == rounds.names
    assert len(names) >= 300
    assert again == rounds.expected
    kinds = {name.split()[0] for name in names}
    assert kinds >= {"open", "opened", "os.rename", "os.mkdir", "fsync", "INSERT", "UPDATE", "COMMIT", "send", "a"}


def test_a_round_that_is_killed_at_any_event_comes_to_the_same_verdict(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    points = spread(len(rounds.names), times(60, len(rounds.names)))
    said = rounds.each(points, rounds.killed)
    assert said == []
    tally("A1", f"of {len(rounds.names)} events of a round killed by SIGKILL", len(points), len(said))
    promoted = next(i for i, name in enumerate(rounds.names, 1) if name == "INSERT INTO generations")
    last = [point for point in points if point >= promoted - 1]
    tally("D2", "of them from the promotion on", len(last), len(said))


def test_a_round_that_is_killed_again_and_again_comes_to_the_same_verdict(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    kills: list[int] = []

    def story(lane: int, seed: int) -> list[str]:
        said, count = rounds.killed_again_and_again(lane, seed)
        kills.append(count)
        return said

    said = rounds.each(range(times(2, 100)), story)
    assert said == []
    assert sum(kills) >= 5 * len(kills)
    tally("A2 I4", f"rounds killed at random events, {sum(kills)} kills", len(kills), len(said))


def test_a_new_interpreter_for_the_trials_and_a_report_with_its_pictures_change_nothing(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    runs = times(1, 12)
    points = [point - 3 for point in spread(len(rounds.names), runs + 2)[1:-1]]
    said = rounds.each(points, lambda lane, point: rounds.killed(lane, point, real=True, drawn=True))
    assert said == []
    tally("A1", "of them with nothing replaced", runs, len(said))


def test_a_trial_whose_process_is_killed_at_any_event_has_the_same_curve(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    said = rounds.part(0, (times(0, 1) and "every_event_of_a_trial") or "some_events_of_a_trial")
    assert said == []
    tally("A1 A5", "events of a trial's own process", times(24, 72), len(said))


def test_no_trial_outlives_its_coordinator(rounds: Bench, times: Times, tally: Tally) -> None:
    runs = times(2, 50)
    said = rounds.each(range(runs), rounds.without_its_coordinator)
    assert said == []
    tally("A6", "coordinators killed while four trials ran", runs, len(said))


@pytest.mark.parametrize("whose", ["trial", "server"])
def test_one_killed_process_costs_nobody_else_an_attempt(rounds: Bench, whose: str, times: Times, tally: Tally) -> None:
    runs = times(2, 50) if whose == "trial" else times(1, 20)
    said = rounds.each(range(runs), lambda lane, seed: rounds.without_a_process(lane, seed, whose))
    assert said == []
    tally("A5", f"kills of a {whose}'s process while four trials ran", runs, len(said))


def test_trials_that_end_in_another_order_come_to_the_same_verdict(rounds: Bench, times: Times, tally: Tally) -> None:
    runs, orders = times(3, 100), set()

    def story(lane: int, seed: int) -> list[str]:
        said = rounds.in_another_order(lane, seed, 4)
        orders.add(rounds.order(lane))
        return said

    said = rounds.each(range(runs), story)
    assert said == []
    assert len(orders) > runs / 2
    tally("D8", f"rounds whose trials end in another order ({len(orders)} orders)", runs, len(said))


def test_the_number_of_workers_changes_no_verdict(rounds: Bench, times: Times, tally: Tally) -> None:
    workers = [2, 4, 8][: times(2, 3)]
    said = rounds.each(workers, lambda lane, count: rounds.in_another_order(lane, 0, count))
    assert said == []
    tally("D9", f"numbers of workers beside one ({', '.join(map(str, workers))})", len(workers), len(said))


@pytest.mark.prose
def test_of_two_processes_that_take_a_round_at_once_one_has_it_and_its_death_frees_it(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    runs = times(2, 100)
    said = rounds.each(range(runs), lambda lane, _: owned_at_once(rounds, lane))
    assert said == []
    tally("A17", "pairs of processes that take one round at once", runs, len(said))


def owned_at_once(rounds: Bench, lane: int) -> list[str]:
    """Two processes take a round at the same moment; the one that has it is killed, and a third takes it."""
    root = rounds.fresh(lane)

    def taker(name: str, at: float) -> Call:
        how = {"root": str(root), "at": at, "refused": str(root / "refused")}
        return Call(function=f"{PARTS}:owns", arguments=how, out=root.with_name(name))

    story = rounds.lanes[lane].tell([taker(name, time.time() + 0.1) for name in "ab"], [taker("c", 0.0)])
    codes = sorted(end.code or 0 for end in story.ends[0])
    said = [] if codes == [-9, 3] else [f"A17: ended with {codes}"]
    if "is being run by process" not in (root / "refused").read_text():
        said.append("I12: the one that was refused was not told by whom")
    if story.ends[1][0].code != -9 or story.ends[1][0].seconds > 2:
        said.append(f"A17: the dead one's round was not free: {story.ends[1][0]}")
    return said


def test_of_two_commands_that_go_on_with_a_round_one_does(rounds: Bench, times: Times, tally: Tally) -> None:
    runs = times(1, 20)
    sends = [i for i, name in enumerate(rounds.names, 1) if name == "send"]
    chance = random.Random(0)
    said = rounds.each([chance.choice(sends) for _ in range(runs)], rounds.at_once)
    assert said == []
    tally("A17", "pairs of commands that go on with one round", runs, len(said))


def test_of_two_same_commands_at_once_one_begins_the_round_and_the_other_is_refused(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    runs = times(1, 20)
    said = rounds.each(range(runs), rounds.twice)
    assert said == []
    tally("A17", "pairs of the same command at once", runs, len(said))


def test_of_two_rounds_that_want_to_promote_at_once_one_does(rounds: Bench, times: Times, tally: Tally) -> None:
    runs = times(1, 20)
    said = rounds.each(range(runs), rounds.rivals)
    assert said == []
    tally("D1 I5", "pairs of whole rounds that promote at once", runs, len(said))


def shown_twice(store: Path) -> list[str]:
    """The trials that MLflow has more than one run of, read past MLflow."""
    asked = "select value from tags where key = 'tunebook.trial' group by value having count(*) > 1"
    with closing(sqlite3.connect(store / "mlflow.db")) as db:
        return [f"I2: MLflow has trial {trial} twice" for (trial,) in db.execute(asked)]


def test_a_round_that_mlflow_watches_is_killed_and_comes_to_the_same_verdict(
    warm: Warm, times: Times, tally: Tally
) -> None:
    if runs := times(0, 20):
        with bench(2, warm, ["mlflow", "tasks.tracking.projector"]) as rounds:

            def story(lane: int, event: int) -> list[str]:
                said = rounds.killed(lane, event, more=["tracking.enabled=true"])
                return [*said, *shown_twice(rounds.store(lane))]

            said = rounds.each(spread(len(rounds.names), runs), story)
            assert said == []
            tally("A1 I2", "of them with MLflow on, one run a trial", runs, len(said))
