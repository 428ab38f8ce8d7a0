"""What `check=plan` prints, what matters most first: cost, time, memory, smallest gain, warnings, roles, points."""

import math
from collections.abc import Iterator

from flows.before.lines import MARGIN, labelled
from flows.before.points import points_table
from flows.before.spending import MEASURES, cost_text, gain_text, measured_before, memory_text, spending_of, time_text
from flows.compose.called import round_line
from flows.session.plan import Plan, unguarded, with_remedy
from tasks.design.kept import kept_text
from tasks.design.study import Round
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter
from tasks.text import plural, show

_SHOWN = 8  # widths that the plan names


def plan_text(plan: Plan) -> str:
    """The plan in about forty lines.

    Playbook: D8, C3, G4
    """
    config, round, scope = plan.config, plan.round, plan.round.scope
    lines = [("question", scope.goal.question), *_spent(plan)]
    lines += [(f"{f.level:<5} {f.row}", with_remedy(f)) for f in scope.findings if f.level in ("warn", "fail")]
    lines += [("warn", said) for said in unguarded(config, scope)]
    lines += [("scientific", _scientific(scope)), ("nuisance", ", ".join(scope.roles.nuisance) or "none")]
    lines += [("fixed", told) for told in _fixed(scope)]
    lines += [("incumbent", f"generation {scope.incumbent.generation}, {scope.incumbent.source}")]
    lines += [("promoted", f"{name} = {show(value)}") for name, value in scope.incumbent.settings.items()]
    own = {name: v for name, v in scope.settings.items() if v != scope.incumbent.settings[name]}
    lines += [("typed", f"{name} = {show(value)}, in place of that") for name, value in own.items()]
    lines += [("kept", kept_text(round))] if round.kept else []
    lines += [("note", plan.note)] if plan.note else []
    told = [line for label, text in lines for line in labelled(label, text)]
    told += [f"{'points' if not i else '':<{MARGIN}}{row}" for i, row in enumerate(_points(round))]
    told += [line for label, text in _trade(round) for line in labelled(label, text)]
    asked = [word for word in config.overrides if not word.startswith("check=")]
    return "\n".join([*told, f"{'next':<{MARGIN}}{round_line([*asked, 'check=trial'], config.config_dir)}"])


def _spent(plan: Plan) -> Iterator[tuple[str, str]]:
    """Cost, time and memory, and the smallest gain that they buy."""
    config, scope, spending = plan.config, plan.round.scope, spending_of(plan.round, plan.config)
    before = measured_before(config, scope)
    yield "cost", cost_text(plan.round, spending)
    source = f"{plural(before.trials, 'trial')} of round {before.round_id}"
    yield "time", MEASURES if before.seconds is None else time_text(spending, before.seconds, source)
    yield "memory", MEASURES if before.memory is None else memory_text(config, spending.at_once, before.memory)
    if scope.goal.facts.gate and scope.budget.retrains:
        yield "gain", gain_text(config, scope, before.kept)


def _scientific(scope: Scope) -> str:
    return "; ".join(
        f"{name}: {values if isinstance(values, str) else ', '.join(map(show, values))}"
        for name, values in scope.goal.scientific.items()
    )


def _fixed(scope: Scope) -> Iterator[str]:
    """The fixed hyperparameters, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for name, role in scope.roles.fixed.items():
        reasons.setdefault(role.reason, []).append(f"{name} = {show(role.value)}")
    yield from (f"{', '.join(held)}: {reason}" for reason, held in reasons.items())


def _points(round: Round) -> Iterator[str]:
    """The studies with how many trials each has, where they differ in more than their arm, and the table of points."""
    counts = {(study.count, study.sampler) for study in round.studies}
    for count, sampler in sorted(counts):
        studies = [study for study in round.studies if (study.count, study.sampler) == (count, sampler)]
        most = "" if studies[0].trials else "at most "
        yield f"{'1 study' if len(studies) == 1 else f'{len(studies)} studies'} of {most}{count} trials by {sampler}"
    if any(study.trials for study in round.studies):
        yield from points_table(round)
    else:
        yield "the points depend on results: they are chosen while the round runs"


def _trade(round: Round) -> Iterator[tuple[str, str]]:
    """How wide what varies is, how densely it is sampled, and what one more of either would cost at that density.

    Playbook: D8
    """
    scope, varied = round.scope, {p.name: p for study in round.studies for p in study.space}
    if not varied or scope.goal.facts.purpose != "search" or scope.goal.points:
        return
    widths = [_width(p) for p in varied.values()]
    more = f" and {len(widths) - _SHOWN} more" * (len(widths) > _SHOWN)
    yield "width", f"{', '.join(widths[:_SHOWN])}{more}"
    studies, count = len(round.studies), max(study.count for study in round.studies)
    most = max(len(study.space) for study in round.studies)
    dense = count / most
    yield "density", f"{plural(count, 'trial')} a study for {plural(most, 'hyperparameter')}: {dense:.3g} for each"
    listed = [v for v in scope.goal.scientific.values() if not isinstance(v, str)]
    combined = math.prod(map(len, listed))
    each = count / combined if scope.joint else count  # trials of one combination of listed values
    added = {math.ceil(each * combined / len(values)) for values in listed}  # by the parameter that has one more
    costs = [f"one more nuisance costs {plural(math.ceil(dense) * studies, 'trial')}"]
    least = "at least " * (len(added) > 1)
    costs += [f"one more scientific value {least}{plural(min(added), 'trial')}"] if added else []
    costs += [f"a range twice as wide {plural(count * studies, 'trial')}"]
    yield "trade", f"(D8) at that density {', '.join(costs)}"


def _width(parameter: Parameter) -> str:
    if not parameter.numeric:
        return f"{parameter.name} of {plural(len(parameter.values), 'value')}"
    return f"{parameter.name} {show(parameter.low)} to {show(parameter.high)} ({parameter.scale})"
