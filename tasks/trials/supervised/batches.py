"""Data sets, the order of batches, and exact evaluation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tasks.design.study import derived_seed
from tasks.scope.error import InputError

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Examples. `inputs`: (examples, …) float32. `labels`: (examples,) int64, classes counted from 0."""

    __module__ = "tunebook"  # where a user's code imports it from, and pickles it by

    inputs: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels) or not len(self.labels):
            raise InputError(
                f"workload.data: {len(self.inputs)} inputs and {len(self.labels)} labels; give one label for each "
                "input, and at least one example."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int) -> "Labelled":
        """The first `n` examples, or all where there are fewer."""
        return Labelled(inputs=self.inputs[:n], labels=self.labels[:n])

    def to(self, device: str) -> "Labelled":
        """The examples on `device`; no copy where they are there already."""
        return Labelled(inputs=self.inputs.to(device), labels=self.labels.to(device))


@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set whose split never depends on a trial's seed.

    `test` stays sealed: the training loop never looks at it (G13). `train` must be in random order, since its
    first examples stand for all of it where the training error is evaluated.
    """

    __module__ = "tunebook"  # as above

    train: Labelled
    valid: Labelled
    test: Labelled
    classes: int


def order(seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """(examples,) int64: the permutation in which an epoch visits the examples, from (seed, epoch) alone.

    There is no sampler with a state to save, so any step's batch can be named after an interruption. Raw Philox
    words are sorted, because numpy promises those to stay the same across its versions, and `permutation` not.
    """
    words = np.random.Philox(derived_seed(seed, "order", epoch)).random_raw(examples)
    return np.argsort(words, kind="stable").astype(np.int64)


class Batches:
    """The training batches by step: a pure function of (seed, step).

    An epoch has `len(train) // batch_size` batches; what is left over is another remainder in every epoch.
    """

    def __init__(self, train: Labelled, batch_size: int, seed: int) -> None:
        if not 1 <= batch_size <= len(train):
            raise InputError(
                f"workload.batch_size: {batch_size} does not lie between 1 and the {len(train)} training examples."
            )
        self.train = train
        self.batch_size = batch_size
        self.seed = seed
        self.per_epoch = len(train) // batch_size
        self._epoch = -1
        self._indices: tuple[Tensor, ...] = ()

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """`(inputs, labels)` of the batch that step `step` (the first is 1) trains on: (batch_size, …) each."""
        epoch, position = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            permutation = torch.from_numpy(order(self.seed, epoch, len(self.train))).to(self.train.labels.device)
            self._epoch, self._indices = epoch, torch.split(permutation, self.batch_size)
        chosen = self._indices[position]
        return self.train.inputs.index_select(0, chosen), self.train.labels.index_select(0, chosen)


def check_batch_sizes(batch_size: int, eval_batch_size: int) -> None:
    """Refuses an evaluation batch below the training batch: without gradients a larger one fits and is quicker.

    Raises:
        InputError: `eval_batch_size` is below `batch_size`.

    Playbook: J4
    """
    if eval_batch_size < batch_size:
        raise InputError(
            f"workload.eval_batch_size: {eval_batch_size} is below workload.batch_size = {batch_size}; evaluation "
            f"keeps no gradients, so give it at least {batch_size}."
        )


@torch.no_grad()
def evaluate(network: Network, examples: Labelled, batch_size: int) -> tuple[float, float]:
    """`(loss, error)` over all examples: mean cross entropy in nats, and the share that is classified wrongly.

    Each batch counts by its size, the last and smaller one too, so the batch size changes neither number (the
    loss: beyond rounding). Label smoothing is no part of the loss. Where the loss is not finite the error is NaN:
    the largest of NaN logits is no prediction.

    Playbook: J6
    """
    loss = torch.zeros((), dtype=torch.float64, device=examples.labels.device)
    wrong = torch.zeros((), dtype=torch.int64, device=examples.labels.device)
    for inputs, labels in _parts(examples, batch_size):
        logits = network(inputs)
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        wrong += (logits.argmax(1) != labels).sum()
    mean = float(loss) / len(examples)
    return mean, int(wrong) / len(examples) if np.isfinite(mean) else float("nan")


@torch.no_grad()
def correct_of(network: Network, examples: Labelled, classes: tuple[int, ...], batch_size: int) -> dict[int, int]:
    """The number of examples of each of `classes` that are classified rightly: for a rare class a rate says little.

    Playbook: J9
    """
    right = dict.fromkeys(classes, 0)
    for inputs, labels in _parts(examples, batch_size):
        hit = labels[network(inputs).argmax(1) == labels]
        for c in classes:
            right[c] += int((hit == c).sum())
    return right


def _parts(examples: Labelled, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The examples in order, in batches; the last one may be smaller."""
    return zip(torch.split(examples.inputs, batch_size), torch.split(examples.labels, batch_size), strict=True)
