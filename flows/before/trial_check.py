"""`check=trial`: does the program train, do the seed and each tuned hyperparameter matter, how long will it all take?

python -m flows.round workload=mnist1d check=trial
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.before.lines import labelled
from flows.before.pace import evaluation_seconds, pace_of
from flows.before.short_trials import Effect, ShortTrials, short_trials
from flows.before.spending import memory_text, spending_of, time_text
from flows.compose.called import round_line
from flows.session.plan import Plan
from tasks.scope.error import InputError
from tasks.text import duration, number, plural, point_text, show
from tasks.trials.trial import Trial

FAILED, MEND = 1, 2  # exit codes: the trial has no result; the round could come to nothing
_NAMED = 6  # metrics that are named
_TAIL = 30  # lines of a log without a traceback
_LONG = 120.0  # seconds from which it is said how the check becomes cheaper

Line = tuple[str, str]


def trial_check(plan: Plan) -> tuple[str, int]:
    """What short trials say of the program, and the exit code; neither the ledger nor MLflow hears of them.

    0: the round can be run; what changes nothing is warned of. 1: the trial at the incumbent's point has no result.
    2: the round could come to nothing: the seed is ignored (or matters, and the workload says that it does not), or
    what the round compares is never read.

    Raises:
        InputError: the objective is not among the metrics of the first evaluation.

    Playbook: G2
    """
    config = plan.config
    if sys.stderr.isatty():
        print("running a few short trials; nothing of them is stored", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="tunebook-", ignore_cleanup_errors=True) as folder:
        try:
            found = short_trials(plan, Path(folder).resolve())
        except InputError as error:
            raise InputError(config.secrets.redacted(str(error))) from None
        broken = found.broken
        lines = [*_head(plan, found), *(_why(broken) if broken else _body(plan, found))]
    code = FAILED if broken else MEND if _faults(plan, found) else 0
    asked = [word for word in config.overrides if not word.startswith("check=")]
    told = [line for label, text in lines for line in labelled(label, text)]
    told += _traceback(broken) if broken else []
    again = round_line([*asked, "check=trial"], config.config_dir)
    told += [f"next        {f'mend that, then {again}' if code else round_line(asked, config.config_dir)}"]
    return config.secrets.redacted("\n".join(told)), code


def _head(plan: Plan, found: ShortTrials) -> Iterator[Line]:
    budget = plan.config.budget
    whole = "" if found.steps == budget.max_train_steps else f" (of {budget.max_train_steps} in the round)"
    cheaper = "; a smaller budget.eval_every_steps makes this cheaper" if found.seconds > _LONG else ""
    spent = sum(max(found.steps, trial.steps_done) for trial in found.trials)
    yield (
        "ran",
        f"{plural(len(found.trials), 'trial')} of {found.steps} steps{whole}: {spent:,} steps in "
        f"{duration(found.seconds)}, nothing stored{cheaper}",
    )
    yield "at", f"generation {plan.round.scope.incumbent.generation}: {point_text(found.first.planned.point)}"


def _why(broken: Trial) -> Iterator[Line]:
    """What became of the trial at the incumbent's point that has no result."""
    yield broken.status, f"the trial at the incumbent's point: {broken.reason}"


def _traceback(broken: Trial) -> list[str]:
    """The last traceback of what the trial printed, or its last lines."""
    lines = broken.log.rstrip().splitlines()
    begins = [i for i, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    return lines[begins[-1] :] if begins else lines[-_TAIL:]


def _body(plan: Plan, found: ShortTrials) -> Iterator[Line]:
    yield "reported", _reported(plan, found.first)
    yield from (("warn", said) for said in _lengths(found))
    yield "seed", _seed(plan, found)
    yield "repeated", _repeated(found)
    yield from _effects(plan, found.effects)
    yield from _costs(plan, found)


def _reported(plan: Plan, first: Trial) -> str:
    metric = plan.config.workload.objective.metric
    steps, values = first.curve.of(metric)
    others = [name for name in first.curve.metrics if name != metric]
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    beside = f"; beside it {', '.join(others[:_NAMED])}{more}" if others else "; nothing beside it"
    last = f", {number(float(values[-1]))} at step {steps[-1]}" if len(steps) > 1 else ""
    return f"{metric} {number(float(values[0]))} at step {steps[0]}{last} ({plural(len(steps), 'evaluation')}){beside}"


def _lengths(found: ShortTrials) -> Iterator[str]:
    """Where the program trains for another number of steps than it was told, or reports at other ones."""
    done, asked = found.first.steps_done, found.first.planned
    if done > asked.max_train_steps:
        yield (
            f"It trained {done} steps and was given {asked.max_train_steps}: trial.max_train_steps "
            "({max_train_steps}) does not reach it, so no budget holds."
        )
    elif done < asked.max_train_steps:
        yield f"Its last report is of step {done} of {asked.max_train_steps}: report at the last step, too."
    evaluations = len(found.first.curve)
    if found.coarser is not None and found.coarser.feasible and len(found.coarser.curve) == evaluations > 1:
        yield (
            f"It reported {evaluations} times whatever trial.eval_every_steps ({{eval_every_steps}}) was: "
            "budget.eval_every_steps changes nothing."
        )


def _seed(plan: Plan, found: ShortTrials) -> str:
    verdict, deterministic = found.seeds.verdict if found.seeds else "not asked", plan.round.scope.deterministic
    metric = plan.config.workload.objective.metric
    if verdict == "matters":
        values = [trial.curve.of(metric)[1][-1] for trial in (found.first, found.second) if trial is not None]
        shown = " and ".join(f"{value:.6g}" for value in values)
        if deterministic:
            return f"matters ({metric} {shown} at the end), and workload.deterministic=true says no: set it to false"
        return f"matters: two seeds give different numbers ({metric} {shown} at the end)"
    if verdict == "ignored" and deterministic:
        return "changes nothing, as workload.deterministic=true says"
    if verdict == "ignored":
        return (
            "ignored: two seeds give equal numbers, so no retrain could measure noise, and nothing would be promoted. "
            "trial.seed ({seed} of a program) must reach every generator: look for manual_seed(0), a fixed "
            "random_state, a cache. Of a program without any randomness say workload.deterministic=true."
        )
    return (
        "not told: two seeds give equal numbers, each of so few digits that luck repeats them; report a loss beside "
        f"{metric}"
    )


def _repeated(found: ShortTrials) -> str:
    if found.repeatable:
        return "equal seeds give equal numbers, bit for bit"
    return (
        "equal seeds give different numbers: the program draws from a generator that is not seeded, or its kernels are "
        "not deterministic; no trial can be repeated, and whether a hyperparameter matters is not told"
    )


def _effects(plan: Plan, effects: Sequence[Effect]) -> Iterator[Line]:
    """What each tuned hyperparameter does: those that matter on one line, any other with what to do."""
    matter = [effect.name for effect in effects if effect.verdict == "matters"]
    if matter:
        yield "effect", f"moved alone, on the same seed, each changes the numbers: {', '.join(matter)}"
    untold = [effect.name for effect in effects if effect.verdict == "not told"]
    if untold:
        yield "effect", f"not told: {', '.join(untold)}"
    yield from (("warn", said) for effect in effects if (said := _warning(plan, effect)))


def _warning(plan: Plan, effect: Effect) -> str:
    """What is wrong with a hyperparameter, and the way out; empty where nothing is."""
    name, tried = effect.name, " and ".join(show(value) for value in effect.values)
    compared = name in plan.round.scope.roles.scientific
    way = "the question is about it" if compared else "use it, or take it out of the space"
    if effect.verdict == "unread":
        return f"{name} is never read: tuning it changes nothing; {way}."
    if effect.verdict == "nothing":
        return f"{name} changes nothing: {tried} gave the numbers of {show(effect.was)}, all of them; {way}."
    if effect.verdict == "coarse":
        return f"{name}: {tried} gave the numbers of {show(effect.was)}, which are coarse; report a loss, too."
    if effect.verdict == "elsewhere":
        return f"{name} is not read at the incumbent's point; it is where another hyperparameter is moved."
    if effect.verdict == "failed":
        return f"{name}={tried} fails: {effect.reason}; trials there count as failed."
    return ""


def _costs(plan: Plan, found: ShortTrials) -> Iterator[Line]:
    """Time a step, of an evaluation and of the round; memory."""
    config, spending = plan.config, spending_of(plan.round, plan.config)
    alone = pace_of(found.first)
    cost = None if found.coarser is None else evaluation_seconds(found.first, found.coarser)
    evaluation = "not told apart from the steps" if cost is None else f"about {duration(cost)}"
    yield (
        "step",
        f"{duration(alone.step)} with evaluations; an evaluation: {evaluation}; to begin: {duration(alone.begins)}",
    )
    beside = found.second or found.first
    each = beside.seconds if beside.steps_done > found.steps else pace_of(beside).of(spending.each)
    yield "round", time_text(spending, each / spending.each, "measured on the second seed, the beginning included")
    peaks = [trial.memory for trial in (found.first, found.second) if trial is not None and trial.memory]
    if peaks:
        yield "memory", memory_text(config, spending.at_once, max(peaks))


def _faults(plan: Plan, found: ShortTrials) -> bool:
    """Whether the round could come to nothing."""
    verdict = found.seeds.verdict if found.seeds else "not asked"
    scientific = plan.round.scope.roles.scientific
    never = any(effect.verdict == "unread" and effect.name in scientific for effect in found.effects)
    return never or verdict == ("matters" if plan.round.scope.deterministic else "ignored")
