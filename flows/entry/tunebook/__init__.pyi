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

def root() -> Path: ...
def bind() -> None: ...
