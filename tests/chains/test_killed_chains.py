"""The same chains as commands that are killed while they run and typed again: nothing promoted is lost or doubled.

`TUNEBOOK_KILLED_CHAIN=30` plays so many rounds; by default it is a few.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.ledger import open_ledger
from tasks.record import Record
from tests.chains.chain import Link, links, played, write_folder
from tests.processes.warm import Warm

ROUNDS = int(os.environ.get("TUNEBOOK_KILLED_CHAIN", "6"))
LENGTH = min(6, ROUNDS // 2)  # rounds a chain: more than one chain, since the first is the simplest there is
KILLS = 3  # of a round at most
ATTEMPTS = 12


class Killed:
    """Runs each round as a command, killed at random moments and typed again until it is concluded."""

    def __init__(self, warm: Warm, root: Path, seed: int) -> None:
        self._warm, self._root, self._draw = warm, root, random.Random(seed)
        self.kills = 0

    def __call__(self, words: tuple[str, ...], folder: Path) -> Record:
        before, kills = set(self._finished()), self._draw.randrange(KILLS + 1)
        said = {"words": ["--config-dir", str(folder), *words]}
        for attempt in range(ATTEMPTS):
            process = self._warm.start("tests.processes.forked:run_round", said, environment=os.environ, printed=True)
            if attempt < kills:
                time.sleep(self._draw.uniform(0.05, 2.0))
                self.kills += process.poll() is None
                process.kill()
            process.wait()
            for round_id in set(self._finished()) - before:
                record = self._root / "records" / round_id / "record.json"
                return Record.model_validate_json(record.read_text())
        raise AssertionError(f"no record after {ATTEMPTS} attempts: {process.said}")

    def _finished(self) -> Iterator[str]:
        if (self._root / "ledger.db").exists():
            with open_ledger(self._root) as ledger:
                yield from (r.round_id for r in ledger.rounds("chain") if r.state == "finished")


@pytest.mark.playbook("G9", case="shows")
def test_a_killed_chain_loses_no_promotion_and_makes_none_twice(warm: Warm, tmp_path: Path) -> None:
    kills: list[int] = []

    @settings(
        max_examples=ROUNDS // LENGTH,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(chain=st.lists(links(), min_size=LENGTH, max_size=LENGTH))
    def play(chain: list[Link]) -> None:
        place = tmp_path / f"chain{len(kills)}"
        run = Killed(warm, place / "store", seed=len(kills))
        assert len(played(chain, write_folder(place / "own"), place / "store", run)) == LENGTH
        kills.append(run.kills)

    play()
    assert sum(kills) > 0
