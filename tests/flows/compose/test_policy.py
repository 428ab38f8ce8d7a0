"""Policies of one's own, and what is said of a threshold that there is not, or of a value that will not do."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from flows.audit import main as audit
from flows.compose import compose
from flows.compose.config import CONF
from flows.round import main
from tasks.analyze.checks.curves.steps import StepsThresholds
from tasks.analyze.checks.search.sides import EdgeThresholds
from tasks.analyze.thresholds import default_thresholds
from tasks.scope.error import InputError

WORDS = ["workload=synthetic", "space=synthetic", "goal=synthetic"]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    return tmp_path


def policy_of(own: Path, text: str, *words: str) -> dict[str, object]:
    """The thresholds of a round whose policy is this file, and these words."""
    (own / "policy" / "strict.yaml").write_text(text)
    config = compose.from_overrides([*WORDS, "policy=strict", *words], str(own))
    assert config.policy.of(EdgeThresholds).edge_fraction == config.policy.model_dump()["edge_fraction"]
    return config.policy.model_dump()


def test_the_shipped_policies_are_complete_and_differ_in_what_they_say() -> None:
    default, thorough = (compose.from_overrides([*WORDS, f"policy={p}"]).policy for p in ("default", "thorough"))
    assert default_thresholds().items() <= default.model_dump().items()
    assert default.model_dump() | {"patience": 1.0} == thorough.model_dump()


def test_no_threshold_of_a_check_stands_in_a_yaml_too() -> None:
    for path in (CONF / "policy").glob("*.yaml"):
        assert not default_thresholds().keys() & {str(key) for key in OmegaConf.load(path)}


def test_a_policy_of_ones_own_adds_to_the_default_or_says_all_that_the_gate_needs(own: Path) -> None:
    added = policy_of(own, "defaults: [default]\nedge_fraction: 0.2\nerror_rate: 0.01\n")
    assert (added["edge_fraction"], added["error_rate"], added["top_fraction"]) == (0.2, 0.01, 0.2)
    whole = (CONF / "policy" / "default.yaml").read_text() + "late_step: 0.3\n"
    alone = policy_of(own, whole, "policy.edge_fraction=0.05")
    assert (alone["late_step"], alone["edge_fraction"], alone["early_step"]) == (0.3, 0.05, 0.1)


def test_a_threshold_may_refer_to_another_and_a_removed_one_is_at_its_default(own: Path) -> None:
    text = "defaults: [default]\nearly_step: ${policy.edge_fraction}\n"
    assert policy_of(own, text, "policy.edge_fraction=0.2")["early_step"] == 0.2
    config = compose.from_overrides([*WORDS, "~policy.late_step"])
    assert config.policy.of(StepsThresholds).late_step == 0.25


@pytest.mark.prose
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("edge_fractoin: 0.2", "policy.edge_fractoin: there is no such threshold; nearest are edge_fraction, "),
        ("zzz: 1", "policy.zzz: there is no such threshold; none is near; --cfg job --package policy shows all"),
        ("error_rat: 0.1", "policy.error_rat: there is no such threshold; nearest is error_rate; "),
        ("edge_fraction: 2", "policy.edge_fraction: 2 will not do: it must be a number, above 0 and below 0.5"),
        ("edge_fraction: .nan", "policy.edge_fraction: nan will not do: it must be a number, above 0 and below 0.5"),
        ("edge_fraction: [0.1]", "policy.edge_fraction: [0.1] will not do: it must be a number, above 0 and below 0.5"),
        ("good_trials: 2.5", "policy.good_trials: 2.5 will not do: it must be a whole number, at least 1"),
        ("error_rate: 0.9", "policy.error_rate: 0.9 will not do: input should be less than 0.5"),
    ],
)
def test_a_wrong_threshold_is_one_sentence_in_a_file_in_the_shell_and_in_an_audit(
    line: str, sentence: str, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError) as error:
        policy_of(own, f"defaults: [default]\n{line}\n")
    assert str(error.value).startswith(sentence)
    override = f"policy.{line.replace(': ', '=').replace('.nan', 'nan')}"
    for command, words in ((main, WORDS), (audit, ["source=trials.csv"])):
        assert command([*words, override]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"error: {sentence}")
        assert said.count("\n") == 1
