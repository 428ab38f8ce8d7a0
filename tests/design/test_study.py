"""Studies: one for each scientific value with equal budgets, points stored, ids and seeds derived and extendable."""

from collections import Counter

import pytest

from tasks.design.study import Planned, Round, derived_seed, design, without_orphans
from tasks.record import Value
from tasks.scope.roles import Scope
from tests.scope.example_scopes import BASELINE, DROPOUT, OPTIMIZERS, OWN_RATES, REGULARIZERS, SPACE, scope

MIXED = SPACE | DROPOUT | {"activation": {"choices": ["relu", "gelu"]}, "layers": {"low": 1, "high": 6, "type": "int"}}
WIDTHS = {"width": [8, 16, 32, 64, 128, 256, 512]}


def dropout(trials: int = 24, seed: int = 0, sampler: str = "halton") -> Scope:
    """A question of two arms whose space is categorical, whole, continuous and conditional."""
    return scope(REGULARIZERS, MIXED, trials=trials, seed=seed, sampler=sampler)


@pytest.mark.playbook("D6", "D16", case="shows")
@pytest.mark.parametrize("sampler", ["halton", "sobol", "random"])
@pytest.mark.parametrize("scientific", [REGULARIZERS, WIDTHS, {"learning_rate": "range"}])
def test_an_extended_study_keeps_its_first_trials_bit_for_bit(sampler: str, scientific: dict[str, object]) -> None:
    short, long = (design(scope(scientific, MIXED, trials=n, sampler=sampler)) for n in (12, 31))
    assert [s.id for s in short.studies] == [s.id for s in long.studies]
    for a, b in zip(short.studies, long.studies, strict=True):
        assert b.trials[:12] == a.trials
        assert len(b.trials) == 31


def test_two_seeds_give_other_studies_points_and_trial_seeds() -> None:
    a, b = design(dropout(seed=0)), design(dropout(seed=1))
    assert not {t.id for t in a.trials} & {t.id for t in b.trials}
    assert not {t.seed for t in a.trials} & {t.seed for t in b.trials}
    rates = [{float(t.point["learning_rate"]) for t in one.trials} for one in (a, b)]
    assert not rates[0] & rates[1]


@pytest.mark.playbook("D1", "D2", case="shows")
def test_each_scientific_value_has_a_study_of_equal_size_that_tunes_its_own_nuisances() -> None:
    one = design(dropout())
    assert [s.scientific for s in one.studies] == [{"regularizer": "none"}, {"regularizer": "dropout"}]
    assert [len(s.trials) for s in one.studies] == [24, 24]
    off, on = one.studies
    assert "dropout.rate" not in off.space
    assert "dropout.rate" in on.space
    assert all(t.point["regularizer"] == "none" and "dropout.rate" not in t.point for t in off.trials)
    assert all(t.point["regularizer"] == "dropout" and "dropout.rate" in t.point for t in on.trials)
    assert {off.sampler, on.sampler} == {"halton"}


def test_the_arms_of_a_round_are_searched_at_points_of_their_own() -> None:
    off, on = design(dropout()).studies
    assert not {t.point["learning_rate"] for t in off.trials} & {t.point["learning_rate"] for t in on.trials}


@pytest.mark.playbook("C10", case="shows")
def test_one_name_under_two_optimizers_is_two_hyperparameters_with_two_ranges() -> None:
    nesterov, adam = design(scope(OPTIMIZERS, OWN_RATES)).studies
    assert all("adam.learning_rate" not in t.point for t in nesterov.trials)
    assert all("nesterov.learning_rate" not in t.point for t in adam.trials)
    assert min(float(t.point["nesterov.learning_rate"]) for t in nesterov.trials) >= 1e-4
    assert min(float(t.point["adam.learning_rate"]) for t in adam.trials) < 1e-4


@pytest.mark.playbook("D3", case="shows")
@pytest.mark.parametrize("trials", [14, 21, 30])
def test_a_joint_study_deals_its_values_in_equal_counts(trials: int) -> None:
    (joint,) = design(scope(WIDTHS, MIXED, trials=trials)).studies
    counts = Counter(t.point["width"] for t in joint.trials)
    assert set(counts) == set(WIDTHS["width"])
    assert max(counts.values()) - min(counts.values()) <= (1 if trials % 7 else 0)


@pytest.mark.playbook("D3", case="shows")
def test_a_whole_range_is_sampled_evenly_in_one_joint_study() -> None:
    (joint,) = design(scope({"learning_rate": "range"}, MIXED, kind="understand", trials=30)).studies
    decades = Counter(int(f"{float(t.point['learning_rate']):e}".split("e")[1]) for t in joint.trials)
    assert max(decades.values()) - min(decades.values()) <= 2


@pytest.mark.playbook("D1", case="shows")
def test_explicit_points_are_a_study_and_take_the_incumbents_values_for_the_rest() -> None:
    points: tuple[dict[str, Value], ...] = ({"regularizer": "dropout", "dropout.rate": 0.2}, {"regularizer": "none"})
    (one,) = design(scope({}, MIXED | {"regularizer": {"choices": ["none", "dropout"]}}, points=points)).studies
    assert [t.point["regularizer"] for t in one.trials] == ["dropout", "none"]
    assert "dropout.rate" not in one.trials[1].point
    assert all(t.point["width"] == BASELINE["width"] for t in one.trials)
    assert one.space.names == ("regularizer", "dropout.rate")


@pytest.mark.playbook("D16", case="shows")
def test_the_points_themselves_are_stored_and_survive_json() -> None:
    one = design(dropout(trials=6))
    assert Round.model_validate_json(one.model_dump_json()) == one


def test_the_kinds_of_values_survive() -> None:
    for t in design(dropout()).trials:
        assert type(t.point["layers"]) is int
        assert type(t.point["learning_rate"]) is float
        assert type(t.point["activation"]) is str


def test_ids_and_seeds_are_all_different_and_derive_from_seed_study_and_index() -> None:
    one = design(scope(WIDTHS, MIXED, trials=200))
    assert len({t.id for t in one.trials}) == len({t.seed for t in one.trials}) == 200
    first: Planned = one.trials[0]
    assert first.seed == derived_seed(0, one.studies[0].id, "search", 0)
    assert 0 <= first.seed < 2**63


def test_seeds_of_near_keys_do_not_collide() -> None:
    seeds = {
        derived_seed(s, "study", purpose, i) for s in range(10) for purpose in ("search", "retrain") for i in range(500)
    }
    assert len(seeds) == 10_000


def test_a_point_loses_the_children_of_a_parent_that_it_lost() -> None:
    space = MIXED | {
        "regularizer": {"choices": ["none", "dropout"]},
        "shape": {"choices": ["a"], "when": {"dropout.rate": 0.2}},
    }
    declared = scope({"width": [1, 2]}, space).declared
    point: dict[str, Value] = {"regularizer": "none", "dropout.rate": 0.2, "shape": "a", "layers": 2}
    assert without_orphans(declared, point) == {"regularizer": "none", "layers": 2}


def test_a_study_is_found_by_its_id_and_an_unknown_id_is_an_error() -> None:
    one = design(dropout(trials=2))
    assert one.study(one.studies[1].id) is one.studies[1]
    with pytest.raises(KeyError):
        one.study("s-00000000")
