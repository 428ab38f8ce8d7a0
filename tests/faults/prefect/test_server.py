"""Prefect's server dies, falls silent or is never there: the round concludes all the same."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.compose import compose
from flows.compose.config import CONF
from flows.prefect.flow import is_prefects
from flows.prefect.server import PrefectServer
from flows.prefect.shown import Shown
from tasks.ledger.locks import held, take
from tasks.record import hash_of
from tasks.scope.error import InputError
from tests.faults.conftest import Tally, Times
from tests.faults.mlflow.false_server import Door, Kind, door
from tests.faults.prefect.api import call, until
from tests.faults.rounds.process import attempts_of, left_in, record_of, start, wait_for_trials, whole, write_folder

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # what a door cut while it opened
QUICK = (
    *("workload=synthetic", "space=synthetic", "goal=synthetic", "budget.trials=2", "budget.retrains=1"),
    *("tracking.enabled=false", "acknowledge={D8: few}"),
)
NEVER = 300  # seconds: what has not ended by then never does


@pytest.fixture(scope="module")
def home(prefect: tuple[Path, str]) -> Path:
    return prefect[0]


@pytest.fixture(scope="module")
def api(prefect: tuple[Path, str]) -> str:
    return prefect[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "own")


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


def begun(process: subprocess.Popen[str], home: Path) -> None:
    """Wait until a flow run is there: its process holds its mark."""
    while process.poll() is None and not any(map(held, (home / "running").glob("*"))):
        time.sleep(0.01)


def concluded(process: subprocess.Popen[str], store: Path) -> None:
    """Wait until the record is written."""
    while process.poll() is None and not list((store / "records").glob("*/record.json")):
        time.sleep(0.01)


Point = Callable[[subprocess.Popen[str], Path, Path], None]
POINTS: dict[str, Point] = {
    "at the end": lambda process, store, home: concluded(process, store),
    "after 4 trials": lambda process, store, home: wait_for_trials(process, store, 4),
    "as the flow run begins": lambda process, store, home: begun(process, home),
    **{
        f"after {n} trials": lambda process, store, home, n=n: wait_for_trials(process, store, n)  # type: ignore[misc]
        for n in (1, 2, 6, 7, 8, 10, 12)
    },
}
BREAKS: list[tuple[str, Kind]] = [
    ("after 4 trials", "refuses"),
    ("at the end", "silent"),
    *((point, "refuses") for point in POINTS if point != "after 4 trials"),
    ("after 4 trials", "silent"),
    ("as the flow run begins", "silent"),
]


def flap(to: Door, process: subprocess.Popen[str]) -> None:
    """Refuse for a second, answer for a second, and so on."""
    while process.poll() is None:
        for kind in ("refuses", "passes"):
            to.turn(kind)
            time.sleep(1.0)


def broken(folder: Path, home: Path, api: str, store: Path, point: str, what: Kind | str) -> bool:
    """Whether a round went wrong whose Prefect server breaks at a point."""
    with door("passes", port_of(api)) as to:
        env = {"PREFECT_API_URL": f"{to.uri}/api", "PREFECT_HOME": str(home)}
        process = start(folder, store, env=env)
        POINTS[point](process, store, home)
        began = time.monotonic()
        if what == "flapping":
            threading.Thread(target=flap, args=(to, process)).start()
        else:
            to.turn(what)  # type: ignore[arg-type]
        said, _ = process.communicate(timeout=NEVER)
        print(f"{point}, {what}: ended {time.monotonic() - began:.1f} s later with {process.returncode}")
    fine = process.returncode == 0 and record_of(store).digest == whole().digest
    fine &= set(attempts_of(store).values()) == {1} and not left_in(store)
    print("" if fine else said)
    return not fine


def test_a_round_whose_prefect_server_breaks_concludes_the_same_and_runs_nothing_twice(
    folder: Path, home: Path, api: str, times: Times, tally: Tally
) -> None:
    breaks = BREAKS[: times(2, len(BREAKS))]
    stores = folder.parent
    with ThreadPoolExecutor(times(len(breaks) + 1, 1)) as pool:  # most of it is waiting for a server that is silent
        pool.submit(whole)
        going_on = [pool.submit(broken, folder, home, api, stores / f"{i}", *each) for i, each in enumerate(breaks)]
    violations = [broke.result() for broke in going_on]
    tally("C9 C10", "breaks of Prefect's server", len(breaks), sum(violations))


def test_a_round_concludes_while_prefects_server_flaps(
    folder: Path, home: Path, api: str, times: Times, tally: Tally
) -> None:
    points = ("as the flow run begins", "after 2 trials", "after 8 trials")[: times(0, 3)]
    if not points:
        pytest.skip("each costs a round: make faults")
    violations = [broken(folder, home, api, folder.parent / f"{i}", p, "flapping") for i, p in enumerate(points)]
    tally("C10", "flapping of Prefect's server", len(points), sum(violations))


def test_a_round_concludes_after_its_own_prefect_server_was_killed(folder: Path, times: Times, tally: Tally) -> None:
    """The server that the command started itself, killed by SIGKILL."""
    runs = times(0, 2)
    if not runs:
        pytest.skip("each starts a server of its own: make faults")
    violations = 0
    for run, trials in zip(range(runs), (3, 10), strict=False):
        store = folder.parent / f"{run}"
        process = start(folder, store, env={"PREFECT_HOME": str(folder.parent / "home")})
        wait_for_trials(process, store, trials)
        (server,) = (p for p in children(process.pid) if "uvicorn" in Path(f"/proc/{p}/cmdline").read_text())
        os.kill(server, signal.SIGKILL)
        said, _ = process.communicate(timeout=NEVER)
        fine = process.returncode == 0 and record_of(store).digest == whole().digest
        fine &= set(attempts_of(store).values()) == {1}
        print(process.returncode, said[-500:])
        violations += not fine
    tally("C10", "SIGKILL of the round's own Prefect server", runs, violations)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.mark.parametrize("kind", ["refuses", "silent"])
@pytest.mark.prose
def test_a_server_that_was_named_and_does_not_answer_is_warned_of_and_done_without(kind: Kind, tmp_path: Path) -> None:
    with door(kind) as to:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "flows.round", *QUICK, f"tracking.root={tmp_path}"],
            cwd=CONF.parent,
            env=os.environ | {"PREFECT_API_URL": f"{to.uri}/api", "PREFECT_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=60,
        )
    print(f"{time.monotonic() - began:.1f} s")
    assert done.returncode == 0
    assert (
        f"warning: PREFECT_API_URL: no Prefect server answers at {to.uri}/api (start it, or unset the variable); "
        "the round runs without Prefect"
    ) in done.stderr.splitlines()
    assert len(list(tmp_path.glob("records/*/record.json"))) == 1


@pytest.mark.parametrize("error", [RuntimeError("the Prefect server ended at once"), PermissionError("no home")])
@pytest.mark.prose
def test_a_server_of_our_own_that_cannot_start_is_done_without(
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(self: PrefectServer) -> PrefectServer:
        raise error

    monkeypatch.setattr(PrefectServer, "__enter__", fails)
    with Shown() as shown, shown.round(compose.from_overrides(QUICK)):
        pass
    assert capsys.readouterr().err == f"warning: {error}; the round runs without Prefect\n"


def raised_by(act: Callable[[], Any]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is
        act()
    return caught.value


def test_prefects_failures_are_told_from_the_rounds_own() -> None:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import Abort
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
    from prefect.utilities.collections import visit_collection

    with socket.socket() as probe:  # bound and not listening: refused
        probe.bind(("127.0.0.1", 0))
        closed = {PREFECT_API_URL: f"http://127.0.0.1:{probe.getsockname()[1]}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(closed), get_client(sync_client=True) as client:
            assert is_prefects(raised_by(client.hello))
    assert is_prefects(Abort("the server says no"))
    ours = raised_by(lambda: visit_collection([object()], visit_fn=hash_of))  # ours, called by Prefect
    assert isinstance(ours, TypeError)
    assert not is_prefects(ours)
    for error in (InputError("wrong"), KeyboardInterrupt(), SystemExit(143), RuntimeError("the fork server died")):
        assert not is_prefects(error)


def mark(home: Path, run: str, round_id: str = "") -> Path:
    """The mark of a process of this machine that is gone."""
    (home / "running").mkdir(exist_ok=True)
    path = home / "running" / run
    path.write_text(round_id)
    return path


def reconciled(home: Path, api: str) -> int:
    """How many flow runs a process that starts up has to tell Prefect of."""
    done = subprocess.run(
        [sys.executable, "-c", "from flows.prefect.server import settle, home; settle(home())\n"
         "from flows.prefect.reconcile import reconcile; print(reconcile())"],
        cwd=CONF.parent, env=os.environ | {"PREFECT_API_URL": api, "PREFECT_HOME": str(home)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return int(done.stdout)


def flow_run(api: str, state: str) -> str:
    flow = until(lambda: call(f"{api}/flows/", {"name": "tune-round"}), 60)
    body = {"flow_id": flow["id"], "state": {"type": state}}
    return str(until(lambda: call(f"{api}/flow_runs/", body), 60)["id"])


def test_zombies_are_marked_and_what_runs_is_left_alone(home: Path, api: str, tally: Tally) -> None:
    def state(run: str) -> str:
        return str(until(lambda: call(f"{api}/flow_runs/{run}"), 60)["state"]["type"])

    reconciled(home, api)
    going_on = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}}
    violations = len(until(lambda: [call(f"{api}/flow_runs/filter", going_on)], 60)[0])  # of the rounds above
    gone = {kind: flow_run(api, kind) for kind in ("RUNNING", "PENDING", "CANCELLING")}
    ended, elsewhere, alive = (flow_run(api, "RUNNING") for _ in range(3))
    wrong, again, failed = flow_run(api, "CRASHED"), flow_run(api, "SCHEDULED"), flow_run(api, "FAILED")
    for run in (*gone.values(), again, failed):
        mark(home, run)
    for run in (ended, wrong):
        mark(home, run, "round-1")
    lock = take(mark(home, alive), "a test")
    told = reconciled(home, api)
    lock.release()
    expected = dict.fromkeys(gone.values(), "CRASHED") | {ended: "COMPLETED", wrong: "COMPLETED"}
    expected |= {elsewhere: "RUNNING", alive: "RUNNING", again: "SCHEDULED", failed: "FAILED"}
    violations += sum(state(run) != kind for run, kind in expected.items())
    assert told == 5
    assert reconciled(home, api) == 1  # the one that was alive
    assert reconciled(home, api) == 0
    tally("C11", "flow runs of which Prefect has another idea than the ledger", len(expected), violations)
