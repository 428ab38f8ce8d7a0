"""Rounds with something registered behind a seam that this program does not ship, as processes that can be killed."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.ledger import Ledger, open_ledger
from tasks.record import Record
from tasks.upgrade import read_record
from tests.processes.forked import Forked, put, start_servers_by
from tests.processes.warm import Warm
from tests.seams.toys import length
from tests.seams.toys.climb import Climb
from tests.seams.toys.fours import Fours
from tests.seams.toys.lattice import Lattice

SMALL = (
    *("workload=synthetic", "goal=synthetic", "orchestrate=off", "tracking.enabled=false"),
    *("budget.max_train_steps=20", "budget.eval_every_steps=2", "budget.retrains=2", "budget.finalists=1"),
)
KILLED = -signal.SIGKILL


def register() -> None:
    """Every toy joins its registry, for as long as this process lives."""
    from tasks.design.samplers.all import SAMPLERS
    from tasks.trials.runners import RUNNERS

    length.register()
    SAMPLERS |= {"climb": Climb, "lattice": Lattice}
    RUNNERS["fours"] = Fours


def run(words: list[str], kill_at: int | None) -> int:
    """The exit code of a round with the toys at hand; killed before it writes down result number `kill_at`, from 1."""
    import flows.round
    from tasks.report import write

    register()
    start_servers_by(Forked)
    put(write, page=lambda *_, **__: "")  # what it looks like is tested elsewhere
    real, seen = Ledger.finish, [0]

    def finish(ledger: Ledger, *values: Any) -> bool:
        seen[0] += 1
        if seen[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(ledger, *values)

    put(Ledger, finish=finish)
    return flows.round.main(words)


def played(
    warm: Warm,
    root: Path,
    *words: str,
    kills: Sequence[int] = (),
    config_dir: Path | None = None,
    small: Sequence[str] = SMALL,
) -> Record:
    """The record of the store's newest round: killed at each of these results, and resumed by the same command."""
    folder = ["--config-dir", str(config_dir)] if config_dir else []
    said = [*folder, *small, f"tracking.root={root}", *words]
    for kill_at in (*kills, None):
        given = {"words": said, "kill_at": kill_at}
        process = warm.start("tests.seams.rounds:run", given, environment=os.environ, printed=True)
        assert process.wait(120) == (0 if kill_at is None else KILLED), process.said
    with open_ledger(root) as ledger:
        newest = ledger.rounds()[0].round_id
    return read_record((root / "records" / newest / "record.json").read_text())


def attempts(root: Path) -> dict[str, int]:
    """How many attempts each trial of the only round of a store took."""
    with open_ledger(root) as ledger:
        (row,) = ledger.rounds()
        assert set(ledger.results(row.round_id)) == set(ledger.attempts(row.round_id))  # nothing is lost
        return ledger.attempts(row.round_id)
