"""The verdict of a record, what it promoted, and the gate that it stands on: arms, retrains and every look."""

from typing import Literal

from tasks.values import RecordRow, Value

Outcome = Literal["promote", "keep", "retrain", "redesign", "na"]
Reason = Literal[
    "better",  # a finalist beats the incumbent, and the baseline where there is one
    "baseline_better",  # the arm without the change does
    "no_gain",  # nothing gains more than it must
    "declined",  # something does, and a person or the policy said no
    "undecided",  # it is not told from luck
    "no_sound_retrains",  # a retrain of an arm that would have to be compared gave no result
    "too_few_retrains",  # one an arm shows no noise
    "nothing_feasible",  # no trial of the search can be compared
    "no_other_candidate",  # the best is the incumbent itself, or the arm without the change has no feasible trial
    "blocked",  # findings must be mended first
    "no_gate",  # nothing is put before one: these trials ran elsewhere, or the goal has none
    "variance_not_measured",  # no retrains in the budget: the searches are all it rests on, and no error rate holds
    "measured",  # what a goal without a gate measured was promoted
]
State = Literal["open", "better", "not better", "undecided", "void"]


class CandidateRow(RecordRow):
    """The configuration that was put before the gate."""

    study: str
    trial: str
    point: dict[str, Value]
    settings: dict[str, Value] = {}


class IncumbentRow(RecordRow):
    """What was promoted when the round began; generation 0 is the workload's baseline."""

    generation: int
    point: dict[str, Value]
    settings: dict[str, Value] = {}


class VerdictRow(RecordRow):
    """What becomes of the configuration, and why: `reason` is the code of it, `reasons` are sentences for people."""

    outcome: Outcome
    reason: Reason
    candidate: CandidateRow | None = None
    incumbent: IncumbentRow
    gain: float | None = None
    error_rate: float | None = None
    reasons: tuple[str, ...] = ()


class CheckpointRow(RecordRow):
    """A checkpoint of what was promoted: `file`, seen from the record's folder, written by the trial at `step`.

    `value`: the objective there, in the metric's unit. `part`: under which key the weights lie, "" where the file is
    the whole state. `program`: the trial's own program wrote the file, in a format of its own; of which step and value
    is then not known.
    """

    file: str
    trial: str
    purpose: Literal["search", "retrain", "probe"]
    of: int = 1
    step: int | None = None
    value: float | None = None
    part: str = ""
    program: bool = False


class PromotedRow(RecordRow):
    """What the round promoted: `generation`, every value, and the `command` that shows it again.

    `checkpoint`: of the best of the `of` fresh retrains that saved one, else of the trial that was selected; None where
    neither did.
    """

    generation: int
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    checkpoint: CheckpointRow | None = None
    command: str


class AcceptedRow(RecordRow):
    """Who accepted a promotion: the policy, which asks nobody, or a person, who was asked.

    `in_writing`: the rows without whose acknowledgement nothing would have been promoted, each with what was written.

    Playbook: G9
    """

    by: Literal["policy", "person"]
    in_writing: dict[str, str] = {}

    @property
    def text(self) -> str:
        """Who, and what they had in writing: `a person (approval=ask)`, `…: K4: "a retrain takes a week"`."""
        written = ", ".join(f'{row}: "{" ".join(why.split())}"' for row, why in sorted(self.in_writing.items()))
        who = "a person (approval=ask)" if self.by == "person" else "the policy (approval=auto)"
        return f"{who}, on what was acknowledged in writing: {written}" if written else who


class CountedRow(RecordRow):
    """What a retrain counted for before the gate, in the metric's unit; None where it gave no result."""

    trial: str
    value: float | None


class ArmRow(RecordRow):
    """A configuration before the gate; `value`: its scientific value.

    `retrained_as`: the arm whose retrains count for it, its own name unless it is that configuration. `trials`: those
    retrains, `kept`: those of earlier rounds that count again. `price`: of its complexity, None where it is not known.
    """

    name: str
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    value: Value | None = None
    retrained_as: str
    trials: tuple[CountedRow, ...] = ()
    kept: tuple[CountedRow, ...] = ()
    price: float | None = None


class LookRow(RecordRow):
    """The evidence after `n` retrains of the candidate and `against` of the other arm: see `Look` of the gate."""

    n: int
    against: int
    gain: float
    band: tuple[float, float]
    z: float
    upper: float
    lower: float
    sd_candidate: float
    sd_against: float
    correlation: float | None = None


class ComparisonRow(RecordRow):
    """One arm against another, and every look: better by more than `margin`, not better, or not settled."""

    candidate: str
    against: str
    margin: float | None = None
    looks: tuple[LookRow, ...] = ()
    state: State


class GateRow(RecordRow):
    """The gate: what was put before it, what every retrain counted for, and what it saw at each look.

    `deterministic`: the workload has no noise, so nothing was repeated and no error rate holds.
    """

    arms: tuple[ArmRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    minimum_gain: float
    deterministic: bool = False
