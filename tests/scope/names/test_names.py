"""What the user says of a name counts most, is checked, and reaches every guard; so do the workload's arguments."""

import pytest

from tasks.record import Finding
from tasks.scope.error import InputError
from tasks.scope.goal import Objective, Workload
from tasks.scope.guards.all import guard
from tasks.scope.names.names import KEYS, told_names
from tasks.scope.names.programs import argument_values
from tests.scope.example_scopes import BASELINE, RATE, SPACE, scope


def by_row(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    """The last finding of each row."""
    return {f.row: f for f in findings}


def test_a_name_that_the_user_explains_fires_where_it_was_not_checked_before() -> None:
    space = SPACE | {"mb": {"values": [32, 64]}}
    assert by_row(guard(scope(space=space)))["A5"].reason == "not_recognised"
    found = by_row(guard(scope(space=space, names={"batch_size": "mb"})))["A5"]
    assert (found.level, found.where.parameter) == ("fail", "mb")


def test_a_name_of_another_thing_can_be_said_to_be_none_of_these() -> None:
    space = SPACE | {"n_steps": {"values": [128, 256]}}  # of a rollout, say
    assert by_row(guard(scope(space=space)))["H2"].level == "fail"
    assert by_row(guard(scope(space=space, names={"other": "n_steps"})))["H2"].level == "ok"


def test_a_family_and_a_momentum_itself_can_be_said_too() -> None:
    space = SPACE | {"mu": {"low": 0.5, "high": 0.999}, "gizmo": {"values": [1, 2]}}
    found = by_row(guard(scope(space=space, names={"momentum": "mu", "architecture": ["gizmo"]})))
    assert (found["D11"].reason, found["D11"].where.parameter) == ("close_to_one", "mu")
    assert (found["C9"].level, found["C9"].where.parameter) == ("warn", "gizmo")


@pytest.mark.prose
def test_a_name_that_does_not_exist_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match=r"^workload\.names\.batch_size: 'bsx' is no hyperparameter of the"):
        scope(names={"batch_size": "bsx"})


@pytest.mark.prose
def test_a_key_that_means_nothing_is_one_clear_sentence_with_those_that_do() -> None:
    with pytest.raises(InputError, match=r"^names\.batchsize: unknown; allowed are .*batch_size, .*learning_rate, "):
        told_names({"batchsize": "bs"}, "names")
    with pytest.raises(InputError, match=r"'bs' stands under batch_size too"):
        told_names({"batch_size": "bs", "length": "bs"}, "names")
    with pytest.raises(InputError, match=r"names\.length: 3 is no name"):
        told_names({"length": 3}, "names")


def test_a_workload_holds_what_was_said_by_its_key() -> None:
    said = {"batch_size": "mb", "other": ["a", "b"]}
    workload = Workload.model_validate(
        {
            "name": "toy",
            "target": "tests.toy",
            "objective": Objective(metric="valid_error", direction="minimize"),
            "names": said,
        }
    )
    assert workload.names == {"batch_size": ("mb",), "other": ("a", "b")}
    assert Workload.model_validate(workload.model_dump()) == workload
    assert {"batch_size", "learning_rate", "momentum", "length", "other", "optimizer"} <= KEYS.keys()


def test_the_arguments_of_the_workload_are_seen() -> None:
    one = scope(target="tasks.trials.supervised", arguments={"batch_size": 128, "data": {"_target_": "a.b"}, "seed": 3})
    assert one.arguments == {"batch_size": 128}
    found = by_row(guard(one))
    assert (found["A5"].level, found["A10"].level) == ("ok", "ok")


def test_an_optimizer_among_the_arguments_is_known_with_what_it_has() -> None:
    arguments = {"optimizer": {"_target_": "torch.optim.AdamW", "eps": 1e-8}, "accumulate_grad_batches": 4}
    one = scope(space={"learning_rate": RATE}, baseline={"width": 64}, arguments=arguments)
    found = by_row(guard(one))
    assert found["C7"].level == "ok"
    assert found["A3"].level == "fail"
    assert found["A10"].remedy == ("workload.accumulate_grad_batches=1",)


def test_a_commands_template_is_read_for_the_values_that_it_spells_out() -> None:
    argv = [
        "python",
        "train.py",
        "--batch-size",
        64,
        "--lr={learning_rate}",
        "optimizer=adamw",
        "--seed",
        "{seed}",
        "--amp",
    ]
    found = argument_values("tasks.trials.command", {"argv": argv})
    assert found == {"batch-size": 64, "optimizer": "adamw"}


def test_an_eps_is_adams_where_the_round_uses_one_and_a_clusterings_elsewhere() -> None:
    space = {"learning_rate": RATE, "eps": {"low": 1e-10, "high": 1e-2}}
    adam = scope(space=space, baseline=BASELINE | {"optimizer": "AdamW"})
    assert (adam.names.meaning("eps"), by_row(guard(adam))["D11"].where.parameter) == ("epsilon", "eps")
    assert scope(space=space, baseline={"width": 8}).names.meaning("eps") is None
    assert scope(space=space, baseline=BASELINE | {"optimizer": "lion"}).names.meaning("eps") is None


def test_guards_that_recognise_nothing_stop_no_round() -> None:
    found = guard(scope(space={"gizmo": {"low": 0.0, "high": 1.0}}, baseline={"thing": 3}, scientific={"frob": [1, 2]}))
    assert [f.row for f in found if f.level == "fail"] == []
    unsure = {f.row for f in found if f.level == "na"}
    assert {"A3", "A5", "A10", "C6", "C7", "C8", "C9", "D11", "H2"} <= unsure


def test_each_na_names_what_was_looked_for_and_the_way_out() -> None:
    found = guard(scope(space={"gizmo": {"low": 0.0, "high": 1.0}}, baseline={}, scientific={"frob": [1, 2]}))
    unsure = [f for f in found if f.reason in ("not_recognised", "not_declared")]
    assert len(unsure) >= 8
    for f in unsure:
        assert "workload.names={" in f.evidence
        assert len(f.evidence) <= 160, f
