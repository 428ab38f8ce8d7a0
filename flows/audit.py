"""The command `audit`: a finished study that ran elsewhere gets the playbook's checks, a record and a report.

python -m flows.audit source=optuna:sqlite:///study.db
"""

import glob
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from flows.compose import compose
from flows.compose.called import line
from flows.compose.config import in_writing
from flows.compose.freeze import root_of
from flows.compose.messages import tell, validation_sentence
from flows.own import OWN
from flows.session.provenance.reproduce import commit_of, tunebook_version, version_text
from tasks.analyze.analysis import analyze
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.thresholds import policy_from_tree
from tasks.design.imported import imported_round
from tasks.promote.conclude import Conclusion, blockers_of, record_of
from tasks.record import NextRow, Record, ReproduceRow, hash_of
from tasks.report.advice import advice
from tasks.report.terminal import text
from tasks.report.write import write_report
from tasks.scope.error import InputError
from tasks.scope.goal import Budget, Goal, Incumbent, Objective, Workload
from tasks.scope.guards.all import guarded
from tasks.scope.guards.as_run import as_run, unasked_optimizer
from tasks.scope.names.guess import guessed_space
from tasks.scope.policy import Policy
from tasks.scope.redaction import without_passwords
from tasks.scope.roles import Scope
from tasks.scope.scope import Asked, scope_goal
from tasks.scope.space import KEYS
from tasks.trials.imported.study import UNKNOWN, ImportedStudy, sound
from tasks.trials.stored import write_curves
from tasks.trials.trial import Curve, Trial, ended

COMMAND = "flows.audit"
_FILE = "sqlite:///"
CURVES = "curves.parquet"
NO_RULE = "By what rule the points were chosen is not known: where it was adaptive, crowded regions say less."


def main(arguments: Sequence[str]) -> int:
    """The exit status of the command: 0 once the report is written, 2 for bad input."""
    try:
        tree, words = compose.audit_settings(arguments)
        if tree.get("source") == "???":
            raise InputError("source: missing; --help shows what can be said.")
        if tree:
            record, folder = audit(tree, words)
            paths = [str(folder / name) for name in ("report.html", "record.json")]
            print(text(record, colour=sys.stdout.isatty(), paths=paths), flush=True)
    except ValidationError as error:
        tell(f"error: {validation_sentence(error)}")
        return 2
    except (InputError, OSError) as error:
        tell(f"error: {without_passwords(str(error))}")
        return 2
    return 0


def audit(tree: Mapping[str, Any], words: Sequence[str]) -> tuple[Record, Path]:
    """The record of the study that the settings name, and the folder in which it stands with its report.

    Raises:
        InputError: there is no such study, or nothing in it to judge.

    Playbook: E1, F15
    """
    _refuse_shapes(tree)
    policy = policy_from_tree(tree["policy"])
    study = sound(_read(tree))
    scope, said = _scope(study, tree, policy)
    tried = [(t.id, t.point, t.seed) for t in study.trials]
    round = imported_round(scope, tried)
    came = {t.id: t for t in study.trials}
    trials = {
        planned.id: _trial(came[planned.id], planned, scope.objective) for s in round.studies for planned in s.trials
    }
    evidence = Evidence(round=round, trials=trials, at_once=study.at_once)
    analysis = analyze(evidence, OWN[scope.goal.kind].answer)
    feasible = any(t.feasible for t in trials.values())
    conclusion = Conclusion(incumbent=scope.incumbent, blockers=blockers_of(scope, analysis), feasible=feasible)
    now = datetime.now(UTC)
    label = re.sub(r"[^A-Za-z0-9]+", "-", study.name).strip("-")[:32] or "study"
    id = f"audit-{label}-{now:%Y%m%d-%H%M%S}-{hash_of([now.isoformat(), study.name], 4)}"
    folder = Path(root_of(tree["tracking"]["root"])) / "audits" / id
    folder.mkdir(mode=0o700, parents=True)
    write_curves(folder / CURVES, list(trials.values()))
    stamp = now.isoformat(timespec="seconds")
    record = record_of(
        round,
        trials,
        analysis,
        conclusion,
        next=_next(words, conclusion, scope),
        reproduce=_reproduce(words, tried),
        stamps={
            "round_id": id,
            "created": stamp,
            "finished": stamp,
            "parent": None,
            "notes": str(tree["notes"]),
            "curves": CURVES,
        },
        mlflow={},
        budget=scope.budget.model_dump(),
    )
    outside = len(study.trials) - len(trials)
    rule = (NO_RULE,) if scope.sampler == UNKNOWN else ()
    left = (f"{outside} trials have no scientific value that is compared, and are left out.",) if outside else ()
    record = record.model_copy(update={"caveats": (*record.caveats, *study.said, *said, *left, *rule)})
    write_report(record, folder)
    return record, folder


def _refuse_shapes(tree: Mapping[str, Any]) -> None:
    """What is a list or a mapping stays one, whatever was said."""
    shapes = (
        ("parameters", tree["parameters"], list, "[learning_rate, width]"),
        ("goal.scientific", tree["goal"]["scientific"], dict, "{optimizer: [sgd, adam]}"),
        ("names", tree["names"], dict, "{batch_size: mb}"),
        ("acknowledge", tree["acknowledge"], dict, '{E2: "why it may stand"}'),
    )
    for key, value, kind, example in shapes:
        if value is not None and not isinstance(value, kind):
            raise InputError(f"{key}: {value!r} will not do; write it like {example}.")


def _read(tree: Mapping[str, Any]) -> ImportedStudy:
    """The study, by whatever reads its source."""
    source, metric, direction = str(tree["source"]), tree["objective"]["metric"], tree["objective"]["direction"]
    parameters = tree["parameters"]
    kind, _, address = source.partition(":")
    if kind == "optuna":
        from tasks.trials.imported.optuna import optuna_study

        with _copied(address) as copy:
            return optuna_study(copy, tree["study"], metric, direction, parameters)
    if kind == "mlflow":
        with _copied(address) as copy:
            return _mlflow(copy, tree, metric, direction)
    from tasks.trials.imported.table import table_study

    curves = Path(tree["curves"]).expanduser() if tree["curves"] else None
    return table_study(Path(source).expanduser(), curves, metric, direction, parameters)


@contextmanager
def _copied(address: str) -> Iterator[str]:
    """The address of a copy, where it is a file: whoever opens a database may write to it, a newer version's tables."""
    if not address.startswith(_FILE):
        yield address
        return
    file = Path(address.removeprefix(_FILE)).expanduser()
    if not file.is_file():
        raise InputError(f"source: there is no file {file}; name one that is there.")
    with TemporaryDirectory() as folder:
        for part in (file, *file.parent.glob(f"{glob.escape(file.name)}-*")):  # what SQLite keeps beside it
            shutil.copy(part, folder)
        copy = f"{_FILE}{Path(folder, file.name)}"
        try:
            yield copy
        except InputError as error:
            raise InputError(str(error).replace(copy, address)) from None


def _mlflow(address: str, tree: Mapping[str, Any], metric: str | None, direction: str | None) -> ImportedStudy:
    from tasks.tracking.elsewhere import experiments_in, history, runs_in
    from tasks.trials.imported.mlflow import runs_study
    from tasks.trials.imported.study import chosen

    try:
        known = experiments_in(address)
        names = sorted(n for n in known if n != "Default") or sorted(known)
        named = tree["experiment"]
        name = named if named in known else chosen("experiment", named, names, without_passwords(address))
        runs = list(runs_in(address, known[name]))
        if not runs:
            raise InputError(f"experiment: {name} has no runs; name one that has.")
        curve: Callable[[str, str], Mapping[int, float]] = partial(history, address)
        return runs_study(name, runs, curve, metric, direction, tree["parameters"])
    except InputError:
        raise
    except Exception as error:  # whatever MLflow, a database or a server has against it
        said = next(iter(str(error).splitlines()), "")[:200]
        raise InputError(f"source: MLflow at {address} cannot be read: {type(error).__name__}: {said}") from None


def _scope(study: ImportedStudy, tree: Mapping[str, Any], policy: Policy) -> tuple[Scope, tuple[str, ...]]:
    """The scope in which the trials are judged, with what was guessed of it in sentences."""
    wishes = dict(_domains(tree["space"]))
    if stranger := next((name for name in wishes if name not in study.parameters), None):
        raise InputError(f"space.{stranger}: no trial has such a parameter; they have {', '.join(study.parameters)}.")
    space, said = guessed_space([t.point for t in study.trials], study.domains, wishes, policy)
    question = tree["goal"]["question"] or f"What do the trials of {study.name} say?"
    scientific = {
        n: tuple(values) if isinstance(values, list) else values
        for n, values in (tree["goal"]["scientific"] or {}).items()
    }
    steps = study.max_train_steps
    evaluations = max((len(t.reports) for t in study.trials), default=1) or 1
    constants = {p.name: p.middle for p in space if p.constant}
    asked = Asked(
        goal=Goal(name="audit", question=question, kind="understand", scientific=scientific),
        space=space,
        workload=Workload(
            name=study.name,
            target=COMMAND,
            objective=Objective(**tree["objective"] | {"metric": study.metric, "direction": study.direction}),
            names=tree["names"] or {},
        ),
        budget=Budget(
            trials=len(study.trials), retrains=1, max_train_steps=steps, eval_every_steps=max(1, steps // evaluations)
        ),
        policy=policy,
        sampler=str(tree["sampler"] or study.sampler).lower(),
        seed=0,
        acknowledge=in_writing(tree["acknowledge"] or {}),
    )
    none = Incumbent(generation=0, point=constants, source="no incumbent: these trials ran elsewhere")
    run = tuple(dict(t.point) for t in study.trials)
    scope = guarded(scope_goal(asked, none).model_copy(update={"run": run}))
    return as_run(scope), said


def _domains(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The domains in a space's tree, by whole names."""
    found: list[tuple[str, dict[str, Any]]] = []
    for key, node in tree.items():
        if not isinstance(node, Mapping):
            raise InputError(f"space.{prefix}{key}: {node!r} is no domain; say space.{prefix}{key}.scale=log or alike.")
        found += [(f"{prefix}{key}", dict(node))] if KEYS & set(node) else _domains(node, f"{prefix}{key}.")
    return found


def _trial(came: Any, planned: Any, objective: Objective) -> Trial:
    return ended(planned, Curve.from_reports(came.reports), objective, came.status, came.reason, seconds=came.seconds)


def _next(words: Sequence[str], conclusion: Conclusion, scope: Scope) -> NextRow:
    """What to do: an audit runs nothing, so the remedies are for whoever ran the study, and in their terms."""
    said = advice((r for f in conclusion.blockers for r in f.remedy), scope)
    why = f"run the study again ({said}), and audit it" if said else "an audit promotes nothing"
    ask = "" if conclusion.blockers else unasked_optimizer(scope)
    if ask:
        words, why = (*words, ask), "asks which of the optimizers that were tried is the better one"
    return NextRow(command=line("audit", words), overrides=tuple(words), why=why)


def _reproduce(words: Sequence[str], tried: Sequence[Any]) -> ReproduceRow:
    mark = hash_of([[id, dict(point)] for id, point, _ in tried], 16)
    return ReproduceRow(
        command=line("audit", words),
        overrides=tuple(words),
        tunebook=version_text(tunebook_version()),
        git_commit=commit_of(Path.cwd()) or None,
        fingerprint=mark,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
