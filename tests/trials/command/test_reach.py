"""What is not seen to reach a program is warned of, before `check=plan` and before a round."""

from pathlib import Path

import pytest

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
