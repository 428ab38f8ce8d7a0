"""What is forked from the warm process is a process of its own; and the groups are of modules that are there."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import HERE, LONGEST, PROCESSES, TOGETHER, group_of
from tests.processes.warm import Warm

GIVEN = {"PATH": os.environ["PATH"], "ONLY": "this"}


def test_a_forked_process_has_its_own_folder_variables_and_session_and_ends_with_what_its_function_returns(
    warm: Warm, tmp_path: Path
) -> None:
    said = {"code": 3}
    process = warm.start("tests.processes.told:about", said, environment=GIVEN, cwd=tmp_path, printed=True)
    printed, _ = process.communicate(30)
    assert process.returncode == process.poll() == 3
    assert printed.split("|") == [str(process.pid), str(process.pid), str(tmp_path), "ONLY PATH"]


def test_a_forked_process_that_is_killed_is_known_to_have_been(warm: Warm) -> None:
    process = warm.start("tests.processes.told:waits", {}, environment=GIVEN)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    assert process.poll() is None
    process.kill()
    assert process.wait(30) == -signal.SIGKILL


def test_a_forked_process_gets_the_files_that_are_handed_over_and_nobody_keeps_them(warm: Warm) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = warm.start("tests.processes.told:answers", {}, environment=GIVEN, fds=[theirs.fileno()])
        theirs.close()
        assert process.wait(30) == 0
        ours.settimeout(30)
        assert (ours.recv(16), ours.recv(16)) == (b"here", b"")  # the end: no copy of it is open anywhere


def test_every_place_that_the_groups_name_is_there() -> None:
    groups = {group_of(path.relative_to(HERE).as_posix()) for path in HERE.rglob("test_*.py")}
    assert all((HERE / place).exists() for place in (*TOGETHER, *PROCESSES))
    assert set(LONGEST) | set(TOGETHER.values()) <= groups
