"""One round or audit shown again: its report, or how far it has come."""

from rich.console import Console

from flows.compose.called import round_line
from flows.past.found import Past
from flows.past.listed import state_of
from tasks.promote.next import merged
from tasks.text import printable
from tasks.upgrade import read_record

_FILES = ("report.html", "record.json")


def round_text(past: Past, name: str) -> str:
    """The report of a finished round or audit, or how far an unfinished round has come."""
    id = past.id_of(name)
    text, summary, ledger = past.text(id), past.summary(id), past.ledger
    if text is None and summary is not None and ledger is not None:
        planned, done = len(ledger.planned(id)), len(ledger.results(id))
        state = state_of(summary, ledger.running(id))
        way = "" if state == "running" else f"; go on with it: {_command(past, id)}"
        return f"round {id} is {state}: {done} of {planned} trials done{way}\n"
    from tasks.report.terminal import text as report

    paths = [str(p) for file in _FILES if (p := past.folder(id) / file).exists()]
    console, record = Console(), read_record(text or "")
    shown: str = report(record, width=console.width, colour=console.is_terminal, paths=paths)
    return shown.rstrip("\n") + "\n"


def _command(past: Past, id: str) -> str:
    config = past.config(id)
    return printable(round_line(merged(config.get("overrides", ()), [f"resume={id}"]), config.get("config_dir")))
