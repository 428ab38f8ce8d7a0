"""What may be saved is loaded again, and what could not be is refused when it is saved."""

import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.checkpoints.loadable import refuse_objects
from tests.trials.checkpoints.saved import saved


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
@pytest.mark.prose
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


@pytest.mark.parametrize(
    ("made", "where"),
    [
        ({"a": [1, np.zeros(2)]}, r"state\['a'\]\[1\] is a numpy.ndarray"),
        ({"a": np.float64(1)}, r"state\['a'\] is a numpy.float64"),
        ({"a": torch.nn.Linear(1, 1)}, r"state\['a'\] is a torch.nn.modules.linear.Linear"),
        (defaultdict(int), "state is a collections.defaultdict"),
        ({np.int64(1): 1}, "a key of state is a numpy.int64"),
    ],
)
@pytest.mark.prose
def test_what_could_not_be_loaded_again_is_refused_when_it_is_saved(made: Any, where: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=where):
        saved(tmp_path).save(1, made, 0.5)
    assert list(tmp_path.iterdir()) == []


def test_whatever_may_be_saved_can_be_loaded_again(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    everything = {
        **{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()},
        **{"parameter": torch.nn.Parameter(torch.ones(1)), "size": torch.Size([2]), "kind": torch.float32},
        **{"set": {1, 2}, "bytes": b"x", "complex": 1j, "device": torch.device("cpu"), "none": None},
    }
    refuse_objects(everything)
    Checkpoints(tmp_path, "t").save(1, everything, None)
    found = Checkpoints(tmp_path, "t").load(1)
    assert found.keys() == everything.keys()
    assert torch.equal(found["optimizer"]["state"][0]["exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"])
