"""How many writes a SQLite ledger has acknowledged, counted in a file beside it, so that lost ones are noticed.

SQLite drops without a word what it finds damaged at the end of its write-ahead log, and a database that was removed
or replaced by an older copy is whole in itself. The note needs no fsync: what it counts is on disk already, so a note
that a power loss takes back only asks for less.
"""

import os
from contextlib import suppress
from pathlib import Path

from tasks.ledger.error import LedgerError


def note(path: Path, writes: int) -> None:
    """Notes the number of writes; where that fails (a full disk) the next note makes good for it."""
    with suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, b"%020d\n" % writes, 0)
        finally:
            os.close(fd)


def check(path: Path, writes: int, name: str) -> None:
    """Accepts a ledger that has the writes that were noted; more is none lost.

    Raises:
        LedgerError: where some are missing.
    """
    try:
        noted = int(path.read_bytes() or b"0")
    except FileNotFoundError:
        return
    except ValueError:
        raise LedgerError(f"{path} is damaged: remove it if the rounds of the ledger {name} are all there") from None
    if writes < noted:
        raise LedgerError(
            f"the ledger {name} has lost {noted - writes} of {noted} writes (it, or the -wal file beside it, was "
            f"removed, damaged or replaced by an older copy): put it back, or remove {path} to go on with what is there"
        )
