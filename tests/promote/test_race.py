"""The race for the incumbent, handed what runs its retrains and what holds the incumbents: no process and no ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tasks.analyze.analysis import Analysis, analyze
from tasks.analyze.answers.improve import best_change
from tasks.design.study import Planned
from tasks.promote.conclude import Conclusion
from tasks.promote.promotion import Promotion
from tasks.promote.race import promote_config
from tasks.scope.finding import finding
from tasks.scope.goal import Incumbent
from tasks.scope.roles import Scope
from tasks.trials.inline import run_inline
from tasks.trials.trial import Trial
from tests.promote.planted_rounds import Alone, searched

EVIDENCE, EXECUTION = searched(0, -3.0)
ANALYSIS = analyze(EVIDENCE, best_change)
RIVAL = EVIDENCE.round.scope.incumbent.model_copy(update={"generation": 2, "source": "a rival"})


class Contested(Alone):
    """Incumbents of which a rival's is the newest: the first `lost` swaps come too late."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self._lost = lost

    def swap(self, scope: Scope, promotion: Promotion) -> bool:
        self._lost -= 1
        return super().swap(scope, promotion) if self._lost < 0 else False

    def newest(self) -> Incumbent:
        return RIVAL


class Resumed(Contested):
    """The same after an interruption: the move is on record, and so is the promotion."""

    def moves(self) -> list[Incumbent]:
        return [RIVAL]

    def is_ours(self, scope: Scope) -> bool:
        return scope.incumbent.generation == RIVAL.generation


@dataclass
class Race:
    """A race, with what it ran and whom it asked."""

    incumbents: Alone
    against: str = ""
    ran: list[Planned] = field(default_factory=list)
    asked: list[Promotion] = field(default_factory=list)

    def conclusion(self, analysis: Analysis = ANALYSIS) -> Conclusion:
        """Its conclusion."""
        return promote_config(EVIDENCE, analysis, self._run, self.incumbents, self._approve)

    def _run(self, planned: Sequence[Planned]) -> dict[str, Trial]:
        self.ran += planned
        return {p.id: run_inline(p, EXECUTION) for p in planned}

    def _approve(self, promotion: Promotion) -> str:
        self.asked.append(promotion)
        return self.against


@pytest.mark.playbook("G9", case="shows")
def test_a_winner_that_is_approved_becomes_the_incumbent() -> None:
    race = Race(Alone())
    conclusion = race.conclusion()
    assert conclusion.promoted is not None
    assert race.incumbents.swaps == race.asked == [conclusion.promoted]
    assert {p.id for p in race.ran} == set(conclusion.retrains)
    assert len(race.ran) == len(conclusion.retrains)


def test_a_winner_that_is_declined_changes_nothing() -> None:
    race = Race(Alone(), against="not on a Friday")
    conclusion = race.conclusion()
    assert (conclusion.promoted, conclusion.declined) == (None, "not on a Friday")
    assert race.incumbents.swaps == []


def test_a_round_whose_incumbent_moved_is_gated_and_approved_again() -> None:
    race = Race(Contested(lost=1))
    conclusion = race.conclusion()
    assert conclusion.incumbent == RIVAL
    assert len(race.asked) == 2
    assert race.incumbents.swaps == [conclusion.promoted]


def test_resumed_it_takes_the_same_way_and_asks_nobody_twice() -> None:
    whole, resumed = Race(Contested(lost=1)), Race(Resumed(lost=1))
    before, after = whole.conclusion(), resumed.conclusion()
    assert (after.incumbent, after.decision, after.promoted) == (before.incumbent, before.decision, before.promoted)
    assert set(after.retrains) == set(before.retrains)
    assert resumed.asked == []


def test_a_round_gives_up_where_the_incumbent_never_rests() -> None:
    race = Race(Contested(lost=99))
    with pytest.raises(RuntimeError, match="moved 5 times"):
        race.conclusion()
    assert race.incumbents.swaps == []


@pytest.mark.playbook("E1", case="fires")
def test_where_a_finding_blocks_nothing_is_retrained_and_nobody_asked() -> None:
    blocker = finding("boundary", "E2", "fail", "The best lies at an edge.", reason="best_at_edge")
    race = Race(Alone())
    conclusion = race.conclusion(ANALYSIS.model_copy(update={"findings": (*ANALYSIS.findings, blocker)}))
    assert (conclusion.blockers, conclusion.decision, conclusion.promoted) == ((blocker,), None, None)
    assert (race.ran, race.asked) == ([], [])
