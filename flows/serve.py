"""The deployment `tune-round`, for the UI, the API and a schedule: python -m flows.serve [--cron "0 3 * * *"]."""

import argparse
import sys
from collections.abc import Sequence

from flows.server import PrefectServer, home

NAME = "tune-round"


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; 2 where the arguments will not do."""
    given = parser().parse_args(arguments)
    with PrefectServer(home()) as server:
        server.wait()
        print(f"serving tune-round/{NAME} at {server.url}; Ctrl-C ends it", flush=True)
        serve(given.cron, given.overrides)
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

    from flows.tuning import tune_round

    tune_round.serve(
        name=NAME,
        cron=cron,
        parameters={"overrides": list(overrides), "config_dir": None},
        description="One round of tuning: overrides as in the shell, one an entry.",
        entrypoint_type=EntrypointType.MODULE_PATH,
        limit=1,
        print_starting_message=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
