"""Retrains of the incumbent that earlier rounds paid for: when they count again, and that the round says so."""

from pathlib import Path

import pytest

from flows.round import main
from tasks.record import Record
from tests.flows.own_round import KilledWhen, arguments, record_in, records
from tests.typed import arm_of

pytestmark = pytest.mark.usefixtures("undrawn")

# b is worse than a, so the incumbent stays whatever is asked
WORSE = 'worth = {"a": 0.7, "b": 1.5}[trial.point["switch"]]'


@pytest.fixture
def worse(folder: Path) -> Path:
    """A folder in which the change is no good."""
    program = folder / "own.py"
    program.write_text(program.read_text().replace('worth = {"a": 1.0, "b": 0.7}[trial.point["switch"]]', WORSE))
    (folder / "workload/own.yaml").write_text(
        (folder / "workload/own.yaml").read_text().replace("x: 0.2, z: 0.8", "x: 0.5, z: 0.5")
    )
    return folder


def kept(record: Record) -> int:
    """How many retrains of earlier rounds its verdict stands on."""
    return len(arm_of(record, "incumbent").kept)


def retrained(record: Record) -> int:
    """How often the incumbent was retrained in the round itself."""
    return sum(t.study == "retrain-incumbent" for t in record.trials)


@pytest.mark.playbook("G2", "G6", case="shows")
@pytest.mark.prose
def test_a_second_round_counts_the_retrains_of_the_incumbent_again_and_says_so(worse: Path) -> None:
    more = ("acknowledge={E7: planted, E2: planted}", "budget.trials=6")
    assert main(arguments(worse, "store", *more)) == 0
    assert main(arguments(worse, "store", *more, "notes=again")) == 0
    first, second = sorted(records(worse, "store"), key=lambda record: record.notes)
    assert (first.verdict.outcome, kept(first)) == ("keep", 0)
    assert retrained(first) >= 3
    assert kept(second) == retrained(first)
    assert retrained(second) == 0
    assert any("from earlier rounds count again" in reason for reason in second.verdict.reasons)
    assert any("The incumbent's noise is known from" in caveat for caveat in second.caveats)


def test_nothing_counts_again_for_trials_of_another_length_or_of_other_code(worse: Path) -> None:
    more = ("acknowledge={E7: planted, E2: planted}", "budget.trials=6")
    assert main(arguments(worse, "store", *more)) == 0
    assert main([*arguments(worse, "store", *more), "budget.max_train_steps=90"]) == 0
    (worse / "own.py").write_text((worse / "own.py").read_text() + "\n# other code\n")
    assert main(arguments(worse, "store", *more)) == 0
    found = records(worse, "store")
    assert [kept(record) for record in found] == [0, 0, 0]


def test_a_round_that_was_cut_off_counts_what_counted_when_it_began(worse: Path, killed_when: KilledWhen) -> None:
    killed_when(worse, "store", 9)
    assert main(arguments(worse, "store", "notes=meanwhile")) == 0
    assert main(arguments(worse, "store")) == 0
    (cut,) = (record for record in records(worse, "store") if not record.notes)
    assert kept(cut) == 0
    assert main(arguments(worse, "plain")) == 0
    assert cut.digest == record_in(worse, "plain").digest


@pytest.mark.playbook("G1", case="shows")
@pytest.mark.prose
def test_the_three_kinds_of_luck_are_told_apart(worse: Path) -> None:
    assert main(arguments(worse, "store", "acknowledge={E7: planted, E2: planted}", "budget.trials=6")) == 0
    (said,) = [s for s in record_in(worse, "store").learned if s.startswith("Three kinds of luck")]
    assert "Retrains of one configuration: SD 0.0" in said
    assert "another search like these could move its best" in said
    assert "validation data: not measured" in said
