"""Guards of the roles: each fires on the fault that the playbook names, and is silent on its clean twin."""

from typing import Any

import pytest

from tasks.record import Finding
from tasks.scope.guards import roles as guards_roles
from tests.scope.example_scopes import (
    BASELINE,
    DROPOUT,
    MOMENTUM,
    OPTIMIZERS,
    OWN_RATES,
    RATE,
    REGULARIZERS,
    SPACE,
    levels,
    scope,
)


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


@pytest.mark.playbook("C6", case="fires")
def test_a_scientific_learning_rate_gives_little_insight() -> None:
    one = scope({"learning_rate": [0.001, 0.01]}, kind="understand")
    assert only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "warn").where.parameter == "learning_rate"


@pytest.mark.playbook("C6", case="fires")
@pytest.mark.parametrize("reason", ["default", "no time"])
def test_a_fixed_learning_rate_without_evidence_is_warned_of(reason: str) -> None:
    one = scope(fixed={"learning_rate": {"value": 0.01, "reason": reason}})
    assert only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "warn").where.parameter == "learning_rate"


@pytest.mark.playbook("C6", case="fires")
def test_a_momentum_that_nobody_mentions_is_offered_a_range() -> None:
    one = scope(space={"learning_rate": RATE}, baseline=BASELINE | {"one_minus_momentum": 0.1})
    found = only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "warn")
    assert found.remedy == ("space.one_minus_momentum.values=[0.003,0.01,0.03,0.1,0.3]",)


@pytest.mark.playbook("C6", case="fires")
def test_a_momentum_that_the_nuisances_leave_out_is_put_back_by_the_remedy() -> None:
    one = scope(nuisance=["learning_rate"])
    found = only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "warn")
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("C6", case="silent")
def test_a_reason_is_evidence_and_adams_betas_are_left_to_the_adam_rule() -> None:
    reason = "insensitive in the last two rounds"
    one = scope(
        fixed={"one_minus_momentum": {"value": 0.1, "reason": reason}},
        baseline={"optimizer": "adam", "one_minus_beta2": 0.001, "epsilon": 1e-8},
    )
    assert only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "ok")


@pytest.mark.playbook("C6", case="silent")
def test_another_optimizers_hyperparameter_in_the_baseline_is_of_no_interest() -> None:
    one = scope(baseline=BASELINE | {"adam.learning_rate": 0.001})
    assert only(guards_roles.optimizer_hyperparameters_are_nuisance(one), "ok")


@pytest.mark.playbook("C7", case="fires")
def test_the_choice_of_optimizer_is_no_nuisance() -> None:
    one = scope(space=SPACE | {"optimizer": {"choices": ["nesterov", "adam"]}})
    found = only(guards_roles.optimizer_is_no_nuisance(one), "fail")
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("C7", case="silent")
def test_a_compared_or_a_fixed_optimizer_is_fine() -> None:
    assert only(guards_roles.optimizer_is_no_nuisance(scope(OPTIMIZERS, OWN_RATES)), "ok")
    assert only(guards_roles.optimizer_is_no_nuisance(scope()), "ok")
    assert only(guards_roles.optimizer_is_no_nuisance(scope(baseline={})), "na").reason == "not_recognised"


@pytest.mark.playbook("C8", case="fires")
@pytest.mark.parametrize(
    "switch", [{"regularizer": {"choices": ["none", "dropout"]}}, {"use_dropout": {"values": [False, True]}}]
)
def test_a_regularizer_that_is_switched_as_a_nuisance_is_refused(switch: dict[str, object]) -> None:
    one = scope(OPTIMIZERS, OWN_RATES | switch, baseline={})
    found = only(guards_roles.regularizer_switch_is_no_nuisance(one), "fail")
    assert found.where.parameter in switch
    assert not any(name in found.remedy[0] for name in switch)


@pytest.mark.playbook("C8", case="silent")
def test_the_strength_of_a_regularizer_is_a_nuisance_and_its_switch_a_question() -> None:
    space = (
        SPACE
        | DROPOUT
        | {"weight_decay": {"values": [0.0, 1e-4, 1e-3]}, "regularizer": {"choices": ["none", "dropout"]}}
    )
    assert only(guards_roles.regularizer_switch_is_no_nuisance(scope(REGULARIZERS, space)), "ok")


@pytest.mark.playbook("C9", case="fires")
def test_architecture_as_a_nuisance_is_warned_of_and_the_remedy_fixes_all_of_it() -> None:
    space = SPACE | {"width": {"values": [64, 128]}, "activation": {"choices": ["relu", "gelu"]}}
    found = guards_roles.architecture_is_no_nuisance(scope(space=space))
    assert levels(found) == ["warn", "warn"]
    assert found[0].remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("C9", case="silent")
def test_a_compared_architecture_is_fine() -> None:
    space = SPACE | {"width": {"values": [64, 128]}}
    assert only(guards_roles.architecture_is_no_nuisance(scope({"width": [64, 128]}, space)), "ok")


@pytest.mark.playbook("C10", case="fires")
def test_a_rate_of_dropout_that_is_drawn_without_dropout_is_refused() -> None:
    space = SPACE | {"dropout": {"rate": {"low": 0.0, "high": 0.8}}}
    found = only(guards_roles.own_ranges(scope(REGULARIZERS, space)), "fail")
    assert found.remedy == ("space.dropout.rate.when={regularizer:dropout}",)


@pytest.mark.playbook("C10", case="fires")
def test_one_learning_rate_for_two_optimizers_is_warned_of() -> None:
    found = guards_roles.own_ranges(scope(OPTIMIZERS, SPACE))
    assert [(f.reason, f.where.parameter) for f in found] == [
        ("shared_range", "learning_rate"),
        ("drawn_for_other_values", "one_minus_momentum"),
    ]


@pytest.mark.playbook("C10", case="silent")
def test_own_ranges_are_fine_and_so_is_one_range_for_kin() -> None:
    assert only(guards_roles.own_ranges(scope(OPTIMIZERS, OWN_RATES)), "ok")
    assert only(guards_roles.own_ranges(scope(REGULARIZERS, SPACE | DROPOUT)), "ok")
    assert only(guards_roles.own_ranges(scope({"optimizer": ["momentum", "nesterov"]}, SPACE)), "ok")


def test_explicit_points_have_no_roles_to_guard() -> None:
    one = scope({}, points=[{"one_minus_momentum": 0.1}, {"one_minus_momentum": 0.01}])
    for guard in (
        guards_roles.optimizer_hyperparameters_are_nuisance,
        guards_roles.optimizer_is_no_nuisance,
        guards_roles.regularizer_switch_is_no_nuisance,
        guards_roles.architecture_is_no_nuisance,
        guards_roles.own_ranges,
    ):
        assert only(guard(one), "na").reason in ("listed_points", "not_recognised")


@pytest.mark.playbook("C10", case="fires")
def test_a_momentum_that_is_drawn_under_an_optimizer_without_one_is_warned_of_and_shared_with_none() -> None:
    found = only(guards_roles.own_ranges(scope(OPTIMIZERS, {"one_minus_momentum": MOMENTUM})), "warn")
    assert found.remedy == ("space.one_minus_momentum.when={optimizer:[nesterov]}",)
    own = {"one_minus_momentum": MOMENTUM | {"when": {"optimizer": "nesterov"}}}
    assert only(guards_roles.own_ranges(scope(OPTIMIZERS, own)), "ok")


@pytest.mark.playbook("C10", case="fires")
@pytest.mark.parametrize(
    ("scientific", "name", "remedy"),
    [
        ({"regularizer": ["none", "mixup"]}, "mixup_alpha", "space.mixup_alpha.when={regularizer:mixup}"),
        ({"use_mixup": [False, True]}, "mixup_alpha", "space.mixup_alpha.when={use_mixup:true}"),
        ({"model": ["cnn", "ViT"]}, "vit_drop_path", "space.vit_drop_path.when={model:ViT}"),
    ],
)
def test_what_reads_as_one_values_own_and_is_drawn_for_all_is_warned_of(
    scientific: dict[str, list[Any]], name: str, remedy: str
) -> None:
    drawn = {"low": 0.1, "high": 1.0}
    found = only(guards_roles.own_ranges(scope(scientific, SPACE | {name: drawn})), "warn")
    assert (found.where.parameter, found.remedy) == (name, (remedy,))
    ((parent, values),) = scientific.items()
    own = drawn | {"when": {parent: values[1]}}
    assert only(guards_roles.own_ranges(scope(scientific, SPACE | {name: own})), "ok")


@pytest.mark.playbook("C10", case="silent")
@pytest.mark.prose
def test_a_batch_size_is_no_part_of_batch_norm_and_nothing_is_said_to_be_under_a_value_where_nothing_is() -> None:
    space = SPACE | {"batch_size": {"values": [32, 64]}}
    found = only(guards_roles.own_ranges(scope({"norm": ["layer", "batch"]}, space)), "ok")
    assert found.evidence.startswith("Nothing that varies is named after one scientific value")


@pytest.mark.playbook("C7", case="fires")
@pytest.mark.parametrize("name", ["optim", "opt", "optimizer_type", "solver", "method"])
def test_a_choice_of_optimizer_by_another_name_is_refused_too(name: str) -> None:
    one = scope(space=SPACE | {name: {"choices": ["SGD", "AdamW"]}}, baseline={})
    found = only(guards_roles.optimizer_is_no_nuisance(one), "fail")
    assert (found.where.parameter, found.remedy) == (name, ("goal.nuisance=[learning_rate,one_minus_momentum]",))


@pytest.mark.playbook("C7", case="fires")
def test_nesterov_momentum_that_is_switched_as_a_nuisance_is_refused() -> None:
    one = scope(space=SPACE | {"nesterov": {"choices": [True, False]}}, baseline={"optimizer": "SGD"})
    assert only(guards_roles.optimizer_is_no_nuisance(one), "fail").where.parameter == "nesterov"


@pytest.mark.playbook("C8", case="fires")
@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("data_aug", {"choices": ["none", "randaugment"]}),
        ("no_aug", {"choices": [True, False]}),
        ("use_mixup", {"values": [0, 1]}),
        ("aa", {"choices": ["rand-m9", "original"]}),
        ("kernel_regularizer", {"choices": ["none", "l2"]}),
    ],
)
def test_an_augmentation_or_a_regularizer_by_another_name_is_no_nuisance_switch(name: str, node: object) -> None:
    found = only(guards_roles.regularizer_switch_is_no_nuisance(scope(OPTIMIZERS, OWN_RATES | {name: node})), "fail")
    assert found.where.parameter == name


@pytest.mark.playbook("C8", case="silent")
@pytest.mark.parametrize("name", ["hidden_dropout_prob", "mixup_alpha", "drop_path", "label_smoothing", "reprob"])
def test_the_strength_of_one_by_another_name_may_be_a_nuisance(name: str) -> None:
    one = scope(OPTIMIZERS, OWN_RATES | {name: {"low": 0.0, "high": 0.5}})
    assert only(guards_roles.regularizer_switch_is_no_nuisance(one), "ok")


@pytest.mark.playbook("C9", case="fires")
@pytest.mark.parametrize("name", ["n_layer", "n_head", "arch", "hidden_size", "MODEL.RESNETS.DEPTH", "n_units_l1"])
def test_architecture_by_another_name_is_warned_of_too(name: str) -> None:
    node: dict[str, object] = {"values": [64, 128]}
    for part in reversed(name.split(".")):
        node = {part: node}
    found = only(guards_roles.architecture_is_no_nuisance(scope(space=SPACE | node)), "warn")
    assert (found.where.parameter, found.remedy) == (name, ("goal.nuisance=[learning_rate,one_minus_momentum]",))


def test_what_nobody_recognises_is_not_checked() -> None:
    one = scope(OPTIMIZERS, OWN_RATES, baseline={"seed": 3})
    assert only(guards_roles.regularizer_switch_is_no_nuisance(one), "na").reason == "not_recognised"
    assert only(guards_roles.architecture_is_no_nuisance(one), "na").reason == "not_recognised"
    assert only(guards_roles.optimizer_is_no_nuisance(scope(baseline={})), "na").reason == "not_recognised"
