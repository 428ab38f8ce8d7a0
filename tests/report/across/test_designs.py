"""Independent designs of one question: how far their bests lie apart, and whether they agree on what is better."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tasks.record import IsolationRow, Record
from tasks.report.across.designs import lead, repeated
from tasks.scope.error import InputError
from tests.report.example_records import example


def designs(*bests: Mapping[str, float | None], direction: str = "minimize", half: float | None = 0.02) -> list[Record]:
    """A round for each mapping of optimizers to the best that was found, with a band of `half` either way."""

    def row(name: str, best: float | None) -> IsolationRow:
        band = None if best is None or half is None else (best - half, best + half)
        return IsolationRow(parameter="optimizer", value=name, best_trial="t", best_value=best, band=band)

    whole = example("keep", direction=direction)
    return [
        whole.model_copy(
            update={"round_id": f"r-{i}", "seed": i, "isolation": tuple(row(n, b) for n, b in own.items())}
        )
        for i, own in enumerate(bests)
    ]


@pytest.mark.playbook("F14", case="shows")
def test_the_spread_of_the_bests_is_the_luck_of_the_search() -> None:
    adam, nesterov = repeated(designs({"adam": 0.2, "nesterov": 0.3}, {"adam": 0.22, "nesterov": 0.36}))
    assert (adam.label, nesterov.label) == ("optimizer = adam", "optimizer = nesterov")
    assert adam.bests == (0.2, 0.22)
    assert adam.mean == pytest.approx(0.21)
    assert adam.sd == pytest.approx(0.01414, rel=1e-3)
    assert (adam.held, nesterov.held) == ((2, 2), (0, 2))


@pytest.mark.playbook("F14", case="shows")
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.prose
def test_what_every_design_shows_is_more_than_luck_and_what_they_differ_in_is_not(direction: str) -> None:
    steady = [{"adam": 0.2, "nesterov": 0.3}, {"adam": 0.21, "nesterov": 0.32}, {"adam": 0.2, "nesterov": 0.31}]
    said = lead(repeated(designs(*steady, direction=direction)), "error")
    better = "adam" if direction == "minimize" else "nesterov"
    assert said.startswith(f"optimizer = {better} is ahead of optimizer = ")
    assert "in 3 of 3 designs, by 0.1067 error on average" in said
    assert ": more than the luck of the search explains" in said
    torn = [{"adam": 0.2, "nesterov": 0.3}, {"adam": 0.3, "nesterov": 0.21}, {"adam": 0.2, "nesterov": 0.25}]
    assert ": no more than the luck" in lead(repeated(designs(*torn, direction=direction)), "error")


@pytest.mark.prose
def test_a_value_without_a_feasible_trial_in_some_design_is_left_out() -> None:
    found = repeated(designs({"adam": 0.2, "nesterov": None}, {"adam": 0.22, "nesterov": 0.3}, half=None))
    assert [r.label for r in found] == ["optimizer = adam"]
    assert found[0].held == (0, 0)
    assert "alone has a feasible trial" in lead(found, "error")


@pytest.mark.prose
def test_rounds_that_are_no_designs_of_one_question_are_refused_in_a_sentence() -> None:
    one, other = designs({"adam": 0.2}, {"adam": 0.3})

    def refused(records: Sequence[Record], says: str) -> None:
        with pytest.raises(InputError, match=says):
            repeated(records)

    def changed(**update: Any) -> list[Record]:
        return [one, other.model_copy(update=update)]

    refused([one], "two rounds or more")
    refused(changed(seed=0), "have one seed")
    refused(changed(workload="other"), "differ in more than their seeds: workload")
    refused(changed(budget={"max_train_steps": 1}), "budget.max_train_steps")
    refused(changed(studies=other.studies[:1]), "studies")
    refused(designs({"adam": None}, {"adam": 0.3}), "compares nothing")
    refused(designs({}, {}), "compares nothing")
