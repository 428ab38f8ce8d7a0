"""A CSV or Parquet table of trials, with their curves in a second one, as an imported study."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from tasks.record import Status
from tasks.scope.error import InputError
from tasks.trials.imported.study import (
    ImportedStudy,
    ImportedTrial,
    chosen,
    directed,
    plain_value,
    status_and_reason,
    telling_value,
)

OWN = ("status", "reason", "seed", "trial", "seconds")  # columns that are neither parameter nor metric
KINDS = (".csv", ".parquet")
STATUSES: tuple[Status, ...] = get_args(Status)


def table_study(
    path: Path, curves: Path | None, metric: str | None, direction: str | None, parameters: Sequence[str] | None
) -> ImportedStudy:
    """The study that a table holds.

    Every column is a parameter but for the metric and `trial`, `status`, `reason`, `seed` and `seconds`. `curves` has
    the columns `trial` and `step`, and a column a metric; `trial` is the row's number where the table has no such
    column.

    Raises:
        InputError: a file is not there, is no table, or lacks a column.
    """
    table = _read(path, "source")
    rows = _curves(curves) if curves else {}
    metrics = sorted({name for row in rows.values() for values in row.values() for name in values})
    others = [str(c) for c in table.columns if c not in OWN and c not in (parameters or ())]
    named = metric if metric in metrics else chosen("objective.metric", metric, others, path.name)
    names = _parameters(table, named, parameters, path)
    trials = []
    for i, row in enumerate(table.to_dict("records")):
        id = str(plain_value(row.get("trial", i)))
        value = plain_value(row.get(named))
        reports = rows.get(id) or ({} if value is None and not _is_number(row.get(named)) else {1: _value(row, named)})
        told = float(row[named]) if _is_number(row.get(named)) and value is None else telling_value(reports, named)
        status, reason = status_and_reason(told, _status(row, path), _text(row.get("reason")) or "")
        point = {n: v for n in names if (v := plain_value(row[n])) is not None}
        seed, seconds = plain_value(row.get("seed")), plain_value(row.get("seconds"))
        trials.append(
            ImportedTrial(
                id=id,
                point=point,
                status=status,
                reason=reason,
                reports=reports,
                seed=int(seed) if isinstance(seed, int | float) else 0,
                seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
            )
        )
    if len({t.id for t in trials}) < len(trials):
        raise InputError(f"source: the column trial of {path.name} names a trial twice; give each row its own.")
    said = _unmatched([t.id for t in trials], rows, curves) if curves else ()
    return ImportedStudy(name=path.stem, metric=named, direction=directed(direction), trials=tuple(trials), said=said)


def _unmatched(trials: Sequence[str], rows: Mapping[str, Any], curves: Path) -> tuple[str, ...]:
    """What is to be said of curves without a trial, and of trials without a curve."""
    if not set(trials) & set(rows):
        raise InputError(
            f"curves: {curves.name} has curves of {next(iter(rows))}, … and the table has trials {trials[0]}, …; give "
            "both a column trial with the same names."
        )
    missing, strange = len(set(trials) - set(rows)), len(set(rows) - set(trials))
    said = [f"{missing} of {len(trials)} trials have no curve."] if missing else []
    return (*said, *([f"{strange} curves belong to no trial, and are left out."] if strange else []))


def _read(path: Path, what: str) -> pd.DataFrame:
    """The table of a file."""
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{what}: {path.name} is none of {', '.join(KINDS)}, optuna:… and mlflow:…; name one.")
    if not path.is_file():
        raise InputError(f"{what}: there is no file {path}; name one that is there.")
    try:
        table = pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{what}: {path.name} cannot be read as a table: {said[:200]}") from None
    if path.suffix.lower() == ".csv" and (twice := _twice(path)):
        raise InputError(f"{what}: {path.name} has two columns {twice!r}; give each a name of its own.")
    if len(table.columns) == 1 and any(mark in str(table.columns[0]) for mark in ";\t|"):
        raise InputError(f"{what}: {path.name} has one column, {table.columns[0]!r}; separate its columns by commas.")
    if table.empty:
        raise InputError(f"{what}: {path.name} has no rows; name a table with a row a trial.")
    return table


def _twice(path: Path) -> str | None:
    """The first column name that stands twice in the file's head: pandas would make `lr.1` of the second."""
    names = [str(n) for n in pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0].dropna()]
    return next((n for i, n in enumerate(names) if n in names[:i]), None)


def _curves(path: Path) -> dict[str, dict[int, dict[str, float]]]:
    """`{trial: {step: {metric: value}}}`."""
    table = _read(path, "curves")
    for name in ("trial", "step"):
        if name not in table.columns:
            raise InputError(f"curves: {path.name} has no column {name!r}; it needs trial, step and the metrics.")
    metrics = [str(c) for c in table.columns if c not in ("trial", "step")]
    wrong = next((m for m in metrics if not pd.api.types.is_numeric_dtype(table[m])), None)
    if wrong is not None or not pd.api.types.is_integer_dtype(table["step"]):
        raise InputError(f"curves: the column {wrong or 'step'!r} of {path.name} is not made of numbers; correct it.")
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in table.to_dict("records"):
        said = [m for m in metrics if not np.isnan(row[m])]
        values = {m: float(row[m]) for m in said or metrics}  # a row of nothing but NaN is one that diverged
        found.setdefault(str(plain_value(row["trial"])), {})[int(row["step"])] = values
    return found


def _parameters(table: pd.DataFrame, metric: str, named: Sequence[str] | None, path: Path) -> list[str]:
    if named is None:
        return [str(c) for c in table.columns if c not in OWN and c != metric]
    if missing := next((n for n in named if n not in table.columns), None):
        raise InputError(f"parameters: {path.name} has no column {missing!r}; it has {', '.join(table.columns)}.")
    return list(named)


def _is_number(value: Any) -> bool:
    """Whether a cell of the metric says anything: an infinity does, an empty cell does not."""
    return isinstance(value, int | float) and not np.isnan(value)


def _value(row: Mapping[str, Any], metric: str) -> dict[str, float]:
    try:
        return {metric: float(row[metric])}
    except ValueError:
        said = f"objective.metric: {row[metric]!r} in the column {metric!r} is no number; correct it."
        raise InputError(said) from None


def _status(row: Mapping[str, Any], path: Path) -> Status | None:
    said = (_text(row.get("status")) or "").lower()
    status = next((s for s in STATUSES if s == said), None)
    if said and status is None:
        raise InputError(f"source: the column status of {path.name} says {said!r}; say {', '.join(STATUSES)}.")
    return status


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and value else None
