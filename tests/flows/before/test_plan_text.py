"""What `check=plan` prints: what matters most first, in lines that fit, and what earlier rounds have measured."""

from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.before.points import every_point, points_table
from flows.compose.compose import from_overrides
from flows.round import main
from flows.session.plan import checked
from tests.flows.before.folders import functions, said

pytestmark = pytest.mark.prose


@pytest.mark.parametrize("goal", ["optimizer", "depth", "dropout", "weight_decay"])
def test_the_plan_of_a_shipped_goal_fits_a_screen_with_the_most_important_first(goal: str, tmp_path: Path) -> None:
    lines = plan_text(checked(from_overrides([f"goal={goal}", f"tracking.root={tmp_path}"]))).splitlines()
    assert [line[:12].rstrip() for line in lines[:5]] == ["question", "cost", "time", "memory", "gain"]
    assert len(lines) <= 40
    assert all(len(line) <= 100 for line in lines[:-1])
    assert lines[2] == "time        not known: check=trial measures it"
    assert lines[4].startswith("gain        smallest told from noise in 8 of 10 rounds: about 1.")
    assert lines[-1].endswith("check=trial")


def test_points_beyond_ten_are_folded_and_check_points_lists_all(tmp_path: Path) -> None:
    words = ["goal=depth", f"tracking.root={tmp_path}"]
    round = checked(from_overrides([*words, "budget.trials=7"])).round
    table, every = points_table(round), every_point(round).splitlines()
    assert table[-1] == "and 20 more trials: check=points lists all"
    assert len(table) == 2 + 8 + 1
    assert len(every) == 2 + 28
    assert all(any(trial.id in line for line in every) for trial in round.trials)
    few = checked(from_overrides([*words, "budget.trials=2"])).round
    assert len(points_table(few)) == 2 + 8


def test_columns_that_do_not_fit_are_named_and_stand_below_each_other_in_the_whole_table(tmp_path: Path) -> None:
    wide = [f"+space.a_name_of_some_length_{i}={{low: 0.0, high: 1.0}}" for i in range(5)]
    words = ["workload=synthetic", "goal=synthetic", f"tracking.root={tmp_path}", *wide]
    round = checked(from_overrides([*words, "acknowledge={D8: few}"])).round
    assert "more column" in points_table(round)[-1]
    assert all(len(line) <= 100 for line in [*points_table(round), *every_point(round).splitlines()])
    assert every_point(round).count("a_name_of_some_length_") == 5


def test_time_memory_and_the_noise_come_from_earlier_rounds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine = functions(tmp_path / "mine")
    words = said(
        mine,
        "clean",
        "orchestrate=off",
        "tracking.enabled=false",
        "budget.trials=3",
        "budget.retrains=3",
        "acknowledge={E2: tried, E7: tried}",
    )
    assert main(words) == 0
    capfd.readouterr()
    assert main([*words, "seed=1", "check=plan"]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "time about" in told
    assert "a step (" in told
    assert "trials of round my-" in told
    assert "a trial at its peak" in told
    assert "loss with the SD of" in told


@pytest.mark.playbook("K4", case="shows")
def test_a_plan_without_retrains_or_without_noise_says_what_can_be_told(tmp_path: Path) -> None:
    words = ["goal=dropout", f"tracking.root={tmp_path}"]
    assert "gain        none can be told from noise with budget.retrains=1" in plan_text(
        checked(from_overrides([*words, "budget.retrains=1"]))
    )
    assert "\ngain " not in plan_text(checked(from_overrides([*words, "budget.retrains=0"])))
    once = plan_text(checked(from_overrides([*words, "workload.deterministic=true"])))
    assert "gain        any above policy.minimum_gain=0" in once
    assert "at most 5 retrains" in once
