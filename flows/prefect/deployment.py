"""The deployment of a working folder: registered with Prefect, its rounds run one at a time until a signal comes."""

import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.compose.called import flow_module, is_console
from flows.compose.config import CONF
from flows.session.signals import heeding
from tasks.record import hash_of


def deployment_name(folder: Path) -> str:
    """The name of the folder's deployment of the flow `tune-round`: another folder's on the same server is another."""
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-") or "folder"
    return f"{label}-{hash_of(str(folder), 6)}"


def serve(cron: str | None, overrides: Sequence[str]) -> None:
    """Register the deployment and run what is asked of it, one round at a time, until a signal comes."""
    from prefect.types.entrypoint import EntrypointType

    from flows.prefect.flow import forgiven, tune_round
    from flows.prefect.reconcile import reconcile

    tune_round.__module__ = flow_module()  # the deployment's entrypoint
    if is_console():
        sys.path.insert(0, str(CONF.parent))  # of this process and of those that Prefect spawns: no code of the user's
    with forgiven():
        reconcile()
    with heeding() as stop, stop.noticed(pass_on):
        tune_round.serve(
            name=deployment_name(Path.cwd()),
            cron=cron,
            parameters={"overrides": list(overrides), "config_dir": None},
            description=f"One round of tuning in {Path.cwd()}: overrides as in the shell, one an entry.",
            entrypoint_type=EntrypointType.MODULE_PATH,
            limit=1,
            print_starting_message=False,
        )


def pass_on() -> None:
    """Send SIGTERM to the rounds that run: Prefect would wait for their end. Servers have sessions of their own."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            _, parent, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(parent) == os.getpid() and int(session) == os.getsid(0):
                os.kill(int(stat.parent.name), signal.SIGTERM)
