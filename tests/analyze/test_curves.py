"""Training curves: each planted fault is found, and its clean twin is let through."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.analyze.curves import Shape
from tasks.analyze.evidence import Evidence
from tasks.analyze.overfitting import any_overfitting, overfitting, retry_bigger
from tasks.analyze.steps import best_steps, saturated, still_improving
from tasks.analyze.studies import late_noise
from tasks.analyze.training_loss import rising_training_loss
from tasks.record import Finding, Point
from tests.analyze.planted_curves import Metrics, distance, falling, planted_round, shipped_policy

Floats = NDArray[np.float64]
Rng = np.random.Generator
Plant = Callable[[Rng, int], Floats]
POLICY = shipped_policy()
ROUNDS = 80  # curves a family and length: an error rate of 5 % is then known to two points

CLEAN: dict[str, Plant] = {
    "falling": lambda rng, n: falling(rng, count=n),
    "fast": lambda rng, n: falling(rng, count=n, pace=0.05),
    "slow": lambda rng, n: falling(rng, count=n, pace=0.5),
}


def with_spike(rng: Rng, n: int) -> Floats:
    """A falling curve with one evaluation that went wrong late."""
    curve = falling(rng, count=n)
    curve[int(0.8 * n)] += 0.5
    return curve


def with_restart(rng: Rng, n: int) -> Floats:
    """A schedule that starts again half way: worse for a while, and on its way back at the end."""
    curve = falling(rng, count=n)
    curve[n // 2 :] += 0.25 * np.exp(-np.arange(n - n // 2) / (0.2 * n))
    return curve


def overfitted(rng: Rng, n: int) -> Floats:
    """A curve that turns at a third and loses a quarter of its descent until the end."""
    return falling(rng, count=n, rise=0.25)


def shapes(plant: Plant, count: int) -> list[Shape]:
    """The shapes of many curves of one family."""
    steps = 50 * np.arange(1, count + 1)
    return [Shape(steps=steps, losses=plant(np.random.default_rng(s), count), policy=POLICY) for s in range(ROUNDS)]


def one(findings: list[Finding]) -> Finding:
    """The only finding."""
    assert len(findings) == 1
    return findings[0]


def levels(findings: list[Finding]) -> list[str]:
    """The levels, in order."""
    return [f.level for f in findings]


@pytest.mark.playbook("F2", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_rise_of_a_quarter_of_the_descent_is_seen_through_moderate_noise(count: int) -> None:
    assert np.mean([s.rises for s in shapes(overfitted, count)]) >= 0.95


@pytest.mark.playbook("F2", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("plant", [*CLEAN.values(), with_spike, with_restart])
def test_noise_a_spike_and_a_restart_are_no_rise(plant: Plant, count: int) -> None:
    assert np.mean([s.rises for s in shapes(plant, count)]) <= 0.05


@pytest.mark.parametrize("count", [10, 20, 40])
def test_even_strong_noise_is_rarely_taken_for_a_rise(count: int) -> None:
    loud = shapes(lambda rng, n: falling(rng, count=n, noise=0.1), count)
    assert np.mean([s.rises for s in loud]) <= 0.06


@pytest.mark.playbook("F8", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_slow_descent_is_seen_to_go_on(count: int) -> None:
    assert np.mean([s.improving for s in shapes(CLEAN["slow"], count)]) >= 0.95


@pytest.mark.playbook("F8", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("plant", [CLEAN["falling"], CLEAN["fast"], with_spike, overfitted])
def test_a_descent_that_ended_is_not_seen_to_go_on(plant: Plant, count: int) -> None:
    assert np.mean([s.improving for s in shapes(plant, count)]) <= 0.05


@pytest.mark.playbook("F9", case="fires")
@pytest.mark.parametrize("count", [20, 40, 100])
def test_a_fast_descent_is_seen_to_have_ended_long_before(count: int) -> None:
    assert np.mean([s.saturated for s in shapes(CLEAN["fast"], count)]) >= 0.95


@pytest.mark.playbook("F9", case="silent")
@pytest.mark.parametrize("count", [10, 20, 40, 100])
@pytest.mark.parametrize("pace", [0.25, 0.5])
def test_a_descent_that_goes_on_past_half_way_has_not_ended(count: int, pace: float) -> None:
    going = shapes(lambda rng, n: falling(rng, count=n, pace=pace), count)
    assert np.mean([s.saturated for s in going]) <= 0.05


def test_noise_that_would_hide_a_gain_forbids_to_say_that_nothing_was_gained() -> None:
    loud = shapes(lambda rng, n: falling(rng, count=n, pace=0.05, noise=0.15), 20)
    assert np.mean([s.saturated for s in loud]) <= 0.05


@pytest.mark.parametrize("pace", [0.05, 0.12, 0.25, 0.5])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1])
def test_no_curve_still_improves_and_is_saturated_at_once(pace: float, noise: float) -> None:
    every = shapes(lambda rng, n: falling(rng, count=n, pace=pace, noise=noise), 20)
    assert not any(s.improving and s.saturated for s in every)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-6])
def test_the_noise_is_measured_whatever_the_trend(scale: float) -> None:
    steep = [scale * (falling(np.random.default_rng(s), count=40) - np.linspace(0, 1, 40)) for s in range(ROUNDS)]
    found = [Shape(steps=np.arange(1, 41), losses=c, policy=POLICY).noise for c in steep]
    assert np.mean(found) == pytest.approx(scale * 0.6 * 0.02, rel=0.1)


def test_a_constant_curve_neither_rises_nor_improves_nor_is_saturated() -> None:
    still = Shape(steps=np.arange(1, 21), losses=np.full(20, 0.9), policy=POLICY)
    assert (still.rises, still.improving, still.saturated, still.moved) == (False, False, False, False)


def test_another_unit_of_the_metric_changes_no_judgement() -> None:
    steps = np.arange(1, 21)
    for seed in range(30):
        curve = falling(np.random.default_rng(seed), rise=0.1, noise=0.03)
        plain = Shape(steps=steps, losses=curve, policy=POLICY)
        other = Shape(steps=steps, losses=1e4 * curve - 3.0, policy=POLICY)
        assert (plain.rises, plain.improving, plain.saturated) == (other.rises, other.improving, other.saturated)
        assert plain.turning_step == other.turning_step


# whole rounds


def arms(rng: Rng, point: Point, **of_dropout: float) -> Floats:
    """A bowl over the learning rate; the trials with dropout have a shape of their own."""
    level = 0.3 + 0.05 * distance(point)
    extra = of_dropout if point.get("regularizer") == "dropout" else {}
    return falling(rng, level=level, **extra)  # type: ignore[arg-type]


def compared_round(outcome: Callable[[Point, int, Rng], Metrics | None], **changes: object) -> Evidence:
    """Two optimizers, compared."""
    given = {"scientific": {"optimizer": ["nesterov", "adam"]}, "baseline": {"optimizer": "nesterov"}} | changes
    return planted_round(outcome, **given)  # type: ignore[arg-type]


def overfits_under(value: str) -> Callable[[Point, int, Rng], Metrics]:
    """Every trial of one optimizer overfits while its training loss falls on."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        rise = 0.25 if point["optimizer"] == value else 0.0
        level = 0.3 + 0.05 * distance(point)
        return {"valid_error": falling(rng, level=level, rise=rise), "train_loss": falling(rng, pace=0.3)}

    return outcome


def clean(point: Point, index: int, rng: Rng) -> Metrics:
    """No trial has any fault."""
    return {"valid_error": falling(rng, level=0.3 + 0.05 * distance(point)), "train_loss": falling(rng, pace=0.1)}


@pytest.mark.playbook("F2", "F3", case="fires")
def test_a_best_trial_that_overfits_blocks_until_it_is_regularised() -> None:
    adam = overfitting(compared_round(overfits_under("adam")))[1]
    assert adam.level == "fail"
    assert adam.row == "F2"
    assert "optimizer = adam" in adam.evidence
    assert adam.numbers["overfit_fraction"] == POLICY.overfit_fraction


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
    assert levels(overfitting(asked)) == ["warn", "fail"]


def test_a_trial_that_comes_apart_is_not_said_to_overfit() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.25), "train_loss": falling(rng, rise=0.25)}

    found = overfitting(compared_round(outcome))[0]
    assert found.level == "ok"
    assert "F10" in found.evidence


def test_a_validation_loss_that_rises_under_a_steady_error_is_told_and_not_failed() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "valid_loss": falling(rng, rise=0.3)}

    found = overfitting(compared_round(outcome))[0]
    assert found.level == "ok"
    assert "overconfident" in found.evidence


def test_accuracy_is_judged_upside_down() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_accuracy": 1.0 - overfits_under("adam")(point, index, rng)["valid_error"]}

    round = compared_round(outcome, metric="valid_accuracy", direction="maximize")
    assert levels(overfitting(round)) == ["ok", "fail"]


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


@pytest.mark.parametrize("check", [overfitting, rising_training_loss, still_improving, saturated, best_steps])
def test_four_evaluations_are_not_enough_points(check: Callable[[Evidence], list[Finding]]) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, count=4), "train_loss": falling(rng, count=4)}

    assert levels(check(compared_round(outcome))) == ["na", "na"]


@pytest.mark.parametrize(
    "check",
    [overfitting, any_overfitting, rising_training_loss, still_improving, saturated, best_steps, late_noise],
)
def test_a_round_without_a_feasible_trial_is_not_checked(check: Callable[[Evidence], list[Finding]]) -> None:
    found = check(compared_round(lambda point, index, rng: None))
    assert found
    assert set(levels(found)) == {"na"}


@pytest.mark.playbook("F5", case="fires")
@pytest.mark.parametrize(("overfit_width", "level"), [(256, "warn"), (64, "ok")])
def test_a_smaller_model_is_not_taken_because_the_bigger_overfits(overfit_width: int, level: str) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        big = point["width"] == 256
        rise = 0.25 if point["width"] == overfit_width else 0.0
        return {"valid_error": falling(rng, level=0.4 if big else 0.3, rise=rise)}

    found = one(retry_bigger(planted_round(outcome, scientific={"width": [64, 256]})))
    assert (found.row, found.level) == ("F5", level)


@pytest.mark.playbook("F5", case="silent")
def test_the_bigger_model_may_win_and_other_questions_have_no_size() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 if point["width"] == 256 else 0.4, rise=0.25)}

    assert one(retry_bigger(planted_round(outcome, scientific={"width": [64, 256]}))).level == "ok"
    assert retry_bigger(compared_round(overfits_under("adam"))) == []


@pytest.mark.playbook("F6", case="fires")
def test_overfitting_anywhere_warns_that_the_best_may_be_best_by_accident() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 if index < 8 else 0.5, rise=0.3 * (index >= 8))}

    found = one(any_overfitting(planted_round(outcome)))
    assert found.level == "warn"
    assert found.numbers["share"] == pytest.approx(4 / 12)
    assert "too small" in found.evidence


@pytest.mark.playbook("F6", case="silent")
def test_one_trial_that_overfits_may_be_chance() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, rise=0.3 * (index == 3))}

    assert one(any_overfitting(planted_round(outcome))).level == "ok"
    rounds = [one(any_overfitting(planted_round(clean, trials=24, seed=s))).level for s in range(20)]
    assert rounds.count("warn") <= 1


def gap_round(gap: float, seed: int, direction: str = "minimize") -> Evidence:
    """Two arms whose bests lie `gap` standard deviations of the late noise apart."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        ahead = 0.012 * gap * (point["optimizer"] == "adam")
        far = 0.3 * (index % 2 > 0)  # one trial an arm stands out, so that luck does not choose another
        return {"valid_error": falling(rng, count=40, pace=0.05, level=0.3 + far - ahead)}

    return compared_round(outcome, trials=2, evaluations=40, seed=seed)


@pytest.mark.playbook("F7", case="fires")
def test_arms_that_are_closer_than_the_late_noise_are_hard_to_compare() -> None:
    assert np.mean([one(late_noise(gap_round(0.0, s))).level == "warn" for s in range(100)]) >= 0.95


@pytest.mark.playbook("F7", case="silent")
def test_arms_that_are_far_apart_are_not() -> None:
    assert np.mean([one(late_noise(gap_round(3.0, s))).level == "warn" for s in range(60)]) <= 0.05


def test_in_a_single_study_the_best_is_held_against_the_second() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.02 * index, noise=0.002)}

    found = one(late_noise(planted_round(outcome)))
    assert found.level == "ok"
    assert found.numbers["gap"] == pytest.approx(0.02, abs=0.005)


def study_of(shape: Callable[[Rng], Floats], **changes: object) -> Evidence:
    """One study; every trial has the shape, shifted by how far off its learning rate is."""
    return planted_round(lambda p, i, rng: {"valid_error": shape(rng) + 0.02 * distance(p)}, **changes)  # type: ignore[arg-type]


@pytest.mark.playbook("F8", "H3", case="fires")
def test_a_study_that_ends_too_soon_is_told_to_train_longer_by_both_checks() -> None:
    slow = study_of(lambda rng: falling(rng, pace=0.5, noise=0.005))
    improving, steps = one(still_improving(slow)), one(best_steps(slow))
    assert (improving.level, steps.level) == ("warn", "warn")
    assert improving.remedy == steps.remedy == ("budget.max_train_steps=2000",)
    assert "retune the decay" in steps.evidence
    assert one(saturated(slow)).level == "ok"


@pytest.mark.playbook("F8", "H3", case="silent")
def test_a_study_of_the_right_length_is_told_nothing() -> None:
    right = study_of(lambda rng: falling(rng, pace=0.15, noise=0.01))
    assert levels([*still_improving(right), *saturated(right), *best_steps(right)]) == ["ok", "ok", "ok"]


@pytest.mark.playbook("F9", case="fires")
def test_a_study_that_goes_on_long_after_its_end_could_be_shorter() -> None:
    found = one(saturated(study_of(lambda rng: falling(rng, pace=0.05, noise=0.01))))
    assert found.level == "warn"
    assert found.remedy == ("budget.max_train_steps=500",)


@pytest.mark.playbook("F9", case="silent")
def test_a_training_loss_that_still_falls_is_not_saturated() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.05, noise=0.01), "train_loss": falling(rng, pace=0.5, noise=0.01)}

    assert one(saturated(planted_round(outcome))).level == "ok"


def test_a_late_gain_under_a_decayed_learning_rate_is_told_as_such() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.5, noise=0.005), "learning_rate": np.linspace(1.0, 0.01, 20)}

    assert "had decayed" in one(still_improving(planted_round(outcome))).evidence


@pytest.mark.playbook("H3", case="fires")
def test_best_steps_in_the_first_tenth_alone_mean_far_too_many_steps() -> None:
    def early(rng: Rng) -> Floats:
        return np.concatenate([[0.9, 0.3], 0.4 + 0.1 * np.linspace(0, 1, 38)]) + 0.001 * rng.standard_normal(40)

    found = one(best_steps(study_of(early, evaluations=40)))
    assert found.level == "warn"
    assert "far too many" in found.evidence
    assert found.remedy == ("budget.max_train_steps=400", "budget.eval_every_steps=10")


@pytest.mark.playbook("H3", case="silent")
def test_best_steps_at_the_end_of_a_decay_that_gained_little_are_no_warning() -> None:
    def decayed(rng: Rng) -> Floats:
        return falling(rng, pace=0.1, noise=0.0) - 0.004 * np.linspace(0, 1, 20) + 1e-4 * rng.standard_normal(20)

    found = one(best_steps(study_of(decayed)))
    assert found.numbers["late_share"] == 1.0
    assert found.level == "ok"
    assert "decay" in found.evidence


def test_no_study_is_told_to_be_longer_and_shorter_at_once() -> None:
    for seed, pace in enumerate((0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 1.0) * 2):
        for rise in (0.0, 0.15):
            study = study_of(lambda rng, p=pace, r=rise: falling(rng, pace=p, rise=r), seed=seed, trials=8)  # type: ignore[misc]
            told = [r for f in (*still_improving(study), *saturated(study), *best_steps(study)) for r in f.remedy]
            sizes = {int(r.partition("=")[2]) for r in told if r.startswith("budget.max_train_steps")}
            assert not (any(n > 1000 for n in sizes) and any(n < 1000 for n in sizes))


@pytest.mark.playbook("F10", case="fires")
def test_a_training_loss_that_rises_in_the_best_trial_is_a_bug_until_shown_otherwise() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "train_loss": falling(rng, rise=0.3)}

    found = [one(rising_training_loss(planted_round(outcome, seed=s))).level for s in range(20)]
    assert found.count("fail") >= 19


@pytest.mark.playbook("F10", case="silent")
@pytest.mark.parametrize("plant", [*CLEAN.values(), with_spike, with_restart])
def test_a_training_loss_that_falls_is_silent_spikes_and_restarts_included(plant: Plant) -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng), "train_loss": plant(rng, 20)}

    found = [one(rising_training_loss(planted_round(outcome, seed=s))).level for s in range(20)]
    assert found.count("fail") <= 1


def test_poor_trials_may_come_apart_without_blocking_the_round() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        poor = index % 3 == 0
        return {"valid_error": falling(rng, level=0.6 if poor else 0.3), "train_loss": falling(rng, rise=0.4 * poor)}

    found = one(rising_training_loss(planted_round(outcome)))
    assert (found.level, found.numbers["rising"]) == ("ok", 4)


def test_without_a_training_loss_nothing_is_checked() -> None:
    found = one(rising_training_loss(planted_round(lambda p, i, rng: {"valid_error": falling(rng)})))
    assert found.level == "na"
    assert "train_loss" in found.evidence


@pytest.mark.parametrize("check", [overfitting, any_overfitting, still_improving, saturated, late_noise, best_steps])
def test_turning_the_metric_over_changes_no_level(check: Callable[[Evidence], list[Finding]]) -> None:
    def upside_down(point: Point, index: int, rng: Rng) -> Metrics:
        right = overfits_under("adam")(point, index, rng)
        return {**right, "valid_error": -right["valid_error"]}

    down = compared_round(upside_down, direction="maximize")
    assert levels(check(down)) == levels(check(compared_round(overfits_under("adam"))))
