"""The next round, as the command that is it."""

import shlex
from collections.abc import Iterable, Sequence

from tasks.record import Finding, NextRow, Outcome

_QUESTION = ("goal", "acknowledge", "resume", "notes")


def command_of(overrides: Sequence[str], config_dir: str | None) -> str:
    """The shell command of a round; the same overrides work in the form of the UI and in a schedule."""
    words = ["python", "-m", "flows.round", *(["--config-dir", config_dir] if config_dir else []), *overrides]
    return " ".join(map(shlex.quote, words))


def merged(own: Iterable[str], remedies: Iterable[str]) -> tuple[str, ...]:
    """The round's own overrides with the remedies in their place; the first remedy for a key counts.

    Playbook: E4
    """
    chosen: dict[str, str] = {}
    for remedy in remedies:
        chosen.setdefault(_key(remedy), remedy)
    last = {_key(o): o for o in own if _key(o) != "resume"}  # of two for one key Hydra takes the last
    kept = [chosen.pop(key, override) for key, override in last.items()]
    return (*kept, *chosen.values())


def next_round(
    outcome: Outcome,
    own: Sequence[str],
    config_dir: str | None,
    blockers: Sequence[Finding],
    *,
    goal: str,
    goals: Sequence[str],
    answered: frozenset[str],
    retrains: int,
    suggested: int | None,
    trials: int | None,
    narrowing: Sequence[str] = (),
) -> NextRow:
    """What to run next: the remedies of what blocks, more retrains where undecided, or the next open question.

    Once no question is open, a search in the ranges that this one leaves (`narrowing`), or a denser one.

    `goals`: every goal that can be asked; `answered`: those that were, of the incumbent as it now stands.
    `suggested`: the retrains an arm that the gate thinks may decide. `trials`: None where the points were listed.
    """
    if outcome == "redesign":
        remedies = [r for f in blockers for r in f.remedy]
        cause = ", ".join(dict.fromkeys(f"{f.check} ({f.row})" for f in blockers))
        fix = "" if remedies else "mend this first; no override can: " + blockers[0].evidence + " "
        return _row(merged(own, remedies), config_dir, f"{fix}answers what blocks this round: {cause}")
    if outcome == "retrain":
        wanted = suggested or 2 * retrains
        more = merged(own, [f"budget.retrains={wanted}"])
        return _row(more, config_dir, f"{retrains} retrains an arm did not decide; {wanted} may")
    open_goals = [g for g in goals if g not in answered and g != goal]
    if open_goals:
        kept = [o for o in own if not _asks(_key(o))]
        return _row((*kept, f"goal={open_goals[0]}"), config_dir, "the next question that this incumbent was not asked")
    if trials is None:
        search = merged(own, ["goal.points=[]"])
        return _row(
            search, config_dir, "every goal has been asked of this incumbent; a search may find more than a list"
        )
    if narrowing:
        closer = merged(own, narrowing)
        return _row(
            closer, config_dir, "every goal has been asked of this incumbent; the best lies inside these ranges"
        )
    more = merged(own, [f"budget.trials={2 * trials}"])
    return _row(more, config_dir, "every goal has been asked of this incumbent; a denser search may still find more")


def _row(overrides: tuple[str, ...], config_dir: str | None, why: str) -> NextRow:
    return NextRow(command=command_of(overrides, config_dir), overrides=overrides, why=why)


def _asks(key: str) -> bool:
    """Whether an override belongs to the question: the goal, and the bounds that were moved for it."""
    return key.lstrip("~").split(".")[0] in _QUESTION or key.lstrip("~").startswith("space.")


def _key(override: str) -> str:
    """What an override sets, without the marks by which Hydra adds."""
    return override.partition("=")[0].lstrip("+")
