"""The deployment `tune-round`, for the UI, the API and a schedule: python -m flows.serve [--cron "0 3 * * *"]."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.round import explained
from flows.sentences import tell
from flows.server import PrefectServer, home
from flows.signals import heeding

NAME = "tune-round"


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; 2 where the arguments or PREFECT_API_URL will not do, 1 where no server starts."""
    given = parser().parse_args(arguments)
    try:
        with PrefectServer(home()) as server:
            server.wait()
            print(f"serving tune-round/{NAME} at {server.url}; Ctrl-C ends it", flush=True)
            serve(given.cron, given.overrides)
    except Exception as error:
        code, sentence = explained(error)
        tell(sentence)
        return code
    return 0


def parser() -> argparse.ArgumentParser:
    """What can be set."""
    made = argparse.ArgumentParser(prog="python -m flows.serve", description=__doc__)
    made.add_argument("--cron", help='run on a schedule, such as "0 3 * * *"; the seed then derives from the slot')
    made.add_argument("overrides", nargs="*", help="the overrides that the form and the schedule start from")
    return made


def serve(cron: str | None, overrides: Sequence[str]) -> None:
    """Register the deployment and run what is asked of it, one round at a time, until a signal comes."""
    from prefect.types.entrypoint import EntrypointType

    from flows.reconcile import reconcile
    from flows.tuning import forgiven, tune_round

    with forgiven():
        reconcile()
    with heeding() as stop, stop.noticed(pass_on):
        tune_round.serve(
            name=NAME,
            cron=cron,
            parameters={"overrides": list(overrides), "config_dir": None},
            description="One round of tuning: overrides as in the shell, one an entry.",
            entrypoint_type=EntrypointType.MODULE_PATH,
            limit=1,
            print_starting_message=False,
        )


def pass_on() -> None:
    """Send SIGTERM to the rounds that run: Prefect would wait for their end. Servers have sessions of their own."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            _, parent, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(parent) == os.getpid() and int(session) == os.getsid(0):
                os.kill(int(stat.parent.name), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
