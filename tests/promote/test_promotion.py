"""What a goal without a gate promotes: the settings that it measured, where its kind promotes such, and no others."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.analyze.analysis import Analysis
from tasks.analyze.study.evidence import Evidence
from tasks.answers import Answer
from tasks.promote.conclude import Conclusion, verdict_of
from tasks.promote.promotion import measured, measured_settings
from tasks.promote.race import promote_config
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.scope.kinds import KINDS, Kind
from tasks.scope.roles import Scope
from tests.promote.planted_rounds import Alone
from tests.promote.test_race import ANALYSIS, EVIDENCE, Contested, Race

SHORT: dict[str, Value] = {"budget.max_train_steps": 400}
PROBE = Kind(
    name="probe",
    compares=False,
    baseline=False,
    gate=False,
    purpose="probe",
    alone=True,
    own_steps=True,
    promotes="budget",
)


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind without a gate is known, for as long as a test takes."""
    monkeypatch.setitem(KINDS, "probe", PROBE)
    monkeypatch.setitem(KINDS, "learned", PROBE.model_copy(update={"promotes": "nothing"}))


def asked(kind: str = "probe", settings: dict[str, Value] | None = None) -> Scope:
    """The scope of a goal of that kind, of an incumbent with settings."""
    scope = EVIDENCE.round.scope
    goal = scope.goal.model_copy(update={"kind": kind})
    incumbent = scope.incumbent.model_copy(update={"settings": settings or {}})
    return scope.model_copy(update={"goal": goal, "incumbent": incumbent, "settings": settings or {}})


def answered(settings: dict[str, Value], conclusive: bool = True) -> Answer:
    """An answer that comes to settings."""
    return Answer(kind="probe", conclusive=conclusive, settings=settings)


def concluded(scope: Scope, incumbents: Any, answer: Answer) -> Conclusion:
    """What becomes of a probe that nothing blocks and everybody approves."""
    analysis = Analysis(findings=(), isolation=(), learned=(), answer=answer)
    evidence = Evidence(round=EVIDENCE.round.model_copy(update={"scope": scope}), trials=EVIDENCE.trials)

    def run(_: object) -> Any:
        raise AssertionError("nothing is retrained")

    return promote_config(evidence, analysis, run, incumbents, lambda promotion: "")


def test_an_answer_that_is_open_or_of_another_kind_of_setting_promotes_nothing() -> None:
    assert measured_settings(asked(), answered(SHORT)) == SHORT
    assert measured_settings(asked(), answered(SHORT, conclusive=False)) == {}
    assert measured_settings(asked(), answered({"workload.batch_size": 64})) == {}
    assert measured_settings(asked("learned"), answered(SHORT)) == {}
    assert measured_settings(asked("improve"), answered(SHORT)) == {}


def test_other_settings_and_the_point_stay_as_they_are() -> None:
    promotion = measured(asked(settings={"workload.batch_size": 64, "budget.max_train_steps": 900}), answered(SHORT))
    assert promotion is not None
    assert promotion.settings == {"workload.batch_size": 64} | SHORT
    assert promotion.point == asked().incumbent.point
    assert promotion.gain is None


def test_what_holds_already_is_kept_and_not_promoted_again() -> None:
    incumbents = Alone()
    conclusion = concluded(asked(settings=dict(SHORT)), incumbents, answered(SHORT))
    verdict = verdict_of(asked(settings=dict(SHORT)), conclusion)
    assert (verdict.outcome, verdict.reason, incumbents.swaps) == ("keep", "no_other_candidate", [])


def test_what_was_measured_is_promoted_without_a_retrain() -> None:
    incumbents = Alone()
    conclusion = concluded(asked(), incumbents, answered(SHORT))
    assert incumbents.swaps == [conclusion.promoted]
    assert (verdict_of(asked(), conclusion).outcome, conclusion.gate) == ("promote", None)


@pytest.mark.parametrize(
    ("change", "swaps"),
    [
        ({"point": {"learning_rate": 0.5}}, 0),
        ({"settings": {"workload.batch_size": 64}}, 0),
        ({"settings": {"budget.max_train_steps": 900}}, 1),  # which is what was measured
        ({}, 1),
    ],
    ids=str,
)
def test_it_is_not_promoted_onto_a_configuration_at_which_it_was_not_measured(
    change: dict[str, dict[str, Value]], swaps: int
) -> None:
    moved = asked().incumbent.model_copy(update={"generation": 2, "source": "a rival", **change})

    class Moving(Alone):
        def swap(self, scope: Scope, promotion: Any) -> bool:
            return super().swap(scope, promotion) if scope.incumbent.generation == 2 else False

        def newest(self) -> Incumbent:
            return moved

    incumbents = Moving()
    conclusion = concluded(asked(), incumbents, answered(SHORT))
    assert len(incumbents.swaps) == swaps
    assert (conclusion.promoted is None) == (swaps == 0)
    assert verdict_of(asked(), conclusion).reason == ("measured" if swaps else "declined")


def test_of_trials_that_gave_nothing_it_is_said_and_not_that_there_is_no_gate() -> None:
    broken = EVIDENCE.round.model_copy(update={"scope": asked()})
    trials = {id: replace(t, status="infeasible", best_value=None) for id, t in EVIDENCE.trials.items()}
    analysis = Analysis(findings=(), isolation=(), learned=(), answer=answered({}, conclusive=False))
    found = promote_config(Evidence(round=broken, trials=trials), analysis, lambda _: {}, Alone(), lambda _: "")
    verdict = verdict_of(asked(), found)
    assert (verdict.outcome, verdict.reason) == ("redesign", "nothing_feasible")


def test_what_the_budget_says_already_is_no_promotion_and_what_no_budget_can_have_is_refused() -> None:
    steps = asked().budget.max_train_steps
    assert measured(asked(), answered({"budget.max_train_steps": steps})) is None
    with pytest.raises(InputError, match="retrains"):
        measured(asked(), answered({"budget.retrains": -1}))


class Moved(Contested):
    """Incumbents that get other settings when the first swaps come too late."""

    def __init__(self, lost: int, before: Incumbent) -> None:
        super().__init__(lost)
        self._before = before

    def newest(self) -> Incumbent:
        """The same point, another length."""
        return self._before.model_copy(update={"generation": 2, "settings": {"budget.max_train_steps": 500}})


@pytest.mark.parametrize(("lost", "settings"), [(0, {"workload.noise": 0.5}), (1, None)])
def test_a_gated_round_promotes_the_settings_that_it_ran_on_and_none_where_they_moved(
    lost: int, settings: dict[str, Value] | None
) -> None:
    scope = asked("improve", {"workload.noise": 0.01}).model_copy(update={"settings": {"workload.noise": 0.5}})
    evidence = Evidence(round=EVIDENCE.round.model_copy(update={"scope": scope}), trials=EVIDENCE.trials)
    race = Race(Moved(lost, scope.incumbent))
    conclusion = promote_config(evidence, ANALYSIS, race._run, race.incumbents, race._approve)
    assert (conclusion.promoted and conclusion.promoted.settings) == settings
    assert conclusion.gate is not None
    assert {arm.settings["workload.noise"] for arm in conclusion.gate.arms} == {0.5}
    assert (verdict_of(scope, conclusion).reason == "declined") == (settings is None)
