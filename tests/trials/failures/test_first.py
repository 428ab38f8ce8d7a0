"""The first trials: when they stop a round, when they do not, and that what is held back is never lost."""

from typing import Any

import pytest

from tasks.design.study import Planned
from tasks.record import Status
from tasks.trials.failures.first import FirstTrials, FirstTrialsFailed
from tasks.trials.outcome import NO_SPACE
from tasks.trials.trial import Curve, Trial
from tests.trials.example_trials import plan

BUG = "KeyError: 'val_acc'"


class Book:
    """Attempts that remember which trials were accepted."""

    def __init__(self) -> None:
        self.accepted: list[str] = []

    def start(self, planned: Planned, /) -> int:
        """Always the first attempt."""
        return 1

    def again(self, trial: Trial, attempt: int, /) -> bool:
        """Never."""
        return False

    def accept(self, trial: Trial, attempt: int, /) -> None:
        """Remember it."""
        self.accepted.append(trial.id)


class Course:
    """The first trials of a round of `total`: begun in the order of their names, and ended as a test says."""

    def __init__(self, slots: int = 1, total: int = 48, **more: Any) -> None:
        self.book, self.total = Book(), total
        self.first = FirstTrials(self.book, slots, **{"reported": False, **more})

    def begin(self, *names: str) -> None:
        """These begin."""
        for name in names:
            self.first.start(plan(name))

    def end(self, name: str, reason: str = BUG, status: Status = "failed", reports: int = 0) -> int | None:
        """One ends; how many failed alike, where that stops the round."""
        curve = Curve.from_reports({step: {"loss": 1.0} for step in range(reports)})
        self.first.accept(Trial(planned=plan(name), status=status, reason=reason, curve=curve), 1)
        try:
            self.first.judge(self.total)
        except FirstTrialsFailed as error:
            return error.count
        return None

    def run(self, *reasons: str) -> list[int | None]:
        """One after the other, each failing with its reason; what each end comes to."""
        found = []
        for i, reason in enumerate(reasons):
            self.begin(f"t{i}")
            found.append(self.end(f"t{i}", reason))
        return found


@pytest.mark.playbook("E10", case="fires")
def test_three_that_fail_alike_stop_the_round_and_none_of_them_counts() -> None:
    course = Course()
    assert course.run("no folder /tmp/run-1", "no folder /tmp/run-22", "no folder /tmp/x9") == [None, None, 3]
    assert course.book.accepted == []


@pytest.mark.playbook("E10", case="fires")
def test_a_round_of_fewer_is_stopped_when_all_of_it_failed() -> None:
    assert Course(total=2).run(BUG, BUG) == [None, 2]
    assert Course(total=1).run(BUG) == [1]


@pytest.mark.playbook("E10", case="fires")
def test_all_that_begin_at_once_must_have_failed() -> None:
    course = Course(slots=5)
    course.begin("a", "b", "c", "d", "e")
    assert [course.end(name) for name in "bcde"] == [None] * 4
    course.begin("f", "g")
    assert [course.end(name) for name in "fg"] == [None] * 2  # the first one is still running: it may report
    assert course.end("a") == 7
    assert course.book.accepted == []


@pytest.mark.playbook("E10", case="silent")
def test_once_one_reported_the_round_goes_on_and_what_was_held_back_counts() -> None:
    course = Course(slots=2)
    course.begin("a", "b")
    assert course.end("a") is None
    assert course.end("b", "", "complete", reports=2) is None
    assert course.book.accepted == ["a", "b"]
    assert course.run(*[BUG] * 9) == [None] * 9
    assert len(course.book.accepted) == 11


@pytest.mark.playbook("E10", case="silent")
@pytest.mark.parametrize("reports", [1, 5])
def test_failures_after_a_report_do_not_stop_the_round(reports: int) -> None:
    course = Course()
    course.begin("a", "b", "c", "d")
    assert [course.end(name, reports=reports) for name in "abcd"] == [None] * 4
    assert course.book.accepted == ["a", "b", "c", "d"]


@pytest.mark.playbook("E10", case="silent")
def test_failures_that_are_not_alike_do_not_stop_the_round() -> None:
    assert Course().run(BUG, "ValueError: x", "OSError: y", "TypeError: z") == [None] * 4


@pytest.mark.playbook("E10", case="fires")
def test_one_that_failed_otherwise_does_not_hide_the_bug_of_the_others() -> None:
    assert Course().run("ConnectionError: lost", BUG, BUG, BUG) == [None, None, None, 3]


@pytest.mark.playbook("E10", case="silent")
@pytest.mark.parametrize("reason", [NO_SPACE, "killed by SIGKILL", "ProgramFailed: killed by SIGTERM: Terminated"])
def test_what_failed_for_the_machines_sake_counts_at_once_and_stops_nothing(reason: str) -> None:
    course = Course()
    assert course.run(*[reason] * 5) == [None] * 5
    assert len(course.book.accepted) == 5


@pytest.mark.playbook("E10", case="fires")
def test_a_crash_of_the_programs_own_is_its_code() -> None:
    assert Course().run(*["killed by SIGSEGV"] * 3)[-1] == 3


@pytest.mark.playbook("E10", case="silent")
def test_trials_that_do_not_fit_in_memory_stop_nothing() -> None:
    course = Course(total=4)
    course.begin("a", "b", "c", "d")
    assert [course.end(name, "out of memory", "infeasible") for name in "abc"] == [None] * 3
    assert course.end("d") is None  # not all of the round failed
    course.first.release()
    assert course.book.accepted == ["a", "b", "c", "d"]


def test_a_round_that_is_resumed_after_a_report_is_not_watched() -> None:
    assert Course(reported=True).run(*[BUG] * 5) == [None] * 5
