"""A whole round: equal digests whatever the workers and interruptions, and work that is never done twice."""

import errno
import json
from pathlib import Path

import pytest

from flows.round import main
from flows.session.exit_code import HINT, explained
from tasks.ledger import LedgerError, open_ledger
from tasks.record import digest
from tasks.scope.error import InputError
from tests.flows.own_round import TRAIN, KilledWhen, arguments, done_in, record_in
from tests.typed import compared


@pytest.mark.playbook("B1", "G9", case="shows")
def test_a_round_promotes_the_better_arm_and_leaves_record_report_and_incumbent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "store")) == 0
    record = record_in(folder, "store")
    assert record.verdict.outcome == "promote"
    answer = compared(record.answer)
    assert (answer.value, answer.against, answer.conclusive) == ("b", "a", True)
    assert answer.gain == pytest.approx(0.3, abs=0.1)
    assert digest(record) == record.digest
    said = capsys.readouterr().out
    assert "promote" in said
    assert "report.html" in said.splitlines()[-2]
    promoted = (folder / "incumbent" / "own.yaml").read_text()
    assert "generation: 1" in promoted
    assert "switch: b" in promoted
    assert (folder.parent / "store" / "records" / record.round_id / "report.html").stat().st_size > 10_000


@pytest.mark.usefixtures("undrawn")
def test_one_and_two_workers_give_equal_digests(folder: Path) -> None:
    for workers in (1, 2):
        assert main(arguments(folder, f"store{workers}", f"runner.workers={workers}")) == 0
    one, two = record_in(folder, "store1"), record_in(folder, "store2")
    assert one.digest == two.digest
    assert one.trials != two.trials or one.round_id != two.round_id


@pytest.mark.usefixtures("undrawn")
def test_another_seed_gives_another_digest(folder: Path) -> None:
    for seed in (0, 1):
        assert main(arguments(folder, f"store{seed}", f"seed={seed}")) == 0
    assert record_in(folder, "store0").digest != record_in(folder, "store1").digest


@pytest.mark.usefixtures("undrawn")
@pytest.mark.playbook("J12", case="shows")
def test_a_round_that_was_killed_goes_on_to_the_same_digest_and_runs_nothing_twice(
    folder: Path, killed_when: KilledWhen, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "whole")) == 0
    killed_when(folder, "cut", 17)
    before = done_in(folder.parent / "cut")
    killed_when(folder, "cut", before + 8)
    assert main(arguments(folder, "cut")) == 0
    whole, cut = record_in(folder, "whole"), record_in(folder, "cut")
    assert cut.digest == whole.digest
    with open_ledger(folder.parent / "cut") as ledger:
        assert len(ledger.rounds()) == 1
        results = ledger.results(cut.round_id)
    assert set(results) == {t.id for t in cut.trials}
    finished_before = before
    assert finished_before >= 17


@pytest.mark.prose
@pytest.mark.usefixtures("undrawn")
def test_a_round_never_goes_on_with_other_code(
    folder: Path, killed_when: KilledWhen, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_when(folder, "cut", 5)
    with open_ledger(folder.parent / "cut") as ledger:
        (begun,) = ledger.rounds()
    (folder / "own.py").write_text(TRAIN.replace('"b": 0.7', '"b": 0.9'))
    assert main(arguments(folder, "cut", f"resume={begun.round_id}")) == 2
    assert "the code differs" in capsys.readouterr().err
    assert main(arguments(folder, "cut")) == 0
    record = record_in(folder, "cut")
    assert record.round_id != begun.round_id
    assert compared(record.answer).gain == pytest.approx(0.1, abs=0.05)


def test_a_metric_that_is_never_reported_stops_the_round_at_the_first_evaluation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "store", "workload.objective.metric=surprise")) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "surprise" in said
    assert "loss" in said
    assert "train_loss" in said
    assert done_in(folder.parent / "store") == 0


@pytest.mark.usefixtures("undrawn")
def test_a_finished_round_is_not_gone_on_with(folder: Path) -> None:
    for _ in range(2):
        assert main(arguments(folder, "store")) == 0
    paths = list((folder.parent / "store" / "records").glob("*/record.json"))
    assert len(paths) == 2
    generations = sorted(json.loads(p.read_text())["verdict"]["incumbent"]["generation"] for p in paths)
    assert generations == [0, 1]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("seed: -1 will not do."), 2, "error: seed: -1 will not do."),
        (LedgerError("there is no round x"), 2, "error: there is no round x"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/data/x"),
            1,
            f"error: no space left on the device; free some; {HINT}",
        ),
        (LedgerError("database or disk is full"), 1, f"error: no space left on the device; free some; {HINT}"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            1,
            f"error: [Errno 13] Permission denied: '/x'; {HINT}",
        ),
        (
            RuntimeError("the process that forks trials died"),
            1,
            f"error: the process that forks trials died; {HINT}",
        ),
    ],
)
@pytest.mark.prose
def test_what_ends_a_round_is_one_sentence_and_an_exit_code(error: Exception, code: int, sentence: str) -> None:
    assert explained(error) == (code, sentence)


@pytest.mark.prose
def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        explained(KeyError("x"))
    assert caught.value.__notes__ == [f"this is a mistake of tunebook; {HINT}"]
