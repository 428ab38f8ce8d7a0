"""What a person asks: `Goal`, `Objective`, `Workload`, `Budget`, and the `Incumbent`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tasks.record import Direction, Frozen, Value
from tasks.scope.error import InputError
from tasks.scope.kinds import KINDS, Kind
from tasks.scope.names.names import told_by_key, told_names
from tasks.scope.names.programs import names_setting
from tasks.scope.space import same

RANGE: Literal["range"] = "range"
BUDGET, WORKLOAD = "budget.", "workload."  # how the name of a setting begins, where it is an override


class Fixed(Frozen):
    """A hyperparameter that the goal fixes: `reason` is mandatory, `value` None means the incumbent's.

    Playbook: C2
    """

    reason: str = Field(min_length=1)
    value: Value | None = None


class Goal(Frozen):
    """One question: scientific chosen first, everything else nuisance, each fixed hyperparameter with a reason.

    `scientific` maps a hyperparameter to the values to compare (the first is the baseline: the arm without the
    change), or to `range`: the space's continuous parameter as a whole. `nuisance` None means all that is left.
    `points` are explicit configurations instead of a search.

    Playbook: B2, C1, C2, D1
    """

    name: str
    question: str = Field(min_length=1)
    kind: str
    scientific: dict[str, tuple[Value, ...] | Literal["range"]] = {}
    nuisance: tuple[str, ...] | None = None
    fixed: dict[str, Fixed] = {}
    points: tuple[dict[str, Value], ...] = ()

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in KINDS:
            raise InputError(f"goal.kind: {value!r} is unknown; allowed are {', '.join(KINDS)}.")
        return value

    @property
    def facts(self) -> Kind:
        """What its kind compares, runs and promotes."""
        return KINDS[self.kind]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name, values in self.scientific.items():
            if not values:
                raise InputError(f"goal.scientific.{name}: no values to compare; list at least two, or write range.")
            if values != RANGE and any(same(v, w) for i, v in enumerate(values) for w in values[:i]):
                raise InputError(f"goal.scientific.{name}: a value stands twice in {list(values)}; remove one.")
        roles = [*self.scientific, *(self.nuisance or ()), *self.fixed]
        twice = next((n for n in roles if roles.count(n) > 1), None)
        if twice:
            raise InputError(
                f"goal.{self.name}: {twice!r} stands in two roles (C1); a hyperparameter is scientific, nuisance or "
                "fixed."
            )
        return self


class Objective(Frozen):
    """The metric that is judged and which way is better (there is no default); `chance` is a guesser's value.

    `examples`: how many validation examples the metric is taken over, where it is a share of them (J8, G8). `bounds`:
    the least and the greatest value that the metric can have, null where there is none; `scale`: a difference of that
    size is a large one. Both are recorded, and nothing is concluded from them yet.
    """

    metric: str = Field(min_length=1)
    direction: Direction
    chance: float | None = None
    examples: int | None = Field(default=None, ge=2)
    bounds: tuple[float | None, float | None] | None = None
    scale: float | None = Field(default=None, gt=0)

    @field_validator("bounds")
    @classmethod
    def _ordered(cls, value: tuple[float | None, float | None] | None) -> tuple[float | None, float | None] | None:
        if value is not None and None not in value and float(value[0] or 0.0) >= float(value[1] or 0.0):
            raise InputError(f"workload.objective.bounds: {list(value)} will not do; write the lower one first.")
        return value

    @property
    def sign(self) -> float:
        """+1 where lower is better, -1 where higher is: a value times this is a loss."""
        return 1.0 if self.direction == "minimize" else -1.0


class Sampling(Frozen):
    """What a sampler does: whether its points depend on results, and whether it deals listed values evenly."""

    adapts: bool
    deals: bool


class Workload(Frozen):
    """Model, data and metric as a recipe: a callable's address and its arguments, handed across processes as data.

    `baseline` is generation 0 of the incumbent. `test` is called with the promoted checkpoint only. `names` says which
    hyperparameter a name is, where tunebook does not know it: `{batch_size: bs}`. `deterministic`: no seed changes
    its result, so nothing is repeated and no noise is measured (G2).
    """

    name: str
    target: str
    arguments: dict[str, Any] = {}
    objective: Objective
    baseline: dict[str, Value] = {}
    test: dict[str, Any] | None = None
    names: dict[str, tuple[str, ...]] = {}
    deterministic: bool = False

    @field_validator("names", mode="before")
    @classmethod
    def _told(cls, value: Mapping[str, Any], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
        return told_by_key(told_names(value, names_setting(info.data.get("target", ""))))

    @property
    def recipe(self) -> dict[str, Any]:
        """The callable with its arguments and its test as one recipe, as the YAML has it."""
        return {"_target_": self.target, **self.arguments, "test": self.test}

    def arguments_with(self, settings: Mapping[str, Value]) -> dict[str, Any]:
        """The arguments with these settings in their place, of those that are the workload's (`workload.model.width`).

        Raises:
            InputError: a setting within an argument that has nothing within it.
        """
        found = dict(self.arguments)
        for name, value in settings.items():
            if name.startswith(WORKLOAD):
                found = _placed(found, name.removeprefix(WORKLOAD).split("."), value, name)
        return found


def _placed(tree: Mapping[str, Any], path: Sequence[str], value: Value, name: str) -> dict[str, Any]:
    """A copy of the tree with the value at the end of the path."""
    first, *rest = path
    if not rest:
        return {**tree, first: value}
    inner = tree.get(first, {})
    if not isinstance(inner, Mapping):
        raise InputError(f"{name}: {first!r} of the workload is {inner!r}, which has nothing within it.")
    return {**tree, first: _placed(inner, rest, value, name)}


class Budget(Frozen):
    """What a round may spend: trials a study, retrains an arm at most, steps a trial, steps between evaluations.

    `finalists`: how many of the best trials are retrained and race the incumbent. No `retrains` at all: trial variance
    costs more than it is worth, and is not measured.

    Playbook: D8, H2, K4
    """

    trials: int
    retrains: int
    finalists: int = 1
    max_train_steps: int
    eval_every_steps: int

    @field_validator("*")
    @classmethod
    def _positive(cls, value: int, info: Any) -> int:
        if value < (0 if info.field_name == "retrains" else 1):
            raise InputError(f"budget.{info.field_name}: {value} buys nothing; give a whole number of at least 1.")
        return value

    @model_validator(mode="after")
    def _evaluates(self) -> Self:
        if self.eval_every_steps > self.max_train_steps:
            raise InputError(
                f"budget.eval_every_steps: {self.eval_every_steps} is more than budget.max_train_steps = "
                f"{self.max_train_steps}, so nothing would ever be evaluated; lower it."
            )
        return self

    def with_settings(self, settings: Mapping[str, Value], *, shorten: bool = True) -> Self:
        """The budget with these settings in place, of those that are a budget's (`budget.max_train_steps`).

        A length below the steps between two evaluations has one evaluation, at its end, if those may be shortened.

        Raises:
            InputError: values that no budget can have.
            ValidationError: values of another kind.
        """
        own = {name.removeprefix(BUDGET): value for name, value in settings.items() if name.startswith(BUDGET)}
        whole = {**self.model_dump(), **own}
        steps = whole["max_train_steps"]
        if shorten and "eval_every_steps" not in own and isinstance(steps, int) and steps > 0:
            whole["eval_every_steps"] = min(whole["eval_every_steps"], steps)
        return self.model_validate(whole)

    @property
    def evaluations(self) -> int:
        """Evaluations a trial."""
        return math.ceil(self.max_train_steps / self.eval_every_steps)


def in_force(key: str, budget: Budget, arguments: Mapping[str, Any]) -> Any:
    """What a round has for a setting (`budget.max_train_steps`, `workload.model.width`); None where it has nothing."""
    if key.startswith(BUDGET):
        return getattr(budget, key.removeprefix(BUDGET), None)
    found: Any = arguments
    for name in key.removeprefix(WORKLOAD).split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def flat_arguments(arguments: Mapping[str, Any], prefix: str = WORKLOAD) -> Iterator[tuple[str, Value | None]]:
    """Each plain argument of a workload by its override: `("workload.model.width", 64)`; lists are left out."""
    for key, value in arguments.items():
        if isinstance(value, Mapping):
            yield from flat_arguments(value, f"{prefix}{key}.")
        elif value is None or isinstance(value, Value):
            yield f"{prefix}{key}", value


class Incumbent(Frozen):
    """What is promoted now: its generation (0 is the workload's baseline), its point, and whose word that is.

    `settings`: values of the budget and arguments of the workload that were promoted, as overrides: they replace what
    the YAML says (`{"budget.max_train_steps": 1200}`). `promoted_with`: the arguments of the workload and the number of
    steps of the round that promoted it, as overrides; empty where that is not known. They replace nothing. `filled`:
    what the baseline leaves out, so that the middle of the range stands in.
    """

    generation: int = Field(ge=0)
    point: dict[str, Value]
    settings: dict[str, Value] = {}
    promoted_with: dict[str, Value | None] = {}
    filled: tuple[str, ...] = ()
    source: str

    @property
    def all_values(self) -> dict[str, Value]:
        """The point with the settings beside it."""
        return {**self.point, **self.settings}

    def altered_in(self, budget: Budget, arguments: Mapping[str, Any]) -> dict[str, Value | None]:
        """What a round has in place of what this was promoted with; its promoted settings are left out."""
        now = {key: in_force(key, budget, arguments) for key in self.promoted_with if key not in self.settings}
        differ = {key: value for key, value in now.items() if value != self.promoted_with[key]}
        return {key: value if isinstance(value, Value) else None for key, value in differ.items()}
