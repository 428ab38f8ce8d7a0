"""The next round, as the command that runs it: remedies merged into the overrides."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from tasks.promote.comparison import BASELINE, INCUMBENT
from tasks.promote.conclude import Conclusion
from tasks.record import Finding, NextRow, Point, Value
from tasks.scope.finding import headline
from tasks.scope.guards.promoted import held_again, held_elsewhere
from tasks.scope.roles import Scope
from tasks.text import show
from tasks.verdict import Outcome

ADD = "To go on, add a goal: a YAML with a question and its scientific values."
SAVING = ("E9", "F9")  # their remedies save trials or steps, and find nothing
Command = Callable[[Sequence[str]], str]  # the shell command of a round with these overrides
_QUESTION = ("goal", "acknowledge", "resume", "notes", "keep")
_ONE_ROUND = ("resume", "keep")  # what they name is a round, which another has in its place
_SAME_TRIALS = ("space.", "budget.trials", "budget.retrains", "budget.finalists", "policy.", "acknowledge", "notes")


def merged(own: Iterable[str], remedies: Iterable[str]) -> tuple[str, ...]:
    """The round's own overrides with the remedies in their place; of two remedies for one key the roomier counts.

    What one study needs moved outward, another may want moved in: a range or a budget that serves both serves each.

    Playbook: E4
    """
    chosen: dict[str, str] = {}
    for remedy in remedies:
        key = override_key(remedy)
        chosen[key] = _roomier(chosen[key], remedy) if key in chosen else remedy
    once = (o for o in own if override_key(o) not in _ONE_ROUND)
    last = {override_key(o): o for o in once}  # of two for one key Hydra takes the last
    kept = [chosen.pop(key, said) for key, said in last.items() if key not in chosen or f"~{key}" not in chosen]
    return (*kept, *chosen.values())


def next_round(
    outcome: Outcome,
    own: Sequence[str],
    command: Command,
    blockers: Sequence[Finding],
    *,
    goal: str,
    goals: Mapping[str, Point],
    promoted: Point,
    answered: frozenset[str],
    retrains: int,
    suggested: int | None,
    listed: bool = False,
    ready: bool = False,
    narrowing: Sequence[str] = (),
    advice: Sequence[Finding] = (),
    otherwise: Sequence[str] = (),
) -> NextRow:
    """What to run next: the remedies of what blocks, more retrains where undecided, or the next open question.

    Once no question is open, what the checks warned of, if its remedies change anything (more trials among them, while
    the search has not levelled off); then a search in the ranges that this one leaves (`narrowing`). Where nothing of
    this is left there is no command, and the reason says how to ask something else. A goal that fixes a hyperparameter
    elsewhere than at its promoted value is told to hold it there.

    `goals`: every goal that can be asked, each with the values at which it fixes hyperparameters; `promoted`: the point
    of the incumbent as it now stands; `answered`: the goals that were asked of it.
    `suggested`: the retrains an arm that the gate thinks may decide; None where no number of them can, and then
    `otherwise` leads on. `listed`: whether the points were listed. `advice`: what the checks warned of; it blocks
    nothing, and its remedies are next once every question has been asked. `ready`: whether exploration is done, so that
    a search in the narrowed ranges exploits what is known.

    Playbook: G9, D13, G10
    """

    def row(overrides: tuple[str, ...], why: str, asked: str = goal) -> NextRow:
        elsewhere = held_elsewhere(goals.get(asked, {}), promoted)
        held = (*overrides, *([held_again(elsewhere)] if elsewhere else []))
        return NextRow(command=command(held), overrides=held, why=why)

    if outcome == "redesign":
        return row(*(_mended(own, blockers) if blockers else _feasible_again(own, advice)))
    if outcome == "retrain" and suggested is None and retrains > 1:
        return row(*_sounder(own, otherwise, advice))
    if outcome == "retrain":
        wanted = suggested or 2 * retrains
        more = merged(own, [f"budget.retrains={wanted}"])
        return row(more, f"{retrains} retrains an arm did not decide; {wanted} may")
    following = next((g for g in goals if g not in answered and g != goal), None)
    if following is not None:
        return row(asking(own, following), "a question that was not asked of this incumbent yet", following)
    asked = "no other goal is open"
    warned = [f for f in advice if f.remedy and f.row not in SAVING]
    heeded = merged(own, _remedies(warned))
    if heeded != merged(own, ()):
        return row(heeded, f"{asked}; heeding what was warned of may still find more: {_named(warned)}")
    if listed:
        return row(merged(own, ["goal.points=[]"]), f"{asked}; a search may find more than a list")
    narrower = merged(own, narrowing)
    if narrower != merged(own, ()):
        done = "exploration is done (G10), and " if ready else ""
        return row(narrower, f"{asked}; {done}the best lies inside these ranges")
    return NextRow(command="", overrides=(), why=f"Nothing more to ask: {asked}, and more trials bring little. {ADD}")


def asking(own: Iterable[str], goal: str) -> tuple[str, ...]:
    """The overrides with which another goal is asked: the round's own without those that belong to its question."""
    return (*(o for o in own if not _asks(override_key(o))), f"goal={goal}")


def keeping_trials(
    following: NextRow, own: Sequence[str], command: Command, blockers: Sequence[Finding], round_id: str
) -> NextRow:
    """The next round with `keep=` this one, where its own trials would be the same: in another space or number.

    Not for another question, seed or length. Nor where something blocks that no override mends, or nothing changes at
    all: then a person mends the code or the data first, and what ran before does not count.

    Playbook: E4
    """
    if not following.command:
        return following
    keys = {override_key(o).lstrip("~") for o in {*merged(own, ())} ^ {*following.overrides}}
    if not keys or not all(key.startswith(_SAME_TRIALS) for key in keys) or not all(f.remedy for f in blockers):
        return following
    kept = (*following.overrides, f"keep={round_id}")
    return NextRow(command=command(kept), overrides=kept, why=following.why)


def another_way(scope: Scope, conclusion: Conclusion) -> tuple[str, ...]:
    """The overrides that lead to retrains which can be compared, where some gave no result; empty where none do.

    A baseline of the workload that cannot be trained gives way to the best trial without the change. Where another
    arm failed, which may happen right before a wall, a search with other seeds has other finalists.
    """
    decision, incumbent = conclusion.decision, conclusion.incumbent
    broken = {n for n in conclusion.arms if decision and decision.infeasible.get(n)}
    if decision is None or INCUMBENT not in broken:
        return (f"seed={scope.seed + 1}",) if broken else ()
    trained = conclusion.arms.get(BASELINE) or conclusion.arms.get(decision.lead)
    if incumbent.generation > 0 or trained is None or trained.name in broken:
        return ()
    changed = {n: v for n, v in trained.point.items() if incumbent.point.get(n) != v}
    return tuple(f"++workload.baseline.{name}={_written(value)}" for name, value in changed.items())


def _mended(own: Sequence[str], blockers: Sequence[Finding]) -> tuple[tuple[str, ...], str]:
    """The remedies of all that blocks, and why; what no override can mend comes first: the command waits for it."""
    mended = merged(own, _remedies(blockers))
    beyond = [f for f in blockers if not f.remedy] or list(blockers) * (mended == merged(own, ()))
    why = [f"mend this first; no override can: {headline(beyond[0].evidence)}"] if beyond else []
    rows = ", ".join(f'{f.row}: "why"' for f in {f.row: f for f in beyond}.values())
    why += [f"Or let it stand, in writing: 'acknowledge={{{rows}}}'."] if beyond else []
    why += [f"Answers what blocks this round: {_named(blockers)}."] if mended != merged(own, ()) else []
    return mended, " ".join(why)


def _feasible_again(own: Sequence[str], advice: Sequence[Finding]) -> tuple[tuple[str, ...], str]:
    """Where no trial gave a result and nothing blocks: the range is moved to where trials do, if E9 says where."""
    lost = [f for f in advice if f.row == "E9" and f.remedy]
    if not lost:
        return merged(own, ()), "mend this first; no override can: no trial gave a result"
    moved = merged(own, _remedies(lost))
    keys = ", ".join(dict.fromkeys(override_key(o) for f in lost for o in f.remedy))
    return moved, f"no trial gave a result: {keys} moves to where trials may ({_named(lost)})"


def _sounder(own: Sequence[str], otherwise: Sequence[str], advice: Sequence[Finding]) -> tuple[tuple[str, ...], str]:
    """Where more of the same retrains would bring no sound evidence: another way to some, or what was warned of."""
    why = "more of the same retrains cannot decide: an arm gave no result, or there was none to retrain"
    remedies = tuple(otherwise) or _remedies(advice)
    fix = "" if remedies else "mend this first; no override can: "
    return merged(own, remedies), fix + why


def _written(value: Value) -> str:
    return json.dumps(value) if isinstance(value, str) else show(value)


def _remedies(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(r for f in findings for r in f.remedy)


def _named(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(f"{f.check} ({f.row})" for f in findings))


def _roomier(first: str, second: str) -> str:
    """Of two overrides of one bound or budget the one that leaves more room; of any others the first."""
    key, (one, other) = override_key(first), (o.partition("=")[2] for o in (first, second))
    low, high = key.endswith(".low"), key.endswith(".high") or key.startswith("budget.")
    try:
        more = float(other) < float(one) if low else float(other) > float(one)
    except ValueError:
        return first
    return second if more and (low or high) else first


def _asks(key: str) -> bool:
    """Whether an override belongs to the question: the goal, and the bounds that were moved for it."""
    return key.lstrip("~").split(".")[0] in _QUESTION or key.lstrip("~").startswith("space.")


def override_key(override: str) -> str:
    """What an override sets, without the marks by which Hydra adds."""
    return override.partition("=")[0].lstrip("+")
