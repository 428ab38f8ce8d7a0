"""E10 of trials that failed: the same fault twice is the code's, unless a hyperparameter tells where it strikes."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from tasks.analyze.checks.search.pattern import Pattern, pattern
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.record import Finding, Number
from tasks.scope.finding import finding
from tasks.text import plural, point_label
from tasks.trials.failures.alike import broke, fault, fault_text
from tasks.trials.trial import Trial

CLEAR_PATTERN = 0.01  # a fault of the code is excused by a hyperparameter only where luck is out of the question
SHORT_FAULT = 60  # characters of a fault that stand in the first sentence
SAME_FAULT = 2  # failed trials that are alike: once may be the machine, twice is the code


def broken_code(evidence: Evidence) -> list[Finding]:
    """E10: the trials that failed (an exception, a signal, no result) and say of what, each in one finding.

    A study in which a hyperparameter goes with the failures has a finding of its own; what failed in all the others
    is one fault of the round.

    Playbook: E10
    """
    failing = [study for study in evidence.studies if any(map(broke, study.trials))]
    seen = {study.study.id: _pattern(study) for study in failing}
    found, others = [], []
    for study in failing:
        excuse = seen[study.study.id]
        if excuse is not None and excuse.chance <= CLEAR_PATTERN and _most(study.trials)[1] >= SAME_FAULT:
            found.append(_constraint(study, excuse))
        else:
            others.append(study)
    chances = [p.chance for study in others if (p := seen[study.study.id]) is not None]
    return [*found, *([_fault(evidence, others, min(chances, default=None))] if others else [])]


def _pattern(study: StudyEvidence) -> Pattern | None:
    """What goes with the failures; None where every trial failed, or nothing varies."""
    marked = np.array([broke(t) for t in study.trials])
    return None if marked.all() else pattern(study, marked, np.ones(len(marked), dtype=bool))


def _most(trials: Sequence[Trial]) -> tuple[Trial, int]:
    """The first of the failed trials that are alike and most, and how many they are."""
    kinds = [(fault(t), t) for t in trials if broke(t)]
    kind, count = Counter(k for k, _ in kinds).most_common(1)[0]
    return next(t for k, t in kinds if k == kind), count


def _numbers(failed: int, same: int, chance: float | None) -> dict[str, Number | None]:
    return {
        "failed": failed,
        "same": same,
        "same_fault": SAME_FAULT,
        "chance": None if chance is None else round(chance, 4),
        "clear_pattern": CLEAR_PATTERN,
    }


def _constraint(study: StudyEvidence, seen: Pattern) -> Finding:
    """A fault that strikes where a hyperparameter says."""
    first, count = _most(study.trials)
    failed = [t for t in study.trials if broke(t)]
    return finding(
        "infeasible",
        "E10",
        "warn",
        f"{count} of {len(study.trials)} trials failed with the same fault, depending on {seen.parameter}: shrink the "
        f"space there, or raise Infeasible with the reason. The fault is {fault_text(first)}. Luck explains it "
        f"{seen.chance:.2g} of the time, so it is an implicit constraint.",
        reason="implicit_constraint",
        trials=[t.id for t in failed if fault(t) == fault(first)],
        study=study.study.id,
        trial=first.id,
        numbers=_numbers(len(failed), count, seen.chance),
    )


def _fault(evidence: Evidence, studies: Sequence[StudyEvidence], chance: float | None) -> Finding:
    """The fault of the code that most of the failed trials of these studies have, or that none has twice."""
    every = [t for study in studies for t in study.trials]
    failed = [t for t in every if broke(t)]
    first, count = _most(failed)
    say = partial(
        finding,
        "infeasible",
        "E10",
        study=studies[0].study.id if len(studies) == 1 else None,
        numbers=_numbers(len(failed), count, chance),
    )
    same = [t.id for t in failed if count < SAME_FAULT or fault(t) == fault(first)]
    empty = [s for s in studies if all(map(broke, s.trials))]
    if empty:
        some = [] if len(empty) == len(evidence.studies) else [point_label(s.study.scientific) for s in empty]
        whole = [t for s in empty for t in s.trials]
        said = f"{_all_failed(whole, some)} The log of trial {whole[0].id} says more."
        return say("fail", said, reason="all_failed", trials=[t.id for t in whole], trial=whole[0].id)
    if count < SAME_FAULT:
        alike = ", no two alike" * (len(failed) > 1)
        said = f"{plural(len(failed), 'trial')} failed{alike}: read the log of trial {first.id}."
        said += f" It says: {fault_text(first)}."
        return say("warn", said, reason="failed_once", trials=same, trial=first.id)
    named, later = _named(first)
    told = f"{count} of {len(every)} trials failed with the same fault{f' ({named})' if named else ''}"
    said = f"{told}: suspect a bug (log of trial {first.id}). No hyperparameter explains where.{later}"
    return say("fail", said, reason="same_fault", trials=same, trial=first.id)


def _all_failed(trials: Sequence[Trial], studies: Sequence[str]) -> str:
    """What is said of trials that failed, all of those of these `studies`, or of the round."""
    first, count = _most(trials)
    of = f" of {' and '.join(filter(None, studies))}" if any(studies) else ""
    every = f"All {len(trials)} trials{of}" if len(trials) > 1 else f"The only trial{of}"
    alike = "" if count == len(trials) else f", {count} of them alike" if count > 1 else ", no two alike"
    named, later = _named(first)
    return f"{every} failed{alike}: {f'{named}; ' if named else ''}mend the code.{later}"


def _named(trial: Trial) -> tuple[str, str]:
    """The fault of a trial as a part of a sentence, or its kind alone; the whole is then a further sentence."""
    text = fault_text(trial)
    kind, *more = text.split(":", 1)
    if len(text) <= SHORT_FAULT:
        return text, ""
    return kind if more and len(kind) <= SHORT_FAULT else "", f" The fault is {text}."
