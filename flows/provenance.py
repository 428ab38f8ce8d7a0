"""What a round ran on: the commit, what was not committed, the packages, the processor."""

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks.record import ReproduceRow, hash_of
from tasks.scope.redaction import NONE, Secrets

PACKAGES = ("torch", "numpy", "scipy", "prefect", "mlflow", "hydra-core", "mnist1d", "scikit-learn")
ROOT = Path(__file__).resolve().parent.parent
DIFF_BYTES = 1_000_000


def reproduce(command: str, overrides: tuple[str, ...], secrets: Secrets = NONE) -> ReproduceRow:
    """How to run the round again and on what it ran; git's part is empty outside a repository.

    Playbook: J13
    """
    packages = {name: found for name in PACKAGES if (found := _version(name)) is not None}
    commit, diff = _git("rev-parse", "HEAD"), _git("diff", "HEAD")
    machine = [sys.version.split()[0], platform.machine(), platform.system(), packages, commit, diff]
    return ReproduceRow(
        command=command,
        overrides=overrides,
        git_commit=commit or None,
        uncommitted_diff=secrets.redacted(diff)[:DIFF_BYTES],
        packages=packages,
        fingerprint=hash_of(machine, 16),
    )


def code_hash(config_dir: str | None, programs: Iterable[Path] = ()) -> str:
    """A hash of the code that trials and verdicts run on: the rooms, the Python of the user's own folder, programs."""
    folders = [ROOT / "tasks", *([Path(config_dir)] if config_dir else [])]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))] + sorted(programs)
    return hash_of([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files], 16)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    """What git prints about the repository, or nothing where there is none."""
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
