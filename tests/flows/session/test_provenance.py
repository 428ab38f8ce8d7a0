"""What a record says of the code: the commit and the diff of the user's repository, and tunebook's version."""

import os
import subprocess
from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from flows.compose.config import CONF, RoundConfig
from flows.session.provenance.fingerprint import differing, fingerprint
from flows.session.provenance.programs import program_folder
from flows.session.provenance.reproduce import diff_caveat, reproduce
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


@pytest.mark.playbook("J13", case="shows")
@pytest.mark.prose
def test_files_that_git_does_not_know_are_kept_where_they_are_small_sources_and_named_else(tmp_path: Path) -> None:
    own = write_folder(tmp_path / "project" / "mine")
    committed(tmp_path / "project")
    (own / ".gitignore").write_text("*.log\n")
    (own / "own.py").write_text((own / "own.py").read_text() + "\n\n")
    kept = {"helper.py": "x = 1\n", "no end.yaml": "width: 3", "empty.py": "", "net/deep.py": "a = 1\n\nb = 2\n"}
    told = {
        "secret.yaml": "api_key: 0123456789\n",
        "login.py": "TOKEN = 'abcdefgh'\n",
        "address.py": "u = 'http://me:hidden@here'\n",
        "data.csv": "1,2\n",
        "long.py": "y = 1\n" * 20_000,
    }
    (own / "net").mkdir()
    for name, text in {**kept, **told, "run.log": "x"}.items():
        (own / name).write_text(text)
    (own / "link.py").symlink_to("/etc/hostname")
    asked = config(own)
    row = reproduce("c", (), fingerprint(asked), program_folder(asked))
    named = [line for line in row.uncommitted_diff.splitlines() if line.startswith("Not in git: ")]
    assert {line.split()[3].removeprefix("mine/") for line in named} == {*told, ".gitignore", "link.py"}
    assert "Not in git: mine/secret.yaml (named only: it may hold a secret)" in named
    assert "run.log" not in row.uncommitted_diff
    assert not [word for word in ("0123456789", "abcdefgh", "hidden") if word in row.uncommitted_diff]
    again = tmp_path / "again"
    git(tmp_path, "clone", "-q", str(own.parent), str(again))
    applied = "\n".join(line for line in row.uncommitted_diff.splitlines() if line not in named) + "\n"
    (tmp_path / "kept.diff").write_text(applied)
    git(again, "apply", str(tmp_path / "kept.diff"))
    assert {name: (again / "mine" / name).read_text() for name in kept} == kept


@pytest.mark.playbook("J13", case="fires")
@pytest.mark.playbook("J13", case="silent")
def test_a_diff_that_is_too_long_for_the_record_is_said_to_be_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_folder(tmp_path / "project" / "mine")
    committed(tmp_path / "project")
    (own / "own.py").write_text("# changed\n" * 50)
    asked = config(own)
    whole = reproduce("c", (), fingerprint(asked), program_folder(asked))
    assert (whole.diff_cut, diff_caveat(whole)) == (0, "")
    monkeypatch.setattr("flows.session.provenance.reproduce.DIFF_LENGTH", 100)
    row = reproduce("c", (), fingerprint(asked), program_folder(asked))
    assert row.uncommitted_diff == whole.uncommitted_diff[:100]
    assert row.diff_cut == len(whole.uncommitted_diff) - 100
    assert f"first 100 of {len(whole.uncommitted_diff):,} characters" in diff_caveat(row)


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
