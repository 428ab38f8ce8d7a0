"""One round's place in the stores: its id, its frozen configuration, its folder, its lock. New, or gone on with."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.compose import write_incumbent
from flows.config import RoundConfig, incumbent_file
from flows.provenance import code_hash
from tasks.ledger import Ledger, open_ledger
from tasks.record import hash_of
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.scope.roles import baseline_incumbent, check_point
from tasks.trials.command_check import program_files

_AFFECTS = ("workload", "goal", "space", "budget", "policy", "seed", "sampler", "acknowledge", "notes", "config_dir")


@dataclass(frozen=True, kw_only=True)
class Session:
    """A round that has begun. `config` is frozen: after an interruption it is the one that the round began with."""

    round_id: str
    config: RoundConfig
    incumbent: Incumbent
    ledger: Ledger
    folder: Path
    created: str
    resumed: bool
    parent: str | None


def open_session(stack: ExitStack, config: RoundConfig) -> Session:
    """The session of an unfinished round of the same configuration, or of a new one.

    Raises:
        InputError: `resume=` names a round that is not there, has ended, or had another configuration.

    Playbook: B1, J12
    """
    ledger = stack.enter_context(open_ledger(config.root))
    key = _key(config)
    round_id = named_round(ledger, config) if config.resume else ledger.unfinished(key)
    if round_id is not None:
        ledger.own(round_id)
        frozen = ledger.frozen(round_id)
        return Session(
            round_id=round_id,
            config=config,
            incumbent=Incumbent.model_validate(frozen["incumbent"]),
            ledger=ledger,
            folder=config.root / "records" / round_id,
            created=frozen["created"],
            resumed=True,
            parent=frozen["parent"],
        )
    return _new(ledger, config, key)


def _new(ledger: Ledger, config: RoundConfig, key: str) -> Session:
    now = datetime.now(UTC)
    incumbent = incumbent_now(ledger, config)
    created = now.isoformat(timespec="seconds")
    round_id = f"{_label(config.goal.name)}-{now:%Y%m%d-%H%M%S}-{hash_of([key, now.isoformat()], 4)}"
    parent = next((r.round_id for r in ledger.rounds(config.workload.name) if r.state == "finished"), None)
    frozen = {
        "key": key,
        "incumbent": incumbent.model_dump(mode="json"),
        "created": created,
        "parent": parent,
        "config": config.model_dump(mode="json"),
    }
    ledger.own(round_id)  # before it can be seen: nobody else may go on with it
    ledger.begin(round_id, config.workload.name, config.goal.name, frozen, key, created, parent)
    folder = config.root / "records" / round_id
    folder.mkdir(parents=True, exist_ok=True)
    return Session(
        round_id=round_id,
        config=config,
        incumbent=incumbent,
        ledger=ledger,
        folder=folder,
        created=created,
        resumed=False,
        parent=parent,
    )


def _key(config: RoundConfig) -> str:
    """What tells two rounds apart: configuration and code. How many trials run at once, and who watches, does not.

    A round never goes on with other code than it began with; the same command then starts a new one.
    """
    code = code_hash(config.config_dir, program_files(config.workload, config.config_dir))
    return hash_of([config.model_dump(mode="json", include=set(_AFFECTS)), code])


def named_round(ledger: Ledger, config: RoundConfig) -> str:
    """The round that `resume=` names, if it is this configuration's and has not ended.

    Raises:
        InputError: it is not there, has ended, or began with another configuration.
    """
    known = {r.round_id: r for r in ledger.rounds(config.workload.name)}
    found = known.get(str(config.resume))
    if found is None:
        raise InputError(f"resume: no round {config.resume!r} of workload {config.workload.name}; see flows.history.")
    if found.state == "finished":
        raise InputError(f"resume: round {config.resume} has ended; leave resume out to start a new one.")
    if ledger.frozen(found.round_id)["key"] != _key(config):
        raise InputError(
            f"resume: round {config.resume} began with another configuration or other code "
            f"({_difference(ledger, config)}); give it that one, or leave resume out to start a new round."
        )
    return found.round_id


def _difference(ledger: Ledger, config: RoundConfig) -> str:
    before = ledger.frozen(str(config.resume))["config"]
    now = config.model_dump(mode="json")
    changed = [k for k in _AFFECTS if before.get(k) != now.get(k)]
    return f"{', '.join(changed)} differ" if changed else "the code differs"


def _label(name: str) -> str:
    """A part of a folder's name; a goal's own name may hold anything."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:32] or "round"


def incumbent_now(ledger: Ledger, config: RoundConfig) -> Incumbent:
    """What is promoted now: the newest of the ledger's generations and the promoted YAML, else the baseline.

    A YAML that is ahead was promoted in another clone and is taken over; one that is behind is written again.
    """
    name = config.workload.name
    stored = ledger.incumbent(name)
    if config.promoted is not None and (stored is None or config.promoted.generation > stored.generation):
        known = {*config.space.names, *config.workload.baseline, *config.goal.scientific}
        stranger = next((p for p in config.promoted.point if p not in known), None)
        if stranger is not None:
            raise InputError(
                f"incumbent/{name}.yaml: {stranger!r} is no hyperparameter of the space or of the workload's baseline; "
                "correct or remove the file."
            )
        check_point(config.space, config.promoted.point, f"incumbent/{name}.yaml")
        ledger.adopt(name, config.promoted.generation, dict(config.promoted.point), config.promoted.source)
        return config.promoted
    if stored is None:
        return baseline_incumbent(config.workload, config.space)
    incumbent = Incumbent(generation=stored.generation, point=stored.point, source=stored.source)
    if config.promoted and config.promoted.generation == stored.generation and config.promoted.point != stored.point:
        raise InputError(
            f"incumbent/{name}.yaml: its generation {stored.generation} is not the ledger's; to promote it by hand "
            f"give it generation {stored.generation + 1}, or remove it to have the ledger's written again."
        )
    if config.promoted is None or config.promoted.generation < stored.generation:
        write_incumbent(incumbent_file(config.root, name), incumbent, {"promoted by round": stored.round_id or "-"})
    return incumbent
