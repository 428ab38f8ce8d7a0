"""B5: which hyperparameters mattered, which must be tuned together, and which can be fixed."""

import json
from collections.abc import Iterable, Iterator
from functools import partial

from tasks.analyze.checks.check import Check
from tasks.analyze.study.evidence import Evidence, StudyEvidence
from tasks.analyze.study.importance import FEWEST, Importance, ImportanceThresholds, Part, importance_of
from tasks.analyze.study.region import region_of
from tasks.record import Finding, ImportanceRow, NotChecked, Number, Value
from tasks.scope.arms import brief, in_full, listing, nuisance_without
from tasks.scope.finding import Question, finding, not_checked
from tasks.scope.roles import Scope
from tasks.text import plural


def importance(evidence: Evidence) -> list[Finding]:
    """For each study: the hyperparameters that matter, those that interact, and those that can be fixed.

    `na` where nothing stands out from chance and nothing is bounded. What can be fixed has the remedy that fixes it
    at the best trial's value, if it is nuisance and can be fixed in every study that has it.

    Playbook: B5
    """
    found = [(s, importance_of(s)) for s in evidence.studies]
    having = {p.name: [k for s, k in found if p.name in s.study.space] for p in evidence.round.scope.space}
    fixable = {name for name, known in having.items() if all(k is not None and name in k.idle for k in known)}
    return [_of(evidence.round.scope, s, known, fixable) for s, known in found]


def importance_rows(evidence: Evidence) -> tuple[ImportanceRow, ...]:
    """A row for each hyperparameter of each study whose trials can tell anything, the one that explains most first.

    What interacts with another matters, whatever it explains alone.

    Playbook: B5
    """
    return tuple(row for s in evidence.studies if (known := importance_of(s)) for row in _rows(s, known))


def _rows(s: StudyEvidence, known: Importance) -> Iterator[ImportanceRow]:
    matter = {*known.telling}.union(*known.together)
    for p in known.parts:
        company = tuple(n for pair in known.together if p.name in pair for n in pair if n != p.name)
        yield ImportanceRow(
            study=s.study.id,
            parameter=p.name,
            share=p.share,
            band=(p.low, p.high),
            verdict="matters" if p.name in matter else "can be fixed" if p.name in known.idle else "cannot tell",
            together=company,
        )


def importance_sentences(known: Importance) -> str:
    """What was found, in sentences."""
    parts = {p.name: p for p in known.parts}
    said = []
    if known.telling:
        alone = len(known.telling) == 1
        each = "" if alone else "each "
        beyond = "" if len(parts) == 1 else f", {each}beyond the others" if known.jointly else f", {each}alone"
        verb = "explains" if alone else "explain"
        shares = brief((f"{n} ({_percent(parts[n].share)})" for n in known.telling), 70)
        said.append(f"{shares} {verb} the differences between the trials{beyond}.")
        bands = listing(f"{n} {_percent(parts[n].share)} ({_band(parts[n])})" for n in known.telling)
        said.append(f"The share, and what else these trials allow in 9 of 10 cases: {bands}.")
    said += [f"Tune {listing(names)} together: they interact." for names in known.together]
    said += [f"At most {_percent(parts[n].most)} go back to {n}: it can be fixed." for n in known.idle]
    rest = [n for n in parts if n not in {*known.telling, *known.idle}.union(*known.together)]
    if rest:
        what = "matters" if len(rest) == 1 else "matter"
        said.append(f"{plural(known.trials, 'trial')} cannot tell whether {brief(rest)} {what}.{in_full(rest)}")
    return " ".join(said)


def _of(scope: Scope, s: StudyEvidence, known: Importance | None, fixable: set[str]) -> Finding:
    not_asked = partial(not_checked, "sensitivity", "B5", study=s.study.id)
    if known is None:
        usable = plural(int(region_of(s).usable.sum()), "usable trial")
        text = f"Cannot tell what matters: {usable}, {FEWEST} that differ are needed."
        return not_asked(NotChecked.TOO_FEW_TRIALS, text)
    bars = s.policy.of(ImportanceThresholds)
    numbers: dict[str, Number | None] = {"trials": known.trials, "idle_share": bars.idle_share}
    for p in known.parts:
        numbers |= {p.name: p.share, f"{p.name}.low": p.low, f"{p.name}.high": p.high, f"{p.name}.chance": p.chance}
        numbers |= {f"{p.name}.most": p.most} if p.most < 1.0 else {}
    numbers |= {f"{a} x {b}.chance": chance for (a, b), chance in known.pairs.items()}
    numbers["sensitivity_chance"] = bars.sensitivity_chance
    if not (known.telling or known.together or known.idle):
        return not_asked(NotChecked.TOO_NOISY, importance_sentences(known), numbers=numbers)
    idle = [n for n in known.idle if n in fixable and n in scope.roles.nuisance]
    reason = "some_matter" if known.telling or known.together else "some_can_be_fixed"
    say = partial(finding, "sensitivity", "B5", "ok", study=s.study.id, numbers=numbers)
    return say(importance_sentences(known), reason=reason, remedy=fixing(scope, s, idle))


def fixing(scope: Scope, s: StudyEvidence, names: Iterable[str]) -> tuple[str, ...]:
    """The overrides that fix nuisances at the values of the study's best trial, with the reason.

    A name with a dot in it cannot stand in `goal.fixed` from the shell: its range becomes the one value instead.
    """
    point = s.best.planned.point if s.best else {}
    found, plain = [], []
    for p in (scope.declared[n] for n in names if n in point):
        value = _text(point[p.name])
        if "." not in p.name:
            plain.append(p.name)
            found.append(f'goal.fixed.{p.name}={{value: {value}, reason: "insensitive in the round before"}}')
        elif p.numeric:
            found += [f"space.{p.name}.low={value}", f"space.{p.name}.high={value}"]
        else:
            found.append(f"space.{p.name}.{'values' if p.type == 'ordered' else 'choices'}=[{value}]")
    listed = nuisance_without(scope, plain) if plain and scope.goal.nuisance is not None else ()
    return (*listed, *found)


def _text(value: Value) -> str:
    return json.dumps(float(f"{value:.4g}") if isinstance(value, float) else value, ensure_ascii=False)


def _band(part: Part) -> str:
    return f"{round(100 * part.low)} to {_percent(part.high)}"


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


SENSITIVITY = Check(
    name="sensitivity",
    questions=(
        Question(
            row="B5",
            asks="Which hyperparameters matter, which must be tuned together, and which can be fixed?",
            ok=("some_matter", "some_can_be_fixed"),
            na=(NotChecked.TOO_FEW_TRIALS, NotChecked.TOO_NOISY),
        ),
    ),
    ask=importance,
    thresholds=(ImportanceThresholds,),
)
