"""Bad input gets one clear sentence and exit 2 before any compute; the user's own folder works without a fork."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose import compose
from flows.compose.config import CONF
from flows.round import main
from flows.session.plan import checked
from tasks.scope.error import InputError

TRAIN = """
def train(trial):
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, loss=(trial.point["x"] - 0.3) ** 2 + 1.0 / step)
"""
WORKLOAD = "_target_: mine.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 0.5, switch: a}\n"
SPACE = "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b]}\n"
GOAL = "question: Is b better than a?\nkind: improve\nscientific: {switch: [a, b]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    for group, text in (("workload", WORKLOAD), ("space", SPACE), ("goal", GOAL)):
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / "my.yaml").write_text(text)
    (tmp_path / "mine" / "mine.py").write_text(TRAIN)
    yield tmp_path / "mine"
    sys.modules.pop("mine", None)  # a command has one folder of the user's; this process sees several
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "mine")]


def overrides(folder: Path, *more: str) -> list[str]:
    return ["workload=my", "space=my", "goal=my", f"tracking.root={folder.parent / 'store'}", *more]


def shell(folder: Path, *more: str) -> list[str]:
    return ["--config-dir", str(folder), *overrides(folder, *more)]


def refusal(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """The sentence with which a command line is refused; fails where it is not refused with exit 2."""
    assert main(shell(folder, *more)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert "\n" not in said, said
    assert "Traceback" not in said
    assert not (folder.parent / "store" / "records").exists()
    return said


def test_shell_and_form_compose_the_same_configuration(folder: Path) -> None:
    (shell_config,) = compose.from_shell(shell(folder, "seed=3"))
    form_config = compose.from_overrides(overrides(folder, "seed=3"), str(folder))
    assert shell_config.model_dump(exclude={"overrides"}) == form_config.model_dump(exclude={"overrides"})


def test_a_folder_of_ones_own_with_one_goal_one_space_and_one_workload_composes(folder: Path) -> None:
    (config,) = compose.from_shell(shell(folder))
    assert config.workload.target == "mine.train"
    assert config.space.names == ("x", "switch")
    assert "2 studies" in plan_text(checked(config))


def test_multirun_makes_a_round_for_each_combination(folder: Path) -> None:
    configs = compose.from_shell([*shell(folder, "seed=0,1", "budget.trials=12,24"), "-m"])
    assert [(c.seed, c.budget.trials) for c in configs] == [(0, 12), (0, 24), (1, 12), (1, 24)]


@pytest.mark.parametrize(
    ("typed", "seeds"),
    [("choice(3,1)", [3, 1]), ("range(0,6,2)", [0, 2, 4]), ("4", [4])],
)
def test_hydras_sweeps_work(folder: Path, typed: str, seeds: list[int]) -> None:
    assert [c.seed for c in compose.from_shell([*shell(folder, f"seed={typed}"), "-m"])] == seeds


def test_a_sweep_over_all_options_works(folder: Path) -> None:
    words = ["workload=synthetic", "space=synthetic", "goal=synthetic", "budget=glob(*)", f"tracking.root={folder}"]
    assert len(compose.from_shell([*words, "-m"])) == len(list(CONF.glob("budget/*.yaml")))


def test_a_swept_round_is_said_as_one_that_is_typed(folder: Path) -> None:
    swept = compose.from_shell([*shell(folder, "seed=0,1", "space.x.scale=linear"), "-m"])
    typed = compose.from_overrides(swept[1].overrides, str(folder))
    assert typed == swept[1]
    assert "space.x.scale=linear" in typed.overrides


@pytest.mark.prose
def test_help_and_the_composed_configuration_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compose.from_shell(["--help"]) == []
    said = capsys.readouterr().out
    assert "goal: depth, dropout, optimizer" in said
    assert "max_train_steps: " in said
    assert compose.from_shell([*shell(folder, "notes=${workload.objective.metric}"), "--cfg", "job"]) == []
    assert "notes: ${workload.objective.metric}" in capsys.readouterr().out
    assert compose.from_shell([*shell(folder), "-c", "job", "--package", "space.x", "--resolve"]) == []
    assert capsys.readouterr().out == "low: 0.0\nhigh: 1.0\n\n"


def test_flags_may_stand_behind_the_overrides(folder: Path) -> None:
    (config,) = compose.from_shell([*overrides(folder), "--config-dir", str(folder)])
    assert config.config_dir == str(folder)


def test_composing_leaves_no_files_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    compose.from_shell(["-m", *shell(folder, "seed=0,1")])
    assert list(empty.iterdir()) == []


BAD = [
    ("space.x.low=2.0", ["space.x", "low 2", "high 1"]),
    ("space.x.scale=log", ["space.x", "log", "low > 0"]),
    ("space.x.low=nan", ["space.x", "finite"]),
    ("space.x.high=inf", ["space.x", "finite"]),
    ("space.switch.choices=[]", ["space.switch", "no values"]),
    ("space.switch.choices=[a,a]", ["space.switch", "twice"]),
    ("space.y.low=1", ["space.y"]),
    ("goal.nuisance=[z]", ["'z'", "x"]),
    ("goal.scientific={y: [1, 2]}", ["'y'"]),
    ("goal.fixed={x: {value: 1, reason: ''}}", ["reason"]),
    ("goal.kind=guess", ["kind", "improve"]),
    ("workload.objective.direction=up", ["direction", "minimize", "maximize"]),
    ("workload._target_=os.system", ["os.system"]),
    ("workload._target_=mine.nothing", ["mine.nothing"]),
    ("budget.trials=0", ["budget.trials", "at least 1"]),
    ("budget.max_train_steps=-1", ["budget.max_train_steps"]),
    ("budget.eval_every_steps=100000", ["eval_every_steps"]),
    ("budget.trails=3", ["trails"]),
    ("policy.edge_fraction=2", ["edge_fraction"]),
    ("policy.price={x: -1}", ["policy.price.x", "greater than or equal to 0"]),
    ("policy.patience=9", ["policy.patience"]),
    ("budget.finalists=0", ["budget.finalists", "at least 1"]),
    ("sampler=lattice", ["lattice", "halton", "grid"]),
    ("runner.name=lokal", ["runner.name", "lokal", "local, inline"]),
    ("runner=inline", ["runner.name", "inline", "runner=local"]),
    ("++workload.objective.bounds=[1,0]", ["workload.objective.bounds", "lower"]),
    ("sampler=tpe", ["D5", "quasi-random", "sampler=halton"]),
    ("seed=-1", ["seed"]),
    ("approval=maybe", ["approval", "auto"]),
    ("goal=nothing", ["nothing", "optimizer"]),
    ("nonsense=1", ["nonsense"]),
    ("nonsense", ["nonsense"]),
    ("resume=no-such-round", ["no-such-round"]),
]


@pytest.mark.parametrize(("override", "words"), BAD, ids=[b[0] for b in BAD])
@pytest.mark.prose
def test_bad_input_is_one_sentence_that_names_the_place(
    folder: Path, capsys: pytest.CaptureFixture[str], override: str, words: list[str]
) -> None:
    said = refusal(folder, capsys, override)
    for word in words:
        assert word in said, said


def test_a_missing_direction_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "workload" / "my.yaml").write_text(WORKLOAD.replace(", direction: minimize", ""))
    said = refusal(folder, capsys)
    assert "workload.objective.direction" in said
    assert "minimize" in said


@pytest.mark.parametrize(
    ("group", "line", "word"),
    [("goal", "scientfic: {}", "scientfic"), ("space", "z: 3", "space.z"), ("space", "z: {lo: 1, high: 2}", "'lo'")],
)
def test_an_unknown_key_in_a_file_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], group: str, line: str, word: str
) -> None:
    path = folder / group / "my.yaml"
    path.write_text(path.read_text() + line + "\n")
    assert word in refusal(folder, capsys)


def test_a_name_that_exists_in_both_places_is_an_error_and_no_silent_loss(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "goal" / "optimizer.yaml").write_text(GOAL)
    assert "goal/optimizer.yaml" in refusal(folder, capsys)


@pytest.mark.prose
def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        compose.from_shell(["--config-dir", str(tmp_path / "nowhere")])


OPTIONS = [
    f"{path.parent.name}={path.stem}"
    for path in sorted(CONF.glob("*/*.yaml"))
    if path.parent.name not in ("incumbent", "space")
]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_that_ships_composes_and_its_plan_passes_the_guards(option: str, tmp_path: Path) -> None:
    goal = ["goal=synthetic"] if option in ("workload=synthetic", "runner=inline") else []
    workload = ["workload=synthetic"] if option in ("goal=synthetic", "runner=inline") else []
    config = compose.from_overrides([option, *goal, *workload, f"tracking.root={tmp_path}"])
    assert "cost" in plan_text(checked(config))


@pytest.mark.playbook("D8", "C3", case="shows")
@pytest.mark.prose
def test_the_plan_shows_roles_studies_and_cost_and_runs_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shell(folder, "check=plan", "budget.trials=7")) == 0
    said = capsys.readouterr().out
    assert "scientific  switch: a, b" in said
    assert "nuisance    x" in said
    assert "points      2 studies of 7 trials by halton" in said
    assert "14 trials (2 studies, 1 nuisance)" in said
    assert not (folder.parent / "store" / "records").exists()
