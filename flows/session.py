"""One round's place in the stores: its id, its frozen configuration, its folder, its lock. New, or gone on with."""

import re
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.compose import write_incumbent
from flows.config import RoundConfig, incumbent_file
from flows.fingerprint import (
    ANOTHER_ROUND,
    MIXED,
    Parts,
    difference_text,
    differing,
    fingerprint,
    key_of,
    same_training,
)
from flows.sentences import tell
from tasks.ledger import Ledger, open_ledger
from tasks.ledger.locks import alone
from tasks.record import hash_of
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.scope.roles import baseline_incumbent, check_point

_REMEMBERED = 100  # rounds of a workload that are looked through for retrains of its incumbent
_MIXED = "mixed "  # begins the ledger's notes of what a round was gone on with


@dataclass(frozen=True, kw_only=True)
class Session:
    """A round that has begun. `config` is frozen, and `parts` are what it began on: see `flows.fingerprint`."""

    round_id: str
    config: RoundConfig
    incumbent: Incumbent
    ledger: Ledger
    folder: Path
    created: str
    resumed: bool
    parent: str | None
    parts: Parts

    def caveats(self) -> tuple[str, ...]:
        """What the verdict must not be read without: the parts of which not all trials had the same.

        They are those that differed whenever the round was gone on with, and those that differ now from its beginning.
        """
        now = differing(self.parts, fingerprint(self.config))
        notes = [key for key in self.ledger.projections(self.round_id) if key.startswith(_MIXED)]
        texts = dict.fromkeys([*(note.removeprefix(_MIXED) for note in notes), *_mixed(now)])
        return tuple(f"Trials of this round ran on two different {text}: they may not be comparable." for text in texts)

    def mixed(self) -> tuple[str, ...]:
        """The caveats with which nothing is promoted: all but those of a folder, which may be the trials' own cache."""
        return tuple(caveat for caveat in self.caveats() if MIXED["folders"] not in caveat)


def open_session(stack: ExitStack, config: RoundConfig) -> Session:
    """The session of an unfinished round of the same configuration, code and data, or of a new one.

    Raises:
        InputError: `resume=` names a round that is not there, has ended, or began on others.
        LedgerError: another process runs it.

    Playbook: B1, J12
    """
    ledger = stack.enter_context(open_ledger(config.root))
    now = fingerprint(config)
    with alone(config.root / "begin.lock"):  # of two commands at once, the second finds what the first began
        round_id = named_round(ledger, config, now) if config.resume else _unfinished(ledger, config, now)
        if round_id is None:
            return _new(ledger, config, now)
        ledger.own(round_id)
    frozen = ledger.frozen(round_id)
    _note_difference(ledger, round_id, differing(frozen["fingerprint"], now))
    return Session(
        round_id=round_id,
        config=config,
        incumbent=Incumbent.model_validate(frozen["incumbent"]),
        ledger=ledger,
        folder=config.root / "records" / round_id,
        created=frozen["created"],
        resumed=True,
        parent=frozen["parent"],
        parts=frozen["fingerprint"],
    )


def _new(ledger: Ledger, config: RoundConfig, parts: Parts) -> Session:
    now, key = datetime.now(UTC), key_of(parts)
    incumbent = _settled(ledger, config)
    created = now.isoformat(timespec="seconds")
    round_id = f"{_label(config.goal.name)}-{now:%Y%m%d-%H%M%S}-{hash_of([key, now.isoformat()], 4)}"
    parent = next((r.round_id for r in ledger.rounds(config.workload.name) if r.state == "finished"), None)
    frozen = {
        "incumbent": incumbent.model_dump(mode="json"),
        "created": created,
        "parent": parent,
        "config": config.model_dump(mode="json"),
        "fingerprint": parts,
        "kept": _kept(ledger, config, parts),
    }
    ledger.own(round_id)  # before it can be seen: nobody else may go on with it
    ledger.begin(round_id, config.workload.name, config.goal.name, frozen, key, created, parent)
    folder = config.root / "records" / round_id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Session(
        round_id=round_id,
        config=config,
        incumbent=incumbent,
        ledger=ledger,
        folder=folder,
        created=created,
        resumed=False,
        parent=parent,
        parts=parts,
    )


def _kept(ledger: Ledger, config: RoundConfig, now: Parts) -> list[str]:
    """The rounds that ended by now and whose retrains count again: nothing that a trial sees was otherwise (G6).

    They are frozen with the round: whatever ends while it runs, gone on with it sees the same.
    """
    ended = [r.round_id for r in ledger.rounds(config.workload.name) if r.state == "finished"][:_REMEMBERED]
    return [
        round_id
        for round_id in reversed(ended)
        if same_training(ledger.frozen(round_id).get("fingerprint", {}), now)
        and not any(key.startswith(_MIXED) for key in ledger.projections(round_id))
    ]


def _unfinished(ledger: Ledger, config: RoundConfig, now: Parts) -> str | None:
    """The round that the same command goes on with. Where there is none, the one that comes nearest is spoken of."""
    found = ledger.unfinished(key_of(now))
    if found is None and (others := _others(ledger, config, now)):
        tell(min(others)[-1])
    return found


def _others(ledger: Ledger, config: RoundConfig, now: Parts) -> list[tuple[int, int, str]]:
    """The unfinished rounds of the same goal: how many parts differ, how long ago they began, a sentence of each."""
    said = []
    for age, row in enumerate(ledger.rounds(config.workload.name)):
        if row.goal == config.goal.name and row.state != "finished" and not ledger.running(row.round_id):
            difference = differing(ledger.frozen(row.round_id).get("fingerprint", {}), now)
            regardless = "" if difference.keys() & ANOTHER_ROUND else f"; resume={row.round_id} goes on with it"
            sentence = f"a new round begins: {row.round_id} is unfinished, but {difference_text(difference)}"
            said.append((len(difference), age, sentence + regardless))
    return said


def named_round(ledger: Ledger, config: RoundConfig, now: Parts) -> str:
    """The round that `resume=` names, if it is of this configuration, code and data, and has not ended.

    Raises:
        InputError: it is not there, has ended, or began on others.
    """
    known = {r.round_id: r for r in ledger.rounds(config.workload.name)}
    found = known.get(str(config.resume))
    if found is None:
        raise _no_round(config)
    if found.state == "finished":
        raise InputError(f"resume: round {config.resume} has ended; leave resume out to start a new one.")
    difference = differing(ledger.frozen(found.round_id).get("fingerprint", {}), now)
    if others := {part: names for part, names in difference.items() if part in ANOTHER_ROUND}:
        raise InputError(
            f"resume: round {config.resume} began on another configuration, other code or other data "
            f"({difference_text(others)}); give it those, or leave resume out to start a new round."
        )
    return found.round_id


def _no_round(config: RoundConfig) -> InputError:
    return InputError(f"resume: no round {config.resume!r} of workload {config.workload.name}; see flows.history.")


def _note_difference(ledger: Ledger, round_id: str, difference: Mapping[str, str]) -> None:
    """Warn of what the trials of a round will not have in common, and note it for its verdict."""
    if difference:
        tell(f"warning: {difference_text(difference)} from when it began: its verdict will say so")
    for text in _mixed(difference):
        ledger.note_projection(round_id, f"{_MIXED}{text}", round_id)


def _mixed(difference: Mapping[str, str]) -> list[str]:
    return [f"{MIXED[part]} ({names[:200]})" for part, names in difference.items()]  # a note has 256 characters


def _label(name: str) -> str:
    """A part of a folder's name; a goal's own name may hold anything."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:32] or "round"


def looked_up(config: RoundConfig) -> Incumbent:
    """What is promoted now. Nothing is written: where there is no store, none is made.

    Raises:
        InputError: as `incumbent_now` and, where `resume=` names a round, `named_round`.
    """
    if not (config.root / "ledger.db").exists():
        if config.resume:
            raise _no_round(config)
        return incumbent_now(None, config)
    with closing(open_ledger(config.root)) as ledger:
        if config.resume:
            named_round(ledger, config, fingerprint(config))
        return incumbent_now(ledger, config)


def incumbent_now(ledger: Ledger | None, config: RoundConfig) -> Incumbent:
    """What is promoted now: the newest of the ledger's generations and the promoted YAML, else the baseline.

    Raises:
        InputError: the YAML is not the ledger's, or has what the round has not.
    """
    name = config.workload.name
    stored = ledger.incumbent(name) if ledger else None
    if config.promoted is not None and (stored is None or config.promoted.generation > stored.generation):
        known = {*config.space.names, *config.workload.baseline, *config.goal.scientific}
        stranger = next((p for p in config.promoted.point if p not in known), None)
        if stranger is not None:
            raise InputError(
                f"incumbent/{name}.yaml: {stranger!r} is no hyperparameter of the space or of the workload's baseline; "
                "correct or remove the file."
            )
        check_point(config.space, config.promoted.point, f"incumbent/{name}.yaml")
        return config.promoted
    if stored is None:
        return baseline_incumbent(config.workload, config.space)
    if config.promoted and config.promoted.generation == stored.generation and config.promoted.point != stored.point:
        raise InputError(
            f"incumbent/{name}.yaml: its generation {stored.generation} is not the ledger's; to promote it by hand "
            f"give it generation {stored.generation + 1}, or remove it to have the ledger's written again."
        )
    return Incumbent(generation=stored.generation, point=stored.point, source=stored.source)


def _settled(ledger: Ledger, config: RoundConfig) -> Incumbent:
    """What is promoted now, in both places.

    A YAML that is ahead was promoted in another clone and is taken over; one that is behind is written again.
    """
    name, incumbent = config.workload.name, incumbent_now(ledger, config)
    if incumbent is config.promoted:
        ledger.adopt(name, incumbent.generation, dict(incumbent.point), incumbent.source)
    elif incumbent.generation > (config.promoted.generation if config.promoted else 0):
        stored = ledger.incumbent(name)
        by = stored.round_id if stored and stored.generation == incumbent.generation else None
        write_incumbent(incumbent_file(config.root, name), incumbent, {"promoted by round": by or "-"})
    return incumbent
