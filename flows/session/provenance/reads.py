"""How often the validation set was read: by this round's search and retrains, and by the rounds before it."""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.ledger import Ledger, LedgerError
from tasks.record import Finding
from tasks.text import plural
from tasks.trials.trial import Trial

_DATA = ("data", "folders")  # the parts of a fingerprint in which a validation set may lie


def reads_text(
    ledger: Ledger,
    workload: str,
    created: str,
    parts: Mapping[str, Any],
    searched: Iterable[Trial],
    retrains: Iterable[Trial],
) -> str:
    """A sentence with the count over search, retrains and the earlier rounds of the workload on the same data.

    Of an earlier round are counted the evaluations that its trials were planned to have: no more took place, and no
    curve has to be read. A trial that a round kept was evaluated where it ran. A round of another goal counts: it
    selected on the same examples.

    Playbook: J8
    """
    own = sum(len(t.curve.steps) for t in searched if t.planned.kept is None)
    again = sum(len(t.curve.steps) for t in retrains)
    before = [_planned(ledger, r.round_id, parts) for r in ledger.rounds(workload) if (r.finished or "~") <= created]
    earlier = [n for n in before if n]
    most = "at most " * bool(earlier)
    return (
        f"In all it was read {most}{plural(own + again + sum(earlier), 'time')}: {own:,} in this search, {again:,} by "
        f"retrains, {sum(earlier):,} in {plural(len(earlier), 'earlier round')} on the same data; each wears it out."
    )


def with_reads(findings: Iterable[Finding], check: str, text: str) -> tuple[Finding, ...]:
    """The findings, of which those of that check tell the count too: in words, for it is another in every round."""
    return tuple(f.model_copy(update={"evidence": f"{f.evidence} {text}"}) if f.check == check else f for f in findings)


def _planned(ledger: Ledger, round_id: str, parts: Mapping[str, Any]) -> int:
    """How many evaluations the trials of a finished round were to have; 0 where its data were others or unknown."""
    try:
        frozen = ledger.frozen(round_id)
        was, budget = frozen["fingerprint"], frozen["config"]["budget"]
        if any(was.get(part, {}) != parts.get(part, {}) for part in _DATA):
            return 0
        return sum(
            int(p.get("max_train_steps", budget["max_train_steps"]))
            // int(p.get("eval_every_steps", budget["eval_every_steps"]))
            for p in ledger.planned(round_id)
            if p.get("kept") is None
        )
    except (LedgerError, KeyError, TypeError, ZeroDivisionError):
        return 0
