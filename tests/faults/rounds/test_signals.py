"""Signals: the first lets trials save and stop, the second Ctrl-C is at once; the same command then loses nothing."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.session import signals
from flows.session.exit_code import HINT
from tasks.ledger import open_ledger
from tests.faults.conftest import Tally, Times
from tests.faults.rounds.process import (
    STEPS,
    TRAIN,
    left_in,
    record_of,
    start,
    steps_done,
    trials_done,
    wait_for_trials,
    whole,
    write_folder,
)

pytestmark = pytest.mark.usefixtures("as_from_a_terminal")
WHOLE_STEPS = list(range(1, STEPS + 1))
EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "own")


def ended(process: subprocess.Popen[str], seconds: float) -> str:
    """What it said; it must end in time."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def round_state(store: Path) -> str:
    with open_ledger(store) as ledger:
        (begun,) = ledger.rounds()
    return begun.state


def test_signals_end_a_round_cleanly_and_the_same_command_loses_no_step(folder: Path, tally: Tally) -> None:
    store = folder.parent / "store"
    violations = 0
    for number, done in ((signal.SIGTERM, 1), (signal.SIGINT, 3)):
        more = max(done, trials_done(store) + 1)  # the signal comes while trials run: some ended after the last one
        process = start(folder, store, "orchestrate=off")
        wait_for_trials(process, store, more)
        process.send_signal(number)
        began = time.monotonic()
        said = ended(process, 30)
        assert process.returncode == EXIT[number], said
        assert said.strip().splitlines()[-1] == f"stopped; {HINT}"
        assert time.monotonic() - began < 10
        assert round_state(store) == "interrupted"
        violations += bool(left_in(folder.parent))
    process = start(folder, store, "orchestrate=off")
    assert ended(process, 240), "the round never ended"
    assert process.returncode == 0
    steps = steps_done(store)
    violations += sum(done != WHOLE_STEPS for done in steps.values()) + (record_of(store).digest != whole().digest)
    assert set(steps) == {t.id for t in whole().trials}
    tally("A8 A9", "signals at the coordinator", 2, violations)


@pytest.mark.prose
def test_a_second_ctrl_c_ends_at_once_and_the_ledger_is_sound(folder: Path, tally: Tally) -> None:
    deaf = TRAIN.replace("trial.stopping or ", "").replace("time.sleep(0.005)", "time.sleep(30)")
    (folder / "own.py").write_text(deaf.replace(", torch", ""))  # it never comes to save
    store = folder.parent / "store"
    process = start(folder, store, "orchestrate=off")
    while not list((store / "records").glob("*/trials/*/work/done.txt")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert process.poll() is None, "the trials were not given the time that they have to save"
    process.send_signal(signal.SIGINT)
    said = ended(process, 5)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == f"stopped at once; {HINT}"
    deadline = time.monotonic() + 5  # the fork server ends what it started
    while (left := left_in(folder.parent)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert trials_done(store) == 0  # opens and checks the ledger
    tally("A8", "second Ctrl-C", 1, len(left))


def test_signals_at_random_times_of_a_round(folder: Path, times: Times, tally: Tally) -> None:
    """Wherever the command is: starting, composing, running trials, analysing, writing the report."""
    runs = times(0, 20)
    if not runs:
        pytest.skip("each costs two rounds: make faults")
    began = time.monotonic()
    ended(start(folder, folder.parent / "timed", "orchestrate=off"), 240)
    length = time.monotonic() - began
    violations, chance = 0, random.Random(0)
    for run in range(runs):
        store = folder.parent / f"store{run}"
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        process = start(folder, store, "orchestrate=off")
        time.sleep(chance.uniform(0.05, 1.0) * length)
        process.send_signal(number)
        said = ended(process, 30)
        # before our first line and after our last one the signal does what it does to any program
        fine = process.returncode in (EXIT[number], -number, 0) and not left_in(store)
        if process.returncode != 0:
            again = start(folder, store, "orchestrate=off")
            said += ended(again, 240)
            fine &= again.returncode == 0
        concluded = sorted((store / "records").glob("*/record.json"))
        fine &= all(done == WHOLE_STEPS for done in steps_done(store).values())
        fine &= bool(concluded) and f'"digest": "{whole().digest}"' in concluded[0].read_text()
        print(run, number, process.returncode, fine, len(concluded), "" if fine else said[-300:])
        violations += not fine
    tally("A8 A9", "signals at random times of a round", runs, violations)


def descendants(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = {int(child) for task in tasks for child in task.read_text().split()}
    return children.union(*map(descendants, children))


def test_signals_under_prefect_leave_no_process_and_lose_no_step(folder: Path, times: Times, tally: Tally) -> None:
    """While a Prefect server of the command's own starts, and inside the flow."""
    home = {"PREFECT_HOME": str(folder.parent / "home")}
    cases = [(n, done) for done in (0, 1, 6) for n in (signal.SIGINT, signal.SIGTERM)][: times(0, 6)]
    if not cases:
        pytest.skip("each starts a server of its own: make faults")
    violations = 0
    for run, (number, done) in enumerate(cases):
        store = folder.parent / f"store{run}"
        process = start(folder, store, env=home)
        if done:
            wait_for_trials(process, store, done)
        else:
            time.sleep(4)
        started = descendants(process.pid)
        process.send_signal(number)
        began = time.monotonic()
        said = ended(process, 30)
        took = time.monotonic() - began
        left = [pid for pid in started if Path(f"/proc/{pid}").exists()]
        again = start(folder, store, env=home)
        said += ended(again, 240)
        fine = (process.returncode, again.returncode) == (EXIT[number], 0) and took < 10 and not left and bool(started)
        fine &= all(steps == WHOLE_STEPS for steps in steps_done(store).values())
        fine &= record_of(store).digest == whole().digest
        print(number, done, process.returncode, f"{took:.1f} s", fine, left, "" if fine else said)
        violations += not fine
    tally("A8 A9", "signals under Prefect", len(cases), violations)


@pytest.mark.prose
def test_notice_is_given_and_the_program_ends_though_the_main_thread_is_deaf(tmp_path: Path) -> None:
    program = f"""
import os, sqlite3
from flows.session import signals
signals.LIMIT = 1.0
holder = sqlite3.connect("{tmp_path}/db", isolation_level=None)
holder.execute("begin exclusive")
with signals.heeding() as stop, stop.noticed(lambda: os.write(1, b"noticed ")):
    said = False
    while True:
        try:
            if not said:
                said = True  # before the line that brings the signal
                print("ready", flush=True)
            sqlite3.connect("{tmp_path}/db", timeout=60).execute("begin immediate")  # a wait that no signal interrupts
        except BaseException:
            pass
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    said = ended(process, 30)
    assert said.startswith("noticed")
    assert "stopped; no round had begun" in said
    assert process.returncode == 143


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(n) for n in EXIT]
    with signals.heeding() as stop:
        assert [signal.getsignal(n) for n in EXIT] == [stop.handle] * 3
        with signals.heeding() as inner:
            assert inner is stop
    assert [signal.getsignal(n) for n in EXIT] == before
