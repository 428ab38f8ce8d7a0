"""Compute-bound or not, steps that just suffice, and steps that suffice for one value alone."""

import numpy as np
import pytest

from tasks.analyze.checks.curves.compute_bound import compute_bound, steps_for_each_value, stingy_steps
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Metrics, Rng, compared_round, distance, falling, levels, one, planted_round


def paced(pace: float, seed: int = 0, **more: object) -> Evidence:
    """A study whose curves fall with that time constant, as a share of training."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=pace, noise=0.005) + 0.02 * distance(point), **more}  # type: ignore[dict-item]

    return planted_round(outcome, trials=32, seed=seed)


def two_paces(first: float, second: float, seed: int = 0, name: str = "optimizer") -> Evidence:
    """Two values compared, each with a pace of its own."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        pace = first if point[name] == "nesterov" else second
        return {"valid_error": falling(rng, pace=pace, noise=0.005) + 0.02 * distance(point)}

    return compared_round(outcome, trials=32, seed=seed, scientific={name: ["nesterov", "adam"]}, baseline={})


@pytest.mark.playbook("H1", case="fires")
def test_a_study_that_gains_to_its_end_is_compute_bound() -> None:
    assert one(compute_bound(paced(0.5))).reason == "compute_bound"


@pytest.mark.playbook("H1", case="silent")
def test_a_study_that_stopped_gaining_is_not_and_one_between_is_left_open() -> None:
    assert one(compute_bound(paced(0.05))).reason == "not_compute_bound"
    assert one(compute_bound(paced(0.2))).reason == "between"
    assert (
        one(compute_bound(planted_round(lambda p, i, rng: {"valid_error": falling(rng)[-2:]}))).reason
        == "too_few_evaluations"
    )


@pytest.mark.playbook("H1", case="silent")
def test_a_gain_under_a_decaying_learning_rate_leaves_it_open() -> None:
    found = one(compute_bound(paced(0.5, learning_rate=np.linspace(1.0, 0.01, 20))))
    assert (found.reason, found.numbers["compute_bound"]) == ("between", None)


@pytest.mark.playbook("H1", case="silent")
def test_curves_that_never_fell_or_that_noise_hides_are_not_asked_whether_they_stopped() -> None:
    def flat(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": 0.5 + 0.01 * rng.standard_normal(20)}

    def noisy(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, pace=0.05, noise=0.2)}

    assert one(compute_bound(planted_round(flat))).reason == "too_noisy"
    assert one(compute_bound(planted_round(noisy))).reason == "too_noisy"


@pytest.mark.playbook("H4", case="fires")
def test_steps_that_just_suffice_are_stingy() -> None:
    assert levels([one(stingy_steps(paced(0.225, seed))) for seed in range(10)]) == ["warn"] * 10
    found = one(stingy_steps(paced(0.225)))
    assert found.reason == "only_just_enough"
    assert found.remedy == ("budget.max_train_steps=1500",)


@pytest.mark.playbook("H4", case="silent")
def test_time_to_spare_is_not_stingy_and_a_decayed_learning_rate_explains_a_late_gain() -> None:
    assert levels([one(stingy_steps(paced(pace, seed))) for pace in (0.05, 0.15) for seed in range(10)]) == ["ok"] * 20
    assert one(stingy_steps(paced(0.225, learning_rate=np.linspace(1.0, 0.01, 20)))).reason == "decayed"
    assert one(stingy_steps(paced(0.5))).reason == "not_the_question"  # F8 has said it


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.prose
def test_a_value_that_needs_more_steps_than_another_is_told() -> None:
    found = one(steps_for_each_value(two_paces(0.08, 0.5)))
    assert (found.level, found.reason) == ("warn", "one_needs_more")
    assert "optimizer = adam still improves" in found.evidence
    assert found.remedy == ("budget.max_train_steps=2000",)


@pytest.mark.playbook("H5", case="silent")
@pytest.mark.parametrize("pace", [0.08, 0.25, 0.5])
def test_values_that_need_equally_many_steps_are_not(pace: float) -> None:
    assert {one(steps_for_each_value(two_paces(pace, pace, seed))).level for seed in range(10)} == {"ok"}


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.parametrize("name", ["data_source", "workload.data.noise", "augmentation", "random_crop"])
def test_data_that_need_more_steps_than_others_count_like_an_architecture(name: str) -> None:
    assert one(steps_for_each_value(two_paces(0.08, 0.5, name=name))).reason == "one_needs_more"
    assert one(steps_for_each_value(two_paces(0.08, 0.08, name=name))).reason == "alike"


def test_what_needs_no_other_number_of_steps_is_not_asked() -> None:
    assert one(steps_for_each_value(asked("clip_norm"))).reason == "not_the_question"


@pytest.mark.playbook("H5", case="fires")
@pytest.mark.parametrize("name", ["data_aug", "n_layer", "lr_scheduler"])
def test_values_of_another_name_that_may_need_other_steps_are_asked_too(name: str) -> None:
    assert one(steps_for_each_value(asked(name))).reason == "one_needs_more"


def test_what_nobody_recognises_may_need_other_steps() -> None:
    assert one(steps_for_each_value(asked("gizmo"))).reason == "not_recognised"


def asked(name: str) -> Evidence:
    """Two values of a hyperparameter of this name, the second of which needs more steps."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        pace = 0.08 if point[name] == "a" else 0.5
        return {"valid_error": falling(rng, pace=pace, noise=0.005) + 0.02 * distance(point)}

    return compared_round(outcome, trials=32, scientific={name: ["a", "b"]}, baseline={})
