"""Everything that can be checked before the first trial: targets, names, guards, points; `check=plan` prints it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.compose.config import RoundConfig
from flows.own import OWN
from flows.session.incumbent import looked_up
from flows.session.promoted_settings import with_settings
from flows.session.provenance.kept import earlier_now
from tasks.analyze.reviews.adaptive_search import ADAPTIVE, AdaptiveSearchThresholds, in_parallel
from tasks.design.kept import keeping
from tasks.design.samplers.all import SAMPLERS
from tasks.design.study import Round, design
from tasks.record import Finding
from tasks.scope.error import InputError
from tasks.scope.finding import blocking
from tasks.scope.roles import Scope
from tasks.scope.scope import scope_goal
from tasks.trials.command.check import check_command
from tasks.trials.command.reach import unseen_by_program
from tasks.trials.local.imports import check_imports
from tasks.trials.runners import check_runner
from tasks.trials.target import targets_at

Imported = set[tuple[object, ...]]
"""The programs whose code was imported already, in a child process: with `-m` many rounds have the same one."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A round that nothing can be said against: as it would begin now. `config`: on the incumbent's settings.

    `note`: what becomes of an incumbent's YAML of another ledger, empty where there is none.
    """

    config: RoundConfig
    round: Round
    note: str


def checked(config: RoundConfig, imported: Imported | None = None) -> Plan:
    """The plan of the round, once nothing can be said against it.

    `imported`: what one command need not import twice; what is imported now is added.

    Raises:
        InputError: the first thing that would stop the round: a target, a name, a guard that fails.

    Playbook: B1, D8
    """
    try:
        return _checked(config, set() if imported is None else imported)
    except InputError as error:
        raise InputError(config.secrets.redacted(str(error))) from None


def _checked(config: RoundConfig, imported: Imported) -> Plan:
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
    try:
        scope = scope_goal(config, incumbent)
    except InputError as error:
        raise InputError(f"{error}{_default_goal(config)}") from error
    refuse_blocked(scope)
    round = keeping(design(scope, OWN[scope.goal.kind].design), earlier_now(config))
    check_command(config.workload, round, config.config_dir)
    return Plan(config=config, round=round, note=view.sentence)


def _default_goal(config: RoundConfig) -> str:
    """That no goal was given, to somebody with a folder of their own: it may be all that is wrong."""
    if config.config_dir is None or any(o.startswith("goal=") for o in config.overrides):
        return ""
    own = _not_named(config, "goal")
    say = f": add {'one of ' * (len(own) > 1)}goal={', goal='.join(own)}" if own else ""
    return f" No goal= was given, so goal={config.goal.name} was asked{say}."


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


def warnings_of(config: RoundConfig, scope: Scope) -> tuple[str, ...]:
    """A line for each guard that warns, and for what no guard sees: told before anything runs."""
    told = (f"warning {f.row}: {with_remedy(f)}" for f in scope.findings if f.level == "warn")
    return (*told, *(f"warning: {said}" for said in unguarded(config, scope)))


def unguarded(config: RoundConfig, scope: Scope) -> Iterator[str]:
    """Warnings beside the guards': a budget of the folder that is not named, what a program is not seen to get."""
    if own := _not_named(config, "budget"):
        steps = f"{config.budget.max_train_steps} steps a trial"
        yield f"{config.config_dir} has budget={', '.join(own)}, and without budget= it is standard ({steps})"
    yield from unseen_by_program(config.workload, scope, config.config_dir)


def _not_named(config: RoundConfig, group: str) -> list[str]:
    """The options of a group in the user's folder, where the command names none of that group."""
    if config.config_dir is None or any(o.startswith(f"{group}=") for o in config.overrides):
        return []
    return sorted(path.stem for path in Path(config.config_dir, group).glob("*.yaml"))


def with_remedy(found: Finding) -> str:
    """The finding's sentence, and the overrides that mend it."""
    return found.evidence + (f" Try: {' '.join(map(shlex.quote, found.remedy))}" if found.remedy else "")
