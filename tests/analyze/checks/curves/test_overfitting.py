"""Best trials that overfit block a comparison, and say how to mend it."""

import numpy as np
import pytest

from tasks.analyze.checks.curves.overfitting import any_overfitting, overfitting, retry_bigger
from tasks.analyze.study.curves import CurveThresholds
from tasks.record import Point
from tests.analyze.planted_curves import (
    CLEAN,
    SPACE,
    Floats,
    Metrics,
    Plant,
    Rng,
    clean,
    compared_round,
    distance,
    falling,
    levels,
    one,
    overfits_under,
    overfitted,
    planted_round,
    shapes,
    shipped_policy,
    with_arguments,
    with_restart,
    with_spike,
)


@pytest.mark.playbook("F2", "F3", case="fires")
def test_a_best_trial_that_overfits_blocks_until_it_is_regularised() -> None:
    adam = overfitting(compared_round(overfits_under("adam")))[1]
    assert (adam.row, adam.level, adam.reason) == ("F2", "fail", "best_overfits")
    assert adam.trials == (adam.where.trial,)
    assert adam.numbers["overfit_fraction"] == shipped_policy().of(CurveThresholds).overfit_fraction


@pytest.mark.playbook("F2", "F3", case="silent")
def test_clean_best_trials_pass() -> None:
    assert levels(overfitting(compared_round(clean))) == ["ok", "ok"]


def test_only_the_arm_that_overfits_is_named() -> None:
    assert levels(overfitting(compared_round(overfits_under("nesterov")))) == ["fail", "ok"]


@pytest.mark.playbook("F3", case="fires")
def test_the_remedy_sets_free_the_regularizer_that_the_goal_had_fixed() -> None:
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
        "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"},
    }
    fixed = {"weight_decay": {"value": 1e-6, "reason": "not in question"}}
    found = overfitting(compared_round(overfits_under("adam"), space=space, fixed=fixed))[1]
    assert found.remedy == ("~goal.fixed.weight_decay",)
    listed = compared_round(overfits_under("adam"), space=space, fixed=fixed, nuisance=("learning_rate",))
    assert overfitting(listed)[1].remedy == ("~goal.fixed.weight_decay", "goal.nuisance=[learning_rate,weight_decay]")


def test_a_switch_that_is_off_is_turned_on_where_no_strength_is_free() -> None:
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
        "regularizer": {"choices": ["none", "dropout"]},
        "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}},
    }
    fixed = {"regularizer": {"value": "none", "reason": "not in question"}}
    found = overfitting(compared_round(overfits_under("adam"), space=space, fixed=fixed))[1]
    assert found.remedy == ("++goal.fixed.regularizer.value=dropout",)


@pytest.mark.playbook("F3", case="fires")
@pytest.mark.parametrize(
    ("rate", "top", "remedy"),
    [(0.3, 0.3, "space.dropout.high=0.45"), (0.1, 0.3, ""), (1e-2, 1e-2, "space.weight_decay.high=0.1")],
)
def test_a_regularizer_that_is_best_at_its_top_is_raised_before_training_is_cut(
    rate: float, top: float, remedy: str
) -> None:
    name, low = ("dropout", 0.0) if top == 0.3 else ("weight_decay", 1e-5)
    parameter = {"low": low, "high": top} | ({} if low == 0.0 else {"scale": "log"})

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        off = abs(float(point[name]) - rate) / top
        return {"valid_error": falling(rng, level=0.3 + 0.5 * off, rise=0.3), "train_loss": falling(rng, pace=0.3)}

    found = overfitting(planted_round(outcome, space=SPACE | {name: parameter}, trials=40))[0]
    assert (found.level, found.reason) == ("fail", "best_overfits")
    raised = [r for r in found.remedy if not r.startswith("budget.")]
    assert raised == ([remedy] if remedy else [])


@pytest.mark.playbook("F3", case="fires")
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"label_smoothing": 0.0, "dropout": 0.0}, ["workload.label_smoothing=0.1"]),
        ({"model.dropout": 0}, ["workload.model.dropout=0.1"]),
        ({"wd": 0.0, "depth": 0}, ["workload.wd=0.0001"]),
        ({"weight_decay": None}, []),  # nobody knows what its default is
        ({"label_smoothing": 0.2, "depth": 0}, []),
    ],
)
def test_a_regularizer_of_the_workload_that_is_off_is_turned_on(
    arguments: dict[str, object], remedy: list[str]
) -> None:
    asked = with_arguments(planted_round(lambda p, i, rng: {"valid_error": falling(rng, rise=0.3)}), **arguments)
    (found,) = overfitting(asked)
    assert [r for r in found.remedy if not r.startswith("budget.")] == remedy


@pytest.mark.prose
def test_without_any_regularizer_fewer_steps_are_the_remedy_unless_another_arm_needs_them() -> None:
    both = compared_round(lambda p, i, rng: {"valid_error": falling(rng, level=0.3 + 0.05 * distance(p), rise=0.3)})
    found = overfitting(both)
    assert levels(found) == ["fail", "fail"]
    (override,) = found[0].remedy
    assert override == found[1].remedy[0]
    assert override.startswith("budget.max_train_steps=")
    assert 250 <= int(override.partition("=")[2]) <= 600

    def one_needs_all(point: Point, index: int, rng: Rng) -> Metrics:
        slow = {"pace": 0.5, "noise": 0.002} if point["optimizer"] == "nesterov" else {"rise": 0.3}
        return {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point), **slow)}  # type: ignore[arg-type]

    found = overfitting(compared_round(one_needs_all))
    assert levels(found) == ["ok", "fail"]
    assert found[1].remedy == ()
    assert "cut short another arm" in found[1].evidence


@pytest.mark.playbook("F4", case="fires")
@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.0, 1e-3), ["warn", "ok"]), ((1e-3, 0.0), ["ok", "warn"])],
)
def test_the_weaker_setting_of_a_regularizer_in_question_may_overfit(
    values: tuple[float, ...], expected: list[str]
) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.0 if point["weight_decay"] else 0.25)}

    assert levels(overfitting(planted_round(outcome, scientific={"weight_decay": values}))) == expected


@pytest.mark.playbook("F4", case="silent")
def test_the_strongest_setting_has_no_excuse() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.25)}

    asked = planted_round(outcome, scientific={"regularizer": ["none", "dropout"]})
    assert [f.reason for f in overfitting(asked)] == ["weaker_setting", "best_overfits"]


def test_a_trial_that_comes_apart_is_not_said_to_overfit() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.25), "train_loss": falling(rng, rise=0.25)}

    found = overfitting(compared_round(outcome))[0]
    assert (found.level, found.reason) == ("ok", "training_loss_rose")


def test_a_validation_loss_that_rises_under_a_steady_error_is_told_and_not_failed() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "valid_loss": falling(rng, rise=0.3)}

    found = overfitting(compared_round(outcome))[0]
    assert found.level == "ok"
    assert "overconfident" in found.evidence


@pytest.mark.playbook("F2", case="fires")
@pytest.mark.prose
def test_accuracy_is_judged_upside_down() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_accuracy": 1.0 - overfits_under("adam")(point, index, rng)["valid_error"]}

    round = compared_round(outcome, metric="valid_accuracy", direction="maximize")
    assert levels(overfitting(round)) == ["ok", "fail"]
    assert "of all it had improved" in overfitting(round)[1].evidence  # an accuracy does not fall on its way


def test_each_slice_of_a_range_is_looked_at() -> None:
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"},
        "augment": {"low": 0.0, "high": 1.0},
    }

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.3 if float(point["augment"]) < 0.4 else 0.0)}

    found = overfitting(planted_round(outcome, scientific={"augment": "range"}, space=space, trials=25))
    assert levels(found) == ["warn", "warn", "ok", "ok", "ok"]
    assert len({f.where.trial for f in found}) == 5


@pytest.mark.playbook("F5", case="fires")
@pytest.mark.parametrize(("overfit_width", "level"), [(256, "warn"), (64, "ok")])
def test_a_smaller_model_is_not_taken_because_the_bigger_overfits(overfit_width: int, level: str) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        big = point["width"] == 256
        rise = 0.25 if point["width"] == overfit_width else 0.0
        return {"valid_error": falling(rng, level=0.4 if big else 0.3, rise=rise)}

    found = one(retry_bigger(planted_round(outcome, scientific={"width": [64, 256]})))
    assert (found.row, found.level) == ("F5", level)
    assert found.reason == ("bigger_overfits" if level == "warn" else "none_overfits")


@pytest.mark.playbook("F5", case="silent")
def test_the_bigger_model_may_win_and_other_questions_have_no_size() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 if point["width"] == 256 else 0.4, rise=0.25)}

    assert one(retry_bigger(planted_round(outcome, scientific={"width": [64, 256]}))).level == "ok"
    assert one(retry_bigger(compared_round(overfits_under("adam")))).reason == "not_the_question"


@pytest.mark.playbook("F5", case="fires")
@pytest.mark.parametrize(("name", "reason"), [("n_layer", "bigger_overfits"), ("gizmo", "not_recognised")])
def test_a_size_by_another_name_is_one_and_what_nobody_knows_may_be_one(name: str, reason: str) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        big = point[name] == 256
        return {"valid_error": falling(rng, level=0.4 if big else 0.3, rise=0.25 * big)}

    assert one(retry_bigger(planted_round(outcome, scientific={name: [64, 256]}))).reason == reason


@pytest.mark.playbook("F6", case="fires")
def test_overfitting_anywhere_warns_that_the_best_may_be_best_by_accident() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 if index < 8 else 0.5, rise=0.3 * (index >= 8))}

    found = one(any_overfitting(planted_round(outcome)))
    assert (found.level, found.reason) == ("warn", "several")
    assert found.numbers["share"] == pytest.approx(4 / 12)
    assert len(found.trials) == 4


@pytest.mark.playbook("F6", case="silent")
def test_one_trial_that_overfits_may_be_chance() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.3 * (index == 3))}

    assert one(any_overfitting(planted_round(outcome))).reason == "one_alone"
    rounds = [one(any_overfitting(planted_round(clean, trials=24, seed=s))).level for s in range(20)]
    assert rounds.count("warn") <= 1


@pytest.mark.playbook("F2", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_rise_of_a_quarter_of_the_descent_is_seen_through_moderate_noise(count: int) -> None:
    assert np.mean([s.rises for s in shapes(overfitted, count)]) >= 0.95


@pytest.mark.playbook("F2", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("plant", [*CLEAN.values(), with_spike, with_restart])
def test_noise_a_spike_and_a_restart_are_no_rise(plant: Plant, count: int) -> None:
    assert np.mean([s.rises for s in shapes(plant, count)]) <= 0.05


@pytest.mark.playbook("F2", case="silent")
@pytest.mark.parametrize(("count", "rise"), [(5, 0.5), (6, 0.25)])
def test_a_rise_that_so_few_evaluations_cannot_tell_from_noise_is_not_checked(count: int, rise: float) -> None:
    """A curve as short that falls to its end is sound."""

    def told(rise: float) -> str:
        planted = planted_round(lambda p, i, r: {"valid_error": _short(r, count, rise)}, evaluations=count)
        return one(overfitting(planted)).reason

    assert told(rise) == "too_noisy"
    assert told(0.0) == "no_rise"


def _short(rng: Rng, count: int, rise: float) -> Floats:
    return falling(rng, count=count, pace=0.15, rise=rise, turn=0.4, noise=0.005)


@pytest.mark.parametrize("count", [10, 20, 40])
def test_even_strong_noise_is_rarely_taken_for_a_rise(count: int) -> None:
    loud = shapes(lambda rng, n: falling(rng, count=n, noise=0.1), count)
    assert np.mean([s.rises for s in loud]) <= 0.06
