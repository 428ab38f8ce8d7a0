"""The record of gradient norms, and clipping."""

import math

import numpy as np
import pytest
import torch

from tasks.trials.supervised.gradients import BINS, GradientTrace, clip, total_norm


def norms(n: int) -> list[float]:
    """`n` norms over two decades."""
    return [float(x) for x in np.exp(np.random.default_rng(0).normal(size=n))]


@pytest.mark.playbook("I1", case="shows")
def test_a_spike_of_one_step_is_still_seen_after_a_hundred_thousand() -> None:
    trace, given = GradientTrace(), norms(100_000)
    given[777] = 1e6
    trace.add(given)
    assert trace.steps == 100_000
    assert len(trace.means) <= BINS
    assert max(trace.maxima) == 1e6
    assert trace.maxima.index(1e6) == 777 // trace.width
    covered = len(trace.means) * trace.width
    assert sum(trace.means) * trace.width == pytest.approx(sum(given[:covered]))
    assert covered > 99_000


@pytest.mark.playbook("I12", case="shows")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_a_percentile_of_the_norms_is_right_to_half_a_bin(share: float) -> None:
    trace, given = GradientTrace(), norms(5_000)
    trace.add(given)
    exact = float(np.quantile(given, share, method="inverted_cdf"))
    assert trace.percentile(share) == pytest.approx(exact, rel=0.06)


def test_before_the_first_step_there_is_no_percentile() -> None:
    assert math.isnan(GradientTrace().percentile(0.9))


@pytest.mark.parametrize("norm", [0.0, 1e-30, 1e30])
def test_a_norm_beyond_the_histogram_is_counted_at_its_end(norm: float) -> None:
    trace = GradientTrace()
    trace.add([norm])
    assert trace.steps == 1
    assert trace.counts[0 if norm < 1 else -1] == 1


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 513, 1025, 2999])
def test_a_trace_that_was_put_away_goes_on_as_if_it_had_not(cut: int) -> None:
    given = norms(3_000)
    straight, first = GradientTrace(), GradientTrace()
    straight.add(given)
    first.add(given[:cut])
    second = GradientTrace.from_state(first.state())
    second.add(given[cut:])
    assert second.state() == straight.state()


@pytest.mark.playbook("I12", case="shows")
def test_a_gradient_above_the_threshold_is_scaled_to_it_and_keeps_its_direction() -> None:
    gradients = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])]
    norm = total_norm(gradients)
    assert float(norm) == 5.0
    clip(gradients, norm, 1.0)
    assert float(total_norm(gradients)) == pytest.approx(1.0)
    assert gradients[0].tolist() == pytest.approx([0.6, 0.0])
    assert gradients[1].item() == pytest.approx(0.8)


@pytest.mark.parametrize("threshold", [5.0, 7.3])
def test_a_gradient_at_or_below_the_threshold_is_not_touched_at_all(threshold: float) -> None:
    gradients = [torch.tensor([3.0, 1e-9]), torch.tensor([[4.0]])]
    before = [g.clone() for g in gradients]
    clip(gradients, total_norm(gradients), threshold)
    assert all(torch.equal(a, b) for a, b in zip(gradients, before, strict=True))
