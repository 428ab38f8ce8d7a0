"""`workload.names` as it is written: on the command line, in YAML, reserved from the callable's arguments."""

import pytest

from flows.compose import compose
from flows.compose.overrides import opened
from tasks.scope.error import InputError

ROUND = ("workload=synthetic", "goal=synthetic")


def test_what_a_name_is_can_be_said_on_the_command_line() -> None:
    config = compose.from_overrides((*ROUND, "workload.names={other: dropout.rate, batch_size: [mb, bs]}"), None)
    assert config.workload.names == {"other": ("dropout.rate",), "batch_size": ("mb", "bs")}
    assert "names" not in config.workload.arguments
    assert compose.from_overrides(ROUND, None).workload.names == {}


def test_only_what_the_names_hold_may_be_added() -> None:
    assert opened("workload.names={batch_size: mb}").startswith("++")
    assert opened("names={batch_size: mb}").startswith("++")
    assert not opened("workload.name=x").startswith("++")


@pytest.mark.prose
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("workload.names=3", "workload.names: 3 will not do; write it like {batch_size: bs}."),
        ("workload.names={batch_size: 3}", "workload.names.batch_size: 3 is no name; write the hyperparameter's name"),
        ("workload.names={bach: mb}", "workload.names.bach: unknown; allowed are accumulation"),
    ],
)
def test_a_wrong_word_is_one_sentence(said: str, sentence: str) -> None:
    with pytest.raises((InputError, ValueError)) as error:
        compose.from_overrides((*ROUND, said), None)
    assert sentence in str(error.value)
