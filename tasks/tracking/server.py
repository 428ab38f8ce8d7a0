"""MLflow's own server, for its UI."""

import sys
from pathlib import Path

from tasks.tracking.store import Tracking, create


def server_command(tracking: Tracking, port: int) -> list[str]:
    """The command that serves MLflow's UI on loopback over the store of `tracking`, which is created first.

    A server and a round that create the database at once would spoil it. Job execution is off: with it the server
    is eight processes and 1.2 GB, without it two and 0.5 GB.
    """
    create(tracking)
    return [
        *("/usr/bin/env", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false", "MLFLOW_DISABLE_TELEMETRY=true"),
        *(sys.executable, "-P", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", tracking.address),
        *("--default-artifact-root", (Path(tracking.root).absolute() / "artifacts").as_uri()),
    ]
