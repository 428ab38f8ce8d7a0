"""What is promoted now, in values: for a person, as YAML or JSON, or as the arguments of the program."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from flows.compose.called import near
from flows.past.found import Past
from flows.past.tables import minute, text_table
from flows.session.provenance.shown_by import shown_by
from tasks.ledger import Generation
from tasks.record import Record, Value
from tasks.report.promoted import changes_of, checkpoint_sentence, loading_lines
from tasks.scope.error import InputError
from tasks.scope.goal import BUDGET
from tasks.text import as_yaml, number
from tasks.trials.command.argv import WORDS, rendered
from tasks.trials.command.check import ADDRESS
from tasks.trials.command.program import SEEDS
from tasks.upgrade import read_record
from tasks.verdict import CheckpointRow

FORMATS = ("yaml", "json", "argv")


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """A workload's incumbent with the round that promoted it; `before`: the values that held until then."""

    generation: Generation
    record: Record | None
    before: Mapping[str, Value]
    file: Path | None

    @property
    def checkpoint(self) -> CheckpointRow | None:
        """Its checkpoint, whether or not the file is there still."""
        return self.record.promoted.checkpoint if self.record and self.record.promoted else None

    @property
    def values(self) -> dict[str, Value]:
        """The point with the settings beside it."""
        return {**self.generation.point, **self.generation.settings}


def incumbent_text(past: Past, workload: str | None, format: str | None) -> str:
    """The incumbent of a workload in that format; for a person where none is named.

    `yaml` and `json` say the same: generation, point, settings, what held before, the checkpoint. `argv` is one line
    for a shell: the workload's own template with the values filled in, where it is a command; else `--name value`.

    Raises:
        InputError: nothing was promoted for it, several workloads have an incumbent, or there is no such format.

    Playbook: G9
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"format: {format!r} is unknown; allowed are {', '.join(FORMATS)}")
    promoted = _promoted(past, workload)
    if format == "argv":
        return shlex.join(_argv(past, promoted)) + "\n"
    if format == "json":
        return json.dumps(_tree(promoted), indent=1) + "\n"
    if format == "yaml":
        return str(yaml.safe_dump(_tree(promoted), sort_keys=False, allow_unicode=True))
    return _for_a_person(past, promoted)


def _promoted(past: Past, workload: str | None) -> Promoted:
    known = past.ledger.workloads() if past.ledger else []
    if workload is None and len(known) > 1:
        raise InputError(f"several workloads have an incumbent: {', '.join(known)}; name one of them")
    name = workload or (known[0] if known else "")
    newest = past.ledger.incumbent(name) if past.ledger and name in known else None
    if past.ledger is None or newest is None:
        others = f"; promoted are {', '.join(known)}" if known else ""
        raise InputError(f"nothing was promoted yet of workload {name or 'any'!r} under {near(past.root)}{others}")
    text = past.ledger.record(newest.round_id) if newest.round_id else None
    record = None if text is None else read_record(text)
    row = record.promoted.checkpoint if record and record.promoted else None
    place = Path(os.path.normpath(past.folder(newest.round_id or "") / row.file)) if row else None
    earlier = [g for g in past.ledger.generations(name) if g.generation < newest.generation]
    was = record.verdict.incumbent if record else earlier[-1] if earlier else None
    before = {**was.point, **was.settings} if was else {}
    return Promoted(generation=newest, record=record, before=before, file=place)


def _tree(promoted: Promoted) -> dict[str, Any]:
    own, saved = promoted.generation, promoted.checkpoint
    return {
        "workload": own.workload,
        "generation": own.generation,
        "promoted": own.created,
        "round": own.round_id,
        "point": dict(own.point),
        "settings": dict(own.settings),
        "was": {c.name: c.was for c in changes_of(promoted.values, promoted.before)} if promoted.before else {},
        "checkpoint": None
        if saved is None
        else {**saved.model_dump(), "file": str(promoted.file), "there": _is_there(promoted)},
    }


def _is_there(promoted: Promoted) -> bool:
    return promoted.file is not None and promoted.file.is_file()


def _for_a_person(past: Past, promoted: Promoted) -> str:
    own, record = promoted.generation, promoted.record
    by = f"by round {own.round_id}" if own.round_id else f"({own.source})"
    question = f"\n{record.goal.question}" if record else ""
    changed = {c.name: c for c in changes_of(promoted.values, promoted.before)} if promoted.before else {}
    rows = [(n, number(v), changed[n].before if n in changed else "") for n, v in promoted.values.items()]
    rows += [(c.name, "-", c.before) for c in changed.values() if c.now is None]
    head = f"{own.workload}, generation {own.generation}: promoted {minute(own.created)} {by}{question}\n"
    shown = shown_by(own.workload, past.root)
    return "\n".join(
        [head, text_table(("hyperparameter", "value", "before"), rows), *_loading(promoted), f"{_programs(shown)}\n"]
    )


def _programs(command: str) -> str:
    return f"for a program, with all digits: {command} format=yaml   (or json, or argv)"


def _loading(promoted: Promoted) -> list[str]:
    """Which checkpoint there is and the lines that load it; that its file has gone; or how to get one."""
    saved, record = promoted.checkpoint, promoted.record
    if record is None:
        return ["checkpoint: none is known, because no round of this ledger promoted it\n"]
    if saved is not None and not _is_there(promoted):
        return [f"checkpoint: it was {promoted.file}, which has gone\n"]
    told = f"checkpoint: {checkpoint_sentence(saved, record.objective.metric)}"
    if saved is None or promoted.file is None:
        return [f"{told}\n"]
    return [told, "", *(f"    {line}" for line in loading_lines(saved, str(promoted.file.resolve()))), ""]


def _argv(past: Past, promoted: Promoted) -> list[str]:
    """The words that start the program at the promoted point; of a function its hyperparameters as options."""
    config = past.config(promoted.generation.round_id) if promoted.generation.round_id else {}
    workload = config.get("workload", {})
    if workload.get("target") != ADDRESS:
        return [word for name, value in promoted.values.items() for word in (f"--{name}", as_yaml(value))]
    own, settings = config.get("config_dir"), promoted.generation.settings
    budget = {name: settings.get(f"{BUDGET}{name}", value) for name, value in config.get("budget", {}).items()}
    words = {
        "seed": _seed(promoted),
        "max_train_steps": budget.get("max_train_steps", ""),
        "eval_every_steps": budget.get("eval_every_steps", ""),
        "device": "cpu",
        "trial": "incumbent",
        "folder": own or "",
        "metrics": "metrics.jsonl",
        "checkpoints": "checkpoints",
        "resumed": 0,
    }
    return rendered(
        workload["arguments"]["argv"], promoted.generation.point, {w: str(words.get(w, "")) for w in WORDS}, own
    )


def _seed(promoted: Promoted) -> int:
    """The seed of the training whose checkpoint is kept, else 0."""
    trials = {t.id: t for t in promoted.record.trials} if promoted.record else {}
    saved = promoted.checkpoint
    return trials[saved.trial].seed % SEEDS if saved and saved.trial in trials else 0
