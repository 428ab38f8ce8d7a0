"""What can be done in a folder, by what lies in it."""

from pathlib import Path

GROUPS = ("workload", "space", "goal", "budget")
SHOWN = 3  # folders of YAML that are named


def what_can_be_done(folder: Path | None = None) -> str:
    """The commands that make sense in the folder (by default the working folder), each with what it does."""
    here = folder or Path.cwd()
    lines = [*_rounds(here), *_finished(here)]
    if not lines:
        lines = [
            "Nothing of tunebook's lies in this folder yet. Start with one of",
            "  tunebook init mine                a folder of your own that runs as it is",
            "  tunebook demo                     one round on an embedded data set, ending in a report",
            "  tunebook audit source=trials.csv  a study that ran elsewhere, asked the playbook's questions",
        ]
    return "\n".join(lines)


def _rounds(here: Path) -> list[str]:
    """The command of a round for each folder here that has a workload of its own, and for this folder."""
    found = []
    for own in (here, *sorted(p for p in here.iterdir() if p.is_dir() and not p.name.startswith("."))):
        options = {group: sorted(p.stem for p in own.glob(f"{group}/*.yaml")) for group in GROUPS}
        if options["workload"] and not (own / "round.yaml").is_file():  # that one is tunebook's own `conf/`
            chosen = " ".join(f"{group}={names[0]}" for group, names in options.items() if names)
            found.append(f"  tunebook round --config-dir {own.relative_to(here)} {chosen}")
    return ["Workloads of your own lie here:", *found[:SHOWN]] if found else []


def _finished(here: Path) -> list[str]:
    """How the rounds that ran here are listed."""
    if not (here / "mlruns" / "ledger.db").is_file():
        return []
    return ["Rounds ran here:", "  tunebook history                  lists them and what is promoted"]
