"""Two projects with equal names on one install share nothing: no incumbent, ledger, experiment or deployment."""

import json
import sqlite3
from pathlib import Path

import pytest

from flows.prefect.deployment import deployment_name
from tests.installed.conftest import Way
from tests.installed.project import SMALL, write_project
from tests.installed.test_ways import served


@pytest.fixture(scope="module")
def two(ways: dict[str, Way], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two working folders with the same names in them; a round was run in each, of which the second is broken for b."""
    folders = []
    for worth in ("0.7", "1.3"):
        folder = tmp_path_factory.mktemp("place") / "project"
        own = write_project(folder / "mine", "both")
        surface = own / "flows" / "surface.py"
        surface.write_text(surface.read_text().replace("0.7", worth))
        words = [o for o in SMALL if not o.startswith("tracking")]
        code, said = ways["wheel"].round(own, "workload=function", *words, folder=folder)
        assert code == 0, said
        folders.append(folder)
    return folders[0], folders[1]


def test_each_has_a_ledger_and_an_incumbent_of_its_own(two: tuple[Path, Path]) -> None:
    ids = set()
    for folder, best in zip(two, ("b", "a"), strict=True):
        (path,) = (folder / "mlruns" / "records").glob("*/record.json")
        record = json.loads(path.read_text())
        assert record["verdict"]["incumbent"]["generation"] == 0
        text = (folder / "mine" / "incumbent" / "function.yaml").read_text()
        assert f"switch: {best}" in text
        with sqlite3.connect(folder / "mlruns" / "ledger.db") as db:
            (id,) = db.execute("SELECT ledger_id FROM meta").fetchone()
        assert f"ledger: {id}" in text
        ids.add(id)
    assert len(ids) == 2


def test_each_has_mlflow_experiments_of_its_own(two: tuple[Path, Path]) -> None:
    for folder in two:
        with sqlite3.connect(folder / "mlruns" / "mlflow.db") as db:
            rows = db.execute("SELECT name, artifact_location FROM experiments WHERE name = 'function'").fetchall()
            runs = db.execute("SELECT count(*) FROM runs").fetchone()[0]
        assert [name for name, _ in rows] == ["function"]
        assert str(folder) in rows[0][1]
        (path,) = (folder / "mlruns" / "records").glob("*/record.json")
        assert runs == 1 + len(json.loads(path.read_text())["trials"])


def test_each_has_a_deployment_of_its_own_on_one_server(
    two: tuple[Path, Path], ways: dict[str, Way], prefect: tuple[Path, str]
) -> None:
    way, api = ways["wheel"], prefect[1]
    first, second = two
    with served(way, first, api) as one, served(way, second, api) as other:
        assert one != other
    assert deployment_name(first) != deployment_name(second)
