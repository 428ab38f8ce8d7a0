"""The SQL of generations: a workload's incumbents, numbered without gap, changed by compare-and-swap."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from tasks.ledger.error import LedgerError
from tasks.ledger.locks import checked_name
from tasks.ledger.seals import add, rows
from tasks.ledger.store import Store
from tasks.ledger.tables import generations
from tasks.record import Value


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One promoted configuration: its point and settings, which round put it there, and on what evidence.

    `round_id` is None for one that was adopted from a file. Playbook row G9 asks for the evidence, the caveats and
    who accepted: they stand in `evidence`.
    """

    workload: str
    generation: int
    point: dict[str, Value]
    settings: dict[str, Value]
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
            return [_generation(row) for row in _of(db, workload)]

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
        settings: Mapping[str, Value] | None = None,
    ) -> bool:
        """Whether `point`, with `settings`, is the incumbent that this round put there, as generation `expected` + 1.

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
            before = _of(db, workload)
            if any(row.round_id == round_id for row in before):
                return True
            if (before[-1].generation if before else 0) != expected:
                return False
            row = _row(workload, expected + 1, point, settings or {}, source, evidence, created)
            add(db, generations, row | {"round_id": round_id})
        return True

    def adopt(
        self,
        workload: str,
        generation: int,
        point: Mapping[str, Value],
        source: str,
        settings: Mapping[str, Value] | None = None,
    ) -> bool:
        """Whether an incumbent from elsewhere (another clone's file) was taken: only if it is ahead of all stored.

        The generations between were promoted there; here they are a gap.
        """
        if generation < 1:
            raise LedgerError(f"generation {generation} cannot be adopted: generations count from 1, 0 is the baseline")
        with self._writing() as db:
            newest = _newest(db, workload)
            if newest is not None and newest.generation >= generation:
                return False
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            add(db, generations, _row(workload, generation, point, settings or {}, source, {}, now))
        return True


def _of(db: Connection, workload: str) -> list[Row[Any]]:
    """Every generation of the workload, the first one first."""
    return rows(db, generations, generations.c.workload == workload, generations.c.generation)


def _newest(db: Connection, workload: str) -> Row[Any] | None:
    return next(reversed(_of(db, workload)), None)


def _row(
    workload: str,
    generation: int,
    point: Mapping[str, Value],
    settings: Mapping[str, Value],
    source: str,
    evidence: Mapping[str, Any],
    created: str,
) -> dict[str, Any]:
    return {
        "workload": workload,
        "generation": generation,
        "point_json": json.dumps(dict(point), allow_nan=False),
        "settings_json": json.dumps(dict(settings), allow_nan=False),
        "source": source,
        "evidence_json": json.dumps(dict(evidence), allow_nan=False),
        "created": created,
    }


def _generation(row: Row[Any]) -> Generation:
    return Generation(
        workload=row.workload,
        generation=row.generation,
        point=json.loads(row.point_json),
        settings=json.loads(row.settings_json),
        round_id=row.round_id,
        source=row.source,
        evidence=json.loads(row.evidence_json),
        created=row.created,
    )
