"""The Prefect server: the one that answers, or one of our own that ends when the command does.

Prefect's temporary server survives `kill -9` of its client; ours dies with it, however it dies: its database survived
9 of 9 kills while it was being made. Settings are read when Prefect is first imported, so this comes before.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from flows.compose.called import near
from flows.compose.messages import tell
from tasks.scope.error import InputError

UI_URL = "http://127.0.0.1:4200/api"  # where `make ui` serves; rounds from the shell then show up there
START_SECONDS = 180.0  # a fresh database took 18 s on a quiet 2-core machine, ten times that on a busy one
_OTHER_VERSION = "Can't locate revision"  # of Alembic, about a database that a newer Prefect has changed
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class PrefectServer:
    """A context whose `url` answers from `wait()` on. Starting takes seconds, so enter it early and wait late."""

    def __init__(self, home: Path, port: int | None = None) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._port = port
        self._logged = 0  # bytes of the log that earlier servers wrote
        self.url = ""

    def __enter__(self) -> Self:
        settle(self._home)
        given = os.environ.get("PREFECT_API_URL", UI_URL)
        if self._port is None and answers(given):
            self.url = given
        elif self._port is None and "PREFECT_API_URL" in os.environ:
            raise InputError(f"PREFECT_API_URL: no Prefect server answers at {given} (start it, or unset the variable)")
        else:
            self._start(self._port or free_port())
        os.environ["PREFECT_API_URL"] = self.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop(at_once=kind in (KeyboardInterrupt, SystemExit))
            os.environ.pop("PREFECT_API_URL", None)
        if self._log is not None:
            self._log.close()

    def stop(self, *, at_once: bool) -> None:
        """End a server that this process started; `at_once`: while it starts it would hear of nothing milder."""
        if self._process is None:
            return
        if at_once:
            self._process.kill()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def ours(self) -> bool:
        """Whether this process started the server."""
        return self._process is not None

    def wait(self) -> None:
        """Return when the server answers.

        Raises:
            RuntimeError: it ended, or did not answer in time; the sentence names its log.
        """
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.url):
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(self._ended())
            if time.monotonic() > deadline:
                raise RuntimeError(f"no Prefect server answered at {self.url}; see {self._home / 'server.log'}")
            time.sleep(0.2)

    def _ended(self) -> str:
        """Why the server ended, as far as its log says."""
        log = self._home / "server.log"
        with log.open("rb") as file:
            file.seek(self._logged)
            said = file.read().decode(errors="replace")
        if _OTHER_VERSION in said:
            database, mine = self._home / "prefect.db", version("prefect")
            return f"another Prefect made {database}, and {mine} cannot read it: name another PREFECT_HOME"
        return f"the Prefect server ended at once; see {log}"

    def _start(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api"
        self._log = (self._home / "server.log").open("ab")
        self._logged = self._log.tell()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"),
                *("--host", "127.0.0.1", "--port", str(port), "--timeout-keep-alive", "5"),
            ],
            env=os.environ | {"PREFECT_SERVER_UI_API_URL": self.url, "PREFECT_API_URL": self.url},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for us alone: the server is still told how the round ended
            preexec_fn=partial(die_with_parent, signal.SIGKILL),
        )


def home() -> Path:
    """Prefect's own folder: beside the other stores of the working folder, unless the user has chosen one.

    Each version of Prefect has one of its own: a newer one changes the database so that an older one cannot read it.
    """
    return Path(os.environ.get("PREFECT_HOME") or Path("mlruns", "prefect", version("prefect")).resolve())


def settle(home: Path) -> None:
    """Prefect's settings for this process and its children; what a person has set themselves stays."""
    older = home.parent / "prefect.db"
    if not home.exists() and "PREFECT_HOME" not in os.environ and older.is_file():
        tell(f"Prefect's earlier runs stay in {near(older)}; PREFECT_HOME={near(older.parent)} shows them again")
    home.mkdir(parents=True, exist_ok=True)
    for name, value in (
        ("PREFECT_HOME", str(home)),
        ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"),
        ("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", str(int(START_SECONDS))),
        ("PREFECT_LOGGING_LEVEL", "CRITICAL"),  # what a person should see, we say ourselves; the UI has the rest
        ("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL"),  # it prints every event that a server who is gone did not get
        ("PREFECT_LOGGING_SERVER_LEVEL", "WARNING"),
        ("DO_NOT_TRACK", "1"),
    ):
        os.environ.setdefault(name, value)


def answers(url: str) -> bool:
    """Whether a Prefect server answers at this API address."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:
            return bool(reply.read().strip() == b"true")
    except (OSError, urllib.error.URLError, ValueError):
        return False


def free_port() -> int:
    """A port of the loopback interface that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel, in a child before it becomes its program, for this signal when its parent dies."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, number)
