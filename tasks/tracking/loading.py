"""MLflow, imported quietly and with bounds to its calls."""

import logging
import os
import threading

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# A call to a server that is down blocks for 247 s by MLflow's own defaults: measured, fault-C1. MLflow repeats what
# creates a run like any other call, and then there are two of it: we repeat, and look first.
_BOUNDED = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
creating = threading.Lock()
"""Held by the thread that creates a SQLite store: what makes its tables (alembic) keeps its state in globals, and two
threads at it end the process by a segmentation fault."""


def load_mlflow() -> None:
    """Imports MLflow; what a person has set of it themselves stays.

    A thread that begins with a part of it may find the rest half imported: whatever needs it calls this first.
    """
    for key, value in (QUIET | _BOUNDED).items():
        os.environ.setdefault(key, value)
    import mlflow  # noqa: F401

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # we say once that it is down
