"""Who accepts a promotion: the policy (`approval=auto`), or a person at the terminal (`approval=ask`)."""

import sys

from flows.compose.messages import tell
from flows.session.session import Session
from tasks.promote.decision import Decision
from tasks.promote.race import Approve
from tasks.promote.retrains import Arm
from tasks.text import point_text, show


def approval(session: Session) -> Approve:
    """What is asked before a promotion; nobody is where trials of the round ran on different things."""
    accept = ask if session.config.approval == "ask" else auto

    def approve(arm: Arm, decision: Decision) -> str:
        against = session.mixed()
        return f"nothing is promoted on mixed evidence: {against[0]}" if against else accept(arm, decision)

    return approve


def auto(arm: Arm, decision: Decision) -> str:
    """The policy accepts: the gate was passed."""
    return ""


def ask(arm: Arm, decision: Decision) -> str:
    """A person accepts, here; without a terminal nobody does, and the next round may ask again."""
    if not sys.stdin.isatty():
        return "approval=ask, and nobody was there to accept the promotion"
    tell(f"The gate is passed, gain {show(decision.gain)}: {point_text(arm.point)}")
    said = input("Promote this configuration? [y/N] ").strip().lower()
    return "" if said in ("y", "yes") else "a person declined the promotion"
