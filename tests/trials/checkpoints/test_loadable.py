"""What may be saved is loaded again, and what could not be is refused when it is saved."""

import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.trials.checkpoints.checkpoints import Checkpoints


class Marked(torch.Tensor):
    """A tensor of a user's own kind."""


class Own(torch.nn.Parameter):
    """A parameter of a user's own kind, which torch would load as a plain one."""


def tagged(what: Any, tag: Any) -> Any:
    """`what` with an attribute of the user's."""
    what.tag = tag
    return what


def ones() -> torch.Tensor:
    return torch.ones(2)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "subclass": (lambda: ones().as_subclass(Marked), f"{__name__}.Marked"),
    "parameter's subclass": (lambda: Own(ones()), f"{__name__}.Own"),
    "not built yet": (torch.nn.UninitializedParameter, "torch.nn.parameter.UninitializedParameter"),
    "object tied to a tensor": (lambda: tagged(ones(), sys), "a builtins.module"),
    "object in a list tied to a parameter": (lambda: tagged(torch.nn.Parameter(ones()), [object()]), "builtins.object"),
    "object tied to an ordered dict": (lambda: tagged(OrderedDict(a=1), object()), "builtins.object"),
    "huge integer": (lambda: 2**2040 - 1 << 1, "an integer of 2041 bits"),
}
LOADED: dict[str, Callable[[], Any]] = {
    "tensor": ones,
    "with a gradient": lambda: ones().requires_grad_(),
    "parameter": lambda: torch.nn.Parameter(ones()),
    "frozen parameter": lambda: torch.nn.Parameter(ones(), requires_grad=False),
    "buffer": lambda: torch.nn.Buffer(ones()),
    "plain attribute": lambda: tagged(ones(), {"a": [1, "b"]}),
    "tensor as attribute": lambda: tagged(torch.nn.Parameter(ones()), ones()),
    "subclass made plain": lambda: ones().as_subclass(Marked).as_subclass(torch.Tensor),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "half": lambda: ones().bfloat16(),
    "conjugate": lambda: torch.ones(2, dtype=torch.complex64).conj(),
    "view": lambda: torch.arange(9.0)[2:4],
    "state of a module": lambda: torch.nn.BatchNorm1d(2).state_dict(),
    "large integer": lambda: 2**2000 - 1,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_would_not_load_again_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    make, said = REFUSED[name]
    with pytest.raises(TypeError, match=r"^save: state\['a'\]") as caught:
        Checkpoints(tmp_path, "t").save(1, {"a": make()}, None)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", LOADED)
def test_what_is_not_refused_is_loaded_with_its_kind_and_its_values(name: str, tmp_path: Path) -> None:
    made = LOADED[name]()
    Checkpoints(tmp_path, "t").save(1, {"a": made}, None)
    found = Checkpoints(tmp_path, "t").load(1)["a"]
    assert type(found) is type(made)
    if isinstance(made, torch.Tensor):
        assert torch.equal(found.to_dense() if made.is_sparse else found, made.to_dense() if made.is_sparse else made)
    else:
        assert list(found) == list(made) if isinstance(made, dict) else found == made
