"""Short trials before a round: one at the incumbent's point, again, on another seed, each hyperparameter moved."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.before.probes import Probe, completed, probes_of
from flows.session.plan import Plan
from tasks.analyze.study.repeats import ENOUGH, Seeds, agree, fine_values, seeds_of
from tasks.design.study import Planned, derived_seed
from tasks.promote.retrains import equal, incumbent_point
from tasks.record import Frozen, Point, Value
from tasks.tracking.private import PrivateStores
from tasks.trials.command.check import wants_mlflow
from tasks.trials.runner import Runner
from tasks.trials.runners import open_runner
from tasks.trials.trial import Trial

EVALUATIONS = 4  # of a short trial

Verdict = Literal["matters", "unread", "nothing", "coarse", "failed", "elsewhere", "not told"]


class Effect(Frozen):
    """Whether a hyperparameter changes what a short trial reports; `values` were tried, `was` is the base's.

    `nothing`: every number agrees. `coarse`: every number agrees, and is of such as agree by luck. `unread`: no trial
    read it. `elsewhere`: it is read at other points alone. `failed`: the trial fails there, for that `reason`. `not
    told`: equal seeds differ, so nothing can be compared.
    """

    name: str
    verdict: Verdict
    was: Value
    values: tuple[Value, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ShortTrials:
    """What came of the short trials, each of `steps` steps, `seconds` in all.

    `first`: at the incumbent's point. `second`: the same on another seed, run beside others as in the round. `coarser`:
    the first again with half of its evaluations. `repeatable`: equal seeds give equal numbers; None where that was not
    tried.
    """

    first: Trial
    second: Trial | None = None
    coarser: Trial | None = None
    repeatable: bool | None = None
    seeds: Seeds | None = None
    effects: tuple[Effect, ...] = ()
    trials: tuple[Trial, ...]
    steps: int
    seconds: float

    @property
    def broken(self) -> Trial | None:
        """The trial at the incumbent's point that has no result; None where both have one."""
        return next((t for t in (self.first, self.second) if t is not None and not t.feasible), None)


class _NoLedger:
    """Attempts that nobody writes down."""

    def start(self, planned: Planned) -> int:
        return 1

    def again(self, trial: Trial, attempt: int) -> bool:
        return False

    def accept(self, trial: Trial, attempt: int) -> None:
        return None


class _Bench:
    """Runs short trials, as many at once as the runner has slots, and remembers them."""

    def __init__(self, plan: Plan, runner: Runner, steps: int) -> None:
        self.plan, self.steps, self._runner = plan, steps, runner
        self.trials: list[Trial] = []

    def planned(self, point: Point, *, seed: int = 0, every: int | None = None, id: str = "") -> Planned:
        """A short trial at that point."""
        config = self.plan.config
        return Planned(
            id=id or f"short-{len(self.trials)}",
            study="check=trial",
            purpose="probe",
            index=0,
            point=dict(point),
            seed=derived_seed(config.seed, "check=trial", seed),
            max_train_steps=self.steps,
            eval_every_steps=every or min(config.budget.eval_every_steps, self.steps),
        )

    def run(self, planned: Sequence[Planned]) -> list[Trial]:
        """The trials, in the order in which they were asked for."""
        named = [p.model_copy(update={"id": f"short-{len(self.trials) + i}"}) for i, p in enumerate(planned)]

        def one(plan: Planned) -> Trial:
            (unit,) = self._runner.units([plan])
            (trial,) = self._runner.run(unit, _NoLedger())
            return trial

        with ThreadPoolExecutor(self._runner.slots) as pool:
            try:
                ended = list(pool.map(one, named))
            except BaseException:
                self._runner.close()  # else the pool would wait for the trials that run
                raise
        self.trials += ended
        return ended

    def at(self, point: Point) -> Trial | None:
        """The trial on the first seed that was run at that point."""
        return next((t for t in self.trials if equal(t.planned.point, point) and self._first(t)), None)

    def _first(self, trial: Trial) -> bool:
        return trial.planned == self.planned(trial.planned.point, id=trial.id)


def short_trials(plan: Plan, folder: Path) -> ShortTrials:
    """What short trials of the plan's program say of it; they run through the round's runner, in that folder.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation.
    """
    config = plan.config
    steps = min(EVALUATIONS * config.budget.eval_every_steps, config.budget.max_train_steps)
    with ExitStack() as stack:
        way_back = PrivateStores(folder) if wants_mlflow(config.workload) else None
        bench = _Bench(plan, open_runner(stack, config.execution, folder, way_back), steps)
        return _ran(bench)


def _ran(bench: _Bench) -> ShortTrials:
    """The short trials in their order: nothing more is run once the first has no result."""
    scope, begun = bench.plan.round.scope, time.monotonic()
    base = completed(scope, incumbent_point(scope))
    (first,) = bench.run([bench.planned(base)])
    if not first.feasible:
        return ShortTrials(first=first, trials=tuple(bench.trials), steps=bench.steps, seconds=time.monotonic() - begun)
    coarser, repeatable = _repeated(bench, first)
    probes = [*probes_of(bench.plan.round, base)]
    wave = [p for p in probes if equal(p.base, base) and not _unread(bench, p)] if repeatable else []
    second, *_ = bench.run([bench.planned(base, seed=1), *(bench.planned(p.moved(scope, 0)) for p in wave)])
    effects = tuple(_effects(bench, probes, repeatable))
    return ShortTrials(
        first=first,
        second=second,
        coarser=coarser,
        repeatable=repeatable,
        seeds=seeds_of([[first, second]], scope.objective),
        effects=effects,
        trials=tuple(bench.trials),
        steps=bench.steps,
        seconds=time.monotonic() - begun,
    )


def _repeated(bench: _Bench, first: Trial) -> tuple[Trial | None, bool]:
    """The first trial again with half of its evaluations, and whether equal seeds give equal numbers.

    What is drawn at random in an evaluation may make such a repetition differ: then it is repeated as it was.
    """
    objective, planned, coarser = bench.plan.config.workload.objective, first.planned, None
    every = 2 * planned.eval_every_steps
    if every <= bench.steps:
        (coarser,) = bench.run([bench.planned(planned.point, every=every)])
        if coarser.feasible and agree(first.curve, coarser.curve, objective):
            return coarser, True
    (again,) = bench.run([bench.planned(planned.point)])
    return coarser, again.feasible and agree(first.curve, again.curve, objective)


def _effects(bench: _Bench, probes: Sequence[Probe], repeatable: bool) -> Iterator[Effect]:
    """Of each tuned hyperparameter whether it matters; what is missing for that is run."""
    scope = bench.plan.round.scope
    if repeatable:
        bases = [p.base for p in probes if bench.at(p.base) is None]
        _run_each_once(bench, bases)
        moved = [p.moved(scope, 0) for p in probes if not _unread(bench, p) and bench.at(p.moved(scope, 0)) is None]
        _run_each_once(bench, moved)
        silent = [p for p in probes if len(p.values) > 1 and not _unread(bench, p) and _agrees(bench, p, 0)]
        _run_each_once(bench, [p.moved(scope, 1) for p in silent])
    for probe in probes:
        yield _effect(bench, probe, repeatable)


def _run_each_once(bench: _Bench, points: Sequence[Point]) -> None:
    distinct: list[Point] = []
    for point in points:
        if not any(equal(point, other) for other in distinct):
            distinct.append(point)
    if distinct:
        bench.run([bench.planned(point) for point in distinct])


def _unread(bench: _Bench, probe: Probe) -> bool:
    """Whether the trial at the probe's base ended well and never read the hyperparameter.

    A parent may be told by its children alone, where they exist: then its effect is tried.
    """
    base = bench.at(probe.base)
    parent = any(probe.name in parameter.when for parameter in bench.plan.round.scope.declared)
    return base is not None and base.feasible and probe.name in base.unread and not parent


def _agrees(bench: _Bench, probe: Probe, i: int) -> bool:
    """Whether the trial with value number `i` reported what the base's did, number by number."""
    base, moved = bench.at(probe.base), bench.at(probe.moved(bench.plan.round.scope, i))
    if base is None or moved is None or not (base.feasible and moved.feasible):
        return False
    return agree(base.curve, moved.curve, bench.plan.config.workload.objective)


def _effect(bench: _Bench, probe: Probe, repeatable: bool) -> Effect:
    scope, objective = bench.plan.round.scope, bench.plan.config.workload.objective
    effect = Effect(name=probe.name, verdict="matters", was=probe.base[probe.name])
    read = [t for t in bench.trials if probe.name in t.planned.point and probe.name not in t.unread]
    if _unread(bench, probe):
        return effect.model_copy(update={"verdict": "elsewhere" if read else "unread"})
    base = bench.at(probe.base)
    if not repeatable or base is None:
        return effect.model_copy(update={"verdict": "not told"})
    if not base.feasible:
        return effect.model_copy(update={"verdict": "not told", "reason": base.reason})
    tried = [(v, t) for i, v in enumerate(probe.values) if (t := bench.at(probe.moved(scope, i))) is not None]
    effect = effect.model_copy(update={"values": tuple(value for value, _ in tried)})
    failed = next(((v, t) for v, t in tried if t.status == "failed"), None)
    if failed is not None:
        return effect.model_copy(update={"verdict": "failed", "values": (failed[0],), "reason": failed[1].reason})
    if not tried or not all(_agrees(bench, probe, i) for i in range(len(tried))):
        return effect
    fine = len(fine_values(base.curve, objective)) >= ENOUGH
    return effect.model_copy(update={"verdict": "nothing" if fine else "coarse"})
