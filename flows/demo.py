"""The command `demo`: one round on real data, and, where it refuses to conclude, the round that it names as next."""

import sys
from collections.abc import Sequence
from pathlib import Path

from flows.compose.called import line
from flows.prefect.server import PrefectServer, home
from flows.round import main as run_round
from flows.session.exit_code import leave
from tasks.ledger import open_ledger
from tasks.record import Record
from tasks.upgrade import read_record

ROOT = Path("mlruns", "demo")
FIRST = ("workload=mnist1d", "goal=optimizer", "budget=quick", "tracking.root=mlruns/demo")


def main(arguments: Sequence[str]) -> int:
    """The exit code of the last round. One Prefect server serves both: a process can speak to one only."""
    with PrefectServer(home()) as server:
        print("starting a Prefect server (10 to 30 s)" if server.ours else f"using {server.url}", flush=True)
        server.wait()
        code = _shown([*FIRST, *arguments])
        last = _last()
        if code == 0 and last is not None and last.verdict.outcome == "redesign" and last.next.command:
            print("\nThe round refused to conclude. This is the round that it named as next.\n", flush=True)
            code = _shown(list(last.next.overrides))
    return code


def _shown(overrides: list[str]) -> int:
    print(f"$ {line('round', overrides)}", flush=True)
    return run_round(overrides)


def _last() -> Record | None:
    """The record of the round that ended last."""
    with open_ledger(ROOT) as ledger:
        rounds = [r for r in ledger.rounds() if r.state == "finished"]
        text = ledger.record(rounds[0].round_id) if rounds else None
    return read_record(text) if text else None


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
