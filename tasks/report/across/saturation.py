"""B7: has tuning likely saturated? What the last rounds' gates say together."""

from collections.abc import Iterable

from tasks.promote.comparison import INCUMBENT
from tasks.verdict import GateRow, VerdictRow

SILENT = frozenset({"redesign", "na"})  # outcomes of rounds in which no gate was asked: they count neither way


def saturated_tuning(verdicts: Iterable[tuple[VerdictRow, GateRow | None]], rounds: int) -> tuple[str, ...]:
    """One sentence where tuning has likely saturated, none where that cannot be said.

    `verdicts`: this round's first, then those of the rounds before it, newest first, each with its gate. It takes
    `rounds` verdicts in a row on one generation of the incumbent, each of a gate that found no gain beyond the noise
    of the retrains. A promotion ends the row, and so does an undecided gate, or a gain that a person declined: those
    leave hope.

    Playbook: B7
    """
    gains: list[float] = []
    generation: int | None = None
    for verdict, gate in verdicts:
        if verdict.outcome in SILENT and generation is not None:
            continue
        if not _within_noise(verdict, gate) or generation not in (None, verdict.incumbent.generation):
            break
        generation = verdict.incumbent.generation
        gains.append(verdict.gain or 0.0)
    if len(gains) < rounds:
        return ()
    return (
        f"Tuning has likely saturated (B7): in the last {len(gains)} rounds whose finalists were retrained, none "
        f"gained more over the incumbent (generation {generation}) than noise explains; at most {max(gains):.3g}. "
        "A new feature is likelier to help than another search like these.",
    )


def _within_noise(verdict: VerdictRow, gate: GateRow | None) -> bool:
    """Whether retrains were compared with the incumbent's, and at no comparison's last look the gain was shown."""
    against = [c for c in gate.comparisons if c.against == INCUMBENT and c.looks] if gate else []
    shown = any(c.looks[-1].z >= c.looks[-1].upper for c in against)
    return verdict.outcome == "keep" and verdict.gain is not None and bool(against) and not shown
