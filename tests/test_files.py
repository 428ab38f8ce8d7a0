"""Files are written as a whole or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest

from tasks.files import write_atomically


class Killed(BaseException):
    """The process ends here."""


def test_a_text_is_written_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def cut(*args: Any) -> None:
        raise Killed

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(Killed):
        write_atomically(path, "new")
    assert path.read_text() == "old"
