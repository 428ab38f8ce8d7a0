"""Following the next command leads to a right conclusion within five rounds, and never twice to the same round."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from tests.benchmarks.closed_loop import FOLDER, ROUNDS, Ended, by_name, followed, in_this_process


@pytest.fixture(autouse=True)
def here() -> Iterator[None]:
    with in_this_process():
        yield
    sys.modules.pop("landscape", None)
    sys.path[:] = [p for p in sys.path if p != str(FOLDER)]


def loop(name: str, root: Path) -> Ended:
    """The loop of a scenario, which every next command of it must compose in, and no two alike."""
    ended = followed(by_name(name), 0, root)
    said = [r.reproduce.overrides for r in ended.rounds]
    assert len(set(said)) == len(said) <= ROUNDS
    return ended


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.parametrize(
    ("name", "rounds", "key"),
    [
        ("sound", 1, ""),
        ("edge high", 2, "space.learning_rate.high"),
        ("a range understood", 2, "space.learning_rate.high"),
        ("wall", 2, "acknowledge.E5"),
        ("a wall for one arm", 2, "space.learning_rate.high"),
        ("incumbent behind a wall", 3, "++workload.baseline.learning_rate"),
        ("nothing trains", 4, "space.learning_rate.low"),
        ("few trials", 4, "budget.trials"),
        ("overfitting", 2, "~goal.fixed.weight_decay"),
        ("still improving", 3, "budget.max_train_steps"),
    ],
)
def test_the_remedies_of_a_planted_fault_lead_to_a_conclusion(tmp_path: Path, name: str, rounds: int, key: str) -> None:
    ended = loop(name, tmp_path)
    assert (by_name(name).right(ended), len(ended.rounds)) == (True, rounds)
    assert "promote" in ended.outcomes
    assert not key or key in {o.partition("=")[0] for o in ended.applied}


@pytest.mark.prose
def test_what_no_override_can_mend_is_said_and_the_same_command_goes_on_once_it_is_mended(tmp_path: Path) -> None:
    ended = loop("bug", tmp_path)
    assert ended.outcomes == ("redesign", "promote")
    assert "mend this first; no override can" in ended.rounds[0].next.why
    assert set(ended.applied) == {"workload.breaks=0"}


def test_a_round_that_names_itself_as_next_is_seen_for_a_loop(tmp_path: Path) -> None:
    stubborn = replace(by_name("bug"), mended=())
    assert followed(stubborn, 0, tmp_path).end == "loop"


def test_the_last_next_command_of_a_loop_composes_too_and_searches_where_the_best_was_found(tmp_path: Path) -> None:
    last = loop("sound", tmp_path).rounds[-1]
    before, after = (range_of(said) for said in (last.reproduce.overrides, last.next.overrides))
    assert before[0] < after[0] < 3e-3 < after[1] < before[1]  # where the optimum is planted


def range_of(said: tuple[str, ...]) -> tuple[float, float]:
    """The learning rate's range in the round of these overrides."""
    (found,) = (p for p in from_overrides(said, str(FOLDER)).space if p.name == "learning_rate")
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high
