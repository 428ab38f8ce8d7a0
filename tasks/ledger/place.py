"""Where a SQLite ledger may lie: on a disk of this machine."""

from pathlib import Path

from tasks.ledger.error import LedgerError

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs")


def check_place(root: Path) -> None:
    """Accepts a folder on a file system of this machine; where the system does not say, it is believed to be one.

    The write-ahead log is memory that the processes of one machine share: over a network two of them would each
    write as if they were alone.

    Raises:
        LedgerError: where the folder lies on a network file system.
    """
    try:
        mounts = [_mount(line) for line in MOUNTS.read_text(errors="replace").splitlines()]
    except (OSError, IndexError):
        return  # not Linux
    here = root.resolve()
    _, kind = max((m for m in mounts if here.is_relative_to(m[0])), key=lambda m: len(m[0]), default=("/", ""))
    if kind in _NETWORK:
        raise LedgerError(
            f"the ledger {root / 'ledger.db'} would lie on a network file system ({kind}), where SQLite is not safe: "
            "name a tracking.root on a disk of this machine"
        )


def _mount(line: str) -> tuple[str, str]:
    """`(mount point, kind of file system)`; the system writes a space as \\040."""
    left, _, right = line.partition(" - ")
    return left.split()[4].replace("\\040", " "), right.split()[0]
