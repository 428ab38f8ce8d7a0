import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

__version__: str
PUBLIC: Mapping[str, str]

class Infeasible(Exception):
    """Ends a trial as infeasible with a reason: this point cannot be trained."""

class RunningTrial:
    """A trial while it runs, as a training function gets it."""

    point: Mapping[str, bool | int | float | str]
    seed: int
    max_train_steps: int
    eval_every_steps: int
    device: str
    stopping: bool

    def resume(self) -> tuple[int, Any]: ...
    def report(self, step: int, /, **metrics: float) -> None:
        """Report one evaluation; steps must increase.

        Any names will do. Some are known: `train_loss` and `valid_loss`, `train_error` or `train_accuracy`,
        `learning_rate`. Of the gradient: `grad_norm` (L2, before clipping, the mean since the last report),
        `grad_norm_max`, `grad_norm_first`, `grad_norm_q10`, `_q25`, `_q50`, `_q75`, `_q90`, `grad_norm_p90` (of all
        steps so far), `clipped` (share of the updates) and `clip_norm` (the threshold).
        """
    def save(self, step: int, state: Any) -> None: ...

class Labelled:
    """Examples. `inputs`: (examples, …) float32. `labels`: (examples,) int64, classes counted from 0."""

    inputs: Tensor
    labels: Tensor

    def __init__(self, *, inputs: Tensor, labels: Tensor) -> None: ...
    def __len__(self) -> int: ...

class Data:
    """A data set with its split, as a data recipe of `tasks.trials.supervised` returns it."""

    train: Labelled
    valid: Labelled
    test: Labelled
    classes: int

    def __init__(self, *, train: Labelled, valid: Labelled, test: Labelled, classes: int) -> None: ...

class InputError(Exception):
    """What `tune` raises of bad input: one sentence that says what, where, what is allowed and the way out."""

class _Configuration:
    point: Mapping[str, bool | int | float | str]
    settings: Mapping[str, bool | int | float | str]

class _Candidate(_Configuration):
    study: str
    trial: str

class _Incumbent(_Configuration):
    generation: int

class _Checkpoint:
    """`file` is seen from the record's folder; `step` and `value` are not known of a program's own file."""

    file: str
    trial: str
    purpose: str
    of: int
    step: int | None
    value: float | None
    part: str
    program: bool

class _Promoted(_Configuration):
    generation: int
    checkpoint: _Checkpoint | None
    command: str

class _Verdict:
    outcome: str
    reason: str
    candidate: _Candidate | None
    incumbent: _Incumbent
    gain: float | None
    error_rate: float | None
    reasons: tuple[str, ...]

class _Trial(_Configuration):
    id: str
    study: str
    purpose: str
    seed: int
    status: str
    reason: str
    best_step: int | None
    best_value: float | None
    final_value: float | None
    seconds: float

class _Finding:
    check: str
    row: str
    level: str
    reason: str
    trials: tuple[str, ...]
    evidence: str
    remedy: tuple[str, ...]

class _Next:
    command: str
    overrides: tuple[str, ...]
    why: str

class Record:
    """A whole round, as in `record.json`; these are the fields that a notebook looks at first."""

    round_id: str
    digest: str
    workload: str
    created: str
    finished: str
    seed: int
    trials: tuple[_Trial, ...]
    findings: tuple[_Finding, ...]
    answer: Any
    learned: tuple[str, ...]
    verdict: _Verdict
    promoted: _Promoted | None
    next: _Next

    def model_dump(self, **options: Any) -> dict[str, Any]: ...
    def model_dump_json(self, **options: Any) -> str: ...

def tune(*overrides: str, config_dir: str | os.PathLike[str] | None = None, quiet: bool = False) -> Record:
    """Run one round to its verdict, in a notebook or a script, and return its `Record`.

    It prints what the shell prints, nothing if `quiet`. Interrupted, it is resumed by the same call.
    """

def root() -> Path: ...
def bind() -> None: ...
