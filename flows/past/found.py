"""Rounds and audits of one root, found by their ids or by what their ids begin with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.compose.called import program
from tasks.ledger import Ledger, Summary
from tasks.record import Record
from tasks.scope.error import InputError
from tasks.upgrade import read_record

AUDITS = "audits"
NAMED = 3  # ids that a sentence names


@dataclass(frozen=True, kw_only=True)
class Past:
    """What has run under a root; `ledger` is None where no round ever did, and audits may be there all the same."""

    root: Path
    ledger: Ledger | None

    @cached_property
    def rounds(self) -> Sequence[Summary]:
        """Every round, the one begun last first."""
        return self.ledger.rounds() if self.ledger else []

    @cached_property
    def audits(self) -> Sequence[str]:
        """The ids of the audits that ended, the last one first: an id ends with its date."""
        found = {path.parent.name: path.stat().st_mtime for path in self.root.glob(f"{AUDITS}/*/record.json")}
        return sorted(found, key=lambda id: (found[id], id), reverse=True)

    def id_of(self, name: str) -> str:
        """The id that this is, or the only one that begins with it.

        Raises:
            InputError: there is none, or there are several.
        """
        known = [*(r.round_id for r in self.rounds), *self.audits]
        near = [id for id in known if name and id.startswith(name)]
        if name in known or len(near) == 1:
            return name if name in known else near[0]
        if near:
            raise InputError(
                f"{len(near)} ids begin with {name!r}: {_listed(near)}; give more of the one that is meant"
            )
        if not known:
            raise InputError(f"there is no round yet under {self.root}: {program('round')} runs one")
        raise InputError(f"there is no round {name!r}; the latest are: {_listed(known)}")

    def summary(self, id: str) -> Summary | None:
        """The round of that id; None of an audit."""
        return next((r for r in self.rounds if r.round_id == id), None)

    def folder(self, id: str) -> Path:
        """Where its record, its report and its curves lie."""
        return self.ledger.folder(id) if self.ledger and self.summary(id) else self.root / AUDITS / id

    def text(self, id: str) -> str | None:
        """The record as it was written; None of a round that has not ended."""
        if self.ledger and self.summary(id):
            return self.ledger.record(id)
        return (self.root / AUDITS / id / "record.json").read_text()

    def record(self, name: str) -> Record:
        """The record of the round or audit that the name means.

        Raises:
            InputError: there is none, or it has not ended.
        """
        id = self.id_of(name)
        text = self.text(id)
        if text is None:
            raise InputError(f"round {id} has not ended, so there is nothing to rank or compare yet")
        return read_record(text)

    def config(self, id: str) -> dict[str, Any]:
        """The frozen configuration of a round; empty where an older version stored none."""
        return dict((self.ledger.frozen(id).get("config") if self.ledger else None) or {})


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
