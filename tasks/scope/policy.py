"""Every threshold that a check or the gate uses; the values are in `conf/policy/`."""

from typing import Annotated

from pydantic import Field

from tasks.record import Frozen

Price = Annotated[float, Field(ge=0)]


class Policy(Frozen):
    """Thresholds. Fractions are of the sampled range, of trials or of steps, between 0 and 1.

    Where each number comes from stands beside it in `conf/policy/default.yaml`: the playbook's own, or our default.
    """

    # guards
    nuisance_trials: int = Field(ge=1)  # trials a study per nuisance parameter before C4 warns
    adam_trials_beta1: int = Field(ge=1)  # D10: below this many trials tune the learning rate alone
    adam_trials_epsilon: int = Field(ge=1)  # D10: from here epsilon too
    adam_trials_beta2: int = Field(ge=1)  # D10: from here beta2 too
    log_ratio: float = Field(gt=1)  # D11: a positive range wider than this ratio belongs on a log scale
    width_ratio: float = Field(gt=1)  # D9: compared ranges may differ in width by this factor at most
    joint_values: int = Field(ge=2)  # D3: more scientific values than this share one joint study
    # boundary and density
    edge_fraction: float = Field(gt=0, lt=0.5)  # E2: the outer share of a range that counts as its edge
    top_fraction: float = Field(gt=0, le=1)  # E3: the best share of a study's trials
    crowd_fraction: float = Field(gt=0, le=1)  # E3: the share of them at one edge that is a crowd
    edge_confidence: float = Field(
        gt=0.5, lt=1
    )  # E2, E3, E5: share of draws that put the optimum at the edge or beyond
    expand_decades: float = Field(gt=0)  # E2, E3: how far a log side is moved, in decades
    expand_fraction: float = Field(gt=0)  # E2, E3: how far a linear side is moved, in ranges
    wall_decades: float = Field(gt=0)  # E5: the best may lie this close below a wall, in decades
    good_fraction: float = Field(gt=0, lt=1)  # E7: "good" is within its d-th root of (median - best) of the best
    good_trials: int = Field(ge=1)  # E7: fewer good trials than this are too few
    infeasible_fraction: float = Field(gt=0, lt=1)  # E9
    stuck_fraction: float = Field(ge=0, lt=1)  # E8: a finite run this close to chance is infeasible
    blown_factor: float = Field(default=5.0, gt=0)  # E8: a finite loss so far above a first evaluation is infeasible
    # curves
    overfit_fraction: float = Field(gt=0)  # F2: rise after the best step, in units of the whole descent
    overfit_sds: float = Field(gt=0)  # F2: and in standard deviations of the late curve
    late_fraction: float = Field(gt=0, lt=1)  # F7: the last share of the curve
    improving_fraction: float = Field(gt=0, lt=1)  # F8: descent in the last quarter, as a share of the whole
    saturated_step: float = Field(gt=0, lt=1)  # F9: all of the descent by this share of the steps
    best_of_n_slope: float = Field(gt=0)  # D13: relative fall of best-of-n over the last half
    early_step: float = Field(gt=0, lt=1)  # H3: 10 %
    late_step: float = Field(gt=0, lt=1)  # H3: 25 %
    few_trials: int = Field(ge=1)  # D12: at and below this many trials luck dominates
    buckets: int = Field(ge=2)  # F12
    bootstraps: int = Field(ge=100)
    # what curves say of the data, the length and the arms
    period_chance: float = Field(gt=0, lt=1)  # J5: a period this unlikely in noise counts
    fit_error: float = Field(gt=0, lt=1)  # H9: a training error above this is no perfect fit
    uneven_trials: float = Field(gt=1)  # F13: one arm may have this many times the feasible trials of another
    gradient_spike: float = Field(gt=1)  # E11: a late gradient norm this many times the late median
    # what the trials say of the hyperparameters
    sensitivity_chance: float = Field(gt=0, lt=0.5)  # B5: a hyperparameter or a pair this unlikely by luck matters
    idle_share: float = Field(gt=0, lt=1)  # B5: what explains less than this at its 95 % bound can be fixed
    narrow_least: float = Field(gt=0, lt=1)  # B8: a narrowed range keeps this share of what it was at least
    narrow_margin: float = Field(ge=0, lt=1)  # B8: the room on either side of what must lie inside
    saturation_rounds: int = Field(ge=2)  # B7: so many rounds in a row without a gain beyond noise
    # the gate
    error_rate: float = Field(gt=0, lt=0.5)  # G4: chance of promoting a change that does nothing
    minimum_gain: float = Field(ge=0)  # in the metric's unit
    price: dict[str, Price | dict[str, Price]] = {}  # G5: what complexity costs, by hyperparameter or reported metric
    patience: float = Field(default=0.456, ge=0, le=3)  # G4: how far z may lag before a finalist is dropped
    smooth_evaluations: int = Field(default=3, ge=1)  # E12: a retrain counts by the best mean of so many evaluations
