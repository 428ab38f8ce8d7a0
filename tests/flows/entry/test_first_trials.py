"""A round of broken code is stopped by its first trials, says where it broke, and prints the command to resume it."""

import shlex
from pathlib import Path

import pytest

from flows.round import main
from tasks.ledger import open_ledger
from tasks.record import Record
from tests.flows.own_round import TRAIN, arguments, record_in

SMALL = ("budget.trials=5", "budget.retrains=2", "runner.workers=2")
BROKEN = """
def train(trial):
    if not open(%r).read():
        return build(trial)
    return sound(trial)

def build(trial):
    %s
"""
CALLS = {
    "another library's method": ('trial.suggest_float("x", 0, 1)', "a trial of tunebook has no 'suggest_float': read"),
    "a value returned": ("return 0.1", "no result: it ended without ever reporting loss"),
    "a missing module": ("import kernels_of_ours.attention", "ModuleNotFoundError: No module named 'kernels_of_ours'"),
}


def break_(folder: Path, call: str) -> Path:
    """The user's program with such a mistake, unless the file that this returns says something."""
    switch = folder.parent / "mended"
    switch.write_text("")
    (folder / "own.py").write_text(TRAIN.replace("def train", "def sound") + BROKEN % (str(switch), call))
    return switch


def rounds(folder: Path) -> list[tuple[str, str, int]]:
    """`(id, state, results)` of each round in the store."""
    with open_ledger(folder.parent / "store") as ledger:
        return [(r.round_id, r.state, len(ledger.results(r.round_id))) for r in ledger.rounds()]


@pytest.mark.playbook("E10", case="fires")
@pytest.mark.parametrize("mistake", CALLS)
@pytest.mark.prose
def test_a_mistake_is_told_once_by_the_users_own_line_and_nothing_counts(
    mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call, said = CALLS[mistake]
    break_(folder, call)
    assert main(arguments(folder, "store", *SMALL, "runner.workers=1")) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "stopped: the first 3 trials failed alike before any report of loss; 7 others did not run." in printed.err
    assert printed.err.count(said) == 1
    if mistake != "a value returned":
        assert printed.err.count(f'File "{folder}/own.py"') == 2
        assert call in printed.err
    else:
        assert "trial.report(step, loss=…)" in printed.err
    assert "tasks/trials" not in printed.err
    ((_, state, results),) = rounds(folder)
    assert (state, results) == ("interrupted", 0)


@pytest.mark.playbook("E10", "J12", case="fires")
@pytest.mark.usefixtures("undrawn")
@pytest.mark.prose
def test_the_command_that_is_printed_resumes_the_round_and_comes_to_the_digest_of_one_that_never_broke(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = break_(folder, "trial.suggest_float('x', 0, 1)")
    switch.write_text("yes")
    assert main(arguments(folder, "whole", *SMALL)) == 0
    switch.write_text("")
    words = arguments(folder, "store", *SMALL)
    assert [main(words), main(words)] == [1, 1]  # still broken: stopped again, the same round
    ((before, _, _),) = rounds(folder)
    printed = capsys.readouterr().err.splitlines()[-1]
    again = shlex.split(printed)[3:]
    switch.write_text("yes")
    assert main(again) == 0
    ((after, state, results),) = rounds(folder)
    assert (after, state) == (before, "finished")
    found = record_in(folder, "store")
    assert results == len(found.trials)
    assert found.digest == record_in(folder, "whole").digest


def only_new(folder: Path, before: str) -> Record:
    """The record of the round that is not that one."""
    (path,) = (p for p in (folder.parent / "store" / "records").glob("*/record.json") if p.parent.name != before)
    return Record.model_validate_json(path.read_text())


@pytest.mark.playbook("E10", case="fires")
@pytest.mark.usefixtures("undrawn")
@pytest.mark.prose
def test_after_the_code_was_mended_the_same_command_begins_a_new_round_of_all_trials(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    break_(folder, "trial.suggest_float('x', 0, 1)")
    words = arguments(folder, "store", *SMALL)
    assert main(words) == 1
    ((before, _, _),) = rounds(folder)
    (folder / "own.py").write_text(TRAIN)
    assert main(words) == 0
    assert f"a new round begins: {before} is unfinished, but the code differs (own.py)" in capsys.readouterr().err
    assert {t.status for t in only_new(folder, before).trials} == {"complete"}


@pytest.mark.playbook("E10", case="silent")
@pytest.mark.usefixtures("undrawn")
def test_a_round_of_which_one_arm_is_broken_and_the_other_reports_is_concluded(folder: Path) -> None:
    broken = TRAIN.replace('["switch"] == "broken"', '["switch"] == "b"')
    (folder / "own.py").write_text(broken)
    assert main(arguments(folder, "store", *SMALL)) == 0
    record = record_in(folder, "store")
    assert (record.verdict.outcome, record.verdict.reason) == ("redesign", "blocked")
    assert [f.reason for f in record.findings if f.row == "E10" and f.level == "fail"] == ["all_failed"]


NOTHING = {
    "diverged": ("loss = float('nan')", "infeasible", "all 10 were infeasible"),
    "failed later": ("if step > 5: raise RuntimeError(f'broke at {step}')", "failed", "all 10 failed"),
}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.prose
def test_a_round_without_a_feasible_trial_has_a_verdict_and_a_next_command_of_its_own_and_exits_1(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line, status, said = NOTHING[name]
    text = (folder / "own.py").read_text()
    (folder / "own.py").write_text(text.replace("        trial.report(", f"        {line}\n        trial.report("))
    for path in ("own.py", "workload/own.yaml", "space/own.yaml"):  # a learning rate, which a remedy may lower
        own = (folder / path).read_text()
        (folder / path).write_text(own.replace('["x"]', '["learning_rate"]').replace("x: ", "learning_rate: ", 1))
    space = (folder / "space/own.yaml").read_text()
    space = space.replace("{low: 0.0, high: 1.0}", "{low: 0.01, high: 1, scale: log}", 1)
    (folder / "space/own.yaml").write_text(space)
    assert main(arguments(folder, "store", *SMALL)) == 1
    printed = capsys.readouterr().out
    record = record_in(folder, "store")
    assert {t.status for t in record.trials} == {status}
    assert (record.verdict.outcome, record.verdict.reason, record.gate) == ("redesign", "nothing_feasible", None)
    assert f"redesign: No trial gave a result: {said}" in " ".join(printed.split())
    assert "luck" not in printed
    assert "retrains " not in printed
    moved = [o for o in record.next.overrides if o.startswith("space.")]
    if status == "failed":
        assert moved == []
        assert record.next.why.startswith("mend this first; no override can: All 10 trials failed: RuntimeError")
        assert not [o for o in record.next.overrides if o.startswith("keep=")]
    else:
        assert moved == ["space.learning_rate.low=0.001"]
