"""Generations of a workload's incumbent: numbered without gap, changed by compare-and-swap."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from tasks.ledger.error import LedgerError
from tasks.ledger.locks import checked_name
from tasks.ledger.store import Store
from tasks.ledger.tables import generations
from tasks.record import Value


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One promoted configuration: what it is, which round put it there, and on what evidence.

    `round_id` is None for one that was adopted from a file. Playbook row G9 asks for the evidence, the caveats and
    who accepted: they stand in `evidence`.
    """

    workload: str
    generation: int
    point: dict[str, Value]
    round_id: str | None
    source: str
    evidence: dict[str, Any]
    created: str


class Generations(Store):
    """What is asked of the ledger about incumbents."""

    def incumbent(self, workload: str) -> Generation | None:
        """The newest generation; None where nothing was ever promoted (the baseline is generation 0).

        Playbook: G9
        """
        with self._reading() as db:
            row = _newest(db, workload)
        return None if row is None else _generation(row)

    def generations(self, workload: str) -> list[Generation]:
        """Every generation, the first one first."""
        with self._reading() as db:
            return [_generation(row) for row in db.execute(_of(workload).order_by(generations.c.generation))]

    def workloads(self) -> list[str]:
        """The workloads that have an incumbent, in alphabetical order."""
        with self._reading() as db:
            return sorted(db.execute(select(generations.c.workload).distinct()).scalars())

    def promote(
        self,
        workload: str,
        expected: int,
        point: Mapping[str, Value],
        round_id: str,
        source: str,
        evidence: Mapping[str, Any],
        created: str,
    ) -> bool:
        """Whether `point` is the incumbent that this round put there, as generation `expected` + 1.

        Only if the newest generation is `expected` (0: none), so of two rounds that began with the same incumbent
        one wins; the other must be gated again. A round that has promoted is told so again and adds nothing.

        Raises:
            LedgerError: where there is no evidence.

        Playbook: G9
        """
        checked_name(round_id)
        if not evidence:
            raise LedgerError(f"round {round_id} promotes without evidence: nothing is promoted on trust")
        with self._writing() as db:
            if db.execute(_of(workload).where(generations.c.round_id == round_id)).first() is not None:
                return True
            newest = _newest(db, workload)
            if (0 if newest is None else newest.generation) != expected:
                return False
            db.execute(
                generations.insert().values(
                    workload=workload,
                    generation=expected + 1,
                    point_json=json.dumps(dict(point), allow_nan=False),
                    round_id=round_id,
                    source=source,
                    evidence_json=json.dumps(dict(evidence), allow_nan=False),
                    created=created,
                )
            )
        return True

    def adopt(self, workload: str, generation: int, point: Mapping[str, Value], source: str) -> bool:
        """Whether an incumbent from elsewhere (another clone's file) was taken: only if it is ahead of all stored.

        The generations between were promoted there; here they are a gap.
        """
        if generation < 1:
            raise LedgerError(f"generation {generation} cannot be adopted: generations count from 1, 0 is the baseline")
        with self._writing() as db:
            newest = _newest(db, workload)
            if newest is not None and newest.generation >= generation:
                return False
            db.execute(
                generations.insert().values(
                    workload=workload,
                    generation=generation,
                    point_json=json.dumps(dict(point), allow_nan=False),
                    source=source,
                    evidence_json="{}",
                    created=datetime.now(UTC).isoformat(timespec="milliseconds"),
                )
            )
        return True


def _of(workload: str) -> Select[Any]:
    return select(generations).where(generations.c.workload == workload)


def _newest(db: Connection, workload: str) -> Row[Any] | None:
    return db.execute(_of(workload).order_by(generations.c.generation.desc()).limit(1)).first()


def _generation(row: Row[Any]) -> Generation:
    return Generation(
        workload=row.workload,
        generation=row.generation,
        point=json.loads(row.point_json),
        round_id=row.round_id,
        source=row.source,
        evidence=json.loads(row.evidence_json),
        created=row.created,
    )
