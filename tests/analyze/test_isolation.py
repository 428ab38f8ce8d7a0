"""Isolation: the best of each scientific value, its band, the answer so far, and the sentences about them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tasks.analyze.answers.improve import best_change
from tasks.analyze.answers.understand import best_value
from tasks.analyze.isolation import gain_band, isolate, ranking
from tasks.analyze.learned import learned
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.slices import slices
from tasks.record import Point
from tests.analyze.planted_curves import SPACE, Metrics, clean, compared_round, distance, falling, planted_round
from tests.benchmarks.calibration.isolation import LANDS, bands, conclusive

Rng = np.random.Generator
WITH_DECAY = {**SPACE, "weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}


def arm_gap(gap: float, noise: float = 0.01) -> Callable[[Point, int, Rng], Metrics]:
    """Adam is better than nesterov by `gap`; every trial has luck of its own on top of its learning rate."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        level = 0.3 + 0.05 * distance(point) - gap * (point["optimizer"] == "adam")
        return {"valid_error": falling(rng, level=level + noise * rng.standard_normal(), noise=0.0)}

    return outcome


def optimizers(outcome: Callable[[Point, int, Rng], Metrics | None], **changes: Any) -> Evidence:
    """Three optimizers; nesterov, the first, is the baseline."""
    given: dict[str, Any] = {"scientific": {"optimizer": ["nesterov", "adam", "sgd"]}, "trials": 24, **changes}
    return planted_round(outcome, **given)


@pytest.mark.playbook("F11", "F14", case="shows")
def test_every_scientific_value_has_its_best_trial_and_a_band_around_it() -> None:
    evidence = optimizers(arm_gap(0.1))
    rows = isolate(evidence)
    assert [r.value for r in rows] == ["nesterov", "adam", "sgd"]
    for row, study in zip(rows, evidence.studies, strict=True):
        assert study.best is not None
        assert row.best_trial == study.best.id
        assert row.best_value == study.best.best_value
        assert row.band is not None
        assert row.best_value is not None
        assert row.band[0] < row.best_value < row.band[1]


def test_the_same_evidence_gives_the_same_rows() -> None:
    assert isolate(optimizers(arm_gap(0.1))) == isolate(optimizers(arm_gap(0.1)))


def test_of_two_seeds_the_bands_differ() -> None:
    assert isolate(optimizers(arm_gap(0.1)))[0].band != isolate(optimizers(arm_gap(0.1), seed=1))[0].band


@pytest.mark.playbook("F12", case="shows")
def test_a_range_is_cut_into_equal_slices_of_the_scale_in_which_it_is_sampled() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.02 * (np.log10(float(point["weight_decay"])) + 4) ** 2)}

    rows = isolate(planted_round(outcome, scientific={"weight_decay": "range"}, space=WITH_DECAY, trials=40))
    ends = [r.bucket for r in rows if r.bucket]
    assert np.log10(np.array(ends)) == pytest.approx(np.array([[-6 + 0.8 * i, -5.2 + 0.8 * i] for i in range(5)]))
    best = min(rows, key=lambda r: r.best_value or 1.0)
    assert best.bucket is not None
    assert best.bucket[0] < 1e-4 < best.bucket[1]


def test_a_whole_range_of_few_numbers_is_compared_number_by_number() -> None:
    space = {**SPACE, "layers": {"low": 1, "high": 4, "type": "int"}}
    rows = isolate(
        planted_round(
            lambda p, i, rng: {"valid_error": falling(rng)}, scientific={"layers": "range"}, space=space, trials=24
        )
    )
    assert [(r.value, r.bucket) for r in rows] == [(1, None), (2, None), (3, None), (4, None)]


def test_a_joint_study_is_compared_value_by_value() -> None:
    values = [f"o{i}" for i in range(8)]

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.1 * (point["optimizer"] != "o5"))}

    evidence = planted_round(outcome, scientific={"optimizer": values}, trials=48)
    assert len(evidence.studies) == 1
    assert [len(s.trials) for s in slices(evidence)] == [6] * 8
    assert ranking(evidence)[0].value == "o5"


def test_two_questions_at_once_are_each_seen_over_the_other() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.1 * (point["width"] == 64))}

    asked = {"optimizer": ["nesterov", "adam"], "width": [64, 128]}
    rows = isolate(planted_round(outcome, scientific=asked, trials=8))
    assert [(r.parameter, r.value) for r in rows] == [
        ("optimizer", "nesterov"),
        ("optimizer", "adam"),
        ("width", 64),
        ("width", 128),
    ]


@pytest.mark.prose
def test_a_value_without_a_feasible_trial_keeps_its_row() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics | None:
        return None if point["optimizer"] == "adam" else {"valid_error": falling(rng)}

    evidence = optimizers(outcome)
    row = isolate(evidence)[1]
    assert (row.value, row.best_trial, row.best_value, row.band) == ("adam", None, None, None)
    assert any("none of its 24 trials is feasible" in s for s in learned(evidence))


def test_explicit_points_without_a_question_have_no_rows_and_no_answer() -> None:
    points = tuple({"learning_rate": 10.0**-i} for i in range(1, 5))
    evidence = planted_round(lambda p, i, rng: {"valid_error": falling(rng)}, points=points)
    assert isolate(evidence) == ()
    assert best_value(evidence, False).value is None


@pytest.mark.playbook("F11", "G7", case="shows")
def test_understanding_is_conclusive_where_the_gap_is_far_beyond_the_luck_of_the_search() -> None:
    found = best_value(optimizers(arm_gap(0.2), kind="understand"), blocked=False)
    assert (found.value, found.conclusive) == ("adam", True)
    assert found.gain == pytest.approx(0.2, abs=0.05)
    assert found.band is not None
    assert found.band[0] > 0


def test_what_blocks_keeps_the_answer_open() -> None:
    assert not best_value(optimizers(arm_gap(0.2), kind="understand"), blocked=True).conclusive


@pytest.mark.playbook("G7", case="silent")
def test_equal_values_are_rarely_told_apart_although_the_best_of_them_was_picked() -> None:
    rounds = [best_value(optimizers(arm_gap(0.0), kind="understand", seed=s), blocked=False) for s in range(60)]
    assert sum(a.conclusive for a in rounds) <= 3


def test_improving_is_answered_against_the_baseline_and_never_without_the_gate() -> None:
    better = best_change(optimizers(arm_gap(0.2)), blocked=False)
    assert (better.value, better.against, better.conclusive) == ("adam", "nesterov", False)
    assert (better.gain or 0.0) > 0.1

    def baseline_wins(point: Point, index: int, rng: Rng) -> Metrics:
        ahead = 0.2 * (point["optimizer"] == "nesterov")
        return {"valid_error": falling(rng, level=0.5 + 0.05 * distance(point) - ahead)}

    worse = best_change(optimizers(baseline_wins), blocked=False)
    assert worse.against == "nesterov"
    assert worse.value != "nesterov"
    assert (worse.gain or 0.0) < -0.1


def test_gain_is_positive_for_better_in_either_direction() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_accuracy": 1.0 - arm_gap(0.2)(point, index, rng)["valid_error"]}

    up = optimizers(outcome, metric="valid_accuracy", direction="maximize", kind="understand")
    down = optimizers(arm_gap(0.2), kind="understand")
    assert best_value(up, False).gain == pytest.approx(best_value(down, False).gain)
    assert best_value(up, False).band == pytest.approx(best_value(down, False).band)
    first, second = ranking(up)[:2]
    assert gain_band(first, second) == pytest.approx(gain_band(*ranking(down)[:2]))
    for high, low in zip(isolate(up), isolate(down), strict=True):
        assert high.band is not None
        assert low.band is not None
        assert high.band == pytest.approx((1.0 - low.band[1], 1.0 - low.band[0]))


@pytest.mark.playbook("F14", case="shows")
@pytest.mark.parametrize("shape", LANDS)
def test_the_band_of_one_search_holds_what_others_find_when_they_are_run(shape: str) -> None:
    held, width = bands(shape, range(20), trials=32, noise=0.25)
    assert held >= 0.85
    assert 1.0 < width < 6.0


@pytest.mark.playbook("F14", case="shows")
def test_equal_values_are_seldom_told_apart_and_far_ones_are() -> None:
    assert conclusive("levels off", range(20), trials=32, noise=0.25, values=4, gap=0.0) <= 0.1
    assert conclusive("levels off", range(20), trials=32, noise=0.25, values=2, gap=3.0) >= 0.9


def test_one_slice_of_a_range_answers_with_the_value_of_its_best_trial() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        return {"valid_error": falling(rng, level=0.3 + 0.1 * (np.log10(float(point["weight_decay"])) + 4) ** 2)}

    asked: Mapping[str, Any] = {"weight_decay": "range"}
    found = best_value(planted_round(outcome, scientific=asked, space=WITH_DECAY, trials=40, kind="understand"), False)
    assert isinstance(found.value, float)
    assert 1e-5 < found.value < 1e-3


# what was learned


@pytest.mark.prose
def test_the_sentences_name_the_best_the_order_and_the_luck() -> None:
    text = " ".join(learned(optimizers(arm_gap(0.2))))
    assert "optimizer = adam: best valid_error" in text
    assert "In order of their best trials: optimizer = adam;" in text
    assert "In order" not in " ".join(learned(compared_round(clean)))  # of two who is ahead says it all
    assert "more than the luck of the searches explains" in text
    equal = " ".join(learned(optimizers(arm_gap(0.0))))
    assert "no more than the luck of the searches explains" in equal


@pytest.mark.prose
def test_infeasible_trials_are_counted_with_their_reason_and_their_wall() -> None:
    def outcome(point: Point, index: int, rng: Rng) -> Metrics | None:
        return None if float(point["learning_rate"]) > 2e-2 else {"valid_error": falling(rng)}

    (lost,) = [s for s in learned(planted_round(outcome, trials=24)) if "came to nothing" in s]
    assert "valid_error is nan" in lost
    assert "mostly above learning_rate = 0.01" in lost  # half way to the last feasible one, at 0.018
