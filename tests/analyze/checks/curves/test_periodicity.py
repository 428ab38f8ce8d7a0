"""A planted period is seen; noise of any colour and the restarts of a schedule are not one."""

import numpy as np
import pytest

from tasks.analyze.checks.curves.periodicity import CYCLES, STEADY, periodicity, strongest
from tasks.analyze.study.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Floats, Metrics, Rng, distance, falling, one, planted_round

NOISE = 0.02 * 0.6  # SD, as `falling` has it


def waving(count: int, *, period: float = 4.0, size: float = 0.0, tied: float = 0.0, restarts: int = 0) -> Evidence:
    """A study whose curves have a wave of `size` noise SDs, noise tied from step to step, or restarts."""
    time = np.arange(1, count + 1) / count

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        noise = rng.standard_normal(count)
        for i in range(1, count):
            noise[i] = tied * noise[i - 1] + np.sqrt(1 - tied**2) * noise[i]
        wave = size * np.sin(2 * np.pi * np.arange(count) / period + rng.uniform(0, 2 * np.pi))
        back: Floats = 0.1 * (1 + np.cos(np.pi * (time * restarts % 1))) * (restarts > 0)
        level = falling(rng, count=count, level=0.3 + 0.05 * distance(point), noise=0.0)
        return {"valid_error": level + NOISE * (noise + wave) + 0.6 * back}

    return planted_round(outcome, trials=32, evaluations=count)


@pytest.mark.playbook("J5", case="fires")
@pytest.mark.parametrize(("count", "period"), [(20, 3.0), (20, 2.3), (24, 3.0), (40, 4.0), (40, 2.3), (100, 12.0)])
def test_a_period_that_most_trials_share_is_told_in_steps(count: int, period: float) -> None:
    found = one(periodicity(waving(count, period=period, size=2.0)))
    assert (found.level, found.reason) == ("warn", "period")
    assert found.numbers["period_steps"] == pytest.approx(50 * period, rel=0.1)
    assert one(periodicity(waving(count, period=period, size=2.0, tied=0.5))).level == "warn"


@pytest.mark.playbook("J5", case="silent")
@pytest.mark.parametrize("count", [20, 24, 40, 100])
def test_noise_that_wanders_and_a_schedule_with_restarts_have_no_period(count: int) -> None:
    clean = [waving(count, tied=t) for t in (0.0, 0.5, 0.8, 0.95)] + [waving(count, restarts=n) for n in (2, 3, 4, 5)]
    assert {one(periodicity(e)).level for e in clean} == {"ok"}


def test_few_evaluations_few_trials_and_a_learning_rate_that_restarts_are_not_asked() -> None:
    def restarted(point: Point, index: int, rng: Rng) -> Metrics:
        wave = np.arange(60) % 6 / 6
        return {"valid_error": falling(rng, count=60) - 0.2 * wave, "learning_rate": 1.0 - wave}

    assert one(periodicity(planted_round(restarted, evaluations=60))).reason == "restarts"
    assert one(periodicity(waving(19, size=3.0))).reason == "too_few_evaluations"
    three = planted_round(lambda p, i, r: {"valid_error": falling(r, count=40)}, trials=3)
    assert one(periodicity(three)).reason == "too_few_trials"


def test_curves_that_stand_still_have_no_period() -> None:
    assert one(periodicity(planted_round(lambda p, i, rng: {"valid_error": np.full(30, 0.9)}))).level == "ok"


def test_as_many_evaluations_as_the_shipped_budgets_make_are_asked_and_what_they_show_is_told() -> None:
    found = one(periodicity(waving(20)))
    assert found.reason == "no_period"
    assert found.numbers["longest_period_steps"] == 150


@pytest.mark.prose
def test_too_few_evaluations_name_the_number_needed_and_the_override() -> None:
    told = one(periodicity(waving(10))).evidence
    assert "have 20 evenly spaced evaluations" in told
    assert "budget.eval_every_steps=25" in told


@pytest.mark.parametrize("count", [20, 24])
def test_studies_without_a_period_are_rarely_said_to_have_one(count: int) -> None:
    rng = np.random.default_rng(count)
    alarms = 0
    for _ in range(200):
        curves = rng.standard_normal((12, count))
        found = strongest(curves)
        regular = found.cycles[(found.chance < 0.05) & (found.cycles >= CYCLES)]
        together = (np.abs(regular[:, None] - regular) <= STEADY).sum(axis=1)
        alarms += int(together.max(initial=0)) > 6
    assert alarms <= 2
