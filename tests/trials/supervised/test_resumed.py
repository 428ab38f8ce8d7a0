"""A trial that was interrupted goes on from its checkpoint as if nothing had happened."""

from typing import Any

import pytest

from tasks.record import Value
from tests.trials.supervised.example_training import ADAM, POINT, CutOff, Interrupted, trained


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("at", [5, 15, 45])
@pytest.mark.parametrize("change", [{}, ADAM, {"clip_norm": 0.5, "warmup_steps": 7, "label_smoothing": 0.1}])
def test_an_interrupted_trial_goes_on_as_if_nothing_had_happened(at: int, change: dict[str, Value]) -> None:
    point = POINT | change
    straight, sink = trained(point, every=5), CutOff(at)
    with pytest.raises(Interrupted):
        trained(point, sink, every=5)
    sink.at = None
    trained(point, sink, every=5)
    assert sink.reports == straight.reports


@pytest.mark.parametrize("lost", ["model", "optimizer", "rng", "gradients", "step"])
def test_each_part_of_a_checkpoint_is_needed(lost: str) -> None:
    straight, sink, fresh = trained(every=5), CutOff(15), CutOff(5)
    for cut in (sink, fresh):
        with pytest.raises(Interrupted):
            trained(POINT, cut, every=5)
    step, state = sink.last()
    older = fresh.last()[1]

    class Damaged(CutOff):
        def last(self) -> tuple[int, Any]:
            if self.state[0]:
                return super().last()
            return (10, state) if lost == "step" else (step, state | {lost: older[lost]})

    later = trained(POINT, Damaged(), every=5)
    same = all(later.reports[s] == straight.reports[s] for s in (20, 50))
    assert not (same and later.last()[1]["gradients"] == straight.last()[1]["gradients"])


def test_a_finished_trial_that_is_started_again_trains_no_step() -> None:
    sink = trained()
    before = dict(sink.reports)
    sink.reports.clear()
    trained(POINT, sink)
    assert before
    assert not sink.reports
