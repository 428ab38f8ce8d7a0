"""What is checked before the first trial costs no more than it must."""

from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose.compose import from_overrides
from flows.session.plan import Imported, checked
from tasks.scope.error import InputError
from tests.flows.own_round import write_folder


def test_rounds_of_one_program_import_its_code_once_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: asked.append(targets))
    own = str(write_folder(tmp_path / "own"))
    said = ["workload=own", "space=own", "goal=own", f"tracking.root={tmp_path / 'store'}"]
    imported: Imported = set()
    for seed in range(3):
        checked(from_overrides([*said, f"seed={seed}"], own), imported)
    assert asked == [(("workload", "own.train"),)]
    checked(from_overrides([*said, "runner.environment=[DATA_DIR]"], own), imported)
    checked(from_overrides(said, own))  # another command looks again: the code may have changed
    assert len(asked) == 3


@pytest.mark.playbook("D14", case="shows")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("runner.workers=16", "budget.trials=24"), "Say sampler=halton budget.trials=48."),
        (("runner.workers=1", "budget.trials=64"), "Few at once and many in a row is where it pays"),
        (("runner.workers=1", "budget.trials=10"), "Say sampler=halton budget.trials=20."),
    ],
)
@pytest.mark.prose
def test_an_adaptive_search_is_refused_with_what_the_slots_and_trials_speak_for(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: None)
    said = ["workload=digits", "goal=optimizer", "sampler=tpe", f"tracking.root={tmp_path / 'store'}", *words]
    with pytest.raises(InputError) as refused:
        checked(from_overrides(said))
    assert "D14: " in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.playbook("I10", case="shows")
@pytest.mark.prose
def test_a_warmup_that_is_put_in_front_is_counted_in_what_the_plan_says_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: None)
    said = ["workload=digits", "space=digits", "goal=depth", "budget=quick", f"tracking.root={tmp_path}"]
    said += ["budget.trials=10", "budget.retrains=2", "budget.finalists=1", "budget.max_train_steps=600"]
    for steps in (0, 37):
        text = plan_text(checked(from_overrides([*said, f"workload.warmup_steps={steps}"])))
        assert f"of {600 + steps} steps: {44 * (600 + steps):,} steps\n" in text


def planned(own: Path, *words: str) -> dict[str, str]:
    """What the plan says on its lines of one label each."""
    said = ["workload=own", "space=own", "goal=own", f"tracking.root={own.parent / 'store'}", *words]
    found: dict[str, str] = {}
    label = ""
    for line in plan_text(checked(from_overrides(said, str(own)))).splitlines():
        label = line[:12].strip() or label
        found[label] = f"{found[label]} {line[12:]}" if label in found else line[12:]
    return {label: text for label, text in found.items() if label in ("width", "density", "trade")}


@pytest.mark.playbook("D8", case="shows")
@pytest.mark.prose
def test_the_plan_shows_widths_density_and_what_a_trade_would_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: None)
    own = write_folder(tmp_path / "own")
    assert planned(own, "budget.trials=12") == {
        "width": "x 0 to 1 (linear), z 0 to 1 (linear)",
        "density": "12 trials a study for 2 hyperparameters: 6 for each",
        "trade": "(D8) at that density one more nuisance costs 12 trials, one more scientific value 12 trials, "
        "a range twice as wide 24 trials",
    }
    (own / "goal/own.yaml").write_text("question: q\nkind: understand\nscientific: {switch: [a, b, c]}\n")
    wide = ("space.x.low=0.001", "space.x.scale=log", "space.switch.choices=[a,b,c]", "budget.trials=30")
    joint = planned(own, *wide, "policy.joint_values=2")
    assert joint["width"] == "x 0.001 to 1 (log), z 0 to 1 (linear), switch of 3 values"
    assert "one more nuisance costs 10 trials, one more scientific value 10 trials, " in joint["trade"]


@pytest.mark.playbook("D8", case="silent")
def test_a_plan_in_which_nothing_is_searched_has_no_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.session.plan.check_imports", lambda targets, execution: None)
    own = write_folder(tmp_path / "own")
    (own / "goal/own.yaml").write_text("question: q\nkind: understand\npoints: [{x: 0.1}, {x: 0.2}]\n")
    assert planned(own) == {}
