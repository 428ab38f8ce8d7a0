"""The record of an audit that ended well, for all tests of `python -m flows.audit`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.audit import main
from tasks.record import Record, digest


@pytest.fixture
def audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Record]:
    """The record of an audit that ended well."""

    def one(*words: str) -> Record:
        capsys.readouterr()
        assert main([*words, f"tracking.root={tmp_path / 'root'}"]) == 0, capsys.readouterr().err
        (folder,) = (tmp_path / "root" / "audits").iterdir()
        record = Record.model_validate_json((folder / "record.json").read_text())
        assert (folder / "report.html").stat().st_size > 10_000
        assert digest(record) == record.digest
        assert str(folder / "report.html") in capsys.readouterr().out.replace("\n", "")
        folder.rename(tmp_path / record.round_id)
        return record

    return one
