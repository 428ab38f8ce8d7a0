"""Rounds by random goals, one after the other: no promoted value is lost without a warning that names it.

`TUNEBOOK_CHAIN=300` plays so many rounds; by default it is a spread of the same chains.
"""

import os
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.compose import compose
from flows.tune import tune
from tasks.record import Record
from tests.benchmarks.closed_loop import in_this_process
from tests.chains.chain import Link, links, played, write_folder

LENGTH = 8  # rounds a chain
CHAINS = max(1, int(os.environ.get("TUNEBOOK_CHAIN", "24")) // LENGTH)


def run(words: tuple[str, ...], folder: Path) -> Record:
    """The round, in this process."""
    return tune(compose.from_overrides(words, str(folder)))


@pytest.mark.playbook("G9", "K1", case="shows")
@settings(max_examples=CHAINS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(chain=st.lists(links(), min_size=LENGTH, max_size=LENGTH))
def test_no_promoted_value_is_lost_without_a_warning_that_names_it(chain: list[Link]) -> None:
    with TemporaryDirectory() as place, in_this_process(), redirect_stderr(StringIO()):
        records = played(chain, write_folder(Path(place) / "own"), Path(place) / "store", run)
    assert len(records) == LENGTH
