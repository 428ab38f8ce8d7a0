"""Rounds that are gone on with: several at once, by the history, and with an incumbent that moved meanwhile."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from flows.history import main as history
from flows.round import main
from tasks.ledger import Ledger, open_ledger
from tasks.promote.promotion import Promotion
from tasks.record import Point
from tests.flows.own_round import KilledWhen, arguments, record_in, records

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.mark.prose
def test_of_several_rounds_that_were_cut_off_those_are_named_that_are_not_concluded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Ledger.begin

    def begin(ledger: Ledger, *values: Any, **more: Any) -> None:
        if ledger.rounds():
            raise RuntimeError("cut off")
        real(ledger, *values, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "begin", begin)
        assert main(["-m", *arguments(folder, "store"), "seed=0,1,2"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "1 of 3 rounds are concluded; the others:"
    assert [shlex.split(line)[-1] for line in said[1:3]] == ["seed=1", "seed=2"]
    assert main(shlex.split(said[1])[3:]) == 0
    assert [record.seed for record in records(folder, "store")] == [0, 1]


@pytest.mark.prose
def test_the_history_names_the_command_that_goes_on_with_a_round(
    folder: Path, killed_when: KilledWhen, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_when(folder, "cut", 3)
    with open_ledger(folder.parent / "cut") as ledger:
        (begun,) = ledger.rounds()
    capsys.readouterr()
    assert history(["show", begun.round_id, f"tracking.root={folder.parent / 'cut'}"]) == 0
    command = shlex.split(capsys.readouterr().out.rpartition("go on with it: ")[2])
    assert command[:3] == ["python", "-m", "flows.round"]
    assert main(command[3:]) == 0
    assert record_in(folder, "cut").round_id == begun.round_id


@pytest.mark.playbook("G9", case="silent")
@pytest.mark.parametrize("cut", ["gated again", "promoted"])
def test_a_round_whose_incumbent_moved_comes_to_the_same_verdict_when_it_is_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    promote = Ledger.promote
    other: Point = {"x": 0.9, "z": 0.1, "switch": "a"}
    asked: list[int] = []
    cuts = [cut]

    def moving(ledger: Ledger, workload: str, expected: int, point: Point, round_id: str, *more: Any) -> bool:
        if expected == 0:  # another round promotes just before this one
            assert promote(ledger, workload, 0, other, "rival", *more)
        elif cuts == ["gated again"]:
            raise RuntimeError(cuts.pop())
        taken = promote(ledger, workload, expected, point, round_id, *more)
        if taken and cuts:  # and another one before it is gone on with
            assert promote(ledger, workload, expected + 1, other, "third", *more)
            raise RuntimeError(cuts.pop())
        return taken

    def ask(promotion: Promotion) -> str:
        asked.append(1)
        return ""

    monkeypatch.setattr(Ledger, "promote", moving)
    monkeypatch.setattr("flows.session.approval.auto", ask)
    assert main(arguments(folder, "cut")) == 1
    assert main(arguments(folder, "cut")) == 0
    assert len(asked) == (2 if cut == "promoted" else 3)  # once for each incumbent, and for what was not yet taken
    assert main(arguments(folder, "whole")) == 0
    whole, gone_on = record_in(folder, "whole"), record_in(folder, "cut")
    assert (whole.verdict.outcome, whole.verdict.incumbent.generation) == ("promote", 1)
    assert gone_on.digest == whole.digest
    assert {t.id for t in gone_on.trials} == {t.id for t in whole.trials}
