"""The YAMLs of a script's first round as texts, each guess marked as one, and the README beside them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from flows.starting.copied import with_words
from flows.starting.draft import Draft
from flows.starting.fates import MISSING, Fate, default_text
from flows.starting.guesses import Domain
from flows.starting.script.metrics import VARIABLE, Reporting
from tasks.scope.names.metrics import direction_of
from tasks.text import as_yaml, one_line, show

_PLAIN = re.compile(
    r"(?!(?:true|false|null|yes|no|on|off|y|n|nan|inf)\Z)(?:-{0,2}[a-z_]|\.{0,2}/)[\w./-]*", re.ASCII | re.IGNORECASE
)
_README = Path(__file__).parent / "drafted" / "README.md"
_RETRAINS, _FINALISTS = 5, 1
_LISTED = 200  # arguments of a kind in the comments of a YAML
_WIDTH = 60  # at most, of what stands before a comment in the same column


def files_of(draft: Draft, *, script: str, name: str, round: str, history: str) -> dict[str, str]:
    """The texts by their paths in the folder. `script`: its path from there; `round`: the command of a round."""
    head = f"#   {round}"
    return {
        f"workload/{name}.yaml": _text(_workload(draft, script, head)),
        f"space/{name}.yaml": _text(_space(draft, head)),
        f"goal/{name}.yaml": _text(_goal(draft, head)),
        f"budget/{name}.yaml": _text(_budget(draft, head)),
        "README.md": _readme(draft, round, history),
    }


def _workload(draft: Draft, script: str, head: str) -> Iterator[tuple[str, str]]:
    yield (
        f"# {draft.script.name} as it is: how it is called, how it is judged, and the defaults that it has now.",
        "",
    )
    yield f"{head} check=plan", ""
    yield "_target_: tasks.trials.command", ""
    if draft.reporting.way == "mlflow":
        yield "metrics: mlflow", "what it logs to MLflow, read when it has ended"
    yield "argv:", "what is in braces is filled in for each trial"
    yield "  - python", ""
    yield f"  - {_scalar(script)}", ""
    given = [f for f in draft.reading.fates if f.parts]
    before = [f for f in given if not f.argument.command]
    for fate in sorted(before, key=lambda f: not f.argument.options):
        yield from _argv_element(fate)
    if draft.line.command:
        yield f"  - {_scalar(draft.line.command)}", "guessed: the subcommand that trains"
    for fate in sorted((f for f in given if f.argument.command), key=lambda f: not f.argument.options):
        yield from _argv_element(fate)
    beside = str(PurePosixPath(script).parent)
    yield f"# cwd: {beside}", "each trial runs in a folder of its own; this one, seen from here, is the script's"
    yield from _objective(draft.reporting)
    yield "baseline:", "the script's own defaults: the first incumbent, which a change must beat"
    for guess in draft.reading.guesses:
        if guess.value is None:
            yield f"  # {guess.name}:", "it has no default, so the middle of its range stands in"
        else:
            yield f"  {guess.name}: {_scalar(guess.value)}", ""
    yield from _left_alone(draft)


def _argv_element(fate: Fate) -> Iterator[tuple[str, str]]:
    """One line of argv; what a person must fill in stands alone, so that its place can be named."""
    parts = ", ".join(_scalar(p) for p in fate.parts)
    if fate.what == "yours":
        yield from (
            (f"  - {_scalar(p)}", f"{fate.argument.name}: required" if p == MISSING else "") for p in fate.parts
        )
    else:
        yield f"  - [{parts}]", fate.says if fate.what == "given" else ""


def _objective(reporting: Reporting) -> Iterator[tuple[str, str]]:
    metric = reporting.objective
    yield "objective:", ""
    if metric is None:
        yield f"  metric: {MISSING}", "the name of the metric that is judged"
        yield f"  direction: {MISSING}", "minimize or maximize"
        return
    others = [m for m in reporting.metrics if m != metric]
    yield (
        f"  metric: {_scalar(metric)}",
        f"guessed; it reports {', '.join(others)} too" if others else "all that it reports",
    )
    direction = direction_of(metric)
    yield f"  direction: {direction or MISSING}", "guessed from the name" if direction else "minimize or maximize"


def _left_alone(draft: Draft) -> Iterator[tuple[str, str]]:
    """The arguments that no trial is given, as comments."""
    left = [f for f in draft.reading.fates if f.what == "left"]
    if left:
        yield "# Not given, so each stays at the script's own default:", ""
        yield from _some(f"{f.argument.name} ({default_text(f.argument)}): {f.says}" for f in left)
    if draft.line.refused:
        yield "# Could not be read:", ""
        yield from _some(f"line {line}: {why}" for line, why in draft.line.refused)


def _some(sentences: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The first of the sentences as comments: a YAML may not be longer than a round reads."""
    found = [*sentences]
    yield from ((f"#   {sentence}", "") for sentence in found[:_LISTED])
    if len(found) > _LISTED:
        yield f"#   and {len(found) - _LISTED} more", ""


def _space(draft: Draft, head: str) -> Iterator[tuple[str, str]]:
    yield (
        "# What may vary, and between which bounds. Correct the guesses; a round says where a range is too narrow.",
        "",
    )
    yield f"{head} check=plan", ""
    width = max(len(g.name) for g in draft.reading.guesses) + 1
    for guess in draft.reading.guesses:
        yield f"{f'{guess.name}:':<{width}} {_flow(guess.domain)}", guess.why


def _goal(draft: Draft, head: str) -> Iterator[tuple[str, str]]:
    asked = draft.question
    name, values = asked.scientific.name, next(iter(asked.scientific.domain.values()))
    metric = draft.reporting.objective or "the objective"
    yield (
        "# One question: what it compares is scientific; all else is tuned beside it, or fixed for a reason.",
        "",
    )
    yield head, ""
    yield f"question: {_scalar(f'How does {metric} depend on {name}?')}", ""
    yield "kind: understand", "or improve: is a change better than what you have?"
    said = "range" if asked.scientific.ranged else f"[{', '.join(map(_scalar, values))}]"
    yield f"scientific: {{{name}: {said}}}", "guessed to be worth a first question"
    if asked.nuisances:
        yield f"# tuned beside it: {', '.join(g.name for g in asked.nuisances)}", ""
    if asked.fixed:
        yield "fixed:", "each at its value in the baseline"
        yield from ((f"  {n}: {{reason: {json.dumps(why)}}}", "") for n, why in asked.fixed.items())


def _budget(draft: Draft, head: str) -> Iterator[tuple[str, str]]:
    reading, asked = draft.reading, draft.question
    unit = reading.unit or "steps"
    yield "# What a round may spend. All trials are equally long.", ""
    yield f"{head} budget.trials={2 * asked.trials}", ""
    yield f"trials: {asked.trials}", "a study: one in all for a range, one for each value of a list"
    yield f"retrains: {_RETRAINS}", "of each configuration that is compared in the end, at most, with fresh seeds"
    yield f"finalists: {_FINALISTS}", "of the best trials; they are what is retrained"
    known = "the script's default" if reading.unit else "a guess: set it to the last step that the script reports"
    yield f"max_train_steps: {reading.steps}", f"{unit} a trial; {known}"
    yield f"eval_every_steps: {reading.every}", f"{unit} between two evaluations"


def _readme(draft: Draft, round: str, history: str) -> str:
    first = "".join(f"- First: {one_line(sentence)}.\n" for sentence in draft.to_do)
    first += "".join(f"- Note: {one_line(sentence)}.\n" for sentence in draft.notes)
    first += "\n" if first else ""
    if draft.reporting.way is None:
        first += (
            "After each evaluation, with its own step and metrics, and with `import json, os` above:\n\n"
            f'    with open(os.environ["{VARIABLE}"], "a") as file:\n'
            '        file.write(json.dumps({"step": step, "valid_loss": valid_loss}) + "\\n")\n\n'
        )
    words = {"script": draft.script.name, "round": round, "history": history, "first": first}
    return with_words(_README.read_text(encoding="utf-8"), words | {"program": round.partition(" --config-dir")[0]})


def _text(lines: Iterable[tuple[str, str]]) -> str:
    """Lines with their comments in one column."""
    pairs = [(_harmless(text), one_line(said)) for text, said in lines]
    width = max((len(text) for text, said in pairs if said and len(text) <= _WIDTH), default=0) + 1
    return "".join(f"{text:<{width}} # {said}\n" if said else f"{text}\n" for text, said in pairs)


def _harmless(text: str) -> str:
    """A line as it is; of a comment, which holds the script's own words, no more than one line."""
    mark = re.match(r" *# *", text)
    return text if mark is None else mark[0] + one_line(text[mark.end() :])


def _flow(domain: Domain) -> str:
    return "{" + ", ".join(f"{k}: {_values(v)}" for k, v in domain.items()) + "}"


def _values(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_scalar, value))}]"
    return show(value) if isinstance(value, float) else _scalar(value)


def _scalar(value: Any) -> str:
    """A value as the YAML reader reads it back: texts that mean more to it are quoted, and `${` is escaped."""
    if not isinstance(value, str):
        return as_yaml(value)
    return value if _PLAIN.fullmatch(value) else json.dumps(value.replace("${", "\\${"), ensure_ascii=False)
