"""What is luck and what is not, in one sentence: retrains, the search, the validation data."""

import pytest

from tasks.promote.comparison import look_at
from tasks.promote.reasons import Named, variances_sentence

LOOK = look_at((0.30, 0.31, 0.32), (0.33, 0.35, 0.37), 0.0, 2.0, 0.0)


@pytest.mark.playbook("G1", case="shows")
@pytest.mark.prose
def test_each_kind_of_luck_has_its_own_number() -> None:
    said = variances_sentence("finalist", "incumbent", LOOK, 0.2, 0.0145, Named({}))
    assert "Retrains of one configuration: SD 0.01 of the finalist and 0.02 of the incumbent" in said
    assert "within a band 0.2 wide" in said
    assert "validation data: SD 0.0145" in said


@pytest.mark.prose
def test_what_was_not_measured_is_said_to_be_so() -> None:
    said = variances_sentence("finalist", "incumbent", LOOK, None, None, Named({}))
    assert "The search: not measured" in said
    assert "validation data: not measured" in said
