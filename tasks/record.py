"""The record: the schema of `record.json`, version 2, and its digest; `Finding`, `VerdictRow`, the gate and all rows.

Pure values and readable from everywhere: a report, a later round or another program needs nothing else.
`tasks.upgrade` reads a record of any version.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from tasks.answers import Answer as Answer
from tasks.answers import AnyAnswer
from tasks.method import MethodRow
from tasks.values import Frozen as Frozen
from tasks.values import Number as Number
from tasks.values import Point as Point
from tasks.values import RecordRow
from tasks.values import Value as Value
from tasks.values import canonical as canonical
from tasks.values import finite as finite
from tasks.values import hash_of as hash_of
from tasks.verdict import AcceptedRow, GateRow, PromotedRow, VerdictRow

SCHEMA = 2

Level = Literal["ok", "warn", "fail", "na"]
Direction = Literal["minimize", "maximize"]
Status = Literal["complete", "infeasible", "failed", "stopped"]
Purpose = Literal["search", "retrain", "probe"]


class Where(RecordRow):
    """What a finding speaks of; empty where it speaks of the round."""

    study: str | None = None
    parameter: str | None = None
    side: Literal["low", "high"] | None = None
    trial: str | None = None


class NotChecked(StrEnum):
    """Why a question could not be asked or answered: the reason of every finding of level `na`, and of no other.

    `NOT_RECORDED` alone stands at any level: it is the reason of findings from before there were reasons.
    """

    NO_FEASIBLE_TRIAL = "no_feasible_trial"
    TOO_FEW_TRIALS = "too_few_trials"  # that are feasible, or usable, or of each compared value
    TOO_FEW_EVALUATIONS = "too_few_evaluations"  # of a curve, so that it has no shape
    TOO_NOISY = "too_noisy"  # the numbers are there, and luck may have made them
    NO_PATTERN_TO_TELL = "no_pattern_to_tell"  # too few trials of a kind to tell a pattern from luck
    NOTHING_VARIES = "nothing_varies"  # nothing that the question is about
    NOT_REPORTED = "not_reported"  # a metric that trials may report
    NOT_DECLARED = "not_declared"  # a fact that the workload, the goal or the source may state
    NOT_RECOGNISED = "not_recognised"  # by the names that are known
    LISTED_POINTS = "listed_points"  # explicit points, so nothing was searched
    NOT_THE_QUESTION = "not_the_question"  # of this goal
    NOTHING_PROMOTED = "nothing_promoted"  # yet, of this workload
    CUT_SHORT = "cut_short"  # the best trials ended before their last step
    RESTARTS = "restarts"  # the learning rate rises again, and explains what would be found
    BLOCKED = "blocked"  # another row must pass first
    NOT_INSIDE = "not_inside"  # the best trial lies close to an end of its ranges
    NOT_A_SHARE = "not_a_share"  # the objective is no share of examples
    TOO_COARSE = "too_coarse"  # numbers of so few digits that honest trials may have equal ones
    OTHER_PURPOSE = "other_purpose"  # no trial was run for what the check reads
    RAN_ELSEWHERE = "ran_elsewhere"  # and nobody said beforehand
    NOT_RECORDED = "not_recorded"


DOES_NOT_APPLY: frozenset[NotChecked] = frozenset(
    {NotChecked.NOT_THE_QUESTION, NotChecked.LISTED_POINTS, NotChecked.NOTHING_PROMOTED, NotChecked.NOTHING_VARIES}
    | {NotChecked.NOT_A_SHARE, NotChecked.OTHER_PURPOSE}
)
"""The reasons for which a question has no object in the round; for the others it has one, and stays open."""


class Finding(RecordRow):
    """One question of the playbook, asked: `level`, the sentence, the numbers behind it and what to do.

    `reason`: the code of the way in which the check ended, the same whatever the sentence says. `trials`: the ids of
    those that it speaks of. `remedy` is a tuple of Hydra overrides; joined to the round's own they are the next round.
    """

    check: str
    row: str = Field(pattern=r"^[A-K]\d{1,2}$")
    level: Level
    reason: str = Field(pattern=r"^[a-z0-9_]+$")
    trials: tuple[str, ...] = ()
    where: Where = Where()
    evidence: str
    numbers: dict[str, Number | None] = {}
    remedy: tuple[str, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether the question has an object in this round, be it answered or not."""
        return self.reason not in DOES_NOT_APPLY

    @field_validator("numbers", mode="before")
    @classmethod
    def _no_texts(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        texts = [name for name, number in value.items() if isinstance(number, str)]
        if texts:
            raise ValueError(f"{', '.join(texts)}: a text is no number")
        return value

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        unchecked = self.reason in set(NotChecked)
        if self.reason != NotChecked.NOT_RECORDED and unchecked != (self.level == "na"):
            raise ValueError(f"{self.reason} is no reason of level {self.level}")
        return self


class FixedRole(RecordRow):
    """A hyperparameter held at `value` in this round, and why that is fair."""

    value: Value
    reason: str = Field(min_length=1)


class RolesRow(RecordRow):
    """Every hyperparameter in exactly one role."""

    scientific: tuple[str, ...]
    nuisance: tuple[str, ...]
    fixed: dict[str, FixedRole]


class ReproduceRow(RecordRow):
    """How to run this round again, and what it ran on; `diff_cut`: characters of the diff that are not kept."""

    command: str
    overrides: tuple[str, ...]
    tunebook: str = ""
    git_commit: str | None = None
    uncommitted_diff: str = ""
    diff_cut: int = 0
    packages: dict[str, str] = {}
    fingerprint: str


class ObjectiveRow(RecordRow):
    """The metric that is judged, and which way is better; `bounds` between which it lies, `scale` of a difference."""

    metric: str
    direction: Direction
    bounds: tuple[float | None, float | None] | None = None
    scale: float | None = None


class GoalRow(RecordRow):
    """The question of the round."""

    question: str
    kind: str


class StudyRow(RecordRow):
    """One study: its scientific values, what varied and between which bounds, and its trials in order."""

    id: str
    scientific: dict[str, Value]
    space: dict[str, Any]
    sampler: str
    seed: int
    trials: tuple[str, ...]


class TrialRow(RecordRow):
    """One trial; `best_value` is the best objective over training (E12), in the metric's own unit.

    `settings`: arguments of the workload that were its own, as overrides. `pack`: the trials that it ran together with.
    `kept`: the earlier round and its trial (`round/trial`) whose result this is; None where it ran in this round.
    """

    id: str
    study: str
    purpose: Purpose
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    seed: int
    max_train_steps: int
    eval_every_steps: int
    pack: str | None = None
    kept: str | None = None
    status: Status
    reason: str = ""
    best_step: int | None = None
    best_value: float | None = None
    final_value: float | None = None
    steps_done: int = 0
    seconds: float = 0.0
    mlflow_run_id: str | None = None

    @property
    def tried(self) -> dict[str, Value]:
        """The point with the settings beside it."""
        return {**self.point, **self.settings}


class IsolationRow(RecordRow):
    """The best trial of one scientific value or bucket; `band` is what luck of the search could have made of it."""

    parameter: str
    value: Value | None = None
    bucket: tuple[float, float] | None = None
    best_trial: str | None
    best_value: float | None
    band: tuple[float, float] | None


class ImportanceRow(RecordRow):
    """How much one hyperparameter explains of the differences between a study's trials (B5).

    `share` of them, between 0 and 1, `band` where 9 of 10 repetitions would put it. `verdict`: it matters, it can be
    fixed, or these trials cannot tell. `together`: those that must be tuned with it.
    """

    study: str
    parameter: str
    share: float
    band: tuple[float, float]
    verdict: Literal["matters", "can be fixed", "cannot tell"]
    together: tuple[str, ...] = ()


class NextRow(RecordRow):
    """The command that is the next round; "" where nothing more is to be asked, and `why` says how to go on."""

    command: str
    overrides: tuple[str, ...]
    why: str


class Record(RecordRow):
    """A whole round, as written to `record.json`."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    round_id: str
    digest: str = ""
    workload: str
    created: str
    finished: str
    seed: int
    parent: str | None = None
    notes: str = ""
    acknowledged: dict[str, str] = {}
    reproduce: ReproduceRow
    objective: ObjectiveRow
    goal: GoalRow
    roles: RolesRow
    caveats: tuple[str, ...] = ()
    budget: dict[str, Any]
    policy: dict[str, Any]
    studies: tuple[StudyRow, ...]
    trials: tuple[TrialRow, ...]
    curves: str
    findings: tuple[Finding, ...]
    isolation: tuple[IsolationRow, ...]
    importance: tuple[ImportanceRow, ...] = ()
    answer: AnyAnswer
    learned: tuple[str, ...]
    verdict: VerdictRow
    gate: GateRow | None = None
    accepted: AcceptedRow | None = None
    promoted: PromotedRow | None = None
    next: NextRow
    method: MethodRow | None = None

    model_config = ConfigDict(populate_by_name=True)


def digest(record: Record) -> str:
    """The sha256 of what the round asked and found; equal for equal configuration, seed and starting state.

    It is of codes, ids and numbers, and of the person's question: no sentence that is written here has a part in it,
    nor have seconds, MLflow's ids, packs, whence a trial was kept, the round's id and dates, which differ between two
    runs of one round.
    Trials and findings are put in an order of their own, so that how they came leaves no trace.
    """
    whole = record.model_dump(mode="json", by_alias=True)
    roles, verdict = whole["roles"], whole["verdict"]
    kept = {k: whole[k] for k in ("objective", "goal", "studies", "gate", "answer")}
    kept["roles"] = roles | {"fixed": {name: role["value"] for name, role in roles["fixed"].items()}}
    kept["trials"] = sorted(_without(whole["trials"], _PASSING), key=lambda t: str(t["id"]))
    kept["findings"] = sorted(_without(whole["findings"], _SAID), key=canonical)
    kept["verdict"] = {k: v for k, v in verdict.items() if k != "reasons"}
    return hash_of(kept)


_PASSING = frozenset({"seconds", "mlflow_run_id", "pack", "kept", "reason"})  # of a trial; its reason is a sentence
_SAID = frozenset({"check", "evidence", "remedy"})  # of a finding; its reason is a code


def _without(rows: list[dict[str, Any]], keys: frozenset[str]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in keys} for row in rows]
