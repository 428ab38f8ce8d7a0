"""The first screen of the page: the answer, the verdict, how sure they are, what comes next, with which caveats."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from tasks.promote.rows import arm_deviations
from tasks.record import Record
from tasks.report.promoted import checkpoint_sentence, loading_lines, promoted_changes
from tasks.report.retrains import gate_arms, kept_values
from tasks.report.said import RETRAINS, answer_parts, compared_in
from tasks.report.trials import best_of, counted
from tasks.report.verdict import NOT_APPLICABLE, better, by_level, other_caveats, took, verdict_sentence
from tasks.scope.arms import listing
from tasks.text import band_text, number, percent, plural

VERDICTS = {"promote": "Promote", "keep": "Keep", "retrain": "Retrain", "redesign": "Redesign", "na": "No verdict"}
# in the order of the page
TALLY = {"fail": "fail", "warn": "warn", "ok": "ok", "na": "not checked", NOT_APPLICABLE: NOT_APPLICABLE}
REASONS = 2  # of the verdict above the fold; the others open by a click
NAMES = 8  # fixed hyperparameters that are named above the fold


@dataclass(frozen=True, kw_only=True)
class PromotedText:
    """What was promoted, as text: `changes` are `(name, value, what held before)`; `same`: what stays as it was.

    `checkpoint` says which one it is, and `loading` are the lines of Python that load it; none where none was saved.
    """

    changes: tuple[tuple[str, str, str], ...]
    same: str
    command: str
    checkpoint: str
    loading: str


@dataclass(frozen=True, kw_only=True)
class Top:
    """The page's first screen as text; `strip` is the answer's band as a drawing, "" without one."""

    facts: str
    answer: str
    reserve: str
    band: str
    strip: Markup
    word: str
    sentence: str
    numbers: tuple[tuple[str, str], ...]
    promoted: PromotedText | None
    reasons: tuple[str, ...]
    further: tuple[str, ...]
    sure: tuple[str, ...]
    tally: tuple[tuple[str, str], ...]
    caveats: tuple[str, ...]


def top_of(record: Record, folder: str = "") -> Top:
    """What a reader who has one minute reads. `folder`: the record's, from which the checkpoint's path is told.

    Playbook: C3, E1, G9
    """
    answer, reserve = answer_parts(record)
    verdict = record.verdict
    gain = [("gain", f"{number(verdict.gain)} {record.objective.metric}")] if verdict.gain is not None else []
    rate = [("error rate", percent(verdict.error_rate))] if verdict.error_rate is not None else []
    return Top(
        facts=" · ".join(_facts(record)),
        answer=answer,
        reserve=reserve,
        band=_band(record),
        strip=_strip(record),
        word=VERDICTS[verdict.outcome],
        sentence=verdict_sentence(record),
        numbers=(*gain, *rate),
        promoted=_promoted(record, folder),
        reasons=verdict.reasons[:REASONS],
        further=verdict.reasons[REASONS:],
        sure=tuple(_sure(record)),
        tally=_tally(record),
        caveats=tuple(_caveats(record)),
    )


def _promoted(record: Record, folder: str) -> PromotedText | None:
    """The promoted point in values, what changed ahead; None where nothing was promoted.

    Playbook: G9
    """
    changes, row = promoted_changes(record), record.promoted
    if not changes:
        return None
    won = record.verdict.candidate
    now, changed = (won.point | won.settings if won else {}), {c.name for c in changes}
    saved = row.checkpoint if row else None
    return PromotedText(
        changes=tuple((c.name, "" if c.now is None else number(c.now), c.before) for c in changes),
        same=", ".join(f"{name} = {number(value)}" for name, value in now.items() if name not in changed),
        command=row.command if row else "",
        checkpoint=checkpoint_sentence(saved, record.objective.metric) if row else "",
        loading="\n".join(loading_lines(saved, os.path.normpath(os.path.join(folder, saved.file)))) if saved else "",
    )


def _facts(record: Record) -> Iterator[str]:
    searched = [t for t in record.trials if t.purpose != "retrain"]
    best = best_of(record, searched)
    yield counted(record, searched)
    if len(record.trials) > len(searched):
        yield plural(len(record.trials) - len(searched), "retrain")
    yield f"best {record.objective.metric} {number(best.best_value)}" if best else "no feasible trial"
    yield f"judged by {record.objective.metric}, {better(record)}"
    if took(record):
        yield f"took {took(record)}"


def _band(record: Record) -> str:
    """The gain with its band, and what the band is."""
    answer = compared_in(record)
    if answer is None or answer.band is None:
        return ""
    low, high = answer.band
    where = "either may be the better one" if low <= 0 <= high else "all of it on one side of zero"
    kind = "9 of 10 repetitions of this search would fall into the band"
    if answer.source == RETRAINS:
        kind = "limits from fresh retrains, which hold however early the gate stopped"
    return f"Gain {number(answer.gain)} {record.objective.metric}, band {band_text(answer.band)}: {where} ({kind})."


def _strip(record: Record) -> Markup:
    """The gain and its band on a line with zero: one look tells whether luck may be all."""
    answer = compared_in(record)
    if answer is None or answer.band is None:
        return Markup("")
    ends = (*answer.band, gain := answer.gain or 0.0, 0.0)
    low, span = min(ends), (max(ends) - min(ends)) or 1.0
    at = [f"{6 + 88 * (v - low) / span:.2f}%" for v in (*answer.band, gain, 0.0)]
    names = [f"{number(v)[:24]} better" if v is not None else "" for v in (answer.against, answer.value)]
    left, right = (escape(n) for n in names)
    side = [f"← {left}" if left else "", f"{right} →" if right else ""]
    return Markup(  # positions are numbers, and the two names are escaped
        f'<svg class="strip" role="img" aria-label="The gain and its band" height="54" width="100%">'
        f'<line class="axis" x1="0" x2="100%" y1="26" y2="26"/>'
        f'<line class="zero" x1="{at[3]}" x2="{at[3]}" y1="14" y2="37"/>'
        f'<line class="band" x1="{at[0]}" x2="{at[1]}" y1="26" y2="26"/><circle cx="{at[2]}" cy="26" r="5"/>'
        f'<text x="0" y="50">{side[0]}</text><text x="{at[3]}" y="10" text-anchor="middle">0</text>'
        f'<text x="100%" y="50" text-anchor="end">{side[1]}</text></svg>'
    )


def _sure(record: Record) -> Iterator[str]:
    """How sure: the retrains and their noise, the rate of false promotions, and the luck of the search.

    Playbook: G1, G4
    """
    arms = sorted(gate_arms(record), key=lambda arm: arm.name)
    retrained = {arm.name.replace("-", " "): n for arm in arms if (n := len(arm.trials) + len(arm.kept))}
    counts = [
        f"{n}{' each' * (len(named) > 1)} of the {listing(named)}"
        for n in dict.fromkeys(retrained.values())
        if (named := [name for name, own in retrained.items() if own == n])
    ]
    if counts:
        kept = len(kept_values(record))
        older = f" ({kept} of them from earlier rounds)" if kept else ""
        yield f"Retrains on fresh seeds: {', '.join(counts)}{older}."
    else:
        chosen = ", as budget.retrains=0 wants it (K4)" if record.budget.get("retrains") == 0 else ""
        yield f"Nothing was retrained{chosen}, so the noise of one configuration is not measured here."
    sds = arm_deviations(record.gate)
    if any(sds.values()):  # retrains that repeat each other measured none
        told = ", ".join(f"{number(sd)} ({arm.replace('-', ' ')})" for arm, sd in sds.items())
        yield f"SD of one configuration's retrains: {told}."
    if record.accepted is not None:
        yield f"Accepted by {record.accepted.text} (G9)."
    if record.verdict.error_rate is not None:
        rate = percent(record.verdict.error_rate)
        yield f"A change that does nothing would be promoted in at most {rate} of rounds."
    widths = [row.band[1] - row.band[0] for row in record.isolation if row.band]
    if widths:
        widest = " (the widest)" if len(widths) > 1 else ""
        found = f"9 of 10 repetitions would find their best in a band {number(max(widths))} wide{widest}"
        yield f"Luck of the search: {found}."


def _tally(record: Record) -> tuple[tuple[str, str], ...]:
    counts = {level: len(by_level(record, level)) for level in TALLY}
    return tuple((level.replace(" ", "-"), f"{counts[level]} {word}") for level, word in TALLY.items() if counts[level])


def _caveats(record: Record) -> Iterator[str]:
    """What a reader must not forget, most pressing first; the full list stands further down."""
    fails = dict.fromkeys(f"{f.check} ({f.row})" for f in record.findings if f.level == "fail")
    known = [name for name in fails if name.rpartition("(")[2].rstrip(")") in record.acknowledged]
    if known:
        yield f"Acknowledged in writing: {', '.join(known)}."
    warned = dict.fromkeys(f"{f.check} ({f.row})" for f in record.findings if f.level == "warn")
    if warned:
        yield f"Warned of: {', '.join(warned)}."
    fixed = [f"{name} = {number(role.value)}" for name, role in record.roles.fixed.items()]
    if fixed:
        more = f" and {len(fixed) - NAMES} more" if len(fixed) > NAMES else ""
        yield f"Holds only for {', '.join(fixed[:NAMES])}{more}."
    told = other_caveats(record)
    yield from told[:2]
    if told[2:]:
        yield f"{plural(len(told) - 2, 'caveat')} more below, under roles."
