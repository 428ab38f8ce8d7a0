"""A fork server that starts before a round is composed: who gets it, and when it is ended."""

from pathlib import Path
from typing import ClassVar

import pytest

from tasks.scope.error import InputError
from tasks.scope.goal import Objective, Workload
from tasks.trials.local import ahead, imports
from tasks.trials.local.ahead import SUPERVISED, TORCH, kept_servers, let_go, link_for, start_ahead
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.imports import check_imports
from tasks.trials.local.runner import preload
from tasks.trials.local.server_link import environment
from tasks.trials.settings import Execution, RunnerSettings

ENVIRONMENT = environment(1, ())


class Fake:
    """A server that is only asked for."""

    made: ClassVar[list["Fake"]] = []

    def __init__(self, environ: dict[str, str], preload: tuple[str, ...]) -> None:
        self.environ, self.preload = environ, preload
        self.dead, self.ended = False, ""
        Fake.made.append(self)

    def import_too(self, modules: tuple[str, ...]) -> None:
        self.preload = (*self.preload, *modules)

    def kill(self) -> None:
        self.ended = "killed"

    def end(self) -> None:
        self.ended = "ended"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    monkeypatch.setattr(ahead, "Link", Fake)
    Fake.made = []
    return Fake.made


def test_whoever_wants_torch_gets_the_server_that_has_it(made: list[Fake]) -> None:
    with kept_servers():
        start_ahead(supervised=True)
        link = link_for(ENVIRONMENT, ("tasks.trials.local.child", SUPERVISED, "tasks.trials.workloads.digits"))
        assert made == [link]  # type: ignore[comparison-overlap]
        assert "tasks.trials.workloads.digits" in link.preload
    assert not link.ended  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("environ", "modules"),
    [
        (ENVIRONMENT, ("tasks.trials.local.child", "tasks.trials.command.program")),
        (environment(2, ()), ("tasks.trials.local.child", SUPERVISED)),
    ],
    ids=["wants no torch", "two threads a trial"],
)
def test_a_server_that_does_not_fit_is_ended_and_another_started(
    environ: dict[str, str], modules: tuple[str, ...], made: list[Fake]
) -> None:
    with kept_servers():
        start_ahead(supervised=False)
        link = link_for(environ, modules)
    assert [server.ended for server in made] == ["killed", ""]
    assert id(made[1]) == id(link)


def test_a_server_that_nobody_asked_for_ends_with_the_command(made: list[Fake]) -> None:
    with kept_servers():
        start_ahead(supervised=False)
    assert made[0].ended == "killed"
    start_ahead(supervised=False)  # outside of a command there is nobody to end it
    assert len(made) == 1


def test_a_server_that_is_let_go_is_kept_within_a_command_alone(made: list[Fake]) -> None:
    with kept_servers():
        first = link_for(ENVIRONMENT, ())
        let_go(first)
        assert link_for(ENVIRONMENT, ("tasks.trials.local.child",)) is first
    outside = link_for(ENVIRONMENT, ())
    let_go(outside)
    assert [server.ended for server in made] == ["", "ended"]


def test_the_check_of_a_users_code_and_its_trials_have_one_server(tmp_path: Path) -> None:
    """A real one, of which torch is imported once."""
    (tmp_path / "mine.py").write_text("import torch\n\ndef train(trial):\n    pass\n")
    workload = Workload(
        name="own", target="mine.train", objective=Objective(metric="loss", direction="minimize"), baseline={}
    )
    execution = Execution(workload=workload, runner=RunnerSettings(), own=str(tmp_path))
    with kept_servers():
        start_ahead(supervised=False)
        spare = ahead._spare
        assert spare is not None
        check_imports([("workload", "mine.train")], execution)
        assert set(TORCH) <= set(preload(execution))
        with ForkServer(execution.runner, preload=preload(execution)) as server:
            assert server.pid == spare.pid


def test_what_ships_is_checked_without_importing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def imported(target: str, own: str | None) -> None:
        raise InputError(f"_target_: {target} was imported")

    monkeypatch.setattr(imports, "resolve", imported)
    workload = Workload(
        name="digits",
        target="tasks.trials.supervised",
        objective=Objective(metric="valid_error", direction="minimize"),
        baseline={},
    )
    execution = Execution(workload=workload, runner=RunnerSettings())
    shipped = (
        "supervised",
        "command",
        "workloads.digits.load",
        "workloads.models.mlp",
        "workloads.synthetic.synthetic",
    )
    check_imports([("workload", f"tasks.trials.{name}") for name in shipped], execution)
    for wrong in ("digits.lod", "digits.TRAIN", "digits.np", "models.ACTIVATIONS"):
        with pytest.raises(InputError, match=f"{wrong} was imported"):
            check_imports([("workload.data", f"tasks.trials.workloads.{wrong}")], execution)
