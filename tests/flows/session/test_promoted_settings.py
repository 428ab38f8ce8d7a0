"""Settings that were promoted replace what the YAML says; what was typed wins, and is told."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose.compose import from_overrides
from flows.compose.config import RoundConfig
from flows.session.plan import checked
from flows.session.promoted_settings import settled_config, with_settings, without
from flows.session.session import open_session
from tasks.ledger import open_ledger
from tasks.record import Finding, Value
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.scope.guards.promoted import promotion_holds
from tasks.scope.scope import scope_goal

SETTINGS: dict[str, Value] = {"budget.max_train_steps": 1200, "workload.noise": 0.02}


def config(*overrides: str) -> RoundConfig:
    """The configuration of a synthetic round."""
    return from_overrides(["workload=synthetic", "goal=synthetic", *overrides])


def incumbent(settings: dict[str, Value]) -> Incumbent:
    """Generation 3 with these settings."""
    return Incumbent(generation=3, point={}, settings=settings, source="round r")


def replaced(found: RoundConfig, settings: dict[str, Value]) -> list[Finding]:
    """What the guard of promotions says of settings that the round has otherwise."""
    return [f for f in promotion_holds(scope_goal(found, incumbent(settings))) if f.reason == "setting_replaced"]


def test_a_promoted_setting_replaces_what_the_yaml_says_and_the_round_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = config()
    found = settled_config(plain, incumbent(SETTINGS))
    assert (found.budget.max_train_steps, found.workload.arguments["noise"]) == (1200, 0.02)
    assert found.budget.trials == plain.budget.trials
    said = capsys.readouterr().err
    assert "budget.max_train_steps = 1200" in said
    assert "generation 3" in said
    assert replaced(found, SETTINGS) == []


def test_what_was_typed_wins_and_is_warned_of_only_where_it_differs() -> None:
    typed = config("budget.max_train_steps=300", "++workload.noise=0.02")
    found = settled_config(typed, incumbent(SETTINGS))
    assert found == typed
    (warning,) = replaced(found, SETTINGS)
    assert warning.remedy == ("++budget.max_train_steps=1200",)
    assert "300" in warning.evidence


def test_without_settings_nothing_changes_and_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert settled_config(config(), incumbent({})) == config()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["budget.max_steps", "policy.error_rate", "space.x.low"])
def test_a_setting_of_nothing_that_is_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        with_settings(config(), {name: 3})


def test_a_plan_is_made_with_what_is_promoted_in_the_store(tmp_path: Path) -> None:
    asked = config(f"tracking.root={tmp_path}", "tracking.enabled=false")
    with open_ledger(tmp_path) as ledger:
        ledger.begin("r", "synthetic", "g", {}, "0" * 64, "2026-01-01")
        point: dict[str, Value] = {"learning_rate": 0.003, "one_minus_momentum": 0.1, "regularizer": "none"}
        ledger.promote("synthetic", 0, point, "r", "round r", {"steps": 1}, "2026-01-02", SETTINGS)
    plan = plan_text(checked(asked))
    assert "budget.max_train_steps = 1200" in plan
    assert "of 1200 steps" in plan


def test_a_setting_within_an_argument_goes_there_and_leaves_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    found = settled_config(config(), incumbent({"workload.bowls.learning_rate.optimum": 0.05}))
    before = config().workload.arguments["bowls"]
    assert found.workload.arguments["bowls"]["learning_rate"] == before["learning_rate"] | {"optimum": 0.05}
    assert found.workload.arguments["bowls"]["one_minus_momentum"] == before["one_minus_momentum"]
    assert "optimum = 0.05" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"workload\.noise\.x"):
        with_settings(config(), {"workload.noise.x": 1})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_settings_are_taken_together_whatever_their_order(order: tuple[int, int]) -> None:
    pairs = [("budget.eval_every_steps", 1600), ("budget.max_train_steps", 3200)]
    found = with_settings(config(), dict(pairs[i] for i in order))
    assert (found.budget.max_train_steps, found.budget.eval_every_steps) == (3200, 1600)


def test_a_length_that_is_shorter_than_an_evaluation_has_one_at_its_end() -> None:
    found = with_settings(config(), {"budget.max_train_steps": 4})
    assert (found.budget.max_train_steps, found.budget.eval_every_steps) == (4, 4)


@pytest.mark.prose
@pytest.mark.parametrize(
    ("settings", "typed"),
    [({"budget.max_train_steps": "x"}, ()), ({"budget.max_train_steps": 4}, ("budget.eval_every_steps=8",))],
)
def test_settings_that_do_not_fit_are_one_sentence(settings: dict[str, Value], typed: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as raised:
        with_settings(config(*typed), settings)
    assert "is promoted and does not fit" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_was_typed_of_the_whole_wins_over_a_setting_within_it_and_the_choice_of_a_yaml_does_not() -> None:
    within: dict[str, Value] = {"workload.curve.fall": 3}
    typed = config("workload.curve={fall: 40}")
    assert with_settings(typed, within) == typed
    assert len(replaced(typed, within)) == 1
    assert with_settings(config("budget=quick"), SETTINGS).budget.max_train_steps == 1200


@pytest.mark.parametrize("named", [False, True])
def test_an_unfinished_round_is_planned_and_resumed_on_the_settings_with_which_it_began(
    tmp_path: Path, named: bool
) -> None:
    asked = config(f"tracking.root={tmp_path}", "tracking.enabled=false", "orchestrate=off")
    with ExitStack() as stack:
        session = open_session(stack, asked)
        assert session.config == asked
    with open_ledger(tmp_path) as ledger:
        ledger.begin("rival", "synthetic", "other", {}, "0" * 64, "2026-01-01")
        ledger.promote("synthetic", 0, {}, "rival", "round rival", {"steps": 1}, "2026-01-02", SETTINGS)
    words = [f"resume={session.round_id}"] if named else []
    again = config(f"tracking.root={tmp_path}", "tracking.enabled=false", "orchestrate=off", *words)
    assert "1200" not in plan_text(checked(again))
    with ExitStack() as stack:
        resumed = open_session(stack, again)
        assert (resumed.round_id, resumed.resumed) == (session.round_id, True)
        assert resumed.config.budget == asked.budget
        assert resumed.caveats() == ()


def test_what_differs_from_an_unfinished_round_is_told_without_the_settings_that_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = (f"tracking.root={tmp_path}", "tracking.enabled=false", "orchestrate=off")
    with open_ledger(tmp_path) as ledger:
        ledger.begin("rival", "synthetic", "other", {}, "0" * 64, "2026-01-01")
        ledger.promote("synthetic", 0, {}, "rival", "round rival", {"steps": 1}, "2026-01-02", SETTINGS)
    with ExitStack() as stack:
        first = open_session(stack, config(*store)).round_id
    capsys.readouterr()
    with ExitStack() as stack:
        assert open_session(stack, config(*store, "runner.threads=2")).round_id != first
    said = capsys.readouterr().err
    assert f"resume={first} goes on with it" in said
    assert "configuration differs" not in said


@pytest.mark.parametrize(
    ("settings", "gone"),
    [
        ({"budget.max_train_steps": 16}, ["budget.max_train_steps=40", "budget.eval_every_steps=20"]),
        ({"workload.curve.fall": 9}, ["workload.curve={fall: 20}"]),
        ({"workload.noise": 0.1}, []),
        ({}, []),
    ],
    ids=str,
)
def test_the_next_command_leaves_out_what_would_win_over_what_was_measured(
    settings: dict[str, Value], gone: list[str]
) -> None:
    own = ["workload=synthetic", "budget=quick", "budget.max_train_steps=40", "budget.eval_every_steps=20",
           "budget.trials=4", "workload.curve={fall: 20}"]  # fmt: skip
    assert without(own, settings) == tuple(o for o in own if o not in gone)


def test_a_plan_says_which_promoted_setting_was_typed_otherwise(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.begin("r", "synthetic", "g", {}, "0" * 64, "2026-01-01")
        ledger.promote("synthetic", 0, {}, "r", "round r", {"steps": 1}, "2026-01-02", SETTINGS)
    store = (f"tracking.root={tmp_path}", "tracking.enabled=false")
    plan = plan_text(checked(config(*store, "budget.max_train_steps=300")))
    assert "promoted    budget.max_train_steps = 1200" in plan
    assert "typed       budget.max_train_steps = 300" in plan
    assert "typed" not in plan_text(checked(config(*store)))
