"""A round called from Python: a script at top level without a guard, and a function of a process that runs on."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import tunebook

from flows.compose.config import CONF

SCRIPT = """
import tasks                                     # a module of the user's own
from tunebook import InputError, tune
print("the script begins")
words = ("workload=synthetic", "goal=synthetic", "seed=1", "budget.retrains=3", "tracking.enabled=false")
record = tune(*words, quiet=True)
print(record.verdict.outcome, record.promoted.point == record.verdict.candidate.point)
print(sorted(record.promoted.point))
for bad in ("goal=nix", "check=plan", "-m"):
    try:
        tune(bad, quiet=True)
    except InputError as error:
        print(error)
import tasks as again, sys
print(again is tasks, [name for name in sys.modules if name.startswith(("flows", "tasks."))])
"""
SMALL = ("workload=synthetic", "goal=synthetic", "budget=quick", "budget.retrains=3", "tracking.enabled=false")


@pytest.mark.prose
def test_a_script_without_a_guard_gets_its_record_once_and_its_own_modules_back(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("mine = True\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    own = {"PYTHONPATH": str(CONF.parent / "flows" / "entry")}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=os.environ | own, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "the script begins",
        "promote True",
        "['dropout.rate', 'learning_rate', 'one_minus_momentum', 'regularizer']",
        "goal: there is no goal/nix; allowed are depth, dropout, optimizer, synthetic, weight_decay.",
        "check=plan: only the command has this; from Python a round runs, and without Prefect.",
        "'-m' is no override: give texts such as 'seed=1', and config_dir= by its name.",
        "True []",
    ]
    assert len([*(tmp_path / "mlruns/records").glob("*/report.html")]) == 1


def interrupted(*_: object) -> tuple[str, ...]:
    """As if somebody pressed Ctrl-C when the warnings are told."""
    signal.raise_signal(signal.SIGINT)
    return ()


@pytest.mark.usefixtures("undrawn")
def test_it_prints_what_the_shell_prints_and_is_resumed_after_an_interrupt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*SMALL, f"tracking.root={tmp_path}")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started to ignore it
    before, called = signal.getsignal(signal.SIGINT), os.environ.get("TUNEBOOK_CALLED")
    monkeypatch.setattr("flows.tune.warnings_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tunebook.tune(*words)
    monkeypatch.undo()
    (begun,) = (path.name for path in (tmp_path / "records").iterdir())
    monkeypatch.setattr("tasks.report.write.page", lambda record, curves, folder: record.digest)
    record = tunebook.tune(*words)
    assert record.round_id == begun
    assert "\nverdict   " in capsys.readouterr().out
    assert (signal.getsignal(signal.SIGINT), os.environ.get("TUNEBOOK_CALLED")) == (before, called)


@pytest.mark.usefixtures("undrawn")
def test_a_notebooks_thread_may_call_it_and_quiet_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[str] = []

    def call() -> None:
        found.append(tunebook.tune(*SMALL, f"tracking.root={tmp_path}", quiet=True).verdict.outcome)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(120)
    assert found
    assert found[0] in ("promote", "keep", "retrain", "redesign")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
