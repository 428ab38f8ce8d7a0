"""Trials of an earlier round are kept where they lie in this one; every compared value has as many as the others."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.design.kept import EarlierRound, EarlierTrial, keeping, kept_text, misfit
from tasks.design.study import Planned, Round, design
from tasks.record import Status
from tasks.scope.error import InputError
from tests.scope.example_scopes import REGULARIZERS, SPACE, scope

RATE: dict[str, Any] = {"low": 1e-4, "high": 1e-1, "scale": "log"}
TREE: dict[str, Any] = {
    "learning_rate": RATE,
    "layers": {"low": 1, "high": 6, "type": "int"},
    "activation": {"choices": ["relu", "gelu"]},
    "dropout": {"rate": {"low": 0.0, "high": 0.6, "when": {"regularizer": "dropout"}}},
    "regularizer": {"choices": ["none", "dropout"]},
}
WIDTHS = {"width": [8, 16, 32, 64, 128, 256, 512]}


def designed(changed: Mapping[str, Any] | None = None, scientific: Any = REGULARIZERS, **asked: Any) -> Round:
    """A round over the space with some of it changed; a parameter that is None is not in it."""
    tree = {name: node for name, node in (TREE | dict(changed or {})).items() if node is not None}
    whole: dict[str, Any] = {"baseline": {"regularizer": "none", "width": 64}, "trials": 12}
    return design(scope(scientific, tree, **whole | asked))


def ended(round: Round, ends: Mapping[str, Status] | None = None, **more: Any) -> EarlierRound:
    """The round as an earlier one."""
    ends = ends or {}
    trials = tuple(EarlierTrial(planned=t, status=ends.get(t.id, "complete")) for t in round.trials)
    return EarlierRound(round_id="r1", trials=trials, **more)


def where(trial: Planned) -> tuple[Any, ...]:
    """What makes two trials one."""
    return (*sorted(trial.point.items()), trial.seed)


def sizes(round: Round) -> list[int]:
    return [len(s.trials) for s in round.studies]


@st.composite
def moved(draw: st.DrawFn) -> dict[str, Any]:
    """A space of which any range may be wider, narrower, elsewhere, or the same."""
    low, decades = draw(st.floats(-5, -1.5)), draw(st.floats(0.3, 4))
    fewest = draw(st.integers(1, 6))
    rate = draw(st.sampled_from([(0.0, 0.6), (0.2, 0.6), (0.0, 0.3), (0.1, 0.9)]))
    return {
        "learning_rate": draw(
            st.sampled_from([RATE, {"low": 10.0**low, "high": 10.0 ** (low + decades), "scale": "log"}])
        ),
        "layers": {"low": fewest, "high": fewest + draw(st.integers(0, 5)), "type": "int"},
        "activation": {"choices": draw(st.sampled_from([["relu", "gelu"], ["gelu"], ["gelu", "tanh", "relu"]]))},
        "dropout": {"rate": {"low": rate[0], "high": rate[1], "when": {"regularizer": "dropout"}}},
    }


@pytest.mark.playbook("E4", "D9", case="shows")
@settings(max_examples=60)
@given(moved(), st.integers(4, 20), st.sampled_from(["halton", "sobol", "random"]))
def test_a_trial_is_kept_where_it_lies_inside_and_every_arm_has_as_many(
    changed: dict[str, Any], trials: int, sampler: str
) -> None:
    before, plain = designed(), designed(changed, trials=trials, sampler=sampler)
    after = keeping(plain, ended(before))
    kept = {where(t) for t in after.trials if t.kept}
    declared = plain.scope.declared
    fixed = plain.scope.fixed_point
    for t in before.trials:
        inside = all(declared[n].holds(v) for n, v in t.point.items() if n in declared)
        inside &= all(fixed.get(n, v) == v for n, v in t.point.items())
        assert (where(t) in kept) == inside, t.point
    assert after.kept is not None
    assert after.kept.count == len(kept) == len(before.trials) - sum(after.kept.left.values())
    assert len(set(sizes(after))) == 1
    for drawn, study in zip(plain.studies, after.studies, strict=True):
        first = study.trials[: len(drawn.trials)]
        assert [t.model_copy(update={"kept": None}) for t in first] == list(drawn.trials)
        assert len({t.id for t in study.trials}) == len({t.index for t in study.trials}) == study.count
        assert all(misfit(plain.scope, study, t.point) is None for t in study.trials)
    longest = max(sizes(after))
    beside = [sum(t.kept is not None for t in s.trials[trials:]) for s in after.studies]
    assert longest == trials + max(beside)  # as many as the arm with the most of them has, and no more


def test_the_same_space_again_runs_nothing_and_twice_as_many_trials_run_the_second_half() -> None:
    before = designed()
    again = keeping(designed(), ended(before))
    assert [t.id for t in again.trials] == [t.id for t in before.trials]
    assert {t.kept for t in again.trials} == {f"r1/{t.id}" for t in before.trials}
    denser = keeping(designed(trials=24), ended(before))
    assert [t.kept is not None for s in denser.studies for t in s.trials] == ([True] * 12 + [False] * 12) * 2
    assert [t.id for t in denser.trials] == [t.id for t in designed(trials=24).trials]


@pytest.mark.playbook("E4", "D9", case="shows")
def test_an_arm_with_fewer_kept_trials_goes_on_in_its_own_sequence() -> None:
    before = designed()
    narrow = {"dropout": {"rate": {"low": 0.0, "high": 0.3, "when": {"regularizer": "dropout"}}}}
    wide = {"learning_rate": RATE | {"high": 1.0}}
    after = keeping(designed(narrow | wide), ended(before))
    off, on = after.studies
    assert [t.kept is not None for t in off.trials] == [False] * 12 + [True] * 12
    kept = sum(t.kept is not None for t in on.trials)
    assert 0 < kept < 12
    assert [t for t in on.trials if not t.kept] == list(designed(narrow | wide, trials=24 - kept).studies[1].trials)
    assert after.kept is not None
    assert after.kept.left == {"outside": 12 - kept}


def test_a_third_round_keeps_what_the_second_kept_and_makes_its_arms_no_longer_than_they_are() -> None:
    narrow = {"dropout": {"rate": {"low": 0.0, "high": 0.3, "when": {"regularizer": "dropout"}}}}
    second = keeping(designed(narrow), ended(designed()))
    third = keeping(designed(narrow), ended(second))
    assert sizes(third) == sizes(second)
    assert all(t.kept for t in third.trials)
    assert Counter(map(where, third.trials)) == Counter(map(where, second.trials))


@pytest.mark.playbook("E4", "D3", "D9", case="shows")
@pytest.mark.parametrize("trials", [14, 31])
def test_a_joint_study_stays_balanced_between_the_values_that_it_compares(trials: int) -> None:
    rates = {"learning_rate": RATE, "width": {"values": [8, 16, 32, 64, 128, 256, 512]}}
    plain = designed(rates | {"learning_rate": RATE | {"low": 5e-3}}, WIDTHS, trials=trials)
    before = designed(rates, WIDTHS, trials=trials)
    after = keeping(plain, ended(before))
    (study,) = after.studies
    (drawn,) = plain.studies
    counts, shares = (Counter(t.point["width"] for t in s.trials) for s in (study, drawn))
    assert 0 < len([t for t in study.trials if t.kept]) < trials
    assert {width: counts[width] - shares[width] for width in counts} == dict.fromkeys(WIDTHS["width"], max(
        Counter(t.point["width"] for t in study.trials if t.kept).values()
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "asked", "why"),
    [
        ({}, {"scientific": {"regularizer": ["none", "l2"]}}, "arm"),
        ({"layers": {"low": 3, "high": 3, "type": "int"}}, {}, "held"),
        ({"batch_size": {"values": [16, 32]}}, {}, "held"),  # new to this space: what it was before nobody knows
        ({"layers": None}, {}, "held"),
        ({"activation": {"choices": ["relu"]}}, {}, "held"),
        ({"learning_rate": RATE | {"low": 1e-2}}, {}, "outside"),
        ({}, {}, "length"),
    ],
)
def test_what_is_left_behind_is_counted_by_why(changed: dict[str, Any], asked: dict[str, Any], why: str) -> None:
    space = {"regularizer": {"choices": ["none", "dropout", "l2"]}} if "scientific" in asked else {}
    before = designed()
    if why == "length":
        longer = [t.model_copy(update={"max_train_steps": 999}) for t in before.trials]
        before = before.model_copy(update={"studies": (before.studies[0].model_copy(update={"trials": longer}),)})
    after = keeping(designed(changed | space, **asked), ended(before))
    assert after.kept is not None
    assert set(after.kept.left) == {why}
    assert after.kept.count + after.kept.left[why] == len(before.trials)


@pytest.mark.playbook("E4", case="shows")
def test_an_infeasible_trial_is_kept_and_one_that_failed_or_was_stopped_is_tried_again() -> None:
    before = designed()
    ids = [t.id for t in before.trials]
    ends: dict[str, Status] = {ids[0]: "infeasible", ids[1]: "failed", ids[2]: "stopped"}
    after = keeping(designed(), ended(before, ends))
    assert [t.kept is not None for t in after.trials[:4]] == [True, False, False, True]
    assert after.kept is not None
    assert after.kept.left == {"failed": 2}


@pytest.mark.prose
def test_how_many_are_kept_and_why_the_others_are_not_is_one_sentence() -> None:
    before, narrow = designed(), {"learning_rate": RATE | {"low": 1e-3}}
    assert kept_text(designed()) == ""
    assert kept_text(keeping(designed(), ended(before))) == "24 of 24 trials are kept from round r1."
    assert kept_text(keeping(designed(narrow), ended(before))) == (
        "17 of 42 trials are kept from round r1; left behind are 7 outside the space."
    )
    other = keeping(designed(), ended(before, otherwise="the code differs (own.py)"))
    assert kept_text(other) == "No trial of round r1 is kept: the code differs (own.py)."
    assert other.studies == designed().studies


@pytest.mark.prose
def test_nothing_is_kept_beside_what_is_no_sequence() -> None:
    before = ended(designed())
    few = {"dropout": None, "activation": None, "layers": None}
    asked: dict[str, Any] = {"sampler": "grid"}
    with pytest.raises(InputError, match="sampler=grid does not; say keep=null"):
        keeping(designed(few, **asked), before)
    with pytest.raises(InputError, match="listed points does not"):
        keeping(designed(points=[{"learning_rate": 0.01}]), before)
    assert keeping(designed(few, **asked), None) == designed(few, **asked)


def test_one_and_one_point_zero_are_one_value() -> None:
    space = {"learning_rate": SPACE["learning_rate"], "decay": {"values": [1, 2]}}
    before = design(scope({}, space, trials=6))
    again = design(scope({}, space | {"decay": {"values": [1.0, 2.0]}}, trials=6))
    assert sizes(keeping(again, ended(before))) == [6]
