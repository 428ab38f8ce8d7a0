"""How far two runs of one trial are apart: their curves in numbers, their checkpoints to the last bit."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.trials.trial import Curve


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Where two curves are farthest apart: by `size` (0 where they are equal), `first` apart at which step.

    `share`: of the way that the metric goes; size and share are infinite where only one of the two is a number.
    """

    metric: str
    size: float = 0.0
    share: float = 0.0
    step: int = 0
    first: int = 0


def gap(one: Curve, other: Curve, metric: str, since: float = -math.inf, until: float = math.inf) -> Gap:
    """Of one metric, over the steps from `since` on and before `until` that both have; bits count, and NaN equals NaN.

    The way that a metric goes is the range of `one` over all its steps; of one that does not move, its size.
    """
    values, others = _values(one, metric), _values(other, metric)
    apart = {
        step: abs(value - others[step]) if math.isfinite(value - others[step]) else math.inf
        for step, value in values.items()
        if since <= step < until and step in others and not _equal(value, others[step])
    }
    if not apart:
        return Gap(metric=metric)
    step = max(apart, key=lambda s: apart[s])
    share = apart[step] / _way(list(values.values()))
    return Gap(metric=metric, size=apart[step], share=share, step=step, first=min(apart))


def unlike(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """The places in which two checkpoints differ, by their keys; tensors to the last bit, and in type and shape."""
    import torch

    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.dtype != other.dtype or one.shape != other.shape or not torch.equal(_bytes(one), _bytes(other)):
            yield where
    elif isinstance(one, Mapping) and isinstance(other, Mapping) and list(one) == list(other):
        for key, value in one.items():
            yield from unlike(value, other[key], f"{where}.{key}" if where else str(key))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from unlike(a, b, f"{where}.{i}")
    elif type(one) is not type(other) or not _equal(one, other):
        yield where


def _bytes(tensor: Any) -> Any:
    import torch

    return tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8)


def _values(curve: Curve, metric: str) -> dict[int, float]:
    values = curve.metrics.get(metric, np.full(len(curve), np.nan))
    return dict(zip(curve.steps.tolist(), values.tolist(), strict=True))


def _equal(one: Any, other: Any) -> bool:
    """By `repr`, which tells -0.0 from 0.0 and finds NaN equal to NaN."""
    return one is other or repr(one) == repr(other)


def _way(values: list[float]) -> float:
    finite = [v for v in values if math.isfinite(v)] or [1.0]
    return (max(finite) - min(finite)) or max(abs(v) for v in finite) or 1.0
