"""A space that cannot be searched cannot be built: each fault gets one sentence that names its place."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scope.error import InputError
from tasks.scope.space import Parameter, Space, same, space_from_tree

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"lr": {"low": 1.0, "high": 0.1}}, "space.lr: low 1 is above high 0.1"),
        ({"lr": {"low": 0.0, "high": 0.1, "scale": "log"}}, "space.lr: a log scale needs low > 0"),
        ({"lr": {"low": -1.0, "high": 0.1, "scale": "log"}}, "space.lr: a log scale needs low > 0"),
        ({"n": {"low": 0, "high": 4, "type": "int", "scale": "log"}}, "space.n: a log scale needs low > 0"),
        ({"n": {"low": 0.5, "high": 4, "type": "int"}}, "space.n: an int needs whole bounds"),
        ({"lr": {"low": NAN, "high": 0.1}}, "space.lr.low: it must be a finite number"),
        ({"lr": {"low": 0.0, "high": NAN}}, "space.lr.high: it must be a finite number"),
        ({"lr": {"low": -INF, "high": 0.1}}, "space.lr.low: it must be a finite number"),
        ({"lr": {"low": 0.0, "high": INF}}, "space.lr.high: it must be a finite number"),
        ({"lr": {"low": 0, "high": 10**400}}, "space.lr.high: it must be a finite number"),
        ({"lr": {"low": -1.7e308, "high": 1.7e308}}, "space.lr: the range from -1.7e+308 to 1.7e+308 is too wide"),
        ({"lr": {"low": 0.1}}, "space.lr.high: None is not a number"),
        ({"lr": {"high": 0.1}}, "space.lr.low: None is not a number"),
        ({"lr": {"low": "small", "high": 0.1}}, "space.lr.low: 'small' is not a number"),
        ({"lr": {"low": False, "high": True}}, "space.lr.low: False is not a number"),
        ({"lr": {"low": 0.0, "high": 1.0, "scale": "ln"}}, "space.lr.scale: 'ln' is not linear or log"),
        ({"lr": {"low": 0.0, "high": 1.0, "type": "double"}}, "space.lr.type: 'double' is not float or int"),
        ({"lr": {"low": 0.0, "high": 1.0, "values": [1]}}, "space.lr: needs exactly one of"),
        ({"a": {"values": [1], "choices": [1]}}, "space.a: needs exactly one of"),
        ({"a": {"scale": "log"}}, "space.a: needs exactly one of"),
        ({"a": {"choices": []}}, "space.a: no values are given"),
        ({"a": {"values": []}}, "space.a: no values are given"),
        ({"a": {"choices": ["x", "y", "x"]}}, "space.a: the value 'x' stands twice"),
        ({"a": {"values": [1, 1.0]}}, "space.a: the value 1.0 stands twice"),
        ({"a": {"values": [0.1, NAN]}}, "space.a.values: a value is not a finite number"),
        ({"a": {"choices": "relu"}}, "space.a.choices: 'relu' is not a list"),
        ({"a": {"choices": [["relu"]]}}, "space.a.choices: [['relu']] is not a list of numbers"),
        ({"a": {"choices": [None]}}, "space.a.choices: [None] is not a list of numbers"),
        ({"a": {"choices": ["x"], "scale": "log"}}, "space.a.scale: only a range has it"),
        ({"a": {"choices": ["x"], "type": "int"}}, "space.a.type: only a range has it"),
        ({"lr": {"low": 0.0, "hihg": 1.0}}, "space.lr: unknown key 'hihg'; allowed are choices, default, high, low"),
        ({"adam": {"lr": {"low": 0.0, "hihg": 1.0}}}, "space.adam.lr: unknown key 'hihg'"),
        ({"lr": 0.1}, "space.lr: 0.1 is not a parameter"),
        ({"adam": {"lr": [0.1]}}, "space.adam.lr: [0.1] is not a parameter"),
        ({"adam": {}}, "space.adam: empty"),
        ({"a": {"choices": ["x"], "when": "b"}}, "space.a.when: write {parent: value}"),
        ({"a": {"choices": ["x"], "when": {"b": []}}}, "space.a.when.b: [] is no value of b"),
        ({"a": {"choices": ["x"], "when": {"b": {"c": 1}}}}, "space.a.when.b: {'c': 1} is no value of b"),
        ({"a": {"choices": ["x"], "when": {"a": "x"}}}, "space.a.when: its parents wait for each other in a circle"),
        (
            {"a": {"choices": ["x"], "when": {"b": 1}}, "b": {"values": [1], "when": {"a": "x"}}},
            "space.a.when: its parents wait for each other in a circle",
        ),
        ({"a": {"b": {"values": [1]}}, "a.b": {"values": [1]}}, "space.a.b: the name stands twice"),
    ],
)
@pytest.mark.prose
def test_a_wrong_space_is_refused_with_one_sentence_that_names_the_place(tree: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as refused:
        space_from_tree(tree)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_a_sound_space_keeps_its_order_its_kinds_and_its_names() -> None:
    space = space_from_tree(
        {
            "dropout": {"rate": {"low": 0.0, "high": 0.8, "when": {"regularizer": "dropout"}}},
            "regularizer": {"choices": ["none", "dropout"]},
            "layers": {"low": 1, "high": 6, "type": "int"},
            "mixed": {"choices": [1, True, "1"]},
        }
    )
    assert space.names == ("regularizer", "dropout.rate", "layers", "mixed")
    assert [type(v) for v in space["mixed"].values] == [int, bool, str]
    assert space["layers"].numeric
    assert space_from_tree(space.as_tree()) == space


def test_a_range_of_one_value_is_constant_and_has_no_edges() -> None:
    space = space_from_tree({"lr": {"low": 0.1, "high": 0.1}, "a": {"choices": ["x"]}})
    assert all(p.constant and not p.has_edges for p in space)


@pytest.mark.parametrize(
    ("node", "middle"),
    [
        ({"low": 1e-4, "high": 1e-2, "scale": "log"}, 1e-3),
        ({"low": 0.0, "high": 0.8}, 0.4),
        ({"low": 1, "high": 4, "type": "int"}, 2),
        ({"values": [64, 128, 256]}, 128),
        ({"choices": ["relu", "gelu"]}, "relu"),
    ],
)
def test_the_middle_is_the_middle_of_the_scale_or_the_first_choice(node: dict[str, object], middle: object) -> None:
    found = space_from_tree({"p": node})["p"].middle
    assert found == pytest.approx(middle) if isinstance(middle, float) else found == middle


def test_a_parameter_holds_what_lies_in_its_domain_and_no_more() -> None:
    layers = Parameter(name="layers", type="int", low=1, high=6)
    assert layers.holds(3)
    assert not layers.holds(2.5)
    assert not layers.holds(7)
    assert not layers.holds(True)
    assert not layers.holds("3")
    flag = Parameter(name="flag", type="choice", values=(True, False))
    assert flag.holds(True)
    assert not flag.holds(1)


def test_a_child_exists_where_its_parents_say_so_and_nowhere_else() -> None:
    child = Parameter(name="rate", low=0.0, high=1.0, when={"regularizer": ("dropout",), "on": (True,)})
    assert child.exists({"regularizer": "dropout", "on": True})
    assert not child.exists({"regularizer": "dropout", "on": 1})
    assert not child.exists({"regularizer": "none", "on": True})
    assert not child.exists({"on": True})


VALUES = st.one_of(
    st.booleans(), st.integers(-3, 3), st.floats(-3, 3, allow_nan=False), st.sampled_from(["1", "True", "a"])
)


@given(VALUES, VALUES)
def test_sameness_is_symmetric_and_never_joins_a_number_with_a_text_or_a_truth(a: object, b: object) -> None:
    assert same(a, b) == same(b, a)  # type: ignore[arg-type]
    assert same(a, a)  # type: ignore[arg-type]
    if isinstance(a, bool) != isinstance(b, bool) or isinstance(a, str) != isinstance(b, str):
        assert not same(a, b)  # type: ignore[arg-type]


@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.sampled_from(["linear", "log"]))
def test_any_two_positive_bounds_in_order_make_a_range_whose_middle_it_holds(a: float, b: float, scale: str) -> None:
    space = space_from_tree({"p": {"low": min(a, b), "high": max(a, b), "scale": scale}})
    middle = space["p"].middle
    assert isinstance(middle, float)
    assert min(a, b) * (1 - 1e-9) <= middle <= max(a, b) * (1 + 1e-9)


def test_a_space_is_searched_by_name_and_an_unknown_name_is_an_error() -> None:
    space = Space(parameters=(Parameter(name="x", low=0.0, high=1.0),))
    assert "x" in space
    assert len(space) == 1
    with pytest.raises(KeyError):
        space["y"]
