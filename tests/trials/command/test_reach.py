"""What is not seen to reach a program is warned of, before `check=plan` and before a round."""

from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose.compose import from_overrides
from flows.session.plan import checked, warnings_of
from tests.flows.before.folders import ARGV, SCRIPT, program

pytestmark = pytest.mark.prose
NO_SEED, NO_X = ARGV.replace('"{seed}"', '"0"'), ARGV.replace('"{x}"', '"0.5"')


def warned(folder: Path) -> list[str]:
    """The warnings of a round of the program in that folder, without those of guards."""
    words = ["workload=program", "space=my", "goal=my", f"tracking.root={folder.parent / 'store'}"]
    plan = checked(from_overrides(words, str(folder)))
    return [said for said in warnings_of(plan.config, plan.round.scope) if "argv" in said]


def test_a_program_that_is_given_seed_and_hyperparameters_is_not_warned_of(tmp_path: Path) -> None:
    assert warned(program(tmp_path / "mine")) == []


@pytest.mark.playbook("G2", case="fires")
def test_a_seed_or_a_hyperparameter_that_no_argument_names_is_warned_of(tmp_path: Path) -> None:
    (said,) = warned(program(tmp_path / "seed", NO_SEED))
    assert said == (
        "warning: workload.argv: no {seed}, and no TUNEBOOK_SEED in script.py: the seed is not seen to reach the "
        'program. Add "{seed}", or no retrain measures noise.'
    )
    (said,) = warned(program(tmp_path / "x", NO_X))
    assert "no {x}, and no TUNEBOOK_POINT in script.py: x is not seen to reach the program" in said


@pytest.mark.playbook("G2", case="silent")
def test_what_the_source_reads_from_its_environment_counts_as_seen(tmp_path: Path) -> None:
    seed = 'import os\nSEED = int(os.environ["TUNEBOOK_SEED"])\n'
    assert warned(program(tmp_path / "own", NO_SEED, seed + SCRIPT)) == []
    beside = program(tmp_path / "beside", NO_SEED)
    (beside / "seeds.py").write_text(seed)
    assert warned(beside) == []
    assert warned(program(tmp_path / "point", NO_X, "# reads TUNEBOOK_POINT\n" + SCRIPT)) == []
    assert warned(program(tmp_path / "all", ARGV.replace('"{x}"', '"{overrides}"'))) == []


def test_a_program_that_cannot_be_looked_into_is_said_to_be_unseen(tmp_path: Path) -> None:
    said = warned(program(tmp_path / "mine", "[env, echo]"))
    assert len(said) == 2
    assert all("that can be seen" in warning for warning in said)


def test_a_budget_of_the_folder_that_is_not_named_is_warned_of_by_the_plan_too(tmp_path: Path) -> None:
    folder = program(tmp_path / "mine")
    (folder / "budget").mkdir()
    (folder / "budget" / "small.yaml").write_text("trials: 8\nretrains: 3\nmax_train_steps: 20\neval_every_steps: 5\n")
    words = ["workload=program", "space=my", "goal=my", f"tracking.root={tmp_path / 'store'}"]
    for more, times in ((), 1), (("budget=small",), 0):
        plan = checked(from_overrides([*words, *more], str(folder)))
        said = " ".join(warnings_of(plan.config, plan.round.scope))
        assert said.count("has budget=small, and without budget= it is standard") == times
        assert " ".join(plan_text(plan).split()).count("without budget= it is standard") == times
