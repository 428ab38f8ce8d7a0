"""A full disk: what was there before stays, what happened is said, and with room again the same thing goes on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Tally

SCRIPT = Path(__file__).with_name("full_disk.py")
LEVELS = 50 if os.environ.get("TUNEBOOK_FAULTS") == "full" else 6


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `full_disk.py` found at every level, on a file system that nobody else sees."""
    if shutil.which("unshare") is None:
        pytest.skip("a small file system needs unshare")
    disk = tmp_path_factory.mktemp("disk")
    mounted = f'mount -t tmpfs -o size=24m,mode=700 small {disk} && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mounted, "sh", sys.executable, str(SCRIPT), str(disk), str(LEVELS)]
    environ = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine lets no user mount a file system")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("scenario", "what"),
    [
        ("checkpoint", "levels of a full disk under a checkpoint"),
        ("ledger", "levels of a full disk under the ledger"),
        ("report", "levels of a full disk under record, report and curves"),
        ("log", "levels of a full disk under a trial's log"),
        ("trial", "levels of a full disk under a running trial"),
    ],
)
def test_a_full_disk_loses_nothing_that_was_there(said: dict[str, Any], scenario: str, what: str, tally: Tally) -> None:
    assert said[scenario]["full"] >= LEVELS // 3, "the disk was hardly ever full"
    assert said[scenario]["wrong"] == []
    tally("B1", what, LEVELS, len(said[scenario]["wrong"]))
