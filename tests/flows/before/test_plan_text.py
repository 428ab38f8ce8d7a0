"""What `check=plan` prints: what matters most first, in lines that fit, and what earlier rounds have measured."""

import json
from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.before.points import every_point, points_table
from flows.compose.compose import from_overrides
from flows.session.plan import checked
from flows.session.provenance.fingerprint import fingerprint
from tasks.ledger import open_ledger
from tasks.promote.comparison import INCUMBENT
from tasks.promote.retrains import Arm, incumbent_point, retrain_of
from tasks.trials.stored import curve_bytes, result_of
from tasks.trials.trial import Curve, ended
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


def test_time_memory_and_the_noise_come_from_earlier_rounds(tmp_path: Path) -> None:
    words = said(functions(tmp_path / "mine"), "clean", "runner.workers=2")[2:]
    plan = checked(from_overrides(words, str(tmp_path / "mine")))
    config, scope = plan.config, plan.round.scope
    frozen = {"config": config.model_dump(mode="json"), "fingerprint": fingerprint(config)}
    arm = Arm(name=INCUMBENT, study="", trial="", point=incumbent_point(scope), value=None, retrained_as=INCUMBENT)
    with open_ledger(config.root) as ledger:
        ledger.own("early")
        ledger.begin("early", "clean", "my", frozen, "0" * 64, "2026-01-01")
        for i, loss in enumerate((0.10, 0.12, 0.14)):
            planned = retrain_of(scope, arm, i)
            ledger.plan("early", [planned.model_dump(mode="json")])
            curve = Curve.from_reports({40: {"loss": loss}})
            trial = ended(planned, curve, scope.objective, seconds=4.0, memory=3 * 2**30)
            attempt = ledger.start("early", planned.id)
            assert ledger.finish("early", planned.id, attempt, result_of(trial), curve_bytes(curve))
        verdict = {"outcome": "keep", "gain": 0.0, "incumbent": {"generation": 0}}
        ledger.conclude("early", json.dumps({"verdict": verdict}), "d", "2026-01-02")
    told = " ".join(plan_text(plan).split())
    assert (
        "time about 32 s of trials and at most 50 s of retrains, 2 at once: 0.1 s a step (3 trials of round early"
        in told
    )
    assert "memory 3 GiB a trial at its peak, 6 GiB for 2 at once" in told
    assert "loss with the SD of 3 kept retrains)" in told
    assert "SD of one retrain (0.0" in told


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
