"""Which round a command resumes: the unfinished one with the same fingerprint, or the one that `resume=` names."""

from collections.abc import Mapping
from typing import Any

from flows.compose.called import program
from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.session.promoted_settings import with_settings
from flows.session.provenance.fingerprint import (
    ANOTHER_ROUND,
    Parts,
    difference_text,
    differing,
    fingerprint,
    key_of,
    mixed_parts,
)
from tasks.ledger import Ledger
from tasks.record import SCHEMA
from tasks.scope.error import InputError


def unfinished_round(ledger: Ledger, config: RoundConfig, now: Parts) -> str | None:
    """The round that the same command goes on with. Where there is none, the one that comes nearest is spoken of."""
    found = ledger.unfinished(key_of(now))
    if found is None and (others := _others(ledger, config)):
        tell(min(others)[-1])
    return found


def resumable_round(ledger: Ledger, config: RoundConfig) -> str | None:
    """The round that the same command goes on with; nothing is said, and nothing hashed where none is unfinished."""
    waiting = any(r.goal == config.goal.name and r.state != "finished" for r in ledger.rounds(config.workload.name))
    return ledger.unfinished(key_of(fingerprint(config))) if waiting else None


def _others(ledger: Ledger, config: RoundConfig) -> list[tuple[int, int, str]]:
    """The unfinished rounds of the same goal: how many parts differ, how long ago they began, a sentence of each."""
    said = []
    for age, row in enumerate(ledger.rounds(config.workload.name)):
        if row.goal == config.goal.name and row.state != "finished" and not ledger.running(row.round_id):
            frozen = ledger.frozen(row.round_id)
            if older := of_another_version(frozen):
                said.append((0, age, f"a new round begins: {row.round_id} is unfinished, but {older}"))
                continue
            difference = differing(frozen["fingerprint"], parts_under(config, frozen))
            regardless = "" if difference.keys() & ANOTHER_ROUND else f"; resume={row.round_id} goes on with it"
            sentence = f"a new round begins: {row.round_id} is unfinished, but {difference_text(difference)}"
            said.append((len(difference), age, sentence + regardless))
    return said


def parts_under(config: RoundConfig, frozen: Mapping[str, Any]) -> Parts:
    """What a round would run on now, with the promoted settings that counted when it began."""
    return fingerprint(with_settings(config, frozen["incumbent"].get("settings", {})))


def of_another_version(frozen: Mapping[str, Any]) -> str:
    """Why this program cannot resume the round: the program that began it writes other records; "" where it can."""
    schema = frozen.get("schema", 1)
    if schema == SCHEMA:
        return ""
    parts = frozen.get("fingerprint", {})
    commit = parts.get("tunebook", parts.get("git", {})).get("commit", "")
    return (
        f"a tunebook that writes records of schema {schema} began it{f' (commit {commit[:12]})' if commit else ''}, "
        f"and this one writes schema {SCHEMA}: finish it with that version, or begin anew"
    )


def named_round(ledger: Ledger, config: RoundConfig) -> str:
    """The round that `resume=` names, if it is of this configuration, code and data, and has not ended.

    Raises:
        InputError: it is not there, has ended, began on others, or another version of this program began it.
    """
    known = {r.round_id: r for r in ledger.rounds(config.workload.name)}
    found = known.get(str(config.resume))
    if found is None:
        raise no_round(config)
    if found.state == "finished":
        raise InputError(f"resume: round {config.resume} has ended; leave resume out to start a new one.")
    frozen = ledger.frozen(found.round_id)
    if older := of_another_version(frozen):
        raise InputError(f"resume: round {config.resume} cannot be resumed: {older} without resume=.")
    difference = differing(frozen["fingerprint"], parts_under(config, frozen))
    if others := {part: names for part, names in difference.items() if part in ANOTHER_ROUND}:
        raise InputError(
            f"resume: round {config.resume} began on another configuration, other code or other data "
            f"({difference_text(others)}); give it those, or leave resume out to start a new round."
        )
    return found.round_id


def no_round(config: RoundConfig) -> InputError:
    """What is said of a `resume=` that names none of the workload's rounds."""
    there = f"{program('history')} lists those there are"
    return InputError(f"resume: no round {config.resume!r} of workload {config.workload.name}; {there}.")


def note_difference(ledger: Ledger, round_id: str, difference: Mapping[str, str]) -> None:
    """Warn of what the trials of a round will not have in common, and note it for its verdict."""
    if difference:
        tell(f"warning: {difference_text(difference)} from when it began: its verdict will say so")
    for text in mixed_parts(difference):
        ledger.note(round_id, "mixed", text)
