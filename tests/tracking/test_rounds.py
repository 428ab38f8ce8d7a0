"""Rounds and promoted models in a real MLflow store: the playbook's columns, and an alias that never goes back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.record import Record
from tasks.tracking import Handle, Tracking, project_round, project_trial, register

Open = Callable[[str], Handle]
Make = Callable[..., Record]


def artifacts(handle: Handle, run_id: str, under: str | None = None) -> list[str]:
    found = []
    for entry in handle.client.list_artifacts(run_id, under):
        found += artifacts(handle, run_id, entry.path) if entry.is_dir else [entry.path]
    return sorted(found)


def text_of(handle: Handle, run_id: str, name: str) -> str:
    location = handle.client.get_run(run_id).info.artifact_uri.removeprefix("file://")
    return (Path(location) / name).read_text()


@pytest.fixture
def checkpoint(tmp_path: Path) -> list[Path]:
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "weights.safetensors").write_bytes(b"weights")
    (tmp_path / "best" / "manifest.json").write_text("{}")
    (tmp_path / "best" / "passwords").symlink_to("/etc/passwd")
    return [tmp_path / "best" / name for name in ("manifest.json", "weights.safetensors", "passwords", "has gone")]


@pytest.mark.playbook("J13", case="shows")
@pytest.mark.prose
def test_a_round_is_a_parent_run_with_the_playbooks_columns(open_round: Open, make_record: Make, folder: Path) -> None:
    handle, record = open_round("columns"), make_record("columns")
    run = handle.client.get_run(project_round(handle, record, folder, config={"seed": 0, "goal": "dropout"}))
    tags = run.data.tags
    assert {k: tags[k] for k in ("name", "notes", "number of trials", "best value", "best checkpoint", "config")} == {
        "name": "Does dropout lower the validation error?",
        "notes": "after the loader was mended",
        "number of trials": "3",
        "best value": "0.2",
        "best checkpoint": "trial t0000, step 20",
        "config": "config.json",
    }
    assert tags["reproduce"] == "python -m flows.round goal=dropout seed=0"
    assert tags["study s-1"] == "regularizer=none: 3 trials, best 0.2 (trial t0000, step 20)"
    assert tags["uncommitted"] == "uncommitted.diff"
    assert (run.info.run_name, run.info.status) == ("columns", "FINISHED")
    assert text_of(handle, run.info.run_id, "uncommitted.diff") == "-old\n+new\n"
    assert json.loads(text_of(handle, run.info.run_id, "config.json")) == {"seed": 0, "goal": "dropout"}


def test_the_best_of_a_round_follows_its_direction(open_round: Open, make_record: Make, folder: Path) -> None:
    handle = open_round("upward")
    record = make_record("upward", objective={"metric": "accuracy", "direction": "maximize"})
    tags = handle.client.get_run(project_round(handle, record, folder)).data.tags
    assert tags["best value"] == "0.25"  # the third trial is infeasible and never best


def test_report_record_curves_and_plots_are_artifacts_and_nothing_else_of_the_folder(
    open_round: Open, make_record: Make, folder: Path
) -> None:
    handle = open_round("artifacts")
    run_id = project_round(handle, make_record("artifacts"), folder)
    assert artifacts(handle, run_id) == [
        "config.json",
        "curves.parquet",
        "plots/axis.png",
        "record.json",
        "report.html",
        "uncommitted.diff",
    ]


def test_checkpoints_of_the_best_go_to_the_trials_own_runs(
    open_round: Open, make_record: Make, folder: Path, checkpoint: list[Path]
) -> None:
    handle, record = open_round("best"), make_record("best")
    child = project_trial(handle, record.trials[0], [1], {"loss": [1.0]})
    project_round(handle, record, folder, checkpoints={"t0000": checkpoint, "never-projected": checkpoint})
    assert artifacts(handle, child) == ["checkpoints/manifest.json", "checkpoints/weights.safetensors"]


def test_projecting_a_round_twice_adds_nothing_and_a_new_digest_is_taken(
    open_round: Open, make_record: Make, folder: Path
) -> None:
    handle = open_round("again")
    run_id = project_round(handle, make_record("again"), folder)
    before = handle.client.get_run(run_id).to_dictionary()
    assert project_round(open_round("again"), make_record("again"), folder) == run_id
    assert handle.client.get_run(run_id).to_dictionary() == before
    project_round(handle, make_record("again", digest="e" * 64), folder)
    assert handle.client.get_run(run_id).data.tags["tunebook.digest"] == "e" * 64


def test_an_artifact_that_was_lost_or_cut_short_is_sent_again_and_no_other(
    open_round: Open, make_record: Make, folder: Path
) -> None:
    handle, record = open_round("cut"), make_record("cut")
    run_id = project_round(handle, record, folder)
    there = Path(handle.client.get_run(run_id).info.artifact_uri.removeprefix("file://"))
    before = {path: path.stat().st_ctime_ns for path in there.rglob("*") if path.is_file()}
    (there / "report.html").write_text("rep")
    (there / "uncommitted.diff").unlink()
    project_round(open_round("cut"), record, folder)
    assert (there / "report.html").read_text() == "report.html"
    assert (there / "uncommitted.diff").read_text() == "-old\n+new\n"
    after = {path: path.stat().st_ctime_ns for path in there.rglob("*") if path.is_file()}
    assert {path.name for path in before if before[path] != after[path]} == {"report.html", "uncommitted.diff"}


def test_of_twins_that_a_lost_answer_left_one_stays(open_round: Open, make_record: Make) -> None:
    """A call that failed here may have been carried out there: then it was made again."""
    handle, row = open_round("twins"), make_record("twins").trials[0]
    run_id = project_trial(handle, row, [1], {"loss": [1.0]})
    for tags in ({"tunebook.kind": "round"}, {"tunebook.trial": row.id, "mlflow.parentRunId": "gone"}):
        handle.client.create_run(handle.experiment, start_time=1, tags={"tunebook.round": "twins", **tags})
    again = open_round("twins")
    assert again.runs == {row.id: run_id}
    found = again.client.search_runs([again.experiment], "tags.`tunebook.round` = 'twins'")
    assert {run.info.run_id for run in found} == {again.parent, run_id}
    assert again.client.get_run(run_id).data.tags["mlflow.parentRunId"] == again.parent
    assert open_round("twins").parent == again.parent


def aliased(handle: Handle, name: str) -> tuple[str, str]:
    """The generation that has the alias, and how many versions there are."""
    version = handle.client.get_model_version_by_alias(name, "incumbent")
    return version.tags["tunebook.generation"], str(len(handle.client.search_model_versions(f"name = '{name}'")))


@pytest.mark.playbook("G9", case="shows")
@pytest.mark.prose
def test_a_promoted_checkpoint_is_registered_once_and_loads_by_its_alias(
    tracking: Tracking, open_round: Open, make_record: Make, checkpoint: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.artifacts import download_artifacts

    record = make_record("model-1", workload="model/one")
    first = register(open_round("model-1"), record, checkpoint, 1)
    assert register(open_round("model-1"), record, checkpoint, 1) == first
    handle = open_round("model-1")
    assert aliased(handle, "model-one") == ("1", "1")
    version = handle.client.get_model_version_by_alias("model-one", "incumbent")
    assert version.tags["tunebook.round"] == "model-1"
    assert "it beat the incumbent" in str(version.description)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.address)
    folder = Path(download_artifacts("models:/model-one@incumbent"))
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["manifest.json", "weights.safetensors"]
    assert (folder / "weights.safetensors").read_bytes() == b"weights"


def test_the_alias_goes_forward_and_never_back(open_round: Open, make_record: Make, checkpoint: list[Path]) -> None:
    def late(round_id: str, generation: int) -> Handle:
        handle = open_round(round_id)
        register(handle, make_record(round_id, workload="forward"), checkpoint, generation)
        return handle

    assert aliased(late("g9", 9), "forward") == ("9", "1")
    assert aliased(late("g10", 10), "forward") == ("10", "2")
    assert aliased(late("g2", 2), "forward") == ("10", "3")
    assert aliased(late("g9", 9), "forward") == ("10", "3")


def test_a_kill_between_the_version_and_its_alias_is_made_good(
    open_round: Open, make_record: Make, checkpoint: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, record = open_round("torn"), make_record("torn", workload="torn")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(handle.client, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            register(handle, record, checkpoint, 1)
    register(open_round("torn"), record, checkpoint, 1)
    assert aliased(handle, "torn") == ("1", "1")
