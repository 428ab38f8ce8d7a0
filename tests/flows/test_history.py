"""The history command over a real ledger: what is listed, what is shown, and one sentence for what is not there."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from flows.history import main
from tasks.ledger import Ledger, open_ledger
from tasks.record import Record

Shell = Callable[..., tuple[int, str, str]]


def record(round_id: str) -> Record:
    point = {"learning_rate": 0.1}
    return Record.model_validate(
        {
            "round_id": round_id,
            "workload": "digits",
            "created": "2026-01-01T10:00:00+00:00",
            "finished": "2026-01-01T10:01:00+00:00",
            "seed": 0,
            "reproduce": {"command": "python -m flows.round goal=dropout", "overrides": [], "fingerprint": "f"},
            "objective": {"metric": "valid_error", "direction": "minimize"},
            "goal": {"question": "Does dropout lower the validation error?", "kind": "improve"},
            "roles": {"scientific": ["dropout"], "nuisance": [], "fixed": {}},
            "budget": {},
            "policy": {},
            "studies": [],
            "trials": [],
            "curves": "curves.parquet",
            "findings": [],
            "isolation": [],
            "answer": {"kind": "improve", "source": "search"},
            "learned": [],
            "verdict": {
                "outcome": "keep",
                "reason": "no_gain",
                "incumbent": {"generation": 0, "point": point},
                "gain": -0.0125,
            },
            "next": {"command": "python -m flows.round goal=width", "overrides": ["goal=width"], "why": "not asked"},
        }
    )


def begin(ledger: Ledger, round_id: str, goal: str, overrides: Sequence[str] = ()) -> None:
    seed = next((int(o.removeprefix("seed=")) for o in overrides if o.startswith("seed=")), 0)
    config = {"overrides": overrides, "config_dir": "/mine", "seed": seed}
    ledger.begin(round_id, "digits", goal, {"config": config}, round_id, "2026-01-01T10:00:00+00:00")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A store with a finished round, one that was cut off, and one that runs."""
    with open_ledger(tmp_path) as ledger:
        begin(ledger, "done-1", "dropout")
        ledger.conclude("done-1", record("done-1").model_dump_json(by_alias=True), "d", "2026-01-01T10:01:00+00:00")
        ledger.promote(
            "digits", 0, {"learning_rate": 0.123456, "optimizer": "adam"}, "done-1", "s", {"gain": 1}, "2026"
        )
        begin(ledger, "cut-2", "[bold]width", ("goal=width", "resume=cut-2", "seed=7", "budget=quick"))
        trial = {"id": "t0", "study": "s", "purpose": "search", "index": 0, "point": {}, "seed": 0}
        ledger.plan("cut-2", [trial, trial | {"id": "t1", "index": 1}])
        ledger.finish("cut-2", "t0", ledger.start("cut-2", "t0"), {}, b"")
        begin(ledger, "runs-3", "batch")
        ledger.own("runs-3")
        yield tmp_path


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def refused(said: tuple[int, str, str]) -> str:
    code, out, error = said
    assert (code, out, error.count("\n")) == (2, "", 1)
    return error


def test_rounds_are_listed_newest_first_with_what_came_of_them(shell: Shell, root: Path) -> None:
    code, out, error = shell(f"tracking.root={root}")
    lines = [line.split() for line in out.splitlines()]
    assert (code, error) == (0, "")
    assert lines[0] == ["round", "workload", "goal", "seed", "outcome", "gain", "when", "set", "besides"]
    assert lines[1] == ["runs-3", "digits", "batch", "0", "running", "2026-01-01", "10:00"]
    assert lines[2] == ["cut-2", "digits", "[bold]width", "7", "interrupted", "2026-01-01", "10:00", "budget=quick"]
    assert lines[3] == ["done-1", "digits", "dropout", "0", "keep", "-0.0125", "2026-01-01", "10:00"]
    assert lines[5] == ["incumbent", "generation", "since", "by", "round", "point"]
    assert lines[6] == ["digits", "1", "2026", "done-1", "learning_rate=0.1235", "optimizer=adam"]
    with open_ledger(root) as ledger:
        assert lines[-1][:2] == ["ledger", f"{ledger.id}:"]
    assert shell("list", f"tracking.root={root}")[1] == out


@pytest.mark.prose
def test_a_round_that_was_cut_off_says_how_to_go_on_with_it(shell: Shell, root: Path) -> None:
    code, out, _ = shell("show", "cut-2", f"tracking.root={root}")
    assert (code, out) == (
        0,
        "round cut-2 is interrupted: 1 of 2 trials done; go on with it: "
        "python -m flows.round --config-dir /mine goal=width seed=7 budget=quick resume=cut-2\n",
    )
    assert shell("show", "runs-3", f"tracking.root={root}")[1] == "round runs-3 is running: 0 of 0 trials done\n"


@pytest.mark.playbook("J13", case="shows")
def test_a_finished_round_is_shown_as_its_report(shell: Shell, root: Path) -> None:
    (root / "records" / "done-1").mkdir(parents=True)
    (root / "records" / "done-1" / "report.html").write_text("<html>")
    code, out, error = shell("show", "done-1", f"tracking.root={root}")
    assert (code, error) == (0, "")
    assert "Does dropout lower the validation error?" in out
    assert "python -m flows.round goal=width" in out
    assert "records/done-1/report.html" in out.replace("\n", "")
    assert "record.json" not in out  # it names the files that are there


@pytest.mark.prose
def test_what_is_not_there_is_one_sentence_and_exit_2(shell: Shell, root: Path) -> None:
    at = f"tracking.root={root}"
    assert "there is no round 'nobody'; the latest are: runs-3" in refused(shell("show", "nobody", at))
    assert "there is no round '../x'" in refused(shell("show", "../x", at))
    assert "there is no folder" in refused(shell(f"tracking.root={root / 'typo'}"))
    assert "only tracking.root=PATH can" in refused(shell("goal=dropout", at))
    assert "--help" in refused(shell("shwo", at))
    assert "--help" in refused(shell("show", at))
    (root / "other").mkdir()
    (root / "other" / "ledger.db").write_text("this is no database")
    assert "cannot be opened" in refused(shell(f"{at}/other"))


@pytest.mark.prose
def test_a_root_without_a_round_says_how_to_run_one_and_stays_as_it_is(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell(f"tracking.root={tmp_path}")
    assert code == 0
    assert "python -m flows.round runs one" in out
    assert list(tmp_path.iterdir()) == []
    assert "no round yet" in refused(shell("show", "r1", f"tracking.root={tmp_path}"))


def test_help_says_what_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "tracking.root=PATH" in said
    assert "show" in said


def test_the_command_runs_without_prefect_hydra_mlflow_and_torch(root: Path) -> None:
    heavy = "{'prefect', 'hydra', 'mlflow', 'torch'}"
    said = f"import sys; from flows.history import main; main(sys.argv[1:]); print({heavy} & set(sys.modules))"
    folder = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", said, f"tracking.root={root}"], cwd=folder, capture_output=True)
    assert done.stdout.decode().endswith("set()\n")
