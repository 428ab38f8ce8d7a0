"""A redesigned round, started by the very command that the last one printed, runs no trial a second time (E4)."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.round import main
from tasks.ledger import open_ledger
from tasks.record import Record, TrialRow
from tests.flows.own_round import records, write_folder

pytestmark = pytest.mark.usefixtures("undrawn")

PROGRAM = """
import math, random
from pathlib import Path

def train(trial):
    with (Path(__file__).parent / "ran.txt").open("a") as lines:
        lines.write("a trial\\n")
    noise = random.Random(trial.seed)
    worth = {"a": 1.0, "b": 0.9}[trial.point["switch"]] + 0.003 * noise.gauss(0, 1)
    loss = worth + 0.1 * math.log10(trial.point["rate"] / 0.1) ** 2
    for step in range(10, trial.max_train_steps + 1, 10):
        trial.report(step, loss=loss + math.exp(-step / 10), train_loss=loss + math.exp(-step / 10))
"""
SPACE = "rate: {low: 1e-5, high: 1e-2, scale: log}\nswitch: {choices: [a, b]}\n"  # the optimum, 0.1, lies outside
WORKLOAD = "_target_: own.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {rate: 1e-3, switch: a}\n"


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    """A folder in which the best rate lies beyond the space."""
    folder = write_folder(tmp_path / "own")
    for name, text in (("own.py", PROGRAM), ("space/own.yaml", SPACE), ("workload/own.yaml", WORKLOAD)):
        (folder / name).write_text(text)
    return folder


def first(folder: Path, *more: str) -> Record:
    """The first round, which wants another space."""
    said = ["--config-dir", str(folder), "workload=own", "space=own", "goal=own", "orchestrate=off", "runner.workers=2"]
    said += ["budget.trials=12", "budget.retrains=4", "budget.max_train_steps=100", "budget.eval_every_steps=10"]
    return ran(folder, [*said, "tracking.enabled=false", f"tracking.root={folder.parent / 'store'}", *more])


def ran(folder: Path, said: list[str]) -> Record:
    """The record of the round of these words."""
    assert main(said) == 0
    return records(folder, "store")[-1]


def words_of(record: Record) -> list[str]:
    """The words of the command that the round printed as next."""
    said = shlex.split(record.next.command)
    return said[said.index("--config-dir") :]


def times_run(folder: Path) -> int:
    return len((folder / "ran.txt").read_text().splitlines())


def searched(record: Record) -> list[TrialRow]:
    return [t for t in record.trials if t.purpose == "search"]


def what(trial: TrialRow) -> tuple[Any, ...]:
    return (*sorted(trial.point.items()), trial.seed, trial.best_value, trial.best_step, trial.steps_done)


def said_of_kept(record: Record) -> tuple[str, dict[str, Any], str]:
    (found,) = [f for f in record.findings if f.row == "E4"]
    return found.level, dict(found.numbers), found.evidence


@pytest.mark.playbook("E4", case="fires")
def test_the_printed_command_keeps_what_ran_inside_the_new_space_and_nothing_runs_twice(edge: Path) -> None:
    before = first(edge)
    assert before.verdict.outcome == "redesign"
    assert before.next.overrides[-1] == f"keep={before.round_id}"
    assert not [f for f in before.findings if f.row == "E4"]
    assert times_run(edge) == 24
    after = ran(edge, words_of(before))
    kept = [t for t in searched(after) if t.kept]
    assert sorted(map(what, kept)) == sorted(map(what, searched(before)))
    assert {t.kept for t in kept} == {f"{before.round_id}/{t.id}" for t in before.trials}
    assert Counter(len(s.trials) for s in after.studies) == {24: 2}
    assert len({t.id for t in searched(after)}) == 48
    assert times_run(edge) == 24 + 24 + sum(t.purpose == "retrain" for t in after.trials)
    assert said_of_kept(after)[:2] == ("ok", {"kept": 24, "trials": 48})
    assert any(f"kept from round {before.round_id}" in caveat for caveat in after.caveats)
    with open_ledger(edge.parent / "store") as ledger:
        attempts = ledger.attempts(after.round_id)
        assert {attempts[t.id] for t in kept} == {0}
        assert {attempts[t.id] for t in after.trials if not t.kept} == {1}


@pytest.mark.playbook("B4", case="shows")
def test_the_split_of_the_budget_counts_a_kept_trial_with_the_round_that_ran_it(edge: Path) -> None:
    after = ran(edge, words_of(first(edge)))
    assert after.method is not None
    assert after.method.exploration is not None
    assert any(t.kept for t in after.trials)
    assert after.method.exploration.trials["exploration"] == times_run(edge)


@pytest.mark.playbook("E4", case="silent")
def test_a_round_that_names_no_other_keeps_nothing_and_says_nothing_of_it(edge: Path) -> None:
    before = first(edge)
    after = ran(edge, [w for w in words_of(before) if not w.startswith("keep=")])
    assert not any(t.kept for t in after.trials)
    assert not [f for f in after.findings if f.row == "E4"]
    assert times_run(edge) == 48 + sum(t.purpose == "retrain" for t in after.trials)


@pytest.mark.playbook("E4", "D9", case="shows")
def test_trials_outside_a_narrowed_space_are_left_behind_and_the_arms_have_as_many(edge: Path) -> None:
    before = first(edge)
    after = ran(edge, [*words_of(before), "space.rate.low=1e-3", "space.rate.high=1.0"])
    inside = [t for t in searched(before) if float(t.point["rate"]) >= 1e-3]
    assert {t.kept for t in searched(after) if t.kept} == {f"{before.round_id}/{t.id}" for t in inside}
    assert 0 < len(inside) < 24
    one, other = (len(s.trials) for s in after.studies)
    assert one == other
    level, numbers, _ = said_of_kept(after)
    assert (level, numbers["left_outside"]) == ("ok", 24 - len(inside))


@pytest.mark.playbook("E4", case="fires")
@pytest.mark.prose
def test_none_is_kept_under_another_seed_length_or_code_and_that_is_said(edge: Path) -> None:
    before = first(edge)
    again = words_of(before)
    ran_before = times_run(edge)
    seeded = ran(edge, [*again, "seed=1"])
    longer = ran(edge, [*again, "budget.max_train_steps=110"])
    (edge / "own.py").write_text(PROGRAM + "\n# other code\n")
    changed = ran(edge, again)
    retrains = sum(t.purpose == "retrain" for r in (seeded, longer, changed) for t in r.trials)
    assert times_run(edge) == ran_before + 3 * 24 + retrains
    why = {
        "it had seed=0, and another seed is a design of its own": seeded,
        "the configuration differs (budget.max_train_steps)": longer,
        "the code differs (own.py)": changed,
    }
    for text, record in why.items():
        assert said_of_kept(record)[0] == "warn"
        assert said_of_kept(record)[2] == f"No trial of round {before.round_id} is kept: {text}."
        assert not any(t.kept for t in record.trials)


@pytest.mark.prose
def test_a_round_that_is_not_there_or_has_not_ended_is_refused_before_anything_runs(
    edge: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = first(edge)
    capfd.readouterr()
    said = [w for w in words_of(before) if not w.startswith("keep=")]
    assert main([*said, "keep=nothing"]) == 2
    assert "keep: no round 'nothing' of workload own" in capfd.readouterr().err
    with open_ledger(edge.parent / "store") as ledger:
        frozen = ledger.frozen(before.round_id)
        ledger.own("cut")
        ledger.begin("cut", "own", "own", frozen, "h", "2026-01-01")
    assert main([*said, "keep=cut"]) == 2
    assert "keep: round cut has not ended" in capfd.readouterr().err
    assert main([*said, f"keep={before.round_id}", "sampler=grid", "check=plan"]) == 2
    assert "sampler=grid does not; say keep=null" in capfd.readouterr().err
    assert times_run(edge) == 24


@pytest.mark.prose
def test_the_plan_says_what_is_kept_and_counts_what_runs(edge: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = first(edge)
    capfd.readouterr()
    assert main([*words_of(before), "check=plan"]) == 0
    plan = capfd.readouterr().out
    assert f"kept        24 of 48 trials are kept from round {before.round_id}." in plan
    assert main([*words_of(before), "check=points"]) == 0
    assert capfd.readouterr().out.count("(kept)") == 24
    assert "cost        24 trials (2 studies" in plan
    assert times_run(edge) == 24


@pytest.mark.playbook("B4", case="shows")
def test_a_trial_that_is_kept_twice_counts_once_in_the_split_of_the_budget(edge: Path) -> None:
    before = first(edge)
    after = ran(edge, words_of(before))
    last = ran(edge, [*words_of(before)[:-1], f"keep={after.round_id}", "notes=again"])
    for record, times in ((before, 24), (last, times_run(edge))):
        assert record.method is not None
        split = record.method.exploration
        assert split is not None
        assert sum(split.trials.values()) == times
        assert sum(split.steps.values()) == 100 * times
    assert sum(t.kept is not None for t in last.trials) >= 24
