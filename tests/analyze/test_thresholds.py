"""Thresholds are declared by the checks that use them and set under `policy`; a toy check needs nothing else."""

import ast
import re
from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from flows.compose import compose
from flows.round import main
from tasks.analyze import analysis
from tasks.analyze.checks.check import Check
from tasks.analyze.thresholds import declarations, declared_thresholds, default_thresholds, policy_from_tree
from tasks.record import Frozen
from tasks.scope.error import InputError
from tests.analyze.planted_curves import clean, planted_round, shipped_policy
from tests.seams.toys.many_trials import TOY, ToyThresholds

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["workload=synthetic", "space=synthetic", "goal=synthetic"]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in the registry."""
    monkeypatch.setattr(analysis, "CHECKS", (*analysis.CHECKS, TOY))


@pytest.mark.usefixtures("toy")
def test_a_check_and_its_threshold_need_a_line_in_the_registry_and_nothing_else() -> None:
    def level(bar: int) -> str:
        found = analysis.analyze(planted_round(clean, trials=12, toy_trials=bar)).findings
        return next(f.level for f in found if f.check == "toy")

    assert (level(12), level(13)) == ("warn", "ok")
    for words, bar in ((WORDS, 10), ([*WORDS, "policy.toy_trials=7"], 7)):
        config = compose.from_overrides(words)
        assert config.policy.of(ToyThresholds).toy_trials == bar
        assert config.policy.model_dump()["toy_trials"] == bar


@pytest.mark.usefixtures("toy")
@pytest.mark.prose
@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("policy.toy_trails=7", "policy.toy_trails: there is no such threshold; nearest are toy_trials and "),
        (
            "policy.toy_trials=0",
            "policy.toy_trials: 0 will not do: it must be a whole number, at least 1 and at most ",
        ),
        ("policy.toy_trials=many", "policy.toy_trials: 'many' will not do: it must be a whole number, at least 1"),
    ],
)
def test_its_threshold_is_checked_like_any_other(
    override: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, override]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {sentence}")
    assert said.count("\n") == 1


@pytest.mark.usefixtures("toy")
def test_its_threshold_is_shown_where_the_others_are(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], [*WORDS, "--cfg", "job"], [*WORDS, "-c", "job", "-p", "policy"]):
        assert compose.from_shell(words) == []
        assert re.search(r"^ *toy_trials: 10$", capsys.readouterr().out, re.M), words


def test_without_the_line_there_is_no_such_threshold() -> None:
    with pytest.raises(InputError):
        compose.from_overrides([*WORDS, "policy.toy_trials=7"])
    with pytest.raises(InputError):
        shipped_policy(toy_trials=7)


class Again(Frozen):
    """A threshold that is declared already, with another default."""

    edge_fraction: float = Field(default=0.3, gt=0, description="E2, ours: three tenths")


class Taken(Frozen):
    """A threshold of a name that every policy has."""

    error_rate: float = Field(default=0.3, gt=0, description="G4, ours: three tenths")


@pytest.mark.parametrize("kind", [Again, Taken])
def test_one_name_is_declared_once(kind: type[Frozen], monkeypatch: pytest.MonkeyPatch) -> None:
    twice = Check(name="twice", questions=(), ask=lambda evidence: [], thresholds=(kind,))
    monkeypatch.setattr(analysis, "CHECKS", (*analysis.CHECKS, twice))
    (name,) = kind.model_fields
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{name}: "):
        declared_thresholds()


def test_every_threshold_has_a_default_within_its_bounds_and_says_where_it_comes_from() -> None:
    for kind in declarations():
        assert kind.model_validate(kind().model_dump()) == kind()
    for name, field in declared_thresholds().items():
        assert re.match(r"[A-K]\d+(, [A-K]\d+)*, (ours|playbook): .", field.description or ""), name
        assert field.metadata, name


def test_every_threshold_that_is_read_is_declared_in_the_registry() -> None:
    read = set()
    for path in (ROOT / "tasks" / "analyze").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "of":
                read |= {a.id for a in node.args if isinstance(a, ast.Name) and a.id.endswith("Thresholds")}
    assert read == {kind.__name__ for kind in declarations()}


def test_a_policy_is_flat_and_complete_and_reads_its_own_dump() -> None:
    policy = shipped_policy(edge_fraction=0.2)
    tree = policy.model_dump()
    assert tree["edge_fraction"] == 0.2
    assert default_thresholds().keys() <= tree.keys()
    assert type(policy).model_validate_json(policy.model_dump_json()) == policy
    assert policy_from_tree(tree) == policy
    with pytest.raises(ValidationError):
        policy.edge_fraction = 0.3  # type: ignore[attr-defined]
