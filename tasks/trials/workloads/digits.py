"""scikit-learn's handwritten digits: 1797 images of 8 by 8 pixels."""

import functools

import numpy as np
import torch

from tasks.trials.supervised.batches import Data, Labelled, order

TRAIN, VALID = 1000, 397  # the other 400 are the test set
SPLIT_SEED = 0  # of the split alone; the same for every trial


@functools.cache
def digits() -> Data:
    """The split data, read once a process. Inputs: (examples, 64) float32, pixels scaled to [-1, 1]."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    pixels, labels = load_digits(return_X_y=True)
    inputs = (pixels / 8.0 - 1.0).astype(np.float32)
    shuffled = order(SPLIT_SEED, 0, len(labels))
    train, valid, test = (
        Labelled(inputs=torch.from_numpy(inputs[part]), labels=torch.from_numpy(labels[part].astype(np.int64)))
        for part in np.split(shuffled, [TRAIN, TRAIN + VALID])
    )
    return Data(train=train, valid=valid, test=test, classes=10)


load = digits  # the address in configurations: tasks.trials.workloads.digits.load
