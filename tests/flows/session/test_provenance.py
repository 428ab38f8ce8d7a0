"""What a record says of the code: the commit and the diff of the user's repository, and tunebook's version."""

import os
import subprocess
from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from flows.compose.config import CONF, RoundConfig
from flows.session.provenance.fingerprint import differing, fingerprint
from flows.session.provenance.programs import program_folder
from flows.session.provenance.reproduce import reproduce
from tests.flows.own_round import write_folder

ME = ("-c", "user.name=me", "-c", "user.email=me@here")


def git(folder: Path, *words: str) -> str:
    """What git prints in the folder."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *ME, *words], capture_output=True, text=True, check=True, env=plain
    )
    return done.stdout.strip()


def committed(folder: Path) -> str:
    """The commit of everything in the folder, which is a repository from now on."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD")


def config(own: Path, *more: str) -> RoundConfig:
    """The configuration of a round of that folder."""
    said = ["workload=own", "space=own", "goal=own", f"tracking.root={own.parent / 'store'}", *more]
    return from_overrides(said, str(own))


def test_commit_and_diff_are_of_the_repository_of_the_program(tmp_path: Path) -> None:
    own = write_folder(tmp_path / "project" / "mine")
    commit = committed(tmp_path / "project")
    asked = config(own)
    parts = fingerprint(asked)
    (own / "own.py").write_text((own / "own.py").read_text() + "# changed\n")
    row = reproduce("c", (), parts, program_folder(asked))
    assert row.git_commit == commit
    assert "+# changed" in row.uncommitted_diff
    assert row.tunebook.startswith("0.")
    assert git(CONF.parent, "rev-parse", "HEAD") in row.tunebook or not (CONF.parent / ".git").exists()


def test_files_that_git_does_not_know_are_named(tmp_path: Path) -> None:
    own = write_folder(tmp_path / "project" / "mine")
    committed(tmp_path / "project")
    (own / ".gitignore").write_text("*.log\n")
    for name in ("helper.py", "run.log"):
        (own / name).write_text("x = 1\n")
    asked = config(own)
    row = reproduce("c", (), fingerprint(asked), program_folder(asked))
    assert row.uncommitted_diff == "Not in git: .gitignore\nNot in git: helper.py"


def test_a_program_elsewhere_is_of_its_own_repository(tmp_path: Path) -> None:
    own = write_folder(tmp_path / "conf")
    script = tmp_path / "code" / "train.py"
    script.parent.mkdir()
    script.write_text("")
    commit = committed(script.parent)
    (own / "workload" / "own.yaml").write_text(
        f"_target_: tasks.trials.command\nargv: [python, {script}]\n"
        "objective: {metric: loss, direction: minimize}\nbaseline: {x: 0.2, z: 0.8, switch: a}\n"
    )
    assert fingerprint(config(own))["git"]["commit"] == commit


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    asked = config(write_folder(tmp_path / "mine"))
    assert fingerprint(asked)["git"] == {}
    assert reproduce("c", (), fingerprint(asked), program_folder(asked)).git_commit is None


def test_what_git_says_of_itself_in_a_hook_and_a_diff_of_the_users_own_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_folder(tmp_path / "project" / "mine")
    other = write_folder(tmp_path / "other" / "mine")
    commit, _ = committed(tmp_path / "project"), committed(other.parent)
    git(own, "config", "diff.external", f"touch {tmp_path / 'ran'}; echo")
    git(own, "config", "color.ui", "always")
    (own / "own.py").write_text("# changed\n")
    monkeypatch.setenv("GIT_DIR", str(other.parent / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.parent))
    asked = config(own)
    row = reproduce("c", (), fingerprint(asked), program_folder(asked))
    assert row.git_commit == commit
    assert "\n+# changed" in row.uncommitted_diff
    assert not (tmp_path / "ran").exists()


def test_a_store_of_rounds_within_the_folder_is_no_code(tmp_path: Path) -> None:
    asked = config(write_folder(tmp_path / "mine"))
    before = fingerprint(asked)
    record = tmp_path / "mine" / "mlruns" / "records" / "x"
    record.mkdir(parents=True)
    (record / "config.yaml").write_text("a: 1\n")
    assert set(differing(before, fingerprint(asked))) == {"code"}  # a folder of another name would be theirs
    (tmp_path / "mine" / "mlruns" / "ledger.db").touch()
    assert differing(before, fingerprint(asked)) == {}


def test_packages_of_our_names_count_as_the_users_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = write_folder(tmp_path / "mine")
    (own / "own.py").write_text("import tasks.net\n" + (own / "own.py").read_text())
    package = tmp_path / "code" / "tasks"
    package.mkdir(parents=True)
    (package / "net.py").write_text("DEPTH = 1\n")
    monkeypatch.syspath_prepend(str(package.parent))
    before = fingerprint(config(own))
    assert "tasks" in before["code"]
    (package / "net.py").write_text("DEPTH = 2\n")
    assert set(differing(before, fingerprint(config(own)))) == {"code"}
