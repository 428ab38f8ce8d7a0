"""What was promoted, in values: what changed against the incumbent before, and how to use it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from tasks.record import Record, Value
from tasks.text import cut, number, one_line, plural
from tasks.verdict import CheckpointRow

LINES = 3  # of changed values, on a terminal
ARCHIVES = (".pt", ".pth", ".ckpt", ".bin")  # files of torch


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that the promotion changed; `was` or `now` is None where the point lacks it."""

    name: str
    now: Value | None
    was: Value | None

    @property
    def text(self) -> str:
        """The change on one line: `width = 128 (was 64)`."""
        value = "" if self.now is None else f" = {number(self.now)}"
        return f"{self.name}{value} ({self.before})"

    @property
    def before(self) -> str:
        """What held before: `was 0.1`, or that the hyperparameter is new, or no longer there."""
        if self.was is None:
            return "new"
        return f"was {number(self.was)}" if self.now is not None else f"gone, was {number(self.was)}"


def changes_of(now: Mapping[str, Value], was: Mapping[str, Value], first: tuple[str, ...] = ()) -> tuple[Change, ...]:
    """The values that differ, those of the hyperparameters `first` ahead, then new ones, those that are gone last."""
    names = [n for n in (*now, *was) if now.get(n) != was.get(n)]
    order = sorted(dict.fromkeys(names), key=lambda n: (n not in first, n not in now, n not in was))
    return tuple(Change(name=n, now=now.get(n), was=was.get(n)) for n in order)


def promoted_changes(record: Record) -> tuple[Change, ...]:
    """What the round changed of the incumbent; nothing where it promoted nothing."""
    won, before = record.verdict.candidate, record.verdict.incumbent
    if record.verdict.outcome != "promote" or won is None:
        return ()
    return changes_of(won.point | won.settings, before.point | before.settings, record.roles.scientific)


def promoted_parts(record: Record, room: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """`(label, lines)` for a terminal, five lines at most: the changed values with what they were, and the command.

    Nothing where nothing was promoted. The command, which has every value, is not wrapped: it is there to be copied.

    Playbook: G9
    """
    changes = promoted_changes(record)
    if not changes:
        return
    lines, left = _packed([one_line(c.text) for c in changes], room)
    yield "promoted", (*lines, *([f"and {plural(left, 'more value')}"] if left else []))
    if record.promoted is not None:
        yield "use it", (one_line(record.promoted.command),)


def _packed(parts: list[str], room: int) -> tuple[list[str], int]:
    """`(lines, left)`: as many parts as fit into `LINES` lines, none of them broken, and how many were left out."""
    lines: list[str] = []
    for i, part in enumerate(parts):
        text = part if i == len(parts) - 1 else f"{part},"
        if lines and len(lines[-1]) + 1 + len(text) <= room:
            lines[-1] += f" {text}"
        elif len(lines) < LINES:
            lines.append(cut(text, room))
        else:
            return lines, len(parts) - i
    return lines, 0


def checkpoint_sentence(checkpoint: CheckpointRow | None, metric: str) -> str:
    """Which checkpoint it is, honestly: of which training, at which step, with which value; or how to get one."""
    if checkpoint is None:
        return (
            "No checkpoint was saved: trial.save(step, state) in the training function, or a file in "
            "TUNEBOOK_CHECKPOINTS, keeps one in the next round."
        )
    if checkpoint.purpose != "retrain":
        whose = f"the trial that was selected ({checkpoint.trial}), which saw no fresh seed"
    elif checkpoint.of > 1:
        whose = f"the best of {checkpoint.of} fresh retrains ({checkpoint.trial}), so a little optimistic"
    else:
        whose = f"the fresh retrain {checkpoint.trial}"
    if checkpoint.program:
        return f"The file that the program wrote last, in {whose}; its step and value are not known here."
    value = "" if checkpoint.value is None else f" with {metric} {number(checkpoint.value)}"
    return f"Step {checkpoint.step:,}{value}, of {whose}."


def loading_lines(checkpoint: CheckpointRow, path: str) -> tuple[str, ...]:
    """Lines of Python that load the checkpoint at `path`; they run as they are.

    What torch cannot load without running code is refused by `weights_only`: a program may have saved such a file.
    """
    kind = PurePath(checkpoint.file).suffix.lower()
    if not checkpoint.program or kind in ARCHIVES:
        part = f"[{checkpoint.part!r}]" if checkpoint.part else ""
        load = f"state = torch.load({path!r}, map_location='cpu', weights_only=True){part}"
        return ("import torch", load, "print(list(state))  # net.load_state_dict(state) fills a network of that shape")
    if kind == ".safetensors":
        return ("from safetensors.torch import load_file", f"state = load_file({path!r})", "print(list(state))")
    if kind in (".npz", ".npy"):
        return ("import numpy as np", f"state = np.load({path!r}, allow_pickle=False)", "print(state)")
    return ("from pathlib import Path", f"data = Path({path!r}).read_bytes()", "print(len(data), 'bytes')")
