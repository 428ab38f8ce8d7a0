"""A ledger that cannot be had: locked, read-only, another user's, over a network, or no file can be opened any more."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger, place, store
from tests.faults.conftest import Tally, Times
from tests.faults.ledger.children import as_nobody, begun, children, context, refusal, starved

MOUNTED = """22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 22 0:30 / {where} rw,relatime shared:1 - {kind} server:/home rw
"""


def exclusively(path: Path, seconds: float) -> threading.Thread:
    """Another program that holds the whole database for a while; it has it when this returns."""
    has = threading.Event()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        has.set()
        time.sleep(seconds)
        other.execute("ROLLBACK")
        other.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert has.wait(10)
    return thread


def test_a_database_that_is_locked_for_a_second_is_waited_for(tmp_path: Path, times: Times, tally: Tally) -> None:
    runs, wrong = times(1, 10), 0
    with begun(tmp_path) as ledger:
        for run in range(runs):
            other = exclusively(tmp_path / "ledger.db", 1.0)
            ledger.note_projection("r1", "key", str(run))
            with open_ledger(tmp_path) as second:
                wrong += second.projections("r1") != {"key": str(run)}
            other.join()
    tally("B2", "locks of a second", runs, wrong)


@pytest.mark.prose
def test_a_database_that_stays_locked_is_one_sentence_and_nothing_is_half_written(
    tmp_path: Path, times: Times, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.1)
    runs, wrong = times(2, 20), 0
    with begun(tmp_path) as ledger:
        for run in range(runs):
            other = exclusively(tmp_path / "ledger.db", 0.6)
            for ask in (lambda: ledger.start("r1", "t0"), lambda: open_ledger(tmp_path)):
                with pytest.raises(LedgerError, match=r"another program has held it for more than 0\.1 s") as raised:
                    ask()
                wrong += "\n" in str(raised.value)
            other.join()
            wrong += ledger.attempts("r1")["t0"] != run
            ledger.start("r1", "t0")  # and then it goes on
    tally("B2", "locks that outlast the patience", runs, wrong)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="tunebook-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def refused(said: tuple[str, float]) -> bool:
    """Whether there was one sentence, with a way out, within a second."""
    sentence, seconds = said
    return bool(sentence) and "\n" not in sentence and "tracking.root" in sentence and seconds < 1.0


def by_nobody(root: Path) -> tuple[str, float]:
    """What a user hears who owns nothing."""
    heard, told = context().Pipe(duplex=False)
    with children() as start:
        start(as_nobody, root, told)
        said: tuple[str, float] = heard.recv()
    return said


@pytest.mark.prose
def test_what_cannot_be_written_is_refused_before_anything_runs(public: Path, tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "ledger.db").mkdir(parents=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all" / "x")
    (public / "empty").mkdir()
    begun(public / "full").close()
    (public / "closed").mkdir(mode=0o700)
    said = {
        "a file in place of the folder": refusal(tmp_path / "file"),
        "a file in place of a folder above": refusal(tmp_path / "file" / "deeper"),
        "a folder in place of the database": refusal(tmp_path / "folder"),
        "a file system that takes no files": refusal(Path("/proc/tunebook")),
        "another user's empty folder": by_nobody(public / "empty"),
        "another user's ledger": by_nobody(public / "full"),
        "another user's closed folder": by_nobody(public / "closed"),
    }
    wrong = [what for what, words in said.items() if not refused(words)]
    assert wrong == []
    tally("B4", "stores that cannot be written", len(said), len(wrong))
    assert refusal(tmp_path / "missing" / "folders")[0] == ""  # these are made


def test_a_read_only_file_system_is_refused(tmp_path: Path, tally: Tally) -> None:
    begun(tmp_path / "there").close()
    (tmp_path / "empty").mkdir()
    program = "import json, sys; from pathlib import Path; from tests.faults.ledger.children import refusal\n"
    program += "print(json.dumps([refusal(Path(p)) for p in sys.argv[1:]]))"
    script = f'mount --bind {tmp_path} {tmp_path} && mount -o remount,bind,ro {tmp_path} && exec "$@"'
    roots = [str(tmp_path / "there"), str(tmp_path / "empty")]
    command = ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-c", program, *roots]
    if shutil.which("unshare") is None:
        pytest.skip("a read-only file system needs unshare")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and ("unshare:" in done.stderr or "mount:" in done.stderr):
        pytest.skip("this machine lets no user mount a file system")
    said = json.loads(done.stdout)
    tally("B4", "read-only file systems", len(said), sum(not refused(tuple(words)) for words in said))


@pytest.mark.parametrize(("kind", "refuses"), [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False)])
@pytest.mark.prose
def test_a_folder_on_a_network_is_refused_with_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, refuses: bool
) -> None:
    (tmp_path / "mounts").write_text(MOUNTED.format(where=f"{tmp_path}/with\\040space", kind=kind))
    monkeypatch.setattr(place, "MOUNTS", tmp_path / "mounts")
    sentence, _ = refusal(tmp_path / "with space" / "mlruns")
    assert (f"network file system ({kind})" in sentence) is refuses
    assert refusal(tmp_path / "local")[0] == ""


def test_where_no_system_says_what_is_mounted_the_folder_is_believed_to_be_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "MOUNTS", tmp_path / "none")
    assert refusal(tmp_path / "local")[0] == ""


def test_what_is_written_down_is_for_its_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "root"
    with begun(root):
        files = [path for path in root.iterdir() if path.is_file()]
        assert {path.name for path in files} > {"ledger.db", "ledger.writes"}
        assert {oct(path.stat().st_mode & 0o077) for path in [root, *files]} == {"0o0"}


def test_a_process_that_can_open_no_more_files_says_so_and_loses_nothing(
    tmp_path: Path, times: Times, tally: Tally
) -> None:
    levels, wrong, sentences = range(0, 16, times(3, 1)), [], []
    for left in levels:
        heard, told = context().Pipe(duplex=False)
        with children() as start:
            start(starved, tmp_path / str(left), left, told)
            said = heard.recv()
        sentences += [said] if said else []
        wrong += [said] if said.startswith("!") or "\n" in said else []
        with open_ledger(tmp_path / str(left)) as ledger:
            finish(ledger)
            wrong += [] if set(ledger.results("r1")) == {"t0", "t1", "t2"} else [f"{left}: {ledger.results('r1')}"]
    assert wrong == []
    assert any("open" in sentence for sentence in sentences)
    tally("B12", "processes out of file descriptors", len(levels), len(wrong))


def finish(ledger: Ledger) -> None:
    """What the same command does afterwards."""
    ledger.own("r1")
    for trial in ledger.pending("r1"):
        assert ledger.finish("r1", trial["id"], ledger.start("r1", trial["id"]), {"value": 1.0}, b"")
