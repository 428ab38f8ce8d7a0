"""How the numbers of a round came to be, in sentences."""

import pytest

from tasks.report.stated import evaluation_lines, evaluation_sentence, exploration_line, exploration_sentence
from tasks.report.terminal import text
from tests.report.example_methods import EVALUATIONS, exploration, stated
from tests.report.example_records import example


@pytest.mark.playbook("B4", case="shows")
@pytest.mark.prose
def test_the_round_explored_and_so_did_all_so_far() -> None:
    told = exploration_sentence(stated())
    assert told.startswith("This round explored (B4). Of 120 trials in 3 rounds so far, 120 explored (100 % of the")
    mixed = exploration(
        mode="exploitation",
        rounds={"exploration": 2, "exploitation": 1},
        trials={"exploration": 60, "exploitation": 20},
        steps={"exploration": 750, "exploitation": 250},
        unread=1,
    )
    told = exploration_sentence(stated(exploration=mixed))
    assert "This round exploited (B4). Of 80 trials in 3 rounds so far (1 more round could not be read)" in told
    assert "60 explored (75 % of the steps) and 20 exploited" in told


@pytest.mark.playbook("B4", case="shows")
@pytest.mark.parametrize(
    ("ready", "saturated", "says"),
    [
        (True, True, "Exploration has said enough"),
        (True, False, "the last rounds leave hope (B7)"),
        (False, True, "not ready to exploit (G10)"),
        (False, False, "has not saturated (B7)"),
    ],
)
@pytest.mark.prose
def test_exploration_has_said_enough_where_the_space_is_ready_and_tuning_has_saturated(
    ready: bool, saturated: bool, says: str
) -> None:
    record = stated(exploration=exploration(ready=ready, saturated=saturated))
    assert says in exploration_sentence(record)
    assert ("said enough" in exploration_line(record)) == (ready and saturated)


@pytest.mark.playbook("K8", case="shows")
@pytest.mark.prose
def test_each_number_says_whether_it_is_the_best_the_last_or_smoothed_and_what_was_offline() -> None:
    lines = dict(evaluation_lines(stated()))
    assert "best of at most 40 periodic evaluations" in lines["Trials of the search: best valid_error"]
    assert "selected, so it looks better than it is" in lines["Trials of the search: best valid_error"]
    assert "not selected" in lines["Trials of the search: final"]
    assert "best mean of 3 neighbouring periodic evaluations" in lines["Retrains: what the gate counts"]
    assert "the test set stays sealed (G13)" in lines["Test set: offline evaluation"]


@pytest.mark.prose
def test_a_number_that_was_reported_once_is_not_called_the_best_of_several() -> None:
    once = EVALUATIONS[0].model_copy(
        update={"evaluation": "once", "takes": "only", "selected": False, "evaluations": 1}
    )
    record = stated(evaluations=(once, EVALUATIONS[3]))
    assert "not selected among several" in dict(evaluation_lines(record))["Trials of the search: best valid_error"]
    assert evaluation_sentence(record) == "studies: reported once a trial; offline: none (K8)"


@pytest.mark.playbook("B4", "K8", case="shows")
@pytest.mark.prose
def test_the_terminal_has_a_line_of_each_and_none_of_what_was_not_recorded() -> None:
    lines = text(stated().model_copy(update={"findings": ()})).splitlines()
    (numbers,) = [line for line in lines if line.startswith("numbers")]
    (explored,) = [line for line in lines if line.startswith("explored")]
    assert "best of 40 periodic evaluations" in numbers
    assert "3 rounds: 120 trials in exploration, 0 trials in exploitation (B4)" in explored
    assert not [line for line in text(example()).splitlines() if line.startswith(("numbers", "explored"))]
