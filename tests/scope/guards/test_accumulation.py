"""A10: the way out of gradient accumulation, and what is none."""

import pytest

from tasks.record import Finding, Value
from tasks.scope.guards.question import no_gradient_accumulation
from tests.scope.example_scopes import BASELINE, SPACE, levels, scope


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


@pytest.mark.playbook("A10", case="fires")
def test_the_way_out_of_accumulation_changes_what_holds_it() -> None:
    steps = {"values": [1, 2, 4]}
    held = {"accum_iter": {"value": 4, "reason": "memory"}}
    one = scope(space=SPACE | {"accum_iter": steps}, fixed=held)
    assert only(no_gradient_accumulation(one), "warn").remedy == ("++goal.fixed.accum_iter.value=1",)
    spelled = {"argv": ["python", "train.py", "--accum-iter", "4"]}  # no argument of the workload has that name
    assert only(no_gradient_accumulation(scope(target="tasks.trials.command", arguments=spelled)), "warn").remedy == ()


@pytest.mark.playbook("A10", case="silent")
@pytest.mark.prose
@pytest.mark.parametrize("value", ["none", "off", "1", 0])
def test_accumulation_that_is_off_in_words_is_none_and_is_told_as_it_stands(value: Value) -> None:
    found = only(no_gradient_accumulation(scope(baseline=BASELINE | {"grad_accum": value})), "ok")
    assert f"grad_accum is {value}" in found.evidence
