"""Everything that can be checked before the first trial (`check=plan`): targets, guards, points, cost."""

import math
import shlex
from collections.abc import Iterator

from flows.compose.config import RoundConfig
from flows.own import OWN
from flows.session.incumbent import looked_up
from flows.session.promoted_settings import with_settings
from flows.session.provenance.kept import earlier_now
from tasks.analyze.reviews.adaptive_search import ADAPTIVE, AdaptiveSearchThresholds, in_parallel
from tasks.design.kept import keeping, kept_text
from tasks.design.samplers.all import SAMPLERS
from tasks.design.study import Round, Study, design
from tasks.record import Finding
from tasks.scope.error import InputError
from tasks.scope.finding import blocking
from tasks.scope.guards.length import warmup_in_front
from tasks.scope.roles import Scope
from tasks.scope.scope import scope_goal
from tasks.scope.space import Parameter
from tasks.text import plural, show
from tasks.trials.command.check import check_command
from tasks.trials.local.imports import check_imports
from tasks.trials.runners import check_runner
from tasks.trials.target import targets_at

_SHOWN = 8  # widths that the plan names
Imported = set[tuple[object, ...]]
"""The programs whose code was imported already, in a child process: with `-m` many rounds have the same one."""


def checked(config: RoundConfig, imported: Imported | None = None) -> str:
    """The plan of the round in words, once nothing can be said against it.

    `imported`: what one command need not import twice; what is imported now is added.

    Raises:
        InputError: the first thing that would stop the round: a target, a name, a guard that fails.

    Playbook: B1, D8
    """
    try:
        return _checked(config, set() if imported is None else imported)
    except InputError as error:
        raise InputError(config.secrets.redacted(str(error))) from None


def _checked(config: RoundConfig, imported: Imported) -> str:
    targets = tuple(targets_at(config.workload.recipe, "workload"))
    program = (config.config_dir, targets, config.runner.environment)
    if program not in imported:
        check_imports(targets, config.execution)
        imported.add(program)
    if config.sampler in ADAPTIVE and config.sampler not in SAMPLERS:
        raise InputError(_adaptive(config))
    if config.sampler not in SAMPLERS:
        raise InputError(f"sampler: {config.sampler!r} is unknown; allowed are {', '.join(SAMPLERS)}.")
    check_runner(config.execution)
    incumbent, view = looked_up(config)
    config = with_settings(config, incumbent.settings)
    scope = scope_goal(config, incumbent)
    refuse_blocked(scope)
    round = keeping(design(scope, OWN[scope.goal.kind].design), earlier_now(config))
    check_command(config.workload, round, config.config_dir)
    return "\n".join([plan_text(round), *([f"note        {view.sentence}"] if view.sentence else [])])


def _adaptive(config: RoundConfig) -> str:
    """Why an adaptive search is refused, and what it is held against with as many slots and trials as there are.

    Playbook: D14
    """
    slots, bars = len(config.execution.runner.slots), config.policy.of(AdaptiveSearchThresholds)
    instead = in_parallel(config.sampler, config.budget.trials, slots, bars)
    say = " ".join(instead.remedy) or "sampler=halton while exploring, and keep an adaptive search for exploitation"
    return (
        f"sampler: {config.sampler} adapts to its results, and exploration needs points that do not (D5). "
        f"{instead.row}: {instead.evidence} Say {say}."
    )


def refuse_blocked(scope: Scope) -> None:
    """Stop a round that a guard fails, unless the row is acknowledged in writing.

    Raises:
        InputError: what the guard found, its remedy, and how to go on regardless.

    Playbook: E1
    """
    for blocker in blocking(scope.findings, scope.acknowledged):
        remedy = f"try {' '.join(blocker.remedy)}, or " if blocker.remedy else ""
        raise InputError(
            f"{blocker.check} ({blocker.row}): {blocker.evidence.rstrip('.')}; {remedy}go on regardless, in writing, "
            f"with 'acknowledge={{{blocker.row}: \"why\"}}'."
        )


def warnings_of(scope: Scope) -> tuple[str, ...]:
    """A line for each guard that warns: what is told before anything runs."""
    return tuple(f"warning {f.row}: {with_remedy(f)}" for f in scope.findings if f.level == "warn")


def with_remedy(found: Finding) -> str:
    """The finding's sentence, and the overrides that mend it."""
    return found.evidence + (f" Try: {' '.join(map(shlex.quote, found.remedy))}" if found.remedy else "")


def plan_text(round: Round) -> str:
    """Roles, guards, studies, points and cost.

    Playbook: D8, C3
    """
    scope = round.scope
    lines = [f"question    {scope.goal.question}", f"scientific  {_scientific(scope)}"]
    lines += [f"nuisance    {', '.join(scope.roles.nuisance) or 'none'}"]
    lines += [f"fixed       {name} = {show(r.value)}: {r.reason}" for name, r in scope.roles.fixed.items()]
    lines += [f"incumbent   generation {scope.incumbent.generation}, {scope.incumbent.source}"]
    lines += [f"promoted    {name} = {show(value)}" for name, value in scope.incumbent.settings.items()]
    own = {name: v for name, v in scope.settings.items() if v != scope.incumbent.settings[name]}
    lines += [f"typed       {name} = {show(value)}, in place of that" for name, value in own.items()]
    lines += [f"{f.level:<5} {f.row:<4}  {with_remedy(f)}" for f in scope.findings if f.level in ("warn", "fail")]
    lines += [f"kept        {kept_text(round)}"] if round.kept else []
    for study in round.studies:
        arm = ", ".join(f"{k}={show(v)}" for k, v in study.scientific.items()) or "one joint study"
        varied = ", ".join(study.space.names)
        lines += [f"study {study.id}  {arm}: {_most(study)} by {study.sampler} over {varied}"]
        lines += [f"  {p.id}  " + ", ".join(f"{n}={show(p.tried[n])}" for n in study.space.names if n in p.tried)
                  + "  (kept)" * (p.kept is not None) for p in study.trials]  # fmt: skip
        lines += ["  its points depend on results: they are chosen while it runs"] if not study.trials else []
    return "\n".join([*lines, *_trade(round), _cost(round)])


def _most(study: Study) -> str:
    """How many trials: at most so many where they depend on results."""
    return f"{'at most ' * (not study.trials)}{study.count} trials"


def _scientific(scope: Scope) -> str:
    return "; ".join(
        f"{name}: {values if isinstance(values, str) else ', '.join(map(show, values))}"
        for name, values in scope.goal.scientific.items()
    )


def _trade(round: Round) -> Iterator[str]:
    """How wide what varies is, how densely it is sampled, and what one more of either would cost at that density.

    Playbook: D8
    """
    scope, varied = round.scope, {p.name: p for study in round.studies for p in study.space}
    if not varied or scope.goal.facts.purpose != "search" or scope.goal.points:
        return
    widths = [_width(p) for p in varied.values()]
    more = f" and {len(widths) - _SHOWN} more" * (len(widths) > _SHOWN)
    yield f"width       {', '.join(widths[:_SHOWN])}{more}"
    studies, count = len(round.studies), max(study.count for study in round.studies)
    most = max(len(study.space) for study in round.studies)
    dense = count / most
    yield f"density     {plural(count, 'trial')} a study for {plural(most, 'hyperparameter')}: {dense:.3g} for each"
    listed = [v for v in scope.goal.scientific.values() if not isinstance(v, str)]
    combined = math.prod(map(len, listed))
    each = count / combined if scope.joint else count  # trials of one combination of listed values
    added = {math.ceil(each * combined / len(values)) for values in listed}  # by the parameter that has one more
    costs = [f"one more nuisance costs {plural(math.ceil(dense) * studies, 'trial')}"]
    least = "at least " * (len(added) > 1)
    costs += [f"one more scientific value {least}{plural(min(added), 'trial')}"] if added else []
    costs += [f"a range twice as wide {plural(count * studies, 'trial')}"]
    yield f"trade       (D8) at that density {', '.join(costs)}"


def _width(parameter: Parameter) -> str:
    if not parameter.numeric:
        return f"{parameter.name} of {plural(len(parameter.values), 'value')}"
    return f"{parameter.name} {show(parameter.low)} to {show(parameter.high)} ({parameter.scale})"


def _cost(round: Round) -> str:
    """The three-way trade-off in numbers: scientific values, nuisances, trials.

    A warmup that is put in front of the budget's steps is counted with them.

    Playbook: I10
    """
    scope, budget = round.scope, round.scope.budget
    search = sum(study.count for study in round.studies) - sum(t.kept is not None for t in round.trials)
    retrains = (budget.finalists + 2) * budget.retrains if scope.goal.facts.gate else 0
    before, each = warmup_in_front(scope), budget.max_train_steps + warmup_in_front(scope)
    shape = f"{len(round.studies)} studies, {plural(len(scope.roles.nuisance), 'nuisance')}"
    if not retrains:
        open_ended = any(not study.trials for study in round.studies)
        steps = f": {sum(t.max_train_steps + before for t in round.trials):,} steps" if not open_ended else ""
        none = "; no retrains, so trial variance is not measured (K4)" if scope.goal.facts.gate else ""
        return f"cost        {'at most ' * open_ended}{plural(search, 'trial')} ({shape}){steps}{none}"
    return (
        f"cost        {search} trials ({shape}) and at most {retrains} retrains "
        f"of {each} steps: {(search + retrains) * each:,} steps"
    )
