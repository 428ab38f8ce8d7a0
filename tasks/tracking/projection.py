"""`Projection`: one round as MLflow shows it, and the order in which it is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tasks.record import Record, TrialRow
from tasks.tracking.registry import register
from tasks.tracking.rounds import project_round
from tasks.tracking.store import Handle
from tasks.tracking.trials import project_trial

PARENT, MODEL, ROUND = "parent", "model", "round"  # keys beside the trials' ids
Entry = Callable[[Handle], tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """All that MLflow shows of one round, as plain values.

    `trials`: those that ended, each with the steps of its curve and its metrics by name. `record` is None as long as
    the round is not concluded. `checkpoints`: files by trial. `promoted`: the checkpoint's files and the generation.
    """

    workload: str
    round_id: str
    question: str
    trials: Sequence[tuple[TrialRow, Iterable[int], Mapping[str, Iterable[float]]]]
    record: Record | None
    folder: Path
    config: Mapping[str, Any]
    checkpoints: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    promoted: tuple[Sequence[Path], int] | None = None


def entries(picture: Projection) -> list[Entry]:
    """What is to be written, in order: each entry writes what lacks of it, and returns its key and MLflow's id.

    The last one of a concluded round has the key `ROUND` and says that everything is shown; it raises LookupError
    where another entry has failed.
    """
    written: set[str] = set()

    def kept(entry: Entry) -> Entry:
        def write(handle: Handle) -> tuple[str, str]:
            key, run = entry(handle)
            written.add(key)
            return key, run

        return write

    listed = [kept(partial(trial_entry, row=row, steps=s, metrics=m)) for row, s, m in picture.trials]
    if picture.record is None:
        return listed
    listed.append(kept(partial(_concluded, picture=picture, record=picture.record)))
    if picture.promoted is not None:
        listed.append(kept(partial(_promoted, record=picture.record, promoted=picture.promoted)))

    def whole(handle: Handle) -> tuple[str, str]:
        if len(written) < len(listed):
            raise LookupError(f"{len(listed) - len(written)} of its {len(listed)} parts are not shown")
        return ROUND, handle.parent

    return [*listed, whole]


def trial_entry(
    handle: Handle,
    row: TrialRow,
    steps: Iterable[int],
    metrics: Mapping[str, Iterable[float]],
    started: float | None = None,
) -> tuple[str, str]:
    """The entry of one trial; see `project_trial`."""
    return row.id, project_trial(handle, row, steps, metrics, started)


def _concluded(handle: Handle, picture: Projection, record: Record) -> tuple[str, str]:
    checkpoints = picture.checkpoints
    return PARENT, project_round(handle, record, picture.folder, config=picture.config, checkpoints=checkpoints)


def _promoted(handle: Handle, record: Record, promoted: tuple[Sequence[Path], int]) -> tuple[str, str]:
    return MODEL, register(handle, record, *promoted)
