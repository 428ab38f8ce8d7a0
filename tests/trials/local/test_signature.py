"""A function that a trial could not call is refused before anything runs, in one sentence."""

from pathlib import Path

import pytest

from tasks.scope.error import InputError
from tasks.trials.local.signature import check_signature
from tests.flows.before.folders import functions, said, write


class Trainer:
    """A class."""

    def __call__(self, trial: object, width: int = 1) -> None:
        """An instance of it can train."""


def good(trial: object, width: int = 1, *, rate: float = 0.1) -> None: ...
def anything(*args: object, **more: object) -> None: ...
def nothing() -> None: ...
def wants(trial: object, data: object) -> None: ...
async def waits(trial: object) -> None: ...
def yields(trial: object):  # type: ignore[no-untyped-def]
    yield trial


@pytest.mark.parametrize("found", [good, anything, Trainer(), len])
def test_what_takes_a_trial_and_the_workloads_keys_is_let_through(found: object) -> None:
    check_signature(found, "mine.train", ["width"] if found is not len else [])  # type: ignore[arg-type]


@pytest.mark.prose
@pytest.mark.parametrize(
    ("found", "arguments", "says"),
    [
        (nothing, [], "takes nothing, and is called with the trial"),
        (wants, [], "missing a required argument: 'data'"),
        (wants, ["data", "depth"], "write def train(trial, data, depth)"),
        (Trainer, [], "is a class"),
        (waits, [], "is async"),
        (yields, [], "has a yield"),
    ],
)
def test_what_cannot_be_called_so_is_refused_with_how_to_write_it(
    found: object, arguments: list[str], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_signature(found, "mine.train", arguments)  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert str(refused.value).startswith("_target_: 'mine.train' ")


@pytest.mark.prose
@pytest.mark.parametrize(
    ("target", "source", "says"),
    [
        ("gone.train", "", "error: workload._target_: 'gone.train' is not allowed"),
        ("other.fit", "", "error: workload._target_: there is no callable at 'other.fit'"),
        ("other.train", "def train():\n    pass\n", "error: workload._target_: 'other.train' takes nothing"),
        ("other.Train", "class Train:\n    pass\n", "error: workload._target_: 'other.Train' is a class"),
    ],
)
def test_the_plan_imports_the_target_and_ends_with_one_sentence(
    target: str, source: str, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from flows.round import main

    mine = write(functions(tmp_path / "mine"), {"other.py": source})
    workload = f"_target_: {target}\nobjective: {{metric: loss, direction: minimize}}\nbaseline: {{x: 0.5}}\n"
    write(mine, {"workload/other.yaml": workload})
    assert main([*said(mine, "other"), "check=plan"]) == 2
    told = capfd.readouterr().err
    assert told.startswith(says)
    assert told.count("\n") == 1
