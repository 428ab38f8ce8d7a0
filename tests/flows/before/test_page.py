"""docs/before.md shows what the commands print."""

from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose.compose import from_overrides
from flows.compose.config import CONF
from flows.session.plan import checked

PAGE = (CONF.parent / "docs" / "before.md").read_text()


def shown(check: str) -> list[str]:
    """The lines that the page has under the command."""
    return (
        PAGE.split(f"$ tunebook round workload=mnist1d goal=optimizer check={check}\n", 1)[1]
        .split("\n```", 1)[0]
        .splitlines()
    )


def test_the_plan_on_the_page_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBOOK_CALLED", "tunebook ")
    words = ["workload=mnist1d", "goal=optimizer"]
    plan = checked(from_overrides([*words, f"tracking.root={tmp_path}"]))
    config = plan.config.model_copy(update={"overrides": tuple(words)})
    text = plan_text(type(plan)(config=config, round=plan.round, note=plan.note))
    assert text.splitlines() == shown("plan")


def test_the_trials_on_the_page_have_the_labels_that_are_printed() -> None:
    labels = [line[:12].strip() for line in shown("trial") if line[:12].strip()]
    assert labels == ["ran", "at", "reported", "seed", "repeated", "effect", "step", "round", "memory", "next"]
