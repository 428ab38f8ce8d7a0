"""The page of a round: the verdict first, then everything that it stands on. Drawn from the record and the curves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.analyze import sentences as say
from tasks.analyze.plots import pictures
from tasks.analyze.sentences import MISSING, number
from tasks.record import Finding, Record, StudyRow, TrialRow
from tasks.trials.trial import Curve

HERE = Path(__file__).parent
VERDICTS = {"promote": "Promote", "keep": "Keep", "retrain": "Retrain", "redesign": "Redesign", "na": "No verdict"}
LEVEL_WORDS = {"fail": "Fail", "warn": "Warn", "na": "Not checked", "ok": "OK"}
# Control characters, and those that turn the direction of what follows: a name must not make the page say otherwise.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FOLDED = 60  # a table of trials longer than this opens by a click


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


@dataclass(frozen=True, kw_only=True)
class FindingCard:
    """A finding as text; `why` is the written reason of an acknowledged one."""

    row: str
    level: str
    check: str
    where: tuple[str, ...]
    evidence: str
    numbers: tuple[tuple[str, str], ...]
    remedy: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """The findings of one level, the blocking ones first."""

    level: str
    title: str
    cards: tuple[FindingCard, ...] = field(default=())


def page(record: Record, curves: Mapping[str, Curve], *, record_path: str = "") -> str:
    """The report as one HTML file: no script, no address outside itself, light or dark as its reader's system is.

    Every text that a person wrote is escaped by the template; the only markup that passes is the plots', whose
    texts are escaped by the XML writer. `record_path` is printed where the page says how to go on from the data.

    Playbook: C3, E1, E8, F15
    """
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    drawn = [(p, Markup(p.svg)) for p in pictures(record, curves)]
    text = environment.get_template("report.html.j2").render(
        record=record,
        record_path=record_path,
        pictures=drawn,
        folded=FOLDED,
        **_top(record),
        groups=[_group(record, level) for level in say.LEVELS],
        spare=spare_reasons(record),
        roles=_roles(record),
        studies=[_study(record, s) for s in record.studies],
        tables=trial_tables(record),
        budget=[
            (k, number(v) if isinstance(v, bool | int | float | str) else str(v)) for k, v in record.budget.items()
        ],
    )
    return _UNSEEN.sub("", text)


def _top(record: Record) -> dict[str, Any]:
    """What stands above the fold."""
    searched = [t for t in record.trials if t.purpose != "retrain"]
    retrains = len(record.trials) - len(searched)
    best = say.best_of(record, searched)
    answer, verdict = record.answer, record.verdict
    numbers = [("gain", number(verdict.gain))] if verdict.gain is not None else []
    numbers += [(k.replace("_", " "), number(v)) for k, v in verdict.noise.items()]
    numbers += [("error rate", number(verdict.error_rate))] if verdict.error_rate is not None else []
    facts = [say.counted(searched)]
    facts += [say.plural(retrains, "retrain")] if retrains else []
    facts += [f"best {record.objective.metric} {number(best.best_value)}"] if best else ["no feasible trial"]
    facts += [f"took {say.took(record)}"] if say.took(record) else []
    return {
        "verdict_word": VERDICTS[verdict.outcome],
        "verdict_sentence": say.verdict_sentence(record),
        "verdict_numbers": numbers,
        "answer": say.answer_parts(record),
        "answer_band": say.band_text(answer.band) if answer.band is not None else "",
        "better": say.better(record),
        "facts": facts,
    }


def spare_reasons(record: Record) -> list[tuple[str, str]]:
    """The rows acknowledged in writing that nothing was found against: the reason stays on the page.

    Playbook: E1
    """
    found = {f.row for f in record.findings if f.level in ("fail", "warn")}
    return [(row, why) for row, why in record.acknowledged.items() if row not in found]


def _group(record: Record, level: str) -> FindingGroup:
    cards = tuple(_card(record, f) for f in say.by_level(record, level))
    return FindingGroup(level=level, title=LEVEL_WORDS[level], cards=cards)


def _card(record: Record, finding: Finding) -> FindingCard:
    where = finding.where
    labels = {s.id: say.study_label(record, s) for s in record.studies}
    study = "" if where.study is None else labels.get(where.study, where.study)
    parts = [study, where.parameter or "", f"{where.side} side" if where.side else ""]
    parts += [f"trial {where.trial}"] if where.trial else []
    return FindingCard(
        row=finding.row,
        level=finding.level,
        check=finding.check,
        where=tuple(p for p in parts if p),
        evidence=finding.evidence,
        numbers=tuple((k.replace("_", " "), number(v)) for k, v in finding.numbers.items()),
        remedy=finding.remedy,
        why=record.acknowledged.get(finding.row, "") if finding.level in ("fail", "warn") else "",
    )


def _roles(record: Record) -> list[tuple[str, str, str, str]]:
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


def _study(record: Record, study: StudyRow) -> dict[str, str]:
    trials = say.trials_of(record, study)
    best, row = say.best_of(record, trials), say.isolation_of(record, study)
    return {
        "label": say.study_label(record, study),
        "id": study.id,
        "trials": say.counted(trials),
        "best": number(best.best_value) if best else "none feasible",
        "band": say.band_text(row.band) if row else MISSING,
        "sampler": study.sampler,
        "varied": ", ".join(study.space),
    }


def trial_tables(record: Record) -> list[TrialTable]:
    """The trials of the search and the retrains, each best first, those that cannot be compared at the end.

    Playbook: E8
    """
    searched = [t for t in record.trials if t.purpose != "retrain"]
    retrains = [t for t in record.trials if t.purpose == "retrain"]
    both = (("Trials", searched), ("Retrains (fresh seeds)", retrains))
    return [_table(record, title, trials) for title, trials in both if trials]


def _table(record: Record, title: str, trials: list[TrialRow]) -> TrialTable:
    seen: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial.point.items():
            seen.setdefault(name, set()).add(repr(value))
    # a conditional hyperparameter may have one value and yet be missing elsewhere
    varied = [n for n, v in seen.items() if len(v) > 1 or any(n not in t.point for t in trials)]
    told = {n for s in record.studies for n in s.scientific}  # the column of the study says these
    names = tuple(n for n in varied if n not in told)
    labels = {s.id: say.study_label(record, s) for s in record.studies}
    rows = tuple(
        _trial_line(record, t, labels.get(t.study, t.study), i + 1, names)
        for i, t in enumerate(say.ranked(record, trials))
    )
    return TrialTable(title=title, names=names, rows=rows)


def _trial_line(record: Record, trial: TrialRow, study: str, place: int, names: tuple[str, ...]) -> TrialLine:
    candidate = record.verdict.candidate
    chosen = candidate is not None and candidate.trial == trial.id
    good = say.feasible(trial)
    steps = MISSING if trial.best_step is None else f"{trial.best_step:,}"
    cells = (
        str(place) if good else "",
        trial.id,
        study,
        number(trial.best_value) if good else trial.status,
        steps,
        number(trial.final_value),
        say.duration(trial.seconds),
    )
    return TrialLine(
        mark=("promoted" if record.verdict.outcome == "promote" else "finalist") if chosen else "",
        bad=not good,
        cells=cells,
        values=tuple(number(trial.point[n]) if n in trial.point else "" for n in names),
        reason=trial.reason,
    )
