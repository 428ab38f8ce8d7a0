"""The list: rounds, multiruns with a table each, audits, and the incumbent of every workload."""

from collections.abc import Iterator, Sequence

from flows.past.found import Past
from flows.past.tables import minute, text_table, values_text
from tasks.ledger import Ledger, LedgerError, Summary
from tasks.record import Record
from tasks.report.across.compare import answer_cells
from tasks.upgrade import NewerRecord, read_record

_COLUMNS = ("workload=", "goal=", "seed=")  # overrides that have a column of their own
_PASSING = ("tracking.root=", "resume=")  # that say nothing of what was asked


def list_text(past: Past) -> str:
    """All rounds, the last one first; multiruns as a table each; audits; incumbents."""
    groups = multiruns(past)
    together = {r.round_id for own in groups.values() for r in own}
    single = [r for r in past.rounds if r.round_id not in together]
    parts = [_rounds(past, single)] if single else []
    parts += [_multirun(past, name, own) for name, own in groups.items()]
    parts += [_audits(past)] if past.audits else []
    parts += [_incumbents(past.ledger)] if past.ledger and past.ledger.workloads() else []
    return "\n".join(parts)


def multiruns(past: Past) -> dict[str, list[Summary]]:
    """The rounds that one command with `-m` began, by the multirun's id; the last multirun first."""
    found: dict[str, list[Summary]] = {}
    for row in past.rounds:
        for name in past.ledger.notes(row.round_id, "multirun") if past.ledger else ():
            found.setdefault(name, []).append(row)
    return {name: own[::-1] for name, own in found.items() if len(own) > 1}


def state_of(row: Summary, running: bool) -> str:
    """A round that says `running` and that no process holds was cut off."""
    return "running" if running else "interrupted" if row.state == "running" else row.state


def _rounds(past: Past, rounds: Sequence[Summary]) -> str:
    head = ("round", "workload", "goal", "seed", "outcome", "gain", "when", "set besides")
    return text_table(head, [_round_cells(past, r) for r in rounds])


def _round_cells(past: Past, row: Summary) -> tuple[str, ...]:
    gain = "" if row.gain is None else f"{row.gain:+.4g}"
    other = " ".join(_besides(overrides_of(past, row.round_id)))
    seed = str(past.config(row.round_id).get("seed", ""))
    return (row.round_id, row.workload, row.goal, seed, _outcome(past, row), gain, minute(row.created), other)


def overrides_of(past: Past, id: str) -> tuple[str, ...]:
    """What was set for a round on its command line, without what says nothing of the question."""
    said = past.config(id).get("overrides", ())
    return tuple(str(o) for o in said if not str(o).startswith(_PASSING))


def _besides(overrides: Sequence[str]) -> list[str]:
    return [o for o in overrides if not o.startswith(_COLUMNS)]


def _outcome(past: Past, row: Summary) -> str:
    running = past.ledger is not None and past.ledger.running(row.round_id)
    return row.outcome or state_of(row, running)


def _multirun(past: Past, name: str, rounds: Sequence[Summary]) -> str:
    """A row for each round with what varied between them, the answer with its band, and the verdict."""
    said = {r.round_id: overrides_of(past, r.round_id) for r in rounds}
    common = [o for o in said[rounds[0].round_id] if all(o in own for own in said.values())]
    rows = [
        (
            r.round_id,
            " ".join(o for o in said[r.round_id] if o not in common),
            *(answer_cells(record) if (record := _read(past, r.round_id)) else ("", "", "")),
            _outcome(past, r),
            minute(r.created),
        )
        for r in rounds
    ]
    head = f"multirun {name}: {len(rounds)} rounds{' with ' + ' '.join(common) if common else ''}\n"
    return head + text_table(("round", "varied", "answer", "gain", "band", "verdict", "when"), rows)


def _read(past: Past, id: str) -> Record | None:
    """The record of a round, where it has ended and can be read; a list does not fail by one of them."""
    try:
        text = past.text(id)
        return None if text is None else read_record(text)
    except (LedgerError, NewerRecord, OSError, ValueError):
        return None


def _audits(past: Past) -> str:
    return text_table(("audit", "study", "question", "best", "fail", "warn", "when"), [*_audit_rows(past)])


def _audit_rows(past: Past) -> Iterator[tuple[str, ...]]:
    from tasks.report.trials import best_of
    from tasks.text import number

    for id in past.audits:
        record = _read(past, id)
        if record is None:
            yield (id, "", "its record cannot be read", "", "", "", "")
            continue
        best = best_of(record, record.trials)
        value = f"{record.objective.metric} {number(best.best_value)}" if best else "none feasible"
        counts = (str(sum(f.level == level for f in record.findings)) for level in ("fail", "warn"))
        yield (id, record.workload, record.goal.question, value, *counts, minute(record.created))


def _incumbents(ledger: Ledger) -> str:
    promoted = [i for w in ledger.workloads() if (i := ledger.incumbent(w)) is not None]
    cells = [
        (i.workload, str(i.generation), minute(i.created), i.round_id or i.source, values_text(i.point | i.settings))
        for i in promoted
    ]
    table = text_table(("incumbent", "generation", "since", "by round", "point"), cells)
    return f"{table}\nledger {ledger.id}: incumbent/*.yaml name it\n"
