"""The command `demo`: one round on real data, and, where it refuses to conclude, the round that it names as next."""

import sys
from collections.abc import Sequence
from pathlib import Path

from flows.compose.called import line
from flows.prefect.shown import Shown
from flows.round import main as run_round
from flows.session.exit_code import leave
from tasks.ledger import open_ledger
from tasks.record import Record
from tasks.upgrade import read_record

ROOT = Path("mlruns", "demo")
FIRST = ("workload=mnist1d", "goal=optimizer", "budget=quick", "tracking.root=mlruns/demo")


def main(arguments: Sequence[str]) -> int:
    """The exit code of the last round. One Prefect server, if any, is told of both."""
    with Shown() as shown:
        code = _run([*FIRST, *arguments], shown)
        last = _last()
        if code == 0 and last is not None and last.verdict.outcome == "redesign" and last.next.command:
            print("\nThe round refused to conclude. This is the round that it named as next.\n", flush=True)
            code = _run(list(last.next.overrides), shown)
    return code


def _run(overrides: list[str], shown: Shown) -> int:
    print(f"$ {line('round', overrides)}", flush=True)
    return run_round(overrides, shown)


def _last() -> Record | None:
    """The record of the round that ended last."""
    with open_ledger(ROOT) as ledger:
        rounds = [r for r in ledger.rounds() if r.state == "finished"]
        text = ledger.record(rounds[0].round_id) if rounds else None
    return read_record(text) if text else None


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
