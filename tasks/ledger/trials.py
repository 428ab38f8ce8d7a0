"""Trials: planned once with their points, run in attempts, each result accepted once."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row

from tasks.ledger.error import Damage, LedgerError
from tasks.ledger.locks import me
from tasks.ledger.rounds import known_round
from tasks.ledger.seals import add, change, rows, seal_of
from tasks.ledger.store import Store
from tasks.ledger.tables import attempts, trials
from tasks.record import canonical

_ORDER = (trials.c.purpose, trials.c.study, trials.c.idx, trials.c.trial_id)


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
            stored = {r.trial_id: json.loads(r.planned_json) for r in rows(db, trials, trials.c.round_id == round_id)}
            for trial in planned:
                if trial["id"] not in stored:
                    add(db, trials, _planned_row(round_id, trial))
                    stored[trial["id"]] = json.loads(json.dumps(dict(trial)))
                elif (key := _difference(stored[trial["id"]], trial)) is not None:
                    raise LedgerError(
                        f"trial {trial['id']} of round {round_id} is stored with another {key} "
                        f"({stored[trial['id']].get(key)!r}, not {trial.get(key)!r}): begin a new round"
                    )

    def keep(self, round_id: str, planned: Sequence[Mapping[str, Any]]) -> None:
        """Stores trials that another round ran (`kept`: `round/trial`), done, each with its result as it is there.

        All of them or none: a kill leaves no trial that is kept and has no result. Those stored stay.

        Raises:
            LedgerError: where the other round has no result of a trial, or this round is unknown or finished.

        Playbook: E4
        """
        with self._writing() as db:
            _running_round(db, round_id)
            stored = {row.trial_id for row in rows(db, trials, trials.c.round_id == round_id)}
            for trial in (t for t in planned if t["id"] not in stored):
                there = rows(db, trials, _is(*str(trial["kept"]).split("/", 1)), large=True)
                if not there or there[0].state != "done":
                    raise LedgerError(f"trial {trial['kept']} has no result that could be kept: say keep=null")
                row = there[0]
                if seal_of(row.result_json.encode(), row.curve) != row.result_seal:
                    raise Damage(f"the result of trial {trial['kept']}")
                done = {"result_json": row.result_json, "curve": row.curve, "result_seal": row.result_seal}
                add(db, trials, _planned_row(round_id, trial) | done | {"state": "done"})

    def planned(self, round_id: str) -> list[dict[str, Any]]:
        """Every stored plan of the round, ordered by purpose, study and index.

        Playbook: D16
        """
        return self._plans(round_id, "pending", "running", "done")

    def pending(self, round_id: str) -> list[dict[str, Any]]:
        """The plans whose trials have no accepted result, in the same order: what is left to run."""
        return self._plans(round_id, "pending", "running")

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
            change(db, trials, _is(round_id, trial_id), state="running", attempt=number)
            said = {"round_id": round_id, "trial_id": trial_id, "attempt": number, "started": _now(), "owner": me()}
            add(db, attempts, said)
        return number

    def fail(self, round_id: str, trial_id: str, attempt: int, reason: str) -> None:
        """Notes that the attempt ended without an accepted result, and why: its trial can be started again.

        Only of the attempt that holds a running trial, and the first reason stands; anything else changes nothing.

        Raises:
            LedgerError: where the trial was not planned.

        Playbook: E10
        """
        with self._writing() as db:
            row = _known_trial(db, round_id, trial_id)
            if row.state == "running" and row.attempt == attempt:
                _end(db, round_id, trial_id, attempt, accepted=False, reason=reason)

    def failures(self, round_id: str, trial_id: str) -> list[str]:
        """Why earlier attempts at the trial failed, the first one first; of one that was cut off nobody knows."""
        here = (attempts.c.round_id == round_id) & (attempts.c.trial_id == trial_id)
        with self._reading() as db:
            found = rows(db, attempts, here, attempts.c.attempt)
        return [row.reason for row in found if row.reason is not None]

    def retries(self, round_id: str) -> int:
        """How many attempts failed in the whole round."""
        with self._reading() as db:
            return len(rows(db, attempts, (attempts.c.round_id == round_id) & attempts.c.reason.is_not(None)))

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
            holds = row.state == "running" and row.attempt == attempt
            accepted = holds and known_round(db, round_id).state != "finished"
            accepted = _end(db, round_id, trial_id, attempt, accepted=accepted) and accepted
            if accepted:
                done = {"result_json": said, "curve": curve, "result_seal": seal_of(said.encode(), curve)}
                change(db, trials, _is(round_id, trial_id), state="done", **done)
        return accepted

    def results(self, round_id: str) -> dict[str, tuple[dict[str, Any], bytes]]:
        """`(result, curve)` of every trial that is done, by id; in the order of `planned`, not of completion.

        Raises:
            LedgerError: where a stored result is not what was accepted.

        Playbook: J14
        """
        with self._reading() as db:
            known_round(db, round_id)
            every = rows(db, trials, trials.c.round_id == round_id, *_ORDER, large=True)
            found = [row for row in every if row.state == "done"]
            for row in found:
                if seal_of(row.result_json.encode(), row.curve) != row.result_seal:
                    raise Damage(f"the result of trial {row.trial_id} of round {round_id}")
        return {row.trial_id: (json.loads(row.result_json), bytes(row.curve)) for row in found}

    def attempts(self, round_id: str) -> dict[str, int]:
        """How many attempts each trial has had, by id; more than one is work that was cut off."""
        with self._reading() as db:
            return {row.trial_id: row.attempt for row in rows(db, trials, trials.c.round_id == round_id, *_ORDER)}

    def _plans(self, round_id: str, *states: str) -> list[dict[str, Any]]:
        """The plans of the trials in these states, in the order of `planned`."""
        with self._reading() as db:
            known_round(db, round_id)
            found = rows(db, trials, trials.c.round_id == round_id, *_ORDER)
        return [json.loads(row.planned_json) for row in found if row.state in states]


def _running_round(db: Connection, round_id: str) -> None:
    if known_round(db, round_id).state == "finished":
        raise LedgerError(f"round {round_id} is finished and stays as it is: begin a new round")


def _known_trial(db: Connection, round_id: str, trial_id: str) -> Row[Any]:
    found = rows(db, trials, _is(round_id, trial_id))
    if not found:
        raise LedgerError(f"trial {trial_id} was never planned in round {round_id}: what has no record does not count")
    return found[0]


def _end(
    db: Connection, round_id: str, trial_id: str, attempt: int, *, accepted: bool, reason: str | None = None
) -> bool:
    """Whether the attempt had not ended before: it ends once."""
    this = (attempts.c.round_id == round_id) & (attempts.c.trial_id == trial_id) & (attempts.c.attempt == attempt)
    if any(row.ended is None for row in rows(db, attempts, this)):
        return bool(change(db, attempts, this, ended=_now(), accepted=accepted, reason=reason))
    return False


def _is(round_id: str, trial_id: str) -> ColumnElement[bool]:
    return (trials.c.round_id == round_id) & (trials.c.trial_id == trial_id)


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
