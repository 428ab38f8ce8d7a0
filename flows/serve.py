"""The command `serve`: the deployment of this folder, for the UI, the API and a schedule (--cron "0 3 * * *")."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.compose.called import program
from flows.compose.messages import tell
from flows.prefect.deployment import deployment_name, serve
from flows.prefect.server import PrefectServer, home
from flows.session.exit_code import explained


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; 2 where the arguments or PREFECT_API_URL will not do, 1 where no server starts."""
    given = _parser().parse_args(arguments)
    try:
        with PrefectServer(home()) as server:
            server.wait()
            print(f"serving tune-round/{deployment_name(Path.cwd())} at {server.url}; Ctrl-C ends it", flush=True)
            serve(given.cron, given.overrides)
    except Exception as error:
        code, sentence = explained(error)
        tell(sentence)
        return code
    return 0


def _parser() -> argparse.ArgumentParser:
    """What can be set."""
    made = argparse.ArgumentParser(prog=program("serve"), description=__doc__)
    made.add_argument("--cron", help='run on a schedule, such as "0 3 * * *"; the seed then derives from the slot')
    made.add_argument("overrides", nargs="*", help="the overrides that the form and the schedule start from")
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
