"""Twenty configurations as people have them: each name is recognised or is not, and no guard says `ok` wrongly."""

from collections.abc import Iterator, Mapping

import pytest

from tasks.record import Finding, Value
from tasks.scope.guards.all import GUARDS
from tasks.scope.names.dictionary.entry import SOURCES, Family
from tasks.scope.names.names import REGULARIZING, names_of
from tasks.scope.space import KEYS
from tests.scope.example_scopes import Tree, scope
from tests.scope.names.configurations import Configuration
from tests.scope.names.more_configurations import CONFIGURATIONS

# What of these no name alone can tell: timm's pooling `gp`, and the L2 penalty that scikit-learn calls alpha.
UNKNOWN = {"gp", "alpha"}
GUARD = {g.question.row: g for g in GUARDS}
# The guard that must not say `ok` while a hyperparameter of the family is a nuisance.
ASKED: Mapping[Family, str] = {
    "batch size": "A5",
    "accumulation": "A10",
    "optimizer choice": "C7",
    "architecture": "C9",
    "length": "H2",
}


def nested(flat: Mapping[str, object]) -> Tree:
    """`{a.b: node}` as `{a: {b: node}}`."""
    tree: Tree = {}
    for name, node in flat.items():
        *parents, leaf = name.split(".")
        here = tree
        for parent in parents:
            here = here.setdefault(parent, {})
        here[leaf] = node
    return tree


def asked(row: str, one: Configuration, vary: Mapping[str, Tree], renamed: Mapping[str, str] | None = None) -> Finding:
    """What a guard finds of the configuration in which these vary as nuisances, some names being others."""
    called = {**{n: n for n in one.values}, **(renamed or {})}
    held = {called[n]: v for n, v in one.values.items() if n not in vary}
    space = nested({called[n]: node for n, node in vary.items()})
    return GUARD[row].findings(scope({"frob": [1.5, 2.5]}, space, baseline={"frob": 1.5, **held}))[0]


def other_values(value: Value) -> Tree:
    """A domain of two values, as a nuisance might have it."""
    if isinstance(value, bool | str):
        return {"choices": [value, not value] if isinstance(value, bool) else [value, f"{value}2"]}
    return {"values": sorted({value, value + 1})}


def cases() -> Iterator[tuple[Configuration, str, str]]:
    """Every configuration, every name of a family that a guard forbids as a nuisance, and that guard's row."""
    for one in CONFIGURATIONS:
        for family, row in ASKED.items():
            names = (
                n for n in one.truth.get(family, {}) if n.rpartition(".")[2] not in KEYS
            )  # a space cannot say those
            yield from ((one, name, row) for name in names)


CASES = [*cases()]


def test_there_are_twenty_of_fourteen_projects_or_more() -> None:
    assert len({one.name for one in CONFIGURATIONS}) == 20
    assert len({one.source for one in CONFIGURATIONS} & SOURCES.keys()) >= 14


@pytest.mark.parametrize("one", CONFIGURATIONS, ids=lambda one: one.name)
def test_each_name_is_recognised_as_what_it_is_and_nothing_else(one: Configuration) -> None:
    names = names_of({}, {name: (value,) for name, value in one.values.items()}, "workload.names")
    for family, there in one.truth.items():
        for name in there:
            wanted = None if family == "other" or name in UNKNOWN else family
            assert names.family(name) == wanted, name


@pytest.mark.parametrize(("one", "name", "row"), CASES, ids=[f"{row}-{name}" for _, name, row in CASES])
def test_no_guard_says_ok_while_what_it_asks_about_is_a_nuisance(one: Configuration, name: str, row: str) -> None:
    found = asked(row, one, {name: other_values(one.values[name])})
    assert found.level == ("na" if name in UNKNOWN else "warn" if row in ("A10", "C9") else "fail"), found
    assert name in found.evidence


@pytest.mark.parametrize(("one", "name", "row"), CASES, ids=[f"{row}-{name}" for _, name, row in CASES])
def test_under_a_name_that_nobody_knows_it_is_not_checked(one: Configuration, name: str, row: str) -> None:
    value = one.values[name]
    found = asked(row, one, {name: other_values(value)}, renamed={name: "zzyzx"})
    assert found.level == "na" or (isinstance(value, str) and found.level == "fail"), found  # known optimizers tell
    assert "zzyzx" in found.evidence


@pytest.mark.parametrize("one", CONFIGURATIONS, ids=lambda one: one.name)
def test_a_guard_that_says_ok_recognised_something_of_what_it_asks_about(one: Configuration) -> None:
    for family, row in ASKED.items():
        found = asked(row, one, {})
        there = set(one.truth.get(family, {})) - UNKNOWN
        assert found.level in (("ok", "warn") if there else ("na", "ok")), found
        if found.level == "ok" and row != "H2":  # where nothing varies, no trial can be longer than another
            assert there, found


@pytest.mark.parametrize("one", CONFIGURATIONS, ids=lambda one: one.name)
def test_a_switch_of_a_regularizer_is_refused_as_a_nuisance_and_its_strength_is_not(one: Configuration) -> None:
    for family in REGULARIZING:
        for name, value in one.truth.get(family, {}).items():
            if name not in UNKNOWN:
                assert asked("C8", one, {name: {"choices": ["none", "some"]}}).level == "fail", name
                if not isinstance(value, str):
                    assert asked("C8", one, {name: {"low": 0.0, "high": 0.5}}).level == "ok", name


@pytest.mark.parametrize("one", CONFIGURATIONS, ids=lambda one: one.name)
def test_a_rate_or_a_momentum_on_the_wrong_scale_is_warned_of(one: Configuration) -> None:
    for name in one.truth.get("optimizer", {}):
        rate = any(part in name.lower() for part in ("lr", "learning_rate"))
        momentum = any(part in name.lower() for part in ("momentum", "beta", "rho"))
        if "betas" in name or "lr_factor" in name.lower() or not (rate or momentum):
            continue
        wide = {"low": 1e-5, "high": 0.1} if rate or "one_minus" in name else {"low": 0.5, "high": 0.999}
        assert asked("D11", one, {name: wide}).level == "warn", name
