"""How a round is run again: its command, the git commit and the uncommitted changes."""

import shutil
import subprocess
from collections.abc import Mapping

from flows.compose.config import CONF
from tasks.record import ReproduceRow, hash_of
from tasks.scope.redaction import NONE, Secrets

ROOT = CONF.parent
DIFF_BYTES = 1_000_000


def reproduce(
    command: str, overrides: tuple[str, ...], parts: Mapping[str, Mapping[str, str]], secrets: Secrets = NONE
) -> ReproduceRow:
    """How to run the round again, and the `parts` of the fingerprint on which it began; see `fingerprint`.

    The diff leads from the commit at which the round began to the code on which it ends.

    Playbook: J13
    """
    commit = parts["git"].get("commit")
    return ReproduceRow(
        command=command,
        overrides=overrides,
        git_commit=commit,
        uncommitted_diff=diff_from(commit, secrets)[:DIFF_BYTES] if commit else "",
        packages={**parts["packages"], **parts["services"]},
        fingerprint=hash_of({part: dict(parts[part]) for part in parts}, 16),
    )


def commit_here() -> str:
    """The commit that is checked out; empty outside a repository, and where there is no git."""
    return _git("rev-parse", "HEAD")


def diff_from(commit: str, secrets: Secrets = NONE) -> str:
    """What differs from a commit and is tracked, without secrets."""
    return secrets.redacted(_git("diff", commit))


def _git(*arguments: str) -> str:
    """What git prints about the repository, or nothing where there is none."""
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
