"""What is checked before the first trial costs no more than it must."""

from pathlib import Path

import pytest

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
        (("runner.workers=1", "budget.trials=64"), "few at once and many in a row is where it pays"),
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
        cost = checked(from_overrides([*said, f"workload.warmup_steps={steps}"])).splitlines()[-1]
        assert cost.endswith(f"of {600 + steps} steps: {46 * (600 + steps):,} steps")
