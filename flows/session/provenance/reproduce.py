"""How a round is run again: its command, the commit of the user's program and what is not committed of it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flows.compose.config import CONF
from flows.session.provenance.untracked import untracked_text
from tasks.record import ReproduceRow, hash_of
from tasks.scope.redaction import NONE, Secrets

ROOT = CONF.parent
DIFF_LENGTH = 1_000_000  # characters of the diff that a record keeps
_NAMED = 100  # files that git does not know, in what tells whether the code is the same


def reproduce(
    command: str,
    overrides: tuple[str, ...],
    parts: Mapping[str, Mapping[str, str]],
    folder: Path,
    secrets: Secrets = NONE,
) -> ReproduceRow:
    """How to run the round again, and the `parts` of the fingerprint on which it began; see `fingerprint`.

    Commit and diff are of the repository of the program's `folder`. The diff leads from the commit at which the round
    began to the code on which it ends, small source files that git does not know among it. One that is too long for
    the record is cut, and the row says by how much.

    Playbook: J13
    """
    commit = parts["git"].get("commit")
    diff = _whole_diff(commit, folder, secrets) if commit else ""
    return ReproduceRow(
        command=command,
        overrides=overrides,
        git_commit=commit,
        uncommitted_diff=diff[:DIFF_LENGTH],
        diff_cut=max(0, len(diff) - DIFF_LENGTH),
        tunebook=version_text(parts.get("tunebook", {})),
        packages={**parts["packages"], **parts["services"]},
        fingerprint=hash_of({part: dict(parts[part]) for part in parts}, 16),
    )


def tunebook_version() -> dict[str, str]:
    """The version of tunebook that runs, and its commit where that is a checkout of its own."""
    found = {}
    with suppress(PackageNotFoundError):
        found["version"] = version("tunebook")
    commit = commit_of(ROOT) if (ROOT / ".git").exists() else ""
    return found | ({"commit": commit} if commit else {})


def version_text(tunebook: Mapping[str, str]) -> str:
    """The version in one line: `0.1.0`, or `0.1.0 (commit 1a2b3c…)` of a checkout."""
    commit = tunebook.get("commit", "")
    return tunebook.get("version", "unknown") + (f" (commit {commit})" if commit else "")


def commit_of(folder: Path) -> str:
    """The commit that is checked out in the folder's repository; empty outside of one, and where there is no git."""
    return _git(folder, "rev-parse", "HEAD")


def diff_from(commit: str, folder: Path, secrets: Secrets = NONE) -> str:
    """What differs from a commit of the folder's repository, without secrets; of what git does not know, the names."""
    tracked = _tracked(commit, folder)
    unknown = _git(folder, "ls-files", "--others", "--exclude-standard").splitlines()
    shown = [f"Not in git: {name}" for name in unknown[:_NAMED]]
    more = [f"Not in git: {len(unknown) - _NAMED} more"] if len(unknown) > _NAMED else []
    return secrets.redacted("\n".join([*([tracked] if tracked else []), *shown, *more]))


def _whole_diff(commit: str, folder: Path, secrets: Secrets) -> str:
    """What differs from the commit, with the content of small source files that git does not know; without secrets."""
    names = [n for n in _git(folder, "ls-files", "-z", "--others", "--exclude-standard").split("\0") if n]
    unknown = untracked_text(folder, names, _git(folder, "rev-parse", "--show-prefix"))
    return secrets.redacted("\n".join(part for part in (_tracked(commit, folder), unknown) if part))


def _tracked(commit: str, folder: Path) -> str:
    return _said_by_git(folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", commit).removesuffix("\n")


def diff_caveat(row: ReproduceRow) -> str:
    """That the record has not the whole diff; "" where it has.

    Playbook: J13
    """
    if not row.diff_cut:
        return ""
    whole = len(row.uncommitted_diff) + row.diff_cut
    return (
        f"The record has the first {len(row.uncommitted_diff):,} of {whole:,} characters of the uncommitted diff, "
        "which does not make the code again: commit before the next round (J13)."
    )


def _git(folder: Path, *arguments: str) -> str:
    """What git prints about the repository of a folder, without white space around it."""
    return _said_by_git(folder, *arguments).strip()


def _said_by_git(folder: Path, *arguments: str) -> str:
    """What git prints about the repository of a folder, or nothing where there is none.

    Of that folder, also where git itself has started us (a hook) and says in its variables which repository it means.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=plain,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""
