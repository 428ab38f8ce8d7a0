"""Does what the last, shorter round of the goal has found still hold? Told in a round of more steps."""

from pathlib import Path

from flows.compose.called import near, program
from tasks.ledger import Ledger, LedgerError
from tasks.record import Record
from tasks.report.across.lengths import same_order
from tasks.scope.error import InputError
from tasks.scope.kinds import KINDS
from tasks.upgrade import read_record


def after_fewer_steps(ledger: Ledger, record: Record, goal: str, root: Path) -> str:
    """A sentence on whether the order of the points holds at more steps, with the command that says so; or "".

    Held against is the last round of the same goal and workload that had ended when this one began, if it trained for
    fewer steps. Where the two ran no equal points that is said: then nobody knows.

    Playbook: H11
    """
    earlier = _last(ledger, record, goal)
    if earlier is None or KINDS[record.goal.kind].purpose != "search":
        return ""
    before, now = (int(r.budget.get("max_train_steps", 0)) for r in (earlier, record))
    if not 0 < before < now:
        return ""
    place = "" if root == Path("mlruns").resolve() else f" tracking.root={near(root)}"
    command = f"{program('history')} lengths {earlier.round_id} {record.round_id}{place}"
    try:
        found = same_order(earlier, record)
    except InputError:
        return (
            f"Round {earlier.round_id} of this goal trained {before} steps, this one {now}, at other points: whether "
            f"its conclusions hold is not known; with its seed and space again, {command} says so (H11)."
        )
    return f"{found.evidence} (H11: {found.level}; {command})"


def _last(ledger: Ledger, record: Record, goal: str) -> Record | None:
    """The record of the last round of the goal that had ended when this one began; None where it cannot be read."""
    for row in ledger.rounds(record.workload):
        if row.goal != goal or row.state != "finished" or row.finished is None or row.finished > record.created:
            continue
        try:
            text = ledger.record(row.round_id)
            return None if text is None else read_record(text)
        except (LedgerError, ValueError):
            return None
    return None
