"""tunebook as its users have it: a wheel in an environment of its own, an editable install, and the checkout.

These tests install and start real programs, which takes minutes: `make installed` runs them (in CI one of each kind),
`make installed-full` every combination.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.compose.config import CONF

ROOT = CONF.parent
TIER = os.environ.get("TUNEBOOK_INSTALLED", "")
PATIENCE = 400.0  # seconds for one command
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_", "PYTHON", "TUNEBOOK"))}


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to have tunebook: its Python, and whether its commands are `tunebook …` or the checkout's modules."""

    name: str
    python: Path
    console: bool

    def words(self, command: str) -> list[str]:
        """How a command is called."""
        return [str(self.python.with_name("tunebook")), command] if self.console else [
            str(self.python), "-m", f"flows.{command}"
        ]  # fmt: skip

    def start(self, command: str, *words: str, folder: Path, **more: str) -> subprocess.Popen[str]:
        """The command, started in the folder; in the checkout it runs there, and its store lies in the folder."""
        return subprocess.Popen(
            [*self.words(command), *words],
            cwd=folder if self.console else ROOT,
            env=PLAIN | {"NO_COLOR": "1", "COLUMNS": "120", "PREFECT_HOME": str(folder / "prefect")} | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str, *words: str, folder: Path, **more: str) -> tuple[int, str]:
        """Its exit code and what it printed."""
        with self.start(command, *words, folder=folder, **more) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, said

    def round(self, own: Path, *words: str, folder: Path, **more: str) -> tuple[int, str]:
        """A round on the user's folder `own` whose store is `folder/mlruns`."""
        store = [] if self.console else [f"tracking.root={folder / 'mlruns'}"]
        return self.run("round", "--config-dir", str(own), *words, *store, folder=folder, **more)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests belong to a stage of their own."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not TIER:
            item.add_marker(pytest.mark.skip(reason="belongs to make installed"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Way:
    """The wheel of this checkout in an environment of its own, with nothing of the repository in it."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "wheel", "-qq", "--no-deps", "--wheel-dir", str(place), str(ROOT)], check=True)
    (built,) = place.glob("tunebook-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    python = place / "venv" / "bin" / "python"
    install = [str(python), *pip[1:], "install", "-qq", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*install, f"tunebook[train] @ {built.as_uri()}"], check=True)
    return Way(name="wheel", python=python, console=True)


@pytest.fixture(scope="session")
def ways(wheel: Way) -> dict[str, Way]:
    """The three ways to have tunebook, by name."""
    here = Path(sys.executable)
    editable = Way(name="editable", python=here, console=True)
    return {way.name: way for way in (wheel, editable, Way(name="checkout", python=here, console=False))}
