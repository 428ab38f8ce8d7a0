"""The order of the data and the exactness of evaluation."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tasks.scope.error import InputError
from tasks.trials.supervised.batches import Batches, Labelled, check_batch_sizes, correct_of, evaluate, order


def examples(n: int) -> Labelled:
    """`n` examples that name themselves: input i is (i, -i), label i modulo 3."""
    i = torch.arange(n)
    return Labelled(inputs=torch.stack([i, -i], 1).float(), labels=i % 3)


def truth(inputs: Tensor) -> Tensor:
    """Logits that are right for every one of `examples`."""
    return 9.0 * torch.nn.functional.one_hot(inputs[:, 0].long() % 3, 3).float()


def test_the_order_is_a_permutation_that_seed_and_epoch_alone_decide() -> None:
    first = order(7, 0, 100)
    assert sorted(first) == list(range(100))
    assert np.array_equal(first, order(7, 0, 100))
    assert not np.array_equal(first, order(7, 1, 100))
    assert not np.array_equal(first, order(8, 0, 100))


def test_the_order_is_the_one_of_other_machines_and_versions() -> None:
    assert order(0, 0, 10).tolist() == [5, 9, 8, 1, 4, 7, 0, 3, 2, 6]


def test_an_epoch_visits_no_example_twice() -> None:
    batches = Batches(examples(50), 16, seed=3)
    seen = torch.cat([batches.at(step)[0][:, 0] for step in range(1, 4)])
    assert batches.per_epoch == 3
    assert len(set(seen.tolist())) == 48
    later = torch.cat([batches.at(step)[0][:, 0] for step in range(4, 7)])
    assert len(set(later.tolist())) == 48
    assert seen.tolist() != later.tolist()


def test_a_step_has_the_same_batch_whether_or_not_the_steps_before_it_were_asked_for() -> None:
    walked = Batches(examples(50), 16, seed=3)
    for step in range(1, 9):
        inputs, labels = walked.at(step)
    alone, alone_labels = Batches(examples(50), 16, seed=3).at(8)
    assert torch.equal(inputs, alone)
    assert torch.equal(labels, alone_labels)
    assert torch.equal(labels, inputs[:, 0].long() % 3)


@pytest.mark.parametrize("batch_size", [0, 51])
def test_a_batch_that_the_data_cannot_fill_is_refused(batch_size: int) -> None:
    with pytest.raises(InputError, match="50 training examples"):
        Batches(examples(50), batch_size, seed=0)


@pytest.mark.playbook("J4", case="fires")
def test_an_evaluation_batch_below_the_training_batch_is_refused() -> None:
    with pytest.raises(InputError, match="eval_batch_size: 127 is below"):
        check_batch_sizes(128, 127)


@pytest.mark.playbook("J4", case="silent")
def test_an_evaluation_batch_of_the_size_of_the_training_batch_will_do() -> None:
    check_batch_sizes(128, 128)


@pytest.mark.playbook("J6", case="fires")
def test_a_last_batch_of_one_wrong_example_counts_as_one_example_and_not_as_a_batch() -> None:
    data = examples(33)
    data.labels[-1] = (data.labels[-1] + 1) % 3
    loss, error = evaluate(truth, data, 16)
    assert error == 1 / 33  # a mean of the three batches' errors would say 1 / 3
    each = torch.nn.functional.cross_entropy(truth(data.inputs), data.labels, reduction="none").double()
    assert loss == pytest.approx(float(each.mean()), rel=1e-6)


@pytest.mark.playbook("J6", case="silent")
@pytest.mark.parametrize("batch_size", [1, 7, 16, 33, 100])
def test_the_evaluation_batch_changes_no_metric(batch_size: int) -> None:
    def network(inputs: Tensor) -> Tensor:
        return torch.stack([inputs[:, 0].sin(), inputs[:, 0].cos(), inputs[:, 1] / 30], 1)

    whole = evaluate(network, examples(33), 33)
    loss, error = evaluate(network, examples(33), batch_size)
    assert error == whole[1]
    assert loss == pytest.approx(whole[0], rel=1e-6)
    assert 0 < error < 1


def test_the_largest_of_nan_logits_is_no_prediction() -> None:
    loss, error = evaluate(lambda inputs: truth(inputs) * math.nan, examples(33), 16)
    assert math.isnan(loss)
    assert math.isnan(error)


@pytest.mark.playbook("J9", case="shows")
def test_for_a_rare_class_the_number_that_is_right_is_counted() -> None:
    data = examples(33)
    data.labels[0] = 1  # was 0, so truth() is wrong about it
    assert correct_of(truth, data, (0, 1), 16) == {0: 10, 1: 11}


@pytest.mark.prose
def test_an_input_without_a_label_is_refused() -> None:
    with pytest.raises(InputError, match="3 inputs and 2 labels"):
        Labelled(inputs=torch.zeros(3, 2), labels=torch.zeros(2, dtype=torch.int64))
