"""Notes of a round that are no results: a schedule's slot, mixed code or data, an incumbent that moved."""

from typing import Literal

from tasks.ledger.locks import checked_name
from tasks.ledger.seals import add, rows
from tasks.ledger.store import Store
from tasks.ledger.tables import notes

Kind = Literal["slot", "mixed", "moved", "multirun"]
"""`slot`: of a schedule, for which the round is. `mixed`: a part of which its trials ran on two different ones.
`moved`: a generation of the incumbent against which it is gated anew. `multirun`: the command with `-m` that began it
beside others."""


class Notes(Store):
    """What is asked of the ledger about notes."""

    def note(self, round_id: str, kind: Kind, text: str) -> None:
        """Remembers the text, at most 256 characters; one that is there already is there once."""
        checked_name(round_id)
        here = (notes.c.round_id == round_id) & (notes.c.kind == kind) & (notes.c.text == text)
        with self._writing() as db:
            if not rows(db, notes, here):
                add(db, notes, {"round_id": round_id, "kind": kind, "text": text})

    def notes(self, round_id: str, kind: Kind) -> list[str]:
        """The round's notes of that kind, in the order of their texts."""
        with self._reading() as db:
            found = rows(db, notes, (notes.c.round_id == round_id) & (notes.c.kind == kind), notes.c.text)
        return [row.text for row in found]
