"""What every kind of goal keeps to: those that are shipped, and a probe that is built here."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from flows.compose.incumbent_yaml import read_incumbent
from flows.own import OWN
from tasks.answers import ANSWERS
from tasks.ledger import open_ledger
from tasks.record import Record
from tasks.scope.kinds import KINDS, Kind
from tasks.upgrade import read_record
from tests import record_schema
from tests.processes.warm import Warm
from tests.seams.rounds import SMALL, attempts, played
from tests.seams.toys.length import LENGTHS, STEPS, Needed

PROBE = "question: How many steps does a trial need?\nkind: length\nnuisance: []\n"
SMOOTH = ("workload.noise=0.001", "workload.curve={fall: 40}")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_ships_is_bound_and_answers_in_a_type_of_its_own(name: str) -> None:
    assert KINDS[name].name == name
    assert name in OWN
    assert name in ANSWERS
    assert KINDS[name].gate or KINDS[name].promotes != "point"  # a point is promoted by the gate alone
    assert not KINDS[name].baseline or KINDS[name].compares


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a goal of the new kind."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "goal").mkdir()
    (folder / "goal" / "length.yaml").write_text(PROBE)
    return folder


def probe(warm: Warm, own: Path, root: Path, *words: str, kills: tuple[int, ...] = ()) -> Record:
    """A round of the new kind."""
    return played(warm, root, "goal=length", *SMOOTH, *words, kills=kills, config_dir=own)


@pytest.fixture(scope="module")
def whole(warm: Warm, own: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    """A probe that was never interrupted, and its store."""
    root = tmp_path_factory.mktemp("whole")
    return probe(warm, own, root), root


def test_trials_bring_their_own_steps_and_the_answer_has_a_type_of_its_own(whole: tuple[Record, Path]) -> None:
    record, _ = whole
    assert [t.max_train_steps for t in record.trials] == list(LENGTHS)
    assert [t.steps_done for t in record.trials] == list(LENGTHS)
    assert [t.settings for t in record.trials] == [{STEPS: steps} for steps in LENGTHS]
    assert {t.purpose for t in record.trials} == {"probe"}
    assert len({str(t.point) for t in record.trials}) == 1  # the incumbent's
    assert isinstance(record.answer, Needed)
    assert record.answer.steps in LENGTHS[:-1]


def test_no_baseline_and_no_gate_and_what_was_measured_is_promoted(whole: tuple[Record, Path], own: Path) -> None:
    record, root = whole
    assert record.gate is None
    assert (record.verdict.outcome, record.verdict.reason) == ("promote", "measured")
    assert record.verdict.candidate is not None
    assert isinstance(record.answer, Needed)
    assert record.verdict.candidate.settings == {STEPS: record.answer.steps}
    with open_ledger(root) as ledger:
        (generation,) = ledger.generations("synthetic")
    assert generation.settings == {STEPS: record.answer.steps}
    written = read_incumbent(own / "incumbent" / "synthetic.yaml")
    assert written is not None
    assert (written.generation, written.settings, written.point) == (1, generation.settings, generation.point)


def test_checks_of_searches_say_that_they_were_not_asked(whole: tuple[Record, Path]) -> None:
    record, _ = whole
    assert {f.reason for f in record.findings if f.row in ("E2", "F2", "E7", "B5")} == {"other_purpose"}
    assert not [f for f in record.findings if f.level == "fail"]


@pytest.mark.parametrize("kill_at", [1, 3, 5])
def test_a_probe_that_is_killed_goes_on_to_the_same_digest(
    warm: Warm, own: Path, tmp_path: Path, whole: tuple[Record, Path], kill_at: int
) -> None:
    assert probe(warm, own, tmp_path, "runner.workers=2", kills=(kill_at,)).digest == whole[0].digest
    assert max(attempts(tmp_path).values()) <= 2


def test_a_promotion_that_nobody_accepts_is_none(warm: Warm, own: Path, tmp_path: Path) -> None:
    record = probe(warm, own, tmp_path, "approval=ask")
    assert (record.verdict.outcome, record.verdict.reason) == ("keep", "declined")
    with open_ledger(tmp_path) as ledger:
        assert ledger.generations("synthetic") == []


def test_the_next_round_runs_on_the_promoted_length_and_a_typed_one_wins(warm: Warm, own: Path, tmp_path: Path) -> None:
    needed = probe(warm, own, tmp_path).answer
    assert isinstance(needed, Needed)
    words = tuple(word for word in SMALL if not word.startswith("budget.max_train_steps"))
    for typed, steps in ((), needed.steps), (("budget.max_train_steps=12",), 12):
        before = set((tmp_path / "records").iterdir())
        played(warm, tmp_path, "budget.trials=3", *typed, small=words)
        (folder,) = set((tmp_path / "records").iterdir()) - before
        record = read_record((folder / "record.json").read_text())
        assert {t.max_train_steps for t in record.trials} == {steps}
        assert record.budget["max_train_steps"] == steps
        assert record.verdict.incumbent.settings == needed.settings
        replaced = [f.remedy for f in record.findings if (f.row, f.reason) == ("G9", "setting_replaced")]
        assert replaced == ([(f"++budget.max_train_steps={needed.steps}",)] if typed else [])


def test_a_round_may_have_no_study_at_all(warm: Warm, own: Path, tmp_path: Path) -> None:
    (own / "goal" / "silent.yaml").write_text(PROBE.replace("kind: length", "kind: silent"))
    record = played(warm, tmp_path, "goal=silent", config_dir=own)
    assert (record.studies, record.trials, record.isolation, record.gate) == ((), (), (), None)
    assert (record.verdict.outcome, record.verdict.reason) == ("na", "no_gate")
    assert not record.answer.conclusive
    assert {f.level for f in record.findings} <= {"na", "ok"}


def test_the_printed_next_command_undoes_nothing_that_was_promoted(whole: tuple[Record, Path]) -> None:
    record, _ = whole
    assert any(word.startswith(STEPS) for word in record.reproduce.overrides)
    assert not any(word.startswith(STEPS) for word in record.next.overrides)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gate": False},
        {"promotes": "budget"},
        {"compares": False},
        {"own_steps": True},
    ],
    ids=str,
)
def test_facts_that_do_not_go_together_make_no_kind(wrong: dict[str, object]) -> None:
    facts = KINDS["improve"].model_dump()
    assert Kind.model_validate(facts) == KINDS["improve"]
    with pytest.raises(ValidationError):
        Kind.model_validate(facts | wrong)


@pytest.mark.parametrize("kind", [*KINDS, "length"])
def test_a_real_record_of_every_kind_is_valid_by_the_published_schema(
    warm: Warm, own: Path, tmp_path: Path, kind: str
) -> None:
    words = ("goal=length",) if kind == "length" else (f"goal.kind={kind}", "budget.trials=4")
    record = played(warm, tmp_path, *words, config_dir=own)
    assert record.goal.kind == record.answer.kind == kind
    written = json.loads((tmp_path / "records" / record.round_id / "record.json").read_text())
    schema = json.loads(record_schema.PAGE.read_text())
    assert [*Draft202012Validator(schema).iter_errors(written)] == []
    assert [*Draft202012Validator(schema).iter_errors(written | {"verdict": {}})] != []
