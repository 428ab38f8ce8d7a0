"""Trials: planned once with their points, run in attempts, each result accepted once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from tasks.ledger.error import LedgerError
from tasks.ledger.locks import me
from tasks.ledger.rounds import known_round
from tasks.ledger.store import Store
from tasks.ledger.tables import attempts, trials
from tasks.record import canonical


class Trials(Store):
    """What is asked of the ledger about trials."""

    def plan(self, round_id: str, planned: Sequence[Mapping[str, Any]]) -> None:
        """Stores the trials with their points, seeds and places before any of them runs; those stored stay.

        Each of `planned` has `id`, `study`, `purpose`, `index`, `point` and `seed`, and may have more.

        Raises:
            LedgerError: where a stored plan of the same id differs, or the round is unknown or finished.

        Playbook: D16
        """
        with self._writing() as db:
            _running_round(db, round_id)
            query = select(trials.c.trial_id, trials.c.planned_json).where(trials.c.round_id == round_id)
            stored = {row.trial_id: json.loads(row.planned_json) for row in db.execute(query)}
            for trial in planned:
                if trial["id"] not in stored:
                    db.execute(trials.insert().values(_planned_row(round_id, trial)))
                    stored[trial["id"]] = json.loads(json.dumps(dict(trial)))
                elif (key := _difference(stored[trial["id"]], trial)) is not None:
                    raise LedgerError(
                        f"trial {trial['id']} of round {round_id} is stored with another {key} "
                        f"({stored[trial['id']].get(key)!r}, not {trial.get(key)!r}): begin a new round"
                    )

    def planned(self, round_id: str) -> list[dict[str, Any]]:
        """Every stored plan of the round, ordered by purpose, study and index.

        Playbook: D16
        """
        return self._plans(round_id)

    def pending(self, round_id: str) -> list[dict[str, Any]]:
        """The plans whose trials have no accepted result, in the same order: what is left to run."""
        return self._plans(round_id, trials.c.state != "done")

    def start(self, round_id: str, trial_id: str) -> int:
        """The number of a new attempt, from 1. From now on the trial is this attempt's: no earlier one may end it.

        Raises:
            LedgerError: where the trial was not planned, has its result, or the round is finished.
        """
        with self._writing() as db:
            _running_round(db, round_id)
            row = _known_trial(db, round_id, trial_id)
            if row.state == "done":
                raise LedgerError(f"trial {trial_id} of round {round_id} has its result: nothing runs twice")
            number = int(row.attempt) + 1
            db.execute(trials.update().where(_is(round_id, trial_id)).values(state="running", attempt=number))
            db.execute(
                attempts.insert().values(
                    round_id=round_id, trial_id=trial_id, attempt=number, started=_now(), owner=me()
                )
            )
        return number

    def finish(self, round_id: str, trial_id: str, attempt: int, result: Mapping[str, Any], curve: bytes) -> bool:
        """Whether the result was accepted: only from the attempt that holds the trial, only once, and never by a
        finished round.

        Raises:
            LedgerError: where the trial was not planned: a result without a record enters no analysis.

        Playbook: J14
        """
        said = json.dumps(dict(result), allow_nan=False)
        with self._writing() as db:
            row = _known_trial(db, round_id, trial_id)
            open_still = known_round(db, round_id).state != "finished"
            accepted = bool(open_still and row.state == "running" and row.attempt == attempt)
            if accepted:
                done = {"state": "done", "result_json": said, "curve": curve, "seal": _seal(said, curve)}
                db.execute(trials.update().where(_is(round_id, trial_id)).values(done))
            this = (attempts.c.round_id == round_id) & (attempts.c.trial_id == trial_id)
            this &= (attempts.c.attempt == attempt) & attempts.c.accepted.is_(None)
            db.execute(attempts.update().where(this).values(ended=_now(), accepted=accepted))
        return accepted

    def results(self, round_id: str) -> dict[str, tuple[dict[str, Any], bytes]]:
        """`(result, curve)` of every trial that is done, by id; in the order of `planned`, not of completion.

        Raises:
            LedgerError: where a stored result is not what was accepted.

        Playbook: J14
        """
        query = select(trials.c.trial_id, trials.c.result_json, trials.c.curve, trials.c.seal)
        with self._reading() as db:
            known_round(db, round_id)
            rows = db.execute(_in_order(query.where(trials.c.round_id == round_id, trials.c.state == "done"))).all()
        for row in rows:
            if _seal(row.result_json, row.curve) != row.seal:
                raise LedgerError(
                    f"the stored result of trial {row.trial_id} of round {round_id} was damaged: restore {self._name}"
                )
        return {row.trial_id: (json.loads(row.result_json), bytes(row.curve)) for row in rows}

    def attempts(self, round_id: str) -> dict[str, int]:
        """How many attempts each trial has had, by id; more than one is work that was cut off."""
        query = select(trials.c.trial_id, trials.c.attempt).where(trials.c.round_id == round_id)
        with self._reading() as db:
            return {row.trial_id: row.attempt for row in db.execute(_in_order(query))}

    def _plans(self, round_id: str, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
        query = select(trials.c.planned_json).where(trials.c.round_id == round_id, *conditions)
        with self._reading() as db:
            known_round(db, round_id)
            return [json.loads(text) for text in db.execute(_in_order(query)).scalars()]


def _running_round(db: Connection, round_id: str) -> None:
    if known_round(db, round_id).state == "finished":
        raise LedgerError(f"round {round_id} is finished and stays as it is: begin a new round")


def _known_trial(db: Connection, round_id: str, trial_id: str) -> Row[Any]:
    row = db.execute(select(trials.c.state, trials.c.attempt).where(_is(round_id, trial_id))).first()
    if row is None:
        raise LedgerError(f"trial {trial_id} was never planned in round {round_id}: what has no record does not count")
    return row


def _is(round_id: str, trial_id: str) -> ColumnElement[bool]:
    return (trials.c.round_id == round_id) & (trials.c.trial_id == trial_id)


def _in_order(query: Select[Any]) -> Select[Any]:
    return query.order_by(trials.c.purpose, trials.c.study, trials.c.idx, trials.c.trial_id)


def _planned_row(round_id: str, trial: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "round_id": round_id,
        "trial_id": trial["id"],
        "purpose": trial["purpose"],
        "study": trial["study"],
        "idx": trial["index"],
        "planned_json": json.dumps(dict(trial), allow_nan=False),
        "state": "pending",
        "attempt": 0,
    }


def _difference(stored: Mapping[str, Any], said: Mapping[str, Any]) -> str | None:
    """The first key whose text differs, None where there is none: 1, 1.0 and true are three values."""
    keys = sorted(set(stored) | set(said))
    return next((k for k in keys if canonical(stored.get(k)) != canonical(said.get(k))), None)


def _seal(said: str, curve: bytes) -> str:
    return hashlib.sha256(said.encode() + b"\0" + curve).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
