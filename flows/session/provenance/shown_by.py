"""The command that shows a workload's incumbent."""

from pathlib import Path

from flows.compose.called import line, near

DEFAULT_ROOT = "mlruns"


def shown_by(workload: str, root: Path) -> str:
    """The command that shows a workload's incumbent, its root named where it is not the default."""
    own = [] if root == Path(DEFAULT_ROOT).resolve() else [f"tracking.root={near(root)}"]
    return line("history", ["show", "incumbent", workload, *own])
