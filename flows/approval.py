"""Who accepts a promotion."""

import sys
from collections.abc import Callable
from typing import Any

from flows.sentences import tell
from tasks.scope.roles import point_text, show


def auto(arm: Any, decision: Any) -> str:
    """The policy accepts: the gate was passed."""
    return ""


def ask(arm: Any, decision: Any) -> str:
    """A person accepts, here; without a terminal nobody does, and the next round may ask again."""
    if not sys.stdin.isatty():
        return "approval=ask, and nobody was there to accept the promotion"
    tell(f"The gate is passed, gain {show(decision.gain)}: {point_text(arm.point)}")
    said = input("Promote this configuration? [y/N] ").strip().lower()
    return "" if said in ("y", "yes") else "a person declined the promotion"


def unless_mixed(approve: Callable[..., str], mixed: Callable[[], tuple[str, ...]]) -> Callable[..., str]:
    """`approve`, asked only where all trials of the round ran on the same: mixed evidence promotes nothing."""

    def approved(arm: Any, decision: Any) -> str:
        against = mixed()
        return f"nothing is promoted on mixed evidence: {against[0]}" if against else approve(arm, decision)

    return approved
