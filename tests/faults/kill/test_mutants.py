"""Seeded bugs are caught by the fault tests' own stories, which are silent without them."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.faults.conftest import Tally
from tests.faults.kill.mutants import MUTANTS
from tests.faults.kill.rounds import Bench

Story = Callable[[Bench, int, str | None], list[str]]
Heard = dict[tuple[str, str | None], list[str]]


def killed(rounds: Bench, lane: int, mutant: str | None) -> list[str]:
    """A round is killed in the middle of its trials; with a bug it must come to what it comes to undisturbed."""
    expected = rounds.undisturbed(lane, mutant=mutant)[0] if mutant else rounds.expected
    return rounds.killed(lane, len(rounds.names) // 3, expected, mutant=mutant)


def cut(rounds: Bench, lane: int, mutant: str | None) -> list[str]:
    """A round is killed while it writes its record."""
    event = next(i for i, name in enumerate(rounds.names, 1) if name.startswith("opened records/record.json"))
    return rounds.killed(lane, event + 1, mutant=mutant)


def told(name: str, rounds: Bench, lane: int, mutant: str | None) -> list[str]:
    """A story of `parts.py`."""
    return rounds.part(lane, name, mutant)


PARTS = ("rival_promotions", "power_losses", "late_results", "unfinished_saves", "flipped_bits", "not_a_number")
STORIES: dict[str, Story] = {
    "a trial is killed": lambda rounds, lane, mutant: rounds.without_a_process(lane, 0, "trial", mutant),
    "a coordinator is killed": lambda rounds, lane, mutant: rounds.without_its_coordinator(lane, 0, mutant),
    "a round is killed": killed,
    "a record is cut": cut,
    "nobody approves": Bench.unapproved,
    "higher is better": Bench.mirrored,
    **{name: partial(told, name) for name in PARTS},
}
CAUGHT_BY: dict[str, tuple[str, str]] = {
    "no_compare_and_swap": ("rival_promotions", "D1"),
    "no_fsync": ("power_losses", "A4"),
    "no_fencing": ("late_results", "late True"),
    "result_before_checkpoint": ("unfinished_saves", "its last checkpoint is of"),
    "non_atomic_save": ("unfinished_saves", "steps again"),
    "no_hash_check": ("flipped_bits", "WRONG"),
    "nan_in_a_minimum": ("not_a_number", "I10"),
    "wrong_direction": ("higher is better", "I3"),
    "lease_by_wall_clock": ("a round is killed", "I2"),
    "seed_by_completion_order": ("a round is killed", "I3: another digest"),
    "promotion_before_approval": ("nobody approves", "I5"),
    "pool_instead_of_processes": ("a trial is killed", "A5"),
    "orphans": ("a coordinator is killed", "I9"),
    "no_sweep": ("a record is cut", "I9"),
}  # the story, and what it says among others


@pytest.fixture(scope="module")
def heard(rounds: Bench) -> Heard:
    """What every story says of its mutants, and of the program as it is."""
    jobs: list[tuple[str, str | None]] = [(name, mutant) for mutant, (name, _) in CAUGHT_BY.items()]
    jobs += [(name, None) for name in dict.fromkeys(name for name, _ in CAUGHT_BY.values())]
    said: Heard = {}

    def tell(lane: int, job: tuple[str, str | None]) -> list[str]:
        said[job] = STORIES[job[0]](rounds, lane, job[1])
        return []

    assert rounds.each(jobs, tell) == []
    return said


def test_every_mutant_has_a_story() -> None:
    assert CAUGHT_BY.keys() == MUTANTS.keys()
    assert len(MUTANTS) >= 12


@pytest.mark.parametrize("mutant", CAUGHT_BY)
@pytest.mark.prose
def test_a_mutant_is_caught(mutant: str, heard: Heard) -> None:
    story, law = CAUGHT_BY[mutant]
    assert heard[story, None] == []
    assert any(law in what for what in heard[story, mutant]), heard[story, mutant]


def test_all_mutants_are_caught(heard: Heard, tally: Tally) -> None:
    missed = [mutant for mutant, (story, _) in CAUGHT_BY.items() if not heard[story, mutant] or heard[story, None]]
    assert missed == []
    tally("mutants", f"seeded bugs: {', '.join(MUTANTS).replace('_', ' ')}", len(MUTANTS), len(missed))
