"""The embedded data sets, the small models, and the configurations that name them."""

import os
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from flows.compose.compose import from_overrides
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.roles import baseline_incumbent
from tasks.trials.inline import run_inline
from tasks.trials.settings import Execution, RunnerSettings
from tasks.trials.supervised.batches import Data, Labelled, evaluate
from tasks.trials.workloads import digits, mnist1d
from tasks.trials.workloads.evaluate import error_on_test
from tasks.trials.workloads.models import cnn, mlp
from tests.trials.example_trials import plan

POINT: dict[str, Value] = {"layers": 2, "width": 6, "activation": "relu", "regularizer": "none"}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of our own, filled once; the user's is not touched."""
    root = tmp_path_factory.mktemp("cache")
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(root)
    mnist1d.load.cache_clear()
    mnist1d.arrays()
    yield root / "tunebook" / "mnist1d-v1.npz"
    mnist1d.load.cache_clear()
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Generation replaced by a quick one that counts its calls."""
    calls: list[int] = []

    def generate() -> mnist1d.Arrays:
        calls.append(1)
        inputs = np.arange(200_000, dtype=np.float32).reshape(5000, 40)
        return {"inputs": inputs, "labels": np.arange(5000) % 10}

    monkeypatch.setattr(mnist1d, "generate", generate)
    return calls


def equal(a: mnist1d.Arrays, b: mnist1d.Arrays) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in mnist1d.SHAPES)


def distinct(data: Data) -> int:
    """The number of different examples in all three parts."""
    rows = torch.cat([data.train.inputs, data.valid.inputs, data.test.inputs])
    return len(torch.unique(rows, dim=0))


class Trap:
    """Whoever unpickles it runs `spring`."""

    sprung: ClassVar[list[int]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, ()


def spring() -> None:
    Trap.sprung.append(1)


def tiny(inputs: int = 12, classes: int = 3) -> Data:
    part = Labelled(inputs=torch.randn(5, inputs), labels=torch.arange(5) % classes)
    return Data(train=part, valid=part, test=part, classes=classes)


def test_prepare_fills_the_cache_and_no_trial_generates_again(cache: Path, fake: list[int]) -> None:
    assert cache.is_file()
    assert len(mnist1d.load().train) == 3000
    assert not fake


def test_mnist1d_is_the_standard_data_set_split_once_for_all() -> None:
    data = mnist1d.load()
    assert [len(part) for part in (data.train, data.valid, data.test)] == [3000, 1000, 1000]
    assert data.train.inputs.shape == (3000, 40)
    assert data.train.inputs.dtype == torch.float32
    assert distinct(data) == 5000
    for part in (data.train, data.valid, data.test):
        counts = torch.bincount(part.labels, minlength=10) / len(part)
        assert 0.07 < counts.min() < counts.max() < 0.13


def test_generating_leaves_the_global_random_states_as_they_were() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5)
    np.random.seed(5)
    mnist1d.generate()
    assert (random.random(), np.random.rand()) == expected


def test_what_is_read_from_the_cache_is_what_was_generated(tmp_path: Path, fake: list[int]) -> None:
    first, second = mnist1d.arrays(tmp_path), mnist1d.arrays(tmp_path)
    assert equal(first, second)
    assert len(fake) == 1


@pytest.mark.parametrize(
    "damage", ["cut short", "one bit", "other data", "another shape", "a pickle", "empty", "no checksum"]
)
def test_a_damaged_cache_is_made_anew(damage: str, tmp_path: Path, fake: list[int]) -> None:
    sound = mnist1d.arrays(tmp_path)
    path = tmp_path / "mnist1d-v1.npz"
    whole = path.read_bytes()
    if damage == "cut short":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "one bit":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "other data":
        other = {"inputs": sound["inputs"][::-1], "labels": sound["labels"]}
        np.savez(path, checksum=np.array(mnist1d._checksum(sound)), **other)  # type: ignore[arg-type]
    elif damage == "another shape":
        small = {"inputs": sound["inputs"][:10], "labels": sound["labels"][:10]}
        np.savez(path, checksum=np.array(mnist1d._checksum(small)), **small)  # type: ignore[arg-type]
    elif damage == "a pickle":
        np.savez(path, inputs=np.array([Trap()], dtype=object), labels=sound["labels"], checksum=np.array(""))
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        np.savez(path, **sound)  # type: ignore[arg-type]
    assert equal(mnist1d.arrays(tmp_path), sound)
    assert len(fake) == 2
    assert equal(mnist1d.arrays(tmp_path), sound)
    assert len(fake) == 2
    assert not Trap.sprung


def test_two_that_write_at_once_leave_one_whole_cache(tmp_path: Path, fake: list[int]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: mnist1d.arrays(tmp_path), range(16)))
    assert all(equal(found[0], other) for other in found)
    assert [p.name for p in tmp_path.iterdir()] == ["mnist1d-v1.npz"]


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, fake: list[int]) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert mnist1d.arrays(tmp_path / "file" / "cache")["inputs"].shape == (5000, 40)
    assert len(fake) == 1


def test_the_cache_lies_where_the_system_wants_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert mnist1d.cache_folder() == Path("/somewhere/tunebook")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert mnist1d.cache_folder() == Path("/home/someone/.cache/tunebook")


def test_digits_is_split_once_for_all() -> None:
    data = digits.load()
    assert [len(part) for part in (data.train, data.valid, data.test)] == [1000, 397, 400]
    assert data.train.inputs.shape == (1000, 64)
    assert float(data.train.inputs.min()) == -1.0
    assert float(data.train.inputs.max()) == 1.0
    assert distinct(data) == 1797


def test_a_perceptron_has_the_layers_and_the_width_of_its_point() -> None:
    model = mlp(point=POINT | {"layers": 3, "activation": "tanh"}, data=tiny())
    linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(12, 6), (6, 6), (6, 6), (6, 3)]
    assert sum(isinstance(m, nn.Tanh) for m in model.modules()) == 3
    assert model(tiny().train.inputs).shape == (5, 3)


def test_a_perceptron_flattens_images() -> None:
    part = Labelled(inputs=torch.randn(5, 3, 4), labels=torch.arange(5) % 3)
    assert mlp(point=POINT, data=Data(train=part, valid=part, test=part, classes=3))(part.inputs).shape == (5, 3)


def test_a_convolutional_network_sees_its_input_at_every_shift() -> None:
    model = cnn(point=POINT | {"activation": "gelu"}, data=tiny(40))
    signal = torch.zeros(2, 40)
    signal[0, 14], signal[1, 22] = 1.0, 1.0
    logits = model(signal)
    assert logits.shape == (2, 3)
    assert torch.allclose(logits[0], logits[1], atol=1e-6)


@pytest.mark.parametrize("make", [mlp, cnn])
def test_dropout_is_there_only_where_the_regularizer_says_so(make: Any) -> None:
    def rates(change: Mapping[str, Value]) -> list[float]:
        model = make(point={**POINT, **change}, data=tiny())
        return [m.p for m in model.modules() if isinstance(m, nn.Dropout)]

    assert rates({"regularizer": "dropout", "dropout.rate": 0.3}) == [0.3, 0.3]
    assert rates({"dropout.rate": 0.3}) == []
    assert rates({"regularizer": "dropout", "dropout.rate": 0.0}) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"activation": "swish"}, "activation: 'swish' is unknown; allowed are relu, gelu, tanh"),
        ({"regularizer": "mixup"}, "regularizer: 'mixup' is unknown; allowed are none, dropout"),
        ({"regularizer": "dropout", "dropout.rate": 1.0}, "dropout.rate: 1.0"),
        ({"layers": 0}, "layers: 0"),
        ({"width": 2.5}, "width: 2.5"),
    ],
)
@pytest.mark.prose
def test_a_point_that_makes_no_model_is_refused_by_name(change: dict[str, Value], named: str) -> None:
    with pytest.raises(InputError, match=named):
        mlp(point=POINT | change, data=tiny())


def test_the_test_error_of_a_checkpoint_is_the_error_on_the_test_examples() -> None:
    data = tiny()
    data = Data(train=data.train, valid=data.valid, test=tiny().test, classes=3)
    point: dict[str, Value] = POINT | {"regularizer": "dropout", "dropout.rate": 0.5}
    model = mlp(point=point, data=data).eval()
    found = error_on_test({"model": model.state_dict()}, data=lambda: data, model=mlp, point=point)
    loss, error = evaluate(model, data.test, 5)
    assert found == {"test_error": error, "test_loss": pytest.approx(loss)}


@pytest.mark.parametrize("name", ["mnist1d", "digits"])
def test_a_baseline_trains_and_every_hyperparameter_of_it_is_used(name: str) -> None:
    config = from_overrides([f"workload={name}", "budget.max_train_steps=40", "budget.eval_every_steps=20"])
    incumbent = baseline_incumbent(config.workload, config.space)
    assert "middle" not in incumbent.source
    execution = Execution(workload=config.workload, runner=RunnerSettings())
    planned = plan("t", incumbent.point, 1).model_copy(update={"max_train_steps": 40, "eval_every_steps": 20})
    trial = run_inline(planned, execution)
    assert (trial.status, trial.reason, trial.unread) == ("complete", "", ())
    assert trial.best_value is not None
    assert trial.best_value < 0.85


@pytest.mark.parametrize("name", ["mnist1d", "digits"])
def test_each_optimizer_of_the_space_has_all_of_its_hyperparameters_there(name: str) -> None:
    space = from_overrides([f"workload={name}"]).space
    assert {"adam.learning_rate", "adam.one_minus_beta1", "adam.one_minus_beta2", "adam.epsilon"} <= set(space.names)
    assert space["regularizer"].values == ("none", "dropout")
    assert not space["dropout.rate"].exists({"regularizer": "none"})
    assert not space["nesterov.learning_rate"].exists({"optimizer": "adam"})
