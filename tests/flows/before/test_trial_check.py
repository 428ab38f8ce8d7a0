"""`check=trial`: what short trials say of programs of which each has one fault, or none."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.compose.config import CONF
from flows.round import main
from tests.flows.before.folders import ARGV, SCRIPT, functions, program, said

pytestmark = pytest.mark.prose
EXAMPLES = CONF.parent / "docs" / "examples"
Check = Callable[..., dict[str, list[str]]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """What is said by its label, once the command has ended with the code; nothing is left behind."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    def one(folder: Path, workload: str, *more: str, code: int = 0) -> dict[str, list[str]]:
        assert main([*said(folder, workload, *more), "check=trial"]) == code
        assert list(place.glob("tunebook-*")) == []
        assert not (folder.parent / "store").exists()
        found: dict[str, list[str]] = {}
        label = ""
        for line in capfd.readouterr().out.splitlines():
            if line[:12].strip() and line[11:12] == " ":
                label = line[:12].strip()
                found.setdefault(label, []).append(line[12:])
            else:
                found.setdefault(label, [""])[-1] += f" {line.strip()}"
        return found

    return one


@pytest.mark.playbook("G2", case="silent")
def test_a_program_in_order_is_told_what_it_reported_and_what_the_round_takes(tmp_path: Path, check: Check) -> None:
    told = check(functions(tmp_path / "mine"), "clean")
    assert "warn" not in told
    (ran,) = told["ran"]
    assert ran.startswith("6 trials of 20 steps (of 40 in the round): 120 steps in")
    assert told["reported"] == ["loss 0.2882 at step 5, 0.1422 at step 20 (4 evaluations); nothing beside it"]
    assert told["seed"][0].startswith("matters: two seeds give different numbers (loss ")
    assert told["repeated"] == ["equal seeds give equal numbers, bit for bit"]
    assert told["effect"] == ["moved alone, on the same seed, each changes the numbers: switch, x, y"]
    assert "of trials and at most" in told["round"][0]
    assert "a trial at its peak" in told["memory"][0]
    assert "check=" not in told["next"][0]


@pytest.mark.playbook("G2", case="fires")
def test_an_ignored_seed_is_named_with_what_it_would_cost_and_where_to_look(tmp_path: Path, check: Check) -> None:
    mine = functions(tmp_path / "mine")
    told = check(mine, "ignores_seed", code=2)
    assert told["seed"][0].startswith("ignored: two seeds give equal numbers, so no retrain could measure noise")
    assert "workload.deterministic=true" in told["seed"][0]
    assert told["next"][0].startswith("mend that, then python -m flows.round")
    told = check(mine, "ignores_seed", "workload.deterministic=true")
    assert told["seed"] == ["changes nothing, as workload.deterministic=true says"]
    told = check(mine, "clean", "workload.deterministic=true", code=2)
    assert "set it to false" in told["seed"][0]


def test_numbers_too_coarse_to_tell_are_told_apart_from_an_ignored_seed(tmp_path: Path, check: Check) -> None:
    told = check(functions(tmp_path / "mine"), "coarse")
    assert told["seed"][0].startswith("not told: two seeds give equal numbers")
    assert all("which are coarse; report a loss, too" in warning for warning in told["warn"])


def test_a_hyperparameter_that_is_never_read_and_one_without_effect_are_named(tmp_path: Path, check: Check) -> None:
    mine = functions(tmp_path / "mine")
    (warning,) = check(mine, "unread")["warn"]
    assert warning.startswith("y is never read: tuning it changes nothing")
    (warning,) = check(mine, "no_effect")["warn"]
    assert warning.startswith("y changes nothing: 0 and 1 gave the numbers of 0.5, all of them")


def test_where_equal_seeds_differ_nothing_is_said_of_the_hyperparameters(tmp_path: Path, check: Check) -> None:
    told = check(functions(tmp_path / "mine"), "drifts")
    assert told["repeated"][0].startswith("equal seeds give different numbers")
    assert told["effect"] == ["not told: switch, x, y"]
    assert "warn" not in told


def test_a_trial_that_fails_ends_the_command_with_its_traceback_once(tmp_path: Path, check: Check) -> None:
    told = check(functions(tmp_path / "mine"), "fails", code=1)
    assert told["ran"][0].startswith("1 trial ")
    (failed,) = told["failed"]
    assert "ValueError: no data here" in failed
    assert str(told).count("Traceback (most recent call last)") == 1


def test_a_program_that_trains_as_long_as_it_likes_is_told_so(tmp_path: Path, check: Check) -> None:
    told = check(functions(tmp_path / "mine"), "deaf")
    (warning,) = told["warn"]
    assert warning.startswith("It trained 60 steps and was given 20")
    assert ": 360 steps in" in told["ran"][0]


@pytest.mark.playbook("G2", case="fires")
def test_a_program_without_the_seed_among_its_arguments_is_found_too(tmp_path: Path, check: Check) -> None:
    told = check(program(tmp_path / "mine"), "program")
    assert told["effect"] == ["moved alone, on the same seed, each changes the numbers: x"]
    fixed = program(tmp_path / "fixed", ARGV.replace('"{seed}"', '"0"'))
    assert check(fixed, "program", code=2)["seed"][0].startswith("ignored")
    deaf = program(tmp_path / "deaf", script=SCRIPT.replace("step % every == 0", "step % 4 == 0"))
    assert "whatever trial.eval_every_steps" in check(deaf, "program")["warn"][0]


def test_a_parent_that_a_program_knows_by_its_child_alone_counts_as_used(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["workload=valley", "space=valley", "goal=momentum", f"tracking.root={tmp_path / 'store'}"]
    words += ["budget=quick", "workload.deterministic=true", "check=trial"]
    assert main(["--config-dir", str(EXAMPLES / "awk"), *words]) in (0, 2)
    told = " ".join(capfd.readouterr().out.split())
    assert "each changes the numbers: method, learning_rate, momentum.one_minus" in told
    assert "never read" not in told
