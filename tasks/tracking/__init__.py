"""The only door to MLflow: a projection of the ledger, written outside the trials' way and never read back.

MLflow itself is imported where it is first needed, and only there.
"""

from tasks.tracking.projection import ROUND, Projection, entries
from tasks.tracking.projector import Earlier, Projector, without_password
from tasks.tracking.registry import register
from tasks.tracking.rounds import project_round
from tasks.tracking.server import server_command
from tasks.tracking.store import Handle, Tracking, connect
from tasks.tracking.trials import project_trial

__all__ = [
    "ROUND",
    "Earlier",
    "Handle",
    "Projection",
    "Projector",
    "Tracking",
    "connect",
    "entries",
    "project_round",
    "project_trial",
    "register",
    "server_command",
    "without_password",
]
