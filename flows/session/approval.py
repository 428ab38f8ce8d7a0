"""Who accepts a promotion: the policy (`approval=auto`), or a person at the terminal (`approval=ask`)."""

import sys

from flows.compose.messages import tell
from flows.session.session import Session
from tasks.promote.promotion import Promotion
from tasks.promote.race import Approve
from tasks.text import point_text, show


def approval(session: Session) -> Approve:
    """What is asked before a promotion; nobody is where trials of the round ran on different things."""
    accept = ask if session.config.asks else auto

    def approve(promotion: Promotion) -> str:
        against = session.mixed()
        return f"nothing is promoted on mixed evidence: {against[0]}" if against else accept(promotion)

    return approve


def auto(promotion: Promotion) -> str:
    """The policy accepts: the gate was passed, or there is none."""
    return ""


def ask(promotion: Promotion) -> str:
    """A person accepts, here; without a terminal nobody does, and the next round may ask again."""
    if not sys.stdin.isatty():
        return "approval=ask, and nobody was there to accept the promotion"
    if promotion.gain is None:
        tell(" ".join(promotion.reasons))
    else:
        tell(f"The gate is passed, gain {show(promotion.gain)}: {point_text(promotion.point)}")
    said = input("Promote this configuration? [y/N] ").strip().lower()
    return "" if said in ("y", "yes") else "a person declined the promotion"
