"""What a checkpoint may hold: only what torch loads without running code."""

from collections import OrderedDict
from typing import Any

PLAIN = (type(None), bool, int, float, complex, str, bytes)
INTEGER_BITS = 2000  # torch loads no more than 254 bytes


def refuse_objects(state: Any, where: str = "state") -> None:
    """Accept tensors and plain values in dicts, lists and tuples, which is what can be loaded without running code.

    Of no subclass: torch saves them all, and refuses many when it loads. So too what a tensor has as attributes.

    Raises:
        TypeError: where it holds anything else, and what.
    """
    import torch

    if type(state) in (torch.Tensor, torch.nn.Parameter, OrderedDict):
        for name, value in vars(state).items():
            refuse_objects(value, f"{where}.{name}")
    if type(state) in (dict, OrderedDict):
        for key, value in state.items():
            refuse_objects(key, f"a key of {where}")
            refuse_objects(value, f"{where}[{key!r}]")
    elif type(state) in (list, tuple, set, torch.Size):
        for i, value in enumerate(state):
            refuse_objects(value, f"{where}[{i}]")
    elif type(state) is int and state.bit_length() > INTEGER_BITS:
        raise TypeError(f"save: {where} is an integer of {state.bit_length()} bits; at most {INTEGER_BITS} are loaded")
    elif type(state) not in (*PLAIN, torch.Tensor, torch.nn.Parameter, torch.dtype, torch.device):
        kind = f"{type(state).__module__}.{type(state).__qualname__}"
        raise TypeError(
            f"save: {where} is a {kind}; a checkpoint holds tensors and plain values alone (torch.from_numpy(a) for an "
            "array, x.item() for its scalars, .state_dict() for a module, t.as_subclass(torch.Tensor) for a subclass)"
        )
