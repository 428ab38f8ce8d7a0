"""`finding` makes a finding; `blocking` decides which findings block a conclusion.

`fail` blocks a conclusion, `warn` never does, `na` means that the question could not be asked (never: clean).
"""

from collections.abc import Iterable, Mapping

from tasks.record import Finding, Level, Value, Where


def finding(
    check: str,
    row: str,
    level: Level,
    evidence: str,
    *,
    reason: str = "",
    trials: Iterable[str] = (),
    study: str | None = None,
    parameter: str | None = None,
    side: str | None = None,
    trial: str | None = None,
    numbers: Mapping[str, Value | None] | None = None,
    remedy: Iterable[str] = (),
) -> Finding:
    """A finding; the keywords that are given say where, with which numbers and what to do about it."""
    where = Where.model_validate({"study": study, "parameter": parameter, "side": side, "trial": trial})
    return Finding(
        check=check,
        row=row,
        level=level,
        reason=reason,
        trials=tuple(trials),
        where=where,
        evidence=evidence,
        numbers=dict(numbers or {}),
        remedy=tuple(remedy),
    )


def blocking(findings: Iterable[Finding], acknowledged: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings that block a conclusion: every `fail` whose row nobody has acknowledged in writing.

    Playbook: E1
    """
    return tuple(f for f in findings if f.level == "fail" and f.row not in acknowledged)
