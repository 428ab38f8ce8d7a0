"""Guards of the budget and the search: each fires on its fault and is silent on the clean twin."""

import pytest

from tasks.record import Finding
from tasks.scope.guards import budget as guards_budget
from tasks.scope.guards.arms import fair_nuisances
from tasks.scope.guards.scales import log_scales
from tests.scope.example_scopes import (
    BETA2_AND_EPSILON,
    DROPOUT,
    OPTIMIZERS,
    OWN_RATES,
    RATE,
    REGULARIZERS,
    SPACE,
    levels,
    scope,
)

DEPTHS = {"depth": [1, 2, 3, 4, 5, 6, 7, 8]}
ADAM = {name: {k: v for k, v in node.items() if k != "when"} for name, node in OWN_RATES["adam"].items()}
TO_BETA1 = ["learning_rate", "one_minus_beta1"]


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


@pytest.mark.playbook("C4", case="fires")
def test_few_trials_for_many_nuisances_name_what_to_fix() -> None:
    found = only(
        guards_budget.few_enough_nuisances(scope(space=ADAM, baseline={"optimizer": "adam"}, trials=10)), "warn"
    )
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_beta1]",)
    assert found.numbers == {"trials": 10, "varying": 4, "nuisance_trials": 5, "needed": 20}


@pytest.mark.playbook("C4", case="fires")
@pytest.mark.prose
def test_few_trials_for_one_nuisance_ask_for_more_trials() -> None:
    found = only(guards_budget.few_enough_nuisances(scope(space={"learning_rate": RATE}, trials=3)), "warn")
    assert found.remedy == ("budget.trials=5",)
    assert found.reason == "too_many_nuisances"
    assert "few for the one hyperparameter that varies:" in found.evidence


@pytest.mark.playbook("C4", case="silent")
def test_five_trials_a_nuisance_suffice_and_another_arms_nuisances_do_not_count() -> None:
    assert only(guards_budget.few_enough_nuisances(scope(space=ADAM, trials=20)), "ok")
    one = scope(OPTIMIZERS, OWN_RATES, fixed=BETA2_AND_EPSILON, trials=10)
    assert only(guards_budget.few_enough_nuisances(one), "ok").numbers["varying"] == 2


@pytest.mark.playbook("C4", case="fires")
def test_a_joint_study_shares_its_trials_with_the_scientific_hyperparameter() -> None:
    found = only(guards_budget.few_enough_nuisances(scope(DEPTHS, trials=14)), "warn")
    assert found.numbers["varying"] == 3
    assert found.remedy == ("goal.nuisance=[learning_rate]",)


@pytest.mark.playbook("D4", case="fires")
def test_a_joint_study_with_nuisances_of_single_values_needs_an_allocation() -> None:
    space = SPACE | {"skip": {"low": 0.0, "high": 1.0, "when": {"depth": [7, 8]}}}
    found = only(guards_budget.joint_study_allocates(scope(DEPTHS, space, sampler="tpe")), "fail")
    assert (found.remedy, found.reason) == (("sampler=halton",), "adaptive")
    found = only(guards_budget.joint_study_allocates(scope(DEPTHS, space, sampler="grid")), "fail")
    assert (found.remedy, found.reason) == (("sampler=halton",), "unequal_counts")


@pytest.mark.playbook("D4", case="silent")
def test_the_quasi_random_joint_study_allocates_and_says_how_many() -> None:
    space = SPACE | {"skip": {"low": 0.0, "high": 1.0, "when": {"depth": [7, 8]}}}
    found = only(guards_budget.joint_study_allocates(scope(DEPTHS, space, trials=40)), "ok")
    assert found.numbers["trials_a_value"] == 5
    assert only(guards_budget.joint_study_allocates(scope(DEPTHS, sampler="tpe")), "ok")
    assert only(guards_budget.joint_study_allocates(scope()), "na").reason == "not_the_question"


@pytest.mark.playbook("D5", case="fires")
@pytest.mark.parametrize(("sampler", "level"), [("tpe", "fail"), ("random", "warn")])
def test_an_adaptive_search_is_refused_while_exploring_and_a_random_one_warned_of(sampler: str, level: str) -> None:
    found = only(guards_budget.quasi_random_search(scope(sampler=sampler)), level)
    assert found.remedy == ("sampler=halton",)


@pytest.mark.playbook("D5", case="silent")
@pytest.mark.parametrize("sampler", ["halton", "sobol", "grid"])
def test_a_quasi_random_search_is_fine(sampler: str) -> None:
    assert only(guards_budget.quasi_random_search(scope(sampler=sampler)), "ok")


def two_rates(low: float, **other: object) -> Finding:
    """What fairness says of two optimizers whose rates are searched from 1e-4 and from `low` to 1e-1."""
    space = {
        "nesterov": {"learning_rate": RATE | {"when": {"optimizer": "nesterov"}}},
        "adam": {"learning_rate": RATE | {"low": low, "when": {"optimizer": "adam"}} | other},
    }
    (found,) = fair_nuisances(scope(OPTIMIZERS, space))
    return found


@pytest.mark.playbook("D9", case="fires")
def test_three_decades_against_one_are_not_fair_and_the_remedy_makes_them_equal() -> None:
    found = two_rates(1e-2)
    assert (found.level, found.reason) == ("warn", "unequal_widths")
    assert found.where.parameter == "adam.learning_rate"
    assert (found.numbers["widest"], found.numbers["narrowest"]) == pytest.approx((3.0, 1.0))
    assert found.remedy == ("space.adam.learning_rate.low=0.001", "space.adam.learning_rate.high=1")


@pytest.mark.playbook("D9", case="fires")
def test_a_log_range_and_a_linear_one_are_not_equally_wide() -> None:
    assert (two_rates(1e-4, scale="linear").level, two_rates(1e-4, scale="linear").reason) == ("warn", "other_scales")


@pytest.mark.playbook("D9", case="fires")
def test_two_hyperparameters_more_thin_out_an_arm() -> None:
    assert only(fair_nuisances(scope(OPTIMIZERS, OWN_RATES)), "warn").reason == "more_to_tune"


@pytest.mark.playbook("D9", case="silent")
def test_equal_widths_at_different_places_are_fair_and_so_is_the_changes_own_strength() -> None:
    assert two_rates(2e-4).level == "ok"
    found = only(fair_nuisances(scope(REGULARIZERS, SPACE | DROPOUT)), "ok")
    assert "dropout.rate" in found.evidence


def adam_rule(trials: int, **more: object) -> list[Finding]:
    """What the Adam rule says of one Adam with the whole of its space."""
    given = {"space": ADAM, "baseline": {"optimizer": "adam"}} | more
    return guards_budget.adam_rule(scope(trials=trials, **given))  # type: ignore[arg-type]


@pytest.mark.playbook("D10", case="fires")
@pytest.mark.parametrize(
    ("trials", "kept"),
    [
        (9, "learning_rate"),
        (10, "learning_rate,one_minus_beta1"),
        (24, "learning_rate,one_minus_beta1"),
        (25, "learning_rate,one_minus_beta1,epsilon"),
        (49, "learning_rate,one_minus_beta1,epsilon"),
    ],
)
def test_adam_is_tuned_no_further_than_the_trials_allow(trials: int, kept: str) -> None:
    found = only(adam_rule(trials), "warn")
    assert (found.reason, found.remedy) == ("beyond_the_rule", (f"goal.nuisance=[{kept}]",))


@pytest.mark.playbook("D10", case="fires")
def test_adam_is_tuned_as_far_as_the_trials_allow() -> None:
    found = only(adam_rule(30, nuisance=TO_BETA1), "warn")
    assert found.reason == "short_of_the_rule"
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_beta1,epsilon]",)


@pytest.mark.playbook("D10", case="silent")
def test_the_adam_rule_is_content_with_its_own_advice_and_with_stated_reasons() -> None:
    assert only(adam_rule(50), "ok")
    assert only(adam_rule(24, nuisance=TO_BETA1), "ok")
    reasons = {n: {"value": 0.001, "reason": "insensitive in two rounds"} for n in ("epsilon", "one_minus_beta2")}
    assert only(adam_rule(60, fixed=reasons), "ok")
    assert only(guards_budget.adam_rule(scope()), "na").reason == "not_the_question"


@pytest.mark.playbook("D10", case="fires")
def test_an_adam_that_only_its_betas_betray_is_held_to_the_rule() -> None:
    assert only(adam_rule(9, baseline={}), "warn")


def test_explicit_points_need_no_search() -> None:
    one = scope({}, points=[{"one_minus_momentum": 0.1}, {"one_minus_momentum": 0.01}], baseline={"optimizer": "adam"})
    for guard in (
        guards_budget.few_enough_nuisances,
        guards_budget.joint_study_allocates,
        guards_budget.quasi_random_search,
        fair_nuisances,
        guards_budget.adam_rule,
        log_scales,
    ):
        assert only(guard(one), "na").reason == "listed_points"
