"""Rounds: begun with a frozen configuration, owned by one process at a time, concluded with a record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, true

from tasks.ledger.error import Damage, LedgerError
from tasks.ledger.locks import checked_name, held, take
from tasks.ledger.seals import add, change, rows, seal_of
from tasks.ledger.store import Store
from tasks.ledger.tables import projections, rounds


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A round in one line. `outcome`, `gain` and `generation` (the incumbent it began with) are None until it ends."""

    round_id: str
    workload: str
    goal: str
    state: str
    created: str
    finished: str | None
    outcome: str | None
    gain: float | None
    generation: int | None
    digest: str | None
    parent: str | None


class Rounds(Store):
    """What is asked of the ledger about rounds."""

    def begin(
        self,
        round_id: str,
        workload: str,
        goal: str,
        config: Mapping[str, Any],
        config_hash: str,
        created: str,
        parent: str | None = None,
    ) -> None:
        """Stores a new round with its frozen configuration. Call `own` first: then nobody can go on with it before.

        Raises:
            LedgerError: where the round exists, or an id is no name.
        """
        row = {
            "round_id": checked_name(round_id),
            "workload": workload,
            "goal": goal,
            "config_json": json.dumps(config, allow_nan=False),
            "config_hash": config_hash,
            "state": "running",
            "created": created,
            "parent": None if parent is None else checked_name(parent),
        }
        with self._writing() as db:
            if db.execute(select(rounds.c.seq).where(rounds.c.round_id == round_id)).first():
                raise LedgerError(f"round {round_id} exists: go on with it by resume={round_id}, or begin another")
            add(db, rounds, row)

    def unfinished(self, config_hash: str) -> str | None:
        """The latest round of that configuration which is not finished, whether or not it runs now; None: none."""
        with self._reading() as db:
            found = rows(db, rounds, rounds.c.config_hash == config_hash, rounds.c.seq.desc())
        return next((row.round_id for row in found if row.state != "finished"), None)

    def own(self, round_id: str) -> None:
        """Makes this process the only one that runs the round, until `close` or its death, however it dies.

        Raises:
            LedgerError: where another process, or another ledger of this one, runs it; with its process id.
        """
        path = self.folder(round_id) / ".lock"
        with self._guard:
            if round_id in self._locks:
                return
            self._locks[round_id] = take(path, f"round {round_id}")
        with self._writing() as db:
            change(db, rounds, (rounds.c.round_id == round_id) & (rounds.c.state == "interrupted"), state="running")

    def running(self, round_id: str) -> bool:
        """Whether a process, this one included, runs the round now: `state` cannot know of a kill."""
        return held(self.folder(round_id) / ".lock")

    def interrupt(self, round_id: str) -> None:
        """Notes that the round was stopped; it can be gone on with. A finished round stays finished."""
        with self._writing() as db:
            known_round(db, round_id)
            change(db, rounds, (rounds.c.round_id == round_id) & (rounds.c.state == "running"), state="interrupted")

    def frozen(self, round_id: str) -> dict[str, Any]:
        """The configuration on which the round runs, whatever the files say by now; keys in their first order."""
        with self._reading() as db:
            config: dict[str, Any] = json.loads(known_round(db, round_id).config_json)
        return config

    def conclude(self, round_id: str, record_json: str, digest: str, finished: str) -> None:
        """Stores the round's record and closes the round. The same record again changes nothing.

        Raises:
            LedgerError: where the text is no record, or the round was concluded with another digest.

        Playbook: J13
        """
        try:
            verdict = json.loads(record_json)["verdict"]
            outcome, gain = verdict["outcome"], verdict.get("gain")
            generation = verdict["incumbent"]["generation"]
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"what should be the record of round {round_id} is none: {error!r}") from None
        with self._writing() as db:
            row = known_round(db, round_id)
            if row.state == "finished":
                if row.digest == digest:
                    return
                raise LedgerError(f"round {round_id} is finished with digest {row.digest[:12]}: begin a new round")
            change(
                db,
                rounds,
                rounds.c.round_id == round_id,
                state="finished",
                record_json=record_json,
                record_seal=seal_of(record_json.encode()),
                digest=digest,
                finished=finished,
                outcome=outcome,
                gain=gain,
                generation=generation,
            )

    def record(self, round_id: str) -> str | None:
        """The text of the round's record; None while it is not concluded, or where there is no such round."""
        with self._reading() as db:
            found = rows(db, rounds, rounds.c.round_id == checked_name(round_id), large=True)
            text: str | None = found[0].record_json if found else None
            if text is not None and seal_of(text.encode()) != found[0].record_seal:
                raise Damage(f"the record of round {round_id}")
        return text

    def rounds(self, workload: str | None = None) -> list[Summary]:
        """Every round, or those of one workload; the one begun last comes first."""
        with self._reading() as db:
            found = rows(db, rounds, true(), rounds.c.seq.desc())
        mine = [row._mapping for row in found if workload in (None, row.workload)]
        return [Summary(**{name: row[name] for name in Summary.__dataclass_fields__}) for row in mine]

    def concluded_goals(self, workload: str, generation: int) -> set[str]:
        """The goals that were answered (promote or keep) against that generation of the workload's incumbent."""
        answered = [r for r in self.rounds(workload) if r.outcome in ("promote", "keep")]
        return {r.goal for r in answered if r.generation == generation}

    def note_projection(self, round_id: str, key: str, run_id: str) -> None:
        """Remembers the MLflow run of `key` (a trial's id, or a name of the caller's); the last one wins."""
        checked_name(round_id)
        here = (projections.c.round_id == round_id) & (projections.c.key == key)
        with self._writing() as db:
            if not change(db, projections, here, mlflow_run_id=run_id):
                add(db, projections, {"round_id": round_id, "key": key, "mlflow_run_id": run_id})

    def projections(self, round_id: str) -> dict[str, str]:
        """MLflow run ids by key."""
        with self._reading() as db:
            found = rows(db, projections, projections.c.round_id == round_id, projections.c.key)
        return {row.key: row.mlflow_run_id for row in found}


def known_round(db: Connection, round_id: str) -> Row[Any]:
    """The row of a round.

    Raises:
        LedgerError: where there is none.
    """
    found = rows(db, rounds, rounds.c.round_id == checked_name(round_id))
    if not found:
        raise LedgerError(f"there is no round {round_id}; the command history lists those there are")
    return found[0]
