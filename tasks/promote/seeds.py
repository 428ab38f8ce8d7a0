"""G2: whether the seed matters. Retrains that repeat each other on different seeds are no evidence of noise."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.repeats import ENOUGH, agree, fine_values, seeds_of
from tasks.promote.comparison import INCUMBENT, ArmName
from tasks.promote.decision import Decision
from tasks.promote.retrains import Arm
from tasks.record import Finding, Frozen, NotChecked
from tasks.scope.arms import brief, in_full
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.roles import Scope
from tasks.trials.trial import Trial

Repeats = Mapping[ArmName, Sequence[Trial]]
"""The trials of each retrained configuration: its retrains, those of earlier rounds, and the trial that selected it."""
FIRST_WAVE = 2  # retrains of each arm before any more: two suffice to see that the seed is ignored
NAME, ROW = "seeds", "G2"


@dataclass(frozen=True, kw_only=True)
class RetrainCheck:
    """A question of the retrains before the gate; `ask` gives its findings, none while it is too early.

    `decision`: the gate's by now; its outcome is `continue` while more retrains are coming.
    """

    name: str
    questions: tuple[Question, ...]
    ask: Callable[[Scope, Repeats, Decision], list[Finding]]
    thresholds: tuple[type[Frozen], ...] = ()


def repeats_of(
    evidence: Evidence, arms: Sequence[Arm], retrains: Mapping[ArmName, Sequence[Trial]], kept: Sequence[Trial]
) -> dict[ArmName, list[Trial]]:
    """The trials of each retrained configuration; a trial that had another length or other settings is left out."""
    budget = evidence.round.scope.budget
    found: dict[ArmName, list[Trial]] = {}
    for arm in arms:
        own = found.setdefault(arm.retrained_as, [*retrains.get(arm.retrained_as, ())])
        searched = evidence.trials.get(arm.trial)
        if searched is not None and searched.planned.max_train_steps == budget.max_train_steps:
            own.append(searched)
    found.get(INCUMBENT, []).extend(kept)
    return found


def seeds(scope: Scope, repeats: Repeats, decision: Decision) -> list[Finding]:
    """The numbers that trials of one configuration reported on different seeds are compared, at every evaluation.

    Two trials in which no number differs show that the program ignores its seed, if three or more of the numbers have
    so many digits that luck does not repeat them. A metric that counts few examples may honestly agree: then nothing is
    said as long as any two retrains differ; where all of them agree and the configurations do not, nothing is promoted.
    Clocks and schedules among the metrics are left out.

    Playbook: G2
    """
    found = seeds_of(repeats.values(), scope.objective)
    numbers = {"trials": sum(map(len, repeats.values())), "same": len(found.same), "repeated": found.repeated}
    if scope.deterministic:
        return [_deterministic(found.verdict, numbers)] if decision.outcome != "continue" else []
    if found.verdict == "ignored":
        said = (
            f"{len(found.same)} trials gave equal numbers on different seeds: pass the seed to every generator, or set "
            "workload.deterministic=true. As it is, the seed is ignored."
        )
        return [finding(NAME, ROW, "fail", said, reason="seed_ignored", trials=found.same, numbers=numbers)]
    if decision.outcome == "continue":
        return []
    return [_noise(scope, found.verdict, numbers, decision), *_without_effect(scope, repeats)]


def _noise(scope: Scope, verdict: str, numbers: Mapping[str, int], decision: Decision) -> Finding:
    """Whether the retrains show any noise, once the gate is done."""
    metric = scope.objective.metric
    if verdict == "not asked":
        text = "No configuration has two feasible trials on different seeds."
        return not_checked(NAME, ROW, NotChecked.TOO_FEW_TRIALS, text, numbers=numbers)
    if verdict == "matters":
        said = "Trials of one configuration differ from seed to seed, so the retrains measure noise."
        return finding(NAME, ROW, "ok", said, reason="seeds_differ", numbers=numbers)
    if any(c.looks and not c.void and c.last.gain for c in decision.comparisons):
        said = (
            f"All retrains of each arm agree, and {metric} is too coarse to tell luck from an ignored seed: report a "
            "loss beside it, or more examples."
        )
        return finding(NAME, ROW, "fail", said, reason="no_noise_seen", numbers=numbers)
    text = f"All retrains agree, as do the arms; {metric} is too coarse to tell whether the seed is used."
    return not_checked(NAME, ROW, NotChecked.TOO_COARSE, text, numbers=numbers)


def _deterministic(verdict: str, numbers: Mapping[str, int]) -> Finding:
    """Whether the workload is deterministic, as it says."""
    if verdict == "matters":
        said = (
            "workload.deterministic=true, but trials of one configuration differ from seed to seed: set it to false. "
            "The gate then repeats them."
        )
        return finding(NAME, ROW, "fail", said, reason="not_deterministic", numbers=numbers)
    if verdict == "not asked":
        text = "workload.deterministic=true, and no configuration has two feasible trials to confirm it."
        return not_checked(NAME, ROW, NotChecked.TOO_FEW_TRIALS, text, numbers=numbers)
    said = "Trials on different seeds gave equal numbers, as workload.deterministic=true says."
    return finding(NAME, ROW, "ok", said, reason="deterministic", numbers=numbers)


def _without_effect(scope: Scope, repeats: Repeats) -> Iterator[Finding]:
    """Two configurations that gave equal numbers on equal seeds: what they differ in changes nothing."""
    for (first, mine), (second, theirs) in combinations(repeats.items(), 2):
        by_seed = {t.planned.seed: t for t in theirs if t.feasible}
        pairs = [(t, by_seed[t.planned.seed]) for t in mine if t.feasible and t.planned.seed in by_seed]
        equal = [(a, b) for a, b in pairs if agree(a.curve, b.curve, scope.objective)]
        if not equal or len(equal) < len(pairs):
            continue
        if len(set().union(*(fine_values(a.curve, scope.objective) for a, _ in equal))) < ENOUGH:
            continue
        point, other = equal[0][0].planned.tried, equal[0][1].planned.tried
        names = sorted(n for n in {*point, *other} if point.get(n) != other.get(n))
        said = (
            f"The {first} and the {second} gave equal numbers on equal seeds: check that the program uses "
            f"{brief(names)}. What they differ in had no effect on training.{in_full(names)}"
        )
        yield finding(NAME, ROW, "warn", said, reason="no_effect", trials=(t.id for pair in equal for t in pair))


SEEDS = RetrainCheck(
    name=NAME,
    questions=(
        Question(
            row=ROW,
            asks="Do retrains of one configuration differ from seed to seed?",
            fail=("seed_ignored", "no_noise_seen", "not_deterministic"),
            warn=("no_effect",),
            ok=("seeds_differ", "deterministic"),
            na=(NotChecked.TOO_FEW_TRIALS, NotChecked.TOO_COARSE),
        ),
    ),
    ask=seeds,
)
