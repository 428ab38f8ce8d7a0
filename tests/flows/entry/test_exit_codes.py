"""docs/exit_codes.md says what the commands do: each of its rows is provoked, and there is no other."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import flows.round
from flows import history, sync
from flows.compose import compose
from flows.compose.config import CONF, RoundConfig
from flows.session.signals import Stop
from tasks.scope.error import InputError
from tasks.trials.inline import InlineRunner
from tasks.trials.running import RunningTrial

PAGE = CONF.parent / "docs" / "exit_codes.md"
TINY = (
    *("workload=synthetic", "space=synthetic", "goal=synthetic", "budget.trials=3", "budget.retrains=2"),
    *("runner=inline", "orchestrate=off", "tracking.enabled=false", "budget.max_train_steps=4"),
    *("budget.eval_every_steps=1", "acknowledge={D8: few}"),
)
WALL = "workload.wall={parameter: learning_rate, at: 1e-9}"  # whatever the point, it diverges
Provoke = Callable[[Path, pytest.MonkeyPatch], int]


def rounds_with(*words: str) -> Provoke:
    """A tiny round in this process, with these words."""
    return lambda folder, monkeypatch: flows.round.main([*TINY, *words, f"tracking.root={folder.parent / 'store'}"])


def broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A round whose training function is broken."""

    def train(trial: RunningTrial, **arguments: object) -> None:
        raise KeyError("valid_error")

    monkeypatch.setattr("tasks.trials.inline.resolve", lambda target, own: train)
    return rounds_with()(folder, monkeypatch)


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A round whose disk is full."""

    def raises(*values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(InlineRunner, "run", raises)
    return rounds_with()(folder, monkeypatch)


def signalled(number: int) -> Provoke:
    """A round that gets a signal."""

    def provoke(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr(Stop, "_run_out", lambda stop: None)  # it would end this process 9 seconds later
        monkeypatch.setattr(compose, "from_shell", lambda words: signal.raise_signal(number))
        before = signal.signal(number, signal.SIG_DFL)  # under nohup it would be ignored, as it should be
        try:
            return flows.round.main([])
        finally:
            signal.signal(number, before)

    return provoke


def mlflow_is_down(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """`sync` of a round to an MLflow that nobody serves."""
    assert rounds_with()(folder, monkeypatch) == 0
    return sync.main(
        [f"tracking.root={folder.parent / 'store'}", "tracking.enabled=true", "tracking.uri=http://127.0.0.1:9"]
    )


def forgets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """`check=resume` of a program that forgets its state; tests/flows/session/test_resume_check.py has real ones."""

    def broken_resume(config: RoundConfig) -> str:
        raise InputError("broken: after a resume the curve is another one")

    monkeypatch.setattr("flows.session.resume_check.resume_check", broken_resume)
    return rounds_with("check=resume")(folder, monkeypatch)


ROWS: dict[tuple[int, str, str], Provoke] = {
    (0, "every command", "it did what it was asked"): rounds_with(),
    (1, "round", "the first trials failed alike"): broken,
    (1, "round", "no trial gave a result"): rounds_with(WALL),
    (1, "round", "the machine failed"): full,
    (1, "round", "`check=trial`: the trial"): rounds_with(WALL, "check=trial"),
    (1, "sync", "MLflow did not take everything"): mlflow_is_down,
    (2, "every command", "the input is wrong"): lambda folder, monkeypatch: history.main(["show", "nothing"]),
    (2, "round", "`check=resume` found"): forgets,
    (2, "round", "`check=trial` found"): rounds_with("workload.deterministic=true", "check=trial"),
    (129, "round", "SIGHUP"): signalled(signal.SIGHUP),
    (130, "round", "Ctrl-C"): signalled(signal.SIGINT),
    (143, "round", "SIGTERM"): signalled(signal.SIGTERM),
}


def test_the_page_has_these_rows_and_no_other() -> None:
    cells = [line.split("|")[1:4] for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    told = [(int(code), command.strip(), when.strip()) for code, command, when in cells]
    assert len(told) == len(ROWS)
    for (code, command, when), (said, by, words) in zip(ROWS, told, strict=True):
        assert (said, by) == (code, command)
        assert words.startswith(when)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[2]}")
def test_each_row_ends_with_its_code(row: tuple[int, str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert ROWS[row](folder, monkeypatch) == row[0]


@pytest.mark.usefixtures("undrawn")
def test_with_several_rounds_one_that_gave_no_result_counts_and_the_others_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    several = rounds_with("-m", f"{WALL},{{parameter: learning_rate, at: 0.1}}")
    assert several(folder, monkeypatch) == 1
    outcomes = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("verdict ")]
    assert outcomes[0] == "redesign:"
    assert len(outcomes) == 2


def test_the_help_of_a_round_names_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert flows.round.main(["--help"]) == 0
    assert "docs/exit_codes.md" in capsys.readouterr().out
