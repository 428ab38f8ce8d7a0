"""The progress of a round: a line a minute in a log file, and how long it will still take."""

import time

import pytest

from flows.session.progress import Watch
from tasks.design.study import Planned
from tasks.scope.goal import Objective
from tasks.trials.trial import Curve, Trial, ended

LOSS = Objective(metric="loss", direction="minimize")


def trial(value: float | None, seconds: float) -> Trial:
    plan = Planned(
        id="a", study="s", index=0, point={"x": 1.0}, seed=1, purpose="search", max_train_steps=1, eval_every_steps=1
    )
    curve = Curve.from_reports({1: {"loss": value}} if value is not None else {})
    status = "complete" if value is not None else "infeasible"
    return ended(plan, curve, LOSS, status, "" if value is not None else "loss is nan", seconds=seconds)  # type: ignore[arg-type]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_told_from_the_third_ended_trial_on() -> None:
    watch = Watch(12, LOSS, slots=2, live=False)
    said = [watch.line()]
    for value in (0.5, None, 0.3):
        watch.heard(trial(value, 60.0))
        said.append(watch.line())
    assert said == [
        "trials 0 of 12, no value yet, 0 infeasible",
        "trials 1 of 12, best loss 0.5, 0 infeasible",
        "trials 2 of 12, best loss 0.5, 1 infeasible",
        "trials 3 of 12, best loss 0.3, 1 infeasible, about 4 min left",  # 9 of a minute each, two at once
    ]


def test_the_time_left_counts_down_and_more_trials_at_once_take_less() -> None:
    clock = Clock()
    one, four = (Watch(8, LOSS, slots=slots, live=False, clock=clock) for slots in (1, 4))
    for watch in (one, four):
        for _ in range(4):
            watch.heard(trial(0.5, 30.0))
    assert (one.left(), four.left()) == ("about 2 min left", "about 15 s left")
    clock.now = 10.0
    assert four.left() == "about 5 s left"
    clock.now = 1000.0
    assert four.left() == "about 1 s left"
    for _ in range(4):
        four.heard(trial(0.5, 30.0))
    assert four.left() == ""


@pytest.mark.prose
def test_retrains_are_counted_by_themselves_and_their_time_is_an_upper_bound() -> None:
    watch = Watch(3, LOSS, retrains=10, slots=1, live=False)
    for _ in range(3):
        watch.heard(trial(0.5, 120.0))
    watch.expect(4)
    assert watch.line() == "retrains 0 of at most 10, best loss 0.5, 0 infeasible, at most 19 min left"
    watch.heard(trial(0.4, 120.0))
    assert watch.line().startswith("retrains 1 of at most 10, best loss 0.4")


def test_a_log_file_gets_a_line_each_interval_and_none_after_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with Watch(2, LOSS, live=False, every=0.02) as watch:
        watch.heard(trial(0.5, 1.0))
        until = time.monotonic() + 5
        while len(said := capsys.readouterr().err.splitlines()) < 1 and time.monotonic() < until:
            time.sleep(0.03)
    assert set(said) == {"trials 1 of 2, best loss 0.5, 0 infeasible"}
    time.sleep(0.05)
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_and_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Watch(2, LOSS, live=True, every=0.01) as watch:
        watch.heard(trial(0.5, 1.0))
        time.sleep(0.05)
    assert "trials 1 of 2," not in capsys.readouterr().err


def test_an_estimate_has_one_unit() -> None:
    left = []
    for seconds in (1.0, 178.0, 1200.0, 10800.0, 25200.0):
        watch = Watch(4, LOSS, live=False, clock=Clock())
        for _ in range(3):
            watch.heard(trial(0.5, seconds))
        left.append(watch.left())
    assert left == ["about 1 s left", "about 89 s left", "about 10 min left", "about 1.5 h left", "about 3.5 h left"]
