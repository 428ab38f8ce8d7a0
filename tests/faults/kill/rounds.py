"""Stories of the reference round: killed at an event, again and again, without a worker, twice at once."""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tests.faults.kill.invariants import Expected, Found, violations
from tests.faults.kill.reference_round import call, words, write_folder
from tests.processes.lanes import Call, Lane, Story, open_lanes
from tests.processes.warm import Warm

KILLED = -signal.SIGKILL
_HERE = "tests.faults.kill.rounds"


class Bench:
    """The reference round and the processes to run it in: each lane has a store of its own, made anew for each story.

    `expected`: what the round comes to when nothing happens to it; `names`: its events, in order.
    """

    def __init__(self, base: Path, lanes: Sequence[Lane]) -> None:
        self.base, self.lanes = base, lanes
        self.folder, self.mirror = write_folder(base / "own"), write_folder(base / "mirror" / "own", "maximize")
        for i, lane in enumerate(lanes):
            lane.prepare("tests.faults.kill.reference_round:compose_once")
            lane.prepare("tests.faults.kill.reference_round:compose_now", said=words(self.folder, self.store(i)))
        self.expected, self.names = self.undisturbed()
        self.verdict = verdict_in(self.store(0))

    def store(self, lane: int) -> Path:
        """Where the lane's rounds are kept."""
        return self.base / f"lane{lane}" / "store"

    def undisturbed(self, lane: int = 0, *more: str, **how: Any) -> tuple[Expected, list[str]]:
        """What the round comes to, and its events."""
        store, events = self.fresh(lane), self.base / f"lane{lane}" / "events"
        story = self.lanes[lane].tell([call(self.folder, store, "out", *more, events=str(events), **how)])
        assert story.ends[0][0].code == 0, story.ends[0][0].said
        return Expected.of(store), json.loads(events.read_text())

    def fresh(self, lane: int) -> Path:
        """The lane's store, empty."""
        shutil.rmtree(self.store(lane), ignore_errors=True)
        return self.store(lane)

    def each(self, jobs: Sequence[Any], story: Callable[[int, Any], list[str]]) -> list[str]:
        """The violations of a story for each of the jobs, as many at once as there are lanes."""
        waiting: SimpleQueue[Any] = SimpleQueue()
        said: list[str] = []
        for job in jobs:
            waiting.put(job)

        def work(lane: int) -> None:
            with suppress(Empty):
                while True:
                    job = waiting.get_nowait()
                    try:
                        said.extend(f"{job}: {what}" for what in story(lane, job))
                    except Exception as error:
                        said.append(f"{job}: {error!r}")

        threads = [threading.Thread(target=work, args=(lane,)) for lane in range(len(self.lanes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return said

    def part(self, lane: int, story: str, mutant: str | None = None) -> list[str]:
        """The violations of a story of `parts.py`."""
        root = self.fresh(lane) / "part"
        asked = {"name": story, "root": str(root), "mutant": mutant}
        one = Call(function="tests.faults.kill.parts:asked", arguments=asked, out=root.parent / "out")
        (end,), *_ = self.lanes[lane].tell([one]).ends
        if end.code != 0:
            return [f"{story} ended with {end.code}: {end.said[-500:]}"]
        said: list[str] = json.loads((root / "said").read_text())
        return said

    def unapproved(self, lane: int, mutant: str | None = None) -> list[str]:
        """A promotion that nobody approves."""
        store = self.fresh(lane)
        (end,), *_ = self.lanes[lane].tell([call(self.folder, store, "out", "approval=ask", mutant=mutant)]).ends
        found = Found(store, 0)
        said = [] if end.code == 0 else [f"I8: ended with {end.code}: {end.said[-300:]}"]
        if found.tables["generations"] or (store / "incumbent" / "own.yaml").exists():
            said.append("I5: promoted, and nobody approved")
        return said

    def mirrored(self, lane: int, mutant: str | None = None) -> list[str]:
        """The same numbers negated, and higher is better: the same configuration is promoted, by the same gain."""
        store = self.fresh(lane)
        (end,), *_ = self.lanes[lane].tell([call(self.mirror, store, "out", "notes=mirrored", mutant=mutant)]).ends
        if end.code != 0:
            return [f"I8: ended with {end.code}: {end.said[-300:]}"]
        said = []
        for what, ours, theirs in zip(("verdict", "promoted"), self.verdict, verdict_in(store), strict=True):
            if ours != theirs:
                said.append(f"I3: {what} {theirs}, not {ours}")
        return said

    def killed(
        self, lane: int, event: int, expected: Expected | None = None, more: Sequence[str] = (), **how: Any
    ) -> list[str]:
        """The round is killed at an event, and the same command goes on with it."""
        store = self.fresh(lane)
        story = self.lanes[lane].tell(
            [call(self.folder, store, "killed", *more, kill_at=event, **how)],
            [call(self.folder, store, "resumed", *more, unfinished=True, **how)],
        )
        said = violations(store, expected or self.expected, 1, story.ends[1][0], story.left)
        return [*_not_killed(story, 0), *said]

    def killed_again_and_again(self, lane: int, seed: int) -> tuple[list[str], int]:
        """The round is killed at random events until it comes to its end: the violations, and the number of kills."""
        store, chance, kills = self.fresh(lane), random.Random(seed), 0
        while kills < 200:
            event, delay = chance.randint(1, 120), chance.choice([0, 0.001])
            one = call(self.folder, store, "killed", kill_at=event, delay=delay, unfinished=True)
            story = self.lanes[lane].tell([one])
            if story.ends[0][0].code != KILLED:  # a kill may also come between the round's end and the command's
                return violations(store, self.expected, kills, story.ends[0][0], story.left), kills
            kills += 1
        return [f"I8: not done after {kills} kills"], kills

    def without_its_coordinator(self, lane: int, seed: int, mutant: str | None = None) -> list[str]:
        """The coordinator is killed while four trials run: none of them outlives it for long, and all are resumed."""
        chance = random.Random(seed)
        starts = [i for i, name in enumerate(self.names, 1) if name == "send"]
        how: dict[str, Any] = {"environment": {"REST": "0.03", "ORDER": str(seed)}, "mutant": mutant}
        store = self.fresh(lane)
        first = call(self.folder, store, "killed", *FOUR, kill_at=chance.choice(starts), delay=0.1, **how)
        story = self.lanes[lane].tell([first])
        if story.left:
            return [f"I9: outlived its coordinator: {process}" for process in story.left]
        again = self.lanes[lane].tell([call(self.folder, store, "resumed", *FOUR, unfinished=True, **how)])
        return [*_not_killed(story, 0), *violations(store, self.expected, 4, again.ends[0][0], again.left)]

    def without_a_process(self, lane: int, seed: int, whose: str = "trial", mutant: str | None = None) -> list[str]:
        """While four trials run, one of their processes is killed, or (`server`) the one that forks them."""
        how: dict[str, Any] = {"environment": {"REST": "0.03", "ORDER": str(seed)}, "mutant": mutant}
        store = self.fresh(lane)
        killer = Call(
            function=f"{_HERE}:kill_one",
            arguments={"store": str(store), "seed": seed, "whose": whose},
            out=store.with_name("killer"),
        )
        story = self.lanes[lane].tell([call(self.folder, store, "round", *FOUR, **how), killer])
        end, killed = story.ends[0]
        said = [] if killed.code == 0 else [f"nothing was killed: {killed.said[-300:]}"]
        attempts = sorted(row["attempt"] for row in Found(store, 1).trials.values())
        if attempts[-2:] not in ([1, 1], [1, 2]) or (whose == "server" and attempts[-1] != 1):
            said.append(f"A5: attempts {attempts} after one kill")
        return [*said, *violations(store, self.expected, 4 if whose == "server" else 1, end, story.left)]

    def at_once(self, lane: int, event: int) -> list[str]:
        """A round was killed at an event; two commands go on with it at once, and one of them is refused."""
        store = self.fresh(lane)
        first = self.lanes[lane].tell([call(self.folder, store, "killed", kill_at=event)])
        wanted = f"resume={Found(store, 1).folder.name}"
        story = self.lanes[lane].tell([call(self.folder, store, f"resumed{i}", wanted) for i in range(2)])
        ends = sorted(story.ends[0], key=lambda end: (end.code is None, end.code))
        said = _not_killed(first, 0)
        if [end.code for end in ends] != [0, 2]:
            said.append(f"A17: ended with {[end.code for end in ends]}")
        if not any(why in ends[1].said for why in ("is being run by process", "has ended", "is finished and stays")):
            said.append(f"I12: {ends[1].said[-300:]}")
        return [*said, *violations(store, self.expected, 1, ends[0], story.left)]

    def twice(self, lane: int, _: int = 0) -> list[str]:
        """The same command twice at once, in a fresh store: one begins the round, and the other is refused."""
        store, how = self.fresh(lane), {"environment": {"REST": "0.03", "ORDER": "0"}}
        story = self.lanes[lane].tell([call(self.folder, store, f"twin{i}", **how) for i in range(2)])
        ends = sorted(story.ends[0], key=lambda end: (end.code is None, end.code))
        said = [] if [end.code for end in ends] == [0, 2] else [f"A17: ended with {[end.code for end in ends]}"]
        if "is being run by process" not in ends[1].said:
            said.append(f"I12: {ends[1].said[-300:]}")
        return [*said, *violations(store, self.expected, 0, ends[0], story.left)]

    def rivals(self, lane: int, _: int = 0) -> list[str]:
        """Two rounds of one goal at once, of which one promotes; the other is gated against what it put."""
        store = self.fresh(lane)
        story = self.lanes[lane].tell([call(self.folder, store, f"rival{i}", f"notes=rival{i}") for i in range(2)])
        found = Found(store, 0)
        ends = sorted((row["outcome"], row["generation"]) for row in found.tables["rounds"])
        promoted = [row["round_id"] for row in found.tables["generations"]]
        digests = [row["digest"] for row in found.tables["rounds"] if row["round_id"] in promoted]
        said = [f"I8: ended with {end.code}: {end.said[-300:]}" for end in story.ends[0] if end.code != 0]
        if ends != [("keep", 1), ("promote", 0)]:
            said.append(f"D1: the rounds ended with {ends}")
        if digests != [self.expected.digest]:
            said.append(f"I3: who promoted has another digest, {digests}")
        return said

    def in_another_order(self, lane: int, seed: int, workers: int, **how: Any) -> list[str]:
        """Trials rest by chance, so that they end in another order."""
        store = self.fresh(lane)
        environment = {"REST": "0.01", "ORDER": str(seed)}
        one = call(self.folder, store, "out", f"runner.workers={workers}", environment=environment, **how)
        story = self.lanes[lane].tell([one])
        return violations(store, self.expected, 0, story.ends[0][0], story.left)

    def order(self, lane: int) -> tuple[str, ...]:
        """The trials of the lane's last round in the order in which they ended."""
        rows = [row for row in Found(self.store(lane), 0).tables["attempts"] if row["accepted"]]
        return tuple(row["trial_id"] for row in sorted(rows, key=lambda row: (row["ended"], row["trial_id"])))


FOUR = ("runner.workers=4",)


@contextmanager
def bench(lanes: int, warm: Warm, more: Sequence[str] = ()) -> Iterator[Bench]:
    """A bench with so many lanes, in memory where there is a file system for that: a kill loses nothing either way."""
    memory = Path("/dev/shm")
    place = str(memory) if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tunebook-", dir=place) as base, open_lanes(lanes, warm, more) as started:
        yield Bench(Path(base), started)


def kill_one(store: str, seed: int, whose: str) -> int:
    """Kills one process of four running trials, or their parent; 0 once it is done."""
    chance, until = random.Random(seed), time.monotonic() + 30
    while time.monotonic() < until:
        running = _running(Path(store) / "records")
        if len(running) == 4:
            pid = chance.choice(running)
            os.kill(_parent(pid) if whose == "server" else pid, signal.SIGKILL)
            return 0
        time.sleep(0.01)
    return 1


def _running(records: Path) -> list[int]:
    """The processes of trials that have done a step."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            work = Path(os.readlink(process / "cwd"))
            if work.is_relative_to(records) and 1 < len((work / "done.txt").read_text().split()) < 11:
                found.append(int(process.name))
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def verdict_in(store: Path) -> tuple[object, object]:
    """What a round said, and what it promoted, without the sign of its numbers."""
    found = Found(store, 0)
    verdict = found.record.verdict
    promoted = [json.loads(row["point_json"]) for row in found.tables["generations"]]
    return (verdict.outcome, round(abs(verdict.gain or 0.0), 9)), promoted


def _not_killed(story: Story, stage: int) -> list[str]:
    end = story.ends[stage][0]
    return [] if end.code == KILLED else [f"it was not killed: it ended with {end.code}: {end.said[-300:]}"]


if __name__ == "__main__":  # python -m tests.faults.kill.rounds 123: what happens at that event
    with closing(Warm()) as warm, bench(1, warm) as started:
        for number in map(int, sys.argv[1:]):
            print(number, started.names[number - 1], started.killed(0, number) or "nothing is wrong")
