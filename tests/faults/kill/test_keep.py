"""A round that keeps the trials of another is killed wherever it can be: it goes on, and runs none of them again."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Tally, Times
from tests.faults.kill.invariants import Found
from tests.faults.kill.reference_round import call, states
from tests.faults.kill.rounds import KILLED, Bench
from tests.faults.kill.test_every_event import spread
from tests.processes.lanes import Story

WIDER = "space.x.high=1.5"


class TwoRounds:
    """The reference round in each lane, and a second that keeps what the first ran, in a wider space."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.first = bench, {}
        for lane in range(len(bench.lanes)):
            bench.undisturbed(lane)
            shutil.copytree(bench.store(lane), self.aside(lane))
            self.first[lane] = Found(bench.store(lane), 0).tables["rounds"][0]["round_id"]
        story = self.second(0, events=str(self.events))
        assert story.ends[0][0].code == 0, story.ends[0][0].said
        self.names: list[str] = json.loads(self.events.read_text())
        self.digest, self.ended = self.found(0)

    @property
    def events(self) -> Path:
        """The file of the second round's events."""
        return self.bench.base / "events of the second"

    def aside(self, lane: int) -> Path:
        """The lane's store after the first round."""
        return self.bench.base / f"first of lane {lane}"

    def second(self, lane: int, **how: Any) -> Story:
        """The second round, in a store that holds the first alone."""
        store = self.bench.fresh(lane)
        shutil.copytree(self.aside(lane), store)
        return self.go_on(lane, **how)

    def go_on(self, lane: int, **how: Any) -> Story:
        """The command of the second round, on the store as it is."""
        words = (WIDER, f"keep={self.first[lane]}")
        return self.bench.lanes[lane].tell([call(self.bench.folder, self.bench.store(lane), "second", *words, **how)])

    def found(self, lane: int) -> tuple[str, dict[str, tuple[bool, int]]]:
        """The second round's digest; of each trial whether it is kept, and how many attempts it had."""
        tables = Found(self.bench.store(lane), 0).tables
        (row,) = (r for r in tables["rounds"] if r["round_id"] != self.first[lane])
        own = [t for t in tables["trials"] if t["round_id"] == row["round_id"]]
        assert {t["state"] for t in own} == {"done"}
        attempts = {t["trial_id"]: (json.loads(t["planned_json"])["kept"] is not None, t["attempt"]) for t in own}
        folders = self.bench.store(lane) / "records" / row["round_id"] / "trials"
        assert not [t for t, (kept, _) in attempts.items() if kept and (folders / t).exists()]
        return row["digest"], attempts

    def killed(self, lane: int, event: int) -> list[str]:
        """What is wrong after the second round was killed at an event, and the same command was given again."""
        story = self.second(lane, kill_at=event)
        if story.ends[0][0].code != KILLED:
            return [f"not killed: {story.ends[0][0].said[-200:]}"]
        if states(self.bench.store(lane)).count("finished") < 2:
            story = self.go_on(lane)
            if story.ends[0][0].code != 0:
                return [f"ended with {story.ends[0][0].code}: {story.ends[0][0].said[-300:]}"]
        digest, ended = self.found(lane)
        said = [] if digest == self.digest else ["another digest"]
        said += [] if ended.keys() == self.ended.keys() else ["other trials"]
        said += [f"{t} was kept, and ran" for t, (kept, attempts) in ended.items() if kept and attempts]
        extra = sum(attempts - 1 for kept, attempts in ended.values() if not kept)
        return said if extra <= 1 else [*said, f"{extra} attempts more than trials"]


@pytest.mark.playbook("E4", case="shows")
def test_a_round_that_keeps_trials_and_is_killed_at_any_event_runs_none_of_them(
    rounds: Bench, times: Times, tally: Tally
) -> None:
    two = TwoRounds(rounds)
    kept = [t for t, (kept, _) in two.ended.items() if kept]
    assert len(kept) == 6
    assert len(two.ended) > 12
    planned = two.names.index("INSERT INTO trials") + 1
    near = [
        planned,
        planned + 3,
        planned + 12,
        planned + 13,
        planned + 14,
    ]  # while they are taken over, and right after
    points = sorted({*spread(len(two.names), times(6, len(two.names))), *near})
    said = rounds.each(points, two.killed)
    assert said == []
    tally("A1", f"of {len(two.names)} events of a round that keeps trials, killed by SIGKILL", len(points), len(said))
