"""MLflow is imported by whoever needs it first, however many do at once."""

import subprocess
import sys
from pathlib import Path

AT_ONCE = """
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tasks.tracking.private import PrivateStores
from tasks.tracking.store import Tracking, create

together = threading.Barrier(2)

def projected():
    together.wait()
    create(Tracking(root="."))

def private():
    together.wait()
    PrivateStores(Path("round").resolve()).variables(Path("round/trials/t0").resolve())

with ThreadPoolExecutor(2) as threads:
    for done in [threads.submit(projected), threads.submit(private)]:
        done.result()
"""


def test_a_store_of_a_program_and_the_store_of_the_rounds_may_be_opened_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_ONCE]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "mlflow.db").is_file()


def environment() -> dict[str, str]:
    """The repository alone: what a person has set of MLflow plays no part."""
    return {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin", "HOME": "/tmp"}
