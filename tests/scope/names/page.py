"""Writes docs/names.md: the names that guards know, who uses them, and what is recognised of twenty configurations.

    python -m tests.scope.names.page            write it
    python -m tests.scope.names.page --check    only say whether it is up to date

All is read from the dictionary and from the tests' configurations.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.scope.guards.all import GUARDS
from tasks.scope.names.dictionary.entry import SOURCES, Family, Rule, Spelling
from tasks.scope.names.names import KEYS, names_of
from tasks.scope.names.optimizers import LISTED, NAMED
from tasks.scope.names.recognition import SPELLINGS
from tests.scope.example_scopes import scope
from tests.scope.names.configurations import Configuration
from tests.scope.names.more_configurations import CONFIGURATIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "names.md"
HEAD = """\
# The names that the guards know

A guard can only ask about a batch size, an optimizer or a length that it recognises. This page lists the names by which
it does, the projects in which they were read, and what is recognised of twenty configurations as people have them.
Written by `python -m tests.scope.names.page`, from `tasks/scope/names/` and `tests/scope/names/`.

- A name is compared in lower case, with underscores for dashes and capitals (`--batch-size`, `batchSize`), and without
  a number at its end (`n_units_l0`).
- A namespace counts: `optimizer.eps` is an optimizer's epsilon, `dbscan.eps` is not; a bare `eps` is one in a round
  that is known to use an optimizer that has one.
- Values count: a parameter whose choices are `SGD` and `AdamW` chooses the optimizer, whatever its name.
- The workload's own arguments count, and of a command the values that its template spells out.
- What is not recognised is *not checked*, never `ok`. `workload.names={batch_size: mb}` says what a name is (of an
  audit, `names={...}`), and `{other: temperature}` that it is none of these.
"""
WHERE: dict[Rule, str] = {
    "ends": "a name that is it or ends with it",
    "starts": "a name that is it, ends or begins with it",
    "whole": "in any namespace",
    "alone": "without a namespace, or in its own",
    "known": "in its own namespace, or where the round's optimizer has one",
    "inside": "in its own namespace only",
}
ASKED: dict[str, tuple[Family, ...]] = {
    "A3": ("optimizer choice", "optimizer"),
    "A5": ("batch size",),
    "A10": ("accumulation",),
    "C6": ("optimizer", "schedule"),
    "C7": ("optimizer choice",),
    "C8": ("regularizer", "augmentation"),
    "C9": ("architecture",),
    "H2": ("length",),
}


def page() -> str:
    """docs/names.md."""
    families = dict.fromkeys(s.family for s in SPELLINGS)
    parts = [HEAD, *("\n".join(_section(family)) for family in families)]
    return "\n".join([*parts, "\n".join(_optimizers()), "\n".join(_twenty()), "\n".join(_sources())])


def _section(family: Family) -> Iterator[str]:
    yield from (f"## {family.capitalize()}", "", "| hyperparameter | recognised | names |", "|---|---|---|")
    rows: dict[tuple[str, Rule], list[Spelling]] = {}
    for s in SPELLINGS:
        if s.family == family:
            rows.setdefault((s.meaning, s.rule), []).append(s)
    for (meaning, rule), spellings in rows.items():
        names = ", ".join(f"`{s.text}` ({', '.join(s.sources)})" for s in spellings)
        yield f"| {meaning} | {WHERE[rule]} | {names} |"
    yield ""


def _optimizers() -> Iterator[str]:
    yield from ("## Optimizers by their values", "", "| optimizer | its hyperparameters (A3) |", "|---|---|")
    for key, names in LISTED.items():
        yield f"| {key} | {', '.join(names)} |"
    yield ""
    yield f"Known by name, without a list of their hyperparameters: {', '.join(sorted(NAMED))}."
    yield ""
    yield "How an optimizer is computed is left out of its name: `torch.optim.AdamW`, `adamw_torch_fused`."
    yield ""


def _twenty() -> Iterator[str]:
    yield from ("## Twenty configurations", "")
    yield "What each guard recognised, and what it says of the configuration with every name held at its value."
    yield ""
    for one in CONFIGURATIONS:
        yield from _configuration(one)
    yield f"The keys of `workload.names`: {', '.join(sorted(KEYS))}."
    yield ""


def _configuration(one: Configuration) -> Iterator[str]:
    names = names_of({}, {name: (value,) for name, value in one.values.items()}, "workload.names")
    found = scope({"frob": [1.5, 2.5]}, {}, baseline={"frob": 1.5, **one.values})
    yield from (f"### {one.name}", "", "| row | recognised | says |", "|---|---|---|")
    for row, families in ASKED.items():
        seen = ", ".join(f"`{name}`" for name in one.values if names.family(name) in families)
        levels = dict.fromkeys(f.level for g in GUARDS if g.question.row == row for f in g.findings(found))
        yield f"| {row} | {seen or 'nothing'} | {', '.join('not checked' if v == 'na' else v for v in levels)} |"
    rest = [f"`{name}`" for name in one.values if names.family(name) is None]
    yield from ("", f"Not recognised: {', '.join(rest) or 'nothing'}.", "")


def _sources() -> Iterator[str]:
    yield from ("## Sources", "", "| in the tables | read in |", "|---|---|")
    yield from (f"| {key} | {text} |" for key, text in SOURCES.items())
    yield ""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` say whether it is up to date; 1 where it is not."""
    wanted = page()
    if list(arguments) == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text() != wanted)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
