"""How a round is run again: its command, the commit of the user's program and what is not committed of it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flows.compose.config import CONF
from tasks.record import ReproduceRow, hash_of
from tasks.scope.redaction import NONE, Secrets

ROOT = CONF.parent
DIFF_BYTES = 1_000_000
_NAMED = 100  # files that git does not know


def reproduce(
    command: str,
    overrides: tuple[str, ...],
    parts: Mapping[str, Mapping[str, str]],
    folder: Path,
    secrets: Secrets = NONE,
) -> ReproduceRow:
    """How to run the round again, and the `parts` of the fingerprint on which it began; see `fingerprint`.

    Commit and diff are of the repository of the program's `folder`. The diff leads from the commit at which the round
    began to the code on which it ends.

    Playbook: J13
    """
    commit = parts["git"].get("commit")
    return ReproduceRow(
        command=command,
        overrides=overrides,
        git_commit=commit,
        uncommitted_diff=diff_from(commit, folder, secrets)[:DIFF_BYTES] if commit else "",
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
    tracked = _git(folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", commit)
    unknown = _git(folder, "ls-files", "--others", "--exclude-standard").splitlines()
    shown = [f"Not in git: {name}" for name in unknown[:_NAMED]]
    more = [f"Not in git: {len(unknown) - _NAMED} more"] if len(unknown) > _NAMED else []
    return secrets.redacted("\n".join([*([tracked] if tracked else []), *shown, *more]))


def _git(folder: Path, *arguments: str) -> str:
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
    return done.stdout.strip() if done.returncode == 0 else ""
