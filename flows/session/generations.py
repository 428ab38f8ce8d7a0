"""Promotion in the ledger: the incumbent's generations as one round sees and changes them (compare-and-swap)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flows.session.incumbent import as_incumbent
from flows.session.provenance.kept import retrains_in
from flows.session.session import Session
from tasks.promote.promotion import Promotion
from tasks.scope.goal import Incumbent
from tasks.scope.roles import Scope
from tasks.text import point_text
from tasks.trials.trial import Trial
from tasks.verdict import AcceptedRow


class RoundIncumbents:
    """What the race for the incumbent is handed: see `tasks.promote.race.Incumbents`."""

    def __init__(self, session: Session) -> None:
        self._ledger, self._round_id = session.ledger, session.round_id
        self._workload, self._asks = session.config.workload, session.config.asks

    def earlier_retrains(self) -> list[Trial]:
        """The retrains of the rounds that had ended when this one began, on what it runs on, too."""
        kept = self._ledger.frozen(self._round_id).get("kept", ())
        return [*retrains_in(self._ledger, kept, self._workload.objective)]

    def moves(self) -> list[Incumbent]:
        """The incumbents that moved under this round before it was interrupted, in their order."""
        noted = {int(generation) for generation in self._ledger.notes(self._round_id, "moved")}
        return [
            as_incumbent(self._ledger, g)
            for g in self._ledger.generations(self._workload.name)
            if g.generation in noted
        ]

    def is_ours(self, scope: Scope) -> bool:
        """Whether this very round has promoted already, against the incumbent of `scope`; others may have followed."""
        known = self._ledger.generations(scope.workload)
        mine = (g.generation for g in known if g.round_id == self._round_id)
        return scope.incumbent.generation + 1 in mine

    def swap(self, scope: Scope, promotion: Promotion) -> bool:
        """Whether the ledger took the new generation: only if the incumbent is still the one that was gated.

        Playbook: G9
        """
        accepted = AcceptedRow(by="person" if self._asks else "policy", in_writing=promotion.in_writing)
        evidence: Mapping[str, object] = {
            "gain": promotion.gain,
            "comparisons": [c.model_dump(mode="json") for c in promotion.comparisons],
            "reasons": list(promotion.reasons),
            "before": scope.incumbent.all_values,
            "caveats": list(scope.caveats),
            "acknowledged": scope.acknowledged,
            "accepted": accepted.model_dump(mode="json"),
        }
        return self._ledger.promote(
            scope.workload,
            scope.incumbent.generation,
            promotion.point,
            self._round_id,
            f"round {self._round_id}: {scope.goal.question} ({point_text({**promotion.point, **promotion.settings})})",
            evidence,
            datetime.now(UTC).isoformat(timespec="seconds"),
            promotion.settings,
        )

    def newest(self) -> Incumbent:
        """The incumbent that the round is gated against from now on, noted: resumed, it takes the same way."""
        newest = self._ledger.generations(self._workload.name)[-1]
        self._ledger.note(self._round_id, "moved", str(newest.generation))
        return as_incumbent(self._ledger, newest)
