"""The digest is of codes, ids and numbers: other words leave it as it is, and another number does not."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tasks.record import Record, digest
from tests.report.example_records import example
from tests.report.odd_records import with_arm, with_kept, with_looks

Tree = dict[str, Any]
LOOKED = with_looks(
    with_kept(example("promote")), ("finalist", "incumbent", 3, {}), ("finalist", "baseline", 9, {"z": 2.5})
)
BLOCKED = example("redesign")


def told(record: Record, change: Callable[[Tree], object]) -> str:
    """The digest of the record with a change to its tree."""
    tree = record.model_dump(mode="json", by_alias=True)
    change(tree)
    return digest(Record.model_validate(tree))


def every(name: str, key: str, value: object) -> Callable[[Tree], object]:
    return lambda tree: [row.update({key: value}) for row in tree[name]]


PROSE: Mapping[str, Callable[[Tree], object]] = {
    "evidence": every("findings", "evidence", "In other words."),
    "names of checks": every("findings", "check", "another name"),
    "remedies": every("findings", "remedy", ["space.x.low=0"]),
    "reasons of trials": every("trials", "reason", "it went wrong"),
    "reasons of the verdict": lambda tree: tree["verdict"].update(reasons=["So it is."]),
    "reasons of what is fixed": lambda tree: [f.update(reason="because") for f in tree["roles"]["fixed"].values()],
    "learned": lambda tree: tree.update(learned=["nothing"], caveats=["none"], notes="other notes"),
    "next": lambda tree: tree["next"].update(why="why not"),
    "times": every("trials", "seconds", 77.7),
    "MLflow": every("trials", "mlflow_run_id", "run"),
    "packs": every("trials", "pack", "p-1"),
    "the round": lambda tree: tree.update(round_id="r-2", created="2031-01-01", finished="2031-01-02"),
    "the order of trials": lambda tree: tree["trials"].reverse(),
    "the order of findings": lambda tree: tree["findings"].reverse(),
}
MATTERS: Mapping[str, Callable[[Tree], object]] = {
    "a value": lambda tree: tree["trials"][0].update(best_value=0.123),
    "a status": lambda tree: tree["trials"][0].update(status="stopped"),
    "a setting": lambda tree: tree["trials"][0].update(settings={"workload.batch_size": 2}),
    "steps": lambda tree: tree["trials"][0].update(max_train_steps=7),
    "a code": lambda tree: tree["findings"][0].update(reason="other_code"),
    "a level": lambda tree: tree["findings"][0].update(level="warn"),
    "a number": lambda tree: tree["findings"][0]["numbers"].update(good=7),
    "trials of a finding": lambda tree: tree["findings"][0].update(trials=["n00000000000"]),
    "a place": lambda tree: tree["findings"][0]["where"].update(side="low"),
    "a fixed value": lambda tree: tree["roles"]["fixed"]["width"].update(value=129),
    "a bound of the objective": lambda tree: tree["objective"].update(bounds=[0.0, 1.0]),
    "the answer": lambda tree: tree["answer"].update(gain=0.5),
    "the verdict's code": lambda tree: tree["verdict"].update(reason="declined"),
    "the question": lambda tree: tree["goal"].update(question="Another one?"),
}
GATED: Mapping[str, Callable[[Tree], object]] = {
    "a look": lambda tree: tree["gate"]["comparisons"][1]["looks"][0].update(z=2.75),
    "a state": lambda tree: tree["gate"]["comparisons"][1].update(state="better"),
    "a retrain": lambda tree: tree["gate"]["arms"][0]["trials"][0].update(value=0.5),
    "a kept retrain": lambda tree: tree["gate"]["arms"][2]["kept"][0].update(trial="k9"),
    "a price": lambda tree: tree["gate"]["arms"][0].update(price=0.25),
    "no gate": lambda tree: tree.update(gate=None),
}


@pytest.mark.parametrize("record", [LOOKED, BLOCKED], ids=["gated", "blocked"])
@pytest.mark.parametrize("change", PROSE.values(), ids=PROSE.keys())
def test_words_times_and_order_leave_no_trace(record: Record, change: Callable[[Tree], object]) -> None:
    assert told(record, change) == digest(record)


@pytest.mark.parametrize("record", [LOOKED, BLOCKED], ids=["gated", "blocked"])
def test_every_code_id_and_number_is_in_it(record: Record) -> None:
    changes = {**MATTERS, **(GATED if record.gate else {})}
    found = {name: told(record, change) for name, change in changes.items()}
    assert len({digest(record), *found.values()}) == 1 + len(found)


def test_arms_that_count_otherwise_are_another_round() -> None:
    assert digest(with_arm(LOOKED, "finalist", price=0.5)) != digest(LOOKED)
