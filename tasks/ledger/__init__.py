"""The ledger: what has happened, from which an interrupted round is resumed. SQL lives here alone.

Plain values go in and come out; what is promised when a call returns is on disk.
"""

from pathlib import Path

from tasks.ledger.error import LedgerError
from tasks.ledger.generations import Generation, Generations
from tasks.ledger.notes import Notes
from tasks.ledger.rounds import Rounds, Summary
from tasks.ledger.store import prepared
from tasks.ledger.trials import Trials

__all__ = ["Generation", "Ledger", "LedgerError", "Summary", "open_ledger"]


class Ledger(Rounds, Trials, Generations, Notes):
    """The truth about rounds, trials and incumbents; usable from several threads and several processes at once."""


def open_ledger(root: Path | str, url: str | None = None) -> Ledger:
    """The ledger under `root` (`root/ledger.db`), or at `url` (PostgreSQL) with its records under `root`.

    Safe when several processes open a fresh store at once.

    Raises:
        LedgerError: where it cannot be opened, is damaged, or was written by a newer version.
    """
    root = Path(root).absolute()
    engine, name = prepared(root, url)
    return Ledger(root, engine, name)
