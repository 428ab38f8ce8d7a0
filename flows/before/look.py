"""`check=`: a look at the round before compute is spent on it; nothing of it stands in the ledger."""

from collections.abc import Sequence

from flows.compose.messages import tell
from flows.session.plan import Plan


def look(plans: Sequence[Plan]) -> int:
    """Print what `check=` asks of each round; the exit code of the worst.

    Raises:
        InputError: what must be mended before the round can run.
    """
    texts, code = [], 0
    for plan in plans:
        text, worse = _looked(plan)
        texts.append(text)
        code = max(code, worse)
    tell("\n\n".join(texts), aside=False)
    return code


def _looked(plan: Plan) -> tuple[str, int]:
    """What to print, and the exit code."""
    config = plan.config  # below: each imports what the others do not need
    if config.check == "trial":
        from flows.before.trial_check import trial_check

        return trial_check(plan)
    if config.check == "resume":
        from flows.session.resume_check import resume_check

        return resume_check(config), 0
    if config.check == "points":
        from flows.before.points import every_point

        return every_point(plan.round), 0
    from flows.before.plan_text import plan_text

    return plan_text(plan), 0
