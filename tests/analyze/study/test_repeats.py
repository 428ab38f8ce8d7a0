"""Whether the seed matters, asked of planted curves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tasks.analyze.study.repeats import agree, fine_values, seeds_of
from tasks.design.study import Planned
from tasks.record import Status
from tasks.scope.goal import Objective
from tasks.trials.trial import Curve, Trial, ended

ERROR = Objective(metric="valid_error", direction="minimize")
LUCK = np.random.default_rng(7)
FINE = [float(v) for v in LUCK.normal(0.3, 0.01, 5)]
OTHER = [float(v) for v in LUCK.normal(0.3, 0.01, 5)]
SHARE = [0.5, 0.3, 0.25, 0.2, 0.2]  # of 20 examples


def curve(**metrics: Sequence[float]) -> Curve:
    """A curve with these metrics at the steps 1, 2, 3, …"""
    count = len(next(iter(metrics.values())))
    return Curve(steps=np.arange(1, count + 1), metrics={n: np.array(v, dtype=float) for n, v in metrics.items()})


def trial(seed: int, status: Status = "complete", /, **metrics: Sequence[float]) -> Trial:
    """A retrain with that seed and these metrics."""
    planned = Planned(
        id=f"t{seed}",
        study="retrain-finalist",
        purpose="retrain",
        index=seed,
        point={},
        seed=seed,
        max_train_steps=5,
        eval_every_steps=1,
    )
    return ended(planned, curve(**metrics), ERROR, status)


def verdict(*groups: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """What is said of these groups, each trial on a seed of its own."""
    made = [[trial(10 * i + j, **metrics) for j, metrics in enumerate(group)] for i, group in enumerate(groups)]
    return seeds_of(made, ERROR).verdict


@pytest.mark.playbook("G2", case="fires")
def test_two_trials_whose_every_number_is_equal_show_that_the_seed_is_ignored() -> None:
    assert verdict([{"valid_error": FINE}, {"valid_error": FINE}]) == "ignored"


@pytest.mark.playbook("G2", case="silent")
def test_one_other_number_at_one_evaluation_shows_that_it_matters() -> None:
    assert verdict([{"valid_error": FINE}, {"valid_error": [*FINE[:4], OTHER[4]]}]) == "matters"


def test_equal_counts_of_few_examples_show_nothing() -> None:
    assert verdict([{"valid_error": SHARE}, {"valid_error": SHARE}]) == "cannot tell"


def test_a_loss_beside_the_equal_counts_shows_either() -> None:
    same, other = {"valid_error": SHARE, "train_loss": FINE}, {"valid_error": SHARE, "train_loss": OTHER}
    assert verdict([same, same]) == "ignored"
    assert verdict([same, other]) == "matters"


def test_a_clock_hides_no_ignored_seed() -> None:
    slow, fast = {"valid_error": FINE, "step_seconds": FINE}, {"valid_error": FINE, "step_seconds": OTHER}
    assert verdict([slow, fast]) == "ignored"


def test_a_schedule_that_is_equal_on_every_seed_accuses_nobody() -> None:
    same = {"valid_error": SHARE, "learning_rate": FINE, "optim/lr": OTHER}
    assert verdict([same, same]) == "cannot tell"


def test_a_network_that_learns_nothing_on_any_seed_accuses_nobody() -> None:
    guess = {"valid_error": [float(np.log(10))] * 5}
    once = {"valid_error": [float(np.log(10))]}
    assert verdict([guess] * 4) == "cannot tell"
    assert verdict([once, once], [once, once]) == "cannot tell"


def test_single_numbers_of_two_configurations_suffice() -> None:
    first, second = {"valid_error": FINE[:1]}, {"valid_error": OTHER[:1]}
    assert verdict([first, first], [second, second]) == "ignored"
    assert verdict([first, first]) == "cannot tell"
    assert verdict([first] * 4) == "ignored"


def test_half_of_the_replicates_repeated_is_seen_beside_the_others() -> None:
    assert verdict([{"valid_error": FINE}, {"valid_error": OTHER}, {"valid_error": FINE}]) == "ignored"


def test_a_coarse_curve_that_is_repeated_whole_is_seen_where_others_differ() -> None:
    """Printed with three decimals: on other seeds hardly one of twelve evaluations is equal."""
    luck = np.random.default_rng(3)
    mine, theirs = ([round(float(v), 3) for v in luck.normal(0.3, 0.05, 12)] for _ in range(2))
    assert verdict([{"valid_error": mine}, {"valid_error": theirs}, {"valid_error": mine}]) == "ignored"
    flat, rest = [0.1] * 12, [0.1] * 11 + [0.15]
    assert verdict([{"valid_error": flat}, {"valid_error": rest}, {"valid_error": flat}]) == "matters"


def test_trials_on_one_seed_and_infeasible_ones_are_not_asked() -> None:
    assert seeds_of([[trial(1, valid_error=FINE), trial(1, valid_error=FINE)]], ERROR).verdict == "not asked"
    broken = trial(2, "infeasible", valid_error=FINE)
    assert seeds_of([[trial(1, valid_error=FINE), broken]], ERROR).verdict == "not asked"


def test_shares_and_rounded_numbers_are_coarse_in_32_bits_and_in_percent_too() -> None:
    counts = [k / 360 for k in range(1, 360)]
    for values in (counts, [float(np.float32(v)) for v in counts], [100 * v for v in counts]):
        assert fine_values(curve(valid_error=values), ERROR) == frozenset()
    declared = ERROR.model_copy(update={"examples": 5000})
    assert fine_values(curve(valid_error=[1234 / 5000]), declared) == frozenset()
    assert len(fine_values(curve(valid_error=FINE), ERROR)) == 5


def test_curves_agree_only_where_both_have_the_objective() -> None:
    assert not agree(curve(valid_error=FINE), curve(train_loss=FINE), ERROR)
    assert agree(curve(valid_error=FINE), curve(valid_error=FINE, train_loss=OTHER), ERROR)
