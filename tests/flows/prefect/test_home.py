"""Prefect's own folder: one for each version of Prefect, and a sentence where a database is another version's."""

import sqlite3
from importlib.metadata import version
from pathlib import Path

import pytest

from flows.prefect.server import PrefectServer, free_port, home, settle


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, in which nobody has chosen a home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PATH": "/usr/bin"})
    return tmp_path


def test_each_version_of_prefect_has_a_home_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home() == folder / "mlruns" / "prefect" / version("prefect")
    monkeypatch.setattr("flows.prefect.server.version", lambda package: "9.9.9")
    assert home() == folder / "mlruns" / "prefect" / "9.9.9"
    monkeypatch.setenv("PREFECT_HOME", str(folder / "mine"))
    assert home() == folder / "mine"


def test_a_database_without_a_version_stays_and_it_is_said_once_where(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = folder / "mlruns" / "prefect" / "prefect.db"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"theirs")
    settle(home())
    assert "mlruns/prefect/prefect.db; PREFECT_HOME=mlruns/prefect shows them" in capsys.readouterr().err
    monkeypatch.delenv("PREFECT_HOME")
    settle(home())
    assert capsys.readouterr().err == ""
    assert older.read_bytes() == b"theirs"


def test_where_there_is_no_such_database_nothing_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settle(home())
    assert capsys.readouterr().err == ""


@pytest.mark.prose
def test_a_database_that_a_newer_prefect_has_changed_is_one_sentence(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "prefect.db") as database:
        database.execute("create table alembic_version (version_num varchar(32) not null)")
        database.execute("insert into alembic_version values ('ffffffffffff')")
    database.close()
    with pytest.raises(RuntimeError) as refused, PrefectServer(tmp_path, free_port()) as server:
        server.wait()
    mine = version("prefect")
    assert str(refused.value) == (
        f"another Prefect made {tmp_path / 'prefect.db'}, and {mine} cannot read it: name another PREFECT_HOME"
    )
