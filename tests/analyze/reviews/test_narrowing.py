"""The space is narrowed around the optimum, only where the checks on edges and density pass."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from flows.compose.compose import from_overrides
from tasks.analyze.analysis import analyze
from tasks.analyze.reviews.narrowing import LEAVE, Span, study_spans
from tasks.analyze.study.evidence import Evidence
from tasks.promote.conclude import blockers_of
from tasks.record import Finding, Point
from tasks.scope.space import Parameter
from tests.analyze.planted import planned_round, scored
from tests.analyze.planted_curves import SPACE, Metrics, Rng, compared_round, falling, planted_round

UNIT = {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(3)}


def bowl(
    seed: int, trials: int = 32, noise: float = 0.25, space: Mapping[str, Any] = UNIT
) -> tuple[Evidence, np.ndarray]:
    """A study over the unit cube, or what is left of it, and where its optimum truly lies."""
    rng = np.random.default_rng([seed, trials])
    centre, bends, luck = rng.uniform(0.25, 0.75, 3), rng.uniform(0.5, 2.0, 3), rng.standard_normal(trials)

    def loss(point: Point, index: int) -> float:
        off = np.array([float(point[f"x{j}"]) for j in range(3)]) - centre
        return 9.0 * float(bends @ off**2) + noise * float(luck[index])

    return scored(planned_round(space, seed, trials=trials), loss), centre


def around(rate: float) -> Callable[[Point, int, Rng], Metrics]:
    """A bowl over both hyperparameters, its best learning rate at ten to this."""

    def outcome(point: Point, index: int, rng: Rng) -> Metrics:
        off = np.log10([float(point["learning_rate"]), float(point["one_minus_momentum"])]) - (rate, -1.5)
        return {"valid_error": falling(rng, level=0.3 + 0.05 * float(off @ off), noise=0.002)}

    return outcome


def of_row(evidence: Evidence, row: str = "B8") -> list[Finding]:
    return [f for f in analyze(evidence).findings if f.row == row]


@pytest.mark.playbook("B8", case="shows")
def test_the_true_optimum_lies_inside_what_is_left_of_the_space() -> None:
    inside, kept = [], []
    for seed in range(30):
        evidence, centre = bowl(seed)
        spans = study_spans(evidence.studies[0])
        inside.append(all(s.low <= c <= s.high for s, c in zip(spans.values(), centre, strict=True)))
        kept.append(np.prod([s.high - s.low for s in spans.values()]))
    assert sum(inside) >= 29
    assert np.median(kept) < 0.1


def test_a_search_in_the_narrowed_space_is_not_blocked_and_its_best_trial_is_better() -> None:
    blocked, gained = 0, []
    for seed in range(20):
        evidence, centre = bowl(seed)
        spans = study_spans(evidence.studies[0])
        closer, _ = bowl(seed, space={n: {"low": s.low, "high": s.high} for n, s in spans.items()})
        blocked += bool(blockers_of(closer.round.scope, analyze(closer)))
        bests = [s.studies[0].best for s in (evidence, closer)]
        away = [[abs(float(t.planned.point[n]) - c) for n, c in zip(UNIT, centre, strict=True)] for t in bests if t]
        gained.append(np.linalg.norm(away[0]) - np.linalg.norm(away[1]))
    assert blocked <= 2
    assert np.median(gained) > 0.02


@pytest.mark.playbook("B8", case="shows")
def test_the_remedy_composes_and_holds_the_best_trial_with_room_on_either_side() -> None:
    evidence = planted_round(around(-2.5), trials=32)
    (found,) = of_row(evidence)
    assert (found.level, found.reason) == ("ok", "can_be_narrowed")
    assert len(found.remedy) == 4
    config = from_overrides(["workload=synthetic", "space=synthetic", "goal=synthetic", *found.remedy])
    best = evidence.studies[0].best
    assert best is not None
    for name in SPACE:
        low, high = np.log10(config.space[name].bounds)
        assert 0.249 <= (high - low) / 3.0 <= LEAVE  # to four digits
        at = np.log10(float(best.planned.point[name]))
        assert low + 0.1 * (high - low) < at < high - 0.1 * (high - low)


@pytest.mark.playbook("B8", case="shows")
def test_nothing_is_narrowed_where_the_best_trial_stands_at_an_edge_or_the_trials_are_explicit() -> None:
    (edge,) = of_row(planted_round(around(0.0), trials=32))
    assert (edge.reason, edge.remedy) == ("blocked", ())
    (listed,) = of_row(planted_round(around(-2.5), points=tuple({"learning_rate": 10.0**-i} for i in range(1, 6))))
    assert (listed.reason, listed.remedy) == ("blocked", ())


def test_noise_that_hides_the_optimum_leaves_the_space_as_it_is() -> None:
    kept = [s.high - s.low for seed in range(10) for s in study_spans(bowl(seed, noise=4.0)[0].studies[0]).values()]
    assert np.mean(np.array(kept) > LEAVE) > 0.7


def test_arms_that_share_a_range_are_both_inside_it_and_one_in_doubt_keeps_it_whole() -> None:
    def apart(left: float, right: float) -> Evidence:
        def outcome(point: Point, index: int, rng: Rng) -> Metrics:
            return around(left if point["optimizer"] == "adam" else right)(point, index, rng)

        return compared_round(outcome, trials=32)

    first, second = of_row(apart(-3.0, -2.0))
    assert first.remedy == second.remedy
    assert float(str(first.numbers["learning_rate.low"])) < 1e-3
    assert float(str(first.numbers["learning_rate.high"])) > 1e-2
    told = [(f.reason, f.remedy) for f in of_row(apart(-2.5, 0.0))]
    assert ("blocked", ()) in told
    assert all(not remedy for _, remedy in told)


def test_what_is_in_question_is_not_narrowed() -> None:
    asked = planted_round(around(-2.5), trials=32, scientific={"learning_rate": "range"}, kind="understand")
    (found,) = of_row(asked)
    assert found.remedy
    assert not any("learning_rate" in r for r in found.remedy)


def test_a_narrowed_space_blocks_nothing() -> None:
    evidence = planted_round(around(-2.5), trials=32)
    assert blockers_of(evidence.round.scope, analyze(evidence)) == ()


def test_whole_numbers_stay_whole_and_a_range_of_one_is_left_alone() -> None:
    layers = Parameter(name="layers", type="int", low=1, high=12)
    assert Span(parameter=layers, low=0.3, high=0.6).overrides() == ("space.layers.low=4", "space.layers.high=8")
    assert Span(parameter=layers, low=0.0, high=0.5).overrides() == ("space.layers.high=7",)
    few = Parameter(name="layers", type="int", low=1, high=2)
    assert Span(parameter=few, low=0.0, high=0.4).overrides() == ()
    assert Span(parameter=layers, low=0.0, high=0.9).overrides() == ()
