"""What is known of a workload's program by its address."""

import pytest

from tasks.scope.names.programs import program_at


@pytest.mark.parametrize(
    ("target", "itself"),
    [
        ("mine.train", True),
        ("tasks.trials.command", True),
        ("flows.audit", True),
        ("tasks.trials.supervised", False),
        ("tasks.trials.workloads.synthetic.synthetic", False),
    ],
)
def test_of_its_own_loop_and_functions_the_project_knows_how_they_evaluate(target: str, itself: bool) -> None:
    assert program_at(target).evaluates_itself is itself
