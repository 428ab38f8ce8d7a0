"""Guards of the budget and the search: enough trials for what varies, the right scales and sampler."""

from functools import partial

from tasks.record import Finding, NotChecked
from tasks.scope.arms import (
    arm_text,
    brief,
    compared_values,
    existing,
    has_room,
    in_full,
    listing,
    nuisance_without,
    optimizer_name,
    optimizers,
    owned,
    thinnest,
    trials_with,
    varying,
)
from tasks.scope.finding import finding, not_checked
from tasks.scope.guards.evidence import EXPLICIT, LEFT_TO_THE_ADAM_RULE, evidence_is_stated
from tasks.scope.guards.interactions import moves_with_the_question
from tasks.scope.names.optimizers import optimizer_key
from tasks.scope.policy import Policy
from tasks.scope.roles import Scope
from tasks.scope.space import Parameter

QUASI_RANDOM = ("halton", "sobol")
GRID = "grid"
ADAMS = ("adam", "adamw", "nadam", "nadam of keras", "nadamw", "radam")
ADAM_ORDER = ("learning_rate", "one_minus_beta1", "epsilon", "one_minus_beta2")
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
        return [not_checked("nuisance count", "C4", NotChecked.LISTED_POINTS, EXPLICIT)]
    arm = thinnest(scope)
    trials, each, count = trials_with(scope, arm), scope.policy.nuisance_trials, varying(scope, arm)
    joint = len(scope.roles.scientific) if scope.joint else 0
    need = count * each
    vary = "one hyperparameter that varies" if count == 1 else f"{count} hyperparameters that vary"
    numbers = {"trials": trials, "varying": count, "nuisance_trials": each, "needed": need}
    where = f"{arm_text(arm)} has {trials} trials" if scope.run else f"{trials} trials a study are"
    if trials >= need:
        text = f"{where} enough for the {vary}. At {each} for each, {need} are needed."
        return [finding("nuisance count", "C4", "ok", text, reason="enough_trials", numbers=numbers)]
    gone = _to_fix(scope, max(1, trials // each - joint))
    way_out = f"fix {brief(gone, 45)}, or take budget.trials={need}" if gone else f"take budget.trials={need}"
    return [
        finding(
            "nuisance count",
            "C4",
            "warn",
            f"{where} few for the {vary}: {way_out}. At {each} for each, {need} are needed; what is fixed needs a "
            f"reason.{in_full(gone, 45) if gone else ''}",
            reason="too_many_nuisances",
            numbers=numbers,
            remedy=nuisance_without(scope, gone) if gone else [f"budget.trials={need}"],
        )
    ]


def _to_fix(scope: Scope, keep: int) -> list[str]:
    """The nuisances that no arm has among its `keep` most important."""

    def rank(parameter: Parameter) -> int:
        of_the_change = bool(set(parameter.when) & set(scope.roles.scientific))
        needed = of_the_change or moves_with_the_question(scope, parameter.name)
        strength = needed and scope.names.family(parameter.name) != "optimizer"
        name = "strength" if strength else scope.names.bare(parameter.name)
        return KEPT_LONGEST.index(name if name in KEPT_LONGEST else "other")

    kept = {p.name for arm in compared_values(scope) for p in sorted(existing(scope, arm), key=rank)[:keep]}
    return [n for n in scope.roles.nuisance if n not in kept]


def joint_study_allocates(scope: Scope) -> list[Finding]:
    """Fails where a joint study has nuisances of single scientific values and a sampler that cannot allot trials.

    Our quasi-random and random studies deal the listed values in equal counts, whatever exists under them.

    Playbook: D4
    """
    if not scope.joint or scope.goal.points:
        because = NotChecked.LISTED_POINTS if scope.goal.points else NotChecked.NOT_THE_QUESTION
        text = "Each scientific value has a study of its own, or none is searched."
        return [not_checked("joint study", "D4", because, text)]
    parents = set(scope.roles.scientific)
    own = [p.name for p in scope.space if p.name in scope.roles.nuisance and parents & set(p.when)]
    values = len(compared_values(scope))
    numbers = {"trials": scope.budget.trials, "values": values, "trials_a_value": scope.budget.trials // values}
    exist = "exists" if len(own) == 1 else "exist"
    if not own:
        text = "The joint study has no nuisance that exists under some scientific values only."
        return [finding("joint study", "D4", "ok", text, reason="nothing_to_allot", numbers=numbers)]
    if scope.sampler in (*QUASI_RANDOM, "random") or (scope.sampling is not None and scope.sampling.deals):
        share = numbers["trials_a_value"]
        text = f"{brief(own)} {exist} under some values only; each of {values} values gets {share} trials or one more."
        text += in_full(own)
        return [finding("joint study", "D4", "ok", text, reason="equal_counts", numbers=numbers)]
    text = (
        f"{brief(own)} {exist} under some values only, of which {scope.sampler} would favour some: use sampler=halton."
        f"{in_full(own)}"
    )
    remedy = ["sampler=halton"]
    adapts = scope.sampling is None or scope.sampling.adapts
    reason = "adaptive" if adapts and scope.sampler != GRID else "unequal_counts"
    return [finding("joint study", "D4", "fail", text, reason=reason, numbers=numbers, remedy=remedy)]


def quasi_random_search(scope: Scope) -> list[Finding]:
    """Fails for a search that adapts to its results while exploring, warns for plain random points.

    Playbook: D5
    """
    if scope.goal.points:
        return [not_checked("sampler", "D5", NotChecked.LISTED_POINTS, EXPLICIT)]
    if scope.sampler in QUASI_RANDOM:
        text = f"The points are quasi-random ({scope.sampler})."
        return [finding("sampler", "D5", "ok", text, reason="quasi_random")]
    if scope.sampler == GRID:
        text = "The points are a grid, which covers one or two hyperparameters evenly and is refused for more (D7)."
        return [finding("sampler", "D5", "ok", text, reason="grid")]
    if scope.sampler == "random":
        text = "Plain random points leave gaps and clusters: use sampler=halton, which covers the space evenly."
        return [finding("sampler", "D5", "warn", text, reason="random", remedy=["sampler=halton"])]
    if scope.sampling is not None and not scope.sampling.adapts:
        text = f"The points do not depend on the results ({scope.sampler})."
        return [finding("sampler", "D5", "ok", text, reason="independent")]
    text = (
        f"Exploration needs points that do not depend on results, unlike those of {scope.sampler}: use sampler=halton. "
        "The samplers sobol, random and grid do as well."
    )
    return [finding("sampler", "D5", "fail", text, reason="adaptive", remedy=["sampler=halton"])]


def adam_rule(scope: Scope) -> list[Finding]:
    """Warns where Adam's hyperparameters are not those that the number of trials can tune.

    Below 10 trials the learning rate alone, then beta1, from 25 epsilon, from 50 beta2 (the numbers but the last
    are the playbook's). What the goal fixes for a stated reason, or for want of trials (C4), is left in peace.

    Playbook: D10
    """
    names = (*scope.roles.scientific, *scope.roles.nuisance, *scope.roles.fixed)
    bare_adam = not optimizers(scope) and any(scope.names.bare(n) in LEFT_TO_THE_ADAM_RULE for n in names)
    adams = [o for o in optimizers(scope) if optimizer_key(o) in ADAMS] or (["adam"] if bare_adam else [])
    if not adams or scope.goal.points:
        because = NotChecked.LISTED_POINTS if scope.goal.points else NotChecked.NOT_THE_QUESTION
        text = EXPLICIT if scope.goal.points else "No Adam is among the optimizers."
        return [not_checked("Adam rule", "D10", because, text)]
    found = [f for o in adams for f in _adam_findings(scope, o)]
    trials = min(_trials_with(scope, o) for o in adams)
    rule = _tunable(trials, scope.policy)
    text = f"{trials} trials with Adam can tune {listing(rule)} of it, and nothing beyond is tuned."
    numbers = _adam_numbers(scope, trials)
    return found or [finding("Adam rule", "D10", "ok", text, reason="as_the_rule", numbers=numbers)]


def _trials_with(scope: Scope, optimizer: str) -> int:
    """The trials of a study, or of those that were run, that have the optimizer."""
    chooser = optimizer_name(scope)
    if scope.run and chooser is not None and not scope.joint:
        return sum(str(point.get(chooser, optimizer)) == optimizer for point in scope.run)
    return trials_with(scope, {})


def _tunable(trials: int, policy: Policy) -> tuple[str, ...]:
    starts = (0, policy.adam_trials_beta1, policy.adam_trials_epsilon, policy.adam_trials_beta2)
    return tuple(name for name, start in zip(ADAM_ORDER, starts, strict=True) if trials >= start)


def _adam_numbers(scope: Scope, trials: int) -> dict[str, int]:
    thresholds = ("adam_trials_beta1", "adam_trials_epsilon", "adam_trials_beta2")
    return {"trials": trials} | {name: getattr(scope.policy, name) for name in thresholds}


def _adam_findings(scope: Scope, optimizer: str) -> list[Finding]:
    trials = _trials_with(scope, optimizer)
    rule = _tunable(trials, scope.policy)
    tuned = owned(scope, optimizer, (*scope.roles.scientific, *scope.roles.nuisance))
    held = owned(scope, optimizer, scope.roles.fixed)
    beyond = [tuned[h] for h in ADAM_ORDER if h in tuned and h not in rule]
    short = [held[h] for h in rule[1:] if h in held and h not in tuned and not evidence_is_stated(scope, held[h])]
    say = partial(finding, "Adam rule", "D10", "warn", numbers=_adam_numbers(scope, trials))
    found = []
    if beyond:
        text = f"{trials} trials with {optimizer} can tune {listing(rule)}; {listing(beyond)} should be fixed."
        cure = nuisance_without(scope, beyond)
        found.append(say(text, reason="beyond_the_rule", parameter=beyond[0], remedy=cure))
    if short and has_room(scope):
        text = f"{trials} trials with {optimizer} can tune {listing(rule)}: {listing(short)} should be tuned."
        ready = [
            n for n in short if n in scope.declared and n not in scope.goal.fixed and not scope.declared[n].constant
        ]
        more = (f"goal.nuisance=[{','.join((*scope.roles.nuisance, *ready))}]",) if ready else ()
        found.append(say(text, reason="short_of_the_rule", parameter=short[0], remedy=more))
    return found
