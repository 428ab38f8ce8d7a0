"""What others wrote, a question, a metric's name, a source, is shown by a terminal and never obeyed."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import history
from flows.round import main
from tasks.ledger import open_ledger

ACTS = "\x1b]0;title\x07\x9b31mred\u202e\u061ctfel"
ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

OWN = f"""
def train(trial):
    trial.report(1, **{{"lo{ACTS}ss": 1.0}})
"""


@pytest.fixture
def said(tmp_path: Path) -> Iterator[list[str]]:
    """The command of a round whose question and whose metric's name want to act."""
    question = ACTS.encode("unicode_escape").decode()
    files = {
        "workload/acts.yaml": "_target_: acts.train\nobjective: {metric: loss, direction: minimize}\nbaseline: {x: 1}",
        "space/acts.yaml": "x: {low: 0.0, high: 1.0}\n",
        "goal/acts.yaml": f'question: "Which x {question}?"\nkind: understand\nscientific: {{x: range}}\n',
        "acts.py": OWN,
    }
    for name, text in files.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield [
        *("--config-dir", str(tmp_path / "own"), "workload=acts", "space=acts", "goal=acts", "orchestrate=off"),
        *(f"tracking.root={tmp_path / 'store'}", "tracking.enabled=false", "budget.trials=4", "acknowledge={E2: few}"),
    ]
    sys.modules.pop("acts", None)
    sys.path[:] = [p for p in sys.path if p != str(tmp_path / "own")]


def test_a_plan_shows_the_question_and_does_not_act(said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*said, "check=plan"]) == 0
    out = capsys.readouterr().out
    assert "Which x ]0;title31mredtfel?" in out
    assert not ACTING.search(out)


def test_a_shown_configuration_does_not_act(said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*said, "--cfg", "job"]) == 0
    out = capsys.readouterr().out
    assert "Which x " in out
    assert not ACTING.search(out)


def test_an_error_shows_a_metrics_name_and_does_not_act(said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(said) == 2
    error = capsys.readouterr().err
    assert "lo]0;title31mredtfelss" in error
    assert not ACTING.search(error)


def test_the_history_shows_goals_and_sources_and_does_not_act(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.begin("one", "digits", ACTS, {}, "key", "2026-01-01T10:00:00+00:00")
        ledger.adopt("digits", 1, {"x": 1}, f"by {ACTS}")
    assert history.main([f"tracking.root={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert out.count("]0;title31mredtfel") == 2
    assert not ACTING.search(out)


@pytest.mark.parametrize("words", [ACTS, "a  plain note"])
def test_the_command_that_goes_on_with_a_round_does_not_act(
    tmp_path: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"overrides": [f"notes={words}"], "config_dir": f"/{words}"}
    with open_ledger(tmp_path) as ledger:
        ledger.begin("one", "digits", "goal", {"config": config}, "key", "2026-01-01T10:00:00+00:00")
    assert history.main(["show", "one", f"tracking.root={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"'notes={ACTING.sub('', words)}' resume=one\n")
    assert not ACTING.search(out)
