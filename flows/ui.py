"""`make ui`: the Prefect server with its UI, the MLflow UI and the deployment, on loopback, until Ctrl-C."""

import argparse
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.compose.called import program
from flows.compose.messages import tell
from flows.prefect.deployment import deployment_name, serve
from flows.prefect.server import PrefectServer, die_with_parent, home
from tasks.tracking import Tracking, server_command

EXAMPLE = ("workload=mnist1d", "goal=optimizer", "budget=quick")  # what the form starts from
PREFECT_PORT = 4200
MLFLOW_PORT = 5000


def main(arguments: Sequence[str]) -> int:
    """Start all three, print their addresses, and serve until Ctrl-C; 1 where one of them does not start."""
    given = _parser().parse_args(arguments)
    try:
        return _served(given)
    except (OSError, RuntimeError) as error:
        tell(f"error: {error}")
        return 1


def _served(given: argparse.Namespace) -> int:
    prefect_port, mlflow_port = given.prefect_port, given.mlflow_port
    tracking = Tracking(root=str(Path(given.root).resolve()))
    with PrefectServer(home(), prefect_port) as server, _mlflow(tracking, mlflow_port):
        server.wait()
        _wait(f"http://127.0.0.1:{mlflow_port}/health")
        print(f"Prefect UI   http://127.0.0.1:{prefect_port}")
        print(f"MLflow UI    http://127.0.0.1:{mlflow_port}")
        print(
            f"deployment   http://127.0.0.1:{prefect_port}/deployments (tune-round/{deployment_name(Path.cwd())})",
            flush=True,
        )
        serve(None, EXAMPLE)
    return 0


@contextmanager
def _mlflow(tracking: Tracking, port: int) -> Iterator[None]:
    """MLflow's server for its UI, while the context lasts and no longer than this process lives."""
    process = subprocess.Popen(
        server_command(tracking, port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _parser() -> argparse.ArgumentParser:
    """What can be set."""
    made = argparse.ArgumentParser(prog=program("ui"), description=__doc__)
    made.add_argument("--prefect-port", type=int, default=PREFECT_PORT)
    made.add_argument("--mlflow-port", type=int, default=MLFLOW_PORT)
    made.add_argument("--root", default="mlruns", help="the tracking.root to show")
    return made


def _wait(url: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"nothing answers at {url}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
