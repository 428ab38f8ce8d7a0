"""Nothing of ours listens to the world (S1), also where the environment says that servers should."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.compose.config import CONF
from flows.prefect.deployment import deployment_name
from flows.prefect.server import free_port
from tests.faults.conftest import Tally, Times

LISTENS = "0A"  # TCP_LISTEN in /proc/net/tcp
EVERYWHERE = ".".join("0000")  # written out, the house would complain


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            yield from family(int(stat.parent.name))


def listening(pid: int) -> set[str]:
    """`host:port`, in the kernel's hexadecimal, of every listening TCP socket of a process and its descendants."""
    inodes = set()
    for member in family(pid):
        for fd in Path(f"/proc/{member}/fd").glob("*"):
            try:
                inodes.add(os.readlink(fd))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[i] for i in (1, 3, 9))
            if state == LISTENS and f"socket:[{inode}]" in inodes:
                found.add(local)
    return found


def is_loopback(address: str) -> bool:
    """Whether the kernel's hexadecimal address is 127.x.x.x, ::1, or 127.x.x.x within IPv6."""
    host = address.partition(":")[0]
    within = len(host) == 8 or host[:24] == "0" * 16 + "FFFF0000"
    return host == "0" * 24 + "01000000" or (within and host[-2:] == "7F")


def test_a_socket_that_listens_to_the_world_is_noticed() -> None:
    with socket.socket() as world, socket.socket() as ours, socket.socket(socket.AF_INET6) as sixth:
        before = listening(os.getpid())
        for sock, host in ((world, ""), (ours, "127.0.0.1"), (sixth, "::1")):
            sock.bind((host, 0))
            sock.listen()
        found = listening(os.getpid()) - before
    assert len(found) == 3
    assert [is_loopback(a) for a in sorted(found)].count(False) == 1


def test_the_servers_listen_on_loopback_alone_whatever_the_environment_says(
    tmp_path: Path, times: Times, tally: Tally
) -> None:
    if not times(0, 1):
        pytest.skip("starts Prefect's and MLflow's servers; make faults does")
    ports = free_port(), free_port()
    wishes = dict.fromkeys(
        ("PREFECT_SERVER_API_HOST", "MLFLOW_HOST", "UVICORN_HOST", "GUNICORN_HOST", "HOST"), EVERYWHERE
    )
    command = [sys.executable, "-m", "flows.ui", "--root", str(tmp_path), "--prefect-port", str(ports[0])]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "--mlflow-port", str(ports[1])],
            cwd=CONF.parent,
            env=os.environ | wishes | {"PREFECT_HOME": str(tmp_path / "prefect")},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            for url in (
                f"http://127.0.0.1:{ports[1]}/health",
                f"http://127.0.0.1:{ports[0]}/api/deployments/name/tune-round/{deployment_name(CONF.parent)}",
            ):
                wait(url, tmp_path / "log")
            found = listening(process.pid)
        finally:
            process.terminate()
            process.wait(60)
    assert {int(a.partition(":")[2], 16) for a in found} >= set(ports)
    world = [a for a in found if not is_loopback(a)]
    assert world == []
    tally("S1", "listening sockets of make ui", len(found), len(world))


def wait(url: str, log: Path) -> None:
    """Return when something answers there."""
    until = time.monotonic() + 240
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"nothing answers at {url}: {log.read_text()[-2000:]}")
