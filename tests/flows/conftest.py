"""A user's folder, for as long as a test lasts."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.own_round import write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """See `own_round`."""
    yield write_folder(tmp_path / "own")
    sys.modules.pop("own", None)  # a command has one folder of the user's; this process sees several
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "own")]
