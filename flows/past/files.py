"""The files that a round wrote for a person."""

from flows.compose.called import near
from flows.compose.config import RoundConfig
from flows.session.incumbent import view_of
from tasks.ledger import open_ledger
from tasks.record import Record


def round_files(config: RoundConfig, record: Record) -> list[str]:
    """What was promoted, where something was; the report and the record."""
    folder = config.root / "records" / record.round_id
    paths = [folder / name for name in ("report.html", "record.json")]
    if record.verdict.outcome == "promote":
        with open_ledger(config.root) as ledger:
            view = view_of(config, ledger)
        paths = [view.path, *paths] if view.there is not None else paths
    return [near(path) for path in paths]
