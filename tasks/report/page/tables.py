"""The tables of the page: trials and retrains, studies, roles, budget and policy, and the gate look by look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.record import Record, StudyRow, TrialRow
from tasks.report.retrains import counted_values, kept_values, looks_of
from tasks.report.trials import (
    NEVER_LEARNED,
    best_of,
    counted,
    feasible,
    isolation_of,
    kept_from,
    never_learned,
    ranked,
    study_label,
    trials_of,
)
from tasks.text import MISSING, band_text, duration, number, plainly


@dataclass(frozen=True, kw_only=True)
class TrialTable:
    """A table of trials as text: `names` of the hyperparameters that differ among them, one row a trial."""

    title: str
    names: tuple[str, ...]
    rows: tuple["TrialLine", ...]


@dataclass(frozen=True, kw_only=True)
class TrialLine:
    """One trial as text; `mark` is what the verdict made of it, `bad` whether it can be compared at all."""

    mark: str
    bad: bool
    cells: tuple[str, ...]
    values: tuple[str, ...]
    reason: str = ""


def trial_tables(record: Record) -> list[TrialTable]:
    """The trials of the search and the retrains, each best first, those that cannot be compared at the end.

    Playbook: E8
    """
    searched = [t for t in record.trials if t.purpose != "retrain"]
    retrains = [t for t in record.trials if t.purpose == "retrain"]
    tables = [_table(record, "Trials", searched)] if searched else []
    kept = tuple(_kept_line(record, id, value) for id, value in kept_values(record).items())
    if retrains or kept:
        fresh = _table(record, "Retrains (fresh seeds)", retrains)
        tables += [TrialTable(title=fresh.title, names=fresh.names, rows=(*fresh.rows, *kept))]
    return tables


def _table(record: Record, title: str, trials: list[TrialRow]) -> TrialTable:
    seen: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial.tried.items():
            seen.setdefault(name, set()).add(repr(value))
    # a conditional hyperparameter may have one value and yet be missing elsewhere
    varied = [n for n, v in seen.items() if len(v) > 1 or any(n not in t.tried for t in trials)]
    told = {n for s in record.studies for n in s.scientific}  # the column of the study says these
    names = tuple(n for n in varied if n not in told)
    labels = {s.id: study_label(record, s) for s in record.studies}
    stuck, counted = never_learned(record), counted_values(record)
    rows = tuple(
        _trial_line(record, t, labels.get(t.study, t.study), i + 1, names, counted.get(t.id), stuck=t.id in stuck)
        for i, t in enumerate(ranked(record, trials))
    )
    return TrialTable(title=title, names=names, rows=rows)


def _trial_line(
    record: Record,
    trial: TrialRow,
    study: str,
    place: int,
    names: tuple[str, ...],
    counted: float | None,
    *,
    stuck: bool,
) -> TrialLine:
    candidate = record.verdict.candidate
    chosen = candidate is not None and candidate.trial == trial.id
    good = feasible(trial)
    steps = MISSING if trial.best_step is None else f"{trial.best_step:,}"
    cells = (
        str(place) if good else "",
        trial.id,
        study,
        number(trial.best_value) if good else trial.status,
        steps,
        number(trial.final_value),
        duration(trial.seconds),
    )
    smoothed = counted is not None and counted != trial.best_value
    judged = f"counts as {number(counted)} (best mean of its neighbours)" if smoothed else ""
    whence = kept_from(trial.kept) if trial.kept else ""
    reasons = (trial.reason or judged, NEVER_LEARNED if stuck else "", whence)
    return TrialLine(
        mark=("promoted" if record.verdict.outcome == "promote" else "finalist") if chosen else "",
        bad=not good or stuck,
        cells=cells,
        values=tuple(number(trial.tried[n]) if n in trial.tried else "" for n in names),
        reason="; ".join(r for r in reasons if r),
    )


def _kept_line(record: Record, id: str, value: float) -> TrialLine:
    cells = ("", id, "retrain-incumbent", number(value), MISSING, MISSING, MISSING)
    return TrialLine(mark="", bad=False, cells=cells, values=(), reason="of an earlier round, counts again")


def roles_table(record: Record) -> list[tuple[str, str, str, str]]:
    """`(hyperparameter, role, where it may lie, reason)`: scientific, nuisance, fixed.

    Playbook: C1, C3
    """
    domains: dict[str, str] = {}
    for study in record.studies:
        for name, tree in study.space.items():
            domains.setdefault(name, domain_text(tree))
    arms = {n: [s.scientific[n] for s in record.studies if n in s.scientific] for n in record.roles.scientific}
    listed = {n: ", ".join(dict.fromkeys(number(v) for v in values)) for n, values in arms.items()}
    rows = [(n, "scientific", listed.get(n) or domains.get(n, MISSING), "") for n in record.roles.scientific]
    rows += [(n, "nuisance", domains.get(n, MISSING), "") for n in record.roles.nuisance]
    return rows + [(n, "fixed", number(f.value), f.reason) for n, f in record.roles.fixed.items()]


def domain_text(tree: Any) -> str:
    """A parameter's domain as a person says it: `1e-4 to 0.1, log`, or its values."""
    if not isinstance(tree, Mapping):
        return str(tree)
    listed = tree.get("values", tree.get("choices"))
    if listed is not None:
        return ", ".join(number(v) for v in listed)
    extras = [str(tree[k]) for k in ("scale", "type") if tree.get(k) not in (None, "linear", "float")]
    return ", ".join([f"{number(tree.get('low'))} to {number(tree.get('high'))}", *extras])


def studies_table(record: Record) -> list[dict[str, str]]:
    """A row for each study: its label, its trials, its best value with the band, and how its points were drawn."""
    return [_study(record, s) for s in record.studies]


def _study(record: Record, study: StudyRow) -> dict[str, str]:
    trials = trials_of(record, study)
    best, row = best_of(record, trials), isolation_of(record, study)
    return {
        "label": study_label(record, study),
        "id": study.id,
        "trials": counted(record, trials),
        "best": number(best.best_value) if best else "none feasible",
        "trial": best.id if best else "",
        "band": band_text(row.band) if row else MISSING,
        "sampler": study.sampler,
        "varied": ", ".join(study.space),
    }


def looks_table(record: Record) -> list[tuple[str, ...]]:
    """The gate look by look: who against whom, after how many retrains, gain, band, z and its bounds, SDs, correlation.

    Playbook: G4
    """
    return [
        (
            f"{comparison.candidate} over {comparison.against}",
            str(k.n),
            *map(number, (k.gain, *k.band, k.z, k.lower, k.upper, k.sd_candidate, k.sd_against, k.correlation)),
        )
        for comparison, k in looks_of(record)
    ]


def pairs(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values as text, nested mappings on one line."""
    return [(k.replace("_", " ").replace(".", " "), plainly(v)) for k, v in numbers.items()]
