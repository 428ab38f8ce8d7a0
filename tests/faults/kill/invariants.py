"""What must hold of a reference round after every injected fault: the invariants I1 to I12 of the fault model.

The store is read past the code that wrote it: its database by SQL, its files by their names and hashes.
"""

import fcntl
import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tasks.record import Record, digest
from tests.faults.kill.reference_round import FILES, SAVED, STEPS, filled
from tests.processes.lanes import Ended


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the uninterrupted round came to: its digest, its design, and the reports of each trial, byte by byte."""

    digest: str
    design: tuple[str, dict[str, str]]
    curves: dict[str, bytes]

    @classmethod
    def of(cls, store: Path) -> "Expected":
        """Of a store in which the round ran undisturbed."""
        found = Found(store, 0)
        curves = {t: found.reports(t) for t in found.trials}
        return cls(digest=found.record.digest, design=found.design, curves=curves)


class Found:
    """A store after faults, as anybody may read it. `kills`: how many running trials these may have cut off."""

    def __init__(self, store: Path, kills: int) -> None:
        self.store, self.kills = store, kills

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of the ledger, by table."""
        names = ("rounds", "trials", "attempts", "generations")
        with closing(sqlite3.connect(f"file:{self.store / 'ledger.db'}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return {name: [dict(row) for row in db.execute(f"select * from {name}")] for name in names}

    @cached_property
    def trials(self) -> dict[str, dict[str, Any]]:
        """The ledger's rows of trials, by id."""
        return {row["trial_id"]: row for row in self.tables["trials"]}

    @cached_property
    def folder(self) -> Path:
        """The folder of the only round."""
        (round_,) = self.tables["rounds"]
        return self.store / "records" / str(round_["round_id"])

    @property
    def design(self) -> tuple[str, dict[str, str]]:
        """The hash of the configuration and code on which the only round began, and the plan of each trial."""
        (round_,) = self.tables["rounds"]
        return round_["config_hash"], {t: row["planned_json"] for t, row in self.trials.items()}

    @cached_property
    def record(self) -> Record:
        """The round's record, from its file."""
        return Record.model_validate_json((self.folder / "record.json").read_text())

    def reports(self, trial: str) -> bytes:
        """What a trial reported, as it stands in its folder."""
        return (self.folder / "trials" / trial / "reports.jsonl").read_bytes()

    def steps(self, trial: str) -> list[int]:
        """The steps that a trial did, in order, over all its attempts."""
        return [int(line) for line in (self.folder / "trials" / trial / "work" / "done.txt").read_text().split()]


def violations(
    store: Path, expected: Expected, kills: int, last: Ended | None = None, left: Sequence[str] = ()
) -> list[str]:
    """Everything that does not hold, a sentence each with its invariant; `last`: how the last command ended."""
    found = Found(store, kills)
    if (rounds := len(found.tables["rounds"]) if (store / "ledger.db").exists() else 0) != 1:
        return [*_ends(last), f"I2: {rounds} rounds"]
    said = [*_ends(last), *(f"I9: a process is left: {process}" for process in left)]
    for law in LAWS:
        try:
            said.extend(f"{law.__name__.upper()}: {what}" for what in law(found, expected))
        except Exception as error:
            said.append(f"{law.__name__.upper()}: cannot be asked: {error!r}")
    return said


def _ends(last: Ended | None) -> Iterator[str]:
    """I8, I12: it comes to its end, and says nothing that only its authors understand."""
    if last is None:
        return
    if last.code is None:
        yield f"I8: not done after {last.seconds:.0f} s"
    elif last.code:
        yield f"I8: ended with {last.code}: {last.said[-300:]}"
    if "Traceback" in last.said:
        yield f"I12: a traceback: {last.said[-300:]}"


def i1(found: Found, expected: Expected) -> Iterator[str]:
    """No trial is lost: all that were designed have ended, and are in the record."""
    for lost in sorted(set(expected.curves) - set(found.trials)):
        yield f"trial {lost} is lost"
    for row in found.tables["trials"]:
        if row["state"] != "done":
            yield f"trial {row['trial_id']} is {row['state']}"
    if {t.id for t in found.record.trials} != set(expected.curves):
        yield "the record has other trials"


def i2(found: Found, expected: Expected) -> Iterator[str]:
    """Nothing is there twice: one accepted result of each trial, beside the one round."""
    for extra in sorted(set(found.trials) - set(expected.curves)):
        yield f"trial {extra} was never designed"
    for trial in found.trials:
        accepted = [a for a in found.tables["attempts"] if a["trial_id"] == trial and a["accepted"]]
        if len(accepted) != 1:
            yield f"trial {trial} has {len(accepted)} accepted results"
    if len({t.id for t in found.record.trials}) != len(found.record.trials):
        yield "a trial stands twice in the record"


def i3(found: Found, expected: Expected) -> Iterator[str]:
    """The same verdict, from the same curves: to the last bit."""
    (round_,) = found.tables["rounds"]
    for what, said in (("record", found.record.digest), ("ledger", round_["digest"]), ("hash", digest(found.record))):
        if said != expected.digest:
            yield f"another digest ({what})"
    for trial, curve in expected.curves.items():
        if found.reports(trial) != curve:
            yield f"trial {trial} has another curve"
        kept = json.loads(zlib.decompress(found.trials[trial]["curve"]))
        if kept["steps"] != [json.loads(line)["step"] for line in curve.splitlines()]:
            yield f"the ledger has another curve of trial {trial}"


def i4(found: Found, expected: Expected) -> Iterator[str]:
    """Work is not done twice: an attempt more a kill, and no more steps again than between two checkpoints."""
    extra = sum(row["attempt"] - 1 for row in found.trials.values())
    if extra > found.kills:
        yield f"{extra} attempts more than trials after {found.kills} kills"
    steps = {trial: found.steps(trial) for trial in found.trials}
    yield from (f"trial {t} did the steps {did}" for t, did in steps.items() if set(did) != set(range(1, STEPS + 1)))
    again = sum(len(did) - STEPS for did in steps.values())
    if again > SAVED * found.kills:
        yield f"{again} steps were done again after {found.kills} kills"


def i5(found: Found, expected: Expected) -> Iterator[str]:
    """One champion: generations without a gap, a round promotes once, and what it promoted has its checkpoint."""
    generations = [row["generation"] for row in found.tables["generations"]]
    if generations != list(range(1, len(generations) + 1)) or len(generations) != 1:
        yield f"generations {generations}"
    promoted = found.tables["generations"][-1]
    text = (found.store / "incumbent" / "own.yaml").read_text()
    if f"generation: {promoted['generation']}\n" not in text:
        yield "the incumbent's file is of another generation"
    for name, value in json.loads(promoted["point_json"]).items():
        if not re.search(rf"^  {name}: {re.escape(str(value))}$", text, re.M):
            yield f"the incumbent's file has another {name}"
    if promoted["round_id"] != found.record.round_id:
        yield "another round promoted"


def i6(found: Found, expected: Expected) -> Iterator[str]:
    """The design is frozen: the trials that are compared were planned once, on one configuration and code."""
    for what, ours, theirs in zip(("configuration or code", "plan"), expected.design, found.design, strict=True):
        if ours != theirs:
            yield f"another {what}"


def i7(found: Found, expected: Expected) -> Iterator[str]:
    """Whatever the ledger names is there and is what was written: the checkpoints of every trial, the round's files."""
    for trial, row in found.trials.items():
        folder = found.folder / "trials" / trial
        if Path(json.loads(row["result_json"])["folder"]).resolve() != folder.resolve():
            yield f"trial {trial} lies elsewhere"
        yield from (f"trial {trial}: {what}" for what in damaged_checkpoints(folder / "checkpoints"))
    (round_,) = found.tables["rounds"]
    if json.loads(round_["record_json"]) != json.loads((found.folder / "record.json").read_text()):
        yield "the ledger's record is another than the file's"
    if not (found.folder / "curves.parquet").read_bytes().endswith(b"PAR1"):
        yield "curves.parquet is cut"
    if found.record.digest[:12] not in (found.folder / "report.html").read_text():
        yield "the report is of another record"


def damaged_checkpoints(folder: Path) -> Iterator[str]:
    """What is wrong with the checkpoints of a trial that came to its end."""
    try:
        entries = json.loads((folder / "manifest.json").read_text())["checkpoints"]
    except (OSError, ValueError) as error:
        yield f"its checkpoints cannot be told: {error}"
        return
    if max((e["step"] for e in entries), default=0) != STEPS:
        yield f"its last checkpoint is of {[e['step'] for e in entries]}, not of step {STEPS}"
    for entry in entries:
        data = (folder / entry["file"]).read_bytes()
        if (len(data), hashlib.sha256(data).hexdigest()) != (entry["size"], entry["sha256"]):
            yield f"{entry['file']} is not what was written"
    if {p.name for p in folder.glob("*.pt*")} != {e["file"] for e in entries}:
        yield f"{sorted(p.name for p in folder.glob('*.pt*'))} where {[e['file'] for e in entries]} are named"


def i9(found: Found, expected: Expected) -> Iterator[str]:
    """Nothing is left behind: no half-written file, no lock that outlives its holder."""
    for path in sorted(found.store.rglob("*")):
        if path.name.endswith(".tmp"):
            yield f"{path.relative_to(found.store)} is left"
        elif path.name.endswith(".lock"):
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield f"{path.relative_to(found.store)} is held"


def i10(found: Found, expected: Expected) -> Iterator[str]:
    """A champion has its evidence: every trial complete, and what the gate saw stands beside it."""
    verdict = found.record.verdict
    if verdict.outcome != "promote" or [t.id for t in found.record.trials if t.status != "complete"]:
        yield f"{verdict.outcome} with trials {[t.status for t in found.record.trials]}"
    if not all(json.loads(row["evidence_json"]).get("reasons") for row in found.tables["generations"]):
        yield "a promotion without reasons"


def i11(found: Found, expected: Expected) -> Iterator[str]:
    """Nothing is written beside the store: the user's own folder, two above it, is as it was."""
    folder = found.store.parents[1] / "own"
    for path in (p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.read_text(errors="replace") != filled(FILES.get(name, "")):
            yield f"{name} of the user's folder is another"


LAWS: tuple[Callable[[Found, Expected], Iterator[str]], ...] = (i1, i2, i3, i4, i5, i6, i7, i9, i10, i11)
