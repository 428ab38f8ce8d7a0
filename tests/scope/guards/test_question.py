"""The guards as a whole, and those that ask whether a round may be asked at all."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from tasks.record import Finding, Value
from tasks.scope.error import InputError
from tasks.scope.guards import question as guards
from tasks.scope.guards.all import GUARDS, guard
from tasks.scope.kinds import IMPROVE, KINDS
from tasks.scope.roles import Scope
from tests.scope.example_scopes import BASELINE, BETA2_AND_EPSILON, OPTIMIZERS, OWN_RATES, SPACE, Tree, levels, scope

BATCH = {"batch_size": {"values": [32, 64, 128]}}
CLEAN: Tree = {
    "fixed": BETA2_AND_EPSILON,
    "scientific": OPTIMIZERS,
    "space": OWN_RATES,
    "baseline": {"optimizer": "nesterov"},
}
FAULTY: tuple[Scope, ...] = (
    scope(space=SPACE | BATCH | {"epochs": {"low": 1, "high": 9, "type": "int"}}),
    scope(space=SPACE | {"optimizer": {"choices": ["sgd", "adam"]}, "width": {"values": [8, 16]}}),
    scope(space=SPACE | {"accumulation_steps": {"values": [1, 2, 4]}}, trials=3),
    scope(scientific=OPTIMIZERS, space=OWN_RATES, trials=8, sampler="random"),
    scope(scientific=OPTIMIZERS, space={"learning_rate": {"low": 0.0, "high": 0.1}}, baseline={}),
)


@pytest.mark.parametrize("n", range(len(FAULTY)))
def test_every_remedy_is_an_override_that_hydra_can_read(n: int) -> None:
    remedies = [r for f in guard(FAULTY[n]) for r in f.remedy]
    assert remedies
    assert len(OverridesParser.create().parse_overrides(remedies)) == len(remedies)


@pytest.mark.playbook("A3", "A5", "A10", "B2", "B3", "C4", "C6", "C7", "C8", "C9", "H2", case="silent")
@pytest.mark.playbook("D5", "D9", "D10", "D11", case="silent")
def test_a_sound_round_hears_nothing_from_any_guard() -> None:
    found = guard(scope(**CLEAN))
    assert [f.row for f in found if f.level not in ("ok", "na")] == []


def test_every_row_is_answered_once_at_least_in_the_order_of_the_rows() -> None:
    rows = [f.row for f in guard(scope())]
    wanted = "A3 A5 A10 B2 B2 B3 C1 C2 C4 C5 C6 C7 C8 C9 C10 D4 D5 D9 D10 D11 G9 H2 J4 K1 K2"
    assert rows == wanted.split()


def test_every_finding_of_a_faulty_round_is_one_sentence_with_its_row() -> None:
    for one in FAULTY:
        for f in guard(one):
            assert f.evidence.endswith("."), f
            assert "\n" not in f.evidence
            assert len(f.evidence) < 300


def test_every_guard_gives_its_own_row_and_a_reason_that_it_declares() -> None:
    points = scope({}, points=[{"one_minus_momentum": 0.1}, {"one_minus_momentum": 0.01}])
    for one in (*FAULTY, scope(**CLEAN), scope(), scope({}), points):
        for each in GUARDS:
            found = each.findings(one)
            assert found
            for f in found:
                assert (f.check, f.row) == (each.name, each.question.row)
                assert f.reason in each.question.reasons(f.level), f


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of goal that compares nothing, and whose trials have their own lengths."""
    changes = {"name": "probe", "compares": False, "baseline": False, "purpose": "probe", "own_steps": True}
    monkeypatch.setitem(KINDS, "probe", IMPROVE.model_copy(update=changes))
    return "probe"


def test_a_goal_that_compares_nothing_fails_no_guard_that_asks_what_is_compared_or_searched(probe: str) -> None:
    space = SPACE | BATCH | {"epochs": {"low": 1, "high": 9, "type": "int"}, "optimizer": {"choices": ["sgd", "adam"]}}
    found = guard(scope({}, space, kind=probe, sampler="tpe", trials=2, baseline={}))
    assert {f.row for f in found if f.level == "fail"} == {"A3"}  # which optimizer it is has a role in every round
    unasked = {f.row for f in found if f.reason == "not_the_question"}
    assert unasked == {g.question.row for g in GUARDS} - {"A3", "A10", "C1", "G9", "J4"}
    asked = guard(scope({}, space, sampler="tpe", trials=2, baseline={}))
    assert {f.row for f in asked if f.level == "fail"} >= {"A5", "B2", "C7", "D5", "H2"}


def as_overridden(one: Scope, remedy: str) -> Scope:
    """The scope after a remedy of the form `goal.nuisance=[a,b]`."""
    names = remedy.removeprefix("goal.nuisance=[").removesuffix("]").split(",")
    again = scope(
        one.goal.scientific,
        one.declared.as_tree(),
        nuisance=names,
        fixed={n: f.model_dump() for n, f in one.goal.fixed.items()},
        baseline=one.incumbent.point,
        trials=one.budget.trials,
        sampler=one.sampler,
    )
    assert set(again.roles.nuisance) <= set(names)
    return again


@pytest.mark.parametrize("trials", range(1, 60))
@pytest.mark.parametrize(
    "space", [OWN_RATES, OWN_RATES | {"noise": {"low": 0.0, "high": 1.0}, "tilt": {"low": 0.0, "high": 1.0}}]
)
def test_remedies_lead_somewhere_and_never_undo_each_other(trials: int, space: dict[str, object]) -> None:
    one = scope(OPTIMIZERS, space, trials=trials)
    for _ in range(4):
        remedies = [r for f in guard(one) for r in f.remedy if r.startswith("goal.nuisance=")]
        if not remedies:
            return
        one = as_overridden(one, remedies[0])
    pytest.fail(f"still {remedies} after four rounds")


def only(findings: list[Finding], level: str) -> Finding:
    """The one finding, which must have that level."""
    assert levels(findings) == [level], findings
    return findings[0]


@pytest.mark.playbook("A3", case="fires")
def test_an_adam_without_an_epsilon_is_a_silent_default() -> None:
    space = {"learning_rate": SPACE["learning_rate"], "one_minus_beta1": SPACE["one_minus_momentum"]}
    found = guards.every_optimizer_hyperparameter(scope(space=space, baseline={"optimizer": "adam"}))
    assert [(f.level, f.where.parameter) for f in found] == [("fail", "one_minus_beta2"), ("fail", "epsilon")]
    assert found[1].remedy == ("space.epsilon.values=[1e-10,1e-8,1e-6,1e-4,1e-2]",)


@pytest.mark.playbook("A3", case="fires")
def test_each_of_several_optimizers_is_asked_for_its_own_hyperparameters() -> None:
    space = OWN_RATES | {"adam": {k: v for k, v in OWN_RATES["adam"].items() if k != "epsilon"}}
    found = only(guards.every_optimizer_hyperparameter(scope(OPTIMIZERS, space)), "fail")
    assert found.where.parameter == "adam.epsilon"
    assert found.remedy[1] == "space.adam.epsilon.when={optimizer:adam}"


@pytest.mark.playbook("A3", case="silent")
def test_a_hyperparameter_that_the_baseline_holds_has_a_role() -> None:
    baseline: dict[str, Value] = {
        "optimizer": "adam",
        "one_minus_beta1": 0.1,
        "one_minus_beta2": 0.001,
        "epsilon": 1e-8,
    }
    assert only(guards.every_optimizer_hyperparameter(scope(baseline=baseline)), "ok")


@pytest.mark.playbook("A3", case="silent")
@pytest.mark.parametrize(
    ("baseline", "because"), [({"optimizer": "shampoo"}, "not_recognised"), ({"width": 64}, "not_declared")]
)
def test_an_optimizer_that_nobody_knows_or_names_is_not_asked(baseline: dict[str, Value], because: str) -> None:
    assert only(guards.every_optimizer_hyperparameter(scope(baseline=baseline)), "na").reason == because


@pytest.mark.playbook("A5", case="fires")
def test_a_tuned_batch_size_is_refused_and_the_remedy_fixes_it() -> None:
    found = only(guards.batch_size_stays_fixed(scope(space=SPACE | BATCH)), "fail")
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


@pytest.mark.playbook("A5", case="fires")
def test_a_compared_batch_size_is_refused_also_among_explicit_points() -> None:
    assert only(guards.batch_size_stays_fixed(scope({"batch_size": [32, 64]})), "fail")
    points = [{"batch_size": 32}, {"batch_size": 64}]
    assert only(guards.batch_size_stays_fixed(scope(points=points, baseline={"batch_size": 32})), "fail")


@pytest.mark.playbook("A5", case="silent")
def test_a_fixed_batch_size_is_no_matter() -> None:
    one = scope(space=SPACE | BATCH, fixed={"batch_size": {"value": 64, "reason": "the largest that fits"}})
    assert only(guards.batch_size_stays_fixed(one), "ok")


@pytest.mark.playbook("A10", case="fires")
def test_gradient_accumulation_is_warned_of_whether_tuned_or_fixed() -> None:
    tuned = scope(space=SPACE | {"accumulation_steps": {"low": 1, "high": 8, "type": "int"}})
    found = only(guards.no_gradient_accumulation(tuned), "warn")
    assert found.remedy == ("space.accumulation_steps.low=1", "space.accumulation_steps.high=1")
    assert only(guards.no_gradient_accumulation(scope(baseline=BASELINE | {"grad_accumulation": 4})), "warn")


@pytest.mark.playbook("A10", case="silent")
def test_accumulation_over_one_batch_is_none() -> None:
    assert only(guards.no_gradient_accumulation(scope(baseline=BASELINE | {"grad_accumulation": 1})), "ok")


@pytest.mark.playbook("B2", case="fires")
def test_a_goal_that_compares_nothing_is_no_goal() -> None:
    assert only(guards.one_goal_of_a_known_kind(scope({})), "fail").reason == "asks_nothing"
    assert only(guards.one_goal_of_a_known_kind(scope({"regularizer": ["dropout"]})), "fail").reason == "one_value"


@pytest.mark.playbook("B2", case="fires")
@pytest.mark.prose
def test_a_goal_of_an_unknown_kind_cannot_be_built() -> None:
    with pytest.raises(InputError, match=r"goal.kind: .wish. is unknown; allowed are improve, understand"):
        scope(kind="wish")


@pytest.mark.playbook("B2", case="fires")
def test_a_range_is_to_be_understood_and_not_a_change_to_try() -> None:
    space = SPACE | {"weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    found = only(guards.one_goal_of_a_known_kind(scope({"weight_decay": "range"}, space)), "warn")
    assert found.remedy == ("goal.kind=understand",)


@pytest.mark.playbook("B2", case="silent")
def test_two_values_two_points_or_a_range_are_goals() -> None:
    space = SPACE | {"weight_decay": {"low": 1e-6, "high": 1e-2, "scale": "log"}}
    assert only(guards.one_goal_of_a_known_kind(scope()), "ok")
    assert only(guards.one_goal_of_a_known_kind(scope({"weight_decay": "range"}, space, kind="understand")), "ok")
    assert only(guards.one_goal_of_a_known_kind(scope({}, points=[{"width": 1}, {"width": 2}])), "ok")


@pytest.mark.playbook("B3", case="fires")
def test_two_changes_at_once_are_refused_and_two_questions_warned_of() -> None:
    both = {"regularizer": ["none", "dropout"], "normalization": ["none", "layer"]}
    assert only(guards.one_question(scope(both)), "fail")
    assert only(guards.one_question(scope(both, kind="understand")), "warn")


@pytest.mark.playbook("B3", case="silent")
def test_one_change_is_one_question() -> None:
    assert only(guards.one_question(scope()), "ok")


@pytest.mark.playbook("A3", case="fires")
def test_an_optimizer_by_its_class_or_its_framework_name_is_asked_for_all_that_it_has() -> None:
    for value, missing in (("AdamW", 4), ("adamw_torch_fused", 4), ("torch.optim.NAdam", 4), ("RMSprop", 2)):
        one = scope(space={"lr": SPACE["learning_rate"]}, baseline={"optim": value})
        assert levels(guards.every_optimizer_hyperparameter(one)) == ["fail"] * missing, value


@pytest.mark.playbook("A3", case="fires")
def test_a_nesterov_switch_that_is_on_asks_for_a_momentum() -> None:
    baseline: dict[str, Value] = {"optimizer": "SGD", "nesterov": True}
    one = scope(space={"lr": SPACE["learning_rate"]}, baseline=baseline)
    assert only(guards.every_optimizer_hyperparameter(one), "fail").where.parameter == "one_minus_momentum"
    assert only(guards.every_optimizer_hyperparameter(scope(space=SPACE, baseline=baseline)), "ok")


@pytest.mark.playbook("A3", case="silent")
def test_other_spellings_and_the_workloads_arguments_are_roles_too() -> None:
    held: dict[str, Value] = {"optim": "adamw_torch", "adam_beta1": 0.9, "adam_beta2": 0.999, "weight_decay": 0.0}
    space = {"learning_rate": SPACE["learning_rate"]}
    one = scope(space=space, baseline=held, arguments={"adam_epsilon": 1e-8})
    assert only(guards.every_optimizer_hyperparameter(one), "ok")
    pair = scope(space=space, baseline={"opt": "adam", "opt_betas": "(0.9, 0.98)", "opt_eps": 1e-8})
    assert only(guards.every_optimizer_hyperparameter(pair), "ok")


def test_of_several_optimizers_the_one_without_a_list_is_not_passed_over() -> None:
    one = scope(
        {"optimizer": ["sgd", "adafactor"]}, {"lr": SPACE["learning_rate"]}, baseline={}, arguments={"momentum": 0.0}
    )
    assert levels(guards.every_optimizer_hyperparameter(one)) == ["ok", "na"]


BATCHES = "bs per_device_train_batch_size SOLVER.IMS_PER_BATCH data.batchSize dataset.max_tokens"


@pytest.mark.playbook("A5", case="fires")
@pytest.mark.parametrize("name", BATCHES.split())
def test_a_batch_size_by_another_name_is_refused_too(name: str) -> None:
    node: Tree = {"values": [32, 64]}
    for part in reversed(name.split(".")):
        node = {part: node}
    found = only(guards.batch_size_stays_fixed(scope(space=SPACE | node)), "fail")
    assert found.where.parameter == name
    assert found.remedy == ("goal.nuisance=[learning_rate,one_minus_momentum]",)


def test_a_batch_size_that_nobody_recognises_is_not_checked() -> None:
    assert only(guards.batch_size_stays_fixed(scope()), "na").reason == "not_recognised"
    assert only(guards.batch_size_stays_fixed(scope(baseline=BASELINE | {"eval_batch_size": 8})), "na")
    assert only(guards.batch_size_stays_fixed(scope(arguments={"bs": 8})), "ok")


@pytest.mark.playbook("A10", case="fires")
@pytest.mark.parametrize("name", ["accum_iter", "update_freq", "accumulate_grad_batches", "grad_accum_steps"])
def test_accumulation_by_another_name_is_warned_of_too(name: str) -> None:
    assert only(guards.no_gradient_accumulation(scope(baseline=BASELINE | {name: 4})), "warn").where.parameter == name
    assert only(guards.no_gradient_accumulation(scope(baseline=BASELINE | {name: 1})), "ok")


def test_accumulation_is_not_checked_where_nobody_says() -> None:
    assert only(guards.no_gradient_accumulation(scope()), "na").reason == "not_recognised"
    assert only(guards.no_gradient_accumulation(scope(target="tasks.trials.supervised")), "ok")
