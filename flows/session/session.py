"""A round is begun or resumed: its id, frozen configuration, folder and lock."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.session.incumbent import settled
from flows.session.promoted_settings import settled_config
from flows.session.provenance.changes import since_steps_were_settled
from flows.session.provenance.fingerprint import (
    MIXED,
    Parts,
    differing,
    fingerprint,
    key_of,
    mixed_parts,
)
from flows.session.provenance.kept import rounds_kept
from flows.session.resume import named_round, note_difference, unfinished_round
from tasks.ledger import Ledger, open_ledger
from tasks.ledger.locks import alone
from tasks.record import SCHEMA, hash_of
from tasks.scope.goal import Incumbent


@dataclass(frozen=True, kw_only=True)
class Session:
    """A round that has begun. `config` is frozen, and `parts` are what it began on: see `fingerprint`."""

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
        texts = dict.fromkeys([*self.ledger.notes(self.round_id, "mixed"), *mixed_parts(now)])
        return tuple(f"Trials of this round ran on two different {text}: they may not be comparable." for text in texts)

    def changed(self) -> tuple[str, ...]:
        """What asks to check the number of steps again, as it stood when the round began.

        Playbook: H5
        """
        told = self.ledger.frozen(self.round_id).get("changed", "")
        return (told,) if told else ()

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
    with alone(config.root / "begin.lock"):  # of two commands at once, the second finds what the first began
        plain = fingerprint(config)
        round_id = named_round(ledger, config) if config.resume else unfinished_round(ledger, config, plain)
        if round_id is None:
            return _new(ledger, config, plain)
        ledger.own(round_id)
    frozen = ledger.frozen(round_id)
    incumbent = Incumbent.model_validate(frozen["incumbent"])
    config = settled_config(config, incumbent)
    note_difference(
        ledger, round_id, differing(frozen["fingerprint"], fingerprint(config) if incumbent.settings else plain)
    )
    return Session(
        round_id=round_id,
        config=config,
        incumbent=incumbent,
        ledger=ledger,
        folder=config.root / "records" / round_id,
        created=frozen["created"],
        resumed=True,
        parent=frozen["parent"],
        parts=frozen["fingerprint"],
    )


def _new(ledger: Ledger, config: RoundConfig, plain: Parts) -> Session:
    """A new round, found again by what was asked (`plain`), whatever settings are promoted by then."""
    now, key = datetime.now(UTC), key_of(plain)
    incumbent = settled(ledger, config)
    config = settled_config(config, incumbent)
    parts = fingerprint(config) if incumbent.settings else plain
    created = now.isoformat(timespec="seconds")
    round_id = f"{_label(config.goal.name)}-{now:%Y%m%d-%H%M%S}-{hash_of([key, now.isoformat()], 4)}"
    parent = next((r.round_id for r in ledger.rounds(config.workload.name) if r.state == "finished"), None)
    frozen = {
        "schema": SCHEMA,
        "incumbent": incumbent.model_dump(mode="json"),
        "created": created,
        "parent": parent,
        "config": config.model_dump(mode="json"),
        "fingerprint": parts,
        "kept": rounds_kept(ledger, config.workload.name, parts),
        "changed": since_steps_were_settled(ledger, config, incumbent, parts),
    }
    if frozen["changed"]:
        tell(f"warning: {frozen['changed']}")
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


def _label(name: str) -> str:
    """A part of a folder's name; a goal's own name may hold anything."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:32] or "round"
