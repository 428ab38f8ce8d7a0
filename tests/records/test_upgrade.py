"""Records of schema 1 are read by one function: shown, compared, drawn, and no number of them is lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.history import main as history
from tasks.ledger import open_ledger
from tasks.record import Record
from tasks.report.across.designs import repeated
from tasks.report.across.lengths import same_order
from tasks.report.across.rerank import reranked
from tasks.report.across.saturation import saturated_tuning
from tasks.report.page.page import page
from tasks.report.page.tables import looks_table
from tasks.report.terminal import text
from tasks.report.trials import never_learned
from tasks.upgrade import NewerRecord, read_record
from tests.report.example_records import curves_of
from tests.typed import arm_of, compared

STORED = Path(__file__).with_name("schema_1")
NAMES = sorted(path.stem for path in STORED.glob("*.json"))


def stored(name: str) -> str:
    return (STORED / f"{name}.json").read_text()


def old(name: str) -> Record:
    return read_record(stored(name))


def changed(name: str, **changes: Any) -> Record:
    """The stored record, had some of its fields been others."""
    return read_record(json.dumps(json.loads(stored(name)) | changes))


def numbers(tree: Any) -> Iterator[float]:
    """Every number of a tree that is no boolean."""
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers(value)
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield tree


def test_every_way_that_a_round_ends_is_stored() -> None:
    outcomes = {old(name).verdict.outcome for name in NAMES}
    assert outcomes == {"promote", "keep", "retrain", "redesign", "na"}
    assert all(json.loads(stored(name))["schema"] == 1 for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_lost(name: str) -> None:
    tree, record = json.loads(stored(name)), old(name)
    counts = {k: v for k, v in tree["verdict"].get("noise", {}).items() if k.endswith((".retrains", ".infeasible"))}
    for key, count in counts.items():
        arm = arm_of(record, key.partition(".")[0])
        rows = [*arm.trials, *arm.kept]
        assert count == (len(rows) if key.endswith("retrains") else sum(row.value is None for row in rows))
    kept = len(arm_of(record, "incumbent").kept) if record.gate else 0
    assert tree["verdict"].get("noise", {}).get("incumbent.kept", 0) == kept
    there = set(numbers(record.model_dump(mode="json", by_alias=True)))
    assert {v for v in numbers(tree) if v not in there} <= {1, *counts.values(), kept}  # 1: the schema itself


@pytest.mark.parametrize("name", NAMES)
def test_what_it_says_beside_is_what_was_stored(name: str) -> None:
    tree, record = json.loads(stored(name)), old(name)
    again = record.model_dump(mode="json", by_alias=True)
    assert again["reproduce"].pop("tunebook") == ""  # nobody noted it
    assert again["reproduce"].pop("diff_cut") == 0
    assert again.pop("method") is None  # nor this
    assert again.pop("accepted") is None
    assert again.pop("promoted") is None
    rewritten = ("schema", "trials", "findings", "importance", "answer", "verdict", "gate", "objective", "isolation")
    assert {k: v for k, v in again.items() if k not in rewritten} == {
        k: v for k, v in tree.items() if k not in rewritten
    }
    assert [t.best_value for t in record.trials] == [t["best_value"] for t in tree["trials"]]
    assert {(t.max_train_steps, t.eval_every_steps) for t in record.trials} == {
        (tree["budget"]["max_train_steps"], tree["budget"]["eval_every_steps"])
    }
    assert {f.reason for f in record.findings} <= {"not_recorded", "never_learned"}
    assert record.digest == tree["digest"]


@pytest.mark.parametrize("name", NAMES)
def test_once_read_and_written_it_is_a_record_of_this_schema(name: str) -> None:
    written = old(name).model_dump_json(by_alias=True)
    assert json.loads(written)["schema"] == 2
    assert read_record(written) == Record.model_validate_json(written) == old(name)


def test_the_gates_rows_are_what_the_numbers_said() -> None:
    noise, record = json.loads(stored("race"))["verdict"]["noise"], old("race")
    assert record.gate is not None
    assert [a.name for a in record.gate.arms] == ["finalist", "finalist-2", "finalist-3", "baseline", "incumbent"]
    looks = [(c.candidate, c.against, look) for c in record.gate.comparisons for look in c.looks]
    assert len(looks) == sum(key.endswith(".z") for key in noise)
    for candidate, against, look in looks:
        told = f"{candidate}-{against}.{look.n}"
        assert look.band == (noise[f"{told}.low"], noise[f"{told}.high"])
        assert (look.z, look.upper, look.lower) == tuple(noise[f"{told}.{k}"] for k in ("z", "upper", "lower"))
    judged = {row.trial: row.value for arm in record.gate.arms for row in arm.trials}
    assert all(judged[k.removeprefix("judged.")] == v for k, v in noise.items() if k.startswith("judged."))


def test_codes_and_types_follow_from_the_numbers() -> None:
    assert {name: old(name).verdict.reason for name in NAMES} == {
        "audit": "no_gate", "blocked": "blocked", "keep": "no_gain", "kept": "better", "race": "baseline_better",
        "retrain": "undecided", "stuck": "baseline_better",
    }  # fmt: skip
    sources = {name: compared(old(name).answer).source for name in NAMES}
    assert {name for name, source in sources.items() if source == "search"} == {"audit", "blocked"}
    assert compared(old("audit").answer).kind == "understand"
    assert len(arm_of(old("kept"), "incumbent").kept) == 5
    (named,) = (n for f in json.loads(stored("stuck"))["findings"] if (n := f["numbers"].get("stuck_trials")))
    assert never_learned(old("stuck")) == set(json.loads(named)) != set()
    assert never_learned(old("race")) == frozenset()
    rows = old("retrain").importance
    assert {(row.parameter, row.verdict) for row in rows} >= {("learning_rate", "matters")}


def test_a_gain_that_a_person_declined_and_retrains_that_were_too_few_are_told_apart() -> None:
    tree = json.loads(stored("kept"))
    assert changed("kept", verdict=tree["verdict"] | {"outcome": "keep"}).verdict.reason == "declined"
    tree = json.loads(stored("retrain"))
    assert changed("retrain", budget=tree["budget"] | {"retrains": 1}).verdict.reason == "too_few_retrains"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_drawn_as_a_page_and_told_in_a_terminal(name: str) -> None:
    record = old(name)
    shown, printed = page(record, curves_of(record)), text(record)
    assert record.goal.question in shown
    assert f"verdict   {record.verdict.outcome}: " in printed
    assert bool(looks_table(record)) == (record.gate is not None)


def test_it_is_ranked_and_compared_with_others() -> None:
    record = old("keep")
    ranked = reranked(record, curves_of(record), "final")
    assert [r.rank for r in ranked] == [*range(1, len(ranked) + 1)]
    found = repeated([record, record.model_copy(update={"seed": 9})])
    assert [len(r.bests) for r in found] == [2, 2]
    steps = {"max_train_steps": 6000, "eval_every_steps": 300}
    longer = record.model_copy(update={"budget": record.budget | steps})
    assert same_order(record, longer).level == "ok"
    kept = (record.verdict, record.gate)
    assert saturated_tuning([kept] * 3, 3)
    assert not saturated_tuning([kept, (old("retrain").verdict, old("retrain").gate), kept], 2)


def test_history_shows_the_round_and_refuses_a_newer_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], conclude: Callable[[str, str], None]
) -> None:
    conclude("old-1", stored("keep"))
    conclude("new-2", json.dumps(json.loads(stored("keep")) | {"schema": 3, "round_id": "new-2"}))
    assert history(["show", "old-1", f"tracking.root={tmp_path}"]) == 0
    assert "verdict   keep: " in capsys.readouterr().out
    assert history(["show", "new-2", f"tracking.root={tmp_path}"]) == 2
    assert "schema 3" in capsys.readouterr().err


@pytest.fixture
def conclude(tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a concluded round with that record into the store."""

    def one(round_id: str, record: str) -> None:
        with open_ledger(tmp_path) as ledger:
            ledger.begin(round_id, "synthetic", "synthetic", {}, round_id, "2026-01-01T10:00:00+00:00")
            ledger.conclude(round_id, record, "d", "2026-01-01T10:01:00+00:00")

    return one


def test_a_record_of_a_later_version_says_which_and_what_to_do() -> None:
    with pytest.raises(NewerRecord, match=r"schema 3.*up to schema 2: update"):
        changed("keep", schema=3)


def test_fields_that_a_later_version_added_to_this_schema_are_left_out() -> None:
    tree = json.loads(old("keep").model_dump_json(by_alias=True))
    tree["trials"][0]["colour"] = "blue"
    tree["gate"]["arms"][0]["mood"] = "good"
    assert read_record(json.dumps(tree | {"weather": "fair"})) == old("keep")


@pytest.mark.parametrize("name", ["keep", "race"])
def test_of_a_round_that_was_gated_twice_the_last_gate_is_told(name: str) -> None:
    tree = json.loads(stored(name))
    earlier = [
        t | {"id": f"x{t['id'][1:]}", "point": {"moved": 1}} for t in tree["trials"] if t["purpose"] == "retrain"
    ]
    at = next(i for i, t in enumerate(tree["trials"]) if t["purpose"] == "retrain")
    twice = [*tree["trials"][:at], *earlier, *tree["trials"][at:]]
    assert changed(name, trials=twice).gate == old(name).gate


@pytest.mark.parametrize("change", [{"schema": 1}, {"schema": 1, "goal": 3, "budget": [], "findings": [{}]}])
def test_a_damaged_one_is_no_record(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        read_record(json.dumps(change))


def test_what_was_a_finalist_of_the_first_gate_and_the_incumbent_of_the_second_has_the_incumbents_retrains() -> None:
    tree = json.loads(stored("keep"))
    arms = {a.name: a for a in old("keep").gate.arms}  # type: ignore[union-attr]
    now = arms["incumbent"].point
    first = [t for t in tree["trials"] if t["study"] == "retrain-finalist"]
    earlier = [t | {"id": f"x{t['id'][1:]}", "point": now} for t in first]
    rest = [t for t in tree["trials"] if t not in first]
    at = next(i for i, t in enumerate(rest) if t["purpose"] == "retrain")
    gate = changed("keep", trials=[*rest[:at], *earlier, *rest[at:]]).gate
    assert gate is not None
    finalist = next(a for a in gate.arms if a.name == "finalist")
    assert finalist.retrained_as == "incumbent"
    assert finalist.trials == next(a for a in gate.arms if a.name == "incumbent").trials


def test_what_is_nested_too_deeply_is_no_record() -> None:
    with pytest.raises(ValueError, match="no record"):
        read_record("[" * 100_000)
