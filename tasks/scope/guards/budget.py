"""Guards of the budget and the search: enough trials for what varies, fair arms, the right scales and sampler."""

import itertools
import re

from tasks.record import Finding
from tasks.scope.arms import (
    arm_text,
    compared_values,
    decades,
    existing,
    has_room,
    listing,
    most_varying,
    nuisance_without,
    optimizers,
    owned,
)
from tasks.scope.finding import finding
from tasks.scope.guards.roles import EXPLICIT, LEFT_TO_THE_ADAM_RULE, evidence_is_stated
from tasks.scope.names.families import bare, family
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter
from tasks.text import show

QUASI_RANDOM = ("halton", "sobol")
ADAMS = ("adam", "adamw", "nadam")
ADAM_ORDER = ("learning_rate", "one_minus_beta1", "epsilon", "one_minus_beta2")
EXTRA = 1  # D9: the change may bring one hyperparameter of its own, its strength; more thin out its trials
LOG_NAMES = re.compile(r"learning_rate|base_learning_rate|lr|base_lr|weight_decay|wd|epsilon|eps|l1|l2|one_minus_\w+")
# C4: what is kept longest when trials are few; "strength" is a hyperparameter of the change that is tried.
KEPT_LONGEST = (
    "learning_rate",
    "strength",
    "one_minus_momentum",
    "one_minus_beta1",
    "other",
    "epsilon",
    "one_minus_beta2",
)


def few_enough_nuisances(scope: Scope) -> list[Finding]:
    """Warns where a study has too few trials for what varies in it, and names what to fix.

    A study's trials are shared by everything that varies in it: its nuisances, and in a joint study the scientific
    hyperparameters. What goes first: beta2 and epsilon, then what stands last in the space; the learning rate stays,
    and so does, as long as it can, the strength of the change that is tried.

    Playbook: C4
    """
    if scope.goal.points:
        return [finding("nuisance count", "C4", "na", EXPLICIT)]
    trials, each = scope.budget.trials, scope.policy.nuisance_trials
    varying = most_varying(scope)
    joint = len(scope.roles.scientific) if scope.joint else 0
    need = varying * each
    vary = "one hyperparameter that varies" if varying == 1 else f"{varying} hyperparameters that vary"
    numbers = {"trials": trials, "varying": varying, "nuisance_trials": each, "needed": need}
    if trials >= need:
        text = f"{trials} trials a study for the {vary} in it; {each} for each would be {need}."
        return [finding("nuisance count", "C4", "ok", text, numbers=numbers)]
    gone = _to_fix(scope, max(1, trials // each - joint))
    way_out = (
        f"fix {listing(gone)} with a reason, or take budget.trials={need}" if gone else f"take budget.trials={need}"
    )
    return [
        finding(
            "nuisance count",
            "C4",
            "warn",
            f"{trials} trials a study are few for the {vary} in it: {each} for each would be {need}; {way_out}.",
            numbers=numbers,
            remedy=nuisance_without(scope, gone) if gone else [f"budget.trials={need}"],
        )
    ]


def _to_fix(scope: Scope, keep: int) -> list[str]:
    """The nuisances that no arm has among its `keep` most important."""

    def rank(parameter: Parameter) -> int:
        strength = family(parameter.name) != "optimizer" and set(parameter.when) & set(scope.roles.scientific)
        name = "strength" if strength else bare(parameter.name)
        return KEPT_LONGEST.index(name if name in KEPT_LONGEST else "other")

    kept = {p.name for arm in compared_values(scope) for p in sorted(existing(scope, arm), key=rank)[:keep]}
    return [n for n in scope.roles.nuisance if n not in kept]


def joint_study_allocates(scope: Scope) -> list[Finding]:
    """Fails where a joint study has nuisances of single scientific values and a sampler that cannot allot trials.

    Our quasi-random and random studies deal the listed values in equal counts, whatever exists under them.

    Playbook: D4
    """
    if not scope.joint or scope.goal.points:
        return [
            finding("joint study", "D4", "na", "Each scientific value has a study of its own, or none is searched.")
        ]
    parents = set(scope.roles.scientific)
    own = [p.name for p in scope.space if p.name in scope.roles.nuisance and parents & set(p.when)]
    values = len(compared_values(scope))
    numbers = {"trials": scope.budget.trials, "values": values, "trials_a_value": scope.budget.trials // values}
    if not own:
        text = "The joint study has no nuisance that exists under some scientific values only."
        return [finding("joint study", "D4", "ok", text, numbers=numbers)]
    if scope.sampler in (*QUASI_RANDOM, "random"):
        share = numbers["trials_a_value"]
        text = f"{listing(own)} exist under some values only; each of {values} values gets {share} trials or one more."
        return [finding("joint study", "D4", "ok", text, numbers=numbers)]
    text = (
        f"{listing(own)} exist under some scientific values only, and {scope.sampler} would favour some of the values."
    )
    return [finding("joint study", "D4", "fail", text, numbers=numbers, remedy=["sampler=halton"])]


def quasi_random_search(scope: Scope) -> list[Finding]:
    """Fails for a search that adapts to its results while exploring, warns for plain random points.

    Playbook: D5
    """
    if scope.goal.points:
        return [finding("sampler", "D5", "na", EXPLICIT)]
    if scope.sampler in QUASI_RANDOM:
        return [finding("sampler", "D5", "ok", f"The points are quasi-random ({scope.sampler}).")]
    if scope.sampler == "random":
        text = "Plain random points leave gaps and clusters; a quasi-random sequence covers the space evenly."
        return [finding("sampler", "D5", "warn", text, remedy=["sampler=halton"])]
    text = (
        f"Exploration needs points that do not depend on results, and {scope.sampler} is none of halton, sobol, random."
    )
    return [finding("sampler", "D5", "fail", text, remedy=["sampler=halton"])]


def fair_nuisances(scope: Scope) -> list[Finding]:
    """Warns where compared arms do not get equal chances: unequal ranges, or far more to tune with equal trials.

    Compared are hyperparameters of one bare name and different parents (`adam.learning_rate` and
    `nesterov.learning_rate`), in the decades or units they span. One hyperparameter more, the strength of the change
    itself, is legitimate and is told in the sentence.

    Playbook: D9
    """
    arms = compared_values(scope)
    if len(arms) < 2 or scope.goal.points:
        return [finding("fairness", "D9", "na", EXPLICIT if scope.goal.points else "No listed values are compared.")]
    tuned = [(arm_text(arm), existing(scope, arm)) for arm in arms]
    pairs = {
        (p.name, q.name): (p, q)
        for (_, ours), (_, theirs) in itertools.combinations(tuned, 2)
        for p in ours
        for q in theirs
        if p.name != q.name and bare(p.name) == bare(q.name) and p not in theirs and q not in ours
    }
    found = [f for p, q in pairs.values() for f in _unequal(p, q, scope.policy)]
    least, most = (pick(tuned, key=lambda row: len(row[1])) for pick in (min, max))
    trials = scope.budget.trials // (len(arms) if scope.joint else 1)
    numbers = {"trials": trials, "least": len(least[1]), "most": len(most[1]), "extra": EXTRA}
    if len(most[1]) - len(least[1]) > EXTRA:
        text = (
            f"With {trials} trials each, {most[0]} tunes {len(most[1])} hyperparameters and {least[0]} "
            f"{len(least[1])}: the one with more is searched more thinly."
        )
        found.append(finding("fairness", "D9", "warn", text, numbers=numbers))
    if found:
        return found
    text = f"Each of the {len(arms)} arms gets {trials} trials; the ranges they share by name are equally wide"
    alone = [p.name for p in most[1] if p not in least[1]]
    text += f"; {most[0]} tunes {listing(alone)} besides." if len(most[1]) > len(least[1]) else "."
    return [finding("fairness", "D9", "ok", text, numbers=numbers)]


def _unequal(p: Parameter, q: Parameter, policy: Policy) -> list[Finding]:
    narrow, wide = sorted((p, q), key=decades)
    unlike = p.numeric != q.numeric or p.scale != q.scale
    if not unlike and decades(wide) <= policy.width_ratio * decades(narrow):
        return []
    unit = ("decades" if p.scale == "log" else "units") if p.numeric else "values"
    text = (
        f"{p.name} and {q.name} are not searched on the same scale, so their ranges cannot be equally wide."
        if unlike
        else f"{wide.name} spans {decades(wide):.3g} {unit} and {narrow.name} {decades(narrow):.3g}: the wider is the "
        "harder search, and the comparison is not fair to either."
    )
    numbers = {"widest": decades(wide), "narrowest": decades(narrow), "width_ratio": policy.width_ratio}
    remedy = () if unlike or p.scale != "log" else _widened(narrow, decades(wide) - decades(narrow))
    return [finding("fairness", "D9", "warn", text, parameter=narrow.name, numbers=numbers, remedy=remedy)]


def _widened(parameter: Parameter, by: float) -> tuple[str, ...]:
    """The overrides that move both sides of a log range outward, `by` decades in all."""
    low, high = parameter.bounds
    factor = 10 ** (by / 2)
    return (f"space.{parameter.name}.low={show(low / factor)}", f"space.{parameter.name}.high={show(high * factor)}")


def adam_rule(scope: Scope) -> list[Finding]:
    """Warns where Adam's hyperparameters are not those that the number of trials can tune.

    Below 10 trials the learning rate alone, then beta1, from 25 epsilon, from 50 beta2 (the numbers but the last
    are the playbook's). What the goal fixes for a stated reason, or for want of trials (C4), is left in peace.

    Playbook: D10
    """
    names = (*scope.roles.scientific, *scope.roles.nuisance, *scope.roles.fixed)
    bare_adam = not optimizers(scope) and any(bare(n) in LEFT_TO_THE_ADAM_RULE for n in names)
    adams = [o for o in optimizers(scope) if o in ADAMS] or (["adam"] if bare_adam else [])
    if not adams or scope.goal.points:
        return [
            finding("Adam rule", "D10", "na", EXPLICIT if scope.goal.points else "No Adam is among the optimizers.")
        ]
    found = [f for o in adams for f in _adam_findings(scope, o)]
    rule = _tunable(scope.budget.trials, scope.policy)
    text = f"{scope.budget.trials} trials a study can tune {listing(rule)} of Adam, and nothing beyond is tuned."
    return found or [finding("Adam rule", "D10", "ok", text, numbers=_adam_numbers(scope))]


def _tunable(trials: int, policy: Policy) -> tuple[str, ...]:
    starts = (0, policy.adam_trials_beta1, policy.adam_trials_epsilon, policy.adam_trials_beta2)
    return tuple(name for name, start in zip(ADAM_ORDER, starts, strict=True) if trials >= start)


def _adam_numbers(scope: Scope) -> dict[str, int]:
    thresholds = ("adam_trials_beta1", "adam_trials_epsilon", "adam_trials_beta2")
    return {"trials": scope.budget.trials} | {name: getattr(scope.policy, name) for name in thresholds}


def _adam_findings(scope: Scope, optimizer: str) -> list[Finding]:
    rule = _tunable(scope.budget.trials, scope.policy)
    tuned = owned(scope, optimizer, (*scope.roles.scientific, *scope.roles.nuisance))
    held = owned(scope, optimizer, scope.roles.fixed)
    beyond = [tuned[h] for h in ADAM_ORDER if h in tuned and h not in rule]
    short = [held[h] for h in rule[1:] if h in held and h not in tuned and not evidence_is_stated(scope, held[h])]
    trials, numbers = scope.budget.trials, _adam_numbers(scope)
    found = []
    if beyond:
        text = f"{trials} trials a study can tune {listing(rule)} of {optimizer}; {listing(beyond)} should be fixed."
        cure = nuisance_without(scope, beyond)
        found.append(finding("Adam rule", "D10", "warn", text, parameter=beyond[0], numbers=numbers, remedy=cure))
    if short and has_room(scope):
        text = f"{trials} trials a study can tune {listing(rule)} of {optimizer}, and {listing(short)} should be."
        ready = [
            n for n in short if n in scope.declared and n not in scope.goal.fixed and not scope.declared[n].constant
        ]
        more = (f"goal.nuisance=[{','.join((*scope.roles.nuisance, *ready))}]",) if ready else ()
        found.append(finding("Adam rule", "D10", "warn", text, parameter=short[0], numbers=numbers, remedy=more))
    return found


def log_scales(scope: Scope) -> list[Finding]:
    """Warns where a rate, a decay, an epsilon or one minus a momentum is searched on a linear scale.

    A linear range spends nearly all of its points in its top decade; `policy.log_ratio` says from which width on
    that matters.

    Playbook: D11
    """
    if scope.goal.points:
        return [finding("scale", "D11", "na", EXPLICIT)]
    asked = [p for p in scope.space if p.numeric and LOG_NAMES.fullmatch(p.name.rpartition(".")[2].lower())]
    if not asked:
        return [
            finding("scale", "D11", "na", "No range is one of a rate, a decay, an epsilon or one minus a momentum.")
        ]
    wrong = [p for p in asked if _belongs_on_log(p, scope.policy.log_ratio)]
    text = f"{listing(p.name for p in asked)}: on a log scale, or narrow enough for a linear one."
    numbers = {"log_ratio": scope.policy.log_ratio}
    return [_linear(p, scope.policy.log_ratio) for p in wrong] or [finding("scale", "D11", "ok", text, numbers=numbers)]


def _belongs_on_log(p: Parameter, ratio: float) -> bool:
    low, high = p.bounds
    return p.scale == "linear" and not p.constant and (low <= 0 or high / low > ratio)


def _linear(p: Parameter, ratio: float) -> Finding:
    low, high = p.bounds
    raised = [f"space.{p.name}.low={show(high / 1000)}"] if low <= 0 < high else []
    return finding(
        "scale",
        "D11",
        "warn",
        f"{p.name} runs from {show(low)} to {show(high)} on a linear scale, so nine of ten trials fall in its "
        "top decade: search it on a log scale.",
        parameter=p.name,
        numbers={"low": low, "high": high, "log_ratio": ratio},
        remedy=[*raised, f"space.{p.name}.scale=log"] if high > 0 else [],
    )
