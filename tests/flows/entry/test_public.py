"""What a user's own code may import of tunebook, and what the bare command says of a folder."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import tunebook
from tunebook.__main__ import COMMANDS, main
from tunebook.here import what_can_be_done

from flows.compose.config import CONF
from tasks.record import Finding, NextRow, Record, TrialRow
from tasks.scope.error import InputError
from tasks.trials.running import Infeasible, RunningTrial
from tasks.trials.supervised.batches import Data, Labelled
from tasks.values import RecordRow
from tasks.verdict import CheckpointRow, PromotedRow, VerdictRow

STUB = Path(str(tunebook.__file__)).with_suffix(".pyi")


@pytest.mark.prose
def test_the_public_names_are_our_own_classes() -> None:
    assert tunebook.Infeasible is Infeasible  # type: ignore[comparison-overlap]
    ours = [Infeasible, RunningTrial, Data, Labelled, InputError, Record]
    assert [getattr(tunebook, name) for name in tunebook.PUBLIC] == ours
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tunebook.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_they_can_be_imported_where_these_names_are_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("mine = True\n")
    code = "import tasks\nfrom tunebook import Data, Infeasible\nimport tasks as again, sys\n"
    code += "assert again is tasks and tasks.mine and Infeasible.__name__ == 'Infeasible'\n"
    code += "assert not [n for n in sys.modules if n.startswith(('tasks.', 'flows'))]\n"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)


def test_the_declared_types_are_those_of_the_classes() -> None:
    classes = {n.name: n for n in ast.parse(STUB.read_text()).body if isinstance(n, ast.ClassDef)}
    assert {name for name in classes if not name.startswith("_")} == set(tunebook.PUBLIC)
    trial = classes["RunningTrial"]
    for method in (n for n in trial.body if isinstance(n, ast.FunctionDef)):
        assert [a.arg for a in (*method.args.posonlyargs, *method.args.args)] == [
            name
            for name, p in inspect.signature(getattr(RunningTrial, method.name)).parameters.items()
            if p.kind is not p.VAR_KEYWORD
        ]
    given = {"point", "seed", "max_train_steps", "eval_every_steps", "device", "stopping"}
    assert set(fields_of(trial)) == given
    for name, of in (("Data", Data), ("Labelled", Labelled)):
        assert fields_of(classes[name]) == list(of.__dataclass_fields__)
    rows: dict[str, type[RecordRow]] = {
        "_Verdict": VerdictRow,
        "_Promoted": PromotedRow,
        "_Checkpoint": CheckpointRow,
        "_Trial": TrialRow,
    }
    rows |= {"Record": Record, "_Finding": Finding, "_Next": NextRow}
    for name, row in rows.items():
        assert set(fields_of(classes[name])) <= set(row.model_fields)


def fields_of(declared: ast.ClassDef) -> list[str]:
    """The names of the attributes that a class of the stub declares."""
    return [n.target.id for n in declared.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]


def test_there_is_a_word_for_every_command_that_exists() -> None:
    found = {p.stem for p in (CONF.parent / "flows").glob("*.py") if "def main(" in p.read_text()}
    assert set(COMMANDS) == found


def test_an_unknown_command_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rond"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "round" in said


def test_a_folder_with_nothing_in_it_is_told_where_to_start(tmp_path: Path) -> None:
    said = what_can_be_done(tmp_path)
    assert all(f"tunebook {command}" in said for command in ("init", "demo", "audit"))
    assert "tunebook round" not in said


def test_workloads_and_rounds_that_lie_in_a_folder_are_named(tmp_path: Path) -> None:
    for group in ("workload", "space"):
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / "net.yaml").touch()
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "ledger.db").touch()
    said = what_can_be_done(tmp_path)
    assert "tunebook round --config-dir mine workload=net space=net\n" in said
    assert "tunebook history" in said
    assert "tunebook init" not in said
