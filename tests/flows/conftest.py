"""A user's folder, for as long as a test lasts."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.flows import own_round
from tests.flows.own_round import KilledWhen, write_folder
from tests.processes.warm import Warm


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """See `own_round`."""
    yield write_folder(tmp_path / "own")
    sys.modules.pop("own", None)  # a command has one folder of the user's; this process sees several
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "own")]


@pytest.fixture
def killed_when(warm: Warm) -> KilledWhen:
    """See `own_round`."""
    return partial(own_round.killed_when, warm)
