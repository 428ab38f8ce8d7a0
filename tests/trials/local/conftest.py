"""Here the process that forks trials is what is tested: it is started as it is, as a new interpreter."""

import subprocess
from collections.abc import Iterator

import pytest

from tasks.trials.local import server_link


@pytest.fixture(scope="module", autouse=True)
def new_interpreters() -> Iterator[None]:
    """No fork server is forked from the warm process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_link, "subprocess", subprocess)
        yield
